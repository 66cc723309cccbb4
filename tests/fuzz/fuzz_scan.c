/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scanners of weir/scan.h against plain definitions of what they read. A scanner that does not
 * find what it is asked for leaves the scan where it was, and none leaves the text.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/scan.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool good, const char *what, size_t at)
{
	if (good)
		return;
	fprintf(stderr, "%s at %zu\n", what, at);
	abort();
}

static bool
in(char c, const char *set)
{
	return c && strchr(set, c);
}

/* A number as a definition reads it: where it ends, its digits, its value if below 2^100. */
struct plain {
	size_t end, digits;
	unsigned __int128 value;
	bool large;
};

static int
digit_of(char c, unsigned base)
{
	int digit = c >= '0' && c <= '9'   ? c - '0'
				: c >= 'a' && c <= 'f' ? c - 'a' + 10
				: c >= 'A' && c <= 'F' ? c - 'A' + 10
									   : 99;

	return digit < (int)base ? digit : -1;
}

static struct plain
plain_digits(const char *text, size_t at, size_t size, unsigned base)
{
	struct plain p = { .end = at };

	for (; p.end < size && digit_of(text[p.end], base) >= 0; p.end++, p.digits++) {
		p.large = p.large || p.value >> 100;
		if (!p.large)
			p.value = p.value * base + (unsigned)digit_of(text[p.end], base);
	}
	return p;
}

static size_t
plain_blanks(const char *text, size_t at, size_t size)
{
	while (at < size && in(text[at], " \t"))
		at++;
	return at;
}

static bool
plain_end(const char *text, size_t at, size_t size)
{
	return at == size || in(text[at], " \t\n:,/");
}

static void
compare(bool found, bool expected, const struct weir_scan *s, const char *text, size_t from,
	size_t end, const char *what)
{
	check(found == expected, what, from);
	check(s->at == text + (found ? end : from), what, from);
}

static void
numbers(const char *text, size_t from, size_t size)
{
	size_t at = plain_blanks(text, from, size);
	struct plain p = plain_digits(text, at, size, 10);
	bool good = p.digits && !p.large && p.value <= UINT64_MAX && plain_end(text, p.end, size);
	struct weir_scan s = { text + from, text + size };
	uint64_t u = 0;
	bool found = weir_scan_u64(&s, &u);

	compare(found, good, &s, text, from, p.end, "u64");
	check(!found || u == (uint64_t)p.value, "value of u64", from);

	bool negative = at < size && text[at] == '-';

	p = plain_digits(text, at + negative, size, 10);
	good = p.digits && !p.large && p.value <= (uint64_t)INT64_MAX + negative &&
		   plain_end(text, p.end, size);
	s.at = text + from;
	int64_t i = 0;

	found = weir_scan_i64(&s, &i);
	compare(found, good, &s, text, from, p.end, "i64");
	check(!found || i == (int64_t)(negative ? 0 - (uint64_t)p.value : (uint64_t)p.value),
		"value of i64", from);

	bool prefix = at + 1 < size && text[at] == '0' && in(text[at + 1], "xX");

	p = plain_digits(text, at + 2 * prefix, size, 16);
	good = p.digits && p.digits <= 16 && plain_end(text, p.end, size);
	s.at = text + from;
	found = weir_scan_hex(&s, &u);
	compare(found, good, &s, text, from, p.end, "hex");
	check(!found || u == (uint64_t)p.value, "value of hex", from);
}

static void
decimal(const char *text, size_t from, size_t size, int64_t divisor)
{
	size_t at = plain_blanks(text, from, size);
	bool negative = at < size && text[at] == '-';
	struct plain p = plain_digits(text, at + negative, size, 10);
	bool good = p.digits && !p.large && p.value <= INT64_MAX;
	unsigned __int128 count = good ? p.value * (uint64_t)divisor : 0;
	size_t end = p.end;

	good = good && count <= INT64_MAX;
	if (end < size && text[end] == '.') {
		struct plain f = plain_digits(text, end + 1, size, 10);
		int64_t place = divisor;

		good = good && f.digits;
		for (size_t k = end + 1; good && k < f.end && place > 1; k++)
			count += (unsigned)(text[k] - '0') * (uint64_t)(place /= 10);
		end = f.end;
	}
	good = good && count <= INT64_MAX && plain_end(text, end, size);
	struct weir_scan s = { text + from, text + size };
	int64_t value = 0;
	bool found = weir_scan_decimal(&s, divisor, &value);

	compare(found, good, &s, text, from, end, "decimal");
	check(
		!found || value == (negative ? -(int64_t)count : (int64_t)count), "value of decimal", from);
}

static void
parts(const char *text, size_t from, size_t size)
{
	struct weir_scan s = { text + from, text + size }, part = { 0 };
	size_t line = from, word = plain_blanks(text, from, size), colon = from;

	while (line < size && text[line] != '\n')
		line++;
	check(weir_scan_line(&s, &part) == (from < size), "line", from);
	check(from == size || (part.at == text + from && part.end == text + line), "extent of a line",
		from);
	check(s.at == text + (line < size ? line + 1 : size), "behind a line", from);

	s.at = text + from;
	compare(weir_scan_whole_line(&s, &part), line < size, &s, text, from, line + 1, "whole line");
	check(line == size || (part.at == text + from && part.end == text + line),
		"extent of a whole line", from);

	size_t end = word;

	while (end < size && !(text[end] == ' ' || text[end] == '\t' || text[end] == '\n'))
		end++;
	s.at = text + from;
	compare(weir_scan_word(&s, &part), end > word, &s, text, from, end, "word");
	check(end == word || (part.at == text + word && part.end == text + end), "extent of a word",
		from);
	check(end == word ||
			  weir_scan_is(&part, "cpu") == (end - word == 3 && !memcmp(text + word, "cpu", 3)),
		"is", from);

	while (colon < size && text[colon] != ':')
		colon++;
	s.at = text + from;
	compare(weir_scan_until(&s, ':', &part), colon < size, &s, text, from, colon + 1, "until");
	check(colon == size || (part.at == text + from && part.end == text + colon), "extent until",
		from);

	s.at = text + from;
	compare(weir_scan_prefix(&s, "ab"), size - from >= 2 && !memcmp(text + from, "ab", 2), &s, text,
		from, from + 2, "prefix");

	s.at = text + from;
	weir_scan_blanks(&s);
	check(s.at == text + word && weir_scan_left(&s) == size - word, "blanks", from);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	if (size > 512)
		return 0;
	for (size_t from = 0; from <= size; from++) {
		numbers(text, from, size);
		decimal(text, from, size, 100);
		decimal(text, from, size, 1000000000);
		decimal(text, from, size, 1);
		parts(text, from, size);
	}
	return 0;
}
