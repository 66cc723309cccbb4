/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libyaml's syntax errors in plain words. libyaml names its own state ("did not find expected key")
 * and the place where it gave up; a person needs the opener of what was not closed, the line that
 * is indented wrongly, the missing blank.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/reader.h"

/* The error being explained. */
struct fault {
	struct reader *reader;
	const char *text, *problem, *context;
	size_t size, at,
		context_at; /* bytes: where the parser gave up; where what it was reading begins */
	char found;     /* the character at `at`, NUL at the end */
};

__attribute__((format(printf, 4, 5))) static void
say(const struct fault *fault, size_t at, size_t length, const char *format, ...)
{
	struct place place = source_place(fault->reader->source, at);
	char message[400];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	unsigned width = source_place(fault->reader->source, at + length).column - place.column;
	report_error(
		fault->reader->report, &place, width, path_text(&fault->reader->path), "%s", message);
}

static void
hint(const struct fault *fault, const char *text)
{
	report_hint(fault->reader->report, "%s", text);
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
line_end(char c)
{
	return c == '\n' || c == '\r' || c == '\0';
}

static size_t
line_start(const struct fault *fault, size_t at)
{
	while (at > 0 && fault->text[at - 1] != '\n')
		at--;
	return at;
}

static size_t
first_word(const struct fault *fault, size_t at)
{
	for (at = line_start(fault, at); blank(fault->text[at]); at++)
		;
	return at;
}

/* Bytes from `at` to the end of the line, without a comment and blanks at the end. */
static size_t
rest_of_line(const struct fault *fault, size_t at)
{
	size_t end = at;

	while (!line_end(fault->text[end]) &&
		   !(fault->text[end] == '#' && end > at && blank(fault->text[end - 1])))
		end++;
	while (end > at && blank(fault->text[end - 1]))
		end--;
	return end - at;
}

static bool
blanks_only(const struct fault *fault, size_t from, size_t to)
{
	while (from < to && blank(fault->text[from]))
		from++;
	return from == to;
}

static bool
several_lines(const struct fault *fault, size_t from, size_t to)
{
	return to > from && memchr(fault->text + from, '\n', to - from);
}

static bool
problem_is(const struct fault *fault, const char *part)
{
	return strstr(fault->problem, part) != NULL;
}

static bool
context_is(const struct fault *fault, const char *part)
{
	return strstr(fault->context, part) != NULL;
}

static const struct open *
innermost(const struct fault *fault)
{
	return fault->reader->depth ? &fault->reader->open[fault->reader->depth - 1] : NULL;
}

static size_t
skip_quoted(const char *text, size_t size, size_t at)
{
	char quote = text[at++];

	for (; at < size && text[at] != quote; at++)
		if (quote == '"' && text[at] == '\\' && at + 1 < size)
			at++;
	return at;
}

/* Whether the bracket at `at` has no partner: the end, or another kind of bracket, comes first. */
static bool
unclosed(const struct fault *fault, size_t at)
{
	char closers[64];
	size_t depth = 0;
	char before = '[';

	for (; at < fault->size; at++) {
		char c = fault->text[at];
		if ((c == '"' || c == '\'') && strchr("[{,:", before))
			at = skip_quoted(fault->text, fault->size, at);
		else if (c == '#' && (blank(fault->text[at - 1]) || fault->text[at - 1] == '\n'))
			while (at + 1 < fault->size && fault->text[at + 1] != '\n')
				at++;
		else if ((c == '[' || c == '{') && depth == sizeof(closers))
			return true;
		else if (c == '[' || c == '{')
			closers[depth++] = c == '[' ? ']' : '}';
		else if ((c == ']' || c == '}') && closers[--depth] != c)
			return true;
		if (c == ']' || c == '}') {
			if (!depth)
				return false;
		}
		if (!blank(c) && c != '\n' && c != '\r' && c != '#')
			before = c;
	}
	return true;
}

static void
say_unclosed_quote(const struct fault *fault, size_t opener)
{
	char quote = fault->text[opener];
	size_t end = skip_quoted(fault->text, fault->size, opener);

	if (end >= fault->size) {
		say(fault, opener, 1, "this quote (%c) is never closed", quote);
		return;
	}
	say(fault, opener, 1,
		"this quote (%c) is not closed in its line: it ends at the next one, in line %u", quote,
		source_place(fault->reader->source, end).line);
}

static bool
explain_tag_or_directive(const struct fault *fault)
{
	if (context_is(fault, "directive") || problem_is(fault, "directive")) {
		say(fault, fault->context_at, 1,
			"directives (%%YAML, %%TAG) are not allowed: remove this line");
		return true;
	}
	if (!context_is(fault, "tag") && !problem_is(fault, "tag"))
		return false;
	const char *mark = strchr(fault->text + fault->context_at, '!');
	say(fault, mark ? (size_t)(mark - fault->text) : fault->context_at, 1,
		"tags (!...) are not allowed: the option decides the type; quote a text that begins with "
		"'!'");
	return true;
}

static bool
explain_tab(const struct fault *fault)
{
	if (fault->found != '\t')
		return false;
	if (first_word(fault, fault->at) > fault->at)
		say(fault, fault->at, 1, "tab in the indentation: use blanks");
	else
		say(fault, fault->at, 1, "a tab cannot stand here: use blanks");
	return true;
}

static bool
explain_quote(const struct fault *fault)
{
	const struct last *last = &fault->reader->last;

	if (context_is(fault, "while scanning a quoted scalar")) {
		/* Right behind a quoted text of several lines a quote is that text's closing one, seen too
		 * late. */
		bool late = last->quoted && several_lines(fault, last->from, last->to) &&
					last->to == fault->context_at;
		say_unclosed_quote(fault, late ? last->from : fault->context_at);
		return true;
	}
	if (problem_is(fault, "unknown escape character")) {
		say(fault, fault->at, 2, "unknown escape in a text in double quotes");
		hint(fault, "a backslash itself is written \\\\, or put the text in single quotes");
		return true;
	}
	if (problem_is(fault, "hexdecimal") || problem_is(fault, "Unicode character escape")) {
		say(fault, fault->at, 1,
			"\\x needs 2, \\u 4 and \\U 8 hexadecimal digits that name a character");
		return true;
	}
	bool follows = last->quoted && fault->at >= last->to && blanks_only(fault, last->to, fault->at);
	if (follows && several_lines(fault, last->from, last->to)) {
		say_unclosed_quote(fault, last->from);
		return true;
	}
	if (follows && fault->at == last->to && !line_end(fault->found) &&
		!strchr(",[]{}:", fault->found)) {
		say(fault, fault->at, rest_of_line(fault, fault->at), "text after the closing quote");
		hint(fault, fault->text[last->from] == '\''
						? "inside single quotes a quote is written ''"
						: "inside double quotes a quote is written \\\"");
		return true;
	}
	return false;
}

/* The innermost open bracket; `size` where there is none. A pair in a list, [a: b], is a mapping
 * without one. */
static size_t
open_bracket(const struct fault *fault)
{
	const struct reader *reader = fault->reader;

	for (unsigned i = reader->depth; i > 0 && reader->open[i - 1].flow; i--) {
		const struct place *place = &reader->open[i - 1].place;
		size_t at = source_offset(reader->source, place->line, place->column);
		if (fault->text[at] == '[' || fault->text[at] == '{')
			return at;
	}
	return fault->size;
}

static bool
after_separator(const struct fault *fault, size_t at)
{
	while (at > 0 && (blank(fault->text[at - 1]) || line_end(fault->text[at - 1])))
		at--;
	return at > 0 && strchr("{[,", fault->text[at - 1]);
}

static bool
explain_flow(const struct fault *fault)
{
	const struct last *last = &fault->reader->last;
	size_t opener = open_bracket(fault);

	if (opener == fault->size)
		return false;
	if (problem_is(fault, "unexpected ':'")) {
		say(fault, fault->at, 1, "a blank is missing after this ':'");
		hint(fault, "quote the text if the ':' belongs to it");
		return true;
	}
	char bracket = fault->text[opener], closer = bracket == '{' ? '}' : ']';
	if (!problem_is(fault, "expected ','") && !problem_is(fault, "expected node content") &&
		!problem_is(fault, "not allowed in this context") && !problem_is(fault, "expected ':'"))
		return false;
	if (unclosed(fault, opener)) {
		say(fault, opener, 1, "this '%c' is never closed", bracket);
		if (fault->found == ']' || fault->found == '}')
			report_hint(fault->reader->report, "'%c' is needed before '%c'", closer, fault->found);
		return true;
	}
	if (fault->found == ':' && after_separator(fault, fault->at))
		say(fault, fault->at, 1, "a key is missing before this ':'");
	else if (fault->found == ',' && problem_is(fault, "node content"))
		say(fault, fault->at, 1, "a value is missing before this ','");
	else if (fault->found == '-' && problem_is(fault, "node content"))
		say(fault, fault->at, 1, "'- ' items cannot stand inside brackets: write [a, b]");
	else if (fault->found == ':' && !last->quoted && several_lines(fault, last->from, last->to))
		say(fault, first_word(fault, fault->at), 1, "a ',' or '%c' is missing before this line",
			closer);
	else
		say(fault, fault->at, 1, "a ',' or '%c' is missing before this", closer);
	return true;
}

/* A line that should be a key with a value. */
static void
say_no_pair(const struct fault *fault, size_t at)
{
	size_t length = rest_of_line(fault, at);
	const char *text = fault->text + at;

	say(fault, at, length, "expected 'key: value', found '%.*s'", length > 80 ? 80 : (int)length,
		text);
	if (text[0] == '-' && length > 1 && !blank(text[1]))
		report_hint(fault->reader->report, "write '- %.*s', with a blank after the dash",
			length > 80 ? 80 : (int)length - 1, text + 1);
	else if (!hint_pair(fault->reader->report, text, length))
		report_hint(fault->reader->report,
			length > 255 ? "a key has at most 255 bytes" : "a colon is missing");
}

static void
say_bad_indentation(const struct fault *fault)
{
	const struct reader *reader = fault->reader;
	size_t at = first_word(fault, fault->at);
	char levels[DEPTH_MAX * 14] = "";
	size_t used = 0, blanks = at - line_start(fault, at);

	/* The blocks that this very line closed are still there, above `depth`. */
	for (unsigned i = 0;
		 i < DEPTH_MAX && (i < reader->depth || reader->open[i].closed == fault->at); i++) {
		const struct open *open = &reader->open[i];
		if (open->flow || (i > 0 && open->place.column == reader->open[i - 1].place.column))
			continue;
		used += (size_t)snprintf(levels + used, sizeof(levels) - used, "%s%u", used ? " or " : "",
			open->place.column - 1);
	}
	say(fault, at, rest_of_line(fault, at),
		"the indentation of %zu blank%s fits no line above: %s would", blanks,
		blanks == 1 ? "" : "s", used ? levels : "0");
}

/* "mapping values are not allowed in this context": a ':' after something that is no key. */
static void
explain_colon(const struct fault *fault)
{
	const struct last *last = &fault->reader->last;
	size_t first = first_word(fault, last->from);

	if (last->to != fault->at || !several_lines(fault, last->from, last->to)) {
		say(fault, fault->at, 1, "a second ': ' in one line: quote the value if it belongs to it");
	} else if (first == last->from) {
		say_no_pair(fault, last->from);
	} else {
		size_t at = first_word(fault, fault->at);
		say(fault, at, rest_of_line(fault, at),
			"this line is indented deeper than the one above, which already has a value");
	}
}

/* Where a block expected its next key or dash. */
static void
explain_block(const struct fault *fault)
{
	const struct open *open = innermost(fault);
	unsigned column = source_place(fault->reader->source, fault->at).column;
	size_t length = rest_of_line(fault, fault->at);
	bool begins = first_word(fault, fault->at) == fault->at;

	if (fault->found == '}' || fault->found == ']')
		say(fault, fault->at, 1, "this '%c' closes nothing", fault->found);
	else if (fault->found == ':')
		say(fault, fault->at, 1, "a key is missing before this ':'");
	else if (!begins)
		say(fault, fault->at, length, "unexpected text after the value");
	else if (open && column != open->place.column)
		say_bad_indentation(fault);
	else if (open && open->kind == NODE_SEQUENCE)
		say(fault, fault->at, length,
			"expected '- ': the lines above at this indentation are items of a list");
	else if (fault->found == '-')
		say(fault, fault->at, length, "expected 'key: value', found an item of a list");
	else
		say_no_pair(fault, fault->at);
}

static void
explain_content(const struct fault *fault)
{
	if (fault->found == '}' || fault->found == ']')
		say(fault, fault->at, 1, "this '%c' closes nothing", fault->found);
	else if (fault->found == ',')
		say(fault, fault->at, 1, "a value cannot begin with ',': quote it");
	else
		say(fault, fault->at, 1, "a value is missing here");
}

static void
explain_character(const struct fault *fault)
{
	const struct open *open = innermost(fault);

	if ((fault->found == '|' || fault->found == '>') && open && open->flow)
		say(fault, fault->at, 1, "a text with '%c' cannot stand inside brackets: quote it",
			fault->found);
	else
		say(fault, fault->at, 1, "a text cannot begin with '%c': quote it", fault->found);
}

static void
explain_rest(const struct fault *fault)
{
	if (problem_is(fault, "mapping values are not allowed"))
		explain_colon(fault);
	else if (problem_is(fault, "could not find expected ':'"))
		say_no_pair(fault, fault->context_at);
	else if (problem_is(fault, "expected key") || problem_is(fault, "'-' indicator"))
		explain_block(fault);
	else if (problem_is(fault, "node content"))
		explain_content(fault);
	else if (problem_is(fault, "cannot start any token"))
		explain_character(fault);
	else if (problem_is(fault, "document start"))
		say(fault, fault->at, 1, "nothing may follow the end of the document ('...')");
	else if (problem_is(fault, "block sequence entries"))
		say(fault, fault->at, 1, "a list cannot begin here: put its '- ' on a line of its own");
	else if (problem_is(fault, "mapping keys"))
		say(fault, fault->at, 1, "a key cannot begin here");
	else if (context_is(fault, "anchor") || context_is(fault, "alias"))
		say(fault, fault->context_at, 1,
			"after '%c' comes a name of letters, digits, '_' and '-': quote a text "
			"that begins with '%c'",
			fault->text[fault->context_at], fault->text[fault->context_at]);
	else if (context_is(fault, "block scalar"))
		say(fault, fault->at, 1,
			"after '%c' only '+', '-', a digit from 1 to 9 and a comment may follow in this line",
			fault->text[fault->context_at]);
	else
		say(fault, fault->at, 1, "cannot be read as YAML: %s", fault->problem);
}

/* A required key that turns out to be an opened quote or bracket. */
static bool
explain_key_opener(const struct fault *fault)
{
	char c = fault->text[fault->context_at];

	if (!problem_is(fault, "could not find expected ':'"))
		return false;
	if (c == '"' || c == '\'') {
		size_t end = skip_quoted(fault->text, fault->size, fault->context_at);
		if (!several_lines(fault, fault->context_at, end < fault->size ? end : fault->size))
			return false;
		say_unclosed_quote(fault, fault->context_at);
		return true;
	}
	if ((c == '[' || c == '{') && unclosed(fault, fault->context_at)) {
		say(fault, fault->context_at, 1, "this '%c' is never closed", c);
		return true;
	}
	return false;
}

void
syntax_report(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	struct fault fault = {
		.reader = reader,
		.text = reader->source->text,
		.size = reader->source->size,
		.problem = parser->problem ? parser->problem : "",
		.context = parser->context ? parser->context : "",
		.at = reader_offset(reader, &parser->problem_mark),
	};

	fault.context_at = parser->context ? reader_offset(reader, &parser->context_mark) : fault.at;
	fault.found = fault.text[fault.at];
	if (!explain_tag_or_directive(&fault) && !explain_tab(&fault) && !explain_quote(&fault) &&
		!explain_key_opener(&fault) && !explain_flow(&fault))
		explain_rest(&fault);
}
