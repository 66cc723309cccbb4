/* SPDX-License-Identifier: Apache-2.0 */
/* weir top: the last two rows of everything, and what they say about the machine. */
#ifndef WEIR_CLI_TOP_H
#define WEIR_CLI_TOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* Rows as the tap sends them, a JSON object a line: the last two of each schema and key. */
struct seen {
	struct seen *next;
	char *id;       /* schema and source */
	char *row[2];   /* [0] the latest */
	double time[2]; /* seconds since the epoch */
};

struct memory {
	struct seen *first;
	uint64_t rows;
};

void memory_add(struct memory *, const char *line, size_t size);
void memory_free(struct memory *);
/* The row of a schema whose text column `key` is `value` (NULL: the only row); NULL when none came
 * yet. */
const struct seen *memory_row(
	const struct memory *, const char *schema, const char *key, const char *value);
/* A number of the latest row; false when missing. */
bool seen_value(const struct seen *, const char *column, double *value);
/* Its growth a second between the last two rows. */
bool seen_rate(const struct seen *, const char *column, double *rate);
/* A text column of the latest row into `out`; false when missing. */
bool seen_text(const struct seen *, const char *column, char *out, size_t room);

/* The whole screen, or one line for logs and pipes. `status` is the instance's own text. */
void view_screen(const struct memory *, const char *status, unsigned width, unsigned height,
	bool terminal, bool colour, struct text *out);
void view_line(const struct memory *, const char *status, struct text *out);

#endif
