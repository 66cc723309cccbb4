/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches as stores see them: rows of one schema from one source in arrival order, stored by
 * column, immutable, counted by reference. A missing cell has its bit clear; its value is then
 * undefined: missing is not zero.
 */
#ifndef WEIR_BATCH_H
#define WEIR_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/error.h>
#include <weir/schema.h>

#ifdef __cplusplus
extern "C" {
#endif

union weir_cell {
	uint64_t u64; /* WEIR_U64; WEIR_BOOL (0 or 1); WEIR_STR and WEIR_BYTES: index into symbol[] */
	int64_t i64;  /* WEIR_I64, WEIR_TIME, and WEIR_F64 with a divisor: the count */
	double f64;   /* WEIR_F64 without a divisor */
};

/* This struct and weir_cells stand in arrays: they never change. */
struct weir_symbol {
	const char *text; /* not NUL-terminated */
	uint32_t length;
};

struct weir_cells {
	const union weir_cell *cell; /* [rows] */
	const uint64_t *valid;       /* bit r % 64 of word r / 64; NULL: all present */
};

struct weir_batch {
	const struct weir_schema *schema;
	uint64_t fingerprint;                /* of the schema */
	const char *cluster, *host, *source; /* NUL-terminated; of rows that say nothing else */
	uint64_t incarnation;                /* the run of the agent that made it */
	uint64_t sequence;                   /* order of batches within the incarnation */
	size_t rows;
	const int64_t *time;             /* [rows] microseconds UTC; of an entity: the version */
	const struct weir_cells *column; /* [schema->n_columns], keys first */
	const struct weir_symbol *symbol;
	size_t symbols;
	const uint32_t *row_cluster,
		*row_host;           /* [rows] symbol index + 1, 0: the batch's own; NULL: all 0 */
	const uint64_t *deleted; /* entities: bitmap of rows that delete their key; NULL: none */
	size_t bytes;            /* memory held, for the bounds of queues */
};

static inline bool
weir_present(const struct weir_batch *batch, size_t column, size_t row)
{
	const uint64_t *valid = batch->column[column].valid;

	return !valid || (valid[row / 64] >> (row % 64) & 1);
}

static inline struct weir_symbol
weir_text(const struct weir_batch *batch, size_t column, size_t row)
{
	return batch->symbol[batch->column[column].cell[row].u64];
}

static inline struct weir_symbol
weir_row_host_of(const struct weir_batch *batch, size_t row)
{
	if (batch->row_host && batch->row_host[row])
		return batch->symbol[batch->row_host[row] - 1];
	return (struct weir_symbol){ batch->host, (uint32_t)__builtin_strlen(batch->host) };
}

static inline struct weir_symbol
weir_row_cluster_of(const struct weir_batch *batch, size_t row)
{
	if (batch->row_cluster && batch->row_cluster[row])
		return batch->symbol[batch->row_cluster[row] - 1];
	return (struct weir_symbol){ batch->cluster, (uint32_t)__builtin_strlen(batch->cluster) };
}

static inline bool
weir_row_deleted(const struct weir_batch *batch, size_t row)
{
	return batch->deleted && (batch->deleted[row / 64] >> (row % 64) & 1);
}

/* A store that keeps a batch past its call takes a reference. Safe from any thread. */
WEIR_API const struct weir_batch *weir_batch_keep(const struct weir_batch *);
WEIR_API void weir_batch_release(const struct weir_batch *);

/* Canonical text of a schema (name, kind, keys, columns with type, role, unit, divisor, modulus;
 * not help), from malloc. */
WEIR_API char *weir_schema_text(const struct weir_schema *);
/* XXH64 of that text. */
WEIR_API uint64_t weir_schema_fingerprint(const struct weir_schema *);
/* The schema that a canonical text describes (help empty); freed as one block with free(). NULL and
 * err when the text is none. */
WEIR_API struct weir_schema *weir_schema_parse(const char *text, struct weir_err *);

WEIR_API const char *weir_type_name(enum weir_type);
WEIR_API const char *weir_role_name(enum weir_role);

/* Text for stores: each writes at out (WEIR_FORMAT_MAX bytes of room, no NUL) and returns the end.
 */
#define WEIR_FORMAT_MAX 32
WEIR_API char *weir_format_u64(char *out, uint64_t);
WEIR_API char *weir_format_i64(char *out, int64_t);
WEIR_API char *weir_format_decimal(char *out, int64_t count, int64_t divisor); /* exact */
WEIR_API char *weir_format_f64(char *out, double); /* shortest that reads back the same */
WEIR_API char *weir_format_time(char *out, int64_t microseconds); /* RFC 3339, Z, six digits */
WEIR_API uint32_t weir_crc32c(uint32_t seed, const void *data, size_t size);
WEIR_API uint64_t weir_hash64(const void *data, size_t size, uint64_t seed); /* XXH64 */

#ifdef __cplusplus
}
#endif
#endif
