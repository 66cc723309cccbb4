/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judging a plugin's file before dlopen: dlopen of a truncated file dies of SIGBUS, and its
 * constructors run before any symbol can be asked. So the ELF tables are read here, bounds-checked,
 * and the ABI number is taken from the file.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/load.h"

struct image {
	const unsigned char *at;
	size_t size;
	const char *path;
};

static const void *
part(const struct image *im, uint64_t offset, uint64_t size)
{
	return offset <= im->size && size <= im->size - offset ? im->at + offset : NULL;
}

/* A table: in a sound file it is aligned like its numbers. */
static const void *
table(const struct image *im, uint64_t offset, uint64_t size)
{
	return offset % sizeof(void *) ? NULL : part(im, offset, size);
}

static int
check_header(const struct image *im, const ElfW(Ehdr) * *header, struct weir_err *err)
{
	const ElfW(Ehdr) *h = part(im, 0, sizeof(*h));

	if (!h || memcmp(h->e_ident, ELFMAG, SELFMAG))
		return weir_failx(err, -ENOEXEC, "'%s' is no shared object", im->path);
	if (h->e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
		h->e_type != ET_DYN)
		return weir_failx(err, -ENOEXEC, "'%s' is no shared object for this machine", im->path);
#if defined(__x86_64__)
	if (h->e_machine != EM_X86_64)
		return weir_failx(err, -ENOEXEC, "'%s' was built for another kind of processor", im->path);
#elif defined(__aarch64__)
	if (h->e_machine != EM_AARCH64)
		return weir_failx(err, -ENOEXEC, "'%s' was built for another kind of processor", im->path);
#endif
	*header = h;
	return 0;
}

static int
check_segments(const struct image *im, const ElfW(Ehdr) * h, struct weir_err *err)
{
	const ElfW(Phdr) *p = table(im, h->e_phoff, (uint64_t)h->e_phnum * sizeof(*p));
	bool loads = false;

	if (!p || h->e_phentsize != sizeof(*p))
		return weir_failx(err, -ENOEXEC, "'%s' is truncated: build it again", im->path);
	for (unsigned i = 0; i < h->e_phnum; i++) {
		if (!part(im, p[i].p_offset, p[i].p_filesz))
			return weir_failx(err, -ENOEXEC, "'%s' is truncated: build it again", im->path);
		loads |= p[i].p_type == PT_LOAD;
	}
	if (!loads)
		return weir_failx(err, -ENOEXEC, "'%s' is no shared object", im->path);
	/* The section table is the last thing in the file: when it is cut, the file is. */
	if (h->e_shoff && !table(im, h->e_shoff, (uint64_t)h->e_shnum * sizeof(ElfW(Shdr))))
		return weir_failx(err, -ENOEXEC, "'%s' is truncated: build it again", im->path);
	return 0;
}

/* Bytes of the file that will be mapped at `address`. */
static const void *
mapped(const struct image *im, const ElfW(Ehdr) * h, uint64_t address, size_t size)
{
	const ElfW(Phdr) *p = table(im, h->e_phoff, (uint64_t)h->e_phnum * sizeof(*p));

	for (unsigned i = 0; p && i < h->e_phnum; i++)
		if (p[i].p_type == PT_LOAD && address >= p[i].p_vaddr &&
			address - p[i].p_vaddr + size <= p[i].p_filesz)
			return table(im, p[i].p_offset + (address - p[i].p_vaddr), size);
	return NULL;
}

static int
check_abi(const struct image *im, const uint32_t *abi, struct weir_err *err)
{
	if (!abi)
		return weir_failx(
			err, -ENOEXEC, "'%s' exports no 'weir_plugin': define it with WEIR_PLUGIN", im->path);
	if (abi[0] != WEIR_ABI)
		return weir_failx(err, -ENOEXEC,
			"'%s' was built for plugin ABI %u, this weir has %u: build it again", im->path, abi[0],
			WEIR_ABI);
	if (abi[1] > sizeof(struct weir_plugin))
		return weir_failx(err, -ENOEXEC,
			"'%s' was built against a newer weir (its constant has %u bytes, this weir knows %zu)",
			im->path, abi[1], sizeof(struct weir_plugin));
	if (abi[1] < offsetof(struct weir_plugin, room))
		return weir_failx(err, -ENOEXEC,
			"'%s' has a 'weir_plugin' of %u bytes: too small to be one", im->path, abi[1]);
	return 0;
}

/* Look 'weir_plugin' up in the dynamic symbols; files without section headers are left to dlsym. */
static int
check_symbol(const struct image *im, const ElfW(Ehdr) * h, struct weir_err *err)
{
	const ElfW(Shdr) *s =
		h->e_shoff ? table(im, h->e_shoff, (uint64_t)h->e_shnum * sizeof(*s)) : NULL;

	for (unsigned i = 0; s && i < h->e_shnum; i++) {
		if (s[i].sh_type != SHT_DYNSYM || s[i].sh_link >= h->e_shnum)
			continue;
		const ElfW(Sym) *symbol = table(im, s[i].sh_offset, s[i].sh_size);
		const char *names = part(im, s[s[i].sh_link].sh_offset, s[s[i].sh_link].sh_size);
		uint64_t room = s[s[i].sh_link].sh_size;

		if (!symbol || !names)
			return weir_failx(err, -ENOEXEC, "'%s' is truncated: build it again", im->path);
		for (uint64_t n = 0; n < s[i].sh_size / sizeof(*symbol); n++)
			if (symbol[n].st_shndx != SHN_UNDEF &&
				symbol[n].st_name + sizeof("weir_plugin") <= room &&
				!memcmp(names + symbol[n].st_name, "weir_plugin", sizeof("weir_plugin")))
				return check_abi(im, mapped(im, h, symbol[n].st_value, 8), err);
		return check_abi(im, NULL, err);
	}
	return 0;
}

/* Whoever can write the file decides what the agent, often root, runs. */
static int
check_mode(const char *path, const struct stat *st, struct weir_err *err)
{
	struct stat folder;
	char parent[4096];
	const char *slash = strrchr(path, '/');

	if (st->st_mode & S_IWOTH)
		return weir_failx(err, -EPERM, "'%s' can be written by others: chmod o-w it", path);
	if ((size_t)(slash ? slash - path : 1) >= sizeof(parent))
		return weir_failx(err, -ENAMETOOLONG, "'%s' is too long a path", path);
	if (!slash)
		memcpy(parent, ".", 2);
	else
		*(char *)mempcpy(parent, path, (size_t)(slash - path)) = '\0';
	if (*parent && !stat(parent, &folder) && (folder.st_mode & S_IWOTH) &&
		!(folder.st_mode & S_ISVTX))
		return weir_failx(
			err, -EPERM, "'%s' lies in a folder that others can write: chmod o-w it", path);
	return 0;
}

int
plugin_file_check(const char *path, struct weir_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd == -1)
		return weir_fail(err, -errno, "cannot open '%s'", path);
	int rc = fstat(fd, &st) ? weir_fail(err, -errno, "cannot look at '%s'", path) : 0;

	if (!rc && !S_ISREG(st.st_mode))
		rc = weir_failx(err, -ENOEXEC, "'%s' is no regular file", path);
	if (!rc)
		rc = check_mode(path, &st, err);
	if (!rc && !st.st_size)
		rc = weir_failx(err, -ENOEXEC, "'%s' is empty", path);
	void *at = rc ? MAP_FAILED : mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

	if (!rc && at == MAP_FAILED)
		rc = weir_fail(err, -errno, "cannot read '%s'", path);
	close(fd);
	if (rc)
		return rc;
	struct image im = { at, (size_t)st.st_size, path };
	const ElfW(Ehdr) *header = NULL;

	rc = check_header(&im, &header, err);
	if (!rc && header)
		rc = check_segments(&im, header, err);
	if (!rc && header)
		rc = check_symbol(&im, header, err);
	munmap(at, im.size);
	return rc;
}
