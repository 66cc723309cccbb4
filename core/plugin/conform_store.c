/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of stores: what was committed comes back as marks, what was not does not, an old
 * holder is refused, and another path is another store.
 */
#include "plugin/conform.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "plugin/conform_batch.h"

#define SOURCE "files/conform"
#define MOVED_TO "files/moved"
#define LEASE_US INT64_C(30000000)

enum { STEPS = 3, ROWS = 200, MARK_SIZE = 60000 };

/* A store under test and what it must remember. */
struct stored {
	struct conform *t;
	struct weir_ctx *ctx;
	char *path;
	const char *holder;
	uint64_t epoch, seed;
	unsigned char *data; /* of the large mark */
};

static int
claim_of(struct stored *s, const char *source, const char *holder, uint64_t *epoch,
	struct weir_marks *marks, struct weir_err *err)
{
	struct weir_claim claim = {
		.source = source, .holder = holder, .lease_until = clock_wall_us() + LEASE_US
	};

	*marks = (struct weir_marks){ 0 };
	return s->t->plugin->store.claim(s->ctx->state, &claim, epoch, marks, err);
}

static int
claim_as(struct stored *s, const char *holder, uint64_t *epoch, struct weir_marks *marks,
	struct weir_err *err)
{
	return claim_of(s, SOURCE, holder, epoch, marks, err);
}

/* The claim of its own holder; its epoch is kept. */
static bool
claim(struct stored *s, struct weir_marks *marks)
{
	struct weir_err err = { 0 };
	uint64_t former = s->epoch;
	int rc = claim_as(s, s->holder, &s->epoch, marks, &err);

	if (rc)
		return conform_check(s->t, false, "claim failed: %s", err.text);
	return conform_check(s->t, s->epoch > former, "claim raises the epoch (%llu, was %llu)",
		(unsigned long long)s->epoch, (unsigned long long)former);
}

static int
commit_at(
	struct stored *s, uint64_t epoch, const struct weir_mark *mark, size_t n, struct weir_err *err)
{
	struct weir_hold hold = {
		.source = SOURCE, .epoch = epoch, .lease_until = clock_wall_us() + LEASE_US
	};
	struct weir_commit commit = { .marks = { mark, n }, .hold = &hold, .n_hold = 1, .sync = true };

	return s->t->plugin->store.commit(s->ctx->state, &commit, err);
}

/* What a store says of the rows of one batch. */
struct verdicts {
	uint8_t row[ROWS];
	bool refused[ROWS];
	uint64_t refusals;
};

static void
hear(void *closure, size_t row, const char *reason)
{
	struct verdicts *v = closure;

	v->refusals++;
	if (row < ROWS && *reason)
		v->refused[row] = true;
}

/* The sums, the verdict of each row and the calls of refuse tell the same story. */
static int
check_tally(const struct weir_tally *tally, const struct verdicts *v, const char *schema,
	struct weir_err *err)
{
	uint64_t sum = tally->stored + tally->unchanged + tally->refused;
	uint64_t by_row[WEIR_ROW_REFUSED + 1] = { 0 };

	if (sum != ROWS)
		return weir_failx(err, -EPROTO, "of %d rows of '%s' %llu are accounted for", ROWS, schema,
			(unsigned long long)sum);
	for (size_t i = 0; i < ROWS; i++) {
		if (v->row[i] < WEIR_ROW_STORED || v->row[i] > WEIR_ROW_REFUSED)
			return weir_failx(err, -EPROTO,
				"row %zu of '%s' has no verdict: use weir_tally_row or weir_tally_stored", i,
				schema);
		if ((v->row[i] == WEIR_ROW_REFUSED) != v->refused[i])
			return weir_failx(
				err, -EPROTO, "refuse and the verdict of row %zu of '%s' differ", i, schema);
		by_row[v->row[i]]++;
	}
	if (by_row[WEIR_ROW_STORED] != tally->stored ||
		by_row[WEIR_ROW_UNCHANGED] != tally->unchanged ||
		by_row[WEIR_ROW_REFUSED] != tally->refused || v->refusals != tally->refused)
		return weir_failx(
			err, -EPROTO, "the verdicts of the rows of '%s' are not what the sums say", schema);
	if (tally->refused)
		return weir_failx(err, -EPROTO, "%llu rows of '%s' are refused: %s",
			(unsigned long long)tally->refused, schema, tally->reason);
	return 0;
}

/* One batch of each schema; every row must be accounted for. */
static int
write_step(struct stored *s, int64_t time, struct weir_err *err)
{
	const struct origin *origin = &s->ctx->origin;
	struct weir_batch *batches[CONFORM_SCHEMAS] = { 0 };
	struct weir_tally tally[CONFORM_SCHEMAS];
	struct verdicts verdicts[CONFORM_SCHEMAS] = { 0 };
	int rc = 0;

	for (size_t i = 0; i < CONFORM_SCHEMAS; i++) {
		batches[i] = conform_batch(&s->seed, conform_schemas[i], origin, ROWS, time);
		rc = batches[i] ? rc : -ENOMEM;
		tally[i] = (struct weir_tally){
			.verdict = verdicts[i].row, .refuse = hear, .closure = &verdicts[i]
		};
	}
	if (!rc)
		rc = s->t->plugin->store.write(
			s->ctx->state, (const struct weir_batch *const *)batches, CONFORM_SCHEMAS, tally, err);
	for (size_t i = 0; !rc && i < CONFORM_SCHEMAS; i++)
		rc = check_tally(&tally[i], &verdicts[i], conform_schemas[i]->name, err);
	for (size_t i = 0; i < CONFORM_SCHEMAS; i++)
		weir_batch_release(batches[i]);
	return rc;
}

static void
make_marks(const struct stored *s, struct weir_mark mark[2])
{
	mark[0] = (struct weir_mark){ .source = SOURCE,
		.item = "a,'b\"",
		.identity = "0123456789abcdef",
		.data = "here",
		.size = 4 };
	mark[1] = (struct weir_mark){
		.source = SOURCE, .item = "", .identity = "", .data = s->data, .size = MARK_SIZE
	};
}

static void
write_and_commit(struct stored *s)
{
	struct weir_err err = { 0 };
	struct weir_mark mark[2];
	int rc = 0;

	make_marks(s, mark);
	for (int step = 0; !rc && step < STEPS; step++) {
		rc = write_step(s, CONFORM_TIME + step * INT64_C(1000000), &err);
		if (!rc)
			rc = commit_at(s, s->epoch, mark, 2, &err);
	}
	conform_check(s->t, !rc, "%d steps of %d rows of every type, with marks%s%s", STEPS,
		ROWS * CONFORM_SCHEMAS, rc ? ": " : "", rc ? err.text : "");
	if (!rc)
		rc = s->t->plugin->store.commit(s->ctx->state, &(struct weir_commit){ 0 }, &err);
	conform_check(s->t, !rc, "an empty commit%s%s", rc ? ": " : "", rc ? err.text : "");
	if (!rc && s->t->plugin->store.tend) {
		rc = s->t->plugin->store.tend(s->ctx->state, clock_wall_us(), &err);
		conform_check(s->t, !rc, "tend%s%s", rc ? ": " : "", rc ? err.text : "");
	}
}

static bool
has_mark(const struct weir_marks *marks, const struct weir_mark *wanted)
{
	for (size_t i = 0; i < marks->n; i++) {
		const struct weir_mark *m = &marks->mark[i];

		if (!strcmp(m->source, wanted->source) && !strcmp(m->item ? m->item : "", wanted->item) &&
			!strcmp(m->identity ? m->identity : "", wanted->identity) && m->size == wanted->size &&
			!memcmp(m->data, wanted->data, m->size))
			return true;
	}
	return false;
}

static bool
reopen(struct stored *s)
{
	instance_free(s->ctx);
	s->ctx = conform_open(s->t, s->t->plugin->name, s->path);
	return s->ctx;
}

/* After another start: the marks are there, the former epoch is worth nothing. */
static void
test_memory(struct stored *s)
{
	struct weir_marks marks;
	struct weir_mark wanted[2];
	struct weir_err err = { 0 };
	uint64_t old = s->epoch;

	make_marks(s, wanted);
	if (!reopen(s) || !claim(s, &marks))
		return;
	conform_check(s->t,
		marks.n == 2 && has_mark(&marks, &wanted[0]) && has_mark(&marks, &wanted[1]),
		"after closing and opening the claim gives the marks back (%zu)", marks.n);
	int rc = s->t->plugin->store.find(s->ctx->state, wanted[0].identity, &marks, &err);

	conform_check(s->t, !rc && marks.n == 1 && has_mark(&marks, &wanted[0]),
		"find gives the mark of an identity%s%s", rc ? ": " : "", rc ? err.text : "");
	rc = write_step(s, CONFORM_TIME + INT64_C(60000000), &err);
	rc = rc ? rc : commit_at(s, old, wanted, 1, &err);
	conform_check(s->t, rc == -ESTALE, "a commit under an older epoch gives -ESTALE (gave %d%s%s)",
		rc, rc ? ": " : "", rc ? err.text : "");
	rc = write_step(s, CONFORM_TIME + INT64_C(60000000), &err);
	rc = rc ? rc : commit_at(s, s->epoch, wanted, 1, &err);
	conform_check(
		s->t, !rc, "the same step under the present epoch%s%s", rc ? ": " : "", rc ? err.text : "");
}

/* What was written and not committed leaves no trace; a mark may be forgotten. */
static void
test_forgetting(struct stored *s)
{
	struct weir_marks marks;
	struct weir_mark wanted[2];
	struct weir_err err = { 0 };

	make_marks(s, wanted);
	int rc = write_step(s, CONFORM_TIME + INT64_C(90000000), &err);

	if (rc)
		conform_check(s->t, false, "write failed: %s", err.text);
	if (!reopen(s) || !claim(s, &marks))
		return;
	conform_check(s->t, marks.n == 2, "closing between write and commit changes no mark");
	wanted[1].forget = true;
	rc = commit_at(s, s->epoch, &wanted[1], 1, &err);
	if (!rc && claim(s, &marks))
		conform_check(s->t, marks.n == 1 && has_mark(&marks, &wanted[0]), "a mark is forgotten");
	else
		conform_check(s->t, !rc, "forgetting a mark failed: %s", err.text);
}

/* A file found again under another claim: its mark goes there, while somebody else may hold the
 * former. */
static void
test_moving(struct stored *s)
{
	struct weir_marks marks;
	struct weir_err err = { 0 };
	struct weir_mark mark[2];
	uint64_t epoch = 0;

	make_marks(s, mark);
	mark[1] = mark[0];
	mark[0].forget = true;
	mark[1].source = MOVED_TO;
	int rc = claim_of(s, MOVED_TO, "other-host /var/lib/other", &epoch, &marks, &err);
	struct weir_hold hold = {
		.source = MOVED_TO, .epoch = epoch, .lease_until = clock_wall_us() + LEASE_US
	};
	struct weir_commit commit = { .marks = { mark, 2 }, .hold = &hold, .n_hold = 1 };

	rc = rc ? rc : s->t->plugin->store.commit(s->ctx->state, &commit, &err);
	rc = rc ? rc : s->t->plugin->store.find(s->ctx->state, mark[1].identity, &marks, &err);
	conform_check(s->t, !rc && marks.n == 1 && has_mark(&marks, &mark[1]),
		"a mark of a source that is not held is forgotten%s%s", rc ? ": " : "", rc ? err.text : "");
}

/* A lease until 0 gives the source back: it is free for another, and lost for the former holder. */
static void
test_release(struct stored *s)
{
	struct weir_marks marks;
	struct weir_err err = { 0 };
	struct weir_hold hold = { .source = SOURCE, .epoch = s->epoch };
	struct weir_commit commit = { .hold = &hold, .n_hold = 1 };
	uint64_t epoch = 0;
	int rc = s->t->plugin->store.commit(s->ctx->state, &commit, &err);

	rc = rc ? rc : claim_as(s, "other-host /var/lib/other", &epoch, &marks, &err);
	conform_check(s->t, !rc && epoch > s->epoch, "a source given back is free for another%s%s",
		rc ? ": " : "", rc ? err.text : "");
	rc = s->t->plugin->store.commit(s->ctx->state, &commit, &err);
	conform_check(
		s->t, rc == -ESTALE, "who gave it back cannot commit under it any more (gave %d)", rc);
}

/* While one holds the source another gets nothing, whether it learns that from open or from claim.
 */
static void
test_second_holder(struct stored *s)
{
	struct stored other = { .t = s->t, .holder = "other-host /var/lib/other" };
	struct weir_err err = { 0 };
	struct weir_marks marks;
	uint64_t epoch = 0;

	other.ctx = conform_instance(s->t, "second", s->path);
	if (!other.ctx)
		return;
	int rc = instance_open(other.ctx, &err);

	if (!rc)
		rc = claim_as(&other, other.holder, &epoch, &marks, &err);
	conform_check(s->t, rc == -EBUSY, "a second holder gets -EBUSY (got %d%s%s)", rc,
		rc ? ": " : "", rc ? err.text : "");
	instance_free(other.ctx);
}

static bool
stored_open(struct stored *s, struct conform *t, const char *name, const char *holder)
{
	*s = (struct stored){ .t = t, .holder = holder, .seed = 1, .data = malloc(MARK_SIZE) };
	char *folder = fs_join(t->folder, name);

	s->path = folder && !fs_make_folder(folder, 0700, NULL) ? fs_join(folder, "store") : NULL;
	free(folder);
	if (!s->path || !s->data)
		return conform_check(t, false, "cannot make a folder in '%s'", t->folder);
	for (size_t i = 0; i < MARK_SIZE; i++)
		s->data[i] = (unsigned char)(i * 7);
	s->ctx = conform_open(t, t->plugin->name, s->path);
	return s->ctx;
}

static void
stored_close(struct stored *s)
{
	instance_free(s->ctx);
	free(s->path);
	free(s->data);
}

void
conform_store(struct conform *t)
{
	struct stored one = { 0 }, two = { 0 };
	struct weir_marks marks;
	unsigned before = conform_descriptors();

	conform_unopened(t);
	if (stored_open(&one, t, "one", "test-host /var/lib/one") && claim(&one, &marks)) {
		conform_check(t, marks.n == 0, "a new store has no marks");
		write_and_commit(&one);
		test_second_holder(&one);
		if (stored_open(&two, t, "two", "test-host /var/lib/two") && claim(&two, &marks)) {
			conform_check(
				t, marks.n == 0, "a second instance on another path knows nothing of the first");
			write_and_commit(&two);
			test_memory(&one);
			test_memory(&two);
			if (two.ctx) {
				test_moving(&two);
				test_release(&two);
			}
		}
		if (one.ctx)
			test_forgetting(&one);
	}
	stored_close(&one);
	stored_close(&two);
	conform_check(t, conform_descriptors() == before, "no descriptor is left open");
}
