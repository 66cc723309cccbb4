/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store sqlite: killed anywhere, and a disk that gets full. Data and marks go together, each
 * row is there exactly once.
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
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/text.h"
#include "plugins/stores/sqlite/failpoint.h"
#include "sqlite_store.h"
#include "store_batches.h"

extern const struct weir_plugin weir_plugin;

enum { STEPS = 12, ROWS = 40, WIDER_FROM = 4, OTHER_TYPE_FROM = 7 };
#define HOUR_US INT64_C(3600000000)

/*
 * The source of this test: step i gives the numbers i * ROWS to i * ROWS + ROWS - 1 as rows of
 * `numbers`, whose schema gets a column on the way and then another type; one version of an entity;
 * and a row of `passing` that is past keep_age at once.
 */
static const struct weir_column narrow[] = { WEIR_KEY_U64("n", "number"),
	WEIR_LABEL_STR("label", "text") };
static const struct weir_column wider[] = {
	WEIR_KEY_U64("n", "number"),
	WEIR_LABEL_STR("label", "text"),
	WEIR_GAUGE_F64("half", "1", "half of it"),
};
static const struct weir_column other[] = { WEIR_KEY_U64("n", "number"),
	WEIR_GAUGE_I64("label", "1", "number") };
static const struct weir_schema numbers[] = {
	WEIR_SERIES("numbers", narrow, "numbers"),
	WEIR_SERIES("numbers", wider, "numbers"),
	WEIR_SERIES("numbers", other, "numbers"),
};
static const struct weir_schema passing = WEIR_SERIES("passing", narrow, "passing");

static struct weir_batch *
numbers_of_step(int step)
{
	int which = step >= OTHER_TYPE_FROM ? 2 : step >= WIDER_FROM ? 1 : 0;
	struct maker *maker = maker_new(&numbers[which], "hydra", "n001", "test");
	for (int row = 0; row < ROWS; row++) {
		maker_row(maker, 2 * HOUR_US + step);
		maker_u64(maker, 0, (uint64_t)(step * ROWS + row));
		if (which == 2)
			maker_i64(maker, 1, step);
		else
			maker_text(maker, 1, "a text of some length, so that pages fill");
		if (which == 1)
			maker_f64(maker, 2, row / 2.0);
	}
	return maker_close(maker, 1, (uint64_t)step);
}

static struct weir_batch *
one_row(const struct weir_schema *schema, int step)
{
	struct maker *maker = maker_new(schema, "hydra", "n001", "test");
	maker_row(maker, step);
	if (schema == &item_schema) {
		maker_text(maker, 0, step % 2 ? "odd" : "even");
		if (step % 5 == 0)
			maker_delete(maker);
	} else {
		maker_u64(maker, 0, 1);
	}
	return maker_close(maker, 1, (uint64_t)step);
}

static int
read_mark(struct weir_ctx *ctx, uint64_t *epoch)
{
	struct weir_marks marks;
	struct weir_err err = { 0 };
	const struct weir_claim claim = { .source = "files/test", .holder = "n001 test" };
	if (weir_plugin.store.claim(sqlite_state(ctx), &claim, epoch, &marks, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	int step = 0;
	if (marks.n == 1)
		memcpy(&step, marks.mark[0].data, sizeof(step));
	return step;
}

static int
try_step(struct weir_ctx *ctx, uint64_t epoch, int step, struct weir_err *err)
{
	struct weir_batch *batch[] = { numbers_of_step(step), one_row(&item_schema, step),
		one_row(&passing, step) };
	struct weir_tally tally[3] = { 0 };
	int next = step + 1;
	const struct weir_mark mark = {
		.source = "files/test", .item = "", .identity = "", .data = &next, .size = sizeof(next)
	};
	const struct weir_hold hold = { .source = "files/test", .epoch = epoch };
	int rc = weir_plugin.store.write(
		sqlite_state(ctx), (const struct weir_batch *const *)batch, 3, tally, err);
	if (!rc)
		rc = weir_plugin.store.commit(sqlite_state(ctx),
			&(struct weir_commit){
				.marks = { &mark, 1 }, .hold = &hold, .n_hold = 1, .sync = step % 3 == 0 },
			err);
	for (size_t i = 0; i < 3; i++) {
		if (!rc && tally[i].refused)
			rc = weir_failx(err, -EINVAL, "refused: %s", tally[i].reason);
		maker_free_batch(batch[i]);
	}
	return rc;
}

/* From the mark to the end. */
static void
run(const char *path)
{
	struct weir_err err = { 0 };
	struct weir_ctx *ctx = sqlite_try(path, (const char *const[]){ "keep_age", "1h", NULL }, &err);
	uint64_t epoch = 0;
	int rc = ctx ? 0 : err.code;
	for (int step = rc ? STEPS : read_mark(ctx, &epoch); !rc && step < STEPS; step++) {
		rc = try_step(ctx, epoch, step, &err);
		if (!rc && step % 2)
			rc = weir_plugin.store.tend(sqlite_state(ctx), 2 * HOUR_US, &err);
	}
	if (rc) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	sqlite_end(ctx);
}

/* The numbers of `steps` steps, each once; the entity as of then. */
static void
check(const char *path, int steps)
{
	struct text text = { 0 };
	text_add(&text, "");
	for (int i = 0; i < steps * ROWS; i++)
		text_printf(&text, "%d\n", i);
	if (steps)
		expect(path, "SELECT n FROM numbers ORDER BY n", text.data);
	text.size = 0;
	text_add(&text, "");
	for (int parity = 0; parity < 2; parity++) {
		int step = steps - 1 - ((steps - 1) % 2 != parity);
		if (step >= 0 && step % 5)
			text_printf(&text, "%s|%d\n", parity ? "odd" : "even", step);
	}
	if (steps)
		expect(path, "SELECT item, version FROM item ORDER BY item", text.data);
	expect(path, "PRAGMA integrity_check", "ok\n");
	text_free(&text);
}

static int
mark_of(const char *path)
{
	struct weir_ctx *ctx = sqlite_new(path);
	uint64_t epoch = 0;
	int step = read_mark(ctx, &epoch);
	sqlite_end(ctx);
	return step;
}

/* What a process that ended in any way has left, and that the next one finishes it. */
static void
check_and_finish(const char *path)
{
	check(path, mark_of(path));
	run(path);
	assert_int_equal(mark_of(path), STEPS);
	check(path, STEPS);
}

static int
wait_for(pid_t child)
{
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

#ifdef WEIR_FAILPOINTS
static void
killed_at_points(void **state)
{
	const struct place *place = *state;
	static const int passes[] = { 1, 2, 7, 61 };
	for (int point = 0; point < FAILPOINTS; point++)
		for (size_t i = 0; i < WEIR_COUNT(passes); i++) {
			char wish[80];
			char path[200];
			snprintf(wish, sizeof(wish), "%s:%d", failpoint_names[point], passes[i]);
			snprintf(path, sizeof(path), "%s/%s-%d.db", place->folder, failpoint_names[point],
				passes[i]);
			pid_t child = fork();
			if (child == 0) {
				setenv("WEIR_CRASH_AT", wish, 1);
				run(path);
				_exit(0);
			}
			int status = wait_for(child);
			/* Each point is passed at least once. */
			assert_true(WIFSIGNALED(status) || passes[i] > 1);
			assert_int_equal(WIFSIGNALED(status) ? WTERMSIG(status) : SIGKILL, SIGKILL);
			assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : 0, 0);
			check_and_finish(path);
		}
}
#endif

/* Between the calls of the contract, in any build. */
static void
killed_between_calls(void **state)
{
	const struct place *place = *state;
	for (int at = 0; at < 3 * STEPS; at += 4) {
		char path[200];
		snprintf(path, sizeof(path), "%s/%d.db", place->folder, at);
		pid_t child = fork();
		if (child == 0) {
			struct weir_ctx *ctx = sqlite_new(path);
			struct weir_err err = { 0 };
			uint64_t epoch = 0;
			read_mark(ctx, &epoch);
			for (int step = 0; step < at / 3; step++)
				if (try_step(ctx, epoch, step, &err))
					_exit(1);
			struct weir_batch *batch = numbers_of_step(at / 3);
			struct weir_tally tally = { 0 };
			for (int i = 0; i < at % 3; i++)
				if (store_write(ctx, batch, &tally, &err))
					_exit(1);
			raise(SIGKILL);
		}
		int status = wait_for(child);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		assert_int_equal(mark_of(path), at / 3);
		check_and_finish(path);
	}
}

/* The kernel kills who writes past a file's limit, after the bytes up to the limit: a death inside
 * of a write, wherever it is. */
static void
killed_inside_writes(void **state)
{
	const struct place *place = *state;
	bool ended = false;
	int killed = 0;
	for (rlim_t limit = 1000; !ended; limit += limit < 30000 ? 3877 : 29989) {
		char path[200];
		snprintf(path, sizeof(path), "%s/%d.db", place->folder, (int)limit);
		pid_t child = fork();
		if (child == 0) {
			setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
			setrlimit(RLIMIT_FSIZE, &(struct rlimit){ limit, limit });
			run(path);
			_exit(0);
		}
		int status = wait_for(child);
		ended = WIFEXITED(status) && WEXITSTATUS(status) == 0;
		killed += !ended;
		assert_true(ended || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ));
		check_and_finish(path);
	}
	assert_true(killed > 10);
}

/* ---- a full disk ---- */

static bool
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && fs_write_all(fd, text, strlen(text)) == 0;
	if (fd >= 0)
		close(fd);
	return good;
}

/* A small file system in a name space of its own; false where that is not allowed. */
static bool
small_disk(const char *folder)
{
	unsigned user = getuid();
	unsigned group = getgid();
	if (user == 0 && unshare(CLONE_NEWNS) < 0)
		return false;
	if (user != 0) {
		char map[40];
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
			return false;
		snprintf(map, sizeof(map), "0 %u 1", user);
		if (!write_file("/proc/self/uid_map", map) || !write_file("/proc/self/setgroups", "deny"))
			return false;
		snprintf(map, sizeof(map), "0 %u 1", group);
		if (!write_file("/proc/self/gid_map", map))
			return false;
	}
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		   mount("tmpfs", folder, "tmpfs", 0, "size=700k") == 0;
}

static bool
fill(const char *path)
{
	static const char block[4096] = "ballast";
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	while (fs_write_all(fd, block, sizeof(block)) == 0)
		;
	return close(fd) == 0;
}

enum { NOT_ALLOWED = 77 };

static int
full_disk(const struct place *place)
{
	if (!small_disk(place->folder))
		return NOT_ALLOWED;
	char *ballast = fs_join(place->folder, "ballast");
	struct weir_ctx *ctx = sqlite_new(place->path);
	struct weir_err err = { 0 };
	uint64_t epoch = 0;
	read_mark(ctx, &epoch);
	int full = 0;
	for (int step = 0; step < STEPS; step++) {
		/* At each step the disk is full first. */
		if (!fill(ballast))
			return 2;
		int rc = try_step(ctx, epoch, step, &err);
		unlink(ballast);
		if (!rc)
			continue;
		full++;
		if (rc != -ENOSPC || !strstr(err.text, "disk is full"))
			return fprintf(stderr, "%d %s\n", rc, err.text), 3;
		if (try_step(ctx, epoch, step, &err))
			return fprintf(stderr, "%s\n", err.text), 4;
	}
	sqlite_end(ctx);
	free(ballast);
	if (mark_of(place->path) != STEPS)
		return 5;
	check(place->path, STEPS);
	return full > 0 ? 0 : 6;
}

static void
disk_gets_full(void **state)
{
	const struct place *place = *state;
	pid_t child = fork();
	if (child == 0)
		_exit(full_disk(place));
	int status = wait_for(child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NOT_ALLOWED)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef WEIR_FAILPOINTS
		cmocka_unit_test_setup_teardown(killed_at_points, place_set_up, place_tear_down),
#endif
		cmocka_unit_test_setup_teardown(killed_between_calls, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(killed_inside_writes, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(disk_gets_full, place_set_up, place_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
