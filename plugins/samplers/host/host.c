/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host: what a machine is and how it is set up, as an entity: sent at start and when something
 * changed. Everything is read from files, so a saved tree tells of its own machine.
 */
#include "host.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static const struct weir_column columns[] = {
	[BOOT_ID] = WEIR_LABEL_STR("boot_id", "identifier of this boot"),
	[BOOT_TIME] = WEIR_GAUGE_I64(
		"boot_time", "s", "when the machine was booted, seconds since the epoch, as first read"),
	[KERNEL_RELEASE] = WEIR_LABEL_STR("kernel_release", "release of the kernel"),
	[KERNEL_VERSION] = WEIR_LABEL_STR("kernel_version", "build of the kernel"),
	[MACHINE] = WEIR_LABEL_STR("machine", "architecture: x86_64, aarch64 and so on"),
	[OS_ID] = WEIR_LABEL_STR("os_id", "distribution"),
	[OS_VERSION] = WEIR_LABEL_STR("os_version", "version of the distribution"),
	[OS_NAME] = WEIR_LABEL_STR("os_name", "distribution and version for people"),
	[CPU_VENDOR] = WEIR_LABEL_STR("cpu_vendor", "maker of the processor"),
	[CPU_MODEL] = WEIR_LABEL_STR("cpu_model", "name of the processor"),
	[CPU_FAMILY] = WEIR_GAUGE_U64(
		"cpu_family", "1", "family number of the processor; arm64: its architecture"),
	[CPU_MODEL_NUMBER] = WEIR_GAUGE_U64(
		"cpu_model_number", "1", "model number of the processor; arm64: its part number"),
	[CPU_STEPPING] = WEIR_GAUGE_U64(
		"cpu_stepping", "1", "stepping of the processor; arm64: 16 x variant + revision"),
	[MICROCODE] = WEIR_LABEL_STR("microcode", "revision of the microcode"),
	[CPUS] = WEIR_GAUGE_U64("cpus", "1", "logical processors online"),
	[CORES] = WEIR_GAUGE_U64("cores", "1", "cores with a processor online"),
	[SOCKETS] = WEIR_GAUGE_U64("sockets", "1", "packages with a processor online"),
	[THREADS_PER_CORE] =
		WEIR_GAUGE_U64("threads_per_core", "1", "most processors online of one core"),
	[NUMA_NODES] = WEIR_GAUGE_U64("numa_nodes", "1", "NUMA nodes online"),
	[CPUS_ONLINE] = WEIR_LABEL_STR("cpus_online", "processors online as a list: 0-3,8"),
	[CPUS_ISOLATED] =
		WEIR_LABEL_STR("cpus_isolated", "processors kept from the scheduler; empty: none"),
	[NOMINAL_FREQUENCY] =
		WEIR_GAUGE_U64("nominal_frequency", "Hz", "frequency that the processor is sold by"),
	[MAX_FREQUENCY] = WEIR_GAUGE_U64("max_frequency", "Hz", "highest frequency of the processor"),
	[L1D] = WEIR_GAUGE_U64("l1d", "By", "size of a first level data cache"),
	[L2] = WEIR_GAUGE_U64("l2", "By", "size of a second level cache"),
	[L3] = WEIR_GAUGE_U64("l3", "By", "size of a third level cache"),
	[L3_INSTANCES] = WEIR_GAUGE_U64("l3_instances", "1", "third level caches of the machine"),
	[MEMORY_TOTAL] = WEIR_GAUGE_U64("memory_total", "By", "memory that the kernel manages"),
	[PAGE_SIZE] = WEIR_GAUGE_U64("page_size", "By", "size of a memory page"),
	[CLOCK_TICK] = WEIR_GAUGE_U64("clock_tick", "Hz", "ticks a second of the user-visible clock"),
	[HUGEPAGE_SIZE] = WEIR_GAUGE_U64("hugepage_size", "By", "default size of a huge page"),
	[SWAP_TOTAL] = WEIR_GAUGE_U64("swap_total", "By", "size of all swap areas"),
	[VIRTUALIZATION] =
		WEIR_LABEL_STR("virtualization", "hypervisor below the machine; none on bare metal"),
	[PRODUCT] = WEIR_LABEL_STR("product", "product name in the firmware"),
	[VENDOR] = WEIR_LABEL_STR("vendor", "maker of the machine"),
	[BOARD] = WEIR_LABEL_STR("board", "name of the main board"),
	[BIOS_VERSION] = WEIR_LABEL_STR("bios_version", "version of the firmware"),
	[BIOS_DATE] = WEIR_LABEL_STR("bios_date", "date of the firmware"),
	[SERIAL] = WEIR_LABEL_STR("serial", "serial number of the machine"),
	[BOOT_CMDLINE] = WEIR_LABEL_STR("boot_cmdline", "command line of the kernel"),
	[TSC] = WEIR_LABEL_STR(
		"tsc", "clock source of the kernel: tsc where the processor's counter is good"),
	[SMT] = WEIR_LABEL_BOOL("smt", "whether cores run several threads"),
	[MITIGATIONS] = WEIR_LABEL_STR(
		"mitigations", "number of processor faults that the machine is vulnerable to"),
	[THP] = WEIR_LABEL_STR("thp", "transparent huge pages: always, madvise or never"),
	[SELINUX] = WEIR_LABEL_STR("selinux", "enforcing, permissive or disabled"),
	[MACHINE_ID] = WEIR_LABEL_STR("machine_id", "hash of the machine's identifier"),
	[TIMEZONE] = WEIR_LABEL_STR("timezone", "time zone"),
	[SWAPPINESS] = WEIR_GAUGE_U64("swappiness", "1", "how readily the kernel swaps: 0 to 200"),
	[OVERCOMMIT_MEMORY] = WEIR_GAUGE_U64(
		"overcommit_memory", "1", "0 heuristic, 1 always, 2 never more than the limit"),
	[NUMA_BALANCING] =
		WEIR_GAUGE_U64("numa_balancing", "1", "automatic NUMA balancing: 0 off, 1 on, 2 tiering"),
	[ZONE_RECLAIM_MODE] = WEIR_GAUGE_U64(
		"zone_reclaim_mode", "1", "bits of what is reclaimed before another node is used"),
};

static const struct weir_schema host =
	WEIR_HOST_ENTITY("host", columns, "what a machine is and how it is set up");
static const struct weir_schema *const schemas[] = {
	[HOST] = &host,
	[PCI_DEVICE] = &host_pci_schema,
	[DIMM] = &host_dimm_schema,
	NULL,
};

static const struct weir_option options[] = {
	WEIR_PAGE_SIZE_OPTION(struct host),
	WEIR_CLOCK_TICK_OPTION(struct host),
	WEIR_BOOL_OPTION(struct host, boot_cmdline, "no",
		"report the kernel's command line, which may hold secrets"),
	WEIR_BOOL_OPTION(struct host, machine_id, "no", "report a hash of /etc/machine-id"),
	WEIR_BOOL_OPTION(struct host, pci_devices, "no",
		"report PCI devices, with the speed and width of their links"),
	WEIR_BOOL_OPTION(struct host, dimms, "no", "report memory modules from SMBIOS or EDAC"),
	WEIR_OPTIONS_END,
};

static int
open_host(void *state, struct weir_ctx *ctx, struct weir_err *err)
{
	struct host *h = state;

	(void)err;
	h->ctx = ctx;
	h->stat = weir_file(ctx, "/proc/stat", 0);
	h->meminfo = weir_file(ctx, "/proc/meminfo", WEIR_READ_ONCE);
	return 0;
}

/* 8-4-4-4-12 hexadecimal digits. */
static void
boot_id(struct facts *f)
{
	char text[64];
	struct weir_scan line;

	if (!host_line(f->host, text, sizeof(text), &line, "/proc/sys/kernel/random/boot_id") ||
		weir_scan_left(&line) != 36)
		return;
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? line.at[i] != '-' : !isxdigit((unsigned char)line.at[i]))
			return;
	}
	fact_scan(f, BOOT_ID, &line);
}

/*
 * The kernel computes it from the present clock, so it moves when the clock is set: the first
 * answer stays.
 */
static void
boot_time(struct facts *f)
{
	struct host *h = f->host;
	struct weir_scan text, line;
	int64_t value;

	if (!h->boot_time && !weir_read(h->stat, &text, NULL))
		while (!h->boot_time && weir_scan_whole_line(&text, &line))
			if (weir_scan_prefix(&line, "btime ") && weir_scan_i64(&line, &value) &&
				line.at == line.end)
				h->boot_time = value;
	if (!h->boot_time)
		return;
	fact_number(f, BOOT_TIME, (uint64_t)h->boot_time);
	weir_file_close(h->stat);
	h->stat = NULL;
}

static void
memory(struct facts *f)
{
	static const struct {
		const char *key;
		size_t column;
	} keys[] = {
		{ "MemTotal:", MEMORY_TOTAL },
		{ "Hugepagesize:", HUGEPAGE_SIZE },
		{ "SwapTotal:", SWAP_TOTAL },
	};
	struct weir_scan text, line;
	uint64_t value;

	if (weir_read(f->host->meminfo, &text, NULL))
		return;
	while (weir_scan_whole_line(&text, &line))
		for (size_t i = 0; i < WEIR_COUNT(keys); i++)
			if (weir_scan_prefix(&line, keys[i].key) && weir_scan_u64(&line, &value) &&
				!__builtin_mul_overflow(value, 1024, &value))
				fact_number(f, keys[i].column, value);
}

/* "Debian GNU/Linux 12 (bookworm)" out of shell's quotes. */
static size_t
unquote(struct weir_scan value, char *out, size_t room)
{
	size_t size = 0;
	char quote = '\0';

	if (weir_scan_left(&value) >= 2 && (*value.at == '"' || *value.at == '\'') &&
		value.end[-1] == *value.at) {
		quote = *value.at++;
		value.end--;
	}
	for (; value.at < value.end && size < room; value.at++) {
		if (*value.at == '\\' && quote != '\'' && value.at + 1 < value.end)
			value.at++;
		out[size++] = *value.at;
	}
	return size;
}

static void
distribution(struct facts *f)
{
	static const struct {
		const char *key;
		size_t column;
	} keys[] = { { "ID=", OS_ID }, { "VERSION_ID=", OS_VERSION }, { "PRETTY_NAME=", OS_NAME } };
	char text[8192], value[512];
	ssize_t size = host_read(f->host, text, sizeof(text), "/etc/os-release");

	if (size < 0)
		size = host_read(f->host, text, sizeof(text), "/usr/lib/os-release");
	if (size < 0)
		return;
	struct weir_scan scan = weir_scan(text, (size_t)size), line;

	while (weir_scan_whole_line(&scan, &line))
		for (size_t i = 0; i < WEIR_COUNT(keys); i++)
			if (weir_scan_prefix(&line, keys[i].key)) {
				size_t length = unquote(line, value, sizeof(value));

				if (length)
					fact_text(f, keys[i].column, value, length);
			}
}

/* SMBIOS strings; the serial number is for root. */
static void
firmware(struct facts *f)
{
	static const char serial[] = "/sys/class/dmi/id/product_serial";
	char text[256];

	fact_file(f, PRODUCT, "/sys/class/dmi/id/product_name");
	fact_file(f, VENDOR, "/sys/class/dmi/id/sys_vendor");
	fact_file(f, BOARD, "/sys/class/dmi/id/board_name");
	fact_file(f, BIOS_VERSION, "/sys/class/dmi/id/bios_version");
	fact_file(f, BIOS_DATE, "/sys/class/dmi/id/bios_date");
	fact_file(f, SERIAL, serial);
	ssize_t rc = host_read(f->host, text, sizeof(text), "%s", serial);

	if (rc == -EACCES || rc == -EPERM)
		weir_capability(
			f->host->ctx, serial, WEIR_REFUSED, "permission denied: needs CAP_DAC_READ_SEARCH");
}

/*
 * How many of the processor faults that the kernel knows leave the machine open; nothing when one
 * cannot be read.
 */
static void
mitigations(struct facts *f)
{
	DIR *folder = weir_folder(f->host->ctx, "/sys/devices/system/cpu/vulnerabilities");
	unsigned vulnerable = 0, known = 0;
	bool good = true;

	if (!folder)
		return;
	for (struct dirent *entry; (entry = readdir(folder));) {
		char text[4096];
		struct weir_scan line;

		if (entry->d_name[0] == '.')
			continue;
		known++;
		if (!host_line(f->host, text, sizeof(text), &line,
				"/sys/devices/system/cpu/vulnerabilities/%s", entry->d_name) ||
			!weir_scan_left(&line))
			good = false;
		else
			vulnerable += memmem(line.at, weir_scan_left(&line), "Vulnerable", 10) != NULL;
	}
	closedir(folder);
	if (good && known) {
		char text[16];

		fact_text(f, MITIGATIONS, text, (size_t)snprintf(text, sizeof(text), "%u", vulnerable));
	}
}

/* The word in brackets: "always [madvise] never". */
static void
huge_pages(struct facts *f)
{
	char text[256];
	struct weir_scan line, part;

	if (host_line(
			f->host, text, sizeof(text), &line, "/sys/kernel/mm/transparent_hugepage/enabled") &&
		weir_scan_until(&line, '[', &part) && weir_scan_until(&line, ']', &part))
		fact_scan(f, THP, &part);
}

static void
security(struct facts *f)
{
	char text[16];
	/* One digit, and the one file of this kind that has no newline. */
	ssize_t size = host_read(f->host, text, sizeof(text), "/sys/fs/selinux/enforce");
	const char *name = NULL;

	if (size >= 1 && (size == 1 || text[1] == '\n'))
		name = text[0] == '1' ? "enforcing" : text[0] == '0' ? "permissive" : NULL;
	else if (size == -ENOENT && weir_live(f->host->ctx))
		name = "disabled";
	if (name)
		fact_text(f, SELINUX, name, strlen(name));
}

static void
time_zone(struct facts *f)
{
	char path[PATH_MAX], target[PATH_MAX];
	static const char folder[] = "zoneinfo/";
	int length = snprintf(path, sizeof(path), "%s/etc/localtime", weir_root(f->host->ctx));
	ssize_t size = length < (int)sizeof(path) ? readlink(path, target, sizeof(target) - 1) : -1;

	target[size > 0 ? size : 0] = '\0';
	const char *name = strstr(target, folder);

	if (name)
		fact_text(f, TIMEZONE, name + strlen(folder), strlen(name + strlen(folder)));
	else
		fact_file(f, TIMEZONE, "/etc/timezone");
}

static void
machine_id(struct facts *f)
{
	char text[128], hash[17];
	struct weir_scan line;

	if (!host_line(f->host, text, sizeof(text), &line, "/etc/machine-id") || !weir_scan_left(&line))
		return;
	snprintf(hash, sizeof(hash), "%016llx",
		(unsigned long long)weir_hash64(line.at, weir_scan_left(&line), 0));
	fact_text(f, MACHINE_ID, hash, 16);
}

static void
settings(struct facts *f)
{
	uint64_t smt;

	fact_file(f, TSC, "/sys/devices/system/clocksource/clocksource0/current_clocksource");
	if (host_number(f->host, &smt, "/sys/devices/system/cpu/smt/active") && smt <= 1) {
		weir_set_bool(f->row, SMT, smt);
		*f->hash = weir_hash64(&smt, sizeof(smt), *f->hash);
		f->n++;
	}
	mitigations(f);
	huge_pages(f);
	security(f);
	time_zone(f);
	fact_number_file(f, SWAPPINESS, 1, "/proc/sys/vm/swappiness");
	fact_number_file(f, OVERCOMMIT_MEMORY, 1, "/proc/sys/vm/overcommit_memory");
	fact_number_file(f, NUMA_BALANCING, 1, "/proc/sys/kernel/numa_balancing");
	fact_number_file(f, ZONE_RECLAIM_MODE, 1, "/proc/sys/vm/zone_reclaim_mode");
	if (f->host->boot_cmdline)
		fact_file(f, BOOT_CMDLINE, "/proc/cmdline");
	if (f->host->machine_id)
		machine_id(f);
}

static int
sample(void *state, struct weir_out *out, struct weir_err *err)
{
	struct host *h = state;
	uint64_t hash = 0;
	struct facts f = { .host = h, .row = weir_row(out, HOST), .hash = &hash };

	(void)err;
	boot_id(&f);
	fact_file(&f, KERNEL_RELEASE, "/proc/sys/kernel/osrelease");
	fact_file(&f, KERNEL_VERSION, "/proc/sys/kernel/version");
	boot_time(&f);
	distribution(&f);
	host_cpu(&f);
	host_topology(&f);
	memory(&f);
	firmware(&f);
	settings(&f);
	if (f.n == 0) {
		weir_row_drop(f.row);
	} else {
		fact_number(&f, PAGE_SIZE, weir_page_size(h->page_size));
		fact_number(&f, CLOCK_TICK, (uint64_t)h->clock_tick);
	}
	if (h->pci_devices)
		host_pci(h, out, &hash);
	if (h->dimms)
		host_dimms(h, out, &hash);
	/* Rows of a call that returns an error are taken back: nothing changed, so nothing is sent. */
	if (!hash || (h->sent && hash == h->sent_hash))
		return -ENODATA;
	h->sent = true;
	h->sent_hash = hash;
	return 0;
}

static const char description[] =
	"Sent at start and when something changed, looked at once an hour. The serial number "
	"can be read by root only. Rows of the entities pci_device and dimm, once written, "
	"stay when a device goes.";

WEIR_PLUGIN(.kind = WEIR_SAMPLER, .name = "host",
	.summary = "what a machine is and how it is set up", .flags = WEIR_EVENTS,
	.description = description, .state_size = sizeof(struct host), .options = options,
	.schemas = schemas, .open = open_host, .sampler = { .sample = sample });
