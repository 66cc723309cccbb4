/* SPDX-License-Identifier: Apache-2.0 */
/* Live sources: opening, ticking, failing and coming back. The ways of threads and processes are in
 * runner.c and child.c. */
#include "flow/live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "data/self.h"
#include "plugin/capability.h"

enum { FAILURES_MOST = 5 };
#define BACK_OFF_MOST (600 * WEIR_SECOND)

struct watched {
	struct watched *next;
	struct event *event;
	int fd;
};

static void
watched_ready(evutil_socket_t fd, short what, void *argument)
{
	struct live *s = argument;
	struct weir_err err = { 0 };
	const struct weir_plugin *p = s->setting->plugin;
	int64_t began = clock_mono_ns();
	uint64_t rows = 0;

	(void)what;
	if (!s->ctx || !p->sampler.event || s->state == LIVE_BACKING_OFF)
		return;
	instance_begin(s->ctx, clock_wall_us());
	int rc = instance_end(s->ctx, p->sampler.event(s->ctx->state, fd, &s->ctx->out, &err), &err);

	for (size_t i = 0; i < s->ctx->n_schemas; i++)
		rows += builder_rows(s->ctx->out.builders[i]) - s->ctx->out.mark[i];
	live_account(s, rc, &err, clock_mono_ns() - began, rows);
	flow_settle(s->flow);
}

static int
watch(void *closure, int fd, struct weir_err *err)
{
	struct live *s = closure;
	struct watched *w = calloc(1, sizeof(*w));

	if (w)
		w->event = event_new(s->flow->base, fd, EV_READ | EV_PERSIST, watched_ready, s);
	if (!w || !w->event || event_add(w->event, NULL)) {
		if (w && w->event)
			event_free(w->event);
		free(w);
		return weir_failx(err, -ENOMEM, "cannot watch a descriptor");
	}
	w->fd = fd;
	w->next = s->watched;
	s->watched = w;
	return 0;
}

static void
unwatch(void *closure, int fd)
{
	struct live *s = closure;

	for (struct watched **at = &s->watched, *w; (w = *at); at = &w->next)
		if (w->fd == fd) {
			*at = w->next;
			event_free(w->event);
			free(w);
			return;
		}
}

struct weir_ctx *
live_open_instance(struct live *s, const struct instance_host *host, struct weir_err *err)
{
	struct origin origin = { s->flow->origin.cluster, s->flow->origin.host, s->setting->name,
		s->flow->origin.incarnation };
	struct weir_ctx *ctx = instance_new(
		s->setting->plugin, &origin, s->setting->sampler.root, s->flow->keeper, s->flow->log);

	if (!ctx) {
		weir_fail(err, -ENOMEM, "cannot make sampler '%s'", s->setting->name);
		return NULL;
	}
	ctx->state_folder = s->flow->state;
	if (host)
		ctx->host = *host;
	if (settings_apply(s->setting, ctx, err) || instance_open(ctx, err)) {
		while (s->watched)
			unwatch(s, s->watched->fd);
		instance_free(ctx);
		return NULL;
	}
	return ctx;
}

/* The sampler as such, not one of its files: an item of its own. */
void
live_say(struct live *s, const char *item, const char *status, const char *reason)
{
	self_capability_row(s->flow, s->setting->name, item, status, reason);
}

/* A descriptor whose event fails would stay readable and spin the loop, so it rests while the
 * sampler does. */
static void
rest_watched(struct live *s, bool rest)
{
	for (struct watched *w = s->watched; w; w = w->next)
		(void)(rest ? event_del(w->event) : event_add(w->event, NULL));
}

int64_t
live_pause(const struct live *s, unsigned doublings)
{
	int64_t pause = s->interval * 1000 * 2;

	if (pause < WEIR_SECOND)
		pause = WEIR_SECOND;
	while (doublings-- && pause < BACK_OFF_MOST)
		pause *= 2;
	return pause < BACK_OFF_MOST ? pause : BACK_OFF_MOST;
}

void
live_arm(struct event *timer, int64_t ns)
{
	const struct timeval when = { ns / WEIR_SECOND, ns % WEIR_SECOND / 1000 };

	event_add(timer, &when);
}

void
live_account(
	struct live *s, int result, const struct weir_err *err, int64_t duration, uint64_t rows)
{
	bool over = s->way == LIVE_INLINE && duration > s->setting->sampler.timeout;

	s->counts.duration += duration;
	s->counts.last_duration = duration;
	if (duration > s->counts.duration_max)
		s->counts.duration_max = duration;
	if (rows)
		flow_opened(s->flow, rows);
	s->counts.rows += rows;
	if ((!result || result == -ENODATA || result == -EAGAIN) && !over) {
		if (s->state != LIVE_RUNNING) {
			rest_watched(s, false);
			log_line(s->flow->log, LOG_LEVEL_INFO, s->setting->name,
				"works again after %u failures", s->failures);
			live_say(s, "sampler", "ok", "");
		}
		s->state = LIVE_RUNNING;
		s->failures = 0;
		s->counts.fault[0] = '\0';
		return;
	}
	const char *why = over           ? "a tick took longer than its timeout"
					  : err->text[0] ? err->text
									 : "failed without a reason";

	s->failures++;
	s->counts.failures++;
	snprintf(s->counts.fault, sizeof(s->counts.fault), "%.230s", why);
	if (s->failures == 1 || s->failures == FAILURES_MOST)
		log_line(s->flow->log, LOG_LEVEL_WARNING, s->setting->name, "%s%s", why,
			s->failures == FAILURES_MOST ? "; tried again at growing intervals" : "");
	if (s->failures >= FAILURES_MOST || over || !s->ctx) {
		if (s->state == LIVE_RUNNING)
			live_say(s, "sampler", "failed", why);
		s->state = LIVE_BACKING_OFF;
		rest_watched(s, true);
		s->resume = clock_mono_ns() +
					live_pause(s, s->failures > FAILURES_MOST ? s->failures - FAILURES_MOST : 0);
	}
}

static void
targets_free(struct targets *t)
{
	for (size_t i = 0; t && i < t->n; i++)
		free(t->target[i].columns);
	if (t)
		free(t->target);
}

int
live_targets(struct live *s)
{
	for (size_t i = 0; i < s->n_targets; i++)
		targets_free(&s->targets[i]);
	free(s->targets);
	s->n_targets = 0;
	s->targets = s->ctx ? calloc(s->ctx->n_schemas + 1, sizeof(*s->targets)) : NULL;
	if (s->ctx && !s->targets)
		return -ENOMEM;
	s->n_targets = s->ctx ? s->ctx->n_schemas : 0;
	return 0;
}

static void
open_inline(struct live *s)
{
	struct instance_host host = { .watch = watch, .unwatch = unwatch, .closure = s };
	struct weir_err err = { 0 };

	s->ctx = live_open_instance(s, &host, &err);
	if (!s->ctx) {
		live_account(s, err.code, &err, 0, 0);
		return;
	}
	if (live_targets(s)) {
		weir_fail(&err, -ENOMEM, "cannot make sampler '%s'", s->setting->name);
		while (s->watched)
			unwatch(s, s->watched->fd);
		instance_free(s->ctx);
		s->ctx = NULL;
		live_account(s, err.code, &err, 0, 0);
	}
}

static void
open_any(struct live *s)
{
	struct weir_err err = { 0 };
	int rc = 0;

	if (s->way == LIVE_INLINE)
		open_inline(s);
	else
		rc = s->way == LIVE_THREAD ? runner_new(s, &err) : child_new(s, &err);
	if (rc)
		live_account(s, rc, &err, 0, 0);
}

struct live *
live_new(struct flow *f, const struct instance_setting *setting)
{
	struct live *s = calloc(1, sizeof(*s));
	uint32_t flags = setting->plugin->flags;

	if (!s)
		return NULL;
	s->flow = f;
	s->setting = setting;
	s->way = setting->sampler.isolate || flags & WEIR_ISOLATE ? LIVE_CHILD
			 : flags & WEIR_BLOCKING                          ? LIVE_THREAD
															  : LIVE_INLINE;
	s->interval = setting->sampler.interval / 1000;
	s->offset = setting->sampler.offset / 1000;
	int64_t now = clock_wall_us();

	s->due = ticks_slot(now, s->interval, s->offset);
	if (s->due - now > 1000000)
		s->due = now; /* the first tick comes within a second of the start */
	open_any(s);
	return s;
}

const char *
live_state_name(const struct live *s)
{
	return s->state == LIVE_RUNNING ? "running" : s->state == LIVE_STUCK ? "stuck" : "backing_off";
}

void
live_adopt(struct live *s, const struct instance_setting *setting)
{
	s->setting = setting;
}

void
live_free(struct live *s)
{
	if (!s)
		return;
	/* What the thread or process still has comes first: it is delivered by the targets. */
	if (s->way == LIVE_CHILD)
		child_free(s);
	if (s->way == LIVE_THREAD && !runner_free(s)) {
		s->flow->abandoned = true;
		return; /* the thread still uses the instance */
	}
	live_collect(s);
	builder_free(s->capabilities);
	instance_free(s->ctx);
	s->ctx = NULL;
	live_targets(s);
	targets_free(&s->capability_targets);
	while (s->watched)
		unwatch(s, s->watched->fd);
	free(s);
}

static void
tick_inline(struct live *s, int64_t time)
{
	struct weir_err err; /* not zeroed whole: half a kilobyte a tick for nothing */
	const struct weir_plugin *p = s->setting->plugin;
	int64_t began = clock_mono_ns();
	uint64_t rows = 0;
	int rc = 0;

	err.code = 0;
	err.text[0] = '\0';
	instance_begin(s->ctx, time);
	if (p->sampler.sample)
		rc = p->sampler.sample(s->ctx->state, &s->ctx->out, &err);
	rc = instance_end(s->ctx, rc, &err);
	for (size_t i = 0; i < s->ctx->n_schemas; i++)
		rows += builder_rows(s->ctx->out.builders[i]) - s->ctx->out.mark[i];
	live_account(s, rc, &err, clock_mono_ns() - began, rows);
}

void
live_tick(struct live *s, int64_t time, int64_t lateness)
{
	if (s->state == LIVE_BACKING_OFF && clock_mono_ns() < s->resume) {
		s->counts.dropped++;
		return;
	}
	if (!s->ctx)
		open_any(s);
	if (!s->ctx) {
		s->counts.dropped++;
		return;
	}
	if (lateness > s->counts.lateness_max)
		s->counts.lateness_max = lateness;
	if (s->way == LIVE_THREAD) {
		runner_tick(s);
	} else if (s->way == LIVE_CHILD) {
		child_tick(s);
	} else {
		s->counts.ticks++;
		tick_inline(s, time);
		flow_opened(s->flow, capability_collect(s->ctx, &s->capabilities, &s->capability_due));
	}
}

void
live_deliver(struct live *s, const struct weir_batch *batch, size_t schema)
{
	struct targets *t =
		batch->schema == &self_capability ? &s->capability_targets : &s->targets[schema];

	flow_deliver(s->flow, batch, t);
}

void
live_count_lost(struct live *s, const struct weir_schema *schema, uint64_t rows)
{
	const struct origin *from = &s->ctx->origin;

	for (size_t i = 0; i < s->flow->n_sinks; i++) {
		struct sink *sink = s->flow->sinks[i];

		if (settings_routed(s->flow->set, from->source, sink_name(sink), schema->name,
				from->cluster, from->host, NULL))
			sink_count_lost(sink, rows, DROP_MEMORY);
	}
}

void
live_collect(struct live *s)
{
	struct flow *f = s->flow;

	if (s->way != LIVE_THREAD && s->ctx)
		for (size_t i = 0; i < s->ctx->n_schemas; i++) {
			struct builder *b = s->ctx->out.builders[i];
			struct weir_batch *batch = builder_rows(b) ? builder_close(b, ++f->sequence) : NULL;

			if (batch)
				live_deliver(s, batch, i);
		}
	if (builder_rows(s->capabilities)) {
		struct weir_batch *batch = builder_close(s->capabilities, ++f->sequence);

		if (batch)
			live_deliver(s, batch, 0);
	}
}
