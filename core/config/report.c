/* SPDX-License-Identifier: Apache-2.0 */
/* Diagnostics: kept, sorted, printed with the source line and a caret. */
#include "config/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 100
#define KEPT_MAX 1000
#define TEXT_MAX 1000
/* Widths of a printed source line, in terminal cells; a longer line is cut around the caret. */
#define LINE_CELLS 160
#define CARET_CELL 80

struct hint {
	const char *text;
	struct hint *next;
};

struct diagnostic {
	bool error;
	struct place place;
	unsigned width;
	size_t serial;
	const char *where, *text;
	struct hint *hints;
};

struct report {
	struct arena arena;
	struct diagnostic *list;
	size_t n, room;
	struct diagnostic *last; /* takes hints; NULL after a repetition */
	size_t errors, warnings, files;
	bool incomplete;
};

struct report *
report_new(void)
{
	return calloc(1, sizeof(struct report));
}

void
report_free(struct report *report)
{
	if (!report)
		return;
	arena_free(&report->arena);
	free(report->list);
	free(report);
}

static const char *
format_text(struct report *report, const char *format, va_list arguments)
{
	char raw[TEXT_MAX];
	struct text clean = { 0 };

	vsnprintf(raw, sizeof(raw), format, arguments);
	add_printable(&clean, raw);
	const char *text =
		clean.failed ? NULL : arena_copy(&report->arena, clean.data ? clean.data : "", clean.size);
	text_free(&clean);
	return text ? text : "out of memory";
}

static bool
known(const struct report *report, const struct diagnostic *new)
{
	for (size_t i = 0; i < report->n; i++) {
		const struct diagnostic *old = &report->list[i];
		if (old->error == new->error && old->place.source == new->place.source &&
			old->place.line == new->place.line &&
			old->place.column == new->place.column &&strcmp(old->where, new->where) == 0 &&
			strcmp(old->text, new->text) == 0)
			return true;
	}
	return false;
}

static void
count(struct report *report, bool error)
{
	if (error)
		report->errors++;
	else
		report->warnings++;
}

static void
keep(struct report *report, const struct diagnostic *new)
{
	report->last = NULL;
	if (known(report, new))
		return;
	count(report, new->error);
	if (report->n == report->room) {
		size_t room = report->room ? report->room * 2 : 16;
		struct diagnostic *list = realloc(report->list, room * sizeof(*list));
		if (!list)
			return;
		report->list = list;
		report->room = room;
	}
	report->last = &report->list[report->n];
	*report->last = *new;
	report->last->serial = report->n++;
}

static void
add(struct report *report, bool error, const struct place *place, unsigned width, const char *where,
	const char *format, va_list arguments)
{
	struct diagnostic new = { .error = error, .width = width ? width : 1 };

	if (report->n >= KEPT_MAX) {
		report->last = NULL;
		count(report, error);
		return;
	}
	if (place)
		new.place = *place;
	new.text = format_text(report, format, arguments);
	new.where = arena_string(&report->arena, where ? where : "");
	if (!new.where)
		new.where = "";
	keep(report, &new);
}

void
report_error(struct report *report, const struct place *place, unsigned width, const char *where,
	const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(report, true, place, width, where, format, arguments);
	va_end(arguments);
}

void
report_warning(struct report *report, const struct place *place, unsigned width, const char *where,
	const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(report, false, place, width, where, format, arguments);
	va_end(arguments);
}

void
report_hint(struct report *report, const char *format, ...)
{
	if (!report->last)
		return;
	struct hint *hint = arena_alloc(&report->arena, sizeof(*hint));
	if (!hint)
		return;
	va_list arguments;
	va_start(arguments, format);
	hint->text = format_text(report, format, arguments);
	va_end(arguments);
	struct hint **end = &report->last->hints;
	while (*end)
		end = &(*end)->next;
	*end = hint;
}

void
report_file(struct report *report)
{
	report->files++;
}

void
report_set_incomplete(struct report *report)
{
	report->incomplete = true;
}

bool
report_incomplete(const struct report *report)
{
	return report->incomplete;
}

size_t
report_errors(const struct report *report)
{
	return report->errors;
}

size_t
report_warnings(const struct report *report)
{
	return report->warnings;
}

size_t
report_files(const struct report *report)
{
	return report->files;
}

static int
compare_unsigned(size_t a, size_t b)
{
	return a < b ? -1 : a > b;
}

static int
by_place(const void *left, const void *right)
{
	const struct diagnostic *a = *(struct diagnostic *const *)left,
							*b = *(struct diagnostic *const *)right;
	const struct source *x = a->place.source, *y = b->place.source;
	int order = x && y ? compare_unsigned(x->order, y->order) : !!x - !!y;

	if (!order)
		order = compare_unsigned(a->place.line, b->place.line);
	if (!order)
		order = compare_unsigned(a->place.column, b->place.column);
	return order ? order : compare_unsigned(a->serial, b->serial);
}

/* Terminal cells of a character: East Asian wide ones and pictures take two, combining marks none.
 */
static unsigned
cells(unsigned code)
{
	static const struct {
		unsigned first, last, cells;
	} ranges[] = {
		{ 0x0300, 0x036f, 0 },
		{ 0x1100, 0x115f, 2 },
		{ 0x200b, 0x200f, 0 },
		{ 0x20d0, 0x20ff, 0 },
		{ 0x2e80, 0x303e, 2 },
		{ 0x3041, 0xa4cf, 2 },
		{ 0xac00, 0xd7a3, 2 },
		{ 0xf900, 0xfaff, 2 },
		{ 0xfe00, 0xfe0f, 0 },
		{ 0xfe30, 0xfe6f, 2 },
		{ 0xff00, 0xff60, 2 },
		{ 0xffe0, 0xffe6, 2 },
		{ 0x1f300, 0x1f64f, 2 },
		{ 0x1f900, 0x1f9ff, 2 },
		{ 0x20000, 0x3fffd, 2 },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return ranges[i].cells;
	return 1;
}

/* The next character of a line as it is printed: its bytes in the line, the code printed, its
 * cells. */
struct glyph {
	unsigned length, code, cells;
};

static struct glyph
glyph_at(const char *at, const char *end)
{
	struct glyph glyph = { .code = '?', .cells = 1 };
	unsigned code = 0;

	glyph.length = utf8_decode(at, (size_t)(end - at), &code);
	if (!glyph.length)
		glyph.length = 1;
	else if (code == '\t')
		glyph.code = ' ';
	else if (code_printable(code)) {
		glyph.code = code;
		glyph.cells = cells(code);
	}
	return glyph;
}

static void
add_repeated(struct text *out, const char *unit, size_t times)
{
	while (times-- > 0)
		text_add(out, unit);
}

/* The part of the line that is printed, and where the underline lies in it (in cells). */
struct window {
	const char *from, *to;
	bool cut_left, cut_right;
	size_t caret, underline;
};

static struct window
look(const char *line, const char *end, const struct diagnostic *diagnostic)
{
	struct window window = { .from = line };
	size_t before = 0, width = 0;
	const char *at = line;

	for (unsigned column = 1; column < diagnostic->place.column && at < end; column++) {
		struct glyph glyph = glyph_at(at, end);
		at += glyph.length;
		before += glyph.cells;
	}
	while (before > CARET_CELL && diagnostic->place.column > LINE_CELLS / 2) {
		struct glyph glyph = glyph_at(window.from, end);
		window.from += glyph.length;
		before -= glyph.cells;
		window.cut_left = true;
	}
	window.caret = before;
	unsigned left = diagnostic->width;
	for (width = before; at < end && left > 0 && width < LINE_CELLS; left--) {
		struct glyph glyph = glyph_at(at, end);
		at += glyph.length;
		width += glyph.cells;
	}
	window.underline = width - before;
	while (at < end && width < LINE_CELLS) {
		struct glyph glyph = glyph_at(at, end);
		at += glyph.length;
		width += glyph.cells;
	}
	window.to = at;
	window.cut_right = at < end;
	return window;
}

static void
print_line(const struct diagnostic *diagnostic, struct text *out)
{
	const struct source *source = diagnostic->place.source;
	const char *line = source->original + source_offset(source, diagnostic->place.line, 1);
	const char *end = line;

	while (*end && *end != '\n')
		end++;
	if (end > line && end[-1] == '\r')
		end--;
	struct window window = look(line, end, diagnostic);
	int gutter = diagnostic->place.line > 99999 ? 10 : 5;
	text_printf(out, "%*u | %s", gutter, diagnostic->place.line, window.cut_left ? "..." : "");
	for (const char *at = window.from; at < window.to;) {
		struct glyph glyph = glyph_at(at, end);
		if (glyph.code == '?' || glyph.code == ' ')
			text_add(out, glyph.code == '?' ? "?" : " ");
		else
			text_append(out, at, glyph.length);
		at += glyph.length;
	}
	text_add(out, window.cut_right ? "...\n" : "\n");
	text_printf(out, "%*s | ", gutter, "");
	add_repeated(out, " ", window.caret + (window.cut_left ? 3 : 0));
	text_add(out, "^");
	add_repeated(out, "~", window.underline > 1 ? window.underline - 1 : 0);
	text_add(out, "\n");
}

/* "FILE:LINE:COLUMN: error: WHERE: text" */
static void
print_head(const struct diagnostic *diagnostic, struct text *out)
{
	const struct place *place = &diagnostic->place;

	if (place->source) {
		add_printable(out, place->source->name);
		text_add(out, ":");
	}
	if (place->source && place->line)
		text_printf(out, "%u:%u:", place->line, place->column);
	text_printf(out, "%s%s: ", place->source ? " " : "", diagnostic->error ? "error" : "warning");
	if (*diagnostic->where) {
		add_printable(out, diagnostic->where);
		text_add(out, ": ");
	}
	text_printf(out, "%s\n", diagnostic->text);
}

static void
print_one(const struct diagnostic *diagnostic, struct text *out)
{
	const struct place *place = &diagnostic->place;

	print_head(diagnostic, out);
	bool quoted = place->source && place->source->text && place->line;
	if (quoted)
		print_line(diagnostic, out);
	for (const struct hint *hint = diagnostic->hints; hint; hint = hint->next)
		text_printf(out, "      | %s\n", hint->text);
}

static void
print_count(struct text *out, size_t n, const char *noun)
{
	text_printf(out, "%zu %s%s", n, noun, n == 1 ? "" : "s");
}

static void
print_summary(const struct report *report, size_t shown, struct text *out)
{
	if (report->errors)
		print_count(out, report->errors, "error");
	if (report->errors && report->warnings)
		text_add(out, ", ");
	if (report->warnings)
		print_count(out, report->warnings, "warning");
	text_add(out, " in ");
	print_count(out, report->files, "file");
	size_t hidden = report->errors + report->warnings - shown;
	if (hidden)
		text_printf(out, " (%zu not shown)", hidden);
	text_add(out, "\n");
}

/* All of it in the order of files and lines, from malloc; NULL when there is nothing. */
static struct diagnostic **
sort(const struct report *report, struct text *out)
{
	if (!report->n)
		return NULL;
	struct diagnostic **sorted = calloc(report->n, sizeof(struct diagnostic *));

	if (!sorted) {
		out->failed = true;
		return NULL;
	}
	for (size_t i = 0; i < report->n; i++)
		sorted[i] = &report->list[i];
	qsort(sorted, report->n, sizeof(struct diagnostic *), by_place);
	return sorted;
}

void
report_print(const struct report *report, struct text *out)
{
	struct diagnostic **sorted = sort(report, out);
	if (!sorted)
		return;
	size_t errors = 0, warnings = 0;
	for (size_t i = 0; i < report->n; i++) {
		size_t *shown = sorted[i]->error ? &errors : &warnings;
		if (*shown == SHOWN_MAX)
			continue;
		++*shown;
		print_one(sorted[i], out);
	}
	free(sorted);
	print_summary(report, errors + warnings, out);
}

void
report_print_gcc(const struct report *report, struct text *out)
{
	struct diagnostic **sorted = sort(report, out);

	for (size_t i = 0; sorted && i < report->n; i++)
		print_head(sorted[i], out);
	free(sorted);
}

static void
json_member(struct text *out, const char *name, const char *value)
{
	text_printf(out, "%s\"%s\":", name[0] == 'f' ? "{" : ",", name);
	if (value)
		text_json(out, value, strlen(value));
	else
		text_add(out, "null");
}

void
report_print_json(const struct report *report, struct text *out)
{
	struct diagnostic **sorted = sort(report, out);

	for (size_t i = 0; sorted && i < report->n; i++) {
		const struct diagnostic *d = sorted[i];

		json_member(out, "file", d->place.source ? d->place.source->name : NULL);
		text_printf(out, ",\"line\":%u,\"column\":%u", d->place.line, d->place.column);
		json_member(out, "severity", d->error ? "error" : "warning");
		json_member(out, "where", d->where);
		json_member(out, "text", d->text);
		text_add(out, ",\"hints\":[");
		for (const struct hint *hint = d->hints; hint; hint = hint->next) {
			text_add(out, hint == d->hints ? "" : ",");
			text_json(out, hint->text, strlen(hint->text));
		}
		text_add(out, "]}\n");
	}
	free(sorted);
}
