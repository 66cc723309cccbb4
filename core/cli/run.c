/* SPDX-License-Identifier: Apache-2.0 */
/* weir run: the agent (or aggregator) in the foreground. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "flow/flow.h"
#include "flow/live.h"

static int
start_code(const struct weir_err *err)
{
	switch (-err->code) {
	case EBUSY:
		return EXIT_TRY_AGAIN;
	case EACCES:
	case EPERM:
		return EXIT_NOT_PERMITTED;
	case ENOMEM:
		return EXIT_TRY_AGAIN;
	default:
		return EXIT_CANNOT_CREATE;
	}
}

static void
stop_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
}

/* A node that boots may have no name yet: rows of 'localhost' would be nobody's. *stopped: a signal
 * came first. */
static int
wait_for_host(const char *path, struct registry **registry, struct settings **set, struct log *log,
	bool *stopped)
{
	const struct timespec second = { 1, 0 };
	sigset_t signals;

	stop_signals(&signals);
	while (!(*set)->host) {
		log_line(log, LOG_LEVEL_WARNING, "",
			"this machine has no host name yet: waiting for one ('host:' sets it)");
		*stopped = sigtimedwait(&signals, NULL, &second) > 0;
		if (*stopped)
			return EXIT_DONE;
		settings_release(*set);
		*set = NULL;
		int rc = cli_settings(path, NULL, registry, set);

		if (rc)
			return rc;
	}
	return EXIT_DONE;
}

static int
run(const char *path)
{
	struct registry *registry = NULL;
	struct settings *set = NULL;
	struct weir_err err = { 0 };
	bool stopped = false;
	sigset_t signals;

	/* A stop that comes before the loop runs waits for it; the loop takes all three as events. */
	stop_signals(&signals);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	int rc = cli_settings(path, NULL, &registry, &set);
	struct log *log = rc ? NULL : log_new((enum log_level)set->log.level, set->log.target);

	if (!rc)
		rc = wait_for_host(path, &registry, &set, log, &stopped);
	struct flow *f = rc || stopped ? NULL : flow_new(set, registry, log, &err);

	if (!rc && !f && !stopped)
		rc = cli_fail(start_code(&err), "%s", err.text);
	settings_release(set);
	if (f) {
		rc = flow_run(f) ? EXIT_BUG : EXIT_DONE;
		bool abandoned = f->abandoned;

		flow_free(f);
		if (abandoned)
			_exit(rc); /* a thread that hangs must not meet freed memory */
	}
	registry_free(registry);
	log_free(log);
	return rc;
}

int
cli_run(int argc, char **argv)
{
	if (argc > 1 && argv[1][0] == '-')
		return cli_usage("run", "no such option: '%s'", argv[1]);
	if (argc > 2)
		return cli_usage("run", "one configuration at a time");
	return run(argc > 1 ? argv[1] : CLI_CONFIG);
}

int
cli_isolated(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return child_main(3);
}
