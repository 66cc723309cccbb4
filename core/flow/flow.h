/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The running process: sources, sinks, and the one junction between them. All of this belongs to
 * the loop thread; sinks and blocking sources have threads of their own behind their queues.
 */
#ifndef WEIR_FLOW_FLOW_H
#define WEIR_FLOW_FLOW_H

#include <event2/event.h>

#include "data/keeper.h"
#include "flow/settings.h"
#include "flow/sink.h"

struct live;
struct control;
struct http;

/* Version of libevent. */
const char *flow_library(void);

/* Where rows of one schema of one source go; computed once per configuration. */
struct target {
	struct sink *sink;
	const struct weir_schema *view; /* fewer columns; NULL: all */
	uint64_t fingerprint;
	uint32_t *columns;
};

struct targets {
	struct target *target;
	size_t n;
	unsigned generation; /* of the flow's routes when this was computed; 0: never */
};

struct flow {
	struct event_base *base;
	struct settings *set;
	struct registry *registry;
	struct keeper *keeper;
	struct log *log;
	struct origin origin; /* of Weir's own rows: source is "weir" */
	uint64_t sequence;
	unsigned generation; /* of the routes, from 1 */
	struct live **sources;
	size_t n_sources;
	struct sink **sinks;
	size_t n_sinks;
	struct sink **leaving; /* removed by a reload, storing what they still have */
	size_t n_leaving;
	struct sink_world world;
	struct sink_counts gone; /* of sinks that have left */

	/* The ticker. */
	struct event *timer;
	int timer_fd;
	int64_t armed;       /* wall microseconds of its next expiry; 0: none */
	int64_t period;      /* microseconds between its expiries */
	int64_t wall_offset; /* wall - monotonic, ns: a jump is a clock step */
	int64_t next_tick;   /* monotonic ns; INT64_MAX: none */
	uint64_t clock_steps;

	/* Rows that stand in open builders. */
	int64_t open_since; /* monotonic ns of the first; 0: none */
	uint64_t open_rows;
	unsigned taps; /* somebody watches: rows are collected after each wake */

	int wake_fd; /* threads say here that they have something */
	struct event *wake;
	int64_t loop_lag_max;

	struct self *self;
	struct control *control;
	struct http *http;
	char *state;       /* the state folder, NULL: none to be had */
	char *state_fault; /* why */
	int state_lock;
	int64_t started; /* wall microseconds */
	uint64_t reloads, reload_failures;
	bool stopping;
	bool abandoned; /* a thread hangs: the process must end by _exit */
};

/* Make and open everything. The settings are taken over (a reference); the registry and log are
 * borrowed. */
struct flow *flow_new(struct settings *, struct registry *, struct log *, struct weir_err *);
/* Run the loop until SIGTERM or SIGINT, then drain. 0, or 1 when the conservation equation does not
 * hold. */
int flow_run(struct flow *);
void flow_free(struct flow *);

/* Rows stand in open builders: call after anything that made some, then flow_settle at the end of
 * the callback. */
void flow_opened(struct flow *, uint64_t rows);
/* Hand on what is due: collect open builders and wake the sinks whose rows may wait no longer. */
void flow_settle(struct flow *);
/* Close all open builders into batches and push them. */
void flow_collect(struct flow *);
/* Send one batch to its sinks and taps; releases it. */
void flow_deliver(struct flow *, const struct weir_batch *, struct targets *);

/* The ticker: slots of all sources; ticks_arm after a due time changed. */
int ticks_start(struct flow *, struct weir_err *);
void ticks_arm(struct flow *);
void ticks_stop(struct flow *);
/* The first slot after `now`: a multiple of interval, plus offset. */
int64_t ticks_slot(int64_t now, int64_t interval, int64_t offset);

/* Reload the configuration from its path. 0, or -errno with the whole report in `verdict`. */
int flow_reload(struct flow *, struct text *verdict);

/* systemd's notification socket; nothing without one. */
void notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Half of WatchdogSec in nanoseconds, 0: none asked for. */
int64_t notify_watchdog(void);

/* Status for people or programs. */
void status_text(struct flow *, struct text *out);
void status_json(struct flow *, struct text *out);
void status_metrics(struct flow *, struct text *out);
/* Sum over the sinks, those that are gone included. */
void flow_totals(struct flow *, struct sink_counts *);
/* Let a sink go: it stores what it has and is freed when done; its counts stay in the sums. */
void flow_dismiss(struct flow *, struct sink *);
/* Free the dismissed that are done; with a deadline (monotonic ns) wait for all of them. */
void flow_reap(struct flow *, int64_t deadline);
bool counts_conserved(const struct sink_counts *);
uint64_t counts_dropped(const struct sink_counts *);

/* Control socket and HTTP. */
struct control *control_open(struct flow *, const char *path, struct weir_err *);
void control_close(struct control *);
void control_tap(struct control *, const struct weir_batch *);
struct http *http_open(struct flow *, const char *address, struct weir_err *);
void http_close(struct http *);

/* Weir's own rows. */
struct self *self_new(struct flow *);
void self_free(struct self *);
/* A row of capability that the core itself files. */
void self_capability_row(
	struct flow *, const char *source, const char *item, const char *status, const char *reason);
void self_collect(struct flow *);
/* All reports now; `last` says that the run ends. */
void self_report(struct flow *, bool last);

#endif
