/* SPDX-License-Identifier: Apache-2.0 */
/* Plans: the table of a schema found or made once, its statements prepared, its columns' bindings
 * noted. */
#include "store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So many schemas in use at once are no site's; the plan not used for the longest time goes. */
enum { PLANS_MOST = 256 };

static void
plan_free(struct plan *plan)
{
	sqlite3_finalize(plan->insert);
	sqlite3_finalize(plan->find);
	sqlite3_finalize(plan->touch);
	sqlite3_finalize(plan->remove);
	for (size_t i = 0; i < plan->n_siblings; i++) {
		sqlite3_finalize(plan->sibling[i].find);
		sqlite3_finalize(plan->sibling[i].remove);
	}
	free(plan->sibling);
	free(plan->column);
	free(plan);
}

static void
drop(struct store *store, const char *schema, bool fresh)
{
	for (struct plan **at = &store->plans; *at;) {
		struct plan *plan = *at;
		if ((schema && strcmp(plan->schema, schema) != 0) || (fresh && !plan->fresh)) {
			at = &plan->next;
			continue;
		}
		*at = plan->next;
		store->n_plans--;
		plan_free(plan);
	}
}

void
plans_drop_schema(struct store *store, const char *schema)
{
	drop(store, schema, false);
}

void
plans_drop_fresh(struct store *store)
{
	drop(store, NULL, true);
}

void
plans_drop(struct store *store)
{
	drop(store, NULL, false);
}

void
plans_keep(struct store *store)
{
	for (struct plan *plan = store->plans; plan; plan = plan->next)
		plan->fresh = false;
}

static void
drop_last(struct store *store)
{
	struct plan **at = &store->plans;
	while (*at && (*at)->next)
		at = &(*at)->next;
	plan_free(*at);
	*at = NULL;
	store->n_plans--;
}

/* ---- statements ---- */

static int
prepare(struct store *store, sqlite3_str *text, sqlite3_stmt **statement, struct weir_err *err)
{
	char *sql = sqlite3_str_finish(text);
	if (!sql)
		return weir_fail(err, -ENOMEM, "cannot write to '%s'", store->file);
	int code = sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
	sqlite3_free(sql);
	return code == SQLITE_OK ? 0 : database_fault(store, "write to", err);
}

/* "a", "b" of the columns that are keys, or of all; or "a" = ?1 AND "b" = ?2. */
static void
append_names(sqlite3_str *text, const struct shape *shape, bool keys)
{
	const char *comma = "";
	for (size_t i = 0; i < shape->n; i++) {
		if (keys && shape->column[i].role != WEIR_KEY)
			continue;
		sqlite3_str_appendf(text, "%s\"%w\"", comma, shape->column[i].name);
		comma = ", ";
	}
}

static void
append_where(sqlite3_str *text, const struct shape *shape)
{
	int parameter = 0;
	for (size_t i = 0; i < shape->n; i++)
		if (shape->column[i].role == WEIR_KEY) {
			sqlite3_str_appendf(text, "%s\"%w\" = ?%d", parameter ? " AND " : " WHERE ",
				shape->column[i].name, parameter + 1);
			parameter++;
		}
}

static void
append_insert(sqlite3_str *text, const struct shape *wanted, const struct shape *table)
{
	sqlite3_str_appendf(text, "INSERT INTO \"%w\" (", table->table);
	append_names(text, wanted, false);
	sqlite3_str_appendall(text, ") VALUES (");
	for (size_t i = 0; i < wanted->n; i++)
		sqlite3_str_appendf(text, "%s?%d", i ? ", " : "", (int)i + 1);
	sqlite3_str_appendall(text, ")");
}

/* The whole row is replaced: columns that this schema does not have become missing. */
static void
append_replace(sqlite3_str *text, const struct shape *wanted, const struct shape *table)
{
	sqlite3_str_appendall(text, " ON CONFLICT (");
	append_names(text, wanted, true);
	sqlite3_str_appendall(text, ") DO UPDATE SET ");
	const char *comma = "";
	for (size_t i = 0; i < table->n; i++) {
		const char *name = table->column[i].name;
		if (table->column[i].role == WEIR_KEY)
			continue;
		if (shape_find(wanted, name) >= 0)
			sqlite3_str_appendf(text, "%s\"%w\" = excluded.\"%w\"", comma, name, name);
		else
			sqlite3_str_appendf(text, "%s\"%w\" = NULL", comma, name);
		comma = ", ";
	}
}

static void
append_find(sqlite3_str *text, struct plan *plan, const struct weir_schema *schema,
	const struct shape *wanted, const struct shape *table)
{
	sqlite3_str_appendall(text, "SELECT \"version\", \"weir_incarnation\", \"weir_sequence\"");
	for (size_t i = plan->n_keys; i < schema->n_columns; i++)
		sqlite3_str_appendf(text, ", \"%w\"", schema->columns[i].name);
	for (size_t i = 0; i < table->n; i++)
		if (shape_find(wanted, table->column[i].name) < 0) {
			sqlite3_str_appendf(text, ", \"%w\"", table->column[i].name);
			plan->n_others++;
		}
	sqlite3_str_appendf(text, " FROM \"%w\"", table->table);
	append_where(text, wanted);
}

static int
prepare_sibling(struct store *store, const struct shape *wanted, const char *table,
	struct sibling *sibling, struct weir_err *err)
{
	sqlite3_str *find = sqlite3_str_new(store->db);
	sqlite3_str_appendf(
		find, "SELECT \"version\", \"weir_incarnation\", \"weir_sequence\" FROM \"%w\"", table);
	append_where(find, wanted);
	int rc = prepare(store, find, &sibling->find, err);
	if (rc)
		return rc;
	sqlite3_str *remove = sqlite3_str_new(store->db);
	sqlite3_str_appendf(remove, "DELETE FROM \"%w\"", table);
	append_where(remove, wanted);
	return prepare(store, remove, &sibling->remove, err);
}

static int
prepare_siblings(struct store *store, struct plan *plan, const struct shape *wanted,
	const struct revisions *revisions, size_t found, struct weir_err *err)
{
	plan->sibling = calloc(revisions->n, sizeof(*plan->sibling));
	if (!plan->sibling)
		return weir_fail(err, -ENOMEM, "cannot write to '%s'", store->file);
	int rc = 0;
	for (size_t i = 0; !rc && i < revisions->n; i++)
		if (i != found && shape_same_keys(&revisions->shape[i], wanted))
			rc = prepare_sibling(
				store, wanted, revisions->shape[i].table, &plan->sibling[plan->n_siblings++], err);
	return rc;
}

static int
prepare_entity(struct store *store, struct plan *plan, const struct weir_schema *schema,
	const struct shape *wanted, const struct revisions *revisions, size_t found,
	struct weir_err *err)
{
	const struct shape *table = &revisions->shape[found];
	sqlite3_str *find = sqlite3_str_new(store->db);
	append_find(find, plan, schema, wanted, table);
	int rc = prepare(store, find, &plan->find, err);
	if (rc)
		return rc;
	sqlite3_str *touch = sqlite3_str_new(store->db);
	sqlite3_str_appendf(touch,
		"UPDATE \"%w\" SET \"weir_incarnation\" = ?%d, \"weir_sequence\" = ?%d", table->table,
		(int)wanted->keys + 1, (int)wanted->keys + 2);
	append_where(touch, wanted);
	if ((rc = prepare(store, touch, &plan->touch, err)))
		return rc;
	sqlite3_str *remove = sqlite3_str_new(store->db);
	sqlite3_str_appendf(remove, "DELETE FROM \"%w\"", table->table);
	append_where(remove, wanted);
	if ((rc = prepare(store, remove, &plan->remove, err)))
		return rc;
	return prepare_siblings(store, plan, wanted, revisions, found, err);
}

static int
prepare_all(struct store *store, struct plan *plan, const struct weir_schema *schema,
	const struct shape *wanted, const struct revisions *revisions, size_t found,
	struct weir_err *err)
{
	sqlite3_str *insert = sqlite3_str_new(store->db);
	append_insert(insert, wanted, &revisions->shape[found]);
	if (wanted->entity)
		append_replace(insert, wanted, &revisions->shape[found]);
	int rc = prepare(store, insert, &plan->insert, err);
	if (rc || !wanted->entity)
		return rc;
	return prepare_entity(store, plan, schema, wanted, revisions, found, err);
}

/* ---- plans ---- */

static enum binding
binding_of(const struct weir_column *column)
{
	switch (column->type) {
	case WEIR_F64:
		return column->divisor > 1 ? BIND_COUNT : BIND_REAL;
	case WEIR_STR:
		return BIND_TEXT;
	case WEIR_BYTES:
		return BIND_BLOB;
	default:
		return BIND_INTEGER;
	}
}

static void
describe(struct plan *plan, const struct weir_schema *schema, const struct shape *wanted)
{
	plan->host_keys = schema->flags & WEIR_ENTITY && schema->flags & WEIR_HOST_KEYS;
	plan->first = !wanted->entity ? 5 : plan->host_keys ? 3 : 1;
	plan->n_keys = wanted->keys - (plan->host_keys ? 2 : 0);
	for (size_t i = 0; i < schema->n_columns; i++)
		plan->column[i] = (struct plan_column){ binding_of(&schema->columns[i]),
			(double)schema->columns[i].divisor };
	for (size_t i = 0; i < wanted->n; i++)
		if (wanted->column[i].role == WEIR_KEY) {
			plan->key_seed =
				weir_hash64(wanted->column[i].name, strlen(wanted->column[i].name), plan->key_seed);
			plan->key_seed = weir_hash64(
				&(uint32_t){ wanted->column[i].type }, sizeof(uint32_t), plan->key_seed);
		}
}

static int
plan_fill(
	struct store *store, struct plan *plan, const struct weir_schema *schema, struct weir_err *err)
{
	struct shape *wanted = shape_of_schema(schema, err);
	if (!wanted)
		return err->code;
	struct revisions revisions = { 0 };
	size_t found = 0;
	describe(plan, schema, wanted);
	int rc = revisions_fit(store, schema, wanted, &revisions, &found, err);
	if (!rc)
		rc = prepare_all(store, plan, schema, wanted, &revisions, found, err);
	revisions_free(&revisions);
	shape_free(wanted);
	return rc;
}

static struct plan *
plan_new(struct store *store, const struct weir_batch *batch, struct weir_err *err)
{
	const struct weir_schema *schema = batch->schema;
	struct plan *plan = calloc(1, sizeof(*plan));
	if (plan)
		plan->column = calloc(schema->n_columns + 1, sizeof(*plan->column));
	if (!plan || !plan->column) {
		free(plan);
		weir_fail(err, -ENOMEM, "cannot write to '%s'", store->file);
		return NULL;
	}
	plan->fingerprint = batch->fingerprint;
	plan->fresh = true;
	plan->n_columns = schema->n_columns;
	snprintf(plan->schema, sizeof(plan->schema), "%s", schema->name);
	int rc = plan_fill(store, plan, schema, err);
	if (rc == -EINVAL && !sqlite3_get_autocommit(store->db)) {
		snprintf(plan->refusal, sizeof(plan->refusal), "%.199s", err->text);
	} else if (rc) {
		plan_free(plan);
		return NULL;
	}
	return plan;
}

struct plan *
plan_of_batch(struct store *store, const struct weir_batch *batch, struct weir_err *err)
{
	struct plan **at = &store->plans;
	while (*at && (*at)->fingerprint != batch->fingerprint)
		at = &(*at)->next;
	struct plan *plan = *at;
	if (plan) {
		*at = plan->next;
	} else {
		plan = plan_new(store, batch, err);
		if (!plan)
			return NULL;
		if (++store->n_plans > PLANS_MOST)
			drop_last(store);
	}
	plan->next = store->plans;
	store->plans = plan;
	return plan;
}
