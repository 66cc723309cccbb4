/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weir manual PART: what the manual pages take from the tables, for the build of the documentation.
 * PART is verbs, or program, log, sampler, store: their options; or date.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "flow/settings.h"
#include "plugin/describe.h"

/* "  --format json            the same for programs": a name, then two blanks or more. */
static bool
is_item(const char *line, size_t length, size_t *name, size_t *text)
{
	size_t at = strspn(line, " ");

	if (at < 2)
		return false;
	for (size_t i = at; i + 1 < length; i++)
		if (line[i] == ' ' && line[i + 1] == ' ') {
			*name = i - at;
			*text = i + strspn(line + i, " ");
			return true;
		}
	return false;
}

static void
roff_part(struct text *out, const char *text, size_t length)
{
	char *copy = strndup(text, length);

	describe_roff(out, copy ? copy : "");
	out->failed |= !copy;
	free(copy);
}

static void
add_line(struct text *out, const char *line, size_t length, bool *example)
{
	size_t name, text;

	if (!length) {
		text_add(out, *example ? "" : ".PP\n");
	} else if (!*example && is_item(line, length, &name, &text)) {
		text_add(out, ".TP\n\\fB");
		roff_part(out, line + strspn(line, " "), name);
		text_add(out, "\\fR\n");
		roff_part(out, line + text, length - text);
		text_add(out, "\n");
	} else {
		size_t blanks = *example ? 0 : strspn(line, " ");

		roff_part(out, line + blanks, length - blanks);
		text_add(out, "\n");
		if (!strncmp(line, "example", 7)) {
			text_add(out, ".PP\n.nf\n");
			*example = true;
		}
	}
}

static void
add_help(struct text *out, const char *help)
{
	bool example = false;

	while (*help) {
		size_t length = strcspn(help, "\n");

		/* A paragraph before a tagged one has no meaning. */
		if (length || !example)
			add_line(out, help, length, &example);
		help += length + (help[length] == '\n');
	}
	if (example)
		text_add(out, ".fi\n");
}

static void
add_verbs(struct text *out)
{
	for (const struct verb *v = cli_verbs; v->name; v++) {
		if (!v->help)
			continue;
		text_printf(out, ".SS weir %s\n", v->name);
		describe_roff(out, v->summary);
		text_printf(out, "\n.PP\n\\fBweir %s\\fR ", v->name);
		describe_roff(out, v->arguments);
		text_add(out, "\n");
		add_help(out, v->help);
	}
}

int
cli_manual(int argc, char **argv)
{
	static const struct {
		const char *name;
		const struct weir_option *options;
	} parts[] = {
		{ "program", program_options },
		{ "log", log_options },
		{ "sampler", sampler_options },
		{ "store", store_options },
	};
	const char *part = argc == 2 ? argv[1] : "";
	struct description none = { .plugin = NULL };
	struct text out = { 0 };

	if (!strcmp(part, "verbs"))
		add_verbs(&out);
	if (!strcmp(part, "date"))
		text_add(&out, DESCRIBE_DATE "\n");
	for (size_t i = 0; i < WEIR_COUNT(parts); i++)
		if (!strcmp(part, parts[i].name))
			describe_roff_options(&none, parts[i].options, &out);
	if (!out.size)
		return cli_fail(EXIT_USAGE, "manual: verbs, program, log, sampler, store or date");
	describe_roff_wrap(&out);
	int rc = cli_write(&out);

	text_free(&out);
	return rc;
}
