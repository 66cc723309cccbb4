/* SPDX-License-Identifier: Apache-2.0 */
/* Placeholder while the two actions are written. */
#include "cli/plugin.h"
#include "cli/cli.h"
int plugin_test(int argc, char **argv) { (void)argc; (void)argv; return EXIT_BUG; }
int plugin_new(int argc, char **argv) { (void)argc; (void)argv; return EXIT_BUG; }
