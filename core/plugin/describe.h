/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin's tables for readers: text for a terminal, JSON for programs, Markdown and a manual page
 * for the documentation.
 */
#ifndef WEIR_PLUGIN_DESCRIBE_H
#define WEIR_PLUGIN_DESCRIBE_H

#include <weir/plugin.h>

#include "base/text.h"

struct description {
	const struct weir_plugin *plugin;
	const struct weir_option *common; /* options that the core has for its kind; may be NULL */
	const char *interval;             /* a sampler's own default of `interval` */
};

void describe_text(const struct description *, struct text *out);
void describe_json(const struct description *, struct text *out);
void describe_markdown(const struct description *, struct text *out);
void describe_man(const struct description *, struct text *out);

/* Parts that the forms share. */

/* "blocking, shared"; nothing for none. */
void describe_flags(const struct weir_plugin *, struct text *out);
/* "duration, 10ms to 7d; default 10s", "text; required". */
void describe_option(const struct description *, const struct weir_option *, struct text *out);
const char *describe_default(const struct description *, const struct weir_option *);
/* "f64", "f64 in steps of 1/100". */
void describe_type(const struct weir_column *, struct text *out);
/* "wraps at 4294967296; may step back a little"; nothing for none. */
void describe_notes(const struct weir_column *, struct text *out);
/* "time cluster host source": what every row has besides the columns of the table. */
const char *describe_implied(const struct weir_schema *);
/* Roff: backslashes, minus signs, and dots at the start of a line. */
void describe_roff(struct text *out, const char *text);
/* Lines of text of more than 79 characters are broken at blanks. */
void describe_roff_wrap(struct text *out);
/* Of all manual pages: a page must not change with the day on which it is made. */
#define DESCRIBE_DATE "2026-11-21"
/* A table of options as tagged paragraphs. */
void describe_roff_options(
	const struct description *, const struct weir_option *table, struct text *out);

#endif
