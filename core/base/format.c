/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and times to text without printf: the text stores and the exposition print millions of
 * cells a second. */
#include "base/format.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char pairs[] = "0001020304050607080910111213141516171819202122232425262728293031323334"
							"3536373839404142434445464748"
							"4950515253545556575859606162636465666768697071727374757677787980818283"
							"848586878889909192939495969798"
							"99";

static const uint64_t powers[20] = {
	1,
	10,
	100,
	1000,
	10000,
	100000,
	1000000,
	10000000,
	100000000,
	1000000000,
	10000000000,
	100000000000,
	1000000000000,
	10000000000000,
	100000000000000,
	1000000000000000,
	10000000000000000,
	100000000000000000,
	1000000000000000000,
	10000000000000000000u,
};

static inline void
put_pair(char *out, uint32_t value)
{
	memcpy(out, pairs + 2 * value, 2);
}

/* Four digits, value below 10000. */
static inline void
put_four(char *out, uint32_t value)
{
	put_pair(out, value / 100);
	put_pair(out + 2, value % 100);
}

static inline unsigned
count_digits(uint64_t value)
{
	/* 1233 / 4096 is log10(2) closely enough for 64 bits; the table settles the doubt. */
	unsigned guess = ((64 - (unsigned)__builtin_clzll(value | 1)) * 1233) >> 12;
	return guess + 1 - (value < powers[guess] && guess > 0);
}

char *
format_u64(char *out, uint64_t value)
{
	char *end = out + count_digits(value);
	char *at = end;
	while (value >= 10000) {
		at -= 4;
		put_four(at, (uint32_t)(value % 10000));
		value /= 10000;
	}
	uint32_t rest = (uint32_t)value;
	if (rest >= 100) {
		at -= 2;
		put_pair(at, rest % 100);
		rest /= 100;
	}
	if (rest >= 10)
		put_pair(at - 2, rest);
	else
		at[-1] = (char)('0' + rest);
	return end;
}

char *
format_i64(char *out, int64_t value)
{
	if (value >= 0)
		return format_u64(out, (uint64_t)value);
	*out = '-';
	return format_u64(out + 1, -(uint64_t)value);
}

/* `digits` digits of a fraction below 10^digits, behind a point, without the zeros at the end;
 * nothing when it is zero. */
static char *
put_fraction(char *out, uint64_t fraction, int digits)
{
	if (fraction == 0)
		return out;
	*out = '.';
	char *end = out + 1 + digits;
	for (char *at = end; at > out + 1; fraction /= 10)
		*--at = (char)('0' + fraction % 10);
	while (end[-1] == '0')
		end--;
	return end;
}

static char *
put_decimal(char *out, uint64_t value, int digits)
{
	/* Constant divisors, which the compiler turns into multiplications. */
	switch (digits) {
	case 2:
		return put_fraction(format_u64(out, value / 100), value % 100, 2);
	case 3:
		return put_fraction(format_u64(out, value / 1000), value % 1000, 3);
	case 6:
		return put_fraction(format_u64(out, value / 1000000), value % 1000000, 6);
	case 9:
		return put_fraction(format_u64(out, value / 1000000000), value % 1000000000, 9);
	default:
		return put_fraction(
			format_u64(out, value / powers[digits]), value % powers[digits], digits);
	}
}

char *
format_decimal(char *out, int64_t value, int64_t divisor)
{
	int digits = 0;
	while (digits < 18 && powers[digits] < (uint64_t)divisor)
		digits++;
	uint64_t magnitude = (uint64_t)value;
	if (value < 0) {
		*out++ = '-';
		magnitude = -magnitude;
	}
	return put_decimal(out, magnitude, digits);
}

/* A decimal: `digits` without zeros at its end, the first of them standing for 10^exponent. */
struct decimal {
	uint64_t digits;
	int exponent;
};

static char *
put_zeros(char *out, int count)
{
	memset(out, '0', (size_t)count);
	return out + count;
}

/* Puts the point behind the first `whole` of the `size` digits at `out`. */
static char *
insert_point(char *out, int size, int whole)
{
	memmove(out + whole + 1, out + whole, (size_t)(size - whole));
	out[whole] = '.';
	return out + size + 1;
}

static char *
put_exponent(char *out, int exponent)
{
	*out++ = 'e';
	*out++ = exponent < 0 ? '-' : '+';
	uint32_t magnitude = (uint32_t)abs(exponent);
	if (magnitude >= 100)
		*out++ = (char)('0' + magnitude / 100);
	put_pair(out, magnitude % 100);
	return out + 2;
}

/* As %.17g lays it out. */
static char *
put_laid_out(char *out, struct decimal decimal)
{
	while (decimal.digits % 10 == 0)
		decimal.digits /= 10;
	int exponent = decimal.exponent;
	if (exponent < 0 && exponent >= -4) {
		memcpy(out, "0.", 2);
		return format_u64(put_zeros(out + 2, -exponent - 1), decimal.digits);
	}
	char *end = format_u64(out, decimal.digits);
	int size = (int)(end - out);
	if (exponent >= 0 && exponent < 17)
		return size > exponent + 1 ? insert_point(out, size, exponent + 1)
								   : put_zeros(end, exponent + 1 - size);
	return put_exponent(size > 1 ? insert_point(out, size, 1) : end, exponent);
}

/* Slow (3 us), for the very large and small. Digits only are taken over: the point is as the locale
 * has it. */
static struct decimal
shortest_by_printf(double value)
{
	char text[64];
	for (int digits = value < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*e", digits - 1, value);
		if (strtod(text, NULL) == value)
			break;
	}
	struct decimal decimal = { 0 };
	const char *at = text;
	for (; *at != 'e'; at++)
		if (*at >= '0' && *at <= '9')
			decimal.digits = decimal.digits * 10 + (uint64_t)(*at - '0');
	decimal.exponent = (int)strtol(at + 1, NULL, 10);
	return decimal;
}

static unsigned __int128
power_of_five(int exponent)
{
	static const uint64_t fives[28] = {
		1,
		5,
		25,
		125,
		625,
		3125,
		15625,
		78125,
		390625,
		1953125,
		9765625,
		48828125,
		244140625,
		1220703125,
		6103515625,
		30517578125,
		152587890625,
		762939453125,
		3814697265625,
		19073486328125,
		95367431640625,
		476837158203125,
		2384185791015625,
		11920928955078125,
		59604644775390625,
		298023223876953125,
		1490116119384765625,
		7450580596923828125,
	};

	return exponent < 28 ? fives[exponent] : (unsigned __int128)fives[27] * fives[exponent - 27];
}

/*
 * value = fraction / 2^shift, and value * 10^places = fraction * 5^places / 2^(shift - places):
 * exact in 128 bits up to 32 places. The decimal of so many places reads back if it is nearer to
 * the value than half the way to the next double, which in the unit of that product is 5^places /
 * 2; half of it again below a power of two.
 */
static bool
round_to_places(uint64_t fraction, int shift, int places, uint64_t *digits)
{
	unsigned __int128 five = power_of_five(places);
	unsigned __int128 exact = fraction * five;
	shift -= places;
	*digits = (uint64_t)((exact + ((unsigned __int128)1 << shift >> 1)) >> shift);
	unsigned __int128 rounded = (unsigned __int128)*digits << shift;
	if (rounded < exact)
		return (exact - rounded) * (fraction == UINT64_C(1) << 52 ? 4 : 2) < five;
	return (rounded - exact) * 2 < five;
}

/* 15 to 17 digits, for a value from 1e-15 to 2^53 that is no whole number. */
static struct decimal
shortest_by_integers(double value)
{
	uint64_t bits = 0;
	memcpy(&bits, &value, sizeof(bits));
	uint64_t fraction = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
	int exponent = (int)(bits >> 52) - 1023;
	/*
	 * 15 digits first, by log10 of the power of two below. Where that is one less than the value's
	 * own logarithm, the value begins with a 1 and it is 16 digits first; of those only one reads
	 * back then, so a decimal of 15 is found all the same.
	 */
	int places = 14 - (exponent * 1233 >> 12);
	int most = places + 2;
	if (places < 0)
		places = 0;
	uint64_t digits = 0;
	while (!round_to_places(fraction, 52 - exponent, places, &digits) && places < most)
		places++;
	return (struct decimal){ .digits = digits, .exponent = (int)count_digits(digits) - 1 - places };
}

/* For the rest: 15 digits or more, or an exponent. */
static char *
put_shortest(char *out, double value)
{
	bool fits = value >= 1e-15 && value < 0x1p53;
	return put_laid_out(out, fits ? shortest_by_integers(value) : shortest_by_printf(value));
}

static char *
put_positive(char *out, double value)
{
	static const double scales[10] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9 };

	if (value < 0x1p53 && value == (double)(uint64_t)value)
		return format_u64(out, (uint64_t)value);
	if (value >= 0x1p51 / 10)
		return put_shortest(out, value);
	/*
	 * Below 2^51 the product is off by less than half, so it rounds to the decimal if there is one
	 * of so many places; both operands of the division are exact, so its result is what reading the
	 * decimal gives.
	 */
	int digits = 9;
	while (value * scales[digits] >= 0x1p51)
		digits--;
	uint64_t count = (uint64_t)(value * scales[digits] + 0.5);
	if ((double)count / scales[digits] == value)
		return put_decimal(out, count, digits);
	return put_shortest(out, value);
}

char *
format_f64(char *out, double value)
{
	if (isnan(value)) {
		memcpy(out, "nan", 3);
		return out + 3;
	}
	if (signbit(value)) {
		*out++ = '-';
		value = -value;
	}
	if (isinf(value)) {
		memcpy(out, "inf", 3);
		return out + 3;
	}
	return put_positive(out, value);
}

#define FIRST_US (-62135596800 * 1000000)    /* 0001-01-01 */
#define LAST_US (253402300800 * 1000000 - 1) /* 9999-12-31, its last microsecond */

/* "2026-11-21T10:48:00." (20 bytes). */
static void
put_second(char *out, int64_t second)
{
	/* Days counted from 0000-03-01, so that the leap day ends a year and every 400 years are alike.
	 */
	uint64_t since = (uint64_t)(second + 719468 * INT64_C(86400));
	uint32_t days = (uint32_t)(since / 86400);
	uint32_t clock = (uint32_t)(since % 86400);
	uint32_t era = days / 146097;
	uint32_t day = days % 146097;
	uint32_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	day -= 365 * year + year / 4 - year / 100;
	uint32_t month = (5 * day + 2) / 153;
	day = day - (153 * month + 2) / 5 + 1;
	month = month < 10 ? month + 3 : month - 9;
	put_four(out, 400 * era + year + (month <= 2));
	out[4] = '-';
	put_pair(out + 5, month);
	out[7] = '-';
	put_pair(out + 8, day);
	out[10] = 'T';
	put_pair(out + 11, clock / 3600);
	out[13] = ':';
	put_pair(out + 14, clock / 60 % 60);
	out[16] = ':';
	put_pair(out + 17, clock % 60);
	out[19] = '.';
}

static inline char *
put_micros(char *out, uint32_t micros)
{
	put_pair(out, micros / 10000);
	put_four(out + 2, micros % 10000);
	out[6] = 'Z';
	return out + 7;
}

/* Rounds down, before the epoch too. */
static inline int64_t
split_second(int64_t microseconds, uint32_t *micros)
{
	if (microseconds < FIRST_US)
		microseconds = FIRST_US;
	if (microseconds > LAST_US)
		microseconds = LAST_US;
	int64_t second = microseconds / 1000000;
	int64_t rest = microseconds % 1000000;
	if (rest < 0) {
		second--;
		rest += 1000000;
	}
	*micros = (uint32_t)rest;
	return second;
}

char *
format_time(char *out, int64_t microseconds)
{
	uint32_t micros = 0;
	put_second(out, split_second(microseconds, &micros));
	return put_micros(out + 20, micros);
}

char *
format_time_cached(struct format_time_cache *cache, char *out, int64_t microseconds)
{
	uint32_t micros = 0;
	int64_t second = split_second(microseconds, &micros);
	if (!cache->filled || cache->second != second) {
		put_second(cache->text, second);
		cache->second = second;
		cache->filled = 1;
	}
	memcpy(out, cache->text, sizeof(cache->text));
	return put_micros(out + 20, micros);
}

static char *
put_string(char *out, const char *string)
{
	size_t size = strlen(string);
	memcpy(out, string, size);
	return out + size;
}

char *
format_bytes(char *out, uint64_t bytes)
{
	static const char units[][5] = { " B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB" };

	unsigned step = 0;
	while (step < 6 && bytes >> (10 * step) >= 1024)
		step++;
	uint64_t whole = bytes >> (10 * step);
	uint64_t rest = bytes - (whole << (10 * step));
	/* Tenths, rounded; of a rest below 2^60 the product fits. */
	uint64_t tenths = step > 0 ? (rest * 10 + (UINT64_C(1) << (10 * step - 1))) >> (10 * step) : 0;
	whole += tenths / 10;
	if (whole == 1024 && step < 6) {
		whole = 1;
		step++;
	}
	out = put_fraction(format_u64(out, whole), tenths % 10, 1);
	return put_string(out, units[step]);
}

char *
format_duration(char *out, int64_t nanoseconds)
{
	static const struct {
		uint64_t size;
		const char *name;
	} units[] = {
		{ 86400000000000, "d" },
		{ 3600000000000, "h" },
		{ 60000000000, "m" },
		{ 1000000000, "s" },
		{ 1000000, "ms" },
		{ 1000, "us" },
	};

	uint64_t left = (uint64_t)nanoseconds;
	if (nanoseconds < 0) {
		*out++ = '-';
		left = -left;
	}
	if (left == 0)
		return put_string(out, "0s");
	size_t i = 0;
	while (i < 6 && left < units[i].size)
		i++;
	if (i == 6)
		return put_string(format_u64(out, left), "ns");
	uint64_t whole = left / units[i].size;
	uint64_t rest = left % units[i].size;
	out = format_u64(out, whole);
	if (i >= 3) {
		/* Rounded down, so that the unit above is never reached. */
		out = put_fraction(out, whole < 10 ? rest * 10 / units[i].size : 0, 1);
		return put_string(out, units[i].name);
	}
	out = put_string(out, units[i].name);
	uint64_t second = rest / units[i + 1].size;
	if (second == 0)
		return out;
	*out++ = ' ';
	return put_string(format_u64(out, second), units[i + 1].name);
}
