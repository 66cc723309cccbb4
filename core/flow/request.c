/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket's requests. */
#include "flow/request.h"

#include <errno.h>
#include <string.h>

int
request_parse(const char *line, size_t size, struct request *r, struct weir_err *err)
{
	static const struct { const char *word; enum request_verb verb; } verbs[] = {
		{ "status", REQUEST_STATUS }, { "status-json", REQUEST_STATUS_JSON }, { "reload", REQUEST_RELOAD }, { "tap", REQUEST_TAP },
	};
	char *save = NULL;

	memset(r, 0, sizeof(*r));
	if (size >= sizeof(r->text))
		return weir_failx(err, -EINVAL, "a request of %zu bytes: at most %zu are allowed", size, sizeof(r->text) - 1);
	if (memchr(line, '\0', size))
		return weir_failx(err, -EINVAL, "a request with a NUL inside");
	memcpy(r->text, line, size);
	char *word = strtok_r(r->text, " ", &save);

	for (size_t i = 0; word && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(word, verbs[i].word))
			r->verb = verbs[i].verb;
	if (!r->verb)
		return weir_failx(err, -EINVAL, "no such request: status, status-json, reload, tap");
	while ((word = strtok_r(NULL, " ", &save))) {
		if (r->verb != REQUEST_TAP || r->n_patterns == REQUEST_PATTERNS)
			return weir_failx(err, -EINVAL, "too many words in a request");
		r->pattern[r->n_patterns++] = word;
	}
	return 0;
}
