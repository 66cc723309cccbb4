/* SPDX-License-Identifier: Apache-2.0 */
/* The rows that weir top remembers. The lines are our own flat JSON: names are plain words, so a
 * search for `"name":` will do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/top.h"

/* What follows `"name":`; text columns hold no unescaped quote, so no value can look like a name.
 */
static const char *
value_of(const char *row, const char *name)
{
	char word[80];
	int length = snprintf(word, sizeof(word), "\"%s\":", name);
	const char *at = strstr(row, word);

	return at ? at + length : NULL;
}

static double
time_of(const char *row)
{
	struct tm tm = { 0 };
	const char *at = value_of(row, "time");
	double seconds = 0;

	if (!at || sscanf(at, "\"%d-%d-%dT%d:%d:%lfZ\"", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
				   &tm.tm_hour, &tm.tm_min, &seconds) != 6)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return (double)timegm(&tm) + seconds;
}

/* Schema and keys: the keys are what stands between source and the first number; for these rows the
 * whole head will do. */
static char *
id_of(const char *row)
{
	static const char *const keys[] = { "schema", "source", "cpu", "device", "interface", "mount",
		"resource", "sampler", "sink", "event" };
	struct text id = { 0 };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *at = value_of(row, keys[i]);

		if (at)
			text_append(&id, at, strcspn(at, ",}"));
		text_add(&id, " ");
	}
	return id.data;
}

void
memory_add(struct memory *m, const char *line, size_t size)
{
	char *row = strndup(line, size), *id = row ? id_of(row) : NULL;
	struct seen *s = m->first;

	m->rows++;
	while (id && s && strcmp(s->id, id))
		s = s->next;
	if (id && !s && (s = calloc(1, sizeof(*s)))) {
		s->id = id;
		id = NULL;
		s->next = m->first;
		m->first = s;
	}
	free(id);
	if (!s) {
		free(row);
		return;
	}
	free(s->row[1]);
	s->row[1] = s->row[0];
	s->time[1] = s->time[0];
	s->row[0] = row;
	s->time[0] = time_of(row);
}

void
memory_free(struct memory *m)
{
	for (struct seen *s = m->first, *next; s; s = next) {
		next = s->next;
		free(s->id);
		free(s->row[0]);
		free(s->row[1]);
		free(s);
	}
	m->first = NULL;
}

const struct seen *
memory_row(const struct memory *m, const char *schema, const char *key, const char *value)
{
	for (const struct seen *s = m->first; s; s = s->next) {
		char text[256];

		if (!seen_text(s, "schema", text, sizeof(text)) || strcmp(text, schema))
			continue;
		if (!key || (seen_text(s, key, text, sizeof(text)) && !strcmp(text, value)))
			return s;
	}
	return NULL;
}

bool
seen_text(const struct seen *s, const char *column, char *out, size_t room)
{
	const char *at = s ? value_of(s->row[0], column) : NULL;
	size_t n = 0;

	if (!at || *at != '"')
		return false;
	for (at++; *at && *at != '"' && n + 1 < room; at++)
		out[n++] = *at == '\\' ? '?' : *at;
	out[n] = '\0';
	return true;
}

static bool
number(const char *row, const char *column, double *value)
{
	const char *at = row ? value_of(row, column) : NULL;
	char *end;

	if (!at)
		return false;
	*value = strtod(at, &end);
	return end != at;
}

bool
seen_value(const struct seen *s, const char *column, double *value)
{
	return s && number(s->row[0], column, value);
}

bool
seen_rate(const struct seen *s, const char *column, double *rate)
{
	double now, before;

	if (!s || !s->row[1] || s->time[0] <= s->time[1] || !number(s->row[0], column, &now) ||
		!number(s->row[1], column, &before))
		return false;
	*rate = now < before ? 0 : (now - before) / (s->time[0] - s->time[1]);
	return true;
}
