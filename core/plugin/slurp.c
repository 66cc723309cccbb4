/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small things below an instance's root that are looked at now and then: files read once, folders,
 * links; and users' filters.
 */
#include <weir/sampler.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/instance.h"

static bool
path_of(const struct weir_ctx *ctx, char *path, const char *format, va_list arguments)
{
	int root = snprintf(path, PATH_MAX, "%s", ctx->root);

	if (root < 0 || root >= PATH_MAX)
		return false;
	int rest = vsnprintf(path + root, PATH_MAX - (size_t)root, format, arguments);

	return rest >= 0 && rest < PATH_MAX - root;
}

/* At most room - 1 bytes; -EFBIG when there are more, for half a number is none. */
static ssize_t
slurp_open_file(int fd, char *out, size_t room)
{
	struct stat status;
	char more;
	ssize_t n = -1;

	if (fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	while ((n = read(fd, out, room - 1)) < 0 && errno == EINTR)
		;
	if (n < 0)
		return -errno;
	if ((size_t)n == room - 1 && read(fd, &more, 1) == 1 && more != '\n')
		return -EFBIG;
	while (n > 0 && out[n - 1] == '\n')
		n--;
	return n;
}

static ssize_t
slurp(const char *path, char *out, size_t room)
{
	if (room == 0)
		return -EINVAL;
	out[0] = '\0';
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	ssize_t n = slurp_open_file(fd, out, room);

	close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n;
}

ssize_t
weir_slurp(const struct weir_ctx *ctx, char *out, size_t room, const char *path_format, ...)
{
	char path[PATH_MAX];
	va_list arguments;

	va_start(arguments, path_format);
	bool fits = path_of(ctx, path, path_format, arguments);

	va_end(arguments);
	return fits ? slurp(path, out, room) : -ENAMETOOLONG;
}

bool
weir_slurp_u64(const struct weir_ctx *ctx, uint64_t *value, const char *path_format, ...)
{
	char path[PATH_MAX], text[64];
	va_list arguments;

	va_start(arguments, path_format);
	bool fits = path_of(ctx, path, path_format, arguments);

	va_end(arguments);
	ssize_t n = fits ? slurp(path, text, sizeof(text)) : -ENAMETOOLONG;

	if (n <= 0)
		return false;
	struct weir_scan scan = weir_scan(text, (size_t)n);
	uint64_t number = 0;

	if (!weir_scan_u64(&scan, &number))
		return false;
	weir_scan_blanks(&scan);
	if (weir_scan_left(&scan))
		return false;
	*value = number;
	return true;
}

bool
weir_exists(const struct weir_ctx *ctx, const char *path_format, ...)
{
	char path[PATH_MAX];
	va_list arguments;

	va_start(arguments, path_format);
	bool fits = path_of(ctx, path, path_format, arguments);

	va_end(arguments);
	/* access() judges by the real user, who has not the capabilities that the process was given. */
	struct stat status;

	return fits && stat(path, &status) == 0;
}

DIR *
weir_folder(const struct weir_ctx *ctx, const char *path_format, ...)
{
	char path[PATH_MAX];
	va_list arguments;

	va_start(arguments, path_format);
	bool fits = path_of(ctx, path, path_format, arguments);

	va_end(arguments);
	if (fits)
		return opendir(path);
	errno = ENAMETOOLONG;
	return NULL;
}

ssize_t
weir_link_name(const struct weir_ctx *ctx, char *out, size_t room, const char *path_format, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	va_list arguments;

	va_start(arguments, path_format);
	bool fits = path_of(ctx, path, path_format, arguments);

	va_end(arguments);
	if (!fits)
		return -ENAMETOOLONG;
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	const char *slash = strrchr(target, '/');
	const char *name = slash ? slash + 1 : target;
	size_t length = strlen(name);

	if (length >= room)
		return -EFBIG;
	memcpy(out, name, length + 1);
	return (ssize_t)length;
}

static bool
any_matches(const struct weir_list *patterns, const char *name)
{
	for (size_t i = 0; i < patterns->n; i++)
		if (pattern_match(patterns->item[i], name))
			return true;
	return false;
}

bool
weir_selected(const struct weir_list *include, const struct weir_list *exclude, const char *name,
	size_t length)
{
	char text[PATH_MAX];
	bool chosen = include && include->n;

	/* No device, mount or interface has such a name. */
	if (length >= sizeof(text))
		return false;
	memcpy(text, name, length);
	text[length] = '\0';
	return chosen ? any_matches(include, text) : !exclude || !any_matches(exclude, text);
}

uint64_t
weir_page_size(uint64_t option)
{
	return option ? option : (uint64_t)sysconf(_SC_PAGESIZE);
}
