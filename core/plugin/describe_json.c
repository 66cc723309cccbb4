/* SPDX-License-Identifier: Apache-2.0 */
/* What a plugin's tables say, for programs: one object on one line. */
#include <string.h>

#include "data/schema.h"
#include "plugin/describe.h"
#include "plugin/load.h"
#include "plugin/needs.h"
#include "plugin/option.h"

static void
member(struct text *out, const char *name, const char *value)
{
	text_printf(out, ",\"%s\":", name);
	if (value)
		text_json(out, value, strlen(value));
	else
		text_add(out, "null");
}

static void
words(struct text *out, const char *name, const char *const *list)
{
	text_printf(out, ",\"%s\":[", name);
	for (const char *const *word = list; word && *word; word++) {
		text_add(out, word == list ? "" : ",");
		text_json(out, *word, strlen(*word));
	}
	text_add(out, "]");
}

/* Bounds in nanoseconds, bytes or as they are. */
static void
add_option(const struct description *d, const struct weir_option *o, bool common, struct text *out)
{
	struct text range = { 0 };

	option_range(o, &range);
	text_add(out, "{\"name\":");
	text_json(out, o->name, strlen(o->name));
	member(out, "type", option_type_name(o->type));
	text_printf(out, ",\"required\":%s,\"common\":%s", o->flags & WEIR_REQUIRED ? "true" : "false",
		common ? "true" : "false");
	member(out, "default", describe_default(d, o));
	member(out, "range", range.size ? range.data : NULL);
	if (o->min || o->max)
		text_printf(out, ",\"min\":%lld,\"max\":%lld", (long long)o->min, (long long)o->max);
	else
		text_add(out, ",\"min\":null,\"max\":null");
	words(out, "choices", o->type == WEIR_OPTION_CHOICE ? o->choices : NULL);
	member(out, "help", o->help);
	text_add(out, "}");
	text_free(&range);
}

static void
add_options(const struct description *d, struct text *out)
{
	const char *comma = "";

	text_add(out, ",\"options\":[");
	for (const struct weir_option *o = d->plugin->options; o && o->type != WEIR_OPTION_END; o++) {
		text_add(out, comma);
		add_option(d, o, false, out);
		comma = ",";
	}
	for (const struct weir_option *o = d->common; o && o->type != WEIR_OPTION_END; o++) {
		text_add(out, comma);
		add_option(d, o, true, out);
		comma = ",";
	}
	text_add(out, "]");
}

static void
add_column(const struct weir_column *c, struct text *out)
{
	text_add(out, "{\"name\":");
	text_json(out, c->name, strlen(c->name));
	member(out, "type", weir_type_name(c->type));
	member(out, "kind", weir_role_name(c->role));
	member(out, "unit", c->unit);
	text_printf(out,
		",\"divisor\":%lld,\"modulus\":%llu,\"high_cardinality\":%s,\"steps_back\":%s,"
		"\"saturates\":%s",
		(long long)c->divisor, (unsigned long long)c->modulus,
		c->flags & WEIR_HIGH_CARDINALITY ? "true" : "false",
		c->flags & WEIR_STEPS_BACK ? "true" : "false",
		c->flags & WEIR_SATURATES ? "true" : "false");
	member(out, "help", c->help);
	text_add(out, "}");
}

static void
add_schema(const struct weir_schema *s, struct text *out)
{
	uint32_t keys = schema_keys(s);

	text_add(out, "{\"name\":");
	text_json(out, s->name, strlen(s->name));
	member(out, "kind", schema_is_entity(s) ? "entity" : "series");
	text_printf(out, ",\"host_keys\":%s", s->flags & WEIR_HOST_KEYS ? "true" : "false");
	member(out, "help", s->help);
	text_printf(out, ",\"fingerprint\":\"%016llx\",\"keys\":[",
		(unsigned long long)weir_schema_fingerprint(s));
	for (uint32_t i = 0; i < keys; i++)
		text_printf(out, "%s\"%s\"", i ? "," : "", s->columns[i].name);
	text_add(out, "],\"columns\":[");
	for (size_t i = 0; i < s->n_columns; i++) {
		text_add(out, i ? "," : "");
		add_column(&s->columns[i], out);
	}
	text_add(out, "]");
	words(out, "indexes", s->indexes);
	text_add(out, "}");
}

static void
add_flags(const struct weir_plugin *p, struct text *out)
{
	struct text flags = { 0 };

	describe_flags(p, &flags);
	text_add(out, ",\"flags\":[");
	for (const char *at = flags.size ? flags.data : ""; *at;) {
		size_t length = strcspn(at, ",");

		text_printf(out, "\"%.*s\"", (int)length, at);
		at += length;
		text_add(out, *at ? "," : "");
		at += *at ? 2 : 0;
	}
	text_add(out, "]");
	text_free(&flags);
}

void
describe_json(const struct description *d, struct text *out)
{
	const struct weir_plugin *p = d->plugin;

	text_printf(out, "{\"abi\":%u", p->abi);
	member(out, "kind", plugin_kind_name(p->kind));
	member(out, "name", p->name);
	member(out, "summary", p->summary);
	member(out, "library", p->library);
	add_flags(p, out);
	text_add(out, ",\"needs\":{");
	needs_json(p, out);
	text_add(out, "}");
	member(out, "description", p->description);
	add_options(d, out);
	text_add(out, ",\"schemas\":[");
	for (const struct weir_schema *const *s = p->schemas; s && *s; s++) {
		text_add(out, s == p->schemas ? "" : ",");
		add_schema(*s, out);
	}
	text_add(out, "]}\n");
}
