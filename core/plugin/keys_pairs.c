/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of two lines each: "Proto: names" over "Proto: numbers", as in /proc/net/snmp. */
#include "plugin/keys.h"

#include <stdlib.h>

/* The line of numbers under a header that matched. */
static void
scan_numbers(struct weir_keys *keys, const struct key_pair *pair, const char *at, const char *end)
{
	size_t i = 0;

	for (; i < pair->n; i++) {
		size_t k = pair->first + i;

		keys->sign[k] = keys_number(&at, end, &keys->number[k]);
		if (keys->sign[k] == NUMBER_NONE) { /* step over what is none */
			while (at < end && *at != ' ' && *at != '\t')
				at++;
		}
		if (at == end)
			break;
	}
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	/*
	 * Fewer values than names: the tail is missing (vendor kernels). More: nobody knows which is
	 * which.
	 */
	if (at < end)
		i = 0;
	else if (i < pair->n)
		i++;
	memset(&keys->sign[pair->first + i], 0, (pair->n - i) * sizeof(*keys->sign));
}

/* Number of pairs of the layout that the text has; *at is behind the last of them. */
static size_t
match(struct weir_keys *keys, const char **at, const char *end)
{
	const char *from = *at;
	size_t p = 0;

	for (; p < keys->n_pairs; p++) {
		const struct key_pair *pair = &keys->pair[p];
		const char *header = keys->names + pair->header;

		if ((size_t)(end - from) < pair->length || memcmp(from, header, pair->length))
			break;
		if (pair->n) {
			const char *second = from + pair->length;
			const char *newline = memchr(second, '\n', (size_t)(end - second));

			if (!newline || (size_t)(newline - second) < pair->prefix ||
				memcmp(second, header, pair->prefix))
				break;
			scan_numbers(keys, pair, second + pair->prefix, newline);
			from = newline + 1;
		} else {
			from += pair->length;
		}
	}
	*at = from;
	return p;
}

static bool
add_pair(struct weir_keys *keys, const struct key_pair *pair)
{
	if (keys->n_pairs == keys->pairs_room) {
		size_t room = keys->pairs_room ? keys->pairs_room * 2 : 8;
		struct key_pair *grown =
			room <= MOST_KEYS ? realloc(keys->pair, room * sizeof(*grown)) : NULL;

		if (!grown)
			return false;
		keys->pair = grown;
		keys->pairs_room = room;
	}
	keys->pair[keys->n_pairs++] = *pair;
	return true;
}

/* "Proto.Name" of each name in the header. */
static bool
learn_names(struct weir_keys *keys, struct key_pair *pair, const struct weir_scan *header)
{
	struct weir_scan names = { header->at + pair->prefix, header->end }, name;
	char full[LONGEST_KEY];
	size_t head = pair->prefix - 2;

	pair->first = (uint32_t)keys->n_keys;
	while (weir_scan_word(&names, &name)) {
		size_t length = weir_scan_left(&name);

		if (head + 1 + length > sizeof(full))
			length = sizeof(full) - head - 1;
		memcpy(full, header->at, head);
		full[head] = '.';
		memcpy(full + head + 1, name.at, length);
		if (!keys_learn(keys, full, head + 1 + length, head + 1 + length))
			return false;
		pair->n++;
	}
	return true;
}

/* "Proto: " at the head of both lines: its length, else 0. */
static size_t
common_prefix(const struct weir_scan *header, const struct weir_scan *numbers)
{
	const char *colon = memchr(header->at, ':', weir_scan_left(header));
	size_t length = colon ? (size_t)(colon - header->at) + 2 : 0;

	if (!colon || length > weir_scan_left(header) || length > weir_scan_left(numbers) ||
		length > 100)
		return 0;
	return colon[1] == ' ' && !memcmp(header->at, numbers->at, length) ? length : 0;
}

/* Number of keys in the first `pairs` pairs. */
static size_t
keys_of(const struct weir_keys *keys, size_t pairs)
{
	return pairs ? (size_t)keys->pair[pairs - 1].first + keys->pair[pairs - 1].n : 0;
}

static void
learn(struct weir_keys *keys, size_t known, struct weir_scan text)
{
	struct weir_scan header, numbers;

	keys->n_pairs = known;
	keys->n_keys = keys_of(keys, known);
	if (!known)
		keys->names_size = 0;
	while (weir_scan_whole_line(&text, &header)) {
		struct weir_scan rest = text;

		if (!weir_scan_whole_line(&rest, &numbers))
			break;
		struct key_pair pair = { .length = (uint32_t)(header.end - header.at) + 1,
			.first = (uint32_t)keys->n_keys };

		pair.header = keys_keep(keys, header.at, pair.length);
		pair.prefix = (uint32_t)common_prefix(&header, &numbers);
		if (pair.header == UINT32_MAX || (pair.prefix && !learn_names(keys, &pair, &header)) ||
			!add_pair(keys, &pair))
			break;
		if (pair.prefix)
			text = rest;
	}
	keys_learnt(keys);
}

size_t
weir_keys_scan_pairs(struct weir_keys *keys, const struct weir_scan *text, struct weir_out *out,
	struct weir_row *row)
{
	const char *at = text->at;

	if (!keys)
		return 0;
	size_t matched = match(keys, &at, text->end);

	/* A line alone may be a header that has found its numbers. */
	bool left = matched < keys->n_pairs || at < text->end;

	for (; left && matched > 0 && !keys->pair[matched - 1].n; matched--)
		at -= keys->pair[matched - 1].length;
	if (matched < keys->n_pairs || (at < text->end && memchr(at, '\n', (size_t)(text->end - at)))) {
		learn(keys, matched, weir_scan(at, (size_t)(text->end - at)));
		at = text->at;
		keys->n_pairs = match(keys, &at, text->end);
		keys->n_keys = keys_of(keys, keys->n_pairs);
	}
	return keys_commit(keys, out, row);
}
