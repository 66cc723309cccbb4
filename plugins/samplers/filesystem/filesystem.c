/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filesystem: room and inodes of mounted file systems. The list of mounts is read again when the
 * kernel says that it changed; numbers come from statfs, asked on threads that may hang (ask.h).
 * Under a root there is the list alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <weir/sampler.h>

#include "ask.h"
#include "mounts.h"

/*
 * A mount that did not answer is left alone for a minute, then for twice as long each time, up to
 * an hour.
 */
#define PAUSE_FIRST (60 * WEIR_SECOND)
#define PAUSE_MOST WEIR_HOUR
/* One that refuses us is asked again every ten minutes. */
#define PAUSE_REFUSED (600 * WEIR_SECOND)

struct mount {
	char *point, *fstype, *device;
	bool read_only;
	struct ask *ask;      /* NULL under a root */
	bool answered;        /* in this tick */
	bool troubled;        /* a capability row stands */
	int64_t pause, retry; /* back-off and its end, monotonic nanoseconds */
};

struct filesystem {
	struct weir_ctx *ctx;
	enum mounts_form form;
	struct weir_file *list;
	int watch; /* mountinfo, polled for changes; -1 none */
	bool watched, listed;
	struct asker *asker;
	struct mount *mounts;
	size_t n;
	struct ask **asks; /* [n] those to be asked now */
	struct weir_list include, exclude;
	int64_t deadline;
};

enum column { MOUNT, FSTYPE, DEVICE, SIZE, FREE, AVAILABLE, FILES, FILES_FREE, READ_ONLY };

static const struct weir_column columns[] = {
	[MOUNT] = WEIR_KEY_STR("mount", "mount point"),
	[FSTYPE] = WEIR_LABEL_STR("fstype", "type of the file system"),
	[DEVICE] = WEIR_LABEL_STR("device", "device or server that holds the file system"),
	[SIZE] = WEIR_GAUGE_U64("size", "By", "size of the file system"),
	[FREE] = WEIR_GAUGE_U64("free", "By", "free room"),
	[AVAILABLE] = WEIR_GAUGE_U64("available", "By", "free room that ordinary users may fill"),
	[FILES] = WEIR_GAUGE_U64("files", "1", "inodes; missing when they are not limited"),
	[FILES_FREE] = WEIR_GAUGE_U64("files_free", "1", "free inodes"),
	[READ_ONLY] = WEIR_GAUGE_BOOL("read_only", "whether the mount or the file system is read-only"),
};

static const struct weir_schema filesystem =
	WEIR_SERIES("filesystem", columns, "room and inodes of mounted file systems");
static const struct weir_schema *const schemas[] = { &filesystem, NULL };

static const struct weir_option options[] = {
	WEIR_LIST_OPTION(struct filesystem, include, NULL,
		"patterns of mount points to report instead of the default choice; autofs is never "
		"reported"),
	WEIR_LIST_OPTION(struct filesystem, exclude, NULL,
		"patterns of mount points to leave out of the default choice"),
	WEIR_DURATION_OPTION(struct filesystem, deadline, "2s", 10 * WEIR_MS, 60 * WEIR_SECOND,
		"how long a mount may take to answer before it counts as stuck"),
	WEIR_OPTIONS_END,
};

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * WEIR_SECOND + t.tv_nsec;
}

static int
open_filesystem(void *state, struct weir_ctx *ctx, struct weir_err *err)
{
	struct filesystem *s = state;
	const char *path = "/proc/self/mountinfo";

	s->ctx = ctx;
	if (!weir_live(ctx) && !weir_exists(ctx, "/proc/self/mountinfo")) {
		if (weir_exists(ctx, "/proc/1/mountinfo")) {
			path = "/proc/1/mountinfo";
		} else if (weir_exists(ctx, "/proc/mounts")) {
			path = "/proc/mounts";
			s->form = MOUNTS;
		}
	}
	s->list = weir_file(ctx, path, 0);
	if (!weir_live(ctx))
		return 0;
	/*
	 * The mount table tells each descriptor of its own whether it changed since that one was asked
	 * last.
	 */
	s->watch = open(path, O_RDONLY | O_CLOEXEC);
	s->watched = s->watch >= 0;
	s->asker = asker_new();
	return s->asker ? 0 : weir_fail(err, -ENOMEM, "cannot ask file systems");
}

static void
mount_free(struct filesystem *s, struct mount *m)
{
	if (m->troubled)
		weir_capability(s->ctx, m->point, WEIR_OK, "no longer mounted");
	ask_free(s->asker, m->ask);
	free(m->point);
	free(m->fstype);
	free(m->device);
}

static void
close_filesystem(void *state)
{
	struct filesystem *s = state;

	for (size_t i = 0; i < s->n; i++)
		mount_free(s, &s->mounts[i]);
	free(s->mounts);
	free(s->asks);
	asker_free(s->asker);
	if (s->watched)
		close(s->watch);
}

static bool
list_changed(struct filesystem *s)
{
	struct pollfd fd = { .fd = s->watch, .events = POLLPRI };

	if (!s->listed || !s->watched)
		return true;
	return poll(&fd, 1, 0) != 0;
}

static bool
is_text(const struct weir_scan *word, const char *text)
{
	return weir_scan_is(word, text);
}

/* Take over what is known of a mount that is still there. */
static bool
mount_take(struct filesystem *s, const struct mount_line *line, struct mount *m)
{
	for (size_t i = 0; i < s->n; i++) {
		struct mount *old = &s->mounts[i];

		if (old->point && is_text(&line->point, old->point) &&
			is_text(&line->fstype, old->fstype) && is_text(&line->device, old->device)) {
			*m = *old;
			*old = (struct mount){ 0 };
			m->read_only = line->read_only;
			return true;
		}
	}
	return false;
}

static char *
copy(const struct weir_scan *word)
{
	return strndup(word->at, weir_scan_left(word));
}

static bool
mount_make(struct filesystem *s, const struct mount_line *line, struct mount *m)
{
	*m = (struct mount){
		.point = copy(&line->point),
		.fstype = copy(&line->fstype),
		.device = copy(&line->device),
		.read_only = line->read_only,
	};
	if (m->point && s->asker)
		m->ask = ask_new(m->point);
	return m->point && m->fstype && m->device && (m->ask || !s->asker);
}

static int
read_list(struct filesystem *s, struct weir_err *err)
{
	struct weir_scan text;
	struct mount_line *lines;
	size_t n, made = 0;
	int rc = weir_read(s->list, &text, err);

	if (rc)
		return rc;
	if (mounts_list(s->form, text, &s->include, &s->exclude, &lines, &n))
		return weir_fail(err, -ENOMEM, "cannot list mounts");
	struct mount *mounts = calloc(n + 1, sizeof(*mounts));
	struct ask **asks = calloc(n + 1, sizeof(struct ask *));
	bool good = mounts && asks;

	for (; good && made < n; made++)
		good = mount_take(s, &lines[made], &mounts[made]) ||
			   mount_make(s, &lines[made], &mounts[made]);
	free(lines);
	for (size_t i = 0; i < s->n; i++)
		if (s->mounts[i].point)
			mount_free(s, &s->mounts[i]);
	free(s->mounts);
	free(s->asks);
	s->mounts = mounts;
	s->asks = asks;
	s->n = made;
	s->listed = good;
	return good ? 0 : weir_fail(err, -ENOMEM, "cannot list mounts");
}

/* It did not answer in time, or has not yet answered what it was asked long ago. */
static void
mount_stuck(struct filesystem *s, struct mount *m, int64_t now)
{
	m->pause = m->pause ? m->pause * 2 : PAUSE_FIRST;
	if (m->pause > PAUSE_MOST)
		m->pause = PAUSE_MOST;
	m->retry = now + m->pause;
	m->troubled = true;
	weir_capability(s->ctx, m->point, WEIR_FAILED,
		"stuck: '%s' does not answer; asked again in %lld s", m->device,
		(long long)(m->pause / WEIR_SECOND));
}

static void
mount_failed(struct filesystem *s, struct mount *m, int64_t now)
{
	int error = -m->ask->error;

	if (error == EAGAIN ||
		error == ENODATA) /* its turn did not come; nothing is mounted on the autofs now */
		return;
	bool refused = error == EACCES || error == EPERM;

	m->retry = refused ? now + PAUSE_REFUSED : 0;
	m->troubled = true;
	weir_capability(s->ctx, m->point, refused ? WEIR_REFUSED : WEIR_FAILED, "%s%s", strerror(error),
		refused ? ": a file system of another user's process, or a folder above it that we may not "
				  "enter needs "
				  "CAP_DAC_READ_SEARCH"
				: "");
}

static void
ask_mounts(struct filesystem *s)
{
	int64_t now = now_ns();
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct mount *m = &s->mounts[i];

		m->answered = false;
		if (now < m->retry)
			continue;
		if (ask_lost(s->asker, m->ask))
			mount_stuck(s, m, now);
		else
			s->asks[n++] = m->ask;
	}
	asker_run(s->asker, s->asks, n, s->deadline);
	int64_t end = now_ns();

	for (size_t i = 0, k = 0; i < s->n; i++) {
		struct mount *m = &s->mounts[i];

		if (k == n || s->asks[k] != m->ask)
			continue;
		k++;
		if (ask_lost(s->asker, m->ask)) {
			mount_stuck(s, m, end);
			continue;
		}
		m->answered = m->ask->error == 0;
		if (!m->answered) {
			mount_failed(s, m, end);
			continue;
		}
		m->pause = m->retry = 0;
		if (m->troubled)
			weir_capability(s->ctx, m->point, WEIR_OK, "answers");
		m->troubled = false;
	}
}

static void
set_bytes(struct weir_row *row, size_t column, uint64_t blocks, uint64_t size)
{
	uint64_t bytes;

	if (!__builtin_mul_overflow(blocks, size, &bytes))
		weir_set_u64(row, column, bytes);
}

static void
set_numbers(struct weir_row *row, const struct statfs *answer)
{
	uint64_t block = (uint64_t)(answer->f_frsize ? answer->f_frsize : answer->f_bsize);

	set_bytes(row, SIZE, answer->f_blocks, block);
	set_bytes(row, FREE, answer->f_bfree, block);
	/*
	 * Room below what is reserved for root is negative on some file systems, and there is none
	 * then.
	 */
	set_bytes(row, AVAILABLE, (int64_t)answer->f_bavail < 0 ? 0 : answer->f_bavail, block);
	if (answer->f_files) {
		weir_set_u64(row, FILES, answer->f_files);
		weir_set_u64(row, FILES_FREE, answer->f_ffree);
	}
}

static int
sample(void *state, struct weir_out *out, struct weir_err *err)
{
	struct filesystem *s = state;

	if (list_changed(s)) {
		int rc = read_list(s, err);

		if (rc)
			return rc;
	}
	if (s->asker)
		ask_mounts(s);
	for (size_t i = 0; i < s->n; i++) {
		const struct mount *m = &s->mounts[i];
		struct weir_row *row = weir_row(out, 0);

		weir_set_text(row, MOUNT, m->point);
		weir_set_text(row, FSTYPE, m->fstype);
		weir_set_text(row, DEVICE, m->device);
		weir_set_bool(row, READ_ONLY, m->read_only);
		if (m->answered)
			set_numbers(row, &m->ask->answer);
	}
	if (s->n) {
		weir_capability(s->ctx, "mounts", WEIR_OK, NULL);
		return 0;
	}
	weir_capability(s->ctx, "mounts", WEIR_ABSENT,
		"no mount passes the filter: name some with 'include'");
	return weir_failx(err, -ENODATA, "no mount passes the filter: name some with 'include'");
}

static const char description[] =
	"Only file systems with a device or a server are reported, and tmpfs at /tmp, "
	"/dev/shm and /run; bind mounts are not. Sizes of btrfs, ZFS and bcachefs are not "
	"additive over their subvolumes; Lustre, and XFS with project quota, show the whole "
	"file system. A mount that does not answer has no numbers, and a row of capability "
	"says so; it is asked again after a minute, then ever less often, up to an hour. A "
	"file system in user space of another user needs root. Under a root there are no "
	"numbers.";

WEIR_PLUGIN(.kind = WEIR_SAMPLER, .name = "filesystem",
	.summary = "room and inodes of mounted file systems", .flags = WEIR_BLOCKING,
	.description = description, .state_size = sizeof(struct filesystem), .options = options,
	.schemas = schemas, .open = open_filesystem, .close = close_filesystem,
	.sampler = { .sample = sample });
