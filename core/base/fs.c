/* SPDX-License-Identifier: Apache-2.0 */
/* Files and folders: made, read whole, replaced atomically, locked. */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
is_folder(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* 0 when it is there afterwards. Automounters and read-only file systems answer mkdir of what
 * exists with other errors than EEXIST. */
static int
make_one(const char *path, mode_t mode)
{
	if (mkdir(path, mode) == 0)
		return 0;
	int code = -errno;
	if (is_folder(path))
		return 0;
	return code == -EEXIST ? -ENOTDIR : code;
}

int
fs_make_folder(const char *path, mode_t mode, struct weir_err *err)
{
	if (is_folder(path))
		return 0;
	char *copy = strdup(path);
	if (!copy)
		return weir_fail(err, -ENOMEM, "cannot make folder '%s'", path);
	int rc = 0;
	for (char *at = copy; rc == 0 && *at; at++) {
		if (*at != '/' || at == copy || at[-1] == '/')
			continue;
		*at = '\0';
		rc = make_one(copy, mode);
		if (rc == 0)
			*at = '/';
	}
	if (rc == 0)
		rc = make_one(copy, mode);
	if (rc < 0 && strcmp(copy, path) == 0)
		weir_fail(err, rc, "cannot make folder '%s'", path);
	else if (rc < 0)
		weir_fail(err, rc, "cannot make folder '%s' for '%s'", copy, path);
	free(copy);
	return rc;
}

/* Reads to the end; the size that fstat told is a hint only (0 in /proc, and a file may grow). Room
 * for `room` bytes and a NUL. */
static int
read_all(int fd, size_t room, size_t limit, char **text, size_t *size)
{
	char *data = malloc(room + 1);
	size_t used = 0;
	int rc = data ? 0 : -ENOMEM;
	while (rc == 0) {
		ssize_t got = read(fd, data + used, room + 1 - used);
		if (got < 0 && errno != EINTR)
			rc = -errno;
		if (got == 0)
			break;
		used += got > 0 ? (size_t)got : 0;
		if (used > limit)
			rc = -EFBIG;
		if (rc == 0 && used > room) {
			room = room < limit / 2 ? room * 2 : limit;
			char *more = realloc(data, room + 1);
			if (more)
				data = more;
			else
				rc = -ENOMEM;
		}
	}
	if (rc < 0) {
		free(data);
		return rc;
	}
	data[used] = '\0';
	*text = data;
	*size = used;
	return 0;
}

static int
read_open(int fd, const char *path, size_t limit, char **text, size_t *size, struct weir_err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return weir_fail(err, -errno, "cannot read '%s'", path);
	if (!S_ISREG(st.st_mode))
		return weir_failx(err, -EINVAL, "'%s' is no regular file", path);
	int rc = -EFBIG;
	if ((uint64_t)st.st_size <= limit) {
		size_t hint = st.st_size > 0 ? (size_t)st.st_size : 4096;
		rc = read_all(fd, hint < limit ? hint : limit, limit, text, size);
	}
	if (rc == -EFBIG)
		return weir_failx(err, rc, "'%s' is larger than %zu bytes", path, limit);
	if (rc < 0)
		return weir_fail(err, rc, "cannot read '%s'", path);
	return 0;
}

int
fs_read(const char *path, size_t limit, char **text, size_t *size, struct weir_err *err)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return weir_fail(err, -errno, "cannot open '%s'", path);
	size_t unused = 0;
	if (limit > SIZE_MAX - 1)
		limit = SIZE_MAX - 1;
	int rc = read_open(fd, path, limit, text, size ? size : &unused, err);
	close(fd);
	return rc;
}

int
fs_write_all(int fd, const void *data, size_t size)
{
	const char *at = data;
	while (size > 0) {
		ssize_t written = write(fd, at, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		if (written == 0)
			return -EIO;
		at += written;
		size -= (size_t)written;
	}
	return 0;
}

/* A rename lasts once its folder is on disk. File systems that cannot sync a folder say EINVAL. */
static int
sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = !slash          ? strdup(".")
				   : slash == path ? strdup("/")
								   : strndup(path, (size_t)(slash - path));
	if (!folder)
		return -ENOMEM;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -errno : 0;
	free(folder);
	if (fd < 0)
		return rc;
	if (fsync(fd) < 0 && errno != EINVAL)
		rc = -errno;
	close(fd);
	return rc;
}

/* A new file: one left behind may have a mode that lets others read, or be a link. */
static int
write_new(const char *path, const void *data, size_t size, mode_t mode)
{
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	int rc = fs_write_all(fd, data, size);
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc < 0)
		unlink(path);
	return rc;
}

int
fs_replace(const char *path, const void *data, size_t size, mode_t mode, struct weir_err *err)
{
	char *temporary = NULL;
	if (asprintf(&temporary, "%s.tmp", path) < 0)
		return weir_fail(err, -ENOMEM, "cannot write '%s'", path);
	int rc = write_new(temporary, data, size, mode);
	if (rc < 0)
		weir_fail(err, rc, "cannot write '%s'", temporary);
	if (rc == 0 && rename(temporary, path) < 0) {
		rc = weir_fail(err, -errno, "cannot rename '%s' to '%s'", temporary, path);
		unlink(temporary);
	} else if (rc == 0) {
		rc = sync_folder_of(path);
		if (rc < 0)
			weir_fail(err, rc, "cannot sync the folder of '%s'", path);
	}
	free(temporary);
	return rc;
}

/* The holder's words, their first line; `room` bytes. */
static void
read_holder(int fd, char *text, size_t room)
{
	ssize_t got = pread(fd, text, room - 1, 0);
	text[got > 0 ? got : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	for (char *at = text; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
}

static int
write_holder(int fd, const char *name)
{
	char host[256] = "?";
	char text[512];
	(void)gethostname(host, sizeof(host) - 1);
	int size = snprintf(text, sizeof(text), "%s %ld %s\n", host, (long)getpid(), name);
	size = size < (int)sizeof(text) ? size : (int)sizeof(text) - 1;
	/* The new words stand before the old ones are cut, so that a reader never finds the file empty.
	 */
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	int rc = fs_write_all(fd, text, (size_t)size);
	if (rc == 0 && ftruncate(fd, size) < 0)
		rc = -errno;
	return rc;
}

/* Never descriptor 0, which is free when standard input is closed. */
static int
open_lock(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
	if (fd != 0)
		return fd < 0 ? -errno : fd;
	int other = fcntl(fd, F_DUPFD_CLOEXEC, 1);
	int rc = other < 0 ? -errno : other;
	close(fd);
	return rc;
}

int
fs_lock(const char *path, const char *name, struct weir_err *err)
{
	int fd = open_lock(path);
	if (fd < 0)
		return weir_fail(err, fd, "cannot open the lock file '%s'", path);
	int rc = flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
	if (rc == -EWOULDBLOCK) {
		char holder[256];
		read_holder(fd, holder, sizeof(holder));
		rc = weir_failx(err, -EBUSY, "'%s' is locked by '%s' (host, process, name)", path,
			holder[0] ? holder : "a process that has not written its name yet");
	} else if (rc < 0) {
		weir_fail(err, rc, "cannot lock '%s'", path);
	} else {
		rc = write_holder(fd, name);
		if (rc < 0)
			weir_fail(err, rc, "cannot write to the lock file '%s'", path);
	}
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

char *
fs_join(const char *folder, const char *name)
{
	char *path = NULL;
	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}
