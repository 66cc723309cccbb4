/* SPDX-License-Identifier: Apache-2.0 */
/* Text of a configuration file: characters, places, and what may not stand in it. */
#include "config/source.h"

#include <string.h>

#include "config/report.h"

#define BAD_MAX 10

struct source *
source_new(struct arena *arena, const char *name, const char *text, size_t size, unsigned order)
{
	struct source *source = arena_alloc(arena, sizeof(*source));

	if (!source)
		return NULL;
	if (text && size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		size -= 3;
	}
	source->name = arena_string(arena, name);
	source->text = text ? arena_copy(arena, text, size) : NULL;
	source->original = source->text;
	source->size = text ? size : 0;
	source->order = order;
	return source->name && (source->text || !text) ? source : NULL;
}

static bool
continues(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

unsigned
utf8_decode(const char *text, size_t size, unsigned *code)
{
	unsigned first = (unsigned char)text[0];
	unsigned length = first < 0x80                    ? 1
					  : first >= 0xc2 && first < 0xe0 ? 2
					  : (first & 0xf0) == 0xe0        ? 3
					  : first >= 0xf0 && first < 0xf5 ? 4
													  : 0;

	if (!length || length > size)
		return 0;
	unsigned value = length == 1 ? first : first & (0x7fu >> length);
	for (unsigned i = 1; i < length; i++) {
		if (!continues(text[i]))
			return 0;
		value = value << 6 | ((unsigned char)text[i] & 0x3fu);
	}
	bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
	bool surrogate = value >= 0xd800 && value < 0xe000;
	if (overlong || surrogate || value > 0x10ffff)
		return 0;
	*code = value;
	return length;
}

bool
utf8_valid(const char *text, size_t size)
{
	unsigned code = 0;

	for (size_t i = 0, length = 0; i < size; i += length) {
		length = utf8_decode(text + i, size - i, &code);
		if (!length)
			return false;
	}
	return true;
}

bool
code_printable(unsigned code)
{
	if (code < 0x20 || (code >= 0x7f && code < 0xa0))
		return false;
	if (code >= 0x2028 && code <= 0x202e)
		return false;
	if (code >= 0x2066 && code <= 0x2069)
		return false;
	return code != 0xfeff && code != 0xfffe && code != 0xffff;
}

bool
text_printable(const char *text, size_t size)
{
	for (size_t i = 0; i < size;) {
		unsigned code = 0;
		unsigned length = utf8_decode(text + i, size - i, &code);
		if (!length || !code_printable(code))
			return false;
		i += length;
	}
	return true;
}

void
add_printable(struct text *out, const char *text)
{
	for (size_t size = strlen(text); size > 0;) {
		unsigned code = 0;
		unsigned length = utf8_decode(text, size, &code);
		if (length && code_printable(code))
			text_append(out, text, length);
		else
			text_append(out, code == '\t' || code == '\n' ? " " : "?", 1);
		text += length ? length : 1;
		size -= length ? length : 1;
	}
}

size_t
source_offset(const struct source *source, unsigned line, unsigned column)
{
	const char *at = source->text, *end = source->text + source->size;

	for (unsigned n = 1; n < line && at < end; n++) {
		const char *feed = memchr(at, '\n', (size_t)(end - at));
		at = feed ? feed + 1 : end;
	}
	for (unsigned n = 1; n < column && at < end && *at != '\n'; n++)
		do
			at++;
		while (at < end && continues(*at));
	return (size_t)(at - source->text);
}

struct place
source_place(const struct source *source, size_t offset)
{
	struct place place = { .source = source, .line = 1, .column = 1 };

	for (size_t i = 0; i < offset && i < source->size; i++) {
		if (source->text[i] == '\n') {
			place.line++;
			place.column = 1;
		} else if (!continues(source->text[i])) {
			place.column++;
		}
	}
	return place;
}

/* U+FEFF is allowed by YAML only at the start, U+FFFE and U+FFFF nowhere; the separators count as
 * line ends in YAML 1.1. */
static bool
code_allowed(unsigned code, bool before_feed)
{
	if (code == '\t' || code == '\n')
		return true;
	if (code == '\r')
		return before_feed;
	if (code < 0x20 || (code >= 0x7f && code < 0xa0))
		return false;
	return code != 0x2028 && code != 0x2029 && code != 0xfeff && code != 0xfffe && code != 0xffff;
}

static void
report_bad(struct report *report, const struct place *place, const char *at, unsigned length,
	unsigned code)
{
	if (!length)
		report_error(report, place, 1, NULL,
			"the byte 0x%02x is not valid UTF-8: save the file as UTF-8",
			(unsigned)(unsigned char)*at);
	else if (code == '\r')
		report_error(report, place, 1, NULL,
			"carriage return without a line feed: lines end with LF or CRLF");
	else if (code < 0xa0)
		report_error(report, place, 1, NULL, "control character 0x%02x is not allowed", code);
	else
		report_error(report, place, 1, NULL, "character U+%04X is not allowed", code);
}

static bool
utf16(const struct source *source)
{
	return source->size >= 2 &&
		   (memcmp(source->text, "\xff\xfe", 2) == 0 || memcmp(source->text, "\xfe\xff", 2) == 0);
}

/* As many bytes as before, so that columns stay. */
static void
blot(char *at, unsigned length)
{
	if (length <= 1)
		*at = '_';
	else
		memcpy(at, length == 2 ? "\xc2\xbf" : "\xef\xbf\xbd", length);
}

/* The copy is made at the first such byte. */
static bool
keep_original(struct source *source, struct arena *arena)
{
	if (source->text == source->original)
		source->text = arena_copy(arena, source->original, source->size);
	return source->text != NULL;
}

bool
source_check(struct source *source, struct arena *arena, struct report *report)
{
	struct place place = { .source = source, .line = 1, .column = 1 };
	unsigned bad = 0;

	if (utf16(source)) {
		report_error(report, &place, 1, NULL, "this is UTF-16: save the file as UTF-8");
		return false;
	}
	for (size_t i = 0; i < source->size;) {
		char *at = source->text + i;
		unsigned code = 0;
		unsigned length = utf8_decode(at, source->size - i, &code);
		if (length && !code) {
			report_error(report, &place, 1, NULL, "NUL byte: this is no text file");
			return false;
		}
		if (!length || !code_allowed(code, i + 1 < source->size && at[1] == '\n')) {
			report_bad(report, &place, at, length, code);
			if (++bad == BAD_MAX || code == '\r' || !keep_original(source, arena))
				return false;
			blot(source->text + i, length);
		}
		place.line += code == '\n';
		place.column = code == '\n' ? 1 : place.column + 1;
		i += length ? length : 1;
	}
	return true;
}
