/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sets of the cores: which PMUs they have, how many counters, and the events of their model's
 * table.
 */
#include "perf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include <linux/perf_event.h>

#define CORE_PMUS 8

struct pmus {
	char name[CORE_PMUS][64];
	size_t n;
};

static bool
is_core(const char *name)
{
	return !strcmp(name, "cpu") || !strcmp(name, "cpu_core") || !strcmp(name, "cpu_atom") ||
		   !strcmp(name, "cpum_cf") || !strncmp(name, "armv", 4) || !strncmp(name, "apple_", 6) ||
		   !strncmp(name, "riscv", 5);
}

static void
find_pmus(struct perf *p, struct pmus *pmus)
{
	DIR *folder = weir_folder(p->ctx, PERF_DEVICES);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)) && pmus->n < CORE_PMUS)
		if (is_core(entry->d_name) && strlen(entry->d_name) < sizeof(pmus->name[0]))
			memcpy(pmus->name[pmus->n++], entry->d_name, strlen(entry->d_name) + 1);
	if (folder)
		closedir(folder);
}

/* Counters that a thread may use. The watchdog for hard lockups keeps one. */
static uint8_t
counters(struct perf *p)
{
	char siblings[64] = "";
	uint64_t active = 0, watchdog = 0;

	if (!weir_slurp_u64(p->ctx, &active, "/sys/devices/system/cpu/smt/active") &&
		weir_slurp(p->ctx, siblings, sizeof(siblings),
			"/sys/devices/system/cpu/cpu0/topology/thread_siblings_list") > 0)
		active = strpbrk(siblings, ",-") != NULL;
	uint8_t n = active ? p->model->counters : p->model->counters_alone;

	if (weir_slurp_u64(p->ctx, &watchdog, "/proc/sys/kernel/nmi_watchdog") && watchdog && n > 1)
		n--;
	return n;
}

/* Processes get the system's length unless they ask for another. */
static uint32_t
sve_length(struct perf *p)
{
	uint64_t bytes = 0;

	if (!weir_slurp_u64(p->ctx, &bytes, "/proc/sys/abi/sve_default_vector_length")) {
#ifdef PR_SVE_GET_VL
		int now = prctl(PR_SVE_GET_VL, 0, 0, 0, 0);

		bytes = now > 0 ? (uint64_t)(now & PR_SVE_VL_LEN_MASK) : 0;
#endif
	}
	return bytes >= 16 ? (uint32_t)(bytes / 16) : 1;
}

static int
learn_model(struct perf *p, struct weir_err *err)
{
	struct weir_file *file = weir_file(p->ctx, "/proc/cpuinfo", 0);
	struct weir_scan text = { NULL, NULL };

	if (!file)
		return weir_fail(err, -ENOMEM, "cannot read '/proc/cpuinfo'");
	if (weir_read(file, &text, err))
		text = weir_scan("", 0);
	struct perf_processor processor = perf_processor(text.at, weir_scan_left(&text));

	weir_file_close(file);
	p->model = perf_model(&processor);
	p->counters = counters(p);
	p->sve = processor.vendor == PERF_ARM ? sve_length(p) : 1;
	return 0;
}

/*
 * The code of a table's line: libpfm's when it knows the name, else the line's own. False: not on
 * this kernel.
 */
static bool
code_of(struct perf *p, const struct perf_set *set, const struct perf_entry *entry, bool several,
	struct perf_code *code)
{
	char name[160];

	*code = (struct perf_code){ .config = entry->config };
	switch (entry->source) {
	case PERF_HARDWARE:
		code->type = PERF_TYPE_HARDWARE;
		return true;
	case PERF_CACHE:
		code->type = PERF_TYPE_HW_CACHE;
		return true;
	case PERF_MSR:
		return weir_exists(p->ctx, PERF_DEVICES "/msr/events/mperf") &&
			   perf_pmu_type(p->ctx, "msr", &code->type);
	case PERF_RAW:
		break;
	}
	code->type = several ? set->type : PERF_TYPE_RAW;
	if (several || !entry->name || !set->model->pfm)
		return true;
	snprintf(name, sizeof(name), "%s::%s", set->model->pfm, entry->name);
	if (perf_encode(name, code, NULL))
		*code = (struct perf_code){ .type = PERF_TYPE_RAW, .config = entry->config };
	return true;
}

static int
add_entry(struct perf *p, struct perf_set *set, const struct perf_entry *entry, bool several)
{
	const char *column = perf_columns[entry->feeds[0].column].name;
	char item[160];
	struct perf_code code;

	if (!(entry->flags & PERF_FLOPS ? p->flops : p->hardware))
		return 0;
	snprintf(item, sizeof(item), "%s%s%s", several ? set->pmu : "", several ? "/" : "", column);
	bool there = code_of(p, set, entry, several, &code);
	struct perf_event *event = perf_event_new(set, &code, item, column, strlen(column));

	if (!event)
		return -ENOMEM;
	event->counters = entry->counters;
	event->flags = entry->flags;
	event->absent = !there;
	memcpy(event->feeds, entry->feeds, sizeof(event->feeds));
	return 0;
}

/*
 * Without the kernel's own events for them, the codes of topdown would count something else on
 * general counters.
 */
static void
drop_absent(struct perf *p, struct perf_set *set)
{
	bool topdown = weir_exists(p->ctx, PERF_DEVICES "/%s/events/slots", set->pmu) &&
				   weir_exists(p->ctx, PERF_DEVICES "/%s/events/topdown-retiring", set->pmu);

	for (size_t i = set->n; i-- > 0;) {
		struct perf_event *event = &set->event[i];

		if (p->no_pmu) {
			perf_judge(p, set, event, 0, -ENOENT);
			perf_event_out(set, i);
		} else if (event->absent) {
			perf_event_drop(p, set, i, "the kernel offers no 'mperf' in '" PERF_DEVICES "/msr'");
		} else if ((event->flags & (PERF_SLOTS | PERF_METRIC)) && !topdown) {
			perf_event_drop(p, set, i,
				"the kernel offers no topdown events in '" PERF_DEVICES "/%s'", set->pmu);
		}
	}
}

/* Of several PMUs only the two kinds of Intel's hybrid parts have tables. */
static const struct perf_model *
model_of(struct perf *p, const char *pmu, bool several)
{
	if (!p->model->parts || (several && strncmp(pmu, "cpu_", 4)))
		return &perf_generic;
	return several && !strcmp(pmu, "cpu_atom") && p->model != &perf_generic ? &perf_efficiency_core
																			: p->model;
}

static int
fill_set(struct perf *p, struct perf_set *set, bool several)
{
	char text[1024];

	for (const struct perf_part *part = set->model->parts; part->entry; part++)
		for (size_t i = 0; i < part->n; i++)
			if (add_entry(p, set, &part->entry[i], several))
				return -ENOMEM;
	if (perf_set_seal(set))
		return -ENOMEM;
	drop_absent(p, set);
	ssize_t length = weir_slurp(p->ctx, text, sizeof(text), PERF_DEVICES "/%s/cpus", set->pmu);

	if (length > 0) {
		if (!(set->cpus = calloc(1, sizeof(*set->cpus))))
			return -ENOMEM;
		if (!perf_cpus_add(set->cpus, text, (size_t)length))
			memset(set->cpus, 0xff, sizeof(*set->cpus));
	}
	return perf_places(p, set);
}

static int
add_set(struct perf *p, const char *pmu, bool several)
{
	uint32_t type = PERF_TYPE_RAW;

	if (several && !perf_pmu_type(p->ctx, pmu, &type))
		return 0;
	struct perf_set *set = perf_set_new(p, PERF_CORE, pmu, type);

	if (!set)
		return -ENOMEM;
	set->model = model_of(p, pmu, several);
	set->hardware = set->everywhere = true;
	set->counters = set->model == &perf_efficiency_core ? set->model->counters : p->counters;
	if (p->flops && set->model->no_flops && !p->no_pmu)
		weir_capability(p->ctx, "flops", WEIR_UNSUPPORTED, "%s", set->model->no_flops);
	return fill_set(p, set, several);
}

int
perf_core_sets(struct perf *p, struct weir_err *err)
{
	struct pmus pmus = { .n = 0 };
	int rc = learn_model(p, err);

	if (rc)
		return rc;
	find_pmus(p, &pmus);
	p->no_pmu = !pmus.n;
	if (!p->hardware && !p->flops)
		return 0;
	/* Without a PMU the set says for each event why it is not there. */
	if (p->no_pmu)
		rc = add_set(p, "cpu", false);
	for (size_t i = 0; !rc && i < pmus.n; i++)
		rc = add_set(p, pmus.name[i], pmus.n > 1);
	return rc ? weir_fail(err, rc, "cannot set up the events of the cores") : 0;
}
