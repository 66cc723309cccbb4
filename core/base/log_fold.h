/* SPDX-License-Identifier: Apache-2.0 */
/* Which log lines are repeats: a bounded table of the lines of the last minute. No locking and no
 * clock of its own. */
#ifndef WEIR_BASE_LOG_FOLD_H
#define WEIR_BASE_LOG_FOLD_H

#include <stdint.h>

#include "base/log.h"

#define LOG_FOLD_NS (INT64_C(60) * 1000000000)
#define LOG_FOLD_SLOTS 64

struct log_fold_slot {
	int64_t begin;  /* when the line was written */
	uint64_t count; /* repeats since, not yet told */
	uint64_t hash;
	enum log_level level;
	char *subject, *text; /* one piece from malloc; NULL: the slot is free */
};

/* Zeroed is empty. */
struct log_fold {
	struct log_fold_slot slot[LOG_FOLD_SLOTS];
};

/* What is to be written: `count` repeats of the line are told with it, 0 for none. */
typedef void log_fold_write(
	void *context, enum log_level, const char *subject, const char *text, uint64_t count);

/* Take a line: write it, or count it as a repeat. Counts of other lines whose minute is over are
 * written before it. */
void log_fold_take(struct log_fold *, int64_t now, enum log_level, const char *subject,
	const char *text, log_fold_write *write, void *context);
/* Write all counts and free the table. */
void log_fold_end(struct log_fold *, log_fold_write *write, void *context);

#endif
