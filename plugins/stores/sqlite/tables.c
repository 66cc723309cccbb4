/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of a schema. The first is called like the schema. A new column is added to it; a
 * column of another type, or another set of keys, makes a further table (a revision) beside it:
 * weir_r1_NAME, weir_r2_NAME, with a view NAME over all. An entity that got a column later also has
 * such a view, so that `version, updated` stay the last columns.
 */
#include "store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sqlite3_stmt *
prepare(struct store *store, const char *sql, const char *text, struct weir_err *err)
{
	sqlite3_stmt *statement = NULL;
	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK) {
		database_fault(store, "read", err);
		return NULL;
	}
	sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
	return statement;
}

static int
finish(struct store *store, sqlite3_stmt *statement, int code, struct weir_err *err)
{
	int rc = code == SQLITE_DONE ? 0 : database_fault(store, "use the tables of", err);
	sqlite3_finalize(statement);
	return rc;
}

/* ---- reading ---- */

static const char *
copy_text(sqlite3_stmt *statement, int column, bool *failed)
{
	const unsigned char *text = sqlite3_column_text(statement, column);
	char *copy = text ? strdup((const char *)text) : NULL;
	*failed = *failed || (text && !copy);
	return copy;
}

static enum weir_type
type_named(const char *name)
{
	for (enum weir_type type = WEIR_U64; type <= WEIR_BYTES; type++)
		if (strcmp(weir_type_name(type), name) == 0)
			return type;
	return 0;
}

static enum weir_role
role_named(const char *name)
{
	for (enum weir_role role = WEIR_KEY; role <= WEIR_LABEL; role++)
		if (strcmp(weir_role_name(role), name) == 0)
			return role;
	return 0;
}

static int
grow(struct shape *shape)
{
	struct weir_column *column = realloc(shape->column, (shape->n + 1) * sizeof(*column));
	if (!column)
		return -ENOMEM;
	shape->column = column;
	shape->column[shape->n++] = (struct weir_column){ 0 };
	return 0;
}

static int
load_columns(struct store *store, struct shape *shape, struct weir_err *err)
{
	/* Who drops a column by hand has dropped it for us too. */
	sqlite3_stmt *statement = prepare(store,
		"SELECT column_name, type, kind, unit, help, divisor, modulus FROM weir_column WHERE "
		"table_name = ?1"
		" AND column_name IN (SELECT name FROM pragma_table_info(?1)) ORDER BY position",
		shape->table, err);
	if (!statement)
		return err->code;
	bool failed = false;
	int code = SQLITE_ROW;
	while (!failed && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		if (grow(shape) < 0) {
			failed = true;
			break;
		}
		struct weir_column *column = &shape->column[shape->n - 1];
		column->name = copy_text(statement, 0, &failed);
		column->type = type_named((const char *)sqlite3_column_text(statement, 1));
		column->role = role_named((const char *)sqlite3_column_text(statement, 2));
		column->unit = copy_text(statement, 3, &failed);
		column->help = copy_text(statement, 4, &failed);
		column->divisor = sqlite3_column_int64(statement, 5);
		column->modulus = (uint64_t)sqlite3_column_int64(statement, 6);
		shape->keys += column->role == WEIR_KEY;
	}
	if (failed) {
		sqlite3_finalize(statement);
		return weir_fail(err, -ENOMEM, "cannot read the tables of '%s'", store->file);
	}
	return finish(store, statement, code, err);
}

static struct shape *
append_shape(struct revisions *revisions)
{
	struct shape *shape = realloc(revisions->shape, (revisions->n + 1) * sizeof(*shape));
	if (!shape)
		return NULL;
	revisions->shape = shape;
	shape[revisions->n] = (struct shape){ 0 };
	return &shape[revisions->n++];
}

int
revisions_load(
	struct store *store, const char *schema, struct revisions *revisions, struct weir_err *err)
{
	*revisions = (struct revisions){ 0 };
	sqlite3_stmt *statement = prepare(store,
		"SELECT name, revision, entity FROM weir_table WHERE schema = ?1"
		" AND name IN (SELECT name FROM sqlite_master WHERE type = 'table') ORDER BY revision DESC",
		schema, err);
	if (!statement)
		return err->code;
	int code = SQLITE_ROW;
	int rc = 0;
	while (!rc && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		struct shape *shape = append_shape(revisions);
		if (!shape) {
			rc = weir_fail(err, -ENOMEM, "cannot read the tables of '%s'", store->file);
			break;
		}
		sqlite3_snprintf(
			sizeof(shape->table), shape->table, "%s", sqlite3_column_text(statement, 0));
		shape->revision = sqlite3_column_int(statement, 1);
		shape->entity = sqlite3_column_int(statement, 2);
		rc = load_columns(store, shape, err);
	}
	if (rc) {
		sqlite3_finalize(statement);
		return rc;
	}
	return finish(store, statement, code, err);
}

void
revisions_free(struct revisions *revisions)
{
	for (size_t i = 0; i < revisions->n; i++) {
		struct shape *shape = &revisions->shape[i];
		for (size_t k = 0; k < shape->n; k++) {
			free((char *)(uintptr_t)shape->column[k].name);
			free((char *)(uintptr_t)shape->column[k].unit);
			free((char *)(uintptr_t)shape->column[k].help);
		}
		free(shape->column);
	}
	free(revisions->shape);
	*revisions = (struct revisions){ 0 };
}

/* ---- changing ---- */

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
	sqlite3_stmt *statement = prepare(store,
		"INSERT OR REPLACE INTO weir_column (table_name, position, column_name, type, kind, unit, "
		"help, divisor, modulus)"
		" VALUES (?1, (SELECT count(*) FROM weir_column WHERE table_name = ?1), ?2, ?3, ?4, ?5, "
		"?6, ?7, ?8)",
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
	return finish(store, statement, sqlite3_step(statement), err);
}

static int
record_table(
	struct store *store, const char *schema, const struct shape *shape, struct weir_err *err)
{
	/* What a table of this name, dropped by hand, has left. */
	sqlite3_stmt *statement =
		prepare(store, "DELETE FROM weir_column WHERE table_name = ?1", shape->table, err);
	if (!statement || finish(store, statement, sqlite3_step(statement), err))
		return err->code;
	statement = prepare(store,
		"INSERT OR REPLACE INTO weir_table (name, schema, revision, entity) VALUES (?1, ?2, ?3, "
		"?4)",
		shape->table, err);
	if (!statement)
		return err->code;
	sqlite3_bind_text(statement, 2, schema, -1, SQLITE_STATIC);
	sqlite3_bind_int(statement, 3, shape->revision);
	sqlite3_bind_int(statement, 4, shape->entity);
	return finish(store, statement, sqlite3_step(statement), err);
}

static int
create_table(
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

static int
create_indexes(struct store *store, const struct weir_schema *schema, const struct shape *shape,
	struct weir_err *err)
{
	int rc = shape->entity ? 0 : create_index(store, schema->name, shape, "time", err);
	for (const char *const *hint = schema->indexes; !rc && hint && *hint; hint++)
		rc = create_index(store, schema->name, shape, *hint, err);
	return rc;
}

/* The table that bears the schema's own name makes room for a view. */
static int
rename_plain(
	struct store *store, const char *schema, struct revisions *revisions, struct weir_err *err)
{
	for (size_t i = 0; i < revisions->n; i++) {
		struct shape *shape = &revisions->shape[i];
		if (strcmp(shape->table, schema) != 0)
			continue;
		char former[sizeof(shape->table)];
		strcpy(former, shape->table);
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

static int
add_column(struct store *store, const char *schema, struct shape *shape,
	const struct weir_column *wanted, struct weir_err *err)
{
	sqlite3_str *text = sqlite3_str_new(store->db);
	sqlite3_str_appendf(text, "ALTER TABLE \"%w\" ADD COLUMN \"%w\" %s", shape->table, wanted->name,
		sql_type(wanted->type));
	int rc = define(store, text, schema, err);
	if (rc)
		return rc;
	bool good = grow(shape) == 0;
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

/* ---- fitting ---- */

static bool
compatible(const struct shape *table, const struct shape *wanted)
{
	if (!shape_same_keys(table, wanted))
		return false;
	for (size_t i = 0; i < wanted->n; i++) {
		int at = shape_find(table, wanted->column[i].name);
		if (at >= 0 &&
			(table->column[at].type != wanted->column[i].type ||
				(table->column[at].role == WEIR_KEY) != (wanted->column[i].role == WEIR_KEY)))
			return false;
	}
	return true;
}

/* Text has no unit, so a number that was text (a change of type) is none. */
static bool
units_clash(const struct weir_column *a, const struct weir_column *b)
{
	return a->unit && *a->unit && b->unit && *b->unit && strcmp(a->unit, b->unit) != 0;
}

static int
check_units(const struct revisions *revisions, const char *schema, const struct shape *wanted,
	struct weir_err *err)
{
	for (size_t r = 0; r < revisions->n; r++)
		for (size_t i = 0; i < wanted->n; i++) {
			const struct weir_column *column = &wanted->column[i];
			int at = shape_find(&revisions->shape[r], column->name);
			const struct weir_column *stored = at < 0 ? column : &revisions->shape[r].column[at];
			if (units_clash(column, stored))
				return weir_failx(err, -EINVAL,
					"column '%s' of schema '%s' comes in '%.20s' and is stored in '%.20s':"
					" another unit needs another name",
					column->name, schema, column->unit, stored->unit);
		}
	return 0;
}

static bool
lacks(const struct shape *table, const struct shape *wanted)
{
	for (size_t i = 0; i < wanted->n; i++)
		if (shape_find(table, wanted->column[i].name) < 0)
			return true;
	return false;
}

static int
widen(struct store *store, const char *schema, struct revisions *revisions, size_t found,
	const struct shape *wanted, struct weir_err *err)
{
	struct shape *shape = &revisions->shape[found];
	int rc = shape->entity ? rename_plain(store, schema, revisions, err) : 0;
	for (size_t i = 0; !rc && i < wanted->n; i++)
		if (shape_find(shape, wanted->column[i].name) < 0)
			rc = add_column(store, schema, shape, &wanted->column[i], err);
	return rc;
}

static int
add_revision(struct store *store, const char *schema, struct revisions *revisions,
	const struct shape *wanted, struct weir_err *err)
{
	int rc = rename_plain(store, schema, revisions, err);
	if (rc)
		return rc;
	struct shape table = *wanted;
	table.revision = revisions->n ? revisions->shape[0].revision + 1 : 1;
	if (revisions->n)
		sqlite3_snprintf(sizeof(table.table), table.table, "weir_r%d_%s", table.revision, schema);
	else
		sqlite3_snprintf(sizeof(table.table), table.table, "%s", schema);
	rc = create_table(store, schema, &table, err);
	if (!rc)
		rc = record_table(store, schema, &table, err);
	for (size_t i = 0; !rc && i < table.n; i++)
		rc = record_column(store, &table, i, err);
	if (rc)
		return rc;
	revisions_free(revisions);
	return revisions_load(store, schema, revisions, err);
}

static int
explain_column(struct store *store, const struct shape *shape, struct weir_column *column,
	const char *help, struct weir_err *err)
{
	char *copy = strdup(help);
	if (!copy)
		return weir_fail(err, -ENOMEM, "cannot describe the table '%s'", shape->table);
	free((char *)(uintptr_t)column->help);
	column->help = copy;
	sqlite3_stmt *statement = prepare(store,
		"UPDATE weir_column SET help = ?2 WHERE table_name = ?1 AND column_name = ?3", shape->table,
		err);
	if (!statement)
		return err->code;
	sqlite3_bind_text(statement, 2, help, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 3, column->name, -1, SQLITE_STATIC);
	return finish(store, statement, sqlite3_step(statement), err);
}

/* Schemas that come over the wire have no help; a plugin of this machine may know it. */
static int
explain_columns(struct store *store, const char *schema, struct revisions *revisions, size_t found,
	const struct shape *wanted, struct weir_err *err)
{
	struct shape *shape = &revisions->shape[found];
	bool news = false;
	int rc = 0;
	for (size_t i = 0; !rc && i < wanted->n; i++) {
		const char *help = wanted->column[i].help;
		int at = shape_find(shape, wanted->column[i].name);
		const char *known = at >= 0 && shape->column[at].help ? shape->column[at].help : "";
		if (at < 0 || !help || !*help || strcmp(help, known) == 0)
			continue;
		rc = explain_column(store, shape, &shape->column[at], help, err);
		news = true;
	}
	return rc || !news ? rc : views_renew(store, schema, revisions, err);
}

static int
change(struct store *store, const struct weir_schema *schema, const struct shape *wanted,
	struct revisions *revisions, size_t found, struct weir_err *err)
{
	/* Plans of this schema may name a table that is renamed or lacks a column. */
	plans_drop_schema(store, schema->name);
	int rc = found < revisions->n ? widen(store, schema->name, revisions, found, wanted, err)
								  : add_revision(store, schema->name, revisions, wanted, err);
	if (!rc)
		rc = views_renew(store, schema->name, revisions, err);
	if (!rc)
		failpoint_pass(&store->crash, SQLITE_AFTER_TABLE);
	return rc;
}

int
revisions_fit(struct store *store, const struct weir_schema *schema, const struct shape *wanted,
	struct revisions *revisions, size_t *found, struct weir_err *err)
{
	int rc = revisions_load(store, schema->name, revisions, err);
	if (!rc)
		rc = check_units(revisions, schema->name, wanted, err);
	if (rc)
		return rc;
	size_t at = 0;
	while (at < revisions->n && !compatible(&revisions->shape[at], wanted))
		at++;
	*found = at < revisions->n ? at : 0;
	if ((rc = database_run(store, SAVEPOINT, err)))
		return rc;
	if (at == revisions->n || lacks(&revisions->shape[at], wanted))
		rc = change(store, schema, wanted, revisions, at, err);
	if (!rc)
		rc = explain_columns(store, schema->name, revisions, *found, wanted, err);
	if (!rc)
		rc = create_indexes(store, schema, &revisions->shape[*found], err);
	struct weir_err undone;
	if (rc == -EINVAL && database_run(store, ROLLBACK_TO, &undone))
		return *err = undone, undone.code;
	int released = sqlite3_get_autocommit(store->db) ? 0 : database_run(store, RELEASE, &undone);
	if (released && !rc)
		*err = undone;
	return rc ? rc : released;
}
