/* SPDX-License-Identifier: Apache-2.0 */
/* The `routes` section: which rows go where. */
#ifndef WEIR_FLOW_ROUTES_H
#define WEIR_FLOW_ROUTES_H

#include "flow/settings.h"

/* Read and judge the section after the instances are known. */
void routes_judge(struct settings *, struct report *);
/* A scalar or a sequence of scalars as texts, NULL-terminated; NULL after a report. */
const char *const *settings_texts(struct settings *, struct report *, struct text *where, const struct node *, size_t *n);

#endif
