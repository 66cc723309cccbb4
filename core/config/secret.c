/* SPDX-License-Identifier: Apache-2.0 */
/* Reading secrets. The check and the read use one descriptor, so the file cannot be exchanged
 * between them. */
#include "config/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MAX 65536

static int
check_file(int fd, const char *path, bool ours, struct weir_err *err)
{
	struct stat status;

	if (fstat(fd, &status))
		return weir_fail(err, -errno, "cannot read '%s'", path);
	if (!S_ISREG(status.st_mode))
		return weir_failx(err, -EINVAL, "'%s' is no regular file", path);
	if (ours && status.st_uid != 0 && status.st_uid != geteuid())
		return weir_failx(err, -EPERM,
			"'%s' belongs to user %u: it must belong to root or to the user Weir runs as", path,
			(unsigned)status.st_uid);
	if (ours && (status.st_mode & 077))
		return weir_failx(err, -EPERM,
			"'%s' is open to others than its owner (mode %04o): chmod 600 '%s'", path,
			(unsigned)status.st_mode & 07777, path);
	return 0;
}

/* Reads up to one byte more than allowed. */
static ssize_t
read_all(int fd, char *buffer, size_t room)
{
	size_t size = 0;

	while (size < room) {
		ssize_t n = read(fd, buffer + size, room - size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		size += (size_t)n;
	}
	return (ssize_t)size;
}

static int
take_content(const char *path, const char *content, size_t size, struct arena *arena,
	const char **secret, struct weir_err *err)
{
	if (size > SECRET_MAX)
		return weir_failx(err, -EFBIG, "'%s' is larger than 64 KiB", path);
	if (memchr(content, 0, size))
		return weir_failx(err, -EINVAL, "'%s' holds a NUL byte: write the secret as text", path);
	while (size > 0 && (content[size - 1] == '\n' || content[size - 1] == '\r'))
		size--;
	*secret = arena_copy(arena, content, size);
	return *secret ? 0 : weir_failx(err, -ENOMEM, "out of memory");
}

static int
read_secret(
	const char *path, bool ours, struct arena *arena, const char **secret, struct weir_err *err)
{
	/* O_NONBLOCK: opening a named pipe must not wait for its writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return weir_fail(err, -errno, "cannot open '%s'", path);
	int error = check_file(fd, path, ours, err);
	char *content = error ? NULL : malloc(SECRET_MAX + 1);
	if (!error && !content)
		error = weir_failx(err, -ENOMEM, "out of memory");
	ssize_t size = error ? 0 : read_all(fd, content, SECRET_MAX + 1);
	close(fd);
	if (size < 0)
		error = weir_fail(err, (int)size, "cannot read '%s'", path);
	if (!error)
		error = take_content(path, content, (size_t)size, arena, secret, err);
	if (content)
		explicit_bzero(content, SECRET_MAX + 1);
	free(content);
	return error;
}

int
secret_read_file(const char *path, struct arena *arena, const char **secret, struct weir_err *err)
{
	if (path[0] != '/')
		return weir_failx(err, -EINVAL, "'%s' is no absolute path", path);
	return read_secret(path, true, arena, secret, err);
}

int
secret_read_credential(
	const char *name, struct arena *arena, const char **secret, struct weir_err *err)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");

	if (!*name || name[0] == '.' || strchr(name, '/') || strlen(name) > 255)
		return weir_failx(
			err, -EINVAL, "'%s' is no name of a credential: a file name without '/'", name);
	if (!folder || !*folder)
		return weir_failx(err, -ENOENT,
			"no credential '%s': CREDENTIALS_DIRECTORY is not set (systemd sets it: "
			"LoadCredential=%s:PATH)",
			name, name);
	char *path = arena_printf(arena, "%s/%s", folder, name);
	if (!path)
		return weir_failx(err, -ENOMEM, "out of memory");
	return read_secret(path, false, arena, secret, err);
}
