/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CSV store under kill -9, full disks and damage: whatever happens, the rows in the folder are
 * those of the commits up to the one that the mark names, each once, and that is the last one
 * acknowledged or the one after.
 *
 * with: tests/unit/csv_store.c tests/unit/csv_with_failpoints.c tests/unit/store_batches.c
 * needs: cmocka libzstd zlib
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "csv_store.h"

#define SOURCE "files/test"
#define TABLES 4
#define STEPS 16

/* The schemas of a run: two of one name, so that the table grows, and two kinds of entity. */
struct tables {
	struct weir_schema *schema[TABLES];
	size_t used;
};

static struct tables
make_tables(size_t used)
{
	struct dice one = { 1 }, two = { 2 };
	return (struct tables){ {
								random_schema(&one, "grown", 0, 0, 6),
								random_schema(&two, "grown", 0, 0, 9),
								full_schema("thing", WEIR_ENTITY),
								full_schema("mount", WEIR_ENTITY | WEIR_HOST_KEYS),
							},
		used ? used : TABLES };
}

static void
free_tables(struct tables *tables)
{
	for (size_t i = 0; i < TABLES; i++)
		free(tables->schema[i]);
}

/* The batches of a step: always the same for the same number. */
static size_t
make_step(const struct tables *tables, unsigned step, struct weir_batch **batch)
{
	struct dice dice = { step };
	size_t n = 1 + (size_t)dice_below(&dice, 4);
	for (size_t i = 0; i < n; i++) {
		/* The second schema of the grown table comes after a while. */
		size_t table = (size_t)dice_below(&dice, tables->used);
		table = table == 1 && step < 4 ? 0 : table;
		batch[i] = random_batch(&dice, tables->schema[table], 1 + (size_t)dice_below(&dice, 12),
			INT64_C(1795262400000000), step);
	}
	return n;
}

static void
expect_steps(struct rows *rows, const struct tables *tables, unsigned last)
{
	for (unsigned step = 1; step <= last; step++) {
		struct weir_batch *batch[4];
		size_t n = make_step(tables, step, batch);
		for (size_t i = 0; i < n; i++) {
			rows_expect(rows, batch[i], 1);
			maker_free_batch(batch[i]);
		}
	}
}

struct life {
	const char *folder;
	struct store *store;
	struct tables tables;
	uint64_t epoch;
	unsigned step;  /* the last one that the mark names */
	unsigned syncs; /* every so many steps, 0: never */
	uint64_t keep_size;
	size_t used;          /* schemas; 0: all */
	uint64_t rotate_size; /* 0: small */
};

static int
life_open(struct life *life)
{
	life->tables = make_tables(life->used);
	life->store = store_new(life->folder);
	life->store->csv.rotate_size = life->rotate_size ? life->rotate_size : 3000;
	life->store->csv.keep_size = life->keep_size;
	int result = store_open(life->store);
	if (result < 0)
		return result;
	struct weir_claim claim = {
		.source = SOURCE, .holder = "n001 /state", .lease_until = INT64_MAX
	};
	struct weir_marks marks;
	result =
		weir_plugin.store.claim(&life->store->csv, &claim, &life->epoch, &marks, &life->store->err);
	if (result < 0)
		return result;
	assert_in_range(marks.n, 0, 1);
	if (marks.n) {
		assert_int_equal(marks.mark[0].size, sizeof(life->step));
		memcpy(&life->step, marks.mark[0].data, sizeof(life->step));
	}
	return 0;
}

static void
life_end(struct life *life)
{
	store_free(life->store);
	free_tables(&life->tables);
}

static int
life_commit(struct life *life, unsigned step)
{
	struct weir_mark mark = {
		.source = SOURCE, .item = "", .identity = "", .data = &step, .size = sizeof(step)
	};
	struct weir_hold hold = { .source = SOURCE, .epoch = life->epoch, .lease_until = INT64_MAX };
	struct weir_commit commit = { .marks = { &mark, 1 },
		.hold = &hold,
		.n_hold = 1,
		.sync = life->syncs && step % life->syncs == 0 };
	return weir_plugin.store.commit(&life->store->csv, &commit, &life->store->err);
}

static int
life_step(struct life *life, unsigned step)
{
	struct weir_batch *batch[4];
	size_t n = make_step(&life->tables, step, batch);
	int result = store_write(life->store, (const struct weir_batch *const *)batch, n);
	if (result == 0)
		result = life_commit(life, step);
	if (result == 0)
		life->step = step;
	for (size_t i = 0; i < n; i++)
		maker_free_batch(batch[i]);
	return result;
}

static void
life_tend(struct life *life, unsigned step)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (step % 4 == 0) {
		life->store->csv.retained = 0;
		weir_plugin.store.tend(&life->store->csv, (int64_t)now.tv_sec * 1000000, &life->store->err);
	}
	if (step % 5 == 0)
		csv_journal_rewrite(&life->store->csv, &life->store->err);
}

/* A process that goes on where the mark says and tells each step that was committed. */
struct death {
	const char *at;   /* a failpoint, or NULL */
	rlim_t file_size; /* die when a file would grow beyond; 0: never */
};

static void
live_and_die(struct life *life, struct death death, int pipe)
{
	if (death.at)
		setenv("WEIR_CRASH_AT", death.at, 1);
	if (death.file_size)
		setrlimit(RLIMIT_FSIZE, &(struct rlimit){ death.file_size, RLIM_INFINITY });
	signal(SIGXFSZ, SIG_DFL);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	if (life_open(life) < 0) {
		fprintf(stderr, "%s\n", life->store->err.text);
		_exit(1);
	}
	while (life->step < STEPS) {
		if (life_step(life, life->step + 1) < 0) {
			fprintf(stderr, "%s\n", life->store->err.text);
			_exit(2);
		}
		if (write(pipe, &life->step, sizeof(life->step)) != sizeof(life->step))
			_exit(3);
		life_tend(life, life->step);
	}
	life_end(life);
	_exit(0);
}

/* True when it died of what it was to die of. */
static bool
live(struct life life, struct death death, unsigned *acknowledged)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(ends[0]);
		live_and_die(&life, death, ends[1]);
	}
	close(ends[1]);
	unsigned step;
	while (read(ends[0], &step, sizeof(step)) == sizeof(step))
		*acknowledged = step;
	close(ends[0]);
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status)) {
		assert_true(WTERMSIG(status) == (death.at ? SIGKILL : SIGXFSZ));
		return true;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	return false;
}

/* Open after a death: the rows are those of the mark, and the mark is where it must be. Returns it.
 */
static unsigned
verify(struct life life, unsigned acknowledged)
{
	if (life_open(&life) < 0)
		fail_msg("%s", life.store->err.text);
	assert_in_range(life.step, acknowledged, acknowledged + 1);
	struct rows expected = { 0 }, found = { 0 };
	expect_steps(&expected, &life.tables, life.step);
	rows_read(&found, life.folder);
	assert_true(life.keep_size ? rows_within(&found, &expected) : rows_equal(&found, &expected));
	rows_free(&expected);
	rows_free(&found);
	/* One copy of each part, and nothing half-made. */
	char *list = file_list(life.folder);
	assert_null(strstr(list, ".tmp"));
	for (char *line = strtok(list, "\n"); line; line = strtok(NULL, "\n")) {
		char plain[600];
		snprintf(plain, sizeof(plain), "%s/%s", life.folder, line);
		char *end = strstr(plain, ".csv.zst");
		if (!end)
			continue;
		end[4] = '\0';
		assert_int_equal(access(plain, F_OK), -1);
	}
	free(list);
	life_end(&life);
	return life.step;
}

#define NAME(name, text) text,
static const char *const names[] = { CSV_FAILPOINTS(NAME) };

/* A death that leaves something for recovery to do. */
static const char *
prelude(enum csv_failpoint point)
{
	return point == CSV_AT_TRUNCATE ? "csv-write:9"
		   : point == CSV_AT_SWEEP  ? "csv-written:1"
									: NULL;
}

static bool
die_at(enum csv_failpoint point, unsigned passage)
{
	char *folder = scratch_new();
	struct life life = {
		.folder = folder, .syncs = 3, .keep_size = point == CSV_AT_RETAIN ? 20000 : 0
	};
	unsigned acknowledged = 0;
	char at[40];
	if (prelude(point))
		assert_true(live(life, (struct death){ .at = prelude(point) }, &acknowledged));
	snprintf(at, sizeof(at), "%s:%u", names[point], passage);
	bool died = live(life, (struct death){ .at = at }, &acknowledged);
	acknowledged = verify(life, acknowledged);
	/* The next life dies too, elsewhere; then one lives to the end. */
	if (live(life, (struct death){ .at = "csv-write:5" }, &acknowledged))
		acknowledged = verify(life, acknowledged);
	assert_false(live(life, (struct death){ 0 }, &acknowledged));
	assert_int_equal(verify(life, acknowledged), STEPS);
	scratch_free(folder);
	return died;
}

static void
test_failpoints(void **unused)
{
	(void)unused;
	static const unsigned passages[] = { 1, 2, 4 };
	for (int point = 0; point < CSV_FAILPOINTS_N; point++) {
		bool died = false;
		for (size_t i = 0; i < WEIR_COUNT(passages); i++)
			died = die_at((enum csv_failpoint)point, passages[i]) || died;
		if (!died)
			fail_msg("'%s' was never passed", names[point]);
	}
}

static void
test_any_byte(void **unused)
{
	(void)unused;
	struct dice dice = { 99 };
	unsigned deaths = 0;
	for (int i = 0; i < 12; i++) {
		char *folder = scratch_new();
		struct life life = { .folder = folder, .syncs = 4 };
		unsigned acknowledged = 0;
		for (rlim_t limit = 200 + dice_below(&dice, 4000);; limit += 1 + dice_below(&dice, 3000)) {
			bool died = live(life, (struct death){ .file_size = limit }, &acknowledged);
			deaths += died;
			acknowledged = verify(life, acknowledged);
			if (!died)
				break;
		}
		assert_int_equal(acknowledged, STEPS);
		scratch_free(folder);
	}
	assert_true(deaths > 20);
}

/* A write that fails half-way, then works: nothing twice, nothing lost, in the same process. */
static void
test_file_limit(void **unused)
{
	(void)unused;
	struct dice dice = { 5 };
	unsigned failures = 0;
	signal(SIGXFSZ, SIG_IGN);
	for (int i = 0; i < 10; i++) {
		char *folder = scratch_new();
		struct life life = { .folder = folder, .syncs = 2 };
		assert_int_equal(life_open(&life), 0);
		for (unsigned tries = 1; life.step < STEPS; tries++) {
			rlim_t limit = 100 + dice_below(&dice, 3000 * tries);
			setrlimit(RLIMIT_FSIZE, &(struct rlimit){ limit, RLIM_INFINITY });
			int result = life_step(&life, life.step + 1);
			setrlimit(RLIMIT_FSIZE, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY });
			if (result < 0) {
				assert_int_equal(result, -EFBIG);
				assert_non_null(strstr(life.store->err.text, folder));
				failures++;
			} else {
				tries = 0;
			}
			life_tend(&life, life.step);
		}
		life_end(&life);
		assert_int_equal(verify(life, STEPS), STEPS);
		scratch_free(folder);
	}
	assert_true(failures > 20);
}

#define SKIPPED 77

static int
fill_a_disk(const char *folder)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", folder, "tmpfs", 0, "size=64k") < 0)
		return SKIPPED;
	struct life life = { .folder = folder, .syncs = 2 };
	if (life_open(&life) < 0)
		return 1;
	/* No compression: it would need more room than there is, and make some. */
	life.store->csv.compress = CSV_NONE;
	unsigned full = 0;
	for (unsigned step = 1; step <= 3 * STEPS; step++) {
		int result = life_step(&life, step);
		if (result == 0)
			continue;
		if (result != -ENOSPC || !strstr(life.store->err.text, "No space left"))
			return 2;
		full++;
		/* Again without room, then with. */
		if (life_step(&life, step) != -ENOSPC)
			return 3;
		char size[30];
		snprintf(size, sizeof(size), "size=%uk", 64 + 40 * full);
		if (mount("tmpfs", folder, "tmpfs", MS_REMOUNT, size) < 0 || life_step(&life, step) != 0)
			return 4;
	}
	struct rows expected = { 0 }, found = { 0 };
	expect_steps(&expected, &life.tables, 3 * STEPS);
	rows_read(&found, folder);
	life_end(&life);
	return full == 0 ? 5 : rows_equal(&expected, &found) ? 0 : 6;
}

static void
test_full_disk(void **unused)
{
	(void)unused;
	char *folder = scratch_new();
	fflush(NULL);
	pid_t child = fork();
	if (child == 0)
		_exit(fill_a_disk(folder));
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	scratch_free(folder);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
		skip();
	assert_int_equal(status, 0);
}

/* ---- damage ---- */

/* A folder with a few commits and some closed and compressed parts. */
static char *
used_folder(unsigned syncs, size_t used, uint64_t rotate_size)
{
	char *folder = scratch_new();
	struct life life = {
		.folder = folder, .syncs = syncs, .used = used, .rotate_size = rotate_size
	};
	assert_int_equal(life_open(&life), 0);
	while (life.step < 9)
		assert_int_equal(life_step(&life, life.step + 1), 0);
	life_end(&life);
	return folder;
}

/* Open what was damaged: refused in words, or at one of the commits. Returns the step, or -1. */
static int
open_damaged(const char *folder, size_t used)
{
	struct life life = { .folder = folder, .used = used };
	int result = life_open(&life);
	int step = -1;
	if (result == 0) {
		struct rows expected = { 0 }, found = { 0 };
		step = (int)life.step;
		expect_steps(&expected, &life.tables, life.step);
		rows_read(&found, folder);
		assert_true(rows_equal(&expected, &found));
		rows_free(&expected);
		rows_free(&found);
	} else {
		assert_int_equal(result, result == -ENOTSUP ? -ENOTSUP : -EBADMSG);
		assert_non_null(strstr(life.store->err.text, folder));
	}
	life_end(&life);
	return step;
}

static void
damage_journal(const char *from, bool cut, size_t at, unsigned bit)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/journal.weir", from);
	if (cut) {
		assert_int_equal(truncate(path, (off_t)at), 0);
		return;
	}
	int fd = open(path, O_RDWR);
	unsigned char byte = 0;
	assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
	byte = (unsigned char)(byte ^ 1u << bit);
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
	close(fd);
}

static void
damage_everywhere(bool cut, uint64_t rotate_size)
{
	char *folder = used_folder(0, 1, rotate_size), *copy = scratch_new(), path[512];
	struct stat st;
	snprintf(path, sizeof(path), "%s/journal.weir", folder);
	assert_int_equal(stat(path, &st), 0);
	unsigned refused = 0, whole = 0, earlier = 0;
	for (size_t at = 0; at < (size_t)st.st_size; at++) {
		folder_copy(folder, copy);
		damage_journal(copy, cut, at, (unsigned)at % 8);
		int step = open_damaged(copy, 1);
		refused += step < 0;
		whole += step == 9;
		earlier += step >= 0 && step < 9;
	}
	/* Damage near the end costs the last commits only; in the first lines, or before a part was
	 * compressed, it is refused. */
	assert_int_equal(whole, 0);
	assert_true(rotate_size ? earlier > 2 * refused : earlier > 10);
	assert_true(refused > 20);
	scratch_free(folder);
	scratch_free(copy);
}

static void
test_bit_flips(void **unused)
{
	(void)unused;
	damage_everywhere(false, 0);
	damage_everywhere(false, 1 << 30);
}

static void
test_truncation(void **unused)
{
	(void)unused;
	damage_everywhere(true, 0);
	damage_everywhere(true, 1 << 30);
}

/* The end of a part as power loss leaves it: shorter, or zeros. */
static void
test_lost_pages(void **unused)
{
	(void)unused;
	struct dice dice = { 17 };
	char *folder = scratch_new(), *copy = scratch_new();
	struct life life = { .folder = folder, .used = 1, .rotate_size = 1 << 30 };
	assert_int_equal(life_open(&life), 0);
	while (life.step < 9)
		assert_int_equal(life_step(&life, life.step + 1), 0);
	char name[600];
	struct csv_part *part = life.store->csv.parts;
	snprintf(name, sizeof(name), "%s/%s", copy, csv_part_name(part).text);
	uint64_t length = part->committed.length;
	life_end(&life);
	unsigned earlier = 0;
	for (int i = 0; i < 60; i++) {
		folder_copy(folder, copy);
		uint64_t kept = dice_below(&dice, length);
		assert_int_equal(truncate(name, (off_t)kept), 0);
		if (i % 2)
			assert_int_equal(truncate(name, (off_t)length), 0);
		int step = open_damaged(copy, 1);
		assert_in_range(step, 0, 8);
		earlier += step > 0;
	}
	assert_true(earlier > 10);
	folder_copy(folder, copy);
	assert_int_equal(open_damaged(copy, 1), 9);
	/* Gone as a whole, and never on disk: the same. */
	assert_int_equal(unlink(name), 0);
	assert_in_range(open_damaged(copy, 1), 0, 8);
	scratch_free(folder);
	scratch_free(copy);
}

/* What was synced and is not there is no trace of power loss: refused, unless nothing but older
 * commits are touched. */
static void
test_lost_synced(void **unused)
{
	(void)unused;
	char *folder = used_folder(1, 0, 0), name[600];
	struct life life = { .folder = folder };
	assert_int_equal(life_open(&life), 0);
	assert_int_equal(csv_journal_rewrite(&life.store->csv, &life.store->err), 0);
	struct csv_part *part = life.store->csv.parts;
	snprintf(name, sizeof(name), "%s/%s", folder, csv_part_name(part).text);
	uint64_t length = part->committed.length;
	life_end(&life);
	assert_int_equal(truncate(name, (off_t)length - 1), 0);
	assert_int_equal(open_damaged(folder, 0), -1);
	struct stat st;
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_size, length - 1);
	scratch_free(folder);
}

/* What is on disk for sure, and by chance more of it: of each open part and of the journal. */
static void
lose_power(const struct csv *csv, const char *copy, uint64_t journal, struct dice *dice)
{
	char path[700];
	for (const struct csv_part *part = csv->parts; part; part = part->next) {
		snprintf(path, sizeof(path), "%s/%s", copy, csv_part_name(part).text);
		uint64_t kept = part->synced + dice_below(dice, part->committed.length - part->synced + 1);
		if (!part->linked && dice_below(dice, 2))
			assert_int_equal(unlink(path), 0);
		else
			assert_int_equal(truncate(path, (off_t)kept), 0);
	}
	snprintf(path, sizeof(path), "%s/%s", copy, CSV_JOURNAL);
	if (dice_below(dice, 2))
		assert_int_equal(
			truncate(path, (off_t)(journal + dice_below(dice, csv->journal.length - journal + 1))),
			0);
}

static void
test_power_loss(void **unused)
{
	(void)unused;
	struct dice dice = { 23 };
	char *folder = scratch_new(), *copy = scratch_new();
	struct life life = { .folder = folder, .syncs = 7, .rotate_size = 12000 };
	assert_int_equal(life_open(&life), 0);
	struct csv *csv = &life.store->csv;
	uint64_t journal = csv->journal.length;
	unsigned synced = 0, earlier = 0, compressed = 0;
	while (life.step < 2 * STEPS) {
		assert_int_equal(life_step(&life, life.step + 1), 0);
		/* A step may sync more than it was asked to; never less. */
		if (life.step % life.syncs == 0)
			synced = life.step;
		if (!csv->journal.dirty)
			journal = csv->journal.length;
		for (int i = 0; i < 4; i++) {
			folder_copy(folder, copy);
			lose_power(csv, copy, journal, &dice);
			int step = open_damaged(copy, 0);
			assert_in_range(step, synced, life.step);
			earlier += step < (int)life.step;
		}
		char *list = file_list(folder);
		compressed += strstr(list, ".zst") != NULL;
		free(list);
	}
	life_end(&life);
	assert_true(earlier > 20);
	assert_true(compressed > 0);
	scratch_free(folder);
	scratch_free(copy);
}

/* A new journal while a step is begun, and death: nothing of that step counts. */
static void
test_new_journal_amid_step(void **unused)
{
	(void)unused;
	char *folder = scratch_new(), *copy = scratch_new();
	struct life life = { .folder = folder };
	assert_int_equal(life_open(&life), 0);
	assert_int_equal(life_step(&life, 1), 0);
	life.store->csv.buffer = 1;
	for (unsigned step = 2; step < 8; step++) {
		struct weir_batch *batch[4];
		size_t n = make_step(&life.tables, step, batch);
		assert_int_equal(store_write(life.store, (const struct weir_batch *const *)batch, n), 0);
		for (size_t i = 0; i < n; i++)
			maker_free_batch(batch[i]);
	}
	assert_int_equal(csv_journal_rewrite(&life.store->csv, &life.store->err), 0);
	folder_copy(folder, copy);
	life_end(&life);
	assert_int_equal(open_damaged(copy, 0), 1);
	scratch_free(folder);
	scratch_free(copy);
}

static void
test_newer_version(void **unused)
{
	(void)unused;
	char *folder = scratch_new(), path[512];
	snprintf(path, sizeof(path), "%s/journal.weir", folder);
	FILE *file = fopen(path, "w");
	fputs("weir csv journal 2\nwhatever", file);
	fclose(file);
	struct store *store = store_new(folder);
	assert_int_equal(store_open(store), -ENOTSUP);
	assert_non_null(strstr(store->err.text, path));
	assert_non_null(strstr(store->err.text, "format 2"));
	store_free(store);
	char *list = file_list(folder), *text = file_text(path, NULL);
	assert_string_equal(list, "journal.weir\n");
	assert_string_equal(text, "weir csv journal 2\nwhatever");
	free(list);
	free(text);
	scratch_free(folder);
}

static void
test_no_journal(void **unused)
{
	(void)unused;
	char *folder = used_folder(0, 0, 0), path[512];
	snprintf(path, sizeof(path), "%s/journal.weir", folder);
	assert_int_equal(unlink(path), 0);
	char *before = file_list(folder);
	assert_int_equal(open_damaged(folder, 0), -1);
	char *after = file_list(folder);
	assert_string_equal(before, after);
	free(before);
	free(after);
	scratch_free(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failpoints),
		cmocka_unit_test(test_any_byte),
		cmocka_unit_test(test_file_limit),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_bit_flips),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_lost_pages),
		cmocka_unit_test(test_lost_synced),
		cmocka_unit_test(test_power_loss),
		cmocka_unit_test(test_new_journal_amid_step),
		cmocka_unit_test(test_newer_version),
		cmocka_unit_test(test_no_journal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
