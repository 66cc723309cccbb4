/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of this store share: the state of one instance, the tables of one schema, and how
 * its rows are bound.
 *
 * Text that came from nodes is only ever bound to parameters. Names of schemas and columns are
 * checked against [a-z][a-z0-9_]{0,62} and quoted before they stand in a statement.
 */
#ifndef WEIR_STORE_SQLITE_H
#define WEIR_STORE_SQLITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include <weir/plugin.h>

#include "failpoint.h"

enum {
	FORMAT_VERSION = 1,          /* PRAGMA user_version */
	APPLICATION_ID = 0x57656972, /* PRAGMA application_id: "Weir" */
};

/* Statements that every database needs, prepared on first use; their texts stand in database.c. */
enum statement {
	BEGIN_STEP,
	COMMIT_STEP,
	ROLLBACK_STEP,
	SAVEPOINT,
	RELEASE,
	ROLLBACK_TO,
	CLAIM_READ,
	CLAIM_WRITE,
	CLAIM_RENEW,
	MARKS_OF_SOURCE,
	MARKS_OF_IDENTITY,
	MARK_WRITE,
	MARK_FORGET,
	DELETED_READ,
	DELETED_WRITE,
	DELETED_FORGET,
	DELETED_EXPIRE,
	STATEMENTS
};

struct plan;

struct store {
	const char *path;
	int64_t keep_age, keep_deleted, busy_timeout;
	uint64_t page_cache;
	bool read_only;

	struct weir_ctx *ctx;
	char *file;  /* absolute, links resolved: one file has one lock */
	int lock;    /* descriptor + 1; 0: none */
	sqlite3 *db; /* NULL: opened again on next use */
	sqlite3_stmt *statement[STATEMENTS];
	struct plan *plans; /* latest used first */
	size_t n_plans;
	bool reopen;           /* the connection is of no more use */
	bool step;             /* something was written since the last commit */
	bool lost;             /* an earlier write of this step was rolled back by sqlite itself */
	bool deletions;        /* weir_deleted may hold something */
	bool sync_due;         /* a commit could not be forced to the disk */
	struct answer *answer; /* the marks handed out last */
	struct crash crash;
};

/* ---- database.c: the connection ---- */

/* Opens or reopens; 0 when the connection is of use. */
int database_ready(struct store *, struct weir_err *);
void database_close(struct store *);
/* Our own statement, ready to be bound; NULL and err. */
sqlite3_stmt *database_statement(struct store *, enum statement, struct weir_err *);
/* Run one to its end, and make it ready for the next use. */
int database_run(struct store *, enum statement, struct weir_err *);
/* Statements without parameters and rows. */
int database_execute(struct store *, const char *sql, struct weir_err *);
/* The errno that stands for what sqlite said last, with a sentence: "cannot DOING 'FILE': ...".
 * Notes what needs a new connection. */
int database_fault(struct store *, const char *doing, struct weir_err *);
/* A row that sqlite refuses while the database itself is well. */
bool database_refuses_row(int code);
/* Force the write-ahead log to the disk. */
int database_sync(struct store *, struct weir_err *);

/* A statement for one use, its first parameter bound; NULL and err. */
sqlite3_stmt *database_prepare(
	struct store *, const char *sql, const char *parameter, struct weir_err *);
/* Its end: `code` is what its last step returned. */
int database_finish(struct store *, sqlite3_stmt *, int code, struct weir_err *);
/* The first cell of the only row. */
int database_number(struct store *, const char *sql, int64_t *number, struct weir_err *);

/* ---- format.c ---- */

/*
 * The head of the file, before sqlite sees it: even reading through sqlite may fold a left
 * write-ahead log into the file, and a newer format must stay untouched. The numbers never wait in
 * the log: they are written before the log is turned on.
 */
int format_check_head(const struct store *, struct weir_err *);
/* Is this ours, or new and then made ours? */
int format_check(struct store *, struct weir_err *);

/* ---- lock.c ---- */

/* The path with all links resolved, from malloc; makes the last folder when it is missing. */
char *path_resolve(const char *path, bool make, struct weir_err *);
/* FILE.lock, held until the descriptor is closed. -EBUSY names the holder. */
int path_lock(const char *file, const char *name, struct weir_err *);

/* ---- shape.c: all columns of a table ---- */

/* A table as it is or shall be: all its columns, those that we add included. */
struct shape {
	bool entity;
	size_t n, keys; /* keys: columns of role key */
	struct weir_column *column;
	char table[96];
	int revision;
};

/* The tables of one schema, latest revision first. */
struct revisions {
	struct shape *shape;
	size_t n;
};

/* NULL and err->code -EINVAL when rows of this schema cannot be kept, -ENOMEM. */
struct shape *shape_of_schema(const struct weir_schema *, struct weir_err *);
void shape_free(struct shape *);
int shape_find(const struct shape *, const char *name); /* -1: none */
int shape_grow(struct shape *); /* by an empty column at the end, where `column` is from malloc */
bool shape_same_keys(const struct shape *, const struct shape *);
const char *sql_type(enum weir_type);

/* ---- tables.c: single tables, and what weir_table and weir_column keep of them ---- */

/* -EINVAL: sqlite cannot have such a table; so with the others. */
int table_create(struct store *, const char *schema, const struct shape *, struct weir_err *);
int table_create_indexes(
	struct store *, const struct weir_schema *, const struct shape *, struct weir_err *);
/* The table that bears the schema's own name, if any, makes room for a view. */
int table_rename_plain(struct store *, const char *schema, struct revisions *, struct weir_err *);
int table_add_column(struct store *, const char *schema, struct shape *, const struct weir_column *,
	struct weir_err *);
int table_explain_column(struct store *, const struct shape *, struct weir_column *,
	const char *help, struct weir_err *);

/* ---- revisions.c: all tables of a schema ---- */

int revisions_load(struct store *, const char *schema, struct revisions *, struct weir_err *);
void revisions_free(struct revisions *);
/*
 * Find, widen or make the table that takes rows of this shape; *found is its place in the
 * revisions. -EINVAL: such rows cannot be kept; another error: not now.
 */
int revisions_fit(struct store *, const struct weir_schema *, const struct shape *,
	struct revisions *, size_t *found, struct weir_err *);

/* views.c: the view over several tables of one schema, and the rows of weir_schema. */
int views_renew(struct store *, const char *schema, const struct revisions *, struct weir_err *);

/* ---- plan.c: how rows of one schema are bound ---- */

enum binding { BIND_INTEGER, BIND_REAL, BIND_COUNT, BIND_TEXT, BIND_BLOB };

struct plan_column {
	enum binding binding;
	double divisor; /* of a count */
};

/* Another revision with the same keys: a key stands in one of them only. */
struct sibling {
	sqlite3_stmt *find, *remove;
};

/*
 * Parameters of `insert`: what a series begins with, or cluster and host where they are keys; the
 * columns of the schema from `first` on; version, updated, incarnation and sequence of an entity.
 * Of the other statements: the keys from 1 on.
 */
struct plan {
	struct plan *next;
	uint64_t fingerprint;
	char schema[64];
	char refusal[200]; /* not empty: no row of this schema can be kept */
	bool fresh;        /* made in this step: gone when it is rolled back */
	bool host_keys;
	int first;
	size_t n_keys, n_columns;   /* of the schema; without host keys */
	struct plan_column *column; /* [n_columns] */
	sqlite3_stmt *insert;
	/* entities */
	sqlite3_stmt *find;  /* version, incarnation, sequence, then our columns behind the keys, then
							`n_others` that we lack */
	sqlite3_stmt *touch; /* the new order of a row that stays as it is: behind the keys incarnation,
							sequence */
	sqlite3_stmt *remove;
	size_t n_others;
	struct sibling *sibling;
	size_t n_siblings;
	uint64_t key_seed; /* of the names and types of the keys */
};

/* The plan of a batch, made on first use. NULL and err. */
struct plan *plan_of_batch(struct store *, const struct weir_batch *, struct weir_err *);
void plans_drop_schema(struct store *, const char *schema);
void plans_drop_fresh(struct store *);
void plans_keep(struct store *); /* the step was committed */
void plans_drop(struct store *);

/* ---- insert.c, entity.c: rows; an error means that this write counts for nothing ---- */

int insert_series(struct store *, struct plan *, const struct weir_batch *, struct weir_tally *,
	struct weir_err *);
int upsert_entities(struct store *, struct plan *, const struct weir_batch *, int64_t now,
	struct weir_tally *, struct weir_err *);
/* A row's statement failed: 0 when the row alone is refused, else the error. */
int refuse_or_fail(
	struct store *, int code, struct weir_tally *, size_t row, struct weir_err *);

/* ---- marks.c, retention.c, query.c: the functions of the contract ---- */

int marks_claim(
	void *, const struct weir_claim *, uint64_t *epoch, struct weir_marks *, struct weir_err *);
int marks_find(void *, const char *identity, struct weir_marks *, struct weir_err *);
int marks_write(struct store *, const struct weir_commit *, struct weir_err *);
void marks_forget_answer(struct store *);
int retention_tend(void *, int64_t now, struct weir_err *);
int query_run(void *, const struct weir_query *, struct weir_err *);

/* step.c: one transaction per step. */
int step_write(
	void *, const struct weir_batch *const *, size_t n, struct weir_tally *, struct weir_err *);
int step_commit(void *, const struct weir_commit *, struct weir_err *);
int step_begin(struct store *, struct weir_err *);
void step_undo(struct store *);
int step_finish(struct store *, struct weir_err *); /* COMMIT */

#endif
