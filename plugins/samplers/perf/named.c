/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events by name: the software events that are always there, and those of option `events`, in one
 * of four spellings: "software:page-faults", "PMU/event=0x04,umask=0x03/" or "PMU/alias/", "r01c7",
 * and else a name of libpfm.
 */
#include "perf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <linux/perf_event.h>

struct spelled {
	const char *pmu, *name;
	size_t length;
	struct perf_code code;
	char room[64];
};

static int
software(const char *name, struct spelled *s, struct weir_err *err)
{
	static const struct {
		const char *name;
		uint64_t config;
	} known[] = {
		{ "cpu-clock", PERF_COUNT_SW_CPU_CLOCK }, { "task-clock", PERF_COUNT_SW_TASK_CLOCK },
		{ "page-faults", PERF_COUNT_SW_PAGE_FAULTS },
		{ "context-switches", PERF_COUNT_SW_CONTEXT_SWITCHES },
		{ "cpu-migrations", PERF_COUNT_SW_CPU_MIGRATIONS },
		{ "minor-faults", PERF_COUNT_SW_PAGE_FAULTS_MIN },
		{ "major-faults", PERF_COUNT_SW_PAGE_FAULTS_MAJ },
		{ "alignment-faults", PERF_COUNT_SW_ALIGNMENT_FAULTS },
		{ "emulation-faults", PERF_COUNT_SW_EMULATION_FAULTS },
		{ "cgroup-switches", 11 }, /* 5.13, newer than some headers */
	};

	for (size_t i = 0; i < WEIR_COUNT(known); i++)
		if (!strcmp(known[i].name, name)) {
			s->code = (struct perf_code){ .type = PERF_TYPE_SOFTWARE, .config = known[i].config };
			s->pmu = "software";
			s->name = name;
			s->length = strlen(name);
			return 0;
		}
	return weir_failx(err, -ENOENT,
		"there is no software event '%s' (there is page-faults, context-switches, cpu-migrations)",
		name);
}

static int
by_format(struct perf *p, const char *text, struct spelled *s, struct weir_err *err)
{
	const char *slash = strchr(text, '/');
	size_t length = (size_t)(slash - text), rest = strlen(slash + 1);
	char terms[256];

	if (!length || length >= sizeof(s->room) || rest < 2 || rest > sizeof(terms) ||
		slash[rest] != '/')
		return weir_failx(err, -EINVAL, "'%s' is not spelled PMU/event/", text);
	memcpy(s->room, text, length);
	s->room[length] = '\0';
	memcpy(terms, slash + 1, rest - 1);
	terms[rest - 1] = '\0';
	s->pmu = s->room;
	s->name = slash + 1;
	s->length = rest - 1;
	return perf_terms(p->ctx, s->pmu, terms, &s->code, err);
}

/* The name of a PMU by its type, for what libpfm found. */
static void
name_pmu(struct perf *p, struct spelled *s)
{
	DIR *folder = weir_folder(p->ctx, PERF_DEVICES);
	struct dirent *entry;
	uint32_t type;

	s->pmu = s->code.type == PERF_TYPE_SOFTWARE     ? "software"
			 : s->code.type == PERF_TYPE_TRACEPOINT ? "tracepoint"
													: "cpu";
	while (folder && s->code.type >= PERF_TYPE_MAX && (entry = readdir(folder)))
		if (strlen(entry->d_name) < sizeof(s->room) && entry->d_name[0] != '.' &&
			perf_pmu_type(p->ctx, entry->d_name, &type) && type == s->code.type) {
			memcpy(s->room, entry->d_name, strlen(entry->d_name) + 1);
			s->pmu = s->room;
		}
	if (folder)
		closedir(folder);
}

static int
spell(struct perf *p, const char *text, struct spelled *s, struct weir_err *err)
{
	size_t length = strlen(text);

	s->name = text;
	s->length = length;
	if (!strncmp(text, "software:", 9))
		return software(text + 9, s, err);
	if (strchr(text, '/'))
		return by_format(p, text, s, err);
	if (length > 1 && length <= 17 && text[0] == 'r' &&
		strspn(text + 1, "0123456789abcdefABCDEF") == length - 1) {
		s->pmu = "cpu";
		s->code =
			(struct perf_code){ .type = PERF_TYPE_RAW, .config = strtoull(text + 1, NULL, 16) };
		return 0;
	}
	int rc = perf_encode(text, &s->code, err);

	if (!rc)
		name_pmu(p, s);
	return rc;
}

static struct perf_set *
set_of(struct perf *p, const struct spelled *s)
{
	for (size_t i = 0; i < p->sets; i++)
		if (p->set[i].kind == PERF_NAMED && !strcmp(p->set[i].pmu, s->pmu))
			return &p->set[i];
	struct perf_set *set = perf_set_new(p, PERF_NAMED, s->pmu, s->code.type);

	if (!set)
		return NULL;
	set->hardware = s->code.type != PERF_TYPE_SOFTWARE && s->code.type != PERF_TYPE_TRACEPOINT &&
					strcmp(s->pmu, "msr") && strcmp(s->pmu, "power");
	set->masked = weir_exists(p->ctx, PERF_DEVICES "/%s/cpumask", s->pmu);
	set->everywhere = !set->masked;
	set->counters = strcmp(s->pmu, "cpu") ? 4 : p->counters;
	return set;
}

/* An event that does not exist is told once and forgotten. */
static int
add(struct perf *p, const char *text)
{
	struct spelled s = { .pmu = NULL };
	struct weir_err trouble;

	if (spell(p, text, &s, &trouble)) {
		weir_capability(p->ctx, text, WEIR_UNSUPPORTED, "%s", trouble.text);
		return 0;
	}
	struct perf_set *set = set_of(p, &s);

	if (!set)
		return -ENOMEM;
	for (size_t i = 0; i < set->n; i++)
		if (set->event[i].length == s.length && !memcmp(set->event[i].name, s.name, s.length))
			return 0;
	struct perf_event *event = perf_event_new(set, &s.code, text, s.name, s.length);

	if (!event)
		return -ENOMEM;
	event->counters = set->hardware;
	return 0;
}

int
perf_named_sets(struct perf *p, struct weir_err *err)
{
	static const char *const usual[] = {
		"software:context-switches",
		"software:cpu-migrations",
		"software:page-faults",
		"software:major-faults",
	};
	int rc = 0;

	for (size_t i = 0; p->software && !rc && i < WEIR_COUNT(usual); i++)
		rc = add(p, usual[i]);
	for (size_t i = 0; !rc && i < p->events.n; i++)
		rc = add(p, p->events.item[i]);
	for (size_t i = 0; !rc && i < p->sets; i++)
		if (p->set[i].kind == PERF_NAMED)
			rc = perf_set_seal(&p->set[i]) || perf_places(p, &p->set[i]) ? -ENOMEM : 0;
	return rc ? weir_fail(err, rc, "cannot set up the named events") : 0;
}
