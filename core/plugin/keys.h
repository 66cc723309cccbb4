/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of keys, inside. What the last text looked like is remembered as a layout: its keys in
 * order, each with what it is to the table. A text of the same layout costs one comparison a key;
 * the first key that differs makes the rest be learnt anew.
 */
#ifndef WEIR_PLUGIN_KEYS_H
#define WEIR_PLUGIN_KEYS_H

#include <weir/sampler.h>

enum {
	LONGEST_KEY = 255, /* compared and remembered; no table has one as long, so what is longer is
						  unknown by its head */
	MOST_KEYS = 4096,  /* of a layout; the rest of a text that is longer is left alone */
};

enum {
	KEY_NONE = UINT32_MAX - 1,
	KEY_UNKNOWN = UINT32_MAX - 2
}; /* columns of keys that set no cell, beside WEIR_IGNORED */

/* One key of the layout. */
struct key {
	uint32_t name;   /* its place in names */
	uint32_t length; /* with what ends it */
	uint32_t column;
	uint32_t word; /* of the table */
	uint32_t factor;
	uint32_t sum; /* 1 + number in sums; 0: the cell is this key's alone */
	bool wanted;  /* its number is used */
	bool extra;
	bool twice; /* the text has the key more than once: which one is right? */
};

enum number { NUMBER_NONE, NUMBER_POSITIVE, NUMBER_NEGATIVE };

/* A column that several keys may add to. */
struct sum {
	uint32_t column;
	bool whole; /* all that add to it are in the text, as far as its order tells */
	bool good;
	uint64_t value;
};

/* What the table says of a column, and what a layout has of it. */
struct key_column {
	uint32_t literals, patterns, last_word; /* of the table */
	uint32_t keys, found,
		last; /* of the layout: keys, literal ones among them, the last one's number */
	uint32_t sum;
};

/* Two lines of names and numbers; n 0: a line alone. */
struct key_pair {
	uint32_t header, length; /* the line of names in names, newline included */
	uint32_t prefix;         /* "Proto: ", which the second line has too */
	uint32_t first, n;       /* keys */
};

struct weir_keys {
	struct weir_keys *next;
	struct weir_ctx *ctx;
	char *item;
	char separator;
	const struct weir_keyword *table;
	size_t n_table;
	const struct weir_list *extra;
	size_t keyvalue;

	struct key *key;
	enum number *sign; /* [n_keys] of the present text, with its number */
	uint64_t *number;
	size_t n_keys, room;
	char *names;
	size_t names_size, names_room;
	struct key_pair *pair;
	size_t n_pairs, pairs_room;
	struct sum *sum;
	size_t n_sums;
	struct key_column *column;
	size_t n_columns;
	uint64_t unknown; /* hash of the unknown keys last reported; 0: none */
};

/* Append to the layout. False out of memory or when it is full. */
bool keys_learn(struct weir_keys *, const char *name, size_t length, size_t key_length);
/* Keep bytes in names; their place, or UINT32_MAX. */
uint32_t keys_keep(struct weir_keys *, const char *text, size_t size);
/* After learning: sums, keys that stand twice, unknown keys reported. */
void keys_learnt(struct weir_keys *);
/* Numbers of a matched text into the row. */
size_t keys_commit(struct weir_keys *, struct weir_out *, struct weir_row *);
/* A row of the same item replaced the unknown keys'. */
void keys_report_again(struct weir_ctx *, const char *item);

/* n bytes; faster than memcmp's call for the short names there are. */
static inline bool
keys_same(const char *a, const char *b, size_t n)
{
	uint64_t x = 0, y = 0;

	if (n < 8)
		return !memcmp(a, b, n);
	for (size_t i = 0; i + 8 < n; i += 8) {
		memcpy(&x, a + i, 8);
		memcpy(&y, b + i, 8);
		if (x != y)
			return false;
	}
	memcpy(&x, a + n - 8, 8);
	memcpy(&y, b + n - 8, 8);
	return x == y;
}

/*
 * Decimal digits; the end of them, `at` when there are none or they overflow. Up to eight at once,
 * without a branch for each.
 */
static inline const char *
keys_digits(const char *at, const char *end, uint64_t *value)
{
	const char *from = at;
	uint64_t n = 0;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	if (__builtin_expect(end - at >= 8, 1)) {
		uint64_t x = 0;

		memcpy(&x, at, 8);
		x ^= UINT64_C(0x3030303030303030);
		uint64_t other = ((x + UINT64_C(0x7676767676767676)) | x) & UINT64_C(0x8080808080808080);
		unsigned bits = other ? (unsigned)__builtin_ctzll(other) & ~7u : 64;

		if (bits == 0)
			return from;
		x <<= 64 - bits;
		x = x * 10 + (x >> 8);
		n = ((x & UINT64_C(0xff000000ff)) * UINT64_C(0xf424000000064) +
				(x >> 16 & UINT64_C(0xff000000ff)) * UINT64_C(0x271000000001)) >>
			32;
		at += bits / 8;
		if (bits < 64) {
			*value = n;
			return at;
		}
	}
#endif
	for (unsigned digit; at < end && (digit = (unsigned)(*at - '0')) <= 9; at++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, digit, &n))
			return from;
	*value = n;
	return at;
}

/* A number with its sign, after blanks, at *at, which is moved behind it. */
static inline enum number
keys_number(const char **at, const char *end, uint64_t *value)
{
	const char *from = *at;

	while (from < end && (*from == ' ' || *from == '\t'))
		from++;
	bool negative = from < end && *from == '-';
	const char *digits = from + negative;
	const char *to = keys_digits(digits, end, value);

	*at = to;
	if (__builtin_expect(to == digits || (to < end && *to != '\n' && *to != ' ' && *to != '\t'), 0))
		return NUMBER_NONE;
	return negative ? NUMBER_NEGATIVE : NUMBER_POSITIVE;
}

#endif
