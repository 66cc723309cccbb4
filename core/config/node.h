/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree that configuration files give: scalars (text, whatever they look like), sequences,
 * mappings. Every node and key knows where it was written. Aliases are copies, so no node is
 * shared. All memory is the arena's.
 */
#ifndef WEIR_CONFIG_NODE_H
#define WEIR_CONFIG_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/report.h"
#include "config/source.h"

enum node_kind { NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING };

/* Of a mapping: a key and its value. Of a sequence: an item; name NULL, place and width the
 * value's. */
struct member {
	const char *name;
	struct place place; /* of the key */
	unsigned width;     /* characters of the key as written */
	bool seen;          /* for the layer above: somebody asked for this key */
	struct node *value; /* never NULL */
};

struct named {
	const char *name;
	size_t index;
};

struct node {
	enum node_kind kind;
	bool plain;       /* scalar: unquoted and without substitution */
	bool secret;      /* scalar: came from ${file:} or ${cred:}; never show it */
	bool substituted; /* scalar: ${...} has been replaced and $${ unescaped */
	bool broken;      /* an error about this very node was reported: say nothing more about it */
	bool partial;     /* container: part of it could not be read: call nothing in it missing */
	/* Scalar: first character or quote. Flow: bracket. Block: first key or '-'. Alias: the '*'. */
	struct place place;
	unsigned width;
	const char *value;    /* scalar: text after substitution; NULL for containers */
	const char *spelling; /* scalar: text before substitution */
	struct member *members;
	size_t n, room, n_sorted;
	struct named *sorted; /* mapping: its members by name, as of the last node_sort */
};

/* NULL: no such key, or no mapping. */
struct node *node_get(const struct node *mapping, const char *name);
struct member *node_member(const struct node *mapping, const char *name);
/* Nothing was written: an unquoted empty text, '~' or 'null'. A key without a value reads so. */
bool node_null(const struct node *);

/*
 * True when `node` is of this kind. Otherwise reports "expected ..., found ..." at the node (unless
 * broken), with the hint that fits, such as a missing blank after a colon. A null where a mapping
 * or a sequence is asked for is false without a word when `null_ok`.
 */
bool node_expect(
	const struct node *, enum node_kind, bool null_ok, const char *where, struct report *);

/*
 * Hints "write 'interval: 10s', with a blank after the colon" for "interval:10s", "interval=10s"
 * and "interval 10s". False, and no hint, for any other text.
 */
bool hint_pair(struct report *, const char *text, size_t size);

/* As YAML that reads back to the same tree. Secrets as '***'; with `origin` each scalar is followed
 * by "# FILE:LINE". */
void node_show(const struct node *, struct text *out, bool origin);

/* Building, for the reader and for merging. NULL out of memory. */
struct node *node_new(struct arena *, enum node_kind, struct place, unsigned width);
struct node *node_scalar(
	struct arena *, const char *text, size_t size, struct place, unsigned width);
/* node_get finds what was there at the last node_sort. */
int node_append(struct arena *, struct node *container, const struct member *);
int node_sort(struct arena *, struct node *mapping);

/* The path of keys for reports, "routes[0].to", in a growing text. Push returns what pop needs. */
size_t path_push(struct text *path, const char *name);
size_t path_push_index(struct text *path, size_t index);
void path_pop(struct text *path, size_t size);
const char *path_text(const struct text *path);

#endif
