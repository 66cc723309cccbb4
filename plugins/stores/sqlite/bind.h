/* SPDX-License-Identifier: Apache-2.0 */
/* Cells to parameters; here, so that the loops over rows have no calls but sqlite's own. */
#ifndef WEIR_STORE_SQLITE_BIND_H
#define WEIR_STORE_SQLITE_BIND_H

#include "store.h"

/* A parameter without address would be NULL, and empty text is not missing. */
static inline int
bind_symbol(sqlite3_stmt *statement, int parameter, struct weir_symbol symbol)
{
	return sqlite3_bind_text(
		statement, parameter, symbol.text ? symbol.text : "", (int)symbol.length, SQLITE_STATIC);
}

/* sqlite itself makes NULL of a double that is not a number. */
static inline int
bind_cell(sqlite3_stmt *statement, int parameter, const struct plan_column *plan,
	const struct weir_batch *batch, size_t column, size_t row)
{
	if (!weir_present(batch, column, row))
		return sqlite3_bind_null(statement, parameter);
	const union weir_cell *cell = &batch->column[column].cell[row];
	switch (plan->binding) {
	case BIND_INTEGER:
		return sqlite3_bind_int64(statement, parameter, cell->i64);
	case BIND_REAL:
		return sqlite3_bind_double(statement, parameter, cell->f64);
	case BIND_COUNT:
		return sqlite3_bind_double(statement, parameter, (double)cell->i64 / plan->divisor);
	case BIND_TEXT:
		return bind_symbol(statement, parameter, batch->symbol[cell->u64]);
	case BIND_BLOB:
		break;
	}
	struct weir_symbol symbol = batch->symbol[cell->u64];
	return sqlite3_bind_blob(
		statement, parameter, symbol.text ? symbol.text : "", (int)symbol.length, SQLITE_STATIC);
}

/* The first key that the row lacks; n_keys when all are there. */
static inline size_t
missing_key(const struct plan *plan, const struct weir_batch *batch, size_t row)
{
	size_t key = 0;
	while (key < plan->n_keys && weir_present(batch, key, row))
		key++;
	return key;
}

#endif
