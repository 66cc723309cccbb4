/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store sqlite: entities. Versions, deletes and what they leave; the tables end alike whatever
 * the order of arrival.
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sqlite_store.h"
#include "store_batches.h"

extern const struct weir_plugin weir_plugin;

/* One row of `item`; status NULL: missing; "-": a delete. */
static struct weir_batch *
item(int64_t version, uint64_t incarnation, uint64_t sequence, const char *key, const char *status)
{
	struct maker *maker = maker_new(&item_schema, "hydra", "n001", "test");
	maker_row(maker, version);
	maker_text(maker, 0, key);
	if (status && strcmp(status, "-") == 0)
		maker_delete(maker);
	else if (status)
		maker_text(maker, 1, status);
	return maker_close(maker, incarnation, sequence);
}

enum fate { STORED, UNCHANGED, REFUSED };

static enum fate
put(struct weir_ctx *ctx, struct weir_batch *batch)
{
	struct weir_tally tally = store_batch(ctx, batch);
	assert_int_equal(tally.stored + tally.unchanged + tally.refused, 1);
	return tally.stored ? STORED : tally.unchanged ? UNCHANGED : REFUSED;
}

static void
versions(void **state)
{
	const struct place *place = *state;
	static const char current[] =
		"SELECT item, status, version, weir_incarnation, weir_sequence FROM item";
	struct weir_ctx *ctx = sqlite_new(place->path);
	assert_int_equal(put(ctx, item(10, 1, 1, "a", "one")), STORED);
	user_does(place->path, "UPDATE item SET updated = 1", NULL);
	/* The same again: nothing is stored, but its order counts. */
	assert_int_equal(put(ctx, item(10, 1, 3, "a", "one")), UNCHANGED);
	expect(place->path, current, "a|one|10|1|3\n");
	expect(place->path, "SELECT updated FROM item", "1\n");
	assert_int_equal(put(ctx, item(10, 1, 2, "a", "two")), UNCHANGED);
	assert_int_equal(put(ctx, item(9, 7, 7, "a", "old")), UNCHANGED);
	expect(place->path, current, "a|one|10|1|3\n");
	assert_int_equal(put(ctx, item(10, 1, 4, "a", "two")), STORED);
	assert_int_equal(put(ctx, item(10, 2, 1, "a", NULL)), STORED);
	expect(place->path, current, "a|~|10|2|1\n");
	/* Incarnations are unsigned. */
	assert_int_equal(put(ctx, item(10, UINT64_MAX, 1, "a", "late")), STORED);
	assert_int_equal(put(ctx, item(10, 3, 1, "a", "early")), UNCHANGED);
	expect(place->path, current, "a|late|10|-1|1\n");
	/* A newer version with the same content is one: its version is seen. */
	assert_int_equal(put(ctx, item(11, 1, 1, "a", "late")), STORED);
	expect(place->path, current, "a|late|11|1|1\n");
	expect(place->path, "SELECT updated > 1700000000000000 FROM item", "1\n");
	sqlite_end(ctx);
}

static void
rows_of_one_batch(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	struct maker *maker = maker_new(&item_schema, "hydra", "n001", "test");
	static const char *const hosts[] = { "n001", "n002", "n001", "n001", "n002" };
	static const char *const states[] = { "first", "other", "second", "second", NULL };
	for (size_t i = 0; i < 5; i++) {
		maker_row(maker, 5);
		maker_host(maker, hosts[i]);
		maker_text(maker, 0, "x");
		if (states[i])
			maker_text(maker, 1, states[i]);
		else
			maker_delete(maker);
	}
	struct weir_tally tally = store_batch(ctx, maker_close(maker, 1, 1));
	assert_int_equal(tally.stored, 4);
	assert_int_equal(tally.unchanged, 1);
	expect(place->path, "SELECT host, status FROM item", "n001|second\n");
	sqlite_end(ctx);
}

static void
verdicts_of_rows(void **state)
{
	const struct place *place = *state;
	static const struct {
		const char *key, *status;
		int64_t version;
	} rows[] = {
		{ "x", "first", 5 },
		{ "x", "first", 5 },
		{ "x", "late", 4 },
		{ NULL, "nobody", 5 },
		{ "x", "first", 6 },
		{ "x", NULL, 7 },
		{ "y", NULL, 7 },
		{ "y", "late", 6 },
		{ "z", "kept", 7 },
		{ "thirteen", "odd", 7 },
	};
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, item(1, 1, 1, "a", "one"));
	user_does(place->path,
		"CREATE TRIGGER odd BEFORE INSERT ON item WHEN new.item = 'thirteen'"
		" BEGIN SELECT RAISE(ABORT, 'not welcome'); END",
		NULL);
	struct maker *maker = maker_new(&item_schema, "hydra", "n001", "test");
	for (size_t i = 0; i < WEIR_COUNT(rows); i++) {
		maker_row(maker, rows[i].version);
		if (rows[i].key)
			maker_text(maker, 0, rows[i].key);
		if (rows[i].status)
			maker_text(maker, 1, rows[i].status);
		else
			maker_delete(maker);
	}
	struct weir_batch *batch = maker_close(maker, 1, 2);
	for (int again = 0; again < 2; again++) {
		struct witness witness;
		struct weir_tally tally = witness_tally(&witness, batch->rows);
		struct weir_err err = { 0 };
		assert_int_equal(store_write(ctx, batch, &tally, &err), 0);
		assert_int_equal(store_commit(ctx, &err), 0);
		assert_true(witness_look(&witness, &tally));
		assert_string_equal(witness.letters, again ? "UUURUUUUUR" : "SUURSSUUSR");
		assert_string_equal(witness.said, "3: key 'item' is missing\n9: not welcome\n");
		assert_string_equal(tally.reason, "not welcome");
		witness_free(&witness);
	}
	maker_free_batch(batch);
	expect(place->path, "SELECT item, status FROM item ORDER BY item", "a|one\nz|kept\n");
	sqlite_end(ctx);
}

static void
deletes(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	assert_int_equal(put(ctx, item(10, 1, 1, "a", "one")), STORED);
	assert_int_equal(put(ctx, item(9, 1, 2, "a", "-")), UNCHANGED);
	expect(place->path, "SELECT count(*) FROM item", "1\n");
	assert_int_equal(put(ctx, item(12, 1, 3, "a", "-")), STORED);
	expect(place->path, "SELECT count(*) FROM item", "0\n");
	/* What is older than the delete stays away, also for the next run of the program. */
	assert_int_equal(put(ctx, item(11, 9, 9, "a", "late")), UNCHANGED);
	sqlite_end(ctx);
	ctx = sqlite_new(place->path);
	assert_int_equal(put(ctx, item(12, 1, 2, "a", "late")), UNCHANGED);
	expect(place->path, "SELECT count(*) FROM item", "0\n");
	assert_int_equal(put(ctx, item(13, 1, 1, "a", "back")), STORED);
	expect(place->path, "SELECT status FROM item", "back\n");
	expect(place->path, "SELECT count(*) FROM weir_deleted", "0\n");
	/* Of a key that nobody knows: nothing changes, and yet it is remembered. */
	assert_int_equal(put(ctx, item(20, 1, 4, "b", "-")), UNCHANGED);
	assert_int_equal(put(ctx, item(19, 1, 5, "b", "late")), UNCHANGED);
	assert_int_equal(put(ctx, item(19, 1, 5, "c", "other key")), STORED);
	expect(place->path, "SELECT item FROM item ORDER BY item", "a\nc\n");
	sqlite_end(ctx);
}

static void
deletes_are_forgotten(void **state)
{
	const struct place *place = *state;
	struct weir_err err = { 0 };
	struct weir_ctx *ctx =
		sqlite_try(place->path, (const char *const[]){ "keep_deleted", "1h", NULL }, &err);
	assert_non_null(ctx);
	struct maker *maker = maker_new(&item_schema, "hydra", "n001", "test");
	for (int i = 0; i < 2500; i++) {
		char key[20];
		snprintf(key, sizeof(key), "key%d", i);
		maker_row(maker, 1);
		maker_text(maker, 0, key);
		maker_delete(maker);
	}
	store_batch(ctx, maker_close(maker, 1, 1));
	user_does(place->path,
		"UPDATE weir_deleted SET updated = 7200000000 WHERE version = 1;"
		"UPDATE weir_deleted SET updated = 3600000001 WHERE key IN (SELECT key FROM weir_deleted "
		"LIMIT 7)",
		NULL);
	assert_int_equal(weir_plugin.store.tend(sqlite_state(ctx), 7200000000, &err), 0);
	expect(place->path, "SELECT count(*) FROM weir_deleted", "2500\n");
	assert_int_equal(weir_plugin.store.tend(sqlite_state(ctx), 7200000002, &err), 0);
	expect(place->path, "SELECT count(*) FROM weir_deleted", "2493\n");
	assert_int_equal(weir_plugin.store.tend(sqlite_state(ctx), INT64_C(20000000000), &err), 0);
	expect(place->path, "SELECT count(*) FROM weir_deleted", "0\n");
	sqlite_end(ctx);
}

static void
user_trigger_refuses(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	assert_int_equal(put(ctx, item(1, 1, 1, "a", "one")), STORED);
	user_does(place->path,
		"CREATE TRIGGER keep BEFORE DELETE ON item BEGIN SELECT RAISE(ABORT, 'kept'); END;"
		"CREATE TRIGGER still BEFORE UPDATE ON item BEGIN SELECT RAISE(ABORT, 'still'); END",
		NULL);
	assert_int_equal(put(ctx, item(2, 1, 2, "a", "-")), REFUSED);
	assert_int_equal(put(ctx, item(2, 1, 2, "a", "two")), REFUSED);
	assert_int_equal(put(ctx, item(1, 1, 2, "a", "one")), REFUSED);
	assert_int_equal(put(ctx, item(1, 1, 1, "b", "one")), STORED);
	expect(place->path, "SELECT item, status FROM item", "a|one\nb|one\n");
	expect(place->path, "SELECT count(*) FROM weir_deleted", "0\n");
	sqlite_end(ctx);
}

/* An identical batch of all types, not-a-number and negative zero included, changes nothing. */
static void
identical_rows_of_all_types(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	for (uint64_t seed = 0; seed < 12; seed++) {
		struct dice dice = { seed };
		char name[20];
		snprintf(name, sizeof(name), "types_%d", (int)seed);
		struct weir_schema *schema =
			full_schema(name, WEIR_ENTITY | (seed % 2 ? WEIR_HOST_KEYS : 0));
		for (uint64_t i = 0; i < 20; i++) {
			struct dice again = dice;
			struct weir_batch *batch = random_batch(&dice, schema, 1, 10, 5);
			bool removes = batch->deleted;
			store_batch(ctx, batch);
			struct weir_tally tally = store_batch(ctx, random_batch(&again, schema, 1, 10, 5));
			assert_int_equal(removes || tally.unchanged == 1, 1);
			assert_int_equal(tally.refused, 0);
		}
		free(schema);
	}
	sqlite_end(ctx);
}

/* ---- any order ---- */

enum { EVENTS = 40, KEYS = 3 };

/* One batch of one to three rows; a second schema has another type of `value`, so it is kept in
 * another table. */
static struct weir_batch *
random_event(struct dice *dice, const struct weir_schema *const *schemas, uint64_t sequence)
{
	static const uint64_t incarnations[] = { 1, 2, UINT64_MAX };
	static const char *const keys[KEYS] = { "a", "b", "c" };
	size_t which = dice_below(dice, 3) == 0;
	struct maker *maker = maker_new(schemas[which], "hydra", "n001", "test");
	uint64_t rows = 1 + dice_below(dice, 3);
	for (uint64_t row = 0; row < rows; row++) {
		maker_row(maker, (int64_t)dice_below(dice, 4));
		maker_text(maker, 0, keys[dice_below(dice, KEYS)]);
		uint64_t value = dice_below(dice, 3);
		if (value == 2)
			maker_delete(maker);
		else if (which)
			maker_f64(maker, 1, (double)value);
		else
			maker_u64(maker, 1, value);
		if (dice_below(dice, 2))
			maker_text(maker, 2, "more");
	}
	return maker_close(maker, incarnations[dice_below(dice, 3)], sequence);
}

/* What each key ends with, found by looking at all rows at once. */
struct last {
	const struct weir_batch *batch;
	size_t row;
};

static bool
beats(const struct weir_batch *batch, size_t row, const struct last *last)
{
	if (!last->batch)
		return true;
	if (batch->time[row] != last->batch->time[last->row])
		return batch->time[row] > last->batch->time[last->row];
	if (batch->incarnation != last->batch->incarnation)
		return batch->incarnation > last->batch->incarnation;
	/* Later rows of one batch come later. */
	return batch->sequence >= last->batch->sequence;
}

static void
expected_end(struct weir_batch *const *events, char *text, size_t room)
{
	struct last last[KEYS] = { 0 };
	for (size_t i = 0; i < EVENTS; i++)
		for (size_t row = 0; row < events[i]->rows; row++) {
			struct weir_symbol key = weir_text(events[i], 0, row);
			struct last *at = &last[key.text[0] - 'a'];
			if (beats(events[i], row, at))
				*at = (struct last){ events[i], row };
		}
	size_t used = 0;
	text[0] = '\0';
	for (size_t key = 0; key < KEYS; key++) {
		const struct weir_batch *batch = last[key].batch;
		size_t row = last[key].row;
		if (!batch || weir_row_deleted(batch, row))
			continue;
		bool real = batch->schema->columns[1].type == WEIR_F64;
		double value =
			real ? batch->column[1].cell[row].f64 : (double)batch->column[1].cell[row].u64;
		used += (size_t)snprintf(text + used, room - used, "%c|%.1f|%s|%d|%lld|%d\n",
			'a' + (int)key, value, weir_present(batch, 2, row) ? "more" : "~",
			(int)batch->time[row], (long long)batch->incarnation, (int)batch->sequence);
	}
}

static void
shuffle(struct dice *dice, struct weir_batch **events)
{
	for (size_t i = EVENTS; i > 1; i--) {
		size_t k = dice_below(dice, i);
		struct weir_batch *swap = events[k];
		events[k] = events[i - 1];
		events[i - 1] = swap;
	}
}

static void
write_all(const char *path, struct weir_batch *const *events)
{
	struct weir_ctx *ctx = sqlite_new(path);
	struct weir_err err = { 0 };
	for (size_t i = 0; i < EVENTS; i += 5) {
		struct weir_tally tally[5] = { 0 };
		assert_int_equal(weir_plugin.store.write(sqlite_state(ctx),
							 (const struct weir_batch *const *)events + i, 5, tally, &err),
			0);
		assert_int_equal(store_commit(ctx, &err), 0);
		for (size_t k = 0; k < 5; k++) {
			assert_int_equal(tally[k].refused, 0);
			assert_int_equal(tally[k].stored + tally[k].unchanged, events[i + k]->rows);
		}
	}
	sqlite_end(ctx);
}

static void
any_order_ends_alike(void **state)
{
	const struct place *place = *state;
	struct weir_column whole[] = { WEIR_KEY_STR("name", "key"), WEIR_GAUGE_U64("value", "1", "v"),
		WEIR_LABEL_STR("more", "m") };
	struct weir_column real[] = { WEIR_KEY_STR("name", "key"), WEIR_GAUGE_F64("value", "1", "v"),
		WEIR_LABEL_STR("more", "m") };
	const struct weir_schema first = { .name = "thing",
		.help = "h",
		.flags = WEIR_ENTITY,
		.n_keys = 1,
		.n_columns = 3,
		.columns = whole };
	const struct weir_schema second = { .name = "thing",
		.help = "h",
		.flags = WEIR_ENTITY,
		.n_keys = 1,
		.n_columns = 3,
		.columns = real };
	const struct weir_schema *const schemas[] = { &first, &second };
	for (uint64_t seed = 0; seed < 12; seed++) {
		struct dice dice = { seed };
		struct weir_batch *events[EVENTS];
		for (size_t i = 0; i < EVENTS; i++)
			events[i] = random_event(&dice, schemas, i);
		char expected[400];
		expected_end(events, expected, sizeof(expected));
		for (int order = 0; order < 3; order++) {
			char path[200];
			snprintf(path, sizeof(path), "%s/%d-%d.db", place->folder, (int)seed, order);
			write_all(path, events);
			expect(path,
				"SELECT name, CAST(value AS REAL), more, version, weir_incarnation, weir_sequence "
				"FROM thing"
				" ORDER BY name",
				expected);
			/* A key is in one table, or it is remembered as deleted. */
			expect(path, "SELECT count(*) - count(DISTINCT name) FROM thing", "0\n");
			shuffle(&dice, events);
		}
		for (size_t i = 0; i < EVENTS; i++)
			maker_free_batch(events[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(versions, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(rows_of_one_batch, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(verdicts_of_rows, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(deletes, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(deletes_are_forgotten, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(user_trigger_refuses, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(identical_rows_of_all_types, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(any_order_ends_alike, place_set_up, place_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
