/* SPDX-License-Identifier: Apache-2.0 */
/* Judging the configuration tree: sections, instances, options. Routes are in routes.c. */
#include "flow/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/yaml.h"
#include "flow/routes.h"
#include "plugin/option.h"

struct judge {
	struct settings *set;
	struct report *report;
	struct registry **registry;
	struct text where; /* the path of keys of what is looked at */
};

struct settings *
settings_keep(struct settings *set)
{
	__atomic_fetch_add(&set->references, 1, __ATOMIC_RELAXED);
	return set;
}

void
settings_release(struct settings *set)
{
	if (!set || __atomic_fetch_sub(&set->references, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	struct arena arena = set->arena;

	arena_free(&arena);
}

bool
settings_host_name(bool full, char *out, size_t room)
{
	if (gethostname(out, room))
		return false;
	out[room - 1] = '\0';
	if (!full)
		out[strcspn(out, ".")] = '\0';
	return *out && strcmp(out, "localhost") && strcmp(out, "(none)") &&
		   strncmp(out, "localhost.", 10);
}

/* ---- one option ---- */

/* All scalars of a sequence, or NULL after a report. */
static const char *const *
sequence_texts(struct judge *j, const struct node *node, size_t *n)
{
	const char **items = arena_alloc(&j->set->arena, (node->n + 1) * sizeof(*items));

	*n = 0;
	for (size_t i = 0; items && i < node->n; i++) {
		size_t path = path_push_index(&j->where, i);
		bool good = node_expect(
			node->members[i].value, NODE_SCALAR, false, path_text(&j->where), j->report);

		path_pop(&j->where, path);
		if (!good)
			return NULL;
		items[(*n)++] = node->members[i].value->value;
	}
	return items;
}

const char *const *
settings_texts(struct settings *set, struct report *report, struct text *where,
	const struct node *node, size_t *n)
{
	struct judge j = { .set = set, .report = report, .where = *where };
	const char *const *items;

	if (node->kind == NODE_SEQUENCE) {
		items = sequence_texts(&j, node, n);
	} else if (node_expect(node, NODE_SCALAR, false, path_text(&j.where), report)) {
		const char **one = arena_alloc(&set->arena, 2 * sizeof(*one));

		if (one)
			one[0] = node->value;
		*n = 1;
		items = one;
	} else {
		items = NULL;
	}
	*where = j.where;
	return items;
}

static const struct weir_pair *
mapping_pairs(struct judge *j, const struct node *node)
{
	struct weir_pair *pairs = arena_alloc(&j->set->arena, (node->n + 1) * sizeof(*pairs));

	for (size_t i = 0; pairs && i < node->n; i++) {
		size_t path = path_push(&j->where, node->members[i].name);
		bool good = node_expect(
			node->members[i].value, NODE_SCALAR, false, path_text(&j->where), j->report);

		path_pop(&j->where, path);
		if (!good)
			return NULL;
		pairs[i] = (struct weir_pair){ node->members[i].name, node->members[i].value->value };
	}
	return pairs;
}

/* The node as an assignment, checked by setting it into `state` (a scratch one). */
static bool
assign(struct judge *j, const struct weir_option *o, struct node *node, void *state,
	struct assignment *a)
{
	struct weir_err err = { 0 };
	struct arena *arena = &j->set->arena;
	int rc;

	*a = (struct assignment){ .option = o };
	if (node->broken)
		return false;
	if (o->type == WEIR_OPTION_SECRET)
		node->secret = true;
	if (o->type == WEIR_OPTION_MAP) {
		if (!node_expect(node, NODE_MAPPING, false, path_text(&j->where), j->report))
			return false;
		a->n = node->n;
		if (!(a->pairs = mapping_pairs(j, node)))
			return false;
		rc = option_set_map(o, state, a->pairs, a->n, arena, &err);
	} else if (o->type == WEIR_OPTION_LIST && node->kind == NODE_SEQUENCE) {
		if (!(a->items = sequence_texts(j, node, &a->n)))
			return false;
		rc = option_set_list(o, state, a->items, a->n, arena, &err);
	} else {
		if (!node_expect(node, NODE_SCALAR, false, path_text(&j->where), j->report))
			return false;
		const char **one = arena_alloc(arena, 2 * sizeof(*one));

		if (!one)
			return false;
		one[0] = node->value;
		a->items = one;
		a->n = 1;
		rc = option_set(o, state, node->value, arena, &err);
	}
	if (rc) {
		report_error(j->report, &node->place, node->width, path_text(&j->where), "%s", err.text);
		return false;
	}
	return true;
}

/* ---- unknown keys ---- */

static void
unknown_option(struct judge *j, const struct member *m, const char *what,
	const struct weir_option *a, const struct weir_option *b, const char *hint)
{
	const char *near = option_near(a, m->name), *other = b ? option_near(b, m->name) : NULL;

	report_error(
		j->report, &m->place, m->width, path_text(&j->where), "no such option of %s", what);
	if (other && (!near || text_distance(other, m->name) < text_distance(near, m->name)))
		near = other;
	if (near)
		report_hint(j->report, "did you mean '%s'?   (%s)", near, hint);
	else
		report_hint(j->report, "%s", hint);
}

/* ---- sections that are one option table ---- */

static void
judge_table(struct judge *j, const struct node *mapping, const struct weir_option *table,
	void *state, const char *what, const char *hint)
{
	for (size_t i = 0; i < mapping->n; i++) {
		struct member *m = &mapping->members[i];
		size_t path = path_push(&j->where, m->name);
		const struct weir_option *o = option_named(table, m->name);
		struct assignment a;

		if (o)
			(void)assign(j, o, m->value, state, &a);
		else
			unknown_option(j, m, what, table, NULL, hint);
		path_pop(&j->where, path);
	}
}

/* ---- instances ---- */

static const char *const section_names[] = {
	[WEIR_SAMPLER] = "samplers", [WEIR_PARSER] = "parsers", [WEIR_STORE] = "stores"
};

/* Does another kind's section take this option? Then the user is in the wrong section. */
static const char *
kind_with_option(const char *name, enum weir_kind not )
{
	for (int kind = WEIR_SAMPLER; kind <= WEIR_STORE; kind++)
		if (kind != (int)not &&option_named(settings_common((enum weir_kind)kind), name))
			return section_names[kind];
	return NULL;
}

static void
unknown_instance_option(struct judge *j, const struct instance_setting *in, const struct member *m)
{
	char what[120], hint[160];
	const char *elsewhere = kind_with_option(m->name, in->kind);
	const char *plugin = in->plugin ? in->plugin->name : in->name;

	snprintf(what, sizeof(what), "%s '%s'", plugin_kind_name(in->kind), plugin);
	snprintf(hint, sizeof(hint), "options of %s '%s': weir plugin describe %s",
		plugin_kind_name(in->kind), plugin, plugin);
	unknown_option(
		j, m, what, in->plugin ? in->plugin->options : NULL, settings_common(in->kind), hint);
	if (elsewhere)
		report_hint(j->report, "'%s' is an option of %s", m->name, elsewhere);
}

static bool
parse_sync(struct judge *j, struct instance_setting *in, const struct node *node)
{
	struct weir_err err = { 0 };

	if (!strcmp(in->store.sync, "always"))
		in->store.sync_ns = 0;
	else if (!strcmp(in->store.sync, "never"))
		in->store.sync_ns = -1;
	else if (parse_duration(in->store.sync, &in->store.sync_ns, &err)) {
		report_error(j->report, node ? &node->place : &in->place, node ? node->width : in->width,
			path_text(&j->where), "'%s' is not always, never or a duration (30s)", in->store.sync);
		return false;
	}
	return true;
}

static void
judge_common(struct judge *j, struct instance_setting *in, const struct node *node)
{
	if (in->kind == WEIR_SAMPLER) {
		const struct node *offset = node_get(node, "offset");

		if (in->sampler.offset >= in->sampler.interval)
			report_error(j->report, offset ? &offset->place : &in->place,
				offset ? offset->width : in->width, path_text(&j->where),
				"the offset must be less than the interval");
	} else if (in->kind == WEIR_STORE) {
		size_t path = path_push(&j->where, "sync");

		(void)parse_sync(j, in, node_get(node, "sync"));
		path_pop(&j->where, path);
	}
}

/* What a restart of the instance would depend on. */
static const char *
signature(struct judge *j, const struct instance_setting *in)
{
	struct text t = { 0 };

	text_printf(&t, "%d %s %p\n", (int)in->kind, in->name, (const void *)in->plugin);
	if (in->kind == WEIR_SAMPLER)
		text_printf(&t, "%lld %lld %lld %s %d\n", (long long)in->sampler.interval,
			(long long)in->sampler.offset, (long long)in->sampler.timeout, in->sampler.root,
			in->sampler.isolate);
	else
		text_printf(&t, "%lld %s %llu\n", (long long)in->store.flush, in->store.sync,
			(unsigned long long)in->store.queue);
	for (size_t i = 0; i < in->n_assignments; i++) {
		const struct assignment *a = &in->assignments[i];

		text_printf(&t, "%s:", a->option->name);
		for (size_t k = 0; k < a->n; k++) {
			if (a->pairs)
				text_json(&t, a->pairs[k].name, strlen(a->pairs[k].name));
			const char *value = a->pairs ? a->pairs[k].value : a->items[k];

			text_json(&t, value, strlen(value));
		}
		text_add(&t, "\n");
	}
	const char *copy = t.failed ? NULL : arena_copy(&j->set->arena, t.data, t.size);

	text_free(&t);
	return copy ? copy : "";
}

static void
judge_required(struct judge *j, const struct instance_setting *in, const struct node *node)
{
	for (const struct weir_option *o = in->plugin->options; o && o->type != WEIR_OPTION_END; o++) {
		if (!(o->flags & WEIR_REQUIRED) || node_get(node, o->name) || node->partial)
			continue;
		report_error(j->report, &in->place, in->width, path_text(&j->where),
			"%s '%s' needs the option '%s': %s", plugin_kind_name(in->kind), in->plugin->name,
			o->name, o->help);
	}
}

static void
judge_options(struct judge *j, struct instance_setting *in, const struct node *node)
{
	void *common = in->kind == WEIR_SAMPLER ? (void *)&in->sampler : (void *)&in->store;
	const struct weir_option *common_table = settings_common(in->kind);
	struct assignment *list = arena_alloc(&j->set->arena, (node->n + 1) * sizeof(*list));
	void *scratch = in->plugin ? calloc(1, in->plugin->state_size + 1) : NULL;

	for (size_t i = 0; list && i < node->n; i++) {
		struct member *m = &node->members[i];
		size_t path = path_push(&j->where, m->name);
		const struct weir_option *o = option_named(common_table, m->name);

		if (!strcmp(m->name, "plugin")) {
			m->seen = true;
		} else if (o) {
			struct assignment unused;

			(void)assign(j, o, m->value, common, &unused);
		} else if (in->plugin && scratch) {
			o = option_named(in->plugin->options, m->name);
			if (!o)
				unknown_instance_option(j, in, m);
			else if (assign(j, o, m->value, scratch, &list[in->n_assignments]))
				in->n_assignments++;
		}
		path_pop(&j->where, path);
	}
	free(scratch);
	in->assignments = list;
	if (in->plugin)
		judge_required(j, in, node);
	judge_common(j, in, node);
}

static const char *
plugin_of(struct judge *j, const char *name, const struct node *node, struct place *place,
	unsigned *width)
{
	const struct node *plugin = node_get(node, "plugin");

	if (!plugin)
		return name;
	size_t path = path_push(&j->where, "plugin");
	bool good = node_expect(plugin, NODE_SCALAR, false, path_text(&j->where), j->report);

	path_pop(&j->where, path);
	*place = plugin->place;
	*width = plugin->width;
	return good && !plugin->broken ? plugin->value : NULL;
}

static void
judge_defaults(struct judge *j, struct instance_setting *in)
{
	void *common = in->kind == WEIR_SAMPLER ? (void *)&in->sampler : (void *)&in->store;

	(void)option_defaults(settings_common(in->kind), common, &j->set->arena, NULL);
	if (in->kind == WEIR_SAMPLER && in->plugin)
		(void)parse_duration(settings_default_interval(in->plugin), &in->sampler.interval, NULL);
}

static void
judge_instance(struct judge *j, enum weir_kind kind, struct member *m)
{
	static const struct node nothing = { .kind = NODE_MAPPING };
	struct settings *set = j->set;
	struct instance_setting *in = &set->instances[set->n_instances];
	struct place place = m->place;
	unsigned width = m->width;
	struct weir_err err = { 0 };
	const struct node *node = m->value;

	*in = (struct instance_setting){
		.kind = kind, .name = m->name, .place = m->place, .width = m->width
	};
	if (!name_valid(m->name) || !strncmp(m->name, "weir", 4)) {
		report_error(j->report, &m->place, m->width, path_text(&j->where),
			strncmp(m->name, "weir", 4) ? "'%s' is no name for an instance: write [a-z][a-z0-9_]*"
										: "'%s': names that begin with 'weir' are Weir's own",
			m->name);
		return;
	}
	if (!node_expect(node, NODE_MAPPING, true, path_text(&j->where), j->report)) {
		if (!node_null(node))
			return;
		node = &nothing;
	}
	const char *plugin = plugin_of(j, m->name, node, &place, &width);

	in->plugin = plugin && *j->registry ? registry_find(*j->registry, kind, plugin, &err) : NULL;
	if (plugin && !in->plugin)
		report_error(j->report, &place, width, path_text(&j->where), "%s", err.text);
	judge_defaults(j, in);
	judge_options(j, in, node);
	in->signature = signature(j, in);
	set->n_instances++;
}

static void
judge_section(struct judge *j, enum weir_kind kind, struct node *section)
{
	if (!node_expect(section, NODE_MAPPING, true, path_text(&j->where), j->report))
		return;
	for (size_t i = 0; i < section->n; i++) {
		size_t path = path_push(&j->where, section->members[i].name);

		judge_instance(j, kind, &section->members[i]);
		path_pop(&j->where, path);
	}
}

/* One name for two instances would make routes and rows ambiguous. */
static void
judge_names(struct judge *j)
{
	const struct settings *set = j->set;

	for (size_t i = 0; i < set->n_instances; i++)
		for (size_t k = 0; k < i; k++) {
			const struct instance_setting *in = &set->instances[i];

			if (strcmp(in->name, set->instances[k].name))
				continue;
			report_error(j->report, &in->place, in->width, path_text(&j->where),
				"'%s' is the name of a %s already: rename one and say 'plugin: %s'", in->name,
				plugin_kind_name(set->instances[k].kind), in->plugin ? in->plugin->name : in->name);
		}
}

/* ---- the whole ---- */

static void
judge_unknown_key(struct judge *j, struct member *m)
{
	static const char *const keys[] = { "cluster", "host", "host_name", "state", "control", "http",
		"plugins", "expect", "log", "samplers", "parsers", "kafka", "stores", "routes", "trust",
		"stop_timeout" };
	const char *near = text_nearest(m->name, keys, WEIR_COUNT(keys));

	report_error(j->report, &m->place, m->width, path_text(&j->where), "no such key");
	if (near)
		report_hint(j->report, "did you mean '%s'?", near);
	else
		report_hint(j->report, "keys here: cluster host state control http plugins log samplers "
							   "stores routes; see weir.yaml(5)");
}

static void
judge_member(struct judge *j, struct member *m)
{
	struct settings *set = j->set;
	const struct weir_option *o = option_named(program_options, m->name);
	struct assignment a;

	if (o) {
		(void)assign(j, o, m->value, &set->program, &a);
	} else if (!strcmp(m->name, "log")) {
		if (node_expect(m->value, NODE_MAPPING, true, path_text(&j->where), j->report))
			judge_table(j, m->value, log_options, &set->log, "log", "see weir.yaml(5)");
	} else if (!strcmp(m->name, "samplers")) {
		judge_section(j, WEIR_SAMPLER, m->value);
	} else if (!strcmp(m->name, "stores")) {
		judge_section(j, WEIR_STORE, m->value);
		if (m->value->n > STORES_MOST)
			report_error(j->report, &m->place, m->width, path_text(&j->where),
				"%zu stores: at most %d can run in one process", m->value->n, STORES_MOST);
	} else if (!strcmp(m->name, "parsers") || !strcmp(m->name, "kafka") ||
			   !strcmp(m->name, "trust")) {
		if (m->value->n || m->value->kind == NODE_SCALAR)
			report_error(j->report, &m->place, m->width, path_text(&j->where),
				"this version of weir runs samplers and stores; '%s' comes with a later one",
				m->name);
	} else if (strcmp(m->name, "routes") && strcmp(m->name, "match")) {
		judge_unknown_key(j, m);
	}
}

static size_t
count_members(const struct node *root, const char *section)
{
	const struct node *node = node_get(root, section);

	return node && node->kind == NODE_MAPPING ? node->n : 0;
}

/* A section of the wrong shape has been reported: whether it names something nobody can say. */
static bool
names_nothing(const struct node *root, const char *section)
{
	const struct node *node = node_get(root, section);

	return !node || node_null(node) || (node->kind == NODE_MAPPING && !node->n && !node->partial);
}

static void
judge_nothing_to_run(struct judge *j, const struct node *root)
{
	/* A misspelt section is reported already. */
	if (report_incomplete(j->report) || root->partial || report_errors(j->report))
		return;
	if (names_nothing(root, "samplers"))
		report_error(j->report, &root->place, 1, "samplers",
			"nothing to run: no source; name at least one sampler");
	if (names_nothing(root, "stores"))
		report_error(j->report, &root->place, 1, "stores",
			"nothing to run: no sink; name at least one store");
}

static void
judge_host(struct judge *j, const char *host)
{
	struct settings *set = j->set;
	char name[256];

	if (host)
		set->host = arena_string(&set->arena, host);
	else if (set->program.host && *set->program.host)
		set->host = set->program.host;
	else if (settings_host_name(set->program.host_name == 1, name, sizeof(name)))
		set->host = arena_string(&set->arena, name);
	if (set->program.expect && *set->program.expect) {
		struct weir_err err = { 0 };
		const struct node *node = node_get(set->root, "expect");

		if (hostlist_check(set->program.expect, &err) && node)
			report_error(j->report, &node->place, node->width, "expect", "%s", err.text);
	}
}

/* HOST:PORT or off. */
static void
judge_http(struct judge *j)
{
	const struct node *node = node_get(j->set->root, "http");
	const char *http = j->set->program.http, *colon = http ? strrchr(http, ':') : NULL;
	int64_t port;

	if (!http || !strcmp(http, "off"))
		return;
	if (!colon || colon == http || parse_i64(colon + 1, &port, NULL) || port < 0 || port > 65535)
		report_error(j->report, node ? &node->place : NULL, node ? node->width : 1, "http",
			"'%s' is not HOST:PORT (127.0.0.1:9464) or off", http);
}

static void
finish(struct settings *set)
{
	struct arena *arena = &set->arena;
	struct text fixed = { 0 };

	set->control = set->program.control ? set->program.control
										: arena_printf(arena, "%s/control.sock",
											  set->program.state ? set->program.state : "");
	text_printf(&fixed, "%s\n%s\n%s\n%s\n%s\n%d %s\n", set->program.cluster,
		set->host ? set->host : "", set->program.state, set->control, set->program.http,
		set->log.level, set->log.target);
	for (size_t i = 0; i < set->program.plugins.n; i++)
		text_printf(&fixed, "%s\n", set->program.plugins.item[i]);
	set->signature = fixed.failed ? "" : arena_string(arena, fixed.data);
	text_free(&fixed);
}

int
settings_load(const char *path, const char *host, struct registry **registry, struct report *report,
	struct settings **out, struct weir_err *err)
{
	struct arena arena = { 0 };
	struct settings *set = arena_alloc(&arena, sizeof(*set));
	struct node *root;

	if (!set)
		return weir_fail(err, -ENOMEM, "cannot read '%s'", path);
	int rc = config_load(path, host, &arena, report, &root, err);

	if (rc) {
		arena_free(&arena);
		return rc;
	}
	set->arena = arena;
	set->root = root;
	set->references = 1;
	set->path = arena_string(&set->arena, path);
	struct judge j = { .set = set, .report = report, .registry = registry };

	(void)option_defaults(program_options, &set->program, &set->arena, NULL);
	(void)option_defaults(log_options, &set->log, &set->arena, NULL);
	set->instances = arena_alloc(
		&set->arena, (count_members(root, "samplers") + count_members(root, "stores") + 1) *
						 sizeof(*set->instances));
	/* The folders of plugins come before what needs them. */
	struct member *plugins = node_member(root, "plugins");
	struct assignment a;

	if (plugins &&
		assign(&j, option_named(program_options, "plugins"), plugins->value, &set->program, &a))
		plugins->seen = true;
	for (size_t i = 0; i < set->program.plugins.n; i++)
		if (access(set->program.plugins.item[i], R_OK | X_OK))
			report_warning(report, &plugins->value->place, plugins->value->width, "plugins",
				"the folder '%s' cannot be read: nothing is loaded from it",
				set->program.plugins.item[i]);
	if (!*registry)
		*registry = registry_standard(&set->program.plugins);
	for (size_t i = 0; set->instances && i < root->n; i++) {
		size_t at = path_push(&j.where, root->members[i].name);

		if (&root->members[i] != plugins)
			judge_member(&j, &root->members[i]);
		path_pop(&j.where, at);
	}
	judge_names(&j);
	judge_host(&j, host);
	judge_http(&j);
	judge_nothing_to_run(&j, root);
	routes_judge(set, report);
	finish(set);
	text_free(&j.where);
	*out = set;
	return 0;
}

int
settings_apply(const struct instance_setting *in, struct weir_ctx *ctx, struct weir_err *err)
{
	int rc = option_defaults(in->plugin->options, ctx->state, &ctx->arena, err);

	for (size_t i = 0; !rc && i < in->n_assignments; i++) {
		const struct assignment *a = &in->assignments[i];

		if (a->pairs)
			rc = option_set_map(a->option, ctx->state, a->pairs, a->n, &ctx->arena, err);
		else if (a->option->type == WEIR_OPTION_LIST)
			rc = option_set_list(a->option, ctx->state, a->items, a->n, &ctx->arena, err);
		else
			rc = option_set(a->option, ctx->state, a->items[0], &ctx->arena, err);
	}
	return rc;
}

uint64_t
settings_needs(const struct settings *set)
{
	uint64_t needs = 0;

	for (size_t i = 0; i < set->n_instances; i++)
		needs |= set->instances[i].plugin ? set->instances[i].plugin->needs : 0;
	return needs;
}
