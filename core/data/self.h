/* SPDX-License-Identifier: Apache-2.0 */
/* Weir's own schemas: what it says of itself. */
#ifndef WEIR_DATA_SELF_H
#define WEIR_DATA_SELF_H

#include <weir/schema.h>

/* Entity: what cannot be read and why. */
enum { CAPABILITY_SOURCE, CAPABILITY_ITEM, CAPABILITY_STATUS, CAPABILITY_REASON };
extern const struct weir_schema self_capability;

/* Entity: one run of one agent process. */
enum {
	ORIGIN_INCARNATION,
	ORIGIN_BOOT_ID,
	ORIGIN_VERSION,
	ORIGIN_INTERVALS,
	ORIGIN_STARTED,
	ORIGIN_LAST
};
extern const struct weir_schema self_origin;

/* Series: one row per sampler. */
enum {
	TICKS_SAMPLER,
	TICKS_TICKS,
	TICKS_DROPPED,
	TICKS_FAILURES,
	TICKS_ROWS,
	TICKS_DURATION,
	TICKS_DURATION_MAX,
	TICKS_LATENESS_MAX,
	TICKS_STATE
};
extern const struct weir_schema self_sampler;

/* Series: the conservation equation, one row per sink. */
enum {
	FLOW_SINK,
	FLOW_PRODUCED,
	FLOW_STORED,
	FLOW_QUEUED,
	FLOW_SPOOLED,
	FLOW_DROPPED,
	FLOW_QUEUE_BYTES,
	FLOW_COMMITS,
	FLOW_FAILURES,
	FLOW_COMMIT_TIME
};
extern const struct weir_schema self_sink;

/* Series: the process. */
enum {
	PROCESS_CPU_TIME,
	PROCESS_RESIDENT,
	PROCESS_DESCRIPTORS,
	PROCESS_THREADS,
	PROCESS_LOOP_LAG_MAX,
	PROCESS_RELOADS,
	PROCESS_RELOAD_FAILURES
};
extern const struct weir_schema self_process;

/* All of them, ends with NULL. */
extern const struct weir_schema *const self_schemas[];

#endif
