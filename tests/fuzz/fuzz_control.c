/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of the control socket: any line is a request or refused with a sentence; the words of a
 * request are those of the line. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

/* Word number `index` of the line is `word`; with NULL: there is none. */
static bool
word_is(const char *line, size_t size, size_t index, const char *word)
{
	size_t at = 0;

	for (;;) {
		while (at < size && line[at] == ' ')
			at++;
		size_t from = at;

		while (at < size && line[at] != ' ')
			at++;
		if (at == from)
			return !word;
		if (!index--)
			return word && strlen(word) == at - from && !memcmp(line + from, word, at - from);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const verbs[] = { [REQUEST_STATUS] = "status",
		[REQUEST_STATUS_JSON] = "status-json",
		[REQUEST_RELOAD] = "reload" };
	static const char *const taps[] = {
		[PRINT_JSON] = "tap-json", [PRINT_TABLE] = "tap-table", [PRINT_CSV] = "tap-csv"
	};
	const char *line = (const char *)data;
	struct request *request = malloc(sizeof(*request));
	struct weir_err err = { 0 };

	if (!request)
		return 0;
	int rc = request_parse(line, size, request, &err);

	check(rc <= 0 && !rc == !err.text[0], "a result without its sentence");
	if (!rc) {
		check(request->verb >= REQUEST_STATUS && request->verb <= REQUEST_TAP, "no verb");
		bool tap = request->verb == REQUEST_TAP;

		check(tap || request->n_patterns == 0, "words that mean nothing");
		check(word_is(line, size, 0, tap ? taps[request->format] : verbs[request->verb]),
			"another verb");
		check(request->n_patterns <= REQUEST_PATTERNS, "too many words");
		for (size_t i = 0; i < request->n_patterns; i++)
			check(word_is(line, size, i + 1, request->pattern[i]), "another word");
		check(word_is(line, size, request->n_patterns + 1, NULL), "a word is left out");
	}
	free(request);
	return 0;
}
