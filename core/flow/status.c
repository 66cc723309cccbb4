/* SPDX-License-Identifier: Apache-2.0 */
/* What the process says of itself: to people, as JSON, and as Prometheus text. */
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/version.h"
#include "flow/live.h"

static bool
degraded(struct flow *f)
{
	struct sink_counts sum;
	bool bad = f->state_fault != NULL;

	flow_totals(f, &sum);
	for (size_t i = 0; i < f->n_sources; i++)
		bad |= f->sources[i]->state != LIVE_RUNNING;
	for (size_t i = 0; i < f->n_sinks; i++) {
		struct sink_counts c;

		sink_counts(f->sinks[i], &c);
		bad |= c.fault[0] != '\0';
	}
	return bad || counts_dropped(&sum) || !counts_conserved(&sum);
}

static void
add_duration(struct text *out, int64_t ns)
{
	char buffer[FORMAT_MAX * 2];

	text_append(out, buffer, (size_t)(format_duration(buffer, ns) - buffer));
}

static void
sampler_lines(struct flow *f, struct text *out)
{
	text_printf(out, "\n%-20s %10s %8s %8s %10s %10s  %s\n", "SAMPLER", "TICKS", "DROPPED",
		"FAILED", "ROWS", "LAST TICK", "STATE");
	for (size_t i = 0; i < f->n_sources; i++) {
		const struct live *s = f->sources[i];
		char last[FORMAT_MAX * 2];

		*format_duration(last, s->counts.last_duration) = '\0';
		text_printf(out, "%-20s %10llu %8llu %8llu %10llu %10s  %s%s%s\n", s->setting->name,
			(unsigned long long)s->counts.ticks, (unsigned long long)s->counts.dropped,
			(unsigned long long)s->counts.failures, (unsigned long long)s->counts.rows, last,
			live_state_name(s), s->counts.fault[0] ? ": " : "", s->counts.fault);
	}
}

static void
sink_lines(struct flow *f, struct text *out)
{
	text_printf(out, "\n%-20s %10s   %10s   %8s   %8s   %8s  %s\n", "SINK",
		"PRODUCED =", "STORED +", "QUEUED +", "SPOOLED +", "DROPPED", "STATE");
	for (size_t i = 0; i < f->n_sinks; i++) {
		struct sink_counts c;

		sink_counts(f->sinks[i], &c);
		text_printf(out, "%-20s %10llu = %10llu + %8llu + %8llu + %8llu  %s",
			sink_name(f->sinks[i]), (unsigned long long)c.produced, (unsigned long long)c.stored,
			(unsigned long long)c.queued, (unsigned long long)c.spooled,
			(unsigned long long)counts_dropped(&c), c.fault[0] ? c.fault : "ok");
		for (int r = 0; r < DROP_REASONS; r++)
			if (c.dropped_by[r])
				text_printf(
					out, ", %s %llu", drop_reason_names[r], (unsigned long long)c.dropped_by[r]);
		text_add(out, "\n");
	}
}

void
status_text(struct flow *f, struct text *out)
{
	struct sink_counts sum;

	flow_collect(f);
	flow_totals(f, &sum);
	text_printf(out, "%s - weir %s on %s/%s for ", degraded(f) ? "DEGRADED" : "OK", weir_version,
		f->origin.cluster, f->origin.host);
	add_duration(out, (clock_wall_us() - f->started) * 1000);
	text_printf(out, ": %zu sampler%s, %zu sink%s\n", f->n_sources,
		f->n_sources == 1 ? "" : "s", f->n_sinks, f->n_sinks == 1 ? "" : "s");
	if (f->state_fault)
		text_printf(out, "no state folder: %s\n", f->state_fault);
	sampler_lines(f, out);
	sink_lines(f, out);
	text_printf(out,
		"\n%llu produced = %llu stored + %llu queued + %llu spooled + %llu dropped%s\n",
		(unsigned long long)sum.produced, (unsigned long long)sum.stored,
		(unsigned long long)sum.queued, (unsigned long long)sum.spooled,
		(unsigned long long)counts_dropped(&sum),
		counts_conserved(&sum) ? "" : ": THE EQUATION DOES NOT HOLD");
	if (f->clock_steps)
		text_printf(out, "the clock stepped %llu times\n", (unsigned long long)f->clock_steps);
}

static void
json_counts(struct text *out, const struct sink_counts *c)
{
	bool first = true;

	text_printf(out,
		"\"produced\":%llu,\"stored\":%llu,\"queued\":%llu,\"spooled\":%llu,\"dropped\":%llu,"
		"\"dropped_by\":{",
		(unsigned long long)c->produced, (unsigned long long)c->stored,
		(unsigned long long)c->queued, (unsigned long long)c->spooled,
		(unsigned long long)counts_dropped(c));
	for (int r = 0; r < DROP_REASONS; r++)
		if (c->dropped_by[r]) {
			text_printf(out, "%s\"%s\":%llu", first ? "" : ",", drop_reason_names[r],
				(unsigned long long)c->dropped_by[r]);
			first = false;
		}
	text_printf(out,
		"},\"unchanged\":%llu,\"queue_bytes\":%llu,\"commits\":%llu,\"failures\":%llu,\"commit_"
		"seconds\":%.9f",
		(unsigned long long)c->unchanged, (unsigned long long)c->queue_bytes,
		(unsigned long long)c->commits, (unsigned long long)c->failures,
		(double)c->commit_ns / 1e9);
}

static void
json_string(struct text *out, const char *name, const char *value)
{
	text_printf(out, "\"%s\":", name);
	text_json(out, value, strlen(value));
}

void
status_json(struct flow *f, struct text *out)
{
	struct sink_counts sum;

	flow_collect(f);
	flow_totals(f, &sum);
	text_printf(out, "{\"status\":\"%s\",", degraded(f) ? "degraded" : "ok");
	json_string(out, "version", weir_version);
	text_add(out, ",");
	json_string(out, "cluster", f->origin.cluster);
	text_add(out, ",");
	json_string(out, "host", f->origin.host);
	text_printf(out,
		",\"incarnation\":%llu,\"uptime_seconds\":%.3f,\"clock_steps\":%llu,\"reloads\":%llu,"
		"\"reload_failures\":%llu,",
		(unsigned long long)f->origin.incarnation, (double)(clock_wall_us() - f->started) / 1e6,
		(unsigned long long)f->clock_steps, (unsigned long long)f->reloads,
		(unsigned long long)f->reload_failures);
	json_counts(out, &sum);
	text_printf(out, ",\"conserved\":%s,\"sinks\":{", counts_conserved(&sum) ? "true" : "false");
	for (size_t i = 0; i < f->n_sinks; i++) {
		struct sink_counts c;

		sink_counts(f->sinks[i], &c);
		text_printf(out, "%s\"%s\":{", i ? "," : "", sink_name(f->sinks[i]));
		json_counts(out, &c);
		text_add(out, ",");
		json_string(out, "fault", c.fault);
		text_add(out, "}");
	}
	text_add(out, "},\"samplers\":{");
	for (size_t i = 0; i < f->n_sources; i++) {
		const struct live *s = f->sources[i];

		text_printf(out,
			"%s\"%s\":{\"ticks\":%llu,\"dropped\":%llu,\"failures\":%llu,\"produced\":%llu,"
			"\"duration_seconds\":%.9f,"
			"\"last_duration_seconds\":%.9f,\"interval_seconds\":%.6f,\"state\":\"%s\",",
			i ? "," : "", s->setting->name, (unsigned long long)s->counts.ticks,
			(unsigned long long)s->counts.dropped, (unsigned long long)s->counts.failures,
			(unsigned long long)s->counts.rows, (double)s->counts.duration / 1e9,
			(double)s->counts.last_duration / 1e9, (double)s->interval / 1e6, live_state_name(s));
		json_string(out, "fault", s->counts.fault);
		text_add(out, "}");
	}
	text_add(out, "}}\n");
}

/* ---- Prometheus text format 0.0.4; names of instances are [a-z0-9_], so labels need no escapes
 * ---- */

static void
metric_head(struct text *out, const char *name, const char *type, const char *help)
{
	text_printf(out, "# HELP weir_%s %s\n# TYPE weir_%s %s\n", name, help, name, type);
}

static void
sink_metrics(struct flow *f, struct text *out)
{
	static const struct {
		const char *name, *type, *help;
		size_t offset;
	} table[] = {
		{ "sink_produced_rows_total", "counter", "Rows routed to the sink.",
			offsetof(struct sink_counts, produced) },
		{ "sink_stored_rows_total", "counter", "Rows stored or found unchanged.",
			offsetof(struct sink_counts, stored) },
		{ "sink_queued_rows", "gauge", "Rows waiting in memory.",
			offsetof(struct sink_counts, queued) },
		{ "sink_spooled_rows", "gauge", "Rows waiting on disk.",
			offsetof(struct sink_counts, spooled) },
		{ "sink_queue_bytes", "gauge", "Memory held by waiting rows.",
			offsetof(struct sink_counts, queue_bytes) },
		{ "sink_commits_total", "counter", "Commits done.", offsetof(struct sink_counts, commits) },
		{ "sink_failures_total", "counter", "Writes and commits that failed.",
			offsetof(struct sink_counts, failures) },
	};
	struct sink_counts c;

	for (size_t m = 0; m < WEIR_COUNT(table); m++) {
		metric_head(out, table[m].name, table[m].type, table[m].help);
		for (size_t i = 0; i < f->n_sinks; i++) {
			uint64_t value;

			sink_counts(f->sinks[i], &c);
			memcpy(&value, (const char *)&c + table[m].offset, sizeof(value));
			text_printf(out, "weir_%s{sink=\"%s\"} %llu\n", table[m].name, sink_name(f->sinks[i]),
				(unsigned long long)value);
		}
	}
	metric_head(out, "sink_dropped_rows_total", "counter", "Rows dropped, by reason.");
	for (size_t i = 0; i < f->n_sinks; i++) {
		sink_counts(f->sinks[i], &c);
		for (int r = 0; r < DROP_REASONS; r++)
			text_printf(out, "weir_sink_dropped_rows_total{sink=\"%s\",reason=\"%s\"} %llu\n",
				sink_name(f->sinks[i]), drop_reason_names[r], (unsigned long long)c.dropped_by[r]);
	}
}

static void
sampler_metrics(struct flow *f, struct text *out)
{
	static const struct {
		const char *name, *help;
		size_t offset;
	} table[] = {
		{ "sampler_ticks_total", "Ticks begun.", offsetof(struct live_counts, ticks) },
		{ "sampler_dropped_ticks_total", "Ticks not begun before the next was due.",
			offsetof(struct live_counts, dropped) },
		{ "sampler_failures_total", "Ticks that failed.", offsetof(struct live_counts, failures) },
		{ "sampler_rows_total", "Rows made.", offsetof(struct live_counts, rows) },
	};

	for (size_t m = 0; m < WEIR_COUNT(table); m++) {
		metric_head(out, table[m].name, "counter", table[m].help);
		for (size_t i = 0; i < f->n_sources; i++) {
			uint64_t value;

			memcpy(&value, (const char *)&f->sources[i]->counts + table[m].offset, sizeof(value));
			text_printf(out, "weir_%s{sampler=\"%s\"} %llu\n", table[m].name,
				f->sources[i]->setting->name, (unsigned long long)value);
		}
	}
	metric_head(out, "sampler_seconds_total", "counter", "Time spent in ticks.");
	for (size_t i = 0; i < f->n_sources; i++)
		text_printf(out, "weir_sampler_seconds_total{sampler=\"%s\"} %.9f\n",
			f->sources[i]->setting->name, (double)f->sources[i]->counts.duration / 1e9);
	metric_head(out, "sampler_up", "gauge", "1 while the sampler works.");
	for (size_t i = 0; i < f->n_sources; i++)
		text_printf(out, "weir_sampler_up{sampler=\"%s\"} %d\n", f->sources[i]->setting->name,
			f->sources[i]->state == LIVE_RUNNING);
}

static void
one_metric(struct text *out, const char *name, const char *type, const char *help, double value)
{
	metric_head(out, name, type, help);
	text_printf(out, "weir_%s %.9g\n", name, value);
}

void
status_metrics(struct flow *f, struct text *out)
{
	flow_collect(f);
	metric_head(out, "info", "gauge", "Version of this agent.");
	text_printf(out, "weir_info{version=\"%s\"} 1\n", weir_version);
	one_metric(out, "start_time_seconds", "gauge", "When this run began, since the epoch.",
		(double)f->started / 1e6);
	one_metric(out, "cpu_seconds_total", "counter", "CPU time of the process.",
		(double)clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9);
	one_metric(out, "clock_steps_total", "counter", "Steps of the wall clock seen.",
		(double)f->clock_steps);
	one_metric(out, "reloads_total", "counter", "Configurations taken over.", (double)f->reloads);
	one_metric(out, "reload_failures_total", "counter", "Configurations refused.",
		(double)f->reload_failures);
	sampler_metrics(f, out);
	sink_metrics(f, out);
}
