/* SPDX-License-Identifier: Apache-2.0 */
/* What plugins need of the system, in the words of systemd and of people. */
#ifndef WEIR_PLUGIN_NEEDS_H
#define WEIR_PLUGIN_NEEDS_H

#include <weir/plugin.h>

#include "base/text.h"

/* Linux's capabilities have numbers below this. */
#define CAPABILITY_END 48

/* "CAP_PERFMON"; NULL for a number that Linux has not given. */
const char *capability_name(unsigned number);
/* "CAP_PERFMON, AF_NETLINK, /dev/nvidia0"; nothing for a plugin that needs nothing. */
void needs_words(const struct weir_plugin *, struct text *out);
/* The same as members of a JSON object. */
void needs_json(const struct weir_plugin *, struct text *out);

#endif
