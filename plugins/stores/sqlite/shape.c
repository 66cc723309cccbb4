/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes: all columns of the table that a schema asks for, those that every table has included. */
#include "store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct weir_column series_head[] = {
	{ .name = "time", .type = WEIR_TIME, .role = WEIR_LABEL, .help = "when it was measured" },
	{ .name = "cluster", .type = WEIR_STR, .role = WEIR_LABEL, .help = "cluster of the host" },
	{ .name = "host", .type = WEIR_STR, .role = WEIR_LABEL, .help = "host that was measured" },
	{ .name = "source", .type = WEIR_STR, .role = WEIR_LABEL, .help = "instance that measured" },
};
static const struct weir_column host_keys[] = {
	{ .name = "cluster", .type = WEIR_STR, .role = WEIR_KEY, .help = "cluster of the host" },
	{ .name = "host", .type = WEIR_STR, .role = WEIR_KEY, .help = "host that says so" },
};
static const struct weir_column entity_tail[] = {
	{ .name = "version",
		.type = WEIR_TIME,
		.role = WEIR_LABEL,
		.help = "the record's own time of change" },
	{ .name = "updated",
		.type = WEIR_TIME,
		.role = WEIR_LABEL,
		.help = "when this version was stored" },
	{ .name = "weir_incarnation",
		.type = WEIR_U64,
		.role = WEIR_LABEL,
		.help = "run of the agent that sent it" },
	{ .name = "weir_sequence",
		.type = WEIR_U64,
		.role = WEIR_LABEL,
		.help = "order within that run" },
};

/* Tables of the database itself; a node that calls a schema so must not reach them. */
static bool
taken(const char *name)
{
	static const char *const ours[] = { "weir_meta", "weir_table", "weir_column", "weir_schema",
		"weir_claim", "weir_mark", "weir_deleted" };
	for (size_t i = 0; i < WEIR_COUNT(ours); i++)
		if (strcmp(name, ours[i]) == 0)
			return true;
	return strncmp(name, "sqlite_", 7) == 0 || strncmp(name, "weir_index_", 11) == 0 ||
		   (strncmp(name, "weir_r", 6) == 0 && name[6] >= '0' && name[6] <= '9');
}

static bool
name_good(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
	return name[0] >= 'a' && name[0] <= 'z' && length <= 63 && name[length] == '\0';
}

static void
append(struct shape *shape, const struct weir_column *columns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		shape->keys += columns[i].role == WEIR_KEY;
		shape->column[shape->n++] = columns[i];
	}
}

static int
check_names(const struct shape *shape, const char *schema, struct weir_err *err)
{
	for (size_t i = 0; i < shape->n; i++) {
		const char *name = shape->column[i].name;
		if (!name_good(name))
			return weir_failx(
				err, -EINVAL, "a column of schema '%s' has an impossible name", schema);
		if (shape->column[i].type < WEIR_U64 || shape->column[i].type > WEIR_BYTES)
			return weir_failx(
				err, -EINVAL, "column '%s' of schema '%s' has an unknown type", name, schema);
		for (size_t k = 0; k < i; k++)
			if (strcmp(name, shape->column[k].name) == 0)
				return weir_failx(err, -EINVAL,
					"column '%s' stands twice in the table of schema '%s'", name, schema);
	}
	return 0;
}

struct shape *
shape_of_schema(const struct weir_schema *schema, struct weir_err *err)
{
	if (!name_good(schema->name) || taken(schema->name)) {
		weir_failx(err, -EINVAL, "no table of a SQLite store can be called '%.64s'", schema->name);
		return NULL;
	}
	size_t most = schema->n_columns + WEIR_COUNT(series_head) + WEIR_COUNT(entity_tail);
	struct shape *shape = calloc(1, sizeof(*shape) + most * sizeof(*shape->column));
	if (!shape) {
		weir_fail(err, -ENOMEM, "cannot make the table of schema '%s'", schema->name);
		return NULL;
	}
	shape->column = (struct weir_column *)(shape + 1);
	shape->entity = schema->flags & WEIR_ENTITY;
	if (!shape->entity)
		append(shape, series_head, WEIR_COUNT(series_head));
	else if (schema->flags & WEIR_HOST_KEYS)
		append(shape, host_keys, WEIR_COUNT(host_keys));
	append(shape, schema->columns, schema->n_columns);
	if (shape->entity)
		append(shape, entity_tail, WEIR_COUNT(entity_tail));
	if (shape->entity && shape->keys == 0) {
		weir_failx(err, -EINVAL, "the entity '%s' has no key", schema->name);
		shape_free(shape);
		return NULL;
	}
	if (check_names(shape, schema->name, err)) {
		shape_free(shape);
		return NULL;
	}
	return shape;
}

void
shape_free(struct shape *shape)
{
	free(shape);
}

int
shape_find(const struct shape *shape, const char *name)
{
	for (size_t i = 0; i < shape->n; i++)
		if (strcmp(shape->column[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* The next key column from `at` on. */
static size_t
next_key(const struct shape *shape, size_t at)
{
	while (at < shape->n && shape->column[at].role != WEIR_KEY)
		at++;
	return at;
}

bool
shape_same_keys(const struct shape *a, const struct shape *b)
{
	if (a->entity != b->entity || a->keys != b->keys)
		return false;
	size_t i = next_key(a, 0);
	size_t k = next_key(b, 0);
	for (size_t n = 0; n < a->keys; n++) {
		if (strcmp(a->column[i].name, b->column[k].name) != 0 ||
			a->column[i].type != b->column[k].type)
			return false;
		i = next_key(a, i + 1);
		k = next_key(b, k + 1);
	}
	return true;
}

const char *
sql_type(enum weir_type type)
{
	switch (type) {
	case WEIR_F64:
		return "REAL";
	case WEIR_STR:
		return "TEXT";
	case WEIR_BYTES:
		return "BLOB";
	default:
		return "INTEGER";
	}
}

int
shape_grow(struct shape *shape)
{
	struct weir_column *column = realloc(shape->column, (shape->n + 1) * sizeof(*column));
	if (!column)
		return -ENOMEM;
	shape->column = column;
	shape->column[shape->n++] = (struct weir_column){ 0 };
	return 0;
}
