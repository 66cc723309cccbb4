/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CSV store's cost of a value, write and commit together, against fwrite of the same bytes in
 * the same folder. CPU time of the process, the best of several rounds.
 *
 * usage: bench_csv [FOLDER]
 *
 * with: plugins/stores/csv tests/unit/store_batches.c
 * needs: libzstd zlib
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <weir/plugin.h>

#include "base/text.h"
#include "plugin/instance.h"
#include "plugin/option.h"
#include "unit/store_batches.h"

extern const struct weir_plugin weir_plugin;

#define ROUNDS 5
#define STEPS 40
#define COLUMNS 32

static void
need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench_csv: %s\n", what);
	exit(74);
}

static double
cpu_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

struct kind {
	const char *name;
	enum weir_type type;
	int64_t divisor;
	size_t rows;   /* of a batch */
	unsigned bits; /* of a value, at most */
};

/* Counters of a node are numbers of 1 to 13 digits; one row a batch is what meminfo gives. */
static const struct kind kinds[] = {
	{ "u64, 64 rows a batch", WEIR_U64, 0, 64, 44 },
	{ "u64, 1 row a batch", WEIR_U64, 0, 1, 44 },
	{ "u64 below 1000", WEIR_U64, 0, 64, 10 },
	{ "u64 of 64 bit", WEIR_U64, 0, 64, 64 },
	{ "decimal of 1/100", WEIR_F64, 100, 64, 32 },
	{ "decimal of 1/10^9", WEIR_F64, 1000000000, 64, 44 },
	{ "f64 of 3 places", WEIR_F64, 0, 64, 30 },
	{ "bool", WEIR_BOOL, 0, 64, 1 },
};

static char column_names[COLUMNS][16];

static struct weir_batch *
make_batch(const struct kind *kind, const struct weir_schema *schema, struct dice *dice)
{
	struct maker *maker = maker_new(schema, "hydra", "n001", "bench");
	for (size_t row = 0; row < kind->rows; row++) {
		maker_row(maker, INT64_C(1795262400000000));
		for (size_t i = 0; i < COLUMNS; i++) {
			uint64_t value = dice_roll(dice) >> (64 - kind->bits) >>
							 dice_below(dice, kind->bits > 20 ? 20 : kind->bits);
			if (kind->type == WEIR_F64 && !kind->divisor)
				maker_f64(maker, i, (double)value / 1000);
			else
				maker_u64(maker, i, value);
		}
	}
	return maker_close(maker, 1, 1);
}

struct store {
	struct weir_ctx ctx;
	struct arena arena;
	void *state;
};

static struct store
open_store(const char *folder)
{
	struct weir_err err = { 0 };
	const struct weir_option *options = weir_plugin.options;
	struct store store = { .state = calloc(1, weir_plugin.state_size) };
	store.ctx = (struct weir_ctx){ .plugin = &weir_plugin,
		.root = "",
		.origin = { .cluster = "hydra", .host = "n001", .source = "bench" } };
	need(store.state && option_defaults(options, store.state, &store.arena, &err) == 0,
		"out of memory");
	need(option_set(option_named(options, "path"), store.state, folder, &store.arena, &err) == 0,
		err.text);
	need(
		option_set(option_named(options, "compress"), store.state, "none", &store.arena, &err) == 0,
		err.text);
	need(weir_plugin.open(store.state, &store.ctx, &err) == 0, err.text);
	return store;
}

static void
close_store(struct store *store)
{
	weir_plugin.close(store->state);
	free(store->state);
	arena_free(&store->arena);
}

static double
store_rows(struct store *store, const struct weir_batch *const *batch, size_t n)
{
	struct weir_err err = { 0 };
	struct weir_tally tally[64] = { 0 };
	double start = cpu_ns();
	for (int step = 0; step < STEPS; step++) {
		need(weir_plugin.store.write(store->state, batch, n, tally, &err) == 0, err.text);
		need(weir_plugin.store.commit(store->state, &(struct weir_commit){ 0 }, &err) == 0,
			err.text);
	}
	return cpu_ns() - start;
}

/* The same bytes, a flush per step. */
static double
write_bytes(const char *folder, const char *data, size_t size)
{
	char path[600];
	snprintf(path, sizeof(path), "%s/floor", folder);
	FILE *file = fopen(path, "w");
	need(file, "cannot write the floor's file");
	double start = cpu_ns();
	for (int step = 0; step < STEPS; step++)
		need(fwrite(data + size / STEPS * (size_t)step, 1, size / STEPS, file) == size / STEPS &&
				 fflush(file) == 0,
			"cannot write");
	double used = cpu_ns() - start;
	fclose(file);
	unlink(path);
	return used;
}

/* The bytes that the store wrote: of its parts, all in one. */
static char *
stored_bytes(const char *folder, size_t *size)
{
	char command[700];
	snprintf(command, sizeof(command), "find '%s' -name '*.csv' -exec cat {} +", folder);
	FILE *pipe = popen(command, "r");
	need(pipe, "cannot read back");
	char *data = malloc(1 << 28);
	need(data, "out of memory");
	*size = fread(data, 1, 1 << 28, pipe);
	pclose(pipe);
	return data;
}

static void
remove_folder(const char *folder)
{
	char command[700];
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	need(system(command) == 0, "cannot remove the folder");
}

static void
measure(const struct kind *kind, const char *base)
{
	struct weir_column columns[COLUMNS];
	for (size_t i = 0; i < COLUMNS; i++) {
		snprintf(column_names[i], sizeof(column_names[i]), "column_%zu", i);
		columns[i] = (struct weir_column){ .name = column_names[i],
			.type = kind->type,
			.role = WEIR_GAUGE,
			.unit = "1",
			.help = "x",
			.divisor = kind->divisor };
	}
	struct weir_schema schema = {
		.name = "bench", .help = "x", .n_columns = COLUMNS, .columns = columns
	};
	struct dice dice = { 1 };
	struct weir_batch *batch[64];
	for (size_t i = 0; i < 64; i++)
		batch[i] = make_batch(kind, &schema, &dice);
	double ours = 1e300, floor = 1e300, values = (double)(64 * kind->rows * COLUMNS * STEPS);
	for (int round = 0; round < (getenv("BENCH_QUICK") ? 3 : ROUNDS); round++) {
		char folder[500];
		snprintf(folder, sizeof(folder), "%s/bench-csv-%ld", base, (long)getpid());
		struct store store = open_store(folder);
		double used = store_rows(&store, (const struct weir_batch *const *)batch, 64);
		close_store(&store);
		ours = used < ours ? used : ours;
		size_t size = 0;
		char *data = stored_bytes(folder, &size);
		remove_folder(folder);
		used = write_bytes(base, data, size);
		floor = used < floor ? used : floor;
		free(data);
	}
	for (size_t i = 0; i < 64; i++)
		maker_free_batch(batch[i]);
	/* For the table of all benchmarks: what a node's counters are like. */
	if (kind <= &kinds[1])
		printf("row\tstore CSV alone, %s, CPU\tns/value\t%.2f\tfwrite of the same "
			   "bytes\t%.2f\tours<=33\n",
			kind->name, ours / values, floor / values);
	printf("csv %-24s %7.2f ns/value   floor (fwrite) %6.2f ns/value   ratio %5.2f\n", kind->name,
		ours / values, floor / values, ours / floor);
}

int
main(int argc, char **argv)
{
	const char *base = argc > 1 ? argv[1] : access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	size_t n = getenv("BENCH_QUICK") ? 2 : WEIR_COUNT(kinds);
	for (size_t i = 0; i < n; i++)
		measure(&kinds[i], base);
	return 0;
}
