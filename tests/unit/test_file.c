/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that samplers read: kept open, grown, missing, refused, replaced; small ones read once;
 * filters.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir/sampler.h>

#include "plugin/instance.h"

static const struct weir_plugin plugin = {
	.abi = WEIR_ABI,
	.size = sizeof(plugin),
	.kind = WEIR_SAMPLER,
	.name = "file_test",
	.summary = "test",
};

struct fixture {
	char root[64];
	struct keeper *keeper;
	struct weir_ctx *ctx;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct origin origin = { "c", "h", "file_test", 1 };
	char path[100];

	assert_non_null(f);
	strcpy(f->root, "/tmp/weir-file-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	assert_int_equal(chmod(f->root, 0755), 0);
	snprintf(path, sizeof(path), "%s/proc", f->root);
	assert_int_equal(mkdir(path, 0755), 0);
	f->keeper = keeper_new();
	f->ctx = instance_new(&plugin, &origin, f->root, f->keeper, NULL);
	assert_true(f->keeper && f->ctx);
	f->ctx->now = INT64_C(1000000000);
	*state = f;
	return 0;
}

static int
remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status;
	(void)type;
	(void)where;
	return remove(path);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	instance_free(f->ctx);
	keeper_free(f->keeper);
	assert_int_equal(nftw(f->root, remove_one, 8, FTW_PHYS | FTW_DEPTH), 0);
	free(f);
	return 0;
}

static const char *
below(const struct fixture *f, const char *path)
{
	static char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", f->root, path);
	return full;
}

static void
put(const struct fixture *f, const char *path, const void *data, size_t size)
{
	int fd = open(below(f, path), O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

static void
put_text(const struct fixture *f, const char *path, const char *text)
{
	put(f, path, text, strlen(text));
}

static void
pass(struct fixture *f, int64_t seconds)
{
	f->ctx->now += seconds * 1000000;
}

static void
expect_text(struct weir_file *file, const char *text)
{
	struct weir_scan scan;
	struct weir_err err = { 0 };

	assert_int_equal(weir_read(file, &scan, &err), 0);
	assert_int_equal(weir_scan_left(&scan), strlen(text));
	assert_string_equal(scan.at, text);
}

static void
expect_none(struct weir_file *file)
{
	struct weir_scan scan;
	struct weir_err err = { 0 };

	assert_int_equal(weir_read(file, &scan, &err), -ENODATA);
	assert_int_equal(weir_scan_left(&scan), 0);
	assert_true(err.text[0]);
}

/* WEIR_OK also stands for no row at all. */
static void
expect_status(
	const struct fixture *f, const char *item, enum weir_status status, const char *reason)
{
	for (const struct capability *c = f->ctx->capabilities; c; c = c->next) {
		if (strcmp(c->item, item))
			continue;
		assert_int_equal(c->status, status);
		if (reason && !strstr(c->reason, reason))
			fail_msg("'%s' is not in '%s'", reason, c->reason);
		return;
	}
	assert_int_equal(status, WEIR_OK);
}

static void
kept_open(void **state)
{
	struct fixture *f = *state;
	struct weir_file *file = weir_file(f->ctx, "/proc/a", 0);

	put_text(f, "/proc/a", "one\n");
	expect_text(file, "one\n");
	put_text(f, "/proc/a", "twotwo\n");
	expect_text(file, "twotwo\n");
	put_text(f, "/proc/a", "");
	expect_text(file, "");
	/* Moved away: the descriptor stays good. */
	assert_int_equal(unlink(below(f, "/proc/a")), 0);
	expect_text(file, "");
	expect_status(f, "/proc/a", WEIR_OK, NULL);
	weir_file_close(file);
	weir_file_close(NULL);
	struct weir_scan scan;

	assert_int_equal(weir_read(NULL, &scan, NULL), -ENOMEM);
}

/* All sizes around the steps of growth, with each way to read. */
static void
sizes(void **state)
{
	struct fixture *f = *state;
	static const unsigned flags[] = { 0, WEIR_READ_ONCE, WEIR_READ_LINES, WEIR_READ_SMALL };
	static const size_t size[] = {
		1,
		255,
		256,
		257,
		511,
		512,
		3071,
		3072,
		3073,
		4095,
		4096,
		4097,
		12287,
		12288,
		16382,
		16383,
		16384,
		16385,
		40000,
		1 << 20,
	};
	char *text = malloc(1 << 20);

	assert_non_null(text);
	for (size_t i = 0; i < 1 << 20; i++)
		text[i] = (char)('a' + i % 26);
	for (size_t k = 0; k < WEIR_COUNT(flags); k++) {
		struct weir_file *file = weir_file(f->ctx, "/proc/a", flags[k]);

		for (size_t i = 0; i < 2 * WEIR_COUNT(size); i++) {
			size_t n = size[i < WEIR_COUNT(size) ? i : 2 * WEIR_COUNT(size) - 1 - i];
			struct weir_scan scan;

			put(f, "/proc/a", text, n);
			assert_int_equal(weir_read(file, &scan, NULL), 0);
			assert_int_equal(weir_scan_left(&scan), n);
			assert_memory_equal(scan.at, text, n);
			assert_int_equal(scan.at[n], 0);
		}
		weir_file_close(file);
	}
	free(text);
}

static void
too_long(void **state)
{
	struct fixture *f = *state;
	static const unsigned flags[] = { 0, WEIR_READ_ONCE, WEIR_READ_LINES, WEIR_READ_SMALL };

	put_text(f, "/proc/a", "x");
	assert_int_equal(truncate(below(f, "/proc/a"), 65 << 20), 0);
	for (size_t k = 0; k < WEIR_COUNT(flags); k++) {
		struct weir_file *file = weir_file(f->ctx, "/proc/a", flags[k]);

		expect_none(file);
		expect_status(f, "/proc/a", WEIR_FAILED, "64 MiB");
		weir_file_close(file);
		expect_status(f, "/proc/a", WEIR_OK, NULL);
	}
}

static void
absent(void **state)
{
	struct fixture *f = *state;
	struct weir_file *file = weir_file(f->ctx, "/proc/a", 0),
					 *optional = weir_file(f->ctx, "/proc/b", WEIR_READ_OPTIONAL);

	expect_none(file);
	expect_none(optional);
	expect_status(f, "/proc/a", WEIR_ABSENT, "no such file");
	expect_status(f, "/proc/b", WEIR_OK, NULL);
	assert_int_equal(f->ctx->capabilities->next == NULL, 1);
	/* Tried again after a minute, not before. */
	put_text(f, "/proc/a", "here\n");
	put_text(f, "/proc/b", "here\n");
	pass(f, 59);
	expect_none(file);
	expect_none(optional);
	pass(f, 1);
	expect_text(file, "here\n");
	expect_text(optional, "here\n");
	expect_status(f, "/proc/a", WEIR_OK, NULL);
	/* A clock set back does not hide the file for longer. */
	struct weir_file *other = weir_file(f->ctx, "/proc/c", 0);

	expect_none(other);
	put_text(f, "/proc/c", "c");
	pass(f, -3600);
	expect_text(other, "c");
}

/* No right to read: also as root, who would have it, by giving the right up for a moment. */
static void
refused(void **state)
{
	struct fixture *f = *state;
	struct weir_file *file = weir_file(f->ctx, "/proc/a", 0);
	bool root = geteuid() == 0;

	put_text(f, "/proc/a", "secret\n");
	assert_int_equal(chmod(below(f, "/proc/a"), 0), 0);
	assert_int_equal(root ? seteuid(65534) : 0, 0);
	expect_none(file);
	assert_int_equal(root ? seteuid(0) : 0, 0);
	expect_status(f, "/proc/a", WEIR_REFUSED, "CAP_DAC_READ_SEARCH");
	assert_int_equal(chmod(below(f, "/proc/a"), 0644), 0);
	pass(f, 599);
	expect_none(file);
	pass(f, 1);
	expect_text(file, "secret\n");
	expect_status(f, "/proc/a", WEIR_OK, NULL);
}

static void
replaced(void **state)
{
	struct fixture *f = *state;
	struct weir_file *pipe_file = weir_file(f->ctx, "/proc/pipe", 0),
					 *folder = weir_file(f->ctx, "/proc/folder", WEIR_READ_ONCE),
					 *loop = weir_file(f->ctx, "/proc/loop", 0),
					 *under = weir_file(f->ctx, "/proc/file/under", 0);

	assert_int_equal(mkfifo(below(f, "/proc/pipe"), 0644), 0);
	assert_int_equal(mkdir(below(f, "/proc/folder"), 0755), 0);
	assert_int_equal(symlink("loop", below(f, "/proc/loop")), 0);
	put_text(f, "/proc/file", "x");
	expect_none(pipe_file);
	expect_none(folder);
	expect_none(loop);
	expect_none(under);
	expect_status(f, "/proc/pipe", WEIR_FAILED, "pipe");
	expect_status(f, "/proc/folder", WEIR_FAILED, "folder");
	expect_status(f, "/proc/loop", WEIR_FAILED, NULL);
	expect_status(f, "/proc/file/under", WEIR_ABSENT, NULL);
	char text[20];

	assert_true(weir_slurp(f->ctx, text, sizeof(text), "/proc/pipe") < 0);
	assert_true(weir_slurp(f->ctx, text, sizeof(text), "/proc/folder") < 0);
	assert_null(weir_folder(f->ctx, "/proc/pipe"));
}

static void
descriptors_used_up(void **state)
{
	struct fixture *f = *state;
	struct weir_file *file = weir_file(f->ctx, "/proc/a", 0);
	struct rlimit limit = { 0 };

	put_text(f, "/proc/a", "a");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	struct rlimit none = { .rlim_cur = 0, .rlim_max = limit.rlim_max };

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	expect_none(file);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	expect_status(f, "/proc/a", WEIR_FAILED, "LimitNOFILE");
	expect_text(file, "a"); /* at the next tick, however soon */
	expect_status(f, "/proc/a", WEIR_OK, NULL);
}

/* The process whose file is open ends: read anew at once, and then it is absent. */
static void
vanished(void **state)
{
	struct origin origin = { "c", "h", "file_test", 1 };
	struct weir_ctx *ctx =
		instance_new(&plugin, &origin, NULL, ((struct fixture *)*state)->keeper, NULL);
	char path[64];
	struct weir_scan scan;
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	assert_true(child > 0);
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)child);
	struct weir_file *file = weir_file(ctx, path, WEIR_READ_ONCE);

	assert_int_equal(weir_read(file, &scan, NULL), 0);
	assert_true(weir_scan_left(&scan) > 10);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(weir_read(file, &scan, NULL), -ENODATA);
	assert_non_null(ctx->capabilities);
	assert_int_equal(ctx->capabilities->status, WEIR_ABSENT);
	/* The kernel's files as such. */
	struct weir_file *vmstat = weir_file(ctx, "/proc/vmstat", WEIR_READ_LINES),
					 *all = weir_file(ctx, "/proc/vmstat", 0);

	assert_int_equal(weir_read(vmstat, &scan, NULL), 0);
	size_t lines = 0, expected = 0;

	for (const char *at = scan.at; at < scan.end; at++)
		lines += *at == '\n';
	assert_int_equal(weir_read(all, &scan, NULL), 0);
	for (const char *at = scan.at; at < scan.end; at++)
		expected += *at == '\n';
	assert_int_equal(lines, expected);
	instance_free(ctx);
}

static void
read_once(void **state)
{
	struct fixture *f = *state;
	char text[8];
	uint64_t value = 7;

	put_text(f, "/proc/a", "12345\n\n");
	assert_int_equal(weir_slurp(f->ctx, text, sizeof(text), "/proc/%s", "a"), 5);
	assert_string_equal(text, "12345");
	assert_int_equal(weir_slurp(f->ctx, text, 6, "/proc/a"), 5);
	assert_int_equal(weir_slurp(f->ctx, text, 5, "/proc/a"), -EFBIG);
	assert_string_equal(text, "");
	assert_int_equal(weir_slurp(f->ctx, text, sizeof(text), "/proc/none"), -ENOENT);
	assert_string_equal(text, "");
	assert_true(weir_slurp_u64(f->ctx, &value, "/proc/a"));
	assert_int_equal(value, 12345);
	static const char *const none[] = { "", "\n", "-1\n", "12x\n", "0x10\n", "1 2\n",
		"18446744073709551616\n", "N/A\n" };

	for (size_t i = 0; i < WEIR_COUNT(none); i++) {
		put_text(f, "/proc/a", none[i]);
		assert_false(weir_slurp_u64(f->ctx, &value, "/proc/a"));
		assert_int_equal(value, 12345);
	}
	put_text(f, "/proc/a", " 18446744073709551615 ");
	assert_true(weir_slurp_u64(f->ctx, &value, "/proc/a"));
	assert_true(value == UINT64_MAX);
	assert_true(weir_exists(f->ctx, "/proc/%c", 'a'));
	assert_false(weir_exists(f->ctx, "/proc/none"));
	assert_int_equal(symlink("../some/where", below(f, "/proc/link")), 0);
	assert_int_equal(weir_link_name(f->ctx, text, sizeof(text), "/proc/link"), 5);
	assert_string_equal(text, "where");
	assert_int_equal(weir_link_name(f->ctx, text, 5, "/proc/link"), -EFBIG);
	assert_int_equal(weir_link_name(f->ctx, text, sizeof(text), "/proc/a"), -EINVAL);
	DIR *folder = weir_folder(f->ctx, "/proc");

	assert_non_null(folder);
	closedir(folder);
}

static void
filters(void **state)
{
	(void)state;
	static const char *const in[] = { "eth*", "ib?" }, *const out[] = { "lo", "veth*" };
	const struct weir_list include = { in, 2 }, exclude = { out, 2 }, none = { 0 };
	static const struct {
		const char *name;
		bool included, excluded;
	} names[] = { { "eth0", true, false }, { "ib0", true, false }, { "ib10", false, false },
		{ "lo", false, true }, { "veth1", false, true } };

	for (size_t i = 0; i < WEIR_COUNT(names); i++) {
		const char *name = names[i].name;
		size_t length = strlen(name);

		assert_int_equal(weir_selected(&include, &exclude, name, length), names[i].included);
		assert_int_equal(weir_selected(&none, &exclude, name, length), !names[i].excluded);
		assert_int_equal(weir_selected(NULL, &exclude, name, length), !names[i].excluded);
		assert_true(weir_selected(&none, &none, name, length));
		assert_true(weir_selected(NULL, NULL, name, length));
	}
	assert_true(weir_selected(&include, NULL, "eth0:12", 4)); /* the length counts, not a NUL */
	assert_int_equal(weir_page_size(65536), 65536);
	assert_int_equal(weir_page_size(0), sysconf(_SC_PAGESIZE));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(kept_open, setup, teardown),
		cmocka_unit_test_setup_teardown(sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(absent, setup, teardown),
		cmocka_unit_test_setup_teardown(refused, setup, teardown),
		cmocka_unit_test_setup_teardown(replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(descriptors_used_up, setup, teardown),
		cmocka_unit_test_setup_teardown(vanished, setup, teardown),
		cmocka_unit_test_setup_teardown(read_once, setup, teardown),
		cmocka_unit_test(filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
