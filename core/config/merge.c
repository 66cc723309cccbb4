/* SPDX-License-Identifier: Apache-2.0 */
/* A drop-in over what was read before it. */
#include <errno.h>
#include <string.h>

#include "config/load.h"

struct merge {
	struct arena *arena;
	struct report *report;
	struct text path;
};

static const char *
kind_word(const struct node *node)
{
	return node->kind == NODE_MAPPING    ? "a mapping"
		   : node->kind == NODE_SEQUENCE ? "a list"
										 : "text";
}

static void
report_conflict(struct merge *merge, const struct node *base, const struct node *over)
{
	report_error(merge->report, &over->place, over->width, path_text(&merge->path),
		"%s here, but %s in %s:%u", kind_word(over), kind_word(base), base->place.source->name,
		base->place.line);
	if (over->kind == NODE_SCALAR && over->plain)
		hint_pair(merge->report, over->spelling, strlen(over->spelling));
}

static int merge_mappings(struct merge *merge, struct node *base, const struct node *over);

/* Both have the key. */
static int
merge_member(struct merge *merge, struct member *base, const struct member *over)
{
	bool both = base->value->kind == NODE_MAPPING && over->value->kind == NODE_MAPPING;
	bool one = base->value->kind == NODE_MAPPING || over->value->kind == NODE_MAPPING;

	if (over->value->broken)
		return 0;
	if (both)
		return merge_mappings(merge, base->value, over->value);
	if (base->value->kind == NODE_MAPPING && node_null(over->value))
		return 0;
	if (one && !node_null(base->value) && !base->value->broken) {
		report_conflict(merge, base->value, over->value);
		return 0;
	}
	*base = *over;
	return 0;
}

static int
merge_mappings(struct merge *merge, struct node *base, const struct node *over)
{
	int error = 0;

	base->partial = base->partial || over->partial;
	for (size_t i = 0; i < over->n && !error; i++) {
		const struct member *member = &over->members[i];
		struct member *found = node_member(base, member->name);
		size_t path = path_push(&merge->path, member->name);
		error =
			found ? merge_member(merge, found, member) : node_append(merge->arena, base, member);
		path_pop(&merge->path, path);
	}
	return error ? error : node_sort(merge->arena, base);
}

int
config_merge(struct node *base, const struct node *over, struct arena *arena, struct report *report)
{
	struct merge merge = { .arena = arena, .report = report };
	int error = merge_mappings(&merge, base, over);

	text_free(&merge.path);
	return error;
}
