/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scanners for kernel text: bounds-checked, no allocation, no locale. A scan moves forward over a
 * text; each function says whether it found what it was asked for, and leaves the scan where it was
 * when it did not. Blanks are ' ' and '\t'.
 */
#ifndef WEIR_SCAN_H
#define WEIR_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_scan {
	const char *at, *end;
};

static inline struct weir_scan
weir_scan(const char *text, size_t size)
{
	return (struct weir_scan){ text, text + size };
}

static inline size_t
weir_scan_left(const struct weir_scan *s)
{
	return (size_t)(s->end - s->at);
}

static inline void
weir_scan_blanks(struct weir_scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t'))
		s->at++;
}

/* The next line without its newline; false at the end. A last line without newline counts. */
static inline bool
weir_scan_line(struct weir_scan *s, struct weir_scan *line)
{
	if (s->at >= s->end)
		return false;
	const char *newline = (const char *)memchr(s->at, '\n', weir_scan_left(s));

	line->at = s->at;
	line->end = newline ? newline : s->end;
	s->at = newline ? newline + 1 : s->end;
	return true;
}

/* The same, but a last line without newline is not one: for files cut in the middle of a number. */
static inline bool
weir_scan_whole_line(struct weir_scan *s, struct weir_scan *line)
{
	const char *newline =
		s->at < s->end ? (const char *)memchr(s->at, '\n', weir_scan_left(s)) : NULL;

	if (!newline)
		return false;
	line->at = s->at;
	line->end = newline;
	s->at = newline + 1;
	return true;
}

/* The next run of other than blanks and newlines. */
static inline bool
weir_scan_word(struct weir_scan *s, struct weir_scan *word)
{
	const char *at = s->at;

	while (at < s->end && (*at == ' ' || *at == '\t'))
		at++;
	const char *from = at;

	while (at < s->end && *at != ' ' && *at != '\t' && *at != '\n')
		at++;
	if (at == from)
		return false;
	*word = (struct weir_scan){ from, at };
	s->at = at;
	return true;
}

static inline bool
weir_scan_is(const struct weir_scan *word, const char *text)
{
	size_t length = strlen(text);

	return weir_scan_left(word) == length && !memcmp(word->at, text, length);
}

/* Step over `prefix` when it stands here. */
static inline bool
weir_scan_prefix(struct weir_scan *s, const char *prefix)
{
	size_t length = strlen(prefix);

	if (weir_scan_left(s) < length || memcmp(s->at, prefix, length))
		return false;
	s->at += length;
	return true;
}

/* Up to `mark`, which is stepped over. */
static inline bool
weir_scan_until(struct weir_scan *s, char mark, struct weir_scan *part)
{
	const char *found =
		s->at < s->end ? (const char *)memchr(s->at, mark, weir_scan_left(s)) : NULL;

	if (!found)
		return false;
	*part = (struct weir_scan){ s->at, found };
	s->at = found + 1;
	return true;
}

/* Where a number may end: not in the middle of a word. */
static inline bool
weir_scan_ends(const struct weir_scan *s, const char *at)
{
	return at >= s->end || *at == ' ' || *at == '\n' || *at == '\t' || *at == ':' || *at == ',' ||
		   *at == '/';
}

/* Leading blanks, decimal digits; false on overflow or when a word character follows ("12x"). */
static inline bool
weir_scan_u64(struct weir_scan *s, uint64_t *value)
{
	const char *at = s->at;

	while (at < s->end && (*at == ' ' || *at == '\t'))
		at++;
	const char *from = at;
	uint64_t n = 0;

	for (unsigned digit; at < s->end && (digit = (unsigned)(*at - '0')) <= 9; at++) {
		if (__builtin_expect(at - from >= 19, 0) &&
			(__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, digit, &n)))
			return false;
		else if (at - from < 19)
			n = n * 10 + digit;
	}
	if (at == from || !weir_scan_ends(s, at))
		return false;
	s->at = at;
	*value = n;
	return true;
}

static inline bool
weir_scan_i64(struct weir_scan *s, int64_t *value)
{
	struct weir_scan t = *s;
	uint64_t n;

	weir_scan_blanks(&t);
	bool negative = weir_scan_prefix(&t, "-");

	if (negative && (t.at >= t.end || *t.at == ' ' || *t.at == '\t'))
		return false;
	if (!weir_scan_u64(&t, &n) || n > (uint64_t)INT64_MAX + negative)
		return false;
	*value = negative ? (int64_t)(0 - n) : (int64_t)n;
	s->at = t.at;
	return true;
}

/* Leading blanks, hexadecimal digits, "0x" or none in front. */
static inline bool
weir_scan_hex(struct weir_scan *s, uint64_t *value)
{
	struct weir_scan t = *s;
	uint64_t n = 0;

	weir_scan_blanks(&t);
	if (!weir_scan_prefix(&t, "0x"))
		(void)weir_scan_prefix(&t, "0X");
	const char *from = t.at;

	for (; t.at < t.end; t.at++) {
		unsigned c = (unsigned char)*t.at, digit = c - '0';

		if (digit > 9)
			digit = (c | 32) - 'a' < 6 ? (c | 32) - 'a' + 10 : 99;
		if (digit == 99)
			break;
		if (t.at - from >= 16)
			return false;
		n = n << 4 | digit;
	}
	if (t.at == from || !weir_scan_ends(&t, t.at))
		return false;
	s->at = t.at;
	*value = n;
	return true;
}

/*
 * "-0.52" as an integer count of 1/divisor (a power of ten): exact; further digits are cut off.
 * False on overflow and on what is no plain decimal.
 */
static inline bool
weir_scan_decimal(struct weir_scan *s, int64_t divisor, int64_t *count)
{
	struct weir_scan t = *s;

	weir_scan_blanks(&t);
	bool negative = weir_scan_prefix(&t, "-");
	const char *from = t.at;
	int64_t n = 0;

	for (; t.at < t.end && (unsigned)(*t.at - '0') <= 9; t.at++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *t.at - '0', &n))
			return false;
	if (t.at == from || __builtin_mul_overflow(n, divisor, &n))
		return false;
	if (t.at < t.end && *t.at == '.') {
		t.at++;
		const char *fraction = t.at;

		for (int64_t place = divisor / 10; t.at < t.end && (unsigned)(*t.at - '0') <= 9;
			 t.at++, place /= 10)
			if (__builtin_add_overflow(n, (*t.at - '0') * place, &n))
				return false;
		if (t.at == fraction)
			return false;
	}
	if (!weir_scan_ends(&t, t.at))
		return false;
	*count = negative ? -n : n;
	s->at = t.at;
	return true;
}

#ifdef __cplusplus
}
#endif
#endif
