/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening counters. Each event is tried alone on one CPU, so that one that does not exist costs its
 * cell and nothing else; what is left is laid out in groups and opened on all CPUs. Groups are
 * opened disabled and started as a whole.
 */
#include "perf.h"

#include <errno.h>
#include <stdlib.h>

bool
perf_set_due(struct perf *p, struct perf_set *set)
{
	return weir_due(p->ctx, &set->retry, (set->state == PERF_REFUSED ? 600 : 60) * WEIR_SECOND);
}

static bool
make_room(struct perf_set *set, struct perf_place *place)
{
	if (place->count)
		return true;
	struct perf_count *count = calloc(set->all, sizeof(*count));
	struct perf_clock *clock = calloc(set->all, sizeof(*clock));

	if (!count || !clock) {
		free(count);
		free(clock);
		return false;
	}
	for (size_t i = 0; i < set->all; i++)
		count[i].fd = -1;
	place->count = count;
	place->clock = clock;
	return true;
}

void
perf_place_close(struct perf *p, struct perf_set *set, struct perf_place *place)
{
	/*
	 * Members before their leader: else the kernel makes each of them a group of its own for a
	 * moment.
	 */
	for (size_t i = place->count ? set->all : 0; i-- > 0;) {
		if (place->count[i].fd >= 0)
			p->system->close(p->system->closure, place->count[i].fd);
		place->count[i].fd = -1;
		place->count[i].fresh = false;
	}
	place->open = place->asked = false;
}

static int
open_member(struct perf *p, struct perf_set *set, struct perf_place *place, size_t i, int leader)
{
	int fd = perf_event_open_on(p, &set->event[i], place->cpu, leader);

	if (fd < 0)
		return fd;
	place->count[i].fd = fd;
	place->count[i].last = 0;
	return p->system->identify(p->system->closure, fd, &place->count[i].id);
}

/* The totals of an earlier opening go on; what the kernel counts starts at zero. */
int
perf_place_open(struct perf *p, struct perf_set *set, struct perf_place *place, size_t *failed)
{
	int rc = make_room(set, place) ? 0 : -ENOMEM;

	*failed = 0;
	for (size_t g = 0; !rc && g < set->groups; g++) {
		place->clock[g] = (struct perf_clock){ .enabled = 0 };
		for (size_t first = set->first[g], i = first; !rc && i < set->first[g + 1]; i++) {
			rc = open_member(p, set, place, i, i == first ? -1 : place->count[first].fd);
			*failed = i;
		}
	}
	for (size_t g = 0; !rc && g < set->groups; g++)
		rc = p->system->enable(p->system->closure, place->count[set->first[g]].fd, true);
	if (rc)
		perf_place_close(p, set, place);
	place->open = !rc;
	place->error = rc;
	return rc;
}

/* An error that strikes all events of a set, not one of them. */
static void
fail_all(struct perf *p, struct perf_set *set, uint32_t cpu, int error)
{
	for (size_t i = 0; i < set->n; i++)
		set->state = perf_judge(p, set, &set->event[i], cpu, error);
	for (size_t i = 0; i < set->places; i++)
		set->place[i].error = error;
	set->retry = 0;
	(void)perf_set_due(p, set);
}

/* False: nothing of the set can be opened now. */
static bool
try_alone(struct perf *p, struct perf_set *set, uint32_t cpu)
{
	int slots = -1, error = 0;

	for (size_t i = 0; !error && i < set->n;) {
		struct perf_event *event = &set->event[i];
		int fd = perf_event_open_on(p, event, cpu, event->flags & PERF_METRIC ? slots : -1);

		if (fd < 0) {
			if (perf_judge(p, set, event, cpu, fd) == PERF_DEAD)
				perf_event_out(set, i);
			else
				error = fd;
			continue;
		}
		if (event->flags & PERF_SLOTS)
			slots = fd;
		else
			p->system->close(p->system->closure, fd);
		i++;
	}
	if (slots >= 0)
		p->system->close(p->system->closure, slots);
	if (error)
		fail_all(p, set, cpu, error);
	else if (!set->n)
		set->state = PERF_DEAD;
	return !error && set->n;
}

/*
 * The kernel refuses a member when its group as a whole can never be on the counters: then a new
 * group begins with it.
 */
static int
fit(struct perf *p, struct perf_set *set, struct perf_place *place)
{
	size_t failed;
	int rc;

	perf_layout(set, set->counters);
	while ((rc = perf_place_open(p, set, place, &failed)) == -EINVAL && set->n) {
		bool leads = false;

		for (size_t g = 0; g < set->groups; g++)
			leads |= set->first[g] == failed;
		if (!leads && !(set->event[failed].flags & PERF_METRIC)) {
			perf_split(set, failed);
			continue;
		}
		perf_judge(p, set, &set->event[failed], place->cpu, rc);
		perf_event_out(set, failed);
		perf_layout(set, set->counters);
	}
	return rc;
}

static void
withdraw(struct perf *p, struct perf_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		if (set->event[i].reported)
			weir_capability(p->ctx, set->event[i].item, WEIR_OK, "counted");
		set->event[i].reported = false;
	}
}

void
perf_set_start(struct perf *p, struct perf_set *set)
{
	struct perf_place *place = set->place;

	if (!set->n) {
		set->state = PERF_DEAD;
		return;
	}
	while (place < set->place + set->places && !place->online)
		place++;
	if (place == set->place + set->places || !try_alone(p, set, place->cpu))
		return;
	int rc = fit(p, set, place);

	if (!set->n) {
		set->state = PERF_DEAD;
	} else if (rc) {
		fail_all(p, set, place->cpu, rc);
	} else {
		set->state = PERF_OPEN;
		for (size_t i = 0; i < set->places; i++)
			set->place[i].error = 0;
		withdraw(p, set);
		perf_set_mend(p, set);
	}
}

void
perf_set_mend(struct perf *p, struct perf_set *set)
{
	bool failed_before = false, fails = false, mended = false;

	for (size_t i = 0; i < set->places; i++)
		failed_before |= set->place[i].online && set->place[i].error;
	bool again = failed_before && perf_set_due(p, set);

	for (size_t i = 0; i < set->places; i++) {
		struct perf_place *place = &set->place[i];
		size_t failed;

		if (!place->online || place->open || (place->error && !again))
			continue;
		int rc = perf_place_open(p, set, place, &failed);

		if (rc)
			perf_judge(p, set, &set->event[failed], place->cpu, rc);
		fails |= rc != 0;
		mended |= !rc;
	}
	if (fails && !again) {
		set->retry = 0;
		(void)perf_set_due(p, set);
	}
	if (mended && !fails)
		withdraw(p, set);
}

void
perf_set_enable(struct perf *p, struct perf_set *set, bool on)
{
	for (size_t i = 0; i < set->places; i++) {
		struct perf_place *place = &set->place[i];
		int rc = 0;

		for (size_t g = 0; place->open && !rc && g < set->groups; g++)
			rc = p->system->enable(p->system->closure, place->count[set->first[g]].fd, on);
		/* A group that does not start or stop is closed: it is opened anew when its time comes. */
		if (rc)
			perf_place_close(p, set, place);
		place->asked = false;
	}
}
