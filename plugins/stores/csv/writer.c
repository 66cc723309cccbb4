/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows as text, RFC 4180: missing is nothing, empty text is "". Row by row over column pointers
 * that are looked up once per batch; time and origin are copied from the row before as long as they
 * stay the same.
 */
#include "csv.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * The eight digits of a number below 10^8, one per byte, the first in the lowest: split in four,
 * two and one digits at a time, all lanes at once. 10486 / 2^20 is 1/100 below 10^4, 103 / 2^10 is
 * 1/10 below 100. No branch: lengths of counters vary, and each wrong guess would cost as much as
 * ten digits.
 */
static inline uint64_t
eight_digits(uint32_t value)
{
	uint64_t fours = value / 10000 | (uint64_t)(value % 10000) << 32;
	uint64_t hundreds = fours * 10486 >> 20 & UINT64_C(0x0000007f0000007f);
	uint64_t pairs = hundreds + ((fours - 100 * hundreds) << 16);
	uint64_t tens = pairs * 103 >> 10 & UINT64_C(0x000f000f000f000f);
	return tens + ((pairs - 10 * tens) << 8);
}

#define CSV_ZEROS UINT64_C(0x3030303030303030)

static inline void
put_eight(char *out, uint32_t value)
{
	uint64_t text = htole64(eight_digits(value) + CSV_ZEROS);
	memcpy(out, &text, 8);
}

/* Below 10^8, without zeros in front. Writes eight bytes, whatever the length. */
static inline char *
put_short(char *out, uint32_t value)
{
	uint64_t digits = eight_digits(value);
	/* The bit in the last byte keeps a digit of zero. */
	unsigned zeros = (unsigned)__builtin_ctzll(digits | UINT64_C(1) << 56) / 8;
	uint64_t text = htole64((digits >> 8 * zeros) + CSV_ZEROS);
	memcpy(out, &text, 8);
	return out + 8 - zeros;
}

static inline char *
put_u64(char *out, uint64_t value)
{
	if (value < 100000000)
		return put_short(out, (uint32_t)value);
	uint64_t high = value / 100000000;
	uint32_t low = (uint32_t)(value % 100000000);
	if (high < 100000000) {
		out = put_short(out, (uint32_t)high);
	} else {
		out = put_short(out, (uint32_t)(high / 100000000));
		put_eight(out, (uint32_t)(high % 100000000));
		out += 8;
	}
	put_eight(out, low);
	return out + 8;
}

static inline char *
put_i64(char *out, int64_t value)
{
	if (value >= 0)
		return put_u64(out, (uint64_t)value);
	*out = '-';
	return put_u64(out + 1, -(uint64_t)value);
}

/* An exact decimal without zeros at the end; inlined with a constant divisor of `digits` zeros. */
static inline __attribute__((always_inline)) char *
put_decimal(char *out, int64_t count, uint32_t divisor, int digits)
{
	uint64_t magnitude = (uint64_t)count;
	if (count < 0) {
		*out++ = '-';
		magnitude = -magnitude;
	}
	out = put_u64(out, magnitude / divisor);
	uint32_t fraction = (uint32_t)(magnitude % divisor);
	if (!fraction)
		return out;
	*out++ = '.';
	char text[8];
	if (digits == 9)
		*out++ = (char)('0' + fraction / 100000000);
	put_eight(text, fraction % 100000000);
	int shown = digits == 9 ? 8 : digits;
	memcpy(out, text + 8 - shown, (size_t)shown);
	out += shown;
	while (out[-1] == '0')
		out--;
	return out;
}

static inline char *
put_bool(char *out, bool value)
{
	memcpy(out, value ? "true" : "false", value ? 4 : 5);
	return out + (value ? 4 : 5);
}

static bool
must_quote(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] == ',' || text[i] == '"' || text[i] == '\n' || text[i] == '\r')
			return true;
	return length == 0;
}

/* 2 * length + 2 bytes at most. */
static char *
put_text(char *out, const char *text, size_t length)
{
	if (!must_quote(text, length)) {
		memcpy(out, text, length);
		return out + length;
	}
	*out++ = '"';
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '"')
			*out++ = '"';
		*out++ = text[i];
	}
	*out++ = '"';
	return out;
}

/* Base64; of no bytes at all "", as of texts: nothing would be missing. 4 * (length + 2) / 3 + 2
 * bytes at most. */
static char *
put_base64(char *out, const char *data, size_t length)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	if (length == 0)
		return put_text(out, "", 0);
	const unsigned char *in = (const unsigned char *)data;
	for (; length >= 3; length -= 3, in += 3, out += 4) {
		uint32_t three = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
		out[0] = letters[three >> 18];
		out[1] = letters[three >> 12 & 63];
		out[2] = letters[three >> 6 & 63];
		out[3] = letters[three & 63];
	}
	if (length == 0)
		return out;
	uint32_t rest = (uint32_t)in[0] << 16 | (length == 2 ? (uint32_t)in[1] << 8 : 0);
	out[0] = letters[rest >> 18];
	out[1] = letters[rest >> 12 & 63];
	out[2] = length == 2 ? letters[rest >> 6 & 63] : '=';
	out[3] = '=';
	return out + 4;
}

int
csv_put_header(struct csv_bytes *out, const struct csv_table *table, size_t n_columns)
{
	bool entity = table->flags & WEIR_ENTITY;
	const char *head = !entity                         ? "time,cluster,host,source"
					   : table->flags & WEIR_HOST_KEYS ? "cluster,host"
													   : "";
	if (csv_bytes_reserve(out, 100 + n_columns * 64) < 0)
		return -ENOMEM;
	char *at = stpcpy(out->data + out->size, head);
	for (size_t i = 0; i < n_columns; i++) {
		if (at > out->data + out->size)
			*at++ = ',';
		at = stpcpy(at, table->columns[i].name);
	}
	if (entity)
		at = stpcpy(at,
			at > out->data + out->size ? ",version,updated,deleted" : "version,updated,deleted");
	*at++ = '\n';
	out->size = (size_t)(at - out->data);
	return 0;
}

/* The cells in front and behind, as the row before had them. */
struct csv_frame {
	struct csv_bytes origin; /* cluster,host,source, or cluster,host, with a comma behind */
	uint32_t cluster, host;  /* what it is of, as in row_cluster, row_host */
	int64_t time;
	bool timed;
	char clock[WEIR_FORMAT_MAX]; /* `time` as text */
	size_t clock_size;
	char updated[WEIR_FORMAT_MAX];
	size_t updated_size;
};

static int
put_origin(struct csv_frame *frame, const struct csv_plan *plan, const struct weir_batch *batch,
	size_t row)
{
	struct weir_symbol cluster = weir_row_cluster_of(batch, row),
					   host = weir_row_host_of(batch, row);
	size_t source = plan->table->flags & WEIR_ENTITY ? 0 : strlen(batch->source);
	frame->origin.size = 0;
	if (csv_bytes_reserve(
			&frame->origin, 2 * ((size_t)cluster.length + host.length + source) + 16) < 0)
		return -ENOMEM;
	char *at = put_text(frame->origin.data, cluster.text, cluster.length);
	*at++ = ',';
	at = put_text(at, host.text, host.length);
	*at++ = ',';
	if (!(plan->table->flags & WEIR_ENTITY)) {
		at = put_text(at, batch->source, source);
		*at++ = ',';
	}
	frame->origin.size = (size_t)(at - frame->origin.data);
	frame->cluster = batch->row_cluster ? batch->row_cluster[row] : 0;
	frame->host = batch->row_host ? batch->row_host[row] : 0;
	return 0;
}

static inline void
set_time(struct csv_frame *frame, int64_t time)
{
	if (frame->timed && frame->time == time)
		return;
	frame->clock_size = (size_t)(weir_format_time(frame->clock, time) - frame->clock);
	frame->time = time;
	frame->timed = true;
}

/* Room for a text of `length` bytes as it may be quoted or encoded, and for all of a row besides.
 */
static char *
make_room(struct csv_bytes *out, char *at, size_t length, size_t row_room)
{
	out->size = (size_t)(at - out->data);
	if (csv_bytes_reserve(out, 2 * length + 8 + row_room) < 0)
		return NULL;
	return out->data + out->size;
}

static char *
put_symbol(struct csv_bytes *out, char *at, const struct csv_field *field,
	const struct weir_batch *batch, size_t row, size_t row_room)
{
	struct weir_symbol symbol = batch->symbol[field->cell[row].u64];
	at = make_room(out, at, symbol.length, row_room);
	if (!at)
		return NULL;
	return field->kind == CSV_STR ? put_text(at, symbol.text, symbol.length)
								  : put_base64(at, symbol.text, symbol.length);
}

/* The fields of a row, a comma behind each. NULL out of memory. */
static char *
put_fields(struct csv_bytes *out, char *at, const struct csv_plan *plan,
	const struct weir_batch *batch, size_t row)
{
	const struct csv_field *end = plan->field + plan->n_fields;
	for (const struct csv_field *field = plan->field; field < end; field++, *at++ = ',') {
		if (field->valid && !(field->valid[row / 64] >> (row % 64) & 1))
			continue;
		switch (field->kind) {
		case CSV_ABSENT:
			break;
		case CSV_U64:
			at = put_u64(at, field->cell[row].u64);
			break;
		case CSV_I64:
			at = put_i64(at, field->cell[row].i64);
			break;
		case CSV_F64:
			at = weir_format_f64(at, field->cell[row].f64);
			break;
		case CSV_CENTI:
			at = put_decimal(at, field->cell[row].i64, 100, 2);
			break;
		case CSV_MILLI:
			at = put_decimal(at, field->cell[row].i64, 1000, 3);
			break;
		case CSV_MICRO:
			at = put_decimal(at, field->cell[row].i64, 1000000, 6);
			break;
		case CSV_NANO:
			at = put_decimal(at, field->cell[row].i64, 1000000000, 9);
			break;
		case CSV_DIVIDED:
			at = weir_format_decimal(at, field->cell[row].i64, field->divisor);
			break;
		case CSV_BOOL:
			at = put_bool(at, field->cell[row].u64);
			break;
		case CSV_TIME:
			at = weir_format_time(at, field->cell[row].i64);
			break;
		case CSV_STR:
		case CSV_BYTES:
			at = put_symbol(out, at, field, batch, row, plan->row_room);
			if (!at)
				return NULL;
			break;
		}
	}
	return at;
}

static char *
put_series_row(struct csv_bytes *out, const struct csv_plan *plan, const struct weir_batch *batch,
	size_t row, struct csv_frame *frame)
{
	char *at = make_room(out, out->data + out->size, frame->origin.size, plan->row_room);
	if (!at)
		return NULL;
	set_time(frame, batch->time[row]);
	memcpy(at, frame->clock, frame->clock_size);
	at += frame->clock_size;
	*at++ = ',';
	memcpy(at, frame->origin.data, frame->origin.size);
	return put_fields(out, at + frame->origin.size, plan, batch, row);
}

static char *
put_entity_row(struct csv_bytes *out, const struct csv_plan *plan, const struct weir_batch *batch,
	size_t row, struct csv_frame *frame)
{
	size_t origin = plan->table->flags & WEIR_HOST_KEYS ? frame->origin.size : 0;
	char *at = make_room(out, out->data + out->size, origin, plan->row_room);
	if (!at)
		return NULL;
	memcpy(at, frame->origin.data, origin);
	at = put_fields(out, at + origin, plan, batch, row);
	if (!at)
		return NULL;
	set_time(frame, batch->time[row]);
	memcpy(at, frame->clock, frame->clock_size);
	at += frame->clock_size;
	*at++ = ',';
	memcpy(at, frame->updated, frame->updated_size);
	at += frame->updated_size;
	*at++ = ',';
	at = put_bool(at, weir_row_deleted(batch, row));
	*at++ = ',';
	return at;
}

static int
put_rows(struct csv_bytes *out, const struct csv_plan *plan, const struct weir_batch *batch,
	struct csv_frame *frame)
{
	bool entity = plan->table->flags & WEIR_ENTITY;
	for (size_t row = 0; row < batch->rows; row++) {
		uint32_t cluster = batch->row_cluster ? batch->row_cluster[row] : 0;
		uint32_t host = batch->row_host ? batch->row_host[row] : 0;
		if ((cluster != frame->cluster || host != frame->host || row == 0) &&
			put_origin(frame, plan, batch, row) < 0)
			return -ENOMEM;
		char *at = (entity ? put_entity_row : put_series_row)(out, plan, batch, row, frame);
		if (!at)
			return -ENOMEM;
		at[-1] = '\n';
		out->size = (size_t)(at - out->data);
	}
	return 0;
}

int
csv_put_batch(
	struct csv_bytes *out, struct csv_plan *plan, const struct weir_batch *batch, int64_t now)
{
	for (size_t i = 0; i < plan->n_fields; i++) {
		struct csv_field *field = &plan->field[i];
		if (field->kind == CSV_ABSENT)
			continue;
		field->cell = batch->column[field->column].cell;
		field->valid = batch->column[field->column].valid;
	}
	struct csv_frame frame = { 0 };
	frame.updated_size = (size_t)(weir_format_time(frame.updated, now) - frame.updated);
	int result = csv_bytes_reserve(out, 1);
	if (result == 0)
		result = put_rows(out, plan, batch, &frame);
	csv_bytes_free(&frame.origin);
	return result;
}
