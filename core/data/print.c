/* SPDX-License-Identifier: Apache-2.0 */
/* Rows for people and scripts. */
#include "data/print.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/format.h"
#include "data/schema.h"

int
print_format_named(const char *name, enum print_format *format)
{
	static const char *const names[] = {
		[PRINT_TABLE] = "table", [PRINT_JSON] = "json", [PRINT_CSV] = "csv"
	};

	for (int i = PRINT_TABLE; i <= PRINT_CSV; i++)
		if (!strcmp(name, names[i])) {
			*format = (enum print_format)i;
			return 0;
		}
	return -EINVAL;
}

static void
add_base64(struct text *out, const char *data, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)data;

	for (size_t i = 0; i < size; i += 3) {
		uint32_t group = (uint32_t)p[i] << 16 | (i + 1 < size ? (uint32_t)p[i + 1] << 8 : 0) |
						 (i + 2 < size ? p[i + 2] : 0);
		char four[4] = { digits[group >> 18], digits[group >> 12 & 63],
			i + 1 < size ? digits[group >> 6 & 63] : '=', i + 2 < size ? digits[group & 63] : '=' };

		text_append(out, four, 4);
	}
}

void
print_cell(struct text *out, const struct weir_batch *b, size_t column, size_t row)
{
	const struct weir_column *c = &b->schema->columns[column];
	char number[FORMAT_MAX], *end = number;

	if (!weir_present(b, column, row))
		return;
	union weir_cell cell = b->column[column].cell[row];

	switch (c->type) {
	case WEIR_U64:
		end = format_u64(number, cell.u64);
		break;
	case WEIR_I64:
		end = format_i64(number, cell.i64);
		break;
	case WEIR_F64:
		end = c->divisor > 1 ? format_decimal(number, cell.i64, c->divisor)
							 : format_f64(number, cell.f64);
		break;
	case WEIR_BOOL:
		text_add(out, cell.u64 ? "true" : "false");
		return;
	case WEIR_TIME:
		end = format_time(number, cell.i64);
		break;
	case WEIR_STR: {
		struct weir_symbol s = weir_text(b, column, row);

		text_append(out, s.text, s.length);
		return;
	}
	case WEIR_BYTES: {
		struct weir_symbol s = weir_text(b, column, row);

		add_base64(out, s.text, s.length);
		return;
	}
	}
	text_append(out, number, (size_t)(end - number));
}

static void
add_time(struct text *out, int64_t time)
{
	char buffer[FORMAT_MAX];

	text_append(out, buffer, (size_t)(format_time(buffer, time) - buffer));
}

/* ---- JSON ---- */

static void
json_cell(struct text *out, const struct weir_batch *b, size_t column, size_t row)
{
	const struct weir_column *c = &b->schema->columns[column];

	text_printf(out, ",\"%s\":", c->name);
	if (!weir_present(b, column, row) ||
		(c->type == WEIR_F64 && c->divisor <= 1 && !isfinite(b->column[column].cell[row].f64))) {
		text_add(out, "null");
	} else if (c->type == WEIR_STR) {
		struct weir_symbol s = weir_text(b, column, row);

		text_json(out, s.text, s.length);
	} else {
		bool quoted = c->type == WEIR_TIME || c->type == WEIR_BYTES;

		if (quoted)
			text_add(out, "\"");
		print_cell(out, b, column, row);
		if (quoted)
			text_add(out, "\"");
	}
}

static void
json_text(struct text *out, const char *name, struct weir_symbol s)
{
	text_printf(out, ",\"%s\":", name);
	text_json(out, s.text, s.length);
}

static void
json_row(struct text *out, const struct weir_batch *b, size_t row)
{
	bool entity = schema_is_entity(b->schema);

	text_printf(out, "{\"schema\":\"%s\"", b->schema->name);
	if (!entity) {
		text_add(out, ",\"time\":\"");
		add_time(out, b->time[row]);
		text_add(out, "\"");
	}
	if (!entity || b->schema->flags & WEIR_HOST_KEYS) {
		json_text(out, "cluster", weir_row_cluster_of(b, row));
		json_text(out, "host", weir_row_host_of(b, row));
	}
	if (!entity)
		json_text(out, "source", (struct weir_symbol){ b->source, (uint32_t)strlen(b->source) });
	for (size_t c = 0; c < b->schema->n_columns; c++)
		json_cell(out, b, c, row);
	if (entity) {
		text_add(out, ",\"version\":\"");
		add_time(out, b->time[row]);
		text_printf(out, "\",\"deleted\":%s", weir_row_deleted(b, row) ? "true" : "false");
	}
	text_add(out, "}\n");
}

/* ---- CSV ---- */

static void
csv_text(struct text *out, struct weir_symbol s)
{
	if (s.length && !memchr(s.text, '"', s.length) && !memchr(s.text, ',', s.length) &&
		!memchr(s.text, '\n', s.length) && !memchr(s.text, '\r', s.length)) {
		text_append(out, s.text, s.length);
		return;
	}
	text_add(out, "\"");
	for (uint32_t i = 0; i < s.length; i++)
		text_append(out, s.text[i] == '"' ? "\"\"" : &s.text[i], s.text[i] == '"' ? 2 : 1);
	text_add(out, "\"");
}

static void
csv_header(struct text *out, const struct weir_schema *s)
{
	bool entity = schema_is_entity(s);

	text_add(out, !entity                     ? "time,cluster,host,source"
				  : s->flags & WEIR_HOST_KEYS ? "cluster,host"
											  : "");
	for (size_t c = 0; c < s->n_columns; c++)
		text_printf(
			out, "%s%s", c || !entity || s->flags & WEIR_HOST_KEYS ? "," : "", s->columns[c].name);
	text_add(out, entity ? ",version,deleted\n" : "\n");
}

static void
csv_row(struct text *out, const struct weir_batch *b, size_t row)
{
	bool entity = schema_is_entity(b->schema), started = !entity;

	if (!entity) {
		add_time(out, b->time[row]);
		text_add(out, ",");
	}
	if (!entity || b->schema->flags & WEIR_HOST_KEYS) {
		csv_text(out, weir_row_cluster_of(b, row));
		text_add(out, ",");
		csv_text(out, weir_row_host_of(b, row));
		started = true;
	}
	if (!entity) {
		text_add(out, ",");
		csv_text(out, (struct weir_symbol){ b->source, (uint32_t)strlen(b->source) });
	}
	for (size_t c = 0; c < b->schema->n_columns; c++, started = true) {
		if (started)
			text_add(out, ",");
		if (b->schema->columns[c].type == WEIR_STR && weir_present(b, c, row))
			csv_text(out, weir_text(b, c, row));
		else
			print_cell(out, b, c, row);
	}
	if (entity) {
		text_add(out, ",");
		add_time(out, b->time[row]);
		text_add(out, weir_row_deleted(b, row) ? ",true" : ",false");
	}
	text_add(out, "\n");
}

/* ---- tables ---- */

/* Characters, for alignment; control characters would move the terminal's cursor and are shown as
 * '?'. */
static size_t
safe_cell(struct text *cell, const struct weir_batch *b, size_t column, size_t row)
{
	size_t characters = 0;

	cell->size = 0;
	if (weir_present(b, column, row))
		print_cell(cell, b, column, row);
	else
		text_add(cell, "-");
	for (size_t i = 0; i < cell->size; i++) {
		if ((unsigned char)cell->data[i] < 32 || cell->data[i] == 127)
			cell->data[i] = '?';
		characters += ((unsigned char)cell->data[i] & 0xc0) != 0x80;
	}
	return characters;
}

static void
pad(struct text *out, size_t n)
{
	while (n--)
		text_append(out, " ", 1);
}

static size_t
column_width(const struct weir_batch *b, size_t column, size_t from, size_t to, struct text *cell)
{
	size_t width = 0;

	for (size_t r = from; r < to; r++) {
		size_t w = safe_cell(cell, b, column, r);

		width = w > width ? w : width;
	}
	return width;
}

static void
add_padded(struct text *out, const struct text *cell, size_t characters, size_t width, bool right)
{
	if (right)
		pad(out, width - characters);
	text_append(out, cell->data ? cell->data : "", cell->size);
	if (!right)
		pad(out, width - characters);
}

static bool
right_aligned(const struct weir_column *c)
{
	return c->type == WEIR_U64 || c->type == WEIR_I64 || c->type == WEIR_F64;
}

/* One line a row. */
static void
table_rows(struct text *out, const struct weir_batch *b, const size_t *widths, struct text *cell)
{
	for (size_t c = 0; c < b->schema->n_columns; c++) {
		size_t length = strlen(b->schema->columns[c].name);

		text_add(out, "  ");
		pad(out, right_aligned(&b->schema->columns[c]) ? widths[c] - length : 0);
		text_add(out, b->schema->columns[c].name);
		pad(out, right_aligned(&b->schema->columns[c]) ? 0 : widths[c] - length);
	}
	text_add(out, "\n");
	for (size_t r = 0; r < b->rows; r++) {
		for (size_t c = 0; c < b->schema->n_columns; c++) {
			size_t characters = safe_cell(cell, b, c, r);

			text_add(out, "  ");
			add_padded(out, cell, characters, widths[c], right_aligned(&b->schema->columns[c]));
		}
		text_add(out, "\n");
	}
}

/* One line a column, as many rows beside each other as fit. */
static void
table_columns(struct text *out, const struct weir_batch *b, size_t room, struct text *cell)
{
	size_t name_width = 0;

	for (size_t c = 0; c < b->schema->n_columns; c++) {
		const struct weir_column *column = &b->schema->columns[c];
		size_t length = strlen(column->name) + (column->unit ? strlen(column->unit) + 1 : 0);

		name_width = length > name_width ? length : name_width;
	}
	for (size_t from = 0, to; from < b->rows; from = to) {
		size_t width = 0;

		for (to = from; to < b->rows; to++) {
			size_t w = width;

			for (size_t c = 0; c < b->schema->n_columns; c++) {
				size_t one = column_width(b, c, to, to + 1, cell);

				w = one > w ? one : w;
			}
			if (to > from && name_width + 2 + (to - from + 1) * (w + 2) > room)
				break;
			width = w;
		}
		for (size_t c = 0; c < b->schema->n_columns; c++) {
			const struct weir_column *column = &b->schema->columns[c];
			size_t length = strlen(column->name) + (column->unit ? strlen(column->unit) + 1 : 0);

			text_printf(out, "  %s%s%s", column->name, column->unit ? " " : "",
				column->unit ? column->unit : "");
			pad(out, name_width - length);
			for (size_t r = from; r < to; r++) {
				size_t characters = safe_cell(cell, b, c, r);

				text_add(out, "  ");
				add_padded(out, cell, characters, width, true);
			}
			text_add(out, "\n");
		}
		if (to < b->rows)
			text_add(out, "\n");
	}
}

static void
print_table(struct printer *p, struct text *out, const struct weir_batch *b)
{
	struct text cell = { 0 };
	size_t widths[64], total = 0, room = p->width ? p->width : 100;

	for (size_t c = 0; c < b->schema->n_columns && c < 64; c++) {
		size_t name = strlen(b->schema->columns[c].name);

		widths[c] = column_width(b, c, 0, b->rows, &cell);
		widths[c] = name > widths[c] ? name : widths[c];
		total += widths[c] + 2;
	}
	text_printf(out, "%s  ", b->schema->name);
	add_time(out, b->rows ? b->time[0] : 0);
	text_printf(out, "  %s/%s  %s  %zu row%s\n", b->cluster, b->host, b->source, b->rows,
		b->rows == 1 ? "" : "s");
	if (b->schema->n_columns < 64 && total <= room)
		table_rows(out, b, widths, &cell);
	else
		table_columns(out, b, room, &cell);
	text_free(&cell);
}

void
print_batch(struct printer *p, struct text *out, const struct weir_batch *b)
{
	if (p->format == PRINT_TABLE) {
		print_table(p, out, b);
		return;
	}
	if (p->format == PRINT_CSV && p->last != b->fingerprint) {
		if (p->last)
			text_add(out, "\n");
		csv_header(out, b->schema);
	}
	p->last = b->fingerprint;
	for (size_t r = 0; r < b->rows; r++)
		p->format == PRINT_CSV ? csv_row(out, b, r) : json_row(out, b, r);
}
