/* SPDX-License-Identifier: Apache-2.0 */
/* The process's life: state folder, start, loop, stop. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "flow/live.h"

/* ---- the state folder ---- */

static void
without_state(struct flow *f, const char *why)
{
	f->state_fault = strdup(why);
	log_line(f->log, LOG_LEVEL_WARNING, "",
		"running without a state folder: %s; rejects and what must outlive a restart are lost, and "
		"there is no control socket unless 'control' names one",
		why);
}

/* Taken by another: that is an error. Not writable at all: the agent runs on without (diskless,
 * read-only root). */
static int
open_state(struct flow *f, struct weir_err *err)
{
	struct weir_err why = { 0 };
	const char *path = f->set->program.state;

	if (!path || !*path) {
		without_state(f, "none is configured");
		return 0;
	}
	if (fs_make_folder(path, 0750, &why)) {
		without_state(f, why.text);
		return 0;
	}
	char *lock = fs_join(path, "lock");
	int fd = lock ? fs_lock(lock, f->origin.host, &why) : -ENOMEM;

	free(lock);
	if (fd == -EBUSY) {
		if (err)
			*err = why;
		return -EBUSY;
	}
	if (fd < 0) {
		without_state(f, why.text);
		return 0;
	}
	f->state_lock = fd;
	f->state = strdup(path);
	return f->state ? 0 : weir_fail(err, -ENOMEM, "cannot start");
}

/* ---- start ---- */

static uint64_t
new_incarnation(int64_t now)
{
	uint64_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
		random = (uint64_t)getpid() * 2654435761u ^ (uint64_t)clock_mono_ns();
	/* Seconds above, so that incarnations of a host sort by time; 31 random bits below; positive as
	 * a signed number. */
	return ((uint64_t)(now / 1000000) << 31 | (random & 0x7fffffff)) & INT64_MAX;
}

static void
wake_up(evutil_socket_t fd, short what, void *argument)
{
	struct flow *f = argument;
	uint64_t count;

	(void)what;
	while (read(fd, &count, sizeof(count)) > 0)
		continue;
	for (size_t i = 0; i < f->n_sources; i++)
		if (f->sources[i]->way == LIVE_THREAD)
			runner_drain(f->sources[i]);
	flow_reap(f, 0);
	flow_settle(f);
}

static int
open_loop(struct flow *f, struct weir_err *err)
{
	struct event_config *config = event_config_new();

	if (config) {
		event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
		event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
		f->base = event_base_new_with_config(config);
		event_config_free(config);
	}
	f->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f->wake = f->base && f->wake_fd >= 0
				  ? event_new(f->base, f->wake_fd, EV_READ | EV_PERSIST, wake_up, f)
				  : NULL;
	if (!f->wake || event_add(f->wake, NULL))
		return weir_failx(err, -ENOMEM, "cannot make the event loop");
	return 0;
}

static int
open_sinks(struct flow *f, struct weir_err *err)
{
	for (size_t i = 0; i < f->set->n_instances; i++) {
		const struct instance_setting *in = &f->set->instances[i];

		if (in->kind != WEIR_STORE)
			continue;
		struct sink *sink = sink_open(in, &f->world, NULL, err);

		if (!sink) {
			struct weir_err inner = *err;

			return weir_failx(
				err, inner.code ? inner.code : -EIO, "store '%s': %s", in->name, inner.text);
		}
		f->sinks[f->n_sinks++] = sink;
		int rc = sink_start(sink, err);

		if (rc)
			return rc;
	}
	return 0;
}

static int
open_sources(struct flow *f, struct weir_err *err)
{
	for (size_t i = 0; i < f->set->n_instances; i++) {
		if (f->set->instances[i].kind != WEIR_SAMPLER)
			continue;
		struct live *s = live_new(f, &f->set->instances[i]);

		if (!s)
			return weir_fail(err, -ENOMEM, "cannot make sampler '%s'", f->set->instances[i].name);
		f->sources[f->n_sources++] = s;
	}
	return 0;
}

static int
open_doors(struct flow *f, struct weir_err *err)
{
	struct weir_err why = { 0 };

	/* Without the control socket an agent still does its work; a socket that was asked for by name
	 * must be had. */
	if (f->state || f->set->program.control) {
		f->control = control_open(f, f->set->control, &why);
		if (!f->control && f->set->program.control) {
			*err = why;
			return why.code;
		}
		if (!f->control)
			log_line(f->log, LOG_LEVEL_WARNING, "", "no control socket: %s", why.text);
	}
	if (f->set->program.http && strcmp(f->set->program.http, "off")) {
		f->http = http_open(f, f->set->program.http, err);
		if (!f->http)
			return err->code;
	}
	return 0;
}

struct flow *
flow_new(struct settings *set, struct registry *registry, struct log *log, struct weir_err *err)
{
	struct flow *f = calloc(1, sizeof(*f));
	int rc = f ? 0 : weir_fail(err, -ENOMEM, "cannot start");

	if (!f)
		return NULL;
	f->set = settings_keep(set);
	f->registry = registry;
	f->log = log;
	f->keeper = keeper_new();
	f->started = clock_wall_us();
	f->state_lock = f->timer_fd = f->wake_fd = -1;
	f->next_tick = INT64_MAX;
	f->generation = 1;
	f->sources = calloc(set->n_instances + 1, sizeof(*f->sources));
	f->sinks = calloc(set->n_instances + 1, sizeof(*f->sinks));
	if (!f->keeper || !f->sources || !f->sinks)
		rc = weir_fail(err, -ENOMEM, "cannot start");
	if (!rc) {
		f->origin = (struct origin){ keeper_text(f->keeper, set->program.cluster),
			keeper_text(f->keeper, set->host), "weir", new_incarnation(f->started) };
		rc = open_state(f, err);
	}
	if (!rc)
		rc = open_loop(f, err);
	f->world = (struct sink_world){ &f->origin, f->state, f->keeper, f->log, f->wake_fd };
	if (!rc && !(f->self = self_new(f)))
		rc = weir_fail(err, -ENOMEM, "cannot start");
	if (!rc)
		rc = open_sinks(f, err);
	if (!rc)
		rc = open_sources(f, err);
	if (!rc)
		rc = open_doors(f, err);
	if (rc) {
		flow_free(f);
		return NULL;
	}
	return f;
}

/* ---- loop and stop ---- */

static void
on_stop_signal(evutil_socket_t number, short what, void *argument)
{
	struct flow *f = argument;

	(void)what;
	log_line(
		f->log, LOG_LEVEL_INFO, "", "stopping on %s", number == SIGTERM ? "SIGTERM" : "SIGINT");
	event_base_loopbreak(f->base);
}

static void
on_reload_signal(evutil_socket_t number, short what, void *argument)
{
	struct text verdict = { 0 };

	(void)number;
	(void)what;
	(void)flow_reload(argument, &verdict);
	text_free(&verdict);
}

static void
on_watchdog(evutil_socket_t number, short what, void *argument)
{
	(void)number;
	(void)what;
	(void)argument;
	notify_send("WATCHDOG=1");
}

/*
 * Sources first, then what stands in builders, then the stores, all within stop_timeout. The
 * equation is checked last, when nothing moves any more.
 */
static int
drain(struct flow *f)
{
	int64_t deadline = clock_mono_ns() + f->set->program.stop_timeout;

	notify_send("STOPPING=1");
	f->stopping = true;
	ticks_stop(f);
	for (size_t i = 0; i < f->n_sources; i++)
		if (f->sources[i]->way == LIVE_THREAD)
			runner_drain(f->sources[i]);
	self_report(f, true);
	flow_collect(f);
	for (size_t i = 0; i < f->n_sources; i++)
		live_free(f->sources[i]);
	f->n_sources = 0;
	/* What the sources said while they ended. */
	flow_collect(f);
	while (f->n_sinks)
		flow_dismiss(f, f->sinks[--f->n_sinks]);
	flow_reap(f, deadline);
	struct sink_counts sum;

	flow_totals(f, &sum);
	bool holds = counts_conserved(&sum);

	log_line(f->log, holds ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "",
		"produced %llu = stored %llu + queued %llu + spooled %llu + dropped %llu rows%s",
		(unsigned long long)sum.produced, (unsigned long long)sum.stored,
		(unsigned long long)sum.queued, (unsigned long long)sum.spooled,
		(unsigned long long)counts_dropped(&sum), holds ? "" : ": THE EQUATION DOES NOT HOLD");
	return holds ? 0 : 1;
}

/*
 * Blocked from the start of the program on and again once the loop has ended, so that a stop during
 * a start is not lost and a second one during the stop is not a death.
 */
static void
let_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(how, &set, NULL);
}

int
flow_run(struct flow *f)
{
	struct weir_err err = { 0 };
	struct event *signals[] = {
		evsignal_new(f->base, SIGTERM, on_stop_signal, f),
		evsignal_new(f->base, SIGINT, on_stop_signal, f),
		evsignal_new(f->base, SIGHUP, on_reload_signal, f),
		event_new(f->base, -1, EV_PERSIST, on_watchdog, f),
	};
	int64_t watchdog = notify_watchdog();
	struct timeval every = { watchdog / WEIR_SECOND, watchdog % WEIR_SECOND / 1000 };

	for (size_t i = 0; i < 3; i++)
		event_add(signals[i], NULL);
	if (watchdog)
		event_add(signals[3], &every);
	int rc = ticks_start(f, &err);

	if (rc) {
		log_line(f->log, LOG_LEVEL_ERROR, "", "%s", err.text);
	} else {
		log_line(f->log, LOG_LEVEL_INFO, "",
			"running as '%s' of cluster '%s': %zu sources, %zu sinks", f->origin.host,
			f->origin.cluster, f->n_sources, f->n_sinks);
		notify_send("READY=1\nSTATUS=%zu sources, %zu sinks", f->n_sources, f->n_sinks);
		let_signals(SIG_UNBLOCK);
		event_base_dispatch(f->base);
		let_signals(SIG_BLOCK);
	}
	int bad = drain(f);

	for (size_t i = 0; i < 4; i++)
		event_free(signals[i]);
	return rc ? 1 : bad;
}

void
flow_free(struct flow *f)
{
	if (!f)
		return;
	ticks_stop(f);
	for (size_t i = 0; i < f->n_sources; i++)
		live_free(f->sources[i]);
	while (f->n_sinks)
		flow_dismiss(f, f->sinks[--f->n_sinks]);
	flow_reap(f, clock_mono_ns() + WEIR_SECOND);
	free(f->leaving);
	control_close(f->control);
	http_close(f->http);
	self_free(f->self);
	if (f->wake)
		event_free(f->wake);
	if (f->wake_fd >= 0 && !f->abandoned)
		close(f->wake_fd);
	if (f->base)
		event_base_free(f->base);
	if (f->state_lock > 0)
		close(f->state_lock);
	if (!f->abandoned)
		free(f->state);
	free(f->state_fault);
	free(f->sources);
	free(f->sinks);
	settings_release(f->set);
	if (f->abandoned) /* a thread that hangs may still come back to names and descriptors */
		return;
	keeper_free(f->keeper);
	free(f);
}
