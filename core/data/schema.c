/* SPDX-License-Identifier: Apache-2.0 */
/* Schema tables: checked at load, written as canonical text, read back from it, fingerprinted. */
#include "data/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"

static const char *const type_names[] = {
	[WEIR_U64] = "u64",
	[WEIR_I64] = "i64",
	[WEIR_F64] = "f64",
	[WEIR_BOOL] = "bool",
	[WEIR_STR] = "str",
	[WEIR_TIME] = "time",
	[WEIR_BYTES] = "bytes",
};
static const char *const role_names[] = {
	[WEIR_KEY] = "key",
	[WEIR_COUNTER] = "counter",
	[WEIR_GAUGE] = "gauge",
	[WEIR_LABEL] = "label",
};

const char *
weir_type_name(enum weir_type type)
{
	return type >= WEIR_U64 && type <= WEIR_BYTES ? type_names[type] : "?";
}

const char *
weir_role_name(enum weir_role role)
{
	return role >= WEIR_KEY && role <= WEIR_LABEL ? role_names[role] : "?";
}

bool
schema_is_entity(const struct weir_schema *s)
{
	return s->flags & WEIR_ENTITY;
}

uint32_t
schema_keys(const struct weir_schema *s)
{
	uint32_t keys = 0;

	if (s->n_keys)
		return s->n_keys;
	while (keys < s->n_columns && s->columns[keys].role == WEIR_KEY)
		keys++;
	return keys;
}

static bool
reserved_in_tables(const struct weir_schema *s, const char *name)
{
	static const char *const series[] = { "schema", "time", "cluster", "host", "source", NULL };
	static const char *const entity[] = { "schema", "time", "version", "updated", "deleted", NULL };
	static const char *const host_entity[] = { "schema", "time", "version", "updated", "deleted",
		"cluster", "host", NULL };
	const char *const *list = !schema_is_entity(s)        ? series
							  : s->flags & WEIR_HOST_KEYS ? host_entity
														  : entity;

	for (; *list; list++)
		if (!strcmp(*list, name))
			return true;
	return !strncmp(name, "weir_", 5);
}

static int
check_name(const struct weir_schema *s, const char *name, struct weir_err *err)
{
	if (!name || !name_valid(name))
		return weir_failx(err, -EINVAL,
			"schema '%s': '%s' is no name: write [a-z][a-z0-9_]*, at most 63 letters",
			s->name ? s->name : "?", name ? name : "(none)");
	if (name_reserved_sql(name))
		return weir_failx(err, -EINVAL,
			"schema '%s': '%s' is a reserved word of SQL: choose another name", s->name, name);
	return 0;
}

static bool
divisor_valid(int64_t divisor)
{
	return divisor == 0 || divisor == 100 || divisor == 1000 || divisor == 1000000 ||
		   divisor == 1000000000;
}

static int
check_column(const struct weir_schema *s, size_t i, uint32_t keys, struct weir_err *err)
{
	const struct weir_column *c = &s->columns[i];

	if (!c->name)
		return weir_failx(
			err, -EINVAL, "schema '%s': column %zu has no entry in the table", s->name, i);
	if (check_name(s, c->name, err))
		return err ? err->code : -EINVAL;
	if (reserved_in_tables(s, c->name))
		return weir_failx(err, -EINVAL,
			"schema '%s': column '%s' has a name that every table has already", s->name, c->name);
	if (c->type < WEIR_U64 || c->type > WEIR_BYTES || c->role < WEIR_KEY || c->role > WEIR_LABEL)
		return weir_failx(
			err, -EINVAL, "schema '%s': column '%s' has no type or no role", s->name, c->name);
	if ((c->role == WEIR_KEY) != (i < keys))
		return weir_failx(err, -EINVAL, "schema '%s': '%s': keys stand before all other columns",
			s->name, c->name);
	if (c->role == WEIR_KEY && c->type != WEIR_STR && c->type != WEIR_I64 && c->type != WEIR_U64)
		return weir_failx(
			err, -EINVAL, "schema '%s': key '%s' is neither str, i64 nor u64", s->name, c->name);
	bool number = c->type == WEIR_U64 || c->type == WEIR_I64 || c->type == WEIR_F64;

	if (number && (c->role == WEIR_COUNTER || c->role == WEIR_GAUGE) && (!c->unit || !*c->unit))
		return weir_failx(err, -EINVAL,
			"schema '%s': column '%s' has no unit ('1' for a plain count)", s->name, c->name);
	if (c->role == WEIR_COUNTER && !number)
		return weir_failx(err, -EINVAL, "schema '%s': counter '%s' is no number", s->name, c->name);
	if (!c->help || !*c->help)
		return weir_failx(err, -EINVAL, "schema '%s': column '%s' has no help", s->name, c->name);
	if (!divisor_valid(c->divisor) || (c->divisor && c->type != WEIR_F64))
		return weir_failx(err, -EINVAL,
			"schema '%s': column '%s': a divisor is 100, 10^3, 10^6 or 10^9, and of an f64 only",
			s->name, c->name);
	for (size_t k = 0; k < i; k++)
		if (!strcmp(s->columns[k].name, c->name))
			return weir_failx(
				err, -EINVAL, "schema '%s': column '%s' stands twice", s->name, c->name);
	return 0;
}

int
schema_check(const struct weir_schema *s, struct weir_err *err)
{
	if (check_name(s, s->name, err))
		return err ? err->code : -EINVAL;
	if (!s->help || !*s->help)
		return weir_failx(err, -EINVAL, "schema '%s' has no help", s->name);
	if (!s->columns || !s->n_columns || s->n_columns > 1000)
		return weir_failx(err, -EINVAL, "schema '%s' has %zu columns: 1 to 1000 are possible",
			s->name, s->n_columns);
	uint32_t keys = schema_keys(s);

	if (schema_is_entity(s) && !keys && !(s->flags & WEIR_HOST_KEYS))
		return weir_failx(err, -EINVAL, "schema '%s': an entity needs a key", s->name);
	for (size_t i = 0; i < s->n_columns; i++) {
		int rc = check_column(s, i, keys, err);

		if (rc)
			return rc;
	}
	return 0;
}

char *
weir_schema_text(const struct weir_schema *s)
{
	struct text t = { 0 };

	text_printf(&t, "%s %s %u\n", s->name,
		schema_is_entity(s) ? s->flags & WEIR_HOST_KEYS ? "host_entity" : "entity" : "series",
		schema_keys(s));
	for (size_t i = 0; i < s->n_columns; i++) {
		const struct weir_column *c = &s->columns[i];

		text_printf(&t, "%s %s %s %s %lld %llu\n", c->name, weir_type_name(c->type),
			weir_role_name(c->role), c->unit && *c->unit ? c->unit : "-", (long long)c->divisor,
			(unsigned long long)c->modulus);
	}
	if (t.failed) {
		text_free(&t);
		return NULL;
	}
	return t.data;
}

uint64_t
weir_schema_fingerprint(const struct weir_schema *s)
{
	char *text = weir_schema_text(s);
	uint64_t hash = text ? hash64(text, strlen(text), 0) : 0;

	free(text);
	return hash;
}

static int
name_index(const char *const *names, int first, int last, const char *word)
{
	for (int i = first; i <= last; i++)
		if (!strcmp(names[i], word))
			return i;
	return 0;
}

/* One line of the canonical text into a column; strings point into `line`, which is cut up. */
static int
parse_column(char *line, struct weir_column *c)
{
	char *field[6], *save = NULL;

	for (int i = 0; i < 6; i++)
		if (!(field[i] = strtok_r(i ? NULL : line, " ", &save)))
			return -EINVAL;
	if (strtok_r(NULL, " ", &save))
		return -EINVAL;
	char *end;

	*c = (struct weir_column){ .name = field[0], .help = "" };
	c->type = (enum weir_type)name_index(type_names, WEIR_U64, WEIR_BYTES, field[1]);
	c->role = (enum weir_role)name_index(role_names, WEIR_KEY, WEIR_LABEL, field[2]);
	c->unit = strcmp(field[3], "-") ? field[3] : NULL;
	c->divisor = strtoll(field[4], &end, 10);
	if (*end || !divisor_valid(c->divisor))
		return -EINVAL;
	c->modulus = strtoull(field[5], &end, 10);
	return *end || !c->type || !c->role || !name_valid(c->name) ? -EINVAL : 0;
}

struct weir_schema *
weir_schema_parse(const char *text, struct weir_err *err)
{
	size_t length = strlen(text), lines = 0;

	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	if (lines < 2 || lines > 1001) {
		weir_failx(err, -EINVAL, "a schema of %zu lines is none", lines);
		return NULL;
	}
	struct weir_schema *s = calloc(1, sizeof(*s) + lines * sizeof(struct weir_column) + length + 1);

	if (!s) {
		weir_fail(err, -ENOMEM, "cannot read a schema");
		return NULL;
	}
	struct weir_column *columns = (struct weir_column *)(s + 1);
	char *copy = memcpy((char *)(columns + lines), text, length + 1), *save = NULL, *end;
	char *head = strtok_r(copy, "\n", &save), *kind = head ? strchr(head, ' ') : NULL;
	char *keys = kind ? strchr(kind + 1, ' ') : NULL;
	int rc = keys ? 0 : -EINVAL;

	if (!rc) {
		*kind++ = *keys++ = '\0';
		s->name = head;
		s->help = "";
		s->columns = columns;
		s->flags = !strcmp(kind, "entity")        ? WEIR_ENTITY
				   : !strcmp(kind, "host_entity") ? WEIR_ENTITY | WEIR_HOST_KEYS
												  : 0;
		s->n_keys = (uint32_t)strtoul(keys, &end, 10);
		rc = *end || (!s->flags && strcmp(kind, "series")) || !name_valid(s->name) ? -EINVAL : 0;
	}
	for (char *line; !rc && (line = strtok_r(NULL, "\n", &save));)
		rc = parse_column(line, &columns[s->n_columns++]);
	if (rc || s->n_columns != lines - 1 || s->n_keys > s->n_columns) {
		weir_failx(err, -EINVAL, "the text of schema '%.63s' cannot be read", text);
		free(s);
		return NULL;
	}
	return s;
}
