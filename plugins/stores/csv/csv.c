/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CSV store: DIR/SCHEMA/[r2/]TIME-NUMBER.csv, a header in each, exact values; parts are closed
 * by size and time, compressed and removed by age and size. Rows gather in memory per part; a
 * commit is one write per part and one entry of DIR/journal.weir, which alone says what counts.
 *
 * needs: libzstd zlib
 */
#include "csv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK "lock.weir"
/* Compressed by one tend, about 50 ms; each commit adds twice what it wrote, so the backlog shrinks
 * at any rate. */
#define TEND_BUDGET (16 << 20)
/* A journal of this length is not left to the next tend: an import may write marks fast. */
#define JOURNAL_TOO_LONG (16 << 20)

static const char *const compressions[] = {
	[CSV_NONE] = "none", [CSV_WITH_ZSTD] = "zstd", [CSV_WITH_GZ] = "gz", NULL
};

static const struct weir_option options[] = {
	WEIR_REQUIRED_TEXT(
		struct csv, path, "folder of the files, made if missing; one process at a time"),
	WEIR_SIZE_OPTION(struct csv, rotate_size, "256MiB", 1024, INT64_MAX,
		"close a part of this size and begin the next"),
	WEIR_DURATION_OPTION(struct csv, rotate_every, "1d", WEIR_SECOND, 3660 * WEIR_DAY,
		"close parts at each multiple of this time, UTC"),
	WEIR_CHOICE_OPTION(
		struct csv, compress, "zstd", compressions, "what closed parts are compressed with"),
	WEIR_INT_OPTION(struct csv, level, "1", 1, 19, "level of compression; gz knows up to 9"),
	WEIR_DURATION_OPTION(struct csv, keep_age, "0", 0, INT64_MAX,
		"remove closed parts whose last row is older; 0 keeps them"),
	WEIR_SIZE_OPTION(struct csv, keep_size, "0", 0, INT64_MAX,
		"remove the oldest closed parts when all parts are larger together; 0 keeps them"),
	WEIR_SIZE_OPTION(struct csv, buffer, "1MiB", 4096, 1 << 30,
		"write rows of a part to its file before the flush when there are so many bytes of them"),
	WEIR_OPTIONS_END,
};

static int64_t
wall_clock(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- open and close ---- */

/* mkdir -p. */
static int
make_path(const char *path, struct weir_err *err)
{
	char *copy = strdup(path);
	if (!copy)
		return weir_fail(err, -ENOMEM, "cannot make the folder '%s'", path);
	int result = 0;
	for (char *at = copy + 1; result == 0 && at[-1]; at++) {
		if (*at && *at != '/')
			continue;
		char kept = *at;
		*at = '\0';
		if (mkdir(copy, 0777) < 0 && errno != EEXIST)
			result = weir_fail(err, -errno, "cannot make the folder '%s'", copy);
		*at = kept;
		if (!kept)
			break;
	}
	free(copy);
	return result;
}

static int
take_lock(struct csv *csv, struct weir_ctx *ctx, struct weir_err *err)
{
	int fd = csv_open_at(csv->folder, LOCK, O_RDWR | O_CREAT);
	if (fd < 0)
		return weir_fail(err, fd, "cannot open '%s/%s'", csv->path, LOCK);
	csv->lock = fd;
	char holder[200] = "";
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return weir_fail(err, -errno, "cannot lock '%s/%s'", csv->path, LOCK);
		ssize_t size = pread(fd, holder, sizeof(holder) - 1, 0);
		holder[size > 0 ? strcspn(holder, "\n") : 0] = '\0';
		return weir_failx(
			err, -EBUSY, "'%s' is in use by %s", csv->path, holder[0] ? holder : "another process");
	}
	int size = snprintf(holder, sizeof(holder), "%.100s pid %ld (%.64s)\n", csv->host,
		(long)getpid(), weir_instance(ctx));
	/* Who holds it is for people: a full disk does not matter. */
	if (ftruncate(fd, 0) == 0)
		csv_write_at(fd, holder, (size_t)size, 0);
	return 0;
}

static int
csv_open(void *state, struct weir_ctx *ctx, struct weir_err *err)
{
	struct csv *csv = state;
	csv->next_part = 1;
	csv->host = strdup(weir_host_name(ctx));
	if (!csv->host || !csv->path[0])
		return weir_failx(err, csv->host ? -EINVAL : -ENOMEM, "cannot open '%s': %s", csv->path,
			csv->host ? "a folder must be named" : "out of memory");
	int result = make_path(csv->path, err);
	if (result < 0)
		return result;
	/* Behind a slash a link is followed. */
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/.", csv->path);
	int folder = csv_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
	if (folder < 0)
		return weir_fail(err, folder, "cannot open the folder '%s'", csv->path);
	csv->folder = folder;
	result = csv_check_version(csv, err);
	if (result == 0)
		result = take_lock(csv, ctx, err);
	if (result == 0)
		result = csv_recover(csv, err);
	csv->ready = result == 0;
	return result;
}

static void
csv_close(void *state)
{
	struct csv *csv = state;
	if (csv->ready)
		csv_rollback(csv);
	csv_compress_stop(csv);
	csv_state_free(csv);
	csv_bytes_free(&csv->journal.entry);
	free(csv->reply);
	free(csv->host);
	if (csv->journal.fd)
		close(csv->journal.fd);
	if (csv->folder)
		close(csv->folder);
	if (csv->lock)
		close(csv->lock);
}

/* ---- claims ---- */

static int
check_claim(const struct csv *csv, const struct csv_source *source, const struct weir_claim *claim,
	struct weir_err *err)
{
	/* A source given back has a lease until 0. */
	if (claim->take_over || !source->claimed || strcmp(source->holder, claim->holder) == 0 ||
		source->lease_until <= wall_clock() || csv_holder_dead(source->holder, csv->host))
		return 0;
	return weir_failx(err, -EBUSY, "'%s' is followed by %s", claim->source, source->holder);
}

static int
csv_claim(void *state, const struct weir_claim *claim, uint64_t *epoch, struct weir_marks *marks,
	struct weir_err *err)
{
	struct csv *csv = state;
	struct csv_source *source = csv_source_named(csv, claim->source, strlen(claim->source), true);
	char *holder = strdup(claim->holder);
	int result = source && holder ? csv_settle(csv, err)
								  : weir_fail(err, -ENOMEM, "cannot claim '%s'", claim->source);
	if (result == 0)
		result = check_claim(csv, source, claim, err);
	if (result == 0 &&
		(csv_entry_begin(csv) < 0 || csv_entry_source(csv, source, holder, source->epoch + 1) < 0))
		result = weir_fail(err, -ENOMEM, "cannot claim '%s'", claim->source);
	if (result == 0)
		result = csv_entry_append(csv, false, err);
	if (result < 0) {
		free(holder);
		return result;
	}
	free(source->holder);
	source->holder = holder;
	source->lease_until = claim->lease_until;
	source->claimed = true;
	*epoch = ++source->epoch;
	if (csv_marks_of(csv, source, NULL, marks) < 0)
		return weir_fail(err, -ENOMEM, "cannot claim '%s'", claim->source);
	return 0;
}

static int
csv_find(void *state, const char *identity, struct weir_marks *marks, struct weir_err *err)
{
	if (csv_marks_of(state, NULL, identity, marks) < 0)
		return weir_fail(err, -ENOMEM, "cannot look for a mark");
	return 0;
}

/* ---- rows ---- */

static int
write_batch(struct csv *csv, const struct weir_batch *batch, int64_t now, struct weir_tally *tally,
	struct weir_err *err)
{
	struct weir_err refusal = { 0 };
	struct csv_plan *plan = NULL;
	struct csv_part *part = NULL;
	int result = csv_plan_for(csv, batch, &plan, &refusal);
	if (result == -EINVAL) {
		for (size_t row = 0; row < batch->rows; row++)
			weir_tally_row(tally, row, WEIR_ROW_REFUSED, refusal.text);
		return 0;
	}
	if (result < 0)
		return weir_failx(err, result, "%s", refusal.text);
	if (batch->rows == 0)
		return 0;
	result = csv_part_for(csv, plan->table, now, &part, err);
	if (result < 0)
		return result;
	if (csv_put_batch(&part->buffer, plan, batch, now) < 0)
		return weir_fail(err, -ENOMEM, "cannot write '%s'", batch->schema->name);
	weir_tally_stored(tally, batch->rows);
	return 0;
}

static int
csv_write(void *state, const struct weir_batch *const *batch, size_t n, struct weir_tally *tally,
	struct weir_err *err)
{
	struct csv *csv = state;
	int result = csv_settle(csv, err);
	for (struct csv_part *part = csv->parts; result == 0 && part; part = part->next) {
		if (part->buffer.size >= csv->buffer)
			result = csv_part_flush(csv, part, err);
		part->savepoint = part->buffer.size;
	}
	if (result < 0)
		return result;
	csv->step++;
	int64_t now = wall_clock();
	for (size_t i = 0; result == 0 && i < n; i++)
		result = write_batch(csv, batch[i], now, &tally[i], err);
	if (result < 0)
		csv_rollback_step(csv);
	return result;
}

static int
check_holds(struct csv *csv, const struct weir_commit *commit, struct weir_err *err)
{
	for (size_t i = 0; i < commit->n_hold; i++) {
		const struct weir_hold *hold = &commit->hold[i];
		const struct csv_source *source =
			csv_source_named(csv, hold->source, strlen(hold->source), false);
		if (!source || source->epoch != hold->epoch)
			return weir_failx(err, -ESTALE, "'%s' is followed by %s now", hold->source,
				source && source->holder ? source->holder : "nobody");
	}
	return 0;
}

static int
write_parts(struct csv *csv, bool sync, struct weir_err *err)
{
	int result = 0;
	for (struct csv_part *part = csv->parts; result == 0 && part; part = part->next)
		result = csv_part_flush(csv, part, err);
	csv_failpoint(csv, CSV_AT_WRITTEN);
	/* What is closed is not looked at by recovery, so it must be on disk before the journal says
	 * so. */
	for (struct csv_part *part = csv->parts; result == 0 && part; part = part->next)
		if (sync || part->ending)
			result = csv_part_sync(csv, part, err);
	if (sync)
		csv_failpoint(csv, CSV_AT_SYNCED);
	return result;
}

/* The journal has it: the same in memory. Nothing here can fail. */
static void
apply(struct csv *csv, const struct weir_commit *commit, struct csv_mark **marks)
{
	for (struct csv_part *part = csv->parts, *next; part; part = next) {
		next = part->next;
		if (!part->listed)
			part->table->listed = part->table->n_columns;
		part->listed = true;
		part->committed = part->written;
		if (commit->sync)
			csv_part_durable(part);
		if (!part->ending)
			continue;
		csv->closed = true;
		/* Without memory it waits until the next start. */
		if (csv->compress != CSV_NONE)
			csv_wait(csv, csv_part_name(part).text);
		csv_part_drop(csv, part);
	}
	if (commit->sync)
		csv->closed = false;
	for (size_t i = 0; i < commit->marks.n; i++) {
		const struct weir_mark *mark = &commit->marks.mark[i];
		if (marks[i])
			csv_marks_put(&csv->marks, marks[i]);
		else
			csv_marks_forget(&csv->marks,
				csv_source_named(csv, mark->source, strlen(mark->source), false), mark->item);
	}
	for (size_t i = 0; i < commit->n_hold; i++) {
		struct csv_source *source =
			csv_source_named(csv, commit->hold[i].source, strlen(commit->hold[i].source), false);
		source->lease_until = commit->hold[i].lease_until;
	}
}

/* Copies of the marks, so that nothing can fail once the journal has them; NULL for those to
 * forget. */
static int
copy_marks(struct csv *csv, const struct weir_commit *commit, struct csv_mark **marks)
{
	int result = csv_marks_reserve(&csv->marks, commit->marks.n);
	for (size_t i = 0; result == 0 && i < commit->marks.n; i++) {
		const struct weir_mark *mark = &commit->marks.mark[i];
		if (mark->forget)
			continue;
		struct csv_source *source = csv_source_named(csv, mark->source, strlen(mark->source), true);
		if (!source || !(marks[i] = csv_mark_new(source, mark)))
			return -ENOMEM;
	}
	return result;
}

static int
append(struct csv *csv, const struct weir_commit *commit, struct weir_err *err)
{
	if (csv_entry_begin(csv) < 0 || csv_entry_commit(csv, commit) < 0)
		return weir_fail(err, -ENOMEM, "cannot write '%s/%s'", csv->path, CSV_JOURNAL);
	if (csv_entry_empty(csv) && !(commit->sync && csv->journal.dirty))
		return 0;
	return csv_entry_append(csv, commit->sync, err);
}

static int
commit_step(struct csv *csv, const struct weir_commit *commit, struct weir_err *err)
{
	int result = check_holds(csv, commit, err);
	if (result == 0)
		result = csv_settle(csv, err);
	if (result < 0)
		return result;
	struct csv_mark **marks = calloc(commit->marks.n + 1, sizeof(struct csv_mark *));
	if (!marks || copy_marks(csv, commit, marks) < 0)
		result = weir_fail(err, -ENOMEM, "cannot write '%s/%s'", csv->path, CSV_JOURNAL);
	if (result == 0)
		result = write_parts(csv, commit->sync, err);
	if (result == 0)
		result = append(csv, commit, err);
	if (result == 0)
		apply(csv, commit, marks);
	for (size_t i = 0; result < 0 && marks && i < commit->marks.n; i++)
		free(marks[i]);
	free(marks);
	return result;
}

static int
csv_commit(void *state, const struct weir_commit *commit, struct weir_err *err)
{
	struct csv *csv = state;
	int result = commit_step(csv, commit, err);
	uint64_t fresh = csv->fresh;
	csv->fresh = 0;
	if (result < 0) {
		csv_rollback(csv);
		return result;
	}
	/* The commit stands, whatever becomes of these: the next tend tries again and reports. */
	if (csv_journal_long(csv, JOURNAL_TOO_LONG))
		csv_journal_rewrite(csv, NULL);
	csv_compress(csv, 2 * fresh, NULL);
	return 0;
}

/* ---- housekeeping ---- */

static bool
step_begun(const struct csv *csv)
{
	for (const struct csv_part *part = csv->parts; part; part = part->next)
		if (!part->listed || part->buffer.size || part->written.length != part->committed.length)
			return true;
	return false;
}

/* Close parts whose time is over, and those that somebody removed: rows written there would be
 * lost. */
static int
rotate(struct csv *csv, int64_t now, struct weir_err *err)
{
	bool any = false;
	if (step_begun(csv))
		return 0;
	for (struct csv_part *part = csv->parts; part; part = part->next) {
		struct stat st;
		bool removed = fstat(part->fd, &st) == 0 && st.st_nlink == 0;
		if (!removed && !csv_part_due(csv, part, now))
			continue;
		part->ending = any = true;
		part->table->part = NULL;
	}
	return any ? csv_commit(csv, &(struct weir_commit){ 0 }, err) : 0;
}

static int
csv_tend(void *state, int64_t now, struct weir_err *err)
{
	struct csv *csv = state;
	csv->paused = false;
	int result = csv_settle(csv, err);
	if (result == 0)
		result = rotate(csv, now, err);
	/* What makes room comes first, and the rest is tried whatever came of it. */
	int retained = csv_retain(csv, now, result < 0 ? NULL : err);
	result = result < 0 ? result : retained;
	if (csv_journal_long(csv, CSV_JOURNAL_LIMIT)) {
		int rewritten = csv_journal_rewrite(csv, result < 0 ? NULL : err);
		result = result < 0 ? result : rewritten;
	}
	int compressed = csv_compress(csv, TEND_BUDGET, result < 0 ? NULL : err);
	return result < 0 ? result : compressed;
}

WEIR_PLUGIN(.kind = WEIR_STORE, .name = "csv",
	.summary = "CSV files, a folder per schema, rotated and compressed",
	.description =
		"Rows go to DIR/SCHEMA/TIME-NUMBER.csv, each file with a header line. Integers and "
		"decimals are exact, times are "
		"RFC 3339 in UTC, a missing value is nothing between commas and an empty text is \"\". New "
		"columns of a schema begin "
		"a new file with all columns; a changed type or key set goes to DIR/SCHEMA/r2. Closed "
		"files are compressed.\n\n"
		"DIR/journal.weir says how much of each open file counts and how far the sources were "
		"read; after a crash the files "
		"are cut to it. Do not edit open files; closed ones may be copied, moved or removed.",
	.library = "libzstd, zlib", .state_size = sizeof(struct csv), .options = options,
	.open = csv_open, .close = csv_close,
	.store = {
		.claim = csv_claim,
		.find = csv_find,
		.write = csv_write,
		.commit = csv_commit,
		.tend = csv_tend,
	}, );
