/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of `capability` out of what an instance filed. */
#ifndef WEIR_PLUGIN_CAPABILITY_H
#define WEIR_PLUGIN_CAPABILITY_H

#include "plugin/instance.h"

const char *capability_status_name(enum weir_status);
/* Anything not sent since it changed? */
bool capability_changed(const struct weir_ctx *);
/*
 * Rows at `time` into a builder of self_capability: what changed, or everything when `all`.
 * Withdrawn troubles are sent once as ok, then forgotten.
 */
void capability_rows(struct weir_ctx *, struct builder *, int64_t time, bool all);
/*
 * The same at the instance's time, everything once an hour: *due is when (0 at first). The builder
 * is made when there is something to say. Returns how many rows were added.
 */
size_t capability_collect(struct weir_ctx *, struct builder **, int64_t *due);

#endif
