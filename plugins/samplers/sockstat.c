/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockstat: sockets and protocol memory in use, from /proc/net/sockstat and sockstat6. What is in
 * use is that of the network namespace; orphans, TIME-WAIT and memory are those of the whole
 * machine.
 */
#include <errno.h>

#include <weir/sampler.h>

struct sockstat {
	struct weir_file *file[2];
	uint64_t page_size;
};

enum column {
	SOCKETS_USED, TCP_INUSE, TCP_ORPHAN, TCP_TW, TCP_ALLOC, UDP_INUSE, UDPLITE_INUSE, RAW_INUSE,
	FRAG_INUSE, TCP_MEMORY, UDP_MEMORY, FRAG_MEMORY, TCP6_INUSE, UDP6_INUSE, UDPLITE6_INUSE,
	RAW6_INUSE, FRAG6_INUSE, FRAG6_MEMORY,
};

static const struct weir_column columns[] = {
	[SOCKETS_USED] = WEIR_GAUGE_U64("sockets_used", "1", "sockets of all protocols"),
	[TCP_INUSE] = WEIR_GAUGE_U64("tcp_inuse", "1", "TCP sockets in use"),
	[TCP_ORPHAN] = WEIR_GAUGE_U64("tcp_orphan", "1", "TCP sockets that no process holds any more"),
	[TCP_TW] = WEIR_GAUGE_U64("tcp_tw", "1", "TCP sockets in TIME-WAIT"),
	[TCP_ALLOC] = WEIR_GAUGE_U64("tcp_alloc", "1", "TCP sockets allocated"),
	[UDP_INUSE] = WEIR_GAUGE_U64("udp_inuse", "1", "UDP sockets in use"),
	[UDPLITE_INUSE] = WEIR_GAUGE_U64("udplite_inuse", "1", "UDP-Lite sockets in use"),
	[RAW_INUSE] = WEIR_GAUGE_U64("raw_inuse", "1", "raw sockets in use"),
	[FRAG_INUSE] = WEIR_GAUGE_U64("frag_inuse", "1", "IPv4 datagrams being reassembled"),
	[TCP_MEMORY] = WEIR_GAUGE_U64("tcp_memory", "By", "memory held by TCP"),
	[UDP_MEMORY] = WEIR_GAUGE_U64("udp_memory", "By", "memory held by UDP"),
	[FRAG_MEMORY] = WEIR_GAUGE_U64("frag_memory", "By", "memory held by IPv4 reassembly"),
	[TCP6_INUSE] = WEIR_GAUGE_U64("tcp6_inuse", "1", "TCP sockets of IPv6 in use"),
	[UDP6_INUSE] = WEIR_GAUGE_U64("udp6_inuse", "1", "UDP sockets of IPv6 in use"),
	[UDPLITE6_INUSE] = WEIR_GAUGE_U64("udplite6_inuse", "1", "UDP-Lite sockets of IPv6 in use"),
	[RAW6_INUSE] = WEIR_GAUGE_U64("raw6_inuse", "1", "raw sockets of IPv6 in use"),
	[FRAG6_INUSE] = WEIR_GAUGE_U64("frag6_inuse", "1", "IPv6 datagrams being reassembled"),
	[FRAG6_MEMORY] = WEIR_GAUGE_U64("frag6_memory", "By", "memory held by IPv6 reassembly"),
};

static const struct weir_schema sockstat =
	WEIR_SERIES("sockstat", columns, "sockets and protocol memory in use");
static const struct weir_schema *const schemas[] = { &sockstat, NULL };

static const struct weir_option options[] = {
	WEIR_PAGE_SIZE_OPTION(struct sockstat),
	WEIR_OPTIONS_END,
};

static const struct {
	const char *protocol, *key;
	size_t column;
	bool pages;
} cells[] = {
	{ "sockets:", "used", SOCKETS_USED, false },
	{ "TCP:", "inuse", TCP_INUSE, false },
	{ "TCP:", "orphan", TCP_ORPHAN, false },
	{ "TCP:", "tw", TCP_TW, false },
	{ "TCP:", "alloc", TCP_ALLOC, false },
	{ "TCP:", "mem", TCP_MEMORY, true },
	{ "UDP:", "inuse", UDP_INUSE, false },
	{ "UDP:", "mem", UDP_MEMORY, true },
	{ "UDPLITE:", "inuse", UDPLITE_INUSE, false },
	{ "RAW:", "inuse", RAW_INUSE, false },
	{ "FRAG:", "inuse", FRAG_INUSE, false },
	{ "FRAG:", "memory", FRAG_MEMORY, false },
	{ "TCP6:", "inuse", TCP6_INUSE, false },
	{ "UDP6:", "inuse", UDP6_INUSE, false },
	{ "UDPLITE6:", "inuse", UDPLITE6_INUSE, false },
	{ "RAW6:", "inuse", RAW6_INUSE, false },
	{ "FRAG6:", "inuse", FRAG6_INUSE, false },
	{ "FRAG6:", "memory", FRAG6_MEMORY, false },
};

static int
open_sockstat(void *state, struct weir_ctx *ctx, struct weir_err *err)
{
	struct sockstat *s = state;

	(void)err;
	s->file[0] = weir_file(ctx, "/proc/net/sockstat", WEIR_READ_ONCE);
	s->file[1] = weir_file(ctx, "/proc/net/sockstat6", WEIR_READ_ONCE | WEIR_READ_OPTIONAL);
	s->page_size = weir_page_size(s->page_size);
	return 0;
}

/* "TCP: inuse 74 orphan 9 ...": returns the number of cells set. */
static size_t
scan_line(const struct sockstat *s, struct weir_scan line, struct weir_row *row)
{
	size_t set = 0;
	struct weir_scan protocol, key;

	if (!weir_scan_word(&line, &protocol))
		return 0;
	while (weir_scan_word(&line, &key)) {
		uint64_t value;

		/* Memory is a sum of per-CPU parts and can be below 0 for a moment: no value then. */
		if (!weir_scan_u64(&line, &value)) {
			struct weir_scan other;

			(void)weir_scan_word(&line, &other);
			continue;
		}
		for (size_t i = 0; i < WEIR_COUNT(cells); i++)
			if (weir_scan_is(&protocol, cells[i].protocol) && weir_scan_is(&key, cells[i].key) &&
				!__builtin_mul_overflow(value, cells[i].pages ? s->page_size : 1, &value)) {
				weir_set_u64(row, cells[i].column, value);
				set++;
			}
	}
	return set;
}

static int
sample(void *state, struct weir_out *out, struct weir_err *err)
{
	struct sockstat *s = state;
	struct weir_row *row = weir_row(out, 0);
	struct weir_scan text, line;
	size_t set = 0;

	for (size_t i = 0; i < WEIR_COUNT(s->file); i++) {
		int rc = weir_read(s->file[i], &text, err);

		if (rc && rc != -ENODATA)
			return rc;
		while (!rc && weir_scan_whole_line(&text, &line))
			set += scan_line(s, line, row);
	}
	if (set)
		return 0;
	weir_row_drop(row);
	return -ENODATA;
}

static const char description[] =
	"Sockets in use are those of the network namespace; orphans, TIME-WAIT and memory are "
	"those of the whole machine.";

WEIR_PLUGIN(.kind = WEIR_SAMPLER, .name = "sockstat",
	.summary = "sockets and protocol memory in use", .description = description,
	.state_size = sizeof(struct sockstat), .options = options, .schemas = schemas,
	.open = open_sockstat, .sampler = { .sample = sample });
