/* SPDX-License-Identifier: Apache-2.0 */
/* Retention: closed parts that are too old go, and the oldest of those that are too much. */
#include "csv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often the folder is looked through, in microseconds: with many parts that costs. */
#define CSV_LOOK INT64_C(600000000)

struct old_part {
	int64_t time; /* of its last row, microseconds */
	uint64_t number, size;
	char *path;
};

struct csv_retention {
	int64_t oldest; /* parts that ended before go */
	uint64_t total;
	bool collect;
	struct old_part *part;
	size_t n, room;
};

static int
remove_part(struct csv *csv, const char *path, struct weir_err *err)
{
	/* Recovery may go back to the last checkpoint, where the part was open. */
	int result = csv->closed ? csv_checkpoint(csv, err) : 0;
	if (result < 0)
		return result;
	if (unlinkat(csv->folder, path, 0) < 0 && errno != ENOENT)
		return weir_fail(err, -errno, "cannot remove '%s/%s'", csv->path, path);
	csv_failpoint(csv, CSV_AT_RETAIN);
	return 0;
}

static int
collect(struct csv_retention *retention, const struct csv_file *file, int64_t time, uint64_t size)
{
	if (retention->n == retention->room) {
		size_t room = retention->room ? 2 * retention->room : 64;
		struct old_part *part = realloc(retention->part, room * sizeof(*part));
		if (!part)
			return -ENOMEM;
		retention->part = part;
		retention->room = room;
	}
	char *path = strdup(file->path);
	if (!path)
		return -ENOMEM;
	retention->part[retention->n++] = (struct old_part){ time, file->number, size, path };
	return 0;
}

static int
judge(struct csv *csv, void *closure, const struct csv_file *file, struct weir_err *err)
{
	struct csv_retention *retention = closure;
	struct stat st;
	if (fstatat(csv->folder, file->path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT
				   ? 0
				   : weir_fail(err, -errno, "cannot look at '%s/%s'", csv->path, file->path);
	int64_t time = (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000;
	bool closed = file->form != CSV_TEMPORARY && !csv_part_open(csv, file);
	if (closed && csv->keep_age && time < retention->oldest && !retention->collect)
		return remove_part(csv, file->path, err);
	if (closed && retention->collect)
		return collect(retention, file, time, (uint64_t)st.st_size);
	if (!retention->collect)
		retention->total += (uint64_t)st.st_size;
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct old_part *one = a, *other = b;
	if (one->time != other->time)
		return one->time < other->time ? -1 : 1;
	return one->number < other->number ? -1 : one->number > other->number;
}

static int
remove_oldest(struct csv *csv, struct csv_retention *retention, struct weir_err *err)
{
	retention->collect = true;
	int result = csv_walk(csv, judge, retention, err);
	if (result == 0 && retention->n)
		qsort(retention->part, retention->n, sizeof(*retention->part), compare);
	for (size_t i = 0; i < retention->n; i++) {
		const struct old_part *part = &retention->part[i];
		if (result == 0 && retention->total > csv->keep_size) {
			result = remove_part(csv, part->path, err);
			retention->total -= part->size;
		}
		free(part->path);
	}
	free(retention->part);
	return result;
}

int
csv_retain(struct csv *csv, int64_t now, struct weir_err *err)
{
	/* A clock that was set back counts as time passed. */
	bool due = csv->closed || now - csv->retained >= CSV_LOOK || now < csv->retained;
	if ((!csv->keep_age && !csv->keep_size) || !due)
		return 0;
	csv->retained = now;
	struct csv_retention retention = { .oldest = now - csv->keep_age / 1000 };
	int result = csv_walk(csv, judge, &retention, err);
	if (result < 0 || !csv->keep_size || retention.total <= csv->keep_size)
		return result;
	return remove_oldest(csv, &retention, err);
}
