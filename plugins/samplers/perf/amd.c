/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events of AMD Zen cores and of what lies between them and memory. There are six counters and no
 * fixed ones. Event 3 (floating point) counts a multiply-add as two and adds more than 15 at once,
 * for which family 17h joins two counters.
 */
#include "perf.h"

#define EVENT(n, code, to) \
	{ \
		.name = n, .config = code, .counters = 1, .feeds = { { to, 1 } } \
	}
#define FLOP(n, code, width, to) \
	{ \
		.name = n, .config = code, .counters = width, .flags = PERF_FLOPS, .feeds = { { to, 1 } } \
	}

#define BASE \
	EVENT("RETIRED_INSTRUCTIONS", 0xc0, INSTRUCTIONS), EVENT("CYCLES_NOT_IN_HALT", 0x76, CYCLES)
/*
 * MPERF runs with the time stamp counter while the core is not halted; it is a register of its own.
 */
#define MPERF \
	{ \
		.config = 2, .source = PERF_MSR, .feeds = { { REFERENCE_CYCLES, 1 } } \
	}
#define FIRST \
	EVENT("RETIRED_BRANCH_INSTRUCTIONS_MISPREDICTED", 0xc3, BRANCH_MISSES), \
		EVENT("CORE_TO_L2_CACHEABLE_REQUEST_ACCESS_STATUS:LS_RD_BLK_C", 0x0864, L2_MISSES)
#define SECOND \
	EVENT("RETIRED_BRANCH_INSTRUCTIONS", 0xc2, BRANCHES), \
		EVENT("LS_DISPATCH:LD_DISPATCH", 0x0129, LOADS), \
		EVENT("LS_DISPATCH:STORE_DISPATCH", 0x0229, STORES)

static const struct perf_entry zen1[] = {
	BASE,
	MPERF,
	FLOP("RETIRED_SSE_AVX_OPERATIONS:DP_MULT_ADD_FLOPS:DP_DIV_FLOPS:DP_MULT_FLOPS:DP_ADD_SUB_FLOPS",
		0xf003, 2, FLOPS_DP),
	FLOP("RETIRED_SSE_AVX_OPERATIONS:SP_MULT_ADD_FLOPS:SP_DIV_FLOPS:SP_MULT_FLOPS:SP_ADD_SUB_FLOPS",
		0x0f03, 2, FLOPS_SP),
	FIRST,
	SECOND,
};

static const struct perf_entry zen2[] = {
	BASE,
	MPERF,
	FLOP("RETIRED_SSE_AVX_FLOPS:ANY", 0x0f03, 2, FLOPS),
	FIRST,
	SECOND,
	EVENT("DATA_CACHE_REFILLS_FROM_SYSTEM:LS_MABRESP_LCL_DRAM:LS_MABRESP_RMT_DRAM", 0x4843,
		LLC_MISSES),
};

static const struct perf_entry zen3[] = {
	BASE,
	MPERF,
	FLOP("RETIRED_SSE_AVX_FLOPS:ANY", 0x0f03, 1, FLOPS),
	FIRST,
	EVENT("ANY_DATA_CACHE_FILLS_FROM_SYSTEM:MEM_IO_LCL:MEM_IO_RMT", 0x4844, LLC_MISSES),
	SECOND,
};

static const struct perf_entry zen4[] = {
	BASE,
	FLOP("RETIRED_SSE_AVX_FLOPS:ANY", 0x1f03, 1, FLOPS),
	FIRST,
	EVENT("ANY_DATA_CACHE_FILLS_FROM_SYSTEM:DRAM_IO_NEAR:DRAM_IO_FAR", 0x4844, LLC_MISSES),
	SECOND,
	EVENT("P0_FREQ_CYCLES_NOT_IN_HALT:P0_FREQ_CYCLES", 0x100000120, REFERENCE_CYCLES),
};

static const struct perf_entry zen5[] = {
	EVENT(NULL, 0xc0, INSTRUCTIONS),
	EVENT(NULL, 0x76, CYCLES),
	FLOP(NULL, 0x0f03, 1, FLOPS),
	EVENT(NULL, 0xc3, BRANCH_MISSES),
	EVENT(NULL, 0x0864, L2_MISSES),
	EVENT(NULL, 0x4844, LLC_MISSES),
	EVENT(NULL, 0xc2, BRANCHES),
	EVENT(NULL, 0x0129, LOADS),
	EVENT(NULL, 0x0229, STORES),
	EVENT(NULL, 0x100000120, REFERENCE_CYCLES),
};

static const struct perf_part zen1_parts[] = { PERF_PART(zen1), { NULL, 0 } };
static const struct perf_part zen2_parts[] = { PERF_PART(zen2), { NULL, 0 } };
static const struct perf_part zen3_parts[] = { PERF_PART(zen3), { NULL, 0 } };
static const struct perf_part zen4_parts[] = { PERF_PART(zen4), { NULL, 0 } };
static const struct perf_part zen5_parts[] = { PERF_PART(zen5), { NULL, 0 } };

/*
 * Reads and writes together, an event for each of eight channels; the data fabric has four
 * counters.
 */
static const struct perf_traffic_event zen1_fabric[] = {
	{ .mask_name = "umask",
		.event = 0x07,
		.mask = 0x38,
		.column = TOTAL_BYTES,
		.bytes = 64,
		.channels = 8,
		.step = 0x40 },
};
static const struct perf_traffic_event zen4_fabric[] = {
	{ .mask_name = "umask",
		.event = 0x1f,
		.mask = 0x7fe,
		.column = READ_BYTES,
		.bytes = 64,
		.channels = 12,
		.step = 0x40 },
	{ .mask_name = "umask",
		.event = 0x1f,
		.mask = 0x7ff,
		.column = WRITE_BYTES,
		.bytes = 64,
		.channels = 12,
		.step = 0x40 },
};
static const struct perf_traffic_event zen5_fabric[] = {
	{ .mask_name = "umask",
		.event = 0x1f,
		.mask = 0xffe,
		.column = READ_BYTES,
		.bytes = 64,
		.channels = 12,
		.step = 0x40 },
	{ .mask_name = "umask",
		.event = 0x1f,
		.mask = 0xfff,
		.column = WRITE_BYTES,
		.bytes = 64,
		.channels = 12,
		.step = 0x40 },
};
static const struct perf_traffic_event controller[] = {
	{ .mask_name = "rdwrmask", .event = 0x0a, .mask = 1, .column = READ_BYTES, .bytes = 64 },
	{ .mask_name = "rdwrmask", .event = 0x0a, .mask = 2, .column = WRITE_BYTES, .bytes = 64 },
};

#define CONTROLLER \
	{ \
		.pmu = "amd_umc_", .counters = 4, .numbered = true, .event = controller, \
		.n = WEIR_COUNT(controller) \
	}
/*
 * Of the sixteen counters of newer fabrics twelve are used at a time: then reads and writes are a
 * group each.
 */
#define FABRIC(table, size) \
	{ \
		.pmu = "amd_df", .counters = size, .otherwise = true, .event = table, \
		.n = WEIR_COUNT(table) \
	}
static const struct perf_traffic zen1_traffic[] = { FABRIC(zen1_fabric, 4) };
static const struct perf_traffic zen4_traffic[] = { CONTROLLER, FABRIC(zen4_fabric, 12) };
static const struct perf_traffic zen5_traffic[] = { CONTROLLER, FABRIC(zen5_fabric, 12) };

#define CORE(title, pmu, with_smt, without, table) \
	.name = title, .pfm = pmu, .counters = with_smt, .counters_alone = without, .parts = table
#define TRAFFIC(table) .traffic = table, .n_traffic = WEIR_COUNT(table)

enum { ZEN1, ZEN2, ZEN3, ZEN4, ZEN5, END };

/* Ends with a model without name. */
const struct perf_model perf_amd[] = {
	[ZEN1] = { CORE("Zen 1", "amd64_fam17h_zen1", 6, 6, zen1_parts), TRAFFIC(zen1_traffic) },
	[ZEN2] = { CORE("Zen 2", "amd64_fam17h_zen2", 6, 6, zen2_parts), TRAFFIC(zen1_traffic) },
	[ZEN3] = { CORE("Zen 3", "amd64_fam19h_zen3", 6, 6, zen3_parts), TRAFFIC(zen1_traffic) },
	[ZEN4] = { CORE("Zen 4", "amd64_fam19h_zen4", 6, 6, zen4_parts), TRAFFIC(zen4_traffic) },
	[ZEN5] = { CORE("Zen 5", NULL, 6, 6, zen5_parts), TRAFFIC(zen5_traffic) },
	[END] = { .name = NULL },
};

/* Hygon's family 18h is Zen 1. */
const struct perf_model *
perf_amd_model(uint32_t family, uint32_t model)
{
	switch (family) {
	case 0x17:
		return &perf_amd[model < 0x30 ? ZEN1 : ZEN2];
	case 0x18:
		return &perf_amd[ZEN1];
	case 0x19:
		return &perf_amd[(model >= 0x10 && model < 0x20) || (model >= 0x60 && model < 0x80) ||
								 (model >= 0xa0 && model < 0xb0)
							 ? ZEN4
							 : ZEN3];
	case 0x1a:
		return &perf_amd[ZEN5];
	default:
		return NULL;
	}
}
