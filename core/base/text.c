/* SPDX-License-Identifier: Apache-2.0 */
/* The growing buffer, and text as a JSON string. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for `more` bytes and a NUL. */
static bool
grow(struct text *text, size_t more)
{
	if (text->failed)
		return false;
	size_t need = 0;
	if (__builtin_add_overflow(text->size, more, &need) || __builtin_add_overflow(need, 1, &need) ||
		need > SIZE_MAX / 2) {
		text->failed = true;
		return false;
	}
	if (need <= text->room)
		return true;
	size_t room = text->room ? text->room : 64;
	while (room < need)
		room *= 2;
	char *data = realloc(text->data, room);
	if (!data) {
		text->failed = true;
		return false;
	}
	text->data = data;
	text->room = room;
	return true;
}

void
text_append(struct text *text, const char *data, size_t size)
{
	if (!grow(text, size))
		return;
	if (size > 0)
		memcpy(text->data + text->size, data, size);
	text->size += size;
	text->data[text->size] = '\0';
}

void
text_add(struct text *text, const char *string)
{
	text_append(text, string, strlen(string));
}

void
text_printf(struct text *text, const char *format, ...)
{
	va_list arguments, again;
	va_start(arguments, format);
	va_copy(again, arguments);
	int size = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (size < 0)
		text->failed = true;
	else if (grow(text, (size_t)size)) {
		vsnprintf(text->data + text->size, (size_t)size + 1, format, again);
		text->size += (size_t)size;
	}
	va_end(again);
}

void
text_free(struct text *text)
{
	free(text->data);
	*text = (struct text){ 0 };
}

/*
 * The length of the UTF-8 character at `at`, of `size` bytes; or 0 minus the length of its longest
 * piece that could begin one (Unicode, section 3.9: that piece is replaced by one U+FFFD). Overlong
 * forms, surrogates and what lies above U+10FFFF are invalid.
 */
static int
utf8_length(const unsigned char *at, size_t size)
{
	unsigned char lead = at[0];
	if (lead < 0x80)
		return 1;
	if (lead < 0xc2 || lead > 0xf4)
		return -1;
	int length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	for (int i = 1; i < length; i++) {
		if ((size_t)i >= size || at[i] < low || at[i] > high)
			return -i;
		low = 0x80;
		high = 0xbf;
	}
	return length;
}

static void
json_escape(struct text *text, unsigned char c)
{
	switch (c) {
	case '"':
		text_append(text, "\\\"", 2);
		return;
	case '\\':
		text_append(text, "\\\\", 2);
		return;
	case '\n':
		text_append(text, "\\n", 2);
		return;
	case '\r':
		text_append(text, "\\r", 2);
		return;
	case '\t':
		text_append(text, "\\t", 2);
		return;
	default:
		text_append(text,
			(char[]){ '\\', 'u', '0', '0', "0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15] },
			6);
	}
}

void
text_json(struct text *text, const char *data, size_t size)
{
	const unsigned char *at = (const unsigned char *)data;
	size_t from = 0;
	size_t to = 0;
	text_append(text, "\"", 1);
	while (to < size) {
		int length = utf8_length(at + to, size - to);
		if (length > 0 && at[to] >= 0x20 && at[to] != '"' && at[to] != '\\') {
			to += (size_t)length;
			continue;
		}
		text_append(text, data + from, to - from);
		if (length > 0)
			json_escape(text, at[to]);
		else
			text_append(text, "\xef\xbf\xbd", 3);
		to += (size_t)abs(length);
		from = to;
	}
	if (to > from)
		text_append(text, data + from, to - from);
	text_append(text, "\"", 1);
}
