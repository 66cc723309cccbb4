/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: finds the verb, prints help. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"

static const struct verb *
verb_named(const char *name)
{
	for (const struct verb *v = cli_verbs; v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

int
cli_fail(int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("weir: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	return code;
}

int
cli_usage(const char *verb, const char *format, ...)
{
	const struct verb *v = verb_named(verb);
	va_list arguments;

	va_start(arguments, format);
	fprintf(stderr, "weir %s: ", verb);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	if (v)
		fprintf(
			stderr, "usage: weir %s %s\nhelp:  weir %s --help\n", v->name, v->arguments, v->name);
	return EXIT_USAGE;
}

int
cli_help(const char *verb)
{
	const struct verb *v = verb_named(verb);

	if (v)
		printf("usage: weir %s %s\n%s\n\n%s\nmanual: weir(1)\n", v->name, v->arguments, v->summary,
			v->help ? v->help : "");
	return EXIT_DONE;
}

int
cli_exit_code(int error)
{
	switch (error < 0 ? -error : error) {
	case 0:
		return EXIT_DONE;
	case ENOENT:
	case ENOTDIR:
		return EXIT_NO_INPUT;
	case EACCES:
	case EPERM:
		return EXIT_NOT_PERMITTED;
	case EBUSY:
	case EAGAIN:
		return EXIT_TRY_AGAIN;
	case EINVAL:
	case ERANGE:
		return EXIT_CONFIG;
	default:
		return EXIT_IO;
	}
}

int
cli_write(struct text *out)
{
	if (out->size)
		fwrite(out->data, 1, out->size, stdout);
	out->size = 0;
	if (fflush(stdout) || ferror(stdout))
		return EXIT_IO;
	return EXIT_DONE;
}

unsigned
cli_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return 0;
	return size.ws_col;
}

bool
cli_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && (!no || !*no) && term && strcmp(term, "dumb");
}

void
cli_host_name(char *out, size_t room)
{
	if (gethostname(out, room))
		*out = '\0';
	out[room - 1] = '\0';
	out[strcspn(out, ".")] = '\0';
	if (!*out || !strcmp(out, "(none)"))
		snprintf(out, room, "localhost");
}

static void
print_verbs(FILE *to)
{
	fprintf(to, "usage: weir VERB [ARGUMENT]...\n\nweir measures a cluster: samplers, parsers and "
				"stores that a configuration names.\n\n");
	for (const struct verb *v = cli_verbs; v->name; v++)
		if (v->help)
			fprintf(to, "  %-8s  %s\n", v->name, v->summary);
	fprintf(to,
		"\n  weir VERB --help tells more of one; manual: weir(1), weir.yaml(5), weir-plugin(7)\n");
}

/* The plugins' descriptors must never be 0, 1 or 2. */
static void
keep_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

int
main(int argc, char **argv)
{
	/* One heap for all threads: an arena each would cost 100 kB of resident memory for nothing. */
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TRIM_THRESHOLD, 64 << 10);
	keep_standard_descriptors();
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		print_verbs(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		if (argc > 2 && verb_named(argv[2]))
			return cli_help(argv[2]);
		print_verbs(stdout);
		return EXIT_DONE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
		return cli_version(1, argv + 1);
	const struct verb *v = verb_named(argv[1]);

	if (!v) {
		const char *words[32];
		size_t n = 0;

		for (v = cli_verbs; v->name && n < 32; v++)
			if (v->help)
				words[n++] = v->name;
		const char *near = text_nearest(argv[1], words, n);

		fprintf(stderr, "weir: no such verb: '%s'%s%s%s\n", argv[1], near ? " (did you mean '" : "",
			near ? near : "", near ? "'?)" : "; 'weir --help' lists them");
		return EXIT_USAGE;
	}
	for (int i = 2; i < argc && strcmp(argv[i], "--"); i++)
		if (v->help && (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")))
			return cli_help(v->name);
	return v->run(argc - 1, argv + 1);
}
