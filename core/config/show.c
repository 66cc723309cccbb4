/* SPDX-License-Identifier: Apache-2.0 */
/* The tree as YAML again, one scalar a line. */
#include <string.h>

#include "config/node.h"

struct show {
	struct text *out;
	bool origin;
};

static void
indent(struct text *out, unsigned depth)
{
	while (depth-- > 0)
		text_append(out, "  ", 2);
}

/* Cautious: what is not surely plain is quoted. */
static bool
plain_safe(const char *text, size_t size)
{
	unsigned char first = (unsigned char)text[0];
	bool starts = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') ||
				  (first >= '0' && first <= '9') || first == '_' || first == '/' || first >= 0x80;

	if (!starts && (size < 2 || !strchr("-+.", first) || text[1] <= '.' || text[1] > '9'))
		return false;
	if (!text_printable(text, size) || text[size - 1] == ' ' || text[size - 1] == ':')
		return false;
	return !strstr(text, ": ") && !strstr(text, " #");
}

static void
add_single_quoted(struct text *out, const char *text, size_t size)
{
	text_append(out, "'", 1);
	for (size_t i = 0; i < size; i++)
		text_append(out, text[i] == '\'' ? "''" : text + i, text[i] == '\'' ? 2 : 1);
	text_append(out, "'", 1);
}

/* For text with line ends or characters that may not stand in a file. */
static void
add_double_quoted(struct text *out, const char *text, size_t size)
{
	text_append(out, "\"", 1);
	for (size_t i = 0; i < size;) {
		unsigned code = 0;
		unsigned length = utf8_decode(text + i, size - i, &code);
		if (length && code_printable(code) && code != '"' && code != '\\')
			text_append(out, text + i, length);
		else if (code == '"' || code == '\\')
			text_append(out, code == '"' ? "\\\"" : "\\\\", 2);
		else if (code == '\n' || code == '\t')
			text_append(out, code == '\n' ? "\\n" : "\\t", 2);
		else if (code < 0x100)
			text_printf(out, "\\x%02x", length ? code : (unsigned)(unsigned char)text[i]);
		else
			text_printf(out, "\\u%04x", code);
		i += length ? length : 1;
	}
	text_append(out, "\"", 1);
}

static void
add_quoted(struct text *out, const char *text, size_t size)
{
	if (text_printable(text, size))
		add_single_quoted(out, text, size);
	else
		add_double_quoted(out, text, size);
}

/* What was substituted is shown so that reading it again gives the same text. */
static void
escape(const struct node *node, struct text *escaped)
{
	for (const char *at = node->value; *at;) {
		const char *opener = strstr(at, "${");
		size_t size = opener ? (size_t)(opener - at) : strlen(at);
		text_append(escaped, at, size);
		if (opener)
			text_append(escaped, "$${", 3);
		at += size + (opener ? 2 : 0);
	}
}

static void
add_value(struct text *out, const struct node *node)
{
	struct text escaped = { 0 };

	if (node->substituted)
		escape(node, &escaped);
	else
		text_add(&escaped, node->value);
	out->failed = out->failed || escaped.failed;
	size_t size = escaped.size;
	if (node_null(node) && size)
		text_append(out, escaped.data, size);
	else if (!node_null(node) && node->plain && size && plain_safe(escaped.data, size))
		text_append(out, escaped.data, size);
	else if (!node_null(node))
		add_quoted(out, size ? escaped.data : "", size);
	text_free(&escaped);
}

static void
add_origin(struct show *show, const struct place *place)
{
	if (!show->origin || !place->source)
		return;
	text_add(show->out, " # ");
	add_printable(show->out, place->source->name);
	if (place->line)
		text_printf(show->out, ":%u", place->line);
}

static void
show_scalar(struct show *show, const struct node *node)
{
	struct text *out = show->out;

	if (!node_null(node) || *node->value)
		text_append(out, " ", 1);
	if (node->secret)
		text_add(out, "'***'");
	else
		add_value(out, node);
	add_origin(show, &node->place);
	text_append(out, "\n", 1);
}

static void show_value(struct show *show, const struct node *node, unsigned depth);

/* The first line of an item stands behind its dash. */
static void
show_members(struct show *show, const struct node *node, unsigned depth, bool after_dash)
{
	for (size_t i = 0; i < node->n; i++) {
		const struct member *member = &node->members[i];
		size_t size = member->name ? strlen(member->name) : 0;
		if (i > 0 || !after_dash)
			indent(show->out, depth);
		if (!member->name)
			text_append(show->out, "-", 1);
		else if (plain_safe(member->name, size))
			text_append(show->out, member->name, size);
		else
			add_quoted(show->out, member->name, size);
		if (member->name)
			text_append(show->out, ":", 1);
		const struct node *value = member->value;
		if (!member->name && value->kind != NODE_SCALAR && value->n) {
			text_append(show->out, " ", 1);
			show_members(show, value, depth + 1, true);
		} else {
			show_value(show, value, depth + 1);
		}
	}
}

static void
show_value(struct show *show, const struct node *node, unsigned depth)
{
	if (node->kind == NODE_SCALAR) {
		show_scalar(show, node);
	} else if (!node->n) {
		text_add(show->out, node->kind == NODE_MAPPING ? " {}" : " []");
		add_origin(show, &node->place);
		text_append(show->out, "\n", 1);
	} else {
		text_append(show->out, "\n", 1);
		show_members(show, node, depth, false);
	}
}

void
node_show(const struct node *node, struct text *out, bool origin)
{
	struct show show = { .out = out, .origin = origin };

	if (node->kind != NODE_SCALAR && node->n)
		show_members(&show, node, 0, false);
	else if (node->kind == NODE_SCALAR)
		show_scalar(&show, node);
	else
		text_add(out, node->kind == NODE_MAPPING ? "{}\n" : "[]\n");
}
