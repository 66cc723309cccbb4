/* SPDX-License-Identifier: Apache-2.0 */
/* What plugins need of the system, in words. */
#include "plugin/needs.h"

#include <string.h>

/* By their numbers in linux/capability.h; a plugin may need one that the build machine's header
 * lacks. */
static const char *const names[] = { "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH",
	"CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
	"CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT",
	"CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD",
	"CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ",
	"CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE" };

const char *
capability_name(unsigned number)
{
	return number < WEIR_COUNT(names) ? names[number] : NULL;
}

static void
add_word(struct text *out, size_t start, const char *word)
{
	text_printf(out, "%s%s", out->size > start ? ", " : "", word);
}

static void
add_paths(struct text *out, size_t start, const char *const *paths)
{
	for (; paths && *paths; paths++)
		add_word(out, start, *paths);
}

void
needs_words(const struct weir_plugin *p, struct text *out)
{
	size_t start = out->size;

	for (unsigned i = 0; i < CAPABILITY_END; i++)
		if (p->needs & WEIR_NEEDS_CAPABILITY(i) && capability_name(i))
			add_word(out, start, capability_name(i));
	if (p->needs & WEIR_NEEDS_NETLINK)
		add_word(out, start, "AF_NETLINK");
	if (p->needs & WEIR_NEEDS_INET)
		add_word(out, start, "AF_INET and AF_INET6");
	if (p->needs & WEIR_NEEDS_DEVICES)
		add_paths(out, start, p->devices);
	add_paths(out, start, p->paths);
}

static void
json_paths(struct text *out, const char *name, const char *const *paths)
{
	text_printf(out, ",\"%s\":[", name);
	for (const char *const *path = paths; path && *path; path++) {
		text_add(out, path == paths ? "" : ",");
		text_json(out, *path, strlen(*path));
	}
	text_add(out, "]");
}

void
needs_json(const struct weir_plugin *p, struct text *out)
{
	const char *comma = "";

	text_add(out, "\"capabilities\":[");
	for (unsigned i = 0; i < CAPABILITY_END; i++)
		if (p->needs & WEIR_NEEDS_CAPABILITY(i) && capability_name(i)) {
			text_printf(out, "%s\"%s\"", comma, capability_name(i));
			comma = ",";
		}
	text_printf(out, "],\"address_families\":[%s%s%s]",
		p->needs & WEIR_NEEDS_NETLINK ? "\"AF_NETLINK\"" : "",
		p->needs & WEIR_NEEDS_NETLINK && p->needs & WEIR_NEEDS_INET ? "," : "",
		p->needs & WEIR_NEEDS_INET ? "\"AF_INET\",\"AF_INET6\"" : "");
	json_paths(out, "devices", p->needs & WEIR_NEEDS_DEVICES ? p->devices : NULL);
	json_paths(out, "paths", p->paths);
}
