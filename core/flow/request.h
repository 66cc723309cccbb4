/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket's requests: one line of words. */
#ifndef WEIR_FLOW_REQUEST_H
#define WEIR_FLOW_REQUEST_H

#include <stddef.h>

#include <weir/error.h>

#include "data/print.h"

/* "status", "status-json", "reload", or "tap-json|tap-csv|tap-table [SCHEMA PATTERN]..." */
enum request_verb { REQUEST_STATUS = 1, REQUEST_STATUS_JSON, REQUEST_RELOAD, REQUEST_TAP };
enum { REQUEST_MOST = 1024, REQUEST_PATTERNS = 32 };

struct request {
	enum request_verb verb;
	enum print_format format; /* of a tap */
	char text[REQUEST_MOST];  /* the line, cut up */
	const char
		*pattern[REQUEST_PATTERNS + 1]; /* of a tap: schemas wanted, ends with NULL; none: all */
	size_t n_patterns;
};

/* `line` without its newline. -EINVAL and a sentence when it is no request. */
int request_parse(const char *line, size_t size, struct request *, struct weir_err *);

#endif
