/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points at which a test kills the process: WEIR_CRASH_AT=NAME or NAME:COUNT (the COUNTth pass).
 * Only with -DWEIR_FAILPOINTS; otherwise nothing of it is compiled.
 */
#ifndef WEIR_STORE_SQLITE_FAILPOINT_H
#define WEIR_STORE_SQLITE_FAILPOINT_H

#include <stdint.h>

enum failpoint {
	SQLITE_AFTER_CREATE,
	SQLITE_AFTER_BEGIN,
	SQLITE_AFTER_TABLE,
	SQLITE_AFTER_ROW,
	SQLITE_AFTER_WRITE,
	SQLITE_AFTER_MARK,
	SQLITE_BEFORE_COMMIT,
	SQLITE_AFTER_COMMIT,
	SQLITE_AFTER_SYNC,
	SQLITE_RETAIN,
	SQLITE_AFTER_CHECKPOINT,
	FAILPOINTS
};

/* Passes of the point that the environment names. */
struct crash {
	uint64_t passes;
};

#ifdef WEIR_FAILPOINTS
extern const char *const failpoint_names[FAILPOINTS];
void failpoint_pass(struct crash *, enum failpoint);
#else
static inline void
failpoint_pass(struct crash *crash, enum failpoint point)
{
	(void)crash;
	(void)point;
}
#endif

#endif
