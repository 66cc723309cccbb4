/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events of ARM server cores, by their numbers in the architecture. Operations of the scalable
 * vector unit count as for vectors of 128 bit and are multiplied by the real length.
 */
#include "perf.h"

#define FIXED(code, to) \
	{ \
		.config = code, .feeds = { { to, 1 } } \
	}
#define EVENT(code, to) \
	{ \
		.config = code, .counters = 1, .feeds = { { to, 1 } } \
	}
#define FLOP(code, to, factor) \
	{ \
		.config = code, .counters = 1, .flags = PERF_FLOPS, .feeds = { { to, factor } } \
	}

#define MEMORY EVENT(0x03, L1D_REPLACEMENTS), EVENT(0x17, L2_MISSES)
#define ACCESS EVENT(0x70, LOADS), EVENT(0x71, STORES)

/* Instructions, not operations: how many lanes a vector instruction uses is not counted. */
static const struct perf_entry n1[] = {
	FIXED(0x11, CYCLES),
	EVENT(0x08, INSTRUCTIONS),
	FLOP(0x75, FLOPS, 1),
	FLOP(0x74, FLOPS, 2),
	EVENT(0x22, BRANCH_MISSES),
	EVENT(0x37, LLC_MISSES),
	EVENT(0x03, L1D_REPLACEMENTS),
	EVENT(0x21, BRANCHES),
	EVENT(0x17, L2_MISSES),
	ACCESS,
};

static const struct perf_entry v1[] = {
	FIXED(0x11, CYCLES),
	EVENT(0x08, INSTRUCTIONS),
	EVENT(0x4004, REFERENCE_CYCLES),
	FLOP(0x80c1, FLOPS, 1),
	FLOP(0x80c0, FLOPS, PERF_FACTOR_SVE),
	EVENT(0x22, BRANCH_MISSES),
	EVENT(0x37, LLC_MISSES),
	EVENT(0x21, BRANCHES),
	MEMORY,
	ACCESS,
};

static const struct perf_entry a64fx[] = {
	FIXED(0x11, CYCLES),
	EVENT(0x08, INSTRUCTIONS),
	FLOP(0x80c7, FLOPS_DP, 1),
	FLOP(0x80c6, FLOPS_DP, PERF_FACTOR_SVE),
	FLOP(0x80c5, FLOPS_SP, 1),
	FLOP(0x80c4, FLOPS_SP, PERF_FACTOR_SVE),
	EVENT(0x10, BRANCH_MISSES),
	EVENT(0x17, L2_MISSES),
	EVENT(0x12, BRANCHES),
	EVENT(0x03, L1D_REPLACEMENTS),
	ACCESS,
};

static const struct perf_part n1_parts[] = { PERF_PART(n1), { NULL, 0 } };
static const struct perf_part v1_parts[] = { PERF_PART(v1), { NULL, 0 } };
static const struct perf_part a64fx_parts[] = { PERF_PART(a64fx), { NULL, 0 } };

/* Beats of 32 bytes between the fabric and the socket's own memory. */
static const struct perf_traffic_event grace_data[] = {
	{ .alias = "cmem_rd_data", .column = READ_BYTES, .bytes = 32 },
	{ .alias = "cmem_wr_data", .column = WRITE_BYTES, .bytes = 32 },
};
static const struct perf_traffic grace_traffic[] = {
	{ .pmu = "nvidia_scf_pmu_",
		.counters = 4,
		.numbered = true,
		.event = grace_data,
		.n = WEIR_COUNT(grace_data) },
};
/* Counted by every core for the whole core memory group: one core of each is asked. */
static const struct perf_traffic_event a64fx_bus[] = {
	{ .event = 0x0316, .column = READ_BYTES, .bytes = 256 },
	{ .event = 0x031e, .column = WRITE_BYTES, .bytes = 256 },
};
static const struct perf_traffic a64fx_traffic[] = {
	{ .pmu = "armv8_pmuv3",
		.counters = 8,
		.core = true,
		.event = a64fx_bus,
		.n = WEIR_COUNT(a64fx_bus) },
};

#define CORE(title, pmu, with_smt, without, table) \
	.name = title, .pfm = pmu, .counters = with_smt, .counters_alone = without, .parts = table
#define TRAFFIC(table) .traffic = table, .n_traffic = WEIR_COUNT(table)

enum { N1, V1, N2, V2, A64FX, END };

/* Ends with a model without name. */
const struct perf_model perf_arm[] = {
	[N1] = { CORE("Neoverse N1", NULL, 6, 6, n1_parts), .estimated = true },
	[V1] = { CORE("Neoverse V1", NULL, 6, 6, v1_parts) },
	[N2] = { CORE("Neoverse N2", NULL, 6, 6, v1_parts) },
	[V2] = { CORE("Neoverse V2", NULL, 6, 6, v1_parts), TRAFFIC(grace_traffic) },
	[A64FX] = { CORE("A64FX", NULL, 8, 8, a64fx_parts), TRAFFIC(a64fx_traffic) },
	[END] = { .name = NULL },
};

const struct perf_model *
perf_arm_model(uint32_t implementer, uint32_t part)
{
	static const struct {
		uint16_t implementer, part, index;
	} known[] = {
		{ 0x41, 0xd0c, N1 },
		{ 0x41, 0xd40, V1 },
		{ 0x41, 0xd49, N2 },
		{ 0x41, 0xd4f, V2 },
		{ 0x46, 0x001, A64FX },
	};

	for (size_t i = 0; i < WEIR_COUNT(known); i++)
		if (known[i].implementer == implementer && known[i].part == part)
			return &perf_arm[known[i].index];
	return NULL;
}
