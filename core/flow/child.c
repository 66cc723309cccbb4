/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samplers that may crash run in a process of their own (isolated.c): this program again, fed
 * through a socket pair with its plugin, options and ticks. What comes back is checked frame by
 * frame. A process that hangs is killed, one that died is started again later; nothing here waits
 * for either.
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
#include "flow/child.h"
#include "flow/frame.h"

enum { CHILD_FD = 3, POLLS_MOST = 7, CRASH_FAILURES = 4 };
/* Exec, dynamic linking and open take their time on a busy machine, whatever a tick may take. */
#define START_LEAST (5 * WEIR_SECOND)
/* A process that lived for so long did not die of its start: the next pause is a short one again.
 */
#define LIVED_LEAST (60 * WEIR_SECOND)
#define LAST_WORDS (500 * WEIR_MS)
#define DEATH_MOST (100 * WEIR_MS)

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
		snprintf(c->why, sizeof(c->why), "its process was ended by signal %d (%s)",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(c->why, sizeof(c->why), "its process ended with status %d", WEXITSTATUS(status));
}

/* A crash is no common failure: the sampler backs off at once, and longer with every process that
 * dies soon. */
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
 * Never waits for it: in uninterruptible sleep it takes its SIGKILL when the kernel lets go. A
 * process whose socket closed is about to end, so its status is asked for a few times before the
 * failure is told without; after that, at each tick.
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

/* ---- the start of a process ---- */

void
child_send_tick(struct live *s)
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

static void
on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct live *s = argument;
	struct weir_err err = { 0 };

	(void)fd;
	(void)what;
	if (child_read(s, &err) <= 0)
		lose(s, err.text);
	flow_settle(s->flow);
}

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
		live_arm(c->timer,
			s->setting->sampler.timeout > START_LEAST ? s->setting->sampler.timeout : START_LEAST);
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
	int rc = child_make_instance(s, err);

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
		child_send_tick(s);
	else if (c->phase == CHILD_STARTING && !c->pending)
		c->pending = true;
	else
		s->counts.dropped++;
}

/* ---- the end of the sampler ---- */

/* It sees the end of the socket when it has answered its last tick, runs the plugin's close, and
 * ends. */
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
		if (n > 0 && child_read(s, &err) <= 0)
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
		for (now = clock_mono_ns();
			 !waitpid(c->pid, NULL, WNOHANG) && clock_mono_ns() - now < DEATH_MOST;)
			nanosleep(&pause, NULL);
	}
	if (c->timer)
		event_free(c->timer);
	free(c);
	s->child = NULL;
}
