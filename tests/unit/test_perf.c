/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The perf sampler against a machine that the test plays: its sysfs is a folder, its
 * perf_event_open a table of counters.
 * needs: cmocka
 * needs: <perfmon/pfmlib_perf_event.h> -lpfm (package libpfm4-dev)
 * with: plugins/samplers/perf
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include "data/keeper.h"
#include "plugin/instance.h"
#include "plugins/samplers/perf/perf.h"

extern const struct weir_plugin weir_plugin;
#define COUNTERS 1024
#define MASK_DP 0x40c7

/* ---- the machine ---- */

struct counter {
	bool open, on;
	struct perf_event_attr attr;
	int cpu, leader; /* leader: its own number for a leader */
	uint64_t value, enabled, running;
};

struct rate {
	uint32_t type;
	uint64_t config, count;
};

struct machine {
	char root[64];
	struct counter counter[COUNTERS];
	int n, opened, enables, disables;
	int room;              /* general counters that a group may have; 0: any number */
	int error;             /* of every opening */
	int error_cpu;         /* only there; -1: everywhere */
	struct rate refuse[8]; /* count: the errno */
	struct rate rate[32];  /* what an interval adds */
	bool offline[8];
	struct perf_system system;
	struct keeper *keeper;
	struct weir_ctx *ctx;
	struct perf *perf;
	const struct weir_batch *batch[3];
	int64_t time;
};

static bool
is_fixed(const struct perf_event_attr *a)
{
	return a->type != PERF_TYPE_RAW || a->config == 0xc0 || a->config == 0x3c ||
		   a->config == 0x300 || a->config == 0x400 || (a->config & 0xf8ff) == 0x8000;
}

static int
group_size(const struct machine *m, int leader)
{
	int size = 0;

	for (int i = 0; i < m->n; i++)
		size +=
			m->counter[i].open && m->counter[i].leader == leader && !is_fixed(&m->counter[i].attr);
	return size;
}

static int
machine_open(void *closure, const struct perf_event_attr *attr, int cpu, int leader)
{
	struct machine *m = closure;
	uint64_t format = PERF_FORMAT_GROUP | PERF_FORMAT_ID | PERF_FORMAT_TOTAL_TIME_ENABLED |
					  PERF_FORMAT_TOTAL_TIME_RUNNING;

	assert_int_equal(attr->read_format, format);
	assert_int_equal(attr->disabled, leader < 0);
	assert_int_equal(attr->inherit, 0);
	assert_int_equal(attr->sample_period, 0);
	assert_true(m->n < COUNTERS && cpu >= 0 && cpu < 8);
	if (m->offline[cpu])
		return -ENODEV;
	if (m->error && (m->error_cpu < 0 || m->error_cpu == cpu))
		return m->error;
	for (size_t i = 0; i < WEIR_COUNT(m->refuse); i++)
		if (m->refuse[i].count && m->refuse[i].type == attr->type &&
			m->refuse[i].config == attr->config)
			return -(int)m->refuse[i].count;
	if (attr->type == PERF_TYPE_RAW && (attr->config & 0xf8ff) == 0x8000 &&
		(leader < 0 || m->counter[leader].attr.config != 0x400))
		return -EINVAL;
	if (leader >= 0) {
		assert_true(m->counter[leader].open && m->counter[leader].leader == leader &&
					m->counter[leader].cpu == cpu);
		if (m->room && !is_fixed(attr) && group_size(m, leader) >= m->room)
			return -EINVAL;
	}
	m->counter[m->n] = (struct counter){
		.open = true, .attr = *attr, .cpu = cpu, .leader = leader < 0 ? m->n : leader
	};
	m->opened++;
	return m->n++;
}

static ssize_t
machine_read(void *closure, int fd, void *data, size_t size)
{
	struct machine *m = closure;
	uint64_t *out = data;
	size_t n = 0;

	assert_true(m->counter[fd].open && m->counter[fd].leader == fd);
	for (int i = fd; i < m->n; i++)
		if (m->counter[i].open && m->counter[i].leader == fd) {
			assert_true((5 + 2 * n) * sizeof(*out) <= size);
			out[3 + 2 * n] = m->counter[i].value;
			out[4 + 2 * n++] = 1000 + (uint64_t)i;
		}
	out[0] = n;
	out[1] = m->counter[fd].enabled;
	out[2] = m->counter[fd].running;
	return (ssize_t)((3 + 2 * n) * sizeof(*out));
}

static int
machine_identify(void *closure, int fd, uint64_t *id)
{
	struct machine *m = closure;

	assert_true(m->counter[fd].open);
	*id = 1000 + (uint64_t)fd;
	return 0;
}

static int
machine_enable(void *closure, int leader, bool on)
{
	struct machine *m = closure;

	assert_true(m->counter[leader].open && m->counter[leader].leader == leader);
	m->counter[leader].on = on;
	*(on ? &m->enables : &m->disables) += 1;
	return 0;
}

static void
machine_close(void *closure, int fd)
{
	struct machine *m = closure;

	assert_true(m->counter[fd].open);
	m->counter[fd].open = false;
	m->opened--;
}

/* An interval: each running group counts its events' rates while it has the counters. */
static void
pass(struct machine *m, uint64_t enabled, uint64_t running)
{
	for (int i = 0; i < m->n; i++) {
		struct counter *c = &m->counter[i];

		if (!c->open || !m->counter[c->leader].on || m->offline[c->cpu])
			continue;
		c->enabled += enabled;
		c->running += running;
		for (size_t r = 0; running && r < WEIR_COUNT(m->rate); r++)
			if (m->rate[r].type == c->attr.type && m->rate[r].config == c->attr.config)
				c->value += m->rate[r].count;
	}
}

__attribute__((format(printf, 3, 4))) static void
file(struct machine *m, const char *text, const char *format, ...)
{
	char path[PATH_MAX];
	int root = snprintf(path, sizeof(path), "%s", m->root);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(path + root, sizeof(path) - (size_t)root, format, arguments);
	va_end(arguments);
	for (char *slash = path + root + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		assert_true(!mkdir(path, 0755) || errno == EEXIST);
		*slash = '/';
	}
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void
pmu(struct machine *m, const char *name, const char *type)
{
	file(m, type, PERF_DEVICES "/%s/type", name);
}

static const char cascade_lake[] =
	"processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\n"
	"model name\t: Intel(R) Xeon(R)\nstepping\t: 7\n\nprocessor\t: 1\n";
static const char sapphire_rapids[] =
	"processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 143\nstepping\t: 8\n\n";
static const char haswell[] =
	"processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 63\nstepping\t: 2\n\n";
static const char sandy_bridge[] =
	"processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 45\nstepping\t: 7\n\n";
static const char alder_lake[] =
	"processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 151\nstepping\t: 2\n\n";
static const char zen2[] =
	"processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 23\nmodel\t\t: 49\nstepping\t: 0\n\n";
static const char zen4[] =
	"processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\nstepping\t: 1\n\n";
static const char a64fx[] = "processor\t: 0\nCPU implementer\t: 0x46\nCPU architecture: 8\nCPU "
							"variant\t: 0x1\nCPU part\t: 0x001\n\n";

/* Two CPUs, each a core of its own, with a PMU; software events off. */
static struct machine *
machine_new(const char *cpuinfo)
{
	static const struct origin origin = { "c", "h", "perf", 1 };
	struct machine *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	strcpy(m->root, "/tmp/test-perf-XXXXXX");
	assert_non_null(mkdtemp(m->root));
	m->error_cpu = -1;
	m->system = (struct perf_system){
		machine_open,
		machine_read,
		machine_identify,
		machine_enable,
		machine_close,
		m,
	};
	m->keeper = keeper_new();
	m->ctx = instance_new(&weir_plugin, &origin, m->root, m->keeper, NULL);
	assert_non_null(m->ctx);
	m->time = m->ctx->now;
	m->perf = m->ctx->state;
	m->perf->system = &m->system;
	m->perf->hardware = m->perf->flops = true;
	file(m, cpuinfo, "/proc/cpuinfo");
	file(m, "0-1\n", "/sys/devices/system/cpu/online");
	file(m, "1\n", "/sys/devices/system/cpu/smt/active");
	file(m, "0\n", "/proc/sys/kernel/nmi_watchdog");
	file(m, "2\n", "/proc/sys/kernel/perf_event_paranoid");
	return m;
}

static void
begin(struct machine *m)
{
	struct weir_err err = { .code = 0 };

	assert_int_equal(instance_open(m->ctx, &err), 0);
	m->perf->uid = geteuid();
}

static void
let_go(struct machine *m)
{
	for (size_t i = 0; i < WEIR_COUNT(m->batch); i++) {
		if (m->batch[i])
			weir_batch_release(m->batch[i]);
		m->batch[i] = NULL;
	}
}

/* A tick; its rows, closed into a batch of each schema. */
static int
tick_at(struct machine *m, int64_t later)
{
	struct weir_err err = { .code = 0 };

	let_go(m);
	m->time += later;
	instance_begin(m->ctx, m->time);
	int rc =
		instance_end(m->ctx, weir_plugin.sampler.sample(m->ctx->state, &m->ctx->out, &err), &err);

	for (size_t i = 0; i < WEIR_COUNT(m->batch); i++)
		m->batch[i] = m->ctx->out.builders[i] ? builder_close(m->ctx->out.builders[i], 1) : NULL;
	return rc;
}

static int
tick(struct machine *m)
{
	return tick_at(m, 10000000);
}

static void
machine_free(struct machine *m)
{
	char command[128];

	let_go(m);
	snprintf(command, sizeof(command), "rm -r %s", m->root);
	instance_free(m->ctx);
	keeper_free(m->keeper);
	assert_int_equal(m->opened, 0); /* nothing is left open */
	assert_int_equal(system(command), 0);
	free(m);
}

static const struct capability *
capability(const struct machine *m, const char *item)
{
	for (const struct capability *c = m->ctx->capabilities; c; c = c->next)
		if (!strcmp(c->item, item))
			return c;
	return NULL;
}

static void
assert_capability(
	const struct machine *m, const char *item, enum weir_status status, const char *words)
{
	const struct capability *c = capability(m, item);

	if (!c)
		fail_msg("no capability row of '%s'", item);
	assert_int_equal(c->status, status);
	if (!strstr(c->reason, words))
		fail_msg("'%s' is not in '%s'", words, c->reason);
}

static size_t
rows(const struct machine *m, size_t schema)
{
	return m->batch[schema] ? m->batch[schema]->rows : 0;
}

static bool
present(const struct machine *m, size_t schema, size_t column, size_t row)
{
	assert_true(row < rows(m, schema));
	return weir_present(m->batch[schema], column, row);
}

static uint64_t
cell(const struct machine *m, size_t schema, size_t column, size_t row)
{
	if (!present(m, schema, column, row))
		fail_msg("column %zu of row %zu is missing", column, row);
	return m->batch[schema]->column[column].cell[row].u64;
}

static void
assert_text(const struct machine *m, size_t schema, size_t column, size_t row, const char *text)
{
	assert_true(present(m, schema, column, row));
	struct weir_symbol s = weir_text(m->batch[schema], column, row);

	if (s.length != strlen(text) || memcmp(s.text, text, s.length))
		fail_msg("'%.*s' is not '%s'", (int)s.length, s.text, text);
}

static void
rate(struct machine *m, uint64_t config, uint64_t count)
{
	for (size_t i = 0; i < WEIR_COUNT(m->rate); i++)
		if (!m->rate[i].type || (m->rate[i].type == PERF_TYPE_RAW && m->rate[i].config == config)) {
			m->rate[i] = (struct rate){ PERF_TYPE_RAW, config, count };
			return;
		}
	fail();
}

/* The codes of a group on CPU 0, in the order of opening. */
static void
assert_group(
	const struct machine *m, const struct perf_set *set, size_t g, size_t n, const uint64_t *codes)
{
	assert_true(g < set->groups);
	assert_int_equal(set->first[g + 1] - set->first[g], n);
	int leader = set->place[0].count[set->first[g]].fd;

	for (size_t i = 0; i < n; i++) {
		const struct counter *c = &m->counter[set->place[0].count[set->first[g] + i].fd];

		assert_int_equal(c->attr.config, codes[i]);
		assert_int_equal(c->leader, leader);
	}
}

/* ---- tables ---- */

static size_t
check_names(const struct perf_model *model)
{
	size_t checked = 0;

	for (const struct perf_part *part = model->parts; model->pfm && part && part->entry; part++)
		for (size_t i = 0; i < part->n; i++) {
			const struct perf_entry *entry = &part->entry[i];
			struct perf_code code;
			struct weir_err err;
			char name[160];

			if (!entry->name)
				continue;
			snprintf(name, sizeof(name), "%s::%s", model->pfm, entry->name);
			if (perf_encode(name, &code, &err))
				fail_msg("%s", err.text);
			if (code.type != PERF_TYPE_RAW || code.config != entry->config || code.config1 ||
				code.config2)
				fail_msg("libpfm has 0x%llx for %s", (unsigned long long)code.config, name);
			checked++;
		}
	return checked;
}

/* libpfm 4.13 has neither Emerald nor Granite Rapids. */
static bool
knows(const char *pfm)
{
	struct perf_code code;
	char name[64];

	snprintf(name, sizeof(name), "%s::INSTRUCTION_RETIRED", pfm);
	return !perf_encode(name, &code, NULL);
}

static void
names_and_codes_agree(void **state)
{
	(void)state;
	size_t checked = 0;

	for (const struct perf_model *model = perf_intel; model->name; model++)
		if (!model->pfm || (strcmp(model->pfm, "emr") && strcmp(model->pfm, "gnr")) ||
			knows(model->pfm))
			checked += check_names(model);
	for (const struct perf_model *model = perf_amd; model->name; model++)
		checked += check_names(model);
	assert_true(checked >= 263);
}

/* Names that must not be used: libpfm 4.13 gives another code, or none. */
static void
treacherous_names(void **state)
{
	static const struct {
		const char *name;
		uint64_t code;
	} known[] = {
		{ "icx::TOPDOWN:BACKEND_BOUND_SLOTS", 0x02a4 },
		{ "icx::TOPDOWN:BR_MISPREDICT_SLOTS", 0x08a4 },
		{ "spr::TOPDOWN:BACKEND_BOUND_SLOTS", 0x02a4 },
		{ "spr::TOPDOWN:BR_MISPREDICT_SLOTS", 0x08a4 },
		{ "spr::TOPDOWN:BAD_SPEC_SLOTS", 0x04a4 },
		{ "spr::TOPDOWN:MEMORY_BOUND_SLOTS", 0x10a4 },
		{ "icx::L2_RQSTS:MISS", 0x3f24 },
		{ "spr::L2_RQSTS:MISS", 0x3f24 },
		{ "icx::LONGEST_LAT_CACHE:REFERENCE", 0x4f2e },
		{ "snb_ep::LAST_LEVEL_CACHE_MISSES", 0x412e },
		{ "snb_ep::LAST_LEVEL_CACHE_REFERENCES", 0x4f2e },
	};
	(void)state;

	if (knows("emr"))
		skip(); /* newer */
	for (size_t i = 0; i < WEIR_COUNT(known); i++) {
		struct perf_code code = { .config = 0 };

		if (!perf_encode(known[i].name, &code, NULL) && code.config == known[i].code)
			fail_msg("%s is right now", known[i].name);
	}
}

static void
unknown_name(void **state)
{
	struct perf_code code;
	struct weir_err err;
	(void)state;

	assert_int_equal(perf_encode("skx::NO_SUCH_EVENT", &code, &err), -ENOENT);
	assert_non_null(strstr(err.text, "skx::NO_SUCH_EVENT"));
	assert_int_equal(perf_encode("skx::L1D:REPLACEMENT:u", &code, &err), 0);
	assert_true(code.exclude_kernel && !code.exclude_user && code.config == 0x0151);
}

static void
models(void **state)
{
	static const struct {
		const char *text, *name;
	} known[] = {
		{ cascade_lake, "Cascade Lake-SP" },
		{ sapphire_rapids, "Sapphire Rapids" },
		{ haswell, "Haswell-EP" },
		{ sandy_bridge, "Sandy Bridge-EP" },
		{ alder_lake, "Alder Lake or newer client" },
		{ zen2, "Zen 2" },
		{ zen4, "Zen 4" },
		{ a64fx, "A64FX" },
		{ "vendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\nstepping\t: 4\n",
			"Skylake-SP" },
		{ "vendor_id\t: GenuineIntel\ncpu family\t: 15\nmodel\t\t: 85\n", "unknown CPU" },
		{ "vendor_id\t: HygonGenuine\ncpu family\t: 24\nmodel\t\t: 1\n", "Zen 1" },
		{ "vendor_id\t: AuthenticAMD\ncpu family\t: 23\nmodel\t\t: 1\n", "Zen 1" },
		{ "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 33\n", "Zen 3" },
		{ "vendor_id\t: AuthenticAMD\ncpu family\t: 26\nmodel\t\t: 2\n", "Zen 5" },
		{ "CPU implementer\t: 0x41\nCPU part\t: 0xd4f\n", "Neoverse V2" },
		{ "CPU implementer\t: 0x41\nCPU part\t: 0xd0c\n", "Neoverse N1" },
		{ "CPU implementer\t: 0x61\nCPU part\t: 0x022\n", "unknown CPU" },
		{ "", "unknown CPU" },
	};
	(void)state;

	for (size_t i = 0; i < WEIR_COUNT(known); i++) {
		struct perf_processor p = perf_processor(known[i].text, strlen(known[i].text));

		assert_string_equal(perf_model(&p)->name, known[i].name);
	}
}

static void
cpu_lists(void **state)
{
	struct perf_cpus cpus = { { 0 } };
	(void)state;

	assert_true(perf_cpus_add(&cpus, "0-2,64,66-67\n", 13));
	for (uint32_t cpu = 0; cpu < 80; cpu++)
		assert_int_equal(perf_cpus_has(&cpus, cpu), cpu < 3 || cpu == 64 || cpu == 66 || cpu == 67);
	assert_false(perf_cpus_has(&cpus, PERF_CPUS));
	static const char *const wrong[] = { "x", "1-", "3-1", "1;2", "-1", "8192",
		"99999999999999999999" };

	for (size_t i = 0; i < WEIR_COUNT(wrong); i++)
		assert_false(perf_cpus_add(&cpus, wrong[i], strlen(wrong[i])));
}

/* ---- arithmetic ---- */

static void
scaling(void **state)
{
	(void)state;
	assert_int_equal(perf_scaled(1000, 10, 10), 1000);
	assert_int_equal(perf_scaled(1000, 10, 5), 2000);
	assert_int_equal(perf_scaled(7, 3, 2), 10);
	assert_int_equal(
		perf_scaled(1000, 5, 10), 1000); /* running ahead of enabled never shrinks a count */
	/* 64 bit would overflow: 2^60 counts in 10^10 ns, of which a quarter was counted. */
	assert_int_equal(perf_scaled(UINT64_C(1) << 60, 10000000000, 2500000000), UINT64_C(1) << 62);
}

static void
groups_fit_the_counters(void **state)
{
	static const uint64_t a[] = { 0xc0, 0x3c, 0x300, 0x01c7, 0x04c7, 0x10c7, MASK_DP },
						  b[] = { 0x02c7, 0x08c7, 0x20c7, 0x80c7 };
	static const uint64_t c[] = { 0xc5, 0x412e, 0x0151, 0x81d0 },
						  d[] = { 0xc4, 0x4f2e, 0x3f24, 0x82d0 };
	struct machine *m = machine_new(cascade_lake);
	(void)state;

	pmu(m, "cpu", "4\n");
	m->room = 4;
	begin(m);
	const struct perf_set *set = &m->perf->set[0];

	assert_int_equal(set->groups, 4);
	assert_group(m, set, 0, 7, a);
	assert_group(m, set, 1, 4, b);
	assert_group(m, set, 2, 4, c);
	assert_group(m, set, 3, 4, d);
	assert_int_equal(m->opened, 2 * 19);
	assert_int_equal(m->enables, 2 * 4);
	machine_free(m);
}

static void
watchdog_keeps_a_counter(void **state)
{
	static const uint64_t a[] = { 0xc0, 0x3c, 0x300, 0x01c7, 0x04c7, 0x10c7 };
	struct machine *m = machine_new(cascade_lake);
	(void)state;

	pmu(m, "cpu", "4\n");
	file(m, "1\n", "/proc/sys/kernel/nmi_watchdog");
	begin(m);
	assert_group(m, &m->perf->set[0], 0, 6, a);
	assert_int_equal(m->perf->set[0].groups, 6);
	machine_free(m);
}

static void
two_groups_without_smt(void **state)
{
	struct machine *m = machine_new(cascade_lake);
	(void)state;

	pmu(m, "cpu", "4\n");
	file(m, "0\n", "/sys/devices/system/cpu/smt/active");
	m->room = 8;
	begin(m);
	assert_int_equal(m->perf->set[0].groups, 2);
	machine_free(m);
}

/*
 * Fewer counters than the table says, as in virtual machines: the kernel's refusal divides the
 * groups.
 */
static void
refused_groups_are_split(void **state)
{
	static const uint64_t a[] = { 0xc0, 0x3c, 0x300, 0x01c7, 0x04c7, 0x10c7 }, b[] = { MASK_DP },
						  c[] = { 0x02c7, 0x08c7, 0x20c7 };
	struct machine *m = machine_new(cascade_lake);
	(void)state;

	pmu(m, "cpu", "4\n");
	m->room = 3;
	begin(m);
	assert_int_equal(m->perf->set[0].state, PERF_OPEN);
	assert_int_equal(m->perf->set[0].groups, 8);
	assert_group(m, &m->perf->set[0], 0, 6, a);
	assert_group(m, &m->perf->set[0], 1, 1, b);
	assert_group(m, &m->perf->set[0], 2, 3, c);
	assert_int_equal(m->opened, 2 * 19);
	machine_free(m);
}

static void
floating_point_factors(void **state)
{
	struct machine *m = machine_new(cascade_lake);
	(void)state;

	pmu(m, "cpu", "4\n");
	begin(m);
	/* A multiply-add is in these counts twice already. */
	rate(m, 0x01c7, 1), rate(m, 0x04c7, 10), rate(m, 0x10c7, 100), rate(m, 0x40c7, 1000);
	rate(m, 0x02c7, 3), rate(m, 0x08c7, 30), rate(m, 0x20c7, 300), rate(m, 0x80c7, 3000);
	rate(m, 0xc0, 77);
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(rows(m, SCHEMA_PERF), 2);
	for (size_t row = 0; row < 2; row++) {
		assert_int_equal(cell(m, SCHEMA_PERF, CPU, row), row);
		assert_int_equal(cell(m, SCHEMA_PERF, INSTRUCTIONS, row), 77);
		assert_int_equal(cell(m, SCHEMA_PERF, CYCLES, row), 0);
		assert_int_equal(cell(m, SCHEMA_PERF, FP_SCALAR_DP, row), 1);
		assert_int_equal(cell(m, SCHEMA_PERF, FP_512_SP, row), 3000);
		assert_int_equal(cell(m, SCHEMA_PERF, FLOPS_DP, row), 1 + 20 + 400 + 8000);
		assert_int_equal(cell(m, SCHEMA_PERF, FLOPS_SP, row), 3 + 120 + 2400 + 48000);
		assert_false(present(m, SCHEMA_PERF, FLOPS, row)); /* the precisions are told apart */
		assert_int_equal(cell(m, SCHEMA_PERF, FLOPS_ESTIMATED, row), false);
		assert_int_equal(cell(m, SCHEMA_PERF, SCALED, row), false);
		assert_int_equal(cell(m, SCHEMA_PERF, TIME_ENABLED, row), 1000);
		assert_int_equal(cell(m, SCHEMA_PERF, TIME_RUNNING, row), 1000);
		assert_false(present(m, SCHEMA_PERF, SLOTS, row));
		assert_text(m, SCHEMA_PERF, OWNER, row, "");
	}
	machine_free(m);
}

static void
executed_operations_are_estimates(void **state)
{
	struct machine *m = machine_new(sandy_bridge);
	(void)state;

	pmu(m, "cpu", "4\n");
	begin(m);
	rate(m, 0x8010, 1), rate(m, 0x1010, 10), rate(m, 0x0211, 100);
	rate(m, 0x2010, 2), rate(m, 0x4010, 20), rate(m, 0x0111, 200);
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(cell(m, SCHEMA_PERF, FLOPS_DP, 0), 1 + 20 + 400);
	assert_int_equal(cell(m, SCHEMA_PERF, FLOPS_SP, 0), 2 + 80 + 1600);
	assert_int_equal(cell(m, SCHEMA_PERF, FLOPS_ESTIMATED, 0), true);
	assert_false(present(m, SCHEMA_PERF, FP_512_DP, 0));
	machine_free(m);
}

static void
haswell_has_no_operations(void **state)
{
	struct machine *m = machine_new(haswell);
	(void)state;

	pmu(m, "cpu", "4\n");
	begin(m);
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_true(present(m, SCHEMA_PERF, LOADS, 0));
	assert_false(present(m, SCHEMA_PERF, FLOPS_DP, 0));
	assert_false(present(m, SCHEMA_PERF, FLOPS_ESTIMATED, 0));
	assert_capability(m, "flops", WEIR_UNSUPPORTED, "Haswell");
	machine_free(m);
}

/* Two counters for the floating-point event of family 17h: six are full with five events. */
static void
zen_mixes_precisions(void **state)
{
	static const uint64_t first[] = { 0xc0, 0x76, 2, 0x0f03, 0xc3, 0x0864 },
						  second[] = { 0xc2, 0x0129, 0x0229, 0x4843 };
	struct machine *m = machine_new(zen2);
	(void)state;

	pmu(m, "cpu", "4\n");
	pmu(m, "msr", "11\n");
	file(m, "event=0x02\n", PERF_DEVICES "/msr/events/mperf");
	begin(m);
	assert_int_equal(m->perf->set[0].groups, 2);
	assert_group(m, &m->perf->set[0], 0, 6, first);
	assert_group(m, &m->perf->set[0], 1, 4, second);
	m->rate[0] = (struct rate){ 11, 2, 4000 };
	rate(m, 0x0f03, 500), rate(m, 0x76, 5000);
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(cell(m, SCHEMA_PERF, FLOPS, 0), 500);
	assert_int_equal(cell(m, SCHEMA_PERF, CYCLES, 0), 5000);
	assert_int_equal(cell(m, SCHEMA_PERF, REFERENCE_CYCLES, 0), 4000);
	assert_false(present(m, SCHEMA_PERF, FLOPS_DP, 0));
	assert_false(present(m, SCHEMA_PERF, FLOPS_SP, 0));
	machine_free(m);
}

static void
vector_length_of_a64fx(void **state)
{
	struct machine *m = machine_new(a64fx);
	(void)state;

	pmu(m, "armv8_pmuv3_0", "8\n");
	file(m, "0-1\n", PERF_DEVICES "/armv8_pmuv3_0/cpus");
	file(m, "64\n", "/proc/sys/abi/sve_default_vector_length");
	file(m, "0\n", "/sys/devices/system/node/node4/cpulist");
	file(m, "1\n", "/sys/devices/system/node/node5/cpulist");
	m->perf->uncore = true;
	begin(m);
	rate(m, 0x80c7, 5), rate(m, 0x80c6, 100), rate(m, 0x80c4, 7), rate(m, 0x0316, 3),
		rate(m, 0x031e, 2);
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(cell(m, SCHEMA_PERF, FLOPS_DP, 1), 5 + 4 * 100);
	assert_int_equal(cell(m, SCHEMA_PERF, FLOPS_SP, 1), 4 * 7);
	assert_int_equal(rows(m, SCHEMA_UNCORE), 2);
	for (size_t row = 0; row < 2; row++) {
		uint64_t socket = cell(m, SCHEMA_UNCORE, SOCKET, row);

		assert_true(socket == 4 || socket == 5);
		assert_int_equal(cell(m, SCHEMA_UNCORE, READ_BYTES, row), 3 * 256);
		assert_int_equal(cell(m, SCHEMA_UNCORE, WRITE_BYTES, row), 2 * 256);
	}
	assert_int_not_equal(cell(m, SCHEMA_UNCORE, SOCKET, 0), cell(m, SCHEMA_UNCORE, SOCKET, 1));
	machine_free(m);
}

static void
slots_lead_their_metrics(void **state)
{
	static const uint64_t first[] = { 0x400, 0x8000, 0x8100, 0x8200, 0x8300, 0x8700, 0xc0, 0x3c,
		0x300, 0x01c7, 0x04c7, 0x10c7, 0x40c7, 0x02c7, 0x08c7, 0x20c7, 0x80c7 };
	struct machine *m = machine_new(sapphire_rapids);
	(void)state;

	pmu(m, "cpu", "4\n");
	file(m, "event=0x00,umask=0x4\n", PERF_DEVICES "/cpu/events/slots");
	file(m, "event=0x00,umask=0x80\n", PERF_DEVICES "/cpu/events/topdown-retiring");
	m->room = 8;
	begin(m);
	assert_int_equal(m->perf->set[0].groups, 2);
	assert_group(m, &m->perf->set[0], 0, 17, first);
	rate(m, 0x400, 600), rate(m, 0x8000, 300), rate(m, 0x8700, 50);
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(cell(m, SCHEMA_PERF, SLOTS, 0), 600);
	assert_int_equal(cell(m, SCHEMA_PERF, TD_RETIRING, 0), 300);
	assert_int_equal(cell(m, SCHEMA_PERF, TD_MEMORY_BOUND, 0), 50);
	/*
	 * Metrics are rounded: a step back counts nothing, and nothing again until the old value is
	 * passed.
	 */
	rate(m, 0x8000, (uint64_t)-20);
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(cell(m, SCHEMA_PERF, TD_RETIRING, 0), 300);
	rate(m, 0x8000, 25);
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(cell(m, SCHEMA_PERF, TD_RETIRING, 0), 305);
	machine_free(m);
}

/*
 * Without the kernel's topdown events their codes would be taken for event 0 on a general counter.
 */
static void
no_topdown_no_slots(void **state)
{
	struct machine *m = machine_new(sapphire_rapids);
	(void)state;

	pmu(m, "cpu", "4\n");
	begin(m);
	for (int i = 0; i < m->n; i++)
		assert_true(
			m->counter[i].attr.config != 0x400 && (m->counter[i].attr.config & 0xf8ff) != 0x8000);
	assert_capability(m, "slots", WEIR_UNSUPPORTED, "topdown");
	assert_capability(m, "td_memory_bound", WEIR_UNSUPPORTED, "topdown");
	pass(m, 1, 1);
	assert_int_equal(tick(m), 0);
	assert_false(present(m, SCHEMA_PERF, SLOTS, 0));
	assert_true(present(m, SCHEMA_PERF, INSTRUCTIONS, 0));
	machine_free(m);
}

/* Each interval is scaled by its own share, so the total is 100 x 2 + 100 x 4, not 200 x 8/3. */
static void
intervals_are_scaled(void **state)
{
	struct machine *m = machine_new(cascade_lake);
	(void)state;

	pmu(m, "cpu", "4\n");
	begin(m);
	rate(m, 0xc0, 100);
	pass(m, 1000, 500);
	assert_int_equal(tick(m), 0);
	assert_int_equal(cell(m, SCHEMA_PERF, INSTRUCTIONS, 0), 200);
	assert_int_equal(cell(m, SCHEMA_PERF, SCALED, 0), true);
	pass(m, 1000, 250);
	assert_int_equal(tick(m), 0);
	assert_int_equal(cell(m, SCHEMA_PERF, INSTRUCTIONS, 0), 600);
	assert_int_equal(cell(m, SCHEMA_PERF, TIME_ENABLED, 0), 2000);
	assert_int_equal(cell(m, SCHEMA_PERF, TIME_RUNNING, 0), 750);
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(cell(m, SCHEMA_PERF, INSTRUCTIONS, 0), 700);
	assert_int_equal(cell(m, SCHEMA_PERF, SCALED, 0), false);
	machine_free(m);
}

/* What did not run is missing, and the next interval that counts stands for both. */
static void
never_running_is_missing(void **state)
{
	struct machine *m = machine_new(cascade_lake);
	(void)state;

	pmu(m, "cpu", "4\n");
	begin(m);
	rate(m, 0xc0, 100);
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	pass(m, 1000, 0);
	assert_int_equal(tick(m), 0);
	assert_int_equal(rows(m, SCHEMA_PERF), 2);
	assert_false(present(m, SCHEMA_PERF, INSTRUCTIONS, 0));
	assert_false(present(m, SCHEMA_PERF, FLOPS_DP, 0));
	assert_int_equal(cell(m, SCHEMA_PERF, SCALED, 0), true);
	assert_int_equal(cell(m, SCHEMA_PERF, TIME_ENABLED, 0), 2000);
	assert_int_equal(cell(m, SCHEMA_PERF, TIME_RUNNING, 0), 1000);
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(cell(m, SCHEMA_PERF, INSTRUCTIONS, 0), 100 + 200);
	assert_int_equal(cell(m, SCHEMA_PERF, TIME_ENABLED, 0), 3000);
	assert_int_equal(cell(m, SCHEMA_PERF, TIME_RUNNING, 0), 2000);
	machine_free(m);
}

static void
totals_wrap(void **state)
{
	struct machine *m = machine_new(cascade_lake);
	(void)state;

	pmu(m, "cpu", "4\n");
	begin(m);
	struct perf_count *count = &m->perf->set[0].place[0].count[0];

	/* The kernel's value and the total near 2^64 go over it together. */
	count->last = UINT64_MAX - 4;
	count->total = UINT64_MAX - 1;
	m->counter[count->fd].value = 5;
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(cell(m, SCHEMA_PERF, INSTRUCTIONS, 0), 8);
	machine_free(m);
}

/* ---- what fails ---- */

static void
no_hardware(void **state)
{
	static const char *const events[] = { "r01c2", "skx::L1D:REPLACEMENT" };
	struct machine *m = machine_new(cascade_lake);
	(void)state;

	m->perf->software = m->perf->uncore = true;
	m->perf->events = (struct weir_list){ events, 2 };
	m->refuse[0] = (struct rate){ PERF_TYPE_RAW, 0x01c2, ENOENT };
	m->refuse[1] = (struct rate){ PERF_TYPE_RAW, 0x0151, ENOENT };
	begin(m);
	m->rate[0] = (struct rate){ PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES, 9 };
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(rows(m, SCHEMA_PERF), 0);
	assert_int_equal(rows(m, SCHEMA_UNCORE), 0);
	assert_int_equal(rows(m, SCHEMA_EVENT), 8);
	assert_int_equal(m->opened, 8);
	static const char *const names[] = { "context-switches", "cpu-migrations", "page-faults",
		"major-faults" };

	for (size_t row = 0; row < 8; row++) {
		assert_text(m, SCHEMA_EVENT, EVENT_PMU, row, "software");
		assert_text(m, SCHEMA_EVENT, EVENT_NAME, row, names[row % 4]);
		assert_int_equal(cell(m, SCHEMA_EVENT, EVENT_CPU, row), row / 4);
		assert_int_equal(cell(m, SCHEMA_EVENT, EVENT_COUNT, row), row % 4 ? 0 : 9);
	}
	assert_capability(m, "instructions", WEIR_UNSUPPORTED, "no-pmu");
	assert_capability(m, "fp_512_sp", WEIR_UNSUPPORTED, "no-pmu");
	assert_capability(m, "uncore", WEIR_UNSUPPORTED, "no-pmu");
	assert_capability(m, "r01c2", WEIR_UNSUPPORTED, "no-pmu");
	assert_capability(m, "skx::L1D:REPLACEMENT", WEIR_UNSUPPORTED, "no-pmu");
	/* They cost nothing afterwards. */
	int n = m->n;

	pass(m, 1000, 1000);
	assert_int_equal(tick_at(m, INT64_C(3600000000)), 0);
	assert_int_equal(m->n, n);
	machine_free(m);
}

static void
one_event_is_unsupported(void **state)
{
	struct machine *m = machine_new(cascade_lake);
	(void)state;

	pmu(m, "cpu", "4\n");
	m->refuse[0] = (struct rate){ PERF_TYPE_RAW, MASK_DP, EOPNOTSUPP };
	begin(m);
	rate(m, 0x01c7, 5);
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_capability(m, "fp_512_dp", WEIR_UNSUPPORTED, "PMU 'cpu'");
	assert_null(capability(m, "fp_256_dp"));
	assert_int_equal(cell(m, SCHEMA_PERF, FP_SCALAR_DP, 0), 5);
	assert_false(present(m, SCHEMA_PERF, FP_512_DP, 0));
	/* A sum without one of its parts is no sum. */
	assert_false(present(m, SCHEMA_PERF, FLOPS_DP, 0));
	assert_true(present(m, SCHEMA_PERF, FLOPS_SP, 0));
	machine_free(m);
}

static void
refused_is_tried_after_ten_minutes(void **state)
{
	struct machine *m = machine_new(cascade_lake);
	(void)state;

	pmu(m, "cpu", "4\n");
	m->perf->software = true;
	m->error = -EACCES;
	begin(m);
	assert_capability(m, "instructions", WEIR_REFUSED, "CAP_PERFMON");
	assert_capability(m, "stores", WEIR_REFUSED, "5.8");
	assert_capability(
		m, "software:page-faults", WEIR_REFUSED, "perf_event_paranoid at most 0 (it is 2)");
	assert_int_equal(tick(m), -ENODATA);
	m->error = 0;
	assert_int_equal(tick_at(m, 580000000), -ENODATA);
	assert_int_equal(m->n, 0);
	pass(m, 1000, 1000);
	(void)tick_at(m, 20000000);
	assert_int_equal(m->opened, 2 * (19 + 4));
	assert_capability(m, "instructions", WEIR_OK, "");
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(rows(m, SCHEMA_PERF), 2);
	machine_free(m);
}

static void
busy_counters_have_an_owner(void **state)
{
	struct machine *m = machine_new(cascade_lake);
	(void)state;

	pmu(m, "cpu", "4\n");
	m->error = -EBUSY;
	begin(m);
	assert_int_equal(tick(m), 0);
	assert_int_equal(rows(m, SCHEMA_PERF), 2);
	assert_text(m, SCHEMA_PERF, OWNER, 1, "another user of the PMU has the counters (EBUSY)");
	assert_false(present(m, SCHEMA_PERF, INSTRUCTIONS, 1));
	assert_false(present(m, SCHEMA_PERF, TIME_ENABLED, 1));
	assert_capability(m, "instructions", WEIR_FAILED, "another user");
	m->error = 0;
	(void)tick_at(m, 60000000);
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_text(m, SCHEMA_PERF, OWNER, 1, "");
	assert_true(present(m, SCHEMA_PERF, INSTRUCTIONS, 1));
	assert_capability(m, "instructions", WEIR_OK, "");
	machine_free(m);
}

/* One CPU's counters taken: the other CPU counts on. */
static void
one_cpu_is_busy(void **state)
{
	struct machine *m = machine_new(cascade_lake);
	(void)state;

	pmu(m, "cpu", "4\n");
	m->error = -EBUSY;
	m->error_cpu = 1;
	begin(m);
	rate(m, 0xc0, 100);
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(cell(m, SCHEMA_PERF, INSTRUCTIONS, 0), 100);
	assert_text(m, SCHEMA_PERF, OWNER, 0, "");
	assert_int_equal(cell(m, SCHEMA_PERF, CPU, 1), 1);
	assert_false(present(m, SCHEMA_PERF, INSTRUCTIONS, 1));
	assert_text(m, SCHEMA_PERF, OWNER, 1, "another user of the PMU has the counters (EBUSY)");
	m->error = 0;
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_false(present(m, SCHEMA_PERF, INSTRUCTIONS, 1)); /* not before a minute is over */
	pass(m, 1000, 1000);
	(void)tick_at(m, 60000000);
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(cell(m, SCHEMA_PERF, INSTRUCTIONS, 0), 400);
	assert_int_equal(cell(m, SCHEMA_PERF, INSTRUCTIONS, 1), 100);
	machine_free(m);
}

static void
yields_to_the_owner_of_a_file(void **state)
{
	struct machine *m = machine_new(cascade_lake);
	char owner[64];
	(void)state;

	pmu(m, "cpu", "4\n");
	m->perf->software = true;
	m->perf->yield_file = "/run/likwid.lock";
	file(m, "", "/run/likwid.lock");
	begin(m);
	rate(m, 0xc0, 100);
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0); /* the file is ours */
	assert_int_equal(cell(m, SCHEMA_PERF, INSTRUCTIONS, 0), 100);
	assert_int_equal(m->disables, 0);
	m->perf->uid = geteuid() + 1;
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(m->disables, 2 * 4);
	snprintf(owner, sizeof(owner), "'/run/likwid.lock' belongs to user id %u", (unsigned)geteuid());
	assert_int_equal(rows(m, SCHEMA_PERF), 2);
	assert_text(m, SCHEMA_PERF, OWNER, 0, owner);
	assert_false(present(m, SCHEMA_PERF, INSTRUCTIONS, 0));
	assert_false(present(m, SCHEMA_PERF, SCALED, 0));
	assert_int_equal(rows(m, SCHEMA_EVENT), 8); /* software events take nothing from anybody */
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(m->disables, 2 * 4);
	m->perf->uid = geteuid();
	int enables = m->enables;

	(void)tick(m);
	assert_int_equal(m->enables, enables + 2 * 4);
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_text(m, SCHEMA_PERF, OWNER, 0, "");
	/* What went by before the stop and after the start: the pause counts nothing. */
	assert_int_equal(cell(m, SCHEMA_PERF, INSTRUCTIONS, 0), 300);
	machine_free(m);
}

/* A lock that is there from the start: nothing is opened before it goes. */
static void
yields_from_the_start(void **state)
{
	struct machine *m = machine_new(cascade_lake);
	char path[128];
	struct weir_err err;
	(void)state;

	pmu(m, "cpu", "4\n");
	m->perf->yield_file = "/run/likwid.lock";
	file(m, "", "/run/likwid.lock");
	if (geteuid() || chown(strcat(strcpy(path, m->root), "/run/likwid.lock"), 12345, (gid_t)-1)) {
		machine_free(m);
		skip();
	}
	assert_int_equal(instance_open(m->ctx, &err), 0);
	assert_int_equal(m->n, 0);
	assert_int_equal(tick(m), 0);
	assert_text(m, SCHEMA_PERF, OWNER, 0, "'/run/likwid.lock' belongs to user id 12345");
	assert_int_equal(unlink(path), 0);
	(void)tick(m);
	assert_int_equal(m->opened, 2 * 19);
	machine_free(m);
}

static void
cpus_go_and_come(void **state)
{
	struct machine *m = machine_new(cascade_lake);
	(void)state;

	pmu(m, "cpu", "4\n");
	begin(m);
	rate(m, 0xc0, 100);
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(rows(m, SCHEMA_PERF), 2);
	m->offline[1] = true;
	file(m, "0\n", "/sys/devices/system/cpu/online");
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(rows(m, SCHEMA_PERF), 1);
	assert_int_equal(cell(m, SCHEMA_PERF, INSTRUCTIONS, 0), 200);
	assert_int_equal(m->opened, 19);
	m->offline[1] = false;
	file(m, "0-2\n", "/sys/devices/system/cpu/online");
	pass(m, 1000, 1000);
	(void)tick(m);
	assert_int_equal(m->opened, 3 * 19);
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(rows(m, SCHEMA_PERF), 3);
	assert_int_equal(cell(m, SCHEMA_PERF, CPU, 1), 1);
	assert_int_equal(cell(m, SCHEMA_PERF, INSTRUCTIONS, 1), 200); /* the total goes on */
	assert_int_equal(cell(m, SCHEMA_PERF, INSTRUCTIONS, 2), 100);
	machine_free(m);
}

/* Gone and back between two ticks: time stands still on the old descriptors. */
static void
dead_descriptors_are_opened_anew(void **state)
{
	struct machine *m = machine_new(cascade_lake);
	(void)state;

	pmu(m, "cpu", "4\n");
	begin(m);
	rate(m, 0xc0, 100);
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	m->offline[1] = true;
	pass(m, 1000, 1000);
	m->offline[1] = false;
	assert_int_equal(tick(m), 0);
	assert_int_equal(rows(m, SCHEMA_PERF), 1);
	(void)tick(m);
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(rows(m, SCHEMA_PERF), 2);
	assert_int_equal(cell(m, SCHEMA_PERF, INSTRUCTIONS, 1), 200);
	assert_int_equal(m->opened, 2 * 19);
	machine_free(m);
}

static void
chosen_cpus(void **state)
{
	static const char *const good[] = { "1-3" }, *const bad[] = { "0;1" };
	struct machine *m = machine_new(cascade_lake);
	struct weir_err err;
	(void)state;

	pmu(m, "cpu", "4\n");
	m->perf->cpus = (struct weir_list){ good, 1 };
	begin(m);
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(rows(m, SCHEMA_PERF), 1);
	assert_int_equal(cell(m, SCHEMA_PERF, CPU, 0), 1);
	machine_free(m);
	m = machine_new(cascade_lake);
	m->perf->cpus = (struct weir_list){ bad, 1 };
	assert_int_equal(instance_open(m->ctx, &err), -EINVAL);
	assert_non_null(strstr(err.text, "'0;1'"));
	machine_free(m);
}

/* ---- uncore and names ---- */

static void
imc(struct machine *m, const char *name, const char *type)
{
	pmu(m, name, type);
	file(m, "0\n", PERF_DEVICES "/%s/cpumask", name);
	file(m, "config:0-7\n", PERF_DEVICES "/%s/format/event", name);
	file(m, "config:8-15\n", PERF_DEVICES "/%s/format/umask", name);
}

static void
memory_controllers(void **state)
{
	struct machine *m = machine_new(cascade_lake);
	(void)state;

	imc(m, "uncore_imc_0", "17\n");
	imc(m, "uncore_imc_11", "18\n");
	imc(m, "uncore_imc_free_running_0", "19\n");
	file(m, "1\n", PERF_DEVICES "/uncore_imc_11/cpumask");
	file(m, "0\n", "/sys/devices/system/cpu/cpu0/topology/physical_package_id");
	file(m, "3\n", "/sys/devices/system/cpu/cpu1/topology/physical_package_id");
	m->perf->hardware = m->perf->flops = false;
	m->perf->uncore = true;
	begin(m);
	m->rate[0] = (struct rate){ 17, 0x0304, 5 };
	m->rate[1] = (struct rate){ 17, 0x0c04, 2 };
	m->rate[2] = (struct rate){ 18, 0x0304, 7 };
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(rows(m, SCHEMA_UNCORE), 2);
	size_t first = cell(m, SCHEMA_UNCORE, SOCKET, 0) ? 1 : 0;

	assert_text(m, SCHEMA_UNCORE, PMU, first, "uncore_imc_0");
	assert_int_equal(cell(m, SCHEMA_UNCORE, SOCKET, first), 0);
	assert_int_equal(cell(m, SCHEMA_UNCORE, READ_BYTES, first), 5 * 64);
	assert_int_equal(cell(m, SCHEMA_UNCORE, WRITE_BYTES, first), 2 * 64);
	assert_false(present(m, SCHEMA_UNCORE, TOTAL_BYTES, first));
	assert_text(m, SCHEMA_UNCORE, PMU, 1 - first, "uncore_imc_11");
	assert_int_equal(cell(m, SCHEMA_UNCORE, SOCKET, 1 - first), 3);
	assert_int_equal(cell(m, SCHEMA_UNCORE, READ_BYTES, 1 - first), 7 * 64);
	assert_int_equal(m->opened, 4);
	/* The kernel moves the events of a socket whose CPU goes: they stay open. */
	file(m, "1\n", "/sys/devices/system/cpu/online");
	file(m, "1\n", PERF_DEVICES "/uncore_imc_0/cpumask");
	file(m, "0\n", "/sys/devices/system/cpu/cpu1/topology/physical_package_id");
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(rows(m, SCHEMA_UNCORE), 2);
	assert_int_equal(cell(m, SCHEMA_UNCORE, READ_BYTES, first), 10 * 64);
	assert_int_equal(m->n, 4 + 4); /* tried alone, and opened: nothing since */
	machine_free(m);
}

/*
 * The eight channels of the data fabric, four at a time; event numbers above 0xff lie in bits 32 to
 * 35.
 */
static void
data_fabric(void **state)
{
	struct machine *m = machine_new(zen2);
	(void)state;

	pmu(m, "amd_df", "21\n");
	file(m, "0\n", PERF_DEVICES "/amd_df/cpumask");
	file(m, "config:0-7,32-35\n", PERF_DEVICES "/amd_df/format/event");
	file(m, "config:8-15\n", PERF_DEVICES "/amd_df/format/umask");
	m->perf->hardware = m->perf->flops = false;
	m->perf->uncore = true;
	begin(m);
	assert_int_equal(m->perf->set[0].groups, 2);
	assert_int_equal(m->perf->set[0].first[1], 4);
	m->rate[0] = (struct rate){ 21, 0x3807, 1 };
	m->rate[1] = (struct rate){ 21, 0x1000038c7, 10 };
	pass(m, 1000, 500);
	assert_int_equal(tick(m), 0);
	assert_int_equal(rows(m, SCHEMA_UNCORE), 1);
	assert_int_equal(cell(m, SCHEMA_UNCORE, TOTAL_BYTES, 0), 2 * (1 + 10) * 64);
	assert_false(present(m, SCHEMA_UNCORE, READ_BYTES, 0));
	machine_free(m);
}

/* Zen 4 has controllers of its own since 6.10; only without them the fabric is asked. */
static void
controllers_before_fabric(void **state)
{
	for (int with = 0; with < 2; with++) {
		struct machine *m = machine_new(zen4);
		(void)state;

		pmu(m, "amd_df", "21\n");
		file(m, "0\n", PERF_DEVICES "/amd_df/cpumask");
		file(m, "config:0-7,32-37\n", PERF_DEVICES "/amd_df/format/event");
		file(m, "config:8-15,24-27\n", PERF_DEVICES "/amd_df/format/umask");
		if (with) {
			pmu(m, "amd_umc_3", "22\n");
			file(m, "0\n", PERF_DEVICES "/amd_umc_3/cpumask");
			file(m, "config:0-7\n", PERF_DEVICES "/amd_umc_3/format/event");
			file(m, "config:8-9\n", PERF_DEVICES "/amd_umc_3/format/rdwrmask");
		}
		m->perf->hardware = m->perf->flops = false;
		m->perf->uncore = true;
		begin(m);
		m->rate[0] = (struct rate){ 22, 0x10a, 5 };
		m->rate[1] = (struct rate){ 21, 0x700fe1f, 6 };
		m->rate[2] = (struct rate){ 21, 0x70700ffdf | 0, 0 };
		pass(m, 1000, 1000);
		assert_int_equal(tick(m), 0);
		assert_int_equal(rows(m, SCHEMA_UNCORE), 1);
		assert_text(m, SCHEMA_UNCORE, PMU, 0, with ? "amd_umc_3" : "amd_df");
		assert_int_equal(cell(m, SCHEMA_UNCORE, READ_BYTES, 0), with ? 5 * 64 : 6 * 64);
		assert_int_equal(cell(m, SCHEMA_UNCORE, WRITE_BYTES, 0), 0);
		assert_int_equal(m->opened, with ? 2 : 24);
		machine_free(m);
	}
}

/* Two PMUs of cores: what the efficient ones lack is missing there. */
static void
hybrid_cores(void **state)
{
	struct machine *m = machine_new(alder_lake);
	(void)state;

	pmu(m, "cpu_core", "4\n");
	file(m, "0\n", PERF_DEVICES "/cpu_core/cpus");
	file(m, "event=0x00,umask=0x4\n", PERF_DEVICES "/cpu_core/events/slots");
	file(m, "event=0x00,umask=0x80\n", PERF_DEVICES "/cpu_core/events/topdown-retiring");
	pmu(m, "cpu_atom", "10\n");
	file(m, "1\n", PERF_DEVICES "/cpu_atom/cpus");
	imc(m, "uncore_imc_free_running_0", "19\n");
	file(m, "event=0xff,umask=0x20\n", PERF_DEVICES "/uncore_imc_free_running_0/events/data_read");
	file(m, "6.103515625e-5\n", PERF_DEVICES "/uncore_imc_free_running_0/events/data_read.scale");
	file(m, "MiB\n", PERF_DEVICES "/uncore_imc_free_running_0/events/data_read.unit");
	m->perf->uncore = true;
	begin(m);
	rate(m, 0xc0, 100);
	m->rate[1] = (struct rate){ 10, 0xc0, 40 };
	m->rate[2] = (struct rate){ 19, 0x20ff, 3 };
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	assert_int_equal(rows(m, SCHEMA_PERF), 2);
	size_t p_core = cell(m, SCHEMA_PERF, CPU, 0) ? 1 : 0;

	assert_int_equal(cell(m, SCHEMA_PERF, INSTRUCTIONS, p_core), 100);
	assert_true(present(m, SCHEMA_PERF, SLOTS, p_core));
	assert_true(present(m, SCHEMA_PERF, FLOPS_DP, p_core));
	assert_int_equal(cell(m, SCHEMA_PERF, INSTRUCTIONS, 1 - p_core), 40);
	assert_true(present(m, SCHEMA_PERF, BRANCHES, 1 - p_core));
	assert_false(present(m, SCHEMA_PERF, BRANCH_MISSES, 1 - p_core));
	assert_false(present(m, SCHEMA_PERF, FLOPS_DP, 1 - p_core));
	assert_int_equal(cell(m, SCHEMA_UNCORE, READ_BYTES, 0), 3 * 64);
	assert_false(present(m, SCHEMA_UNCORE, WRITE_BYTES, 0));
	assert_capability(m, "uncore_imc_free_running_0/write_bytes", WEIR_UNSUPPORTED, "data_write");
	machine_free(m);
}

static void
named_events(void **state)
{
	static const char *const events[] = {
		"software:minor-faults",
		"software:nonsense",
		"r1b2",
		"skx::L1D:REPLACEMENT",
		"skx::NO_SUCH:EVENT",
		"uncore_imc_0/clock/",
		"uncore_imc_0/event=0x04,umask=0x03/",
		"uncore_imc_0/event=0x100/",
		"nowhere/x=1/",
		"uncore_imc_0/",
		"software:minor-faults",
	};
	struct machine *m = machine_new(cascade_lake);
	(void)state;

	pmu(m, "cpu", "4\n");
	imc(m, "uncore_imc_0", "17\n");
	file(m, "event=0xff\n", PERF_DEVICES "/uncore_imc_0/events/clock");
	m->perf->hardware = m->perf->flops = false;
	m->perf->events = (struct weir_list){ events, WEIR_COUNT(events) };
	begin(m);
	m->rate[0] = (struct rate){ PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MIN, 4 };
	m->rate[1] = (struct rate){ PERF_TYPE_RAW, 0x1b2, 5 };
	m->rate[2] = (struct rate){ PERF_TYPE_RAW, 0x0151, 6 };
	m->rate[3] = (struct rate){ 17, 0xff, 7 };
	m->rate[4] = (struct rate){ 17, 0x0304, 8 };
	pass(m, 1000, 1000);
	assert_int_equal(tick(m), 0);
	static const struct {
		const char *pmu, *name;
		uint64_t cpu, count;
	} wanted[] = {
		{ "software", "minor-faults", 0, 4 },
		{ "software", "minor-faults", 1, 4 },
		{ "cpu", "r1b2", 0, 5 },
		{ "cpu", "skx::L1D:REPLACEMENT", 0, 6 },
		{ "cpu", "r1b2", 1, 5 },
		{ "cpu", "skx::L1D:REPLACEMENT", 1, 6 },
		{ "uncore_imc_0", "clock", 0, 7 },
		{ "uncore_imc_0", "event=0x04,umask=0x03", 0, 8 },
	};

	assert_int_equal(rows(m, SCHEMA_EVENT), WEIR_COUNT(wanted));
	for (size_t row = 0; row < WEIR_COUNT(wanted); row++) {
		assert_text(m, SCHEMA_EVENT, EVENT_PMU, row, wanted[row].pmu);
		assert_text(m, SCHEMA_EVENT, EVENT_NAME, row, wanted[row].name);
		assert_int_equal(cell(m, SCHEMA_EVENT, EVENT_CPU, row), wanted[row].cpu);
		assert_int_equal(cell(m, SCHEMA_EVENT, EVENT_COUNT, row), wanted[row].count);
	}
	assert_capability(m, "software:nonsense", WEIR_UNSUPPORTED, "nonsense");
	assert_capability(m, "skx::NO_SUCH:EVENT", WEIR_UNSUPPORTED, "event not found");
	assert_capability(m, "uncore_imc_0/event=0x100/", WEIR_UNSUPPORTED, "does not fit");
	assert_capability(m, "nowhere/x=1/", WEIR_UNSUPPORTED, "no PMU 'nowhere'");
	assert_capability(m, "uncore_imc_0/", WEIR_UNSUPPORTED, "PMU/event/");
	machine_free(m);
}

/* Without a fake system a root means a saved tree: nothing of this machine may be told for it. */
static void
no_counters_under_a_root(void **state)
{
	struct machine *m = machine_new(cascade_lake);
	struct weir_err err;
	(void)state;

	m->perf->system = NULL;
	assert_int_equal(instance_open(m->ctx, &err), 0);
	assert_int_equal(weir_plugin.sampler.sample(m->ctx->state, &m->ctx->out, &err), -ENODATA);
	assert_non_null(strstr(err.text, m->root));
	assert_capability(m, "perf_event_open", WEIR_UNSUPPORTED, "saved tree");
	machine_free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_codes_agree),
		cmocka_unit_test(treacherous_names),
		cmocka_unit_test(unknown_name),
		cmocka_unit_test(models),
		cmocka_unit_test(cpu_lists),
		cmocka_unit_test(scaling),
		cmocka_unit_test(groups_fit_the_counters),
		cmocka_unit_test(watchdog_keeps_a_counter),
		cmocka_unit_test(two_groups_without_smt),
		cmocka_unit_test(refused_groups_are_split),
		cmocka_unit_test(floating_point_factors),
		cmocka_unit_test(executed_operations_are_estimates),
		cmocka_unit_test(haswell_has_no_operations),
		cmocka_unit_test(zen_mixes_precisions),
		cmocka_unit_test(vector_length_of_a64fx),
		cmocka_unit_test(slots_lead_their_metrics),
		cmocka_unit_test(no_topdown_no_slots),
		cmocka_unit_test(intervals_are_scaled),
		cmocka_unit_test(never_running_is_missing),
		cmocka_unit_test(totals_wrap),
		cmocka_unit_test(no_hardware),
		cmocka_unit_test(one_event_is_unsupported),
		cmocka_unit_test(refused_is_tried_after_ten_minutes),
		cmocka_unit_test(busy_counters_have_an_owner),
		cmocka_unit_test(one_cpu_is_busy),
		cmocka_unit_test(yields_to_the_owner_of_a_file),
		cmocka_unit_test(yields_from_the_start),
		cmocka_unit_test(cpus_go_and_come),
		cmocka_unit_test(dead_descriptors_are_opened_anew),
		cmocka_unit_test(chosen_cpus),
		cmocka_unit_test(memory_controllers),
		cmocka_unit_test(data_fabric),
		cmocka_unit_test(controllers_before_fabric),
		cmocka_unit_test(hybrid_cores),
		cmocka_unit_test(named_events),
		cmocka_unit_test(no_counters_under_a_root),
	};

	/* Names of CPUs that this one is not. */
	setenv("LIBPFM_ENCODE_INACTIVE", "1", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
