/* SPDX-License-Identifier: Apache-2.0 */
/* Small files read once, and facts set from them. */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static ssize_t __attribute__((format(printf, 4, 0)))
read_path(const struct host *h, char *out, size_t room, const char *path_format, va_list arguments)
{
	char path[PATH_MAX];
	int root = snprintf(path, sizeof(path), "%s", weir_root(h->ctx));

	out[0] = '\0';
	if (root < 0 || root >= (int)sizeof(path))
		return -ENAMETOOLONG;
	int rest = vsnprintf(path + root, sizeof(path) - (size_t)root, path_format, arguments);

	if (rest < 0 || rest >= (int)sizeof(path) - root)
		return -ENAMETOOLONG;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	size_t size = 0;
	ssize_t n = 0;

	/* seq_file gives a page at most at a time. */
	while (size < room - 1 && (n = read(fd, out + size, room - 1 - size)) > 0)
		size += (size_t)n;
	if (n < 0)
		n = -errno;
	close(fd);
	out[size] = '\0';
	return n < 0 ? n : (ssize_t)size;
}

static bool
first_line(const char *text, ssize_t size, struct weir_scan *line)
{
	struct weir_scan scan = weir_scan(text, size > 0 ? (size_t)size : 0);

	if (!weir_scan_whole_line(&scan, line))
		return false;
	weir_scan_blanks(line);
	while (line->end > line->at && (line->end[-1] == ' ' || line->end[-1] == '\t'))
		line->end--;
	/* What holds control characters is no text of the kernel or the firmware. */
	for (const char *at = line->at; at < line->end; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return false;
	return true;
}

ssize_t
host_read(const struct host *h, char *out, size_t room, const char *path_format, ...)
{
	va_list arguments;

	va_start(arguments, path_format);
	ssize_t size = read_path(h, out, room, path_format, arguments);

	va_end(arguments);
	return size;
}

bool
host_line(const struct host *h, char *out, size_t room, struct weir_scan *line,
	const char *path_format, ...)
{
	va_list arguments;

	va_start(arguments, path_format);
	ssize_t size = read_path(h, out, room, path_format, arguments);

	va_end(arguments);
	return first_line(out, size, line);
}

bool
host_number(const struct host *h, uint64_t *value, const char *path_format, ...)
{
	char text[64];
	va_list arguments;
	struct weir_scan line;

	va_start(arguments, path_format);
	ssize_t size = read_path(h, text, sizeof(text), path_format, arguments);

	va_end(arguments);
	return first_line(text, size, &line) && weir_scan_u64(&line, value) && line.at == line.end;
}

/* Columns differ in the hash by their number, so that a value that moves is a change. */
static void
count_fact(struct facts *f, size_t column, const void *value, size_t size)
{
	uint64_t place = column;

	f->n++;
	*f->hash = weir_hash64(value, size, weir_hash64(&place, sizeof(place), *f->hash));
}

void
fact_text(struct facts *f, size_t column, const char *text, size_t length)
{
	weir_set_str(f->row, column, text, length);
	count_fact(f, column, text, length);
}

void
fact_scan(struct facts *f, size_t column, const struct weir_scan *text)
{
	if (weir_scan_left(text))
		fact_text(f, column, text->at, weir_scan_left(text));
}

void
fact_number(struct facts *f, size_t column, uint64_t value)
{
	weir_set_integer(f->row, column, value);
	count_fact(f, column, &value, sizeof(value));
}

void
fact_file(struct facts *f, size_t column, const char *path)
{
	char text[4096];
	struct weir_scan line;

	if (host_line(f->host, text, sizeof(text), &line, "%s", path))
		fact_scan(f, column, &line);
}

void
fact_number_file(struct facts *f, size_t column, uint64_t factor, const char *path)
{
	uint64_t value;

	if (host_number(f->host, &value, "%s", path) && !__builtin_mul_overflow(value, factor, &value))
		fact_number(f, column, value);
}
