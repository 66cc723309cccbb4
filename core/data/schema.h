/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of schema tables, beside the fingerprint functions of the contract. */
#ifndef WEIR_DATA_SCHEMA_H
#define WEIR_DATA_SCHEMA_H

#include <stdbool.h>

#include <weir/batch.h>

/* The rules of schema.h: names, reserved words, roles, units, divisors, help. -EINVAL and the
 * sentence that names the column. */
int schema_check(const struct weir_schema *, struct weir_err *);
/* Keys at the head of the table (n_keys, or counted by role). */
uint32_t schema_keys(const struct weir_schema *);
bool schema_is_entity(const struct weir_schema *);

#endif
