/* SPDX-License-Identifier: Apache-2.0 */
/* Anchors and aliases: an alias becomes a copy of what its anchor names, within bounds. */
#include <string.h>

#include "config/reader.h"

struct anchor *
anchor_declare(struct reader *reader, const yaml_char_t *name)
{
	struct anchor *anchor = arena_alloc(reader->arena, sizeof(*anchor));

	if (!anchor || !(anchor->name = arena_string(reader->arena, (const char *)name)))
		return reader_no_memory(reader);
	anchor->aliases = reader->aliases;
	anchor->nodes = reader->nodes;
	anchor->next = reader->anchors;
	reader->anchors = anchor;
	return anchor;
}

static unsigned
height(const struct node *node)
{
	unsigned most = 0;

	for (size_t i = 0; i < node->n; i++) {
		unsigned below = height(node->members[i].value);
		most = below > most ? below : most;
	}
	return node->kind == NODE_SCALAR ? 0 : most + 1;
}

void
anchor_complete(struct reader *reader, struct anchor *anchor, const struct node *node)
{
	if (!anchor)
		return;
	anchor->aliases = reader->aliases - anchor->aliases;
	anchor->nodes = reader->nodes - anchor->nodes;
	anchor->height = height(node);
	anchor->node = node;
}

static struct node *
copy_node(struct reader *reader, const struct node *from)
{
	struct node *node = arena_alloc(reader->arena, sizeof(*node));

	if (!node)
		return reader_no_memory(reader);
	*node = *from;
	if (from->kind == NODE_SCALAR)
		return node;
	node->members = arena_alloc(reader->arena, (from->n + 1) * sizeof(*node->members));
	if (!node->members)
		return reader_no_memory(reader);
	node->room = from->n;
	for (size_t i = 0; i < from->n; i++) {
		node->members[i] = from->members[i];
		node->members[i].value = copy_node(reader, from->members[i].value);
		if (!node->members[i].value)
			return NULL;
	}
	return node;
}

static void
report_unknown_alias(
	struct reader *reader, const struct place *place, unsigned width, const char *name)
{
	const char *names[200];
	size_t n = 0;

	for (const struct anchor *anchor = reader->anchors; anchor && n < 200; anchor = anchor->next)
		names[n++] = anchor->name;
	report_error(reader->report, place, width, path_text(&reader->path),
		"no anchor '&%.80s' stands above this alias", name);
	const char *near = text_nearest(name, names, n);
	if (near)
		report_hint(reader->report, "did you mean '*%.80s'?", near);
	else
		report_hint(reader->report, "quote a text that begins with '*'");
}

/* NULL, and the reason is reported, where the alias cannot be replaced. */
static const struct anchor *
find_anchor(struct reader *reader, const struct place *place, unsigned width, const char *name)
{
	const struct anchor *anchor = reader->aliases < ALIASES_MAX ? reader->anchors : NULL;

	while (anchor && strcmp(anchor->name, name) != 0)
		anchor = anchor->next;
	if (reader->aliases >= ALIASES_MAX)
		report_error(reader->report, place, width, path_text(&reader->path),
			"more than %d aliases to replace", ALIASES_MAX);
	else if (!anchor)
		report_unknown_alias(reader, place, width, name);
	else if (!anchor->node)
		report_error(reader->report, place, width, path_text(&reader->path),
			"alias '*%.80s' stands inside its own anchor", name);
	else if (reader->depth + anchor->height > DEPTH_MAX)
		report_error(reader->report, place, width, path_text(&reader->path),
			"nested deeper than %d levels by this alias", DEPTH_MAX);
	else if (reader->aliases + anchor->aliases + 1 > ALIASES_MAX)
		report_error(reader->report, place, width, path_text(&reader->path),
			"more than %d aliases to replace", ALIASES_MAX);
	else if (reader->copied + anchor->nodes > COPIED_MAX)
		report_error(reader->report, place, width, path_text(&reader->path),
			"the aliases stand for more than %d values", COPIED_MAX);
	else
		return anchor;
	return NULL;
}

struct node *
read_alias(struct reader *reader, const yaml_event_t *event)
{
	struct place place = reader_place(reader, &event->start_mark);
	unsigned width = (unsigned)(event->end_mark.column - event->start_mark.column);
	const struct anchor *anchor =
		find_anchor(reader, &place, width, (const char *)event->data.alias.anchor);

	reader->last = (struct last){ 0 };
	reader->nodes++;
	reader->aliases += 1 + (anchor ? anchor->aliases : 0);
	if (!anchor)
		return reader_broken(reader, place);
	reader->copied += anchor->nodes;
	reader->nodes += anchor->nodes;
	struct node *node = copy_node(reader, anchor->node);
	if (node) {
		node->place = place;
		node->width = width;
	}
	return node;
}
