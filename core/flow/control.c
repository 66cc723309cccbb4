/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: a Unix socket of mode 0600. A connection sends one line and gets an answer:
 * "ok" or "error SENTENCE" on the first line, then the text; a tap goes on until either side
 * closes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "data/print.h"
#include "flow/flow.h"
#include "flow/request.h"
#include "flow/routes.h"

enum { CONNECTIONS_MOST = 32, TAP_BEHIND_MOST = 4 << 20 };

struct connection {
	struct connection *next;
	struct control *control;
	struct bufferevent *stream;
	struct request *request; /* of a tap */
	struct printer printer;
	bool closing;
	uint64_t lost; /* rows that a slow reader missed */
};

struct control {
	struct flow *flow;
	struct evconnlistener *listener;
	char *path;
	struct connection *first;
	size_t n;
};

static void
close_connection(struct connection *c)
{
	struct control *control = c->control;

	for (struct connection **at = &control->first; *at; at = &(*at)->next)
		if (*at == c) {
			*at = c->next;
			break;
		}
	if (c->request)
		control->flow->taps--;
	if (c->lost)
		log_line(control->flow->log, LOG_LEVEL_INFO, "", "a tap was too slow and missed %llu rows",
			(unsigned long long)c->lost);
	control->n--;
	bufferevent_free(c->stream);
	free(c->request);
	free(c);
}

static void
on_written(struct bufferevent *stream, void *argument)
{
	struct connection *c = argument;

	if (c->closing && !evbuffer_get_length(bufferevent_get_output(stream)))
		close_connection(c);
}

static void
on_event(struct bufferevent *stream, short what, void *argument)
{
	(void)stream;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT))
		close_connection(argument);
}

static void
answer(struct connection *c, int rc, const struct text *text)
{
	struct evbuffer *out = bufferevent_get_output(c->stream);

	evbuffer_add_printf(out, "%s\n", rc ? "error" : "ok");
	if (text->size)
		evbuffer_add(out, text->data, text->size);
	c->closing = true;
	bufferevent_disable(c->stream, EV_READ);
}

static void
serve(struct connection *c, const char *line, size_t size)
{
	struct flow *f = c->control->flow;
	struct request *r = malloc(sizeof(*r));
	struct weir_err err = { 0 };
	struct text text = { 0 };
	int rc = r ? request_parse(line, size, r, &err) : -ENOMEM;

	if (rc) {
		text_printf(&text, "%s\n", err.text);
	} else if (r->verb == REQUEST_TAP) {
		evbuffer_add_printf(bufferevent_get_output(c->stream), "ok\n");
		bufferevent_set_timeouts(c->stream, NULL, NULL);
		c->request = r;
		c->printer.format = r->format;
		f->taps++;
		return;
	} else if (r->verb == REQUEST_RELOAD) {
		rc = flow_reload(f, &text);
	} else {
		(r->verb == REQUEST_STATUS ? status_text : status_json)(f, &text);
	}
	answer(c, rc, &text);
	text_free(&text);
	free(r);
}

static void
on_readable(struct bufferevent *stream, void *argument)
{
	struct connection *c = argument;
	struct evbuffer *in = bufferevent_get_input(stream);
	size_t size;

	if (c->request || c->closing) {
		evbuffer_drain(in, evbuffer_get_length(in));
		return;
	}
	char *line = evbuffer_readln(in, &size, EVBUFFER_EOL_LF);

	if (line) {
		serve(c, line, size);
		free(line);
	} else if (evbuffer_get_length(in) >= REQUEST_MOST) {
		close_connection(c);
	}
}

static void
on_connection(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
	int length, void *argument)
{
	struct control *control = argument;
	struct connection *c = control->n < CONNECTIONS_MOST ? calloc(1, sizeof(*c)) : NULL;
	struct timeval patience = { 10, 0 };

	(void)listener;
	(void)address;
	(void)length;
	if (c)
		c->stream = bufferevent_socket_new(control->flow->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!c || !c->stream) {
		close(fd);
		free(c);
		return;
	}
	c->control = control;
	c->next = control->first;
	control->first = c;
	control->n++;
	bufferevent_setcb(c->stream, on_readable, on_written, on_event, c);
	bufferevent_setwatermark(c->stream, EV_READ, 0, 2 * REQUEST_MOST);
	bufferevent_set_timeouts(c->stream, &patience, &patience);
	bufferevent_enable(c->stream, EV_READ | EV_WRITE);
}

/* A reader that does not keep up loses rows, never the agent's memory. */
void
control_tap(struct control *control, const struct weir_batch *b)
{
	struct text text = { 0 };

	for (struct connection *c = control ? control->first : NULL; c; c = c->next) {
		struct evbuffer *out = bufferevent_get_output(c->stream);

		if (!c->request || !routes_schema_selected(c->request->pattern, b->schema->name))
			continue;
		if (evbuffer_get_length(out) > TAP_BEHIND_MOST) {
			c->lost += b->rows;
			continue;
		}
		text.size = 0;
		print_batch(&c->printer, &text, b);
		evbuffer_add(out, text.data, text.size);
	}
	text_free(&text);
}

/* A socket file without a listener is a leftover; one that answers belongs to a running agent. */
static int
clear_leftover(const char *path, const struct sockaddr_un *address, struct weir_err *err)
{
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : weir_fail(err, -errno, "cannot look at '%s'", path);
	if (!S_ISSOCK(st.st_mode))
		return weir_failx(err, -EEXIST, "'%s' is in the way: it is no socket", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool alive = fd >= 0 && !connect(fd, (const struct sockaddr *)address, sizeof(*address));

	if (fd >= 0)
		close(fd);
	if (alive)
		return weir_failx(err, -EBUSY, "another agent listens on '%s'", path);
	return unlink(path) ? weir_fail(err, -errno, "cannot remove '%s'", path) : 0;
}

static int
listen_on(const char *path, struct weir_err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return weir_failx(err, -ENAMETOOLONG,
			"'%s' is too long for a socket (at most %zu bytes): set 'control'", path,
			sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path));
	int rc = clear_leftover(path, &address, err);

	if (rc)
		return rc;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask = umask(0177);

	if (fd >= 0 && (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 16))) {
		rc = -errno;
		close(fd);
		fd = rc;
	} else if (fd < 0) {
		fd = -errno;
	}
	umask(mask);
	return fd < 0 ? weir_fail(err, fd, "cannot listen on '%s'", path) : fd;
}

struct control *
control_open(struct flow *f, const char *path, struct weir_err *err)
{
	struct control *control = calloc(1, sizeof(*control));
	int fd =
		control ? listen_on(path, err) : weir_fail(err, -ENOMEM, "cannot listen on '%s'", path);

	if (fd < 0) {
		free(control);
		return NULL;
	}
	control->flow = f;
	control->path = strdup(path);
	control->listener =
		evconnlistener_new(f->base, on_connection, control, LEV_OPT_CLOSE_ON_FREE, -1, fd);
	if (!control->listener || !control->path) {
		weir_fail(err, -ENOMEM, "cannot listen on '%s'", path);
		control_close(control);
		return NULL;
	}
	return control;
}

void
control_close(struct control *control)
{
	if (!control)
		return;
	while (control->first)
		close_connection(control->first);
	if (control->listener)
		evconnlistener_free(control->listener);
	if (control->path)
		(void)unlink(control->path);
	free(control->path);
	free(control);
}
