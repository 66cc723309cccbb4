/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that samplers keep open and read anew each tick, and the bookkeeping of those that cannot
 * be read: why, said once, and when to try again. Texts are handed out in the instance's one
 * buffer.
 */
#include <weir/sampler.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/instance.h"
#include "plugin/keys.h"

enum {
	FIRST_SMALL = 256,    /* bytes asked for */
	FIRST_PAGES = 4,      /* the same, of other files; reserved, not touched */
	LONGEST_LINE = 1024,  /* what WEIR_READ_LINES promises */
	MOST_ROOM = 64 << 20, /* no kernel file comes near; a log file put in its place does */
	NOT_REGULAR = 10000,  /* errors beyond errno's, for the reason alone */
	IS_FOLDER,
};

struct weir_file {
	struct weir_file *next;
	struct weir_ctx *ctx;
	char *path; /* without the root */
	unsigned flags;
	int fd;
	size_t ask;     /* that took in the whole file last time */
	size_t page;    /* what seq_file hands out at most */
	int64_t failed; /* since when it cannot be read */
	int64_t retry;  /* when to try again; 0: it can be read */
	bool told;      /* a capability row stands */
};

struct weir_file *
weir_file(struct weir_ctx *ctx, const char *path, unsigned flags)
{
	struct weir_file *file = calloc(1, sizeof(*file));
	char *copy = strdup(path);

	if (!file || !copy) {
		free(file);
		free(copy);
		return NULL;
	}
	*file = (struct weir_file){
		.next = ctx->files,
		.ctx = ctx,
		.path = copy,
		.flags = flags,
		.fd = -1,
		.page = weir_page_size(0),
		.ask = flags & WEIR_READ_SMALL ? FIRST_SMALL : FIRST_PAGES * weir_page_size(0) - 1,
	};
	ctx->files = file;
	return file;
}

static void
file_free(struct weir_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	free(file->path);
	free(file);
}

void
weir_file_close(struct weir_file *file)
{
	if (!file)
		return;
	struct weir_file **link = &file->ctx->files;

	while (*link && *link != file)
		link = &(*link)->next;
	if (*link)
		*link = file->next;
	if (file->told)
		weir_capability(file->ctx, file->path, WEIR_OK, "%s", "no longer there");
	file_free(file);
}

void
file_free_all(struct weir_ctx *ctx)
{
	while (ctx->files) {
		struct weir_file *file = ctx->files;

		ctx->files = file->next;
		file_free(file);
	}
}

/*
 * 0, or a negative error. A named pipe or a device in the file's place must not hold the loop:
 * hence O_NONBLOCK.
 */
static int
file_open(struct weir_file *file)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s%s", file->ctx->root, file->path) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	struct stat status;
	int error = fstat(fd, &status) ? -errno : 0;

	if (!error && !S_ISREG(status.st_mode))
		error = S_ISDIR(status.st_mode) ? -IS_FOLDER : -NOT_REGULAR;
	if (error)
		close(fd);
	else
		file->fd = fd;
	return error;
}

/* Room for at least `more` bytes behind the first `size` and a NUL. */
static int
reserve(struct text *buffer, size_t size, size_t more)
{
	size_t room = buffer->room ? buffer->room : FIRST_PAGES * weir_page_size(0);

	while (room < size + more + 1)
		room *= 2;
	if (room > MOST_ROOM)
		return -EFBIG;
	if (room == buffer->room)
		return 0;
	char *data = realloc(buffer->data, room);

	if (!data)
		return -ENOMEM;
	buffer->data = data;
	buffer->room = room;
	return 0;
}

static ssize_t
read_at(const struct weir_file *file, size_t at, size_t room)
{
	for (;;) {
		ssize_t n = pread(file->fd, file->ctx->buffer.data + at, room, (off_t)at);

		if (n >= 0)
			return n;
		if (errno != EINTR)
			return -errno;
	}
}

/*
 * A read that fills the room may have left something out: the kernel makes the text anew, so it is
 * read anew, with more room.
 */
static ssize_t
read_once(struct weir_file *file)
{
	for (;; file->ask *= 2) {
		int error = reserve(&file->ctx->buffer, 0, file->ask);

		if (error)
			return error;
		ssize_t n = read_at(file, 0, file->ask);

		if (n < 0 || (size_t)n < file->ask)
			return n;
	}
}

/*
 * seq_file hands out whole records of at most a page. With records that are short, a read that
 * leaves the longest of them free was the last, and the read that would say so by 0 can be saved.
 */
static ssize_t
read_on(struct weir_file *file)
{
	struct text *buffer = &file->ctx->buffer;
	size_t page = file->page;

	for (size_t size = 0;;) {
		int error = reserve(buffer, size, page);

		if (error)
			return error;
		size_t room = buffer->room - 1 - size;
		ssize_t n = read_at(file, size, room);

		if (n < 0)
			return n;
		size += (size_t)n;
		if (n == 0 || ((file->flags & WEIR_READ_LINES) && (size_t)n < room &&
						  (size_t)n + LONGEST_LINE <= page))
			return (ssize_t)size;
	}
}

static ssize_t
file_read(struct weir_file *file)
{
	return file->flags & (WEIR_READ_ONCE | WEIR_READ_SMALL) ? read_once(file) : read_on(file);
}

static enum weir_status
status_of(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ENXIO:
	case ENODEV:
	case ESRCH:
		return WEIR_ABSENT;
	case EACCES:
	case EPERM:
		return WEIR_REFUSED;
	case EOPNOTSUPP:
	case ENOSYS:
		return WEIR_UNSUPPORTED;
	default:
		return WEIR_FAILED;
	}
}

/* Files of other processes are guarded by ptrace's rule, all else by the file's mode. */
static const char *
missing_capability(const char *path)
{
	static const char process[] = "/proc/";
	bool of_process = !strncmp(path, process, sizeof(process) - 1) &&
					  (unsigned)(path[sizeof(process) - 1] - '0') <= 9;

	return of_process ? "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH" : "CAP_DAC_READ_SEARCH";
}

/* In plain words; `room` is what strerror_r may need. */
static const char *
reason_of(const struct weir_file *file, int error, char *room, size_t size)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return "there is no such file";
	case ENXIO:
	case ENODEV:
	case ESRCH:
		return "the device or process that it tells of is gone";
	case EACCES:
		snprintf(room, size, "permission denied: needs %s", missing_capability(file->path));
		return room;
	case EPERM:
		return "not permitted: needs CAP_SYS_ADMIN, or the kernel is locked down";
	case EOPNOTSUPP:
	case ENOSYS:
		return "this kernel does not have it or has it switched off";
	case EMFILE:
	case ENFILE:
		return "no file descriptor is left: raise LimitNOFILE= of the unit (ulimit -n)";
	case EFBIG:
		return "longer than 64 MiB";
	case EISDIR:
	case IS_FOLDER:
		return "a folder stands in its place";
	case NOT_REGULAR:
		return "a pipe, socket or device stands in its place";
	default:
		return strerror_r(error, room, size);
	}
}

static int
file_failed(struct weir_file *file, int error, struct weir_err *err)
{
	enum weir_status status = status_of(error);
	int64_t seconds = error == EMFILE || error == ENFILE ? 0 : status == WEIR_REFUSED ? 600 : 60;
	char room[200];
	const char *reason = reason_of(file, error, room, sizeof(room));

	file->failed = file->ctx->now;
	file->retry = file->failed + seconds * 1000000;
	if (status != WEIR_ABSENT || !(file->flags & WEIR_READ_OPTIONAL)) {
		weir_capability(file->ctx, file->path, status, "%s", reason);
		file->told = true;
	} else if (file->told) {
		weir_capability(file->ctx, file->path, WEIR_OK, "%s", "not there, and not needed");
		file->told = false;
	}
	return weir_failx(
		err, -ENODATA, "nothing from '%s%s': %s", file->ctx->root, file->path, reason);
}

static void
file_recovered(struct weir_file *file)
{
	file->retry = 0;
	if (!file->told)
		return;
	file->told = false;
	weir_capability(file->ctx, file->path, WEIR_OK, "%s", "readable");
	keys_report_again(file->ctx, file->path);
}

int
weir_read(struct weir_file *file, struct weir_scan *text, struct weir_err *err)
{
	*text = weir_scan("", 0);
	if (!file)
		return weir_failx(err, -ENOMEM, "out of memory");
	struct weir_ctx *ctx = file->ctx;

	/* A clock set back must not keep the file shut for long. */
	if (file->retry && ctx->now >= file->failed && ctx->now < file->retry)
		return weir_failx(
			err, -ENODATA, "nothing from '%s%s', tried again later", ctx->root, file->path);
	ssize_t size = file->fd >= 0 ? file_read(file) : -EBADF;

	if (size == -EBADF || size == -ENODEV || size == -ESRCH || size == -ESTALE || size == -ENXIO) {
		if (file->fd >= 0)
			close(file->fd);
		file->fd = -1;
		size = file_open(file);
		if (size == 0)
			size = file_read(file);
	}
	if (size < 0)
		return file_failed(file, (int)-size, err);
	if (file->retry)
		file_recovered(file);
	ctx->buffer.data[size] = '\0';
	*text = weir_scan(ctx->buffer.data, (size_t)size);
	return 0;
}
