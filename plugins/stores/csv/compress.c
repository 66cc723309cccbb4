/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closed parts become .csv.zst or .csv.gz, a piece at a time, so that no commit waits for a big
 * part. The new file has a temporary name until it is complete and on disk; then it takes its place
 * and the plain one goes, which recovery completes or undoes.
 */
#include "csv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#define PIECE 65536

struct csv_codec {
	int in, out;
	uint64_t offset, size, written; /* read of `size`; written */
	ZSTD_CCtx *zstd;
	z_stream gz;
	bool deflating;
	struct csv_name temporary, target;
	char input[PIECE], output[PIECE];
};

int
csv_wait(struct csv *csv, const char *path)
{
	size_t size = strlen(path) + 1;
	struct csv_waiting *waiting = malloc(sizeof(*waiting) + size);
	if (!waiting)
		return -ENOMEM;
	waiting->next = NULL;
	memcpy(waiting->path, path, size);
	if (!csv->waiting)
		csv->waiting_end = &csv->waiting;
	*csv->waiting_end = waiting;
	csv->waiting_end = &waiting->next;
	return 0;
}

static void
pop(struct csv *csv)
{
	struct csv_waiting *waiting = csv->waiting;
	csv->waiting = waiting->next;
	free(waiting);
}

static void
free_codec(struct csv *csv)
{
	struct csv_codec *codec = csv->codec;
	if (!codec)
		return;
	csv->codec = NULL;
	ZSTD_freeCCtx(codec->zstd);
	if (codec->deflating)
		deflateEnd(&codec->gz);
	if (codec->in > 0)
		close(codec->in);
	if (codec->out > 0) {
		close(codec->out);
		unlinkat(csv->folder, codec->temporary.text, 0);
	}
	free(codec);
}

void
csv_compress_stop(struct csv *csv)
{
	free_codec(csv);
	while (csv->waiting)
		pop(csv);
}

static int
begin_zstd(struct csv *csv, struct csv_codec *codec)
{
	codec->zstd = ZSTD_createCCtx();
	if (!codec->zstd)
		return -ENOMEM;
	size_t result = ZSTD_CCtx_setParameter(codec->zstd, ZSTD_c_compressionLevel, (int)csv->level);
	if (!ZSTD_isError(result))
		result = ZSTD_CCtx_setParameter(codec->zstd, ZSTD_c_checksumFlag, 1);
	if (!ZSTD_isError(result))
		result = ZSTD_CCtx_setPledgedSrcSize(codec->zstd, codec->size);
	return ZSTD_isError(result) ? -EINVAL : 0;
}

static int
begin_gz(struct csv *csv, struct csv_codec *codec)
{
	int level = csv->level < 9 ? (int)csv->level : 9;
	/* 16: the gzip format. */
	if (deflateInit2(&codec->gz, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	codec->deflating = true;
	return 0;
}

static int
begin_codec(struct csv *csv, struct csv_codec *codec, const char *path)
{
	snprintf(codec->target.text, sizeof(codec->target.text), "%s.%s", path,
		csv->compress == CSV_WITH_GZ ? "gz" : "zst");
	if (snprintf(codec->temporary.text, sizeof(codec->temporary.text), "%.150s.tmp",
			codec->target.text) >= 160)
		return -ENAMETOOLONG;
	codec->in = csv_open_at(csv->folder, path, O_RDONLY);
	struct stat st;
	if (codec->in < 0 || fstat(codec->in, &st) < 0)
		return codec->in < 0 ? codec->in : -errno;
	codec->size = (uint64_t)st.st_size;
	codec->out = csv_open_at(csv->folder, codec->temporary.text, O_WRONLY | O_CREAT | O_TRUNC);
	if (codec->out < 0)
		return codec->out;
	return csv->compress == CSV_WITH_GZ ? begin_gz(csv, codec) : begin_zstd(csv, codec);
}

/* Compress what is in `input` and write it. */
static int
put_zstd(struct csv_codec *codec, size_t size, bool last)
{
	ZSTD_inBuffer in = { codec->input, size, 0 };
	for (;;) {
		ZSTD_outBuffer out = { codec->output, PIECE, 0 };
		size_t left =
			ZSTD_compressStream2(codec->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return -EIO;
		int result = csv_write_at(codec->out, codec->output, out.pos, codec->written);
		if (result < 0)
			return result;
		codec->written += out.pos;
		if (last ? left == 0 : in.pos == in.size)
			return 0;
	}
}

static int
put_gz(struct csv_codec *codec, size_t size, bool last)
{
	codec->gz.next_in = (Bytef *)codec->input;
	codec->gz.avail_in = (uInt)size;
	do {
		codec->gz.next_out = (Bytef *)codec->output;
		codec->gz.avail_out = PIECE;
		deflate(&codec->gz, last ? Z_FINISH : Z_NO_FLUSH);
		size_t made = PIECE - codec->gz.avail_out;
		int result = csv_write_at(codec->out, codec->output, made, codec->written);
		if (result < 0)
			return result;
		codec->written += made;
	} while (codec->gz.avail_out == 0);
	return 0;
}

/* Put the complete file in its place. */
static int
finish(struct csv *csv, struct csv_codec *codec, const char *path, struct weir_err *err)
{
	struct stat st;
	if (fstat(codec->in, &st) < 0)
		return -errno;
	/* Removed meanwhile, to save room: the copy goes too. */
	if (st.st_nlink == 0)
		return 0;
	/* Retention goes by the time of the last row. */
	const struct timespec times[2] = { st.st_atim, st.st_mtim };
	if (futimens(codec->out, times) < 0 || fsync(codec->out) < 0)
		return -errno;
	csv_failpoint(csv, CSV_AT_COMPRESSED);
	if (renameat(csv->folder, codec->temporary.text, csv->folder, codec->target.text) < 0)
		return -errno;
	close(codec->out);
	codec->out = 0;
	struct csv_name folder = codec->target;
	*strrchr(folder.text, '/') = '\0';
	int result = csv_sync_folder(csv, folder.text, err);
	csv_failpoint(csv, CSV_AT_REPLACED);
	if (result == 0 && unlinkat(csv->folder, path, 0) < 0 && errno != ENOENT)
		result = -errno;
	csv_failpoint(csv, CSV_AT_REMOVED);
	return result;
}

/* One piece of the part in hand. */
static int
advance(
	struct csv *csv, struct csv_codec *codec, const char *path, bool *done, struct weir_err *err)
{
	uint64_t left = codec->size - codec->offset;
	size_t size = left < PIECE ? (size_t)left : PIECE;
	int result = csv_read_at(codec->in, codec->input, size, codec->offset);
	codec->offset += size;
	bool last = codec->offset == codec->size;
	if (result == 0)
		result = codec->deflating ? put_gz(codec, size, last) : put_zstd(codec, size, last);
	csv_failpoint(csv, CSV_AT_COMPRESS);
	if (result == 0 && last) {
		*done = true;
		result = finish(csv, codec, path, err);
	}
	return result;
}

static int
begin_next(struct csv *csv, struct weir_err *err)
{
	/* Recovery may go back to the last checkpoint, where the part was open. */
	int result = csv->closed ? csv_checkpoint(csv, err) : 0;
	if (result < 0)
		return result;
	csv->codec = calloc(1, sizeof(*csv->codec));
	return csv->codec ? begin_codec(csv, csv->codec, csv->waiting->path) : -ENOMEM;
}

int
csv_compress(struct csv *csv, uint64_t budget, struct weir_err *err)
{
	while (csv->waiting && !csv->paused && budget) {
		bool done = false;
		int result = csv->codec ? 0 : begin_next(csv, err);
		if (result == 0)
			result = advance(csv, csv->codec, csv->waiting->path, &done, err);
		if (result == -ENOENT || (result == 0 && done)) {
			free_codec(csv);
			pop(csv);
			continue;
		}
		if (result < 0) {
			free_codec(csv);
			csv->paused = true;
			return weir_fail(err, result, "cannot compress '%s/%s'", csv->path, csv->waiting->path);
		}
		budget -= budget < PIECE ? budget : PIECE;
	}
	return 0;
}
