/* SPDX-License-Identifier: Apache-2.0 */
/* New plugins: a folder that builds outside this tree, with a test that passes. */
#ifndef WEIR_PLUGIN_SCAFFOLD_H
#define WEIR_PLUGIN_SCAFFOLD_H

#include <weir/plugin.h>

#include "base/text.h"

/* In path and text @NAME@ and @KIND@ stand for those of the plugin. */
struct scaffold_file {
	const char *path, *text;
};

/* Each ends with a NULL path. */
extern const struct scaffold_file scaffold_common[], scaffold_sampler[], scaffold_parser[],
	scaffold_store[];

/*
 * Writes the files into `folder`, which is made when it is missing; `made` gets their paths, a line
 * each. Nothing is written when one of them is there already (-EEXIST).
 */
int scaffold_write(
	enum weir_kind, const char *name, const char *folder, struct text *made, struct weir_err *);

#endif
