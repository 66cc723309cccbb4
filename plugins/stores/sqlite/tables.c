/* SPDX-License-Identifier: Apache-2.0 */
/* Tables made, widened, renamed, indexed, and what weir_table and weir_column keep of them. */
#include "store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What sqlite cannot make (too many columns, a name that the user has given to something else) is
 * no fault of the database. */
static int
define(struct store *store, sqlite3_str *text, const char *schema, struct weir_err *err)
{
	char *sql = sqlite3_str_finish(text);
	if (!sql)
		return weir_fail(err, -ENOMEM, "cannot make the table of schema '%s'", schema);
	int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
	sqlite3_free(sql);
	if (code == SQLITE_OK)
		return 0;
	if ((code & 0xff) == SQLITE_ERROR || (code & 0xff) == SQLITE_TOOBIG)
		return weir_failx(err, -EINVAL, "cannot make the table of schema '%s': %s", schema,
			sqlite3_errmsg(store->db));
	return database_fault(store, "make a table in", err);
}

static int
record_column(struct store *store, const struct shape *shape, size_t position, struct weir_err *err)
{
	const struct weir_column *column = &shape->column[position];
	/* What a column of this name, dropped by hand, has left. */
	sqlite3_stmt *statement = database_prepare(store,
		"DELETE FROM weir_column WHERE table_name = ?1 AND column_name = ?2", shape->table, err);
	if (!statement)
		return err->code;
	sqlite3_bind_text(statement, 2, column->name, -1, SQLITE_STATIC);
	if (database_finish(store, statement, sqlite3_step(statement), err))
		return err->code;
	statement = database_prepare(store,
		"INSERT INTO weir_column (table_name, position,"
		" column_name, type, kind, unit, help, divisor, modulus) VALUES (?1,"
		" (SELECT coalesce(max(position) + 1, 0) FROM weir_column WHERE table_name = ?1),"
		" ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		shape->table, err);
	if (!statement)
		return err->code;
	sqlite3_bind_text(statement, 2, column->name, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 3, weir_type_name(column->type), -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 4, weir_role_name(column->role), -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 5, column->unit, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 6, column->help, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 7, column->divisor);
	sqlite3_bind_int64(statement, 8, (int64_t)column->modulus);
	return database_finish(store, statement, sqlite3_step(statement), err);
}

static int
record_table(
	struct store *store, const char *schema, const struct shape *shape, struct weir_err *err)
{
	/* What a table of this name, dropped by hand, has left. */
	sqlite3_stmt *statement =
		database_prepare(store, "DELETE FROM weir_column WHERE table_name = ?1", shape->table, err);
	if (!statement || database_finish(store, statement, sqlite3_step(statement), err))
		return err->code;
	statement = database_prepare(store,
		"INSERT OR REPLACE INTO weir_table (name, schema, revision, entity)"
		" VALUES (?1, ?2, ?3, ?4)",
		shape->table, err);
	if (!statement)
		return err->code;
	sqlite3_bind_text(statement, 2, schema, -1, SQLITE_STATIC);
	sqlite3_bind_int(statement, 3, shape->revision);
	sqlite3_bind_int(statement, 4, shape->entity);
	return database_finish(store, statement, sqlite3_step(statement), err);
}

static int
define_table(
	struct store *store, const char *schema, const struct shape *shape, struct weir_err *err)
{
	sqlite3_str *text = sqlite3_str_new(store->db);
	sqlite3_str_appendf(text, "CREATE TABLE \"%w\" (", shape->table);
	for (size_t i = 0; i < shape->n; i++) {
		const struct weir_column *column = &shape->column[i];
		sqlite3_str_appendf(text, "%s\n  \"%w\" %s%s", i ? "," : "", column->name,
			sql_type(column->type), shape->entity && column->role == WEIR_KEY ? " NOT NULL" : "");
	}
	if (shape->entity) {
		const char *comma = "";
		sqlite3_str_appendall(text, ",\n  PRIMARY KEY (");
		for (size_t i = 0; i < shape->n; i++) {
			if (shape->column[i].role != WEIR_KEY)
				continue;
			sqlite3_str_appendf(text, "%s\"%w\"", comma, shape->column[i].name);
			comma = ", ";
		}
		sqlite3_str_appendall(text, ")");
	}
	sqlite3_str_appendall(text, "\n)");
	return define(store, text, schema, err);
}

int
table_create(
	struct store *store, const char *schema, const struct shape *shape, struct weir_err *err)
{
	int rc = define_table(store, schema, shape, err);
	if (!rc)
		rc = record_table(store, schema, shape, err);
	for (size_t i = 0; !rc && i < shape->n; i++)
		rc = record_column(store, shape, i, err);
	return rc;
}

/* One index; `columns` is a hint such as "user_name, start_time", passed over when it does not fit
 * the table. */
static int
create_index(struct store *store, const char *schema, const struct shape *shape,
	const char *columns, struct weir_err *err)
{
	sqlite3_str *name = sqlite3_str_new(store->db);
	sqlite3_str *list = sqlite3_str_new(store->db);
	bool good = *columns != '\0';
	for (const char *at = columns; good && *at;) {
		char column[64];
		size_t length = strcspn(at, ", ");
		sqlite3_snprintf(
			sizeof(column), column, "%.*s", (int)(length < sizeof(column) ? length : 0), at);
		good = shape_find(shape, column) >= 0;
		sqlite3_str_appendf(name, "_%s", column);
		sqlite3_str_appendf(list, "%s\"%w\"", at == columns ? "" : ", ", column);
		at += length + strspn(at + length, ", ");
	}
	char *name_text = sqlite3_str_finish(name);
	char *list_text = sqlite3_str_finish(list);
	int rc = 0;
	if (good && name_text && list_text) {
		sqlite3_str *text = sqlite3_str_new(store->db);
		sqlite3_str_appendf(text,
			"CREATE INDEX IF NOT EXISTS \"weir_index_r%d_%w%w\" ON \"%w\" (%s)", shape->revision,
			schema, name_text, shape->table, list_text);
		rc = define(store, text, schema, err);
	}
	sqlite3_free(name_text);
	sqlite3_free(list_text);
	return rc;
}

/*
 * Series are read by time and shortened by age. The index costs about 0.6 us a row, 40 % of the
 * insert into a narrow table; without it each range of time reads the table from its beginning.
 */
int
table_create_indexes(struct store *store, const struct weir_schema *schema,
	const struct shape *shape, struct weir_err *err)
{
	int rc = shape->entity ? 0 : create_index(store, schema->name, shape, "time", err);
	for (const char *const *hint = schema->indexes; !rc && hint && *hint; hint++)
		rc = create_index(store, schema->name, shape, *hint, err);
	return rc;
}

int
table_rename_plain(
	struct store *store, const char *schema, struct revisions *revisions, struct weir_err *err)
{
	for (size_t i = 0; i < revisions->n; i++) {
		struct shape *shape = &revisions->shape[i];
		if (strcmp(shape->table, schema) != 0)
			continue;
		char former[sizeof(shape->table)];
		memcpy(former, shape->table, sizeof(former));
		sqlite3_snprintf(
			sizeof(shape->table), shape->table, "weir_r%d_%s", shape->revision, schema);
		sqlite3_str *text = sqlite3_str_new(store->db);
		sqlite3_str_appendf(text,
			"ALTER TABLE \"%w\" RENAME TO \"%w\"; UPDATE weir_table SET name = %Q WHERE name = %Q;"
			"UPDATE weir_column SET table_name = %Q WHERE table_name = %Q",
			former, shape->table, shape->table, former, shape->table, former);
		return define(store, text, schema, err);
	}
	return 0;
}

int
table_add_column(struct store *store, const char *schema, struct shape *shape,
	const struct weir_column *wanted, struct weir_err *err)
{
	sqlite3_str *text = sqlite3_str_new(store->db);
	sqlite3_str_appendf(text, "ALTER TABLE \"%w\" ADD COLUMN \"%w\" %s", shape->table, wanted->name,
		sql_type(wanted->type));
	int rc = define(store, text, schema, err);
	if (rc)
		return rc;
	bool good = shape_grow(shape) == 0;
	struct weir_column *column = good ? &shape->column[shape->n - 1] : NULL;
	if (good) {
		*column = *wanted;
		column->name = strdup(wanted->name);
		column->unit = wanted->unit ? strdup(wanted->unit) : NULL;
		column->help = wanted->help ? strdup(wanted->help) : NULL;
		good = column->name && (column->unit || !wanted->unit) && (column->help || !wanted->help);
	}
	if (!good)
		return weir_fail(err, -ENOMEM, "cannot widen the table of schema '%s'", schema);
	return record_column(store, shape, shape->n - 1, err);
}

int
table_explain_column(struct store *store, const struct shape *shape, struct weir_column *column,
	const char *help, struct weir_err *err)
{
	char *copy = strdup(help);
	if (!copy)
		return weir_fail(err, -ENOMEM, "cannot describe the table '%s'", shape->table);
	free((char *)(uintptr_t)column->help);
	column->help = copy;
	sqlite3_stmt *statement = database_prepare(store,
		"UPDATE weir_column SET help = ?2 WHERE table_name = ?1 AND column_name = ?3", shape->table,
		err);
	if (!statement)
		return err->code;
	sqlite3_bind_text(statement, 2, help, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 3, column->name, -1, SQLITE_STATIC);
	return database_finish(store, statement, sqlite3_step(statement), err);
}
