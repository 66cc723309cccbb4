/* SPDX-License-Identifier: Apache-2.0 */
/* PCI devices and their links: a link that runs below what both ends can do is a frequent fault. */
#include "host.h"

#include <limits.h>

enum pci_column {
	ADDRESS, CLASS, PCI_VENDOR, DEVICE, SUBSYSTEM, DRIVER, NUMA_NODE, LINK_SPEED, LINK_SPEED_MAX,
	LINK_WIDTH, LINK_WIDTH_MAX,
};

static const struct weir_column columns[] = {
	[ADDRESS] = WEIR_KEY_STR("address", "domain:bus:device.function"),
	[CLASS] = WEIR_LABEL_STR("class", "class code, hexadecimal"),
	[PCI_VENDOR] = WEIR_LABEL_STR("vendor", "identifier of the maker, hexadecimal"),
	[DEVICE] = WEIR_LABEL_STR("device", "identifier of the device, hexadecimal"),
	[SUBSYSTEM] =
		WEIR_LABEL_STR("subsystem", "identifiers of the board, vendor:device, hexadecimal"),
	[DRIVER] = WEIR_LABEL_STR("driver", "driver in charge of the device"),
	[NUMA_NODE] = WEIR_GAUGE_U64("numa_node", "1", "NUMA node that the device is near"),
	[LINK_SPEED] =
		WEIR_GAUGE_U64("link_speed", "{transfer}/s", "transfers a second and lane of the link now"),
	[LINK_SPEED_MAX] = WEIR_GAUGE_U64(
		"link_speed_max", "{transfer}/s", "transfers a second and lane that the device can do"),
	[LINK_WIDTH] = WEIR_GAUGE_U64("link_width", "1", "lanes of the link now"),
	[LINK_WIDTH_MAX] = WEIR_GAUGE_U64("link_width_max", "1", "lanes that the device has"),
};

const struct weir_schema host_pci_schema =
	WEIR_HOST_ENTITY("pci_device", columns, "PCI devices of a machine");

static bool
read_line(struct facts *f, const char *address, const char *name, char *text, size_t room,
	struct weir_scan *line)
{
	return host_line(f->host, text, room, line, "/sys/bus/pci/devices/%s/%s", address, name) &&
		   weir_scan_left(line);
}

static void
label(struct facts *f, const char *address, const char *name, size_t column)
{
	char text[64];
	struct weir_scan line;

	if (read_line(f, address, name, text, sizeof(text), &line))
		fact_scan(f, column, &line);
}

/* -1 and 255 lanes are how the kernel says that it does not know. */
static void
count(struct facts *f, const char *address, const char *name, size_t column, uint64_t unknown)
{
	uint64_t value;

	if (host_number(f->host, &value, "/sys/bus/pci/devices/%s/%s", address, name) &&
		value != unknown)
		fact_number(f, column, value);
}

/* "16.0 GT/s PCIe", "2.5 GT/s", "Unknown speed" */
static void
speed(struct facts *f, const char *address, const char *name, size_t column)
{
	char text[64];
	struct weir_scan line;
	int64_t tenths;

	if (read_line(f, address, name, text, sizeof(text), &line) &&
		weir_scan_decimal(&line, 1000, &tenths) && tenths > 0 && weir_scan_prefix(&line, " GT/s"))
		fact_number(f, column, (uint64_t)tenths * 1000000);
}

static void
subsystem(struct facts *f, const char *address)
{
	char vendor[64], device[64], both[64];
	struct weir_scan first, second;

	if (!read_line(f, address, "subsystem_vendor", vendor, sizeof(vendor), &first) ||
		!read_line(f, address, "subsystem_device", device, sizeof(device), &second))
		return;
	size_t a = weir_scan_left(&first), b = weir_scan_left(&second);

	if (a + 1 + b > sizeof(both))
		return;
	memcpy(both, first.at, a);
	both[a] = ':';
	memcpy(both + a + 1, second.at, b);
	fact_text(f, SUBSYSTEM, both, a + 1 + b);
}

void
host_pci(struct host *h, struct weir_out *out, uint64_t *hash)
{
	DIR *folder = weir_folder(h->ctx, "/sys/bus/pci/devices");

	if (!folder) {
		weir_capability(h->ctx, "/sys/bus/pci/devices", WEIR_ABSENT, "there is no such folder");
		return;
	}
	for (struct dirent *entry; (entry = readdir(folder));) {
		const char *address = entry->d_name;
		char driver[NAME_MAX + 1];

		if (*address == '.' || !weir_exists(h->ctx, "/sys/bus/pci/devices/%s/vendor", address))
			continue;
		struct facts f = { .host = h, .row = weir_row(out, PCI_DEVICE), .hash = hash };

		fact_text(&f, ADDRESS, address, strlen(address));
		label(&f, address, "class", CLASS);
		label(&f, address, "vendor", PCI_VENDOR);
		label(&f, address, "device", DEVICE);
		subsystem(&f, address);
		ssize_t length = weir_link_name(
			h->ctx, driver, sizeof(driver), "/sys/bus/pci/devices/%s/driver", address);

		if (length > 0)
			fact_text(&f, DRIVER, driver, (size_t)length);
		count(&f, address, "numa_node", NUMA_NODE, UINT64_MAX);
		speed(&f, address, "current_link_speed", LINK_SPEED);
		speed(&f, address, "max_link_speed", LINK_SPEED_MAX);
		count(&f, address, "current_link_width", LINK_WIDTH, 0);
		count(&f, address, "max_link_width", LINK_WIDTH_MAX, 255);
	}
	closedir(folder);
}
