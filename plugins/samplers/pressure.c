/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pressure: time that tasks stood still for want of a resource, from /proc/pressure (Linux 4.20).
 * "some": at least one task waited; "full": all did.
 */
#include <errno.h>

#include <weir/sampler.h>

static const struct {
	const char *name, *path;
	unsigned flags;
} resources[] = {
	{ "cpu", "/proc/pressure/cpu", WEIR_READ_ONCE },
	{ "memory", "/proc/pressure/memory", WEIR_READ_ONCE },
	{ "io", "/proc/pressure/io", WEIR_READ_ONCE },
	{ "irq", "/proc/pressure/irq", WEIR_READ_ONCE | WEIR_READ_OPTIONAL }, /* Linux 6.1 */
};

struct pressure {
	struct weir_ctx *ctx;
	struct weir_file *file[WEIR_COUNT(resources)];
	bool asked[WEIR_COUNT(resources)]; /* why there is no text */
	bool off[WEIR_COUNT(resources)];   /* not to be had until the next boot */
};

enum column {
	RESOURCE, SOME_TIME, FULL_TIME, SOME_AVG10, SOME_AVG60, SOME_AVG300, FULL_AVG10, FULL_AVG60,
	FULL_AVG300,
};

static const struct weir_column columns[] = {
	[RESOURCE] = WEIR_KEY_STR("resource", "what tasks waited for: cpu, memory, io or irq"),
	[SOME_TIME] =
		WEIR_COUNTER_REAL("some_time", "s", 1000000, "time that at least one task waited"),
	[FULL_TIME] = WEIR_COUNTER_REAL(
		"full_time", "s", 1000000, "time that all tasks waited (of cpu: Linux 5.13)"),
	[SOME_AVG10] =
		WEIR_GAUGE_F64("some_avg10", "1", "share of the last 10 s that at least one task waited"),
	[SOME_AVG60] =
		WEIR_GAUGE_F64("some_avg60", "1", "share of the last 60 s that at least one task waited"),
	[SOME_AVG300] =
		WEIR_GAUGE_F64("some_avg300", "1", "share of the last 300 s that at least one task waited"),
	[FULL_AVG10] =
		WEIR_GAUGE_F64("full_avg10", "1", "share of the last 10 s that all tasks waited"),
	[FULL_AVG60] =
		WEIR_GAUGE_F64("full_avg60", "1", "share of the last 60 s that all tasks waited"),
	[FULL_AVG300] =
		WEIR_GAUGE_F64("full_avg300", "1", "share of the last 300 s that all tasks waited"),
};

static const struct weir_schema pressure =
	WEIR_SERIES("pressure", columns, "time that tasks waited for resources");
static const struct weir_schema *const schemas[] = { &pressure, NULL };

static int
open_pressure(void *state, struct weir_ctx *ctx, struct weir_err *err)
{
	struct pressure *s = state;

	(void)err;
	s->ctx = ctx;
	for (size_t i = 0; i < WEIR_COUNT(resources); i++)
		s->file[i] = weir_file(ctx, resources[i].path, resources[i].flags);
	return 0;
}

/*
 * The kernel can be built with this switched off: the files are there, but opening or reading them
 * fails.
 */
static void
find_switched_off(struct pressure *s, size_t i)
{
	char byte[2];

	if (s->asked[i])
		return;
	s->asked[i] = true;
	s->off[i] = weir_slurp(s->ctx, byte, sizeof(byte), "%s", resources[i].path) == -EOPNOTSUPP;
	if (s->off[i])
		weir_capability(s->ctx, resources[i].path, WEIR_UNSUPPORTED, "boot with psi=1");
}

/* One line: "some avg10=1.54 avg60=0.77 avg300=0.66 total=21778969". */
static size_t
scan_line(struct weir_scan line, struct weir_row *row)
{
	static const struct {
		const char *key;
		size_t some, full;
	} cells[] = {
		{ "avg10=", SOME_AVG10, FULL_AVG10 },
		{ "avg60=", SOME_AVG60, FULL_AVG60 },
		{ "avg300=", SOME_AVG300, FULL_AVG300 },
		{ "total=", SOME_TIME, FULL_TIME },
	};
	struct weir_scan word;
	size_t set = 0;
	bool some = weir_scan_prefix(&line, "some ");

	if (!some && !weir_scan_prefix(&line, "full "))
		return 0;
	while (weir_scan_word(&line, &word))
		for (size_t i = 0; i < WEIR_COUNT(cells); i++) {
			size_t column = some ? cells[i].some : cells[i].full;
			uint64_t total;
			int64_t percent;

			if (!weir_scan_prefix(&word, cells[i].key))
				continue;
			if (column == SOME_TIME || column == FULL_TIME) {
				if (weir_scan_u64(&word, &total) && word.at == word.end && ++set)
					weir_set_integer(row, column, total);
			} else if (weir_scan_decimal(&word, 100, &percent) && word.at == word.end && ++set) {
				weir_set_f64(row, column, (double)percent / 10000);
			}
			break;
		}
	return set;
}

static int
sample(void *state, struct weir_out *out, struct weir_err *err)
{
	struct pressure *s = state;
	size_t rows = 0;

	for (size_t i = 0; i < WEIR_COUNT(resources); i++) {
		struct weir_scan text, line;
		size_t set = 0;
		int rc = s->off[i] ? -ENODATA : weir_read(s->file[i], &text, err);

		if (rc == -ENODATA) {
			find_switched_off(s, i);
			continue;
		}
		if (rc)
			return rc;
		struct weir_row *row = weir_row(out, 0);

		weir_set_text(row, RESOURCE, resources[i].name);
		while (weir_scan_line(&text, &line)) {
			/* A last line without newline may be cut off in its last number. */
			while (*line.end != '\n' && line.end > line.at && line.end[-1] != ' ')
				line.end--;
			set += scan_line(line, row);
		}
		if (set)
			rows++;
		else
			weir_row_drop(row);
	}
	return rows ? 0 : -ENODATA;
}

static const char description[] =
	"Kernels that have this switched off (RHEL 8 and 9 do) must be booted with psi=1. "
	"Totals are up to date at each read. Of cpu, the full line is 0 for the machine as a "
	"whole; of irq there is only the full line.";

WEIR_PLUGIN(.kind = WEIR_SAMPLER, .name = "pressure",
	.summary = "time that tasks waited for resources", .description = description,
	.state_size = sizeof(struct pressure), .schemas = schemas, .open = open_pressure,
	.sampler = { .sample = sample });
