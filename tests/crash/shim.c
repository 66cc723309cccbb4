/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LD_PRELOAD for tests: calls on files below a folder fail or fall short, and the clocks are moved,
 * as a mapped control file says at the time of the call. WEIR_SHIM names that file; crash.py writes
 * it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
	OP_WRITE = 1,
	OP_PWRITE = 2,
	OP_FSYNC = 4,
	OP_FDATASYNC = 8,
	OP_OPEN = 16,
	OP_RENAME = 32,
	OP_FTRUNCATE = 64,
	OP_UNLINK = 128
};

struct control {
	int64_t wall, mono;   /* ns added to the clocks */
	uint32_t operations;  /* that fail */
	int32_t error;        /* errno; 0: writes fall short */
	uint32_t every;       /* each so many'th call fails */
	uint32_t shortest;    /* a short write takes 1..shortest bytes */
	uint64_t calls, hits; /* counted here */
	char folder[256];
};

static struct control *
control(void)
{
	static struct control *mapped;
	static struct control none;
	struct control *c = __atomic_load_n(&mapped, __ATOMIC_ACQUIRE);

	if (c)
		return c;
	const char *path = getenv("WEIR_SHIM");
	long fd = path ? syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
	void *p = fd < 0 ? MAP_FAILED
					 : mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0);

	if (fd >= 0)
		syscall(SYS_close, fd);
	c = p == MAP_FAILED ? &none : p;
	__atomic_store_n(&mapped, c, __ATOMIC_RELEASE);
	return c;
}

/* The next definition of a function, found once. */
static void *
real(void **slot, const char *name)
{
	void *f = __atomic_load_n(slot, __ATOMIC_ACQUIRE);

	if (!f) {
		f = dlsym(RTLD_NEXT, name);
		__atomic_store_n(slot, f, __ATOMIC_RELEASE);
	}
	return f;
}
#define REAL(result, name, ...) \
	static void *slot_; \
	result (*real_)(__VA_ARGS__) = (result(*)(__VA_ARGS__))real(&slot_, name)

/* 0: go on; 1: fail with errno set, or fall short. */
static bool
meant(uint32_t operation, const char *path)
{
	struct control *c = control();

	if (!(c->operations & operation) || strncmp(path, c->folder, strlen(c->folder)) != 0)
		return false;
	uint64_t call = __atomic_add_fetch(&c->calls, 1, __ATOMIC_RELAXED);

	if (c->every > 1 && call % c->every)
		return false;
	__atomic_add_fetch(&c->hits, 1, __ATOMIC_RELAXED);
	errno = c->error;
	return true;
}

static bool
meant_fd(uint32_t operation, int fd)
{
	char link[64], path[4096];

	if (!(control()->operations & operation))
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	long n = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof(path) - 1);

	if (n <= 0)
		return false;
	path[n] = '\0';
	return meant(operation, path);
}

static bool
meant_at(uint32_t operation, int folder, const char *name)
{
	char link[64], path[4096];

	if (!(control()->operations & operation))
		return false;
	if (*name == '/')
		return meant(operation, name);
	if (folder == AT_FDCWD)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", folder);
	long n = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof(path) / 2);

	if (n <= 0)
		return false;
	snprintf(path + n, sizeof(path) - (size_t)n, "/%s", name);
	return meant(operation, path);
}

/* How much of a short write is taken. */
static size_t
shortened(size_t size)
{
	struct control *c = control();
	size_t most = c->shortest ? c->shortest : 1;
	size_t n = (size_t)(__atomic_load_n(&c->calls, __ATOMIC_RELAXED) * 2654435761u >> 7) % most + 1;

	return n < size ? n : size;
}

ssize_t
write(int fd, const void *data, size_t size)
{
	REAL(ssize_t, "write", int, const void *, size_t);
	if (!meant_fd(OP_WRITE, fd))
		return real_(fd, data, size);
	return control()->error ? -1 : real_(fd, data, shortened(size));
}

static ssize_t
pwrite_any(int fd, const void *data, size_t size, off_t offset)
{
	REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t);
	if (!meant_fd(OP_PWRITE, fd))
		return real_(fd, data, size, offset);
	return control()->error ? -1 : real_(fd, data, shortened(size), offset);
}

ssize_t
pwrite(int fd, const void *data, size_t size, off_t offset)
{
	return pwrite_any(fd, data, size, offset);
}

ssize_t
pwrite64(int fd, const void *data, size_t size, off_t offset)
{
	return pwrite_any(fd, data, size, offset);
}

int
fsync(int fd)
{
	REAL(int, "fsync", int);
	return meant_fd(OP_FSYNC, fd) ? -1 : real_(fd);
}

int
fdatasync(int fd)
{
	REAL(int, "fdatasync", int);
	return meant_fd(OP_FDATASYNC, fd) ? -1 : real_(fd);
}

static int
open_any(int folder, const char *path, int flags, mode_t mode)
{
	if (meant_at(OP_OPEN, folder, path))
		return -1;
	return (int)syscall(SYS_openat, folder, path, flags, mode);
}

#define MODE_OF(flags, last) \
	mode_t mode = 0; \
	if ((flags) & (O_CREAT | __O_TMPFILE)) { \
		va_list arguments; \
		va_start(arguments, last); \
		mode = va_arg(arguments, mode_t); \
		va_end(arguments); \
	}

int
open(const char *path, int flags, ...)
{
	MODE_OF(flags, flags)
	return open_any(AT_FDCWD, path, flags, mode);
}

int
open64(const char *path, int flags, ...)
{
	MODE_OF(flags, flags)
	return open_any(AT_FDCWD, path, flags, mode);
}

int
openat(int folder, const char *path, int flags, ...)
{
	MODE_OF(flags, flags)
	return open_any(folder, path, flags, mode);
}

int
openat64(int folder, const char *path, int flags, ...)
{
	MODE_OF(flags, flags)
	return open_any(folder, path, flags, mode);
}

int
rename(const char *from, const char *to)
{
	REAL(int, "rename", const char *, const char *);
	return meant_at(OP_RENAME, AT_FDCWD, to) ? -1 : real_(from, to);
}

int
renameat(int from_folder, const char *from, int to_folder, const char *to)
{
	REAL(int, "renameat", int, const char *, int, const char *);
	return meant_at(OP_RENAME, to_folder, to) ? -1 : real_(from_folder, from, to_folder, to);
}

int
unlink(const char *path)
{
	REAL(int, "unlink", const char *);
	return meant_at(OP_UNLINK, AT_FDCWD, path) ? -1 : real_(path);
}

int
unlinkat(int folder, const char *path, int flags)
{
	REAL(int, "unlinkat", int, const char *, int);
	return meant_at(OP_UNLINK, folder, path) ? -1 : real_(folder, path, flags);
}

static int
ftruncate_any(int fd, off_t size)
{
	REAL(int, "ftruncate64", int, off_t);
	return meant_fd(OP_FTRUNCATE, fd) ? -1 : real_(fd, size);
}

int
ftruncate(int fd, off_t size)
{
	return ftruncate_any(fd, size);
}

int
ftruncate64(int fd, off_t size)
{
	return ftruncate_any(fd, size);
}

/* ---- clocks ---- */

static struct timespec
moved(struct timespec t, int64_t by)
{
	int64_t ns = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec + by;

	return (struct timespec){ ns / 1000000000, ns % 1000000000 };
}

int
clock_gettime(clockid_t id, struct timespec *t)
{
	REAL(int, "clock_gettime", clockid_t, struct timespec *);
	int rc = real_(id, t);

	if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		*t = moved(*t, __atomic_load_n(&control()->wall, __ATOMIC_RELAXED));
	if (rc == 0 && (id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE))
		*t = moved(*t, __atomic_load_n(&control()->mono, __ATOMIC_RELAXED));
	return rc;
}

int
timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old)
{
	REAL(int, "timerfd_settime", int, int, const struct itimerspec *, struct itimerspec *);
	struct itimerspec t = *new;
	bool armed = t.it_value.tv_sec || t.it_value.tv_nsec;

	if (armed && flags & TFD_TIMER_ABSTIME) {
		t.it_value = moved(t.it_value, -__atomic_load_n(&control()->wall, __ATOMIC_RELAXED));
		if (t.it_value.tv_sec < 0)
			t.it_value = (struct timespec){ 0, 1 };
	}
	return real_(fd, flags, &t, old);
}

/* All conditions of the program go by the monotonic clock. */
int
pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
	const struct timespec *restrict until)
{
	REAL(int, "pthread_cond_timedwait", pthread_cond_t *, pthread_mutex_t *,
		const struct timespec *);
	struct timespec t = moved(*until, -__atomic_load_n(&control()->mono, __ATOMIC_RELAXED));

	if (t.tv_sec < 0 || t.tv_nsec < 0)
		t = (struct timespec){ 0, 0 };
	return real_(condition, mutex, &t);
}
