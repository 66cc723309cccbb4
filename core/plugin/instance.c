/* SPDX-License-Identifier: Apache-2.0 */
/* Instances: made, opened, served, freed; the contract's functions that are about the instance
 * itself. */
#include "plugin/instance.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "data/schema.h"
#include "plugin/option.h"

static int
add_schema(struct weir_ctx *ctx, const struct weir_schema *schema)
{
	size_t n = ctx->n_schemas;
	const struct weir_schema **schemas = realloc(ctx->schemas, (n + 2) * sizeof(*schemas));

	if (!schemas)
		return -ENOMEM;
	ctx->schemas = schemas;
	uint64_t *fingerprints = realloc(ctx->fingerprints, (n + 1) * sizeof(*fingerprints));

	if (!fingerprints)
		return -ENOMEM;
	ctx->fingerprints = fingerprints;
	struct builder **builders = realloc(ctx->out.builders, (n + 1) * sizeof(*builders));

	if (!builders)
		return -ENOMEM;
	ctx->out.builders = builders;
	size_t *mark = realloc(ctx->out.mark, (n + 1) * sizeof(*mark));

	if (!mark)
		return -ENOMEM;
	ctx->out.mark = mark;
	schemas[n] = schema;
	schemas[n + 1] = NULL;
	fingerprints[n] = weir_schema_fingerprint(schema);
	builders[n] = NULL;
	mark[n] = 0;
	ctx->out.n = ctx->n_schemas = n + 1;
	return (int)n;
}

struct weir_ctx *
instance_new(const struct weir_plugin *plugin, const struct origin *origin, const char *root,
	struct keeper *keeper, struct log *log)
{
	struct weir_ctx *ctx = calloc(1, sizeof(*ctx));
	size_t length = root ? strlen(root) : 0;

	if (!ctx)
		return NULL;
	while (length && root[length - 1] == '/')
		length--;
	ctx->plugin = plugin;
	ctx->log = log;
	ctx->out.ctx = ctx;
	ctx->state = calloc(1, plugin->state_size ? plugin->state_size : 1);
	ctx->keeper = keeper;
	ctx->origin = (struct origin){
		keeper_text(keeper, origin->cluster),
		keeper_text(keeper, origin->host),
		keeper_text(keeper, origin->source),
		origin->incarnation,
	};
	ctx->root = arena_copy(&ctx->arena, root ? root : "", length);
	ctx->now = clock_wall_us();
	bool good =
		ctx->state && ctx->origin.cluster && ctx->origin.host && ctx->origin.source && ctx->root;

	for (const struct weir_schema *const *s = plugin->schemas; good && s && *s; s++)
		good = add_schema(ctx, *s) >= 0;
	if (!good) {
		instance_free(ctx);
		return NULL;
	}
	return ctx;
}

/* What a plugin returned, made whole: a negative code, and a sentence that bears it. */
static int
plugin_result(int rc, struct weir_err *own, struct weir_err *err)
{
	if (rc > 0)
		rc = -EINVAL;
	own->code = rc;
	if (rc && rc != -ENODATA && rc != -EAGAIN && !own->text[0])
		weir_fail(own, rc, "the plugin gives no reason");
	if (rc && err)
		*err = *own;
	return rc;
}

int
instance_open(struct weir_ctx *ctx, struct weir_err *err)
{
	struct weir_err own = { 0 };
	int rc = 0;

	ctx->opened = ctx->opening = true;
	if (ctx->plugin->open)
		rc = ctx->plugin->open(ctx->state, ctx, &own);
	ctx->opening = false;
	return plugin_result(rc, &own, err);
}

void
instance_free(struct weir_ctx *ctx)
{
	if (!ctx)
		return;
	if (ctx->opened && ctx->plugin->close)
		ctx->plugin->close(ctx->state);
	file_free_all(ctx);
	keys_free_all(ctx);
	for (size_t i = 0; i < ctx->n_schemas; i++)
		builder_free(ctx->out.builders[i]);
	for (struct capability *c = ctx->capabilities, *next; c; c = next) {
		next = c->next;
		free(c->item);
		free(c->reason);
		free(c);
	}
	builder_free(ctx->nowhere);
	free(ctx->out.builders);
	free(ctx->out.mark);
	free(ctx->schemas);
	free(ctx->fingerprints);
	free(ctx->own_folder);
	text_free(&ctx->buffer);
	free(ctx->state);
	arena_free(&ctx->arena);
	free(ctx);
}

void
instance_begin(struct weir_ctx *ctx, int64_t time)
{
	ctx->now = ctx->out.time = time;
	for (size_t i = 0; i < ctx->n_schemas; i++)
		ctx->out.mark[i] = builder_rows(ctx->out.builders[i]);
}

int
instance_end(struct weir_ctx *ctx, int result, struct weir_err *err)
{
	for (size_t i = 0; i <= ctx->n_schemas; i++) {
		struct weir_err trouble;
		struct builder *b = i < ctx->n_schemas ? ctx->out.builders[i] : ctx->nowhere;

		if (b && builder_trouble(b, &trouble)) {
			result = trouble.code;
			if (err)
				*err = trouble;
		}
	}
	if (!result)
		return 0;
	struct weir_err own = err ? *err : (struct weir_err){ 0 };

	for (size_t i = 0; i < ctx->n_schemas; i++)
		if (ctx->out.builders[i])
			builder_truncate(ctx->out.builders[i], ctx->out.mark[i]);
	return plugin_result(result, &own, err);
}

/* A row of no schema and no columns: every setter finds that its column does not exist. The call
 * fails at its end. */
static struct weir_row *
no_row(struct weir_ctx *ctx, size_t schema)
{
	static const struct weir_schema none = { .name = "none",
		.help = "a schema that the plugin has not" };

	if (!ctx->nowhere)
		ctx->nowhere = builder_new(&none, 0, &ctx->origin);
	if (!ctx->nowhere) {
		fprintf(stderr, "weir: out of memory\n");
		abort(); /* not even a few hundred bytes */
	}
	return builder_scratch(ctx->nowhere, schema < ctx->n_schemas ? -ENOMEM : -EINVAL,
		schema < ctx->n_schemas ? "out of memory"
								: "the plugin makes a row of a schema number that it has not");
}

struct weir_row *
weir_row(struct weir_out *out, size_t schema)
{
	struct weir_ctx *ctx = out->ctx;

	if (__builtin_expect(schema >= out->n, 0))
		return no_row(ctx, schema);
	if (__builtin_expect(!out->builders[schema], 0)) {
		out->builders[schema] =
			builder_new(ctx->schemas[schema], ctx->fingerprints[schema], &ctx->origin);
		if (!out->builders[schema])
			return no_row(ctx, schema);
	}
	return builder_row(out->builders[schema], out->time);
}

const char *
weir_root(const struct weir_ctx *ctx)
{
	return ctx->root;
}

bool
weir_live(const struct weir_ctx *ctx)
{
	return !*ctx->root;
}

const char *
weir_instance(const struct weir_ctx *ctx)
{
	return ctx->origin.source;
}

const char *
weir_host_name(const struct weir_ctx *ctx)
{
	return ctx->origin.host;
}

const char *
weir_cluster_name(const struct weir_ctx *ctx)
{
	return ctx->origin.cluster;
}

const char *
weir_state_folder(struct weir_ctx *ctx)
{
	if (ctx->own_folder || !ctx->state_folder)
		return ctx->own_folder;
	char *instances = fs_join(ctx->state_folder, "instances");

	ctx->own_folder = instances ? fs_join(instances, ctx->origin.source) : NULL;
	free(instances);
	if (ctx->own_folder && fs_make_folder(ctx->own_folder, 0750, NULL)) {
		free(ctx->own_folder);
		ctx->own_folder = NULL;
	}
	return ctx->own_folder;
}

int64_t
weir_time(const struct weir_ctx *ctx)
{
	return ctx->now;
}

void
weir_debug(struct weir_ctx *ctx, const char *format, ...)
{
	char line[512];
	va_list arguments;

	if (!log_enabled(ctx->log, LOG_LEVEL_DEBUG))
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	log_line(ctx->log, LOG_LEVEL_DEBUG, ctx->origin.source, "%s", line);
}

void
weir_capability(
	struct weir_ctx *ctx, const char *item, enum weir_status status, const char *format, ...)
{
	char reason[400] = "";
	struct capability **at = &ctx->capabilities;
	va_list arguments;

	if (format) {
		va_start(arguments, format);
		vsnprintf(reason, sizeof(reason), format, arguments);
		va_end(arguments);
	}
	while (*at && strcmp((*at)->item, item))
		at = &(*at)->next;
	struct capability *c = *at;

	if (!c) {
		if (status == WEIR_OK) /* never was a trouble */
			return;
		if (!(c = calloc(1, sizeof(*c))) || !(c->item = strdup(item))) {
			free(c);
			return;
		}
		*at = c;
	} else if (c->status == status && c->reason && !strcmp(c->reason, reason)) {
		return;
	}
	free(c->reason);
	c->reason = strdup(reason);
	c->status = status;
	c->changed = true;
}

int
weir_watch(struct weir_ctx *ctx, int fd, struct weir_err *err)
{
	if (!ctx->host.watch)
		return weir_failx(err, -ENOTSUP, "nothing watches descriptors here");
	return ctx->host.watch(ctx->host.closure, fd, err);
}

void
weir_unwatch(struct weir_ctx *ctx, int fd)
{
	if (ctx->host.unwatch)
		ctx->host.unwatch(ctx->host.closure, fd);
}

bool
weir_due(const struct weir_ctx *ctx, int64_t *due, int64_t interval_ns)
{
	/* A clock that stepped back must not silence the part: more than one interval ahead is a step.
	 */
	if (*due && ctx->now < *due && *due - ctx->now <= interval_ns / 1000)
		return false;
	*due = ctx->now + interval_ns / 1000;
	return true;
}

int
weir_schema_add(struct weir_ctx *ctx, const struct weir_schema *schema, struct weir_err *err)
{
	int rc = schema_check(schema, err);

	if (!rc && !ctx->opening)
		rc = weir_failx(err, -EBUSY, "schema '%s': schemas are added in open only", schema->name);
	if (rc)
		return rc;
	const struct weir_schema *copy = keeper_schema(ctx->keeper, schema);

	rc = copy ? add_schema(ctx, copy) : -ENOMEM;
	return rc < 0 ? weir_fail(err, rc, "cannot add schema '%s'", schema->name) : rc;
}

void
weir_accept(struct weir_out *out, size_t used)
{
	struct weir_ctx *ctx = out->ctx;

	if (ctx->host.accept)
		ctx->host.accept(ctx->host.closure, used);
}

void
weir_reject(
	struct weir_out *out, const char *data, size_t size, uint64_t offset, const char *format, ...)
{
	struct weir_ctx *ctx = out->ctx;
	char reason[240];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	if (ctx->host.reject)
		ctx->host.reject(ctx->host.closure, data, size, offset, reason);
}
