/* SPDX-License-Identifier: Apache-2.0 */
/* The store sqlite opened in a test, and its database read behind its back; whatever goes wrong
 * here ends the test. */
#ifndef WEIR_TEST_SQLITE_STORE_H
#define WEIR_TEST_SQLITE_STORE_H

#include <sqlite3.h>

#include <weir/plugin.h>

struct weir_ctx;

/* Each test has a folder and the path of a database in it. */
struct place {
	char *folder, *path;
};
int place_set_up(void **state);
int place_tear_down(void **state);

/* A series: key cpu (u64), user_time (count of 1/100 s), pages (u64); one row of it with pages =
 * cpu. */
extern const struct weir_schema cpu_schema;
struct weir_batch *cpu_batch(const struct weir_schema *, int64_t time, uint64_t cpu);
/* An entity of hosts: key item (str), status (str), share (f64). */
extern const struct weir_schema item_schema;
/* A schema of one key and one column, and one row of it. */
struct weir_schema two_columns(const char *name, struct weir_column columns[2]);
struct weir_batch *two_cells(
	const struct weir_schema *, int64_t time, const char *key, union weir_cell value);

/* A folder of this test alone, removed with all in it by folder_remove; from malloc. */
char *folder_make(void);
void folder_remove(char *folder);

/* `options`: name, value, name, value, NULL; may be NULL. NULL and err when open fails. */
struct weir_ctx *sqlite_try(const char *path, const char *const *options, struct weir_err *);
struct weir_ctx *sqlite_new(const char *path);
void sqlite_end(struct weir_ctx *);
void *sqlite_state(struct weir_ctx *);

int store_write(
	struct weir_ctx *, const struct weir_batch *, struct weir_tally *, struct weir_err *);
int store_commit(struct weir_ctx *, struct weir_err *);
/* Both, of one batch that is freed. */
struct weir_tally store_batch(struct weir_ctx *, struct weir_batch *);

/* Rows of a query as text: cells between '|', NULL as "~", lines ended by '\n'; from malloc. */
char *ask(const char *path, const char *sql);
/* The same, compared. */
void expect(const char *path, const char *sql, const char *rows);
/* Statements of a user of the database; the connection stays open when `keep` is given. */
void user_does(const char *path, const char *sql, sqlite3 **keep);

/*
 * Rows with each cell spelt exactly ("i-1", "f0x1p+0", "t" and "b" with hexadecimal bytes, "n"),
 * sorted, joined by newlines: of a table, and what it should be after series batches.
 */
char *exact_table(const char *path, const char *columns, const char *table);
char *exact_batches(const struct weir_batch *const *batches, size_t n);

#endif
