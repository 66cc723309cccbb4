/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vmstat: what the kernel did to manage memory, from /proc/vmstat. Keys moved between releases: the
 * table has the old and the new ones, and what of them is found is added up. Gauges that meminfo
 * has too are left out.
 */
#include <errno.h>

#include <weir/records.h>
#include <weir/sampler.h>

enum {
	NUMA_HIT,
	NUMA_MISS,
	NUMA_FOREIGN,
	NUMA_INTERLEAVE,
	NUMA_LOCAL,
	NUMA_OTHER,
	REFAULT_ANON,
	REFAULT_FILE,
	DIRTY_THRESHOLD,
	DIRTY_BACKGROUND_THRESHOLD,
	PAGE_IN,
	PAGE_OUT,
	SWAP_IN,
	SWAP_OUT,
	ALLOCATED,
	ALLOC_STALL,
	FREED,
	ACTIVATED,
	DEACTIVATED,
	FAULTS,
	MAJOR_FAULTS,
	REFILL,
	STEAL_KSWAPD,
	STEAL_DIRECT,
	SCAN_KSWAPD,
	SCAN_DIRECT,
	SCAN_KHUGEPAGED,
	DIRECT_THROTTLED,
	SCAN_ANON,
	SCAN_FILE,
	STEAL_ANON,
	STEAL_FILE,
	ZONE_RECLAIM_FAILED,
	INODE_STEAL,
	SLABS_SCANNED,
	DROP_PAGECACHE,
	DROP_SLAB,
	OOM_KILL,
	NUMA_PTE_UPDATES,
	NUMA_HINT_FAULTS,
	NUMA_HINT_FAULTS_LOCAL,
	NUMA_PAGES_MIGRATED,
	PAGE_MIGRATED,
	MIGRATE_FAIL,
	COMPACT_STALL,
	COMPACT_FAIL,
	COMPACT_SUCCESS,
	HTLB_ALLOC_SUCCESS,
	HTLB_ALLOC_FAIL,
	THP_FAULT_ALLOC,
	THP_FAULT_FALLBACK,
	THP_COLLAPSE_ALLOC,
	THP_COLLAPSE_ALLOC_FAILED,
	THP_SPLIT_PAGE,
	THP_ZERO_PAGE_ALLOC,
	THP_SWPOUT,
	BALLOON_INFLATE,
	BALLOON_DEFLATE,
	SWAP_READAHEAD,
	SWAP_READAHEAD_HIT,
};

static const struct weir_column columns[] = {
	[NUMA_HIT] =
		WEIR_COUNTER_U64("numa_hit", "{page}", "pages that were allocated on the node wanted"),
	[NUMA_MISS] = WEIR_COUNTER_U64(
		"numa_miss", "{page}", "pages that were allocated on this node though another was wanted"),
	[NUMA_FOREIGN] =
		WEIR_COUNTER_U64("numa_foreign", "{page}", "pages wanted on this node that another gave"),
	[NUMA_INTERLEAVE] = WEIR_COUNTER_U64(
		"numa_interleave", "{page}", "interleaved pages that were allocated on the node wanted"),
	[NUMA_LOCAL] =
		WEIR_COUNTER_U64("numa_local", "{page}", "pages allocated on the node of the running task"),
	[NUMA_OTHER] = WEIR_COUNTER_U64(
		"numa_other", "{page}", "pages allocated on another node than the running task's"),
	[REFAULT_ANON] = WEIR_COUNTER_U64("refault_anon", "{page}",
		"anonymous pages read back soon after they were reclaimed (Linux 5.9)"),
	[REFAULT_FILE] = WEIR_COUNTER_U64(
		"refault_file", "{page}", "file pages read back soon after they were reclaimed"),
	[DIRTY_THRESHOLD] =
		WEIR_GAUGE_U64("dirty_threshold", "By", "dirty memory at which writers are made to wait"),
	[DIRTY_BACKGROUND_THRESHOLD] = WEIR_GAUGE_U64("dirty_background_threshold", "By",
		"dirty memory at which writing in the background begins"),
	[PAGE_IN] = WEIR_COUNTER_U64("page_in", "By", "read from block devices"),
	[PAGE_OUT] = WEIR_COUNTER_U64("page_out", "By", "written to block devices"),
	[SWAP_IN] = WEIR_COUNTER_U64("swap_in", "By", "read from swap"),
	[SWAP_OUT] = WEIR_COUNTER_U64("swap_out", "By", "written to swap"),
	[ALLOCATED] = WEIR_COUNTER_U64("allocated", "By", "memory allocated, of all zones"),
	[ALLOC_STALL] =
		WEIR_COUNTER_U64("alloc_stall", "1", "allocations that had to reclaim memory themselves"),
	[FREED] = WEIR_COUNTER_U64("freed", "By", "memory freed"),
	[ACTIVATED] = WEIR_COUNTER_U64("activated", "{page}", "pages put on the active list"),
	[DEACTIVATED] = WEIR_COUNTER_U64("deactivated", "{page}", "pages put on the inactive list"),
	[FAULTS] = WEIR_COUNTER_U64("faults", "1", "page faults, major ones included"),
	[MAJOR_FAULTS] = WEIR_COUNTER_U64("major_faults", "1", "page faults that had to read"),
	[REFILL] =
		WEIR_COUNTER_U64("refill", "{page}", "pages of the active list looked at for deactivation"),
	[STEAL_KSWAPD] =
		WEIR_COUNTER_U64("steal_kswapd", "{page}", "pages reclaimed in the background"),
	[STEAL_DIRECT] = WEIR_COUNTER_U64(
		"steal_direct", "{page}", "pages reclaimed by allocating tasks themselves"),
	[SCAN_KSWAPD] =
		WEIR_COUNTER_U64("scan_kswapd", "{page}", "pages looked at for reclaim in the background"),
	[SCAN_DIRECT] = WEIR_COUNTER_U64(
		"scan_direct", "{page}", "pages looked at for reclaim by allocating tasks themselves"),
	[SCAN_KHUGEPAGED] = WEIR_COUNTER_U64(
		"scan_khugepaged", "{page}", "pages looked at for reclaim by khugepaged (Linux 6.4)"),
	[DIRECT_THROTTLED] =
		WEIR_COUNTER_U64("direct_throttled", "1", "times that a reclaiming task was made to wait"),
	[SCAN_ANON] = WEIR_COUNTER_U64(
		"scan_anon", "{page}", "anonymous pages looked at for reclaim (Linux 5.8)"),
	[SCAN_FILE] =
		WEIR_COUNTER_U64("scan_file", "{page}", "file pages looked at for reclaim (Linux 5.8)"),
	[STEAL_ANON] =
		WEIR_COUNTER_U64("steal_anon", "{page}", "anonymous pages reclaimed (Linux 5.8)"),
	[STEAL_FILE] = WEIR_COUNTER_U64("steal_file", "{page}", "file pages reclaimed (Linux 5.8)"),
	[ZONE_RECLAIM_FAILED] = WEIR_COUNTER_U64(
		"zone_reclaim_failed", "1", "reclaims within a NUMA node that gave nothing"),
	[INODE_STEAL] = WEIR_COUNTER_U64("inode_steal", "1", "pages reclaimed by freeing inodes"),
	[SLABS_SCANNED] =
		WEIR_COUNTER_U64("slabs_scanned", "1", "kernel objects looked at for reclaim"),
	[DROP_PAGECACHE] =
		WEIR_COUNTER_U64("drop_pagecache", "1", "times that the page cache was dropped by hand"),
	[DROP_SLAB] =
		WEIR_COUNTER_U64("drop_slab", "1", "times that kernel caches were dropped by hand"),
	[OOM_KILL] =
		WEIR_COUNTER_U64("oom_kill", "1", "processes killed for want of memory (Linux 4.13)"),
	[NUMA_PTE_UPDATES] = WEIR_COUNTER_U64(
		"numa_pte_updates", "{event}", "page table entries marked for NUMA balancing"),
	[NUMA_HINT_FAULTS] =
		WEIR_COUNTER_U64("numa_hint_faults", "{event}", "faults that NUMA balancing caused"),
	[NUMA_HINT_FAULTS_LOCAL] = WEIR_COUNTER_U64("numa_hint_faults_local", "{event}",
		"faults that NUMA balancing caused on pages of the right node"),
	[NUMA_PAGES_MIGRATED] =
		WEIR_COUNTER_U64("numa_pages_migrated", "{page}", "pages moved by NUMA balancing"),
	[PAGE_MIGRATED] = WEIR_COUNTER_U64("page_migrated", "{page}", "pages moved"),
	[MIGRATE_FAIL] = WEIR_COUNTER_U64("migrate_fail", "{page}", "pages that could not be moved"),
	[COMPACT_STALL] =
		WEIR_COUNTER_U64("compact_stall", "1", "allocations that had to compact memory themselves"),
	[COMPACT_FAIL] = WEIR_COUNTER_U64("compact_fail", "1", "compactions that gave no free block"),
	[COMPACT_SUCCESS] =
		WEIR_COUNTER_U64("compact_success", "1", "compactions that gave a free block"),
	[HTLB_ALLOC_SUCCESS] =
		WEIR_COUNTER_U64("htlb_alloc_success", "1", "huge pages added to the pool"),
	[HTLB_ALLOC_FAIL] =
		WEIR_COUNTER_U64("htlb_alloc_fail", "1", "huge pages that could not be added to the pool"),
	[THP_FAULT_ALLOC] =
		WEIR_COUNTER_U64("thp_fault_alloc", "1", "page faults that got a huge page"),
	[THP_FAULT_FALLBACK] = WEIR_COUNTER_U64(
		"thp_fault_fallback", "1", "page faults that got small pages for want of a huge one"),
	[THP_COLLAPSE_ALLOC] = WEIR_COUNTER_U64(
		"thp_collapse_alloc", "1", "huge pages that khugepaged made of small ones"),
	[THP_COLLAPSE_ALLOC_FAILED] = WEIR_COUNTER_U64(
		"thp_collapse_alloc_failed", "1", "huge pages that khugepaged could not get"),
	[THP_SPLIT_PAGE] = WEIR_COUNTER_U64("thp_split_page", "1", "huge pages split into small ones"),
	[THP_ZERO_PAGE_ALLOC] =
		WEIR_COUNTER_U64("thp_zero_page_alloc", "1", "huge zero pages allocated"),
	[THP_SWPOUT] = WEIR_COUNTER_U64("thp_swpout", "1", "huge pages swapped out in one piece"),
	[BALLOON_INFLATE] =
		WEIR_COUNTER_U64("balloon_inflate", "{page}", "pages given to the hypervisor"),
	[BALLOON_DEFLATE] =
		WEIR_COUNTER_U64("balloon_deflate", "{page}", "pages got back from the hypervisor"),
	[SWAP_READAHEAD] = WEIR_COUNTER_U64("swap_readahead", "{page}", "pages read from swap ahead"),
	[SWAP_READAHEAD_HIT] = WEIR_COUNTER_U64(
		"swap_readahead_hit", "{page}", "pages read from swap ahead and then used"),
};

enum {
	KIB = 1024,
	PAGE = 0
}; /* factors: pgpgin and pgpgout are KiB; PAGE becomes the size of a page */

/* In the kernel's order, which tells whether a text cut off has all keys of a sum. */
static const struct weir_keyword keywords[] = {
	{ "numa_hit", NUMA_HIT, 1 },
	{ "numa_miss", NUMA_MISS, 1 },
	{ "numa_foreign", NUMA_FOREIGN, 1 },
	{ "numa_interleave", NUMA_INTERLEAVE, 1 },
	{ "numa_local", NUMA_LOCAL, 1 },
	{ "numa_other", NUMA_OTHER, 1 },
	{ "workingset_refault_anon", REFAULT_ANON, 1 },
	{ "workingset_refault_file", REFAULT_FILE, 1 },
	{ "workingset_refault", REFAULT_FILE, 1 },
	{ "workingset_*", WEIR_IGNORED, 1 },
	{ "pgpromote_*", WEIR_IGNORED, 1 },
	{ "pgdemote_*", WEIR_IGNORED, 1 },
	{ "nr_dirty_threshold", DIRTY_THRESHOLD, PAGE },
	{ "nr_dirty_background_threshold", DIRTY_BACKGROUND_THRESHOLD, PAGE },
	{ "nr_*", WEIR_IGNORED, 1 },
	{ "pgpgin", PAGE_IN, KIB },
	{ "pgpgout", PAGE_OUT, KIB },
	{ "pswpin", SWAP_IN, PAGE },
	{ "pswpout", SWAP_OUT, PAGE },
	{ "pgalloc_*", ALLOCATED, PAGE },
	{ "allocstall", ALLOC_STALL, 1 },
	{ "allocstall_*", ALLOC_STALL, 1 },
	{ "pgskip_*", WEIR_IGNORED, 1 },
	{ "pgfree", FREED, PAGE },
	{ "pgactivate", ACTIVATED, 1 },
	{ "pgdeactivate", DEACTIVATED, 1 },
	{ "pglazyfree", WEIR_IGNORED, 1 },
	{ "pgfault", FAULTS, 1 },
	{ "pgmajfault", MAJOR_FAULTS, 1 },
	{ "pglazyfreed", WEIR_IGNORED, 1 },
	{ "pgrefill", REFILL, 1 },
	{ "pgrefill_*", REFILL, 1 },
	{ "pgreuse", WEIR_IGNORED, 1 },
	{ "pgsteal_kswapd", STEAL_KSWAPD, 1 },
	{ "pgsteal_kswapd_*", STEAL_KSWAPD, 1 },
	{ "pgsteal_direct", STEAL_DIRECT, 1 },
	{ "pgsteal_direct_*", STEAL_DIRECT, 1 },
	{ "pgsteal_khugepaged", WEIR_IGNORED, 1 },
	{ "pgsteal_proactive", WEIR_IGNORED, 1 },
	{ "pgscan_kswapd", SCAN_KSWAPD, 1 },
	{ "pgscan_kswapd_*", SCAN_KSWAPD, 1 },
	{ "pgscan_direct", SCAN_DIRECT, 1 },
	{ "pgscan_direct_*", SCAN_DIRECT, 1 },
	{ "pgscan_khugepaged", SCAN_KHUGEPAGED, 1 },
	{ "pgscan_proactive", WEIR_IGNORED, 1 },
	{ "pgscan_direct_throttle", DIRECT_THROTTLED, 1 },
	{ "pgscan_anon", SCAN_ANON, 1 },
	{ "pgscan_file", SCAN_FILE, 1 },
	{ "pgsteal_anon", STEAL_ANON, 1 },
	{ "pgsteal_file", STEAL_FILE, 1 },
	{ "zone_reclaim_success", WEIR_IGNORED, 1 },
	{ "zone_reclaim_failed", ZONE_RECLAIM_FAILED, 1 },
	{ "pginodesteal", INODE_STEAL, 1 },
	{ "slabs_scanned", SLABS_SCANNED, 1 },
	{ "kswapd_inodesteal", INODE_STEAL, 1 },
	{ "kswapd_low_wmark_hit_quickly", WEIR_IGNORED, 1 },
	{ "kswapd_high_wmark_hit_quickly", WEIR_IGNORED, 1 },
	{ "pageoutrun", WEIR_IGNORED, 1 },
	{ "pgrotated", WEIR_IGNORED, 1 },
	{ "drop_pagecache", DROP_PAGECACHE, 1 },
	{ "drop_slab", DROP_SLAB, 1 },
	{ "oom_kill", OOM_KILL, 1 },
	{ "numa_pte_updates", NUMA_PTE_UPDATES, 1 },
	{ "numa_huge_pte_updates", WEIR_IGNORED, 1 },
	{ "numa_hint_faults", NUMA_HINT_FAULTS, 1 },
	{ "numa_hint_faults_local", NUMA_HINT_FAULTS_LOCAL, 1 },
	{ "numa_pages_migrated", NUMA_PAGES_MIGRATED, 1 },
	{ "pgmigrate_success", PAGE_MIGRATED, 1 },
	{ "pgmigrate_fail", MIGRATE_FAIL, 1 },
	{ "thp_migration_success", WEIR_IGNORED, 1 },
	{ "thp_migration_fail", WEIR_IGNORED, 1 },
	{ "thp_migration_split", WEIR_IGNORED, 1 },
	{ "compact_migrate_scanned", WEIR_IGNORED, 1 },
	{ "compact_free_scanned", WEIR_IGNORED, 1 },
	{ "compact_isolated", WEIR_IGNORED, 1 },
	{ "compact_stall", COMPACT_STALL, 1 },
	{ "compact_fail", COMPACT_FAIL, 1 },
	{ "compact_success", COMPACT_SUCCESS, 1 },
	{ "compact_daemon_*", WEIR_IGNORED, 1 },
	{ "htlb_buddy_alloc_success", HTLB_ALLOC_SUCCESS, 1 },
	{ "htlb_buddy_alloc_fail", HTLB_ALLOC_FAIL, 1 },
	{ "cma_alloc_success", WEIR_IGNORED, 1 },
	{ "cma_alloc_fail", WEIR_IGNORED, 1 },
	{ "unevictable_pgs_*", WEIR_IGNORED, 1 },
	{ "thp_fault_alloc", THP_FAULT_ALLOC, 1 },
	{ "thp_fault_fallback", THP_FAULT_FALLBACK, 1 },
	{ "thp_fault_fallback_charge", WEIR_IGNORED, 1 },
	{ "thp_collapse_alloc", THP_COLLAPSE_ALLOC, 1 },
	{ "thp_collapse_alloc_failed", THP_COLLAPSE_ALLOC_FAILED, 1 },
	{ "thp_file_*", WEIR_IGNORED, 1 },
	{ "thp_split_page", THP_SPLIT_PAGE, 1 },
	{ "thp_split", THP_SPLIT_PAGE, 1 },
	{ "thp_split_page_failed", WEIR_IGNORED, 1 },
	{ "thp_deferred_split_page", WEIR_IGNORED, 1 },
	{ "thp_underused_split_page", WEIR_IGNORED, 1 },
	{ "thp_split_pmd", WEIR_IGNORED, 1 },
	{ "thp_scan_exceed_*", WEIR_IGNORED, 1 },
	{ "thp_split_pud", WEIR_IGNORED, 1 },
	{ "thp_zero_page_alloc", THP_ZERO_PAGE_ALLOC, 1 },
	{ "thp_zero_page_alloc_failed", WEIR_IGNORED, 1 },
	{ "thp_swpout", THP_SWPOUT, 1 },
	{ "thp_swpout_fallback", WEIR_IGNORED, 1 },
	{ "balloon_inflate", BALLOON_INFLATE, 1 },
	{ "balloon_deflate", BALLOON_DEFLATE, 1 },
	{ "balloon_migrate", WEIR_IGNORED, 1 },
	{ "swap_ra", SWAP_READAHEAD, 1 },
	{ "swap_ra_hit", SWAP_READAHEAD_HIT, 1 },
	{ "swpin_zero", WEIR_IGNORED, 1 },
	{ "swpout_zero", WEIR_IGNORED, 1 },
	{ "ksm_swpin_copy", WEIR_IGNORED, 1 },
	{ "cow_ksm", WEIR_IGNORED, 1 },
	{ "zswpin", WEIR_IGNORED, 1 },
	{ "zswpout", WEIR_IGNORED, 1 },
	{ "zswpwb", WEIR_IGNORED, 1 },
	{ "direct_map_*", WEIR_IGNORED, 1 },
};

struct vmstat {
	struct weir_list extra;
	uint64_t page_size;
	struct weir_file *file;
	struct weir_keys *keys;
	struct weir_keyword keywords[WEIR_COUNT(keywords)]; /* with the size of a page */
};

enum { SCHEMA_VMSTAT, SCHEMA_KEYVALUE };
static const struct weir_schema vmstat =
	WEIR_SERIES("vmstat", columns, "paging, reclaim, allocation and migration of memory");
static const struct weir_schema *const schemas[] = {
	[SCHEMA_VMSTAT] = &vmstat,
	[SCHEMA_KEYVALUE] = &weir_schema_keyvalue,
	NULL,
};

static const struct weir_option options[] = {
	WEIR_LIST_OPTION(struct vmstat, extra, NULL,
		"further keys of the file to send, unconverted, in schema keyvalue"),
	WEIR_PAGE_SIZE_OPTION(struct vmstat),
	WEIR_OPTIONS_END,
};

static int
open_vmstat(void *state, struct weir_ctx *ctx, struct weir_err *err)
{
	struct vmstat *s = state;

	memcpy(s->keywords, keywords, sizeof(keywords));
	for (size_t i = 0; i < WEIR_COUNT(keywords); i++)
		if (s->keywords[i].factor == PAGE)
			s->keywords[i].factor = (uint32_t)weir_page_size(s->page_size);
	s->file = weir_file(ctx, "/proc/vmstat", WEIR_READ_LINES);
	s->keys = weir_keys(
		ctx, "/proc/vmstat", ' ', s->keywords, WEIR_COUNT(keywords), &s->extra, SCHEMA_KEYVALUE);
	return s->keys ? 0 : weir_failx(err, -ENOMEM, "out of memory");
}

static int
sample(void *state, struct weir_out *out, struct weir_err *err)
{
	struct vmstat *s = state;
	struct weir_scan text;
	int error = weir_read(s->file, &text, err);

	if (error)
		return error;
	if (!weir_keys_scan(s->keys, &text, out, weir_row(out, SCHEMA_VMSTAT)))
		return weir_failx(err, -ENODATA, "'/proc/vmstat' has no key that is known");
	return 0;
}

static const char description[] =
	"What the kernel does not count is missing, never 0. Keys that it splits by zone are added up. "
	"Counters are kept for each CPU and folded once a second, so a value can lag by that much.";

WEIR_PLUGIN(.kind = WEIR_SAMPLER, .name = "vmstat",
	.summary = "paging, reclaim, allocation and migration of memory", .description = description,
	.state_size = sizeof(struct vmstat), .options = options, .schemas = schemas,
	.open = open_vmstat, .sampler.sample = sample);
