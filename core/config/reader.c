/* SPDX-License-Identifier: Apache-2.0 */
/* Places, lines and the end of reading: what the parts of the reader have in common. */
#include "config/reader.h"

#include <errno.h>
#include <string.h>

size_t
reader_offset(struct reader *reader, const yaml_mark_t *mark)
{
	const char *text = reader->source->text;
	size_t size = reader->source->size;

	for (; reader->cursor_index < mark->index && reader->cursor_offset < size;
		 reader->cursor_index++)
		do
			reader->cursor_offset++;
		while (reader->cursor_offset < size &&
			   ((unsigned char)text[reader->cursor_offset] & 0xc0) == 0x80);
	for (; reader->cursor_index > mark->index; reader->cursor_index--)
		do
			reader->cursor_offset--;
		while (((unsigned char)text[reader->cursor_offset] & 0xc0) == 0x80);
	return reader->cursor_offset;
}

void
reader_stop(struct reader *reader)
{
	reader->stopped = true;
	report_set_incomplete(reader->report);
}

void *
reader_no_memory(struct reader *reader)
{
	reader->error = -ENOMEM;
	reader_stop(reader);
	return NULL;
}

struct place
reader_place(const struct reader *reader, const yaml_mark_t *mark)
{
	return (struct place){ reader->source, (unsigned)mark->line + 1, (unsigned)mark->column + 1 };
}

struct node *
reader_broken(struct reader *reader, struct place place)
{
	struct node *node = node_scalar(reader->arena, "", 0, place, 1);

	if (!node)
		return reader_no_memory(reader);
	node->broken = true;
	return node;
}

void
reader_partial(struct reader *reader, struct node *node)
{
	node->partial = true;
	report_set_incomplete(reader->report);
}

struct place
place_forward(struct place place, size_t from, size_t to)
{
	const char *text = place.source->text;

	for (size_t i = from; i < to; i++) {
		if (text[i] == '\n') {
			place.line++;
			place.column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			place.column++;
		}
	}
	return place;
}

unsigned
line_width(const char *text, size_t from, size_t to)
{
	unsigned width = 0;

	for (size_t i = from; i < to && text[i] != '\n' && text[i] != '\r'; i++)
		width += ((unsigned char)text[i] & 0xc0) != 0x80;
	return width;
}

static void
check_line_tab(struct reader *reader, size_t start, unsigned line)
{
	const char *text = reader->source->text;
	size_t at = start;

	while (text[at] == ' ')
		at++;
	if (text[at] != '\t')
		return;
	struct place place = { reader->source, line, (unsigned)(at - start) + 1 };
	report_error(reader->report, &place, 1, NULL, "tab in the indentation: use blanks");
}

void
lines_pass(struct reader *reader, size_t to, bool check)
{
	const char *text = reader->source->text;

	while (reader->tabs_offset < to) {
		if (check)
			check_line_tab(reader, reader->tabs_offset, reader->tabs_line);
		const char *feed = strchr(text + reader->tabs_offset, '\n');
		reader->tabs_offset = feed ? (size_t)(feed + 1 - text) : reader->source->size;
		reader->tabs_line++;
	}
}

void
lines_check_text(struct reader *reader, struct place start, size_t from, size_t to)
{
	const char *text = reader->source->text;
	bool flow = reader->depth && reader->open[reader->depth - 1].flow;

	for (size_t i = from; i + 1 < to; i++) {
		if (text[i] != '\n')
			continue;
		size_t at = i + 1;
		while (at < to && reader_space(text[at]))
			at++;
		bool dash = at + 1 < to && text[at] == '-' && reader_space(text[at + 1]);
		if (!flow && !dash)
			continue;
		struct place place = place_forward(start, from, at);
		if (flow)
			reader->joined = place;
		else
			report_error(reader->report, &place, 1, path_text(&reader->path),
				"this item is indented deeper than the text above and would become part of it");
		return;
	}
}

void
lines_report_joined(struct reader *reader)
{
	if (!reader->joined.line)
		return;
	report_error(reader->report, &reader->joined, 1, path_text(&reader->path),
		"a ',' is missing before this line");
	report_hint(reader->report, "quote the text if it is meant to go on here");
	reader->joined.line = 0;
}
