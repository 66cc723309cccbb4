/* SPDX-License-Identifier: Apache-2.0 */
/* CRC32C (SSE4.2 where the CPU has it, tables elsewhere: same values) and XXH64, the sole use of
 * libxxhash. */
#ifndef WEIR_BASE_HASH_H
#define WEIR_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Castagnoli, as in iSCSI: crc32c(0, "123456789", 9) = 0xe3069283. Running: pass the former result
 * as `seed`. */
uint32_t crc32c(uint32_t seed, const void *data, size_t size);
/* The same by tables alone, whatever the CPU has. */
uint32_t crc32c_tables(uint32_t seed, const void *data, size_t size);
uint64_t hash64(const void *data, size_t size, uint64_t seed);

#endif
