/* SPDX-License-Identifier: Apache-2.0 */
/* Weir's own schemas. Names beginning with weir_ are Weir's alone, so these tables are not checked
 * by schema_check. */
#include "data/self.h"

static const struct weir_column capability[] = {
	[CAPABILITY_SOURCE] = WEIR_KEY_STR("source", "instance that cannot read it"),
	[CAPABILITY_ITEM] = WEIR_KEY_STR("item", "what: a path, an event, a mount"),
	[CAPABILITY_STATUS] =
		WEIR_LABEL_STR("status", "ok, absent, refused, unsupported, unknown_keys or failed"),
	[CAPABILITY_REASON] = WEIR_LABEL_STR("reason", "the sentence for people"),
};
const struct weir_schema self_capability =
	WEIR_HOST_ENTITY("capability", capability, "what a source cannot read on this host, and why");

static const struct weir_column origin[] = {
	[ORIGIN_INCARNATION] =
		WEIR_KEY_U64("incarnation", "number of this run of the agent, never used again"),
	[ORIGIN_BOOT_ID] = WEIR_LABEL_STR("boot_id", "the kernel's boot id: counters restart with it"),
	[ORIGIN_VERSION] = WEIR_LABEL_STR("agent_version", "version of weir"),
	[ORIGIN_INTERVALS] = WEIR_LABEL_STR("intervals", "sampling interval of each source"),
	[ORIGIN_STARTED] = WEIR_LABEL_TIME("started", "when this run began"),
	[ORIGIN_LAST] = WEIR_LABEL_TIME("last", "when it was last heard of"),
};
const struct weir_schema self_origin = WEIR_HOST_ENTITY(
	"weir_origin", origin, "runs of agents: tells a counter's reset from its wrap");

static const struct weir_column sampler[] = {
	[TICKS_SAMPLER] = WEIR_KEY_STR("sampler", "instance"),
	[TICKS_TICKS] = WEIR_COUNTER_U64("ticks", "1", "ticks begun"),
	[TICKS_DROPPED] =
		WEIR_COUNTER_U64("ticks_dropped", "1", "ticks not begun before the next was due"),
	[TICKS_FAILURES] = WEIR_COUNTER_U64("failures", "1", "ticks that failed"),
	[TICKS_ROWS] = WEIR_COUNTER_U64("produced", "{row}", "rows made"),
	[TICKS_DURATION] = WEIR_COUNTER_REAL("duration", "s", 1000000000, "time spent in ticks"),
	[TICKS_DURATION_MAX] =
		WEIR_GAUGE_REAL("duration_max", "s", 1000000000, "longest tick since the last report"),
	[TICKS_LATENESS_MAX] = WEIR_GAUGE_REAL(
		"lateness_max", "s", 1000000000, "latest begin after its slot since the last report"),
	[TICKS_STATE] = WEIR_LABEL_STR("state", "running, backing_off or stuck"),
};
const struct weir_schema self_sampler =
	WEIR_SERIES("weir_sampler", sampler, "how each sampler does");

static const struct weir_column sink[] = {
	[FLOW_SINK] = WEIR_KEY_STR("sink", "instance of a store or output"),
	[FLOW_PRODUCED] = WEIR_COUNTER_U64("produced", "{row}", "rows routed to it"),
	[FLOW_STORED] = WEIR_COUNTER_U64("stored", "{row}", "rows stored or found unchanged"),
	[FLOW_QUEUED] = WEIR_GAUGE_U64("queued", "{row}", "rows waiting in memory"),
	[FLOW_SPOOLED] = WEIR_GAUGE_U64("spooled", "{row}", "rows waiting on disk"),
	[FLOW_DROPPED] = WEIR_COUNTER_U64("dropped", "{row}", "rows dropped, for any reason"),
	[FLOW_QUEUE_BYTES] = WEIR_GAUGE_U64("queue_bytes", "By", "memory held by waiting rows"),
	[FLOW_COMMITS] = WEIR_COUNTER_U64("commits", "1", "commits done"),
	[FLOW_FAILURES] = WEIR_COUNTER_U64("failures", "1", "writes and commits that failed"),
	[FLOW_COMMIT_TIME] =
		WEIR_COUNTER_REAL("commit_time", "s", 1000000000, "time spent in writes and commits"),
};
const struct weir_schema self_sink =
	WEIR_SERIES("weir_sink", sink, "produced = stored + queued + spooled + dropped, per sink");

static const struct weir_column process[] = {
	[PROCESS_CPU_TIME] =
		WEIR_COUNTER_REAL("cpu_time", "s", 1000000000, "CPU time of the process, all threads"),
	[PROCESS_RESIDENT] = WEIR_GAUGE_U64("resident", "By", "resident memory"),
	[PROCESS_DESCRIPTORS] = WEIR_GAUGE_U64("descriptors", "1", "open file descriptors"),
	[PROCESS_THREADS] = WEIR_GAUGE_U64("threads", "1", "threads"),
	[PROCESS_LOOP_LAG_MAX] = WEIR_GAUGE_REAL(
		"loop_lag_max", "s", 1000000000, "longest the event loop was busy since the last report"),
	[PROCESS_RELOADS] = WEIR_COUNTER_U64("reloads", "1", "configurations taken over"),
	[PROCESS_RELOAD_FAILURES] = WEIR_COUNTER_U64("reload_failures", "1", "configurations refused"),
};
const struct weir_schema self_process =
	WEIR_SERIES("weir_process", process, "what Weir itself costs");

const struct weir_schema *const self_schemas[] = { &self_capability, &self_origin, &self_sampler,
	&self_sink, &self_process, NULL };
