/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CSV store in ordinary life: what it prints, how tables grow, how parts are closed, compressed
 * and removed, who may open it.
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
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "csv_store.h"

#define NOON INT64_C(1795262400000000) /* 2026-11-21T12:00:00Z */
#define SECOND INT64_C(1000000)

enum { DEVICE, BYTES, TEMPERATURE, BUSY, NAME, READY, SINCE, RAW, CHANGE, NANOS };
static const struct weir_column disk_columns[] = {
	[DEVICE] = WEIR_KEY_STR("device", "a device"),
	[BYTES] = WEIR_COUNTER_U64("read_bytes", "By", "bytes"),
	[TEMPERATURE] = WEIR_GAUGE_F64("temperature", "Cel", "heat"),
	[BUSY] = WEIR_COUNTER_REAL("busy", "s", 100, "time"),
	[NAME] = WEIR_LABEL_STR("model", "a name"),
	[READY] = WEIR_LABEL_BOOL("ready", "truth"),
	[SINCE] = WEIR_LABEL_TIME("since", "a time"),
	[RAW] = { .name = "raw", .type = WEIR_BYTES, .role = WEIR_LABEL, .help = "bytes" },
	[CHANGE] = WEIR_GAUGE_I64("change", "1", "a number"),
	[NANOS] = WEIR_GAUGE_REAL("lag", "s", 1000000000, "time"),
};
static const struct weir_schema disk = WEIR_SERIES("disk", disk_columns, "disks");

static struct store *
opened(const char *path)
{
	struct store *store = store_new(path);
	if (store_open(store) != 0)
		fail_msg("%s", store->err.text);
	return store;
}

/* The text of the only file of a folder. */
static char *
only_file(const char *folder, const char *name)
{
	char *list = file_list(folder);
	char path[512];
	char *at = strstr(list, name);
	assert_non_null(at);
	assert_null(strstr(at + 1, name));
	while (at > list && at[-1] != '\n')
		at--;
	snprintf(path, sizeof(path), "%s/%.*s", folder, (int)strcspn(at, "\n"), at);
	free(list);
	return file_text(path, NULL);
}

static void
put_disk_rows(struct maker *maker)
{
	maker_row(maker, NOON);
	maker_text(maker, DEVICE, "sda");
	maker_u64(maker, BYTES, UINT64_MAX);
	maker_f64(maker, TEMPERATURE, 0.1);
	maker_i64(maker, BUSY, 57);
	maker_text(maker, NAME, "plain");
	maker_u64(maker, READY, 1);
	maker_i64(maker, SINCE, 0);
	maker_data(maker, RAW, "\0\xff", 2);
	maker_i64(maker, CHANGE, INT64_MIN);
	maker_i64(maker, NANOS, 1);
	maker_row(maker, NOON);
	maker_text(maker, DEVICE, "a,b");
	maker_row(maker, NOON + 1);
	maker_text(maker, DEVICE, "");
	maker_u64(maker, BYTES, 0);
	maker_f64(maker, TEMPERATURE, NAN);
	maker_i64(maker, BUSY, -100);
	maker_text(maker, NAME, "");
	maker_u64(maker, READY, 0);
	maker_i64(maker, SINCE, -1);
	maker_data(maker, RAW, "", 0);
	maker_i64(maker, CHANGE, -7);
	maker_i64(maker, NANOS, INT64_MIN);
	maker_row(maker, NOON + SECOND - 1);
	maker_text(maker, DEVICE, "say \"no\"");
	maker_f64(maker, TEMPERATURE, -INFINITY);
	maker_i64(maker, BUSY, 1230);
	maker_text(maker, NAME, "two\nlines\r");
	maker_host(maker, "n,2");
	maker_cluster(maker, "other");
	maker_row(maker, NOON + SECOND);
	maker_text(maker, DEVICE, "sdb");
	maker_f64(maker, TEMPERATURE, INFINITY);
	maker_data(maker, RAW, "abc", 3);
}

static void
test_text_of_rows(void **unused)
{
	(void)unused;
	char *folder = scratch_new();
	struct store *store = opened(folder);
	struct maker *maker = maker_new(&disk, "hydra", "n\"1", "disk");
	put_disk_rows(maker);
	store_put(store, maker_close(maker, 1, 1));
	char *text = only_file(folder, ".csv");
	assert_string_equal(text,
		"time,cluster,host,source,device,read_bytes,temperature,busy,model,ready,since,raw,change,"
		"lag\n"
		"2026-11-21T12:00:00.000000Z,hydra,\"n\"\"1\",disk,sda,18446744073709551615,0.1,0.57,plain,"
		"true,"
		"1970-01-01T00:00:00.000000Z,AP8=,-9223372036854775808,0.000000001\n"
		"2026-11-21T12:00:00.000000Z,hydra,\"n\"\"1\",disk,\"a,b\",,,,,,,,,\n"
		"2026-11-21T12:00:00.000001Z,hydra,\"n\"\"1\",disk,\"\",0,nan,-1,\"\",false,1969-12-31T23:"
		"59:59.999999Z,\"\",-7,"
		"-9223372036.854775808\n"
		"2026-11-21T12:00:00.999999Z,other,\"n,2\",disk,\"say "
		"\"\"no\"\"\",,-inf,12.3,\"two\nlines\r\",,,,,\n"
		"2026-11-21T12:00:01.000000Z,hydra,\"n\"\"1\",disk,sdb,,inf,,,,,YWJj,,\n");
	free(text);
	store_free(store);
	scratch_free(folder);
}

static void
test_integers(void **unused)
{
	(void)unused;
	static const struct weir_column columns[] = { WEIR_COUNTER_U64("value", "1", "a value") };
	static const struct weir_schema schema = WEIR_SERIES("numbers", columns, "numbers");
	struct csv csv = { .next_part = 1 };
	struct dice dice = { 7 };
	struct maker *maker = maker_new(&schema, "c", "h", "s");
	struct csv_bytes expected = { 0 };
	uint64_t value = 1;
	/* Around every power of ten, then numbers of all lengths. */
	for (int i = 0; i < 5000; i++) {
		if (i < 60)
			value = (uint64_t)(powl(10, i / 3) + 0.5L) + (uint64_t)(i % 3) - 1;
		else
			value = dice_roll(&dice) >> dice_below(&dice, 64);
		maker_row(maker, 0);
		maker_u64(maker, 0, value);
		assert_int_equal(csv_bytes_reserve(&expected, 100), 0);
		expected.size += (size_t)sprintf(expected.data + expected.size,
			"1970-01-01T00:00:00.000000Z,c,h,s,%" PRIu64 "\n", value);
	}
	struct weir_batch *batch = maker_close(maker, 1, 1);
	struct csv_plan *plan = NULL;
	assert_int_equal(csv_plan_for(&csv, batch, &plan, NULL), 0);
	struct csv_bytes out = { 0 };
	assert_int_equal(csv_put_batch(&out, plan, batch, 0), 0);
	assert_int_equal(out.size, expected.size);
	assert_memory_equal(out.data, expected.data, out.size);
	csv_bytes_free(&out);
	csv_bytes_free(&expected);
	maker_free_batch(batch);
	csv_state_free(&csv);
}

static void
test_entities(void **unused)
{
	(void)unused;
	static const struct weir_column columns[] = { WEIR_KEY_U64("id", "a number"),
		WEIR_LABEL_STR("state", "a state") };
	static const struct weir_schema job = { .name = "job",
		.help = "jobs",
		.flags = WEIR_ENTITY,
		.n_keys = 1,
		.n_columns = 2,
		.columns = columns };
	static const struct weir_schema mount = WEIR_HOST_ENTITY("mount", columns, "mounts");
	char *folder = scratch_new();
	struct store *store = opened(folder);
	struct maker *maker = maker_new(&job, "hydra", "n1", "s");
	maker_row(maker, NOON);
	maker_u64(maker, 0, 12);
	maker_text(maker, 1, "running");
	maker_row(maker, NOON + 1);
	maker_u64(maker, 0, 12);
	maker_delete(maker);
	store_put(store, maker_close(maker, 1, 1));
	maker = maker_new(&mount, "hydra", "n1", "s");
	maker_row(maker, NOON);
	maker_u64(maker, 0, 1);
	store_put(store, maker_close(maker, 1, 1));
	char jobs[300], mounts[300], updated[3][40];
	snprintf(jobs, sizeof(jobs), "%s/job", folder);
	snprintf(mounts, sizeof(mounts), "%s/mount", folder);
	char *text = only_file(jobs, ".csv");
	assert_int_equal(
		sscanf(text,
			"id,state,version,updated,deleted\n12,running,2026-11-21T12:00:00.000000Z,%27s,false\n",
			updated[0]),
		1);
	char *second = strstr(text, "false\n") + 6;
	assert_int_equal(strncmp(second, "12,,2026-11-21T12:00:00.000001Z,", 32), 0);
	assert_string_equal(second + 32 + 27, ",true\n");
	assert_memory_equal(second + 32, updated[0], 27);
	time_t now = time(NULL);
	struct tm tm;
	/* The clock may pass midnight between the two. */
	strftime(updated[1], sizeof(updated[1]), "%Y-%m-%d", gmtime_r(&now, &tm));
	now -= 3600;
	strftime(updated[2], sizeof(updated[2]), "%Y-%m-%d", gmtime_r(&now, &tm));
	assert_true(
		strncmp(updated[0], updated[1], 10) == 0 || strncmp(updated[0], updated[2], 10) == 0);
	free(text);
	text = only_file(mounts, ".csv");
	assert_int_equal(strncmp(text,
						 "cluster,host,id,state,version,updated,deleted\nhydra,n1,1,,2026-11-21T12:"
						 "00:00.000000Z,",
						 86),
		0);
	free(text);
	store_free(store);
	scratch_free(folder);
}

static void
test_random_rows(void **unused)
{
	(void)unused;
	struct dice dice = { 42 };
	char *folder = scratch_new();
	struct store *store = opened(folder);
	store->csv.rotate_size = 30000;
	static const uint32_t flags[] = { 0, WEIR_ENTITY, WEIR_ENTITY | WEIR_HOST_KEYS };
	struct weir_schema *schema[9];
	struct rows expected = { 0 }, found = { 0 };
	for (size_t i = 0; i < 9; i++) {
		char name[20];
		snprintf(name, sizeof(name), "table_%zu", i);
		schema[i] = i < 3 ? full_schema(name, flags[i])
						  : random_schema(&dice, name, flags[i % 3], i % 4,
								(size_t)dice_below(&dice, 12) + (i % 4 == 0));
	}
	for (int step = 0; step < 40; step++) {
		struct weir_batch *batch[6];
		for (size_t i = 0; i < 6; i++) {
			batch[i] = random_batch(&dice, schema[dice_below(&dice, 9)],
				(size_t)dice_below(&dice, 100), NOON, (uint64_t)step);
			rows_expect(&expected, batch[i], 1);
		}
		/* Two writes, one commit. */
		assert_int_equal(store_write(store, (const struct weir_batch *const *)batch, 3), 0);
		assert_int_equal(store_write(store, (const struct weir_batch *const *)batch + 3, 3), 0);
		assert_int_equal(store_commit(store, step % 7 == 0), 0);
		for (size_t i = 0; i < 6; i++)
			maker_free_batch(batch[i]);
		if (step % 10 == 9)
			assert_int_equal(weir_plugin.store.tend(&store->csv, NOON, &store->err), 0);
		if (step == 20) {
			store_free(store);
			store = opened(folder);
			store->csv.rotate_size = 30000;
		}
	}
	store_free(store);
	rows_read(&found, folder);
	assert_true(expected.n > 5000);
	assert_true(rows_equal(&expected, &found));
	char *list = file_list(folder);
	assert_non_null(strstr(list, ".csv.zst\n"));
	free(list);
	rows_free(&expected);
	rows_free(&found);
	for (size_t i = 0; i < 9; i++)
		free(schema[i]);
	scratch_free(folder);
}

static void
test_nothing_before_commit(void **unused)
{
	(void)unused;
	char *folder = scratch_new();
	struct store *store = opened(folder);
	store->csv.buffer = 4096;
	struct rows found = { 0 };
	struct dice dice = { 3 };
	struct weir_schema *schema = full_schema("table", 0);
	store_put(store, random_batch(&dice, schema, 5, NOON, 1));
	/* So much that the buffer is written early. */
	for (int i = 0; i < 4; i++) {
		struct weir_batch *batch = random_batch(&dice, schema, 200, NOON, 2);
		assert_int_equal(store_write(store, &(const struct weir_batch *){ batch }, 1), 0);
		maker_free_batch(batch);
	}
	store_free(store);
	rows_read(&found, folder);
	assert_int_equal(found.n, 5);
	rows_free(&found);
	free(schema);
	scratch_free(folder);
}

static struct weir_batch *
one_row(const struct weir_schema *schema)
{
	struct dice dice = { 11 };
	return random_batch(&dice, schema, 1, NOON, 1);
}

static void
test_new_columns(void **unused)
{
	(void)unused;
	static const struct weir_column first[] = { WEIR_GAUGE_U64("a", "1", "a"),
		WEIR_GAUGE_U64("b", "1", "b") };
	static const struct weir_column second[] = { WEIR_GAUGE_U64("c", "1", "c"),
		WEIR_GAUGE_U64("b", "1", "b") };
	static const struct weir_schema old = WEIR_SERIES("mem", first, "old"),
									new = WEIR_SERIES("mem", second, "new");
	char *folder = scratch_new();
	struct store *store = opened(folder);
	store->csv.compress = CSV_NONE;
	const struct weir_schema *order[] = { &old, &new, &old };
	struct rows expected = { 0 }, found = { 0 };
	for (size_t i = 0; i < 3; i++) {
		struct maker *maker = maker_new(order[i], "c", "h", "s");
		maker_row(maker, NOON + (int64_t)i);
		maker_u64(maker, 0, 10 + i);
		maker_u64(maker, 1, 20 + i);
		struct weir_batch *batch = maker_close(maker, 1, i);
		rows_expect(&expected, batch, 1);
		store_put(store, batch);
		/* A restart in between changes nothing. */
		store_free(store);
		store = opened(folder);
		store->csv.compress = CSV_NONE;
	}
	store_free(store);
	rows_read(&found, folder);
	assert_true(rows_equal(&expected, &found));
	char *text = only_file(folder, "-000002.csv");
	assert_string_equal(text,
		"time,cluster,host,source,a,b,c\n2026-11-21T12:00:00.000001Z,c,h,s,,21,11\n"
		"2026-11-21T12:00:00.000002Z,c,h,s,12,22,\n");
	free(text);
	text = only_file(folder, "-000001.csv");
	assert_string_equal(
		text, "time,cluster,host,source,a,b\n2026-11-21T12:00:00.000000Z,c,h,s,10,20\n");
	free(text);
	rows_free(&expected);
	rows_free(&found);
	scratch_free(folder);
}

static void
test_revisions(void **unused)
{
	(void)unused;
	static const struct weir_column plain[] = { WEIR_KEY_STR("k", "k"),
		WEIR_GAUGE_U64("a", "1", "a") };
	static const struct weir_column typed[] = { WEIR_KEY_STR("k", "k"),
		WEIR_GAUGE_I64("a", "1", "a") };
	static const struct weir_column keyed[] = { WEIR_KEY_STR("k", "k"), WEIR_KEY_STR("l", "l"),
		WEIR_GAUGE_I64("a", "1", "a") };
	static const struct weir_column unkeyed[] = { WEIR_GAUGE_U64("a", "1", "a") };
	static const struct weir_schema schema[] = { WEIR_SERIES("mem", plain, ""),
		WEIR_SERIES("mem", typed, ""), WEIR_SERIES("mem", keyed, ""),
		WEIR_SERIES("mem", unkeyed, ""), WEIR_HOST_ENTITY("mem", plain, "") };
	char *folder = scratch_new();
	struct rows expected = { 0 }, found = { 0 };
	/* Twice, with a restart: the same places. */
	for (int round = 0; round < 2; round++) {
		struct store *store = opened(folder);
		for (unsigned i = 0; i < WEIR_COUNT(schema); i++) {
			struct weir_schema counted = schema[i];
			counted.n_keys = (uint32_t)(i == 3 ? 0 : i == 2 ? 2 : 1);
			struct weir_batch *batch = one_row(&counted);
			rows_expect(&expected, batch, i + 1);
			store_put(store, batch);
		}
		store_free(store);
	}
	rows_read(&found, folder);
	assert_int_equal(found.n, 10);
	assert_true(rows_equal(&expected, &found));
	char *list = file_list(folder);
	for (unsigned i = 2; i <= WEIR_COUNT(schema); i++) {
		char sub[20];
		snprintf(sub, sizeof(sub), "mem/r%u/", i);
		assert_non_null(strstr(list, sub));
	}
	assert_null(strstr(list, "mem/r6"));
	free(list);
	rows_free(&expected);
	rows_free(&found);
	scratch_free(folder);
}

static void
test_names_are_no_paths(void **unused)
{
	(void)unused;
	static const struct weir_column good[] = { WEIR_GAUGE_U64("a", "1", "a") },
									bad[] = { WEIR_GAUGE_U64("a,b", "1", "a") };
	static const struct weir_schema schema[] = {
		WEIR_SERIES("../up", good, ""),
		WEIR_SERIES("", good, ""),
		WEIR_SERIES("a/b", good, ""),
		WEIR_SERIES(".", good, ""),
		WEIR_SERIES("Upper", good, ""),
		WEIR_SERIES("fine", bad, ""),
	};
	char *folder = scratch_new();
	struct store *store = opened(folder);
	for (size_t i = 0; i < WEIR_COUNT(schema); i++) {
		struct weir_batch *batch = one_row(&schema[i]);
		struct weir_tally tally = { 0 };
		assert_int_equal(weir_plugin.store.write(&store->csv, &(const struct weir_batch *){ batch },
							 1, &tally, &store->err),
			0);
		assert_int_equal(tally.refused, 1);
		assert_int_equal(tally.stored, 0);
		assert_non_null(strstr(tally.reason, "is no name of a"));
		assert_int_equal(store_commit(store, false), 0);
		maker_free_batch(batch);
	}
	char *list = file_list(folder);
	assert_string_equal(list, "journal.weir\nlock.weir\n");
	free(list);
	store_free(store);
	scratch_free(folder);
}

static void
test_verdicts(void **unused)
{
	(void)unused;
	static const struct weir_column good[] = { WEIR_GAUGE_U64("a", "1", "a") },
									bad[] = { WEIR_GAUGE_U64("a,b", "1", "a") };
	static const struct weir_schema schema[] = { WEIR_SERIES("fine", good, ""),
		WEIR_SERIES("odd", bad, "") };
	char *folder = scratch_new();
	struct store *store = opened(folder);
	struct dice dice = { 12 };
	const struct weir_batch *batch[2];
	struct witness witness[2];
	struct weir_tally tally[2];
	for (size_t i = 0; i < 2; i++) {
		batch[i] = random_batch(&dice, &schema[i], 3, NOON, 1);
		tally[i] = witness_tally(&witness[i], 3);
	}
	assert_int_equal(weir_plugin.store.write(&store->csv, batch, 2, tally, &store->err), 0);
	for (size_t i = 0; i < 2; i++)
		assert_true(witness_look(&witness[i], &tally[i]));
	assert_string_equal(witness[0].letters, "SSS");
	assert_string_equal(witness[0].said, "");
	assert_string_equal(witness[1].letters, "RRR");
	char said[3 * sizeof(tally[1].reason) + 20];
	snprintf(said, sizeof(said), "0: %s\n1: %s\n2: %s\n", tally[1].reason, tally[1].reason,
		tally[1].reason);
	assert_non_null(strstr(tally[1].reason, "'a,b' is no name of a"));
	assert_string_equal(witness[1].said, said);
	for (size_t i = 0; i < 2; i++) {
		witness_free(&witness[i]);
		maker_free_batch((struct weir_batch *)(uintptr_t)batch[i]);
	}
	store_free(store);
	scratch_free(folder);
}

static void
test_second_opener(void **unused)
{
	(void)unused;
	char *folder = scratch_new();
	struct store *store = opened(folder);
	struct store *second = store_new(folder);
	assert_int_equal(store_open(second), -EBUSY);
	char who[100];
	snprintf(who, sizeof(who), "n001 pid %ld (disk)", (long)getpid());
	assert_non_null(strstr(second->err.text, who));
	assert_non_null(strstr(second->err.text, folder));
	store_free(second);
	store_put(store, one_row(&disk));
	store_free(store);
	store = opened(folder);
	store_free(store);
	scratch_free(folder);
}

/* ---- claims and marks ---- */

static int
commit_mark(struct store *store, const char *source, uint64_t epoch, struct weir_mark mark)
{
	struct weir_hold hold = { .source = source, .epoch = epoch, .lease_until = INT64_MAX };
	mark.source = source;
	struct weir_commit commit = {
		.marks = { &mark, mark.item ? 1 : 0 }, .hold = &hold, .n_hold = 1
	};
	return weir_plugin.store.commit(&store->csv, &commit, &store->err);
}

static uint64_t
claim(struct store *store, const char *source, const char *holder, struct weir_marks *marks)
{
	struct weir_claim wish = { .source = source, .holder = holder, .lease_until = INT64_MAX };
	struct weir_marks ignored;
	uint64_t epoch = 0;
	if (weir_plugin.store.claim(
			&store->csv, &wish, &epoch, marks ? marks : &ignored, &store->err) != 0)
		fail_msg("%s", store->err.text);
	return epoch;
}

static void
test_marks(void **unused)
{
	(void)unused;
	char *folder = scratch_new();
	struct store *store = opened(folder);
	struct weir_marks marks = { 0 };
	uint64_t epoch = claim(store, "files/sge", "n001 /state", &marks);
	assert_int_equal(epoch, 1);
	assert_int_equal(marks.n, 0);
	char *big = malloc(65536);
	memset(big, '\0', 65536);
	assert_int_equal(
		commit_mark(store, "files/sge", epoch,
			(struct weir_mark){ .item = "a", .identity = "id1", .data = "x\0y", .size = 3 }),
		0);
	assert_int_equal(
		commit_mark(store, "files/sge", epoch,
			(struct weir_mark){ .item = "", .identity = "", .data = big, .size = 65536 }),
		0);
	assert_int_equal(
		commit_mark(store, "files/sge", epoch,
			(struct weir_mark){ .item = "gone", .identity = "id1", .data = "1", .size = 1 }),
		0);
	assert_int_equal(commit_mark(store, "files/sge", epoch,
						 (struct weir_mark){ .item = "gone", .forget = true }),
		0);
	uint64_t other = claim(store, "kafka/weir/3", "n001 /state", NULL);
	assert_int_equal(
		commit_mark(store, "kafka/weir/3", other,
			(struct weir_mark){ .item = "b", .identity = "id1", .data = "old", .size = 3 }),
		0);
	assert_int_equal(
		commit_mark(store, "kafka/weir/3", other,
			(struct weir_mark){ .item = "b", .identity = "id1", .data = "new!", .size = 4 }),
		0);
	/* In memory, from the journal, and from a new journal. */
	for (int round = 0; round < 3; round++) {
		epoch = claim(store, "files/sge", "n001 /state", &marks);
		assert_int_equal(epoch, round + 2);
		assert_int_equal(marks.n, 2);
		const struct weir_mark *a = &marks.mark[marks.mark[0].item[0] ? 0 : 1],
							   *empty = &marks.mark[marks.mark[0].item[0] ? 1 : 0];
		assert_string_equal(a->item, "a");
		assert_string_equal(a->identity, "id1");
		assert_string_equal(a->source, "files/sge");
		assert_int_equal(a->size, 3);
		assert_memory_equal(a->data, "x\0y", 3);
		assert_int_equal(empty->size, 65536);
		assert_memory_equal(empty->data, big, 65536);
		assert_int_equal(weir_plugin.store.find(&store->csv, "id1", &marks, &store->err), 0);
		assert_int_equal(marks.n, 2);
		const struct weir_mark *b = &marks.mark[marks.mark[0].item[0] == 'b' ? 0 : 1];
		assert_string_equal(b->source, "kafka/weir/3");
		assert_int_equal(b->size, 4);
		assert_memory_equal(b->data, "new!", 4);
		assert_int_equal(weir_plugin.store.find(&store->csv, "none", &marks, &store->err), 0);
		assert_int_equal(marks.n, 0);
		assert_int_equal(weir_plugin.store.find(&store->csv, "", &marks, &store->err), 0);
		assert_int_equal(marks.n, 0);
		if (round == 1)
			assert_int_equal(csv_journal_rewrite(&store->csv, &store->err), 0);
		store_free(store);
		store = opened(folder);
	}
	free(big);
	store_free(store);
	scratch_free(folder);
}

static void
test_many_marks(void **unused)
{
	(void)unused;
	char *folder = scratch_new();
	struct store *store = opened(folder);
	uint64_t epoch = claim(store, "files/x", "h", NULL);
	struct weir_mark mark[100];
	char item[100][20];
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(item[i % 100], sizeof(item[0]), "item-%u", i % 300);
		mark[i % 100] = (struct weir_mark){ .source = "files/x",
			.item = item[i % 100],
			.identity = item[i % 100],
			.data = "d",
			.size = 1,
			.forget = i % 300 < 30 && i > 600 };
		if (i % 100 < 99)
			continue;
		struct weir_hold hold = { .source = "files/x", .epoch = epoch, .lease_until = INT64_MAX };
		struct weir_commit commit = { .marks = { mark, 100 }, .hold = &hold, .n_hold = 1 };
		assert_int_equal(weir_plugin.store.commit(&store->csv, &commit, &store->err), 0);
	}
	struct weir_marks marks;
	store_free(store);
	store = opened(folder);
	claim(store, "files/x", "h", &marks);
	/* 0..29 were forgotten in 600..629 and 900..929. */
	assert_int_equal(marks.n, 270);
	assert_int_equal(weir_plugin.store.find(&store->csv, "item-29", &marks, &store->err), 0);
	assert_int_equal(marks.n, 0);
	assert_int_equal(weir_plugin.store.find(&store->csv, "item-30", &marks, &store->err), 0);
	assert_int_equal(marks.n, 1);
	store_free(store);
	scratch_free(folder);
}

static void
test_claims(void **unused)
{
	(void)unused;
	char *folder = scratch_new();
	struct store *store = opened(folder);
	uint64_t first = claim(store, "files/sge", "n001 /state", NULL);
	struct weir_claim wish = {
		.source = "files/sge", .holder = "n002 /other", .lease_until = INT64_MAX
	};
	struct weir_marks marks;
	uint64_t epoch = 0;
	assert_int_equal(
		weir_plugin.store.claim(&store->csv, &wish, &epoch, &marks, &store->err), -EBUSY);
	assert_non_null(strstr(store->err.text, "n001 /state"));
	assert_non_null(strstr(store->err.text, "files/sge"));
	wish.take_over = true;
	assert_int_equal(weir_plugin.store.claim(&store->csv, &wish, &epoch, &marks, &store->err), 0);
	assert_int_equal(epoch, first + 1);
	/* The one who was robbed cannot write any more, and what he wrote is gone. */
	struct weir_batch *batch = one_row(&disk);
	assert_int_equal(store_write(store, &(const struct weir_batch *){ batch }, 1), 0);
	assert_int_equal(commit_mark(store, "files/sge", first,
						 (struct weir_mark){ .item = "a", .data = "1", .size = 1 }),
		-ESTALE);
	assert_non_null(strstr(store->err.text, "n002 /other"));
	assert_int_equal(commit_mark(store, "files/sge", epoch,
						 (struct weir_mark){ .item = "b", .data = "1", .size = 1 }),
		0);
	assert_int_equal(
		commit_mark(store, "files/none", 1, (struct weir_mark){ .item = NULL }), -ESTALE);
	maker_free_batch(batch);
	struct rows found = { 0 };
	rows_read(&found, folder);
	assert_int_equal(found.n, 0);
	/* A lease that ran out, the same holder, and a process that has ended. */
	struct weir_claim short_one = { .source = "files/x", .holder = "n003 /x", .lease_until = 1 };
	assert_int_equal(
		weir_plugin.store.claim(&store->csv, &short_one, &epoch, &marks, &store->err), 0);
	claim(store, "files/x", "n001 /state", NULL);
	claim(store, "files/x", "n001 /state", NULL);
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
	char dead[50];
	snprintf(dead, sizeof(dead), "n001 pid %ld", (long)child);
	claim(store, "files/y", dead, NULL);
	claim(store, "files/y", "n001 /state", NULL);
	/* Who held it before does not hold the folder now. */
	store_free(store);
	store = opened(folder);
	assert_int_equal(claim(store, "files/sge", "n004 /new", &marks), 3);
	assert_int_equal(marks.n, 1);
	assert_string_equal(marks.mark[0].item, "b");
	store_free(store);
	scratch_free(folder);
}

static void
test_release(void **unused)
{
	(void)unused;
	char *folder = scratch_new();
	struct store *store = opened(folder);
	uint64_t epoch = claim(store, "files/sge", "n001 /state", NULL);
	struct weir_claim wish = {
		.source = "files/sge", .holder = "n002 /other", .lease_until = INT64_MAX
	};
	struct weir_hold hold = { .source = "files/sge", .epoch = epoch };
	struct weir_commit release = { .hold = &hold, .n_hold = 1 };
	struct weir_marks marks;
	uint64_t taken = 0;
	assert_int_equal(
		weir_plugin.store.claim(&store->csv, &wish, &taken, &marks, &store->err), -EBUSY);
	assert_int_equal(weir_plugin.store.commit(&store->csv, &release, &store->err), 0);
	assert_int_equal(weir_plugin.store.claim(&store->csv, &wish, &taken, &marks, &store->err), 0);
	assert_int_equal(taken, epoch + 1);
	/* Who gave it back cannot take away what another has now. */
	assert_int_equal(weir_plugin.store.commit(&store->csv, &release, &store->err), -ESTALE);
	wish.holder = "n003 /third";
	assert_int_equal(
		weir_plugin.store.claim(&store->csv, &wish, &taken, &marks, &store->err), -EBUSY);
	assert_non_null(strstr(store->err.text, "n002 /other"));
	store_free(store);
	scratch_free(folder);
}

/* A file that is found again under another claim: its mark goes there, in one commit. */
static void
test_mark_moves(void **unused)
{
	(void)unused;
	char *folder = scratch_new();
	struct store *store = opened(folder);
	struct weir_marks marks;
	uint64_t old = claim(store, "files/old", "n002 /other", NULL);
	struct weir_mark mark = { .item = "log", .identity = "head", .data = "1", .size = 1 };
	assert_int_equal(commit_mark(store, "files/old", old, mark), 0);
	mark.item = "log.1";
	mark.identity = "stays";
	assert_int_equal(commit_mark(store, "files/old", old, mark), 0);
	struct weir_hold hold = {
		.source = "files/new",
		.epoch = claim(store, "files/new", "n001 /state", NULL),
		.lease_until = INT64_MAX,
	};
	const struct weir_mark moved[] = {
		{ .source = "files/old", .item = "log", .forget = true },
		{ .source = "files/never", .item = "log", .forget = true },
		{ .source = "files/new", .item = "log", .identity = "head", .data = "2", .size = 1 },
	};
	struct weir_commit commit = { .marks = { moved, 3 }, .hold = &hold, .n_hold = 1 };
	assert_int_equal(weir_plugin.store.commit(&store->csv, &commit, &store->err), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(weir_plugin.store.find(&store->csv, "head", &marks, &store->err), 0);
		assert_int_equal(marks.n, 1);
		assert_string_equal(marks.mark[0].source, "files/new");
		assert_memory_equal(marks.mark[0].data, "2", 1);
		assert_int_equal(weir_plugin.store.find(&store->csv, "stays", &marks, &store->err), 0);
		assert_int_equal(marks.n, 1);
		assert_null(csv_source_named(&store->csv, "files/never", strlen("files/never"), false));
		store_free(store);
		store = opened(folder);
	}
	assert_int_equal(claim(store, "files/old", "n002 /other", &marks), old + 1);
	assert_int_equal(marks.n, 1);
	assert_string_equal(marks.mark[0].item, "log.1");
	store_free(store);
	scratch_free(folder);
}

static void
test_quiet_commit(void **unused)
{
	(void)unused;
	char *folder = scratch_new();
	struct store *store = opened(folder);
	uint64_t epoch = claim(store, "files/x", "h", NULL);
	uint64_t length = store->csv.journal.length;
	/* A lease that is renewed costs no writing. */
	for (int i = 0; i < 10; i++)
		assert_int_equal(
			commit_mark(store, "files/x", epoch, (struct weir_mark){ .item = NULL }), 0);
	assert_int_equal(store->csv.journal.length, length);
	assert_int_equal(store_commit(store, true), 0);
	assert_true(store->csv.journal.length > length);
	length = store->csv.journal.length;
	assert_int_equal(store_commit(store, true), 0);
	assert_int_equal(store->csv.journal.length, length);
	store_free(store);
	scratch_free(folder);
}

/* ---- parts ---- */

static size_t
count(const char *folder, const char *end)
{
	char *list = file_list(folder);
	size_t n = 0;
	for (char *line = strtok(list, "\n"); line; line = strtok(NULL, "\n"))
		n += strlen(line) > strlen(end) && strcmp(line + strlen(line) - strlen(end), end) == 0;
	free(list);
	return n;
}

static int64_t
clock_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * SECOND;
}

static void
tend(struct store *store, int64_t now)
{
	if (weir_plugin.store.tend(&store->csv, now, &store->err) != 0)
		fail_msg("%s", store->err.text);
}

static void
compression(int with, const char *end)
{
	char *folder = scratch_new();
	struct store *store = opened(folder);
	struct dice dice = { 5 };
	struct weir_schema *schema = full_schema("table", 0);
	struct rows expected = { 0 }, found = { 0 };
	store->csv.compress = with;
	store->csv.rotate_size = 100000;
	for (int i = 0; i < 30; i++) {
		struct weir_batch *batch = random_batch(&dice, schema, 100, NOON, 1);
		rows_expect(&expected, batch, 1);
		store_put(store, batch);
	}
	tend(store, clock_now());
	assert_true(count(folder, end) >= 5);
	assert_int_equal(count(folder, ".csv"), with == CSV_NONE ? count(folder, end) : 1);
	assert_int_equal(count(folder, ".tmp"), 0);
	rows_read(&found, folder);
	assert_true(rows_equal(&expected, &found));
	/* By time: closed at the next multiple and not before. */
	int64_t day = 86400 * SECOND, today = clock_now() / day * day;
	size_t closed = count(folder, end);
	tend(store, today);
	assert_int_equal(count(folder, end), closed);
	tend(store, today + day);
	assert_int_equal(count(folder, end), with == CSV_NONE ? closed : closed + 1);
	assert_null(store->csv.parts);
	rows_free(&found);
	rows_read(&found, folder);
	assert_true(rows_equal(&expected, &found));
	store_free(store);
	rows_free(&expected);
	rows_free(&found);
	free(schema);
	scratch_free(folder);
}

static void
test_zstd(void **unused)
{
	(void)unused;
	compression(CSV_WITH_ZSTD, ".csv.zst");
}

static void
test_gz(void **unused)
{
	(void)unused;
	compression(CSV_WITH_GZ, ".csv.gz");
}

static void
test_none(void **unused)
{
	(void)unused;
	compression(CSV_NONE, ".csv");
}

static void
test_compression_in_pieces(void **unused)
{
	(void)unused;
	char *folder = scratch_new();
	struct store *store = opened(folder);
	struct dice dice = { 6 };
	struct weir_schema *schema = full_schema("table", 0);
	struct rows expected = { 0 }, found = { 0 };
	for (int i = 0; i < 3; i++) {
		struct weir_batch *batch = random_batch(&dice, schema, 2000, NOON, 1);
		rows_expect(&expected, batch, 1);
		store_put(store, batch);
	}
	int64_t tomorrow = clock_now() + 86400 * SECOND;
	csv_wait(&store->csv, "table/20260101T000000Z-000099.csv"); /* not there: passed over */
	store->csv.paused = true;
	struct csv_part *part = store->csv.parts;
	assert_true(part->committed.length > 5 * 65536);
	/* Close it, with compression held back, then one piece per call. */
	store->csv.compress = CSV_NONE;
	tend(store, tomorrow);
	store->csv.compress = CSV_WITH_ZSTD;
	store_free(store);
	store = opened(folder);
	int calls = 0;
	while (store->csv.waiting) {
		assert_int_equal(csv_compress(&store->csv, 1, &store->err), 0);
		calls++;
		rows_free(&found);
		rows_read(&found, folder);
		assert_true(rows_equal(&expected, &found));
	}
	assert_true(calls > 5);
	assert_int_equal(count(folder, ".csv"), 0);
	assert_int_equal(count(folder, ".csv.zst"), 1);
	store_free(store);
	rows_free(&expected);
	rows_free(&found);
	free(schema);
	scratch_free(folder);
}

static void
age(const char *folder, const char *name, int64_t seconds)
{
	char *list = file_list(folder), path[512];
	char *at = strstr(list, name);
	assert_non_null(at);
	while (at > list && at[-1] != '\n')
		at--;
	snprintf(path, sizeof(path), "%s/%.*s", folder, (int)strcspn(at, "\n"), at);
	struct timespec times[2] = { { .tv_sec = time(NULL) - seconds },
		{ .tv_sec = time(NULL) - seconds } };
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	free(list);
}

/* Ten parts of about 30 kB, one of them open. */
static struct store *
ten_parts(const char *folder, struct weir_schema *schema)
{
	struct store *store = opened(folder);
	struct dice dice = { 8 };
	store->csv.compress = CSV_NONE;
	store->csv.rotate_size = 20000;
	while (store->csv.next_part <= 10)
		store_put(store, random_batch(&dice, schema, 40, NOON, 1));
	assert_int_equal(count(folder, ".csv"), 10);
	return store;
}

static void
test_retention_by_age(void **unused)
{
	(void)unused;
	char *folder = scratch_new();
	struct weir_schema *schema = full_schema("table", 0);
	struct store *store = ten_parts(folder, schema);
	age(folder, "-000002.csv", 7200);
	age(folder, "-000003.csv", 3500);
	age(folder, "-000010.csv", 7200); /* open: stays */
	store->csv.keep_age = WEIR_HOUR;
	store->csv.rotate_every = 3660 * WEIR_DAY;
	store->csv.retained = 0;
	tend(store, clock_now());
	char *list = file_list(folder);
	assert_null(strstr(list, "-000002.csv"));
	assert_non_null(strstr(list, "-000003.csv"));
	assert_non_null(strstr(list, "-000009.csv"));
	free(list);
	store_free(store);
	free(schema);
	scratch_free(folder);
}

static uint64_t
total_size(const char *folder)
{
	char *list = file_list(folder);
	uint64_t total = 0;
	for (char *line = strtok(list, "\n"); line; line = strtok(NULL, "\n")) {
		char path[512];
		struct stat st;
		snprintf(path, sizeof(path), "%s/%s", folder, line);
		assert_int_equal(stat(path, &st), 0);
		total += strstr(line, ".csv") ? (uint64_t)st.st_size : 0;
	}
	free(list);
	return total;
}

static void
test_retention_by_size(void **unused)
{
	(void)unused;
	char *folder = scratch_new();
	struct weir_schema *schema = full_schema("table", 0);
	struct store *store = ten_parts(folder, schema);
	/* Older than its number says: the first to go. */
	age(folder, "-000005.csv", 7200);
	age(folder, "-000001.csv", 3600);
	store->csv.keep_size = total_size(folder) - 1;
	store->csv.retained = 0;
	tend(store, clock_now());
	char *list = file_list(folder);
	assert_null(strstr(list, "-000005.csv"));
	assert_non_null(strstr(list, "-000001.csv"));
	free(list);
	store->csv.keep_size = total_size(folder) - 1;
	store->csv.retained = 0;
	tend(store, clock_now());
	list = file_list(folder);
	assert_null(strstr(list, "-000001.csv"));
	assert_non_null(strstr(list, "-000002.csv"));
	free(list);
	/* The last part is open and stays, whatever it weighs. */
	store->csv.keep_size = 1;
	store->csv.rotate_every = 3660 * WEIR_DAY;
	store->csv.retained = 0;
	assert_non_null(store->csv.parts);
	assert_int_equal(csv_retain(&store->csv, clock_now(), &store->err), 0);
	assert_int_equal(count(folder, ".csv"), 1);
	store_free(store);
	free(schema);
	scratch_free(folder);
}

static void
test_removed_by_hand(void **unused)
{
	(void)unused;
	char *folder = scratch_new(), path[512];
	struct store *store = opened(folder);
	store->csv.compress = CSV_NONE;
	store_put(store, one_row(&disk));
	snprintf(path, sizeof(path), "rm '%s'/disk/*.csv", folder);
	assert_int_equal(system(path), 0);
	/* Running: the next rows go to a new file. */
	tend(store, clock_now());
	store_put(store, one_row(&disk));
	assert_int_equal(count(folder, ".csv"), 1);
	/* Stopped, once it was on disk: the same. */
	assert_int_equal(store_commit(store, true), 0);
	store_free(store);
	assert_int_equal(system(path), 0);
	store = opened(folder);
	store_put(store, one_row(&disk));
	store_free(store);
	store = opened(folder);
	struct rows found = { 0 };
	rows_read(&found, folder);
	assert_int_equal(found.n, 1);
	rows_free(&found);
	store_free(store);
	scratch_free(folder);
}

static void
test_foreign_files(void **unused)
{
	(void)unused;
	char *folder = scratch_new(), command[1024];
	struct store *store = opened(folder);
	store_put(store, one_row(&disk));
	store_free(store);
	snprintf(command, sizeof(command),
		"cd '%s' && touch notes.txt disk/mine.csv disk/20260101T000000Z-000000.csv "
		"disk/20260101T000000Z-000077.csv disk/20260101T000000Z-000000.csv.zst.tmp && mkdir Other "
		"&& ln -s / disk/r2",
		folder);
	assert_int_equal(system(command), 0);
	store = opened(folder);
	char *list = file_list(folder);
	assert_non_null(strstr(list, "notes.txt"));
	assert_non_null(strstr(list, "disk/mine.csv"));
	assert_non_null(strstr(list, "disk/20260101T000000Z-000000.csv\n"));
	assert_null(strstr(list, "-000077.csv"));
	assert_null(strstr(list, ".tmp"));
	free(list);
	store_free(store);
	scratch_free(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_of_rows),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_entities),
		cmocka_unit_test(test_random_rows),
		cmocka_unit_test(test_nothing_before_commit),
		cmocka_unit_test(test_new_columns),
		cmocka_unit_test(test_revisions),
		cmocka_unit_test(test_names_are_no_paths),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_second_opener),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_many_marks),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_mark_moves),
		cmocka_unit_test(test_quiet_commit),
		cmocka_unit_test(test_zstd),
		cmocka_unit_test(test_gz),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_compression_in_pieces),
		cmocka_unit_test(test_retention_by_age),
		cmocka_unit_test(test_retention_by_size),
		cmocka_unit_test(test_removed_by_hand),
		cmocka_unit_test(test_foreign_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
