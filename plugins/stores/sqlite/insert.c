/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of series: one prepared INSERT, its origin bound once a batch. */
#include "bind.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int
refuse_or_fail(struct store *store, int code, struct weir_tally *tally, size_t row,
	struct weir_err *err)
{
	/* A trigger of the user may roll the whole transaction back. */
	if (database_refuses_row(code) && !sqlite3_get_autocommit(store->db)) {
		weir_tally_row(tally, row, WEIR_ROW_REFUSED, sqlite3_errmsg(store->db));
		return 0;
	}
	return database_fault(store, "write to", err);
}

static int
bind_origin(sqlite3_stmt *insert, const struct weir_batch *batch)
{
	int code = sqlite3_bind_text(insert, 2, batch->cluster, -1, SQLITE_STATIC);
	code |= sqlite3_bind_text(insert, 3, batch->host, -1, SQLITE_STATIC);
	return code | sqlite3_bind_text(insert, 4, batch->source, -1, SQLITE_STATIC);
}

static int
bind_row(const struct plan *plan, const struct weir_batch *batch, size_t row)
{
	int code = sqlite3_bind_int64(plan->insert, 1, batch->time[row]);
	if (batch->row_cluster)
		code |= bind_symbol(plan->insert, 2, weir_row_cluster_of(batch, row));
	if (batch->row_host)
		code |= bind_symbol(plan->insert, 3, weir_row_host_of(batch, row));
	for (size_t i = 0; i < plan->n_columns; i++)
		code |= bind_cell(plan->insert, plan->first + (int)i, &plan->column[i], batch, i, row);
	return code;
}

static int
insert_row(struct store *store, const struct plan *plan, const struct weir_batch *batch, size_t row,
	struct weir_tally *tally, struct weir_err *err)
{
	size_t missing = missing_key(plan, batch, row);
	if (missing < plan->n_keys) {
		char reason[120];
		snprintf(
			reason, sizeof(reason), "key '%s' is missing", batch->schema->columns[missing].name);
		weir_tally_row(tally, row, WEIR_ROW_REFUSED, reason);
		return 0;
	}
	int code = bind_row(plan, batch, row);
	if (code == SQLITE_OK)
		code = sqlite3_step(plan->insert);
	int rc = 0;
	if (code == SQLITE_DONE)
		weir_tally_row(tally, row, WEIR_ROW_STORED, NULL);
	else
		rc = refuse_or_fail(store, code, tally, row, err);
	sqlite3_reset(plan->insert);
	failpoint_pass(&store->crash, SQLITE_AFTER_ROW);
	return rc;
}

int
insert_series(struct store *store, struct plan *plan, const struct weir_batch *batch,
	struct weir_tally *tally, struct weir_err *err)
{
	int rc = bind_origin(plan->insert, batch) ? database_fault(store, "write to", err) : 0;
	for (size_t row = 0; !rc && row < batch->rows; row++)
		rc = insert_row(store, plan, batch, row, tally, err);
	/* The texts live as long as the batch. */
	sqlite3_clear_bindings(plan->insert);
	return rc;
}
