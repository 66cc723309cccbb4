/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of "key value" lines. */
#include "plugin/keys.h"

/* Number of keys of the layout that the text has; *at is behind the last of them. */
static size_t
match(struct weir_keys *keys, const char **at, const char *end)
{
	const char *from = *at;
	size_t i = 0;

	for (; i < keys->n_keys; i++) {
		const struct key *key = &keys->key[i];

		if ((size_t)(end - from) < key->length ||
			!keys_same(from, keys->names + key->name, key->length))
			break;
		const char *behind =
			from + key->length - 1; /* a key without separator ends with its newline */

		if (key->wanted) {
			behind++;
			keys->sign[i] = keys_number(&behind, end, &keys->number[i]);
		}
		if (behind >= end || *behind != '\n') {
			behind = behind < end ? memchr(behind, '\n', (size_t)(end - behind)) : NULL;
			if (!behind)
				break;
		}
		from = behind + 1;
	}
	*at = from;
	return i;
}

static bool
learn_line(struct weir_keys *keys, const struct weir_scan *line)
{
	size_t size = weir_scan_left(line), length = 0;

	while (length < size && length < LONGEST_KEY && line->at[length] != keys->separator &&
		   (keys->separator != ' ' || line->at[length] != '\t'))
		length++;
	bool has_key = length < size && length < LONGEST_KEY;

	return keys_learn(keys, line->at, length + 1, has_key ? length : 0);
}

/* Forget the keys from number `known` on, and learn the whole lines of the text in their place. */
static void
learn(struct weir_keys *keys, size_t known, struct weir_scan text)
{
	struct weir_scan line;

	keys->n_keys = known;
	keys->names_size = known ? keys->key[known - 1].name + keys->key[known - 1].length : 0;
	while (weir_scan_whole_line(&text, &line))
		if (!learn_line(keys, &line))
			break;
	keys_learnt(keys);
}

size_t
weir_keys_scan(struct weir_keys *keys, const struct weir_scan *text, struct weir_out *out,
	struct weir_row *row)
{
	const char *at = text->at;

	if (!keys)
		return 0;
	size_t matched = match(keys, &at, text->end);

	if (matched < keys->n_keys ||
		(at < text->end && memchr(at, '\n', (size_t)(text->end - at)) && matched < MOST_KEYS)) {
		learn(keys, matched, weir_scan(at, (size_t)(text->end - at)));
		at = text->at;
		keys->n_keys = match(keys, &at, text->end);
	}
	return keys_commit(keys, out, row);
}
