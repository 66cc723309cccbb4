/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of keys: what a key is to the table, sums of several keys, unknown keys, and numbers on
 * their way into rows.
 */
#include "plugin/keys.h"

#include <ctype.h>
#include <stdlib.h>

#include <weir/records.h>

#include "base/hash.h"
#include "plugin/instance.h"

static bool
is_pattern(const char *key)
{
	size_t length = strlen(key);

	return length && key[length - 1] == '*';
}

/* What the table says of each column; false out of memory. */
static bool
count_columns(struct weir_keys *keys)
{
	for (size_t i = 0; i < keys->n_table; i++)
		if (keys->table[i].column != WEIR_IGNORED && keys->table[i].column >= keys->n_columns)
			keys->n_columns = keys->table[i].column + (size_t)1;
	keys->column = calloc(keys->n_columns + 1, sizeof(*keys->column));
	keys->sum = calloc(keys->n_columns + 1, sizeof(*keys->sum));
	if (!keys->column || !keys->sum)
		return false;
	for (size_t i = 0; i < keys->n_table; i++) {
		if (keys->table[i].column == WEIR_IGNORED)
			continue;
		struct key_column *column = &keys->column[keys->table[i].column];

		if (is_pattern(keys->table[i].key))
			column->patterns++;
		else
			column->literals++;
		column->last_word = (uint32_t)i;
	}
	return true;
}

static void
keys_free(struct weir_keys *keys)
{
	free(keys->item);
	free(keys->key);
	free(keys->sign);
	free(keys->number);
	free(keys->names);
	free(keys->pair);
	free(keys->sum);
	free(keys->column);
	free(keys);
}

struct weir_keys *
weir_keys(struct weir_ctx *ctx, const char *item, char separator, const struct weir_keyword *table,
	size_t n, const struct weir_list *extra, size_t keyvalue)
{
	struct weir_keys *keys = calloc(1, sizeof(*keys));

	if (!keys)
		return NULL;
	*keys = (struct weir_keys){
		.ctx = ctx,
		.item = strdup(item),
		.separator = separator,
		.table = table,
		.n_table = n,
		.extra = extra,
		.keyvalue = keyvalue,
	};
	if (!keys->item || !count_columns(keys)) {
		keys_free(keys);
		return NULL;
	}
	keys->next = ctx->keys;
	ctx->keys = keys;
	return keys;
}

void
keys_free_all(struct weir_ctx *ctx)
{
	while (ctx->keys) {
		struct weir_keys *keys = ctx->keys;

		ctx->keys = keys->next;
		keys_free(keys);
	}
}

void
keys_report_again(struct weir_ctx *ctx, const char *item)
{
	for (struct weir_keys *keys = ctx->keys; keys; keys = keys->next) {
		if (strcmp(keys->item, item))
			continue;
		keys->unknown = 0;
		keys->n_keys = keys->n_pairs = 0; /* only a text that is learnt is reported of */
		keys->names_size = 0;
	}
}

uint32_t
keys_keep(struct weir_keys *keys, const char *text, size_t size)
{
	size_t at = keys->names_size;

	if (at + size > keys->names_room) {
		size_t room = keys->names_room ? keys->names_room * 2 : 4096;

		while (room < at + size)
			room *= 2;
		char *names = room < UINT32_MAX ? realloc(keys->names, room) : NULL;

		if (!names)
			return UINT32_MAX;
		keys->names = names;
		keys->names_room = room;
	}
	memcpy(keys->names + at, text, size);
	keys->names_size = at + size;
	return (uint32_t)at;
}

static bool
grow(struct weir_keys *keys)
{
	if (keys->n_keys < keys->room)
		return true;
	size_t room = keys->room ? keys->room * 2 : 64;
	struct key *key = keys->n_keys < MOST_KEYS ? realloc(keys->key, room * sizeof(*key)) : NULL;

	if (!key)
		return false;
	keys->key = key;
	enum number *sign = realloc(keys->sign, room * sizeof(*sign));

	if (!sign)
		return false;
	keys->sign = sign;
	uint64_t *number = realloc(keys->number, room * sizeof(*number));

	if (!number)
		return false;
	keys->number = number;
	keys->room = room;
	return true;
}

static bool
word_is(const char *word, const char *name, size_t length)
{
	/* The name may hold NULs. */
	return strlen(word) == length && !memcmp(word, name, length);
}

/*
 * The word of the table: the same one before patterns, these in the table's order. n_table when
 * there is none.
 */
static size_t
find_word(const struct weir_keys *keys, const char *name, size_t length)
{
	for (size_t i = 0; i < keys->n_table; i++)
		if (word_is(keys->table[i].key, name, length))
			return i;
	for (size_t i = 0; i < keys->n_table; i++) {
		size_t head = strlen(keys->table[i].key);

		if (head && keys->table[i].key[head - 1] == '*' && length >= head - 1 &&
			!memcmp(keys->table[i].key, name, head - 1))
			return i;
	}
	return keys->n_table;
}

static bool
is_extra(const struct weir_keys *keys, const char *name, size_t length)
{
	for (size_t i = 0; keys->extra && i < keys->extra->n; i++)
		if (word_is(keys->extra->item[i], name, length))
			return true;
	return false;
}

/*
 * `name` of `length` bytes is what is compared; its first `key_length` are the key, 0 of them: no
 * key at all.
 */
bool
keys_learn(struct weir_keys *keys, const char *name, size_t length, size_t key_length)
{
	if (!grow(keys))
		return false;
	uint32_t at = keys_keep(keys, name, length);

	if (at == UINT32_MAX)
		return false;
	struct key *key = &keys->key[keys->n_keys];

	*key = (struct key){ .name = at, .length = (uint32_t)length, .column = KEY_NONE, .factor = 1 };
	if (key_length) {
		size_t word = find_word(keys, name, key_length);

		key->extra = is_extra(keys, name, key_length);
		key->word = (uint32_t)word;
		if (word < keys->n_table) {
			key->column = keys->table[word].column;
			key->factor = keys->table[word].factor ? keys->table[word].factor : 1;
		} else if (!key->extra) {
			key->column = KEY_UNKNOWN;
		}
		key->wanted = key->column < keys->n_columns || key->extra;
	}
	keys->n_keys++;
	return true;
}

static size_t
key_length(const struct weir_keys *keys, const struct key *key)
{
	char last = keys->names[key->name + key->length - 1];

	return key->length - (last == keys->separator || last == ' ' || last == '\t' || last == '\n');
}

static void
mark_twice(struct weir_keys *keys, size_t later)
{
	struct key *b = &keys->key[later];

	for (size_t i = 0; i < later; i++) {
		struct key *a = &keys->key[i];

		if (a->wanted && a->column == b->column && a->length == b->length &&
			!memcmp(keys->names + a->name, keys->names + b->name, a->length))
			a->twice = b->twice = true;
	}
}

/*
 * Is a sum all there? A text that was cut between two keys of it must not give half of it. It is
 * when all keys that the table names are found. Else some key must follow the last one found:
 * patterns stand for keys in a row. And where the table names several keys, of which this kernel
 * may have some only, one must follow that the table has behind all of them.
 */
static bool
sum_is_whole(const struct weir_keys *keys, const struct key_column *column)
{
	if (column->patterns == 0 && column->found == column->literals)
		return true;
	if (column->literals < 2 || column->found == column->literals)
		return column->last + 1 < keys->n_keys;
	for (size_t i = column->last + (size_t)1; i < keys->n_keys; i++)
		if (keys->key[i].word > column->last_word && keys->key[i].word < keys->n_table)
			return true;
	return false;
}

static void
find_sums(struct weir_keys *keys)
{
	keys->n_sums = 0;
	for (size_t c = 0; c < keys->n_columns; c++)
		keys->column[c].keys = keys->column[c].found = keys->column[c].sum = 0;
	for (size_t i = 0; i < keys->n_keys; i++) {
		struct key *key = &keys->key[i];

		key->sum = 0;
		key->twice = false;
		if (!key->wanted)
			continue;
		mark_twice(keys, i);
		if (key->column >= keys->n_columns)
			continue;
		struct key_column *column = &keys->column[key->column];

		column->keys++;
		column->found += !is_pattern(keys->table[key->word].key);
		column->last = (uint32_t)i;
	}
	for (size_t i = 0; i < keys->n_keys; i++) {
		struct key *key = &keys->key[i];

		if (key->column >= keys->n_columns)
			continue;
		struct key_column *column = &keys->column[key->column];

		if (column->literals < 2 && !column->patterns)
			continue;
		if (!column->sum) {
			/* A line of numbers under its names is whole or not there. */
			bool whole = keys->n_pairs || sum_is_whole(keys, column);

			keys->sum[keys->n_sums] = (struct sum){ .column = key->column, .whole = whole };
			column->sum = (uint32_t)++keys->n_sums;
		}
		key->sum = column->sum;
	}
}

static bool
is_name(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!isgraph((unsigned char)name[i]))
			return false;
	return length > 0 && length <= 64;
}

/*
 * A capability row when the set of unknown keys is not the one last told of. Bytes that are no name
 * are a damaged file's.
 */
static void
report_unknown(struct weir_keys *keys)
{
	struct text list = { 0 };
	uint64_t hash = 0;
	size_t left_out = 0;

	for (size_t i = 0; i < keys->n_keys; i++) {
		const struct key *key = &keys->key[i];
		const char *name = keys->names + key->name;
		size_t length = key_length(keys, key);

		if (key->column != KEY_UNKNOWN || !is_name(name, length))
			continue;
		hash = hash64(name, length, hash) | 1;
		if (list.size + length > 320) {
			left_out++;
			continue;
		}
		text_add(&list, list.size ? " " : "");
		text_append(&list, name, length);
	}
	if (hash != keys->unknown) {
		if (left_out)
			text_printf(&list, " and %zu more", left_out);
		if (hash)
			weir_capability(keys->ctx, keys->item, WEIR_UNKNOWN_KEYS, "no column for: %s",
				list.data ? list.data : "");
		else
			weir_capability(keys->ctx, keys->item, WEIR_OK, "%s", "all keys are known");
		keys->unknown = hash;
	}
	text_free(&list);
}

void
keys_learnt(struct weir_keys *keys)
{
	find_sums(keys);
	report_unknown(keys);
}

/* The cell's integer; false when the column cannot hold it. */
static bool
to_cell(const struct weir_schema *schema, const struct key *key, enum number sign, uint64_t *value)
{
	bool is_signed = schema->columns[key->column].type != WEIR_U64;

	if (sign == NUMBER_NONE || key->twice || (sign == NUMBER_NEGATIVE && (!is_signed || key->sum)))
		return false;
	if (key->factor != 1 && __builtin_mul_overflow(*value, key->factor, value))
		return false;
	if (is_signed && *value > (uint64_t)INT64_MAX)
		return false;
	if (sign == NUMBER_NEGATIVE)
		*value = 0 - *value;
	return true;
}

static void
commit_extra(struct weir_keys *keys, size_t i, struct weir_out *out)
{
	const struct key *key = &keys->key[i];
	uint64_t value = keys->number[i];

	if (keys->sign[i] == NUMBER_NONE || key->twice || value > (uint64_t)INT64_MAX)
		return;
	struct weir_row *row = weir_row(out, keys->keyvalue);

	weir_set_text(row, WEIR_KEYVALUE_SAMPLER, keys->ctx->plugin->name);
	weir_set_str(row, WEIR_KEYVALUE_ITEM, keys->names + key->name, key_length(keys, key));
	weir_set_i64(row, WEIR_KEYVALUE_VALUE,
		keys->sign[i] == NUMBER_NEGATIVE ? -(int64_t)value : (int64_t)value);
}

size_t
keys_commit(struct weir_keys *keys, struct weir_out *out, struct weir_row *row)
{
	size_t cells = 0;

	for (size_t i = 0; i < keys->n_sums; i++) {
		keys->sum[i].good = keys->sum[i].whole;
		keys->sum[i].value = 0;
	}
	for (size_t i = 0; i < keys->n_keys; i++) {
		const struct key *key = &keys->key[i];
		uint64_t value = keys->number[i];

		if (!key->wanted)
			continue;
		if (key->extra)
			commit_extra(keys, i, out);
		if (key->column >= keys->n_columns)
			continue;
		bool good = to_cell(row->schema, key, keys->sign[i], &value);

		if (key->sum) {
			struct sum *sum = &keys->sum[key->sum - 1];

			if (!good || __builtin_add_overflow(sum->value, value, &sum->value))
				sum->good = false;
		} else if (good) {
			weir_set_integer(row, key->column, value);
			cells++;
		}
	}
	for (size_t i = 0; i < keys->n_sums; i++) {
		const struct sum *sum = &keys->sum[i];
		bool is_signed = row->schema->columns[sum->column].type != WEIR_U64;

		if (!sum->good || (is_signed && sum->value > (uint64_t)INT64_MAX))
			continue;
		weir_set_integer(row, sum->column, sum->value);
		cells++;
	}
	return cells;
}
