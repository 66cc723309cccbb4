/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builders: where rows of one schema from one source grow, tick after tick, until they are closed
 * into an immutable batch. The memory of a closed batch is used again by the builder once the last
 * reader has let go of it.
 */
#ifndef WEIR_DATA_BUILDER_H
#define WEIR_DATA_BUILDER_H

#include <weir/row.h>

/* What batches of one source have in common; counted by its owner, outlives the batches. */
struct origin {
	const char *cluster, *host, *source;
	uint64_t incarnation;
};

struct builder;

/* A schema and origin that outlive it. NULL out of memory. */
struct builder *builder_new(
	const struct weir_schema *, uint64_t fingerprint, const struct origin *);
void builder_free(struct builder *);

/* Begin a row; its time is `time` until said otherwise. Never NULL (see weir_row). */
struct weir_row *builder_row(struct builder *, int64_t time);
/* A row that is thrown away, and the trouble that says why. */
struct weir_row *builder_scratch(struct builder *, int code, const char *what);
size_t builder_rows(const struct builder *);
size_t builder_bytes(const struct builder *);
/* Throw away the rows from number `rows` on: a tick that failed half-way. */
void builder_truncate(struct builder *, size_t rows);
/* What a setter or memory did wrong since the last call: 0, or -errno and a sentence; the trouble
 * is then forgotten. */
int builder_trouble(struct builder *, struct weir_err *);
/* Close: the batch with one reference, or NULL when there are no rows. `sequence` is its number. */
struct weir_batch *builder_close(struct builder *, uint64_t sequence);

/* A batch with fewer columns, sharing the memory of the first (keeps a reference): column i of it
 * is `columns[i]` of `batch`. */
struct weir_batch *batch_select(const struct weir_batch *, const struct weir_schema *,
	uint64_t fingerprint, const uint32_t *columns);

#endif
