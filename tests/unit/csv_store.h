/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of the CSV store share: opening one in a folder, reading its rows back, and the rows
 * that batches should give. */
#ifndef WEIR_CSV_STORE_H
#define WEIR_CSV_STORE_H

#ifndef WEIR_FAILPOINTS
#define WEIR_FAILPOINTS
#endif
#include "plugins/stores/csv/csv.h"

#include "plugin/instance.h"
#include "store_batches.h"

extern const struct weir_plugin weir_plugin;

struct store {
	struct csv csv;
	struct weir_ctx ctx;
	struct arena arena;
	struct weir_err err;
};

/* A new folder below /dev/shm (or TMPDIR), and its end. */
char *scratch_new(void);
void scratch_free(char *folder);

/* Options as the table has them; change them in store->csv, then store_open. */
struct store *store_new(const char *path);
int store_open(struct store *);
void store_free(struct store *);
int store_write(struct store *, const struct weir_batch *const *, size_t n);
int store_commit(struct store *, bool sync);
/* Write and commit one batch, which is freed, and fail the test if that fails. */
void store_put(struct store *, struct weir_batch *);

/* Rows as texts, order aside: each "schema/revision|name=value|..." with the names sorted and
 * missing ones left out. */
struct rows {
	char **row;
	size_t n, room;
};
/* Adds the rows that a batch stands for, formatted by printf. `updated` is left out: it is the
 * clock's. */
void rows_expect(struct rows *, const struct weir_batch *, unsigned revision);
/* Adds all rows in a folder. Ends the test at a record that is not whole, or has more or fewer
 * fields than its header. */
void rows_read(struct rows *, const char *path);
/* Equal, order aside. Says the first difference on standard error. */
bool rows_equal(struct rows *, struct rows *);
/* Is each of the few one of the many? */
bool rows_within(struct rows *few, struct rows *many);
void rows_free(struct rows *);

/* A file of the folder, decompressed if need be, NUL-terminated. NULL: none. */
char *file_text(const char *path, size_t *size);
/* Paths of all regular files below a folder, sorted, relative, one per line. */
char *file_list(const char *folder);
void file_copy(const char *from, const char *to);
/* A folder with all that is in it. */
void folder_copy(const char *from, const char *to);

#endif
