/* SPDX-License-Identifier: Apache-2.0 */
/* weir config init: a file to start from. Every option there is stands in it, those that are not
 * set as comments with their defaults, so it tells what can be changed. */
#include "cli/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "plugin/option.h"

struct pair {
	const char *name, *value;
};

struct starter {
	const char *name;
	const char *head;     /* comment on top */
	const char *interval; /* of every sampler; NULL: the samplers' own defaults */
	struct pair program[4];
	const char *const *samplers;
	struct {
		const char *name;
		struct pair option[2];
	} stores[3];
};

static const char *const node_samplers[] = { "cpu", "meminfo", "vmstat", "loadavg", "disk",
	"filesystem", "netdev", "snmp", "netstat", "softnet", "sockstat", "pressure", "kernel", "host",
	"perf", NULL };
static const char *const own_samplers[] = { "cpu", "meminfo", "loadavg", "disk", "filesystem",
	"netdev", "kernel", "host", NULL };

static const struct starter starters[] = {
	{
		.name = "laptop",
		.head =
			"# Weir on one machine, for a look: a sample a second into a database below ./var.\n"
			"#\tweir run conf/laptop.yaml\n"
			"#\tsqlite3 var/weir.db 'select * from loadavg order by time desc limit 5'\n",
		.interval = "1s",
		.program = { { "cluster", "laptop" }, { "state", "./var" },
			{ "control", "./var/control.sock" } },
		.samplers = node_samplers,
		.stores = { { "sqlite", { { "path", "./var/weir.db" } } } },
	},
	{
		.name = "agent",
		.head = "# Weir on a node: samples every 10 seconds, kept in CSV files on the node's own "
				"disk.\n"
				"# Save as /etc/weir/weir.yaml; what differs on some hosts goes to "
				"/etc/weir/conf.d/.\n",
		.interval = "10s",
		.program = { { "cluster", "default" } },
		.samplers = node_samplers,
		.stores = { { "csv", { { "path", "/var/lib/weir/csv" } } } },
	},
	{
		.name = "aggregator",
		.head =
			"# Weir on a server that keeps data. This version reads nothing from other hosts: "
			"Kafka,\n"
			"# which carries rows from agents to aggregators, is not part of it yet. So this file\n"
			"# measures the server itself and shows two stores side by side.\n",
		.interval = "10s",
		.program = { { "cluster", "default" } },
		.samplers = own_samplers,
		.stores = { { "sqlite", { { "path", "/var/lib/weir/weir.db" } } },
			{ "csv", { { "path", "/var/lib/weir/csv" } } } },
	},
};

static const char *
value_of(const struct pair *pairs, size_t n, const char *name)
{
	for (size_t i = 0; i < n && pairs[i].name; i++)
		if (!strcmp(pairs[i].name, name))
			return pairs[i].value;
	return NULL;
}

/* Plain where YAML surely reads it as it stands. */
static void
add_word(struct text *out, const char *word, size_t length)
{
	bool plain = length > 0;

	for (size_t i = 0; i < length; i++)
		plain = plain && (isalnum((unsigned char)word[i]) || strchr(i ? "_./+-" : "/.", word[i]));
	text_printf(out, plain ? "%.*s" : "\"%.*s\"", (int)length, word);
}

static void
add_value(struct text *out, const struct weir_option *o, const char *value)
{
	if (o->type == WEIR_OPTION_MAP) {
		text_add(out, "{}");
	} else if (o->type == WEIR_OPTION_LIST) {
		text_add(out, "[");
		for (const char *at = value ? value : ""; *at; at += strspn(at, " ")) {
			size_t length = strcspn(at, " ");

			add_word(out, at, length);
			at += length;
			text_add(out, at[strspn(at, " ")] ? ", " : "");
		}
		text_add(out, "]");
	} else {
		add_word(out, value ? value : "", value ? strlen(value) : 0);
	}
}

/* "# duration, 10ms to 7d: time between ticks" over "#interval: 10s", or over the value set. */
static void
add_option(struct text *out, const char *indent, const struct weir_option *o, const char *set,
	const char *fallback)
{
	struct text range = { 0 };

	if (o->type != WEIR_OPTION_BOOL)
		option_range(o, &range);
	text_printf(out, "%s# %s", indent, option_type_name(o->type));
	if (range.size)
		text_printf(out, ", %s", range.data);
	if (o->flags & WEIR_REQUIRED)
		text_add(out, ", required");
	text_printf(out, ": %s\n%s%s%s: ", o->help, indent, set ? "" : "#", o->name);
	add_value(out, o, set ? set : fallback);
	text_add(out, "\n");
	text_free(&range);
}

static void
add_table(struct text *out, const char *indent, const struct weir_option *table,
	const struct pair *pairs, size_t n)
{
	for (const struct weir_option *o = table; o && o->type != WEIR_OPTION_END; o++)
		add_option(out, indent, o, value_of(pairs, n, o->name), o->fallback);
}

static const struct weir_plugin *
find(struct text *out, struct registry *registry, enum weir_kind kind, const char *name)
{
	struct weir_err err = { 0 };
	const struct weir_plugin *p = registry_find(registry, kind, name, &err);

	if (!p)
		text_printf(out, "\n  # %s: %s\n", name, err.text);
	return p;
}

static void
add_sampler(struct text *out, struct registry *registry, const char *name, const char *interval)
{
	const struct weir_plugin *p = find(out, registry, WEIR_SAMPLER, name);

	if (!p)
		return;
	bool own = !interval || p->flags & WEIR_EVENTS;

	text_printf(out, "\n  # %s\n  %s:\n    %sinterval: %s\n", p->summary, name, own ? "#" : "",
		own ? settings_default_interval(p) : interval);
	add_table(out, "    ", p->options, NULL, 0);
}

static void
add_store(struct text *out, struct registry *registry, const char *name, const struct pair *pairs,
	size_t n)
{
	const struct weir_plugin *p = find(out, registry, WEIR_STORE, name);

	if (!p)
		return;
	text_printf(out, "\n  # %s\n  %s:\n", p->summary, name);
	add_table(out, "    ", p->options, pairs, n);
	add_table(out, "    ", settings_common(WEIR_STORE), pairs, n);
}

static void
add_program(struct text *out, const struct starter *s)
{
	add_table(out, "", program_options, s->program, WEIR_COUNT(s->program));
	text_add(out, "#log:\n");
	for (const struct weir_option *o = log_options; o->type != WEIR_OPTION_END; o++)
		add_option(out, "  ", o, NULL, o->fallback);
}

static void
write_starter(const struct starter *s, struct registry *registry, struct text *out)
{
	text_printf(out,
		"%s#\n# A line '#name: value' is an option that is not set, with its default; above it "
		"stands\n"
		"# what it may be. weir.yaml(5) tells of the rest, 'weir plugin list' what else there "
		"is.\n\n",
		s->head);
	add_program(out, s);
	text_add(out,
		"\n# An instance is named after its plugin, or says 'plugin: NAME'. Besides their own all\n"
		"# samplers have these options:\n");
	for (const struct weir_option *o = settings_common(WEIR_SAMPLER); o->type != WEIR_OPTION_END;
		 o++)
		add_option(out, "    ", o, NULL, o->fallback);
	text_add(out, "samplers:\n");
	for (const char *const *name = s->samplers; *name; name++)
		add_sampler(out, registry, *name, s->interval);
	text_add(out, "\nstores:\n");
	for (size_t i = 0; s->stores[i].name; i++)
		add_store(
			out, registry, s->stores[i].name, s->stores[i].option, WEIR_COUNT(s->stores[i].option));
	text_add(out, "\n# Without routes every source goes to every store.\n#routes:\n");
	text_printf(out, "#  - {from: [%s], to: [%s]}\n", s->samplers[0], s->stores[0].name);
}

int
config_starter(const char *kind, struct registry *registry, struct text *out)
{
	for (size_t i = 0; i < WEIR_COUNT(starters); i++)
		if (!strcmp(kind, starters[i].name)) {
			write_starter(&starters[i], registry, out);
			return 0;
		}
	return -EINVAL;
}
