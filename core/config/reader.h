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
	size_t cursor_index,
		cursor_offset; /* one character of the source, counted in characters and in bytes */
	bool stopped;      /* nothing more can be read of this file */
	int error;         /* -ENOMEM */
};

/* Reads `source`, which is changed where bytes may not stand in it. *root is a mapping. -ENOMEM is
 * the only error returned. */
int yaml_parse_source(struct source *, struct arena *, struct report *, struct node **root);

/* Byte offset of one of the parser's marks. Cheap for marks near the one asked for before. */
size_t reader_offset(struct reader *, const yaml_mark_t *);
/* Reports why the parser gave up, in words, where a person would look. */
void syntax_report(struct reader *);

#endif
