/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas from text: any text is a schema or refused with a sentence; what was read is written as
 * text that reads the same. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool good, const char *what, const char *text)
{
	if (good)
		return;
	fprintf(stderr, "%s:\n%s", what, text);
	abort();
}

static void
check_again(const struct weir_schema *schema)
{
	char *shown = weir_schema_text(schema);
	struct weir_err err = { 0 };
	struct weir_schema *again = shown ? weir_schema_parse(shown, &err) : NULL;

	check(shown && again, "refused when read again", shown ? shown : "");
	char *twice = weir_schema_text(again);

	check(twice && !strcmp(shown, twice), "another text when read again", shown);
	check(weir_schema_fingerprint(schema) == weir_schema_fingerprint(again), "another fingerprint",
		shown);
	check(again->n_columns == schema->n_columns && schema_keys(again) == schema_keys(schema) &&
			  schema_is_entity(again) == schema_is_entity(schema),
		"another shape when read again", shown);
	free(twice);
	free(again);
	free(shown);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct weir_err err = { 0 };

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	struct weir_schema *schema = weir_schema_parse(text, &err);

	check(!schema == (err.text[0] != 0), "a result without its sentence", text);
	if (schema) {
		check(schema->n_columns > 0 && schema_keys(schema) <= schema->n_columns,
			"more keys than columns", text);
		for (size_t i = 0; i < schema->n_columns; i++)
			check(strcmp(weir_type_name(schema->columns[i].type), "?") &&
					  strcmp(weir_role_name(schema->columns[i].role), "?"),
				"no type or role", text);
		check_again(schema);
		free(schema);
	}
	free(text);
	return 0;
}
