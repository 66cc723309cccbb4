/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What batches point at and must outlive them and the instances that made them: names and schemas
 * that are no constants. Each is kept once, for the life of the process, so reloads add nothing.
 */
#ifndef WEIR_DATA_KEEPER_H
#define WEIR_DATA_KEEPER_H

#include <weir/schema.h>

struct keeper;

struct keeper *keeper_new(void);
void keeper_free(struct keeper *);
/* The kept twin of a text or schema; NULL out of memory. */
const char *keeper_text(struct keeper *, const char *);
const struct weir_schema *keeper_schema(struct keeper *, const struct weir_schema *);

#endif
