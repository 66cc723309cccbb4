/* SPDX-License-Identifier: Apache-2.0 */
/* Names and schemas kept for the life of the process. */
#include "data/keeper.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "data/schema.h"

struct kept {
	struct kept *next;
	const char *text;                 /* a name, or a schema's canonical text */
	const struct weir_schema *schema; /* NULL: a name */
};

struct keeper {
	pthread_mutex_t lock; /* workers that open a store late come here too */
	struct arena arena;
	struct kept *first;
};

struct keeper *
keeper_new(void)
{
	struct keeper *k = calloc(1, sizeof(*k));

	if (k)
		pthread_mutex_init(&k->lock, NULL);
	return k;
}

void
keeper_free(struct keeper *k)
{
	if (!k)
		return;
	arena_free(&k->arena);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

static struct kept *
find(struct keeper *k, const char *text, bool schema)
{
	for (struct kept *at = k->first; at; at = at->next)
		if (!at->schema == !schema && !strcmp(at->text, text))
			return at;
	return NULL;
}

static struct kept *
add(struct keeper *k, const char *text)
{
	struct kept *kept = arena_alloc(&k->arena, sizeof(*kept));

	if (!kept || !(kept->text = arena_string(&k->arena, text)))
		return NULL;
	kept->next = k->first;
	return kept;
}

const char *
keeper_text(struct keeper *k, const char *text)
{
	pthread_mutex_lock(&k->lock);
	struct kept *kept = find(k, text, false);

	if (!kept && (kept = add(k, text)))
		k->first = kept;
	pthread_mutex_unlock(&k->lock);
	return kept ? kept->text : NULL;
}

static const struct weir_schema *
copy_schema(struct arena *arena, const struct weir_schema *from)
{
	struct weir_schema *s = arena_alloc(arena, sizeof(*s));
	struct weir_column *columns = s ? arena_alloc(arena, from->n_columns * sizeof(*columns)) : NULL;

	if (!columns)
		return NULL;
	*s = *from;
	s->name = arena_string(arena, from->name);
	s->help = arena_string(arena, from->help);
	s->columns = columns;
	s->indexes = NULL;
	s->n_keys = schema_keys(from);
	for (size_t i = 0; i < from->n_columns; i++) {
		columns[i] = from->columns[i];
		columns[i].name = arena_string(arena, columns[i].name);
		columns[i].unit = columns[i].unit ? arena_string(arena, columns[i].unit) : NULL;
		columns[i].help = arena_string(arena, columns[i].help);
		if (!columns[i].name || !columns[i].help)
			return NULL;
	}
	return s->name && s->help ? s : NULL;
}

const struct weir_schema *
keeper_schema(struct keeper *k, const struct weir_schema *schema)
{
	char *text = weir_schema_text(schema);

	pthread_mutex_lock(&k->lock);
	struct kept *kept = text ? find(k, text, true) : NULL;

	if (!kept && text && (kept = add(k, text))) {
		kept->schema = copy_schema(&k->arena, schema);
		if (kept->schema)
			k->first = kept;
	}
	pthread_mutex_unlock(&k->lock);
	free(text);
	return kept ? kept->schema : NULL;
}
