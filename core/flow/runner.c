/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samplers that may hang run on a thread of their own. The loop asks it for ticks and gets batches
 * back through a list and the wake descriptor. A thread that does not come back in time is left
 * alone with its memory; its sampler is stuck until it returns.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "data/self.h"
#include "flow/live.h"
#include "plugin/capability.h"

struct made {
	struct weir_batch *batch;
	size_t schema;
};

struct runner {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct weir_ctx *ctx;
	struct builder *capabilities;
	int wake_fd;

	/* Under the lock. */
	bool stopping, ended;
	bool asked, busy; /* a tick waits for the thread, or runs */
	bool done;        /* a tick's result waits for the loop */
	int result;
	struct weir_err err;
	int64_t duration;
	uint64_t rows;
	struct made *made;
	size_t n, room;
	uint64_t *lost; /* rows without memory: one for each schema, and one for capability */

	/* The loop's own. */
	struct event *timer; /* a tick's timeout */
	bool told_stuck;

	int64_t capability_due; /* the thread's own */
};

static void
hand_over(struct runner *r, struct builder *b, size_t schema)
{
	size_t rows = builder_rows(b);
	struct weir_batch *batch = rows ? builder_close(b, 0) : NULL;

	if (!batch)
		return;
	if (r->n == r->room) {
		size_t room = r->room ? r->room * 2 : 8;
		struct made *grown = realloc(r->made, room * sizeof(*grown));

		if (!grown) {
			r->lost[schema] += rows;
			weir_batch_release(batch);
			return;
		}
		r->made = grown;
		r->room = room;
	}
	r->made[r->n++] = (struct made){ batch, schema };
}

static void
run_tick(struct runner *r)
{
	const struct weir_plugin *p = r->ctx->plugin;
	struct weir_err err = { 0 };
	int64_t began = clock_mono_ns();

	instance_begin(r->ctx, clock_wall_us());
	int rc = instance_end(r->ctx, p->sampler.sample(r->ctx->state, &r->ctx->out, &err), &err);

	capability_collect(r->ctx, &r->capabilities, &r->capability_due);
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < r->ctx->n_schemas; i++) {
		r->rows += builder_rows(r->ctx->out.builders[i]);
		hand_over(r, r->ctx->out.builders[i], i);
	}
	hand_over(r, r->capabilities, r->ctx->n_schemas);
	r->done = true;
	r->busy = false;
	r->result = rc;
	r->err = err;
	r->duration = clock_mono_ns() - began;
	pthread_mutex_unlock(&r->lock);
	uint64_t one = 1;

	(void)!write(r->wake_fd, &one, sizeof(one)); /* full means that the loop is awake already */
}

static void *
run(void *argument)
{
	struct runner *r = argument;

	for (;;) {
		pthread_mutex_lock(&r->lock);
		while (!r->stopping && !r->asked)
			pthread_cond_wait(&r->changed, &r->lock);
		bool ask = !r->stopping;

		r->asked = false;
		r->busy = ask;
		pthread_mutex_unlock(&r->lock);
		if (!ask)
			break;
		run_tick(r);
	}
	pthread_mutex_lock(&r->lock);
	r->ended = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static void
runner_done(struct runner *r)
{
	for (size_t i = 0; i < r->n; i++)
		weir_batch_release(r->made[i].batch);
	free(r->made);
	free(r->lost);
	builder_free(r->capabilities);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->changed);
	free(r);
}

/* A tick has not come back in time: said once, and again when it came back. */
static void
on_timeout(evutil_socket_t fd, short what, void *argument)
{
	struct live *s = argument;
	struct runner *r = s->runner;

	(void)fd;
	(void)what;
	pthread_mutex_lock(&r->lock);
	bool stuck = (r->busy || r->asked) && !r->told_stuck;

	pthread_mutex_unlock(&r->lock);
	if (!stuck)
		return;
	r->told_stuck = true;
	s->state = LIVE_STUCK;
	snprintf(s->counts.fault, sizeof(s->counts.fault), "stuck: a tick has not come back");
	log_line(s->flow->log, LOG_LEVEL_WARNING, s->setting->name,
		"stuck: a tick has not come back within its timeout");
	live_say(s, "sampler", "failed", "stuck: a tick has not come back");
	flow_settle(s->flow);
}

static int
start(struct runner *r, struct live *s, struct weir_err *err)
{
	pthread_attr_t stack;

	r->lost = calloc(s->ctx->n_schemas + 1, sizeof(*r->lost));
	r->timer = event_new(s->flow->base, -1, 0, on_timeout, s);
	if (!r->lost || !r->timer || live_targets(s))
		return weir_fail(err, -ENOMEM, "cannot make sampler '%s'", s->setting->name);
	pthread_attr_init(&stack);
	pthread_attr_setstacksize(&stack, 256 << 10);
	int rc = -pthread_create(&r->thread, &stack, run, r);

	pthread_attr_destroy(&stack);
	return rc ? weir_fail(err, rc, "cannot start a thread for sampler '%s'", s->setting->name) : 0;
}

int
runner_new(struct live *s, struct weir_err *err)
{
	struct runner *r = calloc(1, sizeof(*r));
	pthread_condattr_t attributes;

	if (!r)
		return weir_fail(err, -ENOMEM, "cannot make sampler '%s'", s->setting->name);
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&r->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	r->wake_fd = s->flow->wake_fd;
	r->ctx = s->ctx = live_open_instance(s, NULL, err);
	int rc = s->ctx ? start(r, s, err) : err->code;

	if (!rc) {
		s->runner = r;
		return 0;
	}
	if (r->timer)
		event_free(r->timer);
	runner_done(r);
	instance_free(s->ctx);
	s->ctx = NULL;
	return rc;
}

void
runner_tick(struct live *s)
{
	struct runner *r = s->runner;

	runner_drain(s);
	pthread_mutex_lock(&r->lock);
	bool busy = r->busy || r->asked;

	if (!busy) {
		r->asked = true;
		pthread_cond_signal(&r->changed);
	}
	pthread_mutex_unlock(&r->lock);
	if (busy) {
		s->counts.dropped++;
		return;
	}
	s->counts.ticks++;
	live_arm(r->timer, s->setting->sampler.timeout);
}

/* Rows that the thread could not hand over stand in the equation all the same. */
static void
count_lost(struct live *s, const uint64_t *lost)
{
	for (size_t i = 0; i <= s->ctx->n_schemas; i++)
		if (lost[i])
			live_count_lost(
				s, i < s->ctx->n_schemas ? s->ctx->schemas[i] : &self_capability, lost[i]);
}

void
runner_drain(struct live *s)
{
	struct runner *r = s->runner;

	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	bool done = r->done;
	int result = r->result;
	struct weir_err err = r->err;
	struct made *made = r->made;
	size_t n = r->n;
	int64_t duration = r->duration;
	uint64_t rows = r->rows;

	r->done = false;
	r->made = NULL;
	r->n = r->room = 0;
	r->rows = 0;
	count_lost(s, r->lost);
	memset(r->lost, 0, (s->ctx->n_schemas + 1) * sizeof(*r->lost));
	pthread_mutex_unlock(&r->lock);
	for (size_t i = 0; i < n; i++) {
		made[i].batch->sequence = ++s->flow->sequence;
		live_deliver(s, made[i].batch, made[i].schema);
	}
	free(made);
	if (!done)
		return;
	if (r->timer)
		event_del(r->timer);
	/* It runs again, well or not: a stuck one that comes back with a failure may be asked at once.
	 */
	if (s->state == LIVE_STUCK && result) {
		s->state = LIVE_BACKING_OFF;
		s->resume = 0;
	}
	r->told_stuck = false;
	live_account(s, result, &err, duration, 0);
	s->counts.rows += rows;
}

bool
runner_free(struct live *s)
{
	struct runner *r = s->runner;
	int64_t until = clock_mono_ns() + (s->state == LIVE_STUCK ? 0 : WEIR_SECOND);
	struct timespec deadline = { until / WEIR_SECOND, until % WEIR_SECOND };

	if (!r)
		return true;
	event_free(r->timer);
	r->timer = NULL;
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_cond_broadcast(&r->changed);
	while (!r->ended)
		if (pthread_cond_timedwait(&r->changed, &r->lock, &deadline) == ETIMEDOUT)
			break;
	bool ended = r->ended;

	pthread_mutex_unlock(&r->lock);
	if (!ended) {
		pthread_detach(r->thread);
		return false;
	}
	pthread_join(r->thread, NULL);
	runner_drain(s);
	runner_done(r);
	s->runner = NULL;
	return true;
}
