/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a new plugin: names put in, written where nothing is yet. */
#include "plugin/scaffold.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "plugin/load.h"

static const struct scaffold_file *const files_of_kind[] = { [WEIR_SAMPLER] = scaffold_sampler,
	[WEIR_PARSER] = scaffold_parser,
	[WEIR_STORE] = scaffold_store };

struct names {
	const char *kind, *name, *folder;
};

static void
fill(struct text *out, const char *text, const struct names *names)
{
	while (*text) {
		const char *at = strchr(text, '@');
		size_t plain = at ? (size_t)(at - text) : strlen(text);

		text_append(out, text, plain);
		text += plain;
		if (!strncmp(text, "@NAME@", 6) || !strncmp(text, "@KIND@", 6)) {
			text_add(out, text[1] == 'N' ? names->name : names->kind);
			text += 6;
		} else if (at) {
			text_add(out, "@");
			text++;
		}
	}
}

static char *
path_of(const struct scaffold_file *file, const struct names *names)
{
	struct text path = { 0 };

	fill(&path, file->path, names);
	char *whole = path.failed ? NULL : fs_join(names->folder, path.data);

	text_free(&path);
	return whole;
}

static int
write_text(const char *path, const struct text *text, struct weir_err *err)
{
	size_t length = strlen(path);
	mode_t mode = length > 3 && !strcmp(path + length - 3, ".sh") ? 0755 : 0644;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0)
		return weir_fail(err, -errno, "cannot make '%s'", path);
	int rc = fs_write_all(fd, text->data, text->size);

	if (close(fd) && !rc)
		rc = -errno;
	return rc ? weir_fail(err, rc, "cannot write '%s'", path) : 0;
}

static int
write_file(const struct scaffold_file *file, const struct names *names, struct text *made,
	struct weir_err *err)
{
	char *path = path_of(file, names);
	char *slash = path ? strrchr(path, '/') : NULL;
	struct text text = { 0 };
	int rc = 0;

	fill(&text, file->text, names);
	if (!slash || text.failed) {
		rc = weir_fail(err, -ENOMEM, "cannot write a file");
	} else {
		*slash = '\0';
		rc = fs_make_folder(path, 0755, err);
		*slash = '/';
	}
	if (!rc)
		rc = write_text(path, &text, err);
	if (!rc)
		text_printf(made, "%s\n", path);
	text_free(&text);
	free(path);
	return rc;
}

static int
check_free(const struct scaffold_file *files, const struct names *names, struct weir_err *err)
{
	int rc = 0;

	for (const struct scaffold_file *file = files; !rc && file->path; file++) {
		char *path = path_of(file, names);

		if (!path)
			rc = weir_fail(err, -ENOMEM, "cannot write a file");
		else if (!faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW))
			rc = weir_failx(err, -EEXIST, "'%s' is there already: name another folder", path);
		free(path);
	}
	return rc;
}

int
scaffold_write(enum weir_kind kind, const char *name, const char *folder, struct text *made,
	struct weir_err *err)
{
	const struct scaffold_file *lists[] = { scaffold_common, files_of_kind[kind] };
	struct names names = { plugin_kind_name(kind), name, folder };
	int rc = 0;

	for (size_t i = 0; !rc && i < WEIR_COUNT(lists); i++)
		rc = check_free(lists[i], &names, err);
	for (size_t i = 0; !rc && i < WEIR_COUNT(lists); i++)
		for (const struct scaffold_file *file = lists[i]; !rc && file->path; file++)
			rc = write_file(file, &names, made, err);
	return rc;
}
