/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loadavg: tasks running or waiting, averaged, and how many there are, from /proc/loadavg
 * ("0.91 1.07 0.96 3/369 3284").
 */
#include <errno.h>

#include <weir/sampler.h>

struct loadavg {
	struct weir_file *file;
};

enum { LOAD_1, LOAD_5, LOAD_15, RUNNABLE, THREADS, LAST_PID };

static const struct weir_column columns[] = {
	[LOAD_1] =
		WEIR_GAUGE_F64("load_1", "1", "running and uninterruptible tasks, averaged over 1 minute"),
	[LOAD_5] =
		WEIR_GAUGE_F64("load_5", "1", "running and uninterruptible tasks, averaged over 5 minutes"),
	[LOAD_15] = WEIR_GAUGE_F64(
		"load_15", "1", "running and uninterruptible tasks, averaged over 15 minutes"),
	[RUNNABLE] = WEIR_GAUGE_U64("runnable", "1", "tasks running or ready to run"),
	[THREADS] = WEIR_GAUGE_U64("threads", "1", "tasks that exist"),
	[LAST_PID] =
		WEIR_GAUGE_U64("last_pid", "1", "process id given out last, in the reader's PID namespace"),
};

static const struct weir_schema loadavg =
	WEIR_SERIES("loadavg", columns, "load averages and tasks");
static const struct weir_schema *const schemas[] = { &loadavg, NULL };

static int
open_loadavg(void *state, struct weir_ctx *ctx, struct weir_err *err)
{
	struct loadavg *s = state;

	(void)err;
	s->file = weir_file(ctx, "/proc/loadavg", WEIR_READ_ONCE);
	return 0;
}

static int
sample(void *state, struct weir_out *out, struct weir_err *err)
{
	struct loadavg *s = state;
	struct weir_scan text, line = { 0 };
	int64_t load = 0;
	uint64_t number = 0;
	size_t column = LOAD_1;
	int error = weir_read(s->file, &text, err);

	if (error)
		return error;
	struct weir_row *row = weir_row(out, 0);

	(void)weir_scan_whole_line(&text, &line);
	for (; column <= LOAD_15 && weir_scan_decimal(&line, 100, &load); column++)
		weir_set_f64(row, column, (double)load / 100);
	for (; column >= RUNNABLE && column <= LAST_PID && weir_scan_u64(&line, &number); column++) {
		weir_set_u64(row, column, number);
		if (column == RUNNABLE && !weir_scan_prefix(&line, "/"))
			break;
	}
	return column > LOAD_1 ? 0 : weir_failx(err, -ENODATA, "no number in '/proc/loadavg'");
}

WEIR_PLUGIN(.kind = WEIR_SAMPLER, .name = "loadavg", .summary = "load averages and tasks",
	.state_size = sizeof(struct loadavg), .schemas = schemas, .open = open_loadavg,
	.sampler.sample = sample);
