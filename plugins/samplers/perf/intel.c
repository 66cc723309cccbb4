/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events of Intel cores and their memory controllers. Where a name is left out although libpfm has
 * one, the name is wrong: libpfm 4.13 encodes the last-level cache events of Sandy Bridge as 0x012e
 * and 0x022e, and the topdown umasks of Ice Lake and newer as umasks of event 0, where they count
 * cycles or slots.
 */
#include "perf.h"

#define FIXED(n, code, to) \
	{ \
		.name = n, .config = code, .feeds = { { to, 1 } } \
	}
#define GENERAL(n, code, to) \
	{ \
		.name = n, .config = code, .counters = 1, .feeds = { { to, 1 } } \
	}
#define FLOP(n, code, to, sum, factor) \
	{ \
		.name = n, .config = code, .counters = 1, .flags = PERF_FLOPS, .feeds = { \
			{ to, 1 }, \
			{ sum, factor } \
		} \
	}
#define METRIC(code, to) \
	{ \
		.config = code, .flags = PERF_METRIC, .feeds = { { to, 1 } } \
	}

static const struct perf_entry fixed[] = {
	FIXED("INSTRUCTION_RETIRED", 0xc0, INSTRUCTIONS),
	FIXED("UNHALTED_CORE_CYCLES", 0x3c, CYCLES),
	FIXED("UNHALTED_REFERENCE_CYCLES", 0x300, REFERENCE_CYCLES),
};

/*
 * The codes of the metrics are the kernel's invention (event 0, umask from 0x80): one register
 * holds them all.
 */
static const struct perf_entry topdown[] = {
	{ .name = "TOPDOWN:SLOTS", .config = 0x400, .flags = PERF_SLOTS, .feeds = { { SLOTS, 1 } } },
	METRIC(0x8000, TD_RETIRING),
	METRIC(0x8100, TD_BAD_SPECULATION),
	METRIC(0x8200, TD_FRONTEND_BOUND),
	METRIC(0x8300, TD_BACKEND_BOUND),
};

static const struct perf_entry topdown_memory[] = {
	METRIC(0x8700, TD_MEMORY_BOUND),
};

static const struct perf_entry snb_flops[] = {
	FLOP("FP_COMP_OPS_EXE:SSE_SCALAR_DOUBLE", 0x8010, FP_SCALAR_DP, FLOPS_DP, 1),
	FLOP("FP_COMP_OPS_EXE:SSE_FP_PACKED_DOUBLE", 0x1010, FP_128_DP, FLOPS_DP, 2),
	FLOP("SIMD_FP_256:PACKED_DOUBLE", 0x0211, FP_256_DP, FLOPS_DP, 4),
	FLOP("FP_COMP_OPS_EXE:SSE_FP_SCALAR_SINGLE", 0x2010, FP_SCALAR_SP, FLOPS_SP, 1),
	FLOP("FP_COMP_OPS_EXE:SSE_PACKED_SINGLE", 0x4010, FP_128_SP, FLOPS_SP, 4),
	FLOP("SIMD_FP_256:PACKED_SINGLE", 0x0111, FP_256_SP, FLOPS_SP, 8),
};

/* FP_ARITH counts a fused multiply-add twice already: no factor for it. */
static const struct perf_entry bdw_flops[] = {
	FLOP("FP_ARITH_INST_RETIRED:SCALAR_DOUBLE", 0x01c7, FP_SCALAR_DP, FLOPS_DP, 1),
	FLOP("FP_ARITH_INST_RETIRED:128B_PACKED_DOUBLE", 0x04c7, FP_128_DP, FLOPS_DP, 2),
	FLOP("FP_ARITH_INST_RETIRED:256B_PACKED_DOUBLE", 0x10c7, FP_256_DP, FLOPS_DP, 4),
	FLOP("FP_ARITH_INST_RETIRED:SCALAR_SINGLE", 0x02c7, FP_SCALAR_SP, FLOPS_SP, 1),
	FLOP("FP_ARITH_INST_RETIRED:128B_PACKED_SINGLE", 0x08c7, FP_128_SP, FLOPS_SP, 4),
	FLOP("FP_ARITH_INST_RETIRED:256B_PACKED_SINGLE", 0x20c7, FP_256_SP, FLOPS_SP, 8),
};

static const struct perf_entry skx_flops[] = {
	FLOP("FP_ARITH_INST_RETIRED:SCALAR_DOUBLE", 0x01c7, FP_SCALAR_DP, FLOPS_DP, 1),
	FLOP("FP_ARITH_INST_RETIRED:128B_PACKED_DOUBLE", 0x04c7, FP_128_DP, FLOPS_DP, 2),
	FLOP("FP_ARITH_INST_RETIRED:256B_PACKED_DOUBLE", 0x10c7, FP_256_DP, FLOPS_DP, 4),
	FLOP("FP_ARITH_INST_RETIRED:512B_PACKED_DOUBLE", 0x40c7, FP_512_DP, FLOPS_DP, 8),
	FLOP("FP_ARITH_INST_RETIRED:SCALAR_SINGLE", 0x02c7, FP_SCALAR_SP, FLOPS_SP, 1),
	FLOP("FP_ARITH_INST_RETIRED:128B_PACKED_SINGLE", 0x08c7, FP_128_SP, FLOPS_SP, 4),
	FLOP("FP_ARITH_INST_RETIRED:256B_PACKED_SINGLE", 0x20c7, FP_256_SP, FLOPS_SP, 8),
	FLOP("FP_ARITH_INST_RETIRED:512B_PACKED_SINGLE", 0x80c7, FP_512_SP, FLOPS_SP, 16),
};

/* What fills a group of four comes first: branch misses, cache misses, loads. */
static const struct perf_entry snb_general[] = {
	GENERAL("BR_MISP_RETIRED:ALL_BRANCHES", 0x4c5, BRANCH_MISSES),
	GENERAL(NULL, 0x412e, LLC_MISSES),
	GENERAL("L1D:REPLACEMENT", 0x0151, L1D_REPLACEMENTS),
	GENERAL("MEM_UOPS_RETIRED:ALL_LOADS", 0x81d0, LOADS),
	GENERAL("BR_INST_RETIRED:ALL_BRANCHES", 0x4c4, BRANCHES),
	GENERAL(NULL, 0x4f2e, LLC_REFERENCES),
	GENERAL("L2_LINES_IN:ANY", 0x07f1, L2_MISSES),
	GENERAL("MEM_UOPS_RETIRED:ALL_STORES", 0x82d0, STORES),
};

static const struct perf_entry ivb_general[] = {
	GENERAL("BR_MISP_RETIRED:ALL_BRANCHES", 0xc5, BRANCH_MISSES),
	GENERAL(NULL, 0x412e, LLC_MISSES),
	GENERAL("L1D:REPLACEMENT", 0x0151, L1D_REPLACEMENTS),
	GENERAL("MEM_UOPS_RETIRED:ALL_LOADS", 0x81d0, LOADS),
	GENERAL("BR_INST_RETIRED:ALL_BRANCHES", 0xc4, BRANCHES),
	GENERAL(NULL, 0x4f2e, LLC_REFERENCES),
	GENERAL("L2_LINES_IN:ANY", 0x07f1, L2_MISSES),
	GENERAL("MEM_UOPS_RETIRED:ALL_STORES", 0x82d0, STORES),
};

static const struct perf_entry hsw_general[] = {
	GENERAL("BR_MISP_RETIRED:ALL_BRANCHES", 0xc5, BRANCH_MISSES),
	GENERAL("LONGEST_LAT_CACHE:MISS", 0x412e, LLC_MISSES),
	GENERAL("L1D:REPLACEMENT", 0x0151, L1D_REPLACEMENTS),
	GENERAL("MEM_UOPS_RETIRED:ALL_LOADS", 0x81d0, LOADS),
	GENERAL("BR_INST_RETIRED:ALL_BRANCHES", 0xc4, BRANCHES),
	GENERAL("LONGEST_LAT_CACHE:REFERENCE", 0x4f2e, LLC_REFERENCES),
	GENERAL("L2_RQSTS:MISS", 0x3f24, L2_MISSES),
	GENERAL("MEM_UOPS_RETIRED:ALL_STORES", 0x82d0, STORES),
};

static const struct perf_entry skx_general[] = {
	GENERAL("BR_MISP_RETIRED:ALL_BRANCHES", 0xc5, BRANCH_MISSES),
	GENERAL("LONGEST_LAT_CACHE:MISS", 0x412e, LLC_MISSES),
	GENERAL("L1D:REPLACEMENT", 0x0151, L1D_REPLACEMENTS),
	GENERAL("MEM_INST_RETIRED:ALL_LOADS", 0x81d0, LOADS),
	GENERAL("BR_INST_RETIRED:ALL_BRANCHES", 0xc4, BRANCHES),
	GENERAL("LONGEST_LAT_CACHE:REFERENCE", 0x4f2e, LLC_REFERENCES),
	GENERAL("L2_RQSTS:MISS", 0x3f24, L2_MISSES),
	GENERAL("MEM_INST_RETIRED:ALL_STORES", 0x82d0, STORES),
};

static const struct perf_entry icx_general[] = {
	GENERAL("BR_MISP_RETIRED:ALL_BRANCHES", 0xc5, BRANCH_MISSES),
	GENERAL("LONGEST_LAT_CACHE:MISS", 0x412e, LLC_MISSES),
	GENERAL("L1D:REPLACEMENT", 0x0151, L1D_REPLACEMENTS),
	GENERAL("MEM_INST_RETIRED:ALL_LOADS", 0x81d0, LOADS),
	GENERAL("BR_INST_RETIRED:ALL_BRANCHES", 0xc4, BRANCHES),
	GENERAL(NULL, 0x4f2e, LLC_REFERENCES),
	GENERAL(NULL, 0x3f24, L2_MISSES),
	GENERAL("MEM_INST_RETIRED:ALL_STORES", 0x82d0, STORES),
};

static const struct perf_entry spr_general[] = {
	GENERAL("BR_MISP_RETIRED:ALL_BRANCHES", 0xc5, BRANCH_MISSES),
	GENERAL("LONGEST_LAT_CACHE:MISS", 0x412e, LLC_MISSES),
	GENERAL("L1D:REPLACEMENT", 0x0151, L1D_REPLACEMENTS),
	GENERAL("MEM_INST_RETIRED:ALL_LOADS", 0x81d0, LOADS),
	GENERAL("BR_INST_RETIRED:ALL_BRANCHES", 0xc4, BRANCHES),
	GENERAL("LONGEST_LAT_CACHE:REFERENCE", 0x4f2e, LLC_REFERENCES),
	GENERAL(NULL, 0x3f24, L2_MISSES),
	GENERAL("MEM_INST_RETIRED:ALL_STORES", 0x82d0, STORES),
};

static const struct perf_entry efficiency_general[] = {
	GENERAL(NULL, 0xc4, BRANCHES),
	GENERAL(NULL, 0x4f2e, LLC_REFERENCES),
	GENERAL(NULL, 0x412e, LLC_MISSES),
};

static const struct perf_part snb_parts[] = { PERF_PART(fixed), PERF_PART(snb_flops),
	PERF_PART(snb_general), { NULL, 0 } };
static const struct perf_part ivb_parts[] = { PERF_PART(fixed), PERF_PART(snb_flops),
	PERF_PART(ivb_general), { NULL, 0 } };
static const struct perf_part hsw_parts[] = { PERF_PART(fixed), PERF_PART(hsw_general),
	{ NULL, 0 } };
static const struct perf_part bdw_parts[] = { PERF_PART(fixed), PERF_PART(bdw_flops),
	PERF_PART(hsw_general), { NULL, 0 } };
static const struct perf_part skl_parts[] = { PERF_PART(fixed), PERF_PART(bdw_flops),
	PERF_PART(skx_general), { NULL, 0 } };
static const struct perf_part skx_parts[] = { PERF_PART(fixed), PERF_PART(skx_flops),
	PERF_PART(skx_general), { NULL, 0 } };
static const struct perf_part icx_parts[] = {
	PERF_PART(topdown),
	PERF_PART(fixed),
	PERF_PART(skx_flops),
	PERF_PART(icx_general),
	{ NULL, 0 },
};
static const struct perf_part spr_parts[] = {
	PERF_PART(topdown),
	PERF_PART(topdown_memory),
	PERF_PART(fixed),
	PERF_PART(skx_flops),
	PERF_PART(spr_general),
	{ NULL, 0 },
};
/* Golden Cove and its successors in clients: AVX-512 is fused off. */
static const struct perf_part client_parts[] = {
	PERF_PART(topdown),
	PERF_PART(topdown_memory),
	PERF_PART(fixed),
	PERF_PART(bdw_flops),
	PERF_PART(spr_general),
	{ NULL, 0 },
};
static const struct perf_part efficiency_parts[] = { PERF_PART(fixed),
	PERF_PART(efficiency_general), { NULL, 0 } };

/* One cache line a CAS command. */
static const struct perf_traffic_event snb_cas[] = {
	{ .mask_name = "umask", .event = 0x04, .mask = 0x03, .column = READ_BYTES, .bytes = 64 },
	{ .mask_name = "umask", .event = 0x04, .mask = 0x0c, .column = WRITE_BYTES, .bytes = 64 },
};
/*
 * The kernel's cas_count_* had the masks of Cascade Lake until 5.18, with which writes read near
 * zero.
 */
static const struct perf_traffic_event icx_cas[] = {
	{ .mask_name = "umask", .event = 0x04, .mask = 0x0f, .column = READ_BYTES, .bytes = 64 },
	{ .mask_name = "umask", .event = 0x04, .mask = 0x30, .column = WRITE_BYTES, .bytes = 64 },
};
static const struct perf_traffic_event spr_cas[] = {
	{ .mask_name = "umask", .event = 0x05, .mask = 0xcf, .column = READ_BYTES, .bytes = 64 },
	{ .mask_name = "umask", .event = 0x05, .mask = 0xf0, .column = WRITE_BYTES, .bytes = 64 },
};
/* Two subchannels, an event each. */
static const struct perf_traffic_event gnr_cas[] = {
	{ .mask_name = "umask",
		.event = 0x05,
		.mask = 0xcf,
		.column = READ_BYTES,
		.bytes = 64,
		.channels = 2,
		.step = 1 },
	{ .mask_name = "umask",
		.event = 0x05,
		.mask = 0xf0,
		.column = WRITE_BYTES,
		.bytes = 64,
		.channels = 2,
		.step = 1 },
};
static const struct perf_traffic_event knl_cas[] = {
	{ .mask_name = "umask", .event = 0x03, .mask = 0x01, .column = READ_BYTES, .bytes = 64 },
	{ .mask_name = "umask", .event = 0x03, .mask = 0x02, .column = WRITE_BYTES, .bytes = 64 },
};
/* Inserts into the queues of the on-package memory. */
static const struct perf_traffic_event knl_queue[] = {
	{ .mask_name = "umask", .event = 0x01, .mask = 0x01, .column = READ_BYTES, .bytes = 64 },
	{ .mask_name = "umask", .event = 0x02, .mask = 0x01, .column = WRITE_BYTES, .bytes = 64 },
};
static const struct perf_traffic_event client_data[] = {
	{ .alias = "data_read", .column = READ_BYTES, .bytes = 64 },
	{ .alias = "data_write", .column = WRITE_BYTES, .bytes = 64 },
};

#define MEMORY(prefix, table) \
	{ \
		.pmu = prefix, .counters = 4, .numbered = true, .event = table, .n = WEIR_COUNT(table) \
	}
static const struct perf_traffic snb_traffic[] = { MEMORY("uncore_imc_", snb_cas) };
static const struct perf_traffic icx_traffic[] = { MEMORY("uncore_imc_", icx_cas) };
static const struct perf_traffic spr_traffic[] = { MEMORY("uncore_imc_", spr_cas),
	MEMORY("uncore_hbm_", spr_cas) };
static const struct perf_traffic gnr_traffic[] = { MEMORY("uncore_imc_", gnr_cas) };
static const struct perf_traffic knl_traffic[] = {
	MEMORY("uncore_imc_", knl_cas),
	MEMORY("uncore_edc_eclk_", knl_queue),
};
static const struct perf_traffic client_traffic[] = { MEMORY(
	"uncore_imc_free_running_", client_data) };

#define CORE(title, pmu, with_smt, without, table) \
	.name = title, .pfm = pmu, .counters = with_smt, .counters_alone = without, .parts = table
#define TRAFFIC(table) .traffic = table, .n_traffic = WEIR_COUNT(table)
#define HASWELL "Haswell has no event that counts floating-point operations"

enum {
	SNB,
	SNB_EP,
	IVB,
	IVB_EP,
	HSW,
	HSW_EP,
	BDW,
	BDW_EP,
	SKL,
	SKX,
	CLX,
	ICL,
	ICX,
	SPR,
	EMR,
	GNR,
	SRF,
	HYBRID,
	KNL,
	KNM,
	END
};

/* Ends with a model without name. */
const struct perf_model perf_intel[] = {
	[SNB] = { CORE("Sandy Bridge", "snb", 4, 8, snb_parts), .estimated = true },
	[SNB_EP] = { CORE("Sandy Bridge-EP", "snb_ep", 4, 8, snb_parts), .estimated = true,
		TRAFFIC(snb_traffic) },
	[IVB] = { CORE("Ivy Bridge", "ivb", 4, 8, ivb_parts), .estimated = true },
	[IVB_EP] = { CORE("Ivy Bridge-EP", "ivb_ep", 4, 8, ivb_parts), .estimated = true,
		TRAFFIC(snb_traffic) },
	[HSW] = { CORE("Haswell", "hsw", 4, 8, hsw_parts), .no_flops = HASWELL },
	[HSW_EP] = { CORE("Haswell-EP", "hsw_ep", 4, 8, hsw_parts), .no_flops = HASWELL,
		TRAFFIC(snb_traffic) },
	[BDW] = { CORE("Broadwell", "bdw", 4, 8, bdw_parts) },
	[BDW_EP] = { CORE("Broadwell-EP", "bdw_ep", 4, 8, bdw_parts), TRAFFIC(snb_traffic) },
	[SKL] = { CORE("Skylake", "skl", 4, 8, skl_parts) },
	[SKX] = { CORE("Skylake-SP", "skx", 4, 8, skx_parts), TRAFFIC(snb_traffic) },
	[CLX] = { CORE("Cascade Lake-SP", "clx", 4, 8, skx_parts), TRAFFIC(snb_traffic) },
	[ICL] = { CORE("Ice Lake", "icl", 8, 8, icx_parts), TRAFFIC(client_traffic) },
	[ICX] = { CORE("Ice Lake-SP", "icx", 8, 8, icx_parts), TRAFFIC(icx_traffic) },
	[SPR] = { CORE("Sapphire Rapids", "spr", 8, 8, spr_parts), TRAFFIC(spr_traffic) },
	[EMR] = { CORE("Emerald Rapids", "emr", 8, 8, spr_parts), TRAFFIC(spr_traffic) },
	[GNR] = { CORE("Granite Rapids", "gnr", 8, 8, spr_parts), TRAFFIC(gnr_traffic) },
	[SRF] = { CORE("Sierra Forest", NULL, 6, 6, efficiency_parts), TRAFFIC(gnr_traffic) },
	[HYBRID] = { CORE("Alder Lake or newer client", NULL, 8, 8, client_parts),
		TRAFFIC(client_traffic) },
	[KNL] = { CORE("Knights Landing", NULL, 2, 2, NULL), TRAFFIC(knl_traffic) },
	[KNM] = { CORE("Knights Mill", NULL, 2, 2, NULL), TRAFFIC(knl_traffic) },
	[END] = { .name = NULL },
};

const struct perf_model perf_efficiency_core = { CORE(
	"efficiency core", NULL, 6, 6, efficiency_parts) };

/* Models of family 6. */
static const struct {
	uint8_t model, stepping, index; /* from this stepping on; the last line that fits counts */
} known[] = {
	{ 0x2a, 0, SNB },
	{ 0x2d, 0, SNB_EP },
	{ 0x3a, 0, IVB },
	{ 0x3e, 0, IVB_EP },
	{ 0x3c, 0, HSW },
	{ 0x45, 0, HSW },
	{ 0x46, 0, HSW },
	{ 0x3f, 0, HSW_EP },
	{ 0x3d, 0, BDW },
	{ 0x47, 0, BDW },
	{ 0x4f, 0, BDW_EP },
	{ 0x56, 0, BDW_EP },
	{ 0x4e, 0, SKL },
	{ 0x5e, 0, SKL },
	{ 0x8e, 0, SKL },
	{ 0x9e, 0, SKL },
	{ 0xa5, 0, SKL },
	{ 0xa6, 0, SKL },
	{ 0x55, 0, SKX },
	{ 0x55, 5, CLX },
	{ 0x7d, 0, ICL },
	{ 0x7e, 0, ICL },
	{ 0x8c, 0, ICL },
	{ 0x8d, 0, ICL },
	{ 0xa7, 0, ICL },
	{ 0x6a, 0, ICX },
	{ 0x6c, 0, ICX },
	{ 0x8f, 0, SPR },
	{ 0xcf, 0, EMR },
	{ 0xad, 0, GNR },
	{ 0xae, 0, GNR },
	{ 0xaf, 0, SRF },
	{ 0x97, 0, HYBRID },
	{ 0x9a, 0, HYBRID },
	{ 0xb7, 0, HYBRID },
	{ 0xba, 0, HYBRID },
	{ 0xbf, 0, HYBRID },
	{ 0xaa, 0, HYBRID },
	{ 0xac, 0, HYBRID },
	{ 0xb5, 0, HYBRID },
	{ 0xbd, 0, HYBRID },
	{ 0xc5, 0, HYBRID },
	{ 0xc6, 0, HYBRID },
	{ 0x57, 0, KNL },
	{ 0x85, 0, KNM },
};

const struct perf_model *
perf_intel_model(uint32_t family, uint32_t model, uint32_t stepping)
{
	const struct perf_model *found = NULL;

	for (size_t i = 0; family == 6 && i < WEIR_COUNT(known); i++)
		if (known[i].model == model && stepping >= known[i].stepping)
			found = &perf_intel[known[i].index];
	return found;
}
