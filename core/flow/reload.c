/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reload: the new configuration is judged and its new instances opened beside the old ones; only
 * when all of that went well are the changed instances swapped, in one turn of the loop. Unchanged
 * samplers miss no tick.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "flow/live.h"

/* The new set while it is built: borrowed from the old flow (same[]) or made anew. */
struct next {
	struct live **sources;
	size_t n_sources;
	struct sink **sinks;
	size_t n_sinks;
	bool *source_kept, *sink_kept; /* [old n] */
	bool *sink_new;                /* [new n] */
};

static struct live *
kept_source(struct flow *f, struct next *next, const struct instance_setting *in)
{
	for (size_t i = 0; i < f->n_sources; i++)
		if (!next->source_kept[i] && !strcmp(f->sources[i]->setting->signature, in->signature)) {
			next->source_kept[i] = true;
			return f->sources[i];
		}
	return NULL;
}

static struct sink *
kept_sink(struct flow *f, struct next *next, const struct instance_setting *in)
{
	for (size_t i = 0; i < f->n_sinks; i++)
		if (!next->sink_kept[i] && !strcmp(sink_setting(f->sinks[i])->signature, in->signature)) {
			next->sink_kept[i] = true;
			return f->sinks[i];
		}
	return NULL;
}

static void
next_free(struct next *next)
{
	free(next->sources);
	free(next->sinks);
	free(next->source_kept);
	free(next->sink_kept);
	free(next->sink_new);
}

static int
next_alloc(struct flow *f, const struct settings *set, struct next *next)
{
	next->sources = calloc(set->n_instances + 1, sizeof(*next->sources));
	next->sinks = calloc(set->n_instances + 1, sizeof(*next->sinks));
	next->source_kept = calloc(f->n_sources + 1, sizeof(bool));
	next->sink_kept = calloc(f->n_sinks + 1, sizeof(bool));
	next->sink_new = calloc(set->n_instances + 1, sizeof(bool));
	return next->sources && next->sinks && next->source_kept && next->sink_kept && next->sink_new
			   ? 0
			   : -ENOMEM;
}

/* Is there a store that goes and may hold the path that this one wants? */
static bool
has_predecessor(const struct flow *f, const struct next *next, const struct instance_setting *in)
{
	for (size_t i = 0; i < f->n_sinks; i++)
		if (!next->sink_kept[i] && sink_setting(f->sinks[i])->plugin == in->plugin)
			return true;
	return false;
}

static int
build_sinks(struct flow *f, struct settings *set, struct next *next, struct weir_err *err)
{
	/* First those that stay, so that none of them is taken for a predecessor. */
	for (size_t i = 0; i < set->n_instances; i++)
		if (set->instances[i].kind == WEIR_STORE) {
			struct sink *sink = kept_sink(f, next, &set->instances[i]);

			if (sink)
				next->sinks[next->n_sinks++] = sink;
		}
	size_t kept = next->n_sinks;

	for (size_t i = 0; i < set->n_instances; i++) {
		const struct instance_setting *in = &set->instances[i];
		bool have = false;

		for (size_t k = 0; k < kept; k++)
			have |= !strcmp(sink_name(next->sinks[k]), in->name);
		if (in->kind != WEIR_STORE || have)
			continue;
		struct sink *sink =
			sink_open(in, &f->world, has_predecessor(f, next, in) ? set : NULL, err);

		if (!sink) {
			struct weir_err inner = *err;

			return weir_failx(
				err, inner.code ? inner.code : -EIO, "store '%s': %s", in->name, inner.text);
		}
		next->sink_new[next->n_sinks] = true;
		next->sinks[next->n_sinks++] = sink;
		if (sink_start(sink, err))
			return err->code;
	}
	return 0;
}

static int
build_sources(struct flow *f, const struct settings *set, struct next *next)
{
	for (size_t i = 0; i < set->n_instances; i++) {
		const struct instance_setting *in = &set->instances[i];

		if (in->kind != WEIR_SAMPLER)
			continue;
		struct live *s = kept_source(f, next, in);

		if (!s)
			s = live_new(f, in);
		if (!s)
			return -ENOMEM;
		next->sources[next->n_sources++] = s;
	}
	return 0;
}

static bool
is_old(const struct flow *f, const struct live *s)
{
	for (size_t i = 0; i < f->n_sources; i++)
		if (f->sources[i] == s)
			return true;
	return false;
}

/* The new set will not be: undo what was made for it. */
static void
abandon(struct flow *f, struct next *next)
{
	for (size_t i = 0; i < next->n_sources; i++)
		if (!is_old(f, next->sources[i]))
			live_free(next->sources[i]);
	for (size_t i = 0; i < next->n_sinks; i++)
		if (next->sink_new[i])
			flow_dismiss(f, next->sinks[i]);
}

static const struct instance_setting *
setting_named(const struct settings *set, const char *name)
{
	for (size_t i = 0; i < set->n_instances; i++)
		if (!strcmp(set->instances[i].name, name))
			return &set->instances[i];
	return NULL;
}

/* From here on nothing fails. */
static void
take_over(struct flow *f, struct settings *set, struct next *next)
{
	struct live **old_sources = f->sources;
	struct sink **old_sinks = f->sinks;
	size_t n_sources = f->n_sources, n_sinks = f->n_sinks;

	/* Rows made under the old routes go where the old routes say. */
	flow_collect(f);
	for (size_t i = 0; i < n_sources; i++)
		if (!next->source_kept[i])
			live_free(old_sources[i]);
	/* A store that changed lets go of its path now; its successor's worker waits for that, the loop
	 * does not. */
	for (size_t i = 0; i < n_sinks; i++)
		if (!next->sink_kept[i])
			flow_dismiss(f, old_sinks[i]);
	for (size_t i = 0; i < next->n_sources; i++)
		live_adopt(next->sources[i], setting_named(set, next->sources[i]->setting->name));
	for (size_t i = 0; i < next->n_sinks; i++)
		sink_adopt(next->sinks[i], setting_named(set, sink_name(next->sinks[i])));
	f->sources = next->sources;
	f->n_sources = next->n_sources;
	f->sinks = next->sinks;
	f->n_sinks = next->n_sinks;
	next->sources = NULL;
	next->sinks = NULL;
	free(old_sources);
	free(old_sinks);
	struct settings *old = f->set;

	f->set = settings_keep(set);
	f->generation++;
	f->reloads++;
	settings_release(old);
}

static int
swap(struct flow *f, struct settings *set, struct text *verdict)
{
	struct next next = { 0 };
	struct weir_err err = { 0 };
	size_t before = f->n_sources;
	int rc = next_alloc(f, set, &next);

	if (!rc)
		rc = build_sinks(f, set, &next, &err);
	if (!rc)
		rc = build_sources(f, set, &next);
	if (rc) {
		text_printf(verdict, "%s\n", err.text[0] ? err.text : "out of memory");
		abandon(f, &next);
	} else {
		take_over(f, set, &next);
		text_printf(verdict, "reloaded: %zu samplers (%zu before), %zu sinks\n", f->n_sources,
			before, f->n_sinks);
	}
	next_free(&next);
	ticks_arm(f);
	return rc;
}

int
flow_reload(struct flow *f, struct text *verdict)
{
	struct report *report = report_new();
	struct settings *set = NULL;
	struct weir_err err = { 0 };

	notify_send("RELOADING=1\nMONOTONIC_USEC=%lld", (long long)(clock_mono_ns() / 1000));
	int rc = report ? settings_load(f->set->path,
						  f->set->program.host && *f->set->program.host ? NULL : f->set->host,
						  &f->registry, report, &set, &err)
					: -ENOMEM;

	if (rc)
		text_printf(verdict, "%s\n", err.text[0] ? err.text : "out of memory");
	bool fixed = !rc && strcmp(set->signature, f->set->signature);

	if (fixed)
		text_add(verdict,
			"cluster, host, state, control, http, log and plugins change with a restart only\n");
	if (!rc && report_errors(report))
		report_print(report, verdict);
	if (!rc && (fixed || report_errors(report)))
		rc = -EINVAL;
	if (!rc)
		rc = swap(f, set, verdict);
	report_free(report);
	settings_release(set);
	if (rc) {
		f->reload_failures++;
		log_line(f->log, LOG_LEVEL_ERROR, "", "reload refused, the old configuration stays: %.*s",
			(int)strcspn(verdict->data ? verdict->data : "", "\n"),
			verdict->data ? verdict->data : "");
	} else {
		log_line(f->log, LOG_LEVEL_INFO, "", "configuration reloaded");
	}
	notify_send("READY=1\nSTATUS=%zu sources, %zu sinks", f->n_sources, f->n_sinks);
	flow_settle(f);
	return rc;
}
