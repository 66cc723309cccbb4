/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a mapping: what may be one, duplicates, and the members that `<<` brings in. */
#include <errno.h>
#include <string.h>

#include "config/reader.h"

bool
key_check(struct reader *reader, const struct node *key)
{
	const char *fault = NULL;
	size_t size = strlen(key->value);

	if (!size)
		fault = "a key is missing: it is empty";
	else if (strstr(key->value, "${"))
		fault = "${...} is not replaced in keys, only in values";
	else if (size > KEY_SIZE_MAX)
		fault = "a key has at most 255 bytes";
	else if (!text_printable(key->value, size))
		fault = "a key is one line without control characters";
	if (fault)
		report_error(
			reader->report, &key->place, key->width, path_text(&reader->path), "%s", fault);
	return !fault;
}

bool
key_check_pair(struct reader *reader, const struct key *key, const struct node *value)
{
	const char *text = reader->source->text;
	size_t at = key->end;

	if (!key->plain || value->kind != NODE_SCALAR || *value->value || !value->plain ||
		value->broken)
		return true;
	while (reader_space(text[at]))
		at++;
	if (text[at] == ':' || !strpbrk(key->name, ":= "))
		return true;
	report_error(reader->report, &key->place, key->width, path_text(&reader->path),
		"expected 'key: value', found '%.80s'", key->name);
	hint_pair(reader->report, key->name, strlen(key->name));
	return false;
}

/* Drops every second and further member of one name. */
static int
drop_duplicates(struct reader *reader, struct node *node)
{
	size_t kept = 0;

	if (node_sort(reader->arena, node))
		return -ENOMEM;
	for (size_t i = 1; i < node->n; i++) {
		const struct named *first = &node->sorted[i - 1], *second = &node->sorted[i];
		if (strcmp(first->name, second->name) != 0)
			continue;
		struct member *twin = &node->members[second->index];
		size_t path = path_push(&reader->path, twin->name);
		report_error(reader->report, &twin->place, twin->width, path_text(&reader->path),
			"duplicate key, given before in line %u", node->members[first->index].place.line);
		path_pop(&reader->path, path);
		twin->value = NULL;
	}
	for (size_t i = 0; i < node->n; i++)
		if (node->members[i].value)
			node->members[kept++] = node->members[i];
	bool dropped = kept < node->n;
	node->n = kept;
	return dropped ? node_sort(reader->arena, node) : 0;
}

/* The members of `from` that `node` has not, as `<<` asks. */
static int
take_members(struct reader *reader, struct node *node, const struct node *from)
{
	for (size_t i = 0; i < from->n; i++)
		if (!node_member(node, from->members[i].name) &&
			node_append(reader->arena, node, &from->members[i]))
			return -ENOMEM;
	return node_sort(reader->arena, node);
}

static bool
mergeable(struct reader *reader, struct node *node, const struct node *value)
{
	if (value->kind == NODE_MAPPING)
		return true;
	reader_partial(reader, node);
	if (value->broken)
		return false;
	report_error(reader->report, &value->place, value->width, path_text(&reader->path),
		"'<<' takes a mapping or a list of mappings, such as '<<: *defaults'");
	return false;
}

static int
merge_keys(struct reader *reader, struct node *node, struct node *merged)
{
	if (merged->kind != NODE_SEQUENCE)
		return mergeable(reader, node, merged) ? take_members(reader, node, merged) : 0;
	for (size_t i = 0; i < merged->n; i++) {
		struct node *value = merged->members[i].value;
		if (mergeable(reader, node, value) && take_members(reader, node, value))
			return -ENOMEM;
	}
	return 0;
}

int
keys_complete(struct reader *reader, struct node *node, struct node *merge)
{
	if (drop_duplicates(reader, node))
		return -ENOMEM;
	if (!merge)
		return 0;
	size_t path = path_push(&reader->path, "<<");
	int error = merge_keys(reader, node, merge);
	path_pop(&reader->path, path);
	return error;
}
