/* SPDX-License-Identifier: Apache-2.0 */
/* A sampler where no event loop runs: its watched descriptors are polled after each tick. */
#ifndef WEIR_PLUGIN_POLLED_H
#define WEIR_PLUGIN_POLLED_H

#include <poll.h>

#include "plugin/instance.h"

enum { POLLED_MOST = 16 };

/* Zeroed: nothing is watched. */
struct polled {
	struct pollfd watched[POLLED_MOST];
	nfds_t n;
};

/* Serves weir_watch and weir_unwatch; `polled` outlives the instance. */
struct instance_host polled_host(struct polled *);
/* Between instance_begin and instance_end: sample, then event for each readable descriptor. */
int polled_call(struct polled *, struct weir_ctx *, struct weir_err *);

#endif
