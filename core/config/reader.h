/* SPDX-License-Identifier: Apache-2.0 */
/* What reading one file (yaml.c) and explaining its syntax errors (syntax.c) share. */
#ifndef WEIR_CONFIG_READER_H
#define WEIR_CONFIG_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yaml.h>

#include "config/node.h"
#include "config/report.h"
#include "config/source.h"

#define DEPTH_MAX 32
#define ALIASES_MAX 1000
/* Aliases are copies: 1,000 of a large part would otherwise fill the memory. */
#define COPIED_MAX 262144
#define FILE_SIZE_MAX (4u << 20)
#define KEY_SIZE_MAX 255

struct anchor {
	const char *name;
	const struct node *node; /* NULL while it is being read */
	unsigned height;         /* levels of containers */
	unsigned aliases;        /* replaced inside it, all levels */
	size_t nodes;
	struct anchor *next; /* declared before */
};

/* A container that is not yet closed. */
struct open {
	struct place place; /* of the bracket; of a block's first key or dash */
	enum node_kind kind;
	bool flow;
	size_t closed; /* the byte where it was closed; SIZE_MAX before */
};

/* The scalar read last: where a syntax error begins is often there. */
struct last {
	size_t from, to; /* bytes in the source; from == to: nothing written */
	bool quoted;
};

struct reader {
	yaml_parser_t parser;
	const struct source *source;
	struct arena *arena;
	struct report *report;
	struct text path;
	struct open open[DEPTH_MAX];
	unsigned depth;
	struct last last;
	struct place
		joined; /* in brackets: a line that an unquoted text of two lines took in; line 0: none */
	struct anchor *anchors;
	unsigned aliases;
	size_t nodes, copied;
	size_t tabs_offset; /* the next line to be looked at for tabs */
	unsigned tabs_line;
	/* One character of the source, counted in characters and in bytes. */
	size_t cursor_index, cursor_offset;
	bool stopped; /* nothing more can be read of this file */
	int error;    /* -ENOMEM */
};

/* A key as read: name NULL when it cannot be one, which has been reported. */
struct key {
	const char *name;
	struct place place;
	unsigned width;
	bool plain;
	size_t end;
};

/*
 * Reads `source`, which is changed where bytes may not stand in it. *root is a mapping. -ENOMEM is
 * the only error returned.
 */
int yaml_parse_source(struct source *, struct arena *, struct report *, struct node **root);

/* Byte offset of one of the parser's marks. Cheap for marks near the one asked for before. */
size_t reader_offset(struct reader *, const yaml_mark_t *);
struct place reader_place(const struct reader *, const yaml_mark_t *);
static inline bool
reader_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
/* Nothing more is read of this file; the second returns NULL. */
void reader_stop(struct reader *);
void *reader_no_memory(struct reader *);
/* Something in `node` was refused and left out. */
void reader_partial(struct reader *, struct node *node);
/* Stands for a value that could not be read. */
struct node *reader_broken(struct reader *, struct place);

/* The place of byte `to`, counted on from that of `from`. */
struct place place_forward(struct place, size_t from, size_t to);
/* Characters from `from` to `to` or the end of the line. */
unsigned line_width(const char *text, size_t from, size_t to);
/*
 * The lines up to byte `to`, looked at for tabs in their indentation, which the parser lets pass in
 * some places and not in others; or passed over, where they are text in quotes or of a block.
 */
void lines_pass(struct reader *, size_t to, bool check);
/*
 * An unquoted text may go on in the next line. In brackets that is a forgotten comma; a line that
 * begins with a dash is an item of a list that was indented too deep. The comma is held back until
 * the parser goes on, for the bracket may turn out to be open.
 */
void lines_check_text(struct reader *, struct place, size_t from, size_t to);
void lines_report_joined(struct reader *);

/* An anchor is declared before its node is read and completed after; NULL out of memory. */
struct anchor *anchor_declare(struct reader *, const yaml_char_t *name);
void anchor_complete(struct reader *, struct anchor *, const struct node *);
struct node *read_alias(struct reader *, const yaml_event_t *);

bool key_check(struct reader *, const struct node *key);
/* "{interval:10s}": in brackets a key may stand without a value, and a missing blank goes
 * unnoticed. */
bool key_check_pair(struct reader *, const struct key *, const struct node *value);
/*
 * Drops duplicates and brings in what `<<` asks for, once all keys are there. `merge` is NULL or
 * the value of the first `<<`.
 */
int keys_complete(struct reader *, struct node *mapping, struct node *merge);

/* Reports why the parser gave up, in words, where a person would look. */
void syntax_report(struct reader *);

#endif
