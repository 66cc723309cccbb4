/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers and times to text, fast. Every function writes at `out` (no terminating NUL) and returns
 * the end. The caller has the room: FORMAT_MAX bytes for any of them.
 */
#ifndef WEIR_BASE_FORMAT_H
#define WEIR_BASE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define FORMAT_MAX 32

char *format_u64(char *out, uint64_t value);
char *format_i64(char *out, int64_t value);
/* value / divisor as an exact decimal (divisor 100, 10^3, 10^6 or 10^9), trailing zeros of the
 * fraction left out; "4.2", "-0.05", "7". */
char *format_decimal(char *out, int64_t value, int64_t divisor);
/* Shortest decimal that reads back to the same double ("0.1", "1e+300", "nan", "inf", "-inf"). */
char *format_f64(char *out, double value);
/* RFC 3339, UTC, six digits: "2026-11-21T10:48:00.000000Z" (27 bytes). Years 0001 to 9999; outside,
 * the nearest of these bounds. */
char *format_time(char *out, int64_t microseconds);

/* The calendar part is computed once a day and second; one of these per writer. Zeroed is empty. */
struct format_time_cache {
	int64_t second;
	char text[20];
	int filled;
};
char *format_time_cached(struct format_time_cache *, char *out, int64_t microseconds);

/* "1.2 GiB", "350 B"; "1h 3m", "250ms": for people. */
char *format_bytes(char *out, uint64_t bytes);
char *format_duration(char *out, int64_t nanoseconds);

#endif
