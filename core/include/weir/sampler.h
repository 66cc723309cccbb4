/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What most samplers need: files kept open and read anew with pread, folders below the root, and
 * tables of keys. With these a sampler is a columns table and two calls. Files and key tables
 * belong to the core and go with the instance.
 */
#ifndef WEIR_SAMPLER_H
#define WEIR_SAMPLER_H

#include <dirent.h>
#include <sys/types.h>

#include <weir/plugin.h>
#include <weir/scan.h>

#ifdef __cplusplus
extern "C" {
#endif

enum weir_read_flag {
	WEIR_READ_ONCE = 1, /* one read gives it all: sysfs, sysctl, and /proc files made in one go
						   (stat, meminfo, loadavg) */
	WEIR_READ_LINES =
		2, /* lines below 1 KiB from seq_file: a read that leaves 1 KiB of a page is the last */
	WEIR_READ_SMALL = 4, /* ask for 256 bytes: a sysctl file costs what is asked for (17 us at 256
							KiB, 1.4 at 256 B) */
	WEIR_READ_OPTIONAL = 8, /* absence is nothing to tell */
};

struct weir_file;

/* Name a file below the root ("/proc/stat"); opened at the first read. NULL out of memory only
 * (weir_read then says so). */
WEIR_API struct weir_file *weir_file(struct weir_ctx *, const char *path, unsigned flags);
/*
 * Its present content: NUL-terminated, good until the next weir_read of this instance. -ENODATA
 * when there is none: absent, refused or failing; the capability row is filed, and the file is
 * tried again (absent and failing: each minute; refused: every 10 minutes). A file that came back
 * after its device vanished is opened anew.
 */
WEIR_API int weir_read(struct weir_file *, struct weir_scan *text, struct weir_err *);
WEIR_API void weir_file_close(
	struct weir_file *); /* before the instance ends: a device that went; may be NULL */

/* One small file once, open to close, trailing newlines cut, NUL-terminated: its length, or -errno.
 */
WEIR_API ssize_t weir_slurp(const struct weir_ctx *, char *out, size_t room,
	const char *path_format, ...) __attribute__((format(printf, 4, 5)));
/* The same, as a number. False when it is none. */
WEIR_API bool weir_slurp_u64(const struct weir_ctx *, uint64_t *value, const char *path_format, ...)
	__attribute__((format(printf, 3, 4)));
WEIR_API bool weir_exists(const struct weir_ctx *, const char *path_format, ...)
	__attribute__((format(printf, 2, 3)));
/* A folder below the root; NULL and errno. Closed by the caller. */
WEIR_API DIR *weir_folder(const struct weir_ctx *, const char *path_format, ...)
	__attribute__((format(printf, 2, 3)));
/* The last component of a symbolic link's target: its length, or -errno. */
WEIR_API ssize_t weir_link_name(const struct weir_ctx *, char *out, size_t room,
	const char *path_format, ...) __attribute__((format(printf, 4, 5)));

/*
 * Does `name` pass the filters that users give: include patterns ('*', '?'), when any is given,
 * decide alone; else what matches an exclude pattern is out.
 */
WEIR_API bool weir_selected(const struct weir_list *include, const struct weir_list *exclude,
	const char *name, size_t length);

/*
 * Keys of a file of "key value" lines. Several keys of one column are added up; a '*' at the end
 * stands for any rest; a key of column WEIR_IGNORED is known and left out. Keys that the table
 * lacks are reported once (capability, unknown_keys), and again when the set changes.
 */
#define WEIR_IGNORED UINT32_MAX
struct weir_keyword {
	const char *key;
	uint32_t column;
	uint32_t factor; /* to the column's unit; 0 counts as 1 */
};

struct weir_keys;

/*
 * `separator` is what ends the key: ':' or ' '. `extra` (may be NULL) lists further keys for the
 * schema number `keyvalue` (weir_schema_keyvalue), as the file has them.
 */
WEIR_API struct weir_keys *weir_keys(struct weir_ctx *, const char *item, char separator,
	const struct weir_keyword *, size_t n, const struct weir_list *extra, size_t keyvalue);
/*
 * Scan a text into a row: integer cells. The lines' places are remembered, so a text of the same
 * layout as the last costs one comparison a line. A line without newline at the end is left out (a
 * cut file must not give a cut number). Returns the number of cells set.
 */
WEIR_API size_t weir_keys_scan(
	struct weir_keys *, const struct weir_scan *text, struct weir_out *, struct weir_row *);
/*
 * Two-line form of /proc/net/snmp: "Proto: names" over "Proto: values"; keys are "Proto.Name".
 * Values pair by position; negative ones are taken for columns of i64 and left missing for u64.
 * `ignored` protocols (may be NULL) are not reported as unknown.
 */
WEIR_API size_t weir_keys_scan_pairs(
	struct weir_keys *, const struct weir_scan *text, struct weir_out *, struct weir_row *);

/* Options that several samplers have. */
#define WEIR_PAGE_SIZE_OPTION(S) \
	WEIR_SIZE_OPTION(S, page_size, "0", 0, 1 << 30, \
		"size of a memory page of the machine read; 0: this machine's own")
#define WEIR_CLOCK_TICK_OPTION(S) \
	WEIR_INT_OPTION(S, clock_tick, "100", 1, 1000000, \
		"ticks a second of the kernel's user-visible clock (USER_HZ)")
/* The page size to use for an option value. */
WEIR_API uint64_t weir_page_size(uint64_t option);

#ifdef __cplusplus
}
#endif
#endif
