/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of keys: a text read after any other gives what it gives to a fresh instance. What is
 * remembered of the places of keys saves time and changes nothing.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/records.h>
#include <weir/sampler.h>

#include "plugin/instance.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { A, B, SIGNED, SUM, PATTERN, REAL, N_COLUMNS };

static const struct weir_column columns[] = {
	[A] = WEIR_COUNTER_U64("a", "By", "a"),
	[B] = WEIR_COUNTER_U64("b", "1", "b"),
	[SIGNED] = WEIR_GAUGE_I64("signed_one", "1", "signed"),
	[SUM] = WEIR_COUNTER_U64("sum_of_two", "1", "sum of two keys"),
	[PATTERN] = WEIR_COUNTER_U64("sum_of_pattern", "1", "sum of a pattern"),
	[REAL] = WEIR_GAUGE_REAL("real", "s", 1000, "milliseconds"),
};
static const struct weir_schema schema = WEIR_SERIES("keys_test", columns, "test");
static const struct weir_schema *const schemas[] = { &schema, &weir_schema_keyvalue, NULL };
static const struct weir_plugin plugin = {
	.abi = WEIR_ABI,
	.size = sizeof(plugin),
	.kind = WEIR_SAMPLER,
	.name = "keys_test",
	.summary = "test",
	.schemas = schemas,
};

/* Names of one form and of the other: lines of "key value", and "Proto.Name" of pairs. */
static const struct weir_keyword words[] = {
	{ "a", A, 1024 },
	{ "b", B, 1 },
	{ "s", SIGNED, 1 },
	{ "x", SUM, 1 },
	{ "y", SUM, 1 },
	{ "p_*", PATTERN, 1 },
	{ "r", REAL, 10 },
	{ "i", WEIR_IGNORED, 1 },
	{ "P.a", A, 1024 },
	{ "P.b", B, 1 },
	{ "P.s", SIGNED, 1 },
	{ "P.x", SUM, 1 },
	{ "Q.y", SUM, 1 },
	{ "Q.p*", PATTERN, 1 },
	{ "Q.r", REAL, 10 },
};

struct result {
	size_t n, extra;
	bool present[N_COLUMNS];
	int64_t value[N_COLUMNS];
};

static struct result
scan(struct weir_ctx *ctx, struct weir_keys *keys, bool pairs, const uint8_t *data, size_t size)
{
	struct result result = { 0 };
	struct weir_err err = { 0 };
	/* Of its own size in memory, so that a read beyond it is seen. */
	char *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	instance_begin(ctx, 1000000);
	struct weir_scan text = weir_scan(copy, size);
	struct weir_row *row = weir_row(&ctx->out, 0);

	result.n = pairs ? weir_keys_scan_pairs(keys, &text, &ctx->out, row)
					 : weir_keys_scan(keys, &text, &ctx->out, row);
	if (instance_end(ctx, 0, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	free(copy);
	struct weir_batch *batch = builder_close(ctx->out.builders[0], 1);
	struct weir_batch *extra =
		ctx->out.n > 1 && ctx->out.builders[1] ? builder_close(ctx->out.builders[1], 1) : NULL;

	for (size_t c = 0; c < N_COLUMNS; c++) {
		result.present[c] = weir_present(batch, c, 0);
		result.value[c] = result.present[c] ? batch->column[c].cell[0].i64 : 0;
	}
	result.extra = extra ? extra->rows : 0;
	weir_batch_release(batch);
	weir_batch_release(extra);
	return result;
}

/* A byte that chooses the form, then two texts with a 0xff between. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const wanted[] = { "e", "P.e" };
	const struct weir_list extra = { wanted, 2 };
	const uint8_t *middle = size ? memchr(data, 0xff, size) : NULL;

	if (!middle || middle == data || size > 8192)
		return 0;
	bool pairs = *data & 1;
	char separator = *data & 2 ? ':' : ' ';
	size_t first = (size_t)(middle - data) - 1, second = size - first - 2;
	struct origin origin = { "c", "h", "keys_test", 1 };
	struct keeper *keeper = keeper_new();
	struct result result[3];

	for (int fresh = 0; fresh < 2; fresh++) {
		struct weir_ctx *ctx = instance_new(&plugin, &origin, NULL, keeper, NULL);
		struct weir_keys *keys =
			weir_keys(ctx, "/proc/x", separator, words, WEIR_COUNT(words), &extra, 1);

		if (!fresh)
			(void)scan(ctx, keys, pairs, data + 1, first);
		result[fresh] = scan(ctx, keys, pairs, middle + 1, second);
		/* And once more, from the layout that is this text's own. */
		if (fresh)
			result[2] = scan(ctx, keys, pairs, middle + 1, second);
		instance_free(ctx);
	}
	keeper_free(keeper);
	if (memcmp(&result[0], &result[1], sizeof(result[0])) ||
		memcmp(&result[1], &result[2], sizeof(result[0]))) {
		for (int i = 0; i < 3; i++) {
			fprintf(stderr, "%s: %zu cells, %zu extra:",
				i == 0   ? "after another"
				: i == 1 ? "fresh"
						 : "again",
				result[i].n, result[i].extra);
			for (size_t c = 0; c < N_COLUMNS; c++)
				fprintf(
					stderr, result[i].present[c] ? " %lld" : " -", (long long)result[i].value[c]);
			fprintf(stderr, "\n");
		}
		abort();
	}
	return 0;
}
