/* SPDX-License-Identifier: Apache-2.0 */
/* weir sample: samplers once or a few times, rows on standard output. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "data/print.h"
#include "data/self.h"
#include "plugin/capability.h"
#include "plugin/load.h"
#include "plugin/option.h"
#include "plugin/polled.h"

enum { SAMPLERS_MOST = 64 };

struct sampled {
	struct weir_ctx *ctx;
	struct polled polled;
};

struct job {
	const char *root, *host, *cluster;
	const char *options[256]; /* NAME.option=value */
	size_t n_options;
	bool option_used[256];
	int64_t count, interval;
	struct printer printer;
	struct registry *registry;
	struct log *log;
	struct keeper *keeper;
	struct sampled sampled[SAMPLERS_MOST];
	size_t n;
	struct text out;
	bool printed; /* rows of the sampler at hand */
};

static int
set_options(struct job *job, struct weir_ctx *ctx)
{
	const struct weir_plugin *p = ctx->plugin;
	struct weir_err err = { 0 };
	size_t length = strlen(p->name);

	if (option_defaults(p->options, ctx->state, &ctx->arena, &err))
		return cli_fail(EXIT_BUG, "sampler '%s': a default is refused: %s", p->name, err.text);
	for (size_t i = 0; i < job->n_options; i++) {
		char name[80] = "";
		const char *equals = strchr(job->options[i], '=');

		if (strncmp(job->options[i], p->name, length) || job->options[i][length] != '.')
			continue;
		job->option_used[i] = true;
		if (!equals || (size_t)(equals - job->options[i]) - length - 1 >= sizeof(name))
			return cli_usage("sample", "-o '%s' is not NAME.option=value", job->options[i]);
		memcpy(name, job->options[i] + length + 1, (size_t)(equals - job->options[i]) - length - 1);
		const struct weir_option *o = option_named(p->options, name);

		if (!o) {
			const char *near = option_near(p->options, name);

			return cli_usage("sample", "sampler '%s' has no option '%s'%s%s%s", p->name, name,
				near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
		}
		if (option_set_argument(o, ctx->state, equals + 1, &ctx->arena, &err))
			return cli_usage("sample", "-o %s.%s: %s", p->name, name, err.text);
	}
	for (const struct weir_option *o = p->options; o && o->type != WEIR_OPTION_END; o++)
		if (o->flags & WEIR_REQUIRED && o->type == WEIR_OPTION_TEXT &&
			!*(char **)((char *)ctx->state + o->offset))
			return cli_usage(
				"sample", "sampler '%s' needs -o %s.%s=VALUE", p->name, p->name, o->name);
	return EXIT_DONE;
}

static int
add_sampler(struct job *job, const char *name)
{
	struct weir_err err = { 0 };
	const struct weir_plugin *plugin = strchr(name, '/')
										   ? registry_load(job->registry, name, &err)
										   : registry_find(job->registry, WEIR_SAMPLER, name, &err);

	if (!plugin)
		return cli_fail(err.code == -ENOENT ? EXIT_USAGE : EXIT_CONFIG, "%s", err.text);
	if (plugin->kind != WEIR_SAMPLER)
		return cli_usage("sample", "'%s' is a %s", name, plugin_kind_name(plugin->kind));
	if (job->n == SAMPLERS_MOST)
		return cli_usage("sample", "more than %d samplers", SAMPLERS_MOST);
	struct sampled *s = &job->sampled[job->n];
	struct origin origin = { job->cluster, job->host, plugin->name, 1 };

	s->ctx = instance_new(plugin, &origin, job->root, job->keeper, job->log);
	if (!s->ctx)
		return cli_fail(EXIT_IO, "out of memory");
	job->n++;
	s->ctx->host = polled_host(&s->polled);
	int rc = set_options(job, s->ctx);

	if (!rc && instance_open(s->ctx, &err))
		rc = cli_fail(cli_exit_code(err.code), "sampler '%s': %s", plugin->name, err.text);
	return rc;
}

static void
print_builder(struct job *job, struct builder *b)
{
	struct weir_batch *batch = b ? builder_close(b, 1) : NULL;

	if (batch) {
		print_batch(&job->printer, &job->out, batch);
		if (job->printer.format == PRINT_TABLE)
			text_add(&job->out, "\n");
		job->printed = true;
	}
	weir_batch_release(batch);
}

static int
print_capabilities(struct job *job, struct weir_ctx *ctx, int64_t time)
{
	struct builder *b =
		builder_new(&self_capability, weir_schema_fingerprint(&self_capability), &ctx->origin);

	if (!b)
		return -ENOMEM;
	capability_rows(ctx, b, time, false);
	print_builder(job, b);
	builder_free(b);
	return 0;
}

static int
tick(struct job *job, struct sampled *s, int64_t time)
{
	struct weir_err err = { 0 };
	const struct weir_plugin *p = s->ctx->plugin;

	job->printed = false;
	instance_begin(s->ctx, time);
	int rc = instance_end(s->ctx, polled_call(&s->polled, s->ctx, &err), &err);

	for (size_t i = 0; i < s->ctx->n_schemas; i++)
		print_builder(job, s->ctx->out.builders[i]);
	if (capability_changed(s->ctx))
		print_capabilities(job, s->ctx, time);
	if (cli_write(&job->out))
		return cli_fail(EXIT_IO, "cannot write the rows: %s", strerror(errno));
	if (!rc)
		return EXIT_DONE;
	fprintf(stderr, "weir: sampler '%s': %s\n", p->name, err.text[0] ? err.text : "nothing to say");
	return rc == -ENODATA || rc == -EAGAIN ? EXIT_DONE : EXIT_IO;
}

static int
sample_all(struct job *job)
{
	int worst = EXIT_DONE;
	int64_t next = clock_mono_ns();

	for (int64_t i = 0; i < job->count; i++) {
		int64_t time = clock_wall_us();

		for (size_t k = 0; k < job->n; k++) {
			int rc = tick(job, &job->sampled[k], time);

			worst = rc ? rc : worst;
			if (ferror(stdout))
				return worst;
		}
		next += job->interval;
		if (i + 1 < job->count) {
			struct timespec until = { next / 1000000000, next % 1000000000 };

			while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
				continue;
		}
	}
	return worst;
}

static int
parse_arguments(struct job *job, int argc, char **argv)
{
	static const struct option options[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "count", required_argument, NULL, 'c' },
		{ "interval", required_argument, NULL, 'i' },
		{ "format", required_argument, NULL, 'f' },
		{ "host", required_argument, NULL, 'H' },
		{ "cluster", required_argument, NULL, 'C' },
		{ "option", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	struct weir_err err = { 0 };
	int c;

	while ((c = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
		if (c == 'r')
			job->root = optarg;
		else if (c == 'H')
			job->host = optarg;
		else if (c == 'C')
			job->cluster = optarg;
		else if (c == 'o' && job->n_options < WEIR_COUNT(job->options))
			job->options[job->n_options++] = optarg;
		else if (c == 'c' && (parse_i64(optarg, &job->count, &err) || job->count < 1))
			return cli_usage("sample", "--count '%s' is no number from 1 on", optarg);
		else if (c == 'i' && (parse_duration(optarg, &job->interval, &err) || job->interval <= 0))
			return cli_usage(
				"sample", "--interval: %s", err.text[0] ? err.text : "must be more than 0");
		else if (c == 'f' && print_format_named(optarg, &job->printer.format))
			return cli_usage("sample", "--format '%s' is not table, json or csv", optarg);
		else if (c == '?')
			return cli_usage("sample", "wrong options");
	}
	if (optind == argc)
		return cli_usage("sample", "name at least one sampler ('weir plugin list' shows them)");
	return EXIT_DONE;
}

int
cli_sample(int argc, char **argv)
{
	char host[256];
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return cli_fail(EXIT_IO, "out of memory");
	cli_host_name(host, sizeof(host));
	*job = (struct job){ .host = host, .cluster = "default", .count = 1, .interval = WEIR_SECOND };
	job->printer.width = cli_width();
	job->log = log_new(LOG_LEVEL_WARNING, "stderr");
	job->registry = registry_standard(NULL);
	job->keeper = keeper_new();
	int rc = !job->registry || !job->keeper ? cli_fail(EXIT_IO, "out of memory")
											: parse_arguments(job, argc, argv);

	for (int i = optind; !rc && i < argc; i++)
		rc = add_sampler(job, argv[i]);
	for (size_t i = 0; !rc && i < job->n_options; i++)
		if (!job->option_used[i])
			rc = cli_usage("sample", "-o '%s' names no sampler of this call", job->options[i]);
	if (!rc)
		rc = sample_all(job);
	for (size_t i = 0; i < job->n; i++)
		instance_free(job->sampled[i].ctx);
	keeper_free(job->keeper);
	registry_free(job->registry);
	log_free(job->log);
	text_free(&job->out);
	free(job);
	return rc;
}
