/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded before the C library: one realloc of 128 new bytes fails in the thread that asked for it.
 */
#include <dlfcn.h>
#include <stddef.h>

__attribute__((visibility("default"))) void no_memory_once(void);
__attribute__((visibility("default"))) void *realloc(void *, size_t);

static _Thread_local int fails __attribute__((tls_model("initial-exec")));

void
no_memory_once(void)
{
	fails = 1;
}

void *
realloc(void *old, size_t size)
{
	void *(*real)(void *, size_t);

	if (fails && !old && size == 128) {
		fails = 0;
		return NULL;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "realloc");
	return real(old, size);
}
