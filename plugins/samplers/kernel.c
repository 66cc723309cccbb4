/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel: small figures of the system as a whole: open files, dentries, processes, System V IPC,
 * uptime, oopses, the clock. Most stand in files of one line that are kept open.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/timex.h>

#include <weir/sampler.h>

enum column {
	FILES_ALLOCATED, FILES_MAX, INODES_ALLOCATED, INODES_FREE, DENTRIES, DENTRIES_UNUSED,
	DENTRIES_NEGATIVE, AIO, AIO_MAX, ENTROPY, CONNTRACK_ENTRIES, CONNTRACK_MAX, PID_MAX,
	THREADS_MAX, UPTIME, IDLE_TIME, HUNG_TASKS, SHM_BYTES, SHM_SEGMENTS, SEM_ARRAYS, MSG_QUEUES,
	OOPS, WARNINGS, TAINTED, LOCKS, CLOCK_OFFSET, CLOCK_SYNCHRONIZED,
};

static const struct weir_column columns[] = {
	[FILES_ALLOCATED] = WEIR_GAUGE_U64("files_allocated", "1",
		"open file handles of all processes"),
	[FILES_MAX] = WEIR_GAUGE_U64("files_max", "1", "most file handles that can be open"),
	[INODES_ALLOCATED] = WEIR_GAUGE_U64("inodes_allocated", "1", "inodes held in memory"),
	[INODES_FREE] = WEIR_GAUGE_U64("inodes_free", "1", "inodes held in memory that nothing uses"),
	[DENTRIES] = WEIR_GAUGE_U64("dentries", "1", "directory entries held in memory"),
	[DENTRIES_UNUSED] = WEIR_GAUGE_U64("dentries_unused", "1",
		"directory entries held in memory that nothing uses"),
	[DENTRIES_NEGATIVE] = WEIR_GAUGE_U64("dentries_negative", "1",
		"unused directory entries of names that do not exist (Linux 5.0)"),
	[AIO] = WEIR_GAUGE_U64("aio", "1", "asynchronous requests that processes reserved room for"),
	[AIO_MAX] = WEIR_GAUGE_U64("aio_max", "1",
		"most asynchronous requests that room can be reserved for"),
	[ENTROPY] = WEIR_GAUGE_U64("entropy", "bit",
		"entropy of the random number pool, always 256 since Linux 5.18"),
	[CONNTRACK_ENTRIES] = WEIR_GAUGE_U64("conntrack_entries", "1",
		"connections that the packet filter tracks"),
	[CONNTRACK_MAX] = WEIR_GAUGE_U64("conntrack_max", "1",
		"most connections that the packet filter can track"),
	[PID_MAX] = WEIR_GAUGE_U64("pid_max", "1", "where process identifiers wrap"),
	[THREADS_MAX] = WEIR_GAUGE_U64("threads_max", "1", "most threads that can exist"),
	[UPTIME] = WEIR_GAUGE_REAL("uptime", "s", 100, "time since boot"),
	[IDLE_TIME] = {
		.name = "idle_time", .type = WEIR_F64, .role = WEIR_COUNTER, .unit = "s", .divisor = 100,
		.flags = WEIR_STEPS_BACK, .help = "time that CPUs were idle since boot, summed over all",
	},
	[HUNG_TASKS] = WEIR_COUNTER_U64("hung_tasks", "1",
		"tasks found hanging in the kernel (Linux 6.17)"),
	[SHM_BYTES] = WEIR_GAUGE_U64("shm_bytes", "By", "size of all System V shared memory segments"),
	[SHM_SEGMENTS] = WEIR_GAUGE_U64("shm_segments", "1", "System V shared memory segments"),
	[SEM_ARRAYS] = WEIR_GAUGE_U64("sem_arrays", "1", "System V semaphore arrays"),
	[MSG_QUEUES] = WEIR_GAUGE_U64("msg_queues", "1", "System V message queues"),
	[OOPS] = WEIR_COUNTER_U64("oops", "1", "faults of the kernel that it survived (Linux 6.2)"),
	[WARNINGS] = WEIR_COUNTER_U64("warnings", "1",
		"warnings of the kernel with a stack trace (Linux 6.2)"),
	[TAINTED] = WEIR_GAUGE_U64("tainted", "1",
		"bit mask of what makes the kernel's reports doubtful; 0: nothing"),
	[LOCKS] = WEIR_GAUGE_U64("locks", "1", "file locks held and waited for"),
	[CLOCK_OFFSET] = WEIR_GAUGE_F64("clock_offset", "s",
		"offset of the clock that the kernel still has to correct"),
	[CLOCK_SYNCHRONIZED] = WEIR_GAUGE_BOOL("clock_synchronized",
		"whether the clock follows a time source"),
};

static const struct weir_schema kernel =
	WEIR_SERIES("kernel", columns, "small figures of the system as a whole");
static const struct weir_schema *const schemas[] = { &kernel, NULL };

enum { SYSCTL = WEIR_READ_ONCE | WEIR_READ_SMALL, FIELDS = 6 };

/* A line of integers: field i goes to column - 1 of `to[i]`. */
struct source {
	const char *path;
	unsigned flags;
	size_t to[FIELDS];
};

#define TO(column) ((column) + 1)
static const struct source sources[] = {
	{ "/proc/sys/fs/file-nr", SYSCTL, { TO(FILES_ALLOCATED), 0, TO(FILES_MAX) } },
	{ "/proc/sys/fs/inode-nr", SYSCTL, { TO(INODES_ALLOCATED), TO(INODES_FREE) } },
	{ "/proc/sys/fs/dentry-state", SYSCTL,
		{ TO(DENTRIES), TO(DENTRIES_UNUSED), 0, 0, TO(DENTRIES_NEGATIVE) } },
	{ "/proc/sys/fs/aio-nr", SYSCTL | WEIR_READ_OPTIONAL, { TO(AIO) } },
	{ "/proc/sys/fs/aio-max-nr", SYSCTL | WEIR_READ_OPTIONAL, { TO(AIO_MAX) } },
	{ "/proc/sys/kernel/random/entropy_avail", SYSCTL | WEIR_READ_OPTIONAL, { TO(ENTROPY) } },
	{ "/proc/sys/net/netfilter/nf_conntrack_count", SYSCTL | WEIR_READ_OPTIONAL,
		{ TO(CONNTRACK_ENTRIES) } },
	{ "/proc/sys/net/netfilter/nf_conntrack_max", SYSCTL | WEIR_READ_OPTIONAL,
		{ TO(CONNTRACK_MAX) } },
	{ "/proc/sys/kernel/pid_max", SYSCTL, { TO(PID_MAX) } },
	{ "/proc/sys/kernel/threads-max", SYSCTL, { TO(THREADS_MAX) } },
	{ "/proc/sys/kernel/hung_task_detect_count", SYSCTL | WEIR_READ_OPTIONAL, { TO(HUNG_TASKS) } },
	{ "/proc/sys/kernel/tainted", SYSCTL | WEIR_READ_OPTIONAL, { TO(TAINTED) } },
	{ "/sys/kernel/oops_count", WEIR_READ_ONCE | WEIR_READ_OPTIONAL, { TO(OOPS) } },
	{ "/sys/kernel/warn_count", WEIR_READ_ONCE | WEIR_READ_OPTIONAL, { TO(WARNINGS) } },
};

struct kernel {
	struct weir_ctx *ctx;
	struct weir_file *file[WEIR_COUNT(sources)], *uptime, *shm, *sem, *msg, *lock_list;
	bool negative_dentries; /* the kernel is known to count them */
	bool clock;             /* adjtimex may be asked */
	bool locks;
};

static const struct weir_option options[] = {
	WEIR_BOOL_OPTION(struct kernel, locks, "no",
		"count the lines of /proc/locks, which costs more with many locks"),
	WEIR_OPTIONS_END,
};

static int
open_kernel(void *state, struct weir_ctx *ctx, struct weir_err *err)
{
	struct kernel *s = state;
	unsigned list = WEIR_READ_LINES | WEIR_READ_OPTIONAL;
	char release[128];

	(void)err;
	s->ctx = ctx;
	s->clock = weir_live(ctx);
	for (size_t i = 0; i < WEIR_COUNT(sources); i++)
		s->file[i] = weir_file(ctx, sources[i].path, sources[i].flags);
	s->uptime = weir_file(ctx, "/proc/uptime", WEIR_READ_ONCE);
	s->shm = weir_file(ctx, "/proc/sysvipc/shm", list);
	s->sem = weir_file(ctx, "/proc/sysvipc/sem", list);
	s->msg = weir_file(ctx, "/proc/sysvipc/msg", list);
	if (s->locks)
		s->lock_list = weir_file(ctx, "/proc/locks", WEIR_READ_LINES);
	if (weir_slurp(ctx, release, sizeof(release), "/proc/sys/kernel/osrelease") > 0)
		s->negative_dentries = strtoul(release, NULL, 10) >= 5;
	return 0;
}

/* The first line, when it is whole. */
static bool
read_line(struct weir_file *file, struct weir_scan *line)
{
	struct weir_scan text;

	return !weir_read(file, &text, NULL) && weir_scan_whole_line(&text, line);
}

static size_t
sample_source(const struct kernel *s, size_t number, struct weir_row *row)
{
	const struct source *source = &sources[number];
	struct weir_scan line;
	size_t set = 0;
	uint64_t field[FIELDS] = { 0 };
	bool present[FIELDS];

	if (!read_line(s->file[number], &line))
		return 0;
	for (size_t i = 0; i < FIELDS; i++) {
		struct weir_scan other;

		present[i] = weir_scan_u64(&line, &field[i]);
		if (!present[i])
			(void)weir_scan_word(&line, &other);
	}
	/* Handles that are allocated but free are none in use; since Linux 2.6 there are none. */
	if (source->to[0] == TO(FILES_ALLOCATED)) {
		present[0] = present[0] && present[1] && field[0] >= field[1];
		field[0] -= present[0] ? field[1] : 0;
	}
	for (size_t i = 0; i < FIELDS; i++) {
		/* Before Linux 5.0 the place is a dummy that is always 0. */
		bool dummy =
			source->to[i] == TO(DENTRIES_NEGATIVE) && !s->negative_dentries && field[i] == 0;

		if (source->to[i] && present[i] && !dummy && ++set)
			weir_set_u64(row, source->to[i] - 1, field[i]);
	}
	return set;
}

static size_t
sample_uptime(const struct kernel *s, struct weir_row *row)
{
	struct weir_scan line;
	int64_t uptime, idle;

	if (!read_line(s->uptime, &line) || !weir_scan_decimal(&line, 100, &uptime))
		return 0;
	weir_set_count(row, UPTIME, uptime);
	if (weir_scan_decimal(&line, 100, &idle))
		weir_set_count(row, IDLE_TIME, idle);
	return 1;
}

/* The place of a word in a line of headings; SIZE_MAX when it is not there. */
static size_t
place_of(struct weir_scan line, const char *heading)
{
	struct weir_scan word;

	for (size_t place = 0; weir_scan_word(&line, &word); place++)
		if (weir_scan_is(&word, heading))
			return place;
	return SIZE_MAX;
}

/*
 * Lines of a table of IPC objects, and the sum of its column "size" when `bytes` is given. A table
 * that does not end with a newline is cut off: its sums would be too small.
 */
static bool
count_objects(struct weir_file *file, uint64_t *objects, uint64_t *bytes)
{
	struct weir_scan text, line, word;

	if (weir_read(file, &text, NULL) || !weir_scan_left(&text) || text.end[-1] != '\n' ||
		!weir_scan_line(&text, &line) || place_of(line, "key") != 0)
		return false;
	size_t size_place = place_of(line, "size");

	if (bytes && size_place == SIZE_MAX)
		return false;
	for (*objects = 0; weir_scan_line(&text, &line); ++*objects) {
		uint64_t size;

		for (size_t place = 0; bytes && place < size_place; place++)
			if (!weir_scan_word(&line, &word))
				return false;
		if (bytes && (!weir_scan_u64(&line, &size) || __builtin_add_overflow(*bytes, size, bytes)))
			return false;
	}
	return true;
}

static size_t
sample_ipc(const struct kernel *s, struct weir_row *row)
{
	uint64_t objects, bytes = 0;
	size_t set = 0;

	if (count_objects(s->shm, &objects, &bytes) && ++set) {
		weir_set_u64(row, SHM_SEGMENTS, objects);
		weir_set_u64(row, SHM_BYTES, bytes);
	}
	if (count_objects(s->sem, &objects, NULL) && ++set)
		weir_set_u64(row, SEM_ARRAYS, objects);
	if (count_objects(s->msg, &objects, NULL) && ++set)
		weir_set_u64(row, MSG_QUEUES, objects);
	return set;
}

static size_t
sample_locks(const struct kernel *s, struct weir_row *row)
{
	struct weir_scan text, line;
	uint64_t locks = 0;

	if (!s->lock_list || weir_read(s->lock_list, &text, NULL) ||
		(weir_scan_left(&text) && text.end[-1] != '\n'))
		return 0;
	while (weir_scan_line(&text, &line))
		locks++;
	weir_set_u64(row, LOCKS, locks);
	return 1;
}

static size_t
sample_clock(struct kernel *s, struct weir_row *row)
{
	struct timex now = { .modes = 0 };

	if (!s->clock)
		return 0;
	int clock_state = adjtimex(&now);

	if (clock_state < 0) {
		weir_capability(s->ctx, "adjtimex", errno == EPERM ? WEIR_REFUSED : WEIR_FAILED,
			"the clock's state cannot be read: %s; ProtectClock= of the unit or a container "
			"forbids it",
			strerror(errno));
		s->clock = false;
		return 0;
	}
	weir_set_f64(row, CLOCK_OFFSET, (double)now.offset / (now.status & STA_NANO ? 1e9 : 1e6));
	weir_set_bool(row, CLOCK_SYNCHRONIZED, clock_state != TIME_ERROR && !(now.status & STA_UNSYNC));
	return 1;
}

static int
sample(void *state, struct weir_out *out, struct weir_err *err)
{
	struct kernel *s = state;
	struct weir_row *row = weir_row(out, 0);
	size_t set =
		sample_uptime(s, row) + sample_ipc(s, row) + sample_locks(s, row) + sample_clock(s, row);

	(void)err;
	for (size_t i = 0; i < WEIR_COUNT(sources); i++)
		set += sample_source(s, i, row);
	if (set)
		return 0;
	weir_row_drop(row);
	return -ENODATA;
}

static const char description[] =
	"The state of the clock is that of this machine and missing under a root. The sum of "
	"idle time over CPUs may step back a little.";

WEIR_PLUGIN(.kind = WEIR_SAMPLER, .name = "kernel",
	.summary = "small figures of the system as a whole", .description = description,
	.state_size = sizeof(struct kernel), .options = options, .schemas = schemas,
	.open = open_kernel, .sampler = { .sample = sample });
