/* SPDX-License-Identifier: Apache-2.0 */
/* A step is one transaction: the batches of all writes since the last commit, tables that they
 * need, and the marks. */
#include "store.h"

#include <errno.h>
#include <string.h>
#include <time.h>

int
step_begin(struct store *store, struct weir_err *err)
{
	if (store->read_only)
		return weir_failx(err, -EROFS, "'%s' was opened with read_only", store->path);
	if (store->step)
		return 0;
	int rc = database_ready(store, err);
	if (!rc)
		rc = database_run(store, BEGIN_STEP, err);
	store->step = !rc;
	if (!rc)
		failpoint_pass(&store->crash, SQLITE_AFTER_BEGIN);
	return rc;
}

void
step_undo(struct store *store)
{
	struct weir_err ignored;
	store->step = false;
	if (!store->db)
		return;
	if (!sqlite3_get_autocommit(store->db) && database_run(store, ROLLBACK_STEP, &ignored))
		store->reopen = true;
	plans_drop_fresh(store);
}

int
step_finish(struct store *store, struct weir_err *err)
{
	failpoint_pass(&store->crash, SQLITE_BEFORE_COMMIT);
	int rc = database_run(store, COMMIT_STEP, err);
	if (rc)
		return rc;
	failpoint_pass(&store->crash, SQLITE_AFTER_COMMIT);
	store->step = false;
	plans_keep(store);
	return 0;
}

static int64_t
now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int
write_batch(struct store *store, const struct weir_batch *batch, int64_t now,
	struct weir_tally *tally, struct weir_err *err)
{
	struct plan *plan = plan_of_batch(store, batch, err);
	if (!plan)
		return err->code;
	if (*plan->refusal) {
		for (size_t row = 0; row < batch->rows; row++)
			weir_tally_row(tally, row, WEIR_ROW_REFUSED, plan->refusal);
		return 0;
	}
	return plan->find ? upsert_entities(store, plan, batch, now, tally, err)
					  : insert_series(store, plan, batch, tally, err);
}

/* An error of a later write of the step leaves the earlier ones as they are, if sqlite still has
 * them. */
static void
undo_write(struct store *store, bool later)
{
	struct weir_err ignored;
	bool kept = later && !sqlite3_get_autocommit(store->db) &&
				database_run(store, ROLLBACK_TO, &ignored) == 0 &&
				database_run(store, RELEASE, &ignored) == 0;
	if (kept) {
		plans_drop_fresh(store);
		return;
	}
	store->lost = store->lost || later;
	step_undo(store);
}

int
step_write(void *state, const struct weir_batch *const *batches, size_t n, struct weir_tally *tally,
	struct weir_err *err)
{
	struct store *store = state;
	bool later = store->step;
	int rc = step_begin(store, err);
	if (rc)
		return rc;
	if (later)
		rc = database_run(store, SAVEPOINT, err);
	int64_t now = now_us();
	for (size_t i = 0; !rc && i < n; i++)
		rc = write_batch(store, batches[i], now, &tally[i], err);
	if (!rc && later)
		rc = database_run(store, RELEASE, err);
	failpoint_pass(&store->crash, SQLITE_AFTER_WRITE);
	if (rc)
		undo_write(store, later);
	return rc;
}

/* What is committed stays committed: a disk that cannot be forced is told of at the next
 * housekeeping, not as a failed commit. */
static void
force(struct store *store)
{
	struct weir_err ignored;
	store->sync_due = database_sync(store, &ignored) != 0;
	failpoint_pass(&store->crash, SQLITE_AFTER_SYNC);
}

int
step_commit(void *state, const struct weir_commit *commit, struct weir_err *err)
{
	struct store *store = state;
	int rc = 0;
	if (store->lost)
		rc = weir_failx(err, -EAGAIN,
			"'%s' undid an earlier part of this step: it is written again", store->file);
	store->lost = false;
	if (!rc)
		rc = step_begin(store, err);
	if (!rc)
		rc = marks_write(store, commit, err);
	if (!rc)
		rc = step_finish(store, err);
	if (rc)
		step_undo(store);
	else if (commit->sync)
		force(store);
	return rc;
}
