/* SPDX-License-Identifier: Apache-2.0 */
/* Values as configuration spells them: durations, sizes, truth, numbers. */
#include "base/text.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct unit {
	const char *name;
	uint64_t size;
};

static const struct unit durations[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", 60000000000 },
	{ "h", 3600000000000 },
	{ "d", 86400000000000 },
	{ NULL, 0 },
};

static const struct unit sizes[] = {
	{ "B", 1 },
	{ "KiB", UINT64_C(1) << 10 },
	{ "MiB", UINT64_C(1) << 20 },
	{ "GiB", UINT64_C(1) << 30 },
	{ "TiB", UINT64_C(1) << 40 },
	{ "PiB", UINT64_C(1) << 50 },
	{ "kB", 1000 },
	{ "KB", 1000 },
	{ "MB", 1000000 },
	{ "GB", 1000000000 },
	{ "TB", 1000000000000 },
	{ "PB", 1000000000000000 },
	{ NULL, 0 },
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A number without sign and what follows it. 18 digits of the fraction count: more than any unit
 * resolves. */
struct quantity {
	uint64_t whole, fraction, scale;
	const char *unit;
	bool large;
};

/* Whether digits stand at the front. */
static bool
read_quantity(const char *text, struct quantity *q)
{
	*q = (struct quantity){ .scale = 1 };
	const char *at = text;
	if (!is_digit(*at))
		return false;
	for (; is_digit(*at); at++)
		if (__builtin_mul_overflow(q->whole, 10, &q->whole) ||
			__builtin_add_overflow(q->whole, (uint64_t)(*at - '0'), &q->whole))
			q->large = true;
	if (*at == '.') {
		if (!is_digit(*++at))
			return false;
		for (; is_digit(*at); at++)
			if (q->scale < UINT64_C(1000000000000000000)) {
				q->fraction = q->fraction * 10 + (uint64_t)(*at - '0');
				q->scale *= 10;
			}
	}
	q->unit = at;
	return true;
}

/* The quantity in the smallest unit, rounded down; false when above `limit`. */
static bool
multiply(const struct quantity *q, uint64_t unit, uint64_t limit, uint64_t *value)
{
	if (q->large)
		return false;
	unsigned __int128 total =
		(unsigned __int128)q->whole * unit + (unsigned __int128)q->fraction * unit / q->scale;
	if (total > limit)
		return false;
	*value = (uint64_t)total;
	return true;
}

static const struct unit *
find_unit(const struct unit *units, const char *name)
{
	for (; units->name; units++)
		if (strcmp(units->name, name) == 0)
			return units;
	return NULL;
}

static bool
is_zero(const struct quantity *q)
{
	return q->whole == 0 && q->fraction == 0 && !q->large;
}

int
parse_duration(const char *text, int64_t *nanoseconds, struct weir_err *err)
{
	struct quantity q;
	if (!read_quantity(text, &q))
		return weir_failx(
			err, -EINVAL, "'%s' is no duration: write one number and one unit, as in 10s", text);
	if (*q.unit == '\0' && is_zero(&q)) {
		*nanoseconds = 0;
		return 0;
	}
	if (*q.unit == '\0')
		return weir_failx(err, -EINVAL, "'%s' needs a unit (%sms? %ss?)", text, text, text);
	const struct unit *unit = find_unit(durations, q.unit);
	if (!unit)
		return weir_failx(err, -EINVAL,
			"'%s' is no duration: write one number and one unit of ns us ms s m h d", text);
	uint64_t value = 0;
	if (!multiply(&q, unit->size, INT64_MAX, &value))
		return weir_failx(err, -ERANGE, "'%s' is too long: at most 106751d", text);
	if (value == 0 && !is_zero(&q))
		return weir_failx(err, -ERANGE, "'%s' is shorter than 1ns", text);
	*nanoseconds = (int64_t)value;
	return 0;
}

int
parse_size(const char *text, uint64_t *bytes, struct weir_err *err)
{
	struct quantity q;
	if (!read_quantity(text, &q))
		return weir_failx(
			err, -EINVAL, "'%s' is no size: write one number and one unit, as in 64MiB", text);
	if (*q.unit == '\0' && is_zero(&q)) {
		*bytes = 0;
		return 0;
	}
	if (*q.unit == '\0')
		return weir_failx(err, -EINVAL, "'%s' needs a unit (%sMiB? %sMB?)", text, text, text);
	if (q.unit[1] == '\0' && strchr("kKMGTP", q.unit[0]))
		return weir_failx(
			err, -EINVAL, "'%s' may mean 1024 or 1000: write %siB or %sB", text, text, text);
	const struct unit *unit = find_unit(sizes, q.unit);
	if (!unit)
		return weir_failx(err, -EINVAL,
			"'%s' is no size: write one number and one unit of B KiB MiB GiB TiB PiB kB MB GB TB "
			"PB",
			text);
	uint64_t value = 0;
	if (!multiply(&q, unit->size, UINT64_MAX, &value))
		return weir_failx(err, -ERANGE, "'%s' is too large: at most 16383PiB", text);
	if (value == 0 && !is_zero(&q))
		return weir_failx(err, -ERANGE, "'%s' is smaller than 1B", text);
	*bytes = value;
	return 0;
}

int
parse_bool(const char *text, bool *value, struct weir_err *err)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = { { "true", true }, { "yes", true }, { "on", true }, { "false", false },
		{ "no", false }, { "off", false } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i].word) == 0) {
			*value = words[i].value;
			return 0;
		}
	}
	return weir_failx(err, -EINVAL, "'%s' is neither true nor false", text);
}

int
parse_i64(const char *text, int64_t *value, struct weir_err *err)
{
	bool negative = *text == '-';
	const char *at = text + (*text == '-' || *text == '+');
	struct quantity q;
	if (!read_quantity(at, &q) || *q.unit || q.scale != 1)
		return weir_failx(err, -EINVAL, "'%s' is no whole number", text);
	if (q.large || q.whole > (uint64_t)INT64_MAX + negative)
		return weir_failx(err, -ERANGE, "'%s' is out of range (%lld to %lld)", text,
			(long long)INT64_MIN, (long long)INT64_MAX);
	*value = (int64_t)(negative ? -q.whole : q.whole);
	return 0;
}

/* Digits, a point and more digits, an exponent: what strtod takes beyond that (hexadecimal, inf,
 * nan, blanks) is refused. */
static bool
is_real(const char *at)
{
	at += *at == '-' || *at == '+';
	size_t whole = strspn(at, "0123456789");
	at += whole;
	size_t fraction = 0;
	if (*at == '.')
		at += 1 + (fraction = strspn(at + 1, "0123456789"));
	if (whole + fraction == 0)
		return false;
	if (*at == 'e' || *at == 'E') {
		at++;
		at += *at == '-' || *at == '+';
		if (!is_digit(*at))
			return false;
		at += strspn(at, "0123456789");
	}
	return *at == '\0';
}

int
parse_f64(const char *text, double *value, struct weir_err *err)
{
	if (!is_real(text))
		return weir_failx(err, -EINVAL, "'%s' is no number", text);
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!plain)
		return weir_fail(err, -errno, "cannot read the number '%s'", text);
	double number = strtod_l(text, NULL, plain);
	freelocale(plain);
	if (isinf(number))
		return weir_failx(err, -ERANGE, "'%s' is too large for a number", text);
	*value = number;
	return 0;
}
