/* SPDX-License-Identifier: Apache-2.0 */
/* What a plugin's tables say, for a terminal. */
#include "plugin/describe.h"

#include <string.h>

#include "data/schema.h"
#include "plugin/load.h"
#include "plugin/needs.h"
#include "plugin/option.h"

void
describe_flags(const struct weir_plugin *p, struct text *out)
{
	static const struct {
		uint32_t flag;
		const char *word;
	} words[] = {
		{ WEIR_BLOCKING, "blocking" },
		{ WEIR_ISOLATE, "isolated" },
		{ WEIR_UNTRUSTED, "untrusted" },
		{ WEIR_SHARED, "shared" },
		{ WEIR_SLOW, "slow" },
		{ WEIR_RARE, "rare" },
		{ WEIR_EVENTS, "events" },
	};
	size_t start = out->size;

	for (size_t i = 0; i < WEIR_COUNT(words); i++)
		if (p->flags & words[i].flag)
			text_printf(out, "%s%s", out->size > start ? ", " : "", words[i].word);
}

const char *
describe_default(const struct description *d, const struct weir_option *o)
{
	bool own = d->interval && d->common && o == option_named(d->common, "interval");

	return own ? d->interval : o->fallback;
}

void
describe_option(const struct description *d, const struct weir_option *o, struct text *out)
{
	struct text range = { 0 };
	const char *fallback = describe_default(d, o);

	if (o->type != WEIR_OPTION_BOOL)
		option_range(o, &range);
	text_add(out, option_type_name(o->type));
	if (range.size)
		text_printf(out, ", %s", range.data);
	if (o->flags & WEIR_REQUIRED)
		text_add(out, "; required");
	else if (fallback && *fallback)
		text_printf(out, "; default %s", fallback);
	text_free(&range);
}

void
describe_type(const struct weir_column *c, struct text *out)
{
	text_add(out, weir_type_name(c->type));
	if (c->divisor > 1)
		text_printf(out, " in steps of 1/%lld", (long long)c->divisor);
}

void
describe_notes(const struct weir_column *c, struct text *out)
{
	size_t start = out->size;

	if (c->modulus)
		text_printf(out, "wraps at %llu", (unsigned long long)c->modulus);
	if (c->flags & WEIR_STEPS_BACK)
		text_printf(out, "%smay step back a little", out->size > start ? "; " : "");
	if (c->flags & WEIR_SATURATES)
		text_printf(out, "%sstays at its greatest value", out->size > start ? "; " : "");
	if (c->flags & WEIR_HIGH_CARDINALITY)
		text_printf(out, "%smany values", out->size > start ? "; " : "");
}

const char *
describe_implied(const struct weir_schema *s)
{
	return !(s->flags & WEIR_ENTITY)   ? "time cluster host source"
		   : s->flags & WEIR_HOST_KEYS ? "cluster host, and at the end version updated"
									   : "version updated at the end";
}

static void
add_options(const struct description *d, const struct weir_option *table, struct text *out)
{
	for (const struct weir_option *o = table; o && o->type != WEIR_OPTION_END; o++) {
		text_printf(out, "  %-16s ", o->name);
		describe_option(d, o, out);
		text_printf(out, "\n  %-16s %s\n", "", o->help);
	}
}

static void
add_column(const struct weir_column *c, struct text *out)
{
	struct text type = { 0 }, notes = { 0 };

	describe_type(c, &type);
	describe_notes(c, &notes);
	text_printf(out, "  %-24s %-7s %s%s%s  %s%s%s%s\n", c->name, weir_role_name(c->role),
		type.data ? type.data : "", c->unit && *c->unit ? " " : "",
		c->unit && c->role != WEIR_KEY ? c->unit : "", c->help ? c->help : "",
		notes.size ? " (" : "", notes.size ? notes.data : "", notes.size ? ")" : "");
	text_free(&type);
	text_free(&notes);
}

static void
add_schema(const struct weir_schema *s, struct text *out)
{
	text_printf(out, "\nschema %s (%s): %s\n  rows also have %s\n", s->name,
		schema_is_entity(s) ? "entity" : "series", s->help ? s->help : "", describe_implied(s));
	for (size_t i = 0; i < s->n_columns; i++)
		add_column(&s->columns[i], out);
	for (const char *const *index = s->indexes; index && *index; index++)
		text_printf(out, "  index on %s\n", *index);
}

void
describe_text(const struct description *d, struct text *out)
{
	const struct weir_plugin *p = d->plugin;
	struct text needs = { 0 }, flags = { 0 };

	needs_words(p, &needs);
	describe_flags(p, &flags);
	text_printf(out, "%s %s: %s\n", plugin_kind_name(p->kind), p->name, p->summary);
	if (p->library)
		text_printf(out, "library: %s\n", p->library);
	if (flags.size)
		text_printf(out, "flags: %s\n", flags.data);
	if (needs.size)
		text_printf(out, "needs: %s\n", needs.data);
	if (p->description)
		text_printf(out, "\n%s\n", p->description);
	if (p->options && p->options->type != WEIR_OPTION_END)
		text_add(out, "\noptions\n");
	add_options(d, p->options, out);
	if (d->common)
		text_printf(out, "\noptions of every %s\n", plugin_kind_name(p->kind));
	add_options(d, d->common, out);
	for (const struct weir_schema *const *s = p->schemas; s && *s; s++)
		add_schema(*s, out);
	text_free(&needs);
	text_free(&flags);
}
