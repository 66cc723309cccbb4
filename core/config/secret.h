/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets from files that only their owner may read, and from systemd credentials. */
#ifndef WEIR_CONFIG_SECRET_H
#define WEIR_CONFIG_SECRET_H

#include <weir/error.h>

#include "base/text.h"

/* The content without its trailing line ends. At most 64 KiB, a regular file, no NUL inside. */
int secret_read_file(const char *path, struct arena *, const char **secret, struct weir_err *);
/* File `name` in $CREDENTIALS_DIRECTORY; whoever made that folder answers for its modes. */
int secret_read_credential(
	const char *name, struct arena *, const char **secret, struct weir_err *);

#endif
