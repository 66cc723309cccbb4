/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files of the sampler host: its state, its columns, and how facts are read and set.
 */
#ifndef WEIR_HOST_HOST_H
#define WEIR_HOST_HOST_H

#include <weir/sampler.h>

enum schema_number { HOST, PCI_DEVICE, DIMM };

enum column {
	BOOT_ID, BOOT_TIME, KERNEL_RELEASE, KERNEL_VERSION, MACHINE, OS_ID, OS_VERSION, OS_NAME,
	CPU_VENDOR, CPU_MODEL, CPU_FAMILY, CPU_MODEL_NUMBER, CPU_STEPPING, MICROCODE, CPUS, CORES,
	SOCKETS, THREADS_PER_CORE, NUMA_NODES, CPUS_ONLINE, CPUS_ISOLATED, NOMINAL_FREQUENCY,
	MAX_FREQUENCY, L1D, L2, L3, L3_INSTANCES, MEMORY_TOTAL, PAGE_SIZE, CLOCK_TICK, HUGEPAGE_SIZE,
	SWAP_TOTAL, VIRTUALIZATION, PRODUCT, VENDOR, BOARD, BIOS_VERSION, BIOS_DATE, SERIAL,
	BOOT_CMDLINE, TSC, SMT, MITIGATIONS, THP, SELINUX, MACHINE_ID, TIMEZONE, SWAPPINESS,
	OVERCOMMIT_MEMORY, NUMA_BALANCING, ZONE_RECLAIM_MODE,
};

/* Counted when the list of processors online changes: that takes four files a processor. */
struct counts {
	uint64_t list_hash;                                      /* of that list; 0: not counted */
	uint64_t sockets, cores, threads_per_core, l3_instances; /* 0: not known */
};

struct host {
	struct weir_ctx *ctx;
	struct weir_file *stat, *meminfo;
	bool sent;
	uint64_t sent_hash;
	struct counts counts;
	int64_t boot_time; /* 0: not known yet */
	bool machine_id, boot_cmdline, pci_devices, dimms;
	uint64_t page_size;
	int64_t clock_tick;
};

/* A row in the making, and a hash of all that was set, to tell whether anything changed. */
struct facts {
	struct host *host;
	struct weir_row *row;
	uint64_t *hash;
	size_t n;
};

/* Columns and schemas; facts. */
void fact_text(struct facts *, size_t column, const char *text, size_t length);
void fact_scan(struct facts *, size_t column, const struct weir_scan *text);
void fact_number(struct facts *, size_t column, uint64_t value);

/* What the file holds, at most room - 1 bytes, NUL-terminated: their number, or -errno. */
ssize_t host_read(const struct host *, char *out, size_t room, const char *path_format, ...)
	__attribute__((format(printf, 4, 5)));
/*
 * The first line of a file without blanks around; false when there is none. One that does not end
 * with a newline is cut off, and none.
 */
bool host_line(const struct host *, char *out, size_t room, struct weir_scan *line,
	const char *path_format, ...) __attribute__((format(printf, 5, 6)));
/* A file of one number. */
bool host_number(const struct host *, uint64_t *value, const char *path_format, ...)
	__attribute__((format(printf, 3, 4)));
/*
 * The first line of a file into a column of text; the number of a file, times a factor, into a
 * column of numbers.
 */
void fact_file(struct facts *, size_t column, const char *path);
void fact_number_file(struct facts *, size_t column, uint64_t factor, const char *path);

/* What /proc/cpuinfo says of the first processor, and what follows from it. */
void host_cpu(struct facts *);
/* Processors, cores, sockets, caches and NUMA nodes from sysfs. */
void host_topology(struct facts *);
/* Rows of the entities of devices. */
void host_pci(struct host *, struct weir_out *, uint64_t *hash);
void host_dimms(struct host *, struct weir_out *, uint64_t *hash);

extern const struct weir_schema host_pci_schema, host_dimm_schema;

#endif
