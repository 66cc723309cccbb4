/* SPDX-License-Identifier: Apache-2.0 */
/* Processors, cores, sockets, caches and NUMA nodes, counted from sysfs. */
#include "host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { LIST_SIZE = 8192, MOST_CPUS = 16384 };

/* Processors or nodes by number. */
struct set {
	size_t n;
	bool has[MOST_CPUS];
};

static void
set_add(struct set *set, uint64_t number)
{
	set->n += !set->has[number];
	set->has[number] = true;
}

/* "0-3,8"; false when it is no such list. */
static bool
parse_list(struct weir_scan list, struct set *set)
{
	uint64_t first, last;

	while (weir_scan_left(&list)) {
		struct weir_scan part;

		if (!weir_scan_until(&list, ',', &part)) {
			part = list;
			list.at = list.end;
		}
		struct weir_scan low = part;

		if (weir_scan_until(&part, '-', &low)
				? !weir_scan_u64(&low, &first) || !weir_scan_u64(&part, &last)
				: !weir_scan_u64(&part, &first) || (last = first, false))
			return false;
		if (part.at != part.end || last < first || last >= MOST_CPUS)
			return false;
		for (uint64_t i = first; i <= last; i++)
			set_add(set, i);
	}
	return set->n > 0;
}

/* Folders such as "cpu0", "node1". */
static void
list_folder(const struct host *h, const char *path, const char *head, struct set *set)
{
	DIR *folder = weir_folder(h->ctx, "%s", path);

	if (!folder)
		return;
	for (struct dirent *entry; (entry = readdir(folder));) {
		struct weir_scan name = weir_scan(entry->d_name, strlen(entry->d_name));
		uint64_t number;

		if (weir_scan_prefix(&name, head) && weir_scan_u64(&name, &number) && name.at == name.end &&
			number < MOST_CPUS)
			set_add(set, number);
	}
	closedir(folder);
}

/* What is online; where the kernel's list is not there, the folders tell. */
static bool
online(const struct host *h, const char *path, const char *head, char *text, struct weir_scan *line,
	struct set *set)
{
	char list[256];

	snprintf(list, sizeof(list), "%s/online", path);
	if (weir_exists(h->ctx, "%s", list))
		return host_line(h, text, LIST_SIZE, line, "%s", list) && parse_list(*line, set);
	*line = weir_scan("", 0);
	list_folder(h, path, head, set);
	return set->n > 0;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Number of different values, and how often the most frequent one is there. */
static size_t
count_different(uint64_t *values, size_t n, size_t *most)
{
	size_t different = 0, run = 0;

	*most = 0;
	qsort(values, n, sizeof(*values), compare);
	for (size_t i = 0; i < n; i++) {
		bool new = i == 0 || values[i] != values[i - 1];

		different += new;
		run = new ? 1 : run + 1;
		*most = run > *most ? run : *most;
	}
	return different;
}

/* 0 is how what could not be counted is kept. */
static void
fact_count(struct facts *f, size_t column, uint64_t count)
{
	if (count)
		fact_number(f, column, count);
}

/* A core is known by package, die and number: numbers repeat in each die. */
static void
count_cores(struct facts *f, const struct set *cpus, uint64_t *package, uint64_t *core)
{
	struct counts *counts = &f->host->counts;
	size_t packages = 0, cores = 0, most;

	for (size_t i = 0; i < MOST_CPUS; i++) {
		uint64_t p, d = 0, c;

		if (!cpus->has[i] || !host_number(f->host, &p,
								 "/sys/devices/system/cpu/cpu%zu/topology/physical_package_id", i))
			continue;
		package[packages++] = p;
		if (!host_number(f->host, &c, "/sys/devices/system/cpu/cpu%zu/topology/core_id", i))
			continue;
		if (!host_number(f->host, &d, "/sys/devices/system/cpu/cpu%zu/topology/die_id", i) &&
			weir_exists(f->host->ctx, "/sys/devices/system/cpu/cpu%zu/topology/die_id", i))
			continue;
		core[cores++] = p << 48 | (d & 0xffff) << 32 | (c & 0xffffffff);
	}
	/* Counts of a part would be too small. */
	if (packages == cpus->n)
		counts->sockets = count_different(package, packages, &most);
	if (cores == cpus->n) {
		counts->cores = count_different(core, cores, &most);
		counts->threads_per_core = most;
	}
}

/* "32K", "1024K", "36M" in bytes. */
static bool
cache_size(const struct host *h, unsigned index, uint64_t *bytes)
{
	char text[64];
	struct weir_scan line;

	if (!host_line(h, text, sizeof(text), &line, "/sys/devices/system/cpu/cpu0/cache/index%u/size",
			index) ||
		!weir_scan_left(&line))
		return false;
	char unit = line.end[-1];
	uint64_t factor = unit == 'K' ? 1024 : unit == 'M' ? 1024 * 1024 : 1;

	line.end -= factor > 1;
	return weir_scan_u64(&line, bytes) && line.at == line.end &&
		   !__builtin_mul_overflow(*bytes, factor, bytes);
}

/* Caches of one kind: those of a processor not yet covered by one that was seen. */
static void
count_instances(struct facts *f, const struct set *cpus, unsigned index)
{
	struct set *covered = calloc(1, sizeof(*covered));
	char *text = malloc(LIST_SIZE);
	size_t instances = 0;
	bool good = covered && text;

	for (size_t i = 0; good && i < MOST_CPUS; i++) {
		struct weir_scan line;

		if (!cpus->has[i] || covered->has[i])
			continue;
		good = host_line(f->host, text, LIST_SIZE, &line,
				   "/sys/devices/system/cpu/cpu%zu/cache/index%u/shared_cpu_list", i, index) &&
			   parse_list(line, covered) && covered->has[i];
		instances++;
	}
	f->host->counts.l3_instances = good ? instances : 0;
	free(covered);
	free(text);
}

static void
caches(struct facts *f, const struct set *cpus, bool count)
{
	for (unsigned i = 0; i < 16; i++) {
		char text[64];
		struct weir_scan type;
		uint64_t level, bytes;

		if (!weir_exists(f->host->ctx, "/sys/devices/system/cpu/cpu0/cache/index%u", i))
			break;
		if (!host_number(f->host, &level, "/sys/devices/system/cpu/cpu0/cache/index%u/level", i) ||
			!host_line(f->host, text, sizeof(text), &type,
				"/sys/devices/system/cpu/cpu0/cache/index%u/type", i) ||
			weir_scan_is(&type, "Instruction") || level < 1 || level > 3)
			continue;
		if (level == 3 && count)
			count_instances(f, cpus, i);
		if (cache_size(f->host, i, &bytes))
			fact_number(f, level == 1 ? L1D : level == 2 ? L2 : L3, bytes);
	}
}

/* Counts are good as long as the same processors are online; what was not known is tried again. */
static void
processors(struct facts *f, const struct set *cpus, uint64_t *package, uint64_t *core)
{
	struct counts *counts = &f->host->counts;
	uint64_t hash = weir_hash64(cpus->has, sizeof(cpus->has), 0) | 1;
	bool count = counts->list_hash != hash || !counts->sockets || !counts->cores;

	if (count) {
		*counts = (struct counts){ .list_hash = hash };
		count_cores(f, cpus, package, core);
	}
	caches(f, cpus, count);
	fact_count(f, SOCKETS, counts->sockets);
	fact_count(f, CORES, counts->cores);
	fact_count(f, THREADS_PER_CORE, counts->threads_per_core);
	fact_count(f, L3_INSTANCES, counts->l3_instances);
}

void
host_topology(struct facts *f)
{
	struct set *cpus = calloc(1, sizeof(*cpus)), *nodes = calloc(1, sizeof(*nodes));
	char *text = malloc(LIST_SIZE);
	uint64_t *package = calloc(MOST_CPUS, sizeof(*package));
	uint64_t *core = calloc(MOST_CPUS, sizeof(*core));
	struct weir_scan line;

	if (cpus && nodes && text && package && core) {
		if (online(f->host, "/sys/devices/system/cpu", "cpu", text, &line, cpus)) {
			fact_number(f, CPUS, cpus->n);
			fact_scan(f, CPUS_ONLINE, &line);
			processors(f, cpus, package, core);
		}
		if (online(f->host, "/sys/devices/system/node", "node", text, &line, nodes))
			fact_number(f, NUMA_NODES, nodes->n);
		/* An empty line says that none is isolated. */
		if (host_line(f->host, text, LIST_SIZE, &line, "/sys/devices/system/cpu/isolated"))
			fact_text(f, CPUS_ISOLATED, line.at, weir_scan_left(&line));
	}
	free(cpus);
	free(nodes);
	free(text);
	free(package);
	free(core);
}
