/* SPDX-License-Identifier: Apache-2.0 */
/*
 * perf: hardware and software events of all CPUs, and memory traffic of all sockets, through
 * perf_event_open(2).
 * needs: <perfmon/pfmlib_perf_event.h> -lpfm (package libpfm4-dev)
 *
 * `perf` has columns that mean the same on every CPU; tables say which events of a model feed them.
 * `perf_uncore` is per memory controller, `perf_event` is long and takes what users name. A read of
 * a running group interrupts its CPU (2 to 5 us), so there is one read for as many events as fit
 * the counters.
 */
#include "perf.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(n, h) WEIR_COUNTER_U64(n, "1", h)

const struct weir_column perf_columns[PERF_COLUMNS] = {
	[CPU] = WEIR_KEY_U64("cpu", "number of the CPU"),
	[INSTRUCTIONS] = COUNT("instructions", "instructions retired"),
	[CYCLES] = COUNT("cycles", "cycles while not halted, at the clock of the moment"),
	[REFERENCE_CYCLES] =
		COUNT("reference_cycles", "cycles while not halted, at the constant clock"),
	[BRANCHES] = COUNT("branches", "branch instructions retired"),
	[BRANCH_MISSES] = COUNT("branch_misses", "mispredicted branch instructions retired"),
	[LLC_REFERENCES] = COUNT("llc_references", "requests that reached the last-level cache"),
	[LLC_MISSES] =
		COUNT("llc_misses", "requests that missed the last-level cache; on AMD fills from memory"),
	[L1D_REPLACEMENTS] = COUNT("l1d_replacements", "lines brought into the level-1 data cache"),
	[L2_MISSES] = COUNT("l2_misses",
		"requests that missed the level-2 cache; on Sandy and Ivy Bridge lines brought in"),
	[LOADS] = COUNT("loads", "loads: retired on Intel, dispatched on AMD, speculative on ARM"),
	[STORES] = COUNT("stores", "stores: retired on Intel, dispatched on AMD, speculative on ARM"),
	[FLOPS_DP] =
		COUNT("flops_dp", "double-precision floating-point operations, a multiply-add as two"),
	[FLOPS_SP] =
		COUNT("flops_sp", "single-precision floating-point operations, a multiply-add as two"),
	[FLOPS] = COUNT(
		"flops", "floating-point operations of all precisions, where they cannot be told apart"),
	[FP_SCALAR_DP] =
		COUNT("fp_scalar_dp", "scalar double-precision instructions, a multiply-add as two"),
	[FP_128_DP] =
		COUNT("fp_128_dp", "128-bit double-precision instructions, a multiply-add as two"),
	[FP_256_DP] =
		COUNT("fp_256_dp", "256-bit double-precision instructions, a multiply-add as two"),
	[FP_512_DP] =
		COUNT("fp_512_dp", "512-bit double-precision instructions, a multiply-add as two"),
	[FP_SCALAR_SP] =
		COUNT("fp_scalar_sp", "scalar single-precision instructions, a multiply-add as two"),
	[FP_128_SP] =
		COUNT("fp_128_sp", "128-bit single-precision instructions, a multiply-add as two"),
	[FP_256_SP] =
		COUNT("fp_256_sp", "256-bit single-precision instructions, a multiply-add as two"),
	[FP_512_SP] =
		COUNT("fp_512_sp", "512-bit single-precision instructions, a multiply-add as two"),
	[SLOTS] = COUNT("slots", "issue slots of the pipeline"),
	[TD_RETIRING] = COUNT("td_retiring", "slots whose work was retired"),
	[TD_BAD_SPECULATION] = COUNT("td_bad_speculation", "slots wasted on wrong speculation"),
	[TD_FRONTEND_BOUND] = COUNT("td_frontend_bound", "slots that the front end left empty"),
	[TD_BACKEND_BOUND] =
		COUNT("td_backend_bound", "slots that stayed empty for lack of back-end resources"),
	[TD_MEMORY_BOUND] =
		COUNT("td_memory_bound", "slots of td_backend_bound that waited for memory"),
	[TIME_ENABLED] = WEIR_COUNTER_REAL(
		"time_enabled", "s", 1000000000, "time that the events were to be counted"),
	[TIME_RUNNING] = WEIR_COUNTER_REAL("time_running", "s", 1000000000,
		"time that they were; of several groups that of the least in each interval"),
	[SCALED] = WEIR_GAUGE_BOOL(
		"scaled", "counters were shared in turn in this interval: counts are extrapolated"),
	[OWNER] = WEIR_LABEL_STR("owner", "empty, or why the counters were left to another"),
	[FLOPS_ESTIMATED] = WEIR_GAUGE_BOOL("flops_estimated",
		"floating-point counts are estimates: the events count attempts or instructions"),
};

const struct weir_column perf_uncore_columns[UNCORE_COLUMNS] = {
	[PMU] = WEIR_KEY_STR("pmu", "the kernel's name of the memory controller's PMU"),
	[SOCKET] = WEIR_KEY_U64(
		"socket", "number of the processor package; on A64FX of the core memory group"),
	[READ_BYTES] = WEIR_COUNTER_U64("read_bytes", "By", "bytes read from memory"),
	[WRITE_BYTES] = WEIR_COUNTER_U64("write_bytes", "By", "bytes written to memory"),
	[TOTAL_BYTES] = WEIR_COUNTER_U64(
		"total_bytes", "By", "bytes read and written, where they are counted together"),
};

static const struct weir_column event_columns[] = {
	[EVENT_PMU] = WEIR_KEY_STR("pmu", "the kernel's name of the PMU"),
	[EVENT_CPU] = WEIR_KEY_U64("cpu", "number of the CPU that counts"),
	[EVENT_NAME] = WEIR_KEY_STR("event", "name of the event, as configured"),
	[EVENT_COUNT] = COUNT("count", "how often it happened, or what its PMU counts"),
};

static const struct weir_schema perf_schema = WEIR_SERIES(
	"perf", perf_columns, "hardware counters of each CPU, under names that all processors share");
static const struct weir_schema uncore_schema =
	WEIR_SERIES("perf_uncore", perf_uncore_columns, "memory traffic of each memory controller");
static const struct weir_schema event_schema =
	WEIR_SERIES("perf_event", event_columns, "software and other events by name");
static const struct weir_schema *const schemas[] = {
	[SCHEMA_PERF] = &perf_schema,
	[SCHEMA_UNCORE] = &uncore_schema,
	[SCHEMA_EVENT] = &event_schema,
	NULL,
};

static const struct weir_option options[] = {
	WEIR_LIST_OPTION(struct perf, events, NULL,
		"further events, as 'software:page-faults', 'PMU/event/', raw 'rNNNN' or a name of libpfm"),
	WEIR_LIST_OPTION(
		struct perf, cpus, NULL, "CPUs to count on, as '0-7,16'; default: all that are online"),
	WEIR_BOOL_OPTION(
		struct perf, hardware, "true", "count instructions, cycles, branches, caches and the like"),
	WEIR_BOOL_OPTION(struct perf, flops, "true", "count floating-point operations"),
	WEIR_BOOL_OPTION(struct perf, uncore, "true", "count memory traffic"),
	WEIR_BOOL_OPTION(
		struct perf, software, "true", "count context switches, migrations and page faults"),
	WEIR_TEXT_OPTION(struct perf, yield_file, NULL,
		"lock file as LIKWID has it: while another user owns it, the hardware counters are left to "
		"him"),
	WEIR_OPTIONS_END,
};

static int
read_cpus(struct perf *p, struct weir_err *err)
{
	if (!p->cpus.n)
		return 0;
	if (!(p->chosen = calloc(1, sizeof(*p->chosen))))
		return weir_fail(err, -ENOMEM, "cannot choose CPUs");
	for (size_t i = 0; i < p->cpus.n; i++)
		if (!perf_cpus_add(p->chosen, p->cpus.item[i], strlen(p->cpus.item[i])))
			return weir_failx(err, -EINVAL,
				"option 'cpus': '%s' is no list of CPUs: write for example 0-7,16",
				p->cpus.item[i]);
	return 0;
}

/*
 * Is the PMU to be left alone? LIKWID's rule: the owner of the lock file may use the counters,
 * nobody else; without a file all may. A job's prolog gives the file to the user.
 */
static void
look_for_owner(struct perf *p)
{
	char path[PATH_MAX];
	struct stat file;

	p->owner[0] = '\0';
	if (!p->yield_file || !*p->yield_file)
		return;
	if (snprintf(path, sizeof(path), "%s%s", weir_root(p->ctx), p->yield_file) >= (int)sizeof(path))
		return;
	if (!stat(path, &file)) {
		weir_capability(p->ctx, p->yield_file, WEIR_OK, "readable");
		if (file.st_uid != p->uid)
			snprintf(p->owner, sizeof(p->owner), "'%.100s' belongs to user id %u", p->yield_file,
				(unsigned)file.st_uid);
	} else if (errno != ENOENT && errno != ENOTDIR) {
		weir_capability(p->ctx, p->yield_file, errno == EACCES ? WEIR_REFUSED : WEIR_FAILED,
			"cannot see who owns the lock file: the counters are used");
	}
}

static void
tend(struct perf *p, struct perf_set *set)
{
	switch (set->state) {
	case PERF_OPEN:
		perf_set_mend(p, set);
		break;
	case PERF_PENDING:
		perf_set_start(p, set);
		break;
	case PERF_REFUSED:
	case PERF_BUSY:
	case PERF_FAILED:
		if (perf_set_due(p, set))
			perf_set_start(p, set);
		break;
	case PERF_DEAD:
		break;
	}
}

/* Stop or start what is given up for others, and open what is not open. */
static void
tend_all(struct perf *p)
{
	look_for_owner(p);
	bool yield = p->owner[0] != '\0';

	for (size_t i = 0; i < p->sets; i++) {
		struct perf_set *set = &p->set[i];

		if (set->hardware && yield != p->yielded)
			perf_set_enable(p, set, !yield);
		if (!set->hardware || !yield)
			tend(p, set);
	}
	p->yielded = yield;
}

static int
perf_open(void *state, struct weir_ctx *ctx, struct weir_err *err)
{
	struct perf *p = state;

	p->ctx = ctx;
	p->uid = geteuid();
	if (!p->system) {
		if (!weir_live(ctx)) {
			weir_capability(ctx, "perf_event_open", WEIR_UNSUPPORTED,
				"counters are those of the running kernel: a saved tree has none");
			return 0;
		}
		p->system = &perf_live_system;
	}
	p->online_file = weir_file(ctx, "/sys/devices/system/cpu/online", WEIR_READ_ONCE);
	p->online = calloc(1, sizeof(*p->online));
	if (!p->online_file || !p->online)
		return weir_fail(err, -ENOMEM, "cannot look for CPUs");
	int rc = read_cpus(p, err);

	rc = rc ? rc : perf_online(p, err);
	rc = rc ? rc : perf_core_sets(p, err);
	rc = rc ? rc : perf_uncore_sets(p, err);
	rc = rc ? rc : perf_named_sets(p, err);
	if (!rc)
		tend_all(p);
	return rc;
}

static void
perf_close(void *state)
{
	struct perf *p = state;

	for (size_t i = 0; i < p->sets; i++)
		perf_set_free(p, &p->set[i]);
	free(p->set);
	free(p->online_text);
	free(p->online);
	free(p->chosen);
}

static int
perf_sample(void *state, struct weir_out *out, struct weir_err *err)
{
	struct perf *p = state;
	size_t rows = 0;

	if (!p->system)
		return weir_failx(err, -ENODATA,
			"perf counters are those of the running kernel: there are none under the root '%s'",
			weir_root(p->ctx));
	int rc = perf_online(p, err);

	if (rc)
		return rc;
	tend_all(p);
	for (size_t i = 0; i < p->sets; i++)
		for (size_t k = 0; p->set[i].state != PERF_DEAD && k < p->set[i].places; k++)
			if (p->set[i].place[k].online)
				rows += perf_rows(p, &p->set[i], &p->set[i].place[k], out);
	return rows ? 0
				: weir_failx(err, -ENODATA, "no event can be counted: the capability rows say why");
}

WEIR_PLUGIN(.kind = WEIR_SAMPLER, .name = "perf",
	.summary = "hardware counters, memory traffic and software events of each CPU",
	.state_size = sizeof(struct perf), .options = options, .schemas = schemas,
	.needs = WEIR_NEEDS_CAPABILITY(38), .library = "libpfm4",
	.description = "Counts all the time on all CPUs, under names that mean the same on every "
				   "processor. Tables know Intel from Sandy "
				   "Bridge to Granite Rapids, AMD Zen 1 to 5, and ARM Neoverse N1, N2, V1, V2 and "
				   "A64FX; other processors get what "
				   "the kernel maps itself. Events that do not fit the counters take turns, and "
				   "counts are scaled by the time that "
				   "each group ran: fewer groups, or 'flops: false', make them exact. Totals start "
				   "at zero when the agent starts.\n\n"
				   "Needs CAP_PERFMON (before Linux 5.8: CAP_SYS_ADMIN) or "
				   "kernel.perf_event_paranoid at most 0, and a descriptor for "
				   "each event and CPU.",
	.open = perf_open, .close = perf_close, .sampler.sample = perf_sample);
