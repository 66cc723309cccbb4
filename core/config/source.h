/* SPDX-License-Identifier: Apache-2.0 */
/* One configuration file's text and places in it. It lives in the arena of the tree, since every
 * node's place points at it. */
#ifndef WEIR_CONFIG_SOURCE_H
#define WEIR_CONFIG_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct report;

struct source {
	const char *name; /* as the user gave it; "FOLDER/conf.d/x.yaml" for a drop-in */
	/* Without the byte order mark, NUL-terminated, and after source_check with '_' for what may not
	 * stand there. NULL: not read. */
	char *text;
	const char *original; /* as read, for printing */
	size_t size;
	unsigned order; /* main file 0, drop-ins 1, 2, ... */
};

/* line and column from 1; column in characters. line 0: the file as a whole. source NULL: no place.
 */
struct place {
	const struct source *source;
	unsigned line, column;
};

struct source *source_new(
	struct arena *, const char *name, const char *text, size_t size, unsigned order);
/*
 * Reports every byte that may not stand in a configuration file: no UTF-8, NUL, control characters,
 * line separators other than LF and CRLF. Puts others in their place so that the rest can be read;
 * false when this is no text file.
 */
bool source_check(struct source *, struct arena *, struct report *);
/* The byte offset of a place; the end of its line (or of the text) when the place lies beyond. */
size_t source_offset(const struct source *, unsigned line, unsigned column);
/* The place of a byte offset. */
struct place source_place(const struct source *, size_t offset);
/* Length of the UTF-8 character at `text` (1 to 4, `size` > 0) and its code point; 0 when the bytes
 * are no valid character. */
unsigned utf8_decode(const char *text, size_t size, unsigned *code);
bool utf8_valid(const char *text, size_t size);
/* Neither control nor separator nor direction mark: safe in a key and on a terminal. */
bool code_printable(unsigned code);
/* No control character, line separator or byte that is no valid UTF-8: may stand in a key and on a
 * terminal. */
bool text_printable(const char *text, size_t size);
/* Tabs and line ends as blanks, all else that is not printable as '?'. */
void add_printable(struct text *out, const char *text);

#endif
