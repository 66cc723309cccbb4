/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samplers that may crash run in a process of their own (isolated.c): this program again, fed through a socket pair with its
 * plugin, options and ticks. What comes back is checked frame by frame. A process that hangs is killed, one that died is started
 * again later; nothing here waits for either.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "data/self.h"
#include "data/transfer.h"
#include "flow/frame.h"
#include "flow/live.h"

enum { CHILD_FD = 3, POLLS_MOST = 7, CRASH_FAILURES = 4 };
/* Exec, dynamic linking and open take their time on a busy machine, whatever a tick may take. */
#define START_LEAST (5 * WEIR_SECOND)
/* A process that lived for so long did not die of its start: the next pause is a short one again. */
#define LIVED_LEAST (60 * WEIR_SECOND)
#define LAST_WORDS (500 * WEIR_MS)
#define DEATH_MOST (100 * WEIR_MS)

/* Dying: given up; no other is started until the kernel has let go of it. */
enum phase { CHILD_NONE, CHILD_STARTING, CHILD_IDLE, CHILD_BUSY, CHILD_DYING };

struct child {
	enum phase phase;
	pid_t pid;
	int fd;
	struct event *readable, *timer;
	struct text in;      /* bytes not yet taken apart */
	size_t n_static;     /* schemas that the plugin has before open */
	bool pending;        /* a tick waits for the start */
	int64_t born;        /* monotonic ns */
	unsigned deaths;     /* in a row, none of them after a long life */

	/* Of the one that dies. */
	char why[240];       /* "": its status says it */
	bool killed, told;
	int polls;
};

/* ---- the end of a process ---- */

static void
close_socket(struct child *c)
{
	if (c->readable)
		event_free(c->readable);
	c->readable = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	text_free(&c->in);
	c->in = (struct text){ 0 };
}

static void
describe_end(struct child *c, bool ended, int status)
{
	if (c->why[0])
		return;
	if (!ended)
		snprintf(c->why, sizeof(c->why), "its process closed its socket and does not end");
	else if (WIFSIGNALED(status))
		snprintf(c->why, sizeof(c->why), "its process was ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(c->why, sizeof(c->why), "its process ended with status %d", WEXITSTATUS(status));
}

/* A crash is no common failure: the sampler backs off at once, and longer with every process that dies soon. */
static void
account_end(struct live *s)
{
	struct child *c = s->child;
	struct weir_err err = { .code = -EPIPE };
	int64_t now = clock_mono_ns();

	if (now - c->born > LIVED_LEAST)
		c->deaths = 0;
	c->deaths++;
	if (s->failures < CRASH_FAILURES)
		s->failures = CRASH_FAILURES;
	snprintf(err.text, sizeof(err.text), "%s", c->why);
	live_account(s, err.code, &err, 0, 0);
	int64_t resume = now + live_pause(s, c->deaths - 1);

	if (resume > s->resume)
		s->resume = resume;
}

/*
 * Never waits for it: in uninterruptible sleep it takes its SIGKILL when the kernel lets go. A process whose socket closed is
 * about to end, so its status is asked for a few times before the failure is told without; after that, at each tick.
 */
static void
bury(struct live *s)
{
	struct child *c = s->child;
	int status = 0;
	pid_t ended = c->pid > 0 ? waitpid(c->pid, &status, WNOHANG) : -1;

	/* One that is ending already keeps the status that it has. */
	if (!ended && !c->killed)
		c->killed = !kill(c->pid, SIGKILL);
	if (!ended && c->polls < POLLS_MOST) {
		live_arm(c->timer, WEIR_MS << c->polls++);
		return;
	}
	if (ended) {
		c->pid = 0;
		c->phase = CHILD_NONE;
	}
	if (c->told)
		return;
	c->told = true;
	describe_end(c, ended != 0, status);
	account_end(s);
}

/* Give the process up. What open told stands above what its death looks like. */
static void
lose(struct live *s, const char *why)
{
	struct child *c = s->child;

	close_socket(c);
	event_del(c->timer);
	if (c->pending)
		s->counts.dropped++;
	c->pending = c->killed = c->told = false;
	c->polls = 0;
	c->phase = CHILD_DYING;
	if (!c->why[0])
		snprintf(c->why, sizeof(c->why), "%s", why);
	bury(s);
}

static void
on_timer(evutil_socket_t fd, short what, void *argument)
{
	struct live *s = argument;

	(void)fd;
	(void)what;
	if (s->child->phase == CHILD_DYING)
		bury(s);
	else if (s->child->phase == CHILD_STARTING)
		lose(s, "killed: its process has not started in time");
	else if (s->child->phase == CHILD_BUSY)
		lose(s, "killed: a tick has not come back within its timeout");
	flow_settle(s->flow);
}

/* ---- what comes back ---- */

static void
send_tick(struct live *s)
{
	const struct frame tick = { 0, FRAME_TICK, 0 };
	struct child *c = s->child;

	c->pending = false;
	c->phase = CHILD_BUSY;
	s->counts.ticks++;
	live_arm(c->timer, s->setting->sampler.timeout);
	if (fs_write_all(c->fd, &tick, sizeof(tick)))
		lose(s, "");
}

/* An instance here keeps the schemas and the rows of the one in the process. */
static int
make_instance(struct live *s, struct weir_err *err)
{
	struct origin origin = { s->flow->origin.cluster, s->flow->origin.host, s->setting->name, s->flow->origin.incarnation };

	live_collect(s);
	builder_free(s->capabilities);
	s->capabilities = NULL;
	instance_free(s->ctx);
	s->ctx = instance_new(s->setting->plugin, &origin, s->setting->sampler.root, s->flow->keeper, s->flow->log);
	if (!s->ctx || live_targets(s)) {
		instance_free(s->ctx);
		s->ctx = NULL;
		return weir_fail(err, -ENOMEM, "cannot make sampler '%s'", s->setting->name);
	}
	s->child->n_static = s->ctx->n_schemas;
	return 0;
}

/* Schemas that a former process of this sampler made: are those of the new one the same? */
static bool
same_schemas(const struct live *s, const char *data, const char *end)
{
	size_t i = s->child->n_static;

	for (const char *text; (text = frame_next(&data, end)); i++) {
		char *known = i < s->ctx->n_schemas ? weir_schema_text(s->ctx->schemas[i]) : NULL;
		bool same = known && !strcmp(known, text);

		free(known);
		if (!same)
			return false;
	}
	return i == s->ctx->n_schemas;
}

static int
add_schema(struct live *s, const char *text, struct weir_err *err)
{
	struct weir_schema *schema = weir_schema_parse(text, err);

	if (!schema)
		return -EBADMSG;
	/* Help does not travel, and a schema without is refused. */
	for (size_t i = 0; i < schema->n_columns; i++)
		((struct weir_column *)(uintptr_t)schema->columns)[i].help = "-";
	schema->help = "-";
	s->ctx->opening = true;
	int rc = weir_schema_add(s->ctx, schema, err);

	s->ctx->opening = false;
	free(schema);
	return rc < 0 ? rc : 0;
}

/* Schemas that the plugin made in its open follow in canonical text. */
static int
take_ready(struct live *s, const char *data, size_t size, struct weir_err *err)
{
	struct child *c = s->child;
	const char *end = data + size;
	int rc = 0;

	if (c->phase != CHILD_STARTING || (size && end[-1]))
		return weir_failx(err, -EBADMSG, "its process sends an answer that was not asked for");
	if (s->n_targets != s->ctx->n_schemas || !same_schemas(s, data, end)) {
		rc = s->ctx->n_schemas > c->n_static ? make_instance(s, err) : 0;
		for (const char *text; !rc && (text = frame_next(&data, end));)
			rc = add_schema(s, text, err);
		if (!rc && live_targets(s))
			rc = weir_fail(err, -ENOMEM, "cannot make sampler '%s'", s->setting->name);
	}
	if (rc)
		return rc;
	event_del(c->timer);
	c->phase = CHILD_IDLE;
	if (c->pending)
		send_tick(s);
	return 0;
}

static int
take_batch(struct live *s, uint16_t number, const char *data, size_t size, struct weir_err *err)
{
	struct builder **b = &s->capabilities;
	const struct weir_schema *schema = &self_capability;

	if (s->child->phase != CHILD_BUSY)
		return weir_failx(err, -EBADMSG, "its process sends an answer that was not asked for");
	if (number != FRAME_CAPABILITY) {
		if (number >= s->ctx->n_schemas)
			return weir_failx(err, -EBADMSG, "its process sends a batch of a schema that the sampler has not");
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
		if (number != FRAME_CAPABILITY)
			s->counts.rows += builder_rows(*b) - before;
	}
	return rc;
}

static int
take_done(struct live *s, const char *data, size_t size, struct weir_err *err)
{
	struct child *c = s->child;
	struct frame_done done;

	if (size != sizeof(done))
		return weir_failx(err, -EBADMSG, "its process sends a frame of the wrong size");
	memcpy(&done, data, sizeof(done));
	struct weir_err result = { .code = (int)done.code };

	snprintf(result.text, sizeof(result.text), "%.*s", (int)sizeof(done.text) - 1, done.text);
	if (c->phase == CHILD_STARTING && result.code) {
		/* Its open failed; it ends now, or the timer sees to it. */
		snprintf(c->why, sizeof(c->why), "%.230s", result.text[0] ? result.text : strerror(abs(result.code)));
		return 0;
	}
	if (c->phase != CHILD_BUSY)
		return weir_failx(err, -EBADMSG, "its process sends an answer that was not asked for");
	event_del(c->timer);
	c->phase = CHILD_IDLE;
	live_account(s, result.code, &result, done.duration < 0 ? 0 : done.duration, 0);
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
		return weir_failx(err, -EBADMSG, "its process sends a frame of no known kind");
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
			return weir_failx(err, -EBADMSG, "its process sends a frame of %u bytes", head.size);
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

/* 1: there may be more; 0: the end; or -errno. */
static int
read_some(struct live *s, struct weir_err *err)
{
	char buffer[16 << 10];
	ssize_t n = read(s->child->fd, buffer, sizeof(buffer));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 1;
	if (n <= 0)
		return 0;
	text_append(&s->child->in, buffer, (size_t)n);
	int rc = s->child->in.failed ? weir_fail(err, -ENOMEM, "cannot read from its process") : take_frames(s, err);

	return rc ? rc : 1;
}

static void
on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct live *s = argument;
	struct weir_err err = { 0 };

	(void)fd;
	(void)what;
	if (read_some(s, &err) <= 0)
		lose(s, err.text);
	flow_settle(s->flow);
}

/* ---- the start of a process ---- */

/* Everything the child needs, as strings. */
static void
pack_setup(const struct live *s, struct text *out)
{
	const struct instance_setting *in = s->setting;
	size_t at = frame_begin(out, FRAME_SETUP, 0);

	frame_string(out, registry_path(s->flow->registry, in->plugin));
	frame_string(out, s->flow->origin.cluster);
	frame_string(out, s->flow->origin.host);
	frame_string(out, in->name);
	frame_string(out, in->sampler.root);
	frame_string(out, s->flow->state);
	for (size_t i = 0; i < in->n_assignments; i++) {
		const struct assignment *a = &in->assignments[i];
		char n[24];

		frame_string(out, a->option->name);
		snprintf(n, sizeof(n), "%zu", a->n);
		frame_string(out, n);
		for (size_t k = 0; k < a->n; k++) {
			if (a->pairs)
				frame_string(out, a->pairs[k].name);
			frame_string(out, a->pairs ? a->pairs[k].value : a->items[k]);
		}
	}
	frame_end(out, at);
}

static int
spawn(int fd, pid_t *pid)
{
	char name[] = "weir", verb[] = "isolated-sampler";
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

/* The process and this end of its socket, which never blocks. */
static int
start_process(struct child *c, struct weir_err *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return weir_fail(err, -errno, "cannot make a socket pair");
	/* dup2 onto itself would keep close-on-exec. */
	int theirs = pair[1] == CHILD_FD ? fcntl(pair[1], F_DUPFD_CLOEXEC, CHILD_FD + 1) : pair[1];
	int rc = theirs < 0 ? -errno : spawn(theirs, &c->pid);

	if (theirs >= 0 && theirs != pair[1])
		close(theirs);
	close(pair[1]);
	c->fd = pair[0];
	if (rc) {
		c->pid = 0;
		return weir_fail(err, rc, "cannot start a process");
	}
	(void)fcntl(c->fd, F_SETFL, O_NONBLOCK);
	return 0;
}

static void
start(struct live *s)
{
	struct child *c = s->child;
	struct weir_err err = { 0 };
	struct text setup = { 0 };

	c->why[0] = '\0';
	c->born = clock_mono_ns();
	c->phase = CHILD_STARTING;
	int rc = start_process(c, &err);

	if (!rc) {
		pack_setup(s, &setup);
		rc = setup.failed ? -ENOMEM : fs_write_all(c->fd, setup.data, setup.size);
		text_free(&setup);
		c->readable = event_new(s->flow->base, c->fd, EV_READ | EV_PERSIST, on_readable, s);
		if (!rc && (!c->readable || event_add(c->readable, NULL)))
			rc = -ENOMEM;
		if (rc == -EAGAIN)
			weir_failx(&err, rc, "its options are more than a socket holds: shorten them");
		else if (rc)
			weir_fail(&err, rc, "cannot speak to its process");
	}
	if (rc)
		lose(s, err.text);
	else
		live_arm(c->timer, s->setting->sampler.timeout > START_LEAST ? s->setting->sampler.timeout : START_LEAST);
}

int
child_new(struct live *s, struct weir_err *err)
{
	struct child *c = s->child ? s->child : calloc(1, sizeof(*c));

	if (!c)
		return weir_fail(err, -ENOMEM, "cannot make sampler '%s'", s->setting->name);
	if (!s->child) {
		s->child = c;
		c->fd = -1;
	}
	if (!c->timer && !(c->timer = event_new(s->flow->base, -1, 0, on_timer, s)))
		return weir_fail(err, -ENOMEM, "cannot make sampler '%s'", s->setting->name);
	int rc = make_instance(s, err);

	if (!rc && c->phase == CHILD_NONE)
		start(s);
	return rc;
}

void
child_tick(struct live *s)
{
	struct child *c = s->child;

	if (c->phase == CHILD_DYING)
		bury(s);
	/* That may have told of a failure, with a pause. */
	if (c->phase == CHILD_NONE && clock_mono_ns() >= s->resume)
		start(s);
	if (c->phase == CHILD_IDLE)
		send_tick(s);
	else if (c->phase == CHILD_STARTING && !c->pending)
		c->pending = true;
	else
		s->counts.dropped++;
}

/* ---- the end of the sampler ---- */

/* It sees the end of the socket when it has answered its last tick, runs the plugin's close, and ends. */
static void
last_words(struct live *s, int64_t deadline)
{
	struct child *c = s->child;
	struct weir_err err = { 0 };
	struct pollfd wait = { .fd = c->fd, .events = POLLIN };

	shutdown(c->fd, SHUT_WR);
	for (int64_t left; (left = deadline - clock_mono_ns()) > 0;) {
		int n = poll(&wait, 1, (int)(left / WEIR_MS) + 1);

		if (n < 0 && errno != EINTR)
			break;
		if (n > 0 && read_some(s, &err) <= 0)
			break;
	}
	if (err.text[0])
		log_line(s->flow->log, LOG_LEVEL_WARNING, s->setting->name, "%s", err.text);
}

void
child_free(struct live *s)
{
	struct child *c = s->child;
	int64_t now = clock_mono_ns();

	if (!c)
		return;
	if (c->pending)
		s->counts.dropped++;
	c->pending = false;
	if (c->fd >= 0)
		last_words(s, now + LAST_WORDS);
	close_socket(c);
	/* One that still lives after this sleeps in the kernel and is left to it. */
	if (c->pid > 0 && !waitpid(c->pid, NULL, WNOHANG)) {
		const struct timespec pause = { 0, WEIR_MS };

		kill(c->pid, SIGKILL);
		for (now = clock_mono_ns(); !waitpid(c->pid, NULL, WNOHANG) && clock_mono_ns() - now < DEATH_MOST;)
			nanosleep(&pause, NULL);
	}
	if (c->timer)
		event_free(c->timer);
	free(c);
	s->child = NULL;
}
