/* SPDX-License-Identifier: Apache-2.0 */
/* weir config show: a tree like the user's, with what he left to the defaults, in the order of the
 * tables. */
#include "cli/config.h"

#include <errno.h>
#include <string.h>

#include "plugin/option.h"

static const struct source defaults = { .name = "default" };
static const struct source command_line = { .name = "--host" };

/* A tree that grows; after a failure everything does nothing. */
struct build {
	struct arena *arena;
	bool failed;
};

static void
append(struct build *b, struct node *container, const char *name, struct node *value)
{
	struct member member = { .name = name, .value = value };

	if (b->failed || !value || node_append(b->arena, container, &member))
		b->failed = true;
}

static struct node *
container(struct build *b, enum node_kind kind)
{
	struct node *node = node_new(b->arena, kind, (struct place){ .source = &defaults }, 1);

	b->failed |= !node;
	return node;
}

static struct node *
scalar(struct build *b, const struct source *source, const char *text, size_t size)
{
	struct node *node = node_scalar(b->arena, text, size, (struct place){ .source = source }, 1);

	b->failed |= !node;
	if (node)
		node->plain = size > 0;
	return node;
}

/* A list's fallback is words between blanks. */
static struct node *
default_list(struct build *b, const char *words)
{
	struct node *list = container(b, NODE_SEQUENCE);

	for (const char *at = words; list && *at; at += strspn(at, " ")) {
		size_t length = strcspn(at, " ");

		append(b, list, NULL, scalar(b, &defaults, at, length));
		at += length;
	}
	return list;
}

static struct node *
default_node(struct build *b, const struct weir_option *o, const char *fallback)
{
	if (o->type == WEIR_OPTION_LIST)
		return default_list(b, fallback ? fallback : "");
	if (o->type == WEIR_OPTION_MAP)
		return container(b, NODE_MAPPING);
	return fallback ? scalar(b, &defaults, fallback, strlen(fallback)) : NULL;
}

/* The user's node, else the default; nothing when there is neither. */
static void
add_option(struct build *b, struct node *into, const struct weir_option *o, struct node *given,
	const char *fallback)
{
	struct node *value = given ? given : default_node(b, o, fallback);

	if (value)
		append(b, into, o->name, value);
}

static void
add_table(struct build *b, struct node *into, const struct weir_option *table,
	const struct node *given, const char *interval)
{
	for (const struct weir_option *o = table; o && o->type != WEIR_OPTION_END; o++)
		add_option(b, into, o, given ? node_get(given, o->name) : NULL,
			interval && !strcmp(o->name, "interval") ? interval : o->fallback);
}

static struct node *
instance(struct build *b, const struct settings *set, const struct instance_setting *in)
{
	struct node *node = container(b, NODE_MAPPING);
	const struct node *section =
		node_get(set->root, in->kind == WEIR_SAMPLER ? "samplers" : "stores");
	const struct node *given = section ? node_get(section, in->name) : NULL;
	struct node *plugin = given ? node_get(given, "plugin") : NULL;
	const char *interval = in->kind == WEIR_SAMPLER ? settings_default_interval(in->plugin) : NULL;

	if (!node)
		return NULL;
	append(b, node, "plugin", plugin ? plugin : scalar(b, &defaults, in->name, strlen(in->name)));
	add_table(b, node, settings_common(in->kind), given, interval);
	add_table(b, node, in->plugin->options, given, NULL);
	return node;
}

static void
add_section(struct build *b, const struct settings *set, enum weir_kind kind, struct node *into)
{
	struct node *section = container(b, NODE_MAPPING);

	for (size_t i = 0; section && i < set->n_instances; i++)
		if (set->instances[i].kind == kind)
			append(b, section, set->instances[i].name, instance(b, set, &set->instances[i]));
	append(b, into, kind == WEIR_SAMPLER ? "samplers" : "stores", section);
}

/* What the program found out where the user said nothing. */
static struct node *
program_value(struct build *b, const struct settings *set, const char *name, bool host_given)
{
	struct node *given = node_get(set->root, name);

	if (!strcmp(name, "host") && set->host && (!given || host_given))
		return scalar(b, host_given ? &command_line : &defaults, set->host, strlen(set->host));
	if (strcmp(name, "control") || given)
		return given;
	struct node *control = scalar(b, &defaults, set->control, strlen(set->control));
	const struct node *state = node_get(set->root, "state");

	if (control)
		control->secret = state && state->secret;
	return control;
}

int
config_show(struct settings *set, bool host_given, struct text *out)
{
	struct build b = { .arena = &set->arena };
	struct node *root = container(&b, NODE_MAPPING), *log = container(&b, NODE_MAPPING);
	struct node *routes = node_get(set->root, "routes");

	if (!root || !log)
		return -ENOMEM;
	for (const struct weir_option *o = program_options; o->type != WEIR_OPTION_END; o++)
		add_option(&b, root, o, program_value(&b, set, o->name, host_given), o->fallback);
	add_table(&b, log, log_options, node_get(set->root, "log"), NULL);
	append(&b, root, "log", log);
	add_section(&b, set, WEIR_SAMPLER, root);
	add_section(&b, set, WEIR_STORE, root);
	if (set->n_routes)
		append(&b, root, "routes", routes);
	if (b.failed)
		return -ENOMEM;
	node_show(root, out, true);
	if (!set->n_routes)
		text_add(out, "# routes: none given, so every source goes to every store\n");
	return 0;
}
