/* SPDX-License-Identifier: Apache-2.0 */
/* weir tap: rows of a running instance as they come. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "data/print.h"

struct tap {
	const char *control, *format;
	int64_t duration; /* ns; 0: until the agent or the reader ends */
	struct text request;
};

static int
parse_arguments(struct tap *tap, int argc, char **argv)
{
	static const struct option options[] = {
		{ "control", required_argument, NULL, 'c' },
		{ "format", required_argument, NULL, 'f' },
		{ "duration", required_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 },
	};
	struct weir_err err = { 0 };
	enum print_format format;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'c')
			tap->control = optarg;
		else if (c == 'f' && !print_format_named(optarg, &format))
			tap->format = optarg;
		else if (c == 'f')
			return cli_usage("tap", "--format '%s' is not table, json or csv", optarg);
		else if (c == 'd' && (parse_duration(optarg, &tap->duration, &err) || tap->duration <= 0))
			return cli_usage(
				"tap", "--duration: %s", err.text[0] ? err.text : "must be more than 0");
		else if (c == '?')
			return cli_usage("tap", "wrong options");
	}
	text_printf(&tap->request, "tap-%s", tap->format);
	for (int i = optind; i < argc; i++)
		text_printf(&tap->request, " %s", argv[i]);
	return EXIT_DONE;
}

/* Copies what comes; the first line is the agent's verdict. */
static int
copy(struct tap *tap, int fd)
{
	int64_t end = tap->duration ? clock_mono_ns() + tap->duration : INT64_MAX;
	char buffer[64 << 10];
	bool verdict = false;

	for (;;) {
		struct pollfd ready[2] = { { .fd = fd, .events = POLLIN }, { .fd = STDOUT_FILENO } };
		int64_t left = end == INT64_MAX ? -1 : (end - clock_mono_ns()) / 1000000;

		if (end != INT64_MAX && left <= 0)
			return EXIT_DONE;
		if (poll(ready, 2, (int)left) < 0 && errno != EINTR)
			return cli_fail(EXIT_IO, "cannot wait: %s", strerror(errno));
		if (ready[1].revents & (POLLERR | POLLHUP))
			return EXIT_DONE; /* the reader of a pipe has had enough */
		if (!ready[0].revents)
			continue;
		ssize_t n = read(fd, buffer, sizeof(buffer));

		if (n <= 0)
			return verdict ? cli_fail(EXIT_UNAVAILABLE, "the agent has ended")
						   : cli_fail(EXIT_UNAVAILABLE, "the agent gave no answer");
		char *from = buffer, *newline = verdict ? NULL : memchr(buffer, '\n', (size_t)n);

		if (newline && strncmp(buffer, "ok\n", 3))
			return cli_fail(EXIT_UNAVAILABLE, "the agent refused: %.*s",
				(int)(buffer + n - newline - 1), newline + 1);
		if (newline)
			from = newline + 1;
		verdict |= newline != NULL;
		if (verdict && fs_write_all(STDOUT_FILENO, from, (size_t)(buffer + n - from)))
			return EXIT_DONE;
	}
}

int
cli_tap(int argc, char **argv)
{
	struct tap tap = { .format = "table" };
	struct weir_err err = { 0 };
	int rc = parse_arguments(&tap, argc, argv);
	int fd = rc ? -1 : client_request(client_path(tap.control), tap.request.data, &err);

	if (!rc && fd < 0)
		rc = cli_fail(client_exit_code(fd), "%s", err.text);
	if (!rc)
		rc = copy(&tap, fd);
	if (fd >= 0)
		close(fd);
	text_free(&tap.request);
	return rc;
}
