/* SPDX-License-Identifier: Apache-2.0 */
/* The error value, the buffer, JSON strings, the arena, word distance, names and patterns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/error.h>

#include "base/text.h"

static void
error_text(void **state)
{
	(void)state;
	struct weir_err err = { 0 };
	assert_int_equal(weir_fail(&err, -ENOENT, "cannot open '%s'", "/x"), -ENOENT);
	assert_int_equal(err.code, -ENOENT);
	assert_string_equal(err.text, "cannot open '/x': No such file or directory");
	assert_int_equal(weir_failx(&err, -EINVAL, "'%d' is odd", 3), -EINVAL);
	assert_int_equal(err.code, -EINVAL);
	assert_string_equal(err.text, "'3' is odd");
	assert_int_equal(weir_fail(NULL, -EIO, "%s", "x"), -EIO);
	assert_int_equal(weir_failx(NULL, -EIO, "%s", "x"), -EIO);
	/* Words put in front of an error's own. */
	weir_failx(&err, -EBUSY, "locked");
	weir_failx(&err, err.code, "store 'csv': %s", err.text);
	assert_string_equal(err.text, "store 'csv': locked");
	assert_int_equal(err.code, -EBUSY);
}

static void
error_too_long(void **state)
{
	(void)state;
	struct weir_err err = { 0 };
	char path[1200];
	memset(path, 'a', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	weir_failx(&err, -EINVAL, "%s", path);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	/* What errno says is at the end and is kept. */
	weir_fail(&err, -ENOENT, "%s", path);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_string_equal(err.text + strlen(err.text) - 28, "a: No such file or directory");
	path[sizeof(err.text) - 1] = '\0';
	weir_failx(&err, -EINVAL, "%s", path);
	assert_string_equal(err.text, path);
	/* No character is cut in two: 3 bytes each, 499 = 166 * 3 + 1. */
	char euros[601];
	for (size_t i = 0; i < 600; i += 3)
		memcpy(euros + i, "\xe2\x82\xac", 3);
	euros[600] = '\0';
	weir_failx(&err, -EINVAL, "%s", euros);
	assert_int_equal(strlen(err.text), 498);
}

static void
buffer(void **state)
{
	(void)state;
	struct text text = { 0 };
	text_append(&text, NULL, 0);
	assert_string_equal(text.data, "");
	text_add(&text, "ab");
	text_append(&text, "c\0d", 3);
	text_printf(&text, "%d-%s", 42, "x");
	assert_int_equal(text.size, 9);
	assert_memory_equal(text.data, "abc\0d42-x", 10);
	for (int i = 0; i < 5000; i++)
		text_printf(&text, "%04d", i);
	assert_int_equal(text.size, 9 + 4 * 5000);
	assert_memory_equal(text.data + 9 + 4 * 4321, "4321", 4);
	assert_int_equal(text.data[text.size], '\0');
	assert_true(text.room > text.size);
	assert_false(text.failed);
	text_free(&text);
	assert_null(text.data);
	assert_int_equal(text.size, 0);
}

static void
buffer_failed(void **state)
{
	(void)state;
	struct text text = { 0 };
	text_add(&text, "kept");
	text_append(&text, "x", SIZE_MAX - 8);
	assert_true(text.failed);
	text_add(&text, "lost");
	text_printf(&text, "%s", "lost");
	text_json(&text, "lost", 4);
	assert_true(text.failed);
	assert_string_equal(text.data, "kept");
	assert_int_equal(text.size, 4);
	text_free(&text);
	assert_false(text.failed);
}

static void
check_json(const char *data, size_t size, const char *expected)
{
	/* A piece of its own size, so that reading beyond it is seen. */
	char *copy = malloc(size ? size : 1);
	assert_non_null(copy);
	memcpy(copy, data, size);
	struct text text = { 0 };
	text_json(&text, copy, size);
	assert_false(text.failed);
	assert_string_equal(text.data, expected);
	text_free(&text);
	free(copy);
}

#define BAD "\xef\xbf\xbd"

static void
json(void **state)
{
	(void)state;
	check_json("", 0, "\"\"");
	check_json("plain", 5, "\"plain\"");
	check_json("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
	check_json("\n\r\t\b\x1f\x7f", 6, "\"\\n\\r\\t\\u0008\\u001f\x7f\"");
	check_json("a\0b", 3, "\"a\\u0000b\"");
	check_json(
		"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
	check_json("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", 10,
		"\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\"");
}

static void
json_invalid_utf8(void **state)
{
	(void)state;
	check_json("a\xff"
			   "b",
		3, "\"a" BAD "b\"");
	check_json("\x80\x80", 2, "\"" BAD BAD "\"");
	/* Cut short at the end, and by another character. */
	check_json("\xc3", 1, "\"" BAD "\"");
	check_json("\xe2\x82", 2, "\"" BAD "\"");
	check_json("\xf0\x9f\x98", 3, "\"" BAD "\"");
	check_json("x\xe2\x82y", 4, "\"x" BAD "y\"");
	check_json("\xe2\"", 2, "\"" BAD "\\\"\"");
	check_json("\xf0\x9f\xc3\xa9", 4, "\"" BAD "\xc3\xa9\"");
	/* The rest of the character lies behind the end that was said. */
	struct text text = { 0 };
	text_json(&text, "\xe2\x82\xac", 2);
	assert_string_equal(text.data, "\"" BAD "\"");
	text_free(&text);
	/* Overlong, surrogate, above U+10FFFF. */
	check_json("\xc0\xaf", 2, "\"" BAD BAD "\"");
	check_json("\xe0\x80\xaf", 3, "\"" BAD BAD BAD "\"");
	check_json("\xf0\x8f\xbf\xbf", 4, "\"" BAD BAD BAD BAD "\"");
	check_json("\xed\xa0\x80", 3, "\"" BAD BAD BAD "\"");
	check_json("\xf4\x90\x80\x80", 4, "\"" BAD BAD BAD BAD "\"");
	check_json("\xf5", 1, "\"" BAD "\"");
}

static void
arena(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	char *pieces[2000];
	for (size_t i = 0; i < 2000; i++) {
		size_t size = i % 7 == 6 ? 3000 + i * 10 : i % 50;
		pieces[i] = arena_alloc(&arena, size);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
		for (size_t j = 0; j < size; j++)
			assert_int_equal(pieces[i][j], 0);
		memset(pieces[i], (int)(i % 251), size);
	}
	/* None lies in another: all still hold what was written. */
	for (size_t i = 0; i < 2000; i++) {
		size_t size = i % 7 == 6 ? 3000 + i * 10 : i % 50;
		for (size_t j = 0; j < size; j++)
			assert_int_equal((unsigned char)pieces[i][j], i % 251);
	}
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_alloc(&arena, SIZE_MAX / 2));
	assert_null(arena_copy(&arena, "x", SIZE_MAX));
	arena_free(&arena);
	assert_null(arena.first);
	arena_free(&arena);
}

static void
arena_strings(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	const char *copy = arena_copy(&arena, "abcdef", 3);
	assert_string_equal(copy, "abc");
	assert_string_equal(arena_copy(&arena, NULL, 0), "");
	const char *string = arena_string(&arena, "word");
	const char *printed = arena_printf(&arena, "%s/%05d", "a", 42);
	assert_string_equal(string, "word");
	assert_string_equal(printed, "a/00042");
	const char *large = arena_printf(&arena, "%*d", 9000, 7);
	assert_int_equal(strlen(large), 9000);
	assert_int_equal(large[8999], '7');
	assert_string_equal(copy, "abc");
	arena_free(&arena);
}

static void
check_distance(const char *a, const char *b, unsigned expected)
{
	assert_int_equal(text_distance(a, b), expected);
	assert_int_equal(text_distance(b, a), expected);
}

static void
distances(void **state)
{
	(void)state;
	check_distance("", "", 0);
	check_distance("", "abc", 3);
	check_distance("same", "same", 0);
	check_distance("kitten", "sitting", 3);
	check_distance("interval", "intreval", 1);
	check_distance("interval", "interva", 1);
	check_distance("ab", "ba", 1);
	/* Editing between swapped letters, which the restricted distance counts as 3. */
	check_distance("ca", "abc", 2);
	check_distance("a cat", "an act", 2);
	check_distance("A", "a", 1);
	check_distance("\xff\x80", "\x80\xff", 1);
}

static void
nearest(void **state)
{
	(void)state;
	const char *const words[] = { "interval", "offset", "path", "flush", "conninfo", "sync", "f" };
	const size_t n = sizeof(words) / sizeof(words[0]);
	assert_string_equal(text_nearest("intervall", words, n), "interval");
	assert_string_equal(text_nearest("intreval", words, n), "interval");
	assert_string_equal(text_nearest("INTERVAL", words, n), "interval");
	assert_string_equal(text_nearest("Flsuh", words, n), "flush");
	assert_string_equal(text_nearest("pth", words, n), "path");
	assert_null(text_nearest("pt", words, n));
	assert_null(text_nearest("abcd", words, n));
	assert_string_equal(text_nearest("coninf", words, n), "conninfo");
	assert_null(text_nearest("conin", words, n));
	assert_null(text_nearest("period", words, n));
	assert_null(text_nearest("path", words, 0));
	/* The nearer one, though it stands later; of equals the first. */
	const char *const near[] = { "brokerss", "brokers", "broker" };
	assert_string_equal(text_nearest("brokers", near, 3), "brokers");
	const char *const equal[] = { "cat", "bat" };
	assert_string_equal(text_nearest("hat", equal, 2), "cat");
}

static void
names(void **state)
{
	(void)state;
	assert_true(name_valid("a"));
	assert_true(name_valid("meminfo"));
	assert_true(name_valid("cpu_0"));
	assert_false(name_valid(""));
	assert_false(name_valid("0a"));
	assert_false(name_valid("_a"));
	assert_false(name_valid("A"));
	assert_false(name_valid("aB"));
	assert_false(name_valid("a-b"));
	assert_false(name_valid("a b"));
	assert_false(name_valid("\xc3\xa9"));
	char name[65] = "";
	memset(name, 'x', 63);
	assert_true(name_valid(name));
	name[63] = 'x';
	assert_false(name_valid(name));
}

static void
names_reserved(void **state)
{
	(void)state;
	/* The first and the last of the table, words of all three, and of one alone. */
	const char *const reserved[] = {
		"add",
		"with",
		"user",
		"group",
		"order",
		"column",
		"select",
		"table",
		"limit",
		"offset",
		"end",
		"full",
		"left",
		"analyse",
		"array",
		"current_date",
		"session_user",
		"system_user",
		"verbose",
		"index",
		"if",
		"set",
		"values",
		"transaction",
		"qualify",
		"lambda",
		"pivot_longer",
		"summarize",
		"at",
		"window",
		"check",
		"default",
	};
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (!name_reserved_sql(reserved[i]))
			fail_msg("'%s' is reserved", reserved[i]);
	const char *const free_words[] = {
		"",
		"time",
		"cluster",
		"host",
		"source",
		"schema",
		"user_name",
		"group_name",
		"name",
		"value",
		"type",
		"key",
		"device",
		"mount",
		"cpu",
		"node",
		"state",
		"version",
		"usr",
		"users",
		"a",
		"zzz",
		"withh",
		"wit",
		"status",
	};
	for (size_t i = 0; i < sizeof(free_words) / sizeof(free_words[0]); i++)
		if (name_reserved_sql(free_words[i]))
			fail_msg("'%s' is not reserved", free_words[i]);
}

static void
patterns(void **state)
{
	(void)state;
	assert_true(pattern_match("", ""));
	assert_false(pattern_match("", "a"));
	assert_true(pattern_match("*", ""));
	assert_true(pattern_match("*", "anything"));
	assert_false(pattern_match("?", ""));
	assert_true(pattern_match("?", "a"));
	assert_false(pattern_match("?", "ab"));
	assert_true(pattern_match("meminfo", "meminfo"));
	assert_false(pattern_match("meminfo", "meminfo2"));
	assert_false(pattern_match("meminfo2", "meminfo"));
	assert_true(pattern_match("mem*", "meminfo"));
	assert_true(pattern_match("*info", "meminfo"));
	assert_true(pattern_match("m*i*o", "meminfo"));
	assert_false(pattern_match("m*x*o", "meminfo"));
	assert_true(pattern_match("*ab", "aab"));
	assert_true(pattern_match("a*b*c", "aXbXbXc"));
	assert_false(pattern_match("a*b*c", "aXcXb"));
	assert_true(pattern_match("**a**", "xay"));
	assert_true(pattern_match("?*?", "ab"));
	assert_false(pattern_match("?*?", "a"));
	assert_true(pattern_match("[a]", "[a]"));
	assert_false(pattern_match("[a]", "a"));
	/* Would not end if each star were retried. */
	char many[3001];
	memset(many, 'a', 3000);
	many[3000] = '\0';
	assert_false(pattern_match("a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", many));
	assert_true(pattern_match("a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a", many));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_text),
		cmocka_unit_test(error_too_long),
		cmocka_unit_test(buffer),
		cmocka_unit_test(buffer_failed),
		cmocka_unit_test(json),
		cmocka_unit_test(json_invalid_utf8),
		cmocka_unit_test(arena),
		cmocka_unit_test(arena_strings),
		cmocka_unit_test(distances),
		cmocka_unit_test(nearest),
		cmocka_unit_test(names),
		cmocka_unit_test(names_reserved),
		cmocka_unit_test(patterns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
