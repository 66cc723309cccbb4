/* SPDX-License-Identifier: Apache-2.0 */
/* The durable format: its number, the tables that every database has, and what is refused. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* weir_schema explains itself in rows of its own, so that a reader needs nothing else. */
static const char creation[] =
	"CREATE TABLE weir_meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
	"INSERT INTO weir_meta VALUES ('format', '1');"

	"CREATE TABLE weir_table (\n"
	"  name TEXT PRIMARY KEY, schema TEXT NOT NULL, revision INTEGER NOT NULL,\n"
	"  entity INTEGER NOT NULL\n"
	") WITHOUT ROWID;"

	"CREATE TABLE weir_column (\n"
	"  table_name TEXT NOT NULL, position INTEGER NOT NULL, column_name TEXT NOT NULL,\n"
	"  type TEXT NOT NULL, kind TEXT NOT NULL, unit TEXT, help TEXT,\n"
	"  divisor INTEGER NOT NULL, modulus INTEGER NOT NULL,\n"
	"  PRIMARY KEY (table_name, position)\n"
	") WITHOUT ROWID;"

	"CREATE TABLE weir_claim (\n"
	"  source TEXT PRIMARY KEY, epoch INTEGER NOT NULL, holder TEXT NOT NULL,\n"
	"  lease_until INTEGER NOT NULL\n"
	") WITHOUT ROWID;"

	"CREATE TABLE weir_mark (\n"
	"  source TEXT NOT NULL, item TEXT NOT NULL, identity TEXT NOT NULL, data BLOB NOT NULL,\n"
	"  PRIMARY KEY (source, item)\n"
	");"
	"CREATE INDEX weir_index_mark_identity ON weir_mark (identity) WHERE identity <> '';"

	"CREATE TABLE weir_deleted (\n"
	"  schema TEXT NOT NULL, key BLOB NOT NULL, version INTEGER NOT NULL,\n"
	"  updated INTEGER NOT NULL, weir_incarnation INTEGER NOT NULL,\n"
	"  weir_sequence INTEGER NOT NULL,\n"
	"  PRIMARY KEY (schema, key)\n"
	") WITHOUT ROWID;"

	/* No index over column_name: the rows of a schema come in the order of its columns unasked. */
	"CREATE TABLE weir_schema (\n"
	"  schema TEXT NOT NULL, column_name TEXT NOT NULL, type TEXT NOT NULL, kind TEXT NOT NULL,\n"
	"  unit TEXT, help TEXT\n"
	");"
	"CREATE INDEX weir_index_schema ON weir_schema (schema);"
	"INSERT INTO weir_schema (schema, column_name, type, kind, help) VALUES"
	" ('weir_schema', 'schema', 'str', 'key', 'name of the table or view'),"
	" ('weir_schema', 'column_name', 'str', 'key', 'name; rows stand in the order of the columns'),"
	" ('weir_schema', 'type', 'str', 'label',"
	" 'u64, i64, time and bool are integers, f64 is real, str is text, bytes is a blob;"
	" a u64 above 2^63-1 keeps its 64 bits and so reads as a negative number: add 2^64;"
	" time is microseconds since 1970 in UTC; bool is 0 or 1; missing and not-a-number are NULL'),"
	" ('weir_schema', 'kind', 'str', 'label',"
	" 'key, counter (only grows, save for resets), gauge or label'),"
	" ('weir_schema', 'unit', 'str', 'label',"
	" 'unit in UCUM spelling (s By 1 J Hz Cel W); text has none'),"
	" ('weir_schema', 'help', 'str', 'label', 'what the column means')";

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

int
format_check_head(const struct store *store, struct weir_err *err)
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

int
format_check(struct store *store, struct weir_err *err)
{
	int64_t application = 0;
	int64_t version = 0;
	int64_t tables = 0;
	int rc = database_number(store, "PRAGMA application_id", &application, err);
	if (!rc)
		rc = database_number(store, "PRAGMA user_version", &version, err);
	if (!rc)
		rc = database_number(store, "SELECT count(*) FROM sqlite_master", &tables, err);
	if (rc)
		return rc;
	if (application == 0 && version == 0 && tables == 0 && !store->read_only)
		return create(store, err);
	return refuse_format(store, application, version, err);
}
