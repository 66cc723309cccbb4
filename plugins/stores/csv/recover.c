/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recovery: the newest entry of the journal whose open parts are all there with the right bytes is
 * the state; parts are cut to it, files that no commit made are removed. Of open parts only what is
 * not long on disk is read, of closed ones nothing. Each step may be repeated after a crash in the
 * midst of it.
 */
#include "csv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 65536

void
csv_state_free(struct csv *csv)
{
	while (csv->parts)
		csv_part_drop(csv, csv->parts);
	csv_tables_free(csv);
	csv_marks_free(csv);
	csv->next_part = 1;
	csv->closed = false;
}

/* The bytes of a part from `safe` up to what is committed: as they were written? -errno, or 1 for
 * yes, 0 for no. */
static int
check_bytes(const struct csv_part *part, char *chunk)
{
	struct stat st;
	if (fstat(part->fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size < part->committed.length)
		return 0;
	struct csv_point at = part->safe;
	while (at.length < part->committed.length) {
		uint64_t left = part->committed.length - at.length;
		size_t size = left < CHUNK ? (size_t)left : CHUNK;
		int result = csv_read_at(part->fd, chunk, size, at.length);
		if (result < 0)
			return result;
		at.crc = weir_crc32c(at.crc, chunk, size);
		at.length += size;
	}
	return at.crc == part->committed.crc;
}

/* Open the part and check it. 1: good; 0: not as the journal says. */
static int
check_part(struct csv *csv, struct csv_part *part, char *chunk, struct weir_err *err)
{
	struct csv_name name = csv_part_name(part);
	int fd = csv_open_at(csv->folder, name.text, O_RDWR);
	/* Once on disk it does not vanish by itself: somebody took it away, and the rows with it. */
	if (fd == -ENOENT)
		return part->synced > 0;
	if (fd < 0)
		return weir_fail(err, fd, "cannot open '%s/%s'", csv->path, name.text);
	part->fd = fd;
	int result = check_bytes(part, chunk);
	return result < 0 ? weir_fail(err, result, "cannot read '%s/%s'", csv->path, name.text)
					  : result;
}

/* *bad: the first part that is not as the journal says. */
static int
check_parts(struct csv *csv, struct csv_name *bad, struct weir_err *err)
{
	char *chunk = malloc(CHUNK);
	if (!chunk)
		return weir_fail(err, -ENOMEM, "cannot check '%s'", csv->path);
	int result = 1;
	for (struct csv_part *part = csv->parts; result == 1 && part; part = part->next) {
		result = check_part(csv, part, chunk, err);
		if (result == 0)
			*bad = csv_part_name(part);
	}
	free(chunk);
	return result;
}

/*
 * Back from the last entry to the first good one. The state is that entry's then. Not beyond what
 * was put on disk: a part that is wrong there was not lost with the power, and the rows of all
 * others would be cut off for it.
 */
static int
find_state(
	struct csv *csv, const char *data, size_t size, struct csv_replay *replay, struct weir_err *err)
{
	struct csv_name bad = { 0 };
	for (size_t limit = SIZE_MAX; limit > 0; limit = replay->entries - 1) {
		csv_state_free(csv);
		int result = csv_journal_replay(csv, data, size, limit, replay, err);
		if (result < 0)
			return result;
		if (replay->entries == 0)
			return weir_failx(err, -EBADMSG,
				"'%s/%s' holds no whole entry: give it back from a copy, or move the folder away",
				csv->path, CSV_JOURNAL);
		result = check_parts(csv, &bad, err);
		if (result != 0)
			return result < 0 ? result : 0;
		if (replay->entries <= replay->durable)
			break;
	}
	return weir_failx(err, -EBADMSG,
		"'%s/%s' is not as '%s' says: give it back from a copy, or move the folder away", csv->path,
		bad.text, CSV_JOURNAL);
}

/* Cut parts to what is committed, forget those that are gone. *changed: the journal says what is no
 * longer so. */
static int
cut_parts(struct csv *csv, bool *changed, struct weir_err *err)
{
	for (struct csv_part *part = csv->parts, *next; part; part = next) {
		next = part->next;
		if (!part->fd) {
			csv_part_drop(csv, part);
			*changed = true;
			continue;
		}
		struct stat st;
		if (fstat(part->fd, &st) == 0 && (uint64_t)st.st_size == part->committed.length)
			continue;
		if (ftruncate(part->fd, (off_t)part->committed.length) < 0)
			return weir_fail(err, -errno, "cannot cut '%s/%s' to its last commit", csv->path,
				csv_part_name(part).text);
		csv_failpoint(csv, CSV_AT_TRUNCATE);
	}
	return 0;
}

static int
sweep_file(struct csv *csv, const char *path, struct weir_err *err)
{
	if (unlinkat(csv->folder, path, 0) < 0 && errno != ENOENT)
		return weir_fail(err, -errno, "cannot remove '%s/%s'", csv->path, path);
	csv_failpoint(csv, CSV_AT_SWEEP);
	return 0;
}

/* Is there a compressed part of this name, which came about only when it was complete? */
static bool
is_replaced(struct csv *csv, const char *path)
{
	static const char *const ends[] = { ".zst", ".gz" };
	for (size_t i = 0; i < WEIR_COUNT(ends); i++) {
		struct csv_name name;
		if ((size_t)snprintf(name.text, sizeof(name.text), "%s%s", path, ends[i]) >=
			sizeof(name.text))
			continue;
		if (faccessat(csv->folder, name.text, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	}
	return false;
}

static int
sweep(struct csv *csv, void *closure, const struct csv_file *file, struct weir_err *err)
{
	(void)closure;
	if (file->form == CSV_TEMPORARY)
		return sweep_file(csv, file->path, err);
	if (file->form != CSV_PLAIN || csv_part_open(csv, file))
		return 0;
	if (file->number >= csv->next_part || is_replaced(csv, file->path))
		return sweep_file(csv, file->path, err);
	return csv->compress == CSV_NONE ? 0 : csv_wait(csv, file->path);
}

/*
 * A part is compressed only once its end is on disk in the journal. One that the journal does not
 * know is thus no trace of a crash but of a damaged or exchanged journal, and no reason to remove
 * it and what else is new.
 */
static int
refuse_newer(struct csv *csv, void *closure, const struct csv_file *file, struct weir_err *err)
{
	(void)closure;
	if (file->number < csv->next_part || (file->form != CSV_ZSTD && file->form != CSV_GZIP))
		return 0;
	return weir_failx(err, -EBADMSG,
		"'%s/%s' is newer than '%s': give that back from a copy, or move the folder away",
		csv->path, file->path, CSV_JOURNAL);
}

static int
recover(struct csv *csv, const char *data, size_t size, struct weir_err *err)
{
	struct csv_replay replay = { 0 };
	bool changed = false;
	int result = find_state(csv, data, size, &replay, err);
	if (result == 0)
		result = csv_walk(csv, refuse_newer, NULL, err);
	if (result == 0)
		result = cut_parts(csv, &changed, err);
	if (result == 0)
		result = csv_walk(csv, sweep, NULL, err);
	if (result < 0)
		return result;
	csv->journal.length = replay.end;
	csv->journal.base = replay.base;
	csv->journal.chain = replay.chain;
	csv->journal.dirty = replay.dirty;
	csv->journal.cut = replay.end < size;
	/* Entries that are no longer true must not come back after the next crash. On a full disk
	 * cutting them off must do. */
	if (changed || csv->journal.cut)
		result = csv_journal_rewrite(csv, err);
	return result < 0 && !changed ? csv_settle(csv, err) : result;
}

static int
is_part(struct csv *csv, void *closure, const struct csv_file *file, struct weir_err *err)
{
	(void)closure;
	return weir_failx(err, -EBADMSG,
		"'%s' has parts ('%s') but no '%s': give it back from a copy, or move the parts away",
		csv->path, file->path, CSV_JOURNAL);
}

/* A folder without a journal: ours to begin, unless there are parts, of which nothing is known
 * then. */
static int
begin(struct csv *csv, struct weir_err *err)
{
	int result = csv_walk(csv, is_part, NULL, err);
	if (result < 0)
		return result;
	csv_state_free(csv);
	return csv_journal_rewrite(csv, err);
}

int
csv_check_version(struct csv *csv, struct weir_err *err)
{
	int fd = csv_open_at(csv->folder, CSV_JOURNAL, O_RDONLY);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return weir_fail(err, fd, "cannot open '%s/%s'", csv->path, CSV_JOURNAL);
	char head[65] = "";
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return weir_failx(err, -EBADMSG,
			"'%s/%s' is no file: give it back from a copy, or move the folder away", csv->path,
			CSV_JOURNAL);
	}
	ssize_t size = pread(fd, head, sizeof(head) - 1, 0);
	int result =
		size < 0 ? weir_fail(err, -errno, "cannot read '%s/%s'", csv->path, CSV_JOURNAL) : 0;
	close(fd);
	size_t header = 0;
	return result < 0 ? result : csv_journal_check(csv, head, (size_t)size, &header, err);
}

int
csv_recover(struct csv *csv, struct weir_err *err)
{
	unlinkat(csv->folder, CSV_JOURNAL_TEMPORARY, 0);
	int fd = csv_open_at(csv->folder, CSV_JOURNAL, O_RDWR);
	if (fd == -ENOENT)
		return begin(csv, err);
	if (fd < 0)
		return weir_fail(err, fd, "cannot open '%s/%s'", csv->path, CSV_JOURNAL);
	csv->journal.fd = fd;
	int result = csv_check_version(csv, err);
	if (result < 0)
		return result;
	struct stat st;
	if (fstat(fd, &st) < 0)
		return weir_fail(err, -errno, "cannot read '%s/%s'", csv->path, CSV_JOURNAL);
	/* Mapped, so that nothing of it stays in the heap. */
	size_t size = (size_t)st.st_size;
	char *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return weir_fail(err, -errno, "cannot read '%s/%s'", csv->path, CSV_JOURNAL);
	result = recover(csv, data, size, err);
	munmap(data, size);
	return result;
}
