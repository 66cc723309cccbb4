/* SPDX-License-Identifier: Apache-2.0 */
/* CRC32C by the CPU's own instruction or by eight tables, and XXH64. */
#include "base/hash.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/*
 * The CRC is linear: the entry of a byte is the exclusive or of the entries of its bits. Eight
 * numbers thus give a table of 256, spelt out by the preprocessor.
 */
#define BIT(value, bit, number) ((value) >> (bit)&1 ? (number) : 0u)
#define ENTRY(v, a, b, c, d, e, f, g, h) \
	(BIT(v, 0, a) ^ BIT(v, 1, b) ^ BIT(v, 2, c) ^ BIT(v, 3, d) ^ BIT(v, 4, e) ^ BIT(v, 5, f) ^ \
		BIT(v, 6, g) ^ BIT(v, 7, h))
#define FOUR(v, ...) \
	ENTRY(v, __VA_ARGS__), ENTRY(v + 1, __VA_ARGS__), ENTRY(v + 2, __VA_ARGS__), \
		ENTRY(v + 3, __VA_ARGS__)
#define SIXTEEN(v, ...) \
	FOUR(v, __VA_ARGS__), FOUR(v + 4, __VA_ARGS__), FOUR(v + 8, __VA_ARGS__), \
		FOUR(v + 12, __VA_ARGS__)
#define QUARTER(v, ...) \
	SIXTEEN(v, __VA_ARGS__), SIXTEEN(v + 16, __VA_ARGS__), SIXTEEN(v + 32, __VA_ARGS__), \
		SIXTEEN(v + 48, __VA_ARGS__)
#define TABLE(...) \
	{ \
		QUARTER(0, __VA_ARGS__), QUARTER(64, __VA_ARGS__), QUARTER(128, __VA_ARGS__), \
			QUARTER(192, __VA_ARGS__) \
	}

/* Row i: the CRC of a byte with i zero bytes behind it. */
static const uint32_t tables[8][256] = {
	TABLE(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc,
		0x82f63b78),
	TABLE(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604,
		0xfbc3faf9),
	TABLE(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9,
		0x8b277743),
	TABLE(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7,
		0x52a0c93f),
	TABLE(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557, 0x37516aae,
		0x6ea2d55c),
	TABLE(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d, 0x0e045beb,
		0x1c08b7d6),
	TABLE(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a,
		0xf56e0ef4),
	TABLE(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599, 0x1a00cb32,
		0x34019664),
};

uint32_t
crc32c_tables(uint32_t seed, const void *data, size_t size)
{
	const unsigned char *at = data;
	uint32_t crc = ~seed;
	for (; size >= 8; size -= 8, at += 8) {
		crc ^=
			(uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
		crc = tables[7][crc & 255] ^ tables[6][crc >> 8 & 255] ^ tables[5][crc >> 16 & 255] ^
			  tables[4][crc >> 24] ^ tables[3][at[4]] ^ tables[2][at[5]] ^ tables[1][at[6]] ^
			  tables[0][at[7]];
	}
	for (; size > 0; size--, at++)
		crc = crc >> 8 ^ tables[0][(crc ^ *at) & 255];
	return ~crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t
crc32c_sse42(uint32_t seed, const void *data, size_t size)
{
	const unsigned char *at = data;
	uint64_t crc = ~seed;
	for (; size >= 8; size -= 8, at += 8) {
		uint64_t word = 0;
		memcpy(&word, at, 8);
		crc = __builtin_ia32_crc32di(crc, word);
	}
	uint32_t rest = (uint32_t)crc;
	for (; size > 0; size--, at++)
		rest = __builtin_ia32_crc32qi(rest, *at);
	return ~rest;
}
#endif

uint32_t
crc32c(uint32_t seed, const void *data, size_t size)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		return crc32c_sse42(seed, data, size);
#endif
	return crc32c_tables(seed, data, size);
}

uint64_t
hash64(const void *data, size_t size, uint64_t seed)
{
	return XXH64(data, size, seed);
}
