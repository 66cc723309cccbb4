/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of CPU numbers as the kernel writes them: "0-3,8". */
#include "perf.h"

bool
perf_cpus_add(struct perf_cpus *cpus, const char *text, size_t length)
{
	struct weir_scan s = weir_scan(text, length);

	while (s.at < s.end) {
		uint64_t first = 0, last = 0;
		const char *digit = s.at;

		for (; s.at < s.end && (unsigned)(*s.at - '0') <= 9 && first < PERF_CPUS; s.at++)
			first = first * 10 + (uint64_t)(*s.at - '0');
		if (s.at == digit)
			return false;
		last = first;
		if (weir_scan_prefix(&s, "-")) {
			digit = s.at;
			last = 0;
			for (; s.at < s.end && (unsigned)(*s.at - '0') <= 9 && last < PERF_CPUS; s.at++)
				last = last * 10 + (uint64_t)(*s.at - '0');
			if (s.at == digit)
				return false;
		}
		if (first > last || last >= PERF_CPUS || (s.at < s.end && *s.at != ',' && *s.at != '\n'))
			return false;
		for (uint64_t cpu = first; cpu <= last; cpu++)
			cpus->word[cpu / 64] |= UINT64_C(1) << (cpu % 64);
		s.at += s.at < s.end;
	}
	return true;
}
