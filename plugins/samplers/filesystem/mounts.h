/* SPDX-License-Identifier: Apache-2.0 */
/* The list of mounts as the kernel prints it, and which of them are reported. */
#ifndef WEIR_FILESYSTEM_MOUNTS_H
#define WEIR_FILESYSTEM_MOUNTS_H

#include <weir/sampler.h>

/* One line. Parts point into the text; `point` is decoded in place there. */
struct mount_line {
	struct weir_scan number, root, point, fstype, device,
		super; /* number: major:minor; root and super: mountinfo only */
	bool read_only;
};

enum mounts_form {
	MOUNTINFO, /* /proc/PID/mountinfo */
	MOUNTS,    /* /proc/mounts: no numbers, no roots */
};

/* Lines that are to be reported, one per file system, from malloc; -ENOMEM. The text is changed. */
int mounts_list(enum mounts_form, struct weir_scan text, const struct weir_list *include,
	const struct weir_list *exclude, struct mount_line **lines, size_t *n);

#endif
