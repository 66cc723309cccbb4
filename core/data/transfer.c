/* SPDX-License-Identifier: Apache-2.0 */
/* Batches as plain bytes: a head, the symbols, the times, then bitmap and cells of each column. */
#include "data/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "data/schema.h"

enum { ROWS_MOST = 1 << 20, SYMBOLS_MOST = 1 << 20 };

struct head {
	uint32_t rows, columns, symbols, deleted;
};

/* What is left to read. */
struct reader {
	const unsigned char *at;
	size_t left;
};

static const void *
take(struct reader *r, size_t size)
{
	const void *p = r->at;

	if (size > r->left)
		return NULL;
	r->at += size;
	r->left -= size;
	return p;
}

static void
pack(struct text *out, const void *data, size_t size)
{
	text_append(out, data, size);
}

void
transfer_pack(const struct weir_batch *b, struct text *out)
{
	size_t words = (b->rows + 63) / 64;
	struct head head = { (uint32_t)b->rows, (uint32_t)b->schema->n_columns, (uint32_t)b->symbols,
		b->deleted != NULL };

	pack(out, &head, sizeof(head));
	for (size_t i = 0; i < b->symbols; i++) {
		pack(out, &b->symbol[i].length, sizeof(uint32_t));
		pack(out, b->symbol[i].text, b->symbol[i].length);
	}
	pack(out, b->time, b->rows * sizeof(*b->time));
	for (size_t c = 0; c < b->schema->n_columns; c++) {
		for (size_t w = 0; w < words; w++) {
			uint64_t all = UINT64_MAX;

			pack(out, b->column[c].valid ? &b->column[c].valid[w] : &all, sizeof(uint64_t));
		}
		pack(out, b->column[c].cell, b->rows * sizeof(*b->column[c].cell));
	}
	if (b->deleted)
		pack(out, b->deleted, words * sizeof(uint64_t));
}

/* Where each symbol's length stands, from malloc; NULL when they are not all there, or out of
 * memory. */
static const unsigned char **
find_symbols(struct reader *r, uint32_t n)
{
	/* Not more memory than the bytes that came can stand for. */
	const unsigned char **symbols =
		n <= r->left / sizeof(uint32_t) ? malloc((n + (size_t)1) * sizeof(*symbols)) : NULL;

	for (uint32_t i = 0; symbols && i < n; i++) {
		const unsigned char *p = take(r, sizeof(uint32_t));
		uint32_t length = 0;

		if (p)
			memcpy(&length, p, sizeof(length));
		if (!p || !take(r, length)) {
			free(symbols);
			return NULL;
		}
		symbols[i] = p;
	}
	return symbols;
}

static uint64_t
word_at(const unsigned char *words, size_t i)
{
	uint64_t word;

	memcpy(&word, words + i * sizeof(word), sizeof(word));
	return word;
}

static bool
unpack_cell(struct weir_row *row, const struct weir_column *c, size_t column, uint64_t raw,
	const unsigned char *const *symbols, uint32_t n)
{
	uint32_t length;

	if (c->type != WEIR_STR && c->type != WEIR_BYTES) {
		weir_row_put(
			row, column, (union weir_cell){ .u64 = c->type == WEIR_BOOL ? raw != 0 : raw });
		return true;
	}
	if (raw >= n)
		return false;
	const char *text = (const char *)symbols[raw] + sizeof(length);

	memcpy(&length, symbols[raw], sizeof(length));
	if (c->type == WEIR_STR)
		weir_set_str(row, column, text, length);
	else
		weir_set_bytes(row, column, text, length);
	return true;
}

/* What lies behind the symbols; the sizes are checked. */
struct table {
	const unsigned char *times, *columns, *deleted;
	size_t words, column_size;
};

static bool
unpack_row(struct builder *b, const struct weir_schema *schema, const struct table *t, size_t i,
	const unsigned char *const *symbols, uint32_t n)
{
	struct weir_row *row = builder_row(b, (int64_t)word_at(t->times, i));
	size_t keys = schema_keys(schema);
	bool good = true;

	for (size_t c = 0; good && c < schema->n_columns; c++) {
		const unsigned char *column = t->columns + c * t->column_size;
		bool present = word_at(column, i / 64) >> (i % 64) & 1;

		if (present)
			good = unpack_cell(
				row, &schema->columns[c], c, word_at(column + t->words * 8, i), symbols, n);
		else
			good = c >= keys;
	}
	if (t->deleted && (word_at(t->deleted, i / 64) >> (i % 64) & 1))
		weir_row_delete(row);
	return good;
}

int
transfer_unpack(const void *data, size_t size, const struct weir_schema *schema, struct builder *b,
	struct weir_err *err)
{
	struct reader r = { data, size };
	const void *p = take(&r, sizeof(struct head));
	struct head head;
	size_t before = builder_rows(b);

	if (!p)
		return weir_failx(err, -EBADMSG, "a batch of %zu bytes is none", size);
	memcpy(&head, p, sizeof(head));
	bool good = head.rows <= ROWS_MOST && head.symbols <= SYMBOLS_MOST &&
				head.columns == schema->n_columns && head.deleted <= 1;
	const unsigned char **symbols = good ? find_symbols(&r, head.symbols) : NULL;

	if (!symbols)
		return weir_failx(err, -EBADMSG, "a batch for schema '%s' is damaged", schema->name);
	struct table t = { .words = ((size_t)head.rows + 63) / 64 };

	t.column_size = t.words * 8 + (size_t)head.rows * 8;
	t.times = take(&r, (size_t)head.rows * 8);
	t.columns = t.times ? take(&r, t.column_size * head.columns) : NULL;
	t.deleted = t.columns && head.deleted ? take(&r, t.words * 8) : NULL;
	if (!t.columns || (head.deleted && !t.deleted) || r.left) {
		free(symbols);
		return weir_failx(
			err, -EBADMSG, "a batch for schema '%s' has the wrong size", schema->name);
	}
	for (size_t i = 0; good && i < head.rows; i++)
		good = unpack_row(b, schema, &t, i, symbols, head.symbols);
	free(symbols);
	struct weir_err trouble;

	if (builder_trouble(b, &trouble))
		good = false;
	if (good)
		return 0;
	builder_truncate(b, before);
	return weir_failx(err, -EBADMSG, "a batch for schema '%s' is damaged", schema->name);
}
