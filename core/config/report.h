/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collects what is wrong in all configuration files and prints it in the order of files and lines,
 * each with its source line, a caret and hints. Sources must outlive the report (free the tree's
 * arena after it).
 */
#ifndef WEIR_CONFIG_REPORT_H
#define WEIR_CONFIG_REPORT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "config/source.h"

struct report;

struct report *report_new(void); /* NULL out of memory */
void report_free(struct report *);

/*
 * `width` is the number of characters to underline (0 counts as 1). `where` is the path of keys
 * ("samplers.lustre.intervall", items "routes[0].to"), NULL or "" for none. `place` may be NULL.
 * The same text at the same place with the same `where` is kept once, hints included.
 */
void report_error(struct report *, const struct place *, unsigned width, const char *where,
	const char *format, ...) __attribute__((format(printf, 5, 6)));
void report_warning(struct report *, const struct place *, unsigned width, const char *where,
	const char *format, ...) __attribute__((format(printf, 5, 6)));
/* One more line below the last error or warning: "did you mean 'interval'?". */
void report_hint(struct report *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One more file was read; counts for the summary. */
void report_file(struct report *);
/*
 * Some file could not be read to its end, so things may seem missing that are not: say nothing of
 * missing keys, missing instances or names that refer to nothing. What is there may be judged.
 */
void report_set_incomplete(struct report *);
bool report_incomplete(const struct report *);

size_t report_errors(const struct report *);
size_t report_warnings(const struct report *);
size_t report_files(const struct report *);
/* At most 100 errors and 100 warnings, then "2 errors, 1 warning in 3 files". Appends nothing when
 * there is nothing to say. */
void report_print(const struct report *, struct text *out);

/* All of it for programs: "FILE:LINE:COLUMN: SEVERITY: TEXT" alone, or an object a line. */
void report_print_gcc(const struct report *, struct text *out);
void report_print_json(const struct report *, struct text *out);

#endif
