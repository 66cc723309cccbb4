/* SPDX-License-Identifier: Apache-2.0 */
/* Host lists as schedulers write them: checked, matched and counted without expanding. */
#include "base/text.h"

#include <errno.h>
#include <string.h>

/* DNS allows 253; more is no host's name. */
#define HOST_ROOM 256
/* The longest number: 10^18 - 1, so that bounds and their difference fit 64 bits. */
#define DIGITS_MAX 18

/* "LOW" or "LOW-HIGH". Names have at least `width` digits, filled with zeros. */
struct range {
	uint64_t low, high;
	unsigned width;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_name(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
		   c == '.' || c == '_';
}

/* The digits at `*at`, which is moved behind them. Returns how many, 0 for none or too many. */
static unsigned
read_number(const char **at, uint64_t *value)
{
	unsigned digits = 0;
	*value = 0;
	for (; is_digit((*at)[digits]) && digits <= DIGITS_MAX; digits++)
		*value = *value * 10 + (uint64_t)((*at)[digits] - '0');
	if (digits > DIGITS_MAX)
		return 0;
	*at += digits;
	return digits;
}

/* Reads one range at `*at` and stops behind it. NULL, or what is wrong, `*at` at the place. */
static const char *
read_range(const char **at, struct range *range)
{
	const char *begin = *at;
	range->width = read_number(at, &range->low);
	if (range->width == 0)
		return is_digit(**at) ? "a number has more than 18 digits" : "a number is missing";
	range->high = range->low;
	if (**at != '-')
		return NULL;
	++*at;
	const char *second = *at;
	unsigned width = read_number(at, &range->high);
	if (width == 0)
		return is_digit(**at) ? "a number has more than 18 digits" : "a number is missing";
	if (range->high < range->low) {
		*at = begin;
		return "the range runs backwards";
	}
	if (width > range->width && *second == '0') {
		*at = begin;
		return "both ends of the range need the same number of digits";
	}
	return NULL;
}

static int
fail_at(struct weir_err *err, const char *list, const char *at, const char *what)
{
	return weir_failx(
		err, -EINVAL, "host list '%s': %s at character %zu", list, what, (size_t)(at - list) + 1);
}

/* `*at` stands behind a '[' and is moved behind the ']'. */
static int
check_brackets(const char *list, const char **at, struct weir_err *err)
{
	for (;;) {
		struct range range;
		const char *wrong = read_range(at, &range);
		if (wrong)
			return fail_at(err, list, *at, wrong);
		char c = **at;
		if (c != ',' && c != ']')
			return fail_at(err, list, *at, c ? "',' or ']' expected" : "']' is missing");
		++*at;
		if (c == ']')
			return 0;
	}
}

int
hostlist_check(const char *list, struct weir_err *err)
{
	const char *at = list;
	const char *item = list;
	for (;;) {
		if (*at == '\0' || *at == ',') {
			if (at == item)
				return fail_at(err, list, at, "a host's name is missing");
			if (*at == '\0')
				return 0;
			item = ++at;
		} else if (*at == '[') {
			at++;
			int rc = check_brackets(list, &at, err);
			if (rc < 0)
				return rc;
		} else if (is_name(*at)) {
			at++;
		} else {
			return fail_at(err, list, at, "a letter, digit, '-', '.', '_', ',' or '[' expected");
		}
	}
}

/* Whether `digits` digits that say `value` are how the range writes one of its numbers. */
static bool
range_has(const struct range *range, const char *text, unsigned digits, uint64_t value)
{
	return value >= range->low && value <= range->high &&
		   (digits == range->width || (digits > range->width && text[0] != '0'));
}

/* From `from`, mark in `next` every place that a number of the brackets at `*brackets` leads to. */
static void
match_number(const char *brackets, const char *host, size_t from, bool *next)
{
	struct range range;
	do {
		brackets++;
		read_range(&brackets, &range);
		uint64_t value = 0;
		for (unsigned digits = 1; digits <= DIGITS_MAX && is_digit(host[from + digits - 1]);
			 digits++) {
			value = value * 10 + (uint64_t)(host[from + digits - 1] - '0');
			if (range_has(&range, host + from, digits, value))
				next[from + digits] = true;
		}
	} while (*brackets == ',');
}

/*
 * One item of the list. All places of the host's name that the item so far may have come to are
 * followed side by side: numbers of unequal length beside each other ("n[1-20][0-9]") leave
 * several, and trying them one after the other may take exponential time.
 */
static bool
match_item(const char *item, const char *end, const char *host, size_t size)
{
	bool places[2][HOST_ROOM] = { { true } };
	bool *now = places[0];
	bool *next = places[1];
	while (item < end) {
		memset(next, 0, size + 1);
		for (size_t i = 0; i < size; i++) {
			if (now[i] && *item == '[')
				match_number(item, host, i, next);
			else if (now[i] && *item == host[i])
				next[i + 1] = true;
		}
		item = *item == '[' ? strchr(item, ']') + 1 : item + 1;
		bool *former = now;
		now = next;
		next = former;
	}
	return now[size];
}

/* The end of an item: a comma outside of brackets, or the end of the list. */
static const char *
item_end(const char *at)
{
	while (*at && *at != ',')
		at = *at == '[' ? strchr(at, ']') + 1 : at + 1;
	return at;
}

bool
hostlist_match(const char *list, const char *host)
{
	size_t size = strlen(host);
	if (size == 0 || size >= HOST_ROOM || hostlist_check(list, NULL) < 0)
		return false;
	for (const char *item = list;; item++) {
		const char *end = item_end(item);
		if (match_item(item, end, host, size))
			return true;
		if (!*end)
			return false;
		item = end;
	}
}

/* How many numbers the brackets at `*at` hold; moves it behind them. */
static uint64_t
count_numbers(const char **at)
{
	uint64_t count = 0;
	do {
		struct range range;
		++*at;
		read_range(at, &range);
		if (__builtin_add_overflow(count, range.high - range.low + 1, &count))
			count = UINT64_MAX;
	} while (**at == ',');
	++*at;
	return count;
}

uint64_t
hostlist_count(const char *list)
{
	if (hostlist_check(list, NULL) < 0)
		return 0;
	uint64_t total = 0;
	uint64_t product = 1;
	for (const char *at = list;;) {
		if (*at == '[') {
			if (__builtin_mul_overflow(product, count_numbers(&at), &product))
				product = UINT64_MAX;
			continue;
		}
		if (*at == '\0' || *at == ',') {
			if (__builtin_add_overflow(total, product, &total))
				total = UINT64_MAX;
			product = 1;
		}
		if (*at++ == '\0')
			return total;
	}
}
