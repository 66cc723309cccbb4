/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the files that have a part's name; what has another is not ours and is left alone. */
#include "csv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct csv_walk {
	struct csv *csv;
	int (*each)(struct csv *, void *, const struct csv_file *, struct weir_err *);
	void *closure;
	struct weir_err *err;
};

/* 20261121T110709Z-000042.csv, with .zst or .gz, with .tmp behind. */
static bool
parse_name(const char *name, struct csv_file *file)
{
	static const char *const ends[] = {
		[CSV_PLAIN] = ".csv", [CSV_ZSTD] = ".csv.zst", [CSV_GZIP] = ".csv.gz"
	};
	const char *const shape = "00000000T000000Z-";
	for (size_t i = 0; shape[i]; i++)
		if (shape[i] == '0' ? name[i] < '0' || name[i] > '9' : name[i] != shape[i])
			return false;
	const char *digits = name + strlen(shape);
	size_t length = strspn(digits, "0123456789");
	if (length < 6 || length > 19)
		return false;
	file->number = strtoull(digits, NULL, 10);
	for (int form = CSV_PLAIN; form <= CSV_GZIP; form++) {
		size_t size = strlen(ends[form]);
		if (strncmp(digits + length, ends[form], size) != 0)
			continue;
		const char *rest = digits + length + size;
		file->form = *rest ? CSV_TEMPORARY : (enum csv_form)form;
		if (!*rest || strcmp(rest, ".tmp") == 0)
			return true;
	}
	return false;
}

/* r2, r3 ... */
static bool
is_revision(const char *name)
{
	return name[0] == 'r' && name[1] >= '1' && name[1] <= '9' &&
		   !name[1 + strspn(name + 1, "0123456789")] && strlen(name) < 11;
}

static int
walk_folder(struct csv_walk *walk, const char *folder, unsigned depth)
{
	struct csv *csv = walk->csv;
	int fd = csv_open_at(csv->folder, folder, O_RDONLY | O_DIRECTORY);
	/* A file, a link, or gone: none of ours. */
	if (fd == -ENOTDIR || fd == -ELOOP || fd == -ENOENT)
		return 0;
	DIR *dir = fd > 0 ? fdopendir(fd) : NULL;
	if (!dir) {
		int result = weir_fail(
			walk->err, fd < 0 ? fd : -errno, "cannot read the folder '%s/%s'", csv->path, folder);
		if (fd > 0)
			close(fd);
		return result;
	}
	int result = 0;
	for (struct dirent *entry; result == 0 && (entry = readdir(dir));) {
		char path[sizeof(struct csv_name) + sizeof(entry->d_name)];
		snprintf(
			path, sizeof(path), "%s%s%s", depth ? folder : "", depth ? "/" : "", entry->d_name);
		struct csv_file file = { .path = path };
		if (depth == 0 ? csv_name_valid(entry->d_name) : depth == 1 && is_revision(entry->d_name))
			result = walk_folder(walk, path, depth + 1);
		else if (depth > 0 && parse_name(entry->d_name, &file))
			result = walk->each(csv, walk->closure, &file, walk->err);
	}
	closedir(dir);
	return result;
}

int
csv_walk(struct csv *csv,
	int (*each)(struct csv *, void *, const struct csv_file *, struct weir_err *), void *closure,
	struct weir_err *err)
{
	struct csv_walk walk = { .csv = csv, .each = each, .closure = closure, .err = err };
	return walk_folder(&walk, ".", 0);
}
