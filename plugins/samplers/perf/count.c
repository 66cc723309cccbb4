/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading groups and accounting intervals. When a group shared the counters with others in turn,
 * what it counted in the interval is scaled by the share of time that it had them; the scaled parts
 * are added up, so totals only grow, whatever the share does.
 */
#include "perf.h"

uint64_t
perf_scaled(uint64_t delta, uint64_t enabled, uint64_t running)
{
	if (running >= enabled || !running)
		return delta;
	return (uint64_t)((unsigned __int128)delta * enabled / running);
}

/*
 * Topdown metrics are fractions of 1/255 that the kernel multiplies by slots, so they may fall a
 * little: such a step counts nothing, and nothing again until the old value is passed. A difference
 * modulo 2^64 below 2^63 is a step forward.
 */
static void
advance(struct perf_count *count, uint64_t value, uint64_t enabled, uint64_t running)
{
	uint64_t delta = value - count->last;

	if (delta < UINT64_C(1) << 63) {
		count->total += perf_scaled(delta, enabled, running);
		count->last = value;
	}
	count->fresh = true;
}

/*
 * The interval of one group. A group that never ran keeps its base: the next interval that counts
 * spans this one too.
 */
static void
account(struct perf_clock *clock, struct perf_count *count, size_t n, const uint64_t *values,
	uint64_t enabled, uint64_t running)
{
	uint64_t ran = running - clock->running, lasted = enabled - clock->enabled;

	if (!ran)
		return;
	/* Values and ids take turns. Members lie in the order of their opening. */
	for (size_t i = 0; i < n; i++)
		if (values[2 * i + 1] == count[i].id)
			advance(&count[i], values[2 * i], lasted, ran);
	clock->enabled = enabled;
	clock->running = running;
}

bool
perf_place_read(struct perf *p, const struct perf_set *set, struct perf_place *place)
{
	uint64_t least = UINT64_MAX, longest = 0, data[3 + 2 * PERF_MEMBERS];

	place->scaled = false;
	for (size_t i = 0; i < set->n; i++)
		place->count[i].fresh = false;
	for (size_t g = 0; g < set->groups; g++) {
		size_t first = set->first[g], n = (size_t)set->first[g + 1] - first;
		struct perf_clock *clock = &place->clock[g];
		ssize_t size =
			p->system->read(p->system->closure, place->count[first].fd, data, sizeof(data));

		/*
		 * A CPU that went and came again in between has torn the group apart: its leader is alone,
		 * or time stands.
		 */
		if (size < (ssize_t)((3 + 2 * n) * sizeof(*data)) || data[0] != n ||
			(place->asked && data[1] == clock->seen_enabled))
			return false;
		uint64_t lasted = data[1] - clock->seen_enabled, ran = data[2] - clock->seen_running;

		account(clock, &place->count[first], n, data + 3, data[1], data[2]);
		clock->seen_enabled = data[1];
		clock->seen_running = data[2];
		place->scaled |= ran < lasted;
		least = ran < least ? ran : least;
		longest = lasted > longest ? lasted : longest;
	}
	place->enabled += longest;
	place->running += least < longest ? least : longest;
	place->asked = true;
	return true;
}

void
perf_sum(const struct perf_set *set, const struct perf_place *place, uint32_t sve,
	struct perf_sums *sums)
{
	uint16_t fed[PERF_COLUMNS] = { 0 };

	memset(sums, 0, sizeof(*sums));
	for (size_t i = 0; i < set->n; i++)
		for (size_t f = 0; place->count[i].fresh && f < WEIR_COUNT(set->event[i].feeds); f++) {
			struct perf_feed feed = set->event[i].feeds[f];

			sums->total[feed.column] +=
				place->count[i].total * (feed.factor == PERF_FACTOR_SVE ? sve : feed.factor);
			fed[feed.column]++;
		}
	for (size_t column = 1; column < PERF_COLUMNS; column++)
		sums->whole[column] = fed[column] && fed[column] == set->needed[column];
}
