/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store sqlite: one database file on this machine, a table per schema, readable with any SQLite
 * tool while it is written.
 *
 * needs: sqlite3
 */
#include "store.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static const struct weir_option options[] = {
	WEIR_REQUIRED_TEXT(struct store, path,
		"the database file, made when it is missing; FILE.lock beside it names who writes"),
	WEIR_DURATION_OPTION(struct store, keep_age, "0", 0, 36500 * WEIR_DAY,
		"rows of series older than this are removed; 0 keeps them for ever"),
	WEIR_DURATION_OPTION(struct store, keep_deleted, "30d", WEIR_HOUR, 36500 * WEIR_DAY,
		"how long a deleted key of an entity is remembered, so that an older version that comes "
		"late stays away"),
	WEIR_SIZE_OPTION(
		struct store, page_cache, "1MiB", 64 << 10, 1 << 30, "memory for pages of the database"),
	WEIR_DURATION_OPTION(struct store, busy_timeout, "2s", 0, 60 * WEIR_SECOND,
		"how long to wait for another program that writes to the database before trying again "
		"later"),
	WEIR_BOOL_OPTION(
		struct store, read_only, "no", "answer queries only: take no lock, change nothing"),
	WEIR_OPTIONS_END,
};

static const char description[] =
	"Every schema is a table of its name. Times are integers, microseconds since 1970 in UTC."
	" The table weir_schema has one row per column with type, kind, unit and help, so that"
	" `sqlite3 FILE` needs no manual. Series get a row per sample and an index on time; entities"
	" keep the latest version of each key.\n\n"
	"A column that appears later is added to its table. When a column changes its type or the keys"
	" change, the rows go to a further table (weir_r2_NAME) and NAME becomes a view over all of"
	" them.\n\n"
	"One process writes; it holds FILE.lock. Any number of others may read meanwhile: the database"
	" has a write-ahead log. A step of batches and its marks are one transaction, so kill -9 leaves"
	" each record exactly once. Power loss may cost the commits since the last `sync` and never"
	" damages the file.";

static int
sqlite_open(void *state, struct weir_ctx *ctx, struct weir_err *err)
{
	struct store *store = state;
	store->ctx = ctx;
	store->file = path_resolve(store->path, !store->read_only, err);
	if (!store->file)
		return err->code;
	if (!store->read_only) {
		int fd = path_lock(store->file, weir_instance(ctx), err);
		if (fd < 0)
			return fd;
		store->lock = fd + 1;
	}
	return database_ready(store, err);
}

static void
sqlite_close(void *state)
{
	struct store *store = state;
	database_close(store);
	marks_forget_answer(store);
	free(store->file);
	store->file = NULL;
	if (store->lock)
		close(store->lock - 1);
	store->lock = 0;
}

WEIR_PLUGIN(.kind = WEIR_STORE, .name = "sqlite",
	.summary = "a SQLite database: one file, a table per schema", .description = description,
	.library = "SQLite", .state_size = sizeof(struct store), .options = options,
	.open = sqlite_open, .close = sqlite_close,
	.store = {
		.claim = marks_claim,
		.find = marks_find,
		.write = step_write,
		.commit = step_commit,
		.tend = retention_tend,
		.query = query_run,
	});
