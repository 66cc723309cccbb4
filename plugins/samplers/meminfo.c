/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meminfo: how the memory of the node is used, from /proc/meminfo, whose "kB" are KiB. Numbers
 * without "kB" are counts.
 */
#include <errno.h>

#include <weir/records.h>
#include <weir/sampler.h>

struct meminfo {
	struct weir_list extra;
	struct weir_file *file;
	struct weir_keys *keys;
};

/* Enum, column, key, unit, factor, help. */
#define COLUMNS(X) \
	X(MEM_TOTAL, "mem_total", "MemTotal", "By", 1024, "memory that the kernel manages") \
	X(MEM_FREE, "mem_free", "MemFree", "By", 1024, "memory not used at all") \
	X(MEM_AVAILABLE, "mem_available", "MemAvailable", "By", 1024, \
		"memory that new programs can have without swapping (Linux 3.14)") \
	X(BUFFERS, "buffers", "Buffers", "By", 1024, "cache of block devices") \
	X(CACHED, "cached", "Cached", "By", 1024, \
		"page cache of files, tmpfs and shared memory included") \
	X(SWAP_CACHED, "swap_cached", "SwapCached", "By", 1024, "memory that is also in swap") \
	X(ACTIVE, "active", "Active", "By", 1024, "pages used recently") \
	X(INACTIVE, "inactive", "Inactive", "By", 1024, \
		"pages not used recently, first to be reclaimed") \
	X(ACTIVE_ANON, "active_anon", "Active(anon)", "By", 1024, "anonymous pages used recently") \
	X(INACTIVE_ANON, "inactive_anon", "Inactive(anon)", "By", 1024, \
		"anonymous pages not used recently") \
	X(ACTIVE_FILE, "active_file", "Active(file)", "By", 1024, "file pages used recently") \
	X(INACTIVE_FILE, "inactive_file", "Inactive(file)", "By", 1024, \
		"file pages not used recently") \
	X(UNEVICTABLE, "unevictable", "Unevictable", "By", 1024, "memory that cannot be reclaimed") \
	X(MLOCKED, "mlocked", "Mlocked", "By", 1024, "memory that programs have locked") \
	X(SWAP_TOTAL, "swap_total", "SwapTotal", "By", 1024, "swap space") \
	X(SWAP_FREE, "swap_free", "SwapFree", "By", 1024, "swap space not used") \
	X(ZSWAP, "zswap", "Zswap", "By", 1024, "memory that compressed swap takes (Linux 5.19)") \
	X(ZSWAPPED, "zswapped", "Zswapped", "By", 1024, \
		"memory that is in compressed swap, before compression (Linux 5.19)") \
	X(DIRTY, "dirty", "Dirty", "By", 1024, "file pages waiting to be written") \
	X(WRITEBACK, "writeback", "Writeback", "By", 1024, "file pages being written") \
	X(ANON_PAGES, "anon_pages", "AnonPages", "By", 1024, "anonymous pages mapped by programs") \
	X(MAPPED, "mapped", "Mapped", "By", 1024, "file pages mapped by programs") \
	X(SHMEM, "shmem", "Shmem", "By", 1024, "shared memory and tmpfs") \
	X(K_RECLAIMABLE, "k_reclaimable", "KReclaimable", "By", 1024, \
		"kernel memory that can be reclaimed (Linux 4.20)") \
	X(SLAB, "slab", "Slab", "By", 1024, "kernel objects") \
	X(SLAB_RECLAIMABLE, "slab_reclaimable", "SReclaimable", "By", 1024, \
		"kernel objects that can be reclaimed, such as caches of names") \
	X(SLAB_UNRECLAIMABLE, "slab_unreclaimable", "SUnreclaim", "By", 1024, \
		"kernel objects that cannot be reclaimed") \
	X(KERNEL_STACK, "kernel_stack", "KernelStack", "By", 1024, "kernel stacks of tasks") \
	X(PAGE_TABLES, "page_tables", "PageTables", "By", 1024, "page tables") \
	X(SEC_PAGE_TABLES, "sec_page_tables", "SecPageTables", "By", 1024, \
		"page tables of guests and IOMMUs (Linux 6.1)") \
	X(NFS_UNSTABLE, "nfs_unstable", "NFS_Unstable", "By", 1024, \
		"pages sent to NFS servers, not yet stable there (gone in Linux 6)") \
	X(BOUNCE, "bounce", "Bounce", "By", 1024, "bounce buffers of block devices") \
	X(WRITEBACK_TMP, "writeback_tmp", "WritebackTmp", "By", 1024, "temporary buffers of FUSE") \
	X(COMMIT_LIMIT, "commit_limit", "CommitLimit", "By", 1024, \
		"memory that may be promised under strict overcommit") \
	X(COMMITTED_AS, "committed_as", "Committed_AS", "By", 1024, \
		"memory promised to programs; can exceed what there is") \
	X(VMALLOC_TOTAL, "vmalloc_total", "VmallocTotal", "By", 1024, "address space for vmalloc") \
	X(VMALLOC_USED, "vmalloc_used", "VmallocUsed", "By", 1024, \
		"vmalloc space used; 0 from Linux 4.4 to 5.2") \
	X(VMALLOC_CHUNK, "vmalloc_chunk", "VmallocChunk", "By", 1024, \
		"largest free chunk of vmalloc space; 0 since Linux 4.4") \
	X(PERCPU, "percpu", "Percpu", "By", 1024, "memory of per-CPU variables (Linux 4.20)") \
	X(HARDWARE_CORRUPTED, "hardware_corrupted", "HardwareCorrupted", "By", 1024, \
		"memory put out of use after hardware errors") \
	X(ANON_HUGE_PAGES, "anon_huge_pages", "AnonHugePages", "By", 1024, \
		"anonymous memory in transparent huge pages") \
	X(SHMEM_HUGE_PAGES, "shmem_huge_pages", "ShmemHugePages", "By", 1024, \
		"shared memory in huge pages (Linux 4.8)") \
	X(SHMEM_PMD_MAPPED, "shmem_pmd_mapped", "ShmemPmdMapped", "By", 1024, \
		"shared memory mapped by huge pages (Linux 4.8)") \
	X(FILE_HUGE_PAGES, "file_huge_pages", "FileHugePages", "By", 1024, \
		"page cache in huge pages (Linux 5.4)") \
	X(FILE_PMD_MAPPED, "file_pmd_mapped", "FilePmdMapped", "By", 1024, \
		"page cache mapped by huge pages (Linux 5.4)") \
	X(CMA_TOTAL, "cma_total", "CmaTotal", "By", 1024, "memory of the contiguous allocator") \
	X(CMA_FREE, "cma_free", "CmaFree", "By", 1024, "memory of the contiguous allocator not used") \
	X(UNACCEPTED, "unaccepted", "Unaccepted", "By", 1024, \
		"memory of a confidential guest not yet accepted (Linux 6.5)") \
	X(HUGE_PAGES_TOTAL, "huge_pages_total", "HugePages_Total", "{page}", 1, \
		"huge pages of size hugepage_size in the pool") \
	X(HUGE_PAGES_FREE, "huge_pages_free", "HugePages_Free", "{page}", 1, \
		"huge pages of the pool not used") \
	X(HUGE_PAGES_RESERVED, "huge_pages_reserved", "HugePages_Rsvd", "{page}", 1, \
		"huge pages promised, not yet used") \
	X(HUGE_PAGES_SURPLUS, "huge_pages_surplus", "HugePages_Surp", "{page}", 1, \
		"huge pages above the pool's size") \
	X(HUGEPAGE_SIZE, "hugepage_size", "Hugepagesize", "By", 1024, \
		"size of a huge page of the pool") \
	X(HUGETLB, "hugetlb", "Hugetlb", "By", 1024, "memory in huge pages of all sizes (Linux 4.20)") \
	X(DIRECT_MAP_4K, "direct_map_4k", "DirectMap4k", "By", 1024, \
		"memory that the kernel maps by 4 KiB pages") \
	X(DIRECT_MAP_2M, "direct_map_2m", "DirectMap2M", "By", 1024, \
		"memory that the kernel maps by 2 MiB pages") \
	X(DIRECT_MAP_1G, "direct_map_1g", "DirectMap1G", "By", 1024, \
		"memory that the kernel maps by 1 GiB pages")

#define AS_ENUM(id, name, key, unit, factor, help) id,
#define AS_COLUMN(id, name, key, unit, factor, help) [id] = WEIR_GAUGE_U64(name, unit, help),
#define AS_KEYWORD(id, name, key, unit, factor, help) { key, id, factor },

enum { COLUMNS(AS_ENUM) };
static const struct weir_column columns[] = { COLUMNS(AS_COLUMN) };
static const struct weir_keyword keywords[] = { COLUMNS(AS_KEYWORD) };

enum { SCHEMA_MEMINFO, SCHEMA_KEYVALUE };
static const struct weir_schema meminfo =
	WEIR_SERIES("meminfo", columns, "how the memory of the node is used");
static const struct weir_schema *const schemas[] = {
	[SCHEMA_MEMINFO] = &meminfo,
	[SCHEMA_KEYVALUE] = &weir_schema_keyvalue,
	NULL,
};

static const struct weir_option options[] = {
	WEIR_LIST_OPTION(struct meminfo, extra, NULL,
		"further keys of the file to send, unconverted, in schema keyvalue"),
	WEIR_OPTIONS_END,
};

static int
open_meminfo(void *state, struct weir_ctx *ctx, struct weir_err *err)
{
	struct meminfo *s = state;

	s->file = weir_file(ctx, "/proc/meminfo", WEIR_READ_ONCE);
	s->keys = weir_keys(
		ctx, "/proc/meminfo", ':', keywords, WEIR_COUNT(keywords), &s->extra, SCHEMA_KEYVALUE);
	return s->keys ? 0 : weir_failx(err, -ENOMEM, "out of memory");
}

static int
sample(void *state, struct weir_out *out, struct weir_err *err)
{
	struct meminfo *s = state;
	struct weir_scan text;
	int error = weir_read(s->file, &text, err);

	if (error)
		return error;
	if (!weir_keys_scan(s->keys, &text, out, weir_row(out, SCHEMA_MEMINFO)))
		return weir_failx(err, -ENODATA, "'/proc/meminfo' has no key that is known");
	return 0;
}

static const char description[] =
	"A key that the kernel does not have is a missing cell. Memory in use is mem_total - "
	"mem_available. mem_total changes with hotplug; committed_as can exceed what there is.";

WEIR_PLUGIN(.kind = WEIR_SAMPLER, .name = "meminfo",
	.summary = "how the memory of the node is used", .description = description,
	.state_size = sizeof(struct meminfo), .options = options, .schemas = schemas,
	.open = open_meminfo, .sampler.sample = sample);
