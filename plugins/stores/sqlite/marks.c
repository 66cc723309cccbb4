/* SPDX-License-Identifier: Apache-2.0 */
/* Claims and marks. The lock on the path is the lease, so a claim never finds another live holder;
 * it raises the epoch. */
#include "store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Marks handed out: copies that live until the next are asked for. */
struct answer {
	struct weir_mark *mark;
	size_t n;
};

void
marks_forget_answer(struct store *store)
{
	struct answer *answer = store->answer;
	store->answer = NULL;
	if (!answer)
		return;
	for (size_t i = 0; i < answer->n; i++) {
		free((char *)(uintptr_t)answer->mark[i].source);
		free((char *)(uintptr_t)answer->mark[i].item);
		free((char *)(uintptr_t)answer->mark[i].identity);
		free((void *)(uintptr_t)answer->mark[i].data);
	}
	free(answer->mark);
	free(answer);
}

static char *
copy_text(sqlite3_stmt *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement, column);
	return text ? strdup((const char *)text) : NULL;
}

static int
append_mark(struct answer *answer, sqlite3_stmt *statement)
{
	struct weir_mark *mark = realloc(answer->mark, (answer->n + 1) * sizeof(*mark));
	if (!mark)
		return -ENOMEM;
	answer->mark = mark;
	mark = &answer->mark[answer->n++];
	size_t size = (size_t)sqlite3_column_bytes(statement, 3);
	const void *data = sqlite3_column_blob(statement, 3);
	void *copy = malloc(size ? size : 1);
	if (copy && size)
		memcpy(copy, data, size);
	*mark = (struct weir_mark){
		.source = copy_text(statement, 0),
		.item = copy_text(statement, 1),
		.identity = copy_text(statement, 2),
		.data = copy,
		.size = size,
	};
	return mark->source && mark->item && mark->identity && copy ? 0 : -ENOMEM;
}

static int
select_marks(struct store *store, enum statement which, const char *text, struct weir_marks *marks,
	struct weir_err *err)
{
	marks_forget_answer(store);
	*marks = (struct weir_marks){ 0 };
	sqlite3_stmt *statement = database_statement(store, which, err);
	if (!statement)
		return err->code;
	store->answer = calloc(1, sizeof(*store->answer));
	int rc = store->answer ? 0 : -ENOMEM;
	int code = SQLITE_DONE;
	sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
	while (!rc && (code = sqlite3_step(statement)) == SQLITE_ROW)
		rc = append_mark(store->answer, statement);
	if (rc)
		weir_fail(err, rc, "cannot read marks from '%s'", store->file);
	else if (code != SQLITE_DONE)
		rc = database_fault(store, "read marks from", err);
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	if (rc)
		marks_forget_answer(store);
	else
		*marks = (struct weir_marks){ store->answer->mark, store->answer->n };
	return rc;
}

/* 0 when the source was never claimed. */
static int
read_epoch(struct store *store, const char *source, uint64_t *epoch, struct weir_err *err)
{
	sqlite3_stmt *statement = database_statement(store, CLAIM_READ, err);
	if (!statement)
		return err->code;
	sqlite3_bind_text(statement, 1, source, -1, SQLITE_STATIC);
	int code = sqlite3_step(statement);
	int rc = code == SQLITE_ROW || code == SQLITE_DONE ? 0 : database_fault(store, "read", err);
	*epoch = code == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return rc;
}

static int
write_claim(
	struct store *store, const struct weir_claim *claim, uint64_t *epoch, struct weir_err *err)
{
	int rc = read_epoch(store, claim->source, epoch, err);
	if (rc)
		return rc;
	++*epoch;
	sqlite3_stmt *statement = database_statement(store, CLAIM_WRITE, err);
	if (!statement)
		return err->code;
	sqlite3_bind_text(statement, 1, claim->source, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, (int64_t)*epoch);
	sqlite3_bind_text(statement, 3, claim->holder ? claim->holder : "", -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 4, claim->lease_until);
	return database_run(store, CLAIM_WRITE, err);
}

int
marks_claim(void *state, const struct weir_claim *claim, uint64_t *epoch, struct weir_marks *marks,
	struct weir_err *err)
{
	struct store *store = state;
	/* Of a step that is under way the claim is a part, and goes with it. */
	bool own = !store->step;
	int rc = step_begin(store, err);
	if (!rc)
		rc = write_claim(store, claim, epoch, err);
	if (!rc)
		rc = select_marks(store, MARKS_OF_SOURCE, claim->source, marks, err);
	if (!rc && own)
		rc = step_finish(store, err);
	if (rc)
		step_undo(store);
	return rc;
}

int
marks_find(void *state, const char *identity, struct weir_marks *marks, struct weir_err *err)
{
	struct store *store = state;
	int rc = database_ready(store, err);
	return rc ? rc : select_marks(store, MARKS_OF_IDENTITY, identity, marks, err);
}

static int
renew(struct store *store, const struct weir_hold *hold, struct weir_err *err)
{
	uint64_t stored = 0;
	int rc = read_epoch(store, hold->source, &stored, err);
	if (rc)
		return rc;
	if (hold->epoch < stored)
		return weir_failx(err, -ESTALE,
			"the claim on '%s' is of epoch %llu, '%s' has %llu: somebody else has claimed it",
			hold->source, (unsigned long long)hold->epoch, store->file, (unsigned long long)stored);
	sqlite3_stmt *statement = database_statement(store, CLAIM_RENEW, err);
	if (!statement)
		return err->code;
	sqlite3_bind_text(statement, 1, hold->source, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, (int64_t)hold->epoch);
	sqlite3_bind_int64(statement, 3, hold->lease_until);
	return database_run(store, CLAIM_RENEW, err);
}

static int
write_mark(struct store *store, const struct weir_mark *mark, struct weir_err *err)
{
	enum statement which = mark->forget ? MARK_FORGET : MARK_WRITE;
	sqlite3_stmt *statement = database_statement(store, which, err);
	if (!statement)
		return err->code;
	sqlite3_bind_text(statement, 1, mark->source, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, mark->item ? mark->item : "", -1, SQLITE_STATIC);
	if (!mark->forget) {
		sqlite3_bind_text(statement, 3, mark->identity ? mark->identity : "", -1, SQLITE_STATIC);
		sqlite3_bind_blob(
			statement, 4, mark->size ? mark->data : "", (int)mark->size, SQLITE_STATIC);
	}
	return database_run(store, which, err);
}

int
marks_write(struct store *store, const struct weir_commit *commit, struct weir_err *err)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < commit->n_hold; i++)
		rc = renew(store, &commit->hold[i], err);
	for (size_t i = 0; !rc && i < commit->marks.n; i++) {
		rc = write_mark(store, &commit->marks.mark[i], err);
		failpoint_pass(&store->crash, SQLITE_AFTER_MARK);
	}
	return rc;
}
