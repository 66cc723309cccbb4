/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches for tests of stores, made without the core: a maker that takes a row at a time, and
 * random schemas and values of all types, edges included. They are not counted: weir_batch_keep and
 * weir_batch_release are not for them.
 */
#ifndef WEIR_STORE_BATCHES_H
#define WEIR_STORE_BATCHES_H

#include <weir/batch.h>
#include <weir/plugin.h>

/* A generator that gives the same numbers for the same seed. */
struct dice {
	uint64_t state;
};
uint64_t dice_roll(struct dice *);
/* Below `n`, n > 0. */
uint64_t dice_below(struct dice *, uint64_t n);

/* Makes one batch. Schema and the three names outlive it. */
struct maker;
struct maker *maker_new(
	const struct weir_schema *, const char *cluster, const char *host, const char *source);
/* Begin a row: all its cells are missing. */
void maker_row(struct maker *, int64_t time);
void maker_u64(struct maker *, size_t column, uint64_t value); /* also bool */
void maker_i64(struct maker *, size_t column,
	int64_t value); /* also time, and the count of a divisor column */
void maker_f64(struct maker *, size_t column, double value);
void maker_text(struct maker *, size_t column, const char *text); /* str and bytes */
void maker_data(struct maker *, size_t column, const void *data, size_t size);
void maker_cluster(struct maker *, const char *cluster); /* of this row alone */
void maker_host(struct maker *, const char *host);
void maker_delete(struct maker *);
/* The batch; the maker is gone. Columns without a missing cell have no bitmap. */
struct weir_batch *maker_close(struct maker *, uint64_t incarnation, uint64_t sequence);
void maker_free_batch(struct weir_batch *);

/* A schema of `keys` keys and `columns` columns of random types, divisors included; one block for
 * free(). */
struct weir_schema *random_schema(
	struct dice *, const char *name, uint32_t flags, size_t keys, size_t columns);
/* The same with a column of every type behind the keys of every type. */
struct weir_schema *full_schema(const char *name, uint32_t flags);
/*
 * Random rows: missing cells, edge values, text with quotes, commas and newlines, some rows of
 * other clusters and hosts; of an entity some deletions, and keys from a small set so that rows
 * meet. Times rise from `time` or fall back a little.
 */
struct weir_batch *random_batch(
	struct dice *, const struct weir_schema *, size_t rows, int64_t time, uint64_t sequence);

/*
 * Asks for verdicts row by row, as the core does for pulled sources: after witness_look `letters`
 * has an 'S', 'U', 'R' or '?' (not told) per row; `said` has a line "ROW: REASON" per refusal.
 */
struct witness {
	size_t rows, refusals;
	uint8_t *verdict;
	char *letters;
	char said[500];
};
struct weir_tally witness_tally(struct witness *, size_t rows);
/* Do sums, verdicts and refusals agree, and is each row told of? */
bool witness_look(struct witness *, const struct weir_tally *);
void witness_free(struct witness *);

#endif
