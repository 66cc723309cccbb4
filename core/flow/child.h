/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's side of an isolated sampler, shared by child.c and child_frames.c. */
#ifndef WEIR_FLOW_CHILD_H
#define WEIR_FLOW_CHILD_H

#include "flow/live.h"

/* Dying: given up; no other is started until the kernel has let go of it. */
enum phase { CHILD_NONE, CHILD_STARTING, CHILD_IDLE, CHILD_BUSY, CHILD_DYING };

struct child {
	enum phase phase;
	pid_t pid;
	int fd;
	struct event *readable, *timer;
	struct text in;  /* bytes not yet taken apart */
	size_t n_static; /* schemas that the plugin has before open */
	bool pending;    /* a tick waits for the start */
	int64_t born;    /* monotonic ns */
	unsigned deaths; /* in a row, none of them after a long life */

	/* Of the one that dies. */
	char why[240]; /* "": its status says it */
	bool killed, told;
	int polls;
};

/* An instance here, with the schemas and the open rows of the one in the process. */
int child_make_instance(struct live *, struct weir_err *);
void child_send_tick(struct live *);
/* Read and take what there is. 1: there may be more; 0: the end; or -errno, and a sentence. */
int child_read(struct live *, struct weir_err *);

#endif
