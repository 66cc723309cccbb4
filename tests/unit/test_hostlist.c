/* SPDX-License-Identifier: Apache-2.0 */
/* Host lists: the grammar, the zero-padded widths, lists that would take long if expanded or
 * retried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static void
matching(void **state)
{
	(void)state;
	const char *list = "n[001-128],gpu1,login[1-2,7]";
	const char *const in[] = { "n001", "n009", "n010", "n128", "gpu1", "login1", "login2",
		"login7" };
	const char *const out[] = { "n000", "n129", "n1", "n01", "n0001", "n", "gpu", "gpu11", "gpu2",
		"login3", "login07", "login", "", ",", "n001,gpu1", "xn001", "n001x", "n[001-128]",
		"N001" };
	assert_int_equal(hostlist_check(list, NULL), 0);
	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++)
		if (!hostlist_match(list, in[i]))
			fail_msg("'%s' is in '%s'", in[i], list);
	for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++)
		if (hostlist_match(list, out[i]))
			fail_msg("'%s' is not in '%s'", out[i], list);
}

static void
matching_exactly_what_is_listed(void **state)
{
	(void)state;
	int found = 0;
	for (int i = 0; i < 2000; i++) {
		char host[32];
		snprintf(host, sizeof(host), "n%d", i);
		bool listed = hostlist_match("n[8-12,100,1000-1999]", host);
		assert_int_equal(listed, (i >= 8 && i <= 12) || i == 100 || i >= 1000);
		found += listed;
		snprintf(host, sizeof(host), "n%04d", i);
		assert_int_equal(hostlist_match("n[0100-0250]", host), i >= 100 && i <= 250);
		snprintf(host, sizeof(host), "n%03d", i);
		assert_int_equal(hostlist_match("n[098-1002]", host), i >= 98 && i <= 1002);
	}
	assert_int_equal(found, hostlist_count("n[8-12,100,1000-1999]"));
}

static void
several_brackets(void **state)
{
	(void)state;
	assert_true(hostlist_match("r[1-2]n[01-16]-ib", "r2n16-ib"));
	assert_false(hostlist_match("r[1-2]n[01-16]-ib", "r3n16-ib"));
	assert_false(hostlist_match("r[1-2]n[01-16]-ib", "r2n17-ib"));
	assert_false(hostlist_match("r[1-2]n[01-16]-ib", "r2n16"));
	/* Numbers of unequal length beside each other. */
	assert_true(hostlist_match("n[1-20][0-9]", "n10"));
	assert_true(hostlist_match("n[1-20][0-9]", "n209"));
	assert_false(hostlist_match("n[1-20][0-9]", "n219"));
	assert_true(hostlist_match("n[1-20]0", "n100"));
	assert_true(hostlist_match("n[1-20]0", "n10"));
	assert_true(hostlist_match("[1-3].example.org", "2.example.org"));
	/* Trying one after the other would take some 10^30 steps. */
	char list[1000] = "";
	char host[151] = "";
	for (int i = 0; i < 100; i++)
		strcat(list, "[1-99]");
	strcat(list, "x");
	memset(host, '1', 150);
	assert_int_equal(hostlist_check(list, NULL), 0);
	assert_false(hostlist_match(list, host));
	list[strlen(list) - 1] = '\0';
	assert_true(hostlist_match(list, host));
}

static void
counting(void **state)
{
	(void)state;
	assert_int_equal(hostlist_count("a"), 1);
	assert_int_equal(hostlist_count("n[001-128],gpu1,login[1-2,7]"), 132);
	assert_int_equal(hostlist_count("r[1-4]n[01-16]"), 64);
	assert_int_equal(hostlist_count("n[5]"), 1);
	assert_int_equal(hostlist_count("n[0-999999999999999999]"), 1000000000000000000);
	assert_true(hostlist_count("n[1-999999999999999999][1-99]") == UINT64_MAX);
	assert_int_equal(hostlist_count(""), 0);
	assert_int_equal(hostlist_count("n["), 0);
}

static void
check_fails(const char *list, const char *expected)
{
	struct weir_err err = { 0 };
	assert_int_equal(hostlist_check(list, &err), -EINVAL);
	assert_int_equal(err.code, -EINVAL);
	assert_string_equal(err.text, expected);
	assert_false(hostlist_match(list, "n1"));
	assert_int_equal(hostlist_count(list), 0);
}

static void
refused(void **state)
{
	(void)state;
	const char *letter = "a letter, digit, '-', '.', '_', ',' or '[' expected";
	char expected[300];
	check_fails("", "host list '': a host's name is missing at character 1");
	check_fails("n1,", "host list 'n1,': a host's name is missing at character 4");
	check_fails(",n1", "host list ',n1': a host's name is missing at character 1");
	check_fails("n1,,n2", "host list 'n1,,n2': a host's name is missing at character 4");
	check_fails("n[1-3", "host list 'n[1-3': ']' is missing at character 6");
	check_fails("n[", "host list 'n[': a number is missing at character 3");
	check_fails("n[]", "host list 'n[]': a number is missing at character 3");
	check_fails("n[1-]", "host list 'n[1-]': a number is missing at character 5");
	check_fails("n[1,]", "host list 'n[1,]': a number is missing at character 5");
	check_fails("n[a-c]", "host list 'n[a-c]': a number is missing at character 3");
	check_fails("n[1-2-3]", "host list 'n[1-2-3]': ',' or ']' expected at character 6");
	check_fails("n[1 ,2]", "host list 'n[1 ,2]': ',' or ']' expected at character 4");
	check_fails("n[[1]]", "host list 'n[[1]]': a number is missing at character 3");
	check_fails("n[3-1]", "host list 'n[3-1]': the range runs backwards at character 3");
	check_fails("n[1-05]", "host list 'n[1-05]': both ends of the range need the same number of "
						   "digits at character 3");
	check_fails("n[1000000000000000000]",
		"host list 'n[1000000000000000000]': a number has more than 18 digits at character 3");
	check_fails("n[1-1000000000000000000]",
		"host list 'n[1-1000000000000000000]': a number has more than 18 digits at character 5");
	snprintf(expected, sizeof(expected), "host list 'n1]': %s at character 3", letter);
	check_fails("n1]", expected);
	snprintf(expected, sizeof(expected), "host list 'n1, n2': %s at character 4", letter);
	check_fails("n1, n2", expected);
	snprintf(expected, sizeof(expected), "host list 'n*': %s at character 2", letter);
	check_fails("n*", expected);
}

static void
long_names(void **state)
{
	(void)state;
	char host[300];
	memset(host, 'a', sizeof(host));
	host[255] = '\0';
	assert_true(hostlist_match(host, host));
	host[255] = 'a';
	host[299] = '\0';
	assert_false(hostlist_match(host, host));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matching),
		cmocka_unit_test(matching_exactly_what_is_listed),
		cmocka_unit_test(several_brackets),
		cmocka_unit_test(counting),
		cmocka_unit_test(refused),
		cmocka_unit_test(long_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
