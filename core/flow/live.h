/* SPDX-License-Identifier: Apache-2.0 */
/* A live source: one sampler instance, run on the loop, on a thread of its own, or in a process of
 * its own. */
#ifndef WEIR_FLOW_LIVE_H
#define WEIR_FLOW_LIVE_H

#include <pthread.h>

#include "flow/flow.h"

enum live_way { LIVE_INLINE, LIVE_THREAD, LIVE_CHILD };
enum live_state { LIVE_RUNNING, LIVE_BACKING_OFF, LIVE_STUCK };

/* Since the start of the process; the maxima since the last report. */
struct live_counts {
	uint64_t ticks, dropped, failures, rows;
	int64_t duration, duration_max, lateness_max;
	int64_t last_duration;
	char fault[240];
};

struct live {
	struct flow *flow;
	const struct instance_setting *setting;
	enum live_way way;
	enum live_state state;
	struct weir_ctx *ctx; /* NULL between a failed open and the next try; of a child: only its
							 schemas are used */
	int64_t due, interval, offset; /* wall microseconds */
	int64_t resume;                /* monotonic ns: backing off until then */
	unsigned failures;             /* in a row */
	struct live_counts counts;
	struct targets *targets; /* [n_targets], one for each schema of ctx */
	size_t n_targets;
	struct targets capability_targets;
	struct builder *capabilities;
	int64_t capability_due;  /* wall microseconds: when all rows are said again */
	struct watched *watched; /* descriptors of weir_watch */
	struct runner *runner;   /* LIVE_THREAD */
	struct child *child;     /* LIVE_CHILD */
};

/* Never fails for the plugin's sake: one that cannot open is tried again later. NULL out of memory.
 */
struct live *live_new(struct flow *, const struct instance_setting *);
void live_free(struct live *);
/* The setting of a new configuration that changes nothing for this source. */
void live_adopt(struct live *, const struct instance_setting *);
/* One tick: `time` stamps its rows, `lateness` ns after its slot. */
void live_tick(struct live *, int64_t time, int64_t lateness);
const char *live_state_name(const struct live *); /* running, backing_off, stuck */
/* Close the builders and deliver. */
void live_collect(struct live *);

/* Shared by the three ways. */
struct weir_ctx *live_open_instance(struct live *, const struct instance_host *, struct weir_err *);
/* After a tick (or an open) of any way: counts, back-off, capability of the sampler itself. */
void live_account(
	struct live *, int result, const struct weir_err *, int64_t duration, uint64_t rows);
void live_say(struct live *, const char *item, const char *status, const char *reason);
/* Targets for the schemas of ctx in place of those there were; none without ctx. 0 or -ENOMEM. */
int live_targets(struct live *);
/* How long to back off, ns; twice as long for each doubling, up to ten minutes. */
int64_t live_pause(const struct live *, unsigned doublings);
void live_arm(struct event *timer, int64_t ns);
/* Rows that were made but never became a batch for want of memory. */
void live_count_lost(struct live *, const struct weir_schema *, uint64_t rows);
/* Batches that another thread or process made. */
void live_deliver(struct live *, const struct weir_batch *, size_t schema);

/* The thread's way. */
int runner_new(struct live *, struct weir_err *);
void runner_tick(struct live *);
void runner_drain(struct live *); /* on the loop, after the wake descriptor */
bool runner_free(struct live *);  /* false: the thread hangs and keeps its memory */

/* The process's way. */
int child_new(struct live *, struct weir_err *); /* may be called again after it failed */
void child_tick(struct live *);
void child_free(struct live *);
/* What the process itself runs (weir isolated-sampler), in isolated.c. */
int child_main(int fd);

#endif
