/* SPDX-License-Identifier: Apache-2.0 */
/* The CSV store as one unit, with its failpoints, for tests that kill it. */
#ifndef WEIR_FAILPOINTS
#define WEIR_FAILPOINTS
#endif

#include "plugins/stores/csv/bytes.c"
#include "plugins/stores/csv/compress.c"
#include "plugins/stores/csv/csv.c"
#include "plugins/stores/csv/failpoints.c"
#include "plugins/stores/csv/journal.c"
#include "plugins/stores/csv/marks.c"
#include "plugins/stores/csv/part.c"
#include "plugins/stores/csv/recover.c"
#include "plugins/stores/csv/retain.c"
#include "plugins/stores/csv/table.c"
#include "plugins/stores/csv/walk.c"
#include "plugins/stores/csv/writer.c"
