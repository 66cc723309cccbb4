/* SPDX-License-Identifier: Apache-2.0 */
/* Marks in memory: two hash tables over the same entries, by source and item and by identity; and
 * who claimed which source. */
#include "csv.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct csv_source *
csv_source_named(struct csv *csv, const char *name, size_t length, bool make)
{
	struct csv_source **at = &csv->sources;
	for (; *at; at = &(*at)->next)
		if (strlen((*at)->name) == length && memcmp((*at)->name, name, length) == 0)
			return *at;
	struct csv_source *source = make ? calloc(1, sizeof(*source)) : NULL;
	if (!source)
		return NULL;
	source->name = strndup(name, length);
	if (!source->name) {
		free(source);
		return NULL;
	}
	*at = source;
	return source;
}

static uint64_t
item_hash(const struct csv_source *source, const char *item)
{
	return weir_hash64(item, strlen(item), (uint64_t)(uintptr_t)source);
}

struct csv_mark *
csv_mark_new(struct csv_source *source, const struct weir_mark *mark)
{
	const char *identity = mark->identity ? mark->identity : "";
	size_t item_size = strlen(mark->item) + 1, identity_size = strlen(identity) + 1;
	struct csv_mark *made = malloc(sizeof(*made) + mark->size + item_size + identity_size);
	if (!made)
		return NULL;
	*made = (struct csv_mark){ .source = source, .size = mark->size };
	if (mark->size)
		memcpy(made->data, mark->data, mark->size);
	made->item = memcpy(made->data + mark->size, mark->item, item_size);
	made->identity = memcpy(made->data + mark->size + item_size, identity, identity_size);
	made->item_hash = item_hash(source, made->item);
	made->identity_hash = weir_hash64(identity, identity_size - 1, 0);
	return made;
}

static void
link_mark(struct csv_marks *marks, struct csv_mark *mark)
{
	struct csv_mark **item = &marks->items[mark->item_hash & (marks->slots - 1)];
	mark->by_item = *item;
	*item = mark;
	struct csv_mark **identity = &marks->identities[mark->identity_hash & (marks->slots - 1)];
	mark->by_identity = *identity;
	*identity = mark;
}

int
csv_marks_reserve(struct csv_marks *marks, size_t more)
{
	size_t slots = marks->slots ? marks->slots : 16;
	while (slots < marks->n + more)
		slots *= 2;
	if (slots == marks->slots)
		return 0;
	struct csv_mark **items = calloc(slots, sizeof(struct csv_mark *));
	struct csv_mark **identities = calloc(slots, sizeof(struct csv_mark *));
	if (!items || !identities) {
		free(items);
		free(identities);
		return -ENOMEM;
	}
	struct csv_marks former = *marks;
	*marks = (struct csv_marks){
		.items = items, .identities = identities, .slots = slots, .n = former.n
	};
	for (size_t i = 0; i < former.slots; i++) {
		for (struct csv_mark *mark = former.items[i], *next; mark; mark = next) {
			next = mark->by_item;
			link_mark(marks, mark);
		}
	}
	free(former.items);
	free(former.identities);
	return 0;
}

void
csv_marks_forget(struct csv_marks *marks, const struct csv_source *source, const char *item)
{
	if (!marks->slots)
		return;
	struct csv_mark **at = &marks->items[item_hash(source, item) & (marks->slots - 1)];
	while (*at && ((*at)->source != source || strcmp((*at)->item, item) != 0))
		at = &(*at)->by_item;
	struct csv_mark *mark = *at;
	if (!mark)
		return;
	*at = mark->by_item;
	at = &marks->identities[mark->identity_hash & (marks->slots - 1)];
	while (*at != mark)
		at = &(*at)->by_identity;
	*at = mark->by_identity;
	marks->n--;
	free(mark);
}

void
csv_marks_put(struct csv_marks *marks, struct csv_mark *mark)
{
	csv_marks_forget(marks, mark->source, mark->item);
	link_mark(marks, mark);
	marks->n++;
}

/* Marks of the source, or with the identity, chained by by_item or by_identity: the next one that
 * is asked for. */
static const struct csv_mark *
next_mark(const struct csv_marks *marks, const struct csv_source *source, const char *identity,
	size_t *slot, const struct csv_mark *mark)
{
	if (identity) {
		uint64_t hash = weir_hash64(identity, strlen(identity), 0);
		mark = mark ? mark->by_identity : marks->identities[hash & (marks->slots - 1)];
		while (mark && strcmp(mark->identity, identity) != 0)
			mark = mark->by_identity;
		return mark;
	}
	for (mark = mark ? mark->by_item : marks->items[*slot];; mark = marks->items[*slot]) {
		while (mark && mark->source != source)
			mark = mark->by_item;
		if (mark || ++*slot == marks->slots)
			return mark;
	}
}

int
csv_marks_of(struct csv *csv, const struct csv_source *source, const char *identity,
	struct weir_marks *found)
{
	const struct csv_marks *marks = &csv->marks;
	*found = (struct weir_marks){ 0 };
	free(csv->reply);
	csv->reply = NULL;
	if (!marks->slots || (identity && !identity[0]))
		return 0;
	size_t n = 0, bytes = 0, slot = 0;
	for (const struct csv_mark *m = NULL; (m = next_mark(marks, source, identity, &slot, m)); n++)
		bytes += m->size + strlen(m->item) + strlen(m->identity) + strlen(m->source->name) + 3;
	if (!n)
		return 0;
	struct weir_mark *reply = malloc(n * sizeof(*reply) + bytes);
	if (!reply)
		return -ENOMEM;
	char *at = (char *)(reply + n);
	size_t i = slot = 0;
	for (const struct csv_mark *m = NULL; (m = next_mark(marks, source, identity, &slot, m)); i++) {
		reply[i] = (struct weir_mark){ .data = at, .size = m->size };
		at = (char *)memcpy(at, m->data, m->size) + m->size;
		reply[i].item = at;
		at = stpcpy(at, m->item) + 1;
		reply[i].identity = at;
		at = stpcpy(at, m->identity) + 1;
		reply[i].source = at;
		at = stpcpy(at, m->source->name) + 1;
	}
	csv->reply = reply;
	*found = (struct weir_marks){ .mark = reply, .n = n };
	return 0;
}

void
csv_marks_free(struct csv *csv)
{
	for (size_t i = 0; i < csv->marks.slots; i++) {
		for (struct csv_mark *mark = csv->marks.items[i], *next; mark; mark = next) {
			next = mark->by_item;
			free(mark);
		}
	}
	free(csv->marks.items);
	free(csv->marks.identities);
	csv->marks = (struct csv_marks){ 0 };
	for (struct csv_source *source = csv->sources, *next; source; source = next) {
		next = source->next;
		free(source->name);
		free(source->holder);
		free(source);
	}
	csv->sources = NULL;
}

bool
csv_holder_dead(const char *holder, const char *host)
{
	size_t length = strlen(host);
	if (strncmp(holder, host, length) != 0 || strncmp(holder + length, " pid ", 5) != 0)
		return false;
	char *end = NULL;
	long pid = strtol(holder + length + 5, &end, 10);
	return pid > 0 && pid <= INT32_MAX && !*end && kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}
