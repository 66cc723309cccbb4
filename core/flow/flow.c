/* SPDX-License-Identifier: Apache-2.0 */
/* The junction: rows from sources to sinks, when to wake whom. Start and stop are in life.c. */
#include "flow/flow.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "data/builder.h"
#include "data/schema.h"
#include "flow/live.h"

/* Rows that may stand in open builders before they are collected whatever the flush says. */
enum { OPEN_ROWS_MOST = 8192 };

/* ---- routes, computed once for each source and schema ---- */

/* The schema with only the keys and the chosen columns. */
static int
make_view(struct flow *f, const struct weir_schema *schema, const struct route_columns *chosen,
	struct target *t)
{
	uint32_t keys = schema_keys(schema), n = 0;
	struct weir_column *columns = calloc(schema->n_columns, sizeof(*columns));

	t->columns = calloc(schema->n_columns, sizeof(*t->columns));
	for (uint32_t c = 0; columns && t->columns && c < schema->n_columns; c++) {
		bool wanted = c < keys;

		for (size_t i = 0; i < chosen->n; i++)
			wanted |= !strcmp(chosen->columns[i], schema->columns[c].name);
		if (!wanted)
			continue;
		columns[n] = schema->columns[c];
		t->columns[n++] = c;
	}
	struct weir_schema view = *schema;

	view.columns = columns;
	view.n_columns = n;
	view.n_keys = keys;
	t->view = columns && n ? keeper_schema(f->keeper, &view) : NULL;
	t->fingerprint = t->view ? weir_schema_fingerprint(t->view) : 0;
	free(columns);
	return t->view ? 0 : -1;
}

static void
compute_targets(struct flow *f, const struct weir_batch *b, struct targets *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->target[i].columns);
	free(t->target);
	*t = (struct targets){ .target = calloc(f->n_sinks + 1, sizeof(*t->target)) };
	bool whole = t->target != NULL;

	for (size_t i = 0; whole && i < f->n_sinks; i++) {
		const struct route_columns *chosen;
		struct target *target = &t->target[t->n];

		if (!settings_routed(f->set, b->source, sink_name(f->sinks[i]), b->schema->name, b->cluster,
				b->host, &chosen))
			continue;
		target->sink = f->sinks[i];
		if (chosen && make_view(f, b->schema, chosen, target)) {
			sink_count_lost(target->sink, b->rows, DROP_MEMORY);
			whole = false; /* tried again with the next batch */
		} else {
			t->n++;
		}
	}
	t->generation = whole ? f->generation : 0;
}

void
flow_deliver(struct flow *f, const struct weir_batch *b, struct targets *t)
{
	/* Rows count from when they were made, not from when a builder was closed. */
	int64_t since = f->open_since ? f->open_since : clock_mono_ns();

	if (t->generation != f->generation)
		compute_targets(f, b, t);
	for (size_t i = 0; i < t->n; i++) {
		const struct target *target = &t->target[i];
		struct weir_batch *view =
			target->view ? batch_select(b, target->view, target->fingerprint, target->columns)
						 : NULL;

		if (target->view && !view)
			sink_count_lost(target->sink, b->rows, DROP_MEMORY);
		else
			sink_push(target->sink, view ? view : b, since);
		weir_batch_release(view);
	}
	if (f->taps)
		control_tap(f->control, b);
	weir_batch_release(b);
}

/* ---- when rows move ---- */

void
flow_opened(struct flow *f, uint64_t rows)
{
	if (!f->open_since && rows)
		f->open_since = clock_mono_ns();
	f->open_rows += rows;
}

void
flow_collect(struct flow *f)
{
	for (size_t i = 0; i < f->n_sources; i++)
		live_collect(f->sources[i]);
	self_collect(f);
	f->open_since = 0;
	f->open_rows = 0;
}

/*
 * A sink is woken now when its oldest row could not wait for the next tick: so a flush needs no
 * timer and no wake of its own. The next tick's own delay is allowed for, else a flush of one
 * interval would fall just after each tick.
 */
void
flow_settle(struct flow *f)
{
	int64_t now = clock_mono_ns(), next = f->next_tick > now ? f->next_tick : now;
	bool flush[STORES_MOST] = { false }, any = false;

	for (size_t i = 0; i < f->n_sinks; i++) {
		int64_t due = sink_due(f->sinks[i]);

		if (f->open_since && f->open_since + sink_flush_ns(f->sinks[i]) < due)
			due = f->open_since + sink_flush_ns(f->sinks[i]);
		flush[i] = due < next;
		any |= flush[i];
	}
	if (any || f->taps || f->open_rows > OPEN_ROWS_MOST)
		flow_collect(f);
	for (size_t i = 0; any && i < f->n_sinks; i++)
		if (flush[i])
			sink_flush(f->sinks[i]);
}

/* ---- sums ---- */

static void
add_counts(struct sink_counts *sum, const struct sink_counts *one)
{
	sum->produced += one->produced;
	sum->stored += one->stored;
	sum->unchanged += one->unchanged;
	sum->queued += one->queued;
	sum->spooled += one->spooled;
	sum->queue_bytes += one->queue_bytes;
	sum->commits += one->commits;
	sum->failures += one->failures;
	sum->commit_ns += one->commit_ns;
	for (int i = 0; i < DROP_REASONS; i++)
		sum->dropped_by[i] += one->dropped_by[i];
}

void
flow_totals(struct flow *f, struct sink_counts *sum)
{
	*sum = f->gone;
	for (size_t i = 0; i < f->n_sinks + f->n_leaving; i++) {
		struct sink_counts one;

		sink_counts(i < f->n_sinks ? f->sinks[i] : f->leaving[i - f->n_sinks], &one);
		add_counts(sum, &one);
	}
}

uint64_t
counts_dropped(const struct sink_counts *c)
{
	uint64_t dropped = 0;

	for (int i = 0; i < DROP_REASONS; i++)
		dropped += c->dropped_by[i];
	return dropped;
}

bool
counts_conserved(const struct sink_counts *c)
{
	return c->produced == c->stored + c->queued + c->spooled + counts_dropped(c);
}

void
flow_dismiss(struct flow *f, struct sink *sink)
{
	struct sink **grown = realloc(f->leaving, (f->n_leaving + 1) * sizeof(*grown));
	struct sink_counts last = { 0 };

	sink_stop(sink, clock_mono_ns() + f->set->program.stop_timeout);
	if (grown) {
		f->leaving = grown;
		f->leaving[f->n_leaving++] = sink;
		return;
	}
	if (sink_finish(sink, clock_mono_ns() + f->set->program.stop_timeout, &last))
		f->abandoned = true;
	last.queue_bytes = 0;
	add_counts(&f->gone, &last);
}

void
flow_reap(struct flow *f, int64_t deadline)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->n_leaving; i++) {
		struct sink_counts last = { 0 };

		if (!deadline && !sink_ended(f->leaving[i])) {
			f->leaving[kept++] = f->leaving[i];
			continue;
		}
		if (sink_finish(f->leaving[i], deadline, &last))
			f->abandoned = true;
		last.queue_bytes = 0;
		add_counts(&f->gone, &last);
	}
	f->n_leaving = kept;
}

const char *
flow_library(void)
{
	return event_get_version();
}
