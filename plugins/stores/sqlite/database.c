/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection: opened, and opened again after what a connection does not survive. Also the words
 * for what sqlite returns, and our own statements.
 */
#include "store.h"

#include <errno.h>
#include <string.h>

static const char *const texts[STATEMENTS] = {
	[BEGIN_STEP] = "BEGIN IMMEDIATE",
	[COMMIT_STEP] = "COMMIT",
	[ROLLBACK_STEP] = "ROLLBACK",
	[SAVEPOINT] = "SAVEPOINT weir",
	[RELEASE] = "RELEASE weir",
	[ROLLBACK_TO] = "ROLLBACK TO weir",
	[CLAIM_READ] = "SELECT epoch FROM weir_claim WHERE source = ?1",
	[CLAIM_WRITE] = "INSERT OR REPLACE INTO weir_claim (source, epoch, holder, lease_until)"
					" VALUES (?1, ?2, ?3, ?4)",
	[CLAIM_RENEW] = "INSERT INTO weir_claim (source, epoch, lease_until, holder)"
					" VALUES (?1, ?2, ?3, '') ON CONFLICT (source) DO UPDATE"
					" SET epoch = excluded.epoch, lease_until = excluded.lease_until,"
					" holder = CASE excluded.lease_until WHEN 0 THEN '' ELSE holder END",
	[MARKS_OF_SOURCE] = "SELECT source, item, identity, data FROM weir_mark"
						" WHERE source = ?1 ORDER BY item",
	[MARKS_OF_IDENTITY] = "SELECT source, item, identity, data FROM weir_mark"
						  " WHERE identity = ?1 AND identity <> '' ORDER BY source, item",
	[MARK_WRITE] = "INSERT INTO weir_mark (source, item, identity, data)"
				   " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (source, item) DO UPDATE"
				   " SET identity = excluded.identity, data = excluded.data",
	[MARK_FORGET] = "DELETE FROM weir_mark WHERE source = ?1 AND item = ?2",
	[DELETED_READ] = "SELECT version, weir_incarnation, weir_sequence FROM weir_deleted"
					 " WHERE schema = ?1 AND key = ?2",
	[DELETED_WRITE] = "INSERT OR REPLACE INTO weir_deleted"
					  " (schema, key, version, updated, weir_incarnation, weir_sequence)"
					  " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[DELETED_FORGET] = "DELETE FROM weir_deleted WHERE schema = ?1 AND key = ?2",
	/* Small, so that one transaction is. */
	[DELETED_EXPIRE] = "DELETE FROM weir_deleted WHERE (schema, key) IN"
					   " (SELECT schema, key FROM weir_deleted WHERE updated < ?1 LIMIT 1000)",
};

/* What sqlite's primary codes mean to the caller. */
static const struct {
	int code, error;
	bool reopen;
	const char *advice;
} faults[] = {
	{ SQLITE_BUSY, -EAGAIN, false, "another program writes to it: end that transaction" },
	{ SQLITE_LOCKED, -EAGAIN, false, "another program writes to it: end that transaction" },
	{ SQLITE_FULL, -ENOSPC, false, "the disk is full: make room" },
	{ SQLITE_NOMEM, -ENOMEM, false, "out of memory" },
	{ SQLITE_READONLY, -EROFS, true,
		"it cannot be written to: check the rights of the file and its folder" },
	{ SQLITE_PERM, -EACCES, true,
		"it cannot be written to: check the rights of the file and its folder" },
	{ SQLITE_CORRUPT, -EBADMSG, true, "it is damaged: restore it or move it away" },
	{ SQLITE_NOTADB, -EBADMSG, true, "it is no SQLite database: restore it or move it away" },
};

bool
database_refuses_row(int code)
{
	int primary = code & 0xff;
	return primary == SQLITE_CONSTRAINT || primary == SQLITE_TOOBIG || primary == SQLITE_MISMATCH;
}

int
database_fault(struct store *store, const char *doing, struct weir_err *err)
{
	int primary = sqlite3_errcode(store->db) & 0xff;
	int system = sqlite3_system_errno(store->db);
	const char *words = sqlite3_errmsg(store->db);
	if ((primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN) &&
		(system == ENOSPC || system == EDQUOT))
		primary = SQLITE_FULL;
	for (size_t i = 0; i < WEIR_COUNT(faults); i++) {
		if (faults[i].code != primary)
			continue;
		store->reopen = store->reopen || faults[i].reopen;
		return weir_failx(err, faults[i].error, "cannot %s '%s': %s (%s)", doing, store->file,
			faults[i].advice, words);
	}
	store->reopen = true;
	if ((primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN) && system)
		return weir_fail(err, -system, "cannot %s '%s': %s", doing, store->file, words);
	return weir_failx(err, -EIO, "cannot %s '%s': %s", doing, store->file, words);
}

int
database_execute(struct store *store, const char *sql, struct weir_err *err)
{
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK
			   ? 0
			   : database_fault(store, "write to", err);
}

sqlite3_stmt *
database_statement(struct store *store, enum statement which, struct weir_err *err)
{
	sqlite3_stmt **statement = &store->statement[which];
	if (!*statement && sqlite3_prepare_v3(store->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT,
						   statement, NULL) != SQLITE_OK) {
		database_fault(store, "use", err);
		return NULL;
	}
	return *statement;
}

int
database_run(struct store *store, enum statement which, struct weir_err *err)
{
	sqlite3_stmt *statement = database_statement(store, which, err);
	if (!statement)
		return err ? err->code : -EIO;
	int code = SQLITE_ROW;
	while (code == SQLITE_ROW)
		code = sqlite3_step(statement);
	int rc = code == SQLITE_DONE
				 ? 0
				 : database_fault(store, which == BEGIN_STEP ? "lock" : "write to", err);
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return rc;
}

int
database_number(struct store *store, const char *sql, int64_t *number, struct weir_err *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = 0;
	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK ||
		sqlite3_step(statement) != SQLITE_ROW)
		rc = database_fault(store, "read", err);
	else
		*number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return rc;
}

/*
 * NORMAL: a commit is in the log but not forced to the disk, so power loss may cost the last
 * commits and never damages the file; commits that ask for more are forced one by one. Old names of
 * tables in the views of users shall stay as they are when a table is renamed (legacy_alter_table).
 * Debian's library would overwrite deleted rows with zeros (secure_delete).
 */
static int
set_up(struct store *store, struct weir_err *err)
{
	sqlite3_stmt *statement = NULL;
	bool wal = sqlite3_prepare_v2(store->db, "PRAGMA journal_mode = WAL", -1, &statement, NULL) ==
				   SQLITE_OK &&
			   sqlite3_step(statement) == SQLITE_ROW;
	int rc = 0;
	if (!wal)
		rc = database_fault(store, "turn on the write-ahead log of", err);
	else if (sqlite3_stricmp((const char *)sqlite3_column_text(statement, 0), "wal") != 0)
		rc = weir_failx(err, -ENOTSUP,
			"'%s' cannot have a write-ahead log: put it on a disk of this machine", store->file);
	sqlite3_finalize(statement);
	char text[300];
	sqlite3_snprintf(sizeof(text), text,
		"PRAGMA synchronous = NORMAL; PRAGMA cache_size = -%lld; PRAGMA wal_autocheckpoint = 1000;"
		"PRAGMA journal_size_limit = 16777216; PRAGMA legacy_alter_table = ON;"
		"PRAGMA secure_delete = OFF;"
		"PRAGMA temp_store = MEMORY",
		(long long)(store->page_cache / 1024));
	return rc ? rc : database_execute(store, text, err);
}

static int
open_connection(struct store *store, struct weir_err *err)
{
	int flags =
		SQLITE_OPEN_NOMUTEX |
		(store->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	int code = sqlite3_open_v2(store->file, &store->db, flags, NULL);
	if (!store->db)
		return weir_fail(err, -ENOMEM, "cannot open '%s'", store->file);
	if (code != SQLITE_OK)
		return database_fault(store, "open", err);
	sqlite3_extended_result_codes(store->db, 1);
	sqlite3_busy_timeout(store->db, (int)(store->busy_timeout / WEIR_MS));
	int rc = format_check(store, err);
	int64_t any = 0;
	if (!rc && !store->read_only)
		rc = set_up(store, err);
	if (!rc)
		rc = database_number(store, "SELECT EXISTS (SELECT 1 FROM weir_deleted)", &any, err);
	store->deletions = any;
	return rc;
}

/*
 * A file that was moved or removed under us: what we would write goes nowhere. The log's name may
 * belong to a new file by now, so the close must leave it alone.
 */
static void
notice_moved(struct store *store)
{
	int moved = 0;
	if (sqlite3_file_control(store->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK ||
		!moved)
		return;
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	store->reopen = true;
}

int
database_ready(struct store *store, struct weir_err *err)
{
	if (store->db && !store->step)
		notice_moved(store);
	if (store->db && store->reopen && !store->step)
		database_close(store);
	if (store->db)
		return 0;
	int rc = format_check_head(store, err);
	if (!rc)
		rc = open_connection(store, err);
	if (rc)
		database_close(store);
	return rc;
}

sqlite3_stmt *
database_prepare(struct store *store, const char *sql, const char *text, struct weir_err *err)
{
	sqlite3_stmt *statement = NULL;
	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK) {
		database_fault(store, "read", err);
		return NULL;
	}
	sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
	return statement;
}

int
database_finish(struct store *store, sqlite3_stmt *statement, int code, struct weir_err *err)
{
	int rc = code == SQLITE_DONE ? 0 : database_fault(store, "use the tables of", err);
	sqlite3_finalize(statement);
	return rc;
}

void
database_close(struct store *store)
{
	plans_drop(store);
	for (size_t i = 0; i < STATEMENTS; i++) {
		sqlite3_finalize(store->statement[i]);
		store->statement[i] = NULL;
	}
	sqlite3_close(store->db);
	store->db = NULL;
	store->reopen = store->step = false;
}

int
database_sync(struct store *store, struct weir_err *err)
{
	sqlite3_file *log = NULL;
	if (sqlite3_file_control(store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) != SQLITE_OK ||
		!log || !log->pMethods)
		return 0;
	if (log->pMethods->xSync(log, SQLITE_SYNC_NORMAL) == SQLITE_OK)
		return 0;
	return weir_failx(err, -EIO,
		"cannot force the log of '%s' to the disk: power loss may cost the last commits",
		store->file);
}
