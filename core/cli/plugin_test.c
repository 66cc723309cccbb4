/* SPDX-License-Identifier: Apache-2.0 */
/* weir plugin test: does a plugin keep the contract? */
#include <ftw.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "cli/cli.h"
#include "cli/plugin.h"
#include "plugin/conform.h"

#define INPUT_MOST (64u << 20)

struct request {
	const char *options[128];
	size_t n_options;
	const char *root, *input;
	bool rows;
};

static int
parse_arguments(struct request *r, int argc, char **argv)
{
	static const struct option options[] = { { "option", required_argument, NULL, 'o' },
		{ "root", required_argument, NULL, 'r' }, { "input", required_argument, NULL, 'i' },
		{ "rows", no_argument, NULL, 'R' }, { NULL, 0, NULL, 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
		if (c == 'o' && r->n_options < WEIR_COUNT(r->options))
			r->options[r->n_options++] = optarg;
		else if (c == 'r')
			r->root = optarg;
		else if (c == 'i')
			r->input = optarg;
		else if (c == 'R')
			r->rows = true;
		else
			return cli_usage("plugin", "test: wrong options");
	}
	return EXIT_DONE;
}

static int
remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

/* A file is read whole; of a directory the path is the input. */
static int
read_input(struct conform *t, const char *path, char **text)
{
	struct weir_err err = { 0 };
	struct stat status;

	t->input_path = path;
	if (!path || (!stat(path, &status) && S_ISDIR(status.st_mode)))
		return EXIT_DONE;
	int rc = fs_read(path, INPUT_MOST, text, &t->input_size, &err);

	t->input = *text;
	return rc ? cli_fail(cli_exit_code(rc), "%s", err.text) : EXIT_DONE;
}

static int
run_test(struct conform *t, const struct request *r)
{
	char folder[] = "/tmp/weir-test.XXXXXX";
	char *text = NULL;
	int rc = read_input(t, r->input, &text);

	if (!rc && !mkdtemp(folder))
		rc = cli_fail(EXIT_CANNOT_CREATE, "cannot make a folder in /tmp");
	if (rc) {
		free(text);
		return rc;
	}
	t->folder = folder;
	if (t->plugin->kind == WEIR_SAMPLER)
		conform_sampler(t);
	else if (t->plugin->kind == WEIR_PARSER)
		conform_parser(t);
	else
		conform_store(t);
	nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(text);
	text_printf(t->said, "%s '%s': %u checks, %u faults\n", plugin_kind_name(t->plugin->kind),
		t->plugin->name, t->checks, t->faults);
	return t->faults ? EXIT_FAULTS : EXIT_DONE;
}

/* With --rows standard output is for the rows alone. */
int
plugin_test(int argc, char **argv)
{
	struct request r = { .root = "" };
	int rc = parse_arguments(&r, argc, argv);

	if (rc)
		return rc;
	struct text said = { 0 }, rows = { 0 };
	struct registry *registry = registry_standard(NULL);
	struct conform t = { .options = { r.options, r.n_options },
		.root = r.root,
		.said = &said,
		.rows = r.rows ? &rows : NULL,
		.keeper = keeper_new(),
		.log = log_new(LOG_LEVEL_WARNING, "stderr") };

	if (!registry || !t.keeper)
		rc = cli_fail(EXIT_IO, "out of memory");
	if (!rc)
		rc = plugin_of_arguments(registry, argc - optind, argv + optind, &t.plugin);
	if (!rc)
		rc = run_test(&t, &r);
	if (said.size)
		fwrite(said.data, 1, said.size, r.rows ? stderr : stdout);
	int written = cli_write(&rows);

	text_free(&said);
	text_free(&rows);
	keeper_free(t.keeper);
	registry_free(registry);
	log_free(t.log);
	return rc ? rc : written;
}
