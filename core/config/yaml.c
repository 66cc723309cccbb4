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

/* False: the file ends here for us, and why has been reported. */
static bool
next_event(struct reader *reader, yaml_event_t *event)
{
	if (reader->stopped)
		return false;
	if (yaml_parser_parse(&reader->parser, event)) {
		lines_report_joined(reader);
		return true;
	}
	if (reader->parser.error == YAML_MEMORY_ERROR) {
		reader_no_memory(reader);
		return false;
	}
	syntax_report(reader);
	reader_stop(reader);
	return false;
}

/* From the first anchor or tag of a node to its value; tags are refused on the way. */
static size_t
skip_properties(struct reader *reader, struct place start, size_t from, size_t to)
{
	const char *text = reader->source->text;
	size_t at = from;

	while (at < to) {
		size_t begin = at;
		if (reader_space(text[at])) {
			at++;
			continue;
		}
		if (text[at] == '#')
			while (at < to && text[at] != '\n')
				at++;
		else if (text[at] == '&' || text[at] == '!')
			while (at < to && !reader_space(text[at]) &&
				   !(text[begin] == '&' && strchr(",[]{}", text[at])))
				at++;
		else
			break;
		if (text[begin] != '!')
			continue;
		struct place place = place_forward(start, from, begin);
		report_error(reader->report, &place, line_width(text, begin, at), path_text(&reader->path),
			"tags (!...) are not allowed: the option decides the type; quote a text that begins "
			"with '!'");
	}
	return at;
}

/* `end` is where the value ends, or begins where it is a block. */
static struct intro
introduce(struct reader *reader, const yaml_event_t *event, const yaml_char_t *anchor,
	const yaml_char_t *tag)
{
	struct intro intro = {
		.place = reader_place(reader, &event->start_mark),
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
		intro.anchor = anchor_declare(reader, anchor);
	intro.width = line_width(reader->source->text, intro.from, intro.to);
	return intro;
}

static void
note_scalar(struct reader *reader, const yaml_event_t *event, const struct intro *intro)
{
	yaml_scalar_style_t style = event->data.scalar.style;
	bool quoted =
		style == YAML_SINGLE_QUOTED_SCALAR_STYLE || style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;

	reader->last = (struct last){ .from = intro->from, .to = intro->to, .quoted = quoted };
	if (style == YAML_PLAIN_SCALAR_STYLE) {
		lines_check_text(reader, intro->place, intro->from, intro->to);
		return;
	}
	lines_pass(reader, intro->from, true);
	lines_pass(reader, intro->to, false);
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
		return reader_no_memory(reader);
	node->plain = style == YAML_PLAIN_SCALAR_STYLE;
	node->broken = event->data.scalar.tag != NULL;
	if (style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE)
		node->width = 1;
	if (memchr(value, 0, size)) {
		report_error(reader->report, &intro.place, intro.width, path_text(&reader->path),
			"a NUL character is not allowed in a text");
		node->broken = true;
	}
	anchor_complete(reader, intro.anchor, node);
	return node;
}

/* Returns false, and stops, when the nesting is too deep. */
static bool
open_container(struct reader *reader, const struct intro *intro, enum node_kind kind, bool flow)
{
	if (reader->depth == DEPTH_MAX) {
		report_error(reader->report, &intro->place, 1, path_text(&reader->path),
			"nested deeper than %d levels", DEPTH_MAX);
		reader_stop(reader);
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

static struct node *
read_sequence(struct reader *reader, const yaml_event_t *start)
{
	bool flow = start->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
	struct intro intro =
		introduce(reader, start, start->data.sequence_start.anchor, start->data.sequence_start.tag);
	struct node *node = node_new(reader->arena, NODE_SEQUENCE, intro.place, 1);

	if (!node)
		return reader_no_memory(reader);
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
			return reader_no_memory(reader);
	}
	if (more)
		close_container(reader, NULL);
	node->partial = reader->stopped;
	anchor_complete(reader, intro.anchor, node);
	return node;
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
		report_error(reader->report, &node->place, node->width, path_text(&reader->path),
			"a key is a single text, no %s", node->kind == NODE_MAPPING ? "mapping" : "list");
	else if (!node->broken && key_check(reader, node))
		key.name = node->value;
	return key;
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
	struct node *value = NULL;

	if (more)
		value = read_node(reader, &next);
	else if (key.name)
		value = reader_broken(reader, key.place);
	path_pop(&reader->path, path);
	if (!value)
		return false;
	if (!key.name || (flow && !key_check_pair(reader, &key, value))) {
		reader_partial(reader, node);
		return more;
	}
	bool merges = key.plain && strcmp(key.name, "<<") == 0;
	if (merges && !*merge) {
		*merge = value;
		return more;
	}
	if (merges) {
		report_error(reader->report, &key.place, key.width, path_text(&reader->path),
			"duplicate key '<<': give it a list, such as '<<: [*a, *b]'");
		return more;
	}
	struct member member = {
		.name = key.name, .place = key.place, .width = key.width, .value = value
	};
	if (node_append(reader->arena, node, &member))
		reader_no_memory(reader);
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
		return reader_no_memory(reader);
	node->broken = start->data.mapping_start.tag != NULL;
	if (!open_container(reader, &intro, NODE_MAPPING, flow))
		return keys_complete(reader, node, NULL) ? reader_no_memory(reader) : node;
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
	if (reader->error || keys_complete(reader, node, merge))
		return reader_no_memory(reader);
	anchor_complete(reader, intro.anchor, node);
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

static void
check_directives(struct reader *reader, const yaml_event_t *event)
{
	const struct place place = reader_place(reader, &event->start_mark);

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
		struct place place = reader_place(reader, &event.start_mark);
		if (type == YAML_DOCUMENT_START_EVENT && !second)
			check_directives(reader, &event);
		yaml_event_delete(&event);
		if (second) {
			report_error(reader->report, &place, 3, NULL,
				"a second document begins here: one file holds one");
			reader_stop(reader);
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
		return reader_no_memory(reader);
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
	lines_pass(reader, reader->stopped ? reader->last.to : source->size, true);
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

const char *
yaml_library(void)
{
	return yaml_get_version_string();
}
