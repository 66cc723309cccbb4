/* SPDX-License-Identifier: Apache-2.0 */
/* Substitution in scalars. */
#include "config/substitute.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/secret.h"

/* All texts that one call makes: a file of 4 MiB could name a secret of 64 KiB some 300,000 times.
 */
#define TOTAL_MAX (16u << 20)

enum piece_kind { PIECE_TEXT, PIECE_ENV, PIECE_FILE, PIECE_CREDENTIAL, PIECE_BAD };

/* A stretch of a scalar: text as it is, or one ${...}. */
struct piece {
	enum piece_kind kind;
	const char *text;
	size_t size;          /* of the text, or of the name or path */
	const char *fallback; /* ${env:X:-fallback}; NULL: none */
	size_t fallback_size;
	bool closed;              /* PIECE_BAD: by '}' */
	const char *fault, *hint; /* PIECE_BAD; the hint may be NULL */
};

struct substitution {
	struct arena *arena; /* NULL: check only */
	struct report *report;
	struct text path;
	size_t total;
	int error;
};

static struct piece
bad(const char *text, size_t size, const char *fault, const char *hint)
{
	return (struct piece){
		.kind = PIECE_BAD, .text = text, .size = size, .closed = true, .fault = fault, .hint = hint
	};
}

static const char *
find(const char *text, size_t size, const char *pair)
{
	for (size_t i = 0; i + 1 < size; i++)
		if (text[i] == pair[0] && text[i + 1] == pair[1])
			return text + i;
	return NULL;
}

static bool
variable_name(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char c = text[i];
		bool letter = c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!letter && !(i > 0 && c >= '0' && c <= '9'))
			return false;
	}
	return size > 0;
}

static struct piece
read_env(const char *text, size_t size)
{
	struct piece piece = { .kind = PIECE_ENV, .text = text + 4, .size = size - 4 };
	const char *mark = find(piece.text, piece.size, ":-");

	if (mark) {
		piece.fallback = mark + 2;
		piece.fallback_size = piece.size - (size_t)(mark + 2 - piece.text);
		piece.size = (size_t)(mark - piece.text);
	}
	if (!variable_name(piece.text, piece.size))
		return bad(text, size, "names no variable",
			"write ${env:NAME}, or ${env:NAME:-text} with a default");
	return piece;
}

/* What stands between "${" and "}". */
static struct piece
read_reference(const char *text, size_t size)
{
	if (find(text, size, "${"))
		return bad(text, size, "cannot hold another ${...}", NULL);
	if (size >= 4 && memcmp(text, "env:", 4) == 0)
		return read_env(text, size);
	if (size >= 5 && memcmp(text, "file:", 5) == 0)
		return (struct piece){ .kind = PIECE_FILE, .text = text + 5, .size = size - 5 };
	if (size >= 5 && memcmp(text, "cred:", 5) == 0)
		return (struct piece){ .kind = PIECE_CREDENTIAL, .text = text + 5, .size = size - 5 };
	return bad(text, size, "is none of ${env:NAME}, ${env:NAME:-text}, ${file:/PATH}, ${cred:NAME}",
		"a text with '${' in it is written $${");
}

/* The piece at *cursor, which moves behind it. False at the end. */
static bool
next_piece(const char **cursor, struct piece *piece)
{
	const char *at = *cursor;

	if (!*at)
		return false;
	if (strncmp(at, "$${", 3) == 0) {
		*piece = (struct piece){ .kind = PIECE_TEXT, .text = at + 1, .size = 2 };
		*cursor = at + 3;
	} else if (strncmp(at, "${", 2) == 0) {
		const char *end = strchr(at, '}');
		size_t size = end ? (size_t)(end - at) - 2 : strlen(at + 2);
		*piece = end ? read_reference(at + 2, size)
					 : bad(at + 2, size, "is not closed by '}'",
						   "a text with '${' in it is written $${");
		piece->closed = end != NULL;
		*cursor = at + 2 + size + (end ? 1 : 0);
	} else {
		const char *end = at + 1;
		while (*end && strncmp(end, "$${", 3) != 0 && strncmp(end, "${", 2) != 0)
			end++;
		*piece = (struct piece){ .kind = PIECE_TEXT, .text = at, .size = (size_t)(end - at) };
		*cursor = end;
	}
	return true;
}

static void
report_fault(struct substitution *sub, const struct node *node, const char *fault, const char *hint)
{
	report_error(sub->report, &node->place, node->width, path_text(&sub->path), "%s", fault);
	if (hint)
		report_hint(sub->report, "%s", hint);
}

static void
report_bad(struct substitution *sub, const struct node *node, const struct piece *piece)
{
	report_error(sub->report, &node->place, node->width, path_text(&sub->path), "'${%.*s%s' %s",
		piece->size > 80 ? 80 : (int)piece->size, piece->text, piece->closed ? "}" : "",
		piece->fault);
	if (piece->hint)
		report_hint(sub->report, "%s", piece->hint);
}

/* NULL: reported. */
static const char *
find_variable(
	struct substitution *sub, const struct node *node, const struct piece *piece, const char *name)
{
	const char *value = getenv(name);

	if (piece->fallback && (!value || !*value)) {
		value = arena_copy(sub->arena, piece->fallback, piece->fallback_size);
		sub->error = value ? 0 : -ENOMEM;
	} else if (!value) {
		report_error(sub->report, &node->place, node->width, path_text(&sub->path),
			"the environment has no variable '%s'", name);
		report_hint(sub->report, "a default is given by ${env:%s:-text}", name);
	} else if (!utf8_valid(value, strlen(value))) {
		report_error(sub->report, &node->place, node->width, path_text(&sub->path),
			"the value of the environment's variable '%s' is not valid UTF-8", name);
		value = NULL;
	}
	return value;
}

static const char *
find_secret(
	struct substitution *sub, const struct node *node, const struct piece *piece, const char *name)
{
	struct weir_err err = { 0 };
	const char *value = NULL;
	int error = piece->kind == PIECE_FILE ? secret_read_file(name, sub->arena, &value, &err)
										  : secret_read_credential(name, sub->arena, &value, &err);

	if (error == -ENOMEM)
		sub->error = -ENOMEM;
	else if (error)
		report_fault(sub, node, err.text, NULL);
	return error ? NULL : value;
}

/* The text that stands for one ${...}; NULL: reported, or out of memory. */
static const char *
look_up(struct substitution *sub, struct node *node, const struct piece *piece)
{
	char *name = arena_copy(sub->arena, piece->text, piece->size);

	if (!name) {
		sub->error = -ENOMEM;
		return NULL;
	}
	if (piece->kind == PIECE_ENV)
		return find_variable(sub, node, piece, name);
	node->secret = true;
	return find_secret(sub, node, piece, name);
}

/* False: reported, or out of memory. */
static bool
replace_piece(
	struct substitution *sub, struct node *node, const struct piece *piece, struct text *out)
{
	if (piece->kind == PIECE_BAD) {
		report_bad(sub, node, piece);
		return false;
	}
	const char *value = look_up(sub, node, piece);
	if (!value)
		return false;
	if (sub->total + out->size + strlen(value) > TOTAL_MAX) {
		report_fault(sub, node, "the texts put in for ${...} exceed 16 MiB", NULL);
		return false;
	}
	text_add(out, value);
	return true;
}

/* All pieces of a scalar into `out`. Goes on after a fault, so that all are reported. */
static void
replace_pieces(struct substitution *sub, struct node *node, struct text *out)
{
	struct piece piece;

	for (const char *cursor = node->spelling; !sub->error && next_piece(&cursor, &piece);) {
		if (piece.kind == PIECE_TEXT) {
			text_append(out, piece.text, piece.size);
			continue;
		}
		node->plain = false;
		if (!replace_piece(sub, node, &piece, out))
			node->broken = true;
	}
}

static void
replace_scalar(struct substitution *sub, struct node *node)
{
	struct text out = { 0 };

	node->substituted = true;
	if (!strstr(node->spelling, "${"))
		return;
	replace_pieces(sub, node, &out);
	sub->total += out.size;
	if (out.failed)
		sub->error = -ENOMEM;
	if (!sub->error && !node->broken) {
		node->value = arena_copy(sub->arena, out.data ? out.data : "", out.size);
		sub->error = node->value ? 0 : -ENOMEM;
	}
	if (out.data)
		explicit_bzero(out.data, out.room);
	text_free(&out);
}

static void
check_scalar(struct substitution *sub, struct node *node)
{
	struct piece piece;

	for (const char *cursor = node->spelling; next_piece(&cursor, &piece);) {
		if (piece.kind != PIECE_BAD)
			continue;
		report_bad(sub, node, &piece);
		node->broken = true;
	}
}

static void
walk(struct substitution *sub, struct node *node)
{
	if (node->kind == NODE_SCALAR) {
		if (!node->broken && !node->substituted)
			(sub->arena ? replace_scalar : check_scalar)(sub, node);
		return;
	}
	for (size_t i = 0; i < node->n && !sub->error; i++) {
		const struct member *member = &node->members[i];
		size_t path =
			member->name ? path_push(&sub->path, member->name) : path_push_index(&sub->path, i);
		walk(sub, member->value);
		path_pop(&sub->path, path);
	}
}

static int
run(struct node *node, const char *where, struct arena *arena, struct report *report)
{
	struct substitution sub = { .arena = arena, .report = report };

	if (where)
		text_add(&sub.path, where);
	walk(&sub, node);
	text_free(&sub.path);
	return sub.error;
}

void
substitute_check(struct node *node, const char *where, struct report *report)
{
	run(node, where, NULL, report);
}

int
substitute(struct node *node, const char *where, struct arena *arena, struct report *report)
{
	return run(node, where, arena, report);
}
