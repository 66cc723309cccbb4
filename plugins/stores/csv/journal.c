/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: a line that names format and version, then entries, one per commit or claim. An
 * entry is its payload's size and a CRC32C that goes on from the entry before (4 bytes each, little
 * endian), then records: a letter and its fields, numbers as varints of 7 bits, signed ones zigzag,
 * texts with their length in front and a NUL behind. The first entry says all, the others what
 * changed. A `d` ends an entry before which all that it says was put on disk.
 */
#include "csv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JOURNAL_TITLE "weir csv journal "
#define ENTRY_HEAD 8

enum record {
	RECORD_NEXT = 'n',
	RECORD_TABLE = 't',
	RECORD_PART = 'p',
	RECORD_LENGTH = 'l',
	RECORD_CLOSED = 'c',
	RECORD_SOURCE = 's',
	RECORD_MARK = 'm',
	RECORD_FORGET = 'f',
	RECORD_DURABLE = 'd',
};

/* ---- building ---- */

static void
put_le32(char *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (char)(value >> 8 * i & 255);
}

static uint32_t
get_le32(const char *in)
{
	const unsigned char *at = (const unsigned char *)in;
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* A letter and numbers: those after `n` are more of the same. */
static int
put_numbers(struct csv_bytes *out, char record, const uint64_t *number, size_t n)
{
	if (csv_bytes_reserve(out, 1 + 10 * n) < 0)
		return -ENOMEM;
	if (record)
		out->data[out->size++] = record;
	for (size_t i = 0; i < n; i++) {
		uint64_t rest = number[i];
		for (; rest > 127; rest >>= 7)
			out->data[out->size++] = (char)(rest | 128);
		out->data[out->size++] = (char)rest;
	}
	return 0;
}

#define PUT(out, record, ...) \
	put_numbers(out, record, (const uint64_t[]){ __VA_ARGS__ }, \
		sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

static int
put_data(struct csv_bytes *out, const void *data, size_t size)
{
	if (PUT(out, 0, size) < 0 || csv_bytes_reserve(out, size + 1) < 0)
		return -ENOMEM;
	if (size)
		memcpy(out->data + out->size, data, size);
	out->size += size;
	out->data[out->size++] = '\0';
	return 0;
}

static int
put_string(struct csv_bytes *out, const char *string)
{
	return put_data(out, string ? string : "", string ? strlen(string) : 0);
}

static uint64_t
zigzag(int64_t value)
{
	return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static int64_t
unzigzag(uint64_t value)
{
	return (int64_t)(value >> 1 ^ -(value & 1));
}

static int
put_table(struct csv_bytes *out, const struct csv_table *table)
{
	int result = PUT(out, RECORD_TABLE, table->number, table->revision, table->flags, table->n_keys,
		table->n_columns);
	if (result == 0)
		result = put_string(out, table->name);
	for (size_t i = 0; result == 0 && i < table->n_columns; i++) {
		result = PUT(out, 0, table->columns[i].type);
		if (result == 0)
			result = put_string(out, table->columns[i].name);
	}
	return result;
}

static int
put_part(struct csv_bytes *out, const struct csv_part *part, struct csv_point now)
{
	return PUT(out, RECORD_PART, part->number, part->table->number, zigzag(part->created),
		part->n_columns, now.length, now.crc, part->recent.length, part->recent.crc,
		part->safe.length, part->safe.crc);
}

static int
put_source(struct csv_bytes *out, const char *name, const char *holder, uint64_t epoch)
{
	int result = PUT(out, RECORD_SOURCE, epoch);
	if (result == 0)
		result = put_string(out, name);
	return result == 0 ? put_string(out, holder) : result;
}

static int
put_mark(struct csv_bytes *out, const struct weir_mark *mark)
{
	int result = PUT(out, mark->forget ? RECORD_FORGET : RECORD_MARK, mark->size);
	if (result == 0)
		result = put_string(out, mark->source);
	if (result == 0)
		result = put_string(out, mark->item);
	if (result < 0 || mark->forget)
		return result;
	result = put_string(out, mark->identity);
	return result == 0 ? put_data(out, mark->data, mark->size) : result;
}

int
csv_entry_begin(struct csv *csv)
{
	struct csv_bytes *entry = &csv->journal.entry;
	csv_bytes_reset(entry);
	int result = csv_bytes_reserve(entry, ENTRY_HEAD);
	if (result == 0)
		entry->size = ENTRY_HEAD;
	return result;
}

bool
csv_entry_empty(const struct csv *csv)
{
	return csv->journal.entry.size == ENTRY_HEAD;
}

int
csv_entry_source(
	struct csv *csv, const struct csv_source *source, const char *holder, uint64_t epoch)
{
	return put_source(&csv->journal.entry, source->name, holder, epoch);
}

static int
put_change(struct csv_bytes *entry, struct csv_part *part)
{
	int result = 0;
	if (!part->listed && part->table->listed != part->table->n_columns)
		result = put_table(entry, part->table);
	if (result == 0 && !part->listed)
		result = put_part(entry, part, part->written);
	else if (result == 0 && part->written.length != part->committed.length)
		result = PUT(entry, RECORD_LENGTH, part->number,
			part->written.length - part->committed.length, part->written.crc);
	if (result == 0 && part->ending)
		result = PUT(entry, RECORD_CLOSED, part->number);
	return result;
}

int
csv_entry_commit(struct csv *csv, const struct weir_commit *commit)
{
	int result = 0;
	for (struct csv_part *part = csv->parts; result == 0 && part; part = part->next)
		result = put_change(&csv->journal.entry, part);
	for (size_t i = 0; result == 0 && i < commit->marks.n; i++)
		result = put_mark(&csv->journal.entry, &commit->marks.mark[i]);
	return result;
}

/* Complete the head; the CRC that the next entry goes on from. */
static uint32_t
seal(struct csv_bytes *entry, uint32_t chain)
{
	put_le32(entry->data, (uint32_t)(entry->size - ENTRY_HEAD));
	chain = weir_crc32c(
		weir_crc32c(chain, entry->data, 4), entry->data + ENTRY_HEAD, entry->size - ENTRY_HEAD);
	put_le32(entry->data + 4, chain);
	return chain;
}

int
csv_entry_append(struct csv *csv, bool sync, struct weir_err *err)
{
	struct csv_journal *journal = &csv->journal;
	if (sync && PUT(&journal->entry, RECORD_DURABLE, 0) < 0)
		return weir_fail(err, -ENOMEM, "cannot write '%s/%s'", csv->path, CSV_JOURNAL);
	uint32_t chain = seal(&journal->entry, journal->chain);
	journal->cut = true;
	if (csv_failpoint_due(csv, CSV_AT_JOURNAL)) {
		csv_write_at(journal->fd, journal->entry.data, journal->entry.size / 2, journal->length);
		kill(getpid(), SIGKILL);
	}
	int result =
		csv_write_at(journal->fd, journal->entry.data, journal->entry.size, journal->length);
	if (result == 0 && sync && fdatasync(journal->fd) < 0)
		result = -errno;
	if (result < 0)
		return weir_fail(err, result, "cannot write '%s/%s'", csv->path, CSV_JOURNAL);
	journal->cut = false;
	journal->length += journal->entry.size;
	journal->chain = chain;
	journal->dirty = !sync;
	csv_bytes_reset(&journal->entry);
	csv_failpoint(csv, CSV_AT_JOURNALED);
	return 0;
}

static int
sync_parts(struct csv *csv, struct weir_err *err)
{
	int result = 0;
	for (struct csv_part *part = csv->parts; result == 0 && part; part = part->next)
		result = csv_part_sync(csv, part, err);
	return result;
}

static void
set_durable(struct csv *csv)
{
	for (struct csv_part *part = csv->parts; part; part = part->next)
		if (part->listed)
			csv_part_durable(part);
	csv->closed = false;
}

int
csv_checkpoint(struct csv *csv, struct weir_err *err)
{
	int result = sync_parts(csv, err);
	if (result == 0 && csv_entry_begin(csv) < 0)
		result = weir_fail(err, -ENOMEM, "cannot write '%s/%s'", csv->path, CSV_JOURNAL);
	if (result == 0)
		result = csv_entry_append(csv, true, err);
	if (result == 0)
		set_durable(csv);
	return result;
}

/* ---- a new journal ---- */

bool
csv_journal_long(const struct csv *csv, uint64_t limit)
{
	return csv->journal.length > limit && csv->journal.length > 2 * csv->journal.base;
}

static int
put_all_marks(struct csv_bytes *out, const struct csv_marks *marks)
{
	int result = 0;
	for (size_t i = 0; i < marks->slots; i++) {
		for (const struct csv_mark *m = marks->items[i]; result == 0 && m; m = m->by_item)
			result = put_mark(out, &(struct weir_mark){ .source = m->source->name,
									   .item = m->item,
									   .identity = m->identity,
									   .data = m->data,
									   .size = m->size });
	}
	return result;
}

/* What is committed, and no more: parts of a step in progress are not in it, nor their numbers. */
static int
put_all(struct csv *csv, struct csv_bytes *out)
{
	uint64_t next = csv->next_part;
	for (const struct csv_part *part = csv->parts; part; part = part->next)
		next = part->listed || part->number > next ? next : part->number;
	int result = PUT(out, RECORD_NEXT, next);
	for (const struct csv_table *table = csv->tables; result == 0 && table; table = table->next)
		result = put_table(out, table);
	for (const struct csv_part *part = csv->parts; result == 0 && part; part = part->next)
		if (part->listed)
			result = put_part(out, part, part->committed);
	for (const struct csv_source *source = csv->sources; result == 0 && source;
		 source = source->next)
		result = put_source(out, source->name, source->holder, source->epoch);
	if (result == 0)
		result = put_all_marks(out, &csv->marks);
	return result == 0 ? PUT(out, RECORD_DURABLE, 0) : result;
}

/* Write it under a temporary name, on disk. The descriptor or -errno. */
static int
make_journal(struct csv *csv, const struct csv_bytes *all, size_t header)
{
	int fd = csv_open_at(csv->folder, CSV_JOURNAL_TEMPORARY, O_RDWR | O_CREAT | O_TRUNC);
	if (fd < 0)
		return fd;
	int result = csv_write_at(fd, all->data, header, 0);
	if (result == 0)
		result = csv_write_at(fd, all->data + header, all->size - header, header);
	if (result == 0 && fsync(fd) < 0)
		result = -errno;
	csv_failpoint(csv, CSV_AT_REWRITE);
	if (result == 0 && renameat(csv->folder, CSV_JOURNAL_TEMPORARY, csv->folder, CSV_JOURNAL) < 0)
		result = -errno;
	if (result == 0)
		return fd;
	unlinkat(csv->folder, CSV_JOURNAL_TEMPORARY, 0);
	close(fd);
	return result;
}

int
csv_journal_rewrite(struct csv *csv, struct weir_err *err)
{
	int result = sync_parts(csv, err);
	if (result < 0)
		return result;
	char title[64];
	int header = snprintf(title, sizeof(title), JOURNAL_TITLE "%d\n", CSV_JOURNAL_VERSION);
	struct csv_bytes entry = { 0 };
	result = csv_bytes_reserve(&entry, ENTRY_HEAD);
	entry.size = ENTRY_HEAD;
	if (result == 0)
		result = put_all(csv, &entry);
	uint32_t chain = result == 0 ? seal(&entry, weir_crc32c(0, title, (size_t)header)) : 0;
	struct csv_bytes all = { 0 };
	if (result == 0)
		result = csv_bytes_reserve(&all, (size_t)header + entry.size);
	int fd = result;
	if (result == 0) {
		all.size = (size_t)header + entry.size;
		memcpy(all.data, title, (size_t)header);
		memcpy(all.data + header, entry.data, entry.size);
		fd = make_journal(csv, &all, (size_t)header);
	}
	uint64_t length = all.size;
	csv_bytes_free(&entry);
	csv_bytes_free(&all);
	if (fd < 0)
		return weir_fail(err, fd, "cannot write '%s/%s'", csv->path, CSV_JOURNAL);
	if (csv->journal.fd)
		close(csv->journal.fd);
	csv->journal.fd = fd;
	csv->journal.length = csv->journal.base = length;
	csv->journal.chain = chain;
	csv->journal.cut = csv->journal.dirty = false;
	for (struct csv_table *table = csv->tables; table; table = table->next)
		table->listed = table->n_columns;
	csv_failpoint(csv, CSV_AT_REWRITTEN);
	if (fsync(csv->folder) < 0)
		return weir_fail(err, -errno, "cannot sync the folder '%s'", csv->path);
	set_durable(csv);
	return 0;
}

/* ---- reading ---- */

struct reader {
	const char *at, *end;
	bool bad;
};

static uint64_t
get_number(struct reader *in)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64 && in->at < in->end; shift += 7) {
		unsigned char byte = (unsigned char)*in->at++;
		value |= (uint64_t)(byte & 127) << shift;
		if (byte < 128)
			return value;
	}
	in->bad = true;
	return 0;
}

static const char *
get_data(struct reader *in, size_t *size)
{
	uint64_t length = get_number(in);
	*size = 0;
	if (in->bad || length >= (uint64_t)(in->end - in->at) || in->at[length]) {
		in->bad = true;
		return "";
	}
	const char *data = in->at;
	in->at += length + 1;
	*size = (size_t)length;
	return data;
}

static const char *
get_string(struct reader *in)
{
	size_t size = 0;
	const char *string = get_data(in, &size);
	in->bad = in->bad || strlen(string) != size;
	return string;
}

static int
read_table(struct csv *csv, struct reader *in)
{
	uint64_t number = get_number(in), revision = get_number(in), flags = get_number(in),
			 n_keys = get_number(in);
	uint64_t n_columns = get_number(in);
	const char *name = get_string(in);
	if (in->bad || !csv_name_valid(name))
		return -EBADMSG;
	struct csv_table *table = csv_table_numbered(csv, number);
	if (!table)
		table = csv_table_new(csv, name, strlen(name), number);
	if (!table)
		return -ENOMEM;
	table->revision = (uint32_t)revision;
	table->flags = (uint32_t)flags;
	table->n_keys = (size_t)n_keys;
	for (uint64_t i = 0; i < n_columns; i++) {
		enum weir_type type = (enum weir_type)get_number(in);
		const char *column = get_string(in);
		if (in->bad)
			return -EBADMSG;
		if (i < table->n_columns)
			continue;
		if (csv_table_add_column(table, column, strlen(column), type) < 0)
			return -ENOMEM;
	}
	table->listed = table->n_columns;
	return 0;
}

static struct csv_part *
part_numbered(struct csv *csv, uint64_t number)
{
	struct csv_part *part = csv->parts;
	while (part && part->number != number)
		part = part->next;
	return part;
}

static struct csv_point
get_point(struct reader *in)
{
	struct csv_point point = { .length = get_number(in) };
	point.crc = (uint32_t)get_number(in);
	return point;
}

static int
read_part(struct csv *csv, struct reader *in)
{
	uint64_t number = get_number(in);
	struct csv_table *table = csv_table_numbered(csv, get_number(in));
	int64_t created = unzigzag(get_number(in));
	uint64_t n_columns = get_number(in);
	struct csv_point committed = get_point(in), recent = get_point(in), safe = get_point(in);
	if (in->bad || !table || n_columns > table->n_columns || part_numbered(csv, number))
		return -EBADMSG;
	struct csv_part *part = csv_part_new(csv, table, number, created, (size_t)n_columns);
	if (!part)
		return -ENOMEM;
	part->listed = true;
	part->committed = part->written = committed;
	part->recent = recent;
	part->safe = safe;
	table->part = part;
	if (csv->next_part <= number)
		csv->next_part = number + 1;
	return 0;
}

static int
read_length(struct csv *csv, struct reader *in)
{
	struct csv_part *part = part_numbered(csv, get_number(in));
	uint64_t more = get_number(in);
	uint32_t crc = (uint32_t)get_number(in);
	if (in->bad || !part)
		return -EBADMSG;
	part->committed.length += more;
	part->committed.crc = crc;
	part->written = part->committed;
	return 0;
}

static int
read_closed(struct csv *csv, struct reader *in)
{
	struct csv_part *part = part_numbered(csv, get_number(in));
	if (in->bad || !part)
		return -EBADMSG;
	csv_part_drop(csv, part);
	csv->closed = true;
	return 0;
}

static int
read_source(struct csv *csv, struct reader *in)
{
	uint64_t epoch = get_number(in);
	const char *name = get_string(in), *holder = get_string(in);
	if (in->bad)
		return -EBADMSG;
	struct csv_source *source = csv_source_named(csv, name, strlen(name), true);
	char *copy = strdup(holder);
	if (!source || !copy) {
		free(copy);
		return -ENOMEM;
	}
	free(source->holder);
	source->holder = copy;
	source->epoch = epoch;
	return 0;
}

static int
read_mark(struct csv *csv, struct reader *in, bool forget)
{
	struct weir_mark mark = { .size = (size_t)get_number(in) };
	mark.source = get_string(in);
	mark.item = get_string(in);
	if (!forget) {
		mark.identity = get_string(in);
		mark.data = get_data(in, &mark.size);
	}
	if (in->bad)
		return -EBADMSG;
	struct csv_source *source = csv_source_named(csv, mark.source, strlen(mark.source), !forget);
	if (forget) {
		csv_marks_forget(&csv->marks, source, mark.item);
		return 0;
	}
	struct csv_mark *made =
		source && csv_marks_reserve(&csv->marks, 1) == 0 ? csv_mark_new(source, &mark) : NULL;
	if (!made)
		return -ENOMEM;
	csv_marks_put(&csv->marks, made);
	return 0;
}

static int
read_durable(struct csv *csv, struct reader *in)
{
	get_number(in);
	for (struct csv_part *part = csv->parts; part; part = part->next) {
		part->synced = part->committed.length;
		part->linked = true;
	}
	set_durable(csv);
	return in->bad ? -EBADMSG : 0;
}

static int
read_record(struct csv *csv, struct reader *in)
{
	switch ((enum record) * in->at++) {
	case RECORD_NEXT:
		csv->next_part = get_number(in);
		return in->bad ? -EBADMSG : 0;
	case RECORD_TABLE:
		return read_table(csv, in);
	case RECORD_PART:
		return read_part(csv, in);
	case RECORD_LENGTH:
		return read_length(csv, in);
	case RECORD_CLOSED:
		return read_closed(csv, in);
	case RECORD_SOURCE:
		return read_source(csv, in);
	case RECORD_MARK:
		return read_mark(csv, in, false);
	case RECORD_FORGET:
		return read_mark(csv, in, true);
	case RECORD_DURABLE:
		return read_durable(csv, in);
	}
	return -EBADMSG;
}

int
csv_journal_check(
	struct csv *csv, const char *data, size_t size, size_t *header, struct weir_err *err)
{
	size_t title = strlen(JOURNAL_TITLE);
	const char *end = size > title && memcmp(data, JOURNAL_TITLE, title) == 0
						  ? memchr(data, '\n', size < 64 ? size : 64)
						  : NULL;
	char *rest = NULL;
	unsigned long version = end ? strtoul(data + title, &rest, 10) : 0;
	if (!end || rest != end || rest == data + title || version == 0)
		return weir_failx(err, -EBADMSG,
			"'%s/%s' is no journal or damaged: give it back from a copy, or move the folder away",
			csv->path, CSV_JOURNAL);
	if (version > CSV_JOURNAL_VERSION)
		return weir_failx(err, -ENOTSUP,
			"'%s/%s' has format %lu, this program knows up to %d: use the program that wrote it",
			csv->path, CSV_JOURNAL, version, CSV_JOURNAL_VERSION);
	*header = (size_t)(end + 1 - data);
	return 0;
}

int
csv_journal_replay(struct csv *csv, const char *data, size_t size, size_t limit,
	struct csv_replay *replay, struct weir_err *err)
{
	size_t at = 0;
	int result = csv_journal_check(csv, data, size, &at, err);
	if (result < 0)
		return result;
	*replay = (struct csv_replay){ .end = at, .chain = weir_crc32c(0, data, at) };
	while (replay->entries < limit && size - at > ENTRY_HEAD) {
		uint32_t length = get_le32(data + at);
		if (length > size - at - ENTRY_HEAD)
			break;
		uint32_t chain =
			weir_crc32c(weir_crc32c(replay->chain, data + at, 4), data + at + ENTRY_HEAD, length);
		if (chain != get_le32(data + at + 4))
			break;
		struct reader in = { data + at + ENTRY_HEAD, data + at + ENTRY_HEAD + length, false };
		replay->dirty = true;
		while (result == 0 && in.at < in.end) {
			replay->dirty = *in.at != RECORD_DURABLE;
			result = read_record(csv, &in);
		}
		if (result < 0)
			return weir_fail(err, result, "cannot read entry %zu of '%s/%s'", replay->entries + 1,
				csv->path, CSV_JOURNAL);
		at += ENTRY_HEAD + length;
		replay->end = at;
		replay->chain = chain;
		replay->base = replay->entries++ ? replay->base : at;
		if (!replay->dirty)
			replay->durable = replay->entries;
	}
	return 0;
}
