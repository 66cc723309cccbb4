/* SPDX-License-Identifier: Apache-2.0 */
/*
 * softnet: what each CPU did with received packets before the protocols saw them, from
 * /proc/net/softnet_stat. One line of eight-digit hexadecimal fields per online CPU; the number of
 * fields grew over the years and may differ from line to line.
 */
#include <errno.h>

#include <weir/sampler.h>

struct softnet {
	struct weir_file *file, *online;
	bool looked;     /* the first text was looked at */
	bool unnumbered; /* there are lines without the number of their CPU: kernels before 5.10 */
	bool listed;     /* list holds the CPUs that are online */
	size_t list_size;
	char list[4096];
};

enum column { CPU, PROCESSED, DROPPED, TIME_SQUEEZE, RECEIVED_RPS, FLOW_LIMIT, BACKLOG_LENGTH };

#define COUNTER32(n, u, h) \
	{ \
		.name = n, .type = WEIR_U64, .role = WEIR_COUNTER, .unit = u, \
		.modulus = UINT64_C(1) << 32, .help = h \
	}
static const struct weir_column columns[] = {
	[CPU] = WEIR_KEY_U64("cpu", "number of the CPU"),
	[PROCESSED] = COUNTER32("processed", "{packet}", "packets processed"),
	[DROPPED] = COUNTER32("dropped", "{packet}", "packets dropped because the backlog was full"),
	[TIME_SQUEEZE] = COUNTER32("time_squeeze", "1",
		"times that processing stopped with packets left, budget or time being used up"),
	[RECEIVED_RPS] =
		COUNTER32("received_rps", "1", "times that another CPU handed packets over (Linux 2.6.36)"),
	[FLOW_LIMIT] = COUNTER32(
		"flow_limit", "1", "packets dropped because one flow filled the backlog (Linux 3.11)"),
	[BACKLOG_LENGTH] = WEIR_GAUGE_U64(
		"backlog_length", "{packet}", "packets that wait in the backlog (Linux 5.10)"),
};

static const struct weir_schema softnet =
	WEIR_SERIES("softnet", columns, "received packets per CPU before the protocols");
static const struct weir_schema *const schemas[] = { &softnet, NULL };

/* Places of fields in a line, from 0. */
enum { FIELD_CPU = 12, FIELDS = 16 };
static const struct {
	size_t field, column;
} fields[] = {
	{ 0, PROCESSED },
	{ 1, DROPPED },
	{ 2, TIME_SQUEEZE },
	{ 9, RECEIVED_RPS },
	{ 10, FLOW_LIMIT },
	{ 11, BACKLOG_LENGTH },
};

static int
open_softnet(void *state, struct weir_ctx *ctx, struct weir_err *err)
{
	struct softnet *s = state;

	(void)err;
	s->file = weir_file(ctx, "/proc/net/softnet_stat", WEIR_READ_LINES);
	s->online =
		weir_file(ctx, "/sys/devices/system/cpu/online", WEIR_READ_ONCE | WEIR_READ_OPTIONAL);
	return 0;
}

/*
 * The fields of a line: how many, 0 when one is no number of eight digits (a line cut off, or no
 * such file).
 */
static size_t
split(struct weir_scan line, uint64_t value[FIELDS])
{
	size_t n = 0;

	for (struct weir_scan word; n < FIELDS && weir_scan_word(&line, &word); n++)
		if (weir_scan_left(&word) != 8 || !weir_scan_hex(&word, &value[n]) || word.at != word.end)
			return 0;
	return n;
}

/* The place-th CPU of a list such as "0-3,8"; false when the list is shorter. */
static bool
nth_cpu(struct weir_scan list, size_t place, uint64_t *cpu)
{
	for (uint64_t first, last; weir_scan_left(&list);) {
		struct weir_scan part, range;

		if (!weir_scan_until(&list, ',', &part)) {
			part = list;
			list.at = list.end;
		}
		if (!weir_scan_until(&part, '-', &range))
			range = part;
		if (!weir_scan_u64(&range, &first))
			return false;
		last = first;
		if (range.end != part.end && !weir_scan_u64(&part, &last))
			return false;
		if (last < first)
			return false;
		if (place <= last - first) {
			*cpu = first + place;
			return true;
		}
		place -= last - first + 1;
	}
	return false;
}

static void
read_online(struct softnet *s)
{
	struct weir_scan text, line;

	s->listed = !weir_read(s->online, &text, NULL) && weir_scan_whole_line(&text, &line) &&
				weir_scan_left(&line) <= sizeof(s->list);
	if (s->listed) {
		s->list_size = weir_scan_left(&line);
		memcpy(s->list, line.at, s->list_size);
	}
}

/* Is there a line that does not name its CPU? */
static bool
has_unnumbered(struct weir_scan text)
{
	uint64_t value[FIELDS];

	for (struct weir_scan line; weir_scan_line(&text, &line);)
		if (split(line, value) <= FIELD_CPU)
			return true;
	return false;
}

/* The CPU of the line at `place`: the kernel lists the ones that are online in their order. */
static bool
cpu_of(const struct softnet *s, const uint64_t value[FIELDS], size_t n, size_t place, uint64_t *cpu)
{
	*cpu = n > FIELD_CPU ? value[FIELD_CPU] : place;
	return n > FIELD_CPU || !s->listed || nth_cpu(weir_scan(s->list, s->list_size), place, cpu);
}

static int
sample(void *state, struct weir_out *out, struct weir_err *err)
{
	struct softnet *s = state;
	struct weir_scan text, line;

	/* Texts share one buffer, so the list is read, and copied, before the lines that need it. */
	if (s->unnumbered)
		read_online(s);
	int rc = weir_read(s->file, &text, err);

	if (!rc && !s->looked) {
		s->looked = true;
		if ((s->unnumbered = has_unnumbered(text)))
			return sample(state, out, err);
	}
	size_t rows = 0, before = SIZE_MAX;

	for (size_t place = 0; !rc && weir_scan_line(&text, &line); place++) {
		uint64_t value[FIELDS], cpu;
		size_t n = split(line, value);
		/* A last line without newline is whole when it is as long as the one before it. */
		bool whole = line.end < text.at || n >= before;

		before = n ? n : SIZE_MAX;
		s->unnumbered = s->unnumbered || n <= FIELD_CPU;
		if (!n || !whole || !cpu_of(s, value, n, place, &cpu))
			continue;
		struct weir_row *row = weir_row(out, 0);

		weir_set_u64(row, CPU, cpu);
		for (size_t i = 0; i < WEIR_COUNT(fields); i++)
			if (fields[i].field < n)
				weir_set_u64(row, fields[i].column, value[fields[i].field]);
		rows++;
	}
	return rc ? rc : rows ? 0 : -ENODATA;
}

static const char description[] =
	"Counters are of 32 bit and wrap. Before Linux 5.10 a line does not say its CPU: it "
	"is then the CPU of that place among those online.";

WEIR_PLUGIN(.kind = WEIR_SAMPLER, .name = "softnet",
	.summary = "received packets per CPU before the protocols", .description = description,
	.state_size = sizeof(struct softnet), .schemas = schemas, .open = open_softnet,
	.sampler = { .sample = sample });
