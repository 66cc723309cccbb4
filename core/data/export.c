/* SPDX-License-Identifier: Apache-2.0 */
/* The contract's names for base functions that stores need. */
#include <weir/batch.h>

#include "base/format.h"
#include "base/hash.h"

_Static_assert(WEIR_FORMAT_MAX >= FORMAT_MAX, "plugins give the room that format.h asks for");

char *
weir_format_u64(char *out, uint64_t value)
{
	return format_u64(out, value);
}

char *
weir_format_i64(char *out, int64_t value)
{
	return format_i64(out, value);
}

char *
weir_format_decimal(char *out, int64_t count, int64_t divisor)
{
	return format_decimal(out, count, divisor);
}

char *
weir_format_f64(char *out, double value)
{
	return format_f64(out, value);
}

char *
weir_format_time(char *out, int64_t microseconds)
{
	return format_time(out, microseconds);
}

uint32_t
weir_crc32c(uint32_t seed, const void *data, size_t size)
{
	return crc32c(seed, data, size);
}

uint64_t
weir_hash64(const void *data, size_t size, uint64_t seed)
{
	return hash64(data, size, seed);
}
