/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The places where a test may kill the process: all of them, so that a test can show that it has
 * tried each. Compiled in with -DWEIR_FAILPOINTS only. WEIR_CRASH_AT=csv-journal:3 ends the process
 * with SIGKILL at the third passage of csv-journal.
 */
#ifndef WEIR_CSV_FAILPOINTS_H
#define WEIR_CSV_FAILPOINTS_H

#define CSV_FAILPOINTS(POINT) \
	POINT(PART, "csv-part")             /* a part's file made, empty */ \
	POINT(WRITE, "csv-write")           /* half of a part's bytes written */ \
	POINT(WRITTEN, "csv-written")       /* all parts written, journal not yet */ \
	POINT(SYNCED, "csv-synced")         /* parts on disk, journal not yet */ \
	POINT(JOURNAL, "csv-journal")       /* half of a journal entry written */ \
	POINT(JOURNALED, "csv-journaled")   /* the entry written, the caller not told */ \
	POINT(REWRITE, "csv-rewrite")       /* a new journal beside the old */ \
	POINT(REWRITTEN, "csv-rewritten")   /* the new journal in its place, folder not synced */ \
	POINT(COMPRESS, "csv-compress")     /* a part compressed in part */ \
	POINT(COMPRESSED, "csv-compressed") /* wholly, under a temporary name */ \
	POINT(REPLACED, "csv-replaced")     /* in its place, the plain part still there */ \
	POINT(REMOVED, "csv-removed")       /* the plain part gone */ \
	POINT(RETAIN, "csv-retain")         /* one old part removed */ \
	POINT(TRUNCATE, "csv-truncate")     /* recovery: one part cut */ \
	POINT(SWEEP, "csv-sweep")           /* recovery: one file removed */

#define CSV_FAILPOINT_NUMBER(name, text) CSV_AT_##name,
enum csv_failpoint { CSV_FAILPOINTS(CSV_FAILPOINT_NUMBER) CSV_FAILPOINTS_N };

#ifdef WEIR_FAILPOINTS
#include <stdbool.h>

struct csv;
/* Is this the passage to die at? Counts it. */
bool csv_failpoint_due(struct csv *, enum csv_failpoint);
void csv_failpoint(struct csv *, enum csv_failpoint);
#else
#define csv_failpoint_due(csv, point) false
#define csv_failpoint(csv, point) ((void)0)
#endif

#endif
