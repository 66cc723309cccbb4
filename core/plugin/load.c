/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of plugin files: folders scanned, files loaded when asked for, tables checked. */
#include "plugin/load.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/text.h"
#include "data/schema.h"

struct registry {
	struct plugin_file *file;
	size_t n;
	struct text known; /* scratch */
	char *unreadable;  /* a folder that may not be listed */
	char *skipped;     /* what the build left out: lines "samplers/perf<TAB>libpfm4-dev" */
};

static const char *const kind_names[] = {
	[WEIR_SAMPLER] = "sampler", [WEIR_PARSER] = "parser", [WEIR_STORE] = "store"
};
static const char *const kind_folders[] = {
	[WEIR_SAMPLER] = "samplers", [WEIR_PARSER] = "parsers", [WEIR_STORE] = "stores"
};

const char *
plugin_kind_name(enum weir_kind kind)
{
	return kind >= WEIR_SAMPLER && kind <= WEIR_STORE ? kind_names[kind] : "plugin";
}

static bool
have(const struct registry *reg, enum weir_kind kind, const char *name, size_t length)
{
	for (size_t i = 0; i < reg->n; i++)
		if ((reg->file[i].kind == kind || !reg->file[i].kind) &&
			strlen(reg->file[i].name) == length && !memcmp(reg->file[i].name, name, length))
			return true;
	return false;
}

static struct plugin_file *
add_file(struct registry *reg, enum weir_kind kind, const char *name, size_t length, char *path)
{
	struct plugin_file *file = path ? realloc(reg->file, (reg->n + 1) * sizeof(*file)) : NULL;

	if (!file) {
		free(path);
		return NULL;
	}
	reg->file = file;
	file += reg->n;
	*file = (struct plugin_file){ .kind = kind, .name = strndup(name, length), .path = path };
	if (!file->name) {
		free(path);
		return NULL;
	}
	reg->n++;
	return file;
}

static void
scan_folder(struct registry *reg, const char *folder, enum weir_kind kind)
{
	char *path = kind ? fs_join(folder, kind_folders[kind]) : strdup(folder);
	DIR *dir = path ? opendir(path) : NULL;
	struct dirent *entry;

	if (!dir && path && errno == EACCES && !reg->unreadable)
		reg->unreadable = strdup(path);
	while (dir && (entry = readdir(dir))) {
		size_t length = strlen(entry->d_name);

		if (length < 4 || entry->d_name[0] == '.' || strcmp(entry->d_name + length - 3, ".so"))
			continue;
		if (!have(reg, kind, entry->d_name, length - 3))
			(void)add_file(reg, kind, entry->d_name, length - 3, fs_join(path, entry->d_name));
	}
	if (dir)
		closedir(dir);
	free(path);
}

static int
by_kind_and_name(const void *a, const void *b)
{
	const struct plugin_file *x = a, *y = b;

	return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->name, y->name);
}

struct registry *
registry_new(const char *const *folders, size_t n)
{
	struct registry *reg = calloc(1, sizeof(*reg));

	for (size_t i = 0; reg && i < n; i++)
		for (int kind = WEIR_STORE; kind >= 0; kind--)
			scan_folder(reg, folders[i], (enum weir_kind)kind);
	if (reg && reg->n)
		qsort(reg->file, reg->n, sizeof(*reg->file), by_kind_and_name);
	return reg;
}

char *
plugin_builtin_folder(void)
{
	char self[4096];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (length <= 0)
		return NULL;
	self[length] = '\0';
	char *slash = strrchr(self, '/');

	if (!slash)
		return NULL;
	*slash = '\0';
	char *beside = fs_join(self, "plugins");

	if (beside && !access(beside, F_OK))
		return beside;
	free(beside);
	slash = strrchr(self, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	return fs_join(self, "lib/weir");
}

struct registry *
registry_standard(const struct weir_list *more)
{
	const char *folders[64];
	size_t n = 0;
	const char *environment = secure_getenv("WEIR_PLUGIN_PATH");
	char *paths = environment ? strdup(environment) : NULL, *builtin = plugin_builtin_folder(),
		 *save = NULL;

	for (char *p = paths; paths && n < 30 && (p = strtok_r(p, ":", &save)); p = NULL)
		folders[n++] = p;
	for (size_t i = 0; more && i < more->n && n < 60; i++)
		folders[n++] = more->item[i];
	if (builtin)
		folders[n++] = builtin;
	struct registry *reg = registry_new(folders, n);
	char *list = reg && builtin ? fs_join(builtin, "../skipped.txt") : NULL;

	if (list && access(list, R_OK)) {
		free(list);
		list = fs_join(builtin, "skipped.txt");
	}
	if (list)
		(void)fs_read(list, 1 << 16, &reg->skipped, NULL, NULL);
	free(list);
	free(paths);
	free(builtin);
	return reg;
}

void
registry_free(struct registry *reg)
{
	if (!reg)
		return;
	for (size_t i = 0; i < reg->n; i++) {
		free(reg->file[i].name);
		free(reg->file[i].path);
		free((void *)(uintptr_t)reg->file[i].plugin);
	}
	free(reg->file);
	free(reg->unreadable);
	free(reg->skipped);
	text_free(&reg->known);
	free(reg);
}

static int
check_option(const struct weir_plugin *p, const struct weir_option *o, struct weir_err *err)
{
	/* Options that the core has for all plugins of a kind. */
	static const char *const common[][8] = {
		[WEIR_SAMPLER] = { "plugin", "interval", "offset", "timeout", "root", "isolate" },
		[WEIR_PARSER] = { "plugin", "from", "timezone", "cluster" },
		[WEIR_STORE] = { "plugin", "flush", "sync", "queue" },
	};

	if (!o->name || !name_valid(o->name))
		return weir_failx(err, -EINVAL, "plugin '%s': option '%s' is no name", p->name,
			o->name ? o->name : "(none)");
	for (const char *const *word = common[p->kind]; *word; word++)
		if (!strcmp(*word, o->name))
			return weir_failx(
				err, -EINVAL, "plugin '%s': option '%s' is the core's own", p->name, o->name);
	if (!o->help || !*o->help)
		return weir_failx(err, -EINVAL, "plugin '%s': option '%s' has no help", p->name, o->name);
	if (o->type > WEIR_OPTION_SECRET ||
		(o->type == WEIR_OPTION_CHOICE && (!o->choices || !o->choices[0])))
		return weir_failx(err, -EINVAL, "plugin '%s': option '%s' has no type that this weir knows",
			p->name, o->name);
	if (o->offset >= p->state_size)
		return weir_failx(
			err, -EINVAL, "plugin '%s': option '%s' lies outside the state", p->name, o->name);
	for (const struct weir_option *other = p->options; other != o; other++)
		if (!strcmp(other->name, o->name))
			return weir_failx(
				err, -EINVAL, "plugin '%s': option '%s' stands twice", p->name, o->name);
	return 0;
}

static int
check_functions(const struct weir_plugin *p, struct weir_err *err)
{
	const char *lacks = NULL;

	if (p->kind == WEIR_SAMPLER && !p->sampler.sample && !p->sampler.event)
		lacks = "sample";
	if (p->kind == WEIR_PARSER && !p->parser.parse)
		lacks = "parse";
	if (p->kind == WEIR_PARSER && !p->parser.inputs)
		lacks = "inputs";
	if (p->kind == WEIR_STORE && (!p->store.claim || !p->store.find))
		lacks = "claim and find";
	if (p->kind == WEIR_STORE && (!p->store.write || !p->store.commit))
		lacks = "write and commit";
	return lacks ? weir_failx(err, -EINVAL, "%s '%s' lacks '%s'", plugin_kind_name(p->kind),
					   p->name, lacks)
				 : 0;
}

int
plugin_check(const struct weir_plugin *p, struct weir_err *err)
{
	if (p->kind < WEIR_SAMPLER || p->kind > WEIR_STORE)
		return weir_failx(err, -EINVAL, "'%s' is of no kind that this weir knows (%d)",
			p->name ? p->name : "?", (int)p->kind);
	if (!p->name || !name_valid(p->name) || !strncmp(p->name, "weir", 4))
		return weir_failx(
			err, -EINVAL, "'%s' is no name for a plugin", p->name ? p->name : "(none)");
	if (!p->summary || !*p->summary)
		return weir_failx(err, -EINVAL, "plugin '%s' has no summary", p->name);
	int rc = check_functions(p, err);

	for (const struct weir_option *o = p->options; !rc && o && o->type != WEIR_OPTION_END; o++)
		rc = check_option(p, o, err);
	for (const struct weir_schema *const *s = p->schemas; !rc && s && *s; s++)
		if ((rc = schema_check(*s, err)) && err) {
			struct weir_err inner = *err;

			weir_failx(err, rc, "plugin '%s': %s", p->name, inner.text);
		}
	return rc;
}

/* The plugin as this program's struct: a shorter one of an older release gets a tail of zeros. */
static int
load_file(struct plugin_file *file, struct weir_err *err)
{
	int rc = plugin_file_check(file->path, err);

	if (rc)
		return rc;
	void *handle = dlopen(file->path, RTLD_NOW | RTLD_LOCAL);

	if (!handle) {
		const char *why = dlerror();
		size_t length = strlen(file->path);

		if (why && !strncmp(why, file->path, length) && why[length] == ':')
			why += length + 2;
		return weir_failx(
			err, -ENOEXEC, "cannot load '%s': %s", file->path, why ? why : "unknown reason");
	}
	const struct weir_plugin *constant = dlsym(handle, "weir_plugin");
	uint32_t abi[2] = { constant ? constant->abi : 0, constant ? constant->size : 0 };

	if (!constant || abi[0] != WEIR_ABI || abi[1] > sizeof(struct weir_plugin) ||
		abi[1] < offsetof(struct weir_plugin, room)) {
		dlclose(handle);
		return weir_failx(err, -ENOEXEC, "'%s' exports no 'weir_plugin' of ABI %u: build it again",
			file->path, WEIR_ABI);
	}
	struct weir_plugin *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return weir_fail(err, -ENOMEM, "cannot load '%s'", file->path);
	memcpy(copy, constant, constant->size);
	rc = plugin_check(copy, err);
	if (!rc && strcmp(copy->name, file->name))
		rc = weir_failx(err, -EINVAL, "'%s' calls itself '%s': name the file like the plugin",
			file->path, copy->name);
	if (!rc && file->kind && copy->kind != file->kind)
		rc = weir_failx(err, -EINVAL, "'%s' is a %s: it belongs into '%s/'", file->path,
			plugin_kind_name(copy->kind), kind_folders[copy->kind]);
	if (rc) {
		struct weir_err inner = err ? *err : (struct weir_err){ 0 };

		if (!strstr(inner.text, file->path))
			weir_failx(err, rc, "cannot use '%s': %s", file->path, inner.text);
		free(copy); /* stays mapped: some libraries do not survive dlclose */
		return rc;
	}
	file->kind = copy->kind;
	file->plugin = copy;
	return 0;
}

const char *
registry_skipped(const struct registry *reg)
{
	return reg->skipped ? reg->skipped : "";
}

static const struct weir_plugin *
load_once(struct plugin_file *file, struct weir_err *err)
{
	if (!file->tried) {
		file->tried = true;
		(void)load_file(file, &file->fault);
	}
	if (!file->plugin && err)
		*err = file->fault;
	return file->plugin;
}

/* "did you mean", or why the build left it out. */
static void
explain_absence(struct registry *reg, enum weir_kind kind, const char *name, struct weir_err *err)
{
	const char *words[512];
	size_t n = 0;

	for (const char *line = reg->skipped; line && *line;
		 line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *slash = strchr(line, '/'), *tab = slash ? strchr(slash, '\t') : NULL;

		if (tab && (size_t)(slash - line) == strlen(kind_folders[kind]) &&
			!memcmp(line, kind_folders[kind], (size_t)(slash - line)) &&
			(size_t)(tab - slash - 1) == strlen(name) && !memcmp(slash + 1, name, strlen(name))) {
			weir_failx(err, -ENOENT, "%s '%s' was left out of this build: it needs %.*s",
				plugin_kind_name(kind), name, (int)strcspn(tab + 1, "\n"), tab + 1);
			return;
		}
	}
	for (size_t i = 0; i < reg->n && n < 512; i++)
		if (reg->file[i].kind == kind)
			words[n++] = reg->file[i].name;
	const char *near = text_nearest(name, words, n);
	enum weir_kind other = 0;

	for (size_t i = 0; i < reg->n; i++)
		if (!strcmp(reg->file[i].name, name))
			other = reg->file[i].kind;
	if (reg->unreadable) {
		weir_failx(err, -ENOENT, "no such %s: '%s'; the plugin folder '%s' may not be read",
			plugin_kind_name(kind), name, reg->unreadable);
		return;
	}
	if (near)
		weir_failx(err, -ENOENT, "no such %s: '%s' (did you mean '%s'?)", plugin_kind_name(kind),
			name, near);
	else if (other)
		weir_failx(err, -ENOENT, "no such %s: '%s' is a %s", plugin_kind_name(kind), name,
			plugin_kind_name(other));
	else
		weir_failx(err, -ENOENT, "no such %s: '%s' ('weir plugin list' shows what there is)",
			plugin_kind_name(kind), name);
}

const struct weir_plugin *
registry_find(struct registry *reg, enum weir_kind kind, const char *name, struct weir_err *err)
{
	/* A file outside the KIND/ folders has no kind before it is loaded. */
	for (size_t i = 0; i < reg->n; i++)
		if (!reg->file[i].kind && !strcmp(reg->file[i].name, name))
			(void)load_once(&reg->file[i], NULL);
	for (size_t i = 0; i < reg->n; i++)
		if (!strcmp(reg->file[i].name, name) && (reg->file[i].kind == kind || !reg->file[i].kind))
			return load_once(&reg->file[i], err);
	explain_absence(reg, kind, name, err);
	return NULL;
}

const struct weir_plugin *
registry_load(struct registry *reg, const char *path, struct weir_err *err)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	size_t length = strlen(base);

	/* dlopen looks a bare name up in the library path. */
	char *whole = strchr(path, '/') ? strdup(path) : fs_join(".", path);

	length = length > 3 && !strcmp(base + length - 3, ".so") ? length - 3 : length;
	struct plugin_file *file = add_file(reg, 0, base, length, whole);

	if (!file) {
		weir_fail(err, -ENOMEM, "cannot load '%s'", path);
		return NULL;
	}
	return load_once(file, err);
}

const struct plugin_file *
registry_all(struct registry *reg, size_t *n)
{
	for (size_t i = 0; i < reg->n; i++)
		(void)load_once(&reg->file[i], NULL);
	if (reg->n)
		qsort(reg->file, reg->n, sizeof(*reg->file), by_kind_and_name);
	*n = reg->n;
	return reg->file;
}

const char *
registry_path(const struct registry *reg, const struct weir_plugin *plugin)
{
	for (size_t i = 0; i < reg->n; i++)
		if (reg->file[i].plugin == plugin)
			return reg->file[i].path;
	return "";
}
