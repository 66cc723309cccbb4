/* SPDX-License-Identifier: Apache-2.0 */
/* Which CPU this is, and the events that the kernel itself maps for CPUs that no table knows. */
#include "perf.h"

/* Numbers of PERF_COUNT_HW_*; 0x10000 is the cache event: level-1 data, read, miss. */
#define EVENT(kind, number, to) \
	{ \
		.config = number, .source = kind, .counters = 1, .feeds = { { to, 1 } } \
	}
static const struct perf_entry generic[] = {
	EVENT(PERF_HARDWARE, 1, INSTRUCTIONS),
	EVENT(PERF_HARDWARE, 0, CYCLES),
	EVENT(PERF_HARDWARE, 9, REFERENCE_CYCLES),
	EVENT(PERF_HARDWARE, 5, BRANCH_MISSES),
	EVENT(PERF_HARDWARE, 3, LLC_MISSES),
	EVENT(PERF_HARDWARE, 4, BRANCHES),
	EVENT(PERF_HARDWARE, 2, LLC_REFERENCES),
	EVENT(PERF_CACHE, 0x10000, L1D_REPLACEMENTS),
};
static const struct perf_part generic_parts[] = { PERF_PART(generic), { NULL, 0 } };

const struct perf_model perf_generic = {
	.name = "unknown CPU",
	.counters = 4,
	.counters_alone = 4,
	.parts = generic_parts,
	.no_flops = "the kernel's general events have none that counts floating-point operations",
};

/* "model		: 85": the value when the line has this key. */
static bool
value_of(struct weir_scan line, const char *key, struct weir_scan *value)
{
	if (!weir_scan_prefix(&line, key))
		return false;
	weir_scan_blanks(&line);
	if (!weir_scan_prefix(&line, ":"))
		return false;
	weir_scan_blanks(&line);
	*value = line;
	return true;
}

static uint32_t
number(struct weir_scan value)
{
	uint64_t n = 0;
	bool hex = weir_scan_left(&value) > 2 && value.at[0] == '0' && value.at[1] == 'x';

	if (!(hex ? weir_scan_hex(&value, &n) : weir_scan_u64(&value, &n)) || n > UINT32_MAX)
		return UINT32_MAX;
	return (uint32_t)n;
}

struct perf_processor
perf_processor(const char *text, size_t length)
{
	struct perf_processor p = { PERF_OTHER, UINT32_MAX, UINT32_MAX, 0 };
	struct weir_scan s = weir_scan(text, length), line, value;

	/* The first processor tells for all: an empty line ends it. */
	while (weir_scan_line(&s, &line) && weir_scan_left(&line)) {
		if (value_of(line, "vendor_id", &value)) {
			p.vendor =
				weir_scan_is(&value, "GenuineIntel") ? PERF_INTEL
				: weir_scan_is(&value, "AuthenticAMD") || weir_scan_is(&value, "HygonGenuine")
					? PERF_AMD
					: PERF_OTHER;
		} else if (value_of(line, "CPU implementer", &value)) {
			p.vendor = PERF_ARM;
			p.family = number(value);
		} else if (value_of(line, "cpu family", &value)) {
			p.family = number(value);
		} else if (value_of(line, "model", &value) || value_of(line, "CPU part", &value)) {
			p.model = number(value);
		} else if (value_of(line, "stepping", &value)) {
			p.stepping = number(value);
		}
	}
	return p;
}

const struct perf_model *
perf_model(const struct perf_processor *p)
{
	const struct perf_model *model = p->vendor == PERF_INTEL
										 ? perf_intel_model(p->family, p->model, p->stepping)
									 : p->vendor == PERF_AMD ? perf_amd_model(p->family, p->model)
									 : p->vendor == PERF_ARM ? perf_arm_model(p->family, p->model)
															 : NULL;

	return model ? model : &perf_generic;
}
