/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of entities. The order of two versions of a key is (version, incarnation, sequence): a row
 * that is not older replaces the stored one whole. What a delete leaves is remembered in
 * weir_deleted, so that an older version that comes late stays away. Hence the tables end alike
 * whatever the order in which rows arrive.
 */
#include "bind.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct order {
	int64_t version;
	uint64_t incarnation, sequence;
};

/* One row on its way. */
struct upsert {
	struct store *store;
	const struct plan *plan;
	const struct weir_batch *batch;
	size_t row;
	struct order order;
	int64_t now;
	struct weir_tally *tally;
	struct weir_err *err;
	/* the key as bytes, for weir_deleted; made when asked for */
	unsigned char *key;
	size_t key_size, key_room;
	bool key_failed;
};

static int
compare(struct order a, struct order b)
{
	if (a.version != b.version)
		return a.version < b.version ? -1 : 1;
	if (a.incarnation != b.incarnation)
		return a.incarnation < b.incarnation ? -1 : 1;
	return a.sequence < b.sequence ? -1 : a.sequence > b.sequence;
}

static struct order
read_order(sqlite3_stmt *statement)
{
	return (struct order){ sqlite3_column_int64(statement, 0),
		(uint64_t)sqlite3_column_int64(statement, 1),
		(uint64_t)sqlite3_column_int64(statement, 2) };
}

static int
bind_keys(const struct upsert *up, sqlite3_stmt *statement)
{
	int code = 0;
	int parameter = 1;
	if (up->plan->host_keys) {
		code |= bind_symbol(statement, parameter++, weir_row_cluster_of(up->batch, up->row));
		code |= bind_symbol(statement, parameter++, weir_row_host_of(up->batch, up->row));
	}
	for (size_t i = 0; i < up->plan->n_keys; i++)
		code |= bind_cell(statement, parameter++, &up->plan->column[i], up->batch, i, up->row);
	return code;
}

/* Run a statement whose parameters are the keys: SQLITE_ROW, SQLITE_DONE or the fault. The caller
 * resets. */
static int
step_keys(const struct upsert *up, sqlite3_stmt *statement)
{
	int code = bind_keys(up, statement);
	return code == SQLITE_OK ? sqlite3_step(statement) : code;
}

/* ---- what deletes leave ---- */

static void
append_key(struct upsert *up, const void *data, size_t size)
{
	if (up->key_room - up->key_size < size) {
		size_t room = 2 * (up->key_size + size) + 64;
		unsigned char *key = realloc(up->key, room);
		up->key_failed = up->key_failed || !key;
		if (!key)
			return;
		up->key = key;
		up->key_room = room;
	}
	if (size > 0)
		memcpy(up->key + up->key_size, data, size);
	up->key_size += size;
}

static void
append_symbol(struct upsert *up, struct weir_symbol symbol)
{
	append_key(up, &symbol.length, sizeof(symbol.length));
	append_key(up, symbol.text, symbol.length);
}

static int
make_key(struct upsert *up)
{
	up->key_size = 0;
	append_key(up, &up->plan->key_seed, sizeof(up->plan->key_seed));
	if (up->plan->host_keys) {
		append_symbol(up, weir_row_cluster_of(up->batch, up->row));
		append_symbol(up, weir_row_host_of(up->batch, up->row));
	}
	for (size_t i = 0; i < up->plan->n_keys; i++) {
		if (up->plan->column[i].binding == BIND_TEXT)
			append_symbol(up, weir_text(up->batch, i, up->row));
		else
			append_key(up, &up->batch->column[i].cell[up->row].u64, sizeof(uint64_t));
	}
	return up->key_failed ? weir_fail(up->err, -ENOMEM, "cannot write to '%s'", up->store->file)
						  : 0;
}

static sqlite3_stmt *
deleted_statement(struct upsert *up, enum statement which)
{
	if (make_key(up))
		return NULL;
	sqlite3_stmt *statement = database_statement(up->store, which, up->err);
	if (statement) {
		sqlite3_bind_text(statement, 1, up->batch->schema->name, -1, SQLITE_STATIC);
		sqlite3_bind_blob(statement, 2, up->key, (int)up->key_size, SQLITE_STATIC);
	}
	return statement;
}

/* 1 and its order when the key was deleted, 0 when not. */
static int
deleted_read(struct upsert *up, struct order *order)
{
	if (!up->store->deletions)
		return 0;
	sqlite3_stmt *statement = deleted_statement(up, DELETED_READ);
	if (!statement)
		return up->err->code;
	int code = sqlite3_step(statement);
	int rc = code == SQLITE_ROW    ? 1
			 : code == SQLITE_DONE ? 0
								   : database_fault(up->store, "read", up->err);
	if (rc == 1)
		*order = read_order(statement);
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return rc;
}

static int
deleted_write(struct upsert *up)
{
	sqlite3_stmt *statement = deleted_statement(up, DELETED_WRITE);
	if (!statement)
		return up->err->code;
	sqlite3_bind_int64(statement, 3, up->order.version);
	sqlite3_bind_int64(statement, 4, up->now);
	sqlite3_bind_int64(statement, 5, (int64_t)up->order.incarnation);
	sqlite3_bind_int64(statement, 6, (int64_t)up->order.sequence);
	up->store->deletions = true;
	return database_run(up->store, DELETED_WRITE, up->err);
}

static int
deleted_forget(struct upsert *up)
{
	return deleted_statement(up, DELETED_FORGET) ? database_run(up->store, DELETED_FORGET, up->err)
												 : up->err->code;
}

/* ---- what is stored ---- */

static bool
same_text(sqlite3_stmt *stored, int column, struct weir_symbol symbol)
{
	const void *text = sqlite3_column_blob(stored, column);
	int size = sqlite3_column_bytes(stored, column);
	return (size_t)size == symbol.length &&
		   (size == 0 || memcmp(text, symbol.text, symbol.length) == 0);
}

static bool
same_cell(const struct upsert *up, sqlite3_stmt *stored, int column, size_t cell)
{
	const struct plan_column *plan = &up->plan->column[cell];
	union weir_cell value = up->batch->column[cell].cell[up->row];
	bool missing =
		!weir_present(up->batch, cell, up->row) || (plan->binding == BIND_REAL && isnan(value.f64));
	if (missing || sqlite3_column_type(stored, column) == SQLITE_NULL)
		return missing && sqlite3_column_type(stored, column) == SQLITE_NULL;
	switch (plan->binding) {
	case BIND_INTEGER:
		return sqlite3_column_int64(stored, column) == value.i64;
	case BIND_REAL:
		return sqlite3_column_double(stored, column) == value.f64;
	case BIND_COUNT:
		return sqlite3_column_double(stored, column) == (double)value.i64 / plan->divisor;
	default:
		return same_text(stored, column, up->batch->symbol[value.u64]);
	}
}

static bool
same_content(const struct upsert *up, sqlite3_stmt *stored)
{
	int column = 3;
	for (size_t i = up->plan->n_keys; i < up->plan->n_columns; i++)
		if (!same_cell(up, stored, column++, i))
			return false;
	for (size_t i = 0; i < up->plan->n_others; i++)
		if (sqlite3_column_type(stored, column++) != SQLITE_NULL)
			return false;
	return true;
}

/* Where the key stands now. */
struct standing {
	bool here, elsewhere; /* in our table; in a sibling */
	size_t sibling;
	bool deleted;
	bool same; /* here, and nothing would change but the order */
	struct order order;
};

static int
look_in_siblings(const struct upsert *up, struct standing *standing)
{
	for (size_t i = 0; i < up->plan->n_siblings; i++) {
		sqlite3_stmt *find = up->plan->sibling[i].find;
		int code = step_keys(up, find);
		if (code == SQLITE_ROW) {
			standing->elsewhere = true;
			standing->sibling = i;
			standing->order = read_order(find);
		}
		int rc = code == SQLITE_ROW || code == SQLITE_DONE
					 ? 0
					 : database_fault(up->store, "read", up->err);
		sqlite3_reset(find);
		sqlite3_clear_bindings(find);
		if (rc || standing->elsewhere)
			return rc;
	}
	return 0;
}

static int
look(struct upsert *up, struct standing *standing)
{
	*standing = (struct standing){ 0 };
	sqlite3_stmt *find = up->plan->find;
	int code = step_keys(up, find);
	int rc =
		code == SQLITE_ROW || code == SQLITE_DONE ? 0 : database_fault(up->store, "read", up->err);
	if (code == SQLITE_ROW) {
		standing->here = true;
		standing->order = read_order(find);
		standing->same = standing->order.version == up->order.version && same_content(up, find);
	}
	sqlite3_reset(find);
	if (rc || standing->here)
		return rc;
	rc = look_in_siblings(up, standing);
	if (rc || standing->elsewhere)
		return rc;
	rc = deleted_read(up, &standing->order);
	standing->deleted = rc == 1;
	return rc < 0 ? rc : 0;
}

/* ---- what becomes of it ---- */

static void
tell(const struct upsert *up, enum weir_verdict verdict)
{
	weir_tally_row(up->tally, up->row, verdict, NULL);
}

/* *done: false when the row was refused (by a trigger of the user). */
static int
run_keys(const struct upsert *up, sqlite3_stmt *statement, bool *done)
{
	int code = step_keys(up, statement);
	*done = code == SQLITE_DONE;
	int rc = *done ? 0 : refuse_or_fail(up->store, code, up->tally, up->row, up->err);
	sqlite3_reset(statement);
	return rc;
}

/* The greatest order counts even where it changes nothing else: a row between the two may be on its
 * way. */
static int
touch(const struct upsert *up)
{
	bool done = false;
	int keys = (int)up->plan->n_keys + (up->plan->host_keys ? 2 : 0);
	sqlite3_bind_int64(up->plan->touch, keys + 1, (int64_t)up->order.incarnation);
	sqlite3_bind_int64(up->plan->touch, keys + 2, (int64_t)up->order.sequence);
	int rc = run_keys(up, up->plan->touch, &done);
	if (done)
		tell(up, WEIR_ROW_UNCHANGED);
	return rc;
}

static int
bind_row(const struct upsert *up)
{
	const struct plan *plan = up->plan;
	int code = bind_keys(up, plan->insert);
	int parameter = plan->first + (int)plan->n_keys;
	for (size_t i = plan->n_keys; i < plan->n_columns; i++)
		code |= bind_cell(plan->insert, parameter++, &plan->column[i], up->batch, i, up->row);
	code |= sqlite3_bind_int64(plan->insert, parameter, up->order.version);
	code |= sqlite3_bind_int64(plan->insert, parameter + 1, up->now);
	code |= sqlite3_bind_int64(plan->insert, parameter + 2, (int64_t)up->order.incarnation);
	return code | sqlite3_bind_int64(plan->insert, parameter + 3, (int64_t)up->order.sequence);
}

static int
put(struct upsert *up, const struct standing *standing)
{
	int code = bind_row(up);
	if (code == SQLITE_OK)
		code = sqlite3_step(up->plan->insert);
	bool stored = code == SQLITE_DONE;
	int rc = stored ? 0 : refuse_or_fail(up->store, code, up->tally, up->row, up->err);
	sqlite3_reset(up->plan->insert);
	if (rc || !stored)
		return rc;
	tell(up, WEIR_ROW_STORED);
	return standing->deleted ? deleted_forget(up) : 0;
}

static int
take_out(struct upsert *up, const struct standing *standing)
{
	bool done = true;
	int rc = 0;
	if (standing->here || standing->elsewhere)
		rc = run_keys(up,
			standing->here ? up->plan->remove : up->plan->sibling[standing->sibling].remove, &done);
	if (rc || !done)
		return rc;
	tell(up, standing->here || standing->elsewhere ? WEIR_ROW_STORED : WEIR_ROW_UNCHANGED);
	return deleted_write(up);
}

/* A newer version of another type: the older revision lets go of the key, then ours takes it. */
static int
move(struct upsert *up, const struct standing *standing)
{
	bool done = false;
	int rc = run_keys(up, up->plan->sibling[standing->sibling].remove, &done);
	return rc || !done ? rc : put(up, standing);
}

static int
upsert_row(struct upsert *up)
{
	size_t missing = missing_key(up->plan, up->batch, up->row);
	if (missing < up->plan->n_keys) {
		char reason[120];
		snprintf(reason, sizeof(reason), "key '%s' is missing",
			up->batch->schema->columns[missing].name);
		weir_tally_row(up->tally, up->row, WEIR_ROW_REFUSED, reason);
		return 0;
	}
	struct standing standing;
	int rc = look(up, &standing);
	if (rc)
		return rc;
	bool known = standing.here || standing.elsewhere || standing.deleted;
	int order = known ? compare(up->order, standing.order) : 1;
	if (order < 0) {
		tell(up, WEIR_ROW_UNCHANGED);
		return 0;
	}
	if (weir_row_deleted(up->batch, up->row))
		return take_out(up, &standing);
	if (standing.same && order > 0)
		return touch(up);
	if (standing.same) {
		tell(up, WEIR_ROW_UNCHANGED);
		return 0;
	}
	return standing.elsewhere ? move(up, &standing) : put(up, &standing);
}

static void
forget_texts(const struct plan *plan)
{
	sqlite3_clear_bindings(plan->insert);
	sqlite3_clear_bindings(plan->find);
	sqlite3_clear_bindings(plan->touch);
	sqlite3_clear_bindings(plan->remove);
	for (size_t i = 0; i < plan->n_siblings; i++)
		sqlite3_clear_bindings(plan->sibling[i].remove);
}

int
upsert_entities(struct store *store, struct plan *plan, const struct weir_batch *batch, int64_t now,
	struct weir_tally *tally, struct weir_err *err)
{
	struct upsert up = {
		.store = store, .plan = plan, .batch = batch, .now = now, .tally = tally, .err = err
	};
	int rc = 0;
	for (size_t row = 0; !rc && row < batch->rows; row++) {
		up.row = row;
		up.order = (struct order){ batch->time[row], batch->incarnation, batch->sequence };
		rc = upsert_row(&up);
		failpoint_pass(&store->crash, SQLITE_AFTER_ROW);
	}
	free(up.key);
	forget_texts(plan);
	return rc;
}
