/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk: reads, writes and time of block devices, from /proc/diskstats; what the devices are, from
 * sysfs, in the entity disk_info. Partitions are left out, for their disk counts what they do.
 * Device mapper and md count it again: disk_info tells which.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <weir/sampler.h>

enum { LONGEST_NAME = 63 }; /* the kernel's is 31 */

/* A line of the file, with what was decided on its name. */
struct line {
	char name[LONGEST_NAME + 1];
	size_t length;
	bool selected;
};

struct disk {
	struct weir_list include;
	struct weir_ctx *ctx;
	struct weir_file *quick, *whole;
	char last[LONGEST_NAME + 1]; /* device that the last whole text ended with */
	struct line *line;           /* of the last text, in its order */
	size_t n_lines, room;
	int64_t info_due;
	char (*told)[LONGEST_NAME + 1]; /* devices that disk_info has */
	size_t n_told;
};

enum { DEVICE };

/* The kernel prints milliseconds as unsigned 32-bit numbers. */
#define TIME(n, h) \
	{ \
		.name = n, .type = WEIR_F64, .role = WEIR_COUNTER, .unit = "s", .divisor = 1000, \
		.modulus = UINT64_C(1) << 32, .help = h \
	}

enum {
	READS = 1,
	READS_MERGED,
	READ_BYTES,
	READ_TIME,
	WRITES,
	WRITES_MERGED,
	WRITE_BYTES,
	WRITE_TIME,
	IN_FLIGHT,
	IO_TIME,
	WEIGHTED_IO_TIME,
	DISCARDS,
	DISCARDS_MERGED,
	DISCARD_BYTES,
	DISCARD_TIME,
	FLUSHES,
	FLUSH_TIME,
	COLUMNS,
};

/*
 * In the order of the line's fields: 11, with discards (Linux 4.18) 15, with flushes
 * (Linux 5.5) 17.
 */
static const struct weir_column columns[] = {
	[DEVICE] = WEIR_KEY_STR("device", "name of the device"),
	[READS] = WEIR_COUNTER_U64("reads", "1", "reads completed"),
	[READS_MERGED] = WEIR_COUNTER_U64(
		"reads_merged", "1", "reads merged with neighbours before they were issued"),
	[READ_BYTES] = WEIR_COUNTER_U64("read_bytes", "By", "bytes read"),
	[READ_TIME] = TIME("read_time", "time of all reads, added up"),
	[WRITES] = WEIR_COUNTER_U64("writes", "1", "writes completed"),
	[WRITES_MERGED] = WEIR_COUNTER_U64(
		"writes_merged", "1", "writes merged with neighbours before they were issued"),
	[WRITE_BYTES] = WEIR_COUNTER_U64("write_bytes", "By", "bytes written"),
	[WRITE_TIME] = TIME("write_time", "time of all writes, added up"),
	[IN_FLIGHT] = WEIR_GAUGE_U64("in_flight", "1", "requests issued and not completed"),
	[IO_TIME] = TIME("io_time",
		"time with at least one request: too much before Linux 5.0, rather too little since"),
	[WEIGHTED_IO_TIME] =
		TIME("weighted_io_time", "time of all requests, those not completed included, added up"),
	[DISCARDS] = WEIR_COUNTER_U64("discards", "1", "discards completed"),
	[DISCARDS_MERGED] = WEIR_COUNTER_U64(
		"discards_merged", "1", "discards merged with neighbours before they were issued"),
	[DISCARD_BYTES] = WEIR_COUNTER_U64("discard_bytes", "By", "bytes discarded"),
	[DISCARD_TIME] = TIME("discard_time", "time of all discards, added up"),
	[FLUSHES] = WEIR_COUNTER_U64("flushes", "1", "flushes of the device's cache completed"),
	[FLUSH_TIME] = TIME("flush_time", "time of all flushes, added up"),
};

enum { INFO_DEVICE, MODEL, SERIAL, WWID, ROTATIONAL, SIZE, DM_NAME, SLAVES, TRANSPORT };
static const struct weir_column info_columns[] = {
	[INFO_DEVICE] = WEIR_KEY_STR("device", "name of the device"),
	[MODEL] = WEIR_LABEL_STR("model", "model, as the device says"),
	[SERIAL] = WEIR_LABEL_STR("serial", "serial number, as the device says"),
	[WWID] = WEIR_LABEL_STR("wwid", "world-wide identifier"),
	[ROTATIONAL] = WEIR_LABEL_BOOL("rotational", "does it rotate?"),
	[SIZE] = WEIR_GAUGE_U64("size", "By", "size of the device"),
	[DM_NAME] = WEIR_LABEL_STR("dm_name", "name of the device mapper's map"),
	[SLAVES] = WEIR_LABEL_STR("slaves", "devices that it stands on, with blanks between"),
	[TRANSPORT] = WEIR_LABEL_STR(
		"transport", "how it is attached: sata, sas, usb, nvme, iscsi, fc, virtio, mmc"),
};

enum { SCHEMA_DISK, SCHEMA_INFO };
static const struct weir_schema disk_schema =
	WEIR_SERIES("disk", columns, "reads, writes and time of block devices");
static const struct weir_schema info_schema =
	WEIR_HOST_ENTITY("disk_info", info_columns, "what the block devices are");
static const struct weir_schema *const schemas[] = {
	[SCHEMA_DISK] = &disk_schema,
	[SCHEMA_INFO] = &info_schema,
	NULL,
};

static const struct weir_option options[] = {
	WEIR_LIST_OPTION(struct disk, include, NULL,
		"names of devices to send, with * and ?, idle ones and partitions too; without it: whole "
		"devices that did something, without loop*, ram* and zram*"),
	WEIR_OPTIONS_END,
};

static int
open_disk(void *state, struct weir_ctx *ctx, struct weir_err *err)
{
	struct disk *s = state;

	(void)err;
	s->ctx = ctx;
	s->quick = weir_file(ctx, "/proc/diskstats", WEIR_READ_LINES);
	s->whole = weir_file(ctx, "/proc/diskstats", 0);
	return 0;
}

static void
close_disk(void *state)
{
	struct disk *s = state;

	free(s->line);
	free(s->told);
}

/* ---- which devices ---- */

/* "sda1" of "sda", "nvme0n1p2" of "nvme0n1"; the disk stands before its partitions. */
static bool
is_partition(const struct disk *s, size_t number)
{
	const struct line *line = &s->line[number];
	size_t head = line->length;

	while (head > 0 && (unsigned)(line->name[head - 1] - '0') <= 9)
		head--;
	if (head == line->length)
		return false;
	if (head > 1 && line->name[head - 1] == 'p' && (unsigned)(line->name[head - 2] - '0') <= 9)
		head--;
	for (size_t i = 0; i < number; i++)
		if (s->line[i].length == head && !memcmp(s->line[i].name, line->name, head))
			return true;
	return false;
}

/* sysfs says best what is a whole device; a saved tree may have only some of it. */
static bool
is_whole(const struct disk *s, size_t number)
{
	const struct line *line = &s->line[number];
	char name[LONGEST_NAME + 1];

	memcpy(name, line->name, sizeof(name));
	for (char *slash = name; (slash = strchr(slash, '/'));) /* "cciss/c0d0" is "cciss!c0d0" there */
		*slash = '!';
	return weir_exists(s->ctx, "/sys/block/%s", name) || !is_partition(s, number);
}

static bool
is_selected(const struct disk *s, size_t number)
{
	static const char *const left_out[] = { "loop*", "ram*", "zram*" };
	const struct weir_list exclude = { left_out, WEIR_COUNT(left_out) };
	const struct line *line = &s->line[number];

	if (!weir_selected(&s->include, &exclude, line->name, line->length))
		return false;
	return s->include.n || is_whole(s, number);
}

/*
 * The line as remembered; it and those behind are made anew when its name is another. NULL out of
 * memory.
 */
static const struct line *
find_line(struct disk *s, size_t number, const struct weir_scan *name)
{
	struct line *line = &s->line[number];
	size_t length = weir_scan_left(name);

	if (number < s->n_lines && line->length == length && !memcmp(line->name, name->at, length))
		return line;
	if (number == s->room) {
		size_t room = s->room ? s->room * 2 : 16;
		struct line *grown = realloc(s->line, room * sizeof(*grown));

		if (!grown)
			return NULL;
		s->line = grown;
		s->room = room;
		line = &s->line[number];
	}
	*line = (struct line){ .length = length };
	memcpy(line->name, name->at, length);
	s->n_lines = number + 1;
	line->selected = is_selected(s, number);
	s->info_due = 0;
	return line;
}

/* ---- a line ---- */

static void
set_field(struct weir_row *row, size_t column, uint64_t value)
{
	switch (column) {
	case READ_BYTES:
	case WRITE_BYTES:
	case DISCARD_BYTES:
		/* A sector here is 512 bytes, whatever the device's is. */
		if (!__builtin_mul_overflow(value, UINT64_C(512), &value))
			weir_set_u64(row, column, value);
		break;
	default:
		if (columns[column].type == WEIR_U64 || value <= INT64_MAX)
			weir_set_integer(row, column, value);
	}
}

/*
 * Fields behind the name; no number is a missing cell: in_flight is negative in some kernels 5.x.
 *
 */
static size_t
scan_fields(struct weir_scan line, uint64_t value[COLUMNS], bool number[COLUMNS])
{
	size_t column = READS;

	for (struct weir_scan word; column < COLUMNS && weir_scan_word(&line, &word); column++)
		number[column] = weir_scan_u64(&word, &value[column]);
	static const size_t ends[] = { COLUMNS, FLUSHES, DISCARDS };

	for (size_t i = 0; i < WEIR_COUNT(ends); i++)
		if (column >= ends[i])
			return ends[i];
	return 0;
}

/* Did it make a row? */
static bool
sample_line(
	const struct disk *s, const struct line *line, struct weir_scan fields, struct weir_out *out)
{
	uint64_t value[COLUMNS] = { 0 };
	bool number[COLUMNS] = { 0 };
	size_t end = scan_fields(fields, value, number);
	bool idle = true;

	for (size_t column = READS; column < end; column++)
		idle = idle && number[column] && value[column] == 0;
	if (end == 0 || (idle && !s->include.n))
		return false;
	struct weir_row *row = weir_row(out, SCHEMA_DISK);

	weir_set_str(row, DEVICE, line->name, line->length);
	for (size_t column = READS; column < end; column++)
		if (number[column])
			set_field(row, column, value[column]);
	return true;
}

/* ---- what the devices are ---- */

static void
set_text(struct weir_row *row, size_t column, const char *text, ssize_t length)
{
	while (length > 0 && text[length - 1] == ' ')
		length--;
	while (length > 0 && *text == ' ') {
		text++;
		length--;
	}
	if (length > 0)
		weir_set_str(row, column, text, (size_t)length);
}

/* SCSI disks have their serial number in a page of four bytes and a text. */
static void
set_serial(const struct disk *s, struct weir_row *row, const char *folder)
{
	char text[256];
	ssize_t length = weir_slurp(s->ctx, text, sizeof(text), "%s/serial", folder);

	if (length <= 0)
		length = weir_slurp(s->ctx, text, sizeof(text), "%s/device/serial", folder);
	if (length > 0) {
		set_text(row, SERIAL, text, length);
		return;
	}
	length = weir_slurp(s->ctx, text, sizeof(text), "%s/device/vpd_pg80", folder);
	if (length > 4 && memchr(text + 4, '\0', (size_t)length - 4) == NULL)
		set_text(row, SERIAL, text + 4, length - 4);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
set_slaves(const struct disk *s, struct weir_row *row, const char *folder)
{
	enum { MOST = 64 };
	char names[MOST][LONGEST_NAME + 1], text[MOST * (LONGEST_NAME + 1)];
	size_t n = 0, size = 0;
	DIR *slaves = weir_folder(s->ctx, "%s/slaves", folder);

	if (!slaves)
		return;
	for (const struct dirent *entry; n < MOST && (entry = readdir(slaves));) {
		size_t length = strlen(entry->d_name);

		if (*entry->d_name != '.' && length <= LONGEST_NAME)
			memcpy(names[n++], entry->d_name, length + 1);
	}
	closedir(slaves);
	qsort(names, n, sizeof(names[0]), compare_names);
	for (size_t i = 0; i < n; i++)
		size +=
			(size_t)snprintf(text + size, sizeof(text) - size, "%s%s", size ? " " : "", names[i]);
	set_text(row, SLAVES, text, (ssize_t)size);
}

/* The path of the device in sysfs names the buses that it hangs on. */
static void
set_transport(const struct disk *s, struct weir_row *row, const char *folder)
{
	static const struct {
		const char *part, *transport;
	} parts[] = {
		{ "/session", "iscsi" },
		{ "/rport-", "fc" },
		{ "/end_device-", "sas" },
		{ "/usb", "usb" },
		{ "/ata", "sata" },
		{ "/nvme", "nvme" },
		{ "/virtio", "virtio" },
		{ "/mmc_host", "mmc" },
	};
	char path[4096], target[4096];

	if (snprintf(path, sizeof(path), "%s%s", weir_root(s->ctx), folder) >= (int)sizeof(path))
		return;
	ssize_t length = readlink(path, target, sizeof(target) - 1);

	if (length < 0)
		return;
	target[length] = '\0';
	for (size_t i = 0; i < WEIR_COUNT(parts); i++) {
		if (!strstr(target, parts[i].part))
			continue;
		weir_set_text(row, TRANSPORT, parts[i].transport);
		return;
	}
}

/* Did it make a row? */
static bool
sample_info(const struct disk *s, const struct line *line, struct weir_out *out)
{
	char name[LONGEST_NAME + 1], folder[100], text[256];
	uint64_t number = 0;

	memcpy(name, line->name, sizeof(name));
	for (char *slash = name; (slash = strchr(slash, '/'));)
		*slash = '!';
	snprintf(folder, sizeof(folder), "/sys/class/block/%s", name);
	if (!weir_exists(s->ctx, "%s", folder))
		snprintf(folder, sizeof(folder), "/sys/block/%s", name);
	if (!weir_exists(s->ctx, "%s", folder))
		return false;
	struct weir_row *row = weir_row(out, SCHEMA_INFO);

	weir_set_str(row, INFO_DEVICE, line->name, line->length);
	set_text(row, MODEL, text, weir_slurp(s->ctx, text, sizeof(text), "%s/device/model", folder));
	set_serial(s, row, folder);
	ssize_t length = weir_slurp(s->ctx, text, sizeof(text), "%s/wwid", folder);

	set_text(row, WWID, text,
		length > 0 ? length : weir_slurp(s->ctx, text, sizeof(text), "%s/device/wwid", folder));
	if (weir_slurp_u64(s->ctx, &number, "%s/queue/rotational", folder))
		weir_set_bool(row, ROTATIONAL, number != 0);
	if (weir_slurp_u64(s->ctx, &number, "%s/size", folder) && number <= UINT64_MAX / 512)
		weir_set_u64(row, SIZE, number * 512);
	set_text(row, DM_NAME, text, weir_slurp(s->ctx, text, sizeof(text), "%s/dm/name", folder));
	set_slaves(s, row, folder);
	set_transport(s, row, folder);
	return true;
}

/* All devices, and those deleted that were told of and are gone. Number of rows. */
static size_t
sample_infos(struct disk *s, struct weir_out *out)
{
	char(*told)[LONGEST_NAME + 1] = calloc(s->n_lines + 1, sizeof(*told));
	size_t n_told = 0, deleted = 0;

	if (!told)
		return 0;
	for (size_t i = 0; i < s->n_lines; i++)
		if (s->line[i].selected && sample_info(s, &s->line[i], out))
			memcpy(told[n_told++], s->line[i].name, sizeof(*told));
	for (size_t i = 0; i < s->n_told; i++) {
		size_t k = 0;

		while (k < n_told && strcmp(told[k], s->told[i]))
			k++;
		if (k < n_told)
			continue;
		struct weir_row *row = weir_row(out, SCHEMA_INFO);

		weir_set_text(row, INFO_DEVICE, s->told[i]);
		weir_row_delete(row);
		deleted++;
	}
	free(s->told);
	s->told = told;
	s->n_told = n_told;
	return n_told + deleted;
}

/* ---- a tick ---- */

/* major minor name fields; *line is left at the fields. */
static bool
scan_name(struct weir_scan *line, struct weir_scan *name)
{
	uint64_t major = 0, minor = 0;

	return weir_scan_u64(line, &major) && weir_scan_u64(line, &minor) &&
		   weir_scan_word(line, name) && weir_scan_left(name) <= LONGEST_NAME &&
		   !memchr(name->at, '\0', weir_scan_left(name));
}

/* The name in the last line. */
static bool
last_name(const struct weir_scan *text, struct weir_scan *name)
{
	size_t size = weir_scan_left(text);

	if (size < 2 || text->end[-1] != '\n')
		return false;
	const char *before = memrchr(text->at, '\n', size - 1);
	struct weir_scan line = { before ? before + 1 : text->at, text->end };

	return scan_name(&line, name);
}

/*
 * The kernel gives a disk and its partitions as one record, which may be longer than what
 * WEIR_READ_LINES allows for. So the short way of reading is trusted only while the text ends with
 * the same device as the one read to its end.
 */
static int
read_text(struct disk *s, struct weir_scan *text, struct weir_err *err)
{
	struct weir_scan name;
	int error = weir_read(s->quick, text, err);

	if (error || (last_name(text, &name) && weir_scan_is(&name, s->last)))
		return error;
	error = weir_read(s->whole, text, err);
	*s->last = '\0';
	if (!error && last_name(text, &name)) {
		memcpy(s->last, name.at, weir_scan_left(&name));
		s->last[weir_scan_left(&name)] = '\0';
	}
	return error;
}

static int
sample(void *state, struct weir_out *out, struct weir_err *err)
{
	struct disk *s = state;
	struct weir_scan text, line, name;
	size_t n = 0, rows = 0;
	int error = read_text(s, &text, err);

	if (error)
		return error;
	while (weir_scan_whole_line(&text, &line)) {
		if (!scan_name(&line, &name))
			continue;
		const struct line *known = find_line(s, n++, &name);

		if (!known)
			return weir_failx(err, -ENOMEM, "out of memory");
		if (known->selected)
			rows += sample_line(s, known, line, out);
	}
	if (n < s->n_lines) {
		s->n_lines = n;
		s->info_due = 0;
	}
	if (weir_due(s->ctx, &s->info_due, WEIR_HOUR))
		rows += sample_infos(s, out);
	if (rows == 0)
		return weir_failx(err, -ENODATA, "'/proc/diskstats' has no device to tell of");
	return 0;
}

static const char description[] =
	"Partitions are left out unless include names them. Device mapper and md count again what "
	"their members count: sum over devices whose slaves in disk_info are missing. io_time is too "
	"much before Linux 5.0 and too little since, when it is sampled at the start and end of "
	"requests. Counters begin at 0 when a device comes back. NVMe multipath's hidden paths have no "
	"row.";

WEIR_PLUGIN(.kind = WEIR_SAMPLER, .name = "disk",
	.summary = "reads, writes and time of block devices", .description = description,
	.state_size = sizeof(struct disk), .options = options, .schemas = schemas, .open = open_disk,
	.close = close_disk, .sampler.sample = sample);
