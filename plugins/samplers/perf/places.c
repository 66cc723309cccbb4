/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where sets are counted: CPUs that come and go, and the one CPU of a socket that the kernel names
 * for a PMU outside the cores.
 */
#include "perf.h"

#include <errno.h>
#include <stdlib.h>

struct perf_place *
perf_place_new(struct perf_set *set, uint32_t cpu)
{
	struct perf_place *places = realloc(set->place, (set->places + 1) * sizeof(*places));

	if (!places)
		return NULL;
	set->place = places;
	places[set->places] = (struct perf_place){ .cpu = cpu, .online = true };
	return &places[set->places++];
}

static struct perf_place *
find(struct perf_set *set, uint32_t cpu)
{
	for (size_t i = 0; i < set->places; i++)
		if (set->place[i].cpu == cpu)
			return &set->place[i];
	return NULL;
}

/* What a CPU that went had counted stays in the totals; its descriptors are dead. */
static int
everywhere(struct perf *p, struct perf_set *set)
{
	for (size_t i = 0; i < set->places; i++) {
		struct perf_place *place = &set->place[i];
		bool online = perf_cpus_has(p->online, place->cpu);

		if (place->online && !online)
			perf_place_close(p, set, place);
		if (place->online != online)
			place->error = 0;
		place->online = online;
	}
	for (uint32_t cpu = 0; cpu < PERF_CPUS; cpu++) {
		bool wanted = perf_cpus_has(p->online, cpu) &&
					  (!p->chosen || perf_cpus_has(p->chosen, cpu)) &&
					  (!set->cpus || perf_cpus_has(set->cpus, cpu));

		if (wanted && !find(set, cpu) && !perf_place_new(set, cpu))
			return -ENOMEM;
	}
	return 0;
}

/*
 * The kernel moves the events of a socket when their CPU goes; they go on counting, only their
 * place has another number.
 */
static struct perf_place *
moved(struct perf_set *set, const struct perf_cpus *mask, uint64_t socket)
{
	for (size_t i = 0; i < set->places; i++)
		if (set->place[i].socket == socket && !perf_cpus_has(mask, set->place[i].cpu))
			return &set->place[i];
	return NULL;
}

static int
by_mask(struct perf *p, struct perf_set *set)
{
	struct perf_cpus mask = { { 0 } };
	char text[1024];
	ssize_t length = weir_slurp(p->ctx, text, sizeof(text), PERF_DEVICES "/%s/cpumask", set->pmu);

	if (length <= 0 || !perf_cpus_add(&mask, text, (size_t)length))
		return 0;
	for (uint32_t cpu = 0; cpu < PERF_CPUS; cpu++) {
		uint64_t socket = 0;

		if (!perf_cpus_has(&mask, cpu) || find(set, cpu))
			continue;
		(void)weir_slurp_u64(
			p->ctx, &socket, "/sys/devices/system/cpu/cpu%u/topology/physical_package_id", cpu);
		struct perf_place *place = moved(set, &mask, socket);

		if (!place && !(place = perf_place_new(set, cpu)))
			return -ENOMEM;
		place->cpu = cpu;
		place->socket = socket;
		place->error = 0;
	}
	return 0;
}

int
perf_places(struct perf *p, struct perf_set *set)
{
	return set->everywhere ? everywhere(p, set) : set->masked ? by_mask(p, set) : 0;
}

int
perf_online(struct perf *p, struct weir_err *err)
{
	struct weir_scan text;
	int rc = weir_read(p->online_file, &text, err);

	/* The number of CPUs is not lost with the file: what is counted goes on. */
	if (rc || (p->online_text && !strcmp(p->online_text, text.at)))
		return 0;
	char *copy = strdup(text.at);
	struct perf_cpus online = { { 0 } };

	if (!copy)
		return weir_fail(err, -ENOMEM, "cannot remember the CPUs");
	free(p->online_text);
	p->online_text = copy;
	if (!perf_cpus_add(&online, text.at, weir_scan_left(&text)))
		return weir_failx(
			err, -EINVAL, "'/sys/devices/system/cpu/online' is no list of CPUs: '%s'", copy);
	*p->online = online;
	for (size_t i = 0; i < p->sets; i++)
		if (perf_places(p, &p->set[i]))
			return weir_fail(err, -ENOMEM, "cannot follow the CPUs");
	return 0;
}
