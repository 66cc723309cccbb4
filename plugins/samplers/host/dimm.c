/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory modules: from the firmware's SMBIOS table, which is for root; else from EDAC, which knows
 * less.
 */
#include "host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum dimm_column {
	DIMM_NAME, LABEL, LOCATION, SIZE, TYPE, SPEED, MANUFACTURER, PART_NUMBER, DIMM_SERIAL,
};

static const struct weir_column columns[] = {
	[DIMM_NAME] = WEIR_KEY_STR(
		"dimm", "place in its table: handle of SMBIOS, or controller and module of EDAC"),
	[LABEL] = WEIR_LABEL_STR("label", "name of the slot"),
	[LOCATION] = WEIR_LABEL_STR("location", "bank of the slot, or controller, channel and slot"),
	[SIZE] = WEIR_GAUGE_U64("size", "By", "size of the module"),
	[TYPE] = WEIR_LABEL_STR("type", "kind of memory"),
	[SPEED] =
		WEIR_GAUGE_U64("speed", "{transfer}/s", "transfers a second that the module is run at"),
	[MANUFACTURER] = WEIR_LABEL_STR("manufacturer", "maker of the module"),
	[PART_NUMBER] = WEIR_LABEL_STR("part_number", "part number of the module"),
	[DIMM_SERIAL] = WEIR_LABEL_STR("serial", "serial number of the module"),
};

const struct weir_schema host_dimm_schema =
	WEIR_HOST_ENTITY("dimm", columns, "memory modules of a machine");

/* One structure of SMBIOS: `length` bytes, then strings up to an empty one. */
struct structure {
	const unsigned char *data, *end;
	size_t length;
};

static uint64_t
field(const struct structure *s, size_t offset, size_t size)
{
	uint64_t value = 0;

	for (size_t i = size; i-- > 0;)
		value = value << 8 | (offset + i < s->length ? s->data[offset + i] : 0);
	return value;
}

/* The string whose number stands at offset, blanks around it cut off. */
static void
fact_string(struct facts *f, size_t column, const struct structure *s, size_t offset)
{
	const unsigned char *at = s->data + s->length;

	uint64_t number = field(s, offset, 1);

	for (uint64_t i = 1; i < number && at < s->end; i++)
		at += strnlen((const char *)at, (size_t)(s->end - at)) + 1;
	if (!number || at >= s->end)
		return;
	struct weir_scan text =
		weir_scan((const char *)at, strnlen((const char *)at, (size_t)(s->end - at)));

	weir_scan_blanks(&text);
	while (text.end > text.at && text.end[-1] == ' ')
		text.end--;
	fact_scan(f, column, &text);
}

static const char *
memory_type(uint64_t type)
{
	static const char *const names[] = {
		[0x12] = "DDR",
		[0x13] = "DDR2",
		[0x18] = "DDR3",
		[0x1a] = "DDR4",
		[0x1b] = "LPDDR",
		[0x1c] = "LPDDR2",
		[0x1d] = "LPDDR3",
		[0x1e] = "LPDDR4",
		[0x1f] = "NVDIMM",
		[0x20] = "HBM",
		[0x21] = "HBM2",
		[0x22] = "DDR5",
		[0x23] = "LPDDR5",
		[0x24] = "HBM3",
	};

	return type < WEIR_COUNT(names) ? names[type] : NULL;
}

/*
 * Bytes; 0: an empty slot or not known. The top bit of the field means KiB, all other bits that
 * there is a longer field.
 */
static uint64_t
module_size(const struct structure *s)
{
	uint64_t size = field(s, 0x0c, 2);

	if (size == 0xffff)
		return 0;
	if (size == 0x7fff)
		return (field(s, 0x1c, 4) & 0x7fffffff) << 20;
	return size & 0x8000 ? (size & 0x7fff) << 10 : size << 20;
}

static void
module_row(struct host *h, struct weir_out *out, uint64_t *hash, const struct structure *s)
{
	char name[16];
	uint64_t speed = field(s, 0x20, 2);
	const char *type = memory_type(field(s, 0x12, 1));
	struct facts f = { .host = h, .row = weir_row(out, DIMM), .hash = hash };

	fact_text(&f, DIMM_NAME, name,
		(size_t)snprintf(name, sizeof(name), "0x%04x", (unsigned)field(s, 2, 2)));
	fact_string(&f, LABEL, s, 0x10);
	fact_string(&f, LOCATION, s, 0x11);
	fact_number(&f, SIZE, module_size(s));
	if (type)
		fact_text(&f, TYPE, type, strlen(type));
	/* As configured, since SMBIOS 2.7; else as the module could. */
	if (!speed || speed == 0xffff)
		speed = field(s, 0x15, 2);
	if (speed && speed != 0xffff)
		fact_number(&f, SPEED, speed * 1000000);
	fact_string(&f, MANUFACTURER, s, 0x17);
	fact_string(&f, PART_NUMBER, s, 0x1a);
	fact_string(&f, DIMM_SERIAL, s, 0x18);
}

static void
walk(struct host *h, struct weir_out *out, uint64_t *hash, const unsigned char *at,
	const unsigned char *end)
{
	enum { MEMORY_DEVICE = 17, SHORTEST = 0x1b, END_OF_TABLE = 127 };

	while (end - at >= 4 && at[0] != END_OF_TABLE) {
		struct structure s = { .data = at, .length = at[1] };

		if (s.length < 4 || (size_t)(end - at) < s.length + 2)
			return;
		const unsigned char *strings = at + s.length;

		while (strings + 1 < end && (strings[0] || strings[1]))
			strings++;
		if (strings + 1 >= end) /* cut off */
			return;
		s.end = strings;
		if (at[0] == MEMORY_DEVICE && s.length >= SHORTEST && module_size(&s))
			module_row(h, out, hash, &s);
		at = strings + 2;
	}
}

static void
edac_row(struct host *h, struct weir_out *out, uint64_t *hash, unsigned controller, unsigned module)
{
	static const char format[] = "/sys/devices/system/edac/mc/mc%u/dimm%u/%s";
	static const struct {
		const char *file;
		size_t column;
	} labels[] = { { "dimm_label", LABEL }, { "dimm_location", LOCATION },
		{ "dimm_mem_type", TYPE } };
	struct facts f = { .host = h, .row = weir_row(out, DIMM), .hash = hash };
	char text[256];
	struct weir_scan line;
	uint64_t size;

	fact_text(&f, DIMM_NAME, text,
		(size_t)snprintf(text, sizeof(text), "mc%u/dimm%u", controller, module));
	for (size_t i = 0; i < WEIR_COUNT(labels); i++)
		if (host_line(h, text, sizeof(text), &line, format, controller, module, labels[i].file))
			fact_scan(&f, labels[i].column, &line);
	if (host_number(h, &size, format, controller, module, "size") && size <= UINT64_MAX >> 20)
		fact_number(&f, SIZE, size << 20);
}

/* Numbers of controllers and modules have gaps where slots are empty. */
static size_t
edac(struct host *h, struct weir_out *out, uint64_t *hash)
{
	enum { CONTROLLERS = 64, MODULES = 64 };
	size_t rows = 0;

	for (unsigned c = 0; c < CONTROLLERS; c++) {
		if (!weir_exists(h->ctx, "/sys/devices/system/edac/mc/mc%u", c))
			continue;
		for (unsigned m = 0; m < MODULES; m++)
			if (weir_exists(h->ctx, "/sys/devices/system/edac/mc/mc%u/dimm%u", c, m)) {
				edac_row(h, out, hash, c, m);
				rows++;
			}
	}
	return rows;
}

void
host_dimms(struct host *h, struct weir_out *out, uint64_t *hash)
{
	enum { MOST = 1 << 20 };
	static const char path[] = "/sys/firmware/dmi/tables/DMI";
	char *table = malloc(MOST);
	ssize_t size = table ? host_read(h, table, MOST, "%s", path) : -ENOMEM;

	if (size > 0)
		walk(h, out, hash, (unsigned char *)table, (unsigned char *)table + size);
	free(table);
	if (size > 0 || edac(h, out, hash))
		return;
	if (size == -EACCES || size == -EPERM)
		weir_capability(h->ctx, path, WEIR_REFUSED, "permission denied: needs CAP_DAC_READ_SEARCH");
	else
		weir_capability(
			h->ctx, path, WEIR_ABSENT, "neither SMBIOS nor EDAC tells of memory modules");
}
