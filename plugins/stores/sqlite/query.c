/* SPDX-License-Identifier: Apache-2.0 */
/* Queries of reports, on a connection of their own that cannot write; parameters are bound as text,
 * rows come as text. */
#include "store.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* The cells of one row; a real needs room for the shortest text that reads back the same. */
struct cells {
	int n;
	const char **name, **value;
	char (*room)[WEIR_FORMAT_MAX];
};

static int
fault(const struct store *store, sqlite3 *db, struct weir_err *err)
{
	int code = sqlite3_errcode(db) & 0xff;
	int error = code == SQLITE_BUSY    ? -EAGAIN
				: code == SQLITE_NOMEM ? -ENOMEM
				: code == SQLITE_ERROR ? -EINVAL
									   : -EIO;
	return weir_failx(err, error, "cannot read from '%s': %s", store->file, sqlite3_errmsg(db));
}

static const char *
cell_text(sqlite3_stmt *statement, int column, char *room)
{
	if (sqlite3_column_type(statement, column) != SQLITE_FLOAT)
		return (const char *)sqlite3_column_text(statement, column);
	*weir_format_f64(room, sqlite3_column_double(statement, column)) = '\0';
	return room;
}

static int
hand_out(sqlite3_stmt *statement, const struct weir_query *query, const struct cells *cells)
{
	for (int i = 0; i < cells->n; i++) {
		cells->name[i] = sqlite3_column_name(statement, i);
		cells->value[i] = cell_text(statement, i, cells->room[i]);
	}
	return query->row(query->closure, (size_t)cells->n, cells->name, cells->value);
}

static int
run(const struct store *store, sqlite3 *db, sqlite3_stmt *statement, const struct weir_query *query,
	struct weir_err *err)
{
	int n = sqlite3_column_count(statement);
	size_t room = (size_t)n + 1;
	struct cells cells = {
		.n = n,
		.name = calloc(room, sizeof(char *)),
		.value = calloc(room, sizeof(char *)),
		.room = calloc(room, sizeof(*cells.room)),
	};
	int rc = cells.name && cells.value && cells.room
				 ? 0
				 : weir_fail(err, -ENOMEM, "cannot read from '%s'", store->file);
	int code = SQLITE_DONE;
	while (!rc && (code = sqlite3_step(statement)) == SQLITE_ROW)
		if ((rc = hand_out(statement, query, &cells)))
			weir_fail(err, rc, "cannot use a row of '%s'", store->file);
	if (!rc && code != SQLITE_DONE)
		rc = fault(store, db, err);
	free(cells.name);
	free(cells.value);
	free(cells.room);
	return rc;
}

static int
bind_and_run(const struct store *store, sqlite3 *db, sqlite3_stmt *statement,
	const struct weir_query *query, struct weir_err *err)
{
	if (!statement || !sqlite3_stmt_readonly(statement))
		return weir_failx(err, -EINVAL, "a query of '%s' must be one SELECT", store->file);
	if ((size_t)sqlite3_bind_parameter_count(statement) != query->n_parameters)
		return weir_failx(err, -EINVAL, "the query of '%s' has %d parameters, %zu are given",
			store->file, sqlite3_bind_parameter_count(statement), query->n_parameters);
	for (size_t i = 0; i < query->n_parameters; i++)
		if (sqlite3_bind_text(statement, (int)i + 1, query->parameters[i], -1, SQLITE_STATIC) !=
			SQLITE_OK)
			return fault(store, db, err);
	return run(store, db, statement, query, err);
}

int
query_run(void *state, const struct weir_query *query, struct weir_err *err)
{
	const struct store *store = state;
	sqlite3 *db = NULL;
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_open_v2(store->file, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
	if (code == SQLITE_OK) {
		sqlite3_busy_timeout(db, (int)(store->busy_timeout / WEIR_MS));
		code = sqlite3_prepare_v2(db, query->sql, -1, &statement, NULL);
	}
	int rc =
		code == SQLITE_OK ? bind_and_run(store, db, statement, query, err) : fault(store, db, err);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return rc;
}
