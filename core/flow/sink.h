/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sink: one store instance, its worker thread, and the queue between the loop and that thread.
 * The loop pushes batches and says when to flush; the worker writes and commits; nothing here ever
 * waits for a store on the loop.
 */
#ifndef WEIR_FLOW_SINK_H
#define WEIR_FLOW_SINK_H

#include "flow/settings.h"

enum drop_reason { DROP_QUEUE_FULL, DROP_REFUSED, DROP_SHUTDOWN, DROP_MEMORY, DROP_REASONS };
extern const char *const drop_reason_names[DROP_REASONS];

/* Rows, counted since the start of the process: produced = stored + queued + spooled + dropped,
 * always. */
struct sink_counts {
	uint64_t produced, stored, unchanged, queued, spooled, dropped_by[DROP_REASONS];
	uint64_t queue_bytes, commits, failures, commit_ns;
	char fault[240]; /* why the last write or commit failed; "" while all is well */
};

struct sink;

/* What sinks need of their surroundings; outlives them. */
struct sink_world {
	const struct origin *origin;
	const char *state_folder;
	struct keeper *keeper;
	struct log *log;
	int wake_fd; /* an eventfd told when a worker has ended */
};

/*
 * Make and open the store. NULL and a sentence, such as who holds its path. With `owner`, a path
 * that is held (-EBUSY) is no failure: the worker opens it as soon as its holder lets go, and rows
 * queue meanwhile; `owner` keeps the setting alive.
 */
struct sink *sink_open(const struct instance_setting *, const struct sink_world *,
	struct settings *owner, struct weir_err *);
/* Start the worker. */
int sink_start(struct sink *, struct weir_err *);
const char *sink_name(const struct sink *);
const struct instance_setting *sink_setting(const struct sink *);
/* The setting of a new configuration that changes nothing for this sink. */
void sink_adopt(struct sink *, const struct instance_setting *);
/* Queue a batch of rows made at `since` (monotonic ns; a reference is taken); over the bound the
 * oldest are dropped and counted. */
void sink_push(struct sink *, const struct weir_batch *, int64_t since);
/* Rows that never became a batch for want of memory. */
void sink_count_lost(struct sink *, uint64_t rows, enum drop_reason);
/* When the oldest queued batch must be on its way (monotonic ns), INT64_MAX when nothing waits. */
int64_t sink_due(struct sink *);
int64_t sink_flush_ns(const struct sink *);
/* Wake the worker for what is queued. */
void sink_flush(struct sink *);
void sink_counts(struct sink *, struct sink_counts *);
/*
 * Ask the worker to store what is queued, trying until `deadline` (monotonic ns), and to end;
 * sink_finish waits for it until `deadline` (monotonic ns), closes the store and frees. What is
 * left is counted as dropped by shutdown and logged; *counts (may be NULL) is the final state. A
 * worker that hangs beyond the deadline is abandoned with its memory: returns -ETIMEDOUT then.
 */
void sink_stop(struct sink *, int64_t deadline);
bool sink_ended(struct sink *);
int sink_finish(struct sink *, int64_t deadline, struct sink_counts *);

#endif
