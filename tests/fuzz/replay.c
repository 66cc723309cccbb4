/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target over the files of folders, without a fuzzer: what once crashed, and seeds that
 *reach the corners, stay tests on machines without clang.
 *
 *	replay_NAME FILE|FOLDER...
 */
#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input has exactly its size in memory, so that a sanitizer sees a read past its end. */
static int
replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat st;

	if (!file || fstat(fileno(file), &st) == -1) {
		perror(path);
		if (file)
			fclose(file);
		return -1;
	}
	size_t size = (size_t)st.st_size;
	uint8_t *data = malloc(size ? size : 1);
	int status = -1;

	if (data && fread(data, 1, size, file) == size) {
		/* Said before, so that the last line of a crash names its input. */
		printf("%s\n", path);
		fflush(stdout);
		LLVMFuzzerTestOneInput(data, size);
		status = 0;
	} else {
		perror(path);
	}
	free(data);
	fclose(file);
	return status;
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* How many files ran, or -1. */
static long
replay_folder(const char *path)
{
	struct dirent **entry = NULL;
	int n = scandir(path, &entry, is_visible, alphasort);
	long done = n == -1 ? -1 : 0;

	if (n == -1)
		perror(path);
	for (int i = 0; i < n; i++) {
		char file[4096];

		snprintf(file, sizeof(file), "%s/%s", path, entry[i]->d_name);
		if (done >= 0)
			done = replay_file(file) == 0 ? done + 1 : -1;
		free(entry[i]);
	}
	free(entry);
	return done;
}

int
main(int argc, char **argv)
{
	long total = 0;

	for (int i = 1; i < argc; i++) {
		struct stat st;
		bool folder = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode);
		long done = folder ? replay_folder(argv[i]) : replay_file(argv[i]) == 0 ? 1 : -1;

		if (done == -1)
			return 1;
		total += done;
	}
	if (total == 0) {
		fprintf(stderr, "no input: the corpus is empty\n");
		return 1;
	}
	printf("%ld inputs\n", total);
	return 0;
}
