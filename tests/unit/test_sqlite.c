/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store sqlite: series of all types, tables that change, what is refused, readers and other writers.
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

/* Each test has a folder and the path of a database in it. */
struct place {
	char *folder, *path;
};

static int
set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	place->folder = folder_make();
	place->path = fs_join(place->folder, "weir.db");
	*state = place;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *place = *state;
	folder_remove(place->folder);
	free(place->path);
	free(place);
	return 0;
}

static const struct weir_column cpu_columns[] = {
	WEIR_KEY_U64("cpu", "number of the CPU"),
	WEIR_COUNTER_REAL("user_time", "s", 100, "time in user mode"),
	WEIR_GAUGE_U64("pages", "1", "pages in use"),
};
static const struct weir_schema cpu = WEIR_SERIES("cpu", cpu_columns, "a CPU");

static const struct weir_column host_columns[] = {
	WEIR_KEY_STR("item", "what"),
	WEIR_LABEL_STR("status", "how it is"),
	WEIR_GAUGE_F64("share", "1", "how much"),
};
static const struct weir_schema capability = WEIR_HOST_ENTITY("capability_x", host_columns, "an entity of a host");

static struct weir_batch *
cpu_batch(const struct weir_schema *schema, int64_t time, uint64_t number)
{
	struct maker *maker = maker_new(schema, "hydra", "n001", "cpu");
	maker_row(maker, time);
	maker_u64(maker, 0, number);
	maker_i64(maker, 1, 57);
	maker_u64(maker, 2, number);
	return maker_close(maker, 1, 1);
}

/* A schema of one key and one column. */
static struct weir_schema
two_columns(const char *name, struct weir_column columns[2])
{
	return (struct weir_schema){ .name = name, .help = "made for a test", .n_keys = 1, .n_columns = 2, .columns = columns };
}

static struct weir_batch *
two_cells(const struct weir_schema *schema, int64_t time, const char *key, union weir_cell value)
{
	struct maker *maker = maker_new(schema, "hydra", "n001", "test");
	maker_row(maker, time);
	maker_text(maker, 0, key);
	maker_u64(maker, 1, value.u64);
	return maker_close(maker, 1, (uint64_t)time);
}

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
		struct weir_schema *schema = seed == 0 ? full_schema(name, 0) : random_schema(&dice, name, 0, seed % 4, 1 + seed % 17);
		struct weir_batch *batch[3];
		for (size_t i = 0; i < 3; i++)
			batch[i] = random_batch(&dice, schema, dice_below(&dice, 90), (int64_t)i * 1000000, i);
		struct weir_tally tally[3];
		struct weir_err err = { 0 };
		assert_int_equal(weir_plugin.store.write(sqlite_state(ctx), (const struct weir_batch *const *)batch, 3, tally, &err), 0);
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
	expect(place->path, "SELECT time, quote(key_text_0), key_unsigned_1, key_signed_2, quote(col_text_3), col_unsigned_4,"
	       " col_signed_5, col_double_6, col_cents_7, col_nanos_10, col_truth_11, col_moment_12, quote(col_raw_13) FROM edge",
	       "-1|''|-1|-9223372036854775808|''|-9223372036854775808|~|~|0.57|-1.0e-09|1|~|X'0001'\n");
	free(schema);
}

static void
schema_is_described(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(&cpu, 1, 0));
	struct maker *maker = maker_new(&capability, "hydra", "n001", "test");
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
	expect(place->path, "SELECT column_name, type, kind FROM weir_schema WHERE schema = 'capability_x'",
	       "cluster|str|key\nhost|str|key\nitem|str|key\nstatus|str|label\nshare|f64|gauge\nversion|time|label\n"
	       "updated|time|label\nweir_incarnation|u64|label\nweir_sequence|u64|label\n");
	expect(place->path, "SELECT name, type, pk FROM pragma_table_info('capability_x')",
	       "cluster|TEXT|1\nhost|TEXT|2\nitem|TEXT|3\nstatus|TEXT|0\nshare|REAL|0\nversion|INTEGER|0\nupdated|INTEGER|0\n"
	       "weir_incarnation|INTEGER|0\nweir_sequence|INTEGER|0\n");
	expect(place->path, "SELECT name, type FROM pragma_table_info('cpu')",
	       "time|INTEGER\ncluster|TEXT\nhost|TEXT\nsource|TEXT\ncpu|INTEGER\nuser_time|REAL\npages|INTEGER\n");
	expect(place->path, "SELECT count(*) FROM weir_schema WHERE help LIKE '%2^63-1%64 bits%'", "1\n");
	expect(place->path, "PRAGMA journal_mode", "wal\n");
	expect(place->path, "PRAGMA user_version", "1\n");
}

static void
help_comes_later(void **state)
{
	const struct place *place = *state;
	/* As from the wire: the canonical text has no help. */
	char *text = weir_schema_text(&cpu);
	struct weir_err err = { 0 };
	struct weir_schema *bare = weir_schema_parse(text, &err);
	assert_non_null(bare);
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(bare, 1, 0));
	expect(place->path, "SELECT help FROM weir_schema WHERE schema = 'cpu' AND column_name = 'pages'", "\n");
	sqlite_end(ctx);
	ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(&cpu, 2, 0));
	expect(place->path, "SELECT help FROM weir_schema WHERE schema = 'cpu' AND column_name = 'pages'", "pages in use\n");
	sqlite_end(ctx);
	ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(bare, 3, 0));
	expect(place->path, "SELECT help FROM weir_schema WHERE schema = 'cpu' AND column_name = 'pages'", "pages in use\n");
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
	struct weir_schema schema = capability;
	schema.indexes = hints;
	struct weir_ctx *ctx = sqlite_new(place->path);
	struct maker *maker = maker_new(&schema, "hydra", "n001", "test");
	maker_row(maker, 5);
	maker_text(maker, 0, "ipmi");
	store_batch(ctx, maker_close(maker, 1, 1));
	store_batch(ctx, cpu_batch(&cpu, 1, 0));
	sqlite_end(ctx);
	expect(place->path, "SELECT m.tbl_name, group_concat(i.name, '+') FROM sqlite_master m, pragma_index_info(m.name) i"
	       " WHERE m.name LIKE 'weir\\_index\\_r%' ESCAPE '\\' GROUP BY m.name ORDER BY m.name",
	       "capability_x|share+item\ncapability_x|status\ncpu|time\n");
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
	store_batch(ctx, cpu_batch(&cpu, 1, 0));
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
	found = exact_table(place->path, "version, cluster, host, cluster, name, label", "hostile_entity");
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
	struct weir_schema narrow = cpu;
	narrow.n_columns = 2;
	struct weir_column turned[] = { cpu_columns[0], cpu_columns[2] };
	struct weir_schema other = two_columns("cpu", turned);
	struct weir_ctx *ctx = sqlite_new(place->path);
	struct maker *maker = maker_new(&narrow, "hydra", "n001", "cpu");
	maker_row(maker, 1);
	maker_u64(maker, 0, 1);
	maker_i64(maker, 1, 100);
	store_batch(ctx, maker_close(maker, 1, 1));
	store_batch(ctx, cpu_batch(&cpu, 2, 2));
	maker = maker_new(&other, "hydra", "n001", "cpu");
	maker_row(maker, 3);
	maker_u64(maker, 0, 3);
	maker_u64(maker, 1, 3);
	store_batch(ctx, maker_close(maker, 1, 1));
	sqlite_end(ctx);
	expect(place->path, "SELECT time, cpu, user_time, pages FROM cpu", "1|1|1.0|~\n2|2|0.57|2\n3|3|~|3\n");
	expect(place->path, "SELECT name, type FROM sqlite_master WHERE tbl_name = 'cpu' AND type <> 'index'", "cpu|table\n");
	expect(place->path, "SELECT group_concat(column_name) FROM weir_schema WHERE schema = 'cpu'",
	       "time,cluster,host,source,cpu,user_time,pages\n");
}

static void
entity_gets_column(void **state)
{
	const struct place *place = *state;
	struct weir_schema narrow = capability;
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
	maker = maker_new(&capability, "hydra", "n001", "test");
	maker_row(maker, 2);
	maker_text(maker, 0, "a");
	maker_text(maker, 1, "new");
	maker_f64(maker, 2, 0.5);
	assert_int_equal(store_batch(ctx, maker_close(maker, 1, 2)).stored, 1);
	expect(place->path, "SELECT group_concat(name) FROM pragma_table_info('capability_x')",
	       "cluster,host,item,status,share,version,updated,weir_incarnation,weir_sequence\n");
	expect(place->path, "SELECT item, status, share, version FROM capability_x ORDER BY item", "a|new|0.5|2\nb|old|~|1\n");
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
	expect(place->path, "SELECT item, status, share, version, weir_sequence FROM capability_x ORDER BY item",
	       "a|newer|~|3|4\nb|old|~|1|1\n");
}

static void
type_changes(void **state)
{
	const struct place *place = *state;
	struct weir_column columns[] = { WEIR_KEY_STR("name", "key"), WEIR_GAUGE_U64("value", "1", "first") };
	struct weir_schema schema = two_columns("gauge", columns);
	struct weir_ctx *ctx = sqlite_new(place->path);
	user_does(place->path, "CREATE VIEW mine AS SELECT value FROM gauge", NULL);
	store_batch(ctx, two_cells(&schema, 1, "a", (union weir_cell){ .u64 = UINT64_MAX }));
	store_batch(ctx, two_cells(&schema, 2, "b", (union weir_cell){ .u64 = 7 }));
	struct weir_column real[] = { WEIR_KEY_STR("name", "key"), WEIR_GAUGE_F64("value", "1", "second") };
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
	       "1|a|text|18446744073709551615\n2|b|text|7\n3|c|text|2.5\n4|d|text|8\n5|e|text|0.25\n6|f|text|much\n");
	expect(place->path, "SELECT name, type FROM sqlite_master WHERE name LIKE '%gauge' ORDER BY name",
	       "gauge|view\nweir_r1_gauge|table\nweir_r2_gauge|table\nweir_r3_gauge|table\n");
	expect(place->path, "SELECT type, help FROM weir_schema WHERE schema = 'gauge' AND column_name = 'value'", "str|third\n");
	expect(place->path, "SELECT count(*) FROM mine", "6\n");
	expect(place->path, "PRAGMA integrity_check", "ok\n");
}

static void
keys_change(void **state)
{
	const struct place *place = *state;
	struct weir_column columns[] = { WEIR_KEY_STR("name", "key"), WEIR_GAUGE_U64("value", "1", "value") };
	struct weir_schema schema = two_columns("keyed", columns);
	struct weir_column more[] = { WEIR_KEY_STR("name", "key"), WEIR_KEY_U64("place", "key"), WEIR_GAUGE_U64("value", "1", "value") };
	struct weir_schema wider = { .name = "keyed", .help = "h", .n_keys = 2, .n_columns = 3, .columns = more };
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
	expect(place->path, "SELECT time, name, place, value FROM keyed ORDER BY time", "1|a|~|1\n2|a|9|2\n3|a|~|3\n");
	expect(place->path, "SELECT column_name, kind FROM weir_schema WHERE schema = 'keyed' AND kind = 'key'",
	       "name|key\nplace|key\n");
}

static void
divisor_changes_nothing(void **state)
{
	const struct place *place = *state;
	struct weir_column columns[] = { WEIR_KEY_STR("name", "key"), WEIR_GAUGE_REAL("value", "s", 100, "value") };
	struct weir_schema schema = two_columns("divided", columns);
	struct weir_column finer[] = { WEIR_KEY_STR("name", "key"), WEIR_GAUGE_REAL("value", "s", 1000, "value") };
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
	store_batch(ctx, cpu_batch(&cpu, 1, 1));
	user_does(place->path, "DROP TABLE cpu", NULL);
	struct weir_batch *batch = cpu_batch(&cpu, 2, 2);
	struct weir_tally tally;
	struct weir_err err = { 0 };
	assert_true(store_write(ctx, batch, &tally, &err) < 0);
	maker_free_batch(batch);
	store_batch(ctx, cpu_batch(&cpu, 2, 2));
	sqlite_end(ctx);
	expect(place->path, "SELECT time FROM cpu", "2\n");
}

static void
many_schemas(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	struct weir_column columns[] = { WEIR_KEY_STR("name", "key"), WEIR_GAUGE_U64("value", "1", "value") };
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 270; i++) {
			char name[20];
			snprintf(name, sizeof(name), "many_%d", i);
			struct weir_schema schema = two_columns(name, columns);
			store_batch(ctx, two_cells(&schema, 1, "a", (union weir_cell){ .u64 = (uint64_t)i }));
		}
	sqlite_end(ctx);
	expect(place->path, "SELECT count(*) FROM sqlite_master WHERE name LIKE 'many%' AND type = 'table'", "270\n");
	expect(place->path, "SELECT value FROM many_0 UNION ALL SELECT value FROM many_269", "0\n0\n269\n269\n");
}

/* ---- what is refused ---- */

static struct weir_tally
refused(struct weir_ctx *ctx, const struct weir_schema *schema)
{
	struct weir_batch *bad = two_cells(schema, 1, "a", (union weir_cell){ .u64 = 1 });
	struct weir_batch *good = cpu_batch(&cpu, 1, 0);
	const struct weir_batch *batches[] = { bad, good };
	struct weir_tally tally[2];
	struct weir_err err = { 0 };
	assert_int_equal(weir_plugin.store.write(sqlite_state(ctx), batches, 2, tally, &err), 0);
	assert_int_equal(store_commit(ctx, &err), 0);
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
	static const char *const names[] = { "weir_mark", "weir_schema", "sqlite_x", "weir_r1_cpu", "weir_index_x", "UPPER", "a b", "" };
	struct weir_column columns[] = { WEIR_KEY_STR("name", "key"), WEIR_GAUGE_U64("value", "1", "value") };
	struct weir_ctx *ctx = sqlite_new(place->path);
	for (size_t i = 0; i < WEIR_COUNT(names); i++) {
		struct weir_schema schema = two_columns(names[i], columns);
		refused(ctx, &schema);
	}
	static const char *const bad_columns[] = { "host", "time", "name", "a\" INTEGER); DROP TABLE cpu; --", "" };
	for (size_t i = 0; i < WEIR_COUNT(bad_columns); i++) {
		columns[1].name = bad_columns[i];
		struct weir_schema schema = two_columns("good_name", columns);
		refused(ctx, &schema);
	}
	struct weir_column keyless[] = { WEIR_GAUGE_U64("name", "1", "value"), WEIR_GAUGE_U64("value", "1", "value") };
	keyless[0].type = WEIR_STR;
	struct weir_schema entity = { .name = "keyless", .help = "h", .flags = WEIR_ENTITY, .n_columns = 2, .columns = keyless };
	assert_non_null(strstr(refused(ctx, &entity).reason, "key"));
	sqlite_end(ctx);
	/* A reserved word is quoted, so it does no harm. */
	ctx = sqlite_new(place->path);
	columns[1].name = "select";
	struct weir_schema schema = two_columns("table", columns);
	assert_int_equal(store_batch(ctx, two_cells(&schema, 1, "a", (union weir_cell){ .u64 = 5 })).stored, 1);
	sqlite_end(ctx);
	expect(place->path, "SELECT \"select\" FROM \"table\"", "5\n");
	expect(place->path, "SELECT count(*) FROM weir_table", "2\n");
	expect(place->path, "SELECT count(*) FROM weir_mark", "0\n");
}

static void
unit_changes(void **state)
{
	const struct place *place = *state;
	struct weir_column columns[] = { WEIR_KEY_STR("name", "key"), WEIR_GAUGE_U64("value", "s", "value") };
	struct weir_schema schema = two_columns("timed", columns);
	struct weir_column other_columns[] = { WEIR_KEY_STR("name", "key"), WEIR_GAUGE_U64("value", "By", "value") };
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
	char (*names)[16] = calloc(WIDE, sizeof(*names));
	columns[0] = (struct weir_column)WEIR_KEY_STR("name", "key");
	for (size_t i = 1; i < WIDE; i++) {
		snprintf(names[i], sizeof(names[i]), "c%zu", i);
		columns[i] = (struct weir_column)WEIR_GAUGE_U64(names[i], "1", "value");
	}
	struct weir_schema schema = { .name = "wide", .help = "h", .n_keys = 1, .n_columns = WIDE, .columns = columns };
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
		struct maker *maker = maker_new(entity ? &capability : &cpu, "hydra", "n001", "test");
		maker_row(maker, 1);
		maker_row(maker, 2);
		if (entity)
			maker_text(maker, 0, "x");
		else
			maker_u64(maker, 0, 4);
		struct weir_tally tally = store_batch(ctx, maker_close(maker, 1, 1));
		assert_int_equal(tally.stored, 1);
		assert_int_equal(tally.refused, 1);
		assert_string_equal(tally.reason, entity ? "key 'item' is missing" : "key 'cpu' is missing");
	}
	sqlite_end(ctx);
}

static void
row_refused_by_user(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(&cpu, 1, 0));
	user_does(place->path, "CREATE TRIGGER odd BEFORE INSERT ON cpu WHEN new.cpu = 13"
	          " BEGIN SELECT RAISE(ABORT, 'thirteen is not welcome'); END; CREATE UNIQUE INDEX once ON cpu (time, cpu)", NULL);
	struct maker *maker = maker_new(&cpu, "hydra", "n001", "cpu");
	for (uint64_t i = 11; i < 16; i++) {
		maker_row(maker, 2);
		maker_u64(maker, 0, i == 15 ? 11 : i);
	}
	struct weir_tally tally = store_batch(ctx, maker_close(maker, 1, 1));
	assert_int_equal(tally.stored, 3);
	assert_int_equal(tally.refused, 2);
	assert_string_equal(tally.reason, "UNIQUE constraint failed: cpu.time, cpu.cpu");
	expect(place->path, "SELECT cpu FROM cpu WHERE time = 2 ORDER BY cpu", "11\n12\n14\n");
	sqlite_end(ctx);
}

/* ---- steps ---- */

static void
nothing_before_commit(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(&cpu, 1, 0));
	struct weir_batch *batch = cpu_batch(&cpu, 2, 0);
	struct weir_tally tally;
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
	struct weir_column columns[] = { WEIR_KEY_STR("name", "key"), WEIR_GAUGE_U64("value", "1", "value") };
	struct weir_schema schema = two_columns("later", columns);
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, two_cells(&schema, 1, "a", (union weir_cell){ .u64 = 1 }));
	sqlite_end(ctx);
	/* A trigger over a table that is not there fails when the statement is prepared. */
	user_does(place->path, "CREATE TRIGGER broken AFTER INSERT ON later BEGIN INSERT INTO absent VALUES (1); END", NULL);
	ctx = sqlite_new(place->path);
	struct weir_batch *first = cpu_batch(&cpu, 1, 0);
	struct weir_batch *second = two_cells(&schema, 2, "b", (union weir_cell){ .u64 = 2 });
	struct weir_tally tally;
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
	/* One that rolls back all: the earlier write is gone, so the commit fails and the whole step is written again. */
	user_does(place->path, "CREATE TRIGGER hard BEFORE INSERT ON later BEGIN SELECT RAISE(ROLLBACK, 'no'); END", NULL);
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
commit_marks(struct weir_ctx *ctx, const char *source, uint64_t epoch, const struct weir_mark *mark, size_t n, struct weir_err *err)
{
	const struct weir_hold hold = { .source = source, .epoch = epoch, .lease_until = 77 };
	return weir_plugin.store.commit(sqlite_state(ctx),
		&(struct weir_commit){ .marks = { mark, n }, .hold = &hold, .n_hold = 1, .sync = true }, err);
}

static void
claims_and_marks(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	struct weir_claim claim = { .source = "files/sge", .holder = "n001 /var/lib/weir", .lease_until = 5 };
	uint64_t epoch = 0;
	struct weir_marks marks;
	struct weir_err err = { 0 };
	assert_int_equal(weir_plugin.store.claim(sqlite_state(ctx), &claim, &epoch, &marks, &err), 0);
	assert_int_equal(epoch, 1);
	assert_int_equal(marks.n, 0);
	static const char data[] = "line\0two";
	const struct weir_mark written[] = {
		{ .source = "files/sge", .item = "b'; --", .identity = "same", .data = data, .size = sizeof(data) },
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
	struct weir_batch *batch = cpu_batch(&cpu, 1, 0);
	struct weir_tally tally;
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
	expect(place->path, "SELECT source, epoch, holder, lease_until FROM weir_claim", "files/sge|2|n001 /var/lib/weir|77\n");
	expect(place->path, "SELECT count(*) FROM cpu", "1\n");
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
	store_batch(ctx, cpu_batch(&cpu, 1, 0));
	sqlite_end(ctx);
	sqlite_end(sqlite_new(place->path));
	expect(place->path, "SELECT count(*) FROM cpu", "1\n");
}

static void
locked_by_user(void **state)
{
	const struct place *place = *state;
	struct weir_err err = { 0 };
	struct weir_ctx *ctx = sqlite_try(place->path, (const char *const[]){ "busy_timeout", "10ms", NULL }, &err);
	assert_non_null(ctx);
	store_batch(ctx, cpu_batch(&cpu, 1, 0));
	sqlite3 *user = NULL;
	user_does(place->path, "BEGIN EXCLUSIVE", &user);
	struct weir_batch *batch = cpu_batch(&cpu, 2, 0);
	struct weir_tally tally;
	assert_int_equal(store_write(ctx, batch, &tally, &err), -EAGAIN);
	assert_non_null(strstr(err.text, "another program writes"));
	const struct weir_mark mark = { .source = "s", .item = "", .identity = "", .data = "1", .size = 1 };
	assert_int_equal(commit_marks(ctx, "s", 1, &mark, 1, &err), -EAGAIN);
	uint64_t epoch = 0;
	struct weir_marks marks;
	assert_int_equal(weir_plugin.store.claim(sqlite_state(ctx), &(struct weir_claim){ .source = "s" }, &epoch, &marks, &err), -EAGAIN);
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
	store_batch(ctx, cpu_batch(&cpu, 1, 0));
	sqlite3 *user = NULL;
	user_does(place->path, "BEGIN; SELECT count(*) FROM cpu", &user);
	struct weir_err err = { 0 };
	for (int64_t i = 0; i < 40; i++) {
		struct maker *maker = maker_new(&cpu, "hydra", "n001", "cpu");
		for (uint64_t k = 0; k < 2000; k++) {
			maker_row(maker, i);
			maker_u64(maker, 0, k);
		}
		store_batch(ctx, maker_close(maker, 1, 1));
		assert_int_equal(weir_plugin.store.tend(sqlite_state(ctx), 0, &err), 0);
	}
	/* The reader has its state of before and is not disturbed. */
	sqlite3_stmt *statement = NULL;
	assert_int_equal(sqlite3_prepare_v2(user, "SELECT count(*) FROM cpu", -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(statement, 0), 1);
	sqlite3_finalize(statement);
	sqlite3_close(user);
	/* Once it is gone the log begins anew instead of growing on. */
	assert_int_equal(weir_plugin.store.tend(sqlite_state(ctx), 0, &err), 0);
	off_t before = size_of(place->path, "-wal");
	for (int64_t i = 0; i < 100; i++)
		store_batch(ctx, cpu_batch(&cpu, i, 0));
	assert_true(size_of(place->path, "-wal") <= before);
	sqlite_end(ctx);
	expect(place->path, "SELECT count(*) FROM cpu", "80101\n");
}

static void
file_taken_away(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(&cpu, 1, 0));
	char *other = fs_join(place->folder, "aside.db");
	assert_int_equal(rename(place->path, other), 0);
	store_batch(ctx, cpu_batch(&cpu, 2, 0));
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
	store_batch(ctx, cpu_batch(&cpu, 1, 0));
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
	store_batch(ctx, cpu_batch(&cpu, 1, 0));
	sqlite_end(ctx);
	sqlite3 *user = NULL;
	user_does(place->path, "PRAGMA user_version = 2; PRAGMA wal_checkpoint(TRUNCATE); CREATE TABLE newer (a)", &user);
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
	assert_true(err.code < 0);
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
	struct weir_ctx *ctx = sqlite_try(place->path, (const char *const[]){ "keep_age", "10s", NULL }, &err);
	assert_non_null(ctx);
	struct maker *maker = maker_new(&cpu, "hydra", "n001", "cpu");
	for (int64_t i = 0; i < 9000; i++) {
		/* Not in the order of time. */
		maker_row(maker, (i * 7919 % 9000) * 10000);
		maker_u64(maker, 0, 1);
	}
	store_batch(ctx, maker_close(maker, 1, 1));
	maker = maker_new(&capability, "hydra", "n001", "test");
	maker_row(maker, 1);
	maker_text(maker, 0, "old");
	store_batch(ctx, maker_close(maker, 1, 1));
	assert_int_equal(weir_plugin.store.tend(sqlite_state(ctx), 80000000, &err), 0);
	expect(place->path, "SELECT count(*), min(time) FROM cpu", "2000|70000000\n");
	assert_int_equal(weir_plugin.store.tend(sqlite_state(ctx), 1000000000, &err), 0);
	expect(place->path, "SELECT count(*) FROM cpu", "0\n");
	expect(place->path, "SELECT count(*) FROM capability_x", "1\n");
	sqlite_end(ctx);
	ctx = sqlite_new(place->path);
	store_batch(ctx, cpu_batch(&cpu, 1, 0));
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
		snprintf(answers->text + used, sizeof(answers->text) - used, "%s=%s;", names[i], values[i] ? values[i] : "~");
	}
	return ++answers->rows == answers->stop_at ? -ECANCELED : 0;
}

static void
queries(void **state)
{
	const struct place *place = *state;
	struct weir_ctx *ctx = sqlite_new(place->path);
	for (int64_t i = 0; i < 5; i++)
		store_batch(ctx, cpu_batch(&cpu, i, (uint64_t)i));
	struct answers answers = { 0 };
	const char *const parameters[] = { "2", "n001" };
	struct weir_query query = { .sql = "SELECT time, user_time, NULL AS blank FROM cpu WHERE time > ? AND host = ? ORDER BY time",
		.parameters = parameters, .n_parameters = 2, .row = take_row, .closure = &answers };
	struct weir_err err = { 0 };
	/* While a step is under way, too. */
	struct weir_batch *batch = cpu_batch(&cpu, 9, 9);
	struct weir_tally tally;
	assert_int_equal(store_write(ctx, batch, &tally, &err), 0);
	assert_int_equal(weir_plugin.store.query(sqlite_state(ctx), &query, &err), 0);
	assert_string_equal(answers.text, "time=3;user_time=0.57;blank=~;time=4;user_time=0.57;blank=~;");
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
	struct weir_ctx *report = sqlite_try(place->path, (const char *const[]){ "read_only", "yes", NULL }, &err);
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
	store_batch(ctx, cpu_batch(&cpu, 10, 0));
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
		cmocka_unit_test_setup_teardown(series_of_all_types, set_up, tear_down),
		cmocka_unit_test_setup_teardown(values_at_the_edge, set_up, tear_down),
		cmocka_unit_test_setup_teardown(schema_is_described, set_up, tear_down),
		cmocka_unit_test_setup_teardown(help_comes_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(indexes_of_hints, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hostile_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(column_is_added, set_up, tear_down),
		cmocka_unit_test_setup_teardown(entity_gets_column, set_up, tear_down),
		cmocka_unit_test_setup_teardown(type_changes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keys_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(divisor_changes_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(table_dropped_by_hand, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_schemas, set_up, tear_down),
		cmocka_unit_test_setup_teardown(schemas_that_cannot_be, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unit_changes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_many_columns, set_up, tear_down),
		cmocka_unit_test_setup_teardown(missing_key_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(row_refused_by_user, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_before_commit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(later_write_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(claims_and_marks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_writer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(locked_by_user, set_up, tear_down),
		cmocka_unit_test_setup_teardown(readers_meanwhile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(file_taken_away, set_up, tear_down),
		cmocka_unit_test_setup_teardown(formats_of_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(newer_with_log, set_up, tear_down),
		cmocka_unit_test_setup_teardown(paths, set_up, tear_down),
		cmocka_unit_test_setup_teardown(old_rows_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(queries, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
