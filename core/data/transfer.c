/* SPDX-License-Identifier: Apache-2.0 */
/* Batches as plain bytes: a head, the symbols, the times, then bitmap and cells of each column. */
#include "data/transfer.h"

#include <errno.h>
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
	struct head head = { (uint32_t)b->rows, (uint32_t)b->schema->n_columns, (uint32_t)b->symbols, b->deleted != NULL };

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

/* The bytes of symbol `index`; a walk, as symbols are few in what samplers send. */
static const void *
symbol_at(const unsigned char *symbols, uint64_t index, uint32_t *length)
{
	for (;; index--) {
		memcpy(length, symbols, sizeof(*length));
		symbols += sizeof(*length);
		if (!index)
			return symbols;
		symbols += *length;
	}
}

static bool
skip_symbols(struct reader *r, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const void *p = take(r, sizeof(uint32_t));
		uint32_t length;

		if (!p)
			return false;
		memcpy(&length, p, sizeof(length));
		if (!take(r, length))
			return false;
	}
	return true;
}

static uint64_t
word_at(const unsigned char *words, size_t i)
{
	uint64_t word;

	memcpy(&word, words + i * sizeof(word), sizeof(word));
	return word;
}

static bool
unpack_cell(struct weir_row *row, const struct weir_column *c, size_t column, uint64_t raw, const unsigned char *symbols, uint32_t n)
{
	uint32_t length;

	if (c->type != WEIR_STR && c->type != WEIR_BYTES) {
		weir_row_put(row, column, (union weir_cell){ .u64 = c->type == WEIR_BOOL ? raw != 0 : raw });
		return true;
	}
	if (raw >= n)
		return false;
	const char *text = symbol_at(symbols, raw, &length);

	if (c->type == WEIR_STR)
		weir_set_str(row, column, text, length);
	else
		weir_set_bytes(row, column, text, length);
	return true;
}

int
transfer_unpack(const void *data, size_t size, const struct weir_schema *schema, struct builder *b, struct weir_err *err)
{
	struct reader r = { data, size };
	const void *p = take(&r, sizeof(struct head));
	struct head head;
	size_t before = builder_rows(b), keys = schema_keys(schema);

	if (!p)
		return weir_failx(err, -EBADMSG, "a batch of %zu bytes is none", size);
	memcpy(&head, p, sizeof(head));
	size_t words = ((size_t)head.rows + 63) / 64, column_size = words * 8 + (size_t)head.rows * 8;
	const unsigned char *symbols = r.at;

	if (head.rows > ROWS_MOST || head.symbols > SYMBOLS_MOST || head.columns != schema->n_columns || head.deleted > 1 ||
	    !skip_symbols(&r, head.symbols))
		return weir_failx(err, -EBADMSG, "a batch for schema '%s' is damaged", schema->name);
	const unsigned char *times = take(&r, (size_t)head.rows * 8), *columns = times ? take(&r, column_size * head.columns) : NULL;
	const unsigned char *deleted = columns && head.deleted ? take(&r, words * 8) : NULL;

	if (!columns || (head.deleted && !deleted) || r.left)
		return weir_failx(err, -EBADMSG, "a batch for schema '%s' has the wrong size", schema->name);
	bool good = true;

	for (size_t i = 0; good && i < head.rows; i++) {
		struct weir_row *row = builder_row(b, (int64_t)word_at(times, i));

		for (size_t c = 0; good && c < head.columns; c++) {
			const unsigned char *column = columns + c * column_size;
			bool present = word_at(column, i / 64) >> (i % 64) & 1;

			if (present)
				good = unpack_cell(row, &schema->columns[c], c, word_at(column + words * 8, i), symbols, head.symbols);
			else
				good = c >= keys;
		}
		if (deleted && (word_at(deleted, i / 64) >> (i % 64) & 1))
			weir_row_delete(row);
	}
	if (good)
		return 0;
	builder_truncate(b, before);
	return weir_failx(err, -EBADMSG, "a batch for schema '%s' is damaged", schema->name);
}
