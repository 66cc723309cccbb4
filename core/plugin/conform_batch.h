/* SPDX-License-Identifier: Apache-2.0 */
/* Batches for the test of stores: rows of every type, with holes and edges, from a seed. */
#ifndef WEIR_PLUGIN_CONFORM_BATCH_H
#define WEIR_PLUGIN_CONFORM_BATCH_H

#include "data/builder.h"

enum { CONFORM_SCHEMAS = 3 };

/* A series, an entity, and an entity of a host; keys of all three types. */
extern const struct weir_schema *const conform_schemas[CONFORM_SCHEMAS + 1];

/* `seed` moves on. NULL out of memory. */
struct weir_batch *conform_batch(
	uint64_t *seed, const struct weir_schema *, const struct origin *, size_t rows, int64_t time);

#endif
