/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store sqlite: steps and marks, readers and other writers, formats of others, housekeeping,
 * queries.
 *
 * needs: cmocka sqlite3
 * with: plugins/stores/sqlite tests/unit/store_batches.c tests/unit/sqlite_store.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "sqlite_store.h"
#include "store_batches.h"

extern const struct weir_plugin weir_plugin;

/* ---- steps ---- */

static void
nothing_before_commit(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(&cpu_schema, 1, 0));
	struct weir_batch *batch = cpu_batch(&cpu_schema, 2, 0);
	struct weir_tally tally = { 0 };
	struct weir_err err = { 0 };
	assert_int_equal(store_write(ctx, batch, &tally, &err), 0);
	expect(place->path, "SELECT count(*) FROM cpu", "1\n");
	assert_int_equal(store_write(ctx, batch, &tally, &err), 0);
	assert_int_equal(store_commit(ctx, &err), 0);
	expect(place->path, "SELECT count(*) FROM cpu", "3\n");
	/* Written and never committed. */
	assert_int_equal(store_write(ctx, batch, &tally, &err), 0);
	maker_free_batch(batch);
	sqlite_end(ctx);
	expect(place->path, "SELECT count(*) FROM cpu", "3\n");
}

static void
later_write_fails(void **state)
{
	const struct place *place = *state;
	struct weir_column columns[] = { WEIR_KEY_STR("name", "key"),
		WEIR_GAUGE_U64("value", "1", "value") };
	struct weir_schema schema = two_columns("later", columns);
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, two_cells(&schema, 1, "a", (union weir_cell){ .u64 = 1 }));
	sqlite_end(ctx);
	/* A trigger over a table that is not there fails when the statement is prepared. */
	user_does(place->path,
		"CREATE TRIGGER broken AFTER INSERT ON later BEGIN INSERT INTO absent VALUES (1); END",
		NULL);
	ctx = sqlite_new(place->path);
	struct weir_batch *first = cpu_batch(&cpu_schema, 1, 0);
	struct weir_batch *second = two_cells(&schema, 2, "b", (union weir_cell){ .u64 = 2 });
	struct weir_tally tally = { 0 };
	struct weir_err err = { 0 };
	assert_int_equal(store_write(ctx, first, &tally, &err), 0);
	assert_true(store_write(ctx, second, &tally, &err) < 0);
	assert_non_null(strstr(err.text, "absent"));
	assert_int_equal(store_commit(ctx, &err), 0);
	expect(place->path, "SELECT count(*) FROM cpu", "1\n");
	user_does(place->path, "DROP TRIGGER broken", NULL);
	assert_int_equal(store_write(ctx, second, &tally, &err), 0);
	assert_int_equal(store_commit(ctx, &err), 0);
	expect(place->path, "SELECT count(*) FROM later", "2\n");
	/* One that rolls back all: the earlier write is gone, so the commit fails and the whole step is
	 * written again. */
	user_does(place->path,
		"CREATE TRIGGER hard BEFORE INSERT ON later BEGIN SELECT RAISE(ROLLBACK, 'no'); END", NULL);
	assert_int_equal(store_write(ctx, first, &tally, &err), 0);
	assert_true(store_write(ctx, second, &tally, &err) < 0);
	assert_int_equal(store_commit(ctx, &err), -EAGAIN);
	expect(place->path, "SELECT count(*) FROM cpu", "1\n");
	user_does(place->path, "DROP TRIGGER hard", NULL);
	assert_int_equal(store_write(ctx, first, &tally, &err), 0);
	assert_int_equal(store_write(ctx, second, &tally, &err), 0);
	assert_int_equal(store_commit(ctx, &err), 0);
	expect(place->path, "SELECT (SELECT count(*) FROM cpu), (SELECT count(*) FROM later)", "2|3\n");
	maker_free_batch(first);
	maker_free_batch(second);
	sqlite_end(ctx);
}

/* ---- claims and marks ---- */

static int
commit_marks(struct weir_ctx *ctx, const char *source, uint64_t epoch, const struct weir_mark *mark,
	size_t n, struct weir_err *err)
{
	const struct weir_hold hold = { .source = source, .epoch = epoch, .lease_until = 77 };
	return weir_plugin.store.commit(sqlite_state(ctx),
		&(struct weir_commit){ .marks = { mark, n }, .hold = &hold, .n_hold = 1, .sync = true },
		err);
}

static void
claims_and_marks(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	struct weir_claim claim = {
		.source = "files/sge", .holder = "n001 /var/lib/weir", .lease_until = 5
	};
	uint64_t epoch = 0;
	struct weir_marks marks;
	struct weir_err err = { 0 };
	assert_int_equal(weir_plugin.store.claim(sqlite_state(ctx), &claim, &epoch, &marks, &err), 0);
	assert_int_equal(epoch, 1);
	assert_int_equal(marks.n, 0);
	static const char data[] = "line\0two";
	const struct weir_mark written[] = {
		{ .source = "files/sge",
			.item = "b'; --",
			.identity = "same",
			.data = data,
			.size = sizeof(data) },
		{ .source = "files/sge", .item = "a", .identity = "", .data = NULL, .size = 0 },
		{ .source = "files/sge", .item = "c", .identity = "same", .data = "x", .size = 1 },
	};
	assert_int_equal(commit_marks(ctx, "files/sge", 1, written, 3, &err), 0);
	sqlite_end(ctx);

	ctx = sqlite_new(place->path);
	assert_int_equal(weir_plugin.store.claim(sqlite_state(ctx), &claim, &epoch, &marks, &err), 0);
	assert_int_equal(epoch, 2);
	assert_int_equal(marks.n, 3);
	assert_string_equal(marks.mark[0].item, "a");
	assert_int_equal(marks.mark[0].size, 0);
	assert_string_equal(marks.mark[1].item, "b'; --");
	assert_string_equal(marks.mark[1].identity, "same");
	assert_string_equal(marks.mark[1].source, "files/sge");
	assert_int_equal(marks.mark[1].size, sizeof(data));
	assert_memory_equal(marks.mark[1].data, data, sizeof(data));
	assert_int_equal(weir_plugin.store.find(sqlite_state(ctx), "same", &marks, &err), 0);
	assert_int_equal(marks.n, 2);
	assert_string_equal(marks.mark[1].item, "c");
	assert_int_equal(weir_plugin.store.find(sqlite_state(ctx), "", &marks, &err), 0);
	assert_int_equal(marks.n, 0);

	/* A zombie: data and marks of its step are gone. */
	struct weir_batch *batch = cpu_batch(&cpu_schema, 1, 0);
	struct weir_tally tally = { 0 };
	assert_int_equal(store_write(ctx, batch, &tally, &err), 0);
	assert_int_equal(commit_marks(ctx, "files/sge", 1, written, 1, &err), -ESTALE);
	assert_non_null(strstr(err.text, "files/sge"));
	expect(place->path, "SELECT count(*) FROM sqlite_master WHERE name = 'cpu'", "0\n");
	/* The holder itself, with a mark forgotten and one moved on. */
	const struct weir_mark next[] = {
		{ .source = "files/sge", .item = "a", .forget = true },
		{ .source = "files/sge", .item = "c", .identity = "other", .data = "yz", .size = 2 },
	};
	assert_int_equal(store_write(ctx, batch, &tally, &err), 0);
	assert_int_equal(commit_marks(ctx, "files/sge", 2, next, 2, &err), 0);
	maker_free_batch(batch);
	expect(place->path, "SELECT item, identity, hex(data) FROM weir_mark ORDER BY item",
		"b'; --|same|6C696E650074776F00\nc|other|797A\n");
	expect(place->path, "SELECT source, epoch, holder, lease_until FROM weir_claim",
		"files/sge|2|n001 /var/lib/weir|77\n");
	expect(place->path, "SELECT count(*) FROM cpu", "1\n");
	sqlite_end(ctx);
}

static void
claim_is_released(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	struct weir_claim claim = { .source = "files/sge", .holder = "n001 /one", .lease_until = 5 };
	struct weir_hold hold = { .source = "files/sge", .lease_until = 77 };
	const struct weir_commit commit = { .hold = &hold, .n_hold = 1 };
	struct weir_marks marks;
	struct weir_err err = { 0 };
	uint64_t epoch = 0;
	static const char leases[] = "SELECT epoch, holder, lease_until FROM weir_claim";
	assert_int_equal(
		weir_plugin.store.claim(sqlite_state(ctx), &claim, &hold.epoch, &marks, &err), 0);
	assert_int_equal(weir_plugin.store.commit(sqlite_state(ctx), &commit, &err), 0);
	expect(place->path, leases, "1|n001 /one|77\n");
	hold.lease_until = 0;
	assert_int_equal(weir_plugin.store.commit(sqlite_state(ctx), &commit, &err), 0);
	expect(place->path, leases, "1||0\n");
	claim.holder = "n002 /two";
	assert_int_equal(weir_plugin.store.claim(sqlite_state(ctx), &claim, &epoch, &marks, &err), 0);
	assert_int_equal(epoch, 2);
	/* Who gave it back cannot take away what another has now. */
	assert_int_equal(weir_plugin.store.commit(sqlite_state(ctx), &commit, &err), -ESTALE);
	expect(place->path, leases, "2|n002 /two|5\n");
	sqlite_end(ctx);
}

/* A file that is found again under another claim: its mark goes there, in one commit. */
static void
mark_moves(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	struct weir_claim claim = { .source = "files/old", .holder = "n001 /one", .lease_until = 5 };
	struct weir_marks marks;
	struct weir_err err = { 0 };
	uint64_t epoch = 0;
	assert_int_equal(weir_plugin.store.claim(sqlite_state(ctx), &claim, &epoch, &marks, &err), 0);
	const struct weir_mark former[] = {
		{ .source = "files/old", .item = "log", .identity = "head", .data = "1", .size = 1 },
		{ .source = "files/old", .item = "log.1", .identity = "stays", .data = "1", .size = 1 },
	};
	assert_int_equal(commit_marks(ctx, "files/old", epoch, former, 2, &err), 0);
	claim.source = "files/new";
	assert_int_equal(weir_plugin.store.claim(sqlite_state(ctx), &claim, &epoch, &marks, &err), 0);
	const struct weir_mark moved[] = {
		{ .source = "files/old", .item = "log", .forget = true },
		{ .source = "files/never", .item = "log", .forget = true },
		{ .source = "files/new", .item = "log", .identity = "head", .data = "2", .size = 1 },
	};
	assert_int_equal(commit_marks(ctx, "files/new", epoch, moved, 3, &err), 0);
	expect(place->path, "SELECT source, item, hex(data) FROM weir_mark ORDER BY source",
		"files/new|log|32\nfiles/old|log.1|31\n");
	expect(place->path, "SELECT source, epoch, lease_until FROM weir_claim ORDER BY source",
		"files/new|1|77\nfiles/old|1|77\n");
	sqlite_end(ctx);
}

/* ---- others at the database ---- */

static void
one_writer(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	struct weir_err err = { 0 };
	assert_null(sqlite_try(place->path, NULL, &err));
	assert_int_equal(err.code, -EBUSY);
	char host[65] = "";
	gethostname(host, sizeof(host) - 1);
	char holder[120];
	snprintf(holder, sizeof(holder), "'%s %ld lake'", host, (long)getpid());
	assert_non_null(strstr(err.text, holder));
	/* Another name of the same file. */
	char *link = fs_join(place->folder, "other.db");
	assert_int_equal(symlink("weir.db", link), 0);
	assert_null(sqlite_try(link, NULL, &err));
	assert_int_equal(err.code, -EBUSY);
	free(link);
	/* The refused one did not take the first one's locks with it. */
	store_batch(ctx, cpu_batch(&cpu_schema, 1, 0));
	sqlite_end(ctx);
	sqlite_end(sqlite_new(place->path));
	expect(place->path, "SELECT count(*) FROM cpu", "1\n");
}

static void
locked_by_user(void **state)
{
	const struct place *place = *state;
	struct weir_err err = { 0 };
	struct weir_ctx *ctx =
		sqlite_try(place->path, (const char *const[]){ "busy_timeout", "10ms", NULL }, &err);
	assert_non_null(ctx);
	store_batch(ctx, cpu_batch(&cpu_schema, 1, 0));
	sqlite3 *user = NULL;
	user_does(place->path, "BEGIN EXCLUSIVE", &user);
	struct weir_batch *batch = cpu_batch(&cpu_schema, 2, 0);
	struct weir_tally tally = { 0 };
	assert_int_equal(store_write(ctx, batch, &tally, &err), -EAGAIN);
	assert_non_null(strstr(err.text, "another program writes"));
	const struct weir_mark mark = {
		.source = "s", .item = "", .identity = "", .data = "1", .size = 1
	};
	assert_int_equal(commit_marks(ctx, "s", 1, &mark, 1, &err), -EAGAIN);
	uint64_t epoch = 0;
	struct weir_marks marks;
	assert_int_equal(weir_plugin.store.claim(sqlite_state(ctx),
						 &(struct weir_claim){ .source = "s" }, &epoch, &marks, &err),
		-EAGAIN);
	sqlite3_close(user);
	assert_int_equal(store_write(ctx, batch, &tally, &err), 0);
	assert_int_equal(commit_marks(ctx, "s", 1, &mark, 1, &err), 0);
	maker_free_batch(batch);
	sqlite_end(ctx);
	expect(place->path, "SELECT time FROM cpu ORDER BY time", "1\n2\n");
}

static off_t
size_of(const char *path, const char *suffix)
{
	char name[200];
	struct stat status;
	snprintf(name, sizeof(name), "%s%s", path, suffix);
	return stat(name, &status) == 0 ? status.st_size : 0;
}

static void
readers_meanwhile(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(&cpu_schema, 1, 0));
	sqlite3 *user = NULL;
	user_does(place->path, "BEGIN; SELECT count(*) FROM cpu", &user);
	struct weir_err err = { 0 };
	for (int64_t i = 0; i < 40; i++) {
		struct maker *maker = maker_new(&cpu_schema, "hydra", "n001", "cpu");
		for (uint64_t k = 0; k < 2000; k++) {
			maker_row(maker, i);
			maker_u64(maker, 0, k);
		}
		store_batch(ctx, maker_close(maker, 1, 1));
		assert_int_equal(weir_plugin.store.tend(sqlite_state(ctx), 0, &err), 0);
	}
	/* The reader has its state of before and is not disturbed. */
	sqlite3_stmt *statement = NULL;
	assert_int_equal(
		sqlite3_prepare_v2(user, "SELECT count(*) FROM cpu", -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(statement, 0), 1);
	sqlite3_finalize(statement);
	sqlite3_close(user);
	/* Once it is gone the log begins anew instead of growing on. */
	assert_int_equal(weir_plugin.store.tend(sqlite_state(ctx), 0, &err), 0);
	off_t before = size_of(place->path, "-wal");
	for (int64_t i = 0; i < 100; i++)
		store_batch(ctx, cpu_batch(&cpu_schema, i, 0));
	assert_true(size_of(place->path, "-wal") <= before);
	sqlite_end(ctx);
	expect(place->path, "SELECT count(*) FROM cpu", "80101\n");
}

/* While the file is of no use every write fails; once a good one is there again the same batch is
 * stored. */
static void
file_damaged_and_restored(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(&cpu_schema, 1, 0));
	sqlite_end(ctx);
	char *good = fs_join(place->folder, "good.db");
	struct weir_err err = { 0 };
	size_t size = 0;
	char *bytes = NULL;
	assert_int_equal(fs_read(place->path, 100 << 20, &bytes, &size, &err), 0);
	assert_int_equal(fs_replace(good, bytes, size, 0644, &err), 0);
	ctx = sqlite_new(place->path);
	memset(bytes + 4096, 0xff, size - 4096);
	assert_int_equal(fs_replace(place->path, bytes, size, 0644, &err), 0);
	struct weir_batch *batch = cpu_batch(&cpu_schema, 2, 0);
	struct weir_tally tally = { 0 };
	for (int i = 0; i < 3; i++) {
		assert_int_equal(store_write(ctx, batch, &tally, &err), -EBADMSG);
		assert_non_null(strstr(err.text, "it is damaged"));
	}
	assert_int_equal(rename(good, place->path), 0);
	assert_int_equal(store_write(ctx, batch, &tally, &err), 0);
	assert_int_equal(store_commit(ctx, &err), 0);
	maker_free_batch(batch);
	sqlite_end(ctx);
	expect(place->path, "SELECT time FROM cpu ORDER BY time", "1\n2\n");
	expect(place->path, "PRAGMA integrity_check", "ok\n");
	free(bytes);
	free(good);
}

static void
file_taken_away(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(&cpu_schema, 1, 0));
	char *other = fs_join(place->folder, "aside.db");
	assert_int_equal(rename(place->path, other), 0);
	store_batch(ctx, cpu_batch(&cpu_schema, 2, 0));
	sqlite_end(ctx);
	expect(place->path, "SELECT time FROM cpu", "2\n");
	expect(place->path, "PRAGMA integrity_check", "ok\n");
	free(other);
}

/* ---- formats ---- */

static char *
bytes_of(const char *path, size_t *size)
{
	char *bytes = NULL;
	struct weir_err err = { 0 };
	assert_int_equal(fs_read(path, 100 << 20, &bytes, size, &err), 0);
	return bytes;
}

static void
untouched(const char *path, int code, const char *words)
{
	size_t size = 0;
	size_t after = 0;
	char *bytes = bytes_of(path, &size);
	struct weir_err err = { 0 };
	assert_null(sqlite_try(path, NULL, &err));
	assert_int_equal(err.code, code);
	assert_non_null(strstr(err.text, words));
	char *now = bytes_of(path, &after);
	assert_int_equal(after, size);
	assert_memory_equal(now, bytes, size);
	free(bytes);
	free(now);
}

static void
formats_of_others(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(&cpu_schema, 1, 0));
	sqlite_end(ctx);
	user_does(place->path, "PRAGMA user_version = 2", NULL);
	untouched(place->path, -ENOTSUP, "format 2");
	user_does(place->path, "PRAGMA user_version = 1", NULL);
	sqlite_end(sqlite_new(place->path));

	char *foreign = fs_join(place->folder, "foreign.db");
	user_does(place->path, "VACUUM", NULL);
	FILE *file = fopen(foreign, "w");
	fclose(file);
	user_does(foreign, "CREATE TABLE mine (a); INSERT INTO mine VALUES (1)", NULL);
	untouched(foreign, -EINVAL, "another program");
	file = fopen(foreign, "w");
	fputs("time,cluster,host\n", file);
	fclose(file);
	untouched(foreign, -EINVAL, "no SQLite database");
	/* An empty file is as good as none. */
	file = fopen(foreign, "w");
	fclose(file);
	sqlite_end(sqlite_new(foreign));
	free(foreign);
}

/* A newer format with a log that no program has folded in yet. */
static void
newer_with_log(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(&cpu_schema, 1, 0));
	sqlite_end(ctx);
	sqlite3 *user = NULL;
	user_does(place->path,
		"PRAGMA user_version = 2; PRAGMA wal_checkpoint(TRUNCATE); CREATE TABLE newer (a)", &user);
	char *copy = fs_join(place->folder, "copy.db");
	char *log = fs_join(place->folder, "copy.db-wal");
	char *from = fs_join(place->folder, "weir.db-wal");
	struct weir_err err = { 0 };
	size_t size = 0;
	char *bytes = bytes_of(place->path, &size);
	assert_int_equal(fs_replace(copy, bytes, size, 0644, &err), 0);
	free(bytes);
	bytes = bytes_of(from, &size);
	assert_true(size > 0);
	assert_int_equal(fs_replace(log, bytes, size, 0644, &err), 0);
	sqlite3_close(user);
	untouched(copy, -ENOTSUP, "format 2");
	size_t after = 0;
	char *now = bytes_of(log, &after);
	assert_int_equal(after, size);
	assert_memory_equal(now, bytes, size);
	free(now);
	free(bytes);
	free(copy);
	free(log);
	free(from);
}

static void
paths(void **state)
{
	const struct place *place = *state;
	struct weir_err err = { 0 };
	assert_null(sqlite_try("", NULL, &err));
	assert_int_equal(err.code, -EINVAL);
	assert_null(sqlite_try(place->folder, NULL, &err));
	assert_int_equal(err.code, -EINVAL);
	/* No lock file beside what is none of ours. */
	char lock[200];
	snprintf(lock, sizeof(lock), "%s.lock", place->folder);
	assert_int_equal(access(lock, F_OK), -1);
	/* The last folder is made, no more. */
	char *one = fs_join(place->folder, "var/weir.db");
	char *two = fs_join(place->folder, "no/such/weir.db");
	sqlite_end(sqlite_new(one));
	assert_null(sqlite_try(two, NULL, &err));
	assert_int_equal(err.code, -ENOENT);
	/* These mean something else to sqlite. */
	assert_int_equal(chdir(place->folder), 0);
	sqlite_end(sqlite_new(":memory:"));
	sqlite_end(sqlite_new("file:x?mode=memory"));
	assert_int_equal(access(":memory:", F_OK), 0);
	assert_int_equal(access("file:x?mode=memory", F_OK), 0);
	assert_int_equal(chdir("/"), 0);
	free(one);
	free(two);
}

/* ---- housekeeping and queries ---- */

static void
old_rows_go(void **state)
{
	const struct place *place = *state;
	struct weir_err err = { 0 };
	struct weir_ctx *ctx =
		sqlite_try(place->path, (const char *const[]){ "keep_age", "10s", NULL }, &err);
	assert_non_null(ctx);
	struct maker *maker = maker_new(&cpu_schema, "hydra", "n001", "cpu");
	for (int64_t i = 0; i < 9000; i++) {
		/* Not in the order of time. */
		maker_row(maker, (i * 7919 % 9000) * 10000);
		maker_u64(maker, 0, 1);
	}
	store_batch(ctx, maker_close(maker, 1, 1));
	maker = maker_new(&item_schema, "hydra", "n001", "test");
	maker_row(maker, 1);
	maker_text(maker, 0, "old");
	store_batch(ctx, maker_close(maker, 1, 1));
	assert_int_equal(weir_plugin.store.tend(sqlite_state(ctx), 80000000, &err), 0);
	expect(place->path, "SELECT count(*), min(time) FROM cpu", "2000|70000000\n");
	assert_int_equal(weir_plugin.store.tend(sqlite_state(ctx), 1000000000, &err), 0);
	expect(place->path, "SELECT count(*) FROM cpu", "0\n");
	expect(place->path, "SELECT count(*) FROM item", "1\n");
	sqlite_end(ctx);
	ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(&cpu_schema, 1, 0));
	assert_int_equal(weir_plugin.store.tend(sqlite_state(ctx), INT64_MAX / 2, &err), 0);
	expect(place->path, "SELECT count(*) FROM cpu", "1\n");
	sqlite_end(ctx);
}

struct answers {
	char text[500];
	int rows, stop_at;
};

static int
take_row(void *closure, size_t columns, const char *const *names, const char *const *values)
{
	struct answers *answers = closure;
	for (size_t i = 0; i < columns; i++) {
		size_t used = strlen(answers->text);
		snprintf(answers->text + used, sizeof(answers->text) - used, "%s=%s;", names[i],
			values[i] ? values[i] : "~");
	}
	return ++answers->rows == answers->stop_at ? -ECANCELED : 0;
}

static void
queries(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	for (int64_t i = 0; i < 5; i++)
		store_batch(ctx, cpu_batch(&cpu_schema, i, (uint64_t)i));
	struct answers answers = { 0 };
	const char *const parameters[] = { "2", "n001" };
	struct weir_query query = { .sql = "SELECT time, user_time, NULL AS blank FROM cpu WHERE time "
									   "> ? AND host = ? ORDER BY time",
		.parameters = parameters,
		.n_parameters = 2,
		.row = take_row,
		.closure = &answers };
	struct weir_err err = { 0 };
	/* While a step is under way, too. */
	struct weir_batch *batch = cpu_batch(&cpu_schema, 9, 9);
	struct weir_tally tally = { 0 };
	assert_int_equal(store_write(ctx, batch, &tally, &err), 0);
	assert_int_equal(weir_plugin.store.query(sqlite_state(ctx), &query, &err), 0);
	assert_string_equal(
		answers.text, "time=3;user_time=0.57;blank=~;time=4;user_time=0.57;blank=~;");
	answers = (struct answers){ .stop_at = 1 };
	assert_int_equal(weir_plugin.store.query(sqlite_state(ctx), &query, &err), -ECANCELED);
	assert_int_equal(answers.rows, 1);
	query.n_parameters = 1;
	assert_int_equal(weir_plugin.store.query(sqlite_state(ctx), &query, &err), -EINVAL);
	query = (struct weir_query){ .sql = "DELETE FROM cpu", .row = take_row, .closure = &answers };
	assert_int_equal(weir_plugin.store.query(sqlite_state(ctx), &query, &err), -EINVAL);
	query.sql = "SELECT blank FROM nowhere";
	assert_int_equal(weir_plugin.store.query(sqlite_state(ctx), &query, &err), -EINVAL);
	assert_non_null(strstr(err.text, "nowhere"));
	assert_int_equal(store_commit(ctx, &err), 0);

	/* A report beside the writer. */
	struct weir_ctx *report =
		sqlite_try(place->path, (const char *const[]){ "read_only", "yes", NULL }, &err);
	assert_non_null(report);
	answers = (struct answers){ 0 };
	query.sql = "SELECT count(*) AS n FROM cpu";
	assert_int_equal(weir_plugin.store.query(sqlite_state(report), &query, &err), 0);
	assert_string_equal(answers.text, "n=6;");
	assert_int_equal(store_write(report, batch, &tally, &err), -EROFS);
	assert_int_equal(store_commit(report, &err), -EROFS);
	assert_int_equal(weir_plugin.store.tend(sqlite_state(report), 0, &err), 0);
	sqlite_end(report);
	maker_free_batch(batch);
	store_batch(ctx, cpu_batch(&cpu_schema, 10, 0));
	sqlite_end(ctx);
	char *absent = fs_join(place->folder, "absent.db");
	assert_null(sqlite_try(absent, (const char *const[]){ "read_only", "yes", NULL }, &err));
	assert_int_equal(err.code, -ENOENT);
	assert_int_equal(access(absent, F_OK), -1);
	free(absent);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_before_commit, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(later_write_fails, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(claims_and_marks, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(claim_is_released, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(mark_moves, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(one_writer, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(locked_by_user, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(readers_meanwhile, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(file_damaged_and_restored, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(file_taken_away, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(formats_of_others, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(newer_with_log, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(paths, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(old_rows_go, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(queries, place_set_up, place_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
