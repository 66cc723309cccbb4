/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and times to text, against printf, strtod and gmtime. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/format.h"

/* The text between `out` and `end`, in `out`, which holds 2 * FORMAT_MAX; the second half must be
 * untouched. */
#define GUARD 0x5a

struct room {
	char text[2 * FORMAT_MAX];
};

static struct room
fresh(void)
{
	struct room room;
	memset(room.text, GUARD, sizeof(room.text));
	return room;
}

static const char *
finish(struct room *room, const char *end)
{
	assert_true(end > room->text && end <= room->text + FORMAT_MAX);
	for (size_t i = FORMAT_MAX; i < sizeof(room->text); i++)
		assert_int_equal(room->text[i], GUARD);
	room->text[end - room->text] = '\0';
	return room->text;
}

/* Steele, Lea and Flood's splitmix64: the same numbers in each run. */
static uint64_t
next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static void
check_u64(uint64_t value)
{
	char expected[32];
	snprintf(expected, sizeof(expected), "%" PRIu64, value);
	struct room room = fresh();
	assert_string_equal(finish(&room, format_u64(room.text, value)), expected);
	snprintf(expected, sizeof(expected), "%" PRId64, (int64_t)value);
	room = fresh();
	assert_string_equal(finish(&room, format_i64(room.text, (int64_t)value)), expected);
}

static void
integers(void **state)
{
	(void)state;
	for (uint64_t value = 0; value < 20000; value++)
		check_u64(value);
	uint64_t power = 1;
	for (int i = 0; i < 20; i++, power *= 10) {
		check_u64(power - 1);
		check_u64(power);
		check_u64(power + 1);
		check_u64(-power);
	}
	for (int bit = 0; bit < 64; bit++) {
		check_u64((UINT64_C(1) << bit) - 1);
		check_u64(UINT64_C(1) << bit);
	}
	uint64_t seed = 1;
	for (int i = 0; i < 100000; i++) {
		uint64_t number = next_random(&seed);
		check_u64(number >> (i % 64));
	}
	struct room room = fresh();
	assert_string_equal(finish(&room, format_u64(room.text, UINT64_MAX)), "18446744073709551615");
	room = fresh();
	assert_string_equal(finish(&room, format_i64(room.text, INT64_MIN)), "-9223372036854775808");
}

static void
check_decimal(int64_t value, int64_t divisor, const char *expected)
{
	struct room room = fresh();
	assert_string_equal(finish(&room, format_decimal(room.text, value, divisor)), expected);
}

static void
decimals(void **state)
{
	(void)state;
	check_decimal(0, 100, "0");
	check_decimal(420, 100, "4.2");
	check_decimal(700, 100, "7");
	check_decimal(-5, 100, "-0.05");
	check_decimal(5, 100, "0.05");
	check_decimal(-100, 100, "-1");
	check_decimal(1234567, 1000, "1234.567");
	check_decimal(1, 1000, "0.001");
	check_decimal(1500000, 1000000, "1.5");
	check_decimal(-1, 1000000, "-0.000001");
	check_decimal(1000000001, 1000000000, "1.000000001");
	check_decimal(10, 1000000000, "0.00000001");
	check_decimal(INT64_MAX, 1000000000, "9223372036.854775807");
	check_decimal(INT64_MIN, 1000000000, "-9223372036.854775808");
	check_decimal(INT64_MIN, 1000000, "-9223372036854.775808");
	check_decimal(INT64_MIN, 1000, "-9223372036854775.808");
	check_decimal(INT64_MIN, 100, "-92233720368547758.08");
	check_decimal(INT64_MAX, 100, "92233720368547758.07");
	check_decimal(42, 1, "42");
}

static void
check_real(double value, const char *expected)
{
	struct room room = fresh();
	assert_string_equal(finish(&room, format_f64(room.text, value)), expected);
}

static void
reals(void **state)
{
	(void)state;
	check_real(0.0, "0");
	check_real(-0.0, "-0");
	check_real(0.1, "0.1");
	check_real(-0.1, "-0.1");
	check_real(0.2 + 0.1, "0.30000000000000004");
	check_real(1.5, "1.5");
	check_real(100, "100");
	check_real(-273.15, "-273.15");
	check_real(1e-9, "0.000000001");
	check_real(123456.789012345, "123456.789012345");
	check_real(1.0 / 3, "0.3333333333333333");
	check_real(9007199254740991.0, "9007199254740991");
	check_real(9007199254740992.0, "9007199254740992");
	check_real(4503599627370495.5, "4503599627370495.5");
	check_real(1e300, "1e+300");
	check_real(-1e300, "-1e+300");
	check_real(DBL_MAX, "1.7976931348623157e+308");
	check_real(DBL_MIN, "2.2250738585072014e-308");
	check_real(5e-324, "5e-324");
	check_real(1e-10, "1e-10");
	check_real(NAN, "nan");
	check_real(-NAN, "nan");
	check_real(INFINITY, "inf");
	check_real(-INFINITY, "-inf");
}

static int
count_significant(const char *text)
{
	int digits = 0;
	int zeros = 0;
	for (; *text && *text != 'e'; text++) {
		if (*text < '0' || *text > '9')
			continue;
		if (*text == '0')
			zeros += digits > 0;
		else {
			digits += zeros + 1;
			zeros = 0;
		}
	}
	return digits;
}

/* The fewest digits that any decimal needs to read back: printf rounds correctly, so the first
 * precision that does is it. */
static int
fewest_digits(double value)
{
	char text[64];
	for (int digits = 1; digits < 17; digits++) {
		snprintf(text, sizeof(text), "%.*e", digits - 1, value);
		if (strtod(text, NULL) == value)
			return count_significant(text);
	}
	return 17;
}

static void
check_round_trip(double value)
{
	struct room room = fresh();
	const char *text = finish(&room, format_f64(room.text, value));
	char *end = NULL;
	double back = strtod(text, &end);
	if (*end || memcmp(&back, &value, sizeof(back)) != 0)
		fail_msg("%.17g was written as '%s'", value, text);
	if (strspn(text, "0123456789.e+-") != strlen(text))
		fail_msg("'%s' is no plain number", text);
}

/* Beyond 17 digits only whole numbers are written out. */
static void
check_shortest(double value)
{
	struct room room = fresh();
	const char *text = finish(&room, format_f64(room.text, value));
	int digits = count_significant(text);
	int fewest = fewest_digits(value);
	if (digits != fewest && !(value == floor(value) && fabs(value) < 0x1p53))
		fail_msg("'%s' has %d digits, %d do", text, digits, fewest);
	check_round_trip(value);
}

static void
reals_of_all_kinds(void **state)
{
	(void)state;
	uint64_t seed = 2;
	for (int i = 0; i < 200000; i++) {
		uint64_t bits = next_random(&seed);
		double value = 0;
		memcpy(&value, &bits, sizeof(value));
		if (isfinite(value))
			check_round_trip(value);
	}
	for (int i = 0; i < 20000; i++) {
		uint64_t bits = next_random(&seed);
		double value = 0;
		memcpy(&value, &bits, sizeof(value));
		if (isfinite(value))
			check_shortest(value);
	}
	/* All bits random, of the sizes that measurements have. */
	for (int i = 0; i < 300000; i++) {
		double value = ldexp((double)(next_random(&seed) >> 11 | UINT64_C(1) << 52), i % 110 - 106);
		if (i % 8)
			check_round_trip(value);
		else
			check_shortest(value);
	}
	/* 15 digits, of which each is needed. */
	for (int i = 0; i < 100000; i++) {
		char text[32];
		uint64_t digits = 100000000000000 + next_random(&seed) % 900000000000000;
		snprintf(text, sizeof(text), "%" PRIu64 "e-%d", digits, i % 32);
		check_shortest(strtod(text, NULL));
	}
	/* Below a power of two the next double is half as far. */
	for (int exponent = -60; exponent < 60; exponent++) {
		check_round_trip(ldexp(1, exponent));
		check_shortest(nextafter(ldexp(1, exponent), 0));
		check_shortest(nextafter(ldexp(1, exponent), INFINITY));
	}
}

static void
reals_of_measurements(void **state)
{
	(void)state;
	uint64_t seed = 3;
	for (int i = 0; i < 300000; i++) {
		int64_t count = (int64_t)(next_random(&seed) >> (1 + i % 62));
		double scale = pow(10, i % 17);
		double value = (double)count / scale;
		check_round_trip(i % 2 ? value : -value);
	}
	for (int i = 0; i < 30000; i++) {
		double value = (double)(next_random(&seed) >> (11 + i % 53)) / pow(10, i % 13);
		check_shortest(value);
		check_shortest(nextafter(value, INFINITY));
	}
	for (int power = -323; power <= 308; power++) {
		char text[16];
		snprintf(text, sizeof(text), "1e%d", power);
		check_shortest(strtod(text, NULL));
		check_shortest(nextafter(strtod(text, NULL), INFINITY));
	}
}

static void
every_decimal_is_found(void **state)
{
	(void)state;
	uint64_t seed = 4;
	for (int i = 0; i < 100000; i++) {
		int64_t whole = (int64_t)(next_random(&seed) % 1000000);
		char expected[32];
		snprintf(expected, sizeof(expected), "%" PRId64 ".%0*" PRIu64, whole, 1 + i % 8,
			next_random(&seed) % 10);
		expected[strlen(expected) - 1] = (char)('1' + i % 9);
		check_real(strtod(expected, NULL), expected);
	}
}

static void
check_time(int64_t microseconds, const char *expected)
{
	struct room room = fresh();
	char *end = format_time(room.text, microseconds);
	assert_int_equal(end - room.text, 27);
	assert_string_equal(finish(&room, end), expected);
}

static void
times(void **state)
{
	(void)state;
	check_time(0, "1970-01-01T00:00:00.000000Z");
	check_time(-1, "1969-12-31T23:59:59.999999Z");
	check_time(-1000000, "1969-12-31T23:59:59.000000Z");
	check_time(1795258080000000, "2026-11-21T10:48:00.000000Z");
	check_time(1582934400000000, "2020-02-29T00:00:00.000000Z");
	check_time(1583020799999999, "2020-02-29T23:59:59.999999Z");
	check_time(1583020800000000, "2020-03-01T00:00:00.000000Z");
	check_time(951782400000000, "2000-02-29T00:00:00.000000Z");
	check_time(4107542399000001, "2100-02-28T23:59:59.000001Z");
	check_time(4107542400000000, "2100-03-01T00:00:00.000000Z");
	check_time(-62135596800000000, "0001-01-01T00:00:00.000000Z");
	check_time(-62135596800000001, "0001-01-01T00:00:00.000000Z");
	check_time(INT64_MIN, "0001-01-01T00:00:00.000000Z");
	check_time(253402300799999999, "9999-12-31T23:59:59.999999Z");
	check_time(253402300800000000, "9999-12-31T23:59:59.999999Z");
	check_time(INT64_MAX, "9999-12-31T23:59:59.999999Z");
}

static void
check_against_gmtime(int64_t second, uint32_t micros)
{
	struct tm tm;
	time_t clock = (time_t)second;
	assert_non_null(gmtime_r(&clock, &tm));
	char expected[64];
	snprintf(expected, sizeof(expected), "%04d-%02d-%02dT%02d:%02d:%02d.%06" PRIu32 "Z",
		tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, micros);
	check_time(second * 1000000 + micros, expected);
}

static void
times_of_all_days(void **state)
{
	(void)state;
	/* Each day of 400 years, whose calendar then repeats, and random ones of all years. */
	for (int64_t day = -25567; day < -25567 + 146097; day++)
		check_against_gmtime(day * 86400 + day % 43200 + 43200, (uint32_t)(day + 25567) * 6);
	uint64_t seed = 5;
	for (int i = 0; i < 100000; i++) {
		uint64_t number = next_random(&seed);
		int64_t second = (int64_t)(number % (253402300800 + 62135596800)) - 62135596800;
		check_against_gmtime(second, (uint32_t)(number >> 44) % 1000000);
	}
}

static void
times_cached(void **state)
{
	(void)state;
	struct format_time_cache cache = { 0 };
	/* 0 first: an empty cache must not pass for the second 0. */
	const int64_t times[] = { 0, 999999, 1000000, -1, -1000000, 1795258080000000, 1795258080999999,
		INT64_MIN, INT64_MAX, -62135596800000000 };
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct room plain = fresh();
		struct room cached = fresh();
		const char *expected = finish(&plain, format_time(plain.text, times[i]));
		assert_string_equal(
			finish(&cached, format_time_cached(&cache, cached.text, times[i])), expected);
	}
	uint64_t seed = 6;
	int64_t now = 1795258080000000;
	for (int i = 0; i < 100000; i++) {
		now += (int64_t)(next_random(&seed) % 700000);
		struct room plain = fresh();
		struct room cached = fresh();
		const char *expected = finish(&plain, format_time(plain.text, now));
		assert_string_equal(
			finish(&cached, format_time_cached(&cache, cached.text, now)), expected);
	}
}

static void
check_bytes(uint64_t bytes, const char *expected)
{
	struct room room = fresh();
	assert_string_equal(finish(&room, format_bytes(room.text, bytes)), expected);
}

static void
bytes_for_people(void **state)
{
	(void)state;
	check_bytes(0, "0 B");
	check_bytes(350, "350 B");
	check_bytes(1023, "1023 B");
	check_bytes(1024, "1 KiB");
	check_bytes(1536, "1.5 KiB");
	check_bytes(65536, "64 KiB");
	check_bytes(1048575, "1 MiB");
	check_bytes(1288490189, "1.2 GiB");
	check_bytes(UINT64_C(1) << 40, "1 TiB");
	check_bytes(UINT64_C(5) << 49, "2.5 PiB");
	check_bytes(UINT64_MAX, "16 EiB");
}

static void
check_duration(int64_t nanoseconds, const char *expected)
{
	struct room room = fresh();
	assert_string_equal(finish(&room, format_duration(room.text, nanoseconds)), expected);
}

static void
durations_for_people(void **state)
{
	(void)state;
	check_duration(0, "0s");
	check_duration(1, "1ns");
	check_duration(999, "999ns");
	check_duration(1500, "1.5us");
	check_duration(250000000, "250ms");
	check_duration(1000000000, "1s");
	check_duration(1500000000, "1.5s");
	check_duration(59999999999, "59s");
	check_duration(60000000000, "1m");
	check_duration(90000000000, "1m 30s");
	check_duration(3780000000000, "1h 3m");
	check_duration(3600000000000, "1h");
	check_duration(86400000000000, "1d");
	check_duration(180000000000000, "2d 2h");
	check_duration(-1500000000, "-1.5s");
	check_duration(INT64_MAX, "106751d 23h");
	check_duration(INT64_MIN, "-106751d 23h");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers),
		cmocka_unit_test(decimals),
		cmocka_unit_test(reals),
		cmocka_unit_test(reals_of_all_kinds),
		cmocka_unit_test(reals_of_measurements),
		cmocka_unit_test(every_decimal_is_found),
		cmocka_unit_test(times),
		cmocka_unit_test(times_of_all_days),
		cmocka_unit_test(times_cached),
		cmocka_unit_test(bytes_for_people),
		cmocka_unit_test(durations_for_people),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
