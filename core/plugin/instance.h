/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instance of a plugin: its state, its options, and what the contract's functions need to serve
 * it. Everything it acquired through the core goes when it is closed.
 */
#ifndef WEIR_PLUGIN_INSTANCE_H
#define WEIR_PLUGIN_INSTANCE_H

#include <weir/plugin.h>

#include "base/log.h"
#include "base/text.h"
#include "data/builder.h"
#include "data/keeper.h"

struct weir_file;
struct weir_keys;

/* A row of `capability`. */
struct capability {
	struct capability *next;
	char *item, *reason;
	enum weir_status status;
	bool changed; /* not sent since it changed */
};

/* Who runs the instance serves its descriptors; NULL functions: not to be had here (weir_watch
 * fails). */
struct instance_host {
	int (*watch)(void *closure, int fd, struct weir_err *);
	void (*unwatch)(void *closure, int fd);
	void (*accept)(void *closure, size_t used);
	void (*reject)(
		void *closure, const char *data, size_t size, uint64_t offset, const char *reason);
	void *closure;
};

struct weir_out {
	struct weir_ctx *ctx;
	struct builder **builders; /* [n], made on first use */
	size_t n;
	int64_t time; /* of rows that say nothing else */
	size_t *mark; /* [n] rows before this call, to take a failed one back */
};

struct weir_ctx {
	const struct weir_plugin *plugin;
	void *state;
	struct origin origin;     /* source is the instance's name */
	const char *root;         /* "" for none, no slash at the end */
	const char *state_folder; /* of the agent; NULL: none */
	char *own_folder;         /* state_folder/instances/NAME, once asked for */
	struct log *log;
	struct keeper *keeper;
	int64_t now;             /* wall clock in microseconds: the tick's time */
	struct weir_file *files; /* list, by weir_file.next */
	struct weir_keys *keys;  /* list, by weir_keys.next */
	struct text buffer;      /* what weir_read hands out */
	struct capability *capabilities;
	const struct weir_schema **schemas; /* the plugin's and those added in open; ends with NULL */
	uint64_t *fingerprints;
	size_t n_schemas;
	struct weir_out out;
	struct builder *nowhere; /* rows of schemas that there are not */
	struct instance_host host;
	struct arena arena; /* option texts, added schemas */
	bool opened, opening;
};

/*
 * Make an instance: state allocated and zeroed; the caller fills the options and then opens. Texts
 * of origin and schemas are kept by the keeper, for batches outlive the instance; root is copied.
 */
struct weir_ctx *instance_new(const struct weir_plugin *, const struct origin *, const char *root,
	struct keeper *, struct log *);
/* The plugin's open. Options must be filled. */
int instance_open(struct weir_ctx *, struct weir_err *);
/* close, then everything the core keeps for it; NULL is fine. */
void instance_free(struct weir_ctx *);

/* Freed with the instance; implemented in file.c and keys.c. */
void file_free_all(struct weir_ctx *);
void keys_free_all(struct weir_ctx *);

/* Begin a call that makes rows: remembers where the builders stand. */
void instance_begin(struct weir_ctx *, int64_t time);
/* After the call: rows of a failed call are taken back. Returns the call's result, or the trouble
 * of a setter. */
int instance_end(struct weir_ctx *, int result, struct weir_err *);

#endif
