/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables: the union of the columns of all schemas of one name, by name. What does not fit (a type,
 * the keys, the kind changed) makes a new revision beside the old; a batch goes to the newest
 * revision that it fits, so old and new senders live together.
 */
#include "csv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool
csv_name_valid(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
	return name[0] >= 'a' && name[0] <= 'z' && !name[length] && length <= 63;
}

static size_t
count_keys(const struct weir_schema *schema)
{
	size_t n = schema->n_keys;
	while (n < schema->n_columns && schema->columns[n].role == WEIR_KEY)
		n++;
	return n;
}

struct csv_table *
csv_table_numbered(struct csv *csv, uint64_t number)
{
	struct csv_table *table = csv->tables;
	while (table && table->number != number)
		table = table->next;
	return table;
}

static void
free_table(struct csv_table *table)
{
	for (size_t i = 0; i < table->n_columns; i++)
		free(table->columns[i].name);
	free(table->columns);
	free(table->name);
	free(table);
}

struct csv_table *
csv_table_new(struct csv *csv, const char *name, size_t length, uint64_t number)
{
	struct csv_table *table = calloc(1, sizeof(*table));
	if (!table)
		return NULL;
	table->name = strndup(name, length);
	if (!table->name) {
		free(table);
		return NULL;
	}
	table->number = number;
	table->revision = 1;
	struct csv_table **end = &csv->tables;
	while (*end)
		end = &(*end)->next;
	*end = table;
	return table;
}

int
csv_table_add_column(struct csv_table *table, const char *name, size_t length, enum weir_type type)
{
	struct csv_column *columns = realloc(table->columns, (table->n_columns + 1) * sizeof(*columns));
	if (!columns)
		return -ENOMEM;
	table->columns = columns;
	char *copy = strndup(name, length);
	if (!copy)
		return -ENOMEM;
	columns[table->n_columns++] = (struct csv_column){ copy, type };
	return 0;
}

/* The number of the column, or n_columns. */
static size_t
find_column(const struct csv_table *table, const char *name)
{
	size_t i = 0;
	while (i < table->n_columns && strcmp(table->columns[i].name, name) != 0)
		i++;
	return i;
}

static uint32_t
kind_of(const struct weir_schema *schema)
{
	return schema->flags & (WEIR_ENTITY | WEIR_HOST_KEYS);
}

static bool
fits(const struct csv_table *table, const struct weir_schema *schema, size_t n_keys)
{
	if (strcmp(table->name, schema->name) != 0 || table->flags != kind_of(schema) ||
		table->n_keys != n_keys)
		return false;
	for (size_t i = 0; i < schema->n_columns; i++) {
		size_t at = find_column(table, schema->columns[i].name);
		bool key = i < n_keys;
		if (at == table->n_columns
				? key
				: table->columns[at].type != schema->columns[i].type || key != (at < n_keys))
			return false;
	}
	return true;
}

static int
add_columns(struct csv_table *table, const struct weir_schema *schema)
{
	for (size_t i = 0; i < schema->n_columns; i++) {
		const struct weir_column *column = &schema->columns[i];
		if (find_column(table, column->name) < table->n_columns)
			continue;
		int result = csv_table_add_column(table, column->name, strlen(column->name), column->type);
		if (result < 0)
			return result;
	}
	return 0;
}

/* The newest table that the schema fits, or a new one; with all its columns. NULL out of memory. */
static struct csv_table *
table_for(struct csv *csv, const struct weir_schema *schema)
{
	size_t n_keys = count_keys(schema);
	struct csv_table *found = NULL;
	uint64_t number = 0;
	uint32_t revision = 0;
	for (struct csv_table *table = csv->tables; table; table = table->next) {
		number = table->number > number ? table->number : number;
		if (strcmp(table->name, schema->name) == 0)
			revision = table->revision > revision ? table->revision : revision;
		if (fits(table, schema, n_keys) && (!found || table->revision > found->revision))
			found = table;
	}
	if (!found) {
		found = csv_table_new(csv, schema->name, strlen(schema->name), number + 1);
		if (!found)
			return NULL;
		found->revision = revision + 1;
		found->flags = kind_of(schema);
		found->n_keys = n_keys;
	}
	return add_columns(found, schema) < 0 ? NULL : found;
}

static enum csv_kind
field_kind(const struct weir_column *column)
{
	switch (column->type) {
	case WEIR_U64:
		return CSV_U64;
	case WEIR_I64:
		return CSV_I64;
	case WEIR_BOOL:
		return CSV_BOOL;
	case WEIR_STR:
		return CSV_STR;
	case WEIR_TIME:
		return CSV_TIME;
	case WEIR_BYTES:
		return CSV_BYTES;
	case WEIR_F64:
		break;
	}
	switch (column->divisor) {
	case 0:
	case 1:
		return CSV_F64;
	case 100:
		return CSV_CENTI;
	case 1000:
		return CSV_MILLI;
	case 1000000:
		return CSV_MICRO;
	case 1000000000:
		return CSV_NANO;
	default:
		return CSV_DIVIDED;
	}
}

static struct csv_plan *
new_plan(struct csv_table *table, const struct weir_batch *batch)
{
	struct csv_plan *plan = calloc(1, sizeof(*plan) + table->n_columns * sizeof(plan->field[0]));
	if (!plan)
		return NULL;
	plan->fingerprint = batch->fingerprint;
	plan->table = table;
	plan->n_fields = table->n_columns;
	/* A comma each; at the end an entity's two times and "false". */
	plan->row_room = table->n_columns * (WEIR_FORMAT_MAX + 1) + 3 * (WEIR_FORMAT_MAX + 1) + 1;
	for (size_t i = 0; i < batch->schema->n_columns; i++) {
		const struct weir_column *column = &batch->schema->columns[i];
		struct csv_field *field = &plan->field[find_column(table, column->name)];
		field->column = (uint32_t)i;
		field->kind = field_kind(column);
		field->divisor = column->divisor;
	}
	return plan;
}

/* Where the plan of a fingerprint is, or should be. */
static struct csv_plan **
plan_slot(struct csv *csv, uint64_t fingerprint)
{
	size_t slot = (size_t)fingerprint & (csv->plan_slots - 1);
	while (csv->plans[slot] && csv->plans[slot]->fingerprint != fingerprint)
		slot = (slot + 1) & (csv->plan_slots - 1);
	return &csv->plans[slot];
}

static int
reserve_plans(struct csv *csv)
{
	if (2 * (csv->n_plans + 1) <= csv->plan_slots)
		return 0;
	struct csv_plan **former = csv->plans;
	size_t n = csv->plan_slots;
	struct csv_plan **plans = calloc(n ? 2 * n : 64, sizeof(struct csv_plan *));
	if (!plans)
		return -ENOMEM;
	csv->plans = plans;
	csv->plan_slots = n ? 2 * n : 64;
	for (size_t i = 0; i < n; i++)
		if (former[i])
			*plan_slot(csv, former[i]->fingerprint) = former[i];
	free(former);
	return 0;
}

static int
check_schema(const struct weir_schema *schema, struct weir_err *err)
{
	/* The only texts from elsewhere that reach a path or a header. */
	if (!csv_name_valid(schema->name))
		return weir_failx(err, -EINVAL, "'%.80s' is no name of a schema", schema->name);
	for (size_t i = 0; i < schema->n_columns; i++)
		if (!csv_name_valid(schema->columns[i].name))
			return weir_failx(err, -EINVAL, "'%.80s' is no name of a column of '%s'",
				schema->columns[i].name, schema->name);
	return 0;
}

int
csv_plan_for(
	struct csv *csv, const struct weir_batch *batch, struct csv_plan **plan, struct weir_err *err)
{
	if (reserve_plans(csv) < 0)
		return weir_fail(err, -ENOMEM, "cannot write '%s'", batch->schema->name);
	struct csv_plan **slot = plan_slot(csv, batch->fingerprint);
	if (*slot && (*slot)->n_fields == (*slot)->table->n_columns) {
		*plan = *slot;
		return 0;
	}
	int result = check_schema(batch->schema, err);
	if (result < 0)
		return result;
	struct csv_table *table = table_for(csv, batch->schema);
	struct csv_plan *made = table ? new_plan(table, batch) : NULL;
	if (!made)
		return weir_fail(err, -ENOMEM, "cannot write '%s'", batch->schema->name);
	csv->n_plans += !*slot;
	free(*slot);
	*slot = *plan = made;
	return 0;
}

void
csv_tables_free(struct csv *csv)
{
	for (size_t i = 0; i < csv->plan_slots; i++)
		free(csv->plans[i]);
	free(csv->plans);
	csv->plans = NULL;
	csv->plan_slots = csv->n_plans = 0;
	for (struct csv_table *table = csv->tables, *next; table; table = next) {
		next = table->next;
		free_table(table);
	}
	csv->tables = NULL;
}
