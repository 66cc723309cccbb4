/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts: DIR/SCHEMA/[rREVISION/]TIME-NUMBER.csv. Numbers rise over the whole store and are never
 * used twice, so a file is known by its name: below the journal's next number and not open means
 * closed. Rows gather in memory and go to the file with one write.
 */
#include "csv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int
csv_write_at(int fd, const void *data, size_t size, uint64_t offset)
{
	const char *at = data;
	while (size) {
		ssize_t n = pwrite(fd, at, size, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

int
csv_read_at(int fd, void *data, size_t size, uint64_t offset)
{
	char *at = data;
	while (size) {
		ssize_t n = pread(fd, at, size, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

int
csv_open_at(int folder, const char *path, int flags)
{
	/* A named pipe in the place of a file is refused, not waited for. */
	int fd = openat(folder, path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
	if (fd < 0)
		return -errno;
	if (fd > 0)
		return fd;
	fd = fcntl(0, F_DUPFD_CLOEXEC, 3);
	int trouble = errno;
	close(0);
	return fd < 0 ? -trouble : fd;
}

struct csv_part *
csv_part_new(
	struct csv *csv, struct csv_table *table, uint64_t number, int64_t created, size_t n_columns)
{
	struct csv_part *part = calloc(1, sizeof(*part));
	if (!part)
		return NULL;
	part->table = table;
	part->number = number;
	part->created = created;
	part->n_columns = n_columns;
	struct csv_part **end = &csv->parts;
	while (*end)
		end = &(*end)->next;
	*end = part;
	return part;
}

void
csv_part_drop(struct csv *csv, struct csv_part *part)
{
	struct csv_part **at = &csv->parts;
	while (*at != part)
		at = &(*at)->next;
	*at = part->next;
	if (part->table->part == part)
		part->table->part = NULL;
	if (part->fd)
		close(part->fd);
	csv_bytes_free(&part->buffer);
	free(part);
}

/* "SCHEMA/" or "SCHEMA/r2/". */
static struct csv_name
table_folder(const struct csv_table *table)
{
	struct csv_name name;
	if (table->revision > 1)
		snprintf(name.text, sizeof(name.text), "%s/r%" PRIu32 "/", table->name, table->revision);
	else
		snprintf(name.text, sizeof(name.text), "%s/", table->name);
	return name;
}

struct csv_name
csv_part_name(const struct csv_part *part)
{
	struct csv_name name = table_folder(part->table);
	time_t second = (time_t)(part->created / 1000000);
	struct tm tm = { 0 };
	gmtime_r(&second, &tm);
	size_t length = strlen(name.text);
	length += strftime(name.text + length, sizeof(name.text) - length, "%Y%m%dT%H%M%SZ", &tm);
	snprintf(name.text + length, sizeof(name.text) - length, "-%06" PRIu64 ".csv", part->number);
	return name;
}

bool
csv_part_open(const struct csv *csv, const struct csv_file *file)
{
	for (const struct csv_part *part = csv->parts; part; part = part->next)
		if (part->number == file->number && strcmp(csv_part_name(part).text, file->path) == 0)
			return true;
	return false;
}

/* A part never takes more than this of the folder's bound, or nothing could be removed to keep it.
 */
static uint64_t
size_limit(const struct csv *csv)
{
	uint64_t limit = csv->keep_size / 8;
	if (!limit || limit > csv->rotate_size)
		return csv->rotate_size;
	return limit;
}

static int64_t
age_limit(const struct csv *csv)
{
	int64_t limit =
		csv->keep_age && csv->keep_age < csv->rotate_every ? csv->keep_age : csv->rotate_every;
	return limit / 1000 > 0 ? limit / 1000 : 1;
}

bool
csv_part_due(const struct csv *csv, const struct csv_part *part, int64_t now)
{
	return part->written.length + part->buffer.size >= size_limit(csv) ||
		   now / age_limit(csv) > part->created / age_limit(csv);
}

int
csv_part_for(struct csv *csv, struct csv_table *table, int64_t now, struct csv_part **found,
	struct weir_err *err)
{
	struct csv_part *part = table->part;
	if (part && part->n_columns == table->n_columns && !csv_part_due(csv, part, now)) {
		*found = part;
		return 0;
	}
	struct csv_part *made = csv_part_new(csv, table, csv->next_part, now, table->n_columns);
	if (!made)
		return weir_fail(err, -ENOMEM, "cannot write '%s'", table->name);
	made->made = csv->step;
	csv->next_part++;
	if (part) {
		part->ending = true;
		part->ended = csv->step;
	}
	table->part = *found = made;
	if (csv_put_header(&made->buffer, table, table->n_columns) < 0)
		return weir_fail(err, -ENOMEM, "cannot write '%s'", table->name);
	return 0;
}

static int
make_folder(struct csv *csv, const char *name, struct weir_err *err)
{
	if (mkdirat(csv->folder, name, 0777) < 0 && errno != EEXIST)
		return weir_fail(err, -errno, "cannot make the folder '%s/%s'", csv->path, name);
	return 0;
}

static int
make_file(struct csv *csv, struct csv_part *part, struct weir_err *err)
{
	struct csv_name name = csv_part_name(part);
	int result = make_folder(csv, part->table->name, err);
	if (result == 0 && part->table->revision > 1)
		result = make_folder(csv, table_folder(part->table).text, err);
	if (result < 0)
		return result;
	int fd = csv_open_at(csv->folder, name.text, O_RDWR | O_CREAT | O_TRUNC);
	if (fd < 0)
		return weir_fail(err, fd, "cannot make '%s/%s'", csv->path, name.text);
	part->fd = fd;
	csv_failpoint(csv, CSV_AT_PART);
	return 0;
}

int
csv_part_flush(struct csv *csv, struct csv_part *part, struct weir_err *err)
{
	size_t size = part->buffer.size;
	int result = part->fd || !size ? 0 : make_file(csv, part, err);
	if (result < 0 || !size)
		return result;
	/* Whatever comes to lie behind `written` from here on is no one's until all of it is there. */
	part->cut = true;
	if (csv_failpoint_due(csv, CSV_AT_WRITE)) {
		csv_write_at(part->fd, part->buffer.data, size / 2, part->written.length);
		kill(getpid(), SIGKILL);
	}
	result = csv_write_at(part->fd, part->buffer.data, size, part->written.length);
	if (result < 0)
		return weir_fail(err, result, "cannot write '%s/%s'", csv->path, csv_part_name(part).text);
	part->cut = false;
	part->written.crc = weir_crc32c(part->written.crc, part->buffer.data, size);
	part->written.length += size;
	part->savepoint = 0;
	csv->fresh += size;
	csv_bytes_reset(&part->buffer);
	return 0;
}

int
csv_sync_folder(struct csv *csv, const char *name, struct weir_err *err)
{
	int fd = csv_open_at(csv->folder, name, O_RDONLY | O_DIRECTORY);
	int result = fd < 0 ? fd : fsync(fd) < 0 ? -errno : 0;
	if (fd > 0)
		close(fd);
	return result < 0 ? weir_fail(err, result, "cannot sync '%s/%s'", csv->path, name) : 0;
}

int
csv_part_sync(struct csv *csv, struct csv_part *part, struct weir_err *err)
{
	if (part->fd && part->synced != part->written.length) {
		if (fdatasync(part->fd) < 0)
			return weir_fail(
				err, -errno, "cannot sync '%s/%s'", csv->path, csv_part_name(part).text);
		part->synced = part->written.length;
	}
	if (!part->fd || part->linked)
		return 0;
	int result = csv_sync_folder(csv, table_folder(part->table).text, err);
	if (result == 0 && part->table->revision > 1)
		result = csv_sync_folder(csv, part->table->name, err);
	if (result == 0)
		result = csv_sync_folder(csv, ".", err);
	part->linked = result == 0;
	return result;
}

void
csv_part_durable(struct csv_part *part)
{
	if (part->committed.length - part->recent.length < CSV_CHECKED)
		return;
	part->safe = part->recent;
	part->recent = part->committed;
}

static void
forget_rows(struct csv_part *part)
{
	part->cut = part->cut || part->written.length > part->committed.length;
	part->written = part->committed;
	if (part->synced > part->written.length)
		part->synced = part->written.length;
	csv_bytes_free(&part->buffer);
	part->savepoint = 0;
}

void
csv_rollback(struct csv *csv)
{
	for (struct csv_part *part = csv->parts; part; part = part->next) {
		if (!part->listed && part->table->part == part)
			part->table->part = NULL;
		part->doomed = !part->listed;
		forget_rows(part);
	}
	for (struct csv_part *part = csv->parts; part; part = part->next) {
		if (!part->listed)
			continue;
		part->ending = false;
		part->table->part = part;
	}
	/* What cannot be put right now is tried again, and reported, by the next write. */
	csv_settle(csv, NULL);
}

void
csv_rollback_step(struct csv *csv)
{
	for (struct csv_part *part = csv->parts, *next; part; part = next) {
		next = part->next;
		if (part->made == csv->step)
			csv_part_drop(csv, part);
	}
	for (struct csv_part *part = csv->parts; part; part = part->next) {
		part->buffer.size = part->savepoint;
		if (!part->ending || part->ended != csv->step)
			continue;
		part->ending = false;
		part->table->part = part;
	}
}

static int
settle_part(struct csv *csv, struct csv_part *part, struct weir_err *err)
{
	struct csv_name name = csv_part_name(part);
	if (part->doomed) {
		if (part->fd && unlinkat(csv->folder, name.text, 0) < 0 && errno != ENOENT)
			return weir_fail(err, -errno, "cannot remove '%s/%s'", csv->path, name.text);
		csv_part_drop(csv, part);
		return 0;
	}
	if (part->cut && ftruncate(part->fd, (off_t)part->written.length) < 0)
		return weir_fail(
			err, -errno, "cannot cut '%s/%s' to its last commit", csv->path, name.text);
	part->cut = false;
	return 0;
}

int
csv_settle(struct csv *csv, struct weir_err *err)
{
	int worst = 0;
	for (struct csv_part *part = csv->parts, *next; part; part = next) {
		next = part->next;
		int result = settle_part(csv, part, err);
		worst = result < 0 ? result : worst;
	}
	if (csv->journal.cut) {
		if (ftruncate(csv->journal.fd, (off_t)csv->journal.length) < 0)
			return weir_fail(
				err, -errno, "cannot cut '%s/%s' to its last commit", csv->path, CSV_JOURNAL);
		csv->journal.cut = false;
	}
	return worst;
}
