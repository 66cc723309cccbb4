/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sinks. The worker takes the whole queue as one step: write, then commit. A step that fails stays
 * in hand and is tried again with growing pauses; meanwhile the queue fills up to its bound. A
 * batch that a store refuses again and again for its own sake is found by trying the batches of the
 * step one by one.
 */
#include "flow/sink.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum { STEP_MOST = 4096, STEP_BYTES = 32 << 20, REFUSALS_MOST = 5 };
#define PAUSE_FIRST (200 * WEIR_MS)
#define PAUSE_MOST (10 * WEIR_SECOND)
#define STOP_MARGIN (300 * WEIR_MS)
#define TEND_EVERY (60 * WEIR_SECOND)

const char *const drop_reason_names[DROP_REASONS] = {
	[DROP_QUEUE_FULL] = "queue_full",
	[DROP_REFUSED] = "refused",
	[DROP_SHUTDOWN] = "shutdown",
	[DROP_MEMORY] = "memory",
};

struct entry {
	const struct weir_batch *batch;
	int64_t since;
};

struct sink {
	const struct instance_setting *setting; /* the loop's alone: a reload changes it */
	const char *name;
	struct store_common common;
	const struct sink_world *world;
	struct weir_ctx *ctx; /* NULL while the path is held, and after the end */
	struct log *log;
	const struct instance_setting *late; /* still to be opened by the worker */
	struct settings *owner;              /* of `late` */
	pthread_t thread;
	bool started;

	pthread_mutex_t lock;
	pthread_cond_t changed; /* the worker waits on it; also for its end */
	struct entry *queue;    /* ring */
	size_t head, n, room;
	size_t queue_bytes;
	bool wanted, stopping, ended;
	int64_t stop_by;          /* monotonic ns: until then a stop tries to store what is left */
	struct sink_counts counts;
	uint64_t hand_rows; /* of the step in the worker's hands */
	size_t hand_bytes;

	/* The worker's own. */
	const struct weir_batch *step[STEP_MOST];
	struct weir_tally *tally;
	size_t n_step;
	int64_t last_sync, last_tend;
	bool unsynced;     /* something was committed without sync */
	unsigned failures; /* in a row */
};

/* ---- the queue, under the lock ---- */

static void
drop_oldest(struct sink *s, enum drop_reason reason)
{
	const struct weir_batch *b = s->queue[s->head].batch;

	s->head = (s->head + 1) % s->room;
	s->n--;
	s->queue_bytes -= b->bytes;
	s->counts.dropped_by[reason] += b->rows;
	weir_batch_release(b);
}

static int
queue_grow(struct sink *s)
{
	size_t room = s->room ? s->room * 2 : 64;
	struct entry *grown = malloc(room * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	for (size_t i = 0; i < s->n; i++)
		grown[i] = s->queue[(s->head + i) % s->room];
	free(s->queue);
	s->queue = grown;
	s->head = 0;
	s->room = room;
	return 0;
}

void
sink_push(struct sink *s, const struct weir_batch *b, int64_t since)
{
	uint64_t lost = 0;
	bool wake = false;

	pthread_mutex_lock(&s->lock);
	s->counts.produced += b->rows;
	if (s->n == s->room && queue_grow(s)) {
		s->counts.dropped_by[DROP_MEMORY] += b->rows;
	} else {
		s->queue[(s->head + s->n) % s->room] = (struct entry){ weir_batch_keep(b), since };
		s->n++;
		s->queue_bytes += b->bytes;
		/* A queue half full must not wait for a long flush. */
		wake = !s->wanted && s->queue_bytes > s->common.queue / 2;
		s->wanted |= wake;
		while (s->n > 1 && s->queue_bytes + s->hand_bytes > s->common.queue) {
			lost += s->queue[s->head].batch->rows;
			drop_oldest(s, DROP_QUEUE_FULL);
		}
	}
	pthread_mutex_unlock(&s->lock);
	if (wake)
		pthread_cond_signal(&s->changed);
	if (lost)
		log_line(s->log, LOG_LEVEL_WARNING, s->name,
			"queue full: the oldest rows are dropped until the store takes rows again");
}

void
sink_count_lost(struct sink *s, uint64_t rows, enum drop_reason reason)
{
	pthread_mutex_lock(&s->lock);
	s->counts.produced += rows;
	s->counts.dropped_by[reason] += rows;
	pthread_mutex_unlock(&s->lock);
}

int64_t
sink_due(struct sink *s)
{
	pthread_mutex_lock(&s->lock);
	int64_t due = s->n && !s->wanted ? s->queue[s->head].since + s->common.flush : INT64_MAX;

	pthread_mutex_unlock(&s->lock);
	return due;
}

int64_t
sink_flush_ns(const struct sink *s)
{
	return s->common.flush;
}

void
sink_flush(struct sink *s)
{
	pthread_mutex_lock(&s->lock);
	bool wake = s->n && !s->wanted;

	s->wanted |= wake;
	pthread_mutex_unlock(&s->lock);
	if (wake) /* outside the lock: the worker would run into it */
		pthread_cond_signal(&s->changed);
}

void
sink_counts(struct sink *s, struct sink_counts *counts)
{
	pthread_mutex_lock(&s->lock);
	*counts = s->counts;
	counts->queued = s->hand_rows;
	for (size_t i = 0; i < s->n; i++)
		counts->queued += s->queue[(s->head + i) % s->room].batch->rows;
	counts->queue_bytes = s->queue_bytes + s->hand_bytes;
	pthread_mutex_unlock(&s->lock);
}

/* ---- the worker ---- */

/* Move what is queued, up to a step's bounds, into the worker's hands. */
static void
take_step(struct sink *s)
{
	s->n_step = 0;
	s->hand_bytes = 0;
	s->hand_rows = 0;
	while (s->n && s->n_step < STEP_MOST && s->hand_bytes < STEP_BYTES) {
		const struct weir_batch *b = s->queue[s->head].batch;

		s->head = (s->head + 1) % s->room;
		s->n--;
		s->queue_bytes -= b->bytes;
		s->hand_bytes += b->bytes;
		s->hand_rows += b->rows;
		s->step[s->n_step++] = b;
	}
	if (!s->n)
		s->wanted = false;
}

static bool
sync_due(const struct sink *s, int64_t now)
{
	int64_t every = s->common.sync_ns;

	return every >= 0 && now - s->last_sync >= every;
}

/* What only the batch itself can be to blame for; all else is the surroundings, and waiting helps.
 */
static bool
blames_batch(int code)
{
	static const int codes[] = { EINVAL, ERANGE, EDOM, EILSEQ, EOVERFLOW, EBADMSG, E2BIG, ENOTSUP };

	for (size_t i = 0; i < WEIR_COUNT(codes); i++)
		if (code == -codes[i])
			return true;
	return false;
}

static int
store_step(struct sink *s, const struct weir_batch *const *batches, size_t n,
	struct weir_tally *tally, bool sync, struct weir_err *err)
{
	const struct weir_plugin *p = s->ctx->plugin;
	struct weir_commit commit = { .sync = sync };
	int rc = 0;

	*err = (struct weir_err){ 0 };
	s->ctx->now = clock_wall_us();
	memset(tally, 0, n * sizeof(*tally));
	if (n)
		rc = p->store.write(s->ctx->state, batches, n, tally, err);
	if (!rc)
		rc = p->store.commit(s->ctx->state, &commit, err);
	if (rc && !err->text[0])
		weir_fail(err, rc, "the store gives no reason");
	err->code = rc;
	return rc;
}

/* The batches of the step [from, to) are done: let go of them and count. */
static void
settle_step(struct sink *s, size_t from, size_t to, int64_t duration)
{
	uint64_t refused = 0;
	const char *reason = "";

	pthread_mutex_lock(&s->lock);
	for (size_t i = from; i < to; i++) {
		const struct weir_batch *b = s->step[i];
		uint64_t bad = s->tally[i].refused < b->rows ? s->tally[i].refused : b->rows;

		s->counts.stored += b->rows - bad;
		s->counts.unchanged += s->tally[i].unchanged;
		s->counts.dropped_by[DROP_REFUSED] += bad;
		if (bad)
			reason = s->tally[i].reason;
		refused += bad;
		s->hand_rows -= b->rows;
		s->hand_bytes -= b->bytes;
	}
	s->counts.commits++;
	s->counts.commit_ns += (uint64_t)duration;
	pthread_mutex_unlock(&s->lock);
	for (size_t i = from; i < to; i++)
		weir_batch_release(s->step[i]);
	if (refused)
		log_line(s->log, LOG_LEVEL_WARNING, s->name, "rows refused: %s", reason);
}

static void
note_success(struct sink *s)
{
	pthread_mutex_lock(&s->lock);
	s->counts.fault[0] = '\0';
	pthread_mutex_unlock(&s->lock);
	if (s->failures)
		log_line(s->log, LOG_LEVEL_INFO, s->name, "works again after %u failures", s->failures);
	s->failures = 0;
}

/* One by one: what the store still refuses is dropped and counted, so that the rest can flow. */
static int
store_singly(struct sink *s, struct weir_err *err)
{
	while (s->n_step) {
		int64_t began = clock_mono_ns();
		int rc = store_step(s, s->step, 1, s->tally, false, err);

		if (rc && !blames_batch(rc))
			return rc;
		if (rc) {
			log_line(s->log, LOG_LEVEL_ERROR, s->name, "a batch of schema '%s' is dropped: %s",
				s->step[0]->schema->name, err->text);
			s->tally[0] = (struct weir_tally){ .refused = s->step[0]->rows };
			memcpy(s->tally[0].reason, err->text, sizeof(s->tally[0].reason) - 1);
		}
		s->unsynced = true;
		settle_step(s, 0, 1, clock_mono_ns() - began);
		memmove(s->step, s->step + 1, --s->n_step * sizeof(*s->step));
	}
	return 0;
}

static int
try_step(struct sink *s, struct weir_err *err)
{
	int64_t began = clock_mono_ns();
	bool sync = sync_due(s, began);

	if (s->failures >= REFUSALS_MOST && blames_batch(err->code)) {
		int rc = store_singly(s, err);

		if (!rc)
			note_success(s);
		return rc;
	}
	int rc = store_step(s, s->step, s->n_step, s->tally, sync, err);

	if (rc)
		return rc;
	if (sync)
		s->last_sync = began;
	s->unsynced = !sync;
	settle_step(s, 0, s->n_step, clock_mono_ns() - began);
	s->n_step = 0;
	note_success(s);
	return 0;
}

static void
note_failure(struct sink *s, const struct weir_err *err)
{
	s->failures++;
	pthread_mutex_lock(&s->lock);
	s->counts.failures++;
	memcpy(s->counts.fault, err->text, sizeof(s->counts.fault) - 1);
	pthread_mutex_unlock(&s->lock);
	log_line(s->log, LOG_LEVEL_ERROR, s->name, "cannot store: %s", err->text);
}

/* Wait for `ns`, or for a stop. */
static void
pause_for(struct sink *s, int64_t ns)
{
	int64_t until = clock_mono_ns() + ns;
	struct timespec deadline = { until / 1000000000, until % 1000000000 };

	pthread_mutex_lock(&s->lock);
	while (!s->stopping && pthread_cond_timedwait(&s->changed, &s->lock, &deadline) != ETIMEDOUT)
		continue;
	pthread_mutex_unlock(&s->lock);
}

/* Nothing came since a commit without sync: its time is over all the same. */
static void
sync_idle(struct sink *s)
{
	struct weir_err err = { 0 };

	if (!s->unsynced || !sync_due(s, clock_mono_ns()))
		return;
	s->last_sync = clock_mono_ns();
	if (store_step(s, NULL, 0, s->tally, true, &err))
		log_line(s->log, LOG_LEVEL_ERROR, s->name, "cannot sync: %s", err.text);
	else
		s->unsynced = false;
}

static void
tend(struct sink *s)
{
	const struct weir_plugin *p = s->ctx->plugin;
	struct weir_err err = { 0 };
	int64_t now = clock_mono_ns();

	if (!p->store.tend || now - s->last_tend < TEND_EVERY)
		return;
	s->last_tend = now;
	if (p->store.tend(s->ctx->state, clock_wall_us(), &err))
		log_line(s->log, LOG_LEVEL_WARNING, s->name, "housekeeping: %s", err.text);
}

/* When an idle worker must wake by itself: to sync what the last commit left, or for housekeeping.
 */
static int64_t
idle_until(const struct sink *s)
{
	int64_t until = s->ctx->plugin->store.tend ? s->last_tend + TEND_EVERY : INT64_MAX;

	if (s->unsynced && s->common.sync_ns >= 0 && s->last_sync + s->common.sync_ns < until)
		until = s->last_sync + s->common.sync_ns;
	return until;
}

/* False at the end of a stop. A step of nothing means that the time of idle_until came. */
static bool
wait_for_work(struct sink *s)
{
	int64_t until = idle_until(s);
	struct timespec deadline = { until / WEIR_SECOND, until % WEIR_SECOND };

	pthread_mutex_lock(&s->lock);
	while (!s->stopping && !s->wanted)
		if (until == INT64_MAX)
			pthread_cond_wait(&s->changed, &s->lock);
		else if (pthread_cond_timedwait(&s->changed, &s->lock, &deadline) == ETIMEDOUT)
			break;
	bool more = !s->stopping || s->n;

	if (more)
		take_step(s);
	pthread_mutex_unlock(&s->lock);
	return more;
}

static int64_t
stop_by(struct sink *s)
{
	pthread_mutex_lock(&s->lock);
	int64_t deadline = s->stop_by;

	pthread_mutex_unlock(&s->lock);
	return deadline;
}

static bool
is_stopping(struct sink *s)
{
	pthread_mutex_lock(&s->lock);
	bool stopping = s->stopping;

	pthread_mutex_unlock(&s->lock);
	return stopping;
}

/* During a stop a failing store is tried until the deadline is near. */
static void
finish_step(struct sink *s)
{
	struct weir_err err = { 0 };
	int64_t pause = PAUSE_FIRST;

	while (s->n_step && try_step(s, &err)) {
		note_failure(s, &err);
		if (is_stopping(s)) {
			struct timespec short_pause = { 0, 100000000 };

			if (clock_mono_ns() >= stop_by(s) - STOP_MARGIN)
				break;
			clock_nanosleep(CLOCK_MONOTONIC, 0, &short_pause, NULL);
			continue;
		}
		pause_for(s, pause);
		pause = pause * 2 < PAUSE_MOST ? pause * 2 : PAUSE_MOST;
	}
}

/* What a stop leaves unstored. */
static void
give_up_rest(struct sink *s)
{
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->n_step; i++) {
		s->counts.dropped_by[DROP_SHUTDOWN] += s->step[i]->rows;
		weir_batch_release(s->step[i]);
	}
	s->hand_rows = 0;
	s->hand_bytes = 0;
	s->n_step = 0;
	while (s->n)
		drop_oldest(s, DROP_SHUTDOWN);
	pthread_mutex_unlock(&s->lock);
}

static int
open_store(struct sink *s, const struct instance_setting *setting, struct weir_err *err)
{
	const struct sink_world *w = s->world;
	struct origin own = { w->origin->cluster, w->origin->host, s->name, w->origin->incarnation };
	struct weir_ctx *ctx = instance_new(setting->plugin, &own, NULL, w->keeper, s->log);

	if (!ctx)
		return weir_fail(err, -ENOMEM, "cannot make store '%s'", s->name);
	ctx->state_folder = w->state_folder;
	int rc = settings_apply(setting, ctx, err);

	if (!rc)
		rc = instance_open(ctx, err);
	if (rc)
		instance_free(ctx);
	else
		s->ctx = ctx;
	return rc;
}

/* A successor opens when its predecessor has let go of the path. False: stopped before. */
static bool
open_late(struct sink *s)
{
	struct weir_err err = { 0 };
	const struct instance_setting *setting = s->late;

	while (!s->ctx && open_store(s, setting, &err)) {
		if (is_stopping(s))
			return false;
		if (err.code != -EBUSY)
			note_failure(s, &err);
		pause_for(s, PAUSE_FIRST);
	}
	if (s->failures)
		note_success(s);
	settings_release(s->owner);
	s->owner = NULL;
	return true;
}

static void
work_on(struct sink *s)
{
	struct weir_err err = { 0 };

	while (wait_for_work(s)) {
		finish_step(s);
		if (s->n_step)
			return;
		sync_idle(s);
		tend(s);
	}
	if (store_step(s, NULL, 0, s->tally, s->common.sync_ns >= 0, &err))
		log_line(s->log, LOG_LEVEL_ERROR, s->name, "the last commit failed: %s", err.text);
}

static void *
work(void *argument)
{
	struct sink *s = argument;
	uint64_t one = 1;

	if (s->ctx || open_late(s))
		work_on(s);
	give_up_rest(s);
	instance_free(s->ctx);
	s->ctx = NULL;
	settings_release(s->owner);
	s->owner = NULL;
	pthread_mutex_lock(&s->lock);
	s->ended = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	(void)!write(
		s->world->wake_fd, &one, sizeof(one)); /* full means that the loop is awake already */
	return NULL;
}

/* ---- life ---- */

const char *
sink_name(const struct sink *s)
{
	return s->name;
}

const struct instance_setting *
sink_setting(const struct sink *s)
{
	return s->setting;
}

void
sink_adopt(struct sink *s, const struct instance_setting *setting)
{
	s->setting = setting;
}

static void
sink_free(struct sink *s)
{
	for (size_t i = 0; i < s->n; i++)
		weir_batch_release(s->queue[(s->head + i) % s->room].batch);
	free(s->queue);
	free(s->tally);
	instance_free(s->ctx);
	settings_release(s->owner);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->changed);
	free(s);
}

struct sink *
sink_open(const struct instance_setting *setting, const struct sink_world *world,
	struct settings *owner, struct weir_err *err)
{
	struct sink *s = calloc(1, sizeof(*s));
	pthread_condattr_t attributes;

	if (!s) {
		weir_fail(err, -ENOMEM, "cannot make store '%s'", setting->name);
		return NULL;
	}
	s->world = world;
	s->setting = setting;
	s->name = keeper_text(world->keeper, setting->name);
	s->common = setting->store;
	s->log = world->log;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	s->last_sync = s->last_tend = clock_mono_ns();
	s->tally = calloc(STEP_MOST, sizeof(*s->tally));
	int rc = s->tally && s->name ? open_store(s, setting, err)
								 : weir_fail(err, -ENOMEM, "cannot make store '%s'", setting->name);

	if (rc == -EBUSY && owner) {
		s->owner = settings_keep(owner);
		s->late = setting;
		rc = 0;
	}
	if (rc) {
		sink_free(s);
		return NULL;
	}
	return s;
}

int
sink_start(struct sink *s, struct weir_err *err)
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 256 << 10);
	int rc = pthread_create(&s->thread, &attributes, work, s);

	pthread_attr_destroy(&attributes);
	if (rc)
		return weir_fail(err, -rc, "cannot start the thread of store '%s'", s->name);
	s->started = true;
	return 0;
}

void
sink_stop(struct sink *s, int64_t deadline)
{
	pthread_mutex_lock(&s->lock);
	if (!s->stopping || deadline < s->stop_by)
		s->stop_by = deadline;
	s->stopping = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

bool
sink_ended(struct sink *s)
{
	pthread_mutex_lock(&s->lock);
	bool ended = s->ended;

	pthread_mutex_unlock(&s->lock);
	return ended;
}

int
sink_finish(struct sink *s, int64_t deadline, struct sink_counts *counts)
{
	struct timespec until = { deadline / 1000000000, deadline % 1000000000 };

	if (!s)
		return 0;
	sink_stop(s, deadline);
	pthread_mutex_lock(&s->lock);
	while (s->started && !s->ended)
		if (pthread_cond_timedwait(&s->changed, &s->lock, &until) == ETIMEDOUT)
			break;
	bool ended = !s->started || s->ended;

	pthread_mutex_unlock(&s->lock);
	if (!ended) {
		struct sink_counts last;

		sink_counts(s, &last);
		last.dropped_by[DROP_SHUTDOWN] += last.queued;
		log_line(s->log, LOG_LEVEL_ERROR, s->name, "hangs: %llu rows are given up",
			(unsigned long long)last.queued);
		last.queued = 0;
		if (counts)
			*counts = last;
		pthread_detach(s->thread);
		return -ETIMEDOUT;
	}
	if (s->started)
		pthread_join(s->thread, NULL);
	else
		give_up_rest(s);
	struct sink_counts last;

	sink_counts(s, &last);
	if (counts)
		*counts = last;
	if (last.dropped_by[DROP_SHUTDOWN])
		log_line(s->log, LOG_LEVEL_ERROR, s->name, "%llu rows could not be stored before the stop",
			(unsigned long long)last.dropped_by[DROP_SHUTDOWN]);
	sink_free(s);
	return 0;
}
