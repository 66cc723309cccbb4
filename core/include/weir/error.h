/* SPDX-License-Identifier: Apache-2.0 */
/* The error value: a negative errno and one sentence, filled by whoever found the fault. */
#ifndef WEIR_ERROR_H
#define WEIR_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/* What the program exports to plugins; everything else in it is hidden. */
#define WEIR_API __attribute__((visibility("default")))

struct weir_err {
	int code;       /* negative errno, 0 while nothing happened */
	char text[500]; /* one sentence: no capital, no full stop, the subject in quotes */
};

/*
 * Fill `err` (may be NULL) and return `code`, so that a caller can `return weir_fail(...)`.
 * weir_fail adds ": " and the errno's own words, weir_failx adds nothing.
 */
WEIR_API int weir_fail(struct weir_err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4), cold));
WEIR_API int weir_failx(struct weir_err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4), cold));

#ifdef __cplusplus
}
#endif
#endif
