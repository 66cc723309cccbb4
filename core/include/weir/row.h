/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building rows. A row is begun with weir_row, its cells are set by the enum of the columns table,
 *what is not set is missing. The row stands until the next weir_row of the same schema or the
 *return of the plugin's function.
 *
 *	struct weir_row *row = weir_row(out, 0);
 *	weir_key_str(row, DEVICE, name, length);
 *	weir_set_u64(row, READS, reads);
 */
#ifndef WEIR_ROW_H
#define WEIR_ROW_H

#include <string.h>

#include <weir/batch.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_out;

/* Part of the ABI: the setters below are compiled into plugins. */
struct weir_row {
	union weir_cell *cells; /* column c of this row is cells[c * stride] */
	uint64_t *valid;        /* its bit is `bit` of valid[c * words] */
	size_t stride, words;
	uint64_t bit;
	const struct weir_schema *schema;
};

/*
 * Begin a row of the plugin's schema number `schema` (its place in the schemas table). Never NULL:
 * when memory is short the row is a scratch row that is thrown away, and the batch fails after the
 * plugin's function returns.
 */
WEIR_API struct weir_row *weir_row(struct weir_out *, size_t schema);
/* Take back the row begun last (a device that turned out to be none). */
WEIR_API void weir_row_drop(struct weir_row *);

/* A parser's rows: the row's own time (entities: version), cluster, host; an entity's row that
 * deletes its key. */
WEIR_API void weir_row_time(struct weir_row *, int64_t microseconds);
WEIR_API void weir_row_cluster(struct weir_row *, const char *text, size_t length);
WEIR_API void weir_row_host(struct weir_row *, const char *text, size_t length);
WEIR_API void weir_row_delete(struct weir_row *);

/* Text is copied; invalid UTF-8 is replaced by U+FFFD. Longer than 64 KiB: cut at a character. */
WEIR_API void weir_set_str(struct weir_row *, size_t column, const char *text, size_t length);
WEIR_API void weir_set_bytes(struct weir_row *, size_t column, const void *data, size_t length);

/* A setter that does not fit the table: the cell stays missing and the batch fails with the
 * column's name. */
WEIR_API void weir_row_type_fault(struct weir_row *, size_t column) __attribute__((cold));

static inline bool
weir_row_fits(const struct weir_row *row, size_t column, enum weir_type type)
{
	return column < row->schema->n_columns && row->schema->columns[column].type == type;
}

static inline void
weir_row_put(struct weir_row *row, size_t column, union weir_cell cell)
{
	row->cells[column * row->stride] = cell;
	row->valid[column * row->words] |= row->bit;
}

static inline void
weir_set_u64(struct weir_row *row, size_t column, uint64_t value)
{
	if (__builtin_expect(!weir_row_fits(row, column, WEIR_U64), 0))
		weir_row_type_fault(row, column);
	else
		weir_row_put(row, column, (union weir_cell){ .u64 = value });
}

static inline void
weir_set_i64(struct weir_row *row, size_t column, int64_t value)
{
	if (__builtin_expect(!weir_row_fits(row, column, WEIR_I64), 0))
		weir_row_type_fault(row, column);
	else
		weir_row_put(row, column, (union weir_cell){ .i64 = value });
}

/* A real without a divisor; NaN and infinities are values here, text stores print what their format
 * has. */
static inline void
weir_set_f64(struct weir_row *row, size_t column, double value)
{
	if (__builtin_expect(
			!weir_row_fits(row, column, WEIR_F64) || row->schema->columns[column].divisor > 1, 0))
		weir_row_type_fault(row, column);
	else
		weir_row_put(row, column, (union weir_cell){ .f64 = value });
}

/* A real with a divisor, as its integer count: 57 of 1/100 s. */
static inline void
weir_set_count(struct weir_row *row, size_t column, int64_t count)
{
	if (__builtin_expect(
			!weir_row_fits(row, column, WEIR_F64) || row->schema->columns[column].divisor <= 1, 0))
		weir_row_type_fault(row, column);
	else
		weir_row_put(row, column, (union weir_cell){ .i64 = count });
}

static inline void
weir_set_bool(struct weir_row *row, size_t column, bool value)
{
	if (__builtin_expect(!weir_row_fits(row, column, WEIR_BOOL), 0))
		weir_row_type_fault(row, column);
	else
		weir_row_put(row, column, (union weir_cell){ .u64 = value });
}

static inline void
weir_set_time(struct weir_row *row, size_t column, int64_t microseconds)
{
	if (__builtin_expect(!weir_row_fits(row, column, WEIR_TIME), 0))
		weir_row_type_fault(row, column);
	else
		weir_row_put(row, column, (union weir_cell){ .i64 = microseconds });
}

static inline void
weir_set_text(struct weir_row *row, size_t column, const char *text)
{
	weir_set_str(row, column, text, strlen(text));
}

/* An integer from the kernel into a u64, an i64 or a divisor column alike: the cell's integer is
 * `value`. */
static inline void
weir_set_integer(struct weir_row *row, size_t column, uint64_t value)
{
	if (__builtin_expect(
			weir_row_fits(row, column, WEIR_U64) || weir_row_fits(row, column, WEIR_I64) ||
				(weir_row_fits(row, column, WEIR_F64) && row->schema->columns[column].divisor > 1),
			1))
		weir_row_put(row, column, (union weir_cell){ .u64 = value });
	else
		weir_row_type_fault(row, column);
}

#ifdef __cplusplus
}
#endif
#endif
