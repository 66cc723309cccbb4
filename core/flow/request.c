/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket's requests. */
#include "flow/request.h"

#include <errno.h>
#include <string.h>

int
request_parse(const char *line, size_t size, struct request *r, struct weir_err *err)
{
	static const struct {
		const char *word;
		enum request_verb verb;
		enum print_format format;
	} verbs[] = {
		{ "status", REQUEST_STATUS, 0 },
		{ "status-json", REQUEST_STATUS_JSON, 0 },
		{ "reload", REQUEST_RELOAD, 0 },
		{ "tap-json", REQUEST_TAP, PRINT_JSON },
		{ "tap-table", REQUEST_TAP, PRINT_TABLE },
		{ "tap-csv", REQUEST_TAP, PRINT_CSV },
	};
	char *save = NULL;

	memset(r, 0, sizeof(*r));
	if (size >= sizeof(r->text))
		return weir_failx(err, -EINVAL, "a request of %zu bytes: at most %zu are allowed", size,
			sizeof(r->text) - 1);
	if (memchr(line, '\0', size))
		return weir_failx(err, -EINVAL, "a request with a NUL inside");
	memcpy(r->text, line, size);
	char *word = strtok_r(r->text, " ", &save);

	for (size_t i = 0; word && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(word, verbs[i].word)) {
			r->verb = verbs[i].verb;
			r->format = verbs[i].format;
		}
	if (!r->verb)
		return weir_failx(err, -EINVAL,
			"no such request: status, status-json, reload, tap-json, tap-table, tap-csv");
	while ((word = strtok_r(NULL, " ", &save))) {
		if (r->verb != REQUEST_TAP || r->n_patterns == REQUEST_PATTERNS)
			return weir_failx(err, -EINVAL, "too many words in a request");
		r->pattern[r->n_patterns++] = word;
	}
	return 0;
}
