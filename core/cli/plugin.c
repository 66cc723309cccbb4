/* SPDX-License-Identifier: Apache-2.0 */
/* weir plugin: list, describe; test and new are in files of their own. */
#include "cli/plugin.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "flow/settings.h"
#include "plugin/describe.h"

enum weir_kind
plugin_kind_named(const char *word)
{
	for (enum weir_kind kind = WEIR_SAMPLER; kind <= WEIR_STORE; kind++)
		if (!strcmp(word, plugin_kind_name(kind)))
			return kind;
	return 0;
}

/* Why a file is bad, or the build lacks it, tells more than that a kind has no such name. */
static int
weight(const struct weir_err *err)
{
	if (err->code != -ENOENT)
		return err->code ? 4 : 0;
	return strstr(err->text, "left out") ? 3 : strstr(err->text, "did you mean") ? 2 : 1;
}

/* A name without kind may be that of several. */
static int
find_by_name(struct registry *registry, const char *name, const struct weir_plugin **plugin)
{
	struct weir_err best = { 0 };
	const struct weir_plugin *other = NULL;

	for (enum weir_kind kind = WEIR_SAMPLER; kind <= WEIR_STORE; kind++) {
		struct weir_err err = { 0 };
		const struct weir_plugin *p = registry_find(registry, kind, name, &err);

		if (weight(&err) > weight(&best))
			best = err;
		if (p && *plugin)
			other = *plugin;
		*plugin = p ? p : *plugin;
	}
	if (other)
		return cli_usage("plugin", "'%s' is a %s and a %s: write 'describe %s %s'", name,
			plugin_kind_name(other->kind), plugin_kind_name((*plugin)->kind),
			plugin_kind_name(other->kind), name);
	if (*plugin)
		return EXIT_DONE;
	if (weight(&best) == 1)
		return cli_fail(
			EXIT_USAGE, "no such plugin: '%s' ('weir plugin list' shows what there is)", name);
	return cli_fail(best.code == -ENOENT ? EXIT_USAGE : EXIT_CONFIG, "%s", best.text);
}

int
plugin_of_arguments(
	struct registry *registry, int argc, char **argv, const struct weir_plugin **plugin)
{
	struct weir_err err = { 0 };
	enum weir_kind kind = argc == 2 ? plugin_kind_named(argv[0]) : 0;

	if (argc < 1 || argc > 2 || (argc == 2 && !kind))
		return cli_usage(
			"plugin", "name one plugin: NAME, sampler|parser|store NAME, or ./FILE.so");
	const char *name = argv[argc - 1];

	if (strchr(name, '/') || (strlen(name) > 3 && !strcmp(name + strlen(name) - 3, ".so")))
		*plugin = registry_load(registry, name, &err);
	else if (kind)
		*plugin = registry_find(registry, kind, name, &err);
	else
		return find_by_name(registry, name, plugin);
	if (!*plugin)
		return cli_fail(err.code == -ENOENT ? EXIT_USAGE : EXIT_CONFIG, "%s", err.text);
	return EXIT_DONE;
}

static void
json_member(struct text *out, const char *name, const char *value)
{
	text_printf(out, ",\"%s\":", name);
	if (value)
		text_json(out, value, strlen(value));
	else
		text_add(out, "null");
}

static void
add_line(struct text *out, bool json, const struct plugin_file *file)
{
	const struct weir_plugin *p = file->plugin;

	if (json) {
		text_printf(out, "{\"kind\":\"%s\"", plugin_kind_name(p->kind));
		json_member(out, "name", p->name);
		json_member(out, "summary", p->summary);
		json_member(out, "library", p->library);
		json_member(out, "path", file->path);
		json_member(out, "needs_package", NULL);
		text_add(out, "}\n");
	} else {
		text_printf(out, "%-8s %-16s %s%s%s%s\n", plugin_kind_name(p->kind), p->name, p->summary,
			p->library ? " [" : "", p->library ? p->library : "", p->library ? "]" : "");
	}
}

/* A line "samplers/perf<TAB>libpfm4-dev" of what the build left out. */
static void
add_skipped(struct text *out, bool json, const char *line, size_t length)
{
	const char *slash = memchr(line, '/', length), *tab = memchr(line, '\t', length);

	if (!slash || !tab || tab < slash)
		return;
	int kind = (int)(slash - line) - 1, name = (int)(tab - slash) - 1;
	int package = (int)(line + length - tab) - 1;

	if (json)
		text_printf(out,
			"{\"kind\":\"%.*s\",\"name\":\"%.*s\",\"summary\":null,\"library\":null,\"path\":null,"
			"\"needs_package\":\"%.*s\"}\n",
			kind, line, name, slash + 1, package, tab + 1);
	else
		text_printf(out, "%-8.*s %-16.*s left out of this build: needs the package %.*s\n", kind,
			line, name, slash + 1, package, tab + 1);
}

/* Is the plugin of a skipped line here after all, from another folder? */
static bool
built(const struct plugin_file *files, size_t n, const char *line)
{
	const char *slash = strchr(line, '/');
	size_t length = slash ? strcspn(slash + 1, "\t\n") : 0;

	for (size_t i = 0; slash && i < n; i++)
		if (files[i].plugin && strlen(files[i].name) == length &&
			!memcmp(files[i].name, slash + 1, length) &&
			!strncmp(line, plugin_kind_name(files[i].kind), (size_t)(slash - line) - 1))
			return true;
	return false;
}

static int
list(int argc, char **argv)
{
	static const struct option options[] = { { "format", required_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 } };
	struct text out = { 0 };
	bool json = false;
	size_t n = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'f' || (strcmp(optarg, "json") && strcmp(optarg, "text")))
			return cli_usage(
				"plugin", c == 'f' ? "list --format is text or json" : "wrong options");
		json = !strcmp(optarg, "json");
	}
	if (optind < argc)
		return cli_usage("plugin", "list takes no '%s'", argv[optind]);
	struct registry *registry = registry_standard(NULL);

	if (!registry)
		return cli_fail(EXIT_IO, "out of memory");
	const struct plugin_file *files = registry_all(registry, &n);

	for (size_t i = 0; i < n; i++)
		if (files[i].plugin)
			add_line(&out, json, &files[i]);
		else
			cli_fail(0, "%s", files[i].fault.text);
	for (const char *line = registry_skipped(registry); *line;) {
		size_t length = strcspn(line, "\n");

		if (!built(files, n, line))
			add_skipped(&out, json, line, length);
		line += length + (line[length] == '\n');
	}
	int rc = cli_write(&out);

	text_free(&out);
	registry_free(registry);
	return rc;
}

static int
describe(int argc, char **argv)
{
	static const struct option options[] = { { "format", required_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 } };
	static const struct {
		const char *name;
		void (*write)(const struct description *, struct text *out);
	} forms[] = {
		{ "text", describe_text },
		{ "json", describe_json },
		{ "markdown", describe_markdown },
		{ "man", describe_man },
	};
	size_t form = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		for (form = 0; c == 'f' && form < WEIR_COUNT(forms) && strcmp(optarg, forms[form].name);)
			form++;
		if (c != 'f' || form == WEIR_COUNT(forms))
			return cli_usage("plugin",
				c == 'f' ? "describe --format is text, json, markdown or man" : "wrong options");
	}
	struct registry *registry = registry_standard(NULL);
	const struct weir_plugin *plugin = NULL;
	struct text out = { 0 };
	int rc = registry ? plugin_of_arguments(registry, argc - optind, argv + optind, &plugin)
					  : cli_fail(EXIT_IO, "out of memory");

	if (!rc) {
		struct description d = { .plugin = plugin, .common = settings_common(plugin->kind) };

		if (plugin->kind == WEIR_SAMPLER)
			d.interval = settings_default_interval(plugin);
		forms[form].write(&d, &out);
		rc = out.failed ? cli_fail(EXIT_IO, "out of memory") : cli_write(&out);
	}
	text_free(&out);
	registry_free(registry);
	return rc;
}

int
cli_plugin(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} actions[] = {
		{ "list", list },
		{ "describe", describe },
		{ "test", plugin_test },
		{ "new", plugin_new },
	};
	const char *words[WEIR_COUNT(actions)];

	if (argc < 2)
		return cli_usage("plugin", "say what: list, describe, test or new");
	for (size_t i = 0; i < WEIR_COUNT(actions); i++) {
		if (!strcmp(argv[1], actions[i].name))
			return actions[i].run(argc - 1, argv + 1);
		words[i] = actions[i].name;
	}
	const char *near = text_nearest(argv[1], words, WEIR_COUNT(actions));

	return cli_usage("plugin", "no such action: '%s'%s%s%s", argv[1],
		near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}
