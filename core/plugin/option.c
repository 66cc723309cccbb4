/* SPDX-License-Identifier: Apache-2.0 */
/* Text into typed fields by an option table. */
#include "plugin/option.h"

#include <errno.h>
#include <string.h>

#include "base/format.h"

static const char *const type_names[] = {
	[WEIR_OPTION_END] = "",
	[WEIR_OPTION_BOOL] = "bool",
	[WEIR_OPTION_INT] = "integer",
	[WEIR_OPTION_REAL] = "number",
	[WEIR_OPTION_SIZE] = "size",
	[WEIR_OPTION_DURATION] = "duration",
	[WEIR_OPTION_TEXT] = "text",
	[WEIR_OPTION_CHOICE] = "choice",
	[WEIR_OPTION_LIST] = "list",
	[WEIR_OPTION_MAP] = "map",
	[WEIR_OPTION_SECRET] = "secret",
};

const char *
option_type_name(enum weir_option_type type)
{
	return type <= WEIR_OPTION_SECRET ? type_names[type] : "?";
}

const struct weir_option *
option_named(const struct weir_option *table, const char *name)
{
	for (; table && table->type != WEIR_OPTION_END; table++)
		if (!strcmp(table->name, name))
			return table;
	return NULL;
}

const char *
option_near(const struct weir_option *table, const char *name)
{
	const char *words[256];
	size_t n = 0;

	for (; table && table->type != WEIR_OPTION_END && n < 256; table++)
		words[n++] = table->name;
	return text_nearest(name, words, n);
}

static void
add_bound(struct text *out, enum weir_option_type type, int64_t value)
{
	char number[FORMAT_MAX * 2];
	char *end = type == WEIR_OPTION_DURATION ? format_duration(number, value)
				: type == WEIR_OPTION_SIZE   ? format_bytes(number, (uint64_t)value)
											 : format_i64(number, value);

	text_append(out, number, (size_t)(end - number));
}

void
option_range(const struct weir_option *o, struct text *out)
{
	if (o->type == WEIR_OPTION_CHOICE) {
		text_add(out, "one of: ");
		for (const char *const *c = o->choices; *c; c++)
			text_printf(out, "%s%s", c == o->choices ? "" : ", ", *c);
	} else if (o->type == WEIR_OPTION_BOOL) {
		text_add(out, "true false yes no on off");
	} else if (o->min || o->max) {
		add_bound(out, o->type, o->min);
		if (o->max == INT64_MAX) {
			text_add(out, " or more");
		} else {
			text_add(out, " to ");
			add_bound(out, o->type, o->max);
		}
	}
}

static int
out_of_range(const struct weir_option *o, const char *text, struct weir_err *err)
{
	struct text range = { 0 };

	option_range(o, &range);
	int rc =
		weir_failx(err, -ERANGE, "'%s' is out of range: %s", text, range.data ? range.data : "?");

	text_free(&range);
	return rc;
}

static bool
in_range(const struct weir_option *o, int64_t value)
{
	return (!o->min && !o->max) || (value >= o->min && value <= o->max);
}

static int
set_choice(const struct weir_option *o, int *field, const char *text, struct weir_err *err)
{
	size_t n = 0;

	for (; o->choices[n]; n++)
		if (!strcmp(o->choices[n], text)) {
			*field = (int)n;
			return 0;
		}
	struct text allowed = { 0 };
	const char *near = text_nearest(text, o->choices, n);

	option_range(o, &allowed);
	int rc =
		weir_failx(err, -EINVAL, "'%s' is not %s%s%s%s", text, allowed.data ? allowed.data : "?",
			near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");

	text_free(&allowed);
	return rc;
}

int
option_set(const struct weir_option *o, void *state, const char *text, struct arena *arena,
	struct weir_err *err)
{
	void *field = (char *)state + o->offset;
	int rc = 0;

	switch (o->type) {
	case WEIR_OPTION_BOOL:
		return parse_bool(text, field, err);
	case WEIR_OPTION_INT:
		rc = parse_i64(text, field, err);
		return rc ? rc : in_range(o, *(int64_t *)field) ? 0 : out_of_range(o, text, err);
	case WEIR_OPTION_REAL: {
		double *real = field;

		rc = parse_f64(text, real, err);
		if (!rc && (o->min || o->max) && !(*real >= (double)o->min && *real <= (double)o->max))
			rc = out_of_range(o, text, err);
		return rc;
	}
	case WEIR_OPTION_SIZE: {
		uint64_t *size = field;

		rc = parse_size(text, size, err);
		return rc                                                  ? rc
			   : *size <= INT64_MAX && in_range(o, (int64_t)*size) ? 0
																   : out_of_range(o, text, err);
	}
	case WEIR_OPTION_DURATION:
		rc = parse_duration(text, field, err);
		return rc ? rc : in_range(o, *(int64_t *)field) ? 0 : out_of_range(o, text, err);
	case WEIR_OPTION_CHOICE:
		return set_choice(o, field, text, err);
	case WEIR_OPTION_TEXT:
	case WEIR_OPTION_SECRET:
		*(const char **)field = arena_string(arena, text);
		return *(const char **)field ? 0 : weir_fail(err, -ENOMEM, "cannot keep a value");
	case WEIR_OPTION_LIST:
		return option_set_list(o, state, &text, 1, arena, err);
	case WEIR_OPTION_MAP:
		return weir_failx(err, -EINVAL, "'%s' is no map: write {name: value}", text);
	case WEIR_OPTION_END:
		break;
	}
	return weir_failx(err, -EINVAL, "option '%s' has no type", o->name);
}

int
option_set_list(const struct weir_option *o, void *state, const char *const *items, size_t n,
	struct arena *arena, struct weir_err *err)
{
	struct weir_list *list = (struct weir_list *)((char *)state + o->offset);
	const char **copy = arena_alloc(arena, (n + 1) * sizeof(*copy));

	if (o->type != WEIR_OPTION_LIST)
		return weir_failx(
			err, -EINVAL, "a list is given where one %s is asked for", option_type_name(o->type));
	for (size_t i = 0; copy && i < n; i++)
		if (!(copy[i] = arena_string(arena, items[i])))
			copy = NULL;
	if (!copy)
		return weir_fail(err, -ENOMEM, "cannot keep a list");
	*list = (struct weir_list){ copy, n };
	return 0;
}

int
option_set_map(const struct weir_option *o, void *state, const struct weir_pair *pairs, size_t n,
	struct arena *arena, struct weir_err *err)
{
	struct weir_map *map = (struct weir_map *)((char *)state + o->offset);
	struct weir_pair *copy = arena_alloc(arena, (n + 1) * sizeof(*copy));

	if (o->type != WEIR_OPTION_MAP)
		return weir_failx(
			err, -EINVAL, "a map is given where one %s is asked for", option_type_name(o->type));
	for (size_t i = 0; copy && i < n; i++) {
		copy[i] = (struct weir_pair){ arena_string(arena, pairs[i].name),
			arena_string(arena, pairs[i].value) };
		if (!copy[i].name || !copy[i].value)
			copy = NULL;
	}
	if (!copy)
		return weir_fail(err, -ENOMEM, "cannot keep a map");
	*map = (struct weir_map){ copy, n };
	return 0;
}

/* A list of words between separators. */
static int
set_words(const struct weir_option *o, void *state, const char *text, const char *separators,
	struct arena *arena, struct weir_err *err)
{
	const char *words[128];
	size_t n = 0;
	char *copy = arena_string(arena, text), *save = NULL;

	for (char *p = copy; copy && n < 128 && (p = strtok_r(p, separators, &save)); p = NULL)
		words[n++] = p;
	return option_set_list(o, state, words, n, arena, err);
}

int
option_set_argument(const struct weir_option *o, void *state, const char *text, struct arena *arena,
	struct weir_err *err)
{
	return o->type == WEIR_OPTION_LIST ? set_words(o, state, text, ",", arena, err)
									   : option_set(o, state, text, arena, err);
}

int
option_defaults(
	const struct weir_option *table, void *state, struct arena *arena, struct weir_err *err)
{
	for (const struct weir_option *o = table; o && o->type != WEIR_OPTION_END; o++) {
		if (!o->fallback)
			continue;
		int rc = o->type == WEIR_OPTION_LIST ? set_words(o, state, o->fallback, " ", arena, err)
											 : option_set(o, state, o->fallback, arena, err);

		if (rc)
			return rc;
	}
	return 0;
}
