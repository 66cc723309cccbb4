/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of options from text: each type takes a text or refuses it with a sentence; what is taken
 * lies within the bounds and, written out again, reads the same. Host lists and patterns agree with
 * plain definitions of them.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/option.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fields {
	bool yes;
	int64_t whole, bounded;
	double real;
	uint64_t bytes, bounded_bytes;
	int64_t time, bounded_time;
	const char *words;
	int choice;
	struct weir_list list;
	const char *hidden;
};

static const char *const choices[] = { "none", "zstd", "gz", NULL };
static const struct weir_option options[] = {
	WEIR_BOOL_OPTION(struct fields, yes, "no", "bool"),
	WEIR_INT_OPTION(struct fields, whole, "0", 0, 0, "any integer"),
	WEIR_INT_OPTION(struct fields, bounded, "1", -5, 4096, "bounded integer"),
	WEIR_REAL_OPTION(struct fields, real, "0", 0, 0, "real"),
	WEIR_SIZE_OPTION(struct fields, bytes, "0", 0, 0, "any size"),
	WEIR_SIZE_OPTION(struct fields, bounded_bytes, "1KiB", 1024, 1 << 30, "bounded size"),
	WEIR_DURATION_OPTION(struct fields, time, "0", 0, 0, "any duration"),
	WEIR_DURATION_OPTION(struct fields, bounded_time, "1s", WEIR_MS, WEIR_DAY, "bounded duration"),
	WEIR_TEXT_OPTION(struct fields, words, "", "text"),
	WEIR_CHOICE_OPTION(struct fields, choice, "none", choices, "choice"),
	WEIR_LIST_OPTION(struct fields, list, "", "list"),
	WEIR_SECRET_OPTION(struct fields, hidden, "secret"),
	WEIR_OPTIONS_END,
};

static void
check(bool good, const char *what, const char *text)
{
	if (good)
		return;
	fprintf(stderr, "%s: '%s'\n", what, text);
	abort();
}

static void
check_again(
	const struct weir_option *o, const struct fields *f, const char *text, struct arena *arena)
{
	struct fields again = { 0 };
	char spelt[64];
	const void *field = (const char *)f + o->offset;

	if (o->type == WEIR_OPTION_INT)
		snprintf(spelt, sizeof(spelt), "%lld", (long long)*(const int64_t *)field);
	else if (o->type == WEIR_OPTION_SIZE)
		snprintf(spelt, sizeof(spelt), "%lluB", (unsigned long long)*(const uint64_t *)field);
	else if (o->type == WEIR_OPTION_DURATION)
		snprintf(spelt, sizeof(spelt), "%lldns", (long long)*(const int64_t *)field);
	else if (o->type == WEIR_OPTION_REAL)
		snprintf(spelt, sizeof(spelt), "%.17g", *(const double *)field);
	else
		return;
	check(!option_set(o, &again, spelt, arena, NULL), "refused when written out", text);
	check(!memcmp((const char *)&again + o->offset, field, 8), "another value when written out",
		text);
}

static void
check_value(const struct weir_option *o, const struct fields *f, const char *text)
{
	check(
		f->bounded == 0 || (f->bounded >= -5 && f->bounded <= 4096), "integer out of bounds", text);
	check(!f->bounded_bytes || (f->bounded_bytes >= 1024 && f->bounded_bytes <= 1 << 30),
		"size out of bounds", text);
	check(f->bytes <= INT64_MAX, "size beyond what an option holds", text);
	check(f->time >= 0, "negative duration", text);
	check(!f->bounded_time || (f->bounded_time >= WEIR_MS && f->bounded_time <= WEIR_DAY),
		"duration out of bounds", text);
	check(isfinite(f->real), "no finite number", text);
	check(o->type != WEIR_OPTION_REAL || f->real == strtod(text, NULL),
		"another number than strtod's", text);
	check(o->type != WEIR_OPTION_CHOICE || !strcmp(choices[f->choice], text), "another word", text);
	check(o->type != WEIR_OPTION_TEXT || !strcmp(f->words, text), "another text", text);
	check(o->type != WEIR_OPTION_SECRET || !strcmp(f->hidden, text), "another secret", text);
	check(o->type != WEIR_OPTION_LIST || (f->list.n == 1 && !strcmp(f->list.item[0], text)),
		"another list", text);
}

static void
set_all(const char *text)
{
	for (const struct weir_option *o = options; o->type != WEIR_OPTION_END; o++) {
		struct arena arena = { 0 };
		struct weir_err err = { 0 };
		struct fields fields = { 0 };
		int rc = option_set(o, &fields, text, &arena, &err);

		check(rc <= 0 && !rc == !err.text[0], "a result without its sentence", text);
		check(memchr(err.text, '\0', sizeof(err.text)), "a sentence without end", text);
		if (!rc) {
			check_value(o, &fields, text);
			check_again(o, &fields, text, &arena);
		}
		arena_free(&arena);
	}
}

/* What a pattern means, letter by letter. */
static bool
matches(const char *pattern, const char *text)
{
	if (!*pattern)
		return !*text;
	if (*pattern == '*')
		return matches(pattern + 1, text) || (*text && matches(pattern, text + 1));
	return *text && (*pattern == '?' || *pattern == *text) && matches(pattern + 1, text + 1);
}

static void
check_pattern(const char *pattern, const char *text)
{
	bool found = pattern_match(pattern, text);
	size_t stars = 0;

	for (const char *p = pattern; *p; p++)
		stars += *p == '*';
	if (stars <= 3 && strlen(text) <= 32)
		check(found == matches(pattern, text), "a pattern that means something else", pattern);
	check(pattern_match("*", text), "'*' does not match", text);
}

static void
check_hosts(const char *list, const char *host)
{
	struct weir_err err = { 0 };
	int rc = hostlist_check(list, &err);
	uint64_t count = hostlist_count(list);
	bool found = hostlist_match(list, host);

	check(!rc == !err.text[0] && !rc == (count > 0), "a host list that is neither good nor bad",
		list);
	check(rc == 0 || !found, "a bad host list matches", list);
	if (!rc && !strchr(list, '[') && !strchr(list, ',') && strlen(list) < 256)
		check(
			hostlist_match(list, list) && count == 1, "a single host is not in its own list", list);
	if (!rc && !strchr(list, '[') && !strchr(host, ',') && *host && strlen(host) < 256) {
		char around[600], *name = NULL;

		if (asprintf(&name, ",%s,", host) < 0)
			return;
		if (strlen(list) < sizeof(around) - 3) {
			snprintf(around, sizeof(around), ",%s,", list);
			check(found == (strstr(around, name) != NULL), "a plain list matches otherwise", list);
		}
		free(name);
	}
}

/* Two texts with a newline between. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	char *other = strchr(text, '\n');

	if (other)
		*other++ = '\0';
	set_all(text);
	check_pattern(text, other ? other : "");
	check_hosts(text, other ? other : "");
	free(text);
	return 0;
}
