/* SPDX-License-Identifier: Apache-2.0 */
/* weir top: a running instance at a glance, on a terminal; plain lines when there is none. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/top.h"

struct top {
	const char *control;
	int64_t duration, interval;
	bool once, screen;
	int tap, signals;
	struct memory memory;
	struct text in; /* of the tap, not yet a whole line */
};

static int
parse_arguments(struct top *t, int argc, char **argv)
{
	static const struct option options[] = {
		{ "control", required_argument, NULL, 'c' },
		{ "duration", required_argument, NULL, 'd' },
		{ "interval", required_argument, NULL, 'i' },
		{ "once", no_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	struct weir_err err = { 0 };
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'c')
			t->control = optarg;
		else if (c == 'o')
			t->once = true;
		else if (c == 'd' && (parse_duration(optarg, &t->duration, &err) || t->duration <= 0))
			return cli_usage(
				"top", "--duration: %s", err.text[0] ? err.text : "must be more than 0");
		else if (c == 'i' &&
				 (parse_duration(optarg, &t->interval, &err) || t->interval < 100000000))
			return cli_usage("top", "--interval: %s", err.text[0] ? err.text : "at least 100ms");
		else if (c == '?')
			return cli_usage("top", "wrong options");
	}
	return optind < argc ? cli_usage("top", "wrong argument: '%s'", argv[optind]) : EXIT_DONE;
}

static int
ask_status(const struct top *t, struct text *status)
{
	struct weir_err err = { 0 };
	int fd = client_request(t->control, "status", &err);
	char buffer[16 << 10];
	ssize_t n;

	if (fd < 0)
		return fd;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		text_append(status, buffer, (size_t)n);
	close(fd);
	return !status->data || strncmp(status->data, "ok\n", 3) ? -EPIPE : 0;
}

static int
take_rows(struct top *t)
{
	char buffer[64 << 10];
	ssize_t n = read(t->tap, buffer, sizeof(buffer));
	size_t at = 0;

	if (n <= 0)
		return -EPIPE;
	text_append(&t->in, buffer, (size_t)n);
	for (char *newline; t->in.data && (newline = memchr(t->in.data + at, '\n', t->in.size - at));) {
		char *line = t->in.data + at;

		if (*line == '{')
			memory_add(&t->memory, line, (size_t)(newline - line));
		at = (size_t)(newline + 1 - t->in.data);
	}
	memmove(t->in.data, t->in.data + at, t->in.size - at);
	t->in.size -= at;
	return t->in.failed ? -ENOMEM : 0;
}

static int
show(struct top *t)
{
	struct text status = { 0 }, out = { 0 };
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	int rc = ask_status(t, &status);

	if (rc) {
		text_free(&status);
		return rc;
	}
	if (t->screen) {
		if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row) {
			size.ws_row = 24;
			size.ws_col = 80;
		}
		text_add(&out, "\33[H");
		view_screen(
			&t->memory, status.data + 3, size.ws_col, size.ws_row - 1u, true, cli_colour(), &out);
		text_add(&out, "\33[J");
	} else if (t->once) {
		view_screen(&t->memory, status.data + 3, 1000, 1000, false, false, &out);
	} else {
		view_line(&t->memory, status.data + 3, &out);
	}
	text_free(&status);
	rc = cli_write(&out);
	text_free(&out);
	return rc ? -EIO : 0;
}

/* 0 at the end of the time or by a signal; -EPIPE when the agent went. */
static int
watch(struct top *t)
{
	int64_t now = clock_mono_ns(), end = t->duration ? now + t->duration : INT64_MAX,
			next = now + t->interval;

	if (t->once)
		end = next = now + 2 * t->interval + 300000000;
	for (;;) {
		struct pollfd ready[2] = { { .fd = t->tap, .events = POLLIN },
			{ .fd = t->signals, .events = POLLIN } };
		int64_t until = next < end ? next : end;
		int64_t left = (until - clock_mono_ns() + 999999) / 1000000;

		if (poll(ready, 2, left > 0 ? (int)left : 0) < 0 && errno != EINTR)
			return -errno;
		if (ready[1].revents)
			return 0;
		if (ready[0].revents && take_rows(t))
			return -EPIPE;
		now = clock_mono_ns();
		if (now >= next) {
			int rc = show(t);

			if (rc)
				return rc == -EIO ? 0 : rc;
			next += t->interval;
		}
		if (now >= end)
			return 0;
	}
}

static int
signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int
cli_top(int argc, char **argv)
{
	struct top t = { .interval = 1000000000, .tap = -1 };
	struct weir_err err = { 0 };
	int rc = parse_arguments(&t, argc, argv);

	if (rc)
		return rc;
	t.control = client_path(t.control);
	t.screen = !t.once && isatty(STDOUT_FILENO);
	t.signals = signals_open();
	t.tap =
		client_request(t.control, "tap-json cpu_total loadavg meminfo disk netdev pressure", &err);
	if (t.tap < 0)
		return cli_fail(client_exit_code(t.tap), "%s", err.text);
	if (t.screen) /* the alternate screen: what was there comes back at the end */
		fputs("\33[?1049h\33[?25l\33[2J", stdout);
	rc = watch(&t);
	if (t.screen) {
		fputs("\33[?25h\33[?1049l", stdout);
		fflush(stdout);
	}
	close(t.tap);
	close(t.signals);
	memory_free(&t.memory);
	text_free(&t.in);
	return rc ? cli_fail(EXIT_UNAVAILABLE, "the agent has ended") : EXIT_DONE;
}
