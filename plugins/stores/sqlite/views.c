/* SPDX-License-Identifier: Apache-2.0 */
/* What readers see of several tables of one schema: a view with all their columns by name, and one
 * row of weir_schema for each. */
#include "store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where a column stands: what a series begins with, keys, columns, what an entity ends with. */
static int
rank(const struct shape *shape, const struct weir_column *column)
{
	static const char *const head[] = { "time", "cluster", "host", "source" };
	static const char *const tail[] = { "version", "updated", "weir_incarnation", "weir_sequence" };
	for (size_t i = 0; i < 4; i++)
		if (strcmp(column->name, shape->entity ? tail[i] : head[i]) == 0 &&
			column->role != WEIR_KEY)
			return shape->entity ? 3 : 0;
	return column->role == WEIR_KEY ? 1 : 2;
}

/* What a column is over all tables: NUMBER when integers and reals meet, MIXED when no type holds
 * all. */
enum blend { PURE, NUMBER, TEXT, MIXED };

struct seen {
	const struct weir_column *column; /* of the latest table that has it */
	enum blend blend;
};

static bool
is_number(enum weir_type type)
{
	return type != WEIR_STR && type != WEIR_BYTES;
}

static enum blend
blend_of(const struct revisions *revisions, const char *name)
{
	enum weir_type first = 0;
	enum blend blend = PURE;
	for (size_t r = 0; r < revisions->n; r++) {
		int at = shape_find(&revisions->shape[r], name);
		enum weir_type type = at < 0 ? first : revisions->shape[r].column[at].type;
		if (!first)
			first = type;
		if (type == first || strcmp(sql_type(type), sql_type(first)) == 0)
			continue;
		if (type == WEIR_BYTES || first == WEIR_BYTES)
			blend = MIXED;
		else if (blend != MIXED)
			blend = is_number(type) && is_number(first) && blend != TEXT ? NUMBER : TEXT;
	}
	return blend;
}

/* All columns in the order in which readers get them. */
static size_t
collect(const struct revisions *revisions, struct seen *seen)
{
	size_t n = 0;
	for (int wanted = 0; wanted < 4; wanted++)
		for (size_t r = 0; r < revisions->n; r++)
			for (size_t i = 0; i < revisions->shape[r].n; i++) {
				const struct weir_column *column = &revisions->shape[r].column[i];
				bool known = rank(&revisions->shape[r], column) != wanted;
				for (size_t newer = 0; !known && newer < n; newer++)
					known = strcmp(seen[newer].column->name, column->name) == 0;
				if (!known)
					seen[n++] = (struct seen){ column, blend_of(revisions, column->name) };
			}
	return n;
}

static void
append_cell(sqlite3_str *text, const struct shape *shape, const struct seen *seen)
{
	const char *name = seen->column->name;
	int at = shape_find(shape, name);
	if (at < 0) {
		sqlite3_str_appendf(text, "NULL AS \"%w\"", name);
		return;
	}
	enum weir_type type = shape->column[at].type;
	/* The 64 bits of an unsigned number are one with a sign to sqlite. */
	if (seen->blend == NUMBER && type == WEIR_U64)
		sqlite3_str_appendf(text,
			"CAST(\"%w\" AS REAL) + (\"%w\" < 0) * 18446744073709551616.0 AS \"%w\"", name, name,
			name);
	else if (seen->blend == TEXT && type == WEIR_U64)
		sqlite3_str_appendf(text,
			"CASE WHEN \"%w\" NOT NULL THEN printf('%%llu', \"%w\") END AS \"%w\"", name, name,
			name);
	else if (seen->blend == NUMBER || seen->blend == TEXT)
		sqlite3_str_appendf(text, "CAST(\"%w\" AS %s) AS \"%w\"", name,
			seen->blend == NUMBER ? "REAL" : "TEXT", name);
	else
		sqlite3_str_appendf(text, "\"%w\"", name);
}

static char *
view_text(struct store *store, const char *schema, const struct revisions *revisions,
	const struct seen *seen, size_t n)
{
	sqlite3_str *text = sqlite3_str_new(store->db);
	sqlite3_str_appendf(text, "DROP VIEW IF EXISTS \"%w\"; CREATE VIEW \"%w\" AS", schema, schema);
	for (size_t r = 0; r < revisions->n; r++) {
		sqlite3_str_appendall(text, r ? "\nUNION ALL SELECT " : "\nSELECT ");
		for (size_t i = 0; i < n; i++) {
			if (i)
				sqlite3_str_appendall(text, ", ");
			append_cell(text, &revisions->shape[r], &seen[i]);
		}
		sqlite3_str_appendf(text, " FROM \"%w\"", revisions->shape[r].table);
	}
	return sqlite3_str_finish(text);
}

static int
make_view(struct store *store, const char *schema, const struct revisions *revisions,
	const struct seen *seen, size_t n, struct weir_err *err)
{
	for (size_t r = 0; r < revisions->n; r++)
		if (strcmp(revisions->shape[r].table, schema) == 0)
			return 0;
	char *sql = view_text(store, schema, revisions, seen, n);
	if (!sql)
		return weir_fail(err, -ENOMEM, "cannot make the view '%s'", schema);
	int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
	sqlite3_free(sql);
	if ((code & 0xff) == SQLITE_ERROR)
		return weir_failx(
			err, -EINVAL, "cannot make the view '%s': %s", schema, sqlite3_errmsg(store->db));
	return code == SQLITE_OK ? 0 : database_fault(store, "make a view in", err);
}

static const char *
type_of(const struct seen *seen)
{
	return seen->blend == NUMBER ? "f64"
		   : seen->blend == TEXT ? "str"
								 : weir_type_name(seen->column->type);
}

static int
explain(struct store *store, const char *schema, const struct seen *seen, size_t n,
	struct weir_err *err)
{
	sqlite3_stmt *forget = NULL;
	sqlite3_stmt *insert = NULL;
	int code = sqlite3_prepare_v2(
		store->db, "DELETE FROM weir_schema WHERE schema = ?1", -1, &forget, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(store->db,
			"INSERT INTO weir_schema (schema, column_name, type, kind, unit, help)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
			-1, &insert, NULL);
	if (code == SQLITE_OK) {
		sqlite3_bind_text(forget, 1, schema, -1, SQLITE_STATIC);
		sqlite3_bind_text(insert, 1, schema, -1, SQLITE_STATIC);
		code = sqlite3_step(forget);
	}
	for (size_t i = 0; code == SQLITE_DONE && i < n; i++) {
		const struct weir_column *column = seen[i].column;
		sqlite3_reset(insert);
		sqlite3_bind_text(insert, 2, column->name, -1, SQLITE_STATIC);
		sqlite3_bind_text(insert, 3, type_of(&seen[i]), -1, SQLITE_STATIC);
		sqlite3_bind_text(insert, 4, weir_role_name(column->role), -1, SQLITE_STATIC);
		sqlite3_bind_text(insert, 5, column->unit, -1, SQLITE_STATIC);
		sqlite3_bind_text(insert, 6, column->help, -1, SQLITE_STATIC);
		code = sqlite3_step(insert);
	}
	int rc = code == SQLITE_DONE ? 0 : database_fault(store, "describe a table in", err);
	sqlite3_finalize(forget);
	sqlite3_finalize(insert);
	return rc;
}

int
views_renew(struct store *store, const char *schema, const struct revisions *revisions,
	struct weir_err *err)
{
	size_t most = 0;
	for (size_t r = 0; r < revisions->n; r++)
		most += revisions->shape[r].n;
	struct seen *seen = calloc(most + 1, sizeof(*seen));
	if (!seen)
		return weir_fail(err, -ENOMEM, "cannot describe the table of schema '%s'", schema);
	size_t n = collect(revisions, seen);
	int rc = explain(store, schema, seen, n, err);
	if (!rc)
		rc = make_view(store, schema, revisions, seen, n, err);
	free(seen);
	return rc;
}
