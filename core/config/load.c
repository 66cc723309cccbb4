/* SPDX-License-Identifier: Apache-2.0 */
/* The files that make up a configuration: the main file and the drop-ins of conf.d beside it. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "config/load.h"
#include "config/reader.h"
#include "config/substitute.h"
#include "config/yaml.h"

#define FILES_MAX 256

struct load {
	const char *host;
	struct arena *arena;
	struct report *report;
	struct weir_err *err;
	struct node *root;
};

static int
no_memory(struct load *load)
{
	return weir_failx(load->err, -ENOMEM, "out of memory");
}

/* The main file's name, as the user would write it: below a folder, "FOLDER/weir.yaml". */
static int
find_main(struct load *load, const char *path, const char **name)
{
	struct stat status;
	size_t size = strlen(path);

	if (stat(path, &status))
		return weir_fail(load->err, errno == ENOTDIR ? -ENOENT : -errno, "cannot open '%s'", path);
	if (!S_ISDIR(status.st_mode)) {
		*name = arena_string(load->arena, path);
		return *name ? 0 : no_memory(load);
	}
	*name =
		arena_printf(load->arena, "%s%sweir.yaml", path, size && path[size - 1] == '/' ? "" : "/");
	if (!*name)
		return no_memory(load);
	if (stat(*name, &status))
		return weir_fail(load->err, -errno, "the folder '%s' holds no readable weir.yaml", path);
	return 0;
}

static void
report_unreadable(struct load *load, const struct source *source, const char *sentence)
{
	struct place place = { source, 1, 1 };

	report_file(load->report);
	report_error(load->report, &place, 1, NULL, "%s", sentence);
	report_set_incomplete(load->report);
}

/* *root stays NULL when the file cannot be read; for a drop-in, and for one that is too large, that
 * is reported. */
static int
read_file(struct load *load, const char *name, unsigned order, struct node **root)
{
	struct weir_err err = { 0 };
	char *text = NULL;
	size_t size = 0;
	int error = fs_read(name, FILE_SIZE_MAX, &text, &size, &err);

	if (error && error != -EFBIG && !order) {
		if (load->err)
			*load->err = err;
		return error;
	}
	struct source *source = source_new(load->arena, name, text, size, order);
	free(text);
	if (!source)
		return no_memory(load);
	if (error) {
		report_unreadable(
			load, source, error == -EFBIG ? "the file is larger than 4 MiB" : err.text);
		return 0;
	}
	if (yaml_parse_source(source, load->arena, load->report, root))
		return no_memory(load);
	substitute_check(*root, NULL, load->report);
	return 0;
}

static int
load_main(struct load *load, const char *name)
{
	int error = read_file(load, name, 0, &load->root);

	if (error)
		return error;
	if (!load->root) {
		struct place place = { source_new(load->arena, name, NULL, 0, 0), 1, 1 };
		load->root = place.source ? node_new(load->arena, NODE_MAPPING, place, 1) : NULL;
		if (!load->root || node_sort(load->arena, load->root))
			return no_memory(load);
		load->root->partial = true;
	}
	return config_refuse_match(load->root, load->arena, load->report) ? no_memory(load) : 0;
}

static int
load_drop_in(struct load *load, const char *name, unsigned order)
{
	struct node *root = NULL;
	int error = read_file(load, name, order, &root);

	if (error || !root)
		return error;
	int holds = config_match(root, load->host, load->arena, load->report);
	if (holds > 0)
		holds = config_merge(load->root, root, load->arena, load->report);
	return holds < 0 ? no_memory(load) : 0;
}

/* Not hidden (".#x.yaml" of editors is), and no "x.yaml~", "x.yaml.bak". */
static int
is_drop_in(const struct dirent *entry)
{
	size_t size = strlen(entry->d_name);

	return entry->d_name[0] != '.' && size > 5 && strcmp(entry->d_name + size - 5, ".yaml") == 0;
}

static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
load_list(struct load *load, const char *folder, struct dirent **list, int n)
{
	int error = 0;

	for (int i = 0; i < n && !error; i++) {
		const char *name = arena_printf(load->arena, "%s/%s", folder, list[i]->d_name);
		error = name ? load_drop_in(load, name, (unsigned)i + 1) : no_memory(load);
	}
	return error;
}

/* The folder itself is at fault. */
static int
refuse_folder(struct load *load, const char *folder, const char *sentence)
{
	struct place place = { source_new(load->arena, folder, NULL, 0, 1), 0, 0 };

	if (!place.source)
		return no_memory(load);
	report_error(load->report, &place, 1, NULL, "%s", sentence);
	report_set_incomplete(load->report);
	return 0;
}

static int
load_folder(struct load *load, const char *main_name)
{
	const char *slash = strrchr(main_name, '/');
	int prefix = slash ? (int)(slash + 1 - main_name) : 0;
	const char *folder = arena_printf(load->arena, "%.*sconf.d", prefix, main_name);
	struct dirent **list = NULL;

	if (!folder)
		return no_memory(load);
	int n = scandir(folder, &list, is_drop_in, by_bytes);
	if (n < 0 && errno == ENOENT)
		return 0;
	if (n < 0) {
		struct weir_err err = { 0 };
		weir_fail(&err, -errno, "cannot read the folder of drop-ins");
		return refuse_folder(load, folder, err.text);
	}
	int error =
		n < FILES_MAX ? 0 : refuse_folder(load, folder, "more than 256 files of configuration");
	if (!error)
		error = load_list(load, folder, list, n < FILES_MAX ? n : FILES_MAX - 1);
	for (int i = 0; i < n; i++)
		free(list[i]);
	free(list);
	return error;
}

int
config_load(const char *path, const char *host, struct arena *arena, struct report *report,
	struct node **root, struct weir_err *err)
{
	char own[256] = "";
	struct load load = { .host = host, .arena = arena, .report = report, .err = err };
	const char *name = NULL;

	if (!host) {
		if (gethostname(own, sizeof(own) - 1))
			own[0] = '\0';
		own[strcspn(own, ".")] = '\0';
		load.host = own;
	}
	int error = find_main(&load, path, &name);
	if (!error)
		error = load_main(&load, name);
	if (!error)
		error = load_folder(&load, name);
	if (!error && substitute(load.root, NULL, arena, report))
		error = no_memory(&load);
	*root = error ? NULL : load.root;
	return error;
}
