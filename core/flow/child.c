/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samplers that may crash run in a process of their own: this program again, fed through a socket pair with its plugin, options
 * and ticks. What comes back is checked frame by frame. A process that hangs is killed, one that died is started again later.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "data/self.h"
#include "data/transfer.h"
#include "flow/live.h"
#include "plugin/capability.h"
#include "plugin/option.h"

enum frame_type { FRAME_SETUP = 1, FRAME_TICK, FRAME_READY, FRAME_BATCH, FRAME_DONE };
enum { FRAME_MOST = 64 << 20, CAPABILITY_SCHEMA = 0xffff, CHILD_FD = 3 };

struct frame {
	uint32_t size;     /* of what follows */
	uint16_t type;
	uint16_t schema;   /* of a batch */
};

struct done {
	int64_t duration, code;
	char text[240];
};

struct child {
	struct live *owner;
	pid_t pid;
	int fd;
	struct event *readable;
	struct text in;      /* bytes not yet taken apart */
	bool ready, busy;
	int64_t began;       /* monotonic ns of the tick, or of the start */
};

/* ---- frames ---- */

static void
frame_begin(struct text *out, enum frame_type type, uint16_t schema, size_t *at)
{
	struct frame head = { 0, (uint16_t)type, schema };

	*at = out->size;
	text_append(out, (const char *)&head, sizeof(head));
}

static void
frame_end(struct text *out, size_t at)
{
	uint32_t size = (uint32_t)(out->size - at - sizeof(struct frame));

	if (!out->failed)
		memcpy(out->data + at, &size, sizeof(size));
}

static void
add_string(struct text *out, const char *string)
{
	text_append(out, string ? string : "", strlen(string ? string : "") + 1);
}

/* ---- the parent's side ---- */

/* Everything the child needs, as strings. */
static void
pack_setup(const struct live *s, struct text *out)
{
	const struct instance_setting *in = s->setting;
	size_t at;

	frame_begin(out, FRAME_SETUP, 0, &at);
	add_string(out, registry_path(s->flow->registry, in->plugin));
	add_string(out, s->flow->origin.cluster);
	add_string(out, s->flow->origin.host);
	add_string(out, in->name);
	add_string(out, in->sampler.root);
	add_string(out, s->flow->state);
	for (size_t i = 0; i < in->n_assignments; i++) {
		const struct assignment *a = &in->assignments[i];
		char n[24];

		add_string(out, a->option->name);
		snprintf(n, sizeof(n), "%zu", a->n);
		add_string(out, n);
		for (size_t k = 0; k < a->n; k++) {
			if (a->pairs)
				add_string(out, a->pairs[k].name);
			add_string(out, a->pairs ? a->pairs[k].value : a->items[k]);
		}
	}
	frame_end(out, at);
}

static void
close_child(struct child *c)
{
	if (c->readable)
		event_free(c->readable);
	c->readable = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	text_free(&c->in);
	c->ready = c->busy = false;
}

/* Kill it if it lives, and take its status. */
static void
reap(struct child *c, char *why, size_t room)
{
	int status = 0;

	if (c->pid <= 0)
		return;
	if (waitpid(c->pid, &status, WNOHANG) != c->pid) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, &status, 0);
	}
	c->pid = 0;
	if (WIFSIGNALED(status))
		snprintf(why, room, "its process was ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(why, room, "its process ended with status %d", WEXITSTATUS(status));
}

static void
child_failed(struct live *s, const char *why)
{
	struct child *c = s->child;
	struct weir_err err = { .code = -EPIPE };
	char ended[160] = "";

	reap(c, ended, sizeof(ended));
	close_child(c);
	snprintf(err.text, sizeof(err.text), "%s", why ? why : ended);
	/* A crash is no common failure: back off at once. */
	if (s->failures < 4)
		s->failures = 4;
	live_account(s, err.code, &err, 0, 0);
}

/* Schemas that the plugin made in its open follow in canonical text. */
static int
take_ready(struct live *s, const char *data, size_t size, struct weir_err *err)
{
	for (const char *end = data + size; data < end;) {
		size_t length = strnlen(data, (size_t)(end - data));

		if (data + length == end)
			return weir_failx(err, -EBADMSG, "a schema's text is cut");
		struct weir_schema *schema = weir_schema_parse(data, err);

		if (!schema)
			return -EBADMSG;
		for (size_t i = 0; i < schema->n_columns; i++)
			((struct weir_column *)(uintptr_t)schema->columns)[i].help = "-";
		schema->help = "-";
		int rc = weir_schema_add(s->ctx, schema, err);

		free(schema);
		if (rc < 0)
			return rc;
		data += length + 1;
	}
	free(s->targets);
	s->targets = calloc(s->ctx->n_schemas + 1, sizeof(*s->targets));
	s->child->ready = true;
	s->child->busy = false;
	return s->targets ? 0 : -ENOMEM;
}

static int
take_batch(struct live *s, uint16_t number, const char *data, size_t size, struct weir_err *err)
{
	struct builder **b = &s->capabilities;
	const struct weir_schema *schema = &self_capability;

	if (number != CAPABILITY_SCHEMA) {
		if (number >= s->ctx->n_schemas)
			return weir_failx(err, -EBADMSG, "a batch of a schema that the sampler has not");
		b = &s->ctx->out.builders[number];
		schema = s->ctx->schemas[number];
	}
	if (!*b)
		*b = builder_new(schema, weir_schema_fingerprint(schema), &s->ctx->origin);
	if (!*b)
		return weir_fail(err, -ENOMEM, "cannot keep a batch");
	size_t before = builder_rows(*b);
	int rc = transfer_unpack(data, size, schema, *b, err);

	if (!rc) {
		flow_opened(s->flow, builder_rows(*b) - before);
		if (number != CAPABILITY_SCHEMA)
			s->counts.rows += builder_rows(*b) - before;
	}
	return rc;
}

static int
take_done(struct live *s, const char *data, size_t size, struct weir_err *err)
{
	struct done done;

	if (size != sizeof(done))
		return weir_failx(err, -EBADMSG, "a frame of the wrong size");
	memcpy(&done, data, sizeof(done));
	struct weir_err result = { .code = (int)done.code };

	snprintf(result.text, sizeof(result.text), "%.*s", (int)sizeof(done.text) - 1, done.text);
	s->child->busy = false;
	live_account(s, (int)done.code, &result, done.duration < 0 ? 0 : done.duration, 0);
	return 0;
}

static int
take_frame(struct live *s, const struct frame *head, const char *data, struct weir_err *err)
{
	switch (head->type) {
	case FRAME_READY:
		return take_ready(s, data, head->size, err);
	case FRAME_BATCH:
		return take_batch(s, head->schema, data, head->size, err);
	case FRAME_DONE:
		return take_done(s, data, head->size, err);
	default:
		return weir_failx(err, -EBADMSG, "a frame of no known kind");
	}
}

/* All whole frames in the buffer. */
static int
take_frames(struct live *s, struct weir_err *err)
{
	struct text *in = &s->child->in;
	size_t at = 0;
	int rc = 0;

	while (!rc && s->child->fd >= 0 && in->size - at >= sizeof(struct frame)) {
		struct frame head;

		memcpy(&head, in->data + at, sizeof(head));
		if (head.size > FRAME_MOST)
			return weir_failx(err, -EBADMSG, "a frame of %u bytes", head.size);
		if (in->size - at - sizeof(head) < head.size)
			break;
		rc = take_frame(s, &head, in->data + at + sizeof(head), err);
		at += sizeof(head) + head.size;
	}
	if (at && in->data) {
		memmove(in->data, in->data + at, in->size - at);
		in->size -= at;
	}
	return rc;
}

static void
on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct live *s = argument;
	struct weir_err err = { 0 };
	char buffer[16 << 10];
	ssize_t n = read(fd, buffer, sizeof(buffer));

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		child_failed(s, NULL);
	} else {
		text_append(&s->child->in, buffer, (size_t)n);
		if (s->child->in.failed || take_frames(s, &err))
			child_failed(s, err.text[0] ? err.text : "out of memory");
	}
	flow_settle(s->flow);
}

static int
spawn(int fd, pid_t *pid)
{
	static char name[] = "weir", verb[] = "isolated-sampler";
	char *argv[] = { name, verb, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, CHILD_FD);
	posix_spawnattr_init(&attributes);
	sigemptyset(&none);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	int rc = posix_spawn(pid, "/proc/self/exe", &actions, &attributes, argv, environ);

	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return -rc;
}

static int
start(struct live *s, struct weir_err *err)
{
	struct child *c = s->child;
	struct text setup = { 0 };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return weir_fail(err, -errno, "cannot make a socket pair");
	/* dup2 onto itself would keep close-on-exec. */
	int theirs = pair[1] == CHILD_FD ? fcntl(pair[1], F_DUPFD_CLOEXEC, CHILD_FD + 1) : pair[1];
	int rc = spawn(theirs, &c->pid);

	if (theirs != pair[1])
		close(theirs);
	close(pair[1]);
	c->fd = pair[0];
	if (rc) {
		c->pid = 0;
		close_child(c);
		return weir_fail(err, rc, "cannot start a process");
	}
	pack_setup(s, &setup);
	rc = setup.failed ? -ENOMEM : fs_write_all(c->fd, setup.data, setup.size);
	text_free(&setup);
	(void)fcntl(c->fd, F_SETFL, O_NONBLOCK);
	c->readable = event_new(s->flow->base, c->fd, EV_READ | EV_PERSIST, on_readable, s);
	if (rc || !c->readable || event_add(c->readable, NULL))
		return weir_fail(err, rc ? rc : -ENOMEM, "cannot speak to its process");
	c->began = clock_mono_ns();
	c->busy = true;
	return 0;
}

int
child_new(struct live *s, struct weir_err *err)
{
	struct origin origin = { s->flow->origin.cluster, s->flow->origin.host, s->setting->name, s->flow->origin.incarnation };

	s->child = calloc(1, sizeof(*s->child));
	s->ctx = instance_new(s->setting->plugin, &origin, s->setting->sampler.root, s->flow->keeper, s->flow->log);
	s->targets = s->ctx ? calloc(s->ctx->n_schemas + 1, sizeof(*s->targets)) : NULL;
	if (!s->child || !s->ctx || !s->targets)
		return weir_fail(err, -ENOMEM, "cannot make sampler '%s'", s->setting->name);
	s->child->owner = s;
	s->child->fd = -1;
	return start(s, err);
}

void
child_tick(struct live *s, int64_t time)
{
	struct child *c = s->child;
	struct weir_err err = { 0 };
	struct { struct frame head; int64_t time; } tick = { { sizeof(int64_t), FRAME_TICK, 0 }, time };

	if (!c || !s->ctx || !s->targets)
		return;
	if (c->fd < 0 && start(s, &err)) {
		child_failed(s, err.text);
		return;
	}
	if (c->busy) {
		s->counts.dropped++;
		if (clock_mono_ns() - c->began > s->setting->sampler.timeout)
			child_failed(s, "killed: a tick has not come back within its timeout");
		return;
	}
	s->counts.ticks++;
	c->busy = true;
	c->began = clock_mono_ns();
	if (fs_write_all(c->fd, &tick, sizeof(tick)))
		child_failed(s, NULL);
}

void
child_free(struct live *s)
{
	char unused[160];

	if (!s->child)
		return;
	close_child(s->child);
	/* It ends by itself when the socket closes; SIGKILL is for one that hangs. */
	reap(s->child, unused, sizeof(unused));
	free(s->child);
	s->child = NULL;
}

/* ---- the child's side ---- */

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

static const char *
next_string(const char **at, const char *end)
{
	const char *s = *at;

	if (s >= end)
		return NULL;
	*at = s + strlen(s) + 1;
	return s;
}

static int
apply_option(struct isolated *is, const char *name, const char **at, const char *end, struct weir_err *err)
{
	const struct weir_option *o = option_named(is->ctx->plugin->options, name);
	const char *count = next_string(at, end), *items[512];
	struct weir_pair pairs[256];
	size_t n = count ? strtoul(count, NULL, 10) : 0;

	if (!o || !count || n > 256)
		return weir_failx(err, -EINVAL, "option '%s' cannot be passed to a process", name);
	for (size_t i = 0; i < n; i++) {
		if (o->type == WEIR_OPTION_MAP)
			pairs[i].name = next_string(at, end);
		items[i] = pairs[i].value = next_string(at, end);
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
		if (!(field[i] = next_string(&at, end)))
			return weir_failx(err, -EBADMSG, "the set-up is cut");
	is->registry = registry_new(NULL, 0);
	is->keeper = keeper_new();
	const struct weir_plugin *plugin = is->registry && is->keeper ? registry_load(is->registry, field[0], err) : NULL;

	if (!plugin)
		return err->code ? err->code : -ENOMEM;
	struct origin origin = { field[1], field[2], field[3], 0 };

	is->ctx = instance_new(plugin, &origin, field[4], is->keeper, NULL);
	if (!is->ctx)
		return weir_fail(err, -ENOMEM, "cannot make the instance");
	is->ctx->state_folder = *field[5] ? keeper_text(is->keeper, field[5]) : NULL;
	is->n_static = is->ctx->n_schemas;
	is->capabilities = builder_new(&self_capability, weir_schema_fingerprint(&self_capability), &is->ctx->origin);
	int rc = is->capabilities ? option_defaults(plugin->options, is->ctx->state, &is->ctx->arena, err) : -ENOMEM;

	for (const char *name; !rc && (name = next_string(&at, end));)
		rc = apply_option(is, name, &at, end, err);
	return rc ? rc : instance_open(is->ctx, err);
}

static void
add_batch(struct text *out, struct builder *b, uint16_t schema)
{
	struct weir_batch *batch = builder_rows(b) ? builder_close(b, 0) : NULL;
	size_t at;

	if (!batch)
		return;
	frame_begin(out, FRAME_BATCH, schema, &at);
	transfer_pack(batch, out);
	frame_end(out, at);
	weir_batch_release(batch);
}

static void
add_done(struct text *out, int code, const char *text, int64_t duration)
{
	struct done done = { .duration = duration, .code = code };
	size_t at;

	snprintf(done.text, sizeof(done.text), "%.230s", text);
	frame_begin(out, FRAME_DONE, 0, &at);
	text_append(out, (const char *)&done, sizeof(done));
	frame_end(out, at);
}

static void
answer_setup(struct isolated *is, struct text *out)
{
	size_t at;

	frame_begin(out, FRAME_READY, 0, &at);
	for (size_t i = is->n_static; i < is->ctx->n_schemas; i++) {
		char *text = weir_schema_text(is->ctx->schemas[i]);

		add_string(out, text);
		free(text);
	}
	frame_end(out, at);
}

static void
answer_tick(struct isolated *is, int64_t time, struct text *out)
{
	struct weir_err err = { 0 };
	int64_t began = clock_mono_ns();
	bool all = time >= is->capability_due;

	instance_begin(is->ctx, time);
	int rc = instance_end(is->ctx, is->ctx->plugin->sampler.sample(is->ctx->state, &is->ctx->out, &err), &err);

	if (is->ctx->capabilities && (all || capability_changed(is->ctx))) {
		capability_rows(is->ctx, is->capabilities, time, all);
		if (all)
			is->capability_due = time + INT64_C(3600) * 1000000;
	}
	for (size_t i = 0; i < is->ctx->n_schemas; i++)
		add_batch(out, is->ctx->out.builders[i], (uint16_t)i);
	add_batch(out, is->capabilities, CAPABILITY_SCHEMA);
	add_done(out, rc, err.text, clock_mono_ns() - began);
}

static int
serve(struct isolated *is, const struct frame *head, const char *data, struct text *out)
{
	struct weir_err err = { 0 };
	int64_t time;

	if (head->type == FRAME_SETUP) {
		if (!set_up(is, data, head->size, &err)) {
			answer_setup(is, out);
			return 0;
		}
		add_done(out, err.code, err.text, 0);
		return err.code;
	}
	if (head->type != FRAME_TICK || head->size != sizeof(time) || !is->ctx || !is->ctx->plugin->sampler.sample)
		return -EBADMSG;
	memcpy(&time, data, sizeof(time));
	answer_tick(is, time, out);
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
	signal(SIGINT, SIG_IGN); /* Ctrl-C is for the parent, which closes the socket */
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
	instance_free(is.ctx);
	builder_free(is.capabilities);
	keeper_free(is.keeper);
	registry_free(is.registry);
	text_free(&out);
	return rc ? 1 : 0;
}
