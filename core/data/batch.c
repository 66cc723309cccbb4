/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builders and batches. A builder writes into a block of memory laid out by column; closing hands
 * the block to a batch, and the block returns to the builder when the batch's last reference goes,
 * so a steady agent allocates nothing.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "data/builder.h"
#include "data/schema.h"

enum { SPARE_BYTES = 256 << 10, ROWS_FIRST = 2, ROWS_MOST = 1 << 20, TEXT_MOST = 64 << 10 };

/* Symbols: text of this batch, each once (labels too: hosts, devices and models repeat). */
struct symbols {
	struct weir_symbol *symbol;
	uint32_t n, room;
	uint32_t *slot; /* hash table of index + 1, a power of two */
	uint32_t slots;
	char **chunk; /* text; symbols point into it, so chunks never move */
	size_t n_chunks, used, chunk_room;
};

/* The memory of one batch. */
struct block {
	struct weir_batch batch; /* first: a batch is its block */
	atomic_uint references;
	struct pool *pool;
	const struct weir_batch *parent; /* of a selection: whose memory it shows */
	union weir_cell *cells;          /* [columns][capacity] */
	uint64_t *valid;                 /* [columns][words] */
	int64_t *time;
	uint32_t *row_cluster, *row_host;
	uint64_t *deleted;
	size_t capacity, words;
	struct weir_cells *column;
	struct symbols symbols;
	struct block *next;
};

/* Blocks that came back; shared by the builder and its living batches, freed by the last of them.
 */
struct pool {
	atomic_uint references;
	_Atomic(struct block *) spare; /* one is enough: a builder has one open */
};

struct builder {
	const struct weir_schema *schema;
	uint64_t fingerprint;
	const struct origin *origin;
	struct pool *pool;
	struct block *block;
	struct weir_row row;
	size_t rows;
	bool scratch; /* the row begun last is thrown away */
	struct weir_err trouble;
	union weir_cell *scratch_cells;
	uint64_t *scratch_valid;
};

static void
symbols_free(struct symbols *s)
{
	for (size_t i = 0; i < s->n_chunks; i++)
		free(s->chunk[i]);
	free(s->chunk);
	free(s->symbol);
	free(s->slot);
	*s = (struct symbols){ 0 };
}

static void
symbols_reset(struct symbols *s)
{
	/* Only the largest chunk stays. */
	if (s->n_chunks > 1) {
		for (size_t i = 0; i + 1 < s->n_chunks; i++)
			free(s->chunk[i]);
		s->chunk[0] = s->chunk[s->n_chunks - 1];
		s->n_chunks = 1;
	}
	s->n = 0;
	s->used = 0;
	if (s->slot)
		memset(s->slot, 0, s->slots * sizeof(*s->slot));
}

static char *
symbols_text(struct symbols *s, size_t length)
{
	if (!s->n_chunks || s->used + length > s->chunk_room) {
		size_t room = s->chunk_room ? s->chunk_room * 2 : 256;

		while (room < length)
			room *= 2;
		char **chunk = realloc(s->chunk, (s->n_chunks + 1) * sizeof(*chunk));

		if (!chunk)
			return NULL;
		s->chunk = chunk;
		if (!(s->chunk[s->n_chunks] = malloc(room)))
			return NULL;
		s->n_chunks++;
		s->used = 0;
		s->chunk_room = room;
	}
	s->used += length;
	return s->chunk[s->n_chunks - 1] + s->used - length;
}

static uint32_t *
symbols_slot(struct symbols *s, const char *text, size_t length)
{
	uint32_t mask = s->slots - 1, at = (uint32_t)hash64(text, length, 0) & mask;

	for (;; at = (at + 1) & mask) {
		uint32_t index = s->slot[at];

		if (!index || (s->symbol[index - 1].length == length &&
						  !memcmp(s->symbol[index - 1].text, text, length)))
			return &s->slot[at];
	}
}

static int
symbols_grow(struct symbols *s)
{
	uint32_t room = s->room ? s->room * 2 : 16, slots = room * 2;
	struct weir_symbol *symbol = realloc(s->symbol, room * sizeof(*symbol));

	if (!symbol)
		return -ENOMEM;
	s->symbol = symbol;
	uint32_t *slot = calloc(slots, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	free(s->slot);
	s->slot = slot;
	s->slots = slots;
	s->room = room;
	for (uint32_t i = 0; i < s->n; i++)
		*symbols_slot(s, s->symbol[i].text, s->symbol[i].length) = i + 1;
	return 0;
}

/* The number of a text, or -ENOMEM. */
static int64_t
symbols_add(struct symbols *s, const char *text, size_t length)
{
	if (s->n == s->room && symbols_grow(s))
		return -ENOMEM;
	uint32_t *slot = symbols_slot(s, text, length);

	if (!*slot) {
		char *copy = symbols_text(s, length);

		if (!copy)
			return -ENOMEM;
		if (length)
			memcpy(copy, text, length);
		s->symbol[s->n++] = (struct weir_symbol){ copy, (uint32_t)length };
		*slot = s->n;
	}
	return *slot - 1;
}

static void
block_free(struct block *b)
{
	if (!b)
		return;
	free(b->cells);
	free(b->valid);
	free(b->time);
	free(b->row_cluster);
	free(b->row_host);
	free(b->deleted);
	free(b->column);
	symbols_free(&b->symbols);
	free(b);
}

static void
pool_release(struct pool *pool)
{
	if (pool && atomic_fetch_sub(&pool->references, 1) == 1) {
		block_free(atomic_load(&pool->spare));
		free(pool);
	}
}

/* The arrays that not every block has; longer than needed does no harm when what comes after fails.
 */
static int
block_grow_names(struct block *b, size_t capacity, size_t words)
{
	uint32_t **names[] = { &b->row_cluster, &b->row_host };

	for (int i = 0; i < 2; i++)
		if (*names[i]) {
			uint32_t *grown = realloc(*names[i], capacity * sizeof(*grown));

			if (!grown)
				return -ENOMEM;
			memset(grown + b->capacity, 0, (capacity - b->capacity) * sizeof(*grown));
			*names[i] = grown;
		}
	if (b->deleted) {
		uint64_t *grown = realloc(b->deleted, words * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		memset(grown + b->words, 0, (words - b->words) * sizeof(*grown));
		b->deleted = grown;
	}
	return 0;
}

/* Room for `capacity` rows: a new layout, the rows copied. */
static int
block_resize(struct block *b, size_t columns, size_t rows, size_t capacity)
{
	size_t words = (capacity + 63) / 64;

	if (block_grow_names(b, capacity, words))
		return -ENOMEM;
	union weir_cell *cells = malloc(columns * capacity * sizeof(*cells));
	uint64_t *valid = calloc(columns * words, sizeof(*valid));
	int64_t *time = malloc(capacity * sizeof(*time));

	if (!cells || !valid || !time) {
		free(cells);
		free(valid);
		free(time);
		return -ENOMEM;
	}
	for (size_t c = 0; c < columns && rows; c++) {
		memcpy(cells + c * capacity, b->cells + c * b->capacity, rows * sizeof(*cells));
		memcpy(valid + c * words, b->valid + c * b->words, b->words * sizeof(*valid));
	}
	if (rows)
		memcpy(time, b->time, rows * sizeof(*time));
	free(b->cells);
	free(b->valid);
	free(b->time);
	b->cells = cells;
	b->valid = valid;
	b->time = time;
	b->capacity = capacity;
	b->words = words;
	return 0;
}

static struct block *
block_new(struct builder *bu)
{
	struct block *b = atomic_exchange(&bu->pool->spare, NULL);
	size_t columns = bu->schema->n_columns;

	if (b) {
		symbols_reset(&b->symbols);
		memset(b->valid, 0, columns * b->words * sizeof(*b->valid));
		return b;
	}
	b = calloc(1, sizeof(*b));
	if (!b || !(b->column = calloc(columns, sizeof(*b->column))) ||
		block_resize(b, columns, 0, ROWS_FIRST)) {
		block_free(b);
		return NULL;
	}
	return b;
}

struct builder *
builder_new(const struct weir_schema *schema, uint64_t fingerprint, const struct origin *origin)
{
	struct builder *bu = calloc(1, sizeof(*bu));

	if (!bu)
		return NULL;
	bu->schema = schema;
	bu->fingerprint = fingerprint;
	bu->origin = origin;
	bu->pool = calloc(1, sizeof(*bu->pool));
	bu->scratch_cells = calloc(schema->n_columns + 1, sizeof(*bu->scratch_cells));
	bu->scratch_valid = calloc(schema->n_columns + 1, sizeof(*bu->scratch_valid));
	if (!bu->pool || !bu->scratch_cells || !bu->scratch_valid) {
		free(bu->pool);
		bu->pool = NULL;
		builder_free(bu);
		return NULL;
	}
	atomic_init(&bu->pool->references, 1);
	return bu;
}

void
builder_free(struct builder *bu)
{
	if (!bu)
		return;
	block_free(bu->block);
	pool_release(bu->pool);
	free(bu->scratch_cells);
	free(bu->scratch_valid);
	free(bu);
}

struct weir_row *
builder_scratch(struct builder *bu, int code, const char *what)
{
	weir_failx(&bu->trouble, code, "schema '%s': %s", bu->schema->name, what);
	bu->scratch = true;
	bu->row = (struct weir_row){ bu->scratch_cells, bu->scratch_valid, 1, 1, 1, bu->schema };
	return &bu->row;
}

struct weir_row *
builder_row(struct builder *bu, int64_t time)
{
	if (!bu->block && !(bu->block = block_new(bu)))
		return builder_scratch(bu, -ENOMEM, "out of memory");
	struct block *b = bu->block;

	if (bu->rows == b->capacity) {
		if (b->capacity >= ROWS_MOST)
			return builder_scratch(bu, -E2BIG, "too many rows in one step");
		if (block_resize(b, bu->schema->n_columns, bu->rows, b->capacity * 2))
			return builder_scratch(bu, -ENOMEM, "out of memory");
	}
	size_t r = bu->rows++;

	b->time[r] = time;
	if (b->row_cluster)
		b->row_cluster[r] = 0;
	if (b->row_host)
		b->row_host[r] = 0;
	bu->scratch = false;
	bu->row = (struct weir_row){ b->cells + r, b->valid + r / 64, b->capacity, b->words,
		UINT64_C(1) << (r % 64), bu->schema };
	return &bu->row;
}

size_t
builder_rows(const struct builder *bu)
{
	return bu ? bu->rows : 0;
}

/* What the block really holds, room included: queues are bounded by it. */
size_t
builder_bytes(const struct builder *bu)
{
	const struct block *b = bu ? bu->block : NULL;
	size_t columns = b ? bu->schema->n_columns : 0;

	return !b ? 0
			  : sizeof(*b) +
					columns *
						(b->capacity * sizeof(*b->cells) + b->words * 8 + sizeof(*b->column)) +
					b->capacity *
						(sizeof(*b->time) + (b->row_cluster ? 4 : 0) + (b->row_host ? 4 : 0)) +
					b->symbols.room * sizeof(*b->symbols.symbol) + b->symbols.slots * 4 +
					b->symbols.chunk_room;
}

void
builder_truncate(struct builder *bu, size_t rows)
{
	struct block *b = bu->block;

	if (!b || rows >= bu->rows)
		return;
	for (size_t r = rows; r < bu->rows; r++) {
		for (size_t c = 0; c < bu->schema->n_columns; c++)
			b->valid[c * b->words + r / 64] &= ~(UINT64_C(1) << (r % 64));
		if (b->deleted)
			b->deleted[r / 64] &= ~(UINT64_C(1) << (r % 64));
	}
	bu->rows = rows;
}

int
builder_trouble(struct builder *bu, struct weir_err *err)
{
	int code = bu->trouble.code;

	if (code)
		weir_failx(err, code, "%s", bu->trouble.text);
	bu->trouble = (struct weir_err){ 0 };
	return code;
}

struct weir_batch *
builder_close(struct builder *bu, uint64_t sequence)
{
	struct block *b = bu->block;
	size_t columns = bu->schema->n_columns;

	if (!b || !bu->rows)
		return NULL;
	for (size_t c = 0; c < columns; c++)
		b->column[c] = (struct weir_cells){ b->cells + c * b->capacity, b->valid + c * b->words };
	b->batch = (struct weir_batch){
		.schema = bu->schema,
		.fingerprint = bu->fingerprint,
		.cluster = bu->origin->cluster,
		.host = bu->origin->host,
		.source = bu->origin->source,
		.incarnation = bu->origin->incarnation,
		.sequence = sequence,
		.rows = bu->rows,
		.time = b->time,
		.column = b->column,
		.symbol = b->symbols.symbol,
		.symbols = b->symbols.n,
		.row_cluster = b->row_cluster,
		.row_host = b->row_host,
		.deleted = b->deleted,
		.bytes = builder_bytes(bu),
	};
	atomic_store(&b->references, 1);
	b->pool = bu->pool;
	atomic_fetch_add(&bu->pool->references, 1);
	bu->block = NULL;
	bu->rows = 0;
	return &b->batch;
}

const struct weir_batch *
weir_batch_keep(const struct weir_batch *batch)
{
	atomic_fetch_add(&((struct block *)(uintptr_t)batch)->references, 1);
	return batch;
}

void
weir_batch_release(const struct weir_batch *batch)
{
	struct block *b = (struct block *)(uintptr_t)batch;

	if (!b || atomic_fetch_sub(&b->references, 1) != 1)
		return;
	if (b->parent) {
		weir_batch_release(b->parent);
		b->parent = NULL;
		block_free(b);
		return;
	}
	struct pool *pool = b->pool;
	bool small = b->batch.bytes <= SPARE_BYTES && !b->row_cluster && !b->row_host && !b->deleted;

	/* A burst's memory goes back to the system; the usual block waits for the builder. */
	if (small)
		b = atomic_exchange(&pool->spare, b);
	block_free(b);
	pool_release(pool);
}

static struct block *
block_over(const struct weir_batch *batch, const struct weir_schema *schema)
{
	struct block *b = calloc(1, sizeof(*b));

	if (!b || !(b->column = calloc(schema->n_columns, sizeof(*b->column)))) {
		free(b);
		return NULL;
	}
	b->batch = *batch;
	b->batch.schema = schema;
	b->batch.column = b->column;
	atomic_init(&b->references, 1);
	return b;
}

struct weir_batch *
batch_select(const struct weir_batch *batch, const struct weir_schema *schema, uint64_t fingerprint,
	const uint32_t *columns)
{
	struct block *b = block_over(batch, schema);

	if (!b)
		return NULL;
	for (size_t c = 0; c < schema->n_columns; c++)
		b->column[c] = batch->column[columns[c]];
	b->batch.fingerprint = fingerprint;
	b->batch.bytes = batch->bytes * schema->n_columns / batch->schema->n_columns + sizeof(*b);
	b->parent = weir_batch_keep(batch);
	return &b->batch;
}

/* ---- the setters of the contract that are functions ---- */

static struct builder *
builder_of(struct weir_row *row)
{
	return (struct builder *)((char *)row - offsetof(struct builder, row));
}

void
weir_row_type_fault(struct weir_row *row, size_t column)
{
	struct builder *bu = builder_of(row);

	if (column < row->schema->n_columns)
		weir_failx(&bu->trouble, -EINVAL,
			"schema '%s': column '%s' is %s, the plugin sets another type", row->schema->name,
			row->schema->columns[column].name, weir_type_name(row->schema->columns[column].type));
	else
		weir_failx(
			&bu->trouble, -EINVAL, "schema '%s' has no column %zu", row->schema->name, column);
}

void
weir_row_drop(struct weir_row *row)
{
	struct builder *bu = builder_of(row);

	if (!bu->scratch && bu->rows)
		builder_truncate(bu, bu->rows - 1);
	bu->scratch = true;
	bu->row = (struct weir_row){ bu->scratch_cells, bu->scratch_valid, 1, 1, 1, bu->schema };
}

void
weir_row_time(struct weir_row *row, int64_t microseconds)
{
	struct builder *bu = builder_of(row);

	if (!bu->scratch)
		bu->block->time[bu->rows - 1] = microseconds;
}

/* The length of `text` cut to at most `most` bytes, at a character. */
static size_t
cut(const char *text, size_t length, size_t most)
{
	if (length <= most)
		return length;
	while (most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80)
		most--;
	return most;
}

/* Bytes of the valid UTF-8 sequence at `p`, 0 for none. */
static size_t
utf8_length(const unsigned char *p, size_t left)
{
	size_t n = p[0] < 0x80                    ? 1
			   : p[0] >= 0xc2 && p[0] <= 0xdf ? 2
			   : (p[0] & 0xf0) == 0xe0        ? 3
			   : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4
											  : 0;

	if (!n || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		(p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

/* NUL is no text either: databases refuse it. */
static size_t
utf8_valid_prefix(const char *text, size_t length)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t at = 0;

	while (at < length) {
		size_t n = p[at] ? utf8_length(p + at, length - at) : 0;

		if (!n)
			break;
		at += n;
	}
	return at;
}

static int64_t
add_text(struct builder *bu, const char *text, size_t length)
{
	length = cut(text, length, TEXT_MOST);
	size_t good = utf8_valid_prefix(text, length);

	if (good == length)
		return symbols_add(&bu->block->symbols, text, length);
	char *clean = malloc(length * 3);
	size_t out = 0;

	if (!clean)
		return -ENOMEM;
	for (size_t at = 0; at < length;) {
		good = utf8_valid_prefix(text + at, length - at);
		memcpy(clean + out, text + at, good);
		out += good;
		at += good;
		if (at < length) {
			memcpy(clean + out, "\xef\xbf\xbd", 3);
			out += 3;
			at++;
		}
	}
	int64_t index = symbols_add(&bu->block->symbols, clean, cut(clean, out, TEXT_MOST));

	free(clean);
	return index;
}

static void
set_symbol(struct weir_row *row, size_t column, int64_t index)
{
	if (index < 0)
		weir_failx(
			&builder_of(row)->trouble, -ENOMEM, "schema '%s': out of memory", row->schema->name);
	else
		weir_row_put(row, column, (union weir_cell){ .u64 = (uint64_t)index });
}

void
weir_set_str(struct weir_row *row, size_t column, const char *text, size_t length)
{
	struct builder *bu = builder_of(row);

	if (!weir_row_fits(row, column, WEIR_STR))
		weir_row_type_fault(row, column);
	else if (!bu->scratch)
		set_symbol(row, column, add_text(bu, text, length));
}

void
weir_set_bytes(struct weir_row *row, size_t column, const void *data, size_t length)
{
	struct builder *bu = builder_of(row);

	if (!weir_row_fits(row, column, WEIR_BYTES) || length > (16u << 20))
		weir_row_type_fault(row, column);
	else if (!bu->scratch)
		set_symbol(row, column, symbols_add(&bu->block->symbols, data, length));
}

static void
set_row_name(struct weir_row *row, uint32_t **names, const char *text, size_t length)
{
	struct builder *bu = builder_of(row);
	struct block *b = bu->block;

	if (bu->scratch)
		return;
	if (!*names && !(*names = calloc(b->capacity, sizeof(**names)))) {
		weir_failx(&bu->trouble, -ENOMEM, "schema '%s': out of memory", row->schema->name);
		return;
	}
	int64_t index = add_text(bu, text, cut(text, length, 255));

	if (index < 0)
		weir_failx(&bu->trouble, -ENOMEM, "schema '%s': out of memory", row->schema->name);
	else
		(*names)[bu->rows - 1] = (uint32_t)index + 1;
}

void
weir_row_cluster(struct weir_row *row, const char *text, size_t length)
{
	struct builder *bu = builder_of(row);

	if (!bu->scratch)
		set_row_name(row, &bu->block->row_cluster, text, length);
}

void
weir_row_host(struct weir_row *row, const char *text, size_t length)
{
	struct builder *bu = builder_of(row);

	if (!bu->scratch)
		set_row_name(row, &bu->block->row_host, text, length);
}

void
weir_row_delete(struct weir_row *row)
{
	struct builder *bu = builder_of(row);

	if (bu->scratch)
		return;
	struct block *b = bu->block;

	if (!b->deleted && !(b->deleted = calloc(b->words, sizeof(*b->deleted)))) {
		weir_failx(&bu->trouble, -ENOMEM, "schema '%s': out of memory", row->schema->name);
		return;
	}
	b->deleted[(bu->rows - 1) / 64] |= UINT64_C(1) << ((bu->rows - 1) % 64);
}
