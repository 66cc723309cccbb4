/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this sampler share. An event is what can be counted; a set is events counted
 * together on the CPUs of one PMU; a place is one such CPU with its descriptors and totals; the
 * events of a set lie in groups that fit the counters.
 */
#ifndef PERF_H
#define PERF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <weir/sampler.h>

#define PERF_DEVICES "/sys/bus/event_source/devices"

/* Columns of `perf`. The tables name them; 0, the key, is never fed. */
enum {
	CPU,
	INSTRUCTIONS,
	CYCLES,
	REFERENCE_CYCLES,
	BRANCHES,
	BRANCH_MISSES,
	LLC_REFERENCES,
	LLC_MISSES,
	L1D_REPLACEMENTS,
	L2_MISSES,
	LOADS,
	STORES,
	FLOPS_DP,
	FLOPS_SP,
	FLOPS,
	FP_SCALAR_DP,
	FP_128_DP,
	FP_256_DP,
	FP_512_DP,
	FP_SCALAR_SP,
	FP_128_SP,
	FP_256_SP,
	FP_512_SP,
	SLOTS,
	TD_RETIRING,
	TD_BAD_SPECULATION,
	TD_FRONTEND_BOUND,
	TD_BACKEND_BOUND,
	TD_MEMORY_BOUND,
	TIME_ENABLED,
	TIME_RUNNING,
	SCALED,
	OWNER,
	FLOPS_ESTIMATED,
	PERF_COLUMNS
};
/* Of `perf_uncore`. */
enum { PMU, SOCKET, READ_BYTES, WRITE_BYTES, TOTAL_BYTES, UNCORE_COLUMNS };
/* Of `perf_event`. */
enum { EVENT_PMU, EVENT_CPU, EVENT_NAME, EVENT_COUNT };

/* Numbers of the schemas. */
enum { SCHEMA_PERF, SCHEMA_UNCORE, SCHEMA_EVENT };

/* ---- lists of CPUs ---- */

#define PERF_CPUS 8192 /* the most that any architecture's kernel can be built for */

struct perf_cpus {
	uint64_t word[PERF_CPUS / 64];
};

static inline bool
perf_cpus_has(const struct perf_cpus *cpus, uint32_t cpu)
{
	return cpu < PERF_CPUS && (cpus->word[cpu / 64] >> (cpu % 64) & 1);
}

/* Add "0-3,8" to a set; false, with nothing promised of the set, when the text is no such list. */
bool perf_cpus_add(struct perf_cpus *, const char *text, size_t length);

/* ---- tables ---- */

/* What the kernel is given. */
struct perf_code {
	uint32_t type;
	uint64_t config, config1, config2;
	bool exclude_user, exclude_kernel;
};

enum perf_source { PERF_RAW, PERF_HARDWARE, PERF_CACHE, PERF_MSR };

enum perf_entry_flag {
	PERF_FLOPS = 1,  /* belongs to option `flops`, the others to `hardware` */
	PERF_SLOTS = 2,  /* leads the topdown metrics */
	PERF_METRIC = 4, /* readable only in a group that the slots event leads */
};

#define PERF_FACTOR_SVE 0 /* times the length of SVE vectors / 128 bit */

struct perf_feed {
	uint16_t column, factor;
};

struct perf_entry {
	const char *name; /* libpfm's, without its PMU; NULL: none, or a wrong one */
	uint64_t config;
	enum perf_source source;
	uint8_t counters; /* general counters that it takes; 0: a fixed one */
	uint8_t flags;
	struct perf_feed feeds[2]; /* column 0: none */
};

struct perf_part {
	const struct perf_entry *entry;
	size_t n;
};

#define PERF_PARTS 5
#define PERF_PART(table) \
	{ \
		table, WEIR_COUNT(table) \
	}

/* Memory traffic, from PMUs outside the cores. */
struct perf_traffic_event {
	const char *alias;     /* the kernel's own name for it; NULL: the code follows */
	const char *mask_name; /* umask, rdwrmask */
	uint32_t event, mask;
	uint16_t column, bytes; /* bytes a count, where the alias has no scale */
	uint16_t channels;      /* the event of each is `step` above the last's; 0 counts as 1 */
	uint16_t step;
};

struct perf_traffic {
	const char *pmu; /* up to its number */
	uint8_t counters;
	bool numbered;  /* "uncore_imc_" is not to match "uncore_imc_free_running_0" */
	bool otherwise; /* only where no PMU of a line above is there */
	bool core;      /* events of the cores, counted on one CPU of each NUMA node */
	const struct perf_traffic_event *event;
	size_t n;
};

struct perf_model {
	const char *name;
	const char *pfm;                  /* libpfm's PMU; NULL: raw codes only */
	uint8_t counters, counters_alone; /* per thread with SMT, and without */
	bool estimated;                   /* FLOP counts are estimates */
	const char *no_flops;             /* why there are none */
	const struct perf_part *parts;    /* ends with a NULL entry */
	const struct perf_traffic *traffic;
	size_t n_traffic;
};

struct perf_processor {
	enum perf_vendor { PERF_OTHER, PERF_INTEL, PERF_AMD, PERF_ARM } vendor;
	uint32_t family, model, stepping; /* ARM: implementer and part */
};

extern const struct perf_model perf_intel[], perf_amd[], perf_arm[];
extern const struct perf_model perf_generic, perf_efficiency_core;
extern const struct weir_column perf_columns[PERF_COLUMNS], perf_uncore_columns[UNCORE_COLUMNS];

/* From the text of /proc/cpuinfo. */
struct perf_processor perf_processor(const char *text, size_t length);
/* Never NULL: the generic one when unknown. */
const struct perf_model *perf_model(const struct perf_processor *);
const struct perf_model *perf_intel_model(uint32_t family, uint32_t model, uint32_t stepping);
const struct perf_model *perf_amd_model(uint32_t family, uint32_t model);
const struct perf_model *perf_arm_model(uint32_t implementer, uint32_t part);

/* ---- sets ---- */

struct perf_event {
	char *item;       /* of capability rows */
	const char *name; /* key of perf_event; in `item` or constant */
	size_t length;
	struct perf_code code;
	uint8_t counters, flags;
	bool reported; /* a capability row stands */
	bool absent;   /* of a PMU that the kernel does not have */
	struct perf_feed feeds[2];
};

struct perf_count {
	int fd;
	bool fresh; /* counted in this interval: the total is good */
	uint64_t id, last, total;
};

/* Times of a group: at the last interval that counted, and at the last read. */
struct perf_clock {
	uint64_t enabled, running, seen_enabled, seen_running;
};

struct perf_place {
	uint32_t cpu;
	uint64_t socket;
	bool online, open, scaled;
	bool asked; /* read since it was started: time must have passed at the next read */
	int error;  /* why it could not be opened; 0: not tried since it came */
	struct perf_count *count; /* [set->n] */
	struct perf_clock *clock; /* [set->groups] */
	uint64_t enabled, running;
};

enum perf_kind { PERF_CORE, PERF_UNCORE, PERF_NAMED };
enum perf_state { PERF_PENDING, PERF_OPEN, PERF_DEAD, PERF_REFUSED, PERF_BUSY, PERF_FAILED };

#define PERF_MEMBERS 32 /* of a group */

struct perf_set {
	enum perf_kind kind;
	enum perf_state state;
	const struct perf_model *model; /* of a core set */
	char *pmu;
	uint32_t type;
	bool hardware;          /* given up when another user wants the counters */
	bool everywhere;        /* on each CPU that is online, of those in `cpus` */
	bool masked;            /* on the CPUs of the PMU's cpumask */
	uint8_t counters;       /* of the PMU, for the size of groups */
	struct perf_cpus *cpus; /* NULL: all */
	struct perf_event *event;
	size_t n, all;                 /* those that can be counted come first */
	uint16_t needed[PERF_COLUMNS]; /* events that feed a column */
	uint16_t *first;               /* [groups + 1]: first event of each group */
	size_t groups;
	struct perf_place *place;
	size_t places;
	int64_t retry; /* for weir_due */
};

/* The system, so that tests can be one. All return a negative errno. */
struct perf_event_attr;
struct perf_system {
	int (*open)(void *closure, const struct perf_event_attr *, int cpu, int leader);
	ssize_t (*read)(void *closure, int fd, void *, size_t);
	int (*identify)(void *closure, int fd, uint64_t *id);
	int (*enable)(void *closure, int leader, bool on);
	void (*close)(void *closure, int fd);
	void *closure;
};

extern const struct perf_system perf_live_system;

struct perf {
	struct weir_list events, cpus;
	bool hardware, flops, uncore, software;
	const char *yield_file;

	struct weir_ctx *ctx;
	const struct perf_system *system; /* NULL: the kernel */
	uid_t uid;
	const struct perf_model *model;
	bool no_pmu;      /* of the cores */
	uint8_t counters; /* general ones of a core, less that of the watchdog */
	uint32_t sve;     /* length of SVE vectors / 128 bit */
	struct weir_file *online_file;
	char *online_text;
	struct perf_cpus *online, *chosen; /* chosen: option cpus; NULL: all */
	struct perf_set *set;
	size_t sets;
	bool yielded;    /* the hardware sets are stopped */
	char owner[200]; /* who the PMU is left to; empty: nobody */
};

/* ---- encode.c: libpfm ---- */
int perf_encode(const char *name, struct perf_code *, struct weir_err *);

/* ---- format.c: the kernel's own names below PERF_DEVICES ---- */
bool perf_pmu_type(const struct weir_ctx *, const char *pmu, uint32_t *type);
/*
 * "event=0x04,umask=0x03" to config words by the PMU's format files; a term without a format is
 * taken for an alias.
 */
int perf_terms(const struct weir_ctx *, const char *pmu, const char *terms, struct perf_code *,
	struct weir_err *);
/* Bytes (or what its unit says) of one count of an alias by its scale file; `fallback` without. */
uint64_t perf_scale(const struct weir_ctx *, const char *pmu, const char *alias, uint64_t fallback);

/* ---- set.c ---- */
/* NULL out of memory. Pointers to sets and places are good until the next one is made. */
struct perf_set *perf_set_new(struct perf *, enum perf_kind, const char *pmu, uint32_t type);
/* `item` gets the code behind it when the set has such an item already. */
struct perf_event *perf_event_new(
	struct perf_set *, const struct perf_code *, const char *item, const char *name, size_t length);
void perf_set_free(struct perf *, struct perf_set *);
/*
 * Take an event out for good: it moves behind those that can be counted, and its column stays
 * missing.
 */
struct perf_event *perf_event_out(struct perf_set *, size_t event);
/* The same, with its capability row. */
void perf_event_drop(struct perf *, struct perf_set *, size_t event, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Once all events are in. */
int perf_set_seal(struct perf_set *);
/* Groups of at most `counters` general counters, in the order of the events. */
void perf_layout(struct perf_set *, uint8_t counters);
/* Begin a new group at this event. */
void perf_split(struct perf_set *, size_t event);

/* ---- places.c ---- */
struct perf_place *perf_place_new(struct perf_set *, uint32_t cpu);
/*
 * Places of the CPUs that are online, or of those that the PMU's cpumask names; again whenever CPUs
 * come or go.
 */
int perf_places(struct perf *, struct perf_set *);
/* Look whether CPUs came or went: all sets follow. */
int perf_online(struct perf *, struct weir_err *);

/* ---- open.c ---- */
/*
 * Try the events alone, lay out the groups, open them on all places. The set's state says what came
 * of it.
 */
void perf_set_start(struct perf *, struct perf_set *);
/* Open the places that are not: those that came at once, those that failed now and then. */
void perf_set_mend(struct perf *, struct perf_set *);
/*
 * Whether a set that could not be opened is to be tried again: once refused, every 10 minutes, else
 * each minute.
 */
bool perf_set_due(struct perf *, struct perf_set *);
void perf_set_enable(struct perf *, struct perf_set *, bool on);
int perf_place_open(struct perf *, struct perf_set *, struct perf_place *, size_t *failed);
void perf_place_close(struct perf *, struct perf_set *, struct perf_place *);

/* ---- system.c: the kernel, and what its refusals mean ---- */
int perf_event_open_on(struct perf *, const struct perf_event *, uint32_t cpu, int leader);
/* File the capability row of a failure, and say what becomes of the set. */
enum perf_state perf_judge(
	struct perf *, const struct perf_set *, struct perf_event *, uint32_t cpu, int error);

/* ---- count.c ---- */
/* Read a place and account the interval. False: it must be opened anew. */
bool perf_place_read(struct perf *, const struct perf_set *, struct perf_place *);
uint64_t perf_scaled(uint64_t delta, uint64_t enabled, uint64_t running);
/*
 * The present values of the columns; a column is whole when all events that feed it have counted,
 * else it is missing.
 */
struct perf_sums {
	uint64_t total[PERF_COLUMNS];
	bool whole[PERF_COLUMNS];
};
void perf_sum(const struct perf_set *, const struct perf_place *, uint32_t sve, struct perf_sums *);

/* ---- rows.c ---- */
/* How many rows it made. */
size_t perf_rows(struct perf *, struct perf_set *, struct perf_place *, struct weir_out *);

/* ---- core.c, uncore.c, named.c: making sets ---- */
int perf_core_sets(struct perf *, struct weir_err *);
int perf_uncore_sets(struct perf *, struct weir_err *);
int perf_named_sets(struct perf *, struct weir_err *);

#endif
