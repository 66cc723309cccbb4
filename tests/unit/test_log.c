/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines: their form, the levels, the folding of repeats with a clock of the test's own, several
 * threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/log_fold.h"
#include "base/text.h"

struct place {
	char folder[64];
	char path[128];
};

static int
setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	if (!place)
		return -1;
	strcpy(place->folder, "/tmp/weir-test-log-XXXXXX");
	*state = place;
	if (!mkdtemp(place->folder))
		return -1;
	snprintf(place->path, sizeof(place->path), "%s/log", place->folder);
	return 0;
}

static int
teardown(void **state)
{
	struct place *place = *state;
	char command[256];
	snprintf(command, sizeof(command), "rm -rf '%s'", place->folder);
	int rc = system(command);
	free(place);
	return rc;
}

/* The file without the 28 bytes of time in front of each line, which are checked. */
static char *
read_untimed(const char *path)
{
	char *text = NULL;
	size_t size = 0;
	assert_int_equal(fs_read(path, 1 << 22, &text, &size, NULL), 0);
	char *to = text;
	for (char *line = text; *line;) {
		char *end = strchr(line, '\n');
		assert_non_null(end);
		assert_true(end - line > 28);
		assert_true(line[4] == '-' && line[10] == 'T' && line[19] == '.' && line[26] == 'Z' &&
					line[27] == ' ');
		memmove(to, line + 28, (size_t)(end + 1 - line - 28));
		to += end + 1 - line - 28;
		line = end + 1;
	}
	*to = '\0';
	return text;
}

static void
check_file(const char *path, const char *expected)
{
	char *text = read_untimed(path);
	assert_string_equal(text, expected);
	free(text);
}

static void
form_and_levels(void **state)
{
	struct place *place = *state;
	struct log *log = log_new(LOG_LEVEL_INFO, place->path);
	assert_non_null(log);
	assert_true(log_enabled(log, LOG_LEVEL_ERROR));
	assert_true(log_enabled(log, LOG_LEVEL_INFO));
	assert_false(log_enabled(log, LOG_LEVEL_DEBUG));
	errno = EXDEV;
	log_line(log, LOG_LEVEL_ERROR, "meminfo", "cannot read '%s': %d", "/proc/meminfo", 7);
	assert_int_equal(errno, EXDEV);
	log_line(log, LOG_LEVEL_WARNING, "", "no subject");
	log_line(log, LOG_LEVEL_INFO, "kafka", "up");
	log_line(log, LOG_LEVEL_DEBUG, "kafka", "not written");
	log_line(log, LOG_LEVEL_INFO, "parser", "bad line 'a\nb\tc\x1b[31m\x7f\xc3\xa9'");
	log_free(log);
	check_file(place->path, "error meminfo: cannot read '/proc/meminfo': 7\n"
							"warning no subject\n"
							"info kafka: up\n"
							"info parser: bad line 'a b c?[31m?\xc3\xa9'\n");
	log_free(NULL);
}

static void
level_of_debug(void **state)
{
	struct place *place = *state;
	struct log *log = log_new(LOG_LEVEL_DEBUG, place->path);
	log_line(log, LOG_LEVEL_DEBUG, "loop", "tick");
	log_free(log);
	log = log_new(LOG_LEVEL_ERROR, place->path);
	log_line(log, LOG_LEVEL_WARNING, "loop", "not written");
	log_line(log, LOG_LEVEL_ERROR, "loop", "tock");
	log_free(log);
	check_file(place->path, "debug loop: tick\nerror loop: tock\n");
}

static void
too_long(void **state)
{
	struct place *place = *state;
	char *long_text = malloc(10001);
	assert_non_null(long_text);
	memset(long_text, 'x', 10000);
	long_text[10000] = '\0';
	struct log *log = log_new(LOG_LEVEL_INFO, place->path);
	log_line(log, LOG_LEVEL_INFO, long_text, "%s", long_text);
	log_line(log, LOG_LEVEL_INFO, "", "after");
	log_free(log);
	char *text = read_untimed(place->path);
	assert_int_equal(
		strlen(text), strlen("info ") + 256 + strlen(": ") + 2047 + strlen("\ninfo after\n"));
	assert_string_equal(text + strlen(text) - 14, "xx\ninfo after\n");
	free(text);
	free(long_text);
}

static void
repeats_in_a_file(void **state)
{
	struct place *place = *state;
	struct log *log = log_new(LOG_LEVEL_INFO, place->path);
	for (int i = 0; i < 5; i++)
		log_line(log, LOG_LEVEL_WARNING, "kafka", "broker down");
	log_line(log, LOG_LEVEL_WARNING, "csv", "broker down");
	log_line(log, LOG_LEVEL_ERROR, "kafka", "broker down");
	check_file(place->path,
		"warning kafka: broker down\nwarning csv: broker down\nerror kafka: broker down\n");
	/* What was counted is told at the end. */
	log_free(log);
	check_file(place->path,
		"warning kafka: broker down\nwarning csv: broker down\nerror kafka: broker down\n"
		"warning kafka: broker down (4 more of these before)\n");
}

static void
renamed_file(void **state)
{
	struct place *place = *state;
	char old[160];
	snprintf(old, sizeof(old), "%s.1", place->path);
	struct log *log = log_new(LOG_LEVEL_INFO, place->path);
	log_line(log, LOG_LEVEL_INFO, "", "one");
	assert_int_equal(rename(place->path, old), 0);
	log_line(log, LOG_LEVEL_INFO, "", "two");
	log_line(log, LOG_LEVEL_INFO, "", "three");
	log_free(log);
	check_file(old, "info one\n");
	check_file(place->path, "info two\ninfo three\n");
}

/* Standard error goes to the file while `write` runs. */
static void
on_standard_error(struct place *place, void (*write)(struct place *))
{
	fflush(stderr);
	int saved = dup(STDERR_FILENO);
	assert_true(saved >= 0);
	assert_non_null(freopen(place->path, "a", stderr));
	write(place);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
}

static void
write_to_stderr(struct place *place)
{
	(void)place;
	struct log *log = log_new(LOG_LEVEL_INFO, "stderr");
	log_line(log, LOG_LEVEL_INFO, "a", "line");
	log_free(log);
	log_line(NULL, LOG_LEVEL_WARNING, "b", "line");
	log_line(NULL, LOG_LEVEL_WARNING, "b", "line");
	log_line(NULL, LOG_LEVEL_DEBUG, "b", "not written");
}

static void
standard_error(void **state)
{
	struct place *place = *state;
	on_standard_error(place, write_to_stderr);
	check_file(place->path, "info a: line\nwarning b: line\nwarning b: line\n");
	assert_true(log_enabled(NULL, LOG_LEVEL_INFO));
	assert_false(log_enabled(NULL, LOG_LEVEL_DEBUG));
}

static void
write_to_journal(struct place *place)
{
	(void)place;
	struct log *log = log_new(LOG_LEVEL_DEBUG, "journal");
	log_line(log, LOG_LEVEL_ERROR, "a", "line");
	log_line(log, LOG_LEVEL_WARNING, "a", "line");
	log_line(log, LOG_LEVEL_INFO, "", "line");
	log_line(log, LOG_LEVEL_DEBUG, "a", "two\nlines");
	log_free(log);
}

static void
journal(void **state)
{
	struct place *place = *state;
	on_standard_error(place, write_to_journal);
	char *text = NULL;
	assert_int_equal(fs_read(place->path, 4096, &text, NULL, NULL), 0);
	assert_string_equal(text, "<3>a: line\n<4>a: line\n<6>line\n<7>a: two lines\n");
	free(text);
}

static void
write_without_folder(struct place *place)
{
	char path[160];
	snprintf(path, sizeof(path), "%s/late/log", place->folder);
	struct log *log = log_new(LOG_LEVEL_INFO, path);
	log_line(log, LOG_LEVEL_INFO, "", "on standard error");
	snprintf(path, sizeof(path), "%s/late", place->folder);
	assert_int_equal(fs_make_folder(path, 0755, NULL), 0);
	log_line(log, LOG_LEVEL_INFO, "", "in the file");
	log_free(log);
}

static void
file_not_to_be_opened(void **state)
{
	struct place *place = *state;
	on_standard_error(place, write_without_folder);
	char expected[400];
	snprintf(expected, sizeof(expected),
		"warning log: cannot open '%s/late/log', logging on standard error: No such file or "
		"directory\n"
		"info on standard error\n",
		place->folder);
	check_file(place->path, expected);
	snprintf(place->path, sizeof(place->path), "%s/late/log", place->folder);
	check_file(place->path, "info in the file\n");
}

static void *
write_many(void *log)
{
	for (int i = 0; i < 500; i++)
		log_line(log, LOG_LEVEL_INFO, "thread", "line %d of many, %s", i,
			"all of them alike but for the number");
	return NULL;
}

static void
threads(void **state)
{
	struct place *place = *state;
	struct log *log = log_new(LOG_LEVEL_INFO, place->path);
	pthread_t thread[4];
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, write_many, log), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	log_free(log);
	/* Each of the 2000 was written whole, or counted with one that was. */
	char *text = read_untimed(place->path);
	unsigned long total = 0;
	for (char *line = text; *line; line = strchr(line, '\n') + 1) {
		assert_true(pattern_match(
			"info thread: line * of many, all of them alike but for the number*", line));
		char *end = strchr(line, '\n');
		char *repeats = strstr(line, " (");
		if (repeats && repeats < end)
			total += strtoul(repeats + 2, NULL, 10);
		else
			total++;
	}
	assert_int_equal(total, 2000);
	free(text);
}

static void
note(void *context, enum log_level level, const char *subject, const char *text, uint64_t count)
{
	text_printf(context, "%d %s %s %llu\n", (int)level, subject, text, (unsigned long long)count);
}

static void
check_notes(struct text *notes, const char *expected)
{
	assert_string_equal(notes->data ? notes->data : "", expected);
	text_free(notes);
}

#define SECOND INT64_C(1000000000)

static void
folding(void **state)
{
	(void)state;
	struct log_fold fold = { 0 };
	struct text notes = { 0 };
	log_fold_take(&fold, 5 * SECOND, LOG_LEVEL_ERROR, "s", "t", note, &notes);
	log_fold_take(&fold, 6 * SECOND, LOG_LEVEL_ERROR, "s", "t", note, &notes);
	log_fold_take(&fold, 65 * SECOND - 1, LOG_LEVEL_ERROR, "s", "t", note, &notes);
	check_notes(&notes, "0 s t 0\n");
	/* The minute is over: the line itself brings the count, and another minute begins. */
	log_fold_take(&fold, 65 * SECOND, LOG_LEVEL_ERROR, "s", "t", note, &notes);
	log_fold_take(&fold, 66 * SECOND, LOG_LEVEL_ERROR, "s", "t", note, &notes);
	check_notes(&notes, "0 s t 2\n");
	/* Another line brings it too. */
	log_fold_take(&fold, 124 * SECOND, LOG_LEVEL_ERROR, "s", "other", note, &notes);
	check_notes(&notes, "0 s other 0\n");
	log_fold_take(&fold, 125 * SECOND, LOG_LEVEL_INFO, "x", "third", note, &notes);
	check_notes(&notes, "0 s t 1\n2 x third 0\n");
	log_fold_take(&fold, 126 * SECOND, LOG_LEVEL_ERROR, "s", "t", note, &notes);
	check_notes(&notes, "0 s t 0\n");
	/* Subject and text are kept apart. */
	log_fold_take(&fold, 127 * SECOND, LOG_LEVEL_ERROR, "ab", "c", note, &notes);
	log_fold_take(&fold, 127 * SECOND, LOG_LEVEL_ERROR, "a", "bc", note, &notes);
	check_notes(&notes, "0 ab c 0\n0 a bc 0\n");
	log_fold_end(&fold, note, &notes);
	check_notes(&notes, "");
}

static void
folding_is_bounded(void **state)
{
	(void)state;
	struct log_fold fold = { 0 };
	struct text notes = { 0 };
	char text[32];
	for (int i = 0; i < LOG_FOLD_SLOTS; i++) {
		snprintf(text, sizeof(text), "line %d", i);
		log_fold_take(&fold, i, LOG_LEVEL_INFO, "s", text, note, &notes);
	}
	text_free(&notes);
	log_fold_take(&fold, 100, LOG_LEVEL_INFO, "s", "line 0", note, &notes);
	log_fold_take(&fold, 101, LOG_LEVEL_INFO, "s", "line 63", note, &notes);
	check_notes(&notes, "");
	/* One more makes the oldest go, with its count. */
	log_fold_take(&fold, 102, LOG_LEVEL_INFO, "s", "one more", note, &notes);
	check_notes(&notes, "2 s line 0 1\n2 s one more 0\n");
	log_fold_take(&fold, 103, LOG_LEVEL_INFO, "s", "line 0", note, &notes);
	check_notes(&notes, "2 s line 0 0\n");
	log_fold_take(&fold, 104, LOG_LEVEL_INFO, "s", "line 2", note, &notes);
	check_notes(&notes, "");
	log_fold_end(&fold, note, &notes);
	assert_non_null(strstr(notes.data, "2 s line 63 1\n"));
	assert_non_null(strstr(notes.data, "2 s line 2 1\n"));
	assert_int_equal(strlen(notes.data), strlen("2 s line 63 1\n2 s line 2 1\n"));
	text_free(&notes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(form_and_levels, setup, teardown),
		cmocka_unit_test_setup_teardown(level_of_debug, setup, teardown),
		cmocka_unit_test_setup_teardown(too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(repeats_in_a_file, setup, teardown),
		cmocka_unit_test_setup_teardown(renamed_file, setup, teardown),
		cmocka_unit_test_setup_teardown(standard_error, setup, teardown),
		cmocka_unit_test_setup_teardown(journal, setup, teardown),
		cmocka_unit_test_setup_teardown(file_not_to_be_opened, setup, teardown),
		cmocka_unit_test_setup_teardown(threads, setup, teardown),
		cmocka_unit_test(folding),
		cmocka_unit_test(folding_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
