/* SPDX-License-Identifier: Apache-2.0 */
/* Help for the tests of the store sqlite. */
#include "sqlite_store.h"

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/text.h"
#include "plugin/instance.h"
#include "plugin/option.h"
#include "store_batches.h"

extern const struct weir_plugin weir_plugin;

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	abort();
}

char *
folder_make(void)
{
	/* Memory where there is some: what a kill leaves is the same, and each new database waits for
	 * the disk several times. */
	char *folder = strdup(
		access("/dev/shm", W_OK) == 0 ? "/dev/shm/weir-sqlite-XXXXXX" : "/tmp/weir-sqlite-XXXXXX");
	if (!folder || !mkdtemp(folder))
		die("mkdtemp", "no folder");
	return folder;
}

int
place_set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	if (!place)
		die("place", "out of memory");
	place->folder = folder_make();
	place->path = fs_join(place->folder, "weir.db");
	*state = place;
	return 0;
}

int
place_tear_down(void **state)
{
	struct place *place = *state;
	folder_remove(place->folder);
	free(place->path);
	free(place);
	return 0;
}

static const struct weir_column host_columns[] = {
	WEIR_KEY_STR("item", "what"),
	WEIR_LABEL_STR("status", "how it is"),
	WEIR_GAUGE_F64("share", "1", "how much"),
};
const struct weir_schema item_schema =
	WEIR_HOST_ENTITY("item", host_columns, "an entity of a host");

struct weir_schema
two_columns(const char *name, struct weir_column columns[2])
{
	return (struct weir_schema){
		.name = name, .help = "made for a test", .n_keys = 1, .n_columns = 2, .columns = columns
	};
}

struct weir_batch *
two_cells(const struct weir_schema *schema, int64_t time, const char *key, union weir_cell value)
{
	struct maker *maker = maker_new(schema, "hydra", "n001", "test");
	maker_row(maker, time);
	maker_text(maker, 0, key);
	maker_u64(maker, 1, value.u64);
	return maker_close(maker, 1, (uint64_t)time);
}

static const struct weir_column cpu_columns[] = {
	WEIR_KEY_U64("cpu", "number of the CPU"),
	WEIR_COUNTER_REAL("user_time", "s", 100, "time in user mode"),
	WEIR_GAUGE_U64("pages", "1", "pages in use"),
};
const struct weir_schema cpu_schema = WEIR_SERIES("cpu", cpu_columns, "a CPU");

struct weir_batch *
cpu_batch(const struct weir_schema *schema, int64_t time, uint64_t cpu)
{
	struct maker *maker = maker_new(schema, "hydra", "n001", "cpu");
	maker_row(maker, time);
	maker_u64(maker, 0, cpu);
	maker_i64(maker, 1, 57);
	maker_u64(maker, 2, cpu);
	return maker_close(maker, 1, 1);
}

static int
remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status, (void)type, (void)where;
	return remove(path);
}

void
folder_remove(char *folder)
{
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(folder);
}

static void
set_options(struct weir_ctx *ctx, const char *const *options)
{
	struct weir_err err = { 0 };
	for (; *options; options += 2)
		if (option_set(option_named(weir_plugin.options, options[0]), ctx->state, options[1],
				&ctx->arena, &err))
			die(options[0], err.text);
}

struct weir_ctx *
sqlite_try(const char *path, const char *const *options, struct weir_err *err)
{
	const struct origin origin = { "hydra", "n001", "lake", 1 };
	struct keeper *keeper = keeper_new();
	struct weir_ctx *ctx = keeper ? instance_new(&weir_plugin, &origin, NULL, keeper, NULL) : NULL;
	if (!ctx || option_defaults(weir_plugin.options, ctx->state, &ctx->arena, err))
		die("instance", err->text);
	set_options(ctx, (const char *const[]){ "path", path, NULL });
	if (options)
		set_options(ctx, options);
	if (instance_open(ctx, err) == 0)
		return ctx;
	sqlite_end(ctx);
	return NULL;
}

struct weir_ctx *
sqlite_new(const char *path)
{
	struct weir_err err = { 0 };
	struct weir_ctx *ctx = sqlite_try(path, NULL, &err);
	if (!ctx)
		die(path, err.text);
	return ctx;
}

void
sqlite_end(struct weir_ctx *ctx)
{
	struct keeper *keeper = ctx->keeper;
	instance_free(ctx);
	keeper_free(keeper);
}

void *
sqlite_state(struct weir_ctx *ctx)
{
	return ctx->state;
}

int
store_write(struct weir_ctx *ctx, const struct weir_batch *batch, struct weir_tally *tally,
	struct weir_err *err)
{
	return weir_plugin.store.write(ctx->state, &batch, 1, tally, err);
}

int
store_commit(struct weir_ctx *ctx, struct weir_err *err)
{
	return weir_plugin.store.commit(ctx->state, &(struct weir_commit){ 0 }, err);
}

struct weir_tally
store_batch(struct weir_ctx *ctx, struct weir_batch *batch)
{
	struct weir_err err = { 0 };
	struct witness witness;
	struct weir_tally tally = witness_tally(&witness, batch->rows);
	if (store_write(ctx, batch, &tally, &err) || store_commit(ctx, &err))
		die("store", err.text);
	if (!witness_look(&witness, &tally))
		die("tally", "sums, verdicts and refusals do not agree");
	maker_free_batch(batch);
	witness_free(&witness);
	tally.verdict = NULL;
	tally.refuse = NULL;
	tally.closure = NULL;
	return tally;
}

/* ---- behind its back ---- */

static sqlite3 *
reader(const char *path)
{
	sqlite3 *db = NULL;
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		die(path, sqlite3_errmsg(db));
	sqlite3_busy_timeout(db, 5000);
	return db;
}

char *
ask(const char *path, const char *sql)
{
	sqlite3 *db = reader(path);
	sqlite3_stmt *statement = NULL;
	struct text text = { 0 };
	text_add(&text, "");
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		die(sql, sqlite3_errmsg(db));
	int code = SQLITE_ROW;
	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(statement); i++) {
			const char *cell = (const char *)sqlite3_column_text(statement, i);
			text_printf(&text, "%s%s", i ? "|" : "", cell ? cell : "~");
		}
		text_add(&text, "\n");
	}
	if (code != SQLITE_DONE)
		die(sql, sqlite3_errmsg(db));
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return text.data;
}

void
expect(const char *path, const char *sql, const char *rows)
{
	char *found = ask(path, sql);
	if (strcmp(found, rows) != 0) {
		fprintf(stderr, "%s\nfound:\n%sexpected:\n%s", sql, found, rows);
		abort();
	}
	free(found);
}

void
user_does(const char *path, const char *sql, sqlite3 **keep)
{
	sqlite3 *db = reader(path);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		die(sql, sqlite3_errmsg(db));
	if (keep)
		*keep = db;
	else
		sqlite3_close(db);
}

/* ---- exact rows ---- */

struct lines {
	char **line;
	size_t n;
};

static void
put_bytes(struct text *text, char kind, const void *data, size_t size)
{
	text_printf(text, "%c", kind);
	for (size_t i = 0; i < size; i++)
		text_printf(text, "%02x", ((const unsigned char *)data)[i]);
}

/* SQLite keeps a negative zero as the integer 0. */
static void
put_real(struct text *text, double value)
{
	if (isnan(value))
		text_add(text, "n");
	else
		text_printf(text, "f%a", value == 0 ? 0.0 : value);
}

static void
add_line(struct lines *lines, struct text *text)
{
	lines->line = realloc(lines->line, (lines->n + 1) * sizeof(*lines->line));
	if (!lines->line || text->failed)
		die("lines", "out of memory");
	lines->line[lines->n++] = text->data;
	*text = (struct text){ 0 };
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *
join(struct lines *lines)
{
	struct text text = { 0 };
	text_add(&text, "");
	if (lines->n)
		qsort(lines->line, lines->n, sizeof(*lines->line), by_text);
	for (size_t i = 0; i < lines->n; i++) {
		text_printf(&text, "%s\n", lines->line[i]);
		free(lines->line[i]);
	}
	free(lines->line);
	return text.data;
}

static void
put_stored(struct text *text, sqlite3_stmt *statement, int column)
{
	switch (sqlite3_column_type(statement, column)) {
	case SQLITE_INTEGER:
		text_printf(text, "i%lld", (long long)sqlite3_column_int64(statement, column));
		break;
	case SQLITE_FLOAT:
		put_real(text, sqlite3_column_double(statement, column));
		break;
	case SQLITE_TEXT:
		put_bytes(text, 't', sqlite3_column_text(statement, column),
			(size_t)sqlite3_column_bytes(statement, column));
		break;
	case SQLITE_BLOB:
		put_bytes(text, 'b', sqlite3_column_blob(statement, column),
			(size_t)sqlite3_column_bytes(statement, column));
		break;
	default:
		text_add(text, "n");
	}
}

char *
exact_table(const char *path, const char *columns, const char *table)
{
	sqlite3 *db = reader(path);
	sqlite3_stmt *statement = NULL;
	char *sql = sqlite3_mprintf("SELECT %s FROM \"%w\"", columns, table);
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		die(sql, sqlite3_errmsg(db));
	struct lines lines = { 0 };
	struct text text = { 0 };
	while (sqlite3_step(statement) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(statement); i++) {
			text_add(&text, " ");
			put_stored(&text, statement, i);
		}
		add_line(&lines, &text);
	}
	if (sqlite3_finalize(statement) != SQLITE_OK)
		die(sql, sqlite3_errmsg(db));
	sqlite3_free(sql);
	sqlite3_close(db);
	return join(&lines);
}

static void
put_cell(struct text *text, const struct weir_batch *batch, size_t column, size_t row)
{
	const struct weir_column *c = &batch->schema->columns[column];
	if (!weir_present(batch, column, row)) {
		text_add(text, "n");
		return;
	}
	union weir_cell cell = batch->column[column].cell[row];
	if (c->type == WEIR_STR || c->type == WEIR_BYTES) {
		struct weir_symbol symbol = weir_text(batch, column, row);
		put_bytes(text, c->type == WEIR_STR ? 't' : 'b', symbol.text, symbol.length);
	} else if (c->type == WEIR_F64) {
		put_real(text, c->divisor > 1 ? (double)cell.i64 / (double)c->divisor : cell.f64);
	} else {
		text_printf(text, "i%lld", (long long)cell.i64);
	}
}

char *
exact_batches(const struct weir_batch *const *batches, size_t n)
{
	struct lines lines = { 0 };
	struct text text = { 0 };
	for (size_t b = 0; b < n; b++)
		for (size_t row = 0; row < batches[b]->rows; row++) {
			struct weir_symbol cluster = weir_row_cluster_of(batches[b], row);
			struct weir_symbol host = weir_row_host_of(batches[b], row);
			text_printf(&text, " i%lld ", (long long)batches[b]->time[row]);
			put_bytes(&text, 't', cluster.text, cluster.length);
			text_add(&text, " ");
			put_bytes(&text, 't', host.text, host.length);
			text_add(&text, " ");
			put_bytes(&text, 't', batches[b]->source, strlen(batches[b]->source));
			for (size_t i = 0; i < batches[b]->schema->n_columns; i++) {
				text_add(&text, " ");
				put_cell(&text, batches[b], i, row);
			}
			add_line(&lines, &text);
		}
	return join(&lines);
}
