/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of all kinds of plugins share. */
#include "plugin/conform.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "data/print.h"
#include "plugin/option.h"

bool
conform_check(struct conform *t, bool good, const char *format, ...)
{
	char line[1000];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	text_printf(t->said, "%-5s %s\n", good ? "ok" : "FAIL", line);
	t->checks++;
	t->faults += !good;
	return good;
}

static int
set_option(struct conform *t, struct weir_ctx *ctx, const char *assignment, struct weir_err *err)
{
	char name[80];
	size_t length = strcspn(assignment, "=");

	if (!assignment[length] || length >= sizeof(name))
		return weir_failx(err, -EINVAL, "'%s' is not OPTION=VALUE", assignment);
	memcpy(name, assignment, length);
	name[length] = '\0';
	const struct weir_option *o = option_named(t->plugin->options, name);
	const char *near = o ? NULL : option_near(t->plugin->options, name);

	if (!o)
		return weir_failx(err, -EINVAL, "no such option: '%s'%s%s%s", name,
			near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
	return option_set_argument(o, ctx->state, assignment + length + 1, &ctx->arena, err);
}

static bool
given(const struct conform *t, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < t->options.n; i++)
		if (!strncmp(t->options.item[i], name, length) && t->options.item[i][length] == '=')
			return true;
	return false;
}

static int
set_options(struct conform *t, struct weir_ctx *ctx, const char *path, struct weir_err *err)
{
	const struct weir_option *o = option_named(t->plugin->options, "path");
	int rc = option_defaults(t->plugin->options, ctx->state, &ctx->arena, err);

	if (!rc && path && o && !given(t, "path"))
		rc = option_set(o, ctx->state, path, &ctx->arena, err);
	for (size_t i = 0; !rc && i < t->options.n; i++)
		rc = set_option(t, ctx, t->options.item[i], err);
	for (o = t->plugin->options; !rc && o && o->type != WEIR_OPTION_END; o++)
		if (o->flags & WEIR_REQUIRED && !given(t, o->name) && !(path && !strcmp(o->name, "path")))
			rc = weir_failx(err, -EINVAL, "it needs -o %s=VALUE: %s", o->name, o->help);
	return rc;
}

struct weir_ctx *
conform_instance(struct conform *t, const char *source, const char *path)
{
	struct origin origin = { "default", "testhost", source, 1 };
	struct weir_ctx *ctx = instance_new(t->plugin, &origin, t->root, t->keeper, t->log);
	struct weir_err err = { 0 };

	if (!ctx) {
		conform_check(t, false, "out of memory");
		return NULL;
	}
	if (set_options(t, ctx, path, &err)) {
		conform_check(t, false, "%s", err.text);
		instance_free(ctx);
		return NULL;
	}
	ctx->now = CONFORM_TIME;
	return ctx;
}

struct weir_ctx *
conform_open(struct conform *t, const char *source, const char *path)
{
	struct weir_ctx *ctx = conform_instance(t, source, path);
	struct weir_err err = { 0 };

	if (ctx && instance_open(ctx, &err)) {
		conform_check(t, false, "open of instance '%s' failed: %s", source, err.text);
		instance_free(ctx);
		return NULL;
	}
	return ctx;
}

unsigned
conform_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned n = 0;

	while (folder && readdir(folder))
		n++;
	if (folder)
		closedir(folder);
	return n;
}

void
conform_unopened(struct conform *t)
{
	unsigned before = conform_descriptors();
	struct weir_ctx *ctx = conform_instance(t, "unopened", "/nonexistent/unopened");

	if (!ctx)
		return;
	ctx->opened = true; /* close runs after an open that failed at its first step */
	instance_free(ctx);
	conform_check(t, conform_descriptors() == before, "close of a state that open never touched");
}

void
conform_take_rows(struct weir_ctx *ctx, struct text *out)
{
	struct printer printer = { .format = PRINT_JSON };

	for (size_t i = 0; i < ctx->n_schemas; i++) {
		struct builder *b = ctx->out.builders[i];
		struct weir_batch *batch = b ? builder_close(b, 1) : NULL;

		if (batch)
			print_batch(&printer, out, batch);
		weir_batch_release(batch);
	}
}
