/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CSV store's parts and how they hang together. A table is one revision of a schema; its rows
 * lie in parts, files of which at most one is open; the journal says how long each open part is,
 * which marks go with that, and is the sole judge after a crash.
 */
#ifndef WEIR_CSV_H
#define WEIR_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/plugin.h>

#include "failpoints.h"

struct csv;

/* ---- bytes.c: a growing buffer; zeroed is empty ---- */

struct csv_bytes {
	char *data;
	size_t size, room;
};

/* Room for `more` bytes behind `size`. 0 or -ENOMEM. */
int csv_bytes_reserve(struct csv_bytes *, size_t more);
/* Empties it; keeps the memory unless far more than this use needed. */
void csv_bytes_reset(struct csv_bytes *);
void csv_bytes_free(struct csv_bytes *);

/* ---- table.c: tables and plans ---- */

struct csv_column {
	char *name;
	enum weir_type type;
};

/* One revision of a schema. Columns are only ever added, keys come first. */
struct csv_table {
	struct csv_table *next;
	char *name;
	uint64_t number;   /* in the journal */
	uint32_t revision; /* from 1 */
	uint32_t flags;    /* WEIR_ENTITY, WEIR_HOST_KEYS */
	size_t n_keys, n_columns;
	struct csv_column *columns;
	size_t listed;         /* columns that the journal knows */
	struct csv_part *part; /* where the next row goes; NULL: none */
};

enum csv_kind {
	CSV_ABSENT,
	CSV_U64,
	CSV_I64,
	CSV_F64,
	CSV_CENTI,
	CSV_MILLI,
	CSV_MICRO,
	CSV_NANO,
	CSV_DIVIDED,
	CSV_BOOL,
	CSV_STR,
	CSV_TIME,
	CSV_BYTES,
};

/* A column of the table, filled from a batch. The first two change with the batch. */
struct csv_field {
	const union weir_cell *cell;
	const uint64_t *valid;
	int64_t divisor;
	uint32_t column;
	enum csv_kind kind;
};

/* How batches of one fingerprint become rows of a table. */
struct csv_plan {
	uint64_t fingerprint;
	struct csv_table *table;
	size_t n_fields; /* of the table when the plan was made */
	size_t row_room; /* bytes that a row's fields take, texts aside */
	struct csv_field field[];
};

/* The plan for a batch; tables appear and grow as needed. -EINVAL: no schema for a table; err says
 * why. */
int csv_plan_for(struct csv *, const struct weir_batch *, struct csv_plan **, struct weir_err *);
struct csv_table *csv_table_numbered(struct csv *, uint64_t number);
/* An empty table at the end of the list. NULL out of memory. */
struct csv_table *csv_table_new(struct csv *, const char *name, size_t length, uint64_t number);
int csv_table_add_column(struct csv_table *, const char *name, size_t length, enum weir_type);
void csv_tables_free(struct csv *);
bool csv_name_valid(const char *name);

/* ---- writer.c: rows as text ---- */

/* The header line of a part with the first n_columns columns. 0 or -ENOMEM. */
int csv_put_header(struct csv_bytes *, const struct csv_table *, size_t n_columns);
/* All rows of a batch. 0 or -ENOMEM, then the buffer may hold some of them. */
int csv_put_batch(struct csv_bytes *, struct csv_plan *, const struct weir_batch *, int64_t now);

/* ---- part.c: files of rows ---- */

/* A file that has a part's name. */
enum csv_form { CSV_PLAIN, CSV_ZSTD, CSV_GZIP, CSV_TEMPORARY };

struct csv_file {
	const char *path; /* relative to the store's folder */
	uint64_t number;
	/* A file that has a part's name. */
	enum csv_form form;
};

struct csv_point {
	uint64_t length;
	uint32_t crc; /* of all bytes up to there */
};

struct csv_part {
	struct csv_part *next;
	struct csv_table *table;
	uint64_t number;
	int64_t created;  /* microseconds UTC */
	size_t n_columns; /* of the table, in this part's header */
	int fd;           /* 0: not made yet */
	bool listed;      /* the journal knows it */
	bool ending;      /* the next commit closes it */
	bool doomed;      /* never committed: the file must go */
	bool cut;         /* the file may hold bytes behind `written` */
	bool linked;      /* its name is on disk */
	struct csv_point committed, written;
	uint64_t synced; /* length known to be on disk */
	struct csv_point recent,
		safe; /* on disk long ago: recovery checks from `safe` on, at least CSV_CHECKED bytes */
	struct csv_bytes buffer; /* rows behind `written` */
	size_t savepoint;        /* buffer.size before the present step */
	uint64_t made, ended;    /* the step that did so, to take it back */
};

/* What recovery reads again of each open part although it was synced: cheap, and finds a disk that
 * lied. */
#define CSV_CHECKED (1 << 20)

struct csv_name {
	char text[160]; /* relative to the store's folder */
};

struct csv_part *csv_part_new(
	struct csv *, struct csv_table *, uint64_t number, int64_t created, size_t n_columns);
struct csv_name csv_part_name(const struct csv_part *);
/* The part for rows of a table; made when there is none, or when it is too old, too long or has too
 * few columns. */
int csv_part_for(
	struct csv *, struct csv_table *, int64_t now, struct csv_part **, struct weir_err *);
/* Write the buffer to the file. */
int csv_part_flush(struct csv *, struct csv_part *, struct weir_err *);
int csv_part_sync(struct csv *, struct csv_part *, struct weir_err *);
bool csv_part_due(const struct csv *, const struct csv_part *, int64_t now);
/* Remember that all that is committed is on disk. */
void csv_part_durable(struct csv_part *);
/* Forget all that is not committed; false: a file could not be put right, csv_settle must be tried
 * before the next write. */
void csv_rollback(struct csv *);
/* Forget the present step's rows. */
void csv_rollback_step(struct csv *);
int csv_settle(struct csv *, struct weir_err *);
/* Is the file one that rows still go to? */
bool csv_part_open(const struct csv *, const struct csv_file *);
/* Out of the list and freed; the file stays. */
void csv_part_drop(struct csv *, struct csv_part *);

/* pread/pwrite of it all; 0 or -errno. Short reads are -EIO. */
int csv_write_at(int fd, const void *data, size_t size, uint64_t offset);
int csv_read_at(int fd, void *data, size_t size, uint64_t offset);
/* fsync of the folder `name` in the store's. */
int csv_sync_folder(struct csv *, const char *name, struct weir_err *);
/* openat with O_CLOEXEC that never gives 0, which stands for "not open". The descriptor or -errno.
 */
int csv_open_at(int folder, const char *path, int flags);

/* ---- marks.c: marks, claims ---- */

struct csv_source {
	struct csv_source *next;
	char *name, *holder; /* holder NULL: never claimed */
	uint64_t epoch;
	int64_t lease_until; /* counts only when claimed since open: the lock on the folder ended all
							others */
	bool claimed;
};

struct csv_mark {
	struct csv_mark *by_item, *by_identity; /* next of the same slot */
	struct csv_source *source;
	uint64_t item_hash, identity_hash;
	const char *item, *identity;
	size_t size;
	char data[]; /* `size` bytes, then item and identity */
};

struct csv_marks {
	struct csv_mark **items, **identities; /* [slots] */
	size_t slots, n;
};

struct csv_source *csv_source_named(struct csv *, const char *name, size_t length, bool make);
struct csv_mark *csv_mark_new(struct csv_source *, const struct weir_mark *);
/* Instead of the one of the same item. 0 or -ENOMEM; the second cannot happen after
 * csv_marks_reserve. */
int csv_marks_reserve(struct csv_marks *, size_t more);
void csv_marks_put(struct csv_marks *, struct csv_mark *);
void csv_marks_forget(struct csv_marks *, const struct csv_source *, const char *item);
/* Copies of the marks of a source, or of all with an identity, which live until the next call. 0 or
 * -ENOMEM. */
int csv_marks_of(
	struct csv *, const struct csv_source *, const char *identity, struct weir_marks *);
void csv_marks_free(struct csv *);
/* Is the holder ("HOST pid N") a process of this host that has ended? */
bool csv_holder_dead(const char *holder, const char *host);

/* ---- journal.c ---- */

#define CSV_JOURNAL "journal.weir"
#define CSV_JOURNAL_TEMPORARY CSV_JOURNAL ".tmp"
#define CSV_JOURNAL_VERSION 1
#define CSV_JOURNAL_LIMIT (1 << 20)

struct csv_journal {
	int fd;
	uint64_t length, base; /* of the file; of its first entry */
	uint32_t
		chain;  /* CRC of all so far, so that a leftover of an earlier life never continues it */
	bool cut;   /* the file may be longer than `length` */
	bool dirty; /* an entry is not on disk */
	struct csv_bytes entry; /* being built, behind room for its head */
};

/* Entries are begun, filled and appended. */
int csv_entry_begin(struct csv *);
int csv_entry_commit(
	struct csv *, const struct weir_commit *); /* parts that changed, tables, marks */
int csv_entry_source(struct csv *, const struct csv_source *, const char *holder, uint64_t epoch);
bool csv_entry_empty(const struct csv *);
/* With `sync` all before must be on disk; the entry says so and is then, too. */
int csv_entry_append(struct csv *, bool sync, struct weir_err *);
/* Sync all parts and say so. */
int csv_checkpoint(struct csv *, struct weir_err *);
/* A new journal with one entry that says all. */
int csv_journal_rewrite(struct csv *, struct weir_err *);
bool csv_journal_long(const struct csv *, uint64_t limit);

/* Read the state out of a journal, of its first `limit` entries; how many there are and where the
 * last one ends. */
struct csv_replay {
	size_t entries, durable; /* durable: up to the last of which all is on disk */
	uint64_t end, base;
	uint32_t chain;
	bool dirty;
};
int csv_journal_check(
	struct csv *, const char *data, size_t size, size_t *header, struct weir_err *);
int csv_journal_replay(struct csv *, const char *data, size_t size, size_t limit,
	struct csv_replay *, struct weir_err *);

/* ---- recover.c ---- */

/* Put the folder back to its last commit, or make a new journal. The lock is held. */
int csv_recover(struct csv *, struct weir_err *);
/* Refuse a journal of a newer program; touches nothing. */
int csv_check_version(struct csv *, struct weir_err *);
void csv_state_free(struct csv *);

/* ---- walk.c: what lies in the folder ---- */

/* `each` of every file that has a part's name; ends with its first result that is not 0. */
int csv_walk(struct csv *,
	int (*each)(struct csv *, void *, const struct csv_file *, struct weir_err *), void *closure,
	struct weir_err *);

/* ---- compress.c, retain.c ---- */

/* Closed parts that wait to be compressed. */
struct csv_waiting {
	struct csv_waiting *next;
	char path[];
};

struct csv_codec;

int csv_wait(struct csv *, const char *path);
/* Compress about `budget` bytes of what waits. An error gives up the part in hand until the next
 * csv_tend. */
int csv_compress(struct csv *, uint64_t budget, struct weir_err *);
void csv_compress_stop(struct csv *);
/* Remove old parts. */
int csv_retain(struct csv *, int64_t now, struct weir_err *);

/* ---- csv.c ---- */

enum csv_compression { CSV_NONE, CSV_WITH_ZSTD, CSV_WITH_GZ };

struct csv {
	/* options */
	const char *path;
	uint64_t rotate_size, keep_size, buffer;
	int64_t rotate_every, keep_age, level;
	int compress;

	int folder, lock; /* descriptors; 0: not open */
	char *host;
	struct csv_table *tables;
	struct csv_plan **plans; /* [plan_slots] by fingerprint */
	size_t plan_slots, n_plans;
	struct csv_part *parts; /* not closed */
	uint64_t next_part;
	uint64_t step; /* number of the present write */
	struct csv_source *sources;
	struct csv_marks marks;
	void *reply; /* marks handed out */
	struct csv_journal journal;
	bool ready;  /* open went well */
	bool closed; /* a part was closed since the last checkpoint: nothing may be removed before the
					next */
	bool paused; /* compression failed: not before the next tend */
	struct csv_waiting *waiting, **waiting_end;
	struct csv_codec *codec; /* the part in hand */
	int64_t retained;        /* when old parts were last looked for */
	uint64_t fresh;          /* bytes written by the present commit */
#ifdef WEIR_FAILPOINTS
	unsigned long passages[CSV_FAILPOINTS_N];
#endif
};

#endif
