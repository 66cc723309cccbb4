/* SPDX-License-Identifier: Apache-2.0 */
/* Weir's own rows: how samplers and sinks do, what the process costs, who runs since when. Once a
 * minute, at start and at the end. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/version.h"
#include "data/self.h"
#include "flow/live.h"
#include "plugin/capability.h"

enum { SCHEMAS = 5 };
#define REPORT_EVERY (INT64_C(60) * 1000000)
#define ORIGIN_EVERY (INT64_C(3600) * 1000000)

struct self {
	struct flow *flow;
	struct builder *builder[SCHEMAS];
	struct targets targets[SCHEMAS];
	struct event *timer;
	int64_t origin_due;
	char boot_id[40];
};

static struct weir_row *
row_of(struct self *self, const struct weir_schema *schema, int64_t time)
{
	for (int i = 0; i < SCHEMAS; i++) {
		if (self_schemas[i] != schema)
			continue;
		flow_opened(self->flow, 1);
		return builder_row(self->builder[i], time);
	}
	return NULL;
}

void
self_capability_row(
	struct flow *f, const char *source, const char *item, const char *status, const char *reason)
{
	struct weir_row *row = row_of(f->self, &self_capability, clock_wall_us());

	weir_set_text(row, CAPABILITY_SOURCE, source);
	weir_set_text(row, CAPABILITY_ITEM, item);
	weir_set_text(row, CAPABILITY_STATUS, status);
	weir_set_text(row, CAPABILITY_REASON, reason);
}

static void
report_samplers(struct self *self, int64_t time)
{
	for (size_t i = 0; i < self->flow->n_sources; i++) {
		struct live *s = self->flow->sources[i];
		struct weir_row *row = row_of(self, &self_sampler, time);

		weir_set_text(row, TICKS_SAMPLER, s->setting->name);
		weir_set_u64(row, TICKS_TICKS, s->counts.ticks);
		weir_set_u64(row, TICKS_DROPPED, s->counts.dropped);
		weir_set_u64(row, TICKS_FAILURES, s->counts.failures);
		weir_set_u64(row, TICKS_ROWS, s->counts.rows);
		weir_set_count(row, TICKS_DURATION, s->counts.duration);
		weir_set_count(row, TICKS_DURATION_MAX, s->counts.duration_max);
		weir_set_count(row, TICKS_LATENESS_MAX, s->counts.lateness_max);
		weir_set_text(row, TICKS_STATE, live_state_name(s));
		s->counts.duration_max = s->counts.lateness_max = 0;
	}
}

static void
report_sinks(struct self *self, int64_t time)
{
	for (size_t i = 0; i < self->flow->n_sinks; i++) {
		struct weir_row *row = row_of(self, &self_sink, time);
		struct sink_counts c;

		sink_counts(self->flow->sinks[i], &c);
		weir_set_text(row, FLOW_SINK, sink_name(self->flow->sinks[i]));
		weir_set_u64(row, FLOW_PRODUCED, c.produced);
		weir_set_u64(row, FLOW_STORED, c.stored);
		weir_set_u64(row, FLOW_QUEUED, c.queued);
		weir_set_u64(row, FLOW_SPOOLED, c.spooled);
		weir_set_u64(row, FLOW_DROPPED, counts_dropped(&c));
		weir_set_u64(row, FLOW_QUEUE_BYTES, c.queue_bytes);
		weir_set_u64(row, FLOW_COMMITS, c.commits);
		weir_set_u64(row, FLOW_FAILURES, c.failures);
		weir_set_count(row, FLOW_COMMIT_TIME, (int64_t)c.commit_ns);
	}
}

/* Entries of a folder of /proc. */
static uint64_t
entries(const char *path)
{
	uint64_t n = 0;
	DIR *folder = opendir(path);

	if (!folder)
		return 0;
	while (readdir(folder))
		n++;
	closedir(folder);
	return n - 2;
}

static uint64_t
resident(void)
{
	char line[128] = "";
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long size, pages = 0;

	if (file && (!fgets(line, sizeof(line), file) || sscanf(line, "%lu %lu", &size, &pages) != 2))
		pages = 0;
	if (file)
		fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void
report_process(struct self *self, int64_t time)
{
	struct flow *f = self->flow;
	struct weir_row *row = row_of(self, &self_process, time);

	weir_set_count(row, PROCESS_CPU_TIME, clock_read_ns(CLOCK_PROCESS_CPUTIME_ID));
	weir_set_u64(row, PROCESS_RESIDENT, resident());
	weir_set_u64(row, PROCESS_DESCRIPTORS, entries("/proc/self/fd"));
	weir_set_u64(row, PROCESS_THREADS, entries("/proc/self/task"));
	weir_set_count(row, PROCESS_LOOP_LAG_MAX, f->loop_lag_max);
	weir_set_u64(row, PROCESS_RELOADS, f->reloads);
	weir_set_u64(row, PROCESS_RELOAD_FAILURES, f->reload_failures);
	f->loop_lag_max = 0;
}

static void
report_origin(struct self *self, int64_t time)
{
	struct flow *f = self->flow;
	struct weir_row *row = row_of(self, &self_origin, time);
	struct text intervals = { 0 };

	for (size_t i = 0; i < f->n_sources; i++)
		text_printf(&intervals, "%s%s=%gs", i ? " " : "", f->sources[i]->setting->name,
			(double)f->sources[i]->interval / 1e6);
	weir_set_u64(row, ORIGIN_INCARNATION, f->origin.incarnation);
	if (*self->boot_id)
		weir_set_text(row, ORIGIN_BOOT_ID, self->boot_id);
	weir_set_text(row, ORIGIN_VERSION, weir_version);
	weir_set_text(row, ORIGIN_INTERVALS, intervals.data ? intervals.data : "");
	weir_set_time(row, ORIGIN_STARTED, f->started);
	weir_set_time(row, ORIGIN_LAST, time);
	text_free(&intervals);
	self->origin_due = time + ORIGIN_EVERY;
}

static void
report(struct self *self)
{
	int64_t time = clock_wall_us();

	if (time >= self->origin_due)
		report_origin(self, time);
	report_samplers(self, time);
	report_sinks(self, time);
	report_process(self, time);
}

static void
on_timer(evutil_socket_t fd, short what, void *argument)
{
	struct self *self = argument;
	struct timeval every = { REPORT_EVERY / 1000000, 0 };

	(void)fd;
	(void)what;
	report(self);
	event_add(self->timer, &every);
	flow_settle(self->flow);
}

void
self_report(struct flow *f, bool last)
{
	if (!f->self)
		return;
	if (last)
		f->self->origin_due = 0;
	report(f->self);
}

static void
read_boot_id(char *out, size_t room)
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!file || !fgets(out, (int)room, file))
		*out = '\0';
	if (file)
		fclose(file);
	out[strcspn(out, "\n")] = '\0';
}

struct self *
self_new(struct flow *f)
{
	struct self *self = calloc(1, sizeof(*self));
	/* The first report comes after the first tick, so that it has something to say. */
	struct timeval soon = { 1, 500000 };

	if (!self)
		return NULL;
	self->flow = f;
	read_boot_id(self->boot_id, sizeof(self->boot_id));
	for (int i = 0; i < SCHEMAS; i++)
		if (!(self->builder[i] = builder_new(
				  self_schemas[i], weir_schema_fingerprint(self_schemas[i]), &f->origin))) {
			self_free(self);
			return NULL;
		}
	self->timer = event_new(f->base, -1, 0, on_timer, self);
	if (!self->timer || event_add(self->timer, &soon)) {
		self_free(self);
		return NULL;
	}
	f->self = self;
	if (f->state_fault)
		self_capability_row(f, "weir", "state", "failed", f->state_fault);
	return self;
}

void
self_free(struct self *self)
{
	if (!self)
		return;
	for (int i = 0; i < SCHEMAS; i++) {
		builder_free(self->builder[i]);
		for (size_t k = 0; k < self->targets[i].n; k++)
			free(self->targets[i].target[k].columns);
		free(self->targets[i].target);
	}
	if (self->timer)
		event_free(self->timer);
	free(self);
}

void
self_collect(struct flow *f)
{
	for (int i = 0; f->self && i < SCHEMAS; i++) {
		struct weir_batch *b = builder_rows(f->self->builder[i])
								   ? builder_close(f->self->builder[i], ++f->sequence)
								   : NULL;

		if (b)
			flow_deliver(f, b, &f->self->targets[i]);
	}
}
