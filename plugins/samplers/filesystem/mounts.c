/* SPDX-License-Identifier: Apache-2.0 */
/* See mounts.h. */
#include "mounts.h"

#include <errno.h>
#include <stdlib.h>

static bool
same(const struct weir_scan *a, const struct weir_scan *b)
{
	return weir_scan_left(a) == weir_scan_left(b) && !memcmp(a->at, b->at, weir_scan_left(a));
}

static bool
is_one_of(const struct weir_scan *word, const char *const *list)
{
	for (; *list; list++)
		if (weir_scan_is(word, *list))
			return true;
	return false;
}

/*
 * The kernel writes blank, tab, newline, '#' and backslash as a backslash and three octal digits.
 * In place.
 */
static void
decode(struct weir_scan *word)
{
	char *to = (char *)word->at;

	for (const char *from = word->at; from < word->end; from++) {
		if (*from == '\\' && word->end - from > 3 && from[1] >= '0' && from[1] <= '3' &&
			(unsigned)(from[2] - '0') < 8 && (unsigned)(from[3] - '0') < 8) {
			*to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 3;
		} else {
			*to++ = *from;
		}
	}
	word->end = to;
}

/* Does a list of options "rw,relatime" hold this one? */
static bool
has_option(struct weir_scan options, const char *option)
{
	for (struct weir_scan part; weir_scan_until(&options, ',', &part);)
		if (weir_scan_is(&part, option))
			return true;
	return weir_scan_is(&options, option);
}

/*
 * "22 1 8:2 / /mnt rw,noatime shared:1 master:2 - ext4 /dev/sda2 rw": the fields between options
 * and " - " vary in number.
 */
static bool
parse_mountinfo(struct weir_scan line, struct mount_line *m)
{
	struct weir_scan word, options;

	if (!weir_scan_word(&line, &word) || !weir_scan_word(&line, &word) ||
		!weir_scan_word(&line, &m->number) || !weir_scan_word(&line, &m->root) ||
		!weir_scan_word(&line, &m->point) || !weir_scan_word(&line, &options))
		return false;
	do {
		if (!weir_scan_word(&line, &word))
			return false;
	} while (!weir_scan_is(&word, "-"));
	if (!weir_scan_word(&line, &m->fstype) || !weir_scan_word(&line, &m->device))
		return false;
	if (!weir_scan_word(&line, &m->super))
		m->super = weir_scan("", 0);
	m->read_only = has_option(options, "ro") || has_option(m->super, "ro");
	return memchr(m->number.at, ':', weir_scan_left(&m->number)) != NULL;
}

/* "/dev/sda2 / ext4 rw,relatime 0 0" */
static bool
parse_mounts(struct weir_scan line, struct mount_line *m)
{
	struct weir_scan options;

	if (!weir_scan_word(&line, &m->device) || !weir_scan_word(&line, &m->point) ||
		!weir_scan_word(&line, &m->fstype) || !weir_scan_word(&line, &options))
		return false;
	m->number = m->super = weir_scan("", 0);
	m->root = weir_scan("/", 1);
	m->read_only = has_option(options, "ro");
	return true;
}

/*
 * Which file systems are worth a row when the user does not say: those with a device or a server,
 * and tmpfs that users fill.
 */
static bool
worth_reporting(const struct mount_line *m)
{
	static const char *const never[] = {
		"proc",
		"sysfs",
		"cgroup",
		"cgroup2",
		"devpts",
		"devtmpfs",
		"mqueue",
		"debugfs",
		"tracefs",
		"securityfs",
		"pstore",
		"bpf",
		"configfs",
		"fusectl",
		"autofs",
		"overlay",
		"squashfs",
		"nsfs",
		"rpc_pipefs",
		"binfmt_misc",
		"hugetlbfs",
		"efivarfs",
		"ramfs",
		"rootfs",
		"selinuxfs",
		NULL,
	};
	static const char *const tmpfs_points[] = { "/tmp", "/dev/shm", "/run", NULL };
	/* Their device is a plain name. */
	static const char *const served[] = {
		"9p",
		"afs",
		"beegfs",
		"fuse.dfuse",
		"gpfs",
		"lustre",
		"orangefs",
		"panfs",
		"pvfs2",
		"virtiofs",
		"wekafs",
		"zfs",
		NULL,
	};

	if (is_one_of(&m->fstype, never))
		return false;
	if (weir_scan_is(&m->fstype, "tmpfs"))
		return is_one_of(&m->point, tmpfs_points);
	return m->device.at[0] == '/' || memchr(m->device.at, ':', weir_scan_left(&m->device)) ||
		   is_one_of(&m->fstype, served);
}

/*
 * A part of a file system mounted once more is dropped; a btrfs subvolume is no such part, though
 * its root is not "/".
 */
static bool
is_bind(const struct mount_line *m)
{
	struct weir_scan super = m->super, part;
	bool more = true;

	if (weir_scan_is(&m->root, "/"))
		return false;
	while (more) {
		more = weir_scan_until(&super, ',', &part);
		if (!more)
			part = super;
		if (weir_scan_prefix(&part, "subvol=") && same(&part, &m->root))
			return false;
	}
	return true;
}

static bool
is_chosen(
	const struct mount_line *m, const struct weir_list *include, const struct weir_list *exclude)
{
	/* Asking an autofs would mount what nobody uses. */
	if (weir_scan_is(&m->fstype, "autofs") ||
		!weir_selected(include, exclude, m->point.at, weir_scan_left(&m->point)))
		return false;
	return include->n || (worth_reporting(m) && !is_bind(m));
}

/* Of several mounts at one place the last covers the others. */
static bool
is_covered(const struct mount_line *lines, size_t n, size_t i)
{
	for (size_t later = i + 1; later < n; later++)
		if (same(&lines[later].point, &lines[i].point))
			return true;
	return false;
}

/*
 * /proc/mounts has no numbers: there the device tells, except of tmpfs, whose device is any word.
 */
static bool
is_same_file_system(const struct mount_line *a, const struct mount_line *b)
{
	if (weir_scan_left(&a->number) || weir_scan_left(&b->number))
		return same(&a->number, &b->number);
	return same(&a->device, &b->device) && same(&a->fstype, &b->fstype) &&
		   !weir_scan_is(&a->fstype, "tmpfs");
}

static bool
is_repeated(const struct mount_line *lines, size_t n, const struct mount_line *m)
{
	for (size_t i = 0; i < n; i++)
		if (is_same_file_system(&lines[i], m))
			return true;
	return false;
}

int
mounts_list(enum mounts_form form, struct weir_scan text, const struct weir_list *include,
	const struct weir_list *exclude, struct mount_line **lines, size_t *n)
{
	struct mount_line *all = NULL;
	size_t count = 0, room = 0, kept = 0;

	for (struct weir_scan line; weir_scan_whole_line(&text, &line);) {
		if (count == room) {
			room = room ? 2 * room : 64;
			struct mount_line *grown = realloc(all, room * sizeof(*all));

			if (!grown) {
				free(all);
				return -ENOMEM;
			}
			all = grown;
		}
		if (!(form == MOUNTINFO ? parse_mountinfo : parse_mounts)(line, &all[count]))
			continue;
		decode(&all[count].point);
		decode(&all[count].device);
		count++;
	}
	for (size_t i = 0; i < count; i++)
		if (is_chosen(&all[i], include, exclude) && !is_covered(all, count, i) &&
			!is_repeated(all, kept, &all[i]))
			all[kept++] = all[i];
	*lines = all;
	*n = kept;
	return 0;
}
