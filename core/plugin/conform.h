/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract as a test of any plugin: two instances live at once, input comes in pieces, marks
 * come back. What is checked is said line by line.
 */
#ifndef WEIR_PLUGIN_CONFORM_H
#define WEIR_PLUGIN_CONFORM_H

#include "base/log.h"
#include "base/text.h"
#include "data/keeper.h"
#include "plugin/instance.h"

/* "name=value" from the command line. */
struct conform_options {
	const char *const *item;
	size_t n;
};

struct conform {
	const struct weir_plugin *plugin;
	struct conform_options options;
	const char *root;  /* a sampler reads below it; "" for none */
	const char *input; /* a parser's bytes; NULL: none given */
	size_t input_size;
	const char *input_path;
	const char *folder; /* an empty one, for stores */
	struct keeper *keeper;
	struct log *log;
	struct text *said; /* "ok" or "FAIL" and a sentence, a line each */
	struct text *rows; /* rows as JSON, an object a line; NULL: not wanted */
	unsigned checks, faults;
};

void conform_sampler(struct conform *);
void conform_parser(struct conform *);
void conform_store(struct conform *);

/* One finding. Returns `good`. */
bool conform_check(struct conform *, bool good, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/*
 * An instance with its options set, not yet open; `path` (may be NULL) goes to the option of that
 * name unless the user gave it. NULL and a finding when an option is refused.
 */
struct weir_ctx *conform_instance(struct conform *, const char *source, const char *path);
/* Makes, opens; NULL and a finding when that fails. */
struct weir_ctx *conform_open(struct conform *, const char *source, const char *path);
/* What an option of every kind must withstand: made, never opened, closed. */
void conform_unopened(struct conform *);
/* The rows of an instance since the last call, as JSON lines. */
void conform_take_rows(struct weir_ctx *, struct text *out);
/* Descriptors that are open in this process. */
unsigned conform_descriptors(void);

/* The time that all rows have which say none. */
#define CONFORM_TIME INT64_C(1767225600000000)

#endif
