/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store sqlite: rows of all types, tables that change, what is refused.
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

/* ---- what is stored ---- */

static void
series_of_all_types(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	for (uint64_t seed = 0; seed < 40; seed++) {
		struct dice dice = { seed };
		char name[20];
		snprintf(name, sizeof(name), "random_%d", (int)seed);
		struct weir_schema *schema = seed == 0
										 ? full_schema(name, 0)
										 : random_schema(&dice, name, 0, seed % 4, 1 + seed % 17);
		struct weir_batch *batch[3];
		for (size_t i = 0; i < 3; i++)
			batch[i] = random_batch(&dice, schema, dice_below(&dice, 90), (int64_t)i * 1000000, i);
		struct weir_tally tally[3] = { 0 };
		struct weir_err err = { 0 };
		assert_int_equal(weir_plugin.store.write(sqlite_state(ctx),
							 (const struct weir_batch *const *)batch, 3, tally, &err),
			0);
		assert_int_equal(store_commit(ctx, &err), 0);
		for (size_t i = 0; i < 3; i++) {
			assert_int_equal(tally[i].stored, batch[i]->rows);
			assert_int_equal(tally[i].unchanged + tally[i].refused, 0);
		}
		char *expected = exact_batches((const struct weir_batch *const *)batch, 3);
		char *found = exact_table(place->path, "*", name);
		assert_string_equal(found, expected);
		free(found);
		free(expected);
		for (size_t i = 0; i < 3; i++)
			maker_free_batch(batch[i]);
		free(schema);
	}
	sqlite_end(ctx);
}

static void
values_at_the_edge(void **state)
{
	const struct place *place = *state;
	struct weir_schema *schema = full_schema("edge", 0);
	struct maker *maker = maker_new(schema, "hydra", "n001", "test");
	maker_row(maker, -1);
	maker_text(maker, 0, "");
	maker_u64(maker, 1, UINT64_MAX);
	maker_i64(maker, 2, INT64_MIN);
	maker_text(maker, 3, "");
	maker_u64(maker, 4, UINT64_C(1) << 63);
	maker_f64(maker, 6, NAN);
	maker_i64(maker, 7, 57);
	maker_i64(maker, 10, -1);
	maker_u64(maker, 11, 1);
	maker_data(maker, 13, "\0\1", 2);
	struct weir_ctx *ctx = sqlite_new(place->path);
	assert_int_equal(store_batch(ctx, maker_close(maker, 1, 1)).stored, 1);
	sqlite_end(ctx);
	/* Missing and not a number are NULL, empty text is not; 64 bits stay; a count is divided. */
	expect(place->path,
		"SELECT time, quote(key_text_0), key_unsigned_1, key_signed_2, quote(col_text_3), "
		"col_unsigned_4,"
		" col_signed_5, col_double_6, col_cents_7, col_nanos_10, col_truth_11, col_moment_12, "
		"quote(col_raw_13) FROM edge",
		"-1|''|-1|-9223372036854775808|''|-9223372036854775808|~|~|0.57|-1.0e-09|1|~|X'0001'\n");
	free(schema);
}

static void
schema_is_described(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(&cpu_schema, 1, 0));
	struct maker *maker = maker_new(&item_schema, "hydra", "n001", "test");
	maker_row(maker, 5);
	maker_text(maker, 0, "ipmi");
	store_batch(ctx, maker_close(maker, 1, 1));
	sqlite_end(ctx);
	expect(place->path, "SELECT * FROM weir_schema WHERE schema = 'cpu'",
		"cpu|time|time|label|~|when it was measured\n"
		"cpu|cluster|str|label|~|cluster of the host\n"
		"cpu|host|str|label|~|host that was measured\n"
		"cpu|source|str|label|~|instance that measured\n"
		"cpu|cpu|u64|key|1|number of the CPU\n"
		"cpu|user_time|f64|counter|s|time in user mode\n"
		"cpu|pages|u64|gauge|1|pages in use\n");
	expect(place->path, "SELECT column_name, type, kind FROM weir_schema WHERE schema = 'item'",
		"cluster|str|key\nhost|str|key\nitem|str|key\nstatus|str|label\nshare|f64|gauge\nversion|"
		"time|label\n"
		"updated|time|label\nweir_incarnation|u64|label\nweir_sequence|u64|label\n");
	expect(place->path, "SELECT name, type, pk FROM pragma_table_info('item')",
		"cluster|TEXT|1\nhost|TEXT|2\nitem|TEXT|3\nstatus|TEXT|0\nshare|REAL|0\nversion|INTEGER|"
		"0\nupdated|INTEGER|0\n"
		"weir_incarnation|INTEGER|0\nweir_sequence|INTEGER|0\n");
	expect(place->path, "SELECT name, type FROM pragma_table_info('cpu')",
		"time|INTEGER\ncluster|TEXT\nhost|TEXT\nsource|TEXT\ncpu|INTEGER\nuser_time|REAL\npages|"
		"INTEGER\n");
	expect(
		place->path, "SELECT count(*) FROM weir_schema WHERE help LIKE '%2^63-1%64 bits%'", "1\n");
	expect(place->path, "PRAGMA journal_mode", "wal\n");
	expect(place->path, "PRAGMA user_version", "1\n");
}

static void
help_comes_later(void **state)
{
	const struct place *place = *state;
	/* As from the wire: the canonical text has no help. */
	char *text = weir_schema_text(&cpu_schema);
	struct weir_err err = { 0 };
	struct weir_schema *bare = weir_schema_parse(text, &err);
	assert_non_null(bare);
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(bare, 1, 0));
	expect(place->path,
		"SELECT help FROM weir_schema WHERE schema = 'cpu' AND column_name = 'pages'", "\n");
	sqlite_end(ctx);
	ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(&cpu_schema, 2, 0));
	expect(place->path,
		"SELECT help FROM weir_schema WHERE schema = 'cpu' AND column_name = 'pages'",
		"pages in use\n");
	sqlite_end(ctx);
	ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(bare, 3, 0));
	expect(place->path,
		"SELECT help FROM weir_schema WHERE schema = 'cpu' AND column_name = 'pages'",
		"pages in use\n");
	expect(place->path, "SELECT count(*) FROM cpu", "3\n");
	sqlite_end(ctx);
	free(bare);
	free(text);
}

static void
indexes_of_hints(void **state)
{
	const struct place *place = *state;
	static const char *const hints[] = { "status", "share, item", "nothing", NULL };
	struct weir_schema schema = item_schema;
	schema.indexes = hints;
	struct weir_ctx *ctx = sqlite_new(place->path);
	struct maker *maker = maker_new(&schema, "hydra", "n001", "test");
	maker_row(maker, 5);
	maker_text(maker, 0, "ipmi");
	store_batch(ctx, maker_close(maker, 1, 1));
	store_batch(ctx, cpu_batch(&cpu_schema, 1, 0));
	sqlite_end(ctx);
	expect(place->path,
		"SELECT m.tbl_name, group_concat(i.name, '+') FROM sqlite_master m, "
		"pragma_index_info(m.name) i"
		" WHERE m.name LIKE 'weir\\_index\\_r%' ESCAPE '\\' GROUP BY m.name ORDER BY m.name",
		"cpu|time\nitem|share+item\nitem|status\n");
}

static void
hostile_text(void **state)
{
	const struct place *place = *state;
	static const char evil[] = "'; DROP TABLE cpu; --\" \\ %s %n ?1 \xf0\x9f\x92\xa3";
	struct weir_column columns[] = { WEIR_KEY_STR("name", "key"), WEIR_LABEL_STR("label", "text") };
	struct weir_schema schema = two_columns("hostile", columns);
	struct weir_schema entity = schema;
	entity.name = "hostile_entity";
	entity.flags = WEIR_ENTITY | WEIR_HOST_KEYS;
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(&cpu_schema, 1, 0));
	for (size_t i = 0; i < 2; i++) {
		struct maker *maker = maker_new(i ? &entity : &schema, evil, evil, evil);
		maker_row(maker, 1);
		maker_text(maker, 0, evil);
		maker_text(maker, 1, evil);
		maker_row(maker, 2);
		maker_data(maker, 0, "a\0b", 3);
		maker_data(maker, 1, "\0", 1);
		assert_int_equal(store_batch(ctx, maker_close(maker, 1, 1)).stored, 2);
	}
	sqlite_end(ctx);
	struct maker *maker = maker_new(&schema, evil, evil, evil);
	maker_row(maker, 1);
	maker_text(maker, 0, evil);
	maker_text(maker, 1, evil);
	maker_row(maker, 2);
	maker_data(maker, 0, "a\0b", 3);
	maker_data(maker, 1, "\0", 1);
	struct weir_batch *batch = maker_close(maker, 1, 1);
	char *expected = exact_batches((const struct weir_batch *const *)&batch, 1);
	char *found = exact_table(place->path, "*", "hostile");
	assert_string_equal(found, expected);
	free(found);
	found =
		exact_table(place->path, "version, cluster, host, cluster, name, label", "hostile_entity");
	assert_string_equal(found, expected);
	free(found);
	free(expected);
	maker_free_batch(batch);
	expect(place->path, "SELECT count(*) FROM cpu", "1\n");
	expect(place->path, "PRAGMA integrity_check", "ok\n");
}

/* ---- tables that change ---- */

static void
column_is_added(void **state)
{
	const struct place *place = *state;
	struct weir_schema narrow = cpu_schema;
	narrow.n_columns = 2;
	struct weir_column turned[] = { cpu_schema.columns[0], cpu_schema.columns[2] };
	struct weir_schema other = two_columns("cpu", turned);
	struct weir_ctx *ctx = sqlite_new(place->path);
	struct maker *maker = maker_new(&narrow, "hydra", "n001", "cpu");
	maker_row(maker, 1);
	maker_u64(maker, 0, 1);
	maker_i64(maker, 1, 100);
	store_batch(ctx, maker_close(maker, 1, 1));
	store_batch(ctx, cpu_batch(&cpu_schema, 2, 2));
	maker = maker_new(&other, "hydra", "n001", "cpu");
	maker_row(maker, 3);
	maker_u64(maker, 0, 3);
	maker_u64(maker, 1, 3);
	store_batch(ctx, maker_close(maker, 1, 1));
	sqlite_end(ctx);
	expect(place->path, "SELECT time, cpu, user_time, pages FROM cpu",
		"1|1|1.0|~\n2|2|0.57|2\n3|3|~|3\n");
	expect(place->path,
		"SELECT name, type FROM sqlite_master WHERE tbl_name = 'cpu' AND type <> 'index'",
		"cpu|table\n");
	expect(place->path, "SELECT group_concat(column_name) FROM weir_schema WHERE schema = 'cpu'",
		"time,cluster,host,source,cpu,user_time,pages\n");
}

static void
entity_gets_column(void **state)
{
	const struct place *place = *state;
	struct weir_schema narrow = item_schema;
	narrow.n_columns = 2;
	struct weir_ctx *ctx = sqlite_new(place->path);
	struct maker *maker = maker_new(&narrow, "hydra", "n001", "test");
	maker_row(maker, 1);
	maker_text(maker, 0, "a");
	maker_text(maker, 1, "old");
	maker_row(maker, 1);
	maker_text(maker, 0, "b");
	maker_text(maker, 1, "old");
	store_batch(ctx, maker_close(maker, 1, 1));
	maker = maker_new(&item_schema, "hydra", "n001", "test");
	maker_row(maker, 2);
	maker_text(maker, 0, "a");
	maker_text(maker, 1, "new");
	maker_f64(maker, 2, 0.5);
	assert_int_equal(store_batch(ctx, maker_close(maker, 1, 2)).stored, 1);
	expect(place->path, "SELECT group_concat(name) FROM pragma_table_info('item')",
		"cluster,host,item,status,share,version,updated,weir_incarnation,weir_sequence\n");
	expect(place->path, "SELECT item, status, share, version FROM item ORDER BY item",
		"a|new|0.5|2\nb|old|~|1\n");
	/* The narrow schema replaces the whole row; the same again changes nothing. */
	for (uint64_t i = 0; i < 2; i++) {
		maker = maker_new(&narrow, "hydra", "n001", "test");
		maker_row(maker, 3);
		maker_text(maker, 0, "a");
		maker_text(maker, 1, "newer");
		struct weir_tally tally = store_batch(ctx, maker_close(maker, 1, 3 + i));
		assert_int_equal(tally.stored, 1 - i);
		assert_int_equal(tally.unchanged, i);
	}
	sqlite_end(ctx);
	expect(place->path,
		"SELECT item, status, share, version, weir_sequence FROM item ORDER BY item",
		"a|newer|~|3|4\nb|old|~|1|1\n");
}

static void
type_changes(void **state)
{
	const struct place *place = *state;
	struct weir_column columns[] = { WEIR_KEY_STR("name", "key"),
		WEIR_GAUGE_U64("value", "1", "first") };
	struct weir_schema schema = two_columns("gauge", columns);
	struct weir_ctx *ctx = sqlite_new(place->path);
	user_does(place->path, "CREATE VIEW mine AS SELECT value FROM gauge", NULL);
	store_batch(ctx, two_cells(&schema, 1, "a", (union weir_cell){ .u64 = UINT64_MAX }));
	store_batch(ctx, two_cells(&schema, 2, "b", (union weir_cell){ .u64 = 7 }));
	struct weir_column real[] = { WEIR_KEY_STR("name", "key"),
		WEIR_GAUGE_F64("value", "1", "second") };
	struct weir_schema second = two_columns("gauge", real);
	store_batch(ctx, two_cells(&second, 3, "c", (union weir_cell){ .f64 = 2.5 }));
	expect(place->path, "SELECT time, name, typeof(value), value FROM gauge ORDER BY time",
		"1|a|real|1.84467440737096e+19\n2|b|real|7.0\n3|c|real|2.5\n");
	/* Old and new go on side by side. */
	store_batch(ctx, two_cells(&schema, 4, "d", (union weir_cell){ .u64 = 8 }));
	store_batch(ctx, two_cells(&second, 5, "e", (union weir_cell){ .f64 = 0.25 }));
	expect(place->path, "SELECT count(*) FROM weir_r1_gauge", "3\n");
	expect(place->path, "SELECT count(*) FROM weir_r2_gauge", "2\n");
	struct weir_column text[] = { WEIR_KEY_STR("name", "key"), WEIR_LABEL_STR("value", "third") };
	text[1].unit = "1";
	struct weir_schema third = two_columns("gauge", text);
	struct maker *maker = maker_new(&third, "hydra", "n001", "test");
	maker_row(maker, 6);
	maker_text(maker, 0, "f");
	maker_text(maker, 1, "much");
	store_batch(ctx, maker_close(maker, 1, 1));
	sqlite_end(ctx);
	expect(place->path, "SELECT time, name, typeof(value), value FROM gauge ORDER BY time",
		"1|a|text|18446744073709551615\n2|b|text|7\n3|c|text|2.5\n4|d|text|8\n5|e|text|0.25\n6|f|"
		"text|much\n");
	expect(place->path,
		"SELECT name, type FROM sqlite_master WHERE name LIKE '%gauge' ORDER BY name",
		"gauge|view\nweir_r1_gauge|table\nweir_r2_gauge|table\nweir_r3_gauge|table\n");
	expect(place->path,
		"SELECT type, help FROM weir_schema WHERE schema = 'gauge' AND column_name = 'value'",
		"str|third\n");
	expect(place->path, "SELECT count(*) FROM mine", "6\n");
	expect(place->path, "PRAGMA integrity_check", "ok\n");
}

static void
keys_change(void **state)
{
	const struct place *place = *state;
	struct weir_column columns[] = { WEIR_KEY_STR("name", "key"),
		WEIR_GAUGE_U64("value", "1", "value") };
	struct weir_schema schema = two_columns("keyed", columns);
	struct weir_column more[] = { WEIR_KEY_STR("name", "key"), WEIR_KEY_U64("place", "key"),
		WEIR_GAUGE_U64("value", "1", "value") };
	struct weir_schema wider = {
		.name = "keyed", .help = "h", .n_keys = 2, .n_columns = 3, .columns = more
	};
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, two_cells(&schema, 1, "a", (union weir_cell){ .u64 = 1 }));
	struct maker *maker = maker_new(&wider, "hydra", "n001", "test");
	maker_row(maker, 2);
	maker_text(maker, 0, "a");
	maker_u64(maker, 1, 9);
	maker_u64(maker, 2, 2);
	store_batch(ctx, maker_close(maker, 1, 1));
	store_batch(ctx, two_cells(&schema, 3, "a", (union weir_cell){ .u64 = 3 }));
	sqlite_end(ctx);
	expect(place->path, "SELECT time, name, place, value FROM keyed ORDER BY time",
		"1|a|~|1\n2|a|9|2\n3|a|~|3\n");
	expect(place->path,
		"SELECT column_name, kind FROM weir_schema WHERE schema = 'keyed' AND kind = 'key'",
		"name|key\nplace|key\n");
}

static void
divisor_changes_nothing(void **state)
{
	const struct place *place = *state;
	struct weir_column columns[] = { WEIR_KEY_STR("name", "key"),
		WEIR_GAUGE_REAL("value", "s", 100, "value") };
	struct weir_schema schema = two_columns("divided", columns);
	struct weir_column finer[] = { WEIR_KEY_STR("name", "key"),
		WEIR_GAUGE_REAL("value", "s", 1000, "value") };
	struct weir_schema other = two_columns("divided", finer);
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, two_cells(&schema, 1, "a", (union weir_cell){ .i64 = 150 }));
	store_batch(ctx, two_cells(&other, 2, "a", (union weir_cell){ .i64 = 150 }));
	sqlite_end(ctx);
	expect(place->path, "SELECT value FROM divided ORDER BY time", "1.5\n0.15\n");
	expect(place->path, "SELECT type FROM sqlite_master WHERE name = 'divided'", "table\n");
}

static void
table_dropped_by_hand(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(&cpu_schema, 1, 1));
	user_does(place->path, "DROP TABLE cpu", NULL);
	struct weir_batch *batch = cpu_batch(&cpu_schema, 2, 2);
	struct weir_tally tally = { 0 };
	struct weir_err err = { 0 };
	assert_true(store_write(ctx, batch, &tally, &err) < 0);
	maker_free_batch(batch);
	store_batch(ctx, cpu_batch(&cpu_schema, 2, 2));
	sqlite_end(ctx);
	expect(place->path, "SELECT time FROM cpu", "2\n");
}

static void
column_dropped_by_hand(void **state)
{
	const struct place *place = *state;
	if (sqlite3_libversion_number() < 3035000) /* has no DROP COLUMN */
		skip();
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(&cpu_schema, 1, 1));
	sqlite_end(ctx);
	user_does(place->path, "ALTER TABLE cpu DROP COLUMN user_time", NULL);
	ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(&cpu_schema, 2, 2));
	sqlite_end(ctx);
	expect(place->path, "SELECT time, user_time FROM cpu", "1|~\n2|0.57\n");
	expect(place->path, "SELECT group_concat(column_name) FROM weir_schema WHERE schema = 'cpu'",
		"time,cluster,host,source,cpu,pages,user_time\n");
}

static void
many_schemas(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	struct weir_column columns[] = { WEIR_KEY_STR("name", "key"),
		WEIR_GAUGE_U64("value", "1", "value") };
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 270; i++) {
			char name[20];
			snprintf(name, sizeof(name), "many_%d", i);
			struct weir_schema schema = two_columns(name, columns);
			store_batch(ctx, two_cells(&schema, 1, "a", (union weir_cell){ .u64 = (uint64_t)i }));
		}
	sqlite_end(ctx);
	expect(place->path,
		"SELECT count(*) FROM sqlite_master WHERE name LIKE 'many%' AND type = 'table'", "270\n");
	expect(place->path, "SELECT value FROM many_0 UNION ALL SELECT value FROM many_269",
		"0\n0\n269\n269\n");
}

/* ---- what is refused ---- */

static struct weir_tally
refused(struct weir_ctx *ctx, const struct weir_schema *schema)
{
	struct weir_batch *bad = two_cells(schema, 1, "a", (union weir_cell){ .u64 = 1 });
	struct weir_batch *good = cpu_batch(&cpu_schema, 1, 0);
	const struct weir_batch *batches[] = { bad, good };
	struct witness witness[2];
	struct weir_tally tally[2] = { witness_tally(&witness[0], 1), witness_tally(&witness[1], 1) };
	struct weir_err err = { 0 };
	assert_int_equal(weir_plugin.store.write(sqlite_state(ctx), batches, 2, tally, &err), 0);
	assert_int_equal(store_commit(ctx, &err), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_true(witness_look(&witness[i], &tally[i]));
		witness_free(&witness[i]);
	}
	assert_int_equal(tally[0].refused, 1);
	assert_int_equal(tally[0].stored, 0);
	assert_int_equal(tally[1].stored, 1);
	assert_true(strlen(tally[0].reason) > 0);
	maker_free_batch(bad);
	maker_free_batch(good);
	return tally[0];
}

static void
schemas_that_cannot_be(void **state)
{
	const struct place *place = *state;
	static const char *const names[] = { "weir_mark", "weir_schema", "sqlite_x", "weir_r1_cpu",
		"weir_index_x", "UPPER", "a b", "" };
	struct weir_column columns[] = { WEIR_KEY_STR("name", "key"),
		WEIR_GAUGE_U64("value", "1", "value") };
	struct weir_ctx *ctx = sqlite_new(place->path);
	for (size_t i = 0; i < WEIR_COUNT(names); i++) {
		struct weir_schema schema = two_columns(names[i], columns);
		assert_non_null(strstr(refused(ctx, &schema).reason, "no table of a SQLite store"));
	}
	static const char *const bad_columns[] = { "host", "time", "name",
		"a\" INTEGER); DROP TABLE cpu; --", "" };
	for (size_t i = 0; i < WEIR_COUNT(bad_columns); i++) {
		columns[1].name = bad_columns[i];
		struct weir_schema schema = two_columns("good_name", columns);
		refused(ctx, &schema);
	}
	struct weir_column keyless[] = { WEIR_GAUGE_U64("name", "1", "value"),
		WEIR_GAUGE_U64("value", "1", "value") };
	keyless[0].type = WEIR_STR;
	struct weir_schema entity = {
		.name = "keyless", .help = "h", .flags = WEIR_ENTITY, .n_columns = 2, .columns = keyless
	};
	assert_non_null(strstr(refused(ctx, &entity).reason, "key"));
	sqlite_end(ctx);
	/* A reserved word is quoted, so it does no harm. */
	ctx = sqlite_new(place->path);
	columns[1].name = "select";
	struct weir_schema schema = two_columns("table", columns);
	assert_int_equal(
		store_batch(ctx, two_cells(&schema, 1, "a", (union weir_cell){ .u64 = 5 })).stored, 1);
	sqlite_end(ctx);
	expect(place->path, "SELECT \"select\" FROM \"table\"", "5\n");
	expect(place->path, "SELECT count(*) FROM weir_table", "2\n");
	expect(place->path, "SELECT count(*) FROM weir_mark", "0\n");
}

static void
unit_changes(void **state)
{
	const struct place *place = *state;
	struct weir_column columns[] = { WEIR_KEY_STR("name", "key"),
		WEIR_GAUGE_U64("value", "s", "value") };
	struct weir_schema schema = two_columns("timed", columns);
	struct weir_column other_columns[] = { WEIR_KEY_STR("name", "key"),
		WEIR_GAUGE_U64("value", "By", "value") };
	struct weir_schema other = two_columns("timed", other_columns);
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, two_cells(&schema, 1, "a", (union weir_cell){ .u64 = 1 }));
	struct weir_tally tally = refused(ctx, &other);
	assert_non_null(strstr(tally.reason, "'By'"));
	assert_non_null(strstr(tally.reason, "'s'"));
	sqlite_end(ctx);
	expect(place->path, "SELECT count(*) FROM timed", "1\n");
}

static void
too_many_columns(void **state)
{
	const struct place *place = *state;
	enum { WIDE = 2100 };
	struct weir_column *columns = calloc(WIDE, sizeof(*columns));
	char(*names)[16] = calloc(WIDE, sizeof(*names));
	columns[0] = (struct weir_column)WEIR_KEY_STR("name", "key");
	for (size_t i = 1; i < WIDE; i++) {
		snprintf(names[i], sizeof(names[i]), "c%zu", i);
		columns[i] = (struct weir_column)WEIR_GAUGE_U64(names[i], "1", "value");
	}
	struct weir_schema schema = {
		.name = "wide", .help = "h", .n_keys = 1, .n_columns = WIDE, .columns = columns
	};
	struct weir_ctx *ctx = sqlite_new(place->path);
	assert_non_null(strstr(refused(ctx, &schema).reason, "column"));
	sqlite_end(ctx);
	expect(place->path, "SELECT name FROM weir_table", "cpu\n");
	free(columns);
	free(names);
}

static void
missing_key_is_refused(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	for (int entity = 0; entity < 2; entity++) {
		struct maker *maker =
			maker_new(entity ? &item_schema : &cpu_schema, "hydra", "n001", "test");
		maker_row(maker, 1);
		maker_row(maker, 2);
		if (entity)
			maker_text(maker, 0, "x");
		else
			maker_u64(maker, 0, 4);
		struct weir_tally tally = store_batch(ctx, maker_close(maker, 1, 1));
		assert_int_equal(tally.stored, 1);
		assert_int_equal(tally.refused, 1);
		assert_string_equal(
			tally.reason, entity ? "key 'item' is missing" : "key 'cpu' is missing");
	}
	sqlite_end(ctx);
}

static void
row_refused_by_user(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(&cpu_schema, 1, 0));
	user_does(place->path,
		"CREATE TRIGGER odd BEFORE INSERT ON cpu WHEN new.cpu = 13"
		" BEGIN SELECT RAISE(ABORT, 'thirteen is not welcome'); END; CREATE UNIQUE INDEX once ON "
		"cpu (time, cpu)",
		NULL);
	struct maker *maker = maker_new(&cpu_schema, "hydra", "n001", "cpu");
	for (uint64_t i = 11; i < 16; i++) {
		maker_row(maker, 2);
		maker_u64(maker, 0, i == 15 ? 11 : i);
	}
	maker_row(maker, 2);
	struct weir_batch *batch = maker_close(maker, 1, 1);
	struct witness witness;
	struct weir_tally tally = witness_tally(&witness, batch->rows);
	struct weir_err err = { 0 };
	assert_int_equal(store_write(ctx, batch, &tally, &err), 0);
	assert_int_equal(store_commit(ctx, &err), 0);
	maker_free_batch(batch);
	assert_true(witness_look(&witness, &tally));
	assert_string_equal(witness.letters, "SSRSRR");
	assert_string_equal(witness.said,
		"2: thirteen is not welcome\n4: UNIQUE constraint failed: cpu.time, cpu.cpu\n"
		"5: key 'cpu' is missing\n");
	assert_string_equal(tally.reason, "key 'cpu' is missing");
	witness_free(&witness);
	expect(place->path, "SELECT cpu FROM cpu WHERE time = 2 ORDER BY cpu", "11\n12\n14\n");
	sqlite_end(ctx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(series_of_all_types, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(values_at_the_edge, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(schema_is_described, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(help_comes_later, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(indexes_of_hints, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(hostile_text, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(column_is_added, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(entity_gets_column, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(type_changes, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(keys_change, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(divisor_changes_nothing, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(table_dropped_by_hand, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(column_dropped_by_hand, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(many_schemas, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(schemas_that_cannot_be, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(unit_changes, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(too_many_columns, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(missing_key_is_refused, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(row_refused_by_user, place_set_up, place_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
