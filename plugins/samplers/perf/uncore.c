/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of what lies outside the cores: traffic between sockets' caches and their memory, from the
 * kernel's own PMUs.
 */
#include "perf.h"

#include <errno.h>
#include <stdio.h>

#include <linux/perf_event.h>

static bool
matches(const struct perf_traffic *traffic, const char *name)
{
	size_t length = strlen(traffic->pmu);

	if (strncmp(name, traffic->pmu, length))
		return false;
	if (traffic->core)
		return true;
	if (!traffic->numbered)
		return !name[length];
	size_t digits = strspn(name + length, "0123456789");

	return digits && !name[length + digits];
}

/* One event of each channel. */
static int
add_event(struct perf *p, struct perf_set *set, const struct perf_traffic *traffic,
	const struct perf_traffic_event *event)
{
	const char *column = perf_uncore_columns[event->column].name;
	char item[160], terms[96];
	uint16_t channels = event->channels ? event->channels : 1;

	snprintf(item, sizeof(item), "%s/%s", set->pmu, column);
	for (uint32_t i = 0; i < channels; i++) {
		struct perf_code code = { .type = PERF_TYPE_RAW, .config = event->event };
		struct weir_err trouble;
		uint64_t bytes = event->bytes;
		int rc = 0;

		if (event->alias) {
			rc = perf_terms(p->ctx, set->pmu, event->alias, &code, &trouble);
			bytes = perf_scale(p->ctx, set->pmu, event->alias, bytes);
		} else if (!traffic->core) {
			snprintf(terms, sizeof(terms), "event=0x%x,%s=0x%x", event->event + i * event->step,
				event->mask_name, event->mask);
			rc = perf_terms(p->ctx, set->pmu, terms, &code, &trouble);
		}
		struct perf_event *made = perf_event_new(set, &code, item, column, strlen(column));

		if (!made)
			return -ENOMEM;
		made->feeds[0] = (struct perf_feed){ event->column, (uint16_t)bytes };
		made->absent = rc != 0;
		if (rc)
			weir_capability(p->ctx, made->item, WEIR_UNSUPPORTED, "%s", trouble.text);
	}
	return 0;
}

static void
drop_absent(struct perf_set *set)
{
	for (size_t i = set->n; i-- > 0;)
		if (set->event[i].absent)
			perf_event_out(set, i);
}

/* The first CPU of each NUMA node: a core memory group of A64FX is one. */
static int
node_places(struct perf *p, struct perf_set *set)
{
	DIR *folder = weir_folder(p->ctx, "/sys/devices/system/node");
	struct dirent *entry;
	int rc = 0;

	while (folder && !rc && (entry = readdir(folder))) {
		struct perf_cpus cpus = { { 0 } };
		char text[1024];
		unsigned node;

		if (sscanf(entry->d_name, "node%u", &node) != 1)
			continue;
		ssize_t length = weir_slurp(
			p->ctx, text, sizeof(text), "/sys/devices/system/node/%s/cpulist", entry->d_name);

		if (length <= 0 || !perf_cpus_add(&cpus, text, (size_t)length))
			continue;
		uint32_t cpu = 0;

		while (cpu < PERF_CPUS && !(perf_cpus_has(&cpus, cpu) && perf_cpus_has(p->online, cpu)))
			cpu++;
		struct perf_place *place = cpu < PERF_CPUS ? perf_place_new(set, cpu) : NULL;

		if (place)
			place->socket = node;
		else if (cpu < PERF_CPUS)
			rc = -ENOMEM;
	}
	if (folder)
		closedir(folder);
	return rc;
}

static int
add_set(struct perf *p, const struct perf_traffic *traffic, const char *pmu)
{
	uint32_t type = 0;

	if (!perf_pmu_type(p->ctx, pmu, &type))
		return 0;
	struct perf_set *set = perf_set_new(p, PERF_UNCORE, pmu, type);

	if (!set)
		return -ENOMEM;
	set->hardware = true;
	set->masked = !traffic->core;
	set->counters = traffic->counters;
	for (size_t i = 0; i < traffic->n; i++)
		if (add_event(p, set, traffic, &traffic->event[i]))
			return -ENOMEM;
	if (perf_set_seal(set))
		return -ENOMEM;
	drop_absent(set);
	return traffic->core ? node_places(p, set) : perf_places(p, set);
}

/* How many PMUs a line found, or a negative errno. */
static int
add_line(struct perf *p, const struct perf_traffic *traffic)
{
	DIR *folder = weir_folder(p->ctx, PERF_DEVICES);
	struct dirent *entry;
	int found = 0, rc = 0;

	while (folder && !rc && (entry = readdir(folder)))
		if (matches(traffic, entry->d_name)) {
			rc = add_set(p, traffic, entry->d_name);
			found++;
		}
	if (folder)
		closedir(folder);
	return rc ? rc : found;
}

int
perf_uncore_sets(struct perf *p, struct weir_err *err)
{
	int found = 0;

	if (!p->uncore)
		return 0;
	for (size_t i = 0; i < p->model->n_traffic; i++) {
		const struct perf_traffic *traffic = &p->model->traffic[i];
		int rc = traffic->otherwise && found ? 0 : add_line(p, traffic);

		if (rc < 0)
			return weir_fail(err, rc, "cannot set up the events outside the cores");
		found += rc;
	}
	if (!found && p->model->n_traffic)
		weir_capability(p->ctx, "uncore", WEIR_UNSUPPORTED,
			"no-pmu: the kernel has no PMU of %s's memory controllers ('%s') in '" PERF_DEVICES "'",
			p->model->name, p->model->traffic[0].pmu);
	else if (!found)
		weir_capability(p->ctx, "uncore", WEIR_UNSUPPORTED,
			"no table of memory traffic for this machine (%s)", p->model->name);
	return 0;
}
