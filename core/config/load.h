/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of config_load that stand on their own. */
#ifndef WEIR_CONFIG_LOAD_H
#define WEIR_CONFIG_LOAD_H

#include <stdbool.h>

#include "config/node.h"

/*
 * Lays `over` (a drop-in) over `base`: mappings are merged by key, anything else is replaced, a
 * null leaves a mapping as it is. A mapping against something else is an error at the drop-in's
 * node. Moves nodes of `over` into `base`. -ENOMEM.
 */
int config_merge(struct node *base, const struct node *over, struct arena *, struct report *);

/*
 * Takes `match` out of a drop-in and tells whether all its conditions hold for `host`; true without
 * one. Faults are reported, and count as not holding. 1, 0 or -ENOMEM.
 */
int config_match(struct node *root, const char *host, struct arena *, struct report *);
/* In the main file `match` is an error. -ENOMEM or 0. */
int config_refuse_match(struct node *root, struct arena *, struct report *);

#endif
