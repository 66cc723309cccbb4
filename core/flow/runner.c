/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samplers that may hang run on a thread of their own. The loop hands it a time and gets batches back through a list and the
 * wake descriptor. A thread that does not come back in time is left alone with its memory; its sampler is stuck until it returns.
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
	bool stopping, ended, busy;
	int64_t time;       /* of the tick asked for; 0: none */
	int64_t began;      /* monotonic ns of the tick that runs */
	bool done;          /* a tick's result waits for the loop */
	int result;
	struct weir_err err;
	int64_t duration;
	uint64_t rows;
	struct made *made;
	size_t n, room;
	uint64_t lost;      /* rows without memory */

	bool told_stuck;    /* the loop's own */
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
			r->lost += rows;
			weir_batch_release(batch);
			return;
		}
		r->made = grown;
		r->room = room;
	}
	r->made[r->n++] = (struct made){ batch, schema };
	r->rows += rows;
}

static void
run_tick(struct runner *r, int64_t asked)
{
	const struct weir_plugin *p = r->ctx->plugin;
	struct weir_err err = { 0 };
	int64_t began = clock_mono_ns();
	bool all = asked >= r->capability_due;

	instance_begin(r->ctx, clock_wall_us());
	int rc = instance_end(r->ctx, p->sampler.sample(r->ctx->state, &r->ctx->out, &err), &err);

	if (r->ctx->capabilities && r->capabilities && (all || capability_changed(r->ctx))) {
		capability_rows(r->ctx, r->capabilities, r->ctx->now, all);
		if (all)
			r->capability_due = asked + INT64_C(3600) * 1000000;
	}
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < r->ctx->n_schemas; i++)
		hand_over(r, r->ctx->out.builders[i], i);
	hand_over(r, r->capabilities, 0);
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
		while (!r->stopping && !r->time)
			pthread_cond_wait(&r->changed, &r->lock);
		int64_t time = r->stopping ? 0 : r->time;

		r->time = 0;
		r->busy = time != 0;
		r->began = clock_mono_ns();
		pthread_mutex_unlock(&r->lock);
		if (!time)
			break;
		run_tick(r, time);
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
	builder_free(r->capabilities);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->changed);
	free(r);
}

int
runner_new(struct live *s, struct weir_err *err)
{
	struct runner *r = calloc(1, sizeof(*r));
	pthread_condattr_t attributes;
	pthread_attr_t stack;

	if (!r)
		return weir_fail(err, -ENOMEM, "cannot make sampler '%s'", s->setting->name);
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&r->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	r->wake_fd = s->flow->wake_fd;
	r->ctx = live_open_instance(s, NULL, err);
	r->capabilities = r->ctx ? builder_new(&self_capability, weir_schema_fingerprint(&self_capability), &r->ctx->origin) : NULL;
	s->targets = r->ctx ? calloc(r->ctx->n_schemas + 1, sizeof(*s->targets)) : NULL;
	pthread_attr_init(&stack);
	pthread_attr_setstacksize(&stack, 256 << 10);
	int rc = !r->ctx ? err->code : !r->capabilities || !s->targets ? weir_fail(err, -ENOMEM, "cannot make sampler '%s'", s->setting->name)
	                             : -pthread_create(&r->thread, &stack, run, r);

	pthread_attr_destroy(&stack);
	if (rc) {
		instance_free(r->ctx);
		runner_done(r);
		return rc;
	}
	s->runner = r;
	s->ctx = r->ctx;
	return 0;
}

/* Longer than its timeout in one tick: said once, and again when it came back. */
static void
check_stuck(struct live *s, bool busy, int64_t began)
{
	struct runner *r = s->runner;

	if (busy && !r->told_stuck && clock_mono_ns() - began > s->setting->sampler.timeout) {
		r->told_stuck = true;
		s->state = LIVE_STUCK;
		snprintf(s->counts.fault, sizeof(s->counts.fault), "stuck: a tick has not come back");
		log_line(s->flow->log, LOG_LEVEL_WARNING, s->setting->name, "stuck: a tick has not come back within its timeout");
		live_say(s, "sampler", "failed", "stuck: a tick has not come back");
	}
}

void
runner_tick(struct live *s, int64_t time)
{
	struct runner *r = s->runner;

	runner_drain(s);
	pthread_mutex_lock(&r->lock);
	bool busy = r->busy || r->time;
	int64_t began = r->began;

	if (!busy) {
		r->time = time;
		pthread_cond_signal(&r->changed);
	}
	pthread_mutex_unlock(&r->lock);
	if (busy)
		s->counts.dropped++;
	else
		s->counts.ticks++;
	check_stuck(s, busy, began);
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
	pthread_mutex_unlock(&r->lock);
	for (size_t i = 0; i < n; i++) {
		made[i].batch->sequence = ++s->flow->sequence;
		live_deliver(s, made[i].batch, made[i].schema);
	}
	free(made);
	if (!done)
		return;
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
