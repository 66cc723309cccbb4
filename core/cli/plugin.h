/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of `weir plugin`. */
#ifndef WEIR_CLI_PLUGIN_H
#define WEIR_CLI_PLUGIN_H

#include "plugin/load.h"

/*
 * The plugin that the arguments [KIND] NAME|FILE.so name. An exit code, and what is wrong is said
 * on standard error.
 */
int plugin_of_arguments(
	struct registry *, int argc, char **argv, const struct weir_plugin **plugin);

/* 0 for a word that is no kind. */
enum weir_kind plugin_kind_named(const char *word);

int plugin_test(int argc, char **argv);
int plugin_new(int argc, char **argv);

#endif
