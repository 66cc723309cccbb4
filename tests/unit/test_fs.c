/* SPDX-License-Identifier: Apache-2.0 */
/* Files and folders, in a folder of this test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"

#define ROOM 256

struct place {
	char folder[64];
	char path[ROOM]; /* the last that `at` gave */
};

static const char *
at(struct place *place, const char *name)
{
	snprintf(place->path, sizeof(place->path), "%s/%s", place->folder, name);
	return place->path;
}

static int
setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	if (!place)
		return -1;
	strcpy(place->folder, "/tmp/weir-test-fs-XXXXXX");
	*state = place;
	return mkdtemp(place->folder) ? 0 : -1;
}

static int
teardown(void **state)
{
	struct place *place = *state;
	char command[ROOM];
	snprintf(command, sizeof(command), "rm -rf '%s'", place->folder);
	int rc = system(command);
	free(place);
	return rc;
}

static void
put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fs_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static bool
is_folder(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void
folders(void **state)
{
	struct place *place = *state;
	assert_int_equal(fs_make_folder(at(place, "a/b//c/"), 0755, NULL), 0);
	assert_true(is_folder(at(place, "a/b/c")));
	assert_int_equal(fs_make_folder(place->path, 0755, NULL), 0);
	assert_int_equal(fs_make_folder("/", 0755, NULL), 0);
	mode_t mask = umask(0);
	assert_int_equal(fs_make_folder(at(place, "secret"), 0700, NULL), 0);
	umask(mask);
	struct stat st;
	assert_int_equal(stat(place->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	/* Relative to the current one. */
	char here[PATH_MAX];
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(chdir(place->folder), 0);
	assert_int_equal(fs_make_folder("x/y", 0755, NULL), 0);
	assert_int_equal(chdir(here), 0);
	assert_true(is_folder(at(place, "x/y")));
	assert_int_equal(symlink(place->folder, at(place, "link")), 0);
	assert_int_equal(fs_make_folder(at(place, "link/through"), 0755, NULL), 0);
	assert_true(is_folder(at(place, "through")));
}

static void
folders_refused(void **state)
{
	struct place *place = *state;
	struct weir_err err = { 0 };
	char expected[2 * ROOM];
	put_file(at(place, "file"), "x");
	assert_int_equal(fs_make_folder(place->path, 0755, &err), -ENOTDIR);
	snprintf(
		expected, sizeof(expected), "cannot make folder '%s/file': Not a directory", place->folder);
	assert_string_equal(err.text, expected);
	assert_int_equal(fs_make_folder(at(place, "file/sub/deep"), 0755, &err), -ENOTDIR);
	snprintf(expected, sizeof(expected),
		"cannot make folder '%s/file' for '%s/file/sub/deep': Not a directory", place->folder,
		place->folder);
	assert_string_equal(err.text, expected);
	assert_int_equal(fs_make_folder("", 0755, &err), -ENOENT);
	assert_string_equal(err.text, "cannot make folder '': No such file or directory");
}

static void
reading(void **state)
{
	struct place *place = *state;
	char *text = NULL;
	size_t size = 99;
	put_file(at(place, "empty"), "");
	assert_int_equal(fs_read(place->path, 0, &text, &size, NULL), 0);
	assert_int_equal(size, 0);
	assert_string_equal(text, "");
	free(text);
	put_file(at(place, "five"), "12345");
	assert_int_equal(fs_read(place->path, 5, &text, &size, NULL), 0);
	assert_int_equal(size, 5);
	assert_string_equal(text, "12345");
	free(text);
	assert_int_equal(fs_read(place->path, SIZE_MAX, &text, NULL, NULL), 0);
	assert_string_equal(text, "12345");
	free(text);
	/* Its size is said to be 0. */
	assert_int_equal(fs_read("/proc/self/stat", 65536, &text, &size, NULL), 0);
	assert_int_equal(strtol(text, NULL, 10), getpid());
	assert_int_equal(strlen(text), size);
	free(text);
}

static void
reading_large(void **state)
{
	struct place *place = *state;
	const size_t size = 300000;
	char *data = malloc(size);
	assert_non_null(data);
	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 7 + (i >> 8));
	assert_int_equal(fs_replace(at(place, "large"), data, size, 0600, NULL), 0);
	char *text = NULL;
	size_t got = 0;
	assert_int_equal(fs_read(place->path, size, &text, &got, NULL), 0);
	assert_int_equal(got, size);
	assert_memory_equal(text, data, size);
	assert_int_equal(text[size], '\0');
	free(text);
	free(data);
}

static void
reading_refused(void **state)
{
	struct place *place = *state;
	struct weir_err err = { 0 };
	char *text = NULL;
	char expected[2 * ROOM];
	assert_int_equal(fs_read(at(place, "absent"), 10, &text, NULL, &err), -ENOENT);
	snprintf(
		expected, sizeof(expected), "cannot open '%s': No such file or directory", place->path);
	assert_string_equal(err.text, expected);
	assert_int_equal(fs_read(place->folder, 10, &text, NULL, &err), -EINVAL);
	snprintf(expected, sizeof(expected), "'%s' is no regular file", place->folder);
	assert_string_equal(err.text, expected);
	/* A pipe nobody writes to: opening it plainly would wait. */
	assert_int_equal(mkfifo(at(place, "pipe"), 0600), 0);
	assert_int_equal(fs_read(place->path, 10, &text, NULL, &err), -EINVAL);
	assert_int_equal(fs_read("/dev/null", 10, &text, NULL, &err), -EINVAL);
	put_file(at(place, "six"), "123456");
	assert_int_equal(fs_read(place->path, 5, &text, NULL, &err), -EFBIG);
	snprintf(expected, sizeof(expected), "'%s' is larger than 5 bytes", place->path);
	assert_string_equal(err.text, expected);
	assert_int_equal(fs_read("/proc/self/stat", 5, &text, NULL, &err), -EFBIG);
	assert_int_equal(fs_read("/proc/self/stat", 0, &text, NULL, &err), -EFBIG);
	assert_null(text);
}

static void
check_content(const char *path, const char *expected)
{
	char *text = NULL;
	assert_int_equal(fs_read(path, 4096, &text, NULL, NULL), 0);
	assert_string_equal(text, expected);
	free(text);
}

static void
replacing(void **state)
{
	struct place *place = *state;
	char path[ROOM];
	strcpy(path, at(place, "target"));
	mode_t mask = umask(0);
	/* Left behind by a crash, readable by all. */
	put_file(at(place, "target.tmp"), "left behind, and longer than what comes");
	assert_int_equal(chmod(place->path, 0666), 0);
	assert_int_equal(fs_replace(path, "first", 5, 0640, NULL), 0);
	umask(mask);
	check_content(path, "first");
	struct stat before, after;
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(before.st_mode & 0777, 0640);
	/* Who has the old one open goes on reading it: another file took its name. */
	int old = open(path, O_RDONLY);
	assert_int_equal(fs_replace(path, "2", 1, 0640, NULL), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_true(before.st_ino != after.st_ino);
	check_content(path, "2");
	char text[6] = "";
	assert_int_equal(read(old, text, 5), 5);
	assert_string_equal(text, "first");
	close(old);
	assert_int_equal(access(at(place, "target.tmp"), F_OK), -1);
	assert_int_equal(fs_replace(path, NULL, 0, 0640, NULL), 0);
	check_content(path, "");
}

static void
replacing_follows_no_link(void **state)
{
	struct place *place = *state;
	char victim[ROOM];
	strcpy(victim, at(place, "victim"));
	put_file(victim, "untouched");
	assert_int_equal(symlink(victim, at(place, "linked.tmp")), 0);
	assert_int_equal(fs_replace(at(place, "linked"), "new", 3, 0600, NULL), 0);
	check_content(victim, "untouched");
	check_content(at(place, "linked"), "new");
}

static void
replacing_refused(void **state)
{
	struct place *place = *state;
	struct weir_err err = { 0 };
	char expected[3 * ROOM];
	assert_int_equal(fs_replace(at(place, "no/such"), "x", 1, 0600, &err), -ENOENT);
	snprintf(expected, sizeof(expected), "cannot write '%s.tmp': No such file or directory",
		place->path);
	assert_string_equal(err.text, expected);
	/* A folder is no file's place; nothing is left beside it. */
	assert_int_equal(mkdir(at(place, "taken"), 0700), 0);
	assert_int_equal(fs_replace(place->path, "x", 1, 0600, &err), -EISDIR);
	snprintf(expected, sizeof(expected), "cannot rename '%s.tmp' to '%s': Is a directory",
		place->path, place->path);
	assert_string_equal(err.text, expected);
	assert_int_equal(access(at(place, "taken.tmp"), F_OK), -1);
}

static void
writing_all(void **state)
{
	(void)state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	const size_t size = 200000;
	char *data = malloc(size);
	assert_non_null(data);
	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i % 251);
	/* More than a pipe holds, so that it takes several writes. */
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(ends[0]);
		_exit(fs_write_all(ends[1], data, size) == 0 ? 0 : 1);
	}
	close(ends[1]);
	size_t got = 0;
	char piece[4096];
	for (ssize_t n = 0; (n = read(ends[0], piece, sizeof(piece))) > 0; got += (size_t)n)
		assert_memory_equal(piece, data + got, (size_t)n);
	assert_int_equal(got, size);
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(ends[0]);
	free(data);
	assert_int_equal(fs_write_all(-1, "x", 1), -EBADF);
	assert_int_equal(fs_write_all(-1, NULL, 0), 0);
	int full = open("/dev/full", O_WRONLY);
	assert_int_equal(fs_write_all(full, "x", 1), -ENOSPC);
	close(full);
}

/* A process that holds the lock until its end of the pipe closes. Returns the end to close. */
static int
hold_in_child(const char *path, const char *name, pid_t *child)
{
	int ready[2], end[2];
	char byte = 0;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(end), 0);
	*child = fork();
	assert_true(*child >= 0);
	if (*child == 0) {
		close(end[1]);
		int fd = fs_lock(path, name, NULL);
		if (fd <= 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		_exit(read(end[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(ready[1]);
	close(end[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return end[1];
}

static void
lock_names_its_holder(void **state)
{
	struct place *place = *state;
	char path[ROOM];
	strcpy(path, at(place, "lock"));
	/* A longer holder of before must leave nothing. */
	put_file(
		path, "a-former-host.example.org 4194304 with a name that is longer than the next one's\n");
	pid_t child = 0;
	int end = hold_in_child(path, "weir of this test", &child);
	struct weir_err err = { 0 };
	assert_int_equal(fs_lock(path, "second", &err), -EBUSY);
	assert_int_equal(err.code, -EBUSY);
	char host[256] = "";
	assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
	char expected[1000];
	snprintf(expected, sizeof(expected),
		"'%s' is locked by '%s %d weir of this test' (host, process, name)", path, host,
		(int)child);
	assert_string_equal(err.text, expected);
	snprintf(expected, sizeof(expected), "%s %d weir of this test\n", host, (int)child);
	check_content(path, expected);
	/* The lock ends with its process. */
	close(end);
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	int fd = fs_lock(path, "third", &err);
	assert_true(fd > 0);
	snprintf(expected, sizeof(expected), "%s %d third\n", host, (int)getpid());
	check_content(path, expected);
	/* In one process too: the second opening is another. */
	assert_int_equal(fs_lock(path, "fourth", &err), -EBUSY);
	close(fd);
	fd = fs_lock(path, "fifth", &err);
	assert_true(fd > 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(fd);
}

static void
lock_without_standard_input(void **state)
{
	struct place *place = *state;
	int saved = dup(STDIN_FILENO);
	close(STDIN_FILENO);
	int fd = fs_lock(at(place, "zero"), "test", NULL);
	int second = fs_lock(place->path, "test", NULL);
	int zero = fcntl(STDIN_FILENO, F_GETFD);
	if (saved >= 0) {
		dup2(saved, STDIN_FILENO);
		close(saved);
	}
	assert_true(fd > 0);
	assert_int_equal(second, -EBUSY);
	assert_int_equal(zero, -1);
	close(fd);
}

static void
lock_refused(void **state)
{
	struct place *place = *state;
	struct weir_err err = { 0 };
	char expected[2 * ROOM];
	assert_int_equal(fs_lock(at(place, "no/lock"), "test", &err), -ENOENT);
	snprintf(expected, sizeof(expected),
		"cannot open the lock file '%s': No such file or directory", place->path);
	assert_string_equal(err.text, expected);
}

static void
joining(void **state)
{
	(void)state;
	char *path = fs_join("/a/b", "c");
	assert_string_equal(path, "/a/b/c");
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(folders, setup, teardown),
		cmocka_unit_test_setup_teardown(folders_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(reading, setup, teardown),
		cmocka_unit_test_setup_teardown(reading_large, setup, teardown),
		cmocka_unit_test_setup_teardown(reading_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(replacing, setup, teardown),
		cmocka_unit_test_setup_teardown(replacing_follows_no_link, setup, teardown),
		cmocka_unit_test_setup_teardown(replacing_refused, setup, teardown),
		cmocka_unit_test(writing_all),
		cmocka_unit_test_setup_teardown(lock_names_its_holder, setup, teardown),
		cmocka_unit_test_setup_teardown(lock_without_standard_input, setup, teardown),
		cmocka_unit_test_setup_teardown(lock_refused, setup, teardown),
		cmocka_unit_test(joining),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
