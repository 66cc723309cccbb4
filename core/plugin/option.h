/* SPDX-License-Identifier: Apache-2.0 */
/* Text into typed fields by an option table, and back. */
#ifndef WEIR_PLUGIN_OPTION_H
#define WEIR_PLUGIN_OPTION_H

#include <weir/option.h>

#include "base/text.h"

/* The option of a table, NULL when there is none. */
const struct weir_option *option_named(const struct weir_option *table, const char *name);
/* The nearest name of a table, NULL. */
const char *option_near(const struct weir_option *table, const char *name);

/* One value from text (a list: one item; a map: refused). The sentence names the value, and the
 * legal range or words. */
int option_set(
	const struct weir_option *, void *state, const char *text, struct arena *, struct weir_err *);
int option_set_list(const struct weir_option *, void *state, const char *const *items, size_t n,
	struct arena *, struct weir_err *);
int option_set_map(const struct weir_option *, void *state, const struct weir_pair *pairs, size_t n,
	struct arena *, struct weir_err *);
/* As on a command line, where a list is one argument with commas. */
int option_set_argument(
	const struct weir_option *, void *state, const char *text, struct arena *, struct weir_err *);
/* Every option's fallback. */
int option_defaults(
	const struct weir_option *table, void *state, struct arena *, struct weir_err *);

/* "duration, 10ms to 1d" for people; "duration" for programs. */
const char *option_type_name(enum weir_option_type);
void option_range(const struct weir_option *,
	struct text *out); /* "10ms to 1d", "one of: a, b"; nothing when unbounded */

#endif
