/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process of an isolated sampler: takes its plugin, options and ticks from the socket that it
 * was started with, answers with batches, and ends when the socket closes.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "data/self.h"
#include "data/transfer.h"
#include "flow/frame.h"
#include "flow/live.h"
#include "plugin/capability.h"
#include "plugin/option.h"

struct isolated {
	struct registry *registry;
	struct keeper *keeper;
	struct weir_ctx *ctx;
	struct builder *capabilities;
	int64_t capability_due;
	size_t n_static; /* schemas before open */
};

static int
read_all(int fd, void *data, size_t size)
{
	for (size_t got = 0; got < size;) {
		ssize_t n = read(fd, (char *)data + got, size - got);

		if (n == 0)
			return -EPIPE;
		if (n < 0 && errno != EINTR)
			return -errno;
		got += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int
apply_option(
	struct isolated *is, const char *name, const char **at, const char *end, struct weir_err *err)
{
	const struct weir_option *o = option_named(is->ctx->plugin->options, name);
	const char *count = frame_next(at, end), *items[512];
	struct weir_pair pairs[256];
	size_t n = count ? strtoul(count, NULL, 10) : 0;

	if (!o || !count || n > 256)
		return weir_failx(err, -EINVAL, "option '%s' cannot be passed to a process", name);
	for (size_t i = 0; i < n; i++) {
		if (o->type == WEIR_OPTION_MAP)
			pairs[i].name = frame_next(at, end);
		items[i] = pairs[i].value = frame_next(at, end);
		if (!items[i])
			return weir_failx(err, -EBADMSG, "the set-up is cut");
	}
	if (o->type == WEIR_OPTION_MAP)
		return option_set_map(o, is->ctx->state, pairs, n, &is->ctx->arena, err);
	if (o->type == WEIR_OPTION_LIST)
		return option_set_list(o, is->ctx->state, items, n, &is->ctx->arena, err);
	return n ? option_set(o, is->ctx->state, items[0], &is->ctx->arena, err) : 0;
}

static int
set_up(struct isolated *is, const char *data, size_t size, struct weir_err *err)
{
	const char *at = data, *end = data + size, *field[6];

	for (int i = 0; i < 6; i++)
		if (!(field[i] = frame_next(&at, end)))
			return weir_failx(err, -EBADMSG, "the set-up is cut");
	is->registry = registry_new(NULL, 0);
	is->keeper = keeper_new();
	const struct weir_plugin *plugin =
		is->registry && is->keeper ? registry_load(is->registry, field[0], err) : NULL;

	if (!plugin)
		return err->code ? err->code : -ENOMEM;
	struct origin origin = { field[1], field[2], field[3], 0 };

	is->ctx = instance_new(plugin, &origin, field[4], is->keeper, NULL);
	if (!is->ctx)
		return weir_fail(err, -ENOMEM, "cannot make the instance");
	is->ctx->state_folder = *field[5] ? keeper_text(is->keeper, field[5]) : NULL;
	is->n_static = is->ctx->n_schemas;
	if (!plugin->sampler.sample)
		return weir_failx(
			err, -ENOTSUP, "the plugin has no 'sample': it cannot run in a process of its own");
	int rc = option_defaults(plugin->options, is->ctx->state, &is->ctx->arena, err);

	for (const char *name; !rc && (name = frame_next(&at, end));)
		rc = apply_option(is, name, &at, end, err);
	return rc ? rc : instance_open(is->ctx, err);
}

static void
add_batch(struct text *out, struct builder *b, uint16_t schema)
{
	struct weir_batch *batch = builder_rows(b) ? builder_close(b, 0) : NULL;

	if (!batch)
		return;
	size_t at = frame_begin(out, FRAME_BATCH, schema);

	transfer_pack(batch, out);
	frame_end(out, at);
	weir_batch_release(batch);
}

static void
add_done(struct text *out, int code, const char *text, int64_t duration)
{
	struct frame_done done = { .duration = duration, .code = code };
	size_t at = frame_begin(out, FRAME_DONE, 0);

	snprintf(done.text, sizeof(done.text), "%.230s", text);
	text_append(out, (const char *)&done, sizeof(done));
	frame_end(out, at);
}

static void
answer_setup(struct isolated *is, struct text *out)
{
	size_t at = frame_begin(out, FRAME_READY, 0);

	for (size_t i = is->n_static; i < is->ctx->n_schemas; i++) {
		char *text = weir_schema_text(is->ctx->schemas[i]);

		frame_string(out, text);
		free(text);
	}
	frame_end(out, at);
}

static void
answer_tick(struct isolated *is, struct text *out)
{
	struct weir_err err = { 0 };
	int64_t began = clock_mono_ns();

	instance_begin(is->ctx, clock_wall_us());
	int rc = instance_end(
		is->ctx, is->ctx->plugin->sampler.sample(is->ctx->state, &is->ctx->out, &err), &err);

	capability_collect(is->ctx, &is->capabilities, &is->capability_due);
	for (size_t i = 0; i < is->ctx->n_schemas; i++)
		add_batch(out, is->ctx->out.builders[i], (uint16_t)i);
	add_batch(out, is->capabilities, FRAME_CAPABILITY);
	add_done(out, rc, err.text, clock_mono_ns() - began);
}

static int
serve(struct isolated *is, const struct frame *head, const char *data, struct text *out)
{
	struct weir_err err = { 0 };

	if (head->type == FRAME_SETUP && !is->registry) {
		if (!set_up(is, data, head->size, &err)) {
			answer_setup(is, out);
			return 0;
		}
		add_done(out, err.code, err.text, 0);
		return err.code;
	}
	if (head->type != FRAME_TICK || head->size || !is->ctx)
		return -EBADMSG;
	answer_tick(is, out);
	return 0;
}

int
child_main(int fd)
{
	struct isolated is = { 0 };
	struct text out = { 0 };
	struct frame head;
	int rc = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* What the plugin starts must not hold the socket open. */
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	/* Ctrl-C and systemd's stop reach the whole group; they are for the parent, which closes the
	 * socket. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	while (!rc && !read_all(fd, &head, sizeof(head)) && head.size <= FRAME_MOST) {
		char *data = malloc(head.size + 1);

		if (!data || read_all(fd, data, head.size))
			rc = -EPIPE;
		if (!rc) {
			data[head.size] = '\0';
			out.size = 0;
			rc = serve(&is, &head, data, &out);
			if (fs_write_all(fd, out.data, out.size))
				rc = -EPIPE;
		}
		free(data);
	}
	builder_free(is.capabilities);
	instance_free(is.ctx);
	keeper_free(is.keeper);
	registry_free(is.registry);
	text_free(&out);
	return rc ? 1 : 0;
}
