/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Option tables: the one place where an option's name, type, default, bounds and help stand.
 * Parsing, checking, manual pages, `weir plugin describe`, JSON and example configuration are
 * derived from them.
 */
#ifndef WEIR_OPTION_H
#define WEIR_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum weir_option_type {
	WEIR_OPTION_END,      /* ends a table */
	WEIR_OPTION_BOOL,     /* bool: true false yes no on off */
	WEIR_OPTION_INT,      /* int64_t, bounds in min and max */
	WEIR_OPTION_REAL,     /* double, bounds in min and max */
	WEIR_OPTION_SIZE,     /* uint64_t bytes; needs a unit (B KiB MiB GiB TiB kB MB GB TB); bounds in
							 bytes */
	WEIR_OPTION_DURATION, /* int64_t nanoseconds; needs a unit (ns us ms s m h d); bounds in
							 nanoseconds */
	WEIR_OPTION_TEXT,     /* const char * */
	WEIR_OPTION_CHOICE,   /* int: index into choices */
	WEIR_OPTION_LIST,     /* struct weir_list; in YAML a sequence or one scalar */
	WEIR_OPTION_MAP,      /* struct weir_map; in YAML a mapping of scalars */
	WEIR_OPTION_SECRET,   /* const char *, never shown */
};

struct weir_list {
	const char *const *item;
	size_t n;
};

struct weir_pair {
	const char *name, *value;
};

struct weir_map {
	const struct weir_pair *item;
	size_t n;
};

enum weir_option_flag {
	WEIR_REQUIRED = 1, /* the user must say; `fallback` is NULL */
};

/* The value lies at `offset` of the state; text and lists belong to the core and live as long as
 * the instance. */
struct weir_option {
	const char *name;
	enum weir_option_type type;
	uint32_t flags;
	size_t offset;
	const char *fallback; /* default, spelt as in YAML (a list: blank-separated); NULL: none (zero,
							 NULL, empty) */
	int64_t min, max;     /* both 0: unbounded */
	const char *const *choices; /* ends with NULL */
	const char *help;           /* one sentence, no capital, no full stop */
	uint64_t reserved[2];
};

/* The offset of a field; a compile error when it has not the type that the option fills. */
#define WEIR_FIELD(S, field, T) \
	(offsetof(S, field) + 0 * sizeof(_Generic(&((S *)0)->field, T * : (char)1)))

/* The name of an option is the name of its field. */
#define WEIR_BOOL_OPTION(S, f, dflt, text) \
	{ \
		.name = #f, .type = WEIR_OPTION_BOOL, .offset = WEIR_FIELD(S, f, bool), .fallback = dflt, \
		.help = text \
	}
#define WEIR_INT_OPTION(S, f, dflt, lo, hi, text) \
	{ \
		.name = #f, .type = WEIR_OPTION_INT, .offset = WEIR_FIELD(S, f, int64_t), \
		.fallback = dflt, .min = lo, .max = hi, .help = text \
	}
#define WEIR_REAL_OPTION(S, f, dflt, lo, hi, text) \
	{ \
		.name = #f, .type = WEIR_OPTION_REAL, .offset = WEIR_FIELD(S, f, double), \
		.fallback = dflt, .min = lo, .max = hi, .help = text \
	}
#define WEIR_SIZE_OPTION(S, f, dflt, lo, hi, text) \
	{ \
		.name = #f, .type = WEIR_OPTION_SIZE, .offset = WEIR_FIELD(S, f, uint64_t), \
		.fallback = dflt, .min = lo, .max = hi, .help = text \
	}
#define WEIR_DURATION_OPTION(S, f, dflt, lo, hi, text) \
	{ \
		.name = #f, .type = WEIR_OPTION_DURATION, .offset = WEIR_FIELD(S, f, int64_t), \
		.fallback = dflt, .min = lo, .max = hi, .help = text \
	}
#define WEIR_TEXT_OPTION(S, f, dflt, text) \
	{ \
		.name = #f, .type = WEIR_OPTION_TEXT, .offset = WEIR_FIELD(S, f, const char *), \
		.fallback = dflt, .help = text \
	}
#define WEIR_REQUIRED_TEXT(S, f, text) \
	{ \
		.name = #f, .type = WEIR_OPTION_TEXT, .flags = WEIR_REQUIRED, \
		.offset = WEIR_FIELD(S, f, const char *), .help = text \
	}
#define WEIR_CHOICE_OPTION(S, f, dflt, list, text) \
	{ \
		.name = #f, .type = WEIR_OPTION_CHOICE, .offset = WEIR_FIELD(S, f, int), .fallback = dflt, \
		.choices = list, .help = text \
	}
#define WEIR_LIST_OPTION(S, f, dflt, text) \
	{ \
		.name = #f, .type = WEIR_OPTION_LIST, .offset = WEIR_FIELD(S, f, struct weir_list), \
		.fallback = dflt, .help = text \
	}
#define WEIR_MAP_OPTION(S, f, text) \
	{ \
		.name = #f, .type = WEIR_OPTION_MAP, .offset = WEIR_FIELD(S, f, struct weir_map), \
		.help = text \
	}
#define WEIR_SECRET_OPTION(S, f, text) \
	{ \
		.name = #f, .type = WEIR_OPTION_SECRET, .offset = WEIR_FIELD(S, f, const char *), \
		.help = text \
	}
#define WEIR_OPTIONS_END \
	{ \
		.type = WEIR_OPTION_END \
	}

/* Durations in nanoseconds, for bounds. */
#define WEIR_NS INT64_C(1)
#define WEIR_MS INT64_C(1000000)
#define WEIR_SECOND INT64_C(1000000000)
#define WEIR_HOUR (3600 * WEIR_SECOND)
#define WEIR_DAY (24 * WEIR_HOUR)

#ifdef __cplusplus
}
#endif
#endif
