/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of the command line. */
#ifndef WEIR_CLI_CLI_H
#define WEIR_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/error.h>

#include "base/text.h"

/* Exit codes, after sysexits(3). */
enum {
	EXIT_DONE = 0,
	EXIT_FAULTS = 1, /* a check found faults */
	EXIT_PARTLY = 2, /* some of the work failed */
	EXIT_USAGE = 64,
	EXIT_BAD_DATA = 65,
	EXIT_NO_INPUT = 66,
	EXIT_UNAVAILABLE = 69,
	EXIT_BUG = 70,
	EXIT_CANNOT_CREATE = 73,
	EXIT_IO = 74,
	EXIT_TRY_AGAIN = 75,
	EXIT_NOT_PERMITTED = 77,
	EXIT_CONFIG = 78,
};

struct verb {
	const char *name;
	const char *arguments; /* "[CONFIG]" */
	const char *summary;   /* one line for the list */
	const char *help; /* options and two examples; printed below the usage line; NULL: hidden */
	int (*run)(int argc, char **argv); /* argv[0] is the verb */
};

extern const struct verb cli_verbs[]; /* ends with a NULL name */

int cli_run(int argc, char **argv);
int cli_isolated(int argc, char **argv);
int cli_reload(int argc, char **argv);
int cli_status(int argc, char **argv);
int cli_tap(int argc, char **argv);
int cli_top(int argc, char **argv);
int cli_config(int argc, char **argv);
int cli_plugin(int argc, char **argv);
int cli_manual(int argc, char **argv);
int cli_sample(int argc, char **argv);
int cli_version(int argc, char **argv);

struct registry;
struct report;
struct settings;

/* The configuration of verbs that are not told one. */
#define CLI_CONFIG "/etc/weir"

/*
 * Load and judge a configuration, printing the report on standard error. An exit code; the settings
 * are for running only when it is 0. `host` NULL: this machine.
 */
int cli_settings(const char *path, const char *host, struct registry **, struct settings **);
/* The same without printing the report, which the caller frees before the settings; NULL when no
 * file could be read (said). */
int cli_judge(
	const char *path, const char *host, struct registry **, struct settings **, struct report **);

/* "weir: sentence" on standard error; returns `code`. */
int cli_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The usage of a verb on standard error after a wrong call; returns EXIT_USAGE. */
int cli_usage(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Help of a verb on standard output; returns 0. */
int cli_help(const char *verb);
/* An exit code for -errno of a file or folder. */
int cli_exit_code(int error);
/* The whole text to standard output; EXIT_IO when that fails. Empties it. */
int cli_write(struct text *);
/* Columns of the terminal on standard output, 0 when there is none. */
unsigned cli_width(void);
/* Does standard output want colour? (a terminal, NO_COLOR unset) */
bool cli_colour(void);
/* This machine's short name, "localhost" for none. */
void cli_host_name(char *out, size_t room);

#endif
