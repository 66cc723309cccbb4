/* SPDX-License-Identifier: Apache-2.0 */
/* The tree: built, searched, and what to say when a node is of the wrong kind. */
#include "config/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct node *
node_new(struct arena *arena, enum node_kind kind, struct place place, unsigned width)
{
	struct node *node = arena_alloc(arena, sizeof(*node));

	if (!node)
		return NULL;
	node->kind = kind;
	node->place = place;
	node->width = width;
	return node;
}

struct node *
node_scalar(struct arena *arena, const char *text, size_t size, struct place place, unsigned width)
{
	struct node *node = node_new(arena, NODE_SCALAR, place, width);

	if (!node)
		return NULL;
	node->value = node->spelling = arena_copy(arena, text, size);
	return node->value ? node : NULL;
}

int
node_append(struct arena *arena, struct node *container, const struct member *member)
{
	if (container->n == container->room) {
		size_t room = container->room ? container->room * 2 : 4;
		struct member *members = arena_alloc(arena, room * sizeof(*members));
		if (!members)
			return -ENOMEM;
		if (container->n)
			memcpy(members, container->members, container->n * sizeof(*members));
		container->members = members;
		container->room = room;
	}
	container->members[container->n++] = *member;
	return 0;
}

static int
by_name(const void *left, const void *right)
{
	const struct named *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	return order ? order : a->index < b->index ? -1 : a->index > b->index;
}

int
node_sort(struct arena *arena, struct node *mapping)
{
	struct named *sorted = arena_alloc(arena, (mapping->n + 1) * sizeof(*sorted));

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < mapping->n; i++)
		sorted[i] = (struct named){ .name = mapping->members[i].name, .index = i };
	qsort(sorted, mapping->n, sizeof(*sorted), by_name);
	mapping->sorted = sorted;
	mapping->n_sorted = mapping->n;
	return 0;
}

struct member *
node_member(const struct node *mapping, const char *name)
{
	if (mapping->kind != NODE_MAPPING || !mapping->sorted)
		return NULL;
	for (size_t low = 0, high = mapping->n_sorted; low < high;) {
		size_t middle = low + (high - low) / 2;
		struct member *member = &mapping->members[mapping->sorted[middle].index];
		int order = strcmp(name, member->name);
		if (!order)
			return member;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

struct node *
node_get(const struct node *mapping, const char *name)
{
	struct member *member = node_member(mapping, name);

	return member ? member->value : NULL;
}

bool
node_null(const struct node *node)
{
	return node->kind == NODE_SCALAR && node->plain &&
		   (!*node->value || strcmp(node->value, "~") == 0 || strcmp(node->value, "null") == 0);
}

static const char *
kind_name(enum node_kind kind)
{
	switch (kind) {
	case NODE_SEQUENCE:
		return "a list";
	case NODE_MAPPING:
		return "a mapping";
	default:
		return "text";
	}
}

static void
say_found(const struct node *node, const char *expected, const char *where, struct report *report)
{
	if (node->kind != NODE_SCALAR)
		report_error(report, &node->place, node->width, where, "expected %s, found %s", expected,
			kind_name(node->kind));
	else if (node->secret)
		report_error(
			report, &node->place, node->width, where, "expected %s, found a secret", expected);
	else if (node_null(node))
		report_error(
			report, &node->place, node->width, where, "expected %s, found nothing", expected);
	else
		report_error(report, &node->place, node->width, where, "expected %s, found '%.80s'",
			expected, node->spelling);
}

bool
node_expect(const struct node *node, enum node_kind kind, bool null_ok, const char *where,
	struct report *report)
{
	if (node->kind == kind)
		return !node->broken;
	if (node->broken || (null_ok && node_null(node)))
		return false;
	switch (kind) {
	case NODE_MAPPING:
		say_found(node, "'key: value' pairs", where, report);
		if (node->kind == NODE_SCALAR && node->plain)
			hint_pair(report, node->spelling, strlen(node->spelling));
		break;
	case NODE_SEQUENCE:
		say_found(node, "a list", where, report);
		if (node->kind == NODE_SCALAR && node->plain && *node->value && !node_null(node))
			report_hint(report, "a list of one is written [%.80s]", node->spelling);
		break;
	case NODE_SCALAR:
		say_found(node, "a single value", where, report);
		break;
	}
	return false;
}

static size_t
word(const char *text, size_t size)
{
	size_t n = 0;

	while (
		n < size && (text[n] == '_' || text[n] == '-' || (text[n] >= '0' && text[n] <= '9') ||
						(text[n] >= 'a' && text[n] <= 'z') || (text[n] >= 'A' && text[n] <= 'Z')))
		n++;
	return n;
}

bool
hint_pair(struct report *report, const char *text, size_t size)
{
	size_t key = word(text, size), value = key;

	while (value < size && (text[value] == ' ' || text[value] == '='))
		value++;
	bool colon = value < size && text[value] == ':';
	if (colon)
		value++;
	while (value < size && text[value] == ' ')
		value++;
	if (!key || value == key || value == size || size > 80 || memchr(text, '\n', size))
		return false;
	report_hint(report, "write '%.*s: %.*s', with a %s", (int)key, text, (int)(size - value),
		text + value, colon ? "blank after the colon" : "colon and a blank");
	return true;
}

size_t
path_push(struct text *path, const char *name)
{
	size_t size = path->size;

	if (size)
		text_append(path, ".", 1);
	text_add(path, name);
	return size;
}

size_t
path_push_index(struct text *path, size_t index)
{
	size_t size = path->size;

	text_printf(path, "[%zu]", index);
	return size;
}

void
path_pop(struct text *path, size_t size)
{
	if (path->data && size <= path->size) {
		path->size = size;
		path->data[size] = '\0';
	}
}

const char *
path_text(const struct text *path)
{
	return path->data ? path->data : "";
}
