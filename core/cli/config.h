/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of `weir config`. */
#ifndef WEIR_CLI_CONFIG_H
#define WEIR_CLI_CONFIG_H

#include "flow/settings.h"

/* The whole set as YAML, defaults included, each value followed by where it comes from; the host
 * from the command line when `host_given`. */
int config_show(struct settings *, bool host_given, struct text *out);
/* A commented file to start from: "agent", "aggregator", "laptop"; -EINVAL for other words. */
int config_starter(const char *kind, struct registry *, struct text *out);
/* The systemd drop-in that lets the enabled plugins do their work and no more. */
void config_drop_in(const struct settings *, struct text *out);

#endif
