/* SPDX-License-Identifier: Apache-2.0 */
/* Files and folders: made, read whole, replaced atomically, locked with the holder's name. */
#ifndef WEIR_BASE_FS_H
#define WEIR_BASE_FS_H

#include <stddef.h>
#include <sys/types.h>

#include <weir/error.h>

/* mkdir -p. */
int fs_make_folder(const char *path, mode_t mode, struct weir_err *);
/* The whole file, NUL-terminated, from malloc; refuses more than `limit` bytes (-EFBIG) and what is
 * no regular file (-EINVAL), opened O_NONBLOCK so that a named pipe does not hang. */
int fs_read(const char *path, size_t limit, char **text, size_t *size, struct weir_err *);
/* Write to PATH.tmp, fsync, rename over PATH, fsync the folder. */
int fs_replace(const char *path, const void *data, size_t size, mode_t mode, struct weir_err *);
/* All of it, through EINTR and short writes. 0 or -errno. */
int fs_write_all(int fd, const void *data, size_t size);
/*
 * Take `path` as a lock file (flock; made if missing) and write "HOST PID NAME" into it. Taken:
 * -EBUSY, and the sentence names the holder as the file says. Returns the descriptor (> 0), which
 * holds the lock until closed.
 */
int fs_lock(const char *path, const char *name, struct weir_err *);
/* folder + "/" + name from malloc; NULL out of memory. */
char *fs_join(const char *folder, const char *name);

#endif
