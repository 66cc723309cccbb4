/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Housekeeping: rows of series past keep_age and what deletes left past keep_deleted go, in small
 * transactions that neither hold the log nor keep others waiting; then the log is folded into the
 * file as far as readers allow.
 */
#include "store.h"

#include <errno.h>
#include <time.h>

/* Each call may take so long; what is left waits for the next. */
#define BUDGET_NS (2 * WEIR_SECOND)

static int64_t
mono_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * WEIR_SECOND + now.tv_nsec;
}

/* One small transaction; *gone: rows that it removed. */
static int
expire_some(
	struct store *store, sqlite3_stmt *statement, int64_t before, int *gone, struct weir_err *err)
{
	int rc = step_begin(store, err);
	if (rc)
		return rc;
	sqlite3_bind_int64(statement, 1, before);
	rc = sqlite3_step(statement) == SQLITE_DONE
			 ? 0
			 : database_fault(store, "remove old rows from", err);
	*gone = sqlite3_changes(store->db);
	sqlite3_reset(statement);
	failpoint_pass(&store->crash, SQLITE_RETAIN);
	if (!rc)
		rc = step_finish(store, err);
	if (rc)
		step_undo(store);
	return rc;
}

static int
expire(struct store *store, sqlite3_stmt *statement, int64_t before, int64_t deadline,
	struct weir_err *err)
{
	int gone = 1;
	int rc = 0;
	while (!rc && gone > 0 && mono_ns() < deadline)
		rc = expire_some(store, statement, before, &gone, err);
	return rc;
}

/* The next table of a series after `name`, from sqlite3_malloc; NULL at the end, or with *rc. */
static char *
next_table(struct store *store, const char *name, int *rc, struct weir_err *err)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(store->db,
		"SELECT name FROM weir_table WHERE NOT entity AND name > ?1"
		" AND name IN (SELECT name FROM sqlite_master WHERE type = 'table') ORDER BY name LIMIT 1",
		-1, &statement, NULL);
	if (code == SQLITE_OK) {
		sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
		code = sqlite3_step(statement);
	}
	char *next = NULL;
	if (code == SQLITE_ROW)
		next = sqlite3_mprintf("%s", sqlite3_column_text(statement, 0));
	*rc = code == SQLITE_ROW || code == SQLITE_DONE ? 0 : database_fault(store, "read", err);
	sqlite3_finalize(statement);
	return next;
}

static int
expire_table(
	struct store *store, const char *table, int64_t before, int64_t deadline, struct weir_err *err)
{
	char *sql = sqlite3_mprintf(
		"DELETE FROM \"%w\" WHERE _rowid_ IN"
		" (SELECT _rowid_ FROM \"%w\" WHERE \"time\" < ?1 ORDER BY \"time\" LIMIT 2000)",
		table, table);
	sqlite3_stmt *statement = NULL;
	int code = sql ? sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) : SQLITE_NOMEM;
	sqlite3_free(sql);
	int rc = code == SQLITE_OK ? expire(store, statement, before, deadline, err)
							   : database_fault(store, "remove old rows from", err);
	sqlite3_finalize(statement);
	return rc;
}

static int
expire_series(struct store *store, int64_t before, int64_t deadline, struct weir_err *err)
{
	int rc = 0;
	char *table = next_table(store, "", &rc, err);
	while (table && !rc) {
		rc = expire_table(store, table, before, deadline, err);
		char *next = rc ? NULL : next_table(store, table, &rc, err);
		sqlite3_free(table);
		table = next;
	}
	sqlite3_free(table);
	return rc;
}

/* PASSIVE waits for nobody. Who reads an old state keeps the log from being begun anew, not us from
 * writing. */
static int
checkpoint(struct store *store, struct weir_err *err)
{
	int code = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	failpoint_pass(&store->crash, SQLITE_AFTER_CHECKPOINT);
	if (code != SQLITE_OK && code != SQLITE_BUSY)
		return database_fault(store, "fold the log into", err);
	return 0;
}

int
retention_tend(void *state, int64_t now, struct weir_err *err)
{
	struct store *store = state;
	if (store->read_only || store->step)
		return 0;
	int rc = database_ready(store, err);
	int64_t deadline = mono_ns() + BUDGET_NS;
	if (!rc && store->keep_age > 0)
		rc = expire_series(store, now - store->keep_age / 1000, deadline, err);
	sqlite3_stmt *deleted =
		rc || !store->deletions ? NULL : database_statement(store, DELETED_EXPIRE, err);
	if (deleted)
		rc = expire(store, deleted, now - store->keep_deleted / 1000, deadline, err);
	if (!rc)
		rc = checkpoint(store, err);
	if (!rc && store->sync_due)
		rc = database_sync(store, err);
	store->sync_due = store->sync_due && rc;
	return rc;
}
