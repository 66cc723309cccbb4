/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpu: time of each CPU and of all, context switches, forks and interrupts, from /proc/stat. A CPU
 * that is offline has no line, so rows go by the number in the line's name. Times are as the kernel
 * gives them: user contains guest, nice contains guest_nice.
 */
#include <errno.h>

#include <weir/sampler.h>

struct cpu {
	int64_t clock_tick;
	struct weir_file *file;
};

#define TIME(n, bits, h) \
	{ \
		.name = n, .type = WEIR_F64, .role = WEIR_COUNTER, .unit = "s", .divisor = 100, \
		.flags = bits, .help = h \
	}

/*
 * In the order of the line's fields; guest came with 2.6.24, guest_nice with 2.6.33. Idle times
 * step back with NO_HZ.
 */
#define TIMES \
	TIME("user_time", 0, "time in user mode, guests included"), \
		TIME("nice_time", 0, "time in user mode at low priority, guests included"), \
		TIME("system_time", 0, "time in the kernel"), \
		TIME("idle_time", WEIR_STEPS_BACK, "time idle, without waiting for a device"), \
		TIME("iowait_time", WEIR_STEPS_BACK, \
			"time idle while a task of this CPU waited for a device"), \
		TIME("irq_time", 0, "time in interrupt handlers"), \
		TIME("softirq_time", 0, "time in soft interrupts"), \
		TIME("steal_time", 0, "time that the hypervisor gave to others"), \
		TIME("guest_time", WEIR_STEPS_BACK, "time running guests"), \
		TIME("guest_nice_time", 0, "time running guests at low priority")

enum { N_TIMES = 10 };

enum { CPU, CPU_TIMES };
static const struct weir_column cpu_columns[] = {
	WEIR_KEY_U64("cpu", "number of the CPU"),
	TIMES,
};

enum {
	TOTAL_TIMES,
	CONTEXT_SWITCHES = N_TIMES,
	FORKS,
	INTERRUPTS,
	SOFTIRQS,
	PROCS_RUNNING,
	PROCS_BLOCKED
};
static const struct weir_column total_columns[] = {
	TIMES,
	[CONTEXT_SWITCHES] = WEIR_COUNTER_U64("context_switches", "1", "context switches"),
	[FORKS] = WEIR_COUNTER_U64("forks", "1", "processes and threads created"),
	[INTERRUPTS] = WEIR_COUNTER_U64("interrupts", "1", "interrupts served"),
	[SOFTIRQS] = WEIR_COUNTER_U64("softirqs", "1", "soft interrupts served"),
	[PROCS_RUNNING] = WEIR_GAUGE_U64("procs_running", "1", "tasks running or ready to run"),
	[PROCS_BLOCKED] = WEIR_GAUGE_U64("procs_blocked", "1", "tasks waiting for a device"),
};

enum { SCHEMA_CPU, SCHEMA_TOTAL };
static const struct weir_schema cpu_schema = WEIR_SERIES("cpu", cpu_columns, "time of each CPU");
static const struct weir_schema total_schema =
	WEIR_SERIES("cpu_total", total_columns, "time of all CPUs, and scheduling");
static const struct weir_schema *const schemas[] = {
	[SCHEMA_CPU] = &cpu_schema,
	[SCHEMA_TOTAL] = &total_schema,
	NULL,
};

static const struct weir_option options[] = { WEIR_CLOCK_TICK_OPTION(struct cpu),
	WEIR_OPTIONS_END };

/* Lines of one number each; of `intr` and `softirq` the first is the sum of the others. */
static const struct single {
	const char *key;
	uint32_t column;
} singles[] = {
	{ "intr ", INTERRUPTS },
	{ "ctxt ", CONTEXT_SWITCHES },
	{ "processes ", FORKS },
	{ "procs_running ", PROCS_RUNNING },
	{ "procs_blocked ", PROCS_BLOCKED },
	{ "softirq ", SOFTIRQS },
};

static int
open_cpu(void *state, struct weir_ctx *ctx, struct weir_err *err)
{
	struct cpu *s = state;

	(void)err;
	s->file = weir_file(ctx, "/proc/stat", WEIR_READ_ONCE);
	return 0;
}

static void
set_times(const struct cpu *s, struct weir_row *row, size_t first, struct weir_scan line)
{
	uint64_t ticks = 0;

	for (size_t i = 0; i < N_TIMES && weir_scan_u64(&line, &ticks); i++) {
		unsigned __int128 count = ticks;

		if (s->clock_tick != 100)
			count = count * 100 / (uint64_t)s->clock_tick;
		if (count <= INT64_MAX)
			weir_set_count(row, first + i, (int64_t)count);
	}
}

/*
 * The lines of CPUs, which come first; *text is left behind them. Says whether the one of all CPUs
 * was there.
 */
static bool
sample_cpus(
	const struct cpu *s, struct weir_scan *text, struct weir_out *out, struct weir_row *total)
{
	bool any = false;

	for (struct weir_scan rest = *text, line;
		 weir_scan_whole_line(&rest, &line) && weir_scan_prefix(&line, "cpu"); *text = rest) {
		uint64_t number = 0;

		if (line.at < line.end && *line.at == ' ') {
			set_times(s, total, TOTAL_TIMES, line);
			any = true;
		} else if (weir_scan_u64(&line, &number)) {
			struct weir_row *row = weir_row(out, SCHEMA_CPU);

			weir_set_u64(row, CPU, number);
			set_times(s, row, CPU_TIMES, line);
		}
	}
	return any;
}

static bool
sample_single(const char *at, const char *end, struct weir_row *total)
{
	for (size_t i = 0; i < WEIR_COUNT(singles); i++) {
		struct weir_scan line = { at, end };
		uint64_t value = 0;

		if (!weir_scan_prefix(&line, singles[i].key))
			continue;
		if (weir_scan_u64(&line, &value))
			weir_set_u64(total, singles[i].column, value);
		return true;
	}
	return false;
}

/*
 * `intr` has a number for each possible interrupt, tens of kilobytes on large machines: it is used
 * from its head, then the other lines are found from the end, so that nothing runs over it.
 */
static bool
sample_singles(struct weir_scan text, struct weir_row *total)
{
	if (text.at >= text.end)
		return false;
	const char *newline = memrchr(
		text.at, '\n', weir_scan_left(&text)); /* what follows the last one is a line cut off */
	size_t found = newline ? sample_single(text.at, newline, total) : 0;

	while (newline && found < WEIR_COUNT(singles)) {
		const char *before = memrchr(text.at, '\n', (size_t)(newline - text.at));

		found += sample_single(before ? before + 1 : text.at, newline, total);
		newline = before;
	}
	return found > 0;
}

static int
sample(void *state, struct weir_out *out, struct weir_err *err)
{
	struct cpu *s = state;
	struct weir_scan text;
	int error = weir_read(s->file, &text, err);

	if (error)
		return error;
	struct weir_row *total = weir_row(out, SCHEMA_TOTAL);
	bool times = sample_cpus(s, &text, out, total);

	if (!sample_singles(text, total) && !times)
		return weir_failx(err, -ENODATA, "'/proc/stat' has no line that is known");
	return 0;
}

static const char description[] =
	"Times are as the kernel gives them: user_time contains guest_time, nice_time contains "
	"guest_nice_time; busy is user + nice + system + irq + softirq + steal. Idle, iowait and guest "
	"times step back now and then: such a difference is 0. An offline CPU has no row, while its "
	"time stays in cpu_total, which is therefore no sum of the rows.";

WEIR_PLUGIN(.kind = WEIR_SAMPLER, .name = "cpu",
	.summary = "time of each CPU, context switches, forks, interrupts", .description = description,
	.state_size = sizeof(struct cpu), .options = options, .schemas = schemas, .open = open_cpu,
	.sampler.sample = sample);
