/* SPDX-License-Identifier: Apache-2.0 */
/* Reading YAML: what is read, and of every kind of mistake the exact place and the words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/yaml.h"

struct reading {
	struct arena arena;
	struct report *report;
	struct node *root;
	struct text printed;
};

static struct reading
read_bytes(const char *text, size_t size)
{
	struct reading reading = { .report = report_new() };

	assert_non_null(reading.report);
	assert_int_equal(
		yaml_parse_memory("t.yaml", text, size, &reading.arena, reading.report, &reading.root), 0);
	assert_non_null(reading.root);
	assert_int_equal(reading.root->kind, NODE_MAPPING);
	report_print(reading.report, &reading.printed);
	if (!reading.printed.data)
		text_append(&reading.printed, "", 0);
	return reading;
}

static struct reading
read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

static void
finish(struct reading *reading)
{
	report_free(reading->report);
	arena_free(&reading->arena);
	text_free(&reading->printed);
}

static const char *
value_of(const struct reading *reading, const char *key)
{
	const struct node *node = node_get(reading->root, key);

	assert_non_null(node);
	assert_int_equal(node->kind, NODE_SCALAR);
	return node->value;
}

/* --- what is wrong --- */

struct wrong {
	const char *text;
	unsigned line, column;
	const char *words;
	unsigned errors;
};

static const struct wrong unclosed_quotes[] = {
	{ "a: 'abc\n", 1, 4, "quote (') is never closed", 1 },
	{ "a: \"abc\n", 1, 4, "quote (\") is never closed", 1 },
	{ "a: 'abc", 1, 4, "never closed", 1 },
	{ "cluster: hydra\nsamplers:\n  cpu: {interval: \"1s}\n", 3, 19, "never closed", 1 },
	{ "a: 'abc\nb: 2\nc: 3\n", 1, 4, "never closed", 1 },
	{ "a: 'abc\nb: 'def'\n", 1, 4, "not closed in its line: it ends at the next one, in line 2",
		1 },
	{ "a: \"abc\nb: \"def\"\nc: 1\n", 1, 4, "in line 2", 1 },
	{ "a: \"abc\nb: \"\"\nc: 1\n", 1, 4, "in line 2", 1 },
	{ "a: [\"x, y]\nb: \"z\"\n", 1, 5, "in line 2", 1 },
	{ "a: {p: \"/tmp/x}\nb: {c: \"host=db\"}\n", 1, 8, "in line 2", 1 },
	{ "a:\n  - 'x\n  - 'y'\n", 2, 5, "in line 3", 1 },
	{ "a: 1\n\"b: 2\nc: \"x\"\n", 2, 1, "in line 3", 1 },
	{ "a: 1\n'b: 2\nc: 3\n", 2, 1, "never closed", 1 },
	{ "a: 'x\n---\ny'\n", 1, 4, "quote (')", 1 },
	{ "a: [1, {b: 'x}]\n", 1, 12, "never closed", 1 },
	{ "a: \"x\\\"\nb: 1\n", 1, 4, "never closed", 1 },
	{ "a: 'it's here'\n", 1, 8, "text after the closing quote", 1 },
	{ "a: \"say \"x\" now\"\n", 1, 10, "text after the closing quote", 1 },
	{ "a: 'x' y\n", 1, 8, "unexpected text after the value", 1 },
};

static const struct wrong unclosed_brackets[] = {
	{ "a: [1, 2\n", 1, 4, "this '[' is never closed", 1 },
	{ "a: [1, 2", 1, 4, "this '[' is never closed", 1 },
	{ "a: [1, 2\nb: 3\n", 1, 4, "this '[' is never closed", 1 },
	{ "a: [1,\nb: 3\n", 1, 4, "this '[' is never closed", 1 },
	{ "a: [1, 2\nb: [3]\n", 1, 4, "this '[' is never closed", 1 },
	{ "a: [1,\n- x\n", 1, 4, "this '[' is never closed", 1 },
	{ "a: [\n", 1, 4, "this '[' is never closed", 1 },
	{ "a:\n  b:\n    - [x\n    - y\n", 3, 7, "this '[' is never closed", 1 },
	{ "a: [1, 2 # ]\nb: 3\n", 1, 4, "this '[' is never closed", 1 },
	{ "a: [1, ']'\nb: 3\n", 1, 4, "this '[' is never closed", 1 },
	{ "a: [[1, 2]\nb: 3\n", 1, 4, "this '[' is never closed", 1 },
	{ "a: [1, [2, 3]\n", 1, 4, "this '[' is never closed", 1 },
	{ "a: [1, [2, 3\n", 1, 8, "this '[' is never closed", 1 },
	{ "a: {b: 1, c: [2}\n", 1, 14, "this '[' is never closed", 1 },
	{ "a: {b: 1\n", 1, 4, "this '{' is never closed", 1 },
	{ "a: {b: 1\nc: 2\n", 1, 4, "this '{' is never closed", 1 },
	{ "a: {\n", 1, 4, "this '{' is never closed", 1 },
	{ "{a: 1\n", 1, 1, "this '{' is never closed", 1 },
	{ "a: {b: {c: 1}\nd: 2\n", 1, 4, "this '{' is never closed", 1 },
	{ "a: {b: {c: 1\nd: 2\n", 1, 8, "this '{' is never closed", 1 },
	{ "s: {m: {i: 1s}\nt: {u: {p: /x}}\n", 1, 4, "this '{' is never closed", 1 },
	{ "a: {b: [1, {c: 2]}\n", 1, 12, "this '{' is never closed", 1 },
	{ "a:\n  m: {i: 1s\n  c: {i: 2s}\n", 2, 6, "this '{' is never closed", 1 },
	{ "a: [x, {b: 1]\n", 1, 8, "this '{' is never closed", 1 },
	{ "a: {b: 1}}\n", 1, 10, "this '}' closes nothing", 1 },
	{ "a: [1]]\n", 1, 7, "this ']' closes nothing", 1 },
	{ "a: ]\n", 1, 4, "this ']' closes nothing", 1 },
	{ "a: }\n", 1, 4, "this '}' closes nothing", 1 },
};

static const struct wrong separators[] = {
	{ "a: {b: \"c\" d: 1}\n", 1, 12, "a ',' or '}' is missing", 1 },
	{ "a: [1 [2]]\n", 1, 7, "a ',' or ']' is missing", 1 },
	{ "a: {\n  b: 1\n  c: 2\n}\n", 3, 3, "missing before this line", 1 },
	{ "a: [, 1]\n", 1, 5, "a value is missing before this ','", 1 },
	{ "a: {b: 1,, c: 2}\n", 1, 10, "a value is missing before this ','", 1 },
	{ "a: [1, 2\n  3, 4]\n", 2, 3, "a ',' is missing before this line", 1 },
	{ "a: {b: [x\n\n   y]}\n", 3, 4, "a ',' is missing before this line", 1 },
	{ "a: {b: {c: 1\n  d}}\n", 2, 3, "a ',' is missing before this line", 1 },
	{ "a: {b:{c: 1}}\n", 1, 6, "a blank is missing after this ':'", 1 },
	{ "a: {b:, c: 1}\n", 1, 6, "a blank is missing after this ':'", 1 },
	{ "a: [x, b:[1]]\n", 1, 9, "a blank is missing after this ':'", 1 },
	{ "a: {b:1s}\n", 1, 5, "expected 'key: value', found 'b:1s'", 1 },
	{ "a: {b: 1, interval:10s}\n", 1, 11, "found 'interval:10s'", 1 },
	{ "a: {interval 10s}\n", 1, 5, "found 'interval 10s'", 1 },
	{ "a: {interval=10s}\n", 1, 5, "found 'interval=10s'", 1 },
	{ "m:\n  i:10s\n  o: 1s\n", 2, 3, "found 'i:10s'", 1 },
	{ "m:\n  o: 1s\n  i:10s\n", 3, 3, "found 'i:10s'", 1 },
	{ "m:\n  o: 1s\n  i:10s\n  p: 1\n", 3, 3, "found 'i:10s'", 1 },
	{ "m:\n  interval 10s\n  b: 1\n", 2, 3, "found 'interval 10s'", 1 },
	{ "a: 1\nb\nc: 2\n", 2, 1, "expected 'key: value', found 'b'", 1 },
	{ "a: 1\nb\n", 2, 1, "expected 'key: value', found 'b'", 1 },
	{ "samplers\n  cpu: {}\n", 1, 1, "found 'samplers'", 1 },
	{ "a: b: c\n", 1, 5, "a second ': ' in one line", 1 },
	{ "a: http: //x\n", 1, 8, "a second ': ' in one line", 1 },
	{ "a:\n- b\n-c\n", 3, 1, "found '-c'", 1 },
	{ "a: - b\n", 1, 4, "a list cannot begin here", 1 },
	{ ": x\n", 1, 1, "a key is missing", 1 },
	{ "a: {: x}\n", 1, 5, "a key is missing", 1 },
	{ "interval:10s\n", 1, 1, "found 'interval:10s'", 1 },
};

static const struct wrong indentation[] = {
	{ "a: 1\n  b: 2\n", 2, 3, "indented deeper than the one above", 1 },
	{ "a: b\n c\n  d: e\n", 3, 3, "indented deeper than the one above", 1 },
	{ "s:\n  m: {i: 1}\n   c: {i: 1}\n", 3, 4, "3 blanks fits no line above: 0 or 2 would", 1 },
	{ "s:\n  m:\n    i: 1\n   o: 1\n", 4, 4, "3 blanks fits no line above: 0 or 2 or 4 would", 1 },
	{ "s:\n  m:\n    i: 1\n o: 1\n", 4, 2, "1 blank fits no line above", 1 },
	{ "s:\n    b: 1\n  c: 2\n", 3, 3, "2 blanks fits no line above: 0 or 4 would", 1 },
	{ "r:\n  - a\n  b: c\n", 3, 3, "expected '- '", 1 },
	{ "r:\n  - a\n   - b\n", 3, 4, "indented deeper than the text above", 1 },
	{ "r:\n  - {a: b}\n   - {a: b}\n", 3, 4, "3 blanks fits no line above", 1 },
	{ "r:\n  - {a: b}\n - {a: b}\n", 3, 2, "1 blank fits no line above", 1 },
	{ "a: 'x'\n  b: c\n", 2, 3, "2 blanks fits no line above", 1 },
	{ "a: 1\n- b\n", 2, 1, "found an item of a list", 1 },
};

static const struct wrong tabs[] = {
	{ "m:\n\ti: 1\n", 2, 1, "tab in the indentation", 1 },
	{ "m:\n  \ti: 1\n", 2, 3, "tab in the indentation", 1 },
	{ "m:\n  a: 1\n\tb: 2\n", 3, 1, "tab in the indentation", 1 },
	{ "m: [\n\t1]\n", 2, 1, "tab in the indentation", 1 },
	{ "m: {\n  a: 1,\n  \tb: 2}\n", 3, 3, "tab in the indentation", 1 },
	{ "m:\n  a: x\n\n\t\n  b: 1\n", 4, 1, "tab in the indentation", 1 },
	{ "a: |\n\tfoo\n", 2, 1, "tab in the indentation", 1 },
	{ "a: |\n  foo\n\tbar\n", 3, 1, "tab in the indentation", 1 },
	{ "a: 1\n\t# comment\nb: 2\n", 2, 1, "tab in the indentation", 1 },
	{ "a: long\n \ttext\n", 2, 2, "tab in the indentation", 1 },
	{ "a: 1\n\n\t\n", 3, 1, "tab in the indentation", 1 },
	{ "a:\n  -\tb: 1\n", 2, 4, "a tab cannot stand here", 1 },
};

static const struct wrong keys[] = {
	{ "a: 1\nb: 2\na: 3\n", 3, 1, "a: duplicate key, given before in line 1", 1 },
	{ "s:\n  m: {i: 1, i: 2}\n", 2, 13, "s.m.i: duplicate key", 1 },
	{ "s:\n  m: 1\n  'm': 2\n", 3, 3, "s.m: duplicate key", 1 },
	{ "a: {\"b\": 1, b: 2}\n", 1, 13, "a.b: duplicate key", 1 },
	{ "a: 1\na: 2\na: 3\n", 3, 1, "duplicate key, given before in line", 2 },
	{ "r:\n  - {a: 1}\n  - {b: 1, b: 2}\n", 3, 12, "r[1].b: duplicate key", 1 },
	{ "\"\": x\n", 1, 1, "it is empty", 1 },
	{ "? [a]\n: b\n", 1, 3, "a key is a single text, no list", 1 },
	{ "? {a: b}\n: b\n", 1, 3, "a key is a single text, no mapping", 1 },
	{ "a: {[x]: y}\n", 1, 5, "a key is a single text, no list", 1 },
	{ "${env:X}: 1\n", 1, 1, "not replaced in keys", 1 },
	{ "a:\n  b${file:/x}: 1\n", 2, 3, "not replaced in keys", 1 },
	{ "? |\n  a\n  b\n: x\n", 1, 3, "a key is one line", 1 },
	{ "\"a\\tb\": x\n", 1, 1, "a key is one line", 1 },
	{ "a: 1\n<<: 3\n", 2, 5, "'<<' takes a mapping", 1 },
	{ "a: 1\n<<: [{b: 1}, 2]\n", 2, 14, "'<<' takes a mapping", 1 },
	{ "a: &x {b: 1}\n<<: *x\n<<: *x\n", 3, 1, "duplicate key '<<'", 1 },
};

static const struct wrong refused[] = {
	{ "a: !!str x\n", 1, 4, "tags", 1 },
	{ "a: !x {b: 1}\n", 1, 4, "tags", 1 },
	{ "a: &n !!int 5\n", 1, 7, "tags", 1 },
	{ "a: !!int &n 5\n", 1, 4, "tags", 1 },
	{ "a: [1, !x 2]\n", 1, 8, "tags", 1 },
	{ "!!map {a: 1}\n", 1, 1, "tags", 1 },
	{ "a:\n  !x\n  b: 1\n", 2, 3, "tags", 1 },
	{ "!x a: 1\n", 1, 1, "tags", 1 },
	{ "a: !<x\n", 1, 4, "tags", 1 },
	{ "a: !e!x y\n", 1, 4, "tags", 1 },
	{ "%YAML 1.1\n---\na: 1\n", 1, 1, "directives", 1 },
	{ "%TAG !e! tag:x,2000:\n---\na: 1\n", 1, 1, "directives", 1 },
	{ "a: 1\n%FOO\n", 2, 1, "directives", 1 },
	{ "a: 1\n---\nb: 2\n", 2, 1, "second document", 1 },
	{ "---\na: 1\n---\n", 3, 1, "second document", 1 },
	{ "---\n---\na: 1\n", 2, 1, "second document", 1 },
	{ "a: 1\n...\n---\nb: 2\n", 3, 1, "second document", 1 },
	{ "a: 1\n...\nb: 2\n", 3, 1, "nothing may follow", 1 },
	{ "a: *x\n", 1, 4, "no anchor '&x'", 1 },
	{ "d: &defaults {b: 1}\na: *default\n", 2, 4, "no anchor '&default'", 1 },
	{ "a: &x [*x]\n", 1, 8, "inside its own anchor", 1 },
	{ "a: &x {b: {c: *x}}\n", 1, 15, "inside its own anchor", 1 },
	{ "a: *x b\n", 1, 7, "unexpected text", 2 },
	{ "a: @x\n", 1, 4, "cannot begin with '@'", 1 },
	{ "a: `x`\n", 1, 4, "cannot begin with '`'", 1 },
	{ "a: %x\n", 1, 4, "cannot begin with '%'", 1 },
	{ "a: &\n", 1, 4, "after '&' comes a name", 1 },
	{ "a: *\n", 1, 4, "after '*' comes a name", 1 },
	{ "a: [*, 1]\n", 1, 5, "after '*' comes a name", 1 },
	{ "a: \"\\q\"\n", 1, 5, "unknown escape", 1 },
	{ "a: \"C:\\dir\"\n", 1, 7, "unknown escape", 1 },
	{ "a: \"\\xZZ\"\n", 1, 7, "hexadecimal", 1 },
	{ "a: \"\\ud800\"\n", 1, 7, "hexadecimal", 1 },
	{ "a: \"x\\0y\"\n", 1, 4, "NUL", 1 },
	{ "a: |x\n x\n", 1, 5, "after '|'", 1 },
	{ "a: >0\n x\n", 1, 5, "after '>'", 1 },
	{ "a: [|\n x]\n", 1, 5, "cannot stand inside brackets", 1 },
	{ "- a\n- b\n", 1, 1, "expected 'key: value' pairs, found a list", 1 },
	{ "just text\n", 1, 1, "expected 'key: value' pairs, found 'just text'", 1 },
};

/* Columns count characters, whatever stands before. */
static const struct wrong characters[] = {
	{ "\xc3\xa9: [\n", 1, 4, "never closed", 1 },
	{ "\"\xc3\xa9\": \"\xc3\xa9\n", 1, 6, "never closed", 1 },
	{ "\xe6\xb0\xb4\xe6\xb0\xb4: {a: 1, a: 2}\n", 1, 12, "duplicate key", 1 },
	{ "\xf0\x9f\x98\x80: *x\n", 1, 4, "no anchor", 1 },
	{ "# \xc3\xa9\xc3\xa9\nk\xc3\xa9: !x 1\n", 2, 5, "tags", 1 },
	{ "a: \xc3\xa9 &x: b: c\n", 1, 8, "a second ': ' in one line", 1 },
	{ "a: \xe9t\xe9\n", 1, 6, "0xe9 is not valid UTF-8", 2 },
	{ "a: \xc0\x80\n", 1, 4, "0xc0 is not valid UTF-8", 2 },
	{ "\xc3\xa9: \x01\n", 1, 4, "control character 0x01", 1 },
	{ "a: b\x7f\n", 1, 5, "control character 0x7f", 1 },
	{ "a: \xc2\x85 b\n", 1, 4, "control character 0x85", 1 },
	{ "a: x\xe2\x80\xa8y\n", 1, 5, "U+2028", 1 },
	{ "a: \xef\xbb\xbf\n", 1, 4, "U+FEFF", 1 },
	{ "a: \xed\xa0\x80\n", 1, 4, "0xed is not valid UTF-8", 3 },
	{ "a: \xef\xbf\xbf\n", 1, 4, "U+FFFF", 1 },
	{ "a: 1\rb: 2\n", 1, 5, "carriage return without a line feed", 1 },
};

/* One line of the printed report that begins with this place and holds the words. */
static void
check_printed(const char *printed, const struct wrong *wrong, const char *text)
{
	char start[64];
	snprintf(start, sizeof(start), "t.yaml:%u:%u: error: ", wrong->line, wrong->column);
	for (const char *at = printed; (at = strstr(at, start)); at++) {
		const char *end = strchr(at, '\n');
		const char *found = strstr(at, wrong->words);
		if ((at == printed || at[-1] == '\n') && end && found && found < end)
			return;
	}
	fail_msg("wanted '%s...%s' for:\n%s\ngot:\n%s", start, wrong->words, text, printed);
}

static void
check_wrong(const struct wrong *wrong, const char *text, size_t size)
{
	struct reading reading = read_bytes(text, size);

	check_printed(reading.printed.data, wrong, text);
	if (report_errors(reading.report) != wrong->errors)
		fail_msg(
			"%zu errors for:\n%s\n%s", report_errors(reading.report), text, reading.printed.data);
	finish(&reading);
}

/* As it stands, behind a byte order mark, and with lines that end with CRLF: the places are the
 * same. */
static void
check_spellings(const struct wrong *wrong)
{
	struct text crlf = { 0 }, mark = { 0 };

	check_wrong(wrong, wrong->text, strlen(wrong->text));
	text_add(&mark, "\xef\xbb\xbf");
	text_add(&mark, wrong->text);
	check_wrong(wrong, mark.data, mark.size);
	for (const char *at = wrong->text; *at; at++)
		text_append(&crlf, *at == '\n' ? "\r\n" : at, *at == '\n' ? 2 : 1);
	check_wrong(wrong, crlf.data, crlf.size);
	text_free(&mark);
	text_free(&crlf);
}

#define CHECK_TABLE(NAME) \
	static void NAME##_are_placed(void **state) \
	{ \
		(void)state; \
		for (size_t i = 0; i < sizeof(NAME) / sizeof(NAME[0]); i++) \
			check_spellings(&NAME[i]); \
	}

CHECK_TABLE(unclosed_quotes)
CHECK_TABLE(unclosed_brackets)
CHECK_TABLE(separators)
CHECK_TABLE(indentation)
CHECK_TABLE(tabs)
CHECK_TABLE(keys)
CHECK_TABLE(refused)
CHECK_TABLE(characters)

static void
binary_files(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t size;
		struct wrong wrong;
	} cases[] = {
		{ "\x7f"
		  "ELF\x02\x01\x01\0\0\0",
			10, { .line = 1, .column = 8, .words = "NUL byte", .errors = 5 } },
		{ "\x1f\x8b\x08\0\0\0\0\0", 8,
			{ .line = 1, .column = 4, .words = "NUL byte", .errors = 4 } },
		{ "a: 1\nb: \0\n", 10, { .line = 2, .column = 4, .words = "NUL byte", .errors = 1 } },
		{ "\xff\xfe"
		  "a\0:\0",
			6, { .line = 1, .column = 1, .words = "UTF-16", .errors = 1 } },
		{ "\xfe\xff\0a\0:", 6, { .line = 1, .column = 1, .words = "UTF-16", .errors = 1 } },
		{ "\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c", 13,
			{ .line = 1, .column = 10, .words = "0x89 is not valid UTF-8", .errors = 10 } },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		check_wrong(&cases[i].wrong, cases[i].bytes, cases[i].size);
		struct reading reading = read_bytes(cases[i].bytes, cases[i].size);
		assert_true(report_incomplete(reading.report));
		assert_int_equal(reading.root->n, 0);
		finish(&reading);
	}
}

/* --- bounds --- */

static void
nested(struct text *text, unsigned levels)
{
	for (unsigned i = 1; i < levels; i++)
		text_add(text, i == 1 ? "a: [" : "[");
	for (unsigned i = 1; i < levels; i++)
		text_add(text, "]");
	text_add(text, "\n");
}

static void
nesting_is_bounded(void **state)
{
	(void)state;
	struct text good = { 0 }, bad = { 0 };

	nested(&good, 32);
	struct reading reading = read_text(good.data);
	assert_int_equal(report_errors(reading.report), 0);
	finish(&reading);
	nested(&bad, 33);
	struct wrong wrong = {
		.text = bad.data, .line = 1, .column = 35, .words = "nested deeper than 32", .errors = 1
	};
	check_spellings(&wrong);
	text_free(&good);
	text_free(&bad);
}

static void
deep_nesting_ends_soon(void **state)
{
	(void)state;
	struct text text = { 0 };

	for (unsigned i = 0; i < 1000000; i++)
		text_append(&text, i % 2 ? "[" : "{", 1);
	struct reading reading = read_text(text.data);
	assert_true(report_errors(reading.report) > 0);
	finish(&reading);
	text_free(&text);
}

static void
nesting_by_alias_is_bounded(void **state)
{
	(void)state;
	struct text text = { 0 };

	text_add(
		&text, "a: &a [[[[[[[[[[x]]]]]]]]]]\nb: [[[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]]]]\n");
	struct reading reading = read_text(text.data);
	assert_int_equal(report_errors(reading.report), 0);
	finish(&reading);
	text.size = 0;
	text_add(
		&text, "a: &a [[[[[[[[[[x]]]]]]]]]]\nb: [[[[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]]]]]\n");
	struct wrong wrong = {
		.line = 2, .column = 26, .words = "nested deeper than 32 levels by this alias", .errors = 1
	};
	check_wrong(&wrong, text.data, text.size);
	text_free(&text);
}

static void
aliases_are_bounded(void **state)
{
	(void)state;
	struct text text = { 0 };

	text_add(&text, "a: &a x\n");
	for (unsigned i = 0; i < 1000; i++)
		text_printf(&text, "k%u: *a\n", i);
	struct reading reading = read_text(text.data);
	assert_int_equal(report_errors(reading.report), 0);
	assert_string_equal(value_of(&reading, "k999"), "x");
	finish(&reading);
	text_add(&text, "last: *a\n");
	struct wrong wrong = {
		.line = 1002, .column = 7, .words = "more than 1000 aliases", .errors = 1
	};
	check_wrong(&wrong, text.data, text.size);
	text_free(&text);
}

/* Each level holds the one before ten times: a thousand million values if it were replaced. */
static void
exploding_aliases(void **state)
{
	(void)state;
	struct text text = { 0 };

	text_add(&text, "l0: &l0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (unsigned i = 1; i < 10; i++) {
		text_printf(&text, "l%u: &l%u [", i, i);
		for (unsigned k = 0; k < 10; k++)
			text_printf(&text, "%s*l%u", k ? "," : "", i - 1);
		text_add(&text, "]\n");
	}
	struct reading reading = read_text(text.data);
	assert_non_null(strstr(reading.printed.data, "t.yaml:4:"));
	assert_non_null(strstr(reading.printed.data, "more than 1000 aliases"));
	finish(&reading);
	text_free(&text);
}

static void
large_aliases(void **state)
{
	(void)state;
	struct text text = { 0 };

	text_add(&text, "a: &a [");
	for (unsigned i = 0; i < 10000; i++)
		text_add(&text, "x,");
	text_add(&text, "x]\nb: [");
	for (unsigned i = 0; i < 30; i++)
		text_add(&text, "*a,");
	text_add(&text, "x]\n");
	struct reading reading = read_text(text.data);
	assert_non_null(strstr(reading.printed.data,
		"t.yaml:2:83: error: b[26]: the aliases stand for more than 262144 values"));
	assert_int_equal(report_errors(reading.report), 4);
	finish(&reading);
	text_free(&text);
}

static void
size_is_bounded(void **state)
{
	(void)state;
	size_t most = 4u << 20;
	char *text = malloc(most + 1);

	assert_non_null(text);
	memset(text, '\n', most + 1);
	memcpy(text, "a: 1", 4);
	struct reading reading = read_bytes(text, most);
	assert_int_equal(report_errors(reading.report), 0);
	assert_string_equal(value_of(&reading, "a"), "1");
	finish(&reading);
	reading = read_bytes(text, most + 1);
	assert_non_null(
		strstr(reading.printed.data, "t.yaml:1:1: error: the file is larger than 4 MiB"));
	assert_true(report_incomplete(reading.report));
	finish(&reading);
	free(text);
}

/* A hundred thousand keys in one mapping, the last given twice. */
static void
many_keys(void **state)
{
	(void)state;
	struct text text = { 0 };

	for (unsigned i = 0; i < 100000; i++)
		text_printf(&text, "k%u: %u\n", i, i);
	text_add(&text, "k77: 5\n");
	struct reading reading = read_text(text.data);
	assert_int_equal(report_errors(reading.report), 1);
	assert_non_null(strstr(reading.printed.data,
		"t.yaml:100001:1: error: k77: duplicate key, given before in line 78"));
	assert_string_equal(value_of(&reading, "k77"), "77");
	assert_string_equal(value_of(&reading, "k99999"), "99999");
	assert_null(node_get(reading.root, "k100000"));
	finish(&reading);
	text_free(&text);
}

static void
long_keys(void **state)
{
	(void)state;
	char text[600];

	memset(text, 'k', 255);
	strcpy(text + 255, ": 1\n");
	struct reading reading = read_text(text);
	assert_int_equal(report_errors(reading.report), 0);
	finish(&reading);
	memset(text, 'k', 256);
	strcpy(text + 256, ": 1\n");
	struct wrong wrong = {
		.text = text, .line = 1, .column = 1, .words = "a key has at most 255 bytes", .errors = 1
	};
	check_spellings(&wrong);
}

/* --- what is read --- */

static void
scalars_of_all_styles(void **state)
{
	(void)state;
	struct reading reading = read_text("plain: no\nsingle: 'it''s'\ndouble: \"a\\tb\\u00e9\"\n"
									   "literal: |\n  one\n  \ttwo\nfolded: >-\n  one\n  "
									   "two\nlines: one\n  two\nempty:\ntilde: ~\nquoted: ''\n");
	assert_int_equal(report_errors(reading.report), 0);
	assert_string_equal(value_of(&reading, "plain"), "no");
	assert_string_equal(value_of(&reading, "single"), "it's");
	assert_string_equal(value_of(&reading, "double"), "a\tb\xc3\xa9");
	assert_string_equal(value_of(&reading, "literal"), "one\n\ttwo\n");
	assert_string_equal(value_of(&reading, "folded"), "one two");
	assert_string_equal(value_of(&reading, "lines"), "one two");
	assert_true(node_get(reading.root, "plain")->plain);
	assert_false(node_get(reading.root, "single")->plain);
	assert_true(node_null(node_get(reading.root, "empty")));
	assert_true(node_null(node_get(reading.root, "tilde")));
	assert_false(node_null(node_get(reading.root, "quoted")));
	assert_false(node_null(node_get(reading.root, "plain")));
	finish(&reading);
}

static void
check_place(const struct node *node, unsigned line, unsigned column, unsigned width)
{
	assert_non_null(node);
	assert_string_equal(node->place.source->name, "t.yaml");
	assert_int_equal(node->place.line, line);
	assert_int_equal(node->place.column, column);
	assert_int_equal(node->width, width);
}

static void
places_and_widths(void **state)
{
	(void)state;
	struct reading reading = read_text("# \xc3\xa9\nk\xc3\xa9y: &x   10s # c\nq: 'a b'\nflow: &f\n "
									   " {a: 1}\nblock: &b\n  a: 1\nlist: &l\n- 1\nalias: *x\n"
									   "text: |\n  a\nlong: \"a\n  b\"\nempty:\nanchored: &e\n");
	assert_int_equal(report_errors(reading.report), 0);
	check_place(node_get(reading.root, "k\xc3\xa9y"), 2, 11, 3);
	check_place(node_get(reading.root, "q"), 3, 4, 5);
	check_place(node_get(reading.root, "flow"), 5, 3, 1);
	check_place(node_get(reading.root, "block"), 7, 3, 1);
	check_place(node_get(reading.root, "list"), 9, 1, 1);
	check_place(node_get(reading.root, "alias"), 10, 8, 2);
	check_place(node_get(reading.root, "text"), 11, 7, 1);
	check_place(node_get(reading.root, "long"), 13, 7, 2);
	check_place(node_get(reading.root, "empty"), 15, 7, 0);
	const struct member *member = node_member(reading.root, "k\xc3\xa9y");
	assert_int_equal(member->place.line, 2);
	assert_int_equal(member->place.column, 1);
	assert_int_equal(member->width, 3);
	finish(&reading);
}

static void
empty_documents(void **state)
{
	(void)state;
	static const char *const texts[] = { "", "\n\n", "# nothing\n", "---\n", "---\n...\n", "~\n",
		"null\n", "{}\n", "\xef\xbb\xbf", "\xef\xbb\xbf# x\r\n" };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct reading reading = read_text(texts[i]);
		if (report_errors(reading.report) || reading.root->n || report_incomplete(reading.report))
			fail_msg("'%s' is an empty mapping: %s", texts[i], reading.printed.data);
		assert_null(node_get(reading.root, "a"));
		finish(&reading);
	}
}

static void
aliases_and_merge_keys(void **state)
{
	(void)state;
	struct reading reading =
		read_text("d: &d {interval: 10s, offset: 1s}\ne: &e {interval: 5s, timeout: 2s}\n"
				  "one: {<<: *d, offset: 7s}\ntwo: {interval: 1s, <<: [*e, *d]}\nthree: {<<: {x: "
				  "y}}\n'<<': text\nk: &k name\n*k : v\n");
	assert_string_equal(reading.printed.data, "");
	const struct node *one = node_get(reading.root, "one"), *two = node_get(reading.root, "two");
	assert_int_equal(one->n, 2);
	assert_string_equal(node_get(one, "interval")->value, "10s");
	assert_string_equal(node_get(one, "offset")->value, "7s");
	assert_int_equal(two->n, 3);
	assert_string_equal(node_get(two, "interval")->value, "1s");
	assert_string_equal(node_get(two, "timeout")->value, "2s");
	assert_string_equal(node_get(two, "offset")->value, "1s");
	assert_string_equal(node_get(node_get(reading.root, "three"), "x")->value, "y");
	assert_string_equal(value_of(&reading, "<<"), "text");
	assert_string_equal(value_of(&reading, "name"), "v");
	/* Copies: a change of one use is no change of another. */
	assert_ptr_not_equal(
		node_get(one, "interval"), node_get(node_get(reading.root, "d"), "interval"));
	assert_int_equal(node_get(one, "interval")->place.line, 1);
	finish(&reading);
}

/* --- after a syntax error --- */

static void
what_was_read_before_an_error(void **state)
{
	(void)state;
	struct reading reading = read_text("cluster: x\ncluster: y\nsamplers:\n  cpu: {interval: 1s}\n "
									   " meminfo: {interval: 2s, offset: @}\nstores: {}\n");
	assert_true(report_incomplete(reading.report));
	assert_int_equal(report_errors(reading.report), 2);
	assert_string_equal(value_of(&reading, "cluster"), "x");
	const struct node *samplers = node_get(reading.root, "samplers");
	assert_true(samplers->partial);
	assert_false(node_get(samplers, "cpu")->partial);
	const struct node *meminfo = node_get(samplers, "meminfo");
	assert_true(meminfo->partial);
	assert_string_equal(node_get(meminfo, "interval")->value, "2s");
	assert_true(node_get(meminfo, "offset")->broken);
	assert_null(node_get(reading.root, "stores"));
	finish(&reading);
}

static void
a_whole_file_is_not_incomplete(void **state)
{
	(void)state;
	struct reading reading = read_text("a: 1\na: 2\nb: !!str x\n");
	assert_int_equal(report_errors(reading.report), 2);
	assert_false(report_incomplete(reading.report));
	assert_false(reading.root->partial);
	assert_true(node_get(reading.root, "b")->broken);
	finish(&reading);
	reading = read_text("a: {b:1, c: 2}\n");
	assert_true(report_incomplete(reading.report));
	assert_true(node_get(reading.root, "a")->partial);
	finish(&reading);
}

static void
several_errors_in_one_file(void **state)
{
	(void)state;
	struct reading reading =
		read_text("a: !x 1\nb: {c: 1, c: 2}\nd: *nope\n\"\": 1\ne: \"\xff\"\nf: [1\n");
	const char *order[] = {
		"t.yaml:1:4:", "t.yaml:2:11:", "t.yaml:3:4:", "t.yaml:4:1:", "t.yaml:5:5:", "t.yaml:6:4:"
	};
	const char *at = reading.printed.data;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		at = strstr(at, order[i]);
		if (!at)
			fail_msg("%s is missing or out of order:\n%s", order[i], reading.printed.data);
	}
	assert_non_null(strstr(at, "6 errors in 1 file\n"));
	finish(&reading);
}

/* --- kinds --- */

static void
check_kind(const char *text, enum node_kind kind, const char *expected)
{
	struct reading reading = read_text(text);
	struct text printed = { 0 };

	assert_int_equal(report_errors(reading.report), 0);
	bool good = node_expect(node_get(reading.root, "a"), kind, false, "a", reading.report);
	report_print(reading.report, &printed);
	assert_int_equal(good, !*expected);
	if (*expected && (!printed.data || !strstr(printed.data, expected)))
		fail_msg("wanted '%s', got:\n%s", expected, printed.data ? printed.data : "");
	text_free(&printed);
	finish(&reading);
}

static void
wrong_kinds(void **state)
{
	(void)state;
	check_kind("a: {b: 1}\n", NODE_MAPPING, "");
	check_kind("a: [b]\n", NODE_SEQUENCE, "");
	check_kind("a: b\n", NODE_SCALAR, "");
	check_kind("a:\n  interval:10s\n", NODE_MAPPING,
		"t.yaml:2:3: error: a: expected 'key: value' pairs, found 'interval:10s'\n"
		"    2 |   interval:10s\n"
		"      |   ^~~~~~~~~~~~\n"
		"      | write 'interval: 10s', with a blank after the colon\n");
	check_kind("a:\n  interval 10s\n", NODE_MAPPING,
		"| write 'interval: 10s', with a colon and a blank\n");
	check_kind(
		"a: interval=10s\n", NODE_MAPPING, "| write 'interval: 10s', with a colon and a blank\n");
	check_kind("a: [1, 2]\n", NODE_MAPPING,
		"t.yaml:1:4: error: a: expected 'key: value' pairs, found a list\n");
	check_kind(
		"a:\n", NODE_MAPPING, "t.yaml:1:3: error: a: expected 'key: value' pairs, found nothing\n");
	check_kind("a: x\n", NODE_SEQUENCE, "| a list of one is written [x]\n");
	check_kind("a: {b: c}\n", NODE_SEQUENCE, "expected a list, found a mapping");
	check_kind("a: {b: c}\n", NODE_SCALAR,
		"t.yaml:1:4: error: a: expected a single value, found a mapping\n");
	check_kind("a: [b]\n", NODE_SCALAR, "expected a single value, found a list");
}

static void
broken_and_null_nodes_say_nothing(void **state)
{
	(void)state;
	struct reading reading = read_text("a: !x 1\nb:\n");
	assert_int_equal(report_errors(reading.report), 1);
	assert_false(
		node_expect(node_get(reading.root, "a"), NODE_MAPPING, false, "a", reading.report));
	assert_false(node_expect(node_get(reading.root, "a"), NODE_SCALAR, false, "a", reading.report));
	assert_false(node_expect(node_get(reading.root, "b"), NODE_MAPPING, true, "b", reading.report));
	assert_int_equal(report_errors(reading.report), 1);
	finish(&reading);
}

/* --- the report --- */

static void
printed_form(void **state)
{
	(void)state;
	struct reading reading = read_text("a:\n  bc: 1\n  bc: 2\n");
	struct place place = { reading.root->place.source, 2, 3 };
	report_warning(reading.report, &place, 2, "a.bc", "old");
	report_hint(reading.report, "first %d", 1);
	report_hint(reading.report, "second");
	struct text printed = { 0 };
	report_print(reading.report, &printed);
	assert_string_equal(printed.data,
		"t.yaml:2:3: warning: a.bc: old\n"
		"    2 |   bc: 1\n"
		"      |   ^~\n"
		"      | first 1\n"
		"      | second\n"
		"t.yaml:3:3: error: a.bc: duplicate key, given before in line 2\n"
		"    3 |   bc: 2\n"
		"      |   ^~\n"
		"1 error, 1 warning in 1 file\n");
	text_free(&printed);
	finish(&reading);
}

static void
tabs_wide_and_control_characters_in_lines(void **state)
{
	(void)state;
	struct reading reading = read_text("a:\t\xe6\xb0\xb4 \xc3\xa9 e\xcc\x81 \x1b[31m &x: b: *q\n");
	/* a: blank, water (2 cells), e acute (1), e with a combining acute (1): the escape is its
	 * eleventh cell. */
	assert_non_null(
		strstr(reading.printed.data, "    1 | a: \xe6\xb0\xb4 \xc3\xa9 e\xcc\x81 ?[31m &x: b: *q\n"
									 "      |           ^\n"));
	assert_null(strchr(reading.printed.data, '\x1b'));
	finish(&reading);
	reading = read_text("\xe6\xb0\xb4: *\xe6\xb0\xb4\n");
	assert_non_null(strstr(reading.printed.data, "    1 | \xe6\xb0\xb4: *"));
	assert_non_null(strstr(reading.printed.data, "\n      |     ^\n"));
	finish(&reading);
	reading = read_text("a: {\"b\\e[31m\": 1}\n");
	assert_null(strchr(reading.printed.data, '\x1b'));
	finish(&reading);
}

static void
long_lines_are_cut(void **state)
{
	(void)state;
	struct text text = { 0 };

	text_add(&text, "a: [");
	for (unsigned i = 0; i < 1000; i++)
		text_add(&text, "0123456789, ");
	text_add(&text, "*nope, 1]\n");
	struct reading reading = read_text(text.data);
	const char *line = strstr(reading.printed.data, "    1 | ...");
	assert_non_null(strstr(reading.printed.data, "t.yaml:1:12005: error: a[1000]: "));
	assert_non_null(line);
	const char *end = strchr(line, '\n');
	assert_true(end - line < 200);
	const char *caret = strchr(end, '^');
	assert_non_null(caret);
	assert_memory_equal(line + (caret - end - 1), "*nope", 5);
	finish(&reading);
	text_free(&text);
}

static void
a_hundred_errors_are_shown(void **state)
{
	(void)state;
	struct text text = { 0 };

	for (unsigned i = 0; i < 2500; i++)
		text_add(&text, "a: 1\n");
	struct reading reading = read_text(text.data);
	size_t lines = 0;
	for (const char *at = reading.printed.data; (at = strstr(at, ": error: ")); at++)
		lines++;
	assert_int_equal(report_errors(reading.report), 2499);
	assert_int_equal(lines, 100);
	assert_non_null(strstr(reading.printed.data, "2499 errors in 1 file (2399 not shown)\n"));
	finish(&reading);
	text_free(&text);
}

static void
repetitions_are_said_once(void **state)
{
	(void)state;
	struct report *report = report_new();
	struct text printed = { 0 };
	const struct source source = { .name = "x\x1b.yaml" };
	struct place place = { &source, 0, 0 };

	for (unsigned i = 0; i < 3; i++) {
		report_error(report, &place, 0, "a", "text %d\n\x1b", 1);
		report_hint(report, "hint");
	}
	report_error(report, &place, 0, "b", "text %d\n\x1b", 1);
	report_error(report, NULL, 0, NULL, "of no file");
	report_print(report, &printed);
	assert_string_equal(printed.data, "error: of no file\nx?.yaml: error: a: text 1 ?\n      | "
									  "hint\nx?.yaml: error: b: text 1 ?\n3 errors in 0 files\n");
	text_free(&printed);
	report_free(report);
}

static void
nothing_to_say(void **state)
{
	(void)state;
	struct reading reading = read_text("a: 1\n");
	assert_string_equal(reading.printed.data, "");
	assert_int_equal(report_warnings(reading.report), 0);
	finish(&reading);
}

/* --- shown and read again --- */

static void
check_same(const struct node *a, const struct node *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->n, b->n);
	assert_int_equal(node_null(a), node_null(b));
	if (a->kind == NODE_SCALAR)
		assert_string_equal(a->value, b->value);
	for (size_t i = 0; i < a->n; i++) {
		if (a->kind == NODE_MAPPING)
			assert_string_equal(a->members[i].name, b->members[i].name);
		check_same(a->members[i].value, b->members[i].value);
	}
}

static void
shown_text_reads_back(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"{}",
		"a:\nb: ~\nc: null\nd: ''\ne: '~'\nf: 'null'\n",
		"a: 'it''s'\nb: \"\\\"\\\\\"\nc: \"\\u2028\\u0085\\ufeff\\e\\x7f\"\n",
		"a: |\n  x\n   y\n\n\nb: >\n  x\n  y\n\n  z\n",
		"- : x\n",
		"a: [[], {}, [[]], [{}], [[a, [b]], c], {d: [e]}]\n",
		"a:\n- b: 1\n  c:\n  - d\n-\n- ''\n",
		"'<<': 1\n'- a': 2\n'#b': 3\n'a #b': 3\n'c: d': 4\n'e:': 5\n' f ': 6\n'*g': 7\n'{': "
		"8\n'-': 9\n'---': "
		"1\n'?': 2\n",
		"a: '- b'\nb: ' c'\nc: 'd '\nd: 'e: f'\ne: 'g #h'\nf: 'i#j'\ng: '*x'\nh: '[x'\ni: '@'\nj: "
		"'%'\nk: '- '\nl: '?'\nm: '...'\n",
		"a: -5\nb: +5\nc: .5\nd: -\nx: /a/b\ne: a:b\nf: a,b]\ng: '!x'\nh: 2026-01-01\n",
		"a: ${env:X}\nb: $${x}\nc: $$${y}\n",
		"\xc3\xa9: \xf0\x9f\x98\x80\nk: \"\\ufeffx\"\n",
		"a: &x {b: [1, 2]}\nc: *x\nd: {<<: *x, e: f}\n",
		"a: \"line\\nline\\r\\n\\ttab\"\nb: \"trailing \\n\"\nc: \"\\n\"\n",
		"a: \"\\u202ertl\"\nb: 'x\xc2\xa0y'\nc: \xc2\xa0z\n",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct reading first = read_text(texts[i]);
		for (int origin = 0; origin < 2; origin++) {
			struct text shown = { 0 };
			node_show(first.root, &shown, origin);
			struct reading second = read_bytes(shown.data, shown.size);
			if (report_errors(second.report))
				fail_msg("shown:\n%s\n%s", shown.data, second.printed.data);
			check_same(first.root, second.root);
			text_free(&shown);
			finish(&second);
		}
		finish(&first);
	}
}

static void
shown_form(void **state)
{
	(void)state;
	struct reading reading =
		read_text("a: {b: 10s, c: 'no', d: no, e: , f: []}\nr:\n  - {x: 1, y: [2]}\n  - z\n");
	struct text shown = { 0 };
	node_show(reading.root, &shown, false);
	assert_string_equal(shown.data, "a:\n  b: 10s\n  c: 'no'\n  d: no\n  e:\n  f: []\nr:\n  - x: "
									"1\n    y:\n      - 2\n  - z\n");
	shown.size = 0;
	node_show(reading.root, &shown, true);
	assert_string_equal(shown.data,
		"a:\n  b: 10s # t.yaml:1\n  c: 'no' # t.yaml:1\n  d: no # t.yaml:1\n  e: # t.yaml:1\n"
		"  f: [] # t.yaml:1\n"
		"r:\n  - x: 1 # t.yaml:3\n    y:\n      - 2 # t.yaml:3\n  - z # t.yaml:4\n");
	text_free(&shown);
	finish(&reading);
}

static void
hundreds_of_instances(void **state)
{
	(void)state;
	struct text text = { 0 };

	text_add(&text, "d: &d {interval: 10s, offset: 0s}\nsamplers:\n");
	for (unsigned i = 0; i < 900; i++)
		text_printf(&text, "  s%u:\n    <<: *d\n    plugin: cpu\n", i);
	struct reading reading = read_text(text.data);
	assert_string_equal(reading.printed.data, "");
	const struct node *samplers = node_get(reading.root, "samplers");
	assert_int_equal(samplers->n, 900);
	assert_string_equal(node_get(node_get(samplers, "s899"), "interval")->value, "10s");
	finish(&reading);
	text_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unclosed_quotes_are_placed),
		cmocka_unit_test(unclosed_brackets_are_placed),
		cmocka_unit_test(separators_are_placed),
		cmocka_unit_test(indentation_are_placed),
		cmocka_unit_test(tabs_are_placed),
		cmocka_unit_test(keys_are_placed),
		cmocka_unit_test(refused_are_placed),
		cmocka_unit_test(characters_are_placed),
		cmocka_unit_test(binary_files),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(deep_nesting_ends_soon),
		cmocka_unit_test(nesting_by_alias_is_bounded),
		cmocka_unit_test(aliases_are_bounded),
		cmocka_unit_test(exploding_aliases),
		cmocka_unit_test(large_aliases),
		cmocka_unit_test(size_is_bounded),
		cmocka_unit_test(many_keys),
		cmocka_unit_test(long_keys),
		cmocka_unit_test(scalars_of_all_styles),
		cmocka_unit_test(places_and_widths),
		cmocka_unit_test(empty_documents),
		cmocka_unit_test(aliases_and_merge_keys),
		cmocka_unit_test(what_was_read_before_an_error),
		cmocka_unit_test(a_whole_file_is_not_incomplete),
		cmocka_unit_test(several_errors_in_one_file),
		cmocka_unit_test(wrong_kinds),
		cmocka_unit_test(broken_and_null_nodes_say_nothing),
		cmocka_unit_test(printed_form),
		cmocka_unit_test(tabs_wide_and_control_characters_in_lines),
		cmocka_unit_test(long_lines_are_cut),
		cmocka_unit_test(a_hundred_errors_are_shown),
		cmocka_unit_test(repetitions_are_said_once),
		cmocka_unit_test(nothing_to_say),
		cmocka_unit_test(shown_text_reads_back),
		cmocka_unit_test(shown_form),
		cmocka_unit_test(hundreds_of_instances),
	};
	return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
