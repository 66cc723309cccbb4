/* SPDX-License-Identifier: Apache-2.0 */
/* Routes: read, judged against the instances, matched against rows. */
#include "flow/routes.h"

#include <string.h>

#include "data/schema.h"
#include "data/self.h"
#include "plugin/option.h"

struct judge {
	struct settings *set;
	struct report *report;
	struct text where;
};

static const struct instance_setting *
instance_named(const struct settings *set, const char *name)
{
	for (size_t i = 0; i < set->n_instances; i++)
		if (!strcmp(set->instances[i].name, name))
			return &set->instances[i];
	return NULL;
}

static bool
is_source(const struct settings *set, const char *name)
{
	const struct instance_setting *in = instance_named(set, name);

	return !strcmp(name, "weir") || (in && in->kind != WEIR_STORE);
}

static void
unknown_end(struct judge *j, const struct node *node, const char *name, bool source)
{
	const struct settings *set = j->set;
	const char *words[1024] = { "weir" };
	size_t n = source;
	const struct instance_setting *other = instance_named(set, name);

	for (size_t i = 0; i < set->n_instances && n < 1023; i++)
		if ((set->instances[i].kind != WEIR_STORE) == source)
			words[n++] = set->instances[i].name;
	const char *near = text_nearest(name, words, n);

	report_error(j->report, &node->place, node->width, path_text(&j->where), "no %s is named '%s'",
		source ? "source" : "sink", name);
	if (other)
		report_hint(j->report, "'%s' is a %s: it stands in '%s'", name,
			plugin_kind_name(other->kind), source ? "to" : "from");
	else if (near)
		report_hint(j->report, "did you mean '%s'?", near);
}

/* Names of sources or sinks. */
static const char *const *
ends(struct judge *j, const struct node *node, bool source)
{
	size_t n;
	const char *const *names = settings_texts(j->set, j->report, &j->where, node, &n);

	for (size_t i = 0; names && i < n; i++) {
		const struct node *place = node->kind == NODE_SEQUENCE ? node->members[i].value : node;
		const struct instance_setting *in = instance_named(j->set, names[i]);

		if (place->broken || report_incomplete(j->report))
			continue;
		if (source ? !is_source(j->set, names[i]) : !in || in->kind != WEIR_STORE)
			unknown_end(j, place, names[i], source);
	}
	return names;
}

static const struct weir_schema *
schema_in(const struct settings *set, const char *pattern)
{
	for (size_t i = 0; i < set->n_instances; i++) {
		const struct weir_plugin *p = set->instances[i].plugin;

		for (const struct weir_schema *const *s = p ? p->schemas : NULL; s && *s; s++)
			if (pattern_match(pattern, (*s)->name))
				return *s;
	}
	for (const struct weir_schema *const *s = self_schemas; *s; s++)
		if (pattern_match(pattern, (*s)->name))
			return *s;
	return NULL;
}

/* A plugin may define schemas in open, so an unknown name is a warning. */
static void
warn_schema(struct judge *j, const struct node *node, const char *pattern)
{
	const char *words[1024];
	size_t n = 0;

	if (schema_in(j->set, pattern) || report_incomplete(j->report))
		return;
	for (size_t i = 0; i < j->set->n_instances; i++) {
		const struct weir_plugin *p = j->set->instances[i].plugin;

		for (const struct weir_schema *const *s = p ? p->schemas : NULL; s && *s && n < 1024; s++)
			words[n++] = (*s)->name;
	}
	const char *near = text_nearest(pattern, words, n);

	report_warning(j->report, &node->place, node->width, path_text(&j->where),
		"no source makes rows of schema '%s'", pattern);
	if (near)
		report_hint(j->report, "did you mean '%s'?", near);
}

static const char *const *
schema_patterns(struct judge *j, const struct node *node)
{
	size_t n;
	const char *const *patterns = settings_texts(j->set, j->report, &j->where, node, &n);

	for (size_t i = 0; patterns && i < n; i++)
		warn_schema(j, node->kind == NODE_SEQUENCE ? node->members[i].value : node,
			patterns[i] + (patterns[i][0] == '!'));
	return patterns;
}

static void
column_names(struct judge *j, struct route_columns *rc, const struct member *m)
{
	size_t n;
	const char *const *names = settings_texts(j->set, j->report, &j->where, m->value, &n);
	const struct weir_schema *schema = schema_in(j->set, m->name);

	for (size_t i = 0; names && schema && i < n; i++) {
		const char *words[1000];
		size_t k;

		for (k = 0; k < schema->n_columns && strcmp(schema->columns[k].name, names[i]); k++)
			words[k] = schema->columns[k].name;
		if (k < schema->n_columns)
			continue;
		const struct node *node =
			m->value->kind == NODE_SEQUENCE ? m->value->members[i].value : m->value;
		const char *near = text_nearest(names[i], words, k);

		report_error(j->report, &node->place, node->width, path_text(&j->where),
			"schema '%s' has no column '%s'", m->name, names[i]);
		if (near)
			report_hint(j->report, "did you mean '%s'?", near);
	}
	*rc = (struct route_columns){ m->name, names, names ? n : 0 };
}

static void
columns(struct judge *j, struct route_setting *r, const struct node *node)
{
	if (!node_expect(node, NODE_MAPPING, false, path_text(&j->where), j->report))
		return;
	struct route_columns *list = arena_alloc(&j->set->arena, (node->n + 1) * sizeof(*list));

	for (size_t i = 0; list && i < node->n; i++) {
		size_t path = path_push(&j->where, node->members[i].name);

		if (!schema_in(j->set, node->members[i].name) && !report_incomplete(j->report))
			report_warning(j->report, &node->members[i].place, node->members[i].width,
				path_text(&j->where), "no source makes rows of schema '%s'", node->members[i].name);
		column_names(j, &list[i], &node->members[i]);
		path_pop(&j->where, path);
	}
	r->columns = list;
	r->n_columns = node->n;
}

static void
judge_route_key(struct judge *j, struct route_setting *r, const struct member *m)
{
	static const char *const keys[] = { "from", "to", "schemas", "clusters", "hosts", "columns" };
	struct weir_err err = { 0 };
	size_t n;

	if (!strcmp(m->name, "from")) {
		r->from = ends(j, m->value, true);
	} else if (!strcmp(m->name, "to")) {
		r->to = ends(j, m->value, false);
	} else if (!strcmp(m->name, "schemas")) {
		r->schemas = schema_patterns(j, m->value);
	} else if (!strcmp(m->name, "clusters")) {
		r->clusters = settings_texts(j->set, j->report, &j->where, m->value, &n);
	} else if (!strcmp(m->name, "hosts")) {
		if (!node_expect(m->value, NODE_SCALAR, false, path_text(&j->where), j->report))
			return;
		r->hosts = m->value->value;
		if (hostlist_check(r->hosts, &err))
			report_error(
				j->report, &m->value->place, m->value->width, path_text(&j->where), "%s", err.text);
	} else if (!strcmp(m->name, "columns")) {
		columns(j, r, m->value);
	} else {
		const char *near = text_nearest(m->name, keys, WEIR_COUNT(keys));

		report_error(
			j->report, &m->place, m->width, path_text(&j->where), "no such key of a route");
		if (near)
			report_hint(j->report, "did you mean '%s'?", near);
		else
			report_hint(j->report, "keys of a route: from to schemas clusters hosts columns");
	}
}

static void
judge_route(struct judge *j, const struct node *node)
{
	struct settings *set = j->set;
	struct route_setting *r = &set->routes[set->n_routes];

	if (!node_expect(node, NODE_MAPPING, false, path_text(&j->where), j->report))
		return;
	for (size_t i = 0; i < node->n; i++) {
		size_t path = path_push(&j->where, node->members[i].name);

		judge_route_key(j, r, &node->members[i]);
		path_pop(&j->where, path);
	}
	if (!node_get(node, "to") && !node->partial)
		report_error(j->report, &node->place, node->width, path_text(&j->where),
			"a route needs 'to': the sinks it leads to");
	set->n_routes++;
}

static bool
listed(const char *const *list, const char *name)
{
	if (!list)
		return true;
	for (; *list; list++)
		if (!strcmp(*list, name))
			return true;
	return false;
}

static void
warn_unrouted(struct judge *j)
{
	const struct settings *set = j->set;

	for (size_t i = 0; i < set->n_instances; i++) {
		const struct instance_setting *in = &set->instances[i];
		bool used = false;

		for (size_t r = 0; r < set->n_routes; r++)
			used |= in->kind == WEIR_STORE
						? set->routes[r].to && listed(set->routes[r].to, in->name)
						: listed(set->routes[r].from, in->name);
		if (used)
			continue;
		report_warning(j->report, &in->place, in->width, in->name,
			in->kind == WEIR_STORE ? "no route leads to this store: nothing will be stored in it"
								   : "this source stands in no route: its rows go nowhere");
	}
}

void
routes_judge(struct settings *set, struct report *report)
{
	struct judge j = { .set = set, .report = report };
	const struct node *node = node_get(set->root, "routes");

	if (node)
		path_push(&j.where, "routes");
	if (node && node_expect(node, NODE_SEQUENCE, true, "routes", report)) {
		set->routes = arena_alloc(&set->arena, (node->n + 1) * sizeof(*set->routes));
		for (size_t i = 0; set->routes && i < node->n; i++) {
			size_t path = path_push_index(&j.where, i);

			judge_route(&j, node->members[i].value);
			path_pop(&j.where, path);
		}
		if (set->n_routes && !report_incomplete(report))
			warn_unrouted(&j);
	}
	struct text shown = { 0 };

	if (node)
		node_show(node, &shown, false);
	set->flow_signature = shown.data ? arena_string(&set->arena, shown.data) : "";
	text_free(&shown);
	text_free(&j.where);
}

/* Patterns in order; "!x" takes away. A list of "!x" alone begins with everything. */
bool
routes_schema_selected(const char *const *patterns, const char *schema)
{
	if (!patterns || !*patterns)
		return true;
	bool selected = patterns[0][0] == '!';

	for (; *patterns; patterns++) {
		bool not = **patterns == '!';

		if (pattern_match(*patterns + not, schema))
			selected = !not ;
	}
	return selected;
}

bool
settings_routed(const struct settings *set, const char *source, const char *sink,
	const char *schema, const char *cluster, const char *host, const struct route_columns **columns)
{
	if (columns)
		*columns = NULL;
	if (!set->n_routes)
		return true;
	for (size_t i = 0; i < set->n_routes; i++) {
		const struct route_setting *r = &set->routes[i];

		if (!r->to || !listed(r->to, sink) || !listed(r->from, source) ||
			!routes_schema_selected(r->schemas, schema) || !listed(r->clusters, cluster) ||
			(r->hosts && host && !hostlist_match(r->hosts, host)))
			continue;
		for (size_t k = 0; columns && k < r->n_columns; k++)
			if (!strcmp(r->columns[k].schema, schema))
				*columns = &r->columns[k];
		return true;
	}
	return false;
}
