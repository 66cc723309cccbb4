/* SPDX-License-Identifier: Apache-2.0 */
/* Speaking to a running instance; the verbs that need no more than that: status, reload. */
#include "cli/client.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fs.h"
#include "cli/cli.h"

#define DEFAULT_CONTROL "/var/lib/weir/control.sock"

const char *
client_path(const char *given)
{
	const char *environment = getenv("WEIR_CONTROL");

	return given ? given : environment && *environment ? environment : DEFAULT_CONTROL;
}

int
client_exit_code(int error)
{
	return error == -EACCES || error == -EPERM ? EXIT_NOT_PERMITTED : EXIT_UNAVAILABLE;
}

int
client_request(const char *path, const char *request, struct weir_err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return weir_failx(err, -ENAMETOOLONG, "'%s' is too long for a socket", path);
	memcpy(address.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return weir_fail(err, -errno, "cannot make a socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		int rc = -errno;

		close(fd);
		if (rc == -ENOENT || rc == -ECONNREFUSED)
			return weir_failx(err, rc,
				"no agent listens on '%s': is one running, and is this its socket? (--control "
				"PATH)",
				path);
		return weir_fail(err, rc, "cannot reach the agent on '%s'", path);
	}
	char line[1024];
	int length = snprintf(line, sizeof(line), "%s\n", request);
	int rc = length >= (int)sizeof(line) ? -E2BIG : fs_write_all(fd, line, (size_t)length);

	if (rc) {
		close(fd);
		return weir_fail(err, rc, "cannot ask the agent on '%s'", path);
	}
	return fd;
}

/* The whole answer: first line apart. */
static int
read_answer(int fd, struct text *answer)
{
	char buffer[16 << 10];
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		text_append(answer, buffer, (size_t)n);
	close(fd);
	return n < 0 || answer->failed || !answer->size ? -EIO : 0;
}

static int
ask(const char *control, const char *request, bool *good, struct text *body)
{
	struct weir_err err = { 0 };
	struct text answer = { 0 };
	int fd = client_request(client_path(control), request, &err);

	if (fd < 0)
		return cli_fail(client_exit_code(fd), "%s", err.text);
	if (read_answer(fd, &answer)) {
		text_free(&answer);
		return cli_fail(EXIT_UNAVAILABLE, "the agent on '%s' gave no answer", client_path(control));
	}
	char *newline = strchr(answer.data, '\n');

	*good = !strncmp(answer.data, "ok\n", 3);
	text_add(body, newline ? newline + 1 : "");
	text_free(&answer);
	return EXIT_DONE;
}

int
cli_status(int argc, char **argv)
{
	static const struct option options[] = { { "control", required_argument, NULL, 'c' },
		{ "format", required_argument, NULL, 'f' }, { "check", no_argument, NULL, 'k' },
		{ NULL, 0, NULL, 0 } };
	const char *control = NULL;
	struct text body = { 0 };
	bool json = false, check = false, good = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'c')
			control = optarg;
		else if (c == 'k')
			check = true;
		else if (c == 'f' &&
				 (!strcmp(optarg, "json") || !strcmp(optarg, "text") || !strcmp(optarg, "table")))
			json = !strcmp(optarg, "json");
		else
			return cli_usage("status", c == 'f' ? "--format is text or json" : "wrong options");
	}
	if (optind < argc)
		return cli_usage("status", "wrong argument: '%s'", argv[optind]);
	int rc = ask(control, json ? "status-json" : "status", &good, &body);
	bool degraded = body.data && (strstr(body.data, "\"status\":\"degraded\"") ||
									 !strncmp(body.data, "DEGRADED", 8));

	if (!rc)
		rc = cli_write(&body);
	text_free(&body);
	if (rc)
		return rc;
	return !good ? EXIT_UNAVAILABLE : check && degraded ? EXIT_FAULTS : EXIT_DONE;
}

int
cli_reload(int argc, char **argv)
{
	static const struct option options[] = { { "control", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 } };
	const char *control = NULL;
	struct text body = { 0 };
	bool good = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'c')
			return cli_usage("reload", "wrong options");
		control = optarg;
	}
	if (optind < argc)
		return cli_usage("reload", "wrong argument: '%s'", argv[optind]);
	int rc = ask(control, "reload", &good, &body);

	if (!rc && body.data)
		fputs(body.data, good ? stdout : stderr);
	text_free(&body);
	if (!rc && !good)
		return cli_fail(EXIT_CONFIG, "the old configuration stays in force");
	return rc;
}
