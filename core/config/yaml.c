/* SPDX-License-Identifier: Apache-2.0 */
/* One file's text to a tree, from libyaml's events. What YAML allows and Weir does not is refused
 * here. */
#include "config/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/reader.h"

/* How the node being read was introduced. */
struct intro {
	struct place place;
	size_t from, to;
	unsigned width;
	struct anchor *anchor;
};

static struct node *read_node(struct reader *reader, yaml_event_t *event);

size_t
reader_offset(struct reader *reader, const yaml_mark_t *mark)
{
	const char *text = reader->source->text;
	size_t size = reader->source->size;

	for (; reader->cursor_index < mark->index && reader->cursor_offset < size;
		 reader->cursor_index++)
		do
			reader->cursor_offset++;
		while (reader->cursor_offset < size &&
			   ((unsigned char)text[reader->cursor_offset] & 0xc0) == 0x80);
	for (; reader->cursor_index > mark->index; reader->cursor_index--)
		do
			reader->cursor_offset--;
		while (((unsigned char)text[reader->cursor_offset] & 0xc0) == 0x80);
	return reader->cursor_offset;
}

static struct place
mark_place(const struct reader *reader, const yaml_mark_t *mark)
{
	return (struct place){ reader->source, (unsigned)mark->line + 1, (unsigned)mark->column + 1 };
}

/* The place `to`, counted on from a known one. */
static struct place
place_forward(struct place place, size_t from, size_t to)
{
	const char *text = place.source->text;

	for (size_t i = from; i < to; i++) {
		if (text[i] == '\n') {
			place.line++;
			place.column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			place.column++;
		}
	}
	return place;
}

/* Characters from `from` to `to` or the end of the line. */
static unsigned
line_width(const char *text, size_t from, size_t to)
{
	unsigned width = 0;

	for (size_t i = from; i < to && text[i] != '\n' && text[i] != '\r'; i++)
		width += ((unsigned char)text[i] & 0xc0) != 0x80;
	return width;
}

static void
stop(struct reader *reader)
{
	reader->stopped = true;
	report_set_incomplete(reader->report);
}

static void *
out_of_memory(struct reader *reader)
{
	reader->error = -ENOMEM;
	stop(reader);
	return NULL;
}

static const char *
where(const struct reader *reader)
{
	return path_text(&reader->path);
}

/* Held back until the parser went on, for the bracket may turn out to be open. */
static void
report_joined(struct reader *reader)
{
	if (!reader->joined.line)
		return;
	report_error(
		reader->report, &reader->joined, 1, where(reader), "a ',' is missing before this line");
	report_hint(reader->report, "quote the text if it is meant to go on here");
	reader->joined.line = 0;
}

/* False: the file ends here for us, and why has been reported. */
static bool
next_event(struct reader *reader, yaml_event_t *event)
{
	if (reader->stopped)
		return false;
	if (yaml_parser_parse(&reader->parser, event)) {
		report_joined(reader);
		return true;
	}
	if (reader->parser.error == YAML_MEMORY_ERROR) {
		out_of_memory(reader);
		return false;
	}
	syntax_report(reader);
	stop(reader);
	return false;
}

/* --- tabs --- */

static void
check_line_tab(struct reader *reader, size_t start, unsigned line)
{
	const char *text = reader->source->text;
	size_t at = start;

	while (text[at] == ' ')
		at++;
	if (text[at] != '\t')
		return;
	struct place place = { reader->source, line, (unsigned)(at - start) + 1 };
	report_error(reader->report, &place, 1, NULL, "tab in the indentation: use blanks");
}

/* Lines up to byte `to`, which the parser lets pass in some places and not in others. */
static void
check_tabs(struct reader *reader, size_t to)
{
	const char *text = reader->source->text;

	while (reader->tabs_offset < to) {
		check_line_tab(reader, reader->tabs_offset, reader->tabs_line);
		const char *feed = strchr(text + reader->tabs_offset, '\n');
		reader->tabs_offset = feed ? (size_t)(feed + 1 - text) : reader->source->size;
		reader->tabs_line++;
	}
}

/* The lines of a text in quotes or of a block are not indentation: go on behind them. */
static void
skip_tabs(struct reader *reader, size_t to)
{
	const char *text = reader->source->text;

	while (reader->tabs_offset < to) {
		const char *feed = strchr(text + reader->tabs_offset, '\n');
		reader->tabs_offset = feed ? (size_t)(feed + 1 - text) : reader->source->size;
		reader->tabs_line++;
	}
}

/* --- nodes --- */

static bool
space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* From the first anchor or tag of a node to its value; tags are refused on the way. */
static size_t
skip_properties(struct reader *reader, struct place start, size_t from, size_t to)
{
	const char *text = reader->source->text;
	size_t at = from;

	while (at < to) {
		size_t begin = at;
		if (space(text[at])) {
			at++;
			continue;
		}
		if (text[at] == '#')
			while (at < to && text[at] != '\n')
				at++;
		else if (text[at] == '&' || text[at] == '!')
			while (
				at < to && !space(text[at]) && !(text[begin] == '&' && strchr(",[]{}", text[at])))
				at++;
		else
			break;
		if (text[begin] != '!')
			continue;
		struct place place = place_forward(start, from, begin);
		report_error(reader->report, &place, line_width(text, begin, at), where(reader),
			"tags (!...) are not allowed: the option decides the type; quote a text that begins "
			"with '!'");
	}
	return at;
}

static struct anchor *
declare_anchor(struct reader *reader, const yaml_char_t *name)
{
	struct anchor *anchor = arena_alloc(reader->arena, sizeof(*anchor));

	if (!anchor || !(anchor->name = arena_string(reader->arena, (const char *)name)))
		return out_of_memory(reader);
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

static void
complete_anchor(struct reader *reader, struct anchor *anchor, const struct node *node)
{
	if (!anchor)
		return;
	anchor->aliases = reader->aliases - anchor->aliases;
	anchor->nodes = reader->nodes - anchor->nodes;
	anchor->height = height(node);
	anchor->node = node;
}

/* `end` is where the value ends, or begins where it is a block. */
static struct intro
introduce(struct reader *reader, const yaml_event_t *event, const yaml_char_t *anchor,
	const yaml_char_t *tag)
{
	struct intro intro = {
		.place = mark_place(reader, &event->start_mark),
		.from = reader_offset(reader, &event->start_mark),
		.to = reader_offset(reader, &event->end_mark),
	};

	reader->nodes++;
	if (anchor || tag) {
		size_t value = skip_properties(reader, intro.place, intro.from, intro.to);
		intro.place = place_forward(intro.place, intro.from, value);
		intro.from = value;
	}
	if (anchor)
		intro.anchor = declare_anchor(reader, anchor);
	intro.width = line_width(reader->source->text, intro.from, intro.to);
	return intro;
}

/*
 * An unquoted text may go on in the next line. In brackets that is a forgotten comma; a line that
 * begins with a dash is an item of a list that was indented too deep.
 */
static void
check_plain_lines(struct reader *reader, const struct intro *intro)
{
	const char *text = reader->source->text;
	bool flow = reader->depth && reader->open[reader->depth - 1].flow;

	for (size_t i = intro->from; i + 1 < intro->to; i++) {
		if (text[i] != '\n')
			continue;
		size_t at = i + 1;
		while (at < intro->to && space(text[at]))
			at++;
		bool dash = at + 1 < intro->to && text[at] == '-' && space(text[at + 1]);
		if (!flow && !dash)
			continue;
		struct place place = place_forward(intro->place, intro->from, at);
		if (flow)
			reader->joined = place;
		else
			report_error(reader->report, &place, 1, where(reader),
				"this item is indented deeper than the text above and would become part of it");
		return;
	}
}

static void
note_scalar(struct reader *reader, const yaml_event_t *event, const struct intro *intro)
{
	yaml_scalar_style_t style = event->data.scalar.style;
	bool quoted =
		style == YAML_SINGLE_QUOTED_SCALAR_STYLE || style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;

	reader->last = (struct last){ .from = intro->from, .to = intro->to, .quoted = quoted };
	if (style == YAML_PLAIN_SCALAR_STYLE) {
		check_plain_lines(reader, intro);
		return;
	}
	check_tabs(reader, intro->from);
	skip_tabs(reader, intro->to);
}

static struct node *
read_scalar(struct reader *reader, const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t size = event->data.scalar.length;
	yaml_scalar_style_t style = event->data.scalar.style;
	struct intro intro =
		introduce(reader, event, event->data.scalar.anchor, event->data.scalar.tag);

	note_scalar(reader, event, &intro);
	struct node *node = node_scalar(reader->arena, value, size, intro.place, intro.width);
	if (!node)
		return out_of_memory(reader);
	node->plain = style == YAML_PLAIN_SCALAR_STYLE;
	node->broken = event->data.scalar.tag != NULL;
	if (style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE)
		node->width = 1;
	if (memchr(value, 0, size)) {
		report_error(reader->report, &intro.place, intro.width, where(reader),
			"a NUL character is not allowed in a text");
		node->broken = true;
	}
	complete_anchor(reader, intro.anchor, node);
	return node;
}

/* Stands for a value that could not be read. */
static struct node *
broken_node(struct reader *reader, struct place place)
{
	struct node *node = node_scalar(reader->arena, "", 0, place, 1);

	if (!node)
		return out_of_memory(reader);
	node->broken = true;
	return node;
}

/* --- aliases --- */

static struct node *
copy_node(struct reader *reader, const struct node *from)
{
	struct node *node = arena_alloc(reader->arena, sizeof(*node));

	if (!node)
		return out_of_memory(reader);
	*node = *from;
	if (from->kind == NODE_SCALAR)
		return node;
	node->members = arena_alloc(reader->arena, (from->n + 1) * sizeof(*node->members));
	if (!node->members)
		return out_of_memory(reader);
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
	report_error(reader->report, place, width, where(reader),
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
		report_error(reader->report, place, width, where(reader), "more than %d aliases to replace",
			ALIASES_MAX);
	else if (!anchor)
		report_unknown_alias(reader, place, width, name);
	else if (!anchor->node)
		report_error(reader->report, place, width, where(reader),
			"alias '*%.80s' stands inside its own anchor", name);
	else if (reader->depth + anchor->height > DEPTH_MAX)
		report_error(reader->report, place, width, where(reader),
			"nested deeper than %d levels by this alias", DEPTH_MAX);
	else if (reader->aliases + anchor->aliases + 1 > ALIASES_MAX)
		report_error(reader->report, place, width, where(reader), "more than %d aliases to replace",
			ALIASES_MAX);
	else if (reader->copied + anchor->nodes > COPIED_MAX)
		report_error(reader->report, place, width, where(reader),
			"the aliases stand for more than %d values", COPIED_MAX);
	else
		return anchor;
	return NULL;
}

static struct node *
read_alias(struct reader *reader, const yaml_event_t *event)
{
	struct place place = mark_place(reader, &event->start_mark);
	unsigned width = (unsigned)(event->end_mark.column - event->start_mark.column);
	const struct anchor *anchor =
		find_anchor(reader, &place, width, (const char *)event->data.alias.anchor);

	reader->last = (struct last){ 0 };
	reader->nodes++;
	reader->aliases += 1 + (anchor ? anchor->aliases : 0);
	if (!anchor)
		return broken_node(reader, place);
	reader->copied += anchor->nodes;
	reader->nodes += anchor->nodes;
	struct node *node = copy_node(reader, anchor->node);
	if (node) {
		node->place = place;
		node->width = width;
	}
	return node;
}

/* --- containers --- */

/* Returns false, and stops, when the nesting is too deep. */
static bool
open_container(struct reader *reader, const struct intro *intro, enum node_kind kind, bool flow)
{
	if (reader->depth == DEPTH_MAX) {
		report_error(reader->report, &intro->place, 1, where(reader),
			"nested deeper than %d levels", DEPTH_MAX);
		stop(reader);
		return false;
	}
	reader->open[reader->depth++] =
		(struct open){ .place = intro->place, .kind = kind, .flow = flow, .closed = SIZE_MAX };
	return true;
}

/* `end` is NULL when it ended without its end. */
static void
close_container(struct reader *reader, yaml_event_t *end)
{
	reader->depth--;
	if (!end)
		return;
	reader->open[reader->depth].closed = reader_offset(reader, &end->start_mark);
	yaml_event_delete(end);
}

/* Something in it was refused and left out. */
static void
mark_partial(struct reader *reader, struct node *node)
{
	node->partial = true;
	report_set_incomplete(reader->report);
}

static struct node *
read_sequence(struct reader *reader, const yaml_event_t *start)
{
	bool flow = start->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
	struct intro intro =
		introduce(reader, start, start->data.sequence_start.anchor, start->data.sequence_start.tag);
	struct node *node = node_new(reader->arena, NODE_SEQUENCE, intro.place, 1);

	if (!node)
		return out_of_memory(reader);
	node->broken = start->data.sequence_start.tag != NULL;
	if (!open_container(reader, &intro, NODE_SEQUENCE, flow))
		return node;
	yaml_event_t event;
	bool more = true;
	while (more && next_event(reader, &event)) {
		if (event.type == YAML_SEQUENCE_END_EVENT) {
			close_container(reader, &event);
			more = false;
			continue;
		}
		size_t path = path_push_index(&reader->path, node->n);
		struct node *value = read_node(reader, &event);
		path_pop(&reader->path, path);
		if (!value)
			return NULL;
		struct member item = { .place = value->place, .width = value->width, .value = value };
		if (node_append(reader->arena, node, &item))
			return out_of_memory(reader);
	}
	if (more)
		close_container(reader, NULL);
	node->partial = reader->stopped;
	complete_anchor(reader, intro.anchor, node);
	return node;
}

/* A key as read: name NULL when it cannot be one, which has been reported. */
struct key {
	const char *name;
	struct place place;
	unsigned width;
	bool plain;
	size_t end;
};

static bool
check_key(struct reader *reader, const struct node *key)
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
		report_error(reader->report, &key->place, key->width, where(reader), "%s", fault);
	return !fault;
}

static struct key
read_key(struct reader *reader, yaml_event_t *event)
{
	size_t end = reader_offset(reader, &event->end_mark);
	const struct node *node = read_node(reader, event);
	struct key key = { .end = end };

	if (!node)
		return key;
	key.place = node->place;
	key.width = node->width;
	key.plain = node->kind == NODE_SCALAR && node->plain;
	if (node->kind != NODE_SCALAR)
		report_error(reader->report, &node->place, node->width, where(reader),
			"a key is a single text, no %s", node->kind == NODE_MAPPING ? "mapping" : "list");
	else if (!node->broken && check_key(reader, node))
		key.name = node->value;
	return key;
}

/* "{interval:10s}": in brackets a key may stand without a value, and the missing blank goes
 * unnoticed. */
static bool
check_flow_pair(struct reader *reader, const struct key *key, const struct node *value)
{
	const char *text = reader->source->text;
	size_t at = key->end;

	if (!key->plain || value->kind != NODE_SCALAR || *value->value || !value->plain ||
		value->broken)
		return true;
	while (space(text[at]))
		at++;
	if (text[at] == ':' || !strpbrk(key->name, ":= "))
		return true;
	report_error(reader->report, &key->place, key->width, where(reader),
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
		report_error(reader->report, &twin->place, twin->width, where(reader),
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
	mark_partial(reader, node);
	if (value->broken)
		return false;
	report_error(reader->report, &value->place, value->width, where(reader),
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

/* Duplicates and `<<` can be judged once all keys are there. `merge` is NULL or the value of the
 * first `<<`. */
static int
complete_mapping(struct reader *reader, struct node *node, struct node *merge)
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

/* One key and its value. Returns false when the mapping ends here. */
static bool
read_pair(
	struct reader *reader, yaml_event_t *event, struct node *node, bool flow, struct node **merge)
{
	struct key key = read_key(reader, event);
	size_t path = path_push(&reader->path, key.name ? key.name : "?");
	yaml_event_t next;
	bool more = !reader->stopped && next_event(reader, &next);
	struct node *value = more       ? read_node(reader, &next)
						 : key.name ? broken_node(reader, key.place)
									: NULL;

	path_pop(&reader->path, path);
	if (!value)
		return false;
	if (!key.name || (flow && !check_flow_pair(reader, &key, value))) {
		mark_partial(reader, node);
		return more;
	}
	bool merges = key.plain && strcmp(key.name, "<<") == 0;
	if (merges && !*merge) {
		*merge = value;
		return more;
	}
	if (merges) {
		report_error(reader->report, &key.place, key.width, where(reader),
			"duplicate key '<<': give it a list, "
			"such as '<<: [*a, *b]'");
		return more;
	}
	struct member member = {
		.name = key.name, .place = key.place, .width = key.width, .value = value
	};
	if (node_append(reader->arena, node, &member))
		out_of_memory(reader);
	return more;
}

static struct node *
read_mapping(struct reader *reader, const yaml_event_t *start)
{
	bool flow = start->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
	struct intro intro =
		introduce(reader, start, start->data.mapping_start.anchor, start->data.mapping_start.tag);
	struct node *node = node_new(reader->arena, NODE_MAPPING, intro.place, 1), *merge = NULL;

	if (!node)
		return out_of_memory(reader);
	node->broken = start->data.mapping_start.tag != NULL;
	if (!open_container(reader, &intro, NODE_MAPPING, flow))
		return complete_mapping(reader, node, NULL) ? out_of_memory(reader) : node;
	yaml_event_t event;
	bool more = true, closed = false;
	while (more && next_event(reader, &event)) {
		if (event.type == YAML_MAPPING_END_EVENT) {
			close_container(reader, &event);
			closed = true;
		}
		more = !closed && read_pair(reader, &event, node, flow, &merge);
	}
	if (!closed)
		close_container(reader, NULL);
	node->partial = node->partial || reader->stopped;
	if (reader->error || complete_mapping(reader, node, merge))
		return out_of_memory(reader);
	complete_anchor(reader, intro.anchor, node);
	return node;
}

/* The node that `event` begins; the event is used up. NULL: out of memory. */
static struct node *
read_node(struct reader *reader, yaml_event_t *event)
{
	struct node *node = NULL;

	switch (event->type) {
	case YAML_SCALAR_EVENT:
		node = read_scalar(reader, event);
		break;
	case YAML_ALIAS_EVENT:
		node = read_alias(reader, event);
		break;
	case YAML_SEQUENCE_START_EVENT:
		node = read_sequence(reader, event);
		break;
	default:
		node = read_mapping(reader, event);
		break;
	}
	yaml_event_delete(event);
	return node;
}

/* --- documents --- */

static void
check_directives(struct reader *reader, const yaml_event_t *event)
{
	const struct place place = mark_place(reader, &event->start_mark);

	if (event->data.document_start.version_directive ||
		event->data.document_start.tag_directives.start !=
			event->data.document_start.tag_directives.end)
		report_error(reader->report, &place, 1, NULL,
			"directives (%%YAML, %%TAG) are not allowed: remove this line");
}

static struct node *
read_document(struct reader *reader)
{
	yaml_event_t event;

	if (!next_event(reader, &event))
		return NULL;
	struct node *root = read_node(reader, &event);
	if (next_event(reader, &event)) /* the end of the document */
		yaml_event_delete(&event);
	return root;
}

static struct node *
read_stream(struct reader *reader)
{
	struct node *root = NULL;
	yaml_event_t event;

	for (bool more = true; more && next_event(reader, &event);) {
		yaml_event_type_t type = event.type;
		bool second = type == YAML_DOCUMENT_START_EVENT && root;
		struct place place = mark_place(reader, &event.start_mark);
		if (type == YAML_DOCUMENT_START_EVENT && !second)
			check_directives(reader, &event);
		yaml_event_delete(&event);
		if (second) {
			report_error(reader->report, &place, 3, NULL,
				"a second document begins here: one file holds one");
			stop(reader);
		} else if (type == YAML_DOCUMENT_START_EVENT) {
			root = read_document(reader);
		}
		more = type != YAML_STREAM_END_EVENT;
	}
	return root;
}

/* Whatever came of it, a mapping. */
static struct node *
as_mapping(struct reader *reader, struct node *root)
{
	struct place place = { reader->source, 1, 1 };

	if (root && root->kind == NODE_MAPPING)
		return root;
	if (root && !reader->stopped)
		node_expect(root, NODE_MAPPING, true, NULL, reader->report);
	struct node *empty = node_new(reader->arena, NODE_MAPPING, place, 1);
	if (!empty || node_sort(reader->arena, empty))
		return out_of_memory(reader);
	empty->partial = reader->stopped || (root && !node_null(root));
	if (empty->partial)
		report_set_incomplete(reader->report);
	return empty;
}

static int
parse(struct reader *reader, struct node **root)
{
	const struct source *source = reader->source;

	if (!yaml_parser_initialize(&reader->parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
		&reader->parser, (const unsigned char *)source->text, source->size);
	struct node *tree = read_stream(reader);
	/* After a syntax error what follows the last text read may lie inside an open quote. */
	check_tabs(reader, reader->stopped ? reader->last.to : source->size);
	*root = reader->error ? NULL : as_mapping(reader, tree);
	yaml_parser_delete(&reader->parser);
	text_free(&reader->path);
	return reader->error;
}

int
yaml_parse_source(
	struct source *source, struct arena *arena, struct report *report, struct node **root)
{
	struct reader reader = { .source = source, .arena = arena, .report = report, .tabs_line = 1 };
	struct place start = { source, 1, 1 };
	bool large = source->size > FILE_SIZE_MAX;

	report_file(report);
	if (large)
		report_error(report, &start, 1, NULL, "the file is larger than 4 MiB");
	if (!large && source_check(source, arena, report))
		return parse(&reader, root);
	reader.stopped = true;
	*root = as_mapping(&reader, NULL);
	return reader.error;
}

int
yaml_parse_memory(const char *name, const char *text, size_t size, struct arena *arena,
	struct report *report, struct node **root)
{
	struct source *source = source_new(arena, name, text, size, 0);

	return source ? yaml_parse_source(source, arena, report, root) : -ENOMEM;
}
