/* SPDX-License-Identifier: Apache-2.0 */
/* What weir top shows: the machine on top, Weir itself below. */
#include <stdio.h>
#include <string.h>

#include "base/format.h"
#include "cli/top.h"

enum { BAR = 24 };

static void
add_bytes(struct text *out, double bytes)
{
	char buffer[FORMAT_MAX];

	text_append(
		out, buffer, (size_t)(format_bytes(buffer, bytes > 0 ? (uint64_t)bytes : 0) - buffer));
}

static void
add_bar(struct text *out, double share, bool colour)
{
	int filled = (int)(share * BAR + 0.5);

	filled = filled < 0 ? 0 : filled > BAR ? BAR : filled;
	text_printf(out, "[%s",
		colour ? share > 0.9   ? "\33[31m"
				 : share > 0.7 ? "\33[33m"
							   : "\33[32m"
			   : "");
	for (int i = 0; i < BAR; i++)
		text_add(out, i < filled ? "|" : " ");
	text_printf(out, "%s] %3.0f %%", colour ? "\33[0m" : "", share * 100);
}

/* Shares of the time of all CPUs; false before the second row. */
static bool
cpu_shares(const struct memory *m, double *busy, double *user, double *system, double *wait)
{
	static const char *const names[] = { "user_time", "nice_time", "system_time", "idle_time",
		"iowait_time", "irq_time", "softirq_time", "steal_time" };
	const struct seen *s = memory_row(m, "cpu_total", NULL, NULL);
	double rate[8] = { 0 }, sum = 0;

	for (int i = 0; i < 8; i++) {
		if (!seen_rate(s, names[i], &rate[i]) && i < 4)
			return false;
		sum += rate[i];
	}
	if (sum <= 0)
		return false;
	*user = (rate[0] + rate[1]) / sum;
	*system = (rate[2] + rate[5] + rate[6]) / sum;
	*wait = rate[4] / sum;
	*busy = 1 - (rate[3] + rate[4]) / sum;
	return true;
}

static bool
memory_used(const struct memory *m, double *used, double *total)
{
	const struct seen *s = memory_row(m, "meminfo", NULL, NULL);
	double available;

	if (!seen_value(s, "mem_total", total) || !seen_value(s, "mem_available", &available) ||
		*total <= 0)
		return false;
	*used = *total - available;
	return true;
}

static void
cpu_line(const struct memory *m, bool colour, struct text *out)
{
	double busy, user, system, wait, load[3];
	const struct seen *s = memory_row(m, "loadavg", NULL, NULL);

	if (!cpu_shares(m, &busy, &user, &system, &wait))
		return;
	text_add(out, "cpu     ");
	add_bar(out, busy, colour);
	text_printf(out, "   user %.0f %%  system %.0f %%  waiting %.0f %%", user * 100, system * 100,
		wait * 100);
	if (seen_value(s, "load_1", &load[0]) && seen_value(s, "load_5", &load[1]) &&
		seen_value(s, "load_15", &load[2]))
		text_printf(out, "   load %.2f %.2f %.2f", load[0], load[1], load[2]);
	text_add(out, "\n");
}

static void
memory_line(const struct memory *m, bool colour, struct text *out)
{
	const struct seen *s = memory_row(m, "meminfo", NULL, NULL);
	double used, total, cached;

	if (!memory_used(m, &used, &total))
		return;
	text_add(out, "memory  ");
	add_bar(out, used / total, colour);
	text_add(out, "   ");
	add_bytes(out, used);
	text_add(out, " of ");
	add_bytes(out, total);
	if (seen_value(s, "cached", &cached)) {
		text_add(out, "  cached ");
		add_bytes(out, cached);
	}
	text_add(out, "\n");
}

/* One line for each device that ever moved a byte; at most `most`. */
static void
device_lines(const struct memory *m, const char *schema, const char *key, const char *label,
	const char *const columns[2], const char *const words[2], int most, struct text *out)
{
	for (const struct seen *s = m->first; s && most; s = s->next) {
		char text[64], name[64];
		double in, to, busy;

		if (!seen_text(s, "schema", text, sizeof(text)) || strcmp(text, schema) ||
			!seen_text(s, key, name, sizeof(name)) || !seen_rate(s, columns[0], &in) ||
			!seen_rate(s, columns[1], &to) || !seen_value(s, columns[0], &busy) || busy <= 0)
			continue;
		text_printf(out, "%-7s %-14s %s ", label, name, words[0]);
		add_bytes(out, in);
		text_printf(out, "/s  %s ", words[1]);
		add_bytes(out, to);
		text_add(out, "/s");
		if (seen_rate(s, "io_time", &busy))
			text_printf(out, "  busy %.0f %%", busy * 100);
		text_add(out, "\n");
		most--;
	}
}

static void
pressure_line(const struct memory *m, struct text *out)
{
	static const char *const resources[] = { "cpu", "memory", "io" };
	bool any = false;

	for (int i = 0; i < 3; i++) {
		double rate;

		if (!seen_rate(memory_row(m, "pressure", "resource", resources[i]), "some_time", &rate))
			continue;
		text_printf(out, "%s%s %.0f %%", any ? "  " : "stalled ", resources[i], rate * 100);
		any = true;
	}
	if (any)
		text_add(out, "   (share of the time some task waited)\n");
}

static const char *const disk_columns[] = { "read_bytes", "write_bytes" };
static const char *const disk_words[] = { "read", "write" };
static const char *const net_columns[] = { "rx_bytes", "tx_bytes" };
static const char *const net_words[] = { "in", "out" };

/* At most `height` lines of at most `width` characters; escapes take no room. */
static void
add_clipped(
	struct text *out, const struct text *all, unsigned width, unsigned height, bool terminal)
{
	unsigned lines = 0, at = 0;
	bool escape = false;

	for (size_t i = 0; i < all->size && lines < height; i++) {
		char c = all->data[i];

		if (c == '\33')
			escape = true;
		if (c == '\n') {
			text_add(out, terminal ? "\33[K" : "");
			lines++;
			at = 0;
			if (lines == height)
				break;
		}
		if (c == '\n' || escape || at < width)
			text_append(out, &c, 1);
		if (!escape && c != '\n' && ((unsigned char)c & 0xc0) != 0x80)
			at++;
		if (escape && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
			escape = false;
	}
}

void
view_screen(const struct memory *m, const char *status, unsigned width, unsigned height,
	bool terminal, bool colour, struct text *out)
{
	struct text all = { 0 };
	const char *rest = strchr(status, '\n');

	if (colour)
		text_add(&all, strncmp(status, "OK", 2) ? "\33[1;31m" : "\33[1;32m");
	text_append(&all, status, rest ? (size_t)(rest - status) : strlen(status));
	text_printf(&all, "%s%s\n\n", colour ? "\33[0m" : "", terminal ? "   Ctrl-C ends" : "");
	if (!memory_row(m, "cpu_total", NULL, NULL) || !memory_row(m, "cpu_total", NULL, NULL)->row[1])
		text_add(&all, "rates appear with the second tick\n");
	cpu_line(m, colour, &all);
	memory_line(m, colour, &all);
	device_lines(m, "disk", "device", "disk", disk_columns, disk_words, 4, &all);
	device_lines(m, "netdev", "interface", "net", net_columns, net_words, 4, &all);
	pressure_line(m, &all);
	text_add(&all, rest ? rest + 1 : "");
	add_clipped(out, &all, width, height, terminal);
	text_free(&all);
}

/* Sums of a rate over all devices. */
static bool
sum_rates(const struct memory *m, const char *schema, const char *column, double *sum)
{
	bool any = false;

	*sum = 0;
	for (const struct seen *s = m->first; s; s = s->next) {
		char text[64];
		double rate;

		if (seen_text(s, "schema", text, sizeof(text)) && !strcmp(text, schema) &&
			seen_rate(s, column, &rate)) {
			*sum += rate;
			any = true;
		}
	}
	return any;
}

void
view_line(const struct memory *m, const char *status, struct text *out)
{
	static const struct {
		const char *schema, *column, *word;
	} sums[] = {
		{ "disk", "read_bytes", "disk read" },
		{ "disk", "write_bytes", "write" },
		{ "netdev", "rx_bytes", "net in" },
		{ "netdev", "tx_bytes", "out" },
	};
	double busy, user, system, wait, used, total, load, sum;
	const char *equation = strstr(status, " produced = ");
	const char *from = equation;

	if (cpu_shares(m, &busy, &user, &system, &wait))
		text_printf(out, "cpu %3.0f %%  ", busy * 100);
	if (seen_value(memory_row(m, "loadavg", NULL, NULL), "load_1", &load))
		text_printf(out, "load %5.2f  ", load);
	if (memory_used(m, &used, &total))
		text_printf(out, "memory %3.0f %%  ", used / total * 100);
	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++)
		if (sum_rates(m, sums[i].schema, sums[i].column, &sum)) {
			text_printf(out, "%s ", sums[i].word);
			add_bytes(out, sum);
			text_add(out, "/s  ");
		}
	while (from && from > status && from[-1] != '\n')
		from--;
	if (equation)
		text_printf(out, "rows: %.*s", (int)strcspn(from, "\n"), from);
	text_add(out, "\n");
}
