/* SPDX-License-Identifier: Apache-2.0 */
/* The `routes` section: which rows go where. */
#ifndef WEIR_FLOW_ROUTES_H
#define WEIR_FLOW_ROUTES_H

#include "flow/settings.h"

/* Read and judge the section after the instances are known. */
void routes_judge(struct settings *, struct report *);
/* Does a list of patterns ("a*", "!b"), ended by NULL, select a schema? An empty list selects all.
 */
bool routes_schema_selected(const char *const *patterns, const char *schema);
/* A scalar or a sequence of scalars as texts, NULL-terminated; NULL after a report. */
const char *const *settings_texts(
	struct settings *, struct report *, struct text *where, const struct node *, size_t *n);

#endif
