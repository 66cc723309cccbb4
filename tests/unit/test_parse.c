/* SPDX-License-Identifier: Apache-2.0 */
/* Durations, sizes, truth and numbers as configuration spells them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <float.h>
#include <string.h>

#include "base/text.h"

static void
duration_is(const char *text, int64_t expected)
{
	int64_t value = -7;
	struct weir_err err = { 0 };
	if (parse_duration(text, &value, &err) != 0)
		fail_msg("%s", err.text);
	assert_true(value == expected);
}

static void
duration_fails(const char *text, int code, const char *expected)
{
	int64_t value = -7;
	struct weir_err err = { 0 };
	assert_int_equal(parse_duration(text, &value, &err), code);
	assert_int_equal(err.code, code);
	assert_string_equal(err.text, expected);
	assert_true(value == -7);
	assert_int_equal(parse_duration(text, &value, NULL), code);
}

static void
durations(void **state)
{
	(void)state;
	duration_is("0", 0);
	duration_is("0s", 0);
	duration_is("0.0", 0);
	duration_is("1ns", 1);
	duration_is("3us", 3000);
	duration_is("250ms", 250000000);
	duration_is("10s", 10000000000);
	duration_is("1.5s", 1500000000);
	duration_is("0.1s", 100000000);
	duration_is("1.000000001s", 1000000001);
	duration_is("1.0000000019s", 1000000001);
	duration_is("0010m", 600000000000);
	duration_is("1h", 3600000000000);
	duration_is("0.5d", 43200000000000);
	duration_is("106751d", INT64_C(106751) * 86400000000000);
	duration_is("9223372036854775807ns", INT64_MAX);
	duration_is("1.00000000000000000000000000001s", 1000000000);
}

static void
durations_refused(void **state)
{
	(void)state;
	const char *units = "' is no duration: write one number and one unit of ns us ms s m h d";
	duration_fails("500", -EINVAL, "'500' needs a unit (500ms? 500s?)");
	duration_fails("1.5", -EINVAL, "'1.5' needs a unit (1.5ms? 1.5s?)");
	duration_fails("", -EINVAL, "'' is no duration: write one number and one unit, as in 10s");
	duration_fails("s", -EINVAL, "'s' is no duration: write one number and one unit, as in 10s");
	duration_fails(
		"-1s", -EINVAL, "'-1s' is no duration: write one number and one unit, as in 10s");
	duration_fails(
		"+1s", -EINVAL, "'+1s' is no duration: write one number and one unit, as in 10s");
	duration_fails(
		" 1s", -EINVAL, "' 1s' is no duration: write one number and one unit, as in 10s");
	duration_fails(
		"1.s", -EINVAL, "'1.s' is no duration: write one number and one unit, as in 10s");
	const char *const wrong[] = { "1h30m", "1 s", "1s ", "1M", "1S", "1sec", "0x10s", "1e3s",
		"1.2.3s", "0x" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct weir_err err = { 0 };
		int64_t value = 0;
		assert_int_equal(parse_duration(wrong[i], &value, &err), -EINVAL);
		assert_int_equal(err.text[0], '\'');
		assert_string_equal(err.text + 1 + strlen(wrong[i]), units);
	}
	duration_fails(
		"9223372036854775808ns", -ERANGE, "'9223372036854775808ns' is too long: at most 106751d");
	duration_fails(
		"99999999999999999999s", -ERANGE, "'99999999999999999999s' is too long: at most 106751d");
	duration_fails("106752d", -ERANGE, "'106752d' is too long: at most 106751d");
	duration_fails("0.4ns", -ERANGE, "'0.4ns' is shorter than 1ns");
}

static void
size_is(const char *text, uint64_t expected)
{
	uint64_t value = 7;
	struct weir_err err = { 0 };
	if (parse_size(text, &value, &err) != 0)
		fail_msg("%s", err.text);
	assert_true(value == expected);
}

static void
size_fails(const char *text, int code, const char *expected)
{
	uint64_t value = 7;
	struct weir_err err = { 0 };
	assert_int_equal(parse_size(text, &value, &err), code);
	assert_int_equal(err.code, code);
	assert_string_equal(err.text, expected);
	assert_true(value == 7);
}

static void
sizes(void **state)
{
	(void)state;
	size_is("0", 0);
	size_is("512B", 512);
	size_is("64KiB", 65536);
	size_is("1MiB", 1048576);
	size_is("1.5GiB", 1610612736);
	size_is("1.1GiB", 1181116006);
	size_is("2TiB", UINT64_C(2) << 40);
	size_is("16383PiB", UINT64_C(16383) << 50);
	size_is("2GB", 2000000000);
	size_is("3kB", 3000);
	size_is("3KB", 3000);
	size_is("0.5MB", 500000);
	size_is("1TB", 1000000000000);
	size_is("1PB", 1000000000000000);
	size_is("18446744073709551615B", UINT64_MAX);
}

static void
sizes_refused(void **state)
{
	(void)state;
	size_fails("500", -EINVAL, "'500' needs a unit (500MiB? 500MB?)");
	size_fails("64K", -EINVAL, "'64K' may mean 1024 or 1000: write 64KiB or 64KB");
	size_fails("", -EINVAL, "'' is no size: write one number and one unit, as in 64MiB");
	size_fails("-1B", -EINVAL, "'-1B' is no size: write one number and one unit, as in 64MiB");
	size_fails("1mib", -EINVAL,
		"'1mib' is no size: write one number and one unit of B KiB MiB GiB TiB PiB kB MB GB TB PB");
	size_fails("1b", -EINVAL,
		"'1b' is no size: write one number and one unit of B KiB MiB GiB TiB PiB kB MB GB TB PB");
	size_fails(
		"18446744073709551616B", -ERANGE, "'18446744073709551616B' is too large: at most 16383PiB");
	size_fails("16384PiB", -ERANGE, "'16384PiB' is too large: at most 16383PiB");
	size_fails("0.9B", -ERANGE, "'0.9B' is smaller than 1B");
}

static void
truth(void **state)
{
	(void)state;
	const char *const yes[] = { "true", "yes", "on", "True", "ON" };
	const char *const no[] = { "false", "no", "off", "FALSE", "No" };
	for (size_t i = 0; i < 5; i++) {
		bool value = false;
		assert_int_equal(parse_bool(yes[i], &value, NULL), 0);
		assert_true(value);
		assert_int_equal(parse_bool(no[i], &value, NULL), 0);
		assert_false(value);
	}
	struct weir_err err = { 0 };
	bool value = true;
	const char *const neither[] = { "", "1", "0", "y", "n", "yess", " on" };
	for (size_t i = 0; i < sizeof(neither) / sizeof(neither[0]); i++)
		assert_int_equal(parse_bool(neither[i], &value, &err), -EINVAL);
	assert_true(value);
	assert_string_equal(err.text, "' on' is neither true nor false");
}

static void
integers(void **state)
{
	(void)state;
	int64_t value = 0;
	assert_int_equal(parse_i64("0", &value, NULL), 0);
	assert_true(value == 0);
	assert_int_equal(parse_i64("-17", &value, NULL), 0);
	assert_true(value == -17);
	assert_int_equal(parse_i64("+17", &value, NULL), 0);
	assert_true(value == 17);
	assert_int_equal(parse_i64("9223372036854775807", &value, NULL), 0);
	assert_true(value == INT64_MAX);
	assert_int_equal(parse_i64("-9223372036854775808", &value, NULL), 0);
	assert_true(value == INT64_MIN);
	value = 5;
	const char *const wrong[] = { "", "-", "+", "--1", " 1", "1 ", "1.0", "1e3", "0x10", "a", "1a",
		"1." };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(parse_i64(wrong[i], &value, NULL), -EINVAL);
	struct weir_err err = { 0 };
	assert_int_equal(parse_i64("9223372036854775808", &value, &err), -ERANGE);
	assert_string_equal(err.text,
		"'9223372036854775808' is out of range (-9223372036854775808 to 9223372036854775807)");
	assert_int_equal(parse_i64("-9223372036854775809", &value, NULL), -ERANGE);
	assert_int_equal(parse_i64("18446744073709551617", &value, NULL), -ERANGE);
	assert_true(value == 5);
}

static void
reals(void **state)
{
	(void)state;
	const struct {
		const char *text;
		double value;
	} right[] = {
		{ "0", 0 },
		{ "1", 1 },
		{ "-1.5", -1.5 },
		{ "+2", 2 },
		{ ".5", 0.5 },
		{ "5.", 5 },
		{ "1e3", 1000 },
		{ "1E-3", 0.001 },
		{ "0.1", 0.1 },
		{ "1.7976931348623157e308", DBL_MAX },
		{ "5e-324", 5e-324 },
		{ "1e-400", 0 },
	};
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		double value = -7;
		assert_int_equal(parse_f64(right[i].text, &value, NULL), 0);
		assert_true(value == right[i].value);
	}
	double value = 7;
	const char *const wrong[] = { "", "-", ".", "e3", "1e", "1e+", "0x1p3", "inf", "nan", "-inf",
		" 1", "1 ", "1,5", "1_0", "--1", "1.2.3" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(parse_f64(wrong[i], &value, NULL), -EINVAL);
	struct weir_err err = { 0 };
	assert_int_equal(parse_f64("1e309", &value, &err), -ERANGE);
	assert_string_equal(err.text, "'1e309' is too large for a number");
	assert_int_equal(parse_f64("-1e309", &value, NULL), -ERANGE);
	assert_true(value == 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(durations_refused),
		cmocka_unit_test(sizes),
		cmocka_unit_test(sizes_refused),
		cmocka_unit_test(truth),
		cmocka_unit_test(integers),
		cmocka_unit_test(reals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
