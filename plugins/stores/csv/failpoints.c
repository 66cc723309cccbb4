/* SPDX-License-Identifier: Apache-2.0 */
/* Death on demand, for tests; empty otherwise. */
#include "csv.h"

#ifdef WEIR_FAILPOINTS

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define CSV_FAILPOINT_NAME(name, text) text,
static const char *const csv_failpoint_names[] = { CSV_FAILPOINTS(CSV_FAILPOINT_NAME) };

bool
csv_failpoint_due(struct csv *csv, enum csv_failpoint point)
{
	const char *wish = getenv("WEIR_CRASH_AT");
	size_t length = strlen(csv_failpoint_names[point]);
	if (!wish || strncmp(wish, csv_failpoint_names[point], length) != 0 ||
		(wish[length] && wish[length] != ':'))
		return false;
	unsigned long passage = wish[length] ? strtoul(wish + length + 1, NULL, 10) : 1;
	return ++csv->passages[point] == passage;
}

void
csv_failpoint(struct csv *csv, enum csv_failpoint point)
{
	if (csv_failpoint_due(csv, point))
		raise(SIGKILL);
}

#endif
