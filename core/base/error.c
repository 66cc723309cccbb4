/* SPDX-License-Identifier: Apache-2.0 */
/* Fills the error value. */
#include <weir/error.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The end of the text when cut at `size` bytes: no UTF-8 character is left half. */
static size_t
cut_at(const char *text, size_t size)
{
	while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
		size--;
	return size;
}

/*
 * The arguments may point into err->text (a caller that puts its own words in front), hence the
 * copy on the stack; it is longer by a character, so that the byte behind the cut is known.
 */
__attribute__((format(printf, 4, 0))) static void
fill(struct weir_err *err, int code, const char *words, const char *format, va_list arguments)
{
	char text[sizeof(err->text) + 4];
	int written = vsnprintf(text, sizeof(text), format, arguments);
	size_t size = written < 0 ? 0 : (size_t)written;
	size_t tail = words ? strlen(words) + 2 : 0;
	if (size + tail >= sizeof(err->text))
		size = cut_at(text, sizeof(err->text) - 1 - tail);
	memcpy(err->text, text, size);
	if (words) {
		memcpy(err->text + size, ": ", 2);
		memcpy(err->text + size + 2, words, tail - 2);
	}
	err->text[size + tail] = '\0';
	err->code = code;
}

int
weir_fail(struct weir_err *err, int code, const char *format, ...)
{
	if (!err)
		return code;
	char room[128] = "";
	const char *words = strerror_r(abs(code), room, sizeof(room));
	va_list arguments;
	va_start(arguments, format);
	fill(err, code, words, format, arguments);
	va_end(arguments);
	return code;
}

int
weir_failx(struct weir_err *err, int code, const char *format, ...)
{
	if (!err)
		return code;
	va_list arguments;
	va_start(arguments, format);
	fill(err, code, NULL, format, arguments);
	va_end(arguments);
	return code;
}
