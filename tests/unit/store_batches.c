/* SPDX-License-Identifier: Apache-2.0 */
/* Batches by hand and by dice; every allocation of a test that fails ends it. */
#include "store_batches.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void *
need(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

uint64_t
dice_roll(struct dice *dice)
{
	/* splitmix64: any seed is a good one. */
	uint64_t z = dice->state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint64_t
dice_below(struct dice *dice, uint64_t n)
{
	return dice_roll(dice) % n;
}

struct maker {
	struct weir_batch batch;
	size_t rows, room;
	int64_t *time;
	uint32_t *row_cluster, *row_host;
	uint64_t *deleted;
	union weir_cell **cell; /* [n_columns] */
	uint64_t **valid;       /* [n_columns] */
	struct weir_symbol *symbol;
	size_t symbols;
};

struct maker *
maker_new(
	const struct weir_schema *schema, const char *cluster, const char *host, const char *source)
{
	struct maker *maker = need(calloc(1, sizeof(*maker)));
	maker->batch = (struct weir_batch){
		.schema = schema,
		.fingerprint = weir_schema_fingerprint(schema),
		.cluster = cluster,
		.host = host,
		.source = source,
	};
	maker->cell = need(calloc(schema->n_columns + 1, sizeof(*maker->cell)));
	maker->valid = need(calloc(schema->n_columns + 1, sizeof(*maker->valid)));
	return maker;
}

static void
grow(struct maker *maker)
{
	size_t former = maker->room / 64;
	maker->room = maker->room ? 2 * maker->room : 64;
	size_t words = maker->room / 64;
	maker->time = need(realloc(maker->time, maker->room * sizeof(*maker->time)));
	maker->row_cluster =
		need(realloc(maker->row_cluster, maker->room * sizeof(*maker->row_cluster)));
	maker->row_host = need(realloc(maker->row_host, maker->room * sizeof(*maker->row_host)));
	maker->deleted = need(realloc(maker->deleted, words * sizeof(*maker->deleted)));
	memset(maker->deleted + former, 0, (words - former) * sizeof(*maker->deleted));
	for (size_t i = 0; i < maker->batch.schema->n_columns; i++) {
		maker->cell[i] = need(realloc(maker->cell[i], maker->room * sizeof(**maker->cell)));
		maker->valid[i] = need(realloc(maker->valid[i], words * sizeof(**maker->valid)));
		memset(maker->valid[i] + former, 0, (words - former) * sizeof(**maker->valid));
	}
}

void
maker_row(struct maker *maker, int64_t time)
{
	if (maker->rows == maker->room)
		grow(maker);
	size_t row = maker->rows++;
	maker->time[row] = time;
	maker->row_cluster[row] = maker->row_host[row] = 0;
	/* What a missing cell holds is undefined: a store that reads it shows up. */
	for (size_t i = 0; i < maker->batch.schema->n_columns; i++)
		maker->cell[i][row].u64 = 0xdeadbeefdeadbeef;
}

static void
put(struct maker *maker, size_t column, union weir_cell cell)
{
	size_t row = maker->rows - 1;
	maker->cell[column][row] = cell;
	maker->valid[column][row / 64] |= UINT64_C(1) << row % 64;
}

void
maker_u64(struct maker *maker, size_t column, uint64_t value)
{
	put(maker, column, (union weir_cell){ .u64 = value });
}

void
maker_i64(struct maker *maker, size_t column, int64_t value)
{
	put(maker, column, (union weir_cell){ .i64 = value });
}

void
maker_f64(struct maker *maker, size_t column, double value)
{
	put(maker, column, (union weir_cell){ .f64 = value });
}

static uint32_t
intern(struct maker *maker, const void *data, size_t size)
{
	for (size_t i = 0; i < maker->symbols; i++)
		if (maker->symbol[i].length == size && memcmp(maker->symbol[i].text, data, size) == 0)
			return (uint32_t)i;
	maker->symbol = need(realloc(maker->symbol, (maker->symbols + 1) * sizeof(*maker->symbol)));
	char *copy = need(malloc(size + 1));
	memcpy(copy, data, size);
	/* Not NUL: a store must go by the length. */
	copy[size] = '#';
	maker->symbol[maker->symbols] = (struct weir_symbol){ copy, (uint32_t)size };
	return (uint32_t)maker->symbols++;
}

void
maker_data(struct maker *maker, size_t column, const void *data, size_t size)
{
	put(maker, column, (union weir_cell){ .u64 = intern(maker, data, size) });
}

void
maker_text(struct maker *maker, size_t column, const char *text)
{
	maker_data(maker, column, text, strlen(text));
}

void
maker_cluster(struct maker *maker, const char *cluster)
{
	maker->row_cluster[maker->rows - 1] = intern(maker, cluster, strlen(cluster)) + 1;
}

void
maker_host(struct maker *maker, const char *host)
{
	maker->row_host[maker->rows - 1] = intern(maker, host, strlen(host)) + 1;
}

void
maker_delete(struct maker *maker)
{
	size_t row = maker->rows - 1;
	maker->deleted[row / 64] |= UINT64_C(1) << row % 64;
}

static bool
full(const uint64_t *valid, size_t rows)
{
	for (size_t i = 0; i < rows; i++)
		if (!(valid[i / 64] >> i % 64 & 1))
			return false;
	return true;
}

static bool
any(const uint32_t *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (numbers[i])
			return true;
	return false;
}

struct weir_batch *
maker_close(struct maker *maker, uint64_t incarnation, uint64_t sequence)
{
	size_t n = maker->batch.schema->n_columns;
	size_t rows = maker->rows;
	bool deletes = false;
	for (size_t i = 0; i < maker->room / 64; i++)
		deletes = deletes || maker->deleted[i];
	struct weir_cells *column = need(calloc(n + 1, sizeof(*column)));
	for (size_t i = 0; i < n; i++) {
		bool whole = rows && full(maker->valid[i], rows);
		if (whole)
			free(maker->valid[i]);
		column[i] =
			(struct weir_cells){ .cell = maker->cell[i], .valid = whole ? NULL : maker->valid[i] };
	}
	struct weir_batch *batch = need(malloc(sizeof(*batch)));
	*batch = maker->batch;
	batch->incarnation = incarnation;
	batch->sequence = sequence;
	batch->rows = rows;
	batch->time = maker->time;
	batch->column = column;
	batch->symbol = maker->symbol;
	batch->symbols = maker->symbols;
	batch->row_cluster = any(maker->row_cluster, rows) ? maker->row_cluster : NULL;
	batch->row_host = any(maker->row_host, rows) ? maker->row_host : NULL;
	batch->deleted = deletes ? maker->deleted : NULL;
	batch->bytes = rows * (n + 1) * 8;
	if (!batch->row_cluster)
		free(maker->row_cluster);
	if (!batch->row_host)
		free(maker->row_host);
	if (!batch->deleted)
		free(maker->deleted);
	free(maker->cell);
	free(maker->valid);
	free(maker);
	return batch;
}

void
maker_free_batch(struct weir_batch *batch)
{
	if (!batch)
		return;
	for (size_t i = 0; i < batch->schema->n_columns; i++) {
		free((void *)(uintptr_t)batch->column[i].cell);
		free((void *)(uintptr_t)batch->column[i].valid);
	}
	for (size_t i = 0; i < batch->symbols; i++)
		free((void *)(uintptr_t)batch->symbol[i].text);
	free((void *)(uintptr_t)batch->symbol);
	free((void *)(uintptr_t)batch->column);
	free((void *)(uintptr_t)batch->time);
	free((void *)(uintptr_t)batch->row_cluster);
	free((void *)(uintptr_t)batch->row_host);
	free((void *)(uintptr_t)batch->deleted);
	free(batch);
}

/* Kinds of columns that a schema may have; keys are of the first three. */
static const struct {
	const char *name;
	enum weir_type type;
	enum weir_role role;
	const char *unit;
	int64_t divisor;
} kinds[] = {
	{ "text", WEIR_STR, WEIR_LABEL, NULL, 0 },
	{ "unsigned", WEIR_U64, WEIR_COUNTER, "By", 0 },
	{ "signed", WEIR_I64, WEIR_GAUGE, "1", 0 },
	{ "double", WEIR_F64, WEIR_GAUGE, "Cel", 0 },
	{ "cents", WEIR_F64, WEIR_COUNTER, "s", 100 },
	{ "millis", WEIR_F64, WEIR_GAUGE, "V", 1000 },
	{ "micros", WEIR_F64, WEIR_COUNTER, "s", 1000000 },
	{ "nanos", WEIR_F64, WEIR_COUNTER, "s", 1000000000 },
	{ "truth", WEIR_BOOL, WEIR_LABEL, NULL, 0 },
	{ "moment", WEIR_TIME, WEIR_LABEL, NULL, 0 },
	{ "raw", WEIR_BYTES, WEIR_LABEL, NULL, 0 },
};
#define KEY_KINDS 3
#define NAME_ROOM 64

struct schema_block {
	struct weir_schema schema;
	char name[NAME_ROOM];
	struct weir_column columns[]; /* followed by their names */
};

static struct schema_block *
block_new(const char *name, uint32_t flags, size_t keys, size_t columns)
{
	size_t n = keys + columns;
	struct schema_block *block =
		need(calloc(1, sizeof(*block) + n * (sizeof(struct weir_column) + NAME_ROOM)));
	snprintf(block->name, sizeof(block->name), "%s", name);
	block->schema = (struct weir_schema){
		.name = block->name,
		.help = "made for a test",
		.flags = flags,
		.n_keys = (uint32_t)keys,
		.n_columns = n,
		.columns = block->columns,
	};
	return block;
}

static void
set_column(struct schema_block *block, size_t column, size_t kind)
{
	bool key = column < block->schema.n_keys;
	char *name = (char *)(block->columns + block->schema.n_columns) + column * NAME_ROOM;
	snprintf(name, NAME_ROOM, "%s_%s_%zu", key ? "key" : "col", kinds[kind].name, column);
	block->columns[column] = (struct weir_column){
		.name = name,
		.type = kinds[kind].type,
		.role = key ? WEIR_KEY : kinds[kind].role,
		.unit = key && kinds[kind].type != WEIR_STR ? "1"
				: key                               ? NULL
													: kinds[kind].unit,
		.divisor = kinds[kind].divisor,
		.help = "a column of a test",
	};
}

struct weir_schema *
random_schema(struct dice *dice, const char *name, uint32_t flags, size_t keys, size_t columns)
{
	struct schema_block *block = block_new(name, flags, keys, columns);
	for (size_t i = 0; i < keys + columns; i++)
		set_column(block, i, (size_t)dice_below(dice, i < keys ? KEY_KINDS : LENGTH(kinds)));
	return &block->schema;
}

struct weir_schema *
full_schema(const char *name, uint32_t flags)
{
	struct schema_block *block = block_new(name, flags, KEY_KINDS, LENGTH(kinds));
	for (size_t i = 0; i < KEY_KINDS + LENGTH(kinds); i++)
		set_column(block, i, i < KEY_KINDS ? i : i - KEY_KINDS);
	return &block->schema;
}

static uint64_t
any_u64(struct dice *dice)
{
	static const uint64_t edges[] = { 0, 1, 9, 10, 99, 100, 9999, 10000, UINT64_MAX, UINT64_MAX - 1,
		(uint64_t)INT64_MAX + 1, INT64_MAX, 1000000000, 9999999999, 10000000000000000000u };
	if (dice_below(dice, 4) == 0)
		return edges[dice_below(dice, LENGTH(edges))];
	return dice_roll(dice) >> dice_below(dice, 64);
}

static int64_t
any_i64(struct dice *dice)
{
	static const int64_t edges[] = { 0, -1, 1, INT64_MIN, INT64_MAX, -100, 100, -1000000001 };
	if (dice_below(dice, 4) == 0)
		return edges[dice_below(dice, LENGTH(edges))];
	int64_t value = (int64_t)(dice_roll(dice) >> (1 + dice_below(dice, 62)));
	return dice_below(dice, 2) ? value : -value;
}

static double
any_f64(struct dice *dice)
{
	static const double edges[] = { 0.0, -0.0, 0.1, -0.1, 1.0 / 3, 1e300, 5e-324,
		1.7976931348623157e308, 123456.789, 1e22, 9007199254740993.0, INFINITY, -INFINITY, NAN,
		2.5e-5, 98.6 };
	if (dice_below(dice, 3) == 0)
		return edges[dice_below(dice, LENGTH(edges))];
	if (dice_below(dice, 2))
		return (double)any_i64(dice) / 1000;
	uint64_t bits = dice_roll(dice);
	double value = 0;
	memcpy(&value, &bits, sizeof(value));
	return isnan(value) ? NAN : value;
}

static int64_t
any_time(struct dice *dice)
{
	static const int64_t edges[] = { 0, -1, 1, 999999, 1000000, -62135596800000000,
		253402300799999999, 951782400000000 };
	if (dice_below(dice, 4) == 0)
		return edges[dice_below(dice, LENGTH(edges))];
	return (int64_t)dice_below(dice, 2000000000000000);
}

static void
any_text(struct dice *dice, struct maker *maker, size_t column)
{
	static const char *const texts[] = { "", "plain", "a,b", "say \"no\"", "\"", "two\nlines",
		"cr\rlf\r\n", " blanks ", "über", "日本", ",", "\n", "0", "true", "=1+1",
		"../../etc/passwd", "a'b;--", "\t" };
	if (dice_below(dice, 16)) {
		maker_text(maker, column, texts[dice_below(dice, LENGTH(texts))]);
		return;
	}
	size_t size = (size_t)dice_below(dice, 5000);
	char *text = need(malloc(size + 1));
	for (size_t i = 0; i < size; i++)
		text[i] = "ab\",\n "[dice_below(dice, 6)];
	maker_data(maker, column, text, size);
	free(text);
}

static void
any_data(struct dice *dice, struct maker *maker, size_t column)
{
	unsigned char data[40];
	size_t size = (size_t)dice_below(dice, sizeof(data) + 1);
	for (size_t i = 0; i < size; i++)
		data[i] = (unsigned char)dice_roll(dice);
	maker_data(maker, column, data, size);
}

static void
set_key(struct dice *dice, struct maker *maker, const struct weir_schema *schema, size_t key)
{
	static const char *const names[] = { "eth0", "sda", "", "cpu,1", "\"quoted\"", "../up" };
	enum weir_type type = schema->columns[key].type;
	/* Of an entity few, so that versions of one key meet. */
	uint64_t value = schema->flags & WEIR_ENTITY ? dice_below(dice, 4) : any_u64(dice);
	if (type == WEIR_STR)
		maker_text(maker, key, names[value % LENGTH(names)]);
	else if (type == WEIR_U64)
		maker_u64(maker, key, value);
	else
		maker_i64(maker, key, (int64_t)value);
}

static void
set_value(struct dice *dice, struct maker *maker, const struct weir_schema *schema, size_t column)
{
	switch (schema->columns[column].type) {
	case WEIR_U64:
		maker_u64(maker, column, any_u64(dice));
		break;
	case WEIR_F64:
		if (schema->columns[column].divisor <= 1) {
			maker_f64(maker, column, any_f64(dice));
			break;
		}
		/* fall through */
	case WEIR_I64:
		maker_i64(maker, column, any_i64(dice));
		break;
	case WEIR_BOOL:
		maker_u64(maker, column, dice_below(dice, 2));
		break;
	case WEIR_STR:
		any_text(dice, maker, column);
		break;
	case WEIR_TIME:
		maker_i64(maker, column, any_time(dice));
		break;
	case WEIR_BYTES:
		any_data(dice, maker, column);
		break;
	}
}

struct weir_batch *
random_batch(struct dice *dice, const struct weir_schema *schema, size_t rows, int64_t time,
	uint64_t sequence)
{
	static const char *const hosts[] = { "n001", "n002", "n,3", "n\"4" };
	struct maker *maker =
		maker_new(schema, "hydra", hosts[dice_below(dice, LENGTH(hosts))], "source");
	/* A batch without any missing cell now and then: columns without a bitmap. */
	bool sparse = dice_below(dice, 4) != 0;
	bool mixed = dice_below(dice, 3) == 0;
	for (size_t row = 0; row < rows; row++) {
		time += (int64_t)dice_below(dice, 2000000) - 200000;
		maker_row(maker, time);
		for (size_t i = 0; i < schema->n_columns; i++) {
			if (i < schema->n_keys)
				set_key(dice, maker, schema, i);
			else if (!sparse || dice_below(dice, 5))
				set_value(dice, maker, schema, i);
		}
		if (mixed && dice_below(dice, 2))
			maker_host(maker, hosts[dice_below(dice, LENGTH(hosts))]);
		if (mixed && dice_below(dice, 4) == 0)
			maker_cluster(maker, "other, \"cluster\"");
		if (schema->flags & WEIR_ENTITY && dice_below(dice, 8) == 0)
			maker_delete(maker);
	}
	return maker_close(maker, 4711, sequence);
}

/* ---- verdicts ---- */

static void
hear(void *closure, size_t row, const char *reason)
{
	struct witness *witness = closure;
	size_t length = strlen(witness->said);

	witness->refusals++;
	snprintf(witness->said + length, sizeof(witness->said) - length, "%zu: %s\n", row, reason);
}

struct weir_tally
witness_tally(struct witness *witness, size_t rows)
{
	*witness = (struct witness){
		.rows = rows, .verdict = calloc(rows + 1, 1), .letters = calloc(rows + 1, 1)
	};
	if (!witness->verdict || !witness->letters)
		abort();
	return (struct weir_tally){ .verdict = witness->verdict, .refuse = hear, .closure = witness };
}

bool
witness_look(struct witness *witness, const struct weir_tally *tally)
{
	uint64_t sum[WEIR_ROW_REFUSED + 1] = { 0 };
	uint64_t most = WEIR_ROW_REFUSED;

	for (size_t i = 0; i < witness->rows; i++) {
		uint8_t verdict = witness->verdict[i] <= most ? witness->verdict[i] : 0;

		sum[verdict]++;
		witness->letters[i] = "?SUR"[verdict];
	}
	return tally->verdict == witness->verdict && !sum[0] && sum[WEIR_ROW_STORED] == tally->stored &&
		   sum[WEIR_ROW_UNCHANGED] == tally->unchanged && sum[WEIR_ROW_REFUSED] == tally->refused &&
		   witness->refusals == tally->refused;
}

void
witness_free(struct witness *witness)
{
	free(witness->verdict);
	free(witness->letters);
}
