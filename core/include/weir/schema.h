/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Schemas: what a row means. Constant tables; database columns, comments, CSV headers,
 * documentation and the wire all come from them. Names match [a-z][a-z0-9_]{0,62}; words reserved
 * in PostgreSQL, SQLite or DuckDB, and the names that every table has (series: schema time cluster
 * host source; entities: schema time version updated deleted), are refused at load.
 */
#ifndef WEIR_SCHEMA_H
#define WEIR_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum weir_type {
	WEIR_U64 = 1,
	WEIR_I64,
	WEIR_F64, /* with a divisor the cell holds an integer count: see weir_column.divisor */
	WEIR_BOOL,
	WEIR_STR,  /* UTF-8; invalid bytes are replaced when a row is built */
	WEIR_TIME, /* microseconds since the epoch, UTC, signed */
	WEIR_BYTES,
};

enum weir_role {
	WEIR_KEY = 1, /* tells rows of one time apart; str, i64 or u64; never missing; keys stand before
					 all columns */
	WEIR_COUNTER, /* only grows, save for resets, wraps (modulus) and what the flags say */
	WEIR_GAUGE,
	WEIR_LABEL, /* text, bool, time, bytes: no unit */
};

enum weir_column_flag {
	WEIR_HIGH_CARDINALITY =
		1, /* of a key: so many values that a store should not intern them (pid, path) */
	WEIR_STEPS_BACK = 2, /* a counter that may fall a little by itself: clamp the difference to 0 */
	WEIR_SATURATES = 4,  /* a counter that stays at its modulus - 1 instead of wrapping */
};

struct weir_column {
	const char *name;
	enum weir_type type;
	enum weir_role role;
	const char
		*unit; /* UCUM, SI base units: s By 1 J Hz Cel W V A bit/s; NULL for labels and text */
	const char *help; /* one sentence */
	int64_t divisor;  /* of an f64: 0, or 100, 10^3, 10^6, 10^9: cell = value x divisor, an exact
						 integer */
	uint64_t
		modulus; /* of a counter: the cell wraps here (in cell units); 0: 64 bit, never wraps */
	uint32_t flags;
	uint32_t reserved[3];
};

enum weir_schema_flag {
	WEIR_ENTITY = 1, /* upsert and delete by key, ordered by version; else a series: append only */
	WEIR_HOST_KEYS =
		2, /* an entity whose implied first keys are cluster and host (entities of samplers) */
};

struct weir_schema {
	const char *name, *help;
	uint32_t flags;
	uint32_t n_keys;  /* the first n_keys of `columns` are the keys */
	size_t n_columns; /* keys and columns */
	const struct weir_column *columns;
	const char *const *indexes; /* hints for databases: "end_time", "user_name, start_time"; ends
								   with NULL; may be NULL */
	uint64_t reserved[4];
};

#define WEIR_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Rows of columns tables: [ENUM] = WEIR_...(name, ..., help). */
#define WEIR_KEY_STR(n, h) \
	{ \
		.name = n, .type = WEIR_STR, .role = WEIR_KEY, .help = h \
	}
#define WEIR_KEY_U64(n, h) \
	{ \
		.name = n, .type = WEIR_U64, .role = WEIR_KEY, .unit = "1", .help = h \
	}
#define WEIR_KEY_I64(n, h) \
	{ \
		.name = n, .type = WEIR_I64, .role = WEIR_KEY, .unit = "1", .help = h \
	}
#define WEIR_COUNTER_U64(n, u, h) \
	{ \
		.name = n, .type = WEIR_U64, .role = WEIR_COUNTER, .unit = u, .help = h \
	}
#define WEIR_GAUGE_U64(n, u, h) \
	{ \
		.name = n, .type = WEIR_U64, .role = WEIR_GAUGE, .unit = u, .help = h \
	}
#define WEIR_GAUGE_I64(n, u, h) \
	{ \
		.name = n, .type = WEIR_I64, .role = WEIR_GAUGE, .unit = u, .help = h \
	}
#define WEIR_GAUGE_F64(n, u, h) \
	{ \
		.name = n, .type = WEIR_F64, .role = WEIR_GAUGE, .unit = u, .help = h \
	}
/* Reals carried as integer counts of 1 / divisor: weir_set_count. */
#define WEIR_COUNTER_REAL(n, u, d, h) \
	{ \
		.name = n, .type = WEIR_F64, .role = WEIR_COUNTER, .unit = u, .divisor = d, .help = h \
	}
#define WEIR_GAUGE_REAL(n, u, d, h) \
	{ \
		.name = n, .type = WEIR_F64, .role = WEIR_GAUGE, .unit = u, .divisor = d, .help = h \
	}
#define WEIR_GAUGE_BOOL(n, h) \
	{ \
		.name = n, .type = WEIR_BOOL, .role = WEIR_GAUGE, .help = h \
	}
#define WEIR_LABEL_STR(n, h) \
	{ \
		.name = n, .type = WEIR_STR, .role = WEIR_LABEL, .help = h \
	}
#define WEIR_LABEL_BOOL(n, h) \
	{ \
		.name = n, .type = WEIR_BOOL, .role = WEIR_LABEL, .help = h \
	}
#define WEIR_LABEL_TIME(n, h) \
	{ \
		.name = n, .type = WEIR_TIME, .role = WEIR_LABEL, .help = h \
	}

/* A series over a columns table; the number of keys is counted at load when n_keys is left 0. */
#define WEIR_SERIES(n, table, h) \
	{ \
		.name = n, .help = h, .n_columns = WEIR_COUNT(table), .columns = table \
	}
/* What a sampler knows of its host: cluster and host are the first keys. */
#define WEIR_HOST_ENTITY(n, table, h) \
	{ \
		.name = n, .help = h, .flags = WEIR_ENTITY | WEIR_HOST_KEYS, \
		.n_columns = WEIR_COUNT(table), .columns = table \
	}

#ifdef __cplusplus
}
#endif
#endif
