/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters of interfaces from /proc/net/dev and sysfs: of saved trees, and where netlink is not to
 * be had.
 */
#include "netdev.h"

#include <errno.h>
#include <stdlib.h>

const char *const raw_names[RAW_COUNTERS] = {
	"rx_packets",
	"tx_packets",
	"rx_bytes",
	"tx_bytes",
	"rx_errors",
	"tx_errors",
	"rx_dropped",
	"tx_dropped",
	"multicast",
	"collisions",
	"rx_length_errors",
	"rx_over_errors",
	"rx_crc_errors",
	"rx_frame_errors",
	"rx_fifo_errors",
	"rx_missed_errors",
	"tx_aborted_errors",
	"tx_carrier_errors",
	"tx_fifo_errors",
	"tx_heartbeat_errors",
	"tx_window_errors",
	"rx_compressed",
	"tx_compressed",
	"rx_nohandler",
};

/* The fields behind the colon. */
static const enum column fields[] = {
	RX_BYTES,
	RX_PACKETS,
	RX_ERRORS,
	RX_DROPPED,
	RX_FIFO_ERRORS,
	RX_FRAME_ERRORS,
	RX_COMPRESSED,
	RX_MULTICAST,
	TX_BYTES,
	TX_PACKETS,
	TX_ERRORS,
	TX_DROPPED,
	TX_FIFO_ERRORS,
	COLLISIONS,
	TX_CARRIER_ERRORS,
	TX_COMPRESSED,
};

/* sysfs `statistics`: all of it, or what /proc/net/dev does not have. */
static void
count_statistics(const struct netdev *s, struct interface *interface)
{
	uint64_t raw[RAW_COUNTERS] = { 0 };
	uint32_t present = 0;
	struct interface all = { 0 };

	if (!weir_exists(s->ctx, "/sys/class/net/%s/statistics", interface->name))
		return;
	for (size_t i = 0; i < RAW_COUNTERS; i++)
		if (weir_slurp_u64(
				s->ctx, &raw[i], "/sys/class/net/%s/statistics/%s", interface->name, raw_names[i]))
			present |= UINT32_C(1) << i;
	interface_count(&all, raw, present);
	for (size_t i = 0; i < COUNTERS; i++) {
		if (!(all.present & ~interface->present & UINT32_C(1) << i))
			continue;
		interface->value[i] = all.value[i];
		interface->present |= UINT32_C(1) << i;
	}
}

/*
 * "  eth0: 1 2 3 ...", in old kernels "eth0:1 2 3": a name has no colon. A word that is no number
 * is a missing cell; fewer than 16 words are a damaged line.
 */
static int
sample_line(struct netdev *s, struct weir_scan line)
{
	struct weir_scan name, word;
	uint64_t value[WEIR_COUNT(fields)] = { 0 };
	uint32_t present = 0;

	weir_scan_blanks(&line);
	if (!weir_scan_until(&line, ':', &name) || !weir_scan_left(&name) ||
		weir_scan_left(&name) > LONGEST_NAME || memchr(name.at, '/', weir_scan_left(&name)) ||
		memchr(name.at, '\0', weir_scan_left(&name)))
		return 0;
	for (size_t i = 0; i < WEIR_COUNT(fields); i++) {
		if (!weir_scan_word(&line, &word))
			return 0;
		if (weir_scan_u64(&word, &value[i]))
			present |= UINT32_C(1) << fields[i];
	}
	struct interface *interface = interface_named(s, name.at, weir_scan_left(&name), 0);

	if (!interface)
		return -ENOMEM;
	interface->seen = true;
	interface->present = present;
	for (size_t i = 0; i < WEIR_COUNT(fields); i++)
		interface->value[fields[i]] = value[i];
	if (interface->selected)
		count_statistics(s, interface);
	return 0;
}

/* A saved tree may have sysfs alone. */
static int
sample_folder(struct netdev *s)
{
	DIR *folder = weir_folder(s->ctx, "/sys/class/net");
	int error = 0;

	if (!folder)
		return -ENODATA;
	for (const struct dirent *entry; !error && (entry = readdir(folder));) {
		size_t length = strlen(entry->d_name);

		if (*entry->d_name == '.' || length > LONGEST_NAME ||
			!weir_exists(s->ctx, "/sys/class/net/%s/operstate", entry->d_name))
			continue;
		struct interface *interface = interface_named(s, entry->d_name, length, 0);

		if (!interface) {
			error = -ENOMEM;
		} else if (interface->selected) {
			interface->seen = true;
			interface->present = 0;
			count_statistics(s, interface);
		}
	}
	closedir(folder);
	return error;
}

int
file_sample(struct netdev *s, struct weir_err *err)
{
	struct weir_scan text, line;
	int error = weir_read(s->file, &text, err);

	s->next = 0;
	if (error == -ENODATA)
		return sample_folder(s) ? error : 0;
	while (!error && weir_scan_whole_line(&text, &line))
		error = sample_line(s, line);
	return error == -ENOMEM ? weir_failx(err, error, "out of memory") : error;
}
