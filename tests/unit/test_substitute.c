/* SPDX-License-Identifier: Apache-2.0 */
/* ${...} in scalars: what is put in, what is refused, and that what comes in stays one text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/secret.h"
#include "config/substitute.h"
#include "config/yaml.h"

struct reading {
	struct arena arena;
	struct report *report;
	struct node *root;
	struct text printed;
};

static struct reading
read_text(const char *text)
{
	struct reading reading = { .report = report_new() };

	assert_non_null(reading.report);
	assert_int_equal(yaml_parse_memory("t.yaml", text, strlen(text), &reading.arena, reading.report,
						 &reading.root),
		0);
	assert_int_equal(report_errors(reading.report), 0);
	assert_int_equal(substitute(reading.root, NULL, &reading.arena, reading.report), 0);
	report_print(reading.report, &reading.printed);
	text_add(&reading.printed, "");
	return reading;
}

static void
finish(struct reading *reading)
{
	report_free(reading->report);
	arena_free(&reading->arena);
	text_free(&reading->printed);
}

/* The value of `a`. */
static void
check_value(const char *text, const char *value)
{
	struct reading reading = read_text(text);

	if (report_errors(reading.report))
		fail_msg("%s: %s", text, reading.printed.data);
	assert_string_equal(node_get(reading.root, "a")->value, value);
	finish(&reading);
}

static void
check_refused(const char *text, const char *first, const char *second)
{
	struct reading reading = read_text(text);

	if (!strstr(reading.printed.data, first) || !strstr(reading.printed.data, second))
		fail_msg("wanted '%s' and '%s', got:\n%s", first, second, reading.printed.data);
	assert_true(node_get(reading.root, "a")->broken);
	finish(&reading);
}

static void
variables(void **state)
{
	(void)state;
	setenv("WEIR_T", "text", 1);
	setenv("WEIR_EMPTY", "", 1);
	unsetenv("WEIR_NONE");
	check_value("a: ${env:WEIR_T}\n", "text");
	check_value("a: 'x-${env:WEIR_T}-${env:WEIR_T}y'\n", "x-text-texty");
	check_value("a: \"${env:WEIR_T}\"\n", "text");
	check_value("a: |\n  ${env:WEIR_T}\n", "text\n");
	check_value("a: '${env:WEIR_EMPTY}'\n", "");
	check_value("a: ${env:WEIR_NONE:-other}\n", "other");
	check_value("a: ${env:WEIR_T:-other}\n", "text");
	check_value("a: ${env:WEIR_EMPTY:-other}\n", "other");
	check_value("a: '${env:WEIR_NONE:-}'\n", "");
	check_value("a: '${env:WEIR_NONE:-a: b # c}'\n", "a: b # c");
	check_value("a: '${env:WEIR_NONE:-x:-y}'\n", "x:-y");
}

static void
text_without_references(void **state)
{
	(void)state;
	check_value("a: $\n", "$");
	check_value("a: $x $(y) $${z} $$\n", "$x $(y) ${z} $$");
	check_value("a: $${env:WEIR_T}\n", "${env:WEIR_T}");
	check_value("a: $$${env:X}\n", "$${env:X}");
	check_value("a: x$\n", "x$");
	check_value("a: '{}'\n", "{}");
}

/* A value is never looked at again: neither as YAML nor for further references. */
static void
injection(void **state)
{
	(void)state;
	static const char *const values[] = { "b\nc: d", "x: y", "x #y", "${env:HOME}", "$${env:HOME}",
		"[1, 2]", "{a: b}", "'", "\"", "*x", "- x", "~", "null", "", " x ", "!tag", "\t",
		"\xc3\xa9" };
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		setenv("WEIR_T", values[i], 1);
		struct reading reading = read_text("a: ${env:WEIR_T}\nb: 1\n");
		const struct node *node = node_get(reading.root, "a");
		assert_int_equal(report_errors(reading.report), 0);
		assert_int_equal(reading.root->n, 2);
		assert_string_equal(node->value, values[i]);
		assert_string_equal(node->spelling, "${env:WEIR_T}");
		assert_false(node_null(node));
		assert_false(node->secret);

		struct text shown = { 0 };
		node_show(reading.root, &shown, false);
		struct reading again = read_text(shown.data);
		assert_int_equal(report_errors(again.report), 0);
		assert_string_equal(node_get(again.root, "a")->value, values[i]);
		assert_string_equal(node_get(again.root, "b")->value, "1");
		text_free(&shown);
		finish(&again);
		finish(&reading);
	}
}

static void
faults(void **state)
{
	(void)state;
	unsetenv("WEIR_NONE");
	setenv("WEIR_BYTES", "\xff", 1);
	check_refused("a: x ${env:WEIR_NONE}\n",
		"t.yaml:1:4: error: a: the environment has no variable 'WEIR_NONE'\n",
		"| a default is given by ${env:WEIR_NONE:-text}\n");
	check_refused("a: ${env:WEIR_BYTES}\n", "t.yaml:1:4: error: a: ", "is not valid UTF-8");
	check_refused("a: ${env}\n", "'${env}' is none of ${env:NAME}",
		"| a text with '${' in it is written $${\n");
	check_refused("a: ${HOME}\n",
		"'${HOME}' is none of ${env:NAME}, ${env:NAME:-text}, ${file:/PATH}, ${cred:NAME}", "");
	check_refused("a: ${evn:X}\n", "'${evn:X}' is none of", "");
	check_refused("a: ${ENV:X}\n", "'${ENV:X}' is none of", "");
	check_refused("a: ${}\n", "'${}' is none of", "");
	check_refused("a: ${env:}\n", "'${env:}' names no variable", "| write ${env:NAME}");
	check_refused("a: ${env:X-y}\n", "'${env:X-y}' names no variable", "${env:NAME:-text}");
	check_refused("a: ${env:1X}\n", "'${env:1X}' names no variable", "");
	check_refused("a: ${env:A B}\n", "'${env:A B}' names no variable", "");
	check_refused("a: ${env:X\n", "'${env:X' is not closed by '}'", "");
	check_refused("a: x${\n", "'${' is not closed by '}'", "");
	check_refused("a: '${env:X:-${env:Y}}'\n", "cannot hold another ${...}", "");
	check_refused(
		"a: '${env:WEIR_NONE} ${bad}'\n", "no variable 'WEIR_NONE'", "'${bad}' is none of");
	check_refused("a: ${file:rel/path}\n", "'rel/path' is no absolute path", "");
	check_refused("a: ${file:}\n", "'' is no absolute path", "");
}

static void
faults_without_values(void **state)
{
	(void)state;
	struct report *report = report_new();
	struct arena arena = { 0 };
	struct node *root = NULL;
	const char *text = "a: ${env:WEIR_NONE}\nb: [ok, '${x}']\nc: {d: '${env:X'}\n";

	assert_int_equal(yaml_parse_memory("t.yaml", text, strlen(text), &arena, report, &root), 0);
	substitute_check(root, NULL, report);
	struct text printed = { 0 };
	report_print(report, &printed);
	assert_int_equal(report_errors(report), 2);
	assert_non_null(strstr(printed.data, "t.yaml:2:9: error: b[1]: '${x}' is none of"));
	assert_non_null(strstr(printed.data, "t.yaml:3:8: error: c.d: '${env:X' is not closed"));
	assert_false(node_get(root, "a")->broken);
	/* Said once: what the check found is left alone afterwards. */
	assert_int_equal(substitute(root, NULL, &arena, report), 0);
	assert_int_equal(report_errors(report), 3);
	text_free(&printed);
	arena_free(&arena);
	report_free(report);
}

/* --- secrets --- */

struct secrets {
	char folder[64], path[128];
};

static int
set_up(void **state)
{
	struct secrets *secrets = calloc(1, sizeof(*secrets));

	strcpy(secrets->folder, "/tmp/weir-test-secret-XXXXXX");
	assert_non_null(mkdtemp(secrets->folder));
	snprintf(secrets->path, sizeof(secrets->path), "%s/secret", secrets->folder);
	*state = secrets;
	return 0;
}

static int
tear_down(void **state)
{
	struct secrets *secrets = *state;

	unlink(secrets->path);
	rmdir(secrets->path);
	assert_int_equal(rmdir(secrets->folder), 0);
	free(secrets);
	return 0;
}

static void
put(const struct secrets *secrets, const char *content, size_t size, mode_t mode)
{
	FILE *file = fopen(secrets->path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(content, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(secrets->path, mode), 0);
}

static void
check_secret(const struct secrets *secrets, const char *content, const char *value)
{
	char text[256];

	put(secrets, content, strlen(content), 0600);
	snprintf(text, sizeof(text), "a: ${file:%s}\n", secrets->path);
	check_value(text, value);
}

static void
files(void **state)
{
	struct secrets *secrets = *state;
	char text[256];

	check_secret(secrets, "s3cret", "s3cret");
	check_secret(secrets, "s3cret\n", "s3cret");
	check_secret(secrets, "s3cret\r\n\n", "s3cret");
	check_secret(secrets, "two\nlines\n", "two\nlines");
	check_secret(secrets, " ${env:HOME} ", " ${env:HOME} ");
	check_secret(secrets, "", "");
	put(secrets, "s3cret\n", 7, 0400);
	snprintf(text, sizeof(text), "a: user:${file:%s}@\nb: plain\n", secrets->path);
	struct reading reading = read_text(text);
	assert_int_equal(report_errors(reading.report), 0);
	assert_string_equal(node_get(reading.root, "a")->value, "user:s3cret@");
	assert_true(node_get(reading.root, "a")->secret);
	assert_false(node_get(reading.root, "b")->secret);
	struct text shown = { 0 };
	node_show(reading.root, &shown, true);
	assert_string_equal(shown.data, "a: '***' # t.yaml:1\nb: plain # t.yaml:2\n");
	text_free(&shown);
	node_expect(node_get(reading.root, "a"), NODE_MAPPING, false, "a", reading.report);
	report_print(reading.report, &reading.printed);
	assert_non_null(strstr(reading.printed.data, "expected 'key: value' pairs, found a secret"));
	assert_null(strstr(reading.printed.data, "s3cret"));
	finish(&reading);
}

static void
check_file_refused(const struct secrets *secrets, const char *words)
{
	char text[256], start[256];

	snprintf(text, sizeof(text), "a: ${file:%s}\n", secrets->path);
	snprintf(start, sizeof(start), "t.yaml:1:4: error: a: ");
	check_refused(text, start, words);
}

static void
files_that_are_refused(void **state)
{
	struct secrets *secrets = *state;
	static const mode_t modes[] = { 0644, 0640, 0604, 0620, 0601, 0777 };
	static char large[65537];

	check_file_refused(secrets, "cannot open ");
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		put(secrets, "x", 1, modes[i]);
		check_file_refused(secrets, "chmod 600");
	}
	put(secrets, "x\0y", 3, 0600);
	check_file_refused(secrets, "holds a NUL byte");
	memset(large, 'x', sizeof(large));
	put(secrets, large, sizeof(large), 0600);
	check_file_refused(secrets, "larger than 64 KiB");
	put(secrets, large, sizeof(large) - 1, 0600);
	struct arena arena = { 0 };
	const char *secret = NULL;
	assert_int_equal(secret_read_file(secrets->path, &arena, &secret, NULL), 0);
	assert_int_equal(strlen(secret), 65536);
	arena_free(&arena);
	assert_int_equal(unlink(secrets->path), 0);
	assert_int_equal(mkfifo(secrets->path, 0600), 0);
	check_file_refused(secrets, "is no regular file");
	assert_int_equal(unlink(secrets->path), 0);
	assert_int_equal(mkdir(secrets->path, 0700), 0);
	check_file_refused(secrets, "is no regular file");
}

static void
files_of_others(void **state)
{
	struct secrets *secrets = *state;

	if (geteuid() != 0)
		skip(); /* only root can give a file away */
	put(secrets, "x", 1, 0600);
	assert_int_equal(chown(secrets->path, 12345, 12345), 0);
	check_file_refused(secrets, "belongs to user 12345");
}

static void
credentials(void **state)
{
	struct secrets *secrets = *state;

	put(secrets, "token\n", 6, 0644); /* modes are the business of whoever made the folder */
	setenv("CREDENTIALS_DIRECTORY", secrets->folder, 1);
	check_value("a: ${cred:secret}\n", "token");
	struct reading reading = read_text("a: ${cred:secret}\n");
	assert_true(node_get(reading.root, "a")->secret);
	finish(&reading);
	check_refused("a: ${cred:other}\n", "cannot open '", "/other'");
	check_refused("a: ${cred:../secret}\n", "'../secret' is no name of a credential", "");
	check_refused("a: ${cred:..}\n", "is no name of a credential", "");
	check_refused("a: ${cred:}\n", "is no name of a credential", "");
	unsetenv("CREDENTIALS_DIRECTORY");
	check_refused(
		"a: ${cred:secret}\n", "CREDENTIALS_DIRECTORY is not set", "LoadCredential=secret:PATH");
}

static void
total_is_bounded(void **state)
{
	struct secrets *secrets = *state;
	static char large[65536];
	struct text text = { 0 };

	memset(large, 'x', sizeof(large));
	put(secrets, large, sizeof(large), 0600);
	for (unsigned i = 0; i < 257; i++)
		text_printf(&text, "k%u: ${file:%s}\n", i, secrets->path);
	struct reading reading = read_text(text.data);
	assert_int_equal(report_errors(reading.report), 1);
	assert_non_null(strstr(reading.printed.data,
		"t.yaml:257:7: error: k256: the texts put in for ${...} exceed 16 MiB\n"));
	finish(&reading);
	text_free(&text);
}

#define WITH_SECRETS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables),
		cmocka_unit_test(text_without_references),
		cmocka_unit_test(injection),
		cmocka_unit_test(faults),
		cmocka_unit_test(faults_without_values),
		WITH_SECRETS(files),
		WITH_SECRETS(files_that_are_refused),
		WITH_SECRETS(files_of_others),
		WITH_SECRETS(credentials),
		WITH_SECRETS(total_is_bounded),
	};
	return cmocka_run_group_tests_name("substitute", tests, NULL, NULL);
}
