/* SPDX-License-Identifier: Apache-2.0 */
/* Small tools on text: a growing buffer, an arena for strings that live together, word distance,
 * names, patterns, host lists. */
#ifndef WEIR_BASE_TEXT_H
#define WEIR_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/error.h>

/* A growing buffer; zeroed is empty. After a failed growth `failed` stays set and appends do
 * nothing, so one check at the end will do. */
struct text {
	char *data; /* NUL-terminated once anything was appended */
	size_t size, room;
	bool failed;
};
void text_append(struct text *, const char *data, size_t size);
void text_add(struct text *, const char *string);
void text_printf(struct text *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Quoted and escaped; invalid UTF-8 becomes U+FFFD. */
void text_json(struct text *, const char *data, size_t size);
void text_free(struct text *);

/* Memory that is freed together. Zeroed is empty. NULL out of memory. */
struct arena {
	struct arena_block *first;
};
void *arena_alloc(struct arena *, size_t size);                  /* zeroed, aligned for any type */
char *arena_copy(struct arena *, const char *data, size_t size); /* adds a NUL */
char *arena_string(struct arena *, const char *string);
char *arena_printf(struct arena *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void arena_free(struct arena *);

/* Damerau-Levenshtein with transpositions. */
unsigned text_distance(const char *a, const char *b);
/* The nearest of `n` words within max(1, strlen/3) of `word`, or NULL; case differences count
 * nothing. */
const char *text_nearest(const char *word, const char *const *words, size_t n);

/* [a-z][a-z0-9_]{0,62} */
bool name_valid(const char *name);
/* Reserved words of PostgreSQL, SQLite or DuckDB: no names of schemas, keys or columns. */
bool name_reserved_sql(const char *name);

/* fnmatch-like '*' and '?' (one byte), whole text, no brackets; at worst the product of both
 * lengths. */
bool pattern_match(const char *pattern, const char *text);

/*
 * Host lists: "n[001-128],gpu1,login[1-2,7]" with zero-padded widths. Brackets may stand more than
 * once. Check and match without expanding; hostlist_count tells how many names it holds (one that
 * stands twice counts twice; 0 for an invalid list). Errors name the place.
 */
int hostlist_check(const char *list, struct weir_err *);
bool hostlist_match(const char *list, const char *host);
uint64_t hostlist_count(const char *list);

/* "250ms" "10s" "1h30m" is refused: one number (a decimal fraction allowed: 1.5s), one unit.
 * -EINVAL with a sentence: a number without unit asks "'500' needs a unit (500ms? 500s?)". "0"
 * needs no unit. Units: ns us ms s m h d. Not negative. */
int parse_duration(const char *text, int64_t *nanoseconds, struct weir_err *);
/* "64KiB" "2GB" (10^9) "512B"; no unit: "'500' needs a unit (500MiB? 500MB?)". "0" needs no unit.
 * Rounded down. */
int parse_size(const char *text, uint64_t *bytes, struct weir_err *);
int parse_bool(const char *text, bool *value, struct weir_err *); /* true false yes no on off */
int parse_i64(const char *text, int64_t *value, struct weir_err *);
/* Locale-free; finite numbers only. */
int parse_f64(const char *text, double *value, struct weir_err *);

#endif
