/* SPDX-License-Identifier: Apache-2.0 */
/* CRC32C both ways against published values, and XXH64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/hash.h"

static void
check_crc(const void *data, size_t size, uint32_t expected)
{
	assert_int_equal(crc32c(0, data, size), expected);
	assert_int_equal(crc32c_tables(0, data, size), expected);
}

static void
crc_published(void **state)
{
	(void)state;
	unsigned char bytes[48];
	check_crc("123456789", 9, 0xe3069283);
	check_crc(NULL, 0, 0);
	check_crc("a", 1, 0xc1d04330);
	/* RFC 3720, B.4. */
	memset(bytes, 0, 32);
	check_crc(bytes, 32, 0x8a9136aa);
	memset(bytes, 0xff, 32);
	check_crc(bytes, 32, 0x62a8ab43);
	for (unsigned char i = 0; i < 32; i++)
		bytes[i] = i;
	check_crc(bytes, 32, 0x46dd794e);
	for (unsigned char i = 0; i < 32; i++)
		bytes[i] = (unsigned char)(31 - i);
	check_crc(bytes, 32, 0x113fdb5c);
	const unsigned char read_command[48] = {
		0x01,
		0xc0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0x14,
		0,
		0,
		0,
		0,
		0,
		0x04,
		0,
		0,
		0,
		0,
		0x14,
		0,
		0,
		0,
		0x18,
		0x28,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0x02,
	};
	check_crc(read_command, 48, 0xd9963a56);
}

/* Bit by bit, as the definition says. */
static uint32_t
crc_slow(const unsigned char *data, size_t size)
{
	uint32_t crc = 0xffffffff;
	for (size_t i = 0; i < size; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

static void
crc_all_lengths(void **state)
{
	(void)state;
	unsigned char bytes[300];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 131 + (i >> 3) * 17 + 7);
	for (size_t from = 0; from < 9; from++)
		for (size_t size = 0; size <= sizeof(bytes) - from; size++)
			check_crc(bytes + from, size, crc_slow(bytes + from, size));
	/* In two pieces, wherever cut. */
	uint32_t whole = crc_slow(bytes, sizeof(bytes));
	for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
		assert_int_equal(crc32c(crc32c(0, bytes, cut), bytes + cut, sizeof(bytes) - cut), whole);
		assert_int_equal(
			crc32c_tables(crc32c_tables(0, bytes, cut), bytes + cut, sizeof(bytes) - cut), whole);
	}
}

static void
crc_finds_each_bit(void **state)
{
	(void)state;
	unsigned char bytes[64] = { 1, 2, 3 };
	uint32_t whole = crc32c(0, bytes, sizeof(bytes));
	for (size_t bit = 0; bit < sizeof(bytes) * 8; bit++) {
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_int_not_equal(crc32c(0, bytes, sizeof(bytes)), whole);
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
}

static void
xxh64_published(void **state)
{
	(void)state;
	assert_true(hash64("", 0, 0) == UINT64_C(0xef46db3751d8e999));
	assert_true(hash64("a", 1, 0) == UINT64_C(0xd24ec4f1a98c6e5b));
	assert_true(hash64("abc", 3, 0) == UINT64_C(0x44bc2cf5ad770999));
	assert_true(
		hash64("Nobody inspects the spammish repetition", 39, 0) == UINT64_C(0xfbcea83c8a378bf1));
	assert_true(hash64("a", 1, 1) != hash64("a", 1, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc_published),
		cmocka_unit_test(crc_all_lengths),
		cmocka_unit_test(crc_finds_each_bit),
		cmocka_unit_test(xxh64_published),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
