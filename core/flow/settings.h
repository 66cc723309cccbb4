/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration with its meaning: the tree of config/ judged by the option tables, plugins found,
 * routes resolved. `weir config check`, start and reload all come through settings_load, so they
 * agree.
 */
#ifndef WEIR_FLOW_SETTINGS_H
#define WEIR_FLOW_SETTINGS_H

#include "config/node.h"
#include "config/report.h"
#include "plugin/instance.h"
#include "plugin/load.h"

/* What the core knows of every sampler, store, and of the program: filled by the tables of
 * options.c. */
struct sampler_common {
	int64_t interval, offset, timeout;
	const char *root;
	bool isolate;
};

struct store_common {
	int64_t flush;
	const char *sync;
	int64_t sync_ns; /* 0 always, -1 never */
	uint64_t queue;
};

struct program_common {
	const char *cluster, *host, *state, *control, *http;
	int host_name; /* 0 short, 1 full */
	struct weir_list plugins;
	const char *expect;
	int64_t stop_timeout;
};

struct log_common {
	int level;
	const char *target;
};

enum { STORES_MOST = 256 };

extern const struct weir_option sampler_options[], store_options[], program_options[],
	log_options[];

/* One option as the user gave it. */
struct assignment {
	const struct weir_option *option;
	const char *const *items; /* one for scalars */
	size_t n;
	const struct weir_pair *pairs; /* of a map, n of them */
};

struct instance_setting {
	enum weir_kind kind;
	const char *name;
	const struct weir_plugin *plugin; /* NULL when it was not found */
	const struct assignment *assignments;
	size_t n_assignments;
	union {
		struct sampler_common sampler;
		struct store_common store;
	};
	const char *signature; /* equal for instances that need no restart */
	struct place place;
	unsigned width;
};

struct route_columns {
	const char *schema;
	const char *const *columns;
	size_t n;
};

/* Lists end with NULL; a NULL list stands for all. */
struct route_setting {
	const char *const *from, *const *to, *const *schemas, *const *clusters;
	const char *hosts;
	const struct route_columns *columns;
	size_t n_columns;
};

struct settings {
	struct program_common program;
	struct log_common log;
	const char *host;    /* resolved; NULL while this machine has none yet */
	const char *path;    /* of the main file or folder, as given */
	const char *control; /* with its default */
	struct instance_setting *instances;
	size_t n_instances;
	struct route_setting *routes;
	size_t n_routes;
	const char *signature;      /* of what only a restart changes */
	const char *flow_signature; /* of the routes */
	struct arena arena;
	struct node *root;
	unsigned references;
};

/*
 * Load and judge. Faults go to `report`; *out is made even when there are some (never start it
 * then). `host` NULL: this machine. -ENOENT: no such file. The registry is made on first need, with
 * the plugins folders of the file, and given back through *registry (kept over reloads).
 */
int settings_load(const char *path, const char *host, struct registry **registry, struct report *,
	struct settings **out, struct weir_err *);
struct settings *settings_keep(struct settings *);
void settings_release(struct settings *);

/* Fill an instance's state: defaults, then what the user gave. Cannot fail after settings_load
 * accepted it, save for memory. */
int settings_apply(const struct instance_setting *, struct weir_ctx *, struct weir_err *);
/* Default interval of a sampler plugin, spelled for people. */
const char *settings_default_interval(const struct weir_plugin *);
/* The default of a store's flush or of another common option for this plugin. */
const struct weir_option *settings_common(enum weir_kind);
/* This machine's name by the rule; false while it has none (localhost, empty, (none)). */
bool settings_host_name(bool full, char *out, size_t room);
/* May rows of this schema, cluster and host of `source` go to `sink`? columns (may be NULL): the
 * selection that applies. */
bool settings_routed(const struct settings *, const char *source, const char *sink,
	const char *schema, const char *cluster, const char *host,
	const struct route_columns **columns);
/* All plugins that take part, for the generated drop-in. */
uint64_t settings_needs(const struct settings *);

#endif
