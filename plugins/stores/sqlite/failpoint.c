/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the points, and the end of the process at the chosen one. */
#include "failpoint.h"

#ifdef WEIR_FAILPOINTS

#include <signal.h>
#include <stdlib.h>
#include <string.h>

const char *const failpoint_names[FAILPOINTS] = {
	[SQLITE_AFTER_CREATE] = "sqlite-after-create",
	[SQLITE_AFTER_BEGIN] = "sqlite-after-begin",
	[SQLITE_AFTER_TABLE] = "sqlite-after-table",
	[SQLITE_AFTER_ROW] = "sqlite-after-row",
	[SQLITE_AFTER_WRITE] = "sqlite-after-write",
	[SQLITE_AFTER_MARK] = "sqlite-after-mark",
	[SQLITE_BEFORE_COMMIT] = "sqlite-before-commit",
	[SQLITE_AFTER_COMMIT] = "sqlite-after-commit",
	[SQLITE_AFTER_SYNC] = "sqlite-after-sync",
	[SQLITE_RETAIN] = "sqlite-retain",
	[SQLITE_AFTER_CHECKPOINT] = "sqlite-after-checkpoint",
};

void
failpoint_pass(struct crash *crash, enum failpoint point)
{
	const char *wanted = getenv("WEIR_CRASH_AT");
	if (!wanted)
		return;
	const char *name = failpoint_names[point];
	size_t length = strlen(name);
	if (strncmp(wanted, name, length) != 0 || (wanted[length] != '\0' && wanted[length] != ':'))
		return;
	uint64_t count = wanted[length] == ':' ? strtoull(wanted + length + 1, NULL, 10) : 1;
	if (++crash->passes == count)
		raise(SIGKILL);
}

#endif
