/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks: wall in microseconds since the epoch (UTC), monotonic and CPU in nanoseconds. */
#ifndef WEIR_BASE_CLOCK_H
#define WEIR_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t
clock_read_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int64_t
clock_wall_us(void)
{
	return clock_read_ns(CLOCK_REALTIME) / 1000;
}

/* Stops while the machine sleeps; for durations and deadlines. */
static inline int64_t
clock_mono_ns(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}

#endif
