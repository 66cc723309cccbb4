/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration reader: any bytes are read or refused with a report, and what was read is shown
 * as text that reads the same. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/substitute.h"
#include "config/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(int good, const char *what, const char *shown)
{
	if (good)
		return;
	fprintf(stderr, "%s; shown as:\n%s\n", what, shown);
	abort();
}

static void
compare(const struct node *a, const struct node *b, const char *shown)
{
	check(a->kind == b->kind, "another kind", shown);
	check(a->n == b->n, "another number of members", shown);
	check(node_null(a) == node_null(b), "null or not", shown);
	if (a->kind == NODE_SCALAR)
		check(strcmp(a->value, b->value) == 0, "another text", shown);
	for (size_t i = 0; i < a->n; i++) {
		const struct member *x = &a->members[i], *y = &b->members[i];
		check(!x->name == !y->name && (!x->name || strcmp(x->name, y->name) == 0), "another key",
			shown);
		if (x->name)
			check(node_get(a, x->name) == x->value, "a key is not found", shown);
		compare(x->value, y->value, shown);
	}
}

/* Printed reports do nothing to a terminal. */
static void
check_report(const struct report *report)
{
	struct text printed = { 0 };

	report_print(report, &printed);
	for (size_t i = 0; i < printed.size; i++) {
		unsigned char c = (unsigned char)printed.data[i];
		check(
			c == '\n' || (c >= 0x20 && c != 0x7f), "a control character is printed", printed.data);
	}
	check(utf8_valid(printed.data ? printed.data : "", printed.size), "invalid UTF-8 is printed",
		printed.data);
	check(!printed.size == !(report_errors(report) + report_warnings(report)),
		"errors and no words", "");
	text_free(&printed);
}

static void
check_again(const struct node *root, const struct text *shown, bool origin)
{
	struct arena arena = { 0 };
	struct report *report = report_new();
	struct node *again = NULL;

	if (report &&
		yaml_parse_memory("again.yaml", shown->data, shown->size, &arena, report, &again) == 0) {
		check(!report_errors(report),
			origin ? "errors when read again with origins" : "errors when read again", shown->data);
		compare(root, again, shown->data);
	}
	report_free(report);
	arena_free(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct report *report = report_new();
	struct node *root = NULL;

	if (!report ||
		yaml_parse_memory("t\x1b.yaml", (const char *)data, size, &arena, report, &root)) {
		report_free(report);
		arena_free(&arena);
		return 0;
	}
	bool good = !report_errors(report);
	check(
		good ? !report_incomplete(report) && !root->partial : 1, "incomplete without an error", "");
	substitute_check(root, NULL, report);
	for (int origin = 0; origin < 2; origin++) {
		struct text shown = { 0 };
		node_show(root, &shown, origin);
		/* Aliases may have made it larger than a file may be. */
		if (good && shown.size <= 4u << 20)
			check_again(root, &shown, origin);
		text_free(&shown);
	}
	check_report(report);
	report_free(report);
	arena_free(&arena);
	return 0;
}
