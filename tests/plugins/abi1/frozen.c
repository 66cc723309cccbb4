/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sampler that uses much of the contract as it was when ABI 1 was settled. frozen.so was built
 * from it then and is never built again: that it loads and gives the same rows is the promise of
 * the ABI number. It was made with
 *
 *	gcc -std=gnu11 -O2 -fPIC -fvisibility=hidden -shared -s -Icore/include frozen.c -o frozen.so
 */
#include <errno.h>

#include <weir/records.h>
#include <weir/sampler.h>

struct frozen {
	bool flag;
	int64_t number, wait;
	double real;
	uint64_t size;
	const char *text;
	int word;
	struct weir_list list, extra;
	struct weir_map map;
	const char *secret;
	struct weir_file *file;
	struct weir_keys *keys;
	int64_t due;
};

static const char *const words[] = { "first", "second", NULL };

static const struct weir_option options[] = {
	WEIR_BOOL_OPTION(struct frozen, flag, "yes", "a truth"),
	WEIR_INT_OPTION(struct frozen, number, "-7", -10, 10, "an integer"),
	WEIR_REAL_OPTION(struct frozen, real, "0.5", 0, 1, "a number"),
	WEIR_SIZE_OPTION(struct frozen, size, "64KiB", 1, INT64_MAX, "a size"),
	WEIR_DURATION_OPTION(struct frozen, wait, "250ms", WEIR_MS, WEIR_DAY, "a duration"),
	WEIR_TEXT_OPTION(struct frozen, text, "some text", "a text"),
	WEIR_CHOICE_OPTION(struct frozen, word, "second", words, "a word"),
	WEIR_LIST_OPTION(struct frozen, list, "a b", "a list"),
	WEIR_LIST_OPTION(struct frozen, extra, NULL, "further keys"),
	WEIR_MAP_OPTION(struct frozen, map, "a map"),
	WEIR_SECRET_OPTION(struct frozen, secret, "a secret"),
	WEIR_OPTIONS_END,
};

enum { FIRST, SECOND, FOLDED };
enum { NAME, PORT, LANE, FLAG, NUMBER, REAL, COUNT, SIZE, WAIT, TEXT, SINCE, RAW, SLURPED, DUE };

static const struct weir_column key_columns[] = {
	[FIRST] = WEIR_COUNTER_U64("first", "By", "the first key, in KiB in the file"),
	[SECOND] = WEIR_GAUGE_I64("second", "1", "the second key"),
	[FOLDED] = WEIR_COUNTER_REAL("folded_time", "s", 100, "two keys added up"),
};
static const struct weir_column columns[] = {
	[NAME] = WEIR_KEY_STR("name", "a key of text"),
	[PORT] = WEIR_KEY_U64("port", "a key that counts"),
	[LANE] = WEIR_KEY_I64("lane", "a key with a sign"),
	[FLAG] = WEIR_GAUGE_BOOL("flag", "the option"),
	[NUMBER] = WEIR_GAUGE_I64("number", "1", "the option"),
	[REAL] = WEIR_GAUGE_F64("real", "1", "the option"),
	[COUNT] = WEIR_GAUGE_REAL("count", "1", 1000, "a real with a divisor"),
	[SIZE] = WEIR_GAUGE_U64("size", "By", "the option"),
	[WAIT] = WEIR_GAUGE_REAL("wait_time", "s", 1000000000, "the option"),
	[TEXT] = WEIR_LABEL_STR("words", "the options that are words"),
	[SINCE] = WEIR_LABEL_TIME("since", "a time"),
	[RAW] = { .name = "raw", .type = WEIR_BYTES, .role = WEIR_LABEL, .help = "bytes" },
	[SLURPED] = WEIR_GAUGE_U64("slurped", "1", "a number that is a file"),
	[DUE] = WEIR_GAUGE_BOOL("due", "the first tick of an hour"),
};

static const struct weir_schema keys_schema =
	WEIR_SERIES("frozen_keys", key_columns, "keys of a file");
static const struct weir_schema schema = WEIR_SERIES("frozen", columns, "cells of every type");
static const struct weir_schema *const schemas[] = { &keys_schema, &schema, &weir_schema_keyvalue,
	NULL };

static const struct weir_keyword keywords[] = {
	{ "First", FIRST, 1024 },
	{ "Second", SECOND, 0 },
	{ "Fold", FOLDED, 1 },
	{ "Folded", FOLDED, 1 },
	{ "Known*", WEIR_IGNORED, 0 },
};

static int
open_frozen(void *state, struct weir_ctx *ctx, struct weir_err *err)
{
	struct frozen *s = state;

	if (!s->text || s->list.n == 0)
		return weir_failx(err, -EINVAL, "the options were not filled");
	s->file = weir_file(ctx, "/proc/frozen", WEIR_READ_ONCE);
	s->keys = weir_keys(ctx, "/proc/frozen", ':', keywords, WEIR_COUNT(keywords), &s->extra, 2);
	weir_capability(ctx, "frozen", WEIR_UNSUPPORTED, "as the test wants it");
	return 0;
}

static void
make_row(struct frozen *s, struct weir_ctx *ctx, struct weir_out *out, size_t item)
{
	struct weir_row *row = weir_row(out, 1);
	uint64_t number;

	weir_set_text(row, NAME, s->list.item[item]);
	weir_set_u64(row, PORT, item);
	weir_set_i64(row, LANE, -(int64_t)item);
	weir_set_bool(row, FLAG, s->flag);
	weir_set_i64(row, NUMBER, s->number);
	weir_set_f64(row, REAL, s->real);
	weir_set_count(row, COUNT, -1);
	weir_set_integer(row, SIZE, s->size);
	weir_set_count(row, WAIT, s->wait);
	weir_set_text(row, TEXT, s->word == 1 ? s->text : words[s->word]);
	weir_set_time(row, SINCE, INT64_C(1767225600000000));
	weir_set_bytes(row, RAW, "\0\1", 2);
	if (weir_slurp_u64(ctx, &number, "/sys/frozen/%s", s->list.item[item]))
		weir_set_u64(row, SLURPED, number);
	weir_set_bool(row, DUE, weir_due(ctx, &s->due, WEIR_HOUR));
}

struct context {
	struct frozen frozen;
	struct weir_ctx *ctx;
};

static int
open_context(void *state, struct weir_ctx *ctx, struct weir_err *err)
{
	struct context *c = state;

	c->ctx = ctx;
	return open_frozen(&c->frozen, ctx, err);
}

static int
sample(void *state, struct weir_out *out, struct weir_err *err)
{
	struct context *c = state;
	struct weir_scan text;
	int error = weir_read(c->frozen.file, &text, err);

	if (error)
		return error;
	struct weir_row *row = weir_row(out, 0);

	if (!weir_keys_scan(c->frozen.keys, &text, out, row))
		weir_row_drop(row);
	for (size_t i = 0; i < c->frozen.list.n; i++)
		make_row(&c->frozen, c->ctx, out, i);
	weir_row_drop(weir_row(out, 1));
	return 0;
}

WEIR_PLUGIN(.kind = WEIR_SAMPLER, .flags = WEIR_RARE, .name = "frozen", .summary = "much of ABI 1",
	.description = "For the test of the ABI.", .library = "none",
	.needs = WEIR_NEEDS_NETLINK | WEIR_NEEDS_CAPABILITY(19), .state_size = sizeof(struct context),
	.options = options, .schemas = schemas, .open = open_context, .sampler.sample = sample);
