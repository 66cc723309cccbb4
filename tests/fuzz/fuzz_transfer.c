/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches from an isolated process: any bytes are a batch or refused, and then the builder is as it
 * was. A batch that was read is packed and read again without a change.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/transfer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct weir_column columns[] = {
	WEIR_KEY_STR("key", "a key"),
	WEIR_KEY_I64("number", "another"),
	WEIR_COUNTER_U64("count", "1", "u64"),
	WEIR_GAUGE_F64("real", "1", "f64"),
	WEIR_GAUGE_REAL("decimal", "s", 1000, "f64 with a divisor"),
	WEIR_GAUGE_BOOL("yes", "bool"),
	WEIR_LABEL_TIME("since", "time"),
	WEIR_LABEL_STR("label", "str"),
	{ .name = "raw", .type = WEIR_BYTES, .role = WEIR_LABEL, .help = "bytes" },
};
static const struct weir_schema kinds[] = {
	WEIR_SERIES("fuzz_series", columns, "a series"),
	{ .name = "fuzz_entity",
		.help = "an entity",
		.flags = WEIR_ENTITY,
		.n_columns = WEIR_COUNT(columns),
		.columns = columns },
};

static void
check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static struct builder *
new_builder(const struct weir_schema *schema)
{
	static const struct origin origin = { "c", "h", "fuzz", 1 };
	struct builder *builder = builder_new(schema, weir_schema_fingerprint(schema), &origin);

	check(builder != NULL, "no memory");
	return builder;
}

static void
compare(const struct weir_batch *a, const struct weir_batch *b)
{
	check(a->rows == b->rows, "another number of rows");
	for (size_t row = 0; row < a->rows; row++) {
		check(a->time[row] == b->time[row], "another time");
		check(weir_row_deleted(a, row) == weir_row_deleted(b, row), "deleted or not");
		for (size_t c = 0; c < a->schema->n_columns; c++) {
			enum weir_type type = a->schema->columns[c].type;

			check(weir_present(a, c, row) == weir_present(b, c, row), "missing or not");
			if (!weir_present(a, c, row))
				continue;
			if (type != WEIR_STR && type != WEIR_BYTES) {
				check(a->column[c].cell[row].u64 == b->column[c].cell[row].u64, "another cell");
				continue;
			}
			struct weir_symbol x = weir_text(a, c, row), y = weir_text(b, c, row);

			check(x.length == y.length && (!x.length || !memcmp(x.text, y.text, x.length)),
				"another text");
		}
	}
}

static void
check_again(const struct weir_batch *batch)
{
	struct text packed = { 0 };
	struct weir_err err = { 0 };
	struct builder *builder = new_builder(batch->schema);

	transfer_pack(batch, &packed);
	check(!packed.failed, "no memory");
	check(!transfer_unpack(packed.data, packed.size, batch->schema, builder, &err),
		"refused when packed again");
	check(!builder_trouble(builder, &err), "trouble when packed again");
	struct weir_batch *again = builder_close(builder, 2);

	check(again != NULL, "no rows when packed again");
	compare(batch, again);
	weir_batch_release(again);
	builder_free(builder);
	text_free(&packed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	const struct weir_schema *schema = &kinds[*data & 1];
	struct builder *builder = new_builder(schema);
	struct weir_err err = { 0 };
	struct weir_row *row = builder_row(builder, 7);

	weir_set_text(row, 0, "before");
	weir_set_i64(row, 1, 1);
	size_t before = builder_rows(builder);
	int rc = transfer_unpack(data + 1, size - 1, schema, builder, &err);

	check(rc <= 0 && !rc == !err.text[0], "a result without its sentence");
	check(!rc || builder_rows(builder) == before, "rows of what was refused");
	if (!builder_trouble(builder, &err)) {
		struct weir_batch *batch = builder_close(builder, 1);

		check(batch && batch->rows >= before, "rows got lost");
		struct weir_symbol first = weir_text(batch, 0, 0);

		check(first.length == 6 && !memcmp(first.text, "before", 6), "the rows before changed");
		check_again(batch);
		weir_batch_release(batch);
	}
	builder_free(builder);
	return 0;
}
