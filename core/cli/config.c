/* SPDX-License-Identifier: Apache-2.0 */
/* weir config: check, show, init, drop-in. */
#include "cli/config.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

struct request {
	const char *path, *host, *format;
};

static int
parse_arguments(struct request *request, bool check, int argc, char **argv)
{
	static const struct option options[] = { { "host", required_argument, NULL, 'H' },
		{ "format", required_argument, NULL, 'f' }, { NULL, 0, NULL, 0 } };
	int c;

	*request = (struct request){ .path = CLI_CONFIG, .format = "human" };
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'H')
			request->host = optarg;
		else if (c == 'f' && check)
			request->format = optarg;
		else
			return cli_usage(
				"config", c == 'f' ? "--format is an option of check" : "wrong options");
	}
	if (strcmp(request->format, "human") && strcmp(request->format, "gcc") &&
		strcmp(request->format, "json"))
		return cli_usage("config", "--format '%s' is not human, gcc or json", request->format);
	if (optind + 1 < argc)
		return cli_usage("config", "one configuration at a time");
	if (optind < argc)
		request->path = argv[optind];
	return EXIT_DONE;
}

static size_t
count(const struct settings *set, enum weir_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n_instances; i++)
		n += set->instances[i].kind == kind;
	return n;
}

static void
add_count(struct text *out, size_t n, const char *noun, const char *after)
{
	text_printf(out, "%zu %s%s%s", n, noun, n == 1 ? "" : "s", after);
}

static void
add_summary(struct text *out, const struct settings *set, const struct report *report)
{
	text_add(out, "OK: ");
	add_count(out, count(set, WEIR_SAMPLER), "sampler", ", ");
	add_count(out, count(set, WEIR_STORE), "store", ", ");
	if (set->n_routes)
		add_count(out, set->n_routes, "route", " (");
	else
		text_add(out, "no routes: every source to every store (");
	add_count(out, report_files(report), "file", " read)\n");
}

static void
add_json_summary(struct text *out, const struct settings *set, const struct report *report)
{
	text_printf(out,
		"{\"errors\":%zu,\"warnings\":%zu,\"files\":%zu,\"samplers\":%zu,\"stores\":%zu,"
		"\"routes\":%zu}\n",
		report_errors(report), report_warnings(report), report_files(report),
		count(set, WEIR_SAMPLER), count(set, WEIR_STORE), set->n_routes);
}

/* For programs everything is on standard output, an object a line; else faults are on standard
 * error. */
static int
check(int argc, char **argv)
{
	struct request request;
	struct registry *registry = NULL;
	struct settings *set = NULL;
	struct report *report = NULL;
	struct text out = { 0 }, faults = { 0 };
	int rc = parse_arguments(&request, true, argc, argv);

	if (rc)
		return rc;
	bool json = !strcmp(request.format, "json");

	rc = cli_judge(request.path, request.host, &registry, &set, &report);
	if (report && json) {
		report_print_json(report, &out);
		add_json_summary(&out, set, report);
	} else if (report) {
		(request.format[0] == 'g' ? report_print_gcc : report_print)(report, &faults);
		if (!rc)
			add_summary(&out, set, report);
	}
	if (faults.size)
		fwrite(faults.data, 1, faults.size, stderr);
	int written = cli_write(&out);

	text_free(&out);
	text_free(&faults);
	report_free(report);
	settings_release(set);
	registry_free(registry);
	return rc ? rc : written;
}

static int
show(int argc, char **argv)
{
	struct request request;
	struct registry *registry = NULL;
	struct settings *set = NULL;
	struct text out = { 0 };
	int rc = parse_arguments(&request, false, argc, argv);

	if (!rc)
		rc = cli_settings(request.path, request.host, &registry, &set);
	if (!rc && (config_show(set, request.host, &out) || out.failed))
		rc = cli_fail(EXIT_IO, "out of memory");
	if (!rc)
		rc = cli_write(&out);
	text_free(&out);
	settings_release(set);
	registry_free(registry);
	return rc;
}

static int
drop_in(int argc, char **argv)
{
	struct request request;
	struct registry *registry = NULL;
	struct settings *set = NULL;
	struct text out = { 0 };
	int rc = parse_arguments(&request, false, argc, argv);

	if (!rc)
		rc = cli_settings(request.path, request.host, &registry, &set);
	if (!rc) {
		config_drop_in(set, &out);
		rc = out.failed ? cli_fail(EXIT_IO, "out of memory") : cli_write(&out);
	}
	text_free(&out);
	settings_release(set);
	registry_free(registry);
	return rc;
}

static int
init(int argc, char **argv)
{
	struct text out = { 0 };

	if (argc != 2)
		return cli_usage("config", "init agent, init aggregator or init laptop");
	struct registry *registry = registry_standard(NULL);
	int rc = registry ? config_starter(argv[1], registry, &out) : -1;

	if (rc && registry)
		rc = cli_usage("config", "init '%s': there are agent, aggregator and laptop", argv[1]);
	else
		rc = rc || out.failed ? cli_fail(EXIT_IO, "out of memory") : cli_write(&out);
	text_free(&out);
	registry_free(registry);
	return rc;
}

int
cli_config(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} actions[] = {
		{ "check", check },
		{ "show", show },
		{ "init", init },
		{ "drop-in", drop_in },
	};
	const char *words[WEIR_COUNT(actions)];

	if (argc < 2)
		return cli_usage("config", "say what: check, show, init or drop-in");
	for (size_t i = 0; i < WEIR_COUNT(actions); i++) {
		if (!strcmp(argv[1], actions[i].name))
			return actions[i].run(argc - 1, argv + 1);
		words[i] = actions[i].name;
	}
	const char *near = text_nearest(argv[1], words, WEIR_COUNT(actions));

	return cli_usage("config", "no such action: '%s'%s%s%s", argv[1],
		near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}
