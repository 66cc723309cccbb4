/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samplers on damaged files: every file that a sampler opens below a saved tree is cut at every
 * byte, emptied, removed, filled with random bytes, and replaced by a folder and by a named pipe.
 * It must return, and what a cut file still gives must be what the whole file gives, or be missing:
 * never another value.
 *
 * WEIR_SAMPLERS: the .so files, with blanks between; without it all samplers of the build.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weir/plugin.h>

#include "plugin/instance.h"
#include "plugin/option.h"

enum { MOST_SCHEMAS = 16, MOST_COLUMNS = 256, MOST_FILES = 512, MOST_FOLDERS = 2048 };

/* What one sample gave. */
struct result {
	int code;
	struct weir_batch *batch[MOST_SCHEMAS];
};

/* A sampler on a tree, and what it gives there undamaged. */
struct subject {
	const struct weir_plugin *plugin;
	const char *root;
	struct keeper *keeper;
	struct result whole;
	bool varies[MOST_SCHEMAS]
			   [MOST_COLUMNS]; /* columns that differ between two samples of the same files */
};

/* Files that were opened below a tree. */
struct opened {
	int fd;
	char *folder[MOST_FOLDERS]; /* by watch number */
	char *file[MOST_FILES];
	size_t files;
};

static struct weir_ctx *
instance(const struct subject *s)
{
	struct origin origin = { "cluster", "host", s->plugin->name, 1 };
	struct weir_err err = { 0 };
	struct weir_ctx *ctx = instance_new(s->plugin, &origin, s->root, s->keeper, NULL);

	assert_non_null(ctx);
	assert_int_equal(option_defaults(s->plugin->options, ctx->state, &ctx->arena, &err), 0);
	if (instance_open(ctx, &err) == 0)
		return ctx;
	instance_free(ctx);
	return NULL;
}

/* Each sample an hour after the one before, so that nothing waits for its next try. */
static struct result
sample(struct weir_ctx *ctx)
{
	struct weir_err err = { 0 };
	struct result result = { 0 };

	instance_begin(ctx, ctx->now + INT64_C(3600000000));
	result.code = ctx->plugin->sampler.sample(ctx->state, &ctx->out, &err);
	result.code = instance_end(ctx, result.code, &err);
	assert_true(ctx->n_schemas <= MOST_SCHEMAS);
	for (size_t i = 0; i < ctx->n_schemas; i++)
		result.batch[i] = ctx->out.builders[i] ? builder_close(ctx->out.builders[i], 1) : NULL;
	return result;
}

static void
release(struct result *result)
{
	for (size_t i = 0; i < MOST_SCHEMAS; i++)
		if (result->batch[i])
			weir_batch_release(result->batch[i]);
	*result = (struct result){ 0 };
}

static struct result
sample_fresh(const struct subject *s)
{
	struct weir_ctx *ctx = instance(s);
	struct result result = { .code = -ENODATA };

	if (ctx)
		result = sample(ctx);
	instance_free(ctx);
	return result;
}

static bool
same_cell(const struct weir_batch *a, size_t row_a, const struct weir_batch *b, size_t row_b,
	size_t column)
{
	if (!weir_present(a, column, row_a) || !weir_present(b, column, row_b))
		return false;
	enum weir_type type = a->schema->columns[column].type;

	if (type != WEIR_STR && type != WEIR_BYTES)
		return a->column[column].cell[row_a].u64 == b->column[column].cell[row_b].u64;
	struct weir_symbol x = weir_text(a, column, row_a), y = weir_text(b, column, row_b);

	return x.length == y.length && !memcmp(x.text, y.text, x.length);
}

static bool
same_keys(const struct weir_batch *a, size_t row_a, const struct weir_batch *b, size_t row_b)
{
	for (size_t c = 0; c < a->schema->n_columns && a->schema->columns[c].role == WEIR_KEY; c++)
		if (!same_cell(a, row_a, b, row_b, c))
			return false;
	return true;
}

/*
 * The first column of the row that no row of the same keys in `whole` has; -1 when there is none,
 * -2 when no row has its keys.
 */
static int
wrong_column(const struct subject *s, size_t schema, const struct weir_batch *batch, size_t row)
{
	const struct weir_batch *whole = s->whole.batch[schema];
	int wrong = -2;

	for (size_t r = 0; whole && r < whole->rows && wrong != -1; r++) {
		if (!same_keys(batch, row, whole, r))
			continue;
		wrong = -1;
		for (size_t c = 0; c < batch->schema->n_columns && wrong == -1; c++)
			if (weir_present(batch, c, row) && !s->varies[schema][c] &&
				!same_cell(batch, row, whole, r, c))
				wrong = (int)c;
	}
	return wrong;
}

static void
compare(const struct subject *s, const struct result *result, const char *file, size_t at)
{
	for (size_t i = 0; i < MOST_SCHEMAS; i++) {
		const struct weir_batch *batch = result->batch[i];

		for (size_t row = 0; batch && row < batch->rows; row++) {
			int wrong = wrong_column(s, i, batch, row);

			if (wrong != -1)
				fail_msg("%s: '%s' cut at byte %zu: schema '%s' row %zu: %s '%s'", s->plugin->name,
					file + strlen(s->root), at, batch->schema->name, row,
					wrong < 0 ? "keys that are not there undamaged" : "another value in",
					wrong < 0 ? "" : batch->schema->columns[wrong].name);
		}
	}
}

/* ---- trees ---- */

static struct {
	const char *to;
	size_t length; /* of the path copied from */
} copying;         /* nftw has no closure */

static int
copy_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
	char to[2 * PATH_MAX], buffer[1 << 16];

	(void)where;
	snprintf(to, sizeof(to), "%s%s", copying.to, path + copying.length);
	if (type == FTW_D)
		return mkdir(to, 0700) && errno != EEXIST;
	if (type == FTW_SL || type == FTW_SLN) {
		ssize_t n = readlink(path, buffer, sizeof(buffer) - 1);

		buffer[n < 0 ? 0 : n] = '\0';
		return symlink(buffer, to);
	}
	if (type != FTW_F || !S_ISREG(status->st_mode))
		return 0;
	int in = open(path, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
	int error = in < 0 || out < 0;

	for (ssize_t n = 0; !error && (n = read(in, buffer, sizeof(buffer))) > 0;)
		error = write(out, buffer, (size_t)n) != n;
	close(in);
	close(out);
	return error;
}

static int
remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status;
	(void)type;
	(void)where;
	return remove(path);
}

/* A copy of a tree that may be damaged; false when there is no such tree here. */
static bool
copy_tree(const char *name, const char *to)
{
	const char *data = getenv("WEIR_TEST_DATA"), *source = getenv("WEIR_SOURCE");
	char places[2][PATH_MAX];

	snprintf(places[0], PATH_MAX, "%s/sysroots/%s", data ? data : "../shared/data", name);
	snprintf(places[1], PATH_MAX, "%s/tests/data/sysroots/%s", source ? source : ".", name);
	for (size_t i = 0; i < 2; i++) {
		if (access(places[i], R_OK))
			continue;
		copying.to = to;
		copying.length = strlen(places[i]);
		assert_int_equal(nftw(places[i], copy_one, 16, FTW_PHYS), 0);
		return true;
	}
	return false;
}

/* ---- which files a sampler opens ---- */

static struct opened *watching;

static int
watch_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status;
	(void)where;
	if (type != FTW_D)
		return 0;
	int number = inotify_add_watch(watching->fd, path, IN_OPEN);

	if (number < 0 || number >= MOST_FOLDERS)
		return -1;
	watching->folder[number] = strdup(path);
	return 0;
}

static void
note_opened(struct opened *opened)
{
	_Alignas(struct inotify_event) char buffer[1 << 16];

	for (ssize_t n = 0; (n = read(opened->fd, buffer, sizeof(buffer))) > 0;) {
		for (char *at = buffer; at < buffer + n;) {
			const struct inotify_event *event = (const struct inotify_event *)at;
			char path[PATH_MAX] = "";

			at += sizeof(*event) + event->len;
			if (event->mask & (IN_ISDIR | IN_Q_OVERFLOW) || !event->len)
				continue;
			snprintf(path, sizeof(path), "%s/%s", opened->folder[event->wd], event->name);
			size_t i = 0;

			while (i < opened->files && strcmp(opened->file[i], path))
				i++;
			if (i == opened->files && i < MOST_FILES)
				opened->file[opened->files++] = strdup(path);
		}
	}
}

/* Sample undamaged, twice, and note what is opened. */
static void
sample_whole(struct subject *s, struct opened *opened)
{
	opened->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	assert_true(opened->fd >= 0);
	watching = opened;
	assert_int_equal(nftw(s->root, watch_one, 16, FTW_PHYS), 0);
	s->whole = sample_fresh(s);
	note_opened(opened);
	close(opened->fd);
	struct result again = sample_fresh(s);

	for (size_t i = 0; i < MOST_SCHEMAS; i++) {
		const struct weir_batch *batch = again.batch[i];

		assert_true(!batch == !s->whole.batch[i]);
		for (size_t c = 0; batch && c < batch->schema->n_columns && c < MOST_COLUMNS; c++)
			for (size_t row = 0; row < batch->rows && row < s->whole.batch[i]->rows; row++)
				if (weir_present(batch, c, row) &&
					!same_cell(batch, row, s->whole.batch[i], row, c))
					s->varies[i][c] = true;
	}
	release(&again);
}

static void
forget_opened(struct opened *opened)
{
	for (size_t i = 0; i < MOST_FOLDERS; i++)
		free(opened->folder[i]);
	for (size_t i = 0; i < opened->files; i++)
		free(opened->file[i]);
}

/* ---- damage ---- */

static void
write_file(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

/*
 * A file of sysfs or a sysctl holds one value, and some end without newline: half a value cannot be
 * told from a whole one there. The kernel does not cut them. So these must only not do harm.
 */
static bool
holds_one_value(const struct subject *s, const char *file, const char *data, size_t size)
{
	const char *path = file + strlen(s->root), *newline = memchr(data, '\n', size);

	return (!newline || newline == data + size - 1) &&
		   (!strncmp(path, "/sys/", 5) || !strncmp(path, "/proc/sys/", 10));
}

/*
 * A list of records that was cut between two of them is a shorter list, and its sums are those of
 * it.
 */
static bool
is_shorter_list(const struct subject *s, const char *file, const char *data, size_t at)
{
	static const char *const lists[] = { "/proc/sysvipc/" };

	for (size_t i = 0; i < WEIR_COUNT(lists); i++)
		if (!strncmp(file + strlen(s->root), lists[i], strlen(lists[i])))
			return at > 0 && data[at - 1] == '\n';
	return false;
}

/* From the end on, by one instance that lives on, and by new ones now and then. */
static void
cut_file(const struct subject *s, const char *file, const char *data, size_t size)
{
	struct weir_ctx *ctx = instance(s);
	bool any_value = holds_one_value(s, file, data, size);

	for (size_t at = size; ctx && at-- > 0;) {
		if (size > 8192 && at > 4096 && at < size - 4096 && at % 7)
			continue;
		assert_int_equal(truncate(file, (off_t)at), 0);
		struct result result = at % 5 ? sample(ctx) : sample_fresh(s);

		if (!any_value && !is_shorter_list(s, file, data, at))
			compare(s, &result, file, at);
		release(&result);
		if (at % 16 == 1) {
			write_file(file, data, size);
			result = sample(ctx);
			compare(s, &result, file, size);
			release(&result);
		}
	}
	instance_free(ctx);
	write_file(file, data, size);
}

static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void
fill_file(const struct subject *s, const char *file, const char *data, size_t size)
{
	struct weir_ctx *ctx = instance(s);
	int rounds = holds_one_value(s, file, data, size) ? 4 : 24; /* there are hundreds of them */
	uint32_t seed = 7;
	size_t room = size * 2 + 64;
	char *bytes = malloc(room);

	assert_non_null(bytes);
	for (int round = 0; ctx && round < rounds; round++) {
		size_t n = next_random(&seed) % room;

		for (size_t i = 0; i < room; i++)
			bytes[i] = round % 3 == 0 || !size ? (char)next_random(&seed) : data[i % size];
		for (size_t i = 0; round % 3 == 1 && i < room; i += next_random(&seed) % 40)
			bytes[i] = "0 9\n-:x.\t,"[next_random(&seed) % 10];
		for (size_t i = 0; round % 3 == 2 && size && i + 1 < room; i += next_random(&seed) % 60)
			bytes[i] = bytes[next_random(&seed) % room];
		write_file(file, bytes, n);
		struct result result = round % 2 ? sample(ctx) : sample_fresh(s);

		release(&result);
	}
	free(bytes);
	instance_free(ctx);
	write_file(file, data, size);
}

/*
 * Removed, a folder, a named pipe, a link to itself: once new, once to an instance that had the
 * file.
 */
static void
replace_file(const struct subject *s, const char *file, const char *data, size_t size)
{
	for (int kind = 0; kind < 4; kind++) {
		struct weir_ctx *ctx = instance(s);

		if (!ctx)
			return;
		struct result result = sample(ctx);

		release(&result);
		assert_int_equal(unlink(file), 0);
		assert_int_equal(kind == 1   ? mkdir(file, 0700)
						 : kind == 2 ? mkfifo(file, 0600)
						 : kind == 3 ? symlink(file, file)
									 : 0,
			0);
		result = sample(ctx);
		release(&result);
		result = sample_fresh(s);
		release(&result);
		assert_int_equal(kind ? remove(file) : 0, 0);
		write_file(file, data, size);
		result = sample(ctx);
		compare(s, &result, file, size);
		release(&result);
		instance_free(ctx);
	}
}

static void
damage(const struct subject *s, const char *file, size_t number)
{
	int fd = open(file, O_RDONLY);
	struct stat status = { 0 };

	if (fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode)) {
		close(fd);
		return;
	}
	size_t size = (size_t)status.st_size;
	char *data = malloc(size + 1);

	assert_non_null(data);
	assert_int_equal(read(fd, data, size), size);
	close(fd);
	cut_file(s, file, data, size);
	fill_file(s, file, data, size);
	if (lstat(file, &status) == 0 && S_ISREG(status.st_mode) &&
		(number % 8 == 0 || !holds_one_value(s, file, data, size)))
		replace_file(s, file, data, size);
	free(data);
}

/* ---- */

static void
damage_all(const char *path, const char *root)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		fail_msg("%s", dlerror());
	struct opened *opened = calloc(1, sizeof(*opened));
	struct subject *s = calloc(1, sizeof(*s));

	assert_true(opened && s);
	*s = (struct subject){
		.plugin = dlsym(handle, "weir_plugin"), .root = root, .keeper = keeper_new()
	};
	assert_true(s->plugin && s->keeper);
	/* Children of a hung sampler would hang the test: what hangs is ended and shown as failed. */
	alarm(300);
	if (s->plugin->sampler.sample) {
		sample_whole(s, opened);
		for (size_t i = 0; i < opened->files; i++)
			damage(s, opened->file[i], i);
		struct result result = sample_fresh(s);

		compare(s, &result, root, 0);
		release(&result);
		release(&s->whole);
	}
	alarm(0);
	forget_opened(opened);
	keeper_free(s->keeper);
	free(opened);
	free(s);
}

static void
damage_by_all(const char *tree)
{
	const char *samplers = getenv("WEIR_SAMPLERS"), *build = getenv("WEIR_BUILD");
	char root[] = "/tmp/weir-damage-XXXXXX", pattern[PATH_MAX], *paths = NULL;
	glob_t found = { 0 };

	assert_non_null(mkdtemp(root));
	if (!copy_tree(tree, root)) {
		rmdir(root);
		skip();
	}
	snprintf(pattern, sizeof(pattern), "%s/plugins/samplers/*.so", build ? build : "build");
	assert_true(samplers || glob(pattern, 0, NULL, &found) == 0);
	paths = samplers ? strdup(samplers) : NULL;
	for (char *at = paths, *word, *save = NULL; paths && (word = strtok_r(at, " ", &save));
		 at = NULL)
		damage_all(word, root);
	for (size_t i = 0; i < found.gl_pathc; i++)
		damage_all(found.gl_pathv[i], root);
	free(paths);
	globfree(&found);
	assert_int_equal(nftw(root, remove_one, 16, FTW_PHYS | FTW_DEPTH), 0);
}

static void
virtual_machine(void **state)
{
	(void)state;
	damage_by_all("debian12-vm");
}

static void
fabric_node(void **state)
{
	(void)state;
	damage_by_all("synth-fabric-node");
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(virtual_machine),
		cmocka_unit_test(fabric_node) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
