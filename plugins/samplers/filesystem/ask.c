/* SPDX-License-Identifier: Apache-2.0 */
/* See ask.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_PATH */
#endif
#include "ask.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STACK_SIZE = 128 * 1024 };

/* After this long in one call a worker is taken for slow, and another goes on with the queue. */
#define IMPATIENCE INT64_C(100000000)

/* Shared by the owner and the workers; the last to leave frees it. */
struct asker {
	pthread_mutex_t mutex;
	pthread_cond_t work, progress;
	struct ask *queue;
	unsigned threads, idle, lost;
	bool closing;   /* workers shall leave */
	bool abandoned; /* the owner is gone: the last worker frees this */
};

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Opening a path only as a name starts no automount and sends a file server as little as can be. */
static int
ask_kernel(const char *path, struct statfs *answer)
{
	int fd = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	int error = fstatfs(fd, answer) ? -errno : 0;

	/* Linux before 3.12 cannot do it on such a descriptor. */
	if (error == -EBADF)
		error = statfs(path, answer) ? -errno : 0;
	close(fd);
	return error ? error : answer->f_type == AUTOFS_SUPER_MAGIC ? -ENODATA : 0;
}

static void
asker_destroy(struct asker *asker)
{
	pthread_mutex_destroy(&asker->mutex);
	pthread_cond_destroy(&asker->work);
	pthread_cond_destroy(&asker->progress);
	free(asker);
}

/* Take the answer under the lock. */
static void
settle(struct asker *asker, struct ask *ask, int error, const struct statfs *answer)
{
	if (ask->state == ASK_LOST)
		asker->lost--;
	ask->state = ASK_IDLE;
	ask->error = error;
	ask->answer = *answer;
	if (ask->orphan)
		free(ask);
	if (!asker->queue)
		pthread_cond_signal(&asker->progress);
}

static void *
worker(void *closure)
{
	struct asker *asker = closure;

	pthread_mutex_lock(&asker->mutex);
	while (!asker->closing) {
		struct ask *ask = asker->queue;

		if (!ask) {
			if (asker->idle) /* one that waits is enough */
				break;
			asker->idle++;
			pthread_cond_wait(&asker->work, &asker->mutex);
			asker->idle--;
			continue;
		}
		asker->queue = ask->next;
		ask->state = ASK_BUSY;
		ask->started = now_ns();
		pthread_mutex_unlock(&asker->mutex);
		struct statfs answer = { 0 };
		int error = ask_kernel(ask->path, &answer);

		pthread_mutex_lock(&asker->mutex);
		settle(asker, ask, error, &answer);
	}
	bool last = --asker->threads == 0 && asker->abandoned;

	pthread_cond_signal(&asker->progress);
	pthread_mutex_unlock(&asker->mutex);
	if (last)
		asker_destroy(asker);
	return NULL;
}

struct asker *
asker_new(void)
{
	struct asker *asker = calloc(1, sizeof(*asker));
	pthread_condattr_t clock;

	if (!asker)
		return NULL;
	pthread_mutex_init(&asker->mutex, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&asker->work, NULL);
	pthread_cond_init(&asker->progress, &clock);
	pthread_condattr_destroy(&clock);
	return asker;
}

void
asker_free(struct asker *asker)
{
	if (!asker)
		return;
	pthread_mutex_lock(&asker->mutex);
	asker->closing = true;
	pthread_cond_broadcast(&asker->work);
	while (asker->threads > asker->lost)
		pthread_cond_wait(&asker->progress, &asker->mutex);
	asker->abandoned = asker->threads > 0;
	bool last = !asker->abandoned;

	pthread_mutex_unlock(&asker->mutex);
	if (last)
		asker_destroy(asker);
}

struct ask *
ask_new(const char *path)
{
	size_t size = strlen(path) + 1;
	struct ask *ask = calloc(1, sizeof(*ask) + size);

	if (ask)
		memcpy(ask->path, path, size);
	return ask;
}

void
ask_free(struct asker *asker, struct ask *ask)
{
	if (!ask)
		return;
	pthread_mutex_lock(&asker->mutex);
	ask->orphan = ask->state == ASK_LOST;
	bool own = !ask->orphan;

	pthread_mutex_unlock(&asker->mutex);
	if (own)
		free(ask);
}

bool
ask_lost(struct asker *asker, const struct ask *ask)
{
	pthread_mutex_lock(&asker->mutex);
	bool lost = ask->state == ASK_LOST;

	pthread_mutex_unlock(&asker->mutex);
	return lost;
}

/* Signals are for the program's own threads. */
static bool
start_worker(struct asker *asker)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, before;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool started = pthread_create(&thread, &attributes, worker, asker) == 0;

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	asker->threads += started;
	return started;
}

/* What is still to be waited for. */
struct outlook {
	size_t queued, busy;
	int64_t oldest, newest; /* start of a call in hand */
};

/* Give up calls past the deadline, look at the rest. */
static struct outlook
look(struct asker *asker, struct ask *const *asks, size_t n, int64_t now, int64_t deadline)
{
	struct outlook out = { .oldest = INT64_MAX };

	for (size_t i = 0; i < n; i++) {
		struct ask *ask = asks[i];

		out.queued += ask->state == ASK_QUEUED;
		if (ask->state != ASK_BUSY)
			continue;
		if (now - ask->started >= deadline) {
			ask->state = ASK_LOST;
			asker->lost++;
			continue;
		}
		out.busy++;
		out.oldest = ask->started < out.oldest ? ask->started : out.oldest;
		out.newest = ask->started > out.newest ? ask->started : out.newest;
	}
	return out;
}

static void
wait_until(struct asker *asker, int64_t time)
{
	struct timespec t = { .tv_sec = time / 1000000000, .tv_nsec = time % 1000000000 };

	pthread_cond_timedwait(&asker->progress, &asker->mutex, &t);
}

/* Those whose turn did not come, for want of time or threads. */
static void
empty_queue(struct asker *asker)
{
	for (struct ask *ask; (ask = asker->queue); asker->queue = ask->next) {
		ask->state = ASK_IDLE;
		ask->error = -EAGAIN;
	}
}

void
asker_run(struct asker *asker, struct ask *const *asks, size_t n, int64_t deadline)
{
	pthread_mutex_lock(&asker->mutex);
	for (size_t i = n; i-- > 0;) {
		asks[i]->state = ASK_QUEUED;
		asks[i]->next = asker->queue;
		asker->queue = asks[i];
	}
	pthread_cond_signal(&asker->work);
	/*
	 * With many dead mounts at once the rest has its turn next time: by then the dead ones are
	 * known.
	 */
	int64_t end = now_ns() + 2 * deadline;

	for (;;) {
		int64_t now = now_ns();
		struct outlook out = look(asker, asks, n, now, deadline);

		if (out.queued && now >= end) {
			empty_queue(asker);
			continue;
		}
		if (!out.queued && !out.busy)
			break;
		/* Every worker is in a call, and for long: one more goes on with the queue. */
		if (out.queued && asker->threads - asker->lost <= out.busy &&
			now - out.newest >= IMPATIENCE && !start_worker(asker) && !out.busy) {
			empty_queue(asker);
			continue;
		}
		int64_t next = out.busy ? out.oldest + deadline : end;

		if (out.queued && now + IMPATIENCE < next)
			next = now + IMPATIENCE;
		wait_until(asker, next);
	}
	pthread_mutex_unlock(&asker->mutex);
}
