/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that a value takes in the CSV store, open and in closed zstd parts: the six samplers on
 * this machine as it is, and on a saved tree of it in which every other counter moves between ticks
 * by an amount of its own, up to a million.
 *
 * The samplers are those of the build (WEIR_BUILD); stamps are a second apart, whatever the pace of
 * the loop.
 *
 * with: plugins/stores/csv tests/unit/store_batches.c
 * needs: libzstd zlib
 */
#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weir/plugin.h>

#include "base/clock.h"
#include "plugin/instance.h"
#include "plugin/option.h"
#include "tests/unit/store_batches.h"

extern const struct weir_plugin weir_plugin;

enum { TICKS = 600, FLUSH = 2, SAMPLERS = 6, MOST_TEXT = 1 << 16, MOST_NUMBERS = 4096 };
#define NOON INT64_C(1795262400000000) /* 2026-11-21T12:00:00Z */

static const char *const samplers[SAMPLERS] = { "cpu", "meminfo", "vmstat", "loadavg", "disk",
	"netdev" };

/* A file of the synthetic tree: its text at first, and what each number gains in a tick. */
static const char *const files[] = { "stat", "meminfo", "vmstat", "loadavg", "diskstats",
	"net/dev" };
enum { FILES = sizeof(files) / sizeof(*files) };
struct source {
	char text[MOST_TEXT];
	size_t size, n;
	uint64_t number[MOST_NUMBERS], gain[MOST_NUMBERS];
};

static void
need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench_bytes: %s: %s\n", what, strerror(errno));
	exit(74);
}

/* ---- the synthetic tree ---- */

static bool
begins_number(const char *text, size_t at)
{
	return isdigit((unsigned char)text[at]) && (at == 0 || strchr(" \n", text[at - 1]));
}

static void
source_read(struct source *s, const char *name, struct dice *dice)
{
	char path[200];
	snprintf(path, sizeof(path), "/proc/%s", name);
	FILE *file = fopen(path, "r");
	need(file, path);
	s->size = fread(s->text, 1, sizeof(s->text) - 1, file);
	fclose(file);
	bool gauge = !strcmp(name, "loadavg");
	for (size_t at = 0; at < s->size && s->n < MOST_NUMBERS; at++) {
		if (!begins_number(s->text, at))
			continue;
		s->number[s->n] = strtoull(s->text + at, NULL, 10);
		/* Half of them stand still, as most of the kernel's do. Device numbers of diskstats too:
		 * the first two of a line. */
		bool still =
			gauge || (dice_roll(dice) & 1) || (!strcmp(name, "diskstats") && s->number[s->n] < 260);
		s->gain[s->n++] = still ? 0 : UINT64_C(1) << dice_below(dice, 20);
	}
}

static void
source_write(struct source *s, const char *root, const char *name, struct dice *dice)
{
	char path[300];
	snprintf(path, sizeof(path), "%s/proc/%s", root, name);
	FILE *file = fopen(path, "w");
	need(file, path);
	for (size_t at = 0, i = 0; at < s->size; at++) {
		if (i >= s->n || !begins_number(s->text, at)) {
			fputc(s->text[at], file);
			continue;
		}
		s->number[i] += s->gain[i] ? dice_below(dice, s->gain[i]) + 1 : 0;
		fprintf(file, "%llu", (unsigned long long)s->number[i++]);
		while (isdigit((unsigned char)s->text[at + 1]))
			at++;
	}
	need(fclose(file) == 0, path);
}

/* ---- samplers into the store ---- */

struct rig {
	struct weir_ctx *sampler[SAMPLERS];
	struct keeper *keeper;
	struct weir_ctx *store;
	uint64_t values;
};

static struct weir_ctx *
open_instance(
	const struct weir_plugin *plugin, const char *root, struct keeper *keeper, const char *path)
{
	struct weir_err err = { 0 };
	struct origin origin = { "hydra", "n001", plugin->name, 1 };
	struct weir_ctx *ctx = instance_new(plugin, &origin, root, keeper, NULL);
	const struct weir_option *options = plugin->options;
	need(ctx && option_defaults(options, ctx->state, &ctx->arena, &err) == 0, "out of memory");
	if (path)
		need(option_set(option_named(options, "path"), ctx->state, path, &ctx->arena, &err) == 0,
			err.text);
	need(instance_open(ctx, &err) == 0, err.text);
	return ctx;
}

static void
rig_open(struct rig *rig, const char *root, const char *path)
{
	const char *build = getenv("WEIR_BUILD") ? getenv("WEIR_BUILD") : "build";
	rig->keeper = keeper_new();
	for (size_t i = 0; i < SAMPLERS; i++) {
		char so[500];
		snprintf(so, sizeof(so), "%s/plugins/samplers/%s.so", build, samplers[i]);
		void *library = dlopen(so, RTLD_NOW | RTLD_LOCAL);
		const struct weir_plugin *plugin = library ? dlsym(library, "weir_plugin") : NULL;
		need(plugin, so);
		rig->sampler[i] = open_instance(plugin, root, rig->keeper, NULL);
	}
	rig->store = open_instance(&weir_plugin, "", rig->keeper, path);
}

static void
rig_tick(struct rig *rig, int64_t time)
{
	for (size_t i = 0; i < SAMPLERS; i++) {
		struct weir_err err = { 0 };
		struct weir_ctx *ctx = rig->sampler[i];
		instance_begin(ctx, time);
		need(instance_end(ctx, ctx->plugin->sampler.sample(ctx->state, &ctx->out, &err), &err) == 0,
			err.text);
	}
}

static void
store_one(struct rig *rig, struct weir_batch *batch)
{
	struct weir_err err = { 0 };
	struct weir_tally tally = { 0 };
	const struct weir_batch *one = batch;
	for (size_t c = 0; c < batch->schema->n_columns; c++)
		for (size_t r = 0; r < batch->rows; r++)
			rig->values += weir_present(batch, c, r);
	need(weir_plugin.store.write(rig->store->state, &one, 1, &tally, &err) == 0, err.text);
	weir_batch_release(batch);
}

static void
rig_flush(struct rig *rig)
{
	struct weir_err err = { 0 };
	for (size_t i = 0; i < SAMPLERS; i++)
		for (size_t k = 0; k < rig->sampler[i]->n_schemas; k++) {
			struct builder *builder = rig->sampler[i]->out.builders[k];
			struct weir_batch *batch = builder ? builder_close(builder, 1) : NULL;
			if (batch)
				store_one(rig, batch);
		}
	need(weir_plugin.store.commit(rig->store->state, &(struct weir_commit){ 0 }, &err) == 0,
		err.text);
}

static void
rig_close(struct rig *rig)
{
	for (size_t i = 0; i < SAMPLERS; i++)
		instance_free(rig->sampler[i]);
	instance_free(rig->store);
	keeper_free(rig->keeper);
}

/* ---- bytes on disk ---- */

static uint64_t plain_bytes, packed_bytes; /* nftw has no closure */

static int
add_size(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)ftw;
	size_t length = strlen(path);
	if (kind == FTW_F && length > 4 && !strcmp(path + length - 4, ".csv"))
		plain_bytes += (uint64_t)st->st_size;
	if (kind == FTW_F && length > 8 && !strcmp(path + length - 8, ".csv.zst"))
		packed_bytes += (uint64_t)st->st_size;
	return 0;
}

static int
remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static void
measure(
	const char *name, const char *base, const char *root, struct source *source, struct dice *dice)
{
	char path[400];
	snprintf(path, sizeof(path), "%s/%s", base, source ? "busy" : "idle");
	struct rig rig = { 0 };
	int ticks = getenv("BENCH_QUICK") ? TICKS / 4 : TICKS;
	rig_open(&rig, root, path);
	for (int tick = 0; tick < ticks; tick++) {
		for (size_t i = 0; source && i < FILES; i++)
			source_write(&source[i], root, files[i], dice);
		rig_tick(&rig, NOON + tick * INT64_C(1000000));
		if (tick % FLUSH == FLUSH - 1)
			rig_flush(&rig);
		if (!source)
			usleep(10000);
	}
	rig_flush(&rig);
	plain_bytes = packed_bytes = 0;
	nftw(path, add_size, 16, FTW_PHYS);
	double open = (double)plain_bytes / (double)rig.values;
	need(packed_bytes == 0, "a part was closed too early");
	/* Days later all parts are over; compression comes piece by piece. */
	struct weir_err err = { 0 };
	for (int i = 0; i < 200 && (plain_bytes || !packed_bytes); i++) {
		need(weir_plugin.store.tend(
				 rig.store->state, clock_wall_us() + INT64_C(86400000000) * (i + 2), &err) == 0,
			err.text);
		plain_bytes = packed_bytes = 0;
		nftw(path, add_size, 16, FTW_PHYS);
	}
	need(plain_bytes == 0 && packed_bytes > 0, "parts were not compressed");
	double packed = (double)packed_bytes / (double)rig.values;
	printf(
		"row\tCSV, open parts, %s\tB/value\t%.3f\tLDMS CSV elsewhere\t5.3\tours<=8\n", name, open);
	printf("row\tCSV, closed zstd parts, %s\tB/value\t%.3f\tatop, zlib, elsewhere\t0.4\tours<=2\n",
		name, packed);
	rig_close(&rig);
}

int
main(void)
{
	char base[] = "/tmp/weir-bench-bytes-XXXXXX", root[200], path[300];
	struct dice dice = { 1 };
	struct source *source = calloc(FILES, sizeof(*source));
	need(source && mkdtemp(base), "cannot make a folder");
	snprintf(root, sizeof(root), "%s/root", base);
	static const char *const folders[] = { "", "/proc", "/proc/net", "/sys" };
	for (size_t i = 0; i < WEIR_COUNT(folders); i++) {
		snprintf(path, sizeof(path), "%s%s", root, folders[i]);
		need(mkdir(path, 0755) == 0, path);
	}
	for (size_t i = 0; i < FILES; i++)
		source_read(&source[i], files[i], &dice);
	measure("this machine", base, "", NULL, &dice);
	measure("busy", base, root, source, &dice);
	nftw(base, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(source);
	return 0;
}
