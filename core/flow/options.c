/* SPDX-License-Identifier: Apache-2.0 */
/* Options that the core has for every sampler, every store and the program itself. */
#include "flow/settings.h"

static const char *const host_names[] = { "short", "full", NULL };
static const char *const levels[] = { "error", "warning", "info", "debug", NULL };

#define S struct sampler_common
const struct weir_option sampler_options[] = {
	WEIR_DURATION_OPTION(S, interval, "10s", 10 * WEIR_MS, 7 * WEIR_DAY,
		"time between ticks; slots are multiples of it on the wall clock, the same on every host"),
	WEIR_DURATION_OPTION(
		S, offset, "0s", 0, 7 * WEIR_DAY, "shift of the slots; less than the interval"),
	WEIR_DURATION_OPTION(S, timeout, "10s", 100 * WEIR_MS, WEIR_HOUR,
		"a blocking or isolated sampler over this is stuck: skipped, an isolated one restarted"),
	WEIR_TEXT_OPTION(S, root, "", "prefix of all paths read: a saved tree, a container's root"),
	WEIR_BOOL_OPTION(
		S, isolate, "no", "run in a process of its own, so that a crash costs this sampler only"),
	WEIR_OPTIONS_END,
};
#undef S

#define S struct store_common
const struct weir_option store_options[] = {
	WEIR_DURATION_OPTION(S, flush, "1s", 0, WEIR_HOUR,
		"rows wait in memory no longer than this: what kill -9 may cost"),
	WEIR_TEXT_OPTION(S, sync, "30s",
		"how often data is forced to disk: always, a duration, or never; what power loss may cost"),
	WEIR_SIZE_OPTION(S, queue, "16MiB", 64 << 10, INT64_MAX,
		"memory for rows that wait while the store cannot write; over it the oldest are dropped "
		"and counted"),
	WEIR_OPTIONS_END,
};
#undef S

#define S struct program_common
const struct weir_option program_options[] = {
	WEIR_TEXT_OPTION(S, cluster, "default", "name of the cluster; in every row"),
	WEIR_TEXT_OPTION(S, host, NULL, "name of this host in every row; default: the machine's own"),
	WEIR_CHOICE_OPTION(
		S, host_name, "short", host_names, "the machine's name up to the first dot, or whole"),
	WEIR_TEXT_OPTION(S, state, "/var/lib/weir",
		"folder for the control socket, rejects and what must outlive a restart"),
	WEIR_TEXT_OPTION(S, control, NULL,
		"Unix socket for status, reload and tap; default: control.sock in the state folder"),
	WEIR_TEXT_OPTION(S, http, "off", "HOST:PORT for /metrics and /healthz, or off"),
	WEIR_LIST_OPTION(S, plugins, NULL, "folders searched for plugins before the built-in ones"),
	WEIR_TEXT_OPTION(S, expect, NULL, "host list of the hosts that should report"),
	WEIR_DURATION_OPTION(S, stop_timeout, "10s", WEIR_SECOND, WEIR_HOUR,
		"how long a stop may take to store what is queued; the rest is dropped and counted"),
	WEIR_OPTIONS_END,
};
#undef S

#define S struct log_common
const struct weir_option log_options[] = {
	WEIR_CHOICE_OPTION(S, level, "info", levels, "what is written: this and what is graver"),
	WEIR_TEXT_OPTION(
		S, target, "stderr", "stderr, journal (priority prefixes for systemd), or a file's path"),
	WEIR_OPTIONS_END,
};
#undef S

const struct weir_option *
settings_common(enum weir_kind kind)
{
	return kind == WEIR_SAMPLER ? sampler_options : kind == WEIR_STORE ? store_options : NULL;
}

const char *
settings_default_interval(const struct weir_plugin *p)
{
	return p->flags & WEIR_EVENTS ? "1h"
		   : p->flags & WEIR_SLOW ? "60s"
		   : p->flags & WEIR_RARE ? "30s"
								  : "10s";
}
