/* SPDX-License-Identifier: Apache-2.0 */
/* How far words are from each other, for "did you mean". */
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static unsigned char
same_case(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static unsigned char
own_case(char c)
{
	return (unsigned char)c;
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/*
 * Lowrance and Wagner: `cell` has two rows and columns in front, of which the first of each holds a
 * value no path takes. `seen[c]` is the last row whose character is c.
 */
static unsigned
fill_cells(unsigned *cell, const char *a, unsigned n, const char *b, unsigned m,
	unsigned char (*fold)(char))
{
	unsigned seen[256] = { 0 };
	unsigned width = m + 2;
	for (unsigned j = 0; j < width; j++)
		cell[j] = n + m;
	for (unsigned i = 0; i <= n; i++) {
		cell[(i + 1) * width] = n + m;
		cell[(i + 1) * width + 1] = i;
	}
	for (unsigned j = 0; j <= m; j++)
		cell[width + j + 1] = j;
	for (unsigned i = 1; i <= n; i++) {
		unsigned match = 0;
		for (unsigned j = 1; j <= m; j++) {
			unsigned row = seen[fold(b[j - 1])];
			unsigned column = match;
			bool same = fold(a[i - 1]) == fold(b[j - 1]);
			if (same)
				match = j;
			unsigned edit = least(cell[(i + 1) * width + j], cell[i * width + j + 1]) + 1;
			unsigned swap = cell[row * width + column] + (i - row - 1) + 1 + (j - column - 1);
			cell[(i + 1) * width + j + 1] = least(least(cell[i * width + j] + !same, edit), swap);
		}
		seen[fold(a[i - 1])] = i;
	}
	return cell[(n + 1) * width + m + 1];
}

/* Out of memory, or words too long for a table: the most it can be. */
static unsigned
distance(const char *a, const char *b, unsigned char (*fold)(char))
{
	size_t n = strlen(a);
	size_t m = strlen(b);
	unsigned most = (unsigned)(n > m ? n : m);
	if (n > 4096 || m > 4096)
		return most;
	unsigned *cell = malloc((n + 2) * (m + 2) * sizeof(*cell));
	if (!cell)
		return most;
	unsigned result = fill_cells(cell, a, (unsigned)n, b, (unsigned)m, fold);
	free(cell);
	return result;
}

unsigned
text_distance(const char *a, const char *b)
{
	return distance(a, b, own_case);
}

const char *
text_nearest(const char *word, const char *const *words, size_t n)
{
	size_t size = strlen(word);
	unsigned limit = size < 6 ? 1 : (unsigned)(size / 3);
	const char *nearest = NULL;
	for (size_t i = 0; i < n; i++) {
		unsigned found = distance(word, words[i], same_case);
		if (found <= limit && (!nearest || found < limit)) {
			nearest = words[i];
			limit = found;
		}
	}
	return nearest;
}
