/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ticks. One timer on the wall clock wakes the loop at the earliest slot; the kernel says when the
 * clock was set (TFD_TIMER_CANCEL_ON_SET), so no slot is slept over or repeated after a step or a
 * suspend.
 */
#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "flow/live.h"

/* wall - monotonic moves slowly under NTP's slewing (at most 500 ppm); more than this between two
 * wakes is a step. */
#define STEP_LEAST (500 * WEIR_MS)
#define ON_TIME_MOST INT64_C(2000) /* microseconds */

int64_t
ticks_slot(int64_t now, int64_t interval, int64_t offset)
{
	int64_t since = (now - offset) % interval;

	if (since < 0)
		since += interval;
	return now - since + interval;
}

static int64_t
earliest(const struct flow *f)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < f->n_sources; i++)
		if (f->sources[i]->due < due)
			due = f->sources[i]->due;
	return due;
}

/* After a step of the clock every source waits for its next slot on the new clock; nothing was
 * missed. */
static bool
clock_stepped(struct flow *f, int64_t wall_ns, int64_t mono)
{
	int64_t offset = wall_ns - mono, moved = offset - f->wall_offset;

	f->wall_offset = offset;
	if (moved < STEP_LEAST && moved > -STEP_LEAST)
		return false;
	f->clock_steps++;
	f->armed = 0;
	log_line(f->log, LOG_LEVEL_WARNING, "", "the clock stepped by %.1f s", (double)moved / 1e9);
	for (size_t i = 0; i < f->n_sources; i++)
		f->sources[i]->due =
			ticks_slot(wall_ns / 1000, f->sources[i]->interval, f->sources[i]->offset);
	return true;
}

static int64_t
shortest(const struct flow *f)
{
	int64_t interval = INT64_MAX;

	for (size_t i = 0; i < f->n_sources; i++)
		if (f->sources[i]->interval < interval)
			interval = f->sources[i]->interval;
	return interval;
}

void
ticks_arm(struct flow *f)
{
	int64_t due = earliest(f);

	if (due == INT64_MAX || f->stopping) {
		f->next_tick = INT64_MAX;
		return;
	}
	f->next_tick = due * 1000 - f->wall_offset;
	/* The timer goes on by itself with the shortest interval: the usual tick needs no call to set
	 * it. */
	if (due == f->armed)
		return;
	f->armed = due;
	f->period = shortest(f);
	struct itimerspec when = {
		.it_value = { due / 1000000, due % 1000000 * 1000 },
		.it_interval = { f->period / 1000000, f->period % 1000000 * 1000 },
	};

	if (!timerfd_settime(f->timer_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, NULL))
		return;
	if (errno != ECANCELED) {
		log_line(f->log, LOG_LEVEL_ERROR, "", "cannot set the timer: ticks stop");
		return;
	}
	/* The timer is armed, but the clock was set since the last look and nobody will be woken for
	 * it: judge the step here. */
	if (clock_stepped(f, clock_read_ns(CLOCK_REALTIME), clock_mono_ns()))
		ticks_arm(f);
}

/* Slots whose successor is due as well are dropped and counted; true when there is a slot to serve.
 */
static bool
due_now(struct live *s, int64_t now)
{
	if (s->due > now)
		return false;
	int64_t missed = (now - s->due) / s->interval;

	s->counts.dropped += (uint64_t)missed;
	s->due += missed * s->interval;
	return true;
}

/*
 * The slot when all that fire share it and the wake is in time for the slowest of them, else the
 * time of the wake: rows of one tick join by equality, and a fast sampler must not move the slow
 * ones off the slot that all hosts share.
 */
static int64_t
stamp(const struct flow *f, int64_t now)
{
	int64_t slot = 0, interval = 0;

	for (size_t i = 0; i < f->n_sources; i++) {
		const struct live *s = f->sources[i];

		if (s->due > now)
			continue;
		if (slot && s->due != slot)
			return now;
		slot = s->due;
		interval = s->interval > interval ? s->interval : interval;
	}
	int64_t allowed = interval / 100 < ON_TIME_MOST ? interval / 100 : ON_TIME_MOST;

	return now - slot > allowed ? now : slot;
}

static void
wake(evutil_socket_t fd, short what, void *argument)
{
	struct flow *f = argument;
	uint64_t expirations;
	int64_t wall = clock_read_ns(CLOCK_REALTIME), mono = clock_mono_ns(), now = wall / 1000;

	(void)what;
	if (read(fd, &expirations, sizeof(expirations)) == sizeof(expirations))
		f->armed += (int64_t)expirations * f->period;
	else if (errno == EAGAIN)
		return;
	else
		f->armed = 0; /* the clock was set */
	if (!clock_stepped(f, wall, mono)) {
		bool any = false;

		for (size_t i = 0; i < f->n_sources; i++)
			any |= due_now(f->sources[i], now);
		int64_t time = any ? stamp(f, now) : now;

		for (size_t i = 0; i < f->n_sources; i++) {
			struct live *s = f->sources[i];

			if (s->due > now)
				continue;
			int64_t lateness = (now - s->due) * 1000;

			s->due = ticks_slot(s->due, s->interval, s->offset);
			live_tick(s, time, lateness);
		}
	}
	ticks_arm(f);
	flow_settle(f);
	int64_t busy = clock_mono_ns() - mono;

	if (busy > f->loop_lag_max)
		f->loop_lag_max = busy;
}

int
ticks_start(struct flow *f, struct weir_err *err)
{
	f->wall_offset = clock_read_ns(CLOCK_REALTIME) - clock_mono_ns();
	f->timer_fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (f->timer_fd == -1)
		return weir_fail(err, -errno, "cannot make a timer");
	f->timer = event_new(f->base, f->timer_fd, EV_READ | EV_PERSIST, wake, f);
	if (!f->timer || event_add(f->timer, NULL))
		return weir_failx(err, -ENOMEM, "cannot watch the timer");
	ticks_arm(f);
	return 0;
}

void
ticks_stop(struct flow *f)
{
	if (f->timer)
		event_free(f->timer);
	f->timer = NULL;
	if (f->timer_fd > 0)
		close(f->timer_fd);
	f->timer_fd = -1;
	f->next_tick = INT64_MAX;
}
