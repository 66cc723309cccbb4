/* SPDX-License-Identifier: Apache-2.0 */
/* Batches for the test of stores. */
#include "plugin/conform_batch.h"

#include <math.h>
#include <stdio.h>

/* No common divisor of any two of these counts, so that a mix-up of columns shows. */
static const struct weir_column columns[] = {
	WEIR_KEY_STR("device", "a key of text"),
	WEIR_KEY_U64("port", "a key that counts"),
	WEIR_KEY_I64("lane", "a key with a sign"),
	WEIR_COUNTER_U64("reads", "1", "a counter"),
	{ .name = "errors",
		.type = WEIR_U64,
		.role = WEIR_COUNTER,
		.unit = "1",
		.help = "one that wraps",
		.modulus = UINT64_C(1) << 32 },
	WEIR_GAUGE_I64("offset_time", "s", "an integer with a sign"),
	WEIR_GAUGE_F64("load", "1", "a real"),
	WEIR_COUNTER_REAL("busy_time", "s", 100, "a real with a divisor"),
	WEIR_GAUGE_REAL("wait_time", "s", 1000000, "another divisor"),
	WEIR_GAUGE_BOOL("healthy", "a truth"),
	WEIR_LABEL_STR("model", "text"),
	WEIR_LABEL_TIME("since", "a time"),
	{ .name = "raw", .type = WEIR_BYTES, .role = WEIR_LABEL, .help = "bytes" },
};

static const struct weir_schema series =
	WEIR_SERIES("conform_series", columns, "rows of every type");
static const struct weir_schema entity = { .name = "conform_entity",
	.help = "things of every type",
	.flags = WEIR_ENTITY,
	.n_columns = WEIR_COUNT(columns),
	.columns = columns };
static const struct weir_schema host_entity =
	WEIR_HOST_ENTITY("conform_host_entity", columns, "things of a host");

const struct weir_schema *const conform_schemas[CONFORM_SCHEMAS + 1] = { &series, &entity,
	&host_entity, NULL };

/* splitmix64: any seed is a good one. */
static uint64_t
roll(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint64_t
number(uint64_t *seed)
{
	static const uint64_t edges[] = { 0, 1, 127, 128, INT64_MAX, (uint64_t)INT64_MAX + 1,
		UINT64_MAX, UINT32_MAX };
	uint64_t n = roll(seed);

	return n % 4 ? n >> (n % 60) : edges[n / 4 % WEIR_COUNT(edges)];
}

static double
real(uint64_t *seed)
{
	static const double edges[] = { 0.0, -0.0, 0.1, 1e300, -1e-300, 5e-324, NAN, INFINITY,
		-INFINITY };
	uint64_t n = roll(seed);

	return n % 4 ? (double)(int64_t)n / 1e6 : edges[n / 4 % WEIR_COUNT(edges)];
}

static void
text(uint64_t *seed, struct weir_row *row, size_t column)
{
	static const char *const edges[] = { "", "a,b", "\"quoted\"", "two\nlines", "tab\there", "null",
		"gr\xc3\xbc\xc3\x9f", "'; drop table x; --", "\\", " blank " };
	uint64_t n = roll(seed);
	char word[32];

	snprintf(word, sizeof(word), "word%llu", (unsigned long long)(n % 50));
	weir_set_text(row, column, n % 3 ? word : edges[n / 3 % WEIR_COUNT(edges)]);
}

static void
cell(uint64_t *seed, struct weir_row *row, size_t column)
{
	const struct weir_column *c = &columns[column];

	switch (c->type) {
	case WEIR_U64:
		weir_set_u64(row, column, c->modulus ? number(seed) % c->modulus : number(seed));
		break;
	case WEIR_I64:
		weir_set_i64(row, column, (int64_t)number(seed));
		break;
	case WEIR_F64:
		if (c->divisor > 1)
			weir_set_count(row, column, (int64_t)(number(seed) >> 8));
		else
			weir_set_f64(row, column, real(seed));
		break;
	case WEIR_BOOL:
		weir_set_bool(row, column, roll(seed) & 1);
		break;
	case WEIR_STR:
		text(seed, row, column);
		break;
	case WEIR_TIME:
		weir_set_time(row, column, (int64_t)(roll(seed) % INT64_C(4000000000000000)));
		break;
	case WEIR_BYTES: {
		uint64_t bytes = roll(seed);

		weir_set_bytes(row, column, &bytes, bytes % 9);
		break;
	}
	}
}

struct weir_batch *
conform_batch(uint64_t *seed, const struct weir_schema *schema, const struct origin *origin,
	size_t rows, int64_t time)
{
	struct builder *b = builder_new(schema, weir_schema_fingerprint(schema), origin);
	struct weir_batch *batch = NULL;
	struct weir_err err;

	for (size_t i = 0; b && i < rows; i++) {
		struct weir_row *row = builder_row(b, time + (int64_t)i * 1000);

		for (size_t column = 0; column < schema->n_columns; column++)
			if (columns[column].role == WEIR_KEY || roll(seed) % 5)
				cell(seed, row, column);
		if (schema->flags & WEIR_ENTITY && roll(seed) % 11 == 0)
			weir_row_delete(row);
	}
	if (b && !builder_trouble(b, &err))
		batch = builder_close(b, 1);
	builder_free(b);
	return batch;
}
