/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns with '*' and '?'. */
#include "base/text.h"

bool
pattern_match(const char *pattern, const char *text)
{
	/* Only the last star is ever retried: what an earlier one could take besides, the last one can
	 * take too. */
	const char *star = NULL;
	const char *retry = NULL;
	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
