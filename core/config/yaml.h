/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading configuration: the strict subset of YAML, the files of conf.d laid over the main file,
 * substitution. Knows nothing of which keys exist.
 */
#ifndef WEIR_CONFIG_YAML_H
#define WEIR_CONFIG_YAML_H

#include <stddef.h>

#include <weir/error.h>

#include "base/text.h"
#include "config/node.h"
#include "config/report.h"

/*
 * `path` is a file, or a folder that holds weir.yaml. The drop-ins (*.yaml in conf.d beside that
 * file) are merged over it in name order; those whose `match` does not hold for `host` (NULL: this
 * machine) are left out. Faults in the files go to the report; on return 0 *root is a mapping that
 * holds what could be read. Otherwise -ENOENT (the named file does not exist) or another negative
 * errno (it cannot be read).
 */
int config_load(const char *path, const char *host, struct arena *, struct report *,
	struct node **root, struct weir_err *);

/* One text: no substitution, no match, no merging. *root is a mapping. -ENOMEM is the only error
 * returned. */
int yaml_parse_memory(const char *name, const char *text, size_t size, struct arena *,
	struct report *, struct node **root);

/* Version of libyaml. */
const char *yaml_library(void);

#endif
