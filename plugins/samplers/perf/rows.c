/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a place: one of `perf` or `perf_uncore`, or one of `perf_event` for each event. */
#include "perf.h"

#include <errno.h>

/* A place that cannot be read is opened anew at the next tick. */
static bool
read_place(struct perf *p, struct perf_set *set, struct perf_place *place)
{
	if (!place->open)
		return false;
	if (perf_place_read(p, set, place))
		return true;
	perf_place_close(p, set, place);
	return false;
}

static size_t
owner_row(struct perf_place *place, struct weir_out *out, const char *owner)
{
	struct weir_row *row = weir_row(out, SCHEMA_PERF);

	weir_set_u64(row, CPU, place->cpu);
	weir_set_text(row, OWNER, owner);
	return 1;
}

static size_t
core_row(struct perf *p, struct perf_set *set, struct perf_place *place, struct weir_out *out)
{
	if (p->yielded)
		return owner_row(place, out, p->owner);
	if (!read_place(p, set, place))
		return place->error == -EBUSY
				   ? owner_row(place, out, "another user of the PMU has the counters (EBUSY)")
				   : 0;
	struct weir_row *row = weir_row(out, SCHEMA_PERF);
	struct perf_sums sums;
	bool flops = false;

	weir_set_u64(row, CPU, place->cpu);
	perf_sum(set, place, p->sve, &sums);
	for (size_t column = INSTRUCTIONS; column < TIME_ENABLED; column++)
		if (sums.whole[column]) {
			weir_set_u64(row, column, sums.total[column]);
			flops |= column >= FLOPS_DP && column <= FLOPS;
		}
	weir_set_count(row, TIME_ENABLED, (int64_t)place->enabled);
	weir_set_count(row, TIME_RUNNING, (int64_t)place->running);
	weir_set_bool(row, SCALED, place->scaled);
	weir_set_text(row, OWNER, "");
	if (flops)
		weir_set_bool(row, FLOPS_ESTIMATED, set->model->estimated);
	return 1;
}

static size_t
uncore_row(struct perf *p, struct perf_set *set, struct perf_place *place, struct weir_out *out)
{
	if (p->yielded || !read_place(p, set, place))
		return 0;
	struct weir_row *row = weir_row(out, SCHEMA_UNCORE);
	struct perf_sums sums;

	weir_set_text(row, PMU, set->pmu);
	weir_set_u64(row, SOCKET, place->socket);
	perf_sum(set, place, 1, &sums);
	for (size_t column = READ_BYTES; column < UNCORE_COLUMNS; column++)
		if (sums.whole[column])
			weir_set_u64(row, column, sums.total[column]);
	return 1;
}

static size_t
event_rows(struct perf *p, struct perf_set *set, struct perf_place *place, struct weir_out *out)
{
	if ((set->hardware && p->yielded) || !read_place(p, set, place))
		return 0;
	for (size_t i = 0; i < set->n; i++) {
		struct weir_row *row = weir_row(out, SCHEMA_EVENT);

		weir_set_text(row, EVENT_PMU, set->pmu);
		weir_set_u64(row, EVENT_CPU, place->cpu);
		weir_set_str(row, EVENT_NAME, set->event[i].name, set->event[i].length);
		if (place->count[i].fresh)
			weir_set_u64(row, EVENT_COUNT, place->count[i].total);
	}
	return set->n;
}

size_t
perf_rows(struct perf *p, struct perf_set *set, struct perf_place *place, struct weir_out *out)
{
	switch (set->kind) {
	case PERF_CORE:
		return core_row(p, set, place, out);
	case PERF_UNCORE:
		return uncore_row(p, set, place, out);
	default:
		return event_rows(p, set, place, out);
	}
}
