/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking mounts for their numbers on threads that may be lost: a call to a file server that is gone
 * does not return and its thread cannot be killed. One worker serves all mounts as long as they
 * answer; one that hangs is left to its call, holds nothing that others need, and a new worker goes
 * on with the rest.
 */
#ifndef WEIR_FILESYSTEM_ASK_H
#define WEIR_FILESYSTEM_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/statfs.h>

#include <weir/error.h>

enum ask_state {
	ASK_IDLE, /* to be asked anew, or the answer is there */
	ASK_QUEUED,
	ASK_BUSY, /* a worker is in the call */
	ASK_LOST, /* the same, past the deadline */
};

/*
 * One mount's question and answer. Between runs the owner may read it unless it is ASK_LOST: then
 * only through ask_lost.
 */
struct ask {
	struct ask *next;
	enum ask_state state;
	bool orphan;     /* the owner is gone: the worker frees it */
	int64_t started; /* monotonic nanoseconds */
	int error;       /* 0 or negative errno; -EAGAIN: its turn did not come */
	struct statfs answer;
	char path[];
};

struct asker;

/* NULL out of memory. */
struct asker *asker_new(void);
/* Waits for healthy workers, not for lost ones; may be NULL. */
void asker_free(struct asker *);

/* An ask for a mount point; NULL out of memory. */
struct ask *ask_new(const char *path);
/* Given back, to be freed now or when its call returns; may be NULL. */
void ask_free(struct asker *, struct ask *);
/* Is the last call still out? A late answer makes it idle again. */
bool ask_lost(struct asker *, const struct ask *);

/* Ask all; returns when each has answered or had `deadline` nanoseconds. No ask may be lost. */
void asker_run(struct asker *, struct ask *const *, size_t n, int64_t deadline);

#endif
