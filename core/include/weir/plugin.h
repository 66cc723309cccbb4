/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin contract. A plugin is one constant, `weir_plugin`, exported from a .so; everything
 *else in it is static:
 *
 *	WEIR_PLUGIN(.kind = WEIR_SAMPLER, .name = "loadavg", ...);
 *
 * The core allocates and zeroes the state, fills the options, calls open, then the functions of the
 *kind, and close at the end; close runs even when open failed, so open just returns. Nothing may be
 *kept in statics: two instances live in one process.
 */
#ifndef WEIR_PLUGIN_H
#define WEIR_PLUGIN_H

#include <string.h>

#include <weir/batch.h>
#include <weir/error.h>
#include <weir/option.h>
#include <weir/row.h>
#include <weir/schema.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_ABI 1

enum weir_kind { WEIR_SAMPLER = 1, WEIR_PARSER, WEIR_STORE };

enum weir_plugin_flag {
	WEIR_BLOCKING = 1, /* may hang: runs on a thread of its own that can be abandoned */
	WEIR_ISOLATE = 2,  /* may crash: runs in a process of its own */
	WEIR_UNTRUSTED =
		4, /* a parser of what ordinary users write: own process, no capabilities, seccomp */
	WEIR_SHARED =
		8, /* a store that several processes on several machines may write at once; else local */
	WEIR_SLOW = 16,   /* a sampler whose default interval is 60 s instead of 10 s */
	WEIR_RARE = 32,   /* a sampler whose default interval is 30 s */
	WEIR_EVENTS = 64, /* a sampler that has something to say only at start and on events: also
						 called once an hour */
};

/*
 * What a plugin needs besides what any user may do; becomes the drop-in of the systemd unit.
 * Capabilities are bits of their Linux number, the rest stands above bit 48.
 */
#define WEIR_NEEDS_CAPABILITY(number) \
	(UINT64_C(1) << (number)) /* CAP_DAC_READ_SEARCH 2, CAP_SYS_PTRACE 19, CAP_PERFMON 38 */
#define WEIR_NEEDS_NETLINK (UINT64_C(1) << 48) /* AF_NETLINK sockets */
#define WEIR_NEEDS_INET (UINT64_C(1) << 49)    /* AF_INET and AF_INET6 sockets */
#define WEIR_NEEDS_DEVICES (UINT64_C(1) << 50) /* the device nodes named in .devices */

struct weir_ctx; /* the instance, as the core knows it */

/*
 * ---- parsers ----
 *
 * Every store's worker pulls for itself, with an instance of its own of each parser routed to it:
 * neither state nor stream is ever shared between threads.
 */

enum weir_input_form {
	WEIR_INPUT_STREAM = 1, /* bytes that grow: a log */
	WEIR_INPUT_FILE = 2,   /* a file as a whole */
	WEIR_INPUT_TREE = 4,   /* a directory found by a pattern: `path` names it, data is NULL */
	WEIR_INPUT_DATAGRAM = 8,
	WEIR_INPUT_MESSAGE = 16, /* one message of a foreign topic */
};

struct weir_input {
	enum weir_input_form form;
	const char *data; /* size bytes, never NUL-terminated */
	size_t size;
	bool end;           /* nothing follows: the last line needs no newline */
	uint64_t offset;    /* of data[0] in the decompressed stream */
	const char *path;   /* of the file or directory; NULL where there is none */
	const char *sender; /* of a datagram: address; of a message: topic; NULL */
	const char *key;    /* of a message, key_size bytes; NULL */
	size_t key_size;
	int64_t received; /* microseconds UTC */
	uint64_t reserved[4];
};

struct weir_blob {
	unsigned char data[4096];
	size_t size;
};

/* ---- stores ---- */

/*
 * How far a store has read a source. `source` is the claim's name ("files/INSTANCE",
 * "kafka/TOPIC/PARTITION"); `item` names one file or "" where the source is one thing; `identity`
 * finds a file again over all claims (hash of its head, "" for none); `data` is the core's own
 * record, at most 64 KiB: stores keep it as it is.
 */
struct weir_mark {
	const char *source, *item, *identity;
	const void *data;
	size_t size;
	bool forget; /* remove this mark instead of writing it; then also of a source not held: it moved
					to another claim */
	uint64_t reserved[4];
};

/* A claim that a commit writes under: its epoch must still be the stored one; the commit renews the
 * lease. */
struct weir_hold {
	const char *source;
	uint64_t epoch;
	int64_t lease_until; /* microseconds UTC; 0 gives the source back at once */
	uint64_t reserved[4];
};

struct weir_marks {
	const struct weir_mark *mark;
	size_t n;
};

/* One commit: marks, all of sources in `hold`; all empty for live sources alone. `sync` asks for
 * what survives power loss. */
struct weir_commit {
	struct weir_marks marks;
	const struct weir_hold *hold;
	size_t n_hold;
	bool sync;
	uint64_t reserved[4];
};

/* Who wants a source, for the lease: instances are one holder per host and state folder. */
struct weir_claim {
	const char *source;
	const char *holder;  /* "HOST STATE-FOLDER" or "HOST pid N" */
	int64_t lease_until; /* microseconds UTC; renewed by each commit */
	bool take_over;      /* even from a live holder */
	uint64_t reserved[4];
};

/*
 * What became of the rows of one batch: zeroed by the core, filled by weir_tally_row or
 * weir_tally_stored. Pulled sources want to know it row by row: `verdict` is the core's memory
 * then.
 */
enum weir_verdict { WEIR_ROW_STORED = 1, WEIR_ROW_UNCHANGED, WEIR_ROW_REFUSED };
struct weir_tally {
	uint64_t stored, unchanged, refused;
	uint8_t *verdict; /* [rows] of enum weir_verdict; NULL: the sums are enough */
	void (*refuse)(void *closure, size_t row, const char *reason); /* may be NULL */
	void *closure;
	char reason[200]; /* of the last refusal */
	uint64_t reserved[4];
};

static inline void
weir_tally_row(struct weir_tally *tally, size_t row, enum weir_verdict verdict, const char *reason)
{
	*(verdict == WEIR_ROW_STORED        ? &tally->stored
		: verdict == WEIR_ROW_UNCHANGED ? &tally->unchanged
										: &tally->refused) += 1;
	if (tally->verdict)
		tally->verdict[row] = (uint8_t)verdict;
	if (verdict != WEIR_ROW_REFUSED)
		return;
	size_t length = strlen(reason), most = sizeof(tally->reason) - 1;

	length = length < most ? length : most;
	memcpy(tally->reason, reason, length);
	tally->reason[length] = '\0';
	if (tally->refuse)
		tally->refuse(tally->closure, row, reason);
}

/* All rows of the batch were stored. */
static inline void
weir_tally_stored(struct weir_tally *tally, size_t rows)
{
	tally->stored += rows;
	if (tally->verdict)
		memset(tally->verdict, WEIR_ROW_STORED, rows);
}

/* A report's query: SQL with ? parameters, over the store's own tables. Rows are handed to `row` as
 * text (NULL: missing). */
struct weir_query {
	const char *sql;
	const char *const *parameters;
	size_t n_parameters;
	int (*row)(void *closure, size_t columns, const char *const *names, const char *const *values);
	void *closure;
};

/* ---- the constant ---- */

struct weir_plugin {
	uint32_t abi, size;
	enum weir_kind kind;
	uint32_t flags;
	const char *name, *summary;        /* summary: one line, no full stop */
	size_t state_size;                 /* zeroed memory for one instance */
	size_t stream_size;                /* parsers: zeroed memory for one stream */
	const struct weir_option *options; /* ends with WEIR_OPTIONS_END; may be NULL */
	const struct weir_schema *const
		*schemas; /* ends with NULL; may be NULL (stores; plugins that define theirs in open) */
	uint64_t needs;
	const char *const *devices; /* device nodes, with WEIR_NEEDS_DEVICES; ends with NULL */
	const char *const
		*paths; /* folders outside /proc and /sys that it reads or writes; ends with NULL */
	const char *library;     /* the library that it stands on, for people ("libpfm4"); NULL: none */
	const char *description; /* a paragraph or several for its page; may be NULL */

	/* Acquire what the instance needs; no waiting. What this leaves open, close undoes; a zeroed
	 * state is a closed state. */
	int (*open)(void *state, struct weir_ctx *, struct weir_err *);
	void (*close)(void *state);

	union {
		struct {
			/* One tick. 0; -ENODATA nothing this time; -EAGAIN not now; other: the batch is thrown
			 * away. */
			int (*sample)(void *state, struct weir_out *, struct weir_err *);
			/* A descriptor of weir_watch is readable. */
			int (*event)(void *state, int fd, struct weir_out *, struct weir_err *);
			void *reserved[6];
		} sampler;
		struct {
			uint32_t inputs; /* bits of weir_input_form */
			/*
			 * Use as much of the input as makes whole records, say so in *used, call weir_accept
			 * after each. Using nothing of an input that is not `end` asks for more bytes behind
			 * it.
			 */
			int (*parse)(void *state, void *stream, const struct weir_input *, size_t *used,
				struct weir_out *, struct weir_err *);
			/* What must be remembered of the stream at a mark (a header line): into a blob, and
			 * back. May be NULL. */
			int (*save)(void *stream, struct weir_blob *);
			int (*restore)(void *state, void *stream, const struct weir_blob *);
			void (*end)(void *state, void *stream); /* the stream is forgotten; may be NULL */
			void *reserved[4];
		} parser;
		struct {
			/*
			 * Take a source for this holder: raise its epoch, return it and all marks of the
			 * source. The marks live until the next call of claim, find or close. -EBUSY: another
			 * live holder has it; err names it.
			 */
			int (*claim)(void *state, const struct weir_claim *, uint64_t *epoch,
				struct weir_marks *, struct weir_err *);
			/* All marks of any source with this identity. */
			int (*find)(void *state, const char *identity, struct weir_marks *, struct weir_err *);
			/*
			 * Take the batches of one step. Nothing is readable before commit. tally[i] is of batch
			 * i. On an error nothing of this step counts; the core calls write again with the same
			 * batches after a pause. EINVAL, ERANGE, EDOM, EILSEQ, EOVERFLOW, EBADMSG, E2BIG and
			 * ENOTSUP blame a batch: after five in a row the core tries the batches one by one and
			 * drops the one to blame. All other codes are the surroundings' (disk, network, locks):
			 * waited out.
			 */
			int (*write)(void *state, const struct weir_batch *const *, size_t n,
				struct weir_tally *, struct weir_err *);
			/*
			 * Make all written since the last commit readable, together with the marks, in one
			 * step. An epoch lower than the stored one fails with -ESTALE. After an error nothing
			 * is committed and write is called anew with the same batches.
			 */
			int (*commit)(void *state, const struct weir_commit *, struct weir_err *);
			/* Housekeeping about once a minute, between commits: rotate, retain, compress,
			 * checkpoint. May be NULL. */
			int (*tend)(void *state, int64_t now, struct weir_err *);
			int (*query)(void *state, const struct weir_query *, struct weir_err *);
			void *reserved[4];
		} store;
		void *room[16];
	};
};

#define WEIR_PLUGIN(...) \
	WEIR_API extern const struct weir_plugin weir_plugin; \
	const struct weir_plugin weir_plugin = { \
		.abi = WEIR_ABI, .size = sizeof(struct weir_plugin), __VA_ARGS__ \
	}

/* ---- what the core does for plugins ---- */

/* Prefix for paths, "" for none. A saved tree of another machine, or a container's root. */
WEIR_API const char *weir_root(const struct weir_ctx *);
/* False under a root: netlink, ioctl, perf and statvfs must not be used then, their answers would
 * be of this machine. */
WEIR_API bool weir_live(const struct weir_ctx *);
WEIR_API const char *weir_instance(const struct weir_ctx *);
WEIR_API const char *weir_host_name(const struct weir_ctx *);
WEIR_API const char *weir_cluster_name(const struct weir_ctx *);
/* Where the instance may keep files of its own, made on first use; NULL without a state folder. */
WEIR_API const char *weir_state_folder(struct weir_ctx *);
/* Wall clock in microseconds; in sample(): the time of the tick. */
WEIR_API int64_t weir_time(const struct weir_ctx *);
/* At level debug, with the instance's name. Plugins hardly need it: errors are returned. */
WEIR_API void weir_debug(struct weir_ctx *, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Why something cannot be read: a row of the entity `capability`, sent on change, at start and
 * hourly. `item` is what (a path, an event); WEIR_OK withdraws a former trouble.
 */
enum weir_status {
	WEIR_OK,
	WEIR_ABSENT,
	WEIR_REFUSED,
	WEIR_UNSUPPORTED,
	WEIR_UNKNOWN_KEYS,
	WEIR_FAILED
};
WEIR_API void weir_capability(struct weir_ctx *, const char *item, enum weir_status,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Ask for event() when fd is readable; from open or sample. weir_unwatch before the plugin closes
 * fd. */
WEIR_API int weir_watch(struct weir_ctx *, int fd, struct weir_err *);
WEIR_API void weir_unwatch(struct weir_ctx *, int fd);

/*
 * A slower part of a sampler: true at most once per `interval_ns` (and the first time), on the
 * tick's clock. `due` is a field of the state, zero at first.
 */
WEIR_API bool weir_due(const struct weir_ctx *, int64_t *due, int64_t interval_ns);

/* A schema made in open by plugins that map a site's own fields; returns its number for weir_row,
 * or -errno. Copied. */
WEIR_API int weir_schema_add(struct weir_ctx *, const struct weir_schema *, struct weir_err *);

/* Parsers: after a record, the only place where a mark may fall; and a record that cannot be used,
 * with its place and reason. */
WEIR_API void weir_accept(struct weir_out *, size_t used);
WEIR_API void weir_reject(struct weir_out *, const char *data, size_t size, uint64_t offset,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

#ifdef __cplusplus
}
#endif
#endif
