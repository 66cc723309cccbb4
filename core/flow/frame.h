/* SPDX-License-Identifier: Apache-2.0 */
/* What an agent and its isolated children say to each other over a socket pair: frames of a head
 * and so many bytes. */
#ifndef WEIR_FLOW_FRAME_H
#define WEIR_FLOW_FRAME_H

#include "base/text.h"

/* Down: set-up, ticks. Up: ready once, then the batches of a tick and done; done instead of ready
 * when open failed. */
enum frame_type { FRAME_SETUP = 1, FRAME_TICK, FRAME_READY, FRAME_BATCH, FRAME_DONE };
enum { FRAME_MOST = 64 << 20, FRAME_CAPABILITY = 0xffff };

struct frame {
	uint32_t size; /* of what follows */
	uint16_t type;
	uint16_t schema; /* of a batch; FRAME_CAPABILITY: of self_capability */
};

struct frame_done {
	int64_t duration, code;
	char text[240];
};

/* Append a frame: begin, the bytes, end with the place that begin gave. */
size_t frame_begin(struct text *, enum frame_type, uint16_t schema);
void frame_end(struct text *, size_t at);
/* A string with its NUL; NULL is "". */
void frame_string(struct text *, const char *);
/* The string at *at, which moves behind it; NULL when there is none before `end`, where a NUL must
 * stand. */
const char *frame_next(const char **at, const char *end);

#endif
