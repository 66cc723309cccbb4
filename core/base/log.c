/* SPDX-License-Identifier: Apache-2.0 */
/* Writes log lines, each with one write() so that lines of several threads and processes do not
 * mix. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/fs.h"
#include "base/log_fold.h"

#define TEXT_MAX 2048

struct log {
	enum log_level level;
	bool journal;
	int fd;
	char *path; /* of a file, else NULL */
	pthread_mutex_t mutex;
	struct log_fold fold;
};

static int
open_file(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
}

struct log *
log_new(enum log_level level, const char *target)
{
	struct log *log = calloc(1, sizeof(*log));
	if (!log)
		return NULL;
	log->level = level;
	log->journal = strcmp(target, "journal") == 0;
	log->fd = STDERR_FILENO;
	pthread_mutex_init(&log->mutex, NULL);
	if (log->journal || strcmp(target, "stderr") == 0)
		return log;
	log->path = strdup(target);
	if (!log->path) {
		log_free(log);
		return NULL;
	}
	int fd = open_file(target);
	if (fd >= 0)
		log->fd = fd;
	else
		log_line(log, LOG_LEVEL_WARNING, "log", "cannot open '%s', logging on standard error: %s",
			target, strerror(errno));
	return log;
}

/* A file that was renamed or removed (logrotate) is made anew; while that fails the old one goes
 * on. */
static void
follow_path(struct log *log)
{
	struct stat here, there;
	if (!log->path)
		return;
	bool same = log->fd != STDERR_FILENO && stat(log->path, &there) == 0 &&
				fstat(log->fd, &here) == 0 && here.st_dev == there.st_dev &&
				here.st_ino == there.st_ino;
	int fd = same ? -1 : open_file(log->path);
	if (fd < 0)
		return;
	if (log->fd != STDERR_FILENO)
		close(log->fd);
	log->fd = fd;
}

/* One line stays one line, and no terminal sequence gets through. */
static void
clean(char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			text[i] = text[i] == '\n' || text[i] == '\t' || text[i] == '\r' ? ' ' : '?';
}

static void
write_line(int fd, bool journal, enum log_level level, const char *subject, const char *text,
	uint64_t count)
{
	static const char priorities[] = { '3', '4', '6', '7' };
	static const char levels[][8] = { "error", "warning", "info", "debug" };

	char line[TEXT_MAX + 512];
	char time[FORMAT_MAX + 1];
	char repeats[64] = "";
	*format_time(time, clock_wall_us()) = '\0';
	if (count > 0)
		snprintf(
			repeats, sizeof(repeats), " (%llu more of these before)", (unsigned long long)count);
	const char *colon = *subject ? ": " : "";
	int size = journal ? snprintf(line, sizeof(line), "<%c>%.256s%s%s%s\n", priorities[level],
							 subject, colon, text, repeats)
					   : snprintf(line, sizeof(line), "%s %s %.256s%s%s%s\n", time, levels[level],
							 subject, colon, text, repeats);
	if (size <= 0 || (size_t)size >= sizeof(line))
		return;
	clean(line, (size_t)size - 1);
	/* Where the log cannot be written there is nobody to tell. */
	(void)fs_write_all(fd, line, (size_t)size);
}

static void
write_folded(
	void *context, enum log_level level, const char *subject, const char *text, uint64_t count)
{
	const struct log *log = context;
	write_line(log->fd, log->journal, level, subject, text, count);
}

void
log_free(struct log *log)
{
	if (!log)
		return;
	log_fold_end(&log->fold, write_folded, log);
	if (log->fd != STDERR_FILENO)
		close(log->fd);
	pthread_mutex_destroy(&log->mutex);
	free(log->path);
	free(log);
}

bool
log_enabled(const struct log *log, enum log_level level)
{
	return level <= (log ? log->level : LOG_LEVEL_INFO);
}

void
log_line(struct log *log, enum log_level level, const char *subject, const char *format, ...)
{
	if (!log_enabled(log, level))
		return;
	int saved = errno;
	char text[TEXT_MAX];
	va_list arguments;
	va_start(arguments, format);
	if (vsnprintf(text, sizeof(text), format, arguments) < 0)
		text[0] = '\0';
	va_end(arguments);
	if (!log) {
		write_line(STDERR_FILENO, false, level, subject, text, 0);
	} else {
		pthread_mutex_lock(&log->mutex);
		follow_path(log);
		log_fold_take(&log->fold, clock_mono_ns(), level, subject, text, write_folded, log);
		pthread_mutex_unlock(&log->mutex);
	}
	errno = saved;
}
