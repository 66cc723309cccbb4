/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store sqlite against its floor: the same values inserted into the same tables (indexes,
 * pragmas, rows per transaction) by a bare loop over a prepared statement. CPU time of the process,
 * the best of several rounds in turn.
 *
 * needs: sqlite3
 * with: plugins/stores/sqlite tests/unit/store_batches.c tests/unit/sqlite_store.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "tests/unit/sqlite_store.h"
#include "tests/unit/store_batches.h"

enum { ROWS = 512, BATCHES = 8, COMMITS = 10, ROUNDS = 7, MOST = 64 };

/* One kind of table: `keys` text keys, then columns of one type. */
struct kind {
	const char *name;
	size_t keys, columns;
	enum weir_type type;
	int64_t divisor;
};
static const struct kind kinds[] = {
	{ "wide_u64", 0, 50, WEIR_U64, 0 },
	{ "narrow_real", 1, 10, WEIR_F64, 100 },
	{ "narrow_f64", 1, 4, WEIR_F64, 0 },
	{ "text", 2, 4, WEIR_STR, 0 },
};

struct cost {
	double cpu, wall; /* ns per value */
};

static void
schema_of(const struct kind *kind, struct weir_schema *schema, struct weir_column *columns,
	char (*names)[32])
{
	size_t n = kind->keys + kind->columns;
	for (size_t i = 0; i < n; i++) {
		snprintf(names[i], sizeof(names[i]), "column_%zu", i);
		columns[i] = i < kind->keys ? (struct weir_column)WEIR_KEY_STR(names[i], "key")
									: (struct weir_column){ .name = names[i],
										  .type = kind->type,
										  .unit = "1",
										  .help = "value",
										  .role = kind->type == WEIR_STR ? WEIR_LABEL : WEIR_GAUGE,
										  .divisor = kind->divisor };
	}
	*schema = (struct weir_schema){ .name = kind->name,
		.help = "made for a benchmark",
		.n_keys = (uint32_t)kind->keys,
		.n_columns = n,
		.columns = columns };
}

static struct weir_batch *
make_batch(
	const struct kind *kind, const struct weir_schema *schema, struct dice *dice, int64_t time)
{
	struct maker *maker = maker_new(schema, "hydra", "n001", "bench");
	for (int row = 0; row < ROWS; row++) {
		maker_row(maker, time + row / 8 * 1000000);
		for (size_t i = 0; i < schema->n_columns; i++) {
			char text[16];
			snprintf(text, sizeof(text), "device%d", (int)dice_below(dice, 40));
			if (i < kind->keys || kind->type == WEIR_STR)
				maker_text(maker, i, text);
			else if (kind->type == WEIR_F64 && !kind->divisor)
				maker_f64(maker, i, (double)dice_below(dice, 1000000) / 1000);
			else
				maker_u64(maker, i, dice_roll(dice) >> (16 + dice_below(dice, 40)));
		}
	}
	return maker_close(maker, 1, 1);
}

static struct cost
cost_since(int64_t cpu, int64_t wall, const struct weir_schema *schema)
{
	double values = (double)COMMITS * BATCHES * ROWS * (double)schema->n_columns;
	return (struct cost){ (double)(clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / values,
		(double)(clock_mono_ns() - wall) / values };
}

static struct cost
run_store(const char *path, const struct weir_batch *const *batches)
{
	struct weir_err err = { 0 };
	struct weir_tally tally[BATCHES] = { 0 };
	extern const struct weir_plugin weir_plugin;
	struct weir_ctx *ctx = sqlite_new(path);
	int64_t cpu = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
	int64_t wall = clock_mono_ns();
	for (size_t i = 0; i < COMMITS; i++)
		if (weir_plugin.store.write(
				sqlite_state(ctx), batches + i * BATCHES, BATCHES, tally, &err) ||
			store_commit(ctx, &err)) {
			fprintf(stderr, "%s\n", err.text);
			exit(1);
		}
	struct cost cost = cost_since(cpu, wall, batches[0]->schema);
	sqlite_end(ctx);
	return cost;
}

/* ---- the floor ---- */

static void
must(sqlite3 *db, int code)
{
	if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW)
		return;
	fprintf(stderr, "%s\n", sqlite3_errmsg(db));
	exit(1);
}

static sqlite3 *
open_like(const char *path, const char *model, const char *table)
{
	sqlite3 *db = NULL;
	must(db, sqlite3_open_v2(path, &db,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL));
	must(
		db, sqlite3_exec(db,
				"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -1024;"
				"PRAGMA journal_size_limit = 16777216; PRAGMA secure_delete = OFF",
				NULL, NULL, NULL));
	char *sql = sqlite3_mprintf(
		"SELECT sql || ';' FROM sqlite_master WHERE tbl_name = %Q AND sql NOT NULL", table);
	char *definition = ask(model, sql);
	must(db, sqlite3_exec(db, definition, NULL, NULL, NULL));
	free(definition);
	sqlite3_free(sql);
	return db;
}

static sqlite3_stmt *
prepare_insert(sqlite3 *db, const struct weir_schema *schema)
{
	sqlite3_str *text = sqlite3_str_new(db);
	sqlite3_str_appendf(text, "INSERT INTO %s VALUES (?,?,?,?", schema->name);
	for (size_t i = 0; i < schema->n_columns; i++)
		sqlite3_str_appendall(text, ",?");
	sqlite3_str_appendall(text, ")");
	char *sql = sqlite3_str_finish(text);
	sqlite3_stmt *insert = NULL;
	must(db, sqlite3_prepare_v2(db, sql, -1, &insert, NULL));
	sqlite3_free(sql);
	return insert;
}

/* All that a loop which knows its types beforehand must do. */
static void
insert_bare(sqlite3_stmt *insert, const struct kind *kind, const struct weir_batch *batch)
{
	for (size_t row = 0; row < batch->rows; row++) {
		sqlite3_bind_int64(insert, 1, batch->time[row]);
		sqlite3_bind_text(insert, 2, "hydra", 5, SQLITE_STATIC);
		sqlite3_bind_text(insert, 3, "n001", 4, SQLITE_STATIC);
		sqlite3_bind_text(insert, 4, "bench", 5, SQLITE_STATIC);
		int parameter = 5;
		for (size_t i = 0; i < batch->schema->n_columns; i++, parameter++) {
			union weir_cell cell = batch->column[i].cell[row];
			if (i < kind->keys || kind->type == WEIR_STR)
				sqlite3_bind_text(insert, parameter, batch->symbol[cell.u64].text,
					(int)batch->symbol[cell.u64].length, SQLITE_STATIC);
			else if (kind->type == WEIR_F64)
				sqlite3_bind_double(
					insert, parameter, kind->divisor ? (double)cell.i64 / 100 : cell.f64);
			else
				sqlite3_bind_int64(insert, parameter, cell.i64);
		}
		sqlite3_step(insert);
		sqlite3_reset(insert);
	}
}

static struct cost
run_floor(const char *path, const char *model, const struct kind *kind,
	const struct weir_batch *const *batches)
{
	sqlite3 *db = open_like(path, model, kind->name);
	sqlite3_stmt *insert = prepare_insert(db, batches[0]->schema);
	int64_t cpu = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
	int64_t wall = clock_mono_ns();
	for (size_t i = 0; i < COMMITS; i++) {
		must(db, sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
		for (size_t b = 0; b < BATCHES; b++)
			insert_bare(insert, kind, batches[i * BATCHES + b]);
		must(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL));
	}
	struct cost cost = cost_since(cpu, wall, batches[0]->schema);
	must(db, sqlite3_finalize(insert));
	sqlite3_close(db);
	return cost;
}

/* ---- */

static void
keep_best(struct cost *best, struct cost cost)
{
	if (best->cpu == 0 || cost.cpu < best->cpu)
		best->cpu = cost.cpu;
	if (best->wall == 0 || cost.wall < best->wall)
		best->wall = cost.wall;
}

static void
compare(const struct kind *kind)
{
	struct weir_column columns[MOST];
	char names[MOST][32];
	struct weir_schema schema;
	schema_of(kind, &schema, columns, names);
	struct dice dice = { 1 };
	struct weir_batch *batch[COMMITS * BATCHES];
	for (size_t i = 0; i < COMMITS * BATCHES; i++)
		batch[i] = make_batch(kind, &schema, &dice, 1700000000000000 + (int64_t)i * 100000000);
	struct cost ours = { 0 };
	struct cost floor = { 0 };
	int rounds = getenv("BENCH_QUICK") ? 2 : ROUNDS;
	for (int round = 0; round < rounds; round++) {
		char *folder = folder_make();
		char *path = fs_join(folder, "ours.db");
		char *bare = fs_join(folder, "bare.db");
		keep_best(&ours, run_store(path, (const struct weir_batch *const *)batch));
		keep_best(&floor, run_floor(bare, path, kind, (const struct weir_batch *const *)batch));
		char *sql = sqlite3_mprintf("SELECT count(*) FROM %s", kind->name);
		char *count = ask(path, sql);
		expect(bare, sql, count);
		sqlite3_free(sql);
		free(count);
		free(path);
		free(bare);
		folder_remove(folder);
	}
	printf("sqlite %-12s %2zu columns: %6.1f ns/value CPU, floor %6.1f, ratio %.2f (wall %6.1f, "
		   "floor %6.1f)\n",
		kind->name, schema.n_columns, ours.cpu, floor.cpu, ours.cpu / floor.cpu, ours.wall,
		floor.wall);
	/* For the table of all benchmarks. */
	printf("row\tstore SQLite alone, %s, CPU\tns/value\t%.2f\tbare prepared "
		   "inserts\t%.2f\tratio<=1.3\n",
		kind->name, ours.cpu, floor.cpu);
	for (size_t i = 0; i < COMMITS * BATCHES; i++)
		maker_free_batch(batch[i]);
}

int
main(void)
{
	for (size_t i = 0; i < WEIR_COUNT(kinds); i++)
		compare(&kinds[i]);
	return 0;
}
