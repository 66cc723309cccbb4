/* SPDX-License-Identifier: Apache-2.0 */
/* Rows for people and scripts: table, JSON lines, CSV. */
#ifndef WEIR_DATA_PRINT_H
#define WEIR_DATA_PRINT_H

#include <weir/batch.h>

#include "base/text.h"

enum print_format { PRINT_TABLE, PRINT_JSON, PRINT_CSV };

struct printer {
	enum print_format format;
	unsigned width; /* of the terminal, for tables; 0 counts as 100 */
	uint64_t last;  /* fingerprint of the rows printed last: CSV writes a header when it changes */
};

/* "table", "json", "csv"; -EINVAL for anything else. */
int print_format_named(const char *name, enum print_format *);
void print_batch(struct printer *, struct text *out, const struct weir_batch *);
/* One cell as text ("" when missing), as the CSV store writes it; text unquoted. */
void print_cell(struct text *out, const struct weir_batch *, size_t column, size_t row);

#endif
