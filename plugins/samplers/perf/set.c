/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of events: made, filled, divided into groups, freed. */
#include "perf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct perf_set *
perf_set_new(struct perf *p, enum perf_kind kind, const char *pmu, uint32_t type)
{
	struct perf_set *sets = realloc(p->set, (p->sets + 1) * sizeof(*sets));

	if (!sets)
		return NULL;
	p->set = sets;
	sets[p->sets] = (struct perf_set){ .kind = kind, .pmu = strdup(pmu), .type = type };
	return sets[p->sets].pmu ? &sets[p->sets++] : NULL;
}

struct perf_event *
perf_event_new(struct perf_set *set, const struct perf_code *code, const char *item,
	const char *name, size_t length)
{
	struct perf_event *events = realloc(set->event, (set->n + 1) * sizeof(*events));
	bool taken = false;
	char longer[256];

	if (!events)
		return NULL;
	set->event = events;
	for (size_t i = 0; i < set->n; i++)
		taken |= !strcmp(events[i].item, item);
	snprintf(longer, sizeof(longer), "%s/r%llx", item, (unsigned long long)code->config);
	events[set->n] = (struct perf_event){
		.item = strdup(taken ? longer : item),
		.name = name,
		.length = length,
		.code = *code,
		.counters = 1,
	};
	if (!events[set->n].item)
		return NULL;
	set->all = set->n + 1;
	return &events[set->n++];
}

void
perf_set_free(struct perf *p, struct perf_set *set)
{
	for (size_t i = 0; i < set->places; i++) {
		perf_place_close(p, set, &set->place[i]);
		free(set->place[i].count);
		free(set->place[i].clock);
	}
	for (size_t i = 0; i < set->all; i++)
		free(set->event[i].item);
	free(set->place);
	free(set->event);
	free(set->first);
	free(set->cpus);
	free(set->pmu);
}

struct perf_event *
perf_event_out(struct perf_set *set, size_t event)
{
	struct perf_event gone = set->event[event];

	memmove(&set->event[event], &set->event[event + 1], (set->all - event - 1) * sizeof(gone));
	set->event[set->all - 1] = gone;
	set->n--;
	return &set->event[set->all - 1];
}

void
perf_event_drop(struct perf *p, struct perf_set *set, size_t event, const char *format, ...)
{
	char reason[300];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	weir_capability(p->ctx, perf_event_out(set, event)->item, WEIR_UNSUPPORTED, "%s", reason);
}

int
perf_set_seal(struct perf_set *set)
{
	for (size_t i = 0; i < set->all; i++)
		for (size_t f = 0; f < WEIR_COUNT(set->event[i].feeds); f++)
			set->needed[set->event[i].feeds[f].column]++;
	set->first = calloc(set->all + 1, sizeof(*set->first));
	return set->first ? 0 : -ENOMEM;
}

void
perf_layout(struct perf_set *set, uint8_t counters)
{
	size_t used = 0, members = 0;

	set->groups = 0;
	for (size_t i = 0; i < set->n; i++) {
		size_t takes = set->event[i].counters;

		if (i == 0 || members == PERF_MEMBERS || (takes && used && used + takes > counters)) {
			set->first[set->groups++] = (uint16_t)i;
			used = members = 0;
		}
		used += takes;
		members++;
	}
	set->first[set->groups] = (uint16_t)set->n;
}

void
perf_split(struct perf_set *set, size_t event)
{
	size_t g = ++set->groups;

	for (; g > 0 && set->first[g - 1] > event; g--)
		set->first[g] = set->first[g - 1];
	set->first[g] = (uint16_t)event;
}
