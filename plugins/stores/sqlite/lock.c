/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One writer per database: FILE.lock, taken with flock and holding "HOST PID NAME". sqlite's own
 * locks stay as they are, so readers come and go.
 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the file would be: its folder resolved, the last part as it is. */
static char *
resolve_missing(const char *path, bool make, struct weir_err *err)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	if (!folder || !*base) {
		free(folder);
		weir_failx(err, folder ? -ENOMEM : -EISDIR, "'%s' is no name of a file", path);
		return NULL;
	}
	/* One level only: a deeper path that is missing is rather a file system that is not mounted. */
	if (make && mkdir(folder, 0755) < 0 && errno != EEXIST) {
		weir_fail(err, -errno, "cannot make the folder '%s'", folder);
		free(folder);
		return NULL;
	}
	char *real = realpath(folder, NULL);
	char *whole = NULL;
	if (!real)
		weir_fail(err, -errno, "cannot find the folder '%s' of '%s'", folder, path);
	else if (asprintf(&whole, "%s/%s", strcmp(real, "/") == 0 ? "" : real, base) < 0) {
		whole = NULL;
		weir_fail(err, -ENOMEM, "cannot open '%s'", path);
	}
	free(real);
	free(folder);
	return whole;
}

char *
path_resolve(const char *path, bool make, struct weir_err *err)
{
	if (!*path) {
		weir_failx(err, -EINVAL, "'path' is empty: name the database file");
		return NULL;
	}
	char *real = realpath(path, NULL);
	if (!real && errno == ENOENT)
		return resolve_missing(path, make, err);
	struct stat status;
	if (real && stat(real, &status) == 0 && S_ISREG(status.st_mode))
		return real;
	if (!real)
		weir_fail(err, -errno, "cannot open '%s'", path);
	else
		weir_failx(err, -EINVAL, "'%s' is no file: name the database file", path);
	free(real);
	return NULL;
}

/* What the holder wrote, without anything that would disturb a terminal. */
static void
read_holder(int fd, char *holder, size_t room)
{
	ssize_t size = pread(fd, holder, room - 1, 0);
	size_t n = size > 0 ? (size_t)size : 0;
	while (n > 0 && (holder[n - 1] == '\n' || holder[n - 1] == ' '))
		n--;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)holder[i] < ' ' || holder[i] == 0x7f)
			holder[i] = '?';
	holder[n] = '\0';
}

/* The lock holds without it, and a full disk shall not keep the program from starting: no error. */
static void
write_holder(int fd, const char *name)
{
	char host[HOST_NAME_MAX + 1] = "";
	if (gethostname(host, sizeof(host) - 1) < 0)
		snprintf(host, sizeof(host), "localhost");
	char text[256];
	int length = snprintf(text, sizeof(text), "%s %ld %s\n", host, (long)getpid(), name);
	size_t size = length < (int)sizeof(text) ? (size_t)length : sizeof(text) - 1;
	if (ftruncate(fd, 0) == 0 && pwrite(fd, text, size, 0) < 0)
		return;
}

int
path_lock(const char *file, const char *name, struct weir_err *err)
{
	char *path = NULL;
	if (asprintf(&path, "%s.lock", file) < 0)
		return weir_fail(err, -ENOMEM, "cannot lock '%s'", file);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	int rc = fd < 0 ? weir_fail(err, -errno, "cannot open the lock file '%s'", path) : 0;
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		char holder[256];
		rc = -errno;
		read_holder(fd, holder, sizeof(holder));
		if (rc == -EWOULDBLOCK)
			rc = weir_failx(err, -EBUSY,
				"'%s' is written by '%s' (host, process, name): stop it or name another file", file,
				*holder ? holder : "a process that has not said its name");
		else
			weir_fail(err, rc, "cannot lock '%s'", path);
	} else if (fd >= 0) {
		write_holder(fd, name);
	}
	free(path);
	if (rc && fd >= 0)
		close(fd);
	return rc ? rc : fd;
}
