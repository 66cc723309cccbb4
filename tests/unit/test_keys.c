/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of keys: values, layouts that change, sums, damaged texts, unknown and extra keys, and
 * texts of line pairs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <weir/records.h>
#include <weir/sampler.h>

#include "plugin/instance.h"
#include "plugin/keys.h"

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

static const struct weir_keyword words[] = {
	{ "alpha", A, 1024 },
	{ "beta", B, 1 },
	{ "one", SUM, 1 },
	{ "sig", SIGNED, 1 },
	{ "two", SUM, 1 },
	{ "part", PATTERN, 1 },
	{ "part_*", PATTERN, 1 },
	{ "part_apart", WEIR_IGNORED, 1 },
	{ "left_out_*", WEIR_IGNORED, 1 },
	{ "time", REAL, 10 },
};

static const char full[] = "alpha 3\nbeta 18446744073709551615\nnew_key 9\none 40\nsig -7\ntwo "
						   "2\nleft_out_x 5\npart_a 100\npart_bc 20\npart_apart 7\n"
						   "time 12\n";

struct cells {
	bool present[N_COLUMNS];
	int64_t value[N_COLUMNS];
	size_t n;
};

static struct weir_ctx *
make(void)
{
	struct origin origin = { "c", "h", "keys_test", 1 };
	struct keeper *keeper = keeper_new();

	assert_non_null(keeper);
	struct weir_ctx *ctx = instance_new(&plugin, &origin, NULL, keeper, NULL);

	assert_non_null(ctx);
	return ctx;
}

static void
unmake(struct weir_ctx *ctx)
{
	struct keeper *keeper = ctx->keeper;

	instance_free(ctx);
	keeper_free(keeper);
}

static const struct capability *
capability_of(const struct weir_ctx *ctx, const char *item)
{
	for (const struct capability *c = ctx->capabilities; c; c = c->next)
		if (!strcmp(c->item, item))
			return c;
	return NULL;
}

/* weir_keys_scan or weir_keys_scan_pairs. */
typedef size_t scan_function(
	struct weir_keys *, const struct weir_scan *, struct weir_out *, struct weir_row *);

/* Scan a copy with nothing behind it, so that a checker of memory sees reads beyond the end. */
static struct cells
scan_with(scan_function *function, struct weir_keys *keys, const char *text, size_t size)
{
	struct weir_ctx *ctx = keys->ctx;
	char *copy = malloc(size ? size : 1);
	struct weir_err err = { 0 };
	struct cells cells = { 0 };

	assert_non_null(copy);
	memcpy(copy, text, size);
	instance_begin(ctx, 1000000);
	struct weir_scan scan = weir_scan(copy, size);

	cells.n = function(keys, &scan, &ctx->out, weir_row(&ctx->out, 0));
	assert_int_equal(instance_end(ctx, 0, &err), 0);
	free(copy);
	struct weir_batch *batch = builder_close(ctx->out.builders[0], 1);
	size_t present = 0;

	assert_int_equal(batch->rows, 1);
	for (size_t c = 0; c < N_COLUMNS; c++) {
		cells.present[c] = weir_present(batch, c, 0);
		cells.value[c] = cells.present[c] ? batch->column[c].cell[0].i64 : 0;
		present += cells.present[c];
	}
	assert_int_equal(present, cells.n);
	weir_batch_release(batch);
	return cells;
}

static struct cells
scan(struct weir_keys *keys, const char *text)
{
	return scan_with(weir_keys_scan, keys, text, strlen(text));
}

static struct weir_keys *
make_keys(struct weir_ctx *ctx, char separator, const struct weir_list *extra)
{
	struct weir_keys *keys =
		weir_keys(ctx, "/proc/x", separator, words, WEIR_COUNT(words), extra, 1);

	assert_non_null(keys);
	return keys;
}

static void
check_cell(struct cells cells, size_t column, uint64_t expected, int line)
{
	_assert_true(cells.present[column], columns[column].name, __FILE__, line);
	_assert_int_equal((uint64_t)cells.value[column], expected, __FILE__, line);
}

#define assert_cell(cells, column, expected) \
	check_cell(cells, column, (uint64_t)(expected), __LINE__)

static void
values(void **state)
{
	(void)state;
	struct weir_ctx *ctx = make();
	struct weir_keys *keys = make_keys(ctx, ' ', NULL);

	for (int i = 0; i < 3; i++) {
		struct cells c = scan(keys, full);

		assert_int_equal(c.n, 6);
		assert_cell(c, A, 3072);
		assert_cell(c, B, UINT64_MAX);
		assert_cell(c, SIGNED, -7);
		assert_cell(c, SUM, 42);
		assert_cell(c, PATTERN, 120);
		assert_cell(c, REAL, 120);
	}
	/* The same layout with other numbers, of every length. */
	const char *digits = "12345678901234567890";

	for (int length = 1; length <= 20; length++) {
		char text[100];

		snprintf(text, sizeof(text), "beta %.*s\nsig %.*s\n", length, digits, length, digits);
		struct cells c = scan(keys, text);
		uint64_t expected = strtoull(text + 5, NULL, 10);

		assert_cell(c, B, expected);
		assert_int_equal(c.present[SIGNED], length < 20);
	}
	unmake(ctx);
}

static void
layouts(void **state)
{
	(void)state;
	struct weir_ctx *ctx = make();
	struct weir_keys *keys = make_keys(ctx, ' ', NULL);
	struct cells c = scan(keys, "alpha 1\nbeta 2\nsig 3\n");

	assert_cell(c, B, 2);
	c = scan(keys, "alpha 1\ninserted 5\nbeta 2\nsig 3\n");
	assert_cell(c, A, 1024);
	assert_cell(c, B, 2);
	assert_cell(c, SIGNED, 3);
	c = scan(keys, "sig 3\nbeta 2\n");
	assert_int_equal(c.n, 2);
	assert_cell(c, B, 2);
	assert_cell(c, SIGNED, 3);
	c = scan(keys, "beta 7\nno separator in here?\nnoseparator\nsig\t 8\n");
	assert_int_equal(c.n, 2);
	assert_cell(c, B, 7);
	assert_cell(c, SIGNED, 8);
	c = scan(keys, "beta 7 kB and more\nsig 8\t9\n");
	assert_cell(c, B, 7);
	assert_cell(c, SIGNED, 8);
	c = scan(keys, "betamax 1\nbet 2\n");
	assert_int_equal(c.n, 0);
	c = scan(keys, "");
	assert_int_equal(c.n, 0);
	c = scan(keys, "\n\n \nbeta 3\n");
	assert_cell(c, B, 3);
	keys = make_keys(ctx, ':', NULL);
	for (int i = 0; i < 2; i++) {
		c = scan(keys, "alpha:       24684092 kB\nbeta:\t0\nsig: \n");
		assert_int_equal(c.n, 2);
		assert_cell(c, A, INT64_C(24684092) * 1024);
		assert_cell(c, B, 0);
	}
	unmake(ctx);
}

static void
numbers_that_are_none(void **state)
{
	(void)state;
	struct weir_ctx *ctx = make();
	struct weir_keys *keys = make_keys(ctx, ' ', NULL);
	static const char *const bad[] = {
		"",
		" ",
		"x",
		"12x",
		"-1",
		"-",
		"1.5",
		"0x10",
		"18446744073709551616",
		"99999999999999999999999",
		"1-",
		"+1",
		"1,000",
	};

	for (size_t i = 0; i < WEIR_COUNT(bad); i++) {
		char text[100];

		snprintf(text, sizeof(text), "alpha 1\nbeta %s\nsig 5\n", bad[i]);
		struct cells c = scan(keys, text);

		assert_int_equal(c.n, 2);
		assert_cell(c, A, 1024);
		assert_cell(c, SIGNED, 5);
	}
	/* The factor's overflow; the limits of signed columns. */
	assert_false(scan(keys, "alpha 18014398509481984\n").present[A]);
	assert_cell(scan(keys, "alpha 18014398509481983\n"), A, UINT64_C(18014398509481983) * 1024);
	assert_false(scan(keys, "sig 9223372036854775808\n").present[SIGNED]);
	assert_cell(scan(keys, "sig 9223372036854775807\n"), SIGNED, INT64_MAX);
	assert_false(scan(keys, "time 922337203685477581\n").present[REAL]);
	/* A number of a sum that is none, or a sum that overflows. */
	assert_false(scan(keys, "one 1\nx 1\ntwo y\n").present[SUM]);
	assert_false(scan(keys, "one 18446744073709551615\ntwo 1\n").present[SUM]);
	/* Twice the same key: neither is to be trusted. */
	assert_false(scan(keys, "beta 1\nsig 4\nbeta 1\n").present[B]);
	assert_cell(scan(keys, "beta 1\nsig 4\nbeta 1\n"), SIGNED, 4);
	assert_false(scan(keys, "one 1\none 2\ntwo 3\nbeta 1\n").present[SUM]);
	assert_false(scan(keys, "part_a 1\npart_a 1\nbeta 1\n").present[PATTERN]);
	unmake(ctx);
}

static void
sums(void **state)
{
	(void)state;
	struct weir_ctx *ctx = make();
	struct weir_keys *keys = make_keys(ctx, ' ', NULL);

	/* All keys that the table names: whole, wherever they stand. */
	assert_cell(scan(keys, "two 2\none 40\n"), SUM, 42);
	/* One of two: whole only when something is there that stands behind both in the table. */
	assert_false(scan(keys, "one 40\n").present[SUM]);
	assert_false(scan(keys, "one 40\nsig 1\n").present[SUM]);
	assert_cell(scan(keys, "one 40\nsig 1\npart_apart 1\n"), SUM, 40);
	/* A pattern's keys stand in a row: whole when something follows. */
	assert_false(scan(keys, "part_a 1\npart_b 2\n").present[PATTERN]);
	assert_cell(scan(keys, "part_a 1\npart_b 2\nbeta 1\n"), PATTERN, 3);
	assert_cell(scan(keys, "part 5\nbeta 1\n"), PATTERN, 5);
	/* The exact key wins over the pattern. */
	assert_cell(scan(keys, "part_a 1\npart_apart 50\n"), PATTERN, 1);
	unmake(ctx);
}

static void
unknown_keys(void **state)
{
	(void)state;
	struct weir_ctx *ctx = make();
	struct weir_keys *keys = make_keys(ctx, ' ', NULL);

	scan(keys, "beta 1\nleft_out_y 3\npart_apart 2\n");
	assert_null(capability_of(ctx, "/proc/x"));
	scan(keys, "beta 1\nfoo 2\nbar 3\n");
	const struct capability *c = capability_of(ctx, "/proc/x");

	assert_non_null(c);
	assert_int_equal(c->status, WEIR_UNKNOWN_KEYS);
	assert_string_equal(c->reason, "no column for: foo bar");
	((struct capability *)(uintptr_t)c)->changed = false;
	scan(keys, "beta 7\nfoo 8\nbar 9\n");
	assert_false(c->changed);
	scan(keys, "beta 1\nfoo 2\nbaz 3\nbar 3\n");
	assert_true(c->changed);
	assert_string_equal(c->reason, "no column for: foo baz bar");
	/* Bytes that are no name are a damaged file's, not a kernel's. */
	scan(keys, "beta 1\n\001\002 2\nfoo 2\n");
	assert_string_equal(capability_of(ctx, "/proc/x")->reason, "no column for: foo");
	scan(keys, "beta 1\n");
	assert_int_equal(capability_of(ctx, "/proc/x")->status, WEIR_OK);
	/* A row of the file itself replaced the keys' row: told anew. */
	scan(keys, "beta 1\nfoo 2\n");
	weir_capability(ctx, "/proc/x", WEIR_FAILED, "%s", "test");
	keys_report_again(ctx, "/proc/x");
	scan(keys, "beta 1\nfoo 2\n");
	assert_int_equal(capability_of(ctx, "/proc/x")->status, WEIR_UNKNOWN_KEYS);
	/* Very many are cut short, and counted. */
	char text[20000], *at = text;

	for (int i = 0; i < 1000; i++)
		at += sprintf(at, "unknown_%d 1\n", i);
	scan(keys, text);
	assert_non_null(strstr(capability_of(ctx, "/proc/x")->reason, "unknown_0 unknown_1 "));
	assert_non_null(strstr(capability_of(ctx, "/proc/x")->reason, " more"));
	unmake(ctx);
}

static void
extra_keys(void **state)
{
	(void)state;
	static const char *const names[] = { "foo", "left_out_x", "beta", "gone" };
	const struct weir_list extra = { names, WEIR_COUNT(names) };
	struct weir_ctx *ctx = make();
	struct weir_keys *keys = make_keys(ctx, ' ', &extra);
	static const struct {
		const char *item;
		int64_t value;
	} expected[] = { { "beta", 5 }, { "foo", -3 }, { "left_out_x", 9 } };

	assert_cell(scan(keys, "beta 5\nfoo -3\nleft_out_x 9\nbar 1\n"), B, 5);
	struct weir_batch *batch = builder_close(ctx->out.builders[1], 1);

	assert_int_equal(batch->rows, 3);
	for (size_t i = 0; i < 3; i++) {
		struct weir_symbol sampler = weir_text(batch, WEIR_KEYVALUE_SAMPLER, i),
						   item = weir_text(batch, WEIR_KEYVALUE_ITEM, i);

		assert_int_equal(sampler.length, strlen("keys_test"));
		assert_memory_equal(sampler.text, "keys_test", sampler.length);
		assert_int_equal(item.length, strlen(expected[i].item));
		assert_memory_equal(item.text, expected[i].item, item.length);
		assert_int_equal(batch->column[WEIR_KEYVALUE_VALUE].cell[i].i64, expected[i].value);
	}
	weir_batch_release(batch);
	assert_string_equal(capability_of(ctx, "/proc/x")->reason, "no column for: bar");
	unmake(ctx);
}

/*
 * Cut at every byte, before and after the whole text: each cell is that of the whole text or
 * missing.
 */
static void
cut_everywhere(scan_function *function, struct weir_keys *keys, const char *text)
{
	size_t size = strlen(text);
	struct cells whole = scan_with(function, keys, text, size);

	for (size_t at = 0; at < size; at++) {
		struct cells c = scan_with(function, keys, text, at);

		for (size_t column = 0; column < N_COLUMNS; column++)
			if (c.present[column])
				assert_cell(c, column, whole.value[column]);
		if (at % 3 == 0) /* so that a cut text meets both whole and cut layouts */
			continue;
		c = scan_with(function, keys, text, size);
		assert_memory_equal(&c, &whole, sizeof(c));
	}
}

static void
cut(void **state)
{
	(void)state;
	struct weir_ctx *ctx = make();

	cut_everywhere(weir_keys_scan, make_keys(ctx, ' ', NULL), full);
	unmake(ctx);
}

/* A generator of its own: the same bytes everywhere. */
static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void
random_bytes(void **state)
{
	(void)state;
	struct weir_ctx *ctx = make();
	struct weir_keys *lines = make_keys(ctx, ' ', NULL), *pairs = make_keys(ctx, ' ', NULL);
	uint32_t seed = 1;
	char text[300];

	for (int round = 0; round < 3000; round++) {
		size_t size = next_random(&seed) % sizeof(text);

		memcpy(text, full, sizeof(full) - 1 < size ? sizeof(full) - 1 : size);
		for (size_t i = round % 3 ? sizeof(full) - 1 : 0; i < size; i++)
			text[i] = round % 2 ? "ab \n:-0129"[next_random(&seed) % 10] : (char)next_random(&seed);
		for (int i = 0; i < round % 5; i++)
			text[next_random(&seed) % sizeof(text)] = (char)next_random(&seed);
		scan_with(weir_keys_scan, lines, text, size);
		scan_with(weir_keys_scan_pairs, pairs, text, size);
	}
	struct cells c = scan(lines, full);

	assert_int_equal(c.n, 6);
	unmake(ctx);
}

/* A text with more keys than a layout holds, and one with keys that have no end. */
static void
huge(void **state)
{
	(void)state;
	struct weir_ctx *ctx = make();
	struct weir_keys *keys = make_keys(ctx, ' ', NULL);
	size_t size = 1 << 20;
	char *text = malloc(size);

	assert_non_null(text);
	memset(text, 'x', size);
	assert_int_equal(scan_with(weir_keys_scan, keys, text, size).n, 0);
	for (size_t i = 0; i + 8 <= size; i += 8)
		memcpy(text + i, "beta 12\n", 8);
	assert_int_equal(scan_with(weir_keys_scan, keys, text, size).n, 0);
	memcpy(text, "sig  12\n", 8);
	assert_cell(scan_with(weir_keys_scan, keys, text, size), SIGNED, 12);
	assert_cell(scan_with(weir_keys_scan, keys, text, size), SIGNED, 12);
	free(text);
	unmake(ctx);
}

static const struct weir_keyword pair_words[] = {
	{ "Ip.Forwarding", A, 1 },
	{ "Ip.InReceives", B, 1 },
	{ "Tcp.MaxConn", SIGNED, 1 },
	{ "Tcp.InSegs", SUM, 1 },
	{ "Icmp.*", WEIR_IGNORED, 1 },
};

static const char snmp[] = "Ip: Forwarding InReceives\nIp: 1 1234567890123\nIcmp: InMsgs\nIcmp: "
						   "5\nTcp: MaxConn InSegs New\nTcp: -1 55 3\n";

static void
pairs(void **state)
{
	(void)state;
	struct weir_ctx *ctx = make();
	struct weir_keys *keys =
		weir_keys(ctx, "/proc/y", ':', pair_words, WEIR_COUNT(pair_words), NULL, 1);

	assert_non_null(keys);
	for (int i = 0; i < 3; i++) {
		struct cells c = scan_with(weir_keys_scan_pairs, keys, snmp, strlen(snmp));

		assert_int_equal(c.n, 4);
		assert_cell(c, A, 1);
		assert_cell(c, B, INT64_C(1234567890123));
		assert_cell(c, SIGNED, -1);
		assert_cell(c, SUM, 55);
	}
	assert_string_equal(capability_of(ctx, "/proc/y")->reason, "no column for: Tcp.New");
	cut_everywhere(weir_keys_scan_pairs, keys, snmp);

	static const struct {
		const char *text;
		size_t n;
	} others[] = {
		{ "Ip: InReceives Forwarding\nIp: 1 2\n", 2 }, /* another order */
		{ "Ip: Forwarding InReceives\nIp: 1\n", 1 },   /* a short line: its tail is missing */
		{ "Ip: Forwarding InReceives\nIp: 1 2 3\n", 0 },
		{ "Ip: Forwarding InReceives\nIp: 1 2 \n", 2 },
		{ "Ip: Forwarding InReceives\nIp: 1 x\n", 1 }, /* a number that is none */
		{ "Ip: Forwarding InReceives\nIp: x 2\n", 1 },
		{ "Ip: Forwarding InReceives\nIp: -1 2\n", 1 }, /* negative for u64 */
		{ "Ip: Forwarding InReceives\nTcp: 1 2\n", 0 }, /* not its numbers */
		{ "Ip: Forwarding InReceives\nTcp: MaxConn\nTcp: 4\n", 1 },
		{ "Ip: Forwarding InReceives\nIp: 1 2\nTcp: MaxConn\nTcp: 4\n",
			3 }, /* a header alone found its numbers */
		{ "Ip: Forwarding InReceives\nTcp: 1 2\n", 0 },
		{ "Ip: Forwarding InReceives\nIp: 1 2\n", 2 }, /* so did the last one */
		{ "rubbish\nIp: Forwarding\nIp: 1\n", 1 },
		{ "Ip:\nIp:\nIp: Forwarding\nIp: 1\n", 1 },
		{ "", 0 },
	};

	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < WEIR_COUNT(others); i++)
			assert_int_equal(
				scan_with(weir_keys_scan_pairs, keys, others[i].text, strlen(others[i].text)).n,
				others[i].n);
	unmake(ctx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(layouts),
		cmocka_unit_test(numbers_that_are_none),
		cmocka_unit_test(sums),
		cmocka_unit_test(unknown_keys),
		cmocka_unit_test(extra_keys),
		cmocka_unit_test(cut),
		cmocka_unit_test(random_bytes),
		cmocka_unit_test(huge),
		cmocka_unit_test(pairs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
