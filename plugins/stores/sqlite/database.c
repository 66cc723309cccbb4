/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection: opened, checked, made when the file is new, opened again after what a connection
 * does not survive. Also the words for what sqlite returns, and our own statements.
 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* weir_schema explains itself in rows of its own, so that a reader needs nothing else. */
static const char creation[] =
	"CREATE TABLE weir_meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
	"CREATE TABLE weir_table (name TEXT PRIMARY KEY, schema TEXT NOT NULL, revision INTEGER NOT "
	"NULL, entity INTEGER NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE TABLE weir_column (table_name TEXT NOT NULL, position INTEGER NOT NULL, column_name "
	"TEXT NOT NULL,"
	" type TEXT NOT NULL, kind TEXT NOT NULL, unit TEXT, help TEXT, divisor INTEGER NOT NULL, "
	"modulus INTEGER NOT NULL,"
	" PRIMARY KEY (table_name, position)) WITHOUT ROWID;"
	"CREATE TABLE weir_schema (schema TEXT NOT NULL, column_name TEXT NOT NULL, type TEXT NOT "
	"NULL, kind TEXT NOT NULL,"
	" unit TEXT, help TEXT);"
	/* Not over column_name: the rows of a schema then come in the order of its columns, without
	   asking. */
	"CREATE INDEX weir_index_schema ON weir_schema (schema);"
	"CREATE TABLE weir_claim (source TEXT PRIMARY KEY, epoch INTEGER NOT NULL, holder TEXT NOT "
	"NULL,"
	" lease_until INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE weir_mark (source TEXT NOT NULL, item TEXT NOT NULL, identity TEXT NOT NULL, "
	"data BLOB NOT NULL,"
	" PRIMARY KEY (source, item));"
	"CREATE INDEX weir_index_mark_identity ON weir_mark (identity) WHERE identity <> '';"
	"CREATE TABLE weir_deleted (schema TEXT NOT NULL, key BLOB NOT NULL, version INTEGER NOT NULL,"
	" updated INTEGER NOT NULL, weir_incarnation INTEGER NOT NULL, weir_sequence INTEGER NOT NULL,"
	" PRIMARY KEY (schema, key)) WITHOUT ROWID;"
	"INSERT INTO weir_meta VALUES ('format', '1');"
	"INSERT INTO weir_schema VALUES"
	" ('weir_schema', 'schema', 'str', 'key', NULL, 'name of the table or view'),"
	" ('weir_schema', 'column_name', 'str', 'key', NULL, 'name of the column; rows stand in the "
	"order of the columns'),"
	" ('weir_schema', 'type', 'str', 'label', NULL, 'u64, i64, time and bool are integers, f64 is "
	"real, str is text, bytes is"
	" a blob; a u64 above 2^63-1 keeps its 64 bits and so reads as a negative number: add 2^64; "
	"time is microseconds since 1970,"
	" UTC; bool is 0 or 1; what is missing, or not a number, is NULL'),"
	" ('weir_schema', 'kind', 'str', 'label', NULL, 'key, counter (only grows, save for resets), "
	"gauge or label'),"
	" ('weir_schema', 'unit', 'str', 'label', NULL, 'unit in UCUM spelling: s By 1 J Hz Cel W; "
	"NULL for text'),"
	" ('weir_schema', 'help', 'str', 'label', NULL, 'what the column means');";

static const char *const texts[STATEMENTS] = {
	[BEGIN_STEP] = "BEGIN IMMEDIATE",
	[COMMIT_STEP] = "COMMIT",
	[ROLLBACK_STEP] = "ROLLBACK",
	[SAVEPOINT] = "SAVEPOINT weir",
	[RELEASE] = "RELEASE weir",
	[ROLLBACK_TO] = "ROLLBACK TO weir",
	[CLAIM_READ] = "SELECT epoch FROM weir_claim WHERE source = ?1",
	[CLAIM_WRITE] = "INSERT OR REPLACE INTO weir_claim (source, epoch, holder, lease_until) VALUES "
					"(?1, ?2, ?3, ?4)",
	[CLAIM_RENEW] =
		"INSERT INTO weir_claim (source, epoch, lease_until, holder) VALUES (?1, ?2, ?3, '')"
		" ON CONFLICT (source) DO UPDATE SET epoch = excluded.epoch, lease_until = "
		"excluded.lease_until",
	[MARKS_OF_SOURCE] =
		"SELECT source, item, identity, data FROM weir_mark WHERE source = ?1 ORDER BY item",
	[MARKS_OF_IDENTITY] =
		"SELECT source, item, identity, data FROM weir_mark WHERE identity = ?1 AND identity <> ''"
		" ORDER BY source, item",
	[MARK_WRITE] = "INSERT INTO weir_mark (source, item, identity, data) VALUES (?1, ?2, ?3, ?4)"
				   " ON CONFLICT (source, item) DO UPDATE SET identity = excluded.identity, data = "
				   "excluded.data",
	[MARK_FORGET] = "DELETE FROM weir_mark WHERE source = ?1 AND item = ?2",
	[DELETED_READ] = "SELECT version, weir_incarnation, weir_sequence FROM weir_deleted WHERE "
					 "schema = ?1 AND key = ?2",
	[DELETED_WRITE] = "INSERT OR REPLACE INTO weir_deleted (schema, key, version, updated, "
					  "weir_incarnation, weir_sequence)"
					  " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[DELETED_FORGET] = "DELETE FROM weir_deleted WHERE schema = ?1 AND key = ?2",
	[DELETED_ANY] = "SELECT EXISTS (SELECT 1 FROM weir_deleted)",
	/* Without a rowid the key itself selects; the limit keeps one transaction small. */
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

static int
read_number(struct store *store, const char *sql, int64_t *number, struct weir_err *err)
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

static int
refuse_format(const struct store *store, int64_t application, int64_t version, struct weir_err *err)
{
	if (application != APPLICATION_ID)
		return weir_failx(
			err, -EINVAL, "'%s' is a database of another program: name a new file", store->file);
	if (version > FORMAT_VERSION)
		return weir_failx(err, -ENOTSUP,
			"'%s' has format %lld, this program knows up to %d: use a newer one (nothing was "
			"changed)",
			store->file, (long long)version, FORMAT_VERSION);
	return version == FORMAT_VERSION ? 0
									 : weir_failx(err, -EINVAL, "'%s' has the unknown format %lld",
										   store->file, (long long)version);
}

static int64_t
big_endian(const unsigned char *at)
{
	return (int64_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

/*
 * The head of the file, before sqlite sees it: even reading through sqlite may fold a left
 * write-ahead log into the file, and a newer format must stay untouched. Numbers never wait in the
 * log: they are written before the log is turned on.
 */
static int
check_head(const struct store *store, struct weir_err *err)
{
	unsigned char head[100];
	struct stat status;
	int fd = open(store->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0 : weir_fail(err, -errno, "cannot open '%s'", store->file);
	ssize_t size =
		fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) ? -1 : pread(fd, head, sizeof(head), 0);
	close(fd);
	if (size == 0)
		return 0;
	if (size < (ssize_t)sizeof(head) || memcmp(head, "SQLite format 3", 16) != 0)
		return weir_failx(
			err, -EINVAL, "'%s' is no SQLite database: name another file", store->file);
	int64_t version = big_endian(head + 60);
	int64_t application = big_endian(head + 68);
	return version == 0 && application == 0 ? 0 : refuse_format(store, application, version, err);
}

static int
create(struct store *store, struct weir_err *err)
{
	int rc = database_execute(store, "BEGIN IMMEDIATE", err);
	if (!rc)
		rc = database_execute(store, creation, err);
	char numbers[80];
	sqlite3_snprintf(sizeof(numbers), numbers,
		"PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION_ID, FORMAT_VERSION);
	if (!rc)
		rc = database_execute(store, numbers, err);
	if (!rc)
		rc = database_execute(store, "COMMIT", err);
	if (!rc)
		failpoint_pass(&store->crash, SQLITE_AFTER_CREATE);
	return rc;
}

/* Is this ours, or new and then made ours? */
static int
check_format(struct store *store, struct weir_err *err)
{
	int64_t application = 0;
	int64_t version = 0;
	int64_t tables = 0;
	int rc = read_number(store, "PRAGMA application_id", &application, err);
	if (!rc)
		rc = read_number(store, "PRAGMA user_version", &version, err);
	if (!rc)
		rc = read_number(store, "SELECT count(*) FROM sqlite_master", &tables, err);
	if (rc)
		return rc;
	if (application == 0 && version == 0 && tables == 0 && !store->read_only)
		return create(store, err);
	return refuse_format(store, application, version, err);
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
		"PRAGMA journal_size_limit = 16777216; PRAGMA legacy_alter_table = ON; PRAGMA "
		"secure_delete = OFF;"
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
	int rc = check_format(store, err);
	int64_t any = 0;
	if (!rc && !store->read_only)
		rc = set_up(store, err);
	if (!rc)
		rc = read_number(store, "SELECT EXISTS (SELECT 1 FROM weir_deleted)", &any, err);
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
	int rc = check_head(store, err);
	if (!rc)
		rc = open_connection(store, err);
	if (rc)
		database_close(store);
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
