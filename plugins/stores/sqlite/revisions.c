/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of a schema. The first is called like the schema. A new column is added to it; a
 * column of another type, or another set of keys, makes a further table (a revision) beside it:
 * weir_r1_NAME, weir_r2_NAME, with a view NAME over all. An entity that got a column later also has
 * such a view, so that `version, updated` stay the last columns.
 */
#include "store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
load_columns(struct store *store, struct shape *shape, struct weir_err *err)
{
	/* Who drops a column by hand has dropped it for us too. */
	sqlite3_stmt *statement = database_prepare(store,
		"SELECT column_name, type, kind, unit, help, divisor, modulus FROM weir_column"
		" WHERE table_name = ?1 AND column_name IN (SELECT name FROM pragma_table_info(?1))"
		" ORDER BY position",
		shape->table, err);
	if (!statement)
		return err->code;
	bool failed = false;
	int code = SQLITE_ROW;
	while (!failed && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		if (shape_grow(shape) < 0) {
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
	return database_finish(store, statement, code, err);
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
	sqlite3_stmt *statement = database_prepare(store,
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
	return database_finish(store, statement, code, err);
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
	int rc = shape->entity ? table_rename_plain(store, schema, revisions, err) : 0;
	for (size_t i = 0; !rc && i < wanted->n; i++)
		if (shape_find(shape, wanted->column[i].name) < 0)
			rc = table_add_column(store, schema, shape, &wanted->column[i], err);
	return rc;
}

static int
add_revision(struct store *store, const char *schema, struct revisions *revisions,
	const struct shape *wanted, struct weir_err *err)
{
	int rc = table_rename_plain(store, schema, revisions, err);
	if (rc)
		return rc;
	struct shape table = *wanted;
	table.revision = revisions->n ? revisions->shape[0].revision + 1 : 1;
	if (revisions->n)
		sqlite3_snprintf(sizeof(table.table), table.table, "weir_r%d_%s", table.revision, schema);
	else
		sqlite3_snprintf(sizeof(table.table), table.table, "%s", schema);
	if ((rc = table_create(store, schema, &table, err)))
		return rc;
	revisions_free(revisions);
	return revisions_load(store, schema, revisions, err);
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
		rc = table_explain_column(store, shape, &shape->column[at], help, err);
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
		rc = table_create_indexes(store, schema, &revisions->shape[*found], err);
	struct weir_err undone;
	if (rc == -EINVAL && database_run(store, ROLLBACK_TO, &undone))
		return *err = undone, undone.code;
	int released = sqlite3_get_autocommit(store->db) ? 0 : database_run(store, RELEASE, &undone);
	if (released && !rc)
		*err = undone;
	return rc ? rc : released;
}
