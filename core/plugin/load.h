/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding and loading plugins. A file is judged before anything of it runs: mode, ELF header,
 * segments inside the file, ABI number and size read from the file itself; after dlopen its tables
 * are checked. A bad file is one sentence, the rest goes on.
 */
#ifndef WEIR_PLUGIN_LOAD_H
#define WEIR_PLUGIN_LOAD_H

#include <weir/plugin.h>

struct registry;

struct plugin_file {
	enum weir_kind kind; /* 0 while unknown: a bad file outside the KIND/ folders */
	char *name, *path;
	const struct weir_plugin *plugin; /* NULL: not loaded (yet), or bad */
	struct weir_err fault;            /* why it is bad */
	bool tried;
};

/* Folders are searched in the order given; the first file of a name and kind wins. Nothing is
 * loaded yet. */
struct registry *registry_new(const char *const *folders, size_t n);
/* The standard search: $WEIR_PLUGIN_PATH, `more` (may be NULL), then the built-in folders beside
 * the program. */
struct registry *registry_standard(const struct weir_list *more);
void registry_free(struct registry *);

/* Load by kind and name; the registry owns the result, which is never unloaded. NULL and a sentence
 * with did-you-mean. */
const struct weir_plugin *registry_find(
	struct registry *, enum weir_kind, const char *name, struct weir_err *);
/* Load one file by its path, whatever its folder. */
const struct weir_plugin *registry_load(struct registry *, const char *path, struct weir_err *);
/* The file that a plugin of this registry came from. */
const char *registry_path(const struct registry *, const struct weir_plugin *);
/* All files, sorted by kind and name; loads each. */
const struct plugin_file *registry_all(struct registry *, size_t *n);

/* What the build left out, lines "samplers/perf<TAB>libpfm4-dev"; "" for nothing. */
const char *registry_skipped(const struct registry *);

const char *plugin_kind_name(enum weir_kind); /* "sampler" */
/* Check the tables of a loaded constant. */
int plugin_check(const struct weir_plugin *, struct weir_err *);
/* The check of the file alone, without loading. */
int plugin_file_check(const char *path, struct weir_err *);
/* Folder of the running program's plugins: BUILD/plugins beside it, else ../lib/weir; from malloc.
 */
char *plugin_builtin_folder(void);

#endif
