/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines on standard error (or the journal's prefix form), repeats folded. Only flow and cli
 * log; all else returns errors. */
#ifndef WEIR_BASE_LOG_H
#define WEIR_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log;

/* `target`: "stderr" (time and level in front), "journal" (<N> priority in front), or a file's
 * path. NULL out of memory. */
struct log *log_new(enum log_level level, const char *target);
void log_free(struct log *);

/*
 * `subject` is the instance or part spoken of ("" for none). The same subject and text within 60 s
 * is folded: the first is written, the next are counted and the count goes with the next line after
 * the minute. Safe from any thread. log may be NULL (then standard error at level info, unfolded).
 */
void log_line(struct log *, enum log_level, const char *subject, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
bool log_enabled(const struct log *, enum log_level);

#endif
