/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP for monitoring systems: /metrics and /healthz. Read only; loopback unless the configuration
 * says otherwise. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include "flow/flow.h"

struct http {
	struct flow *flow;
	struct evhttp *server;
};

static void
reply(struct evhttp_request *request, int code, const char *reason, const char *type,
	const char *body, size_t size)
{
	struct evbuffer *out = evbuffer_new();

	if (!out) {
		evhttp_send_error(request, HTTP_INTERNAL, NULL);
		return;
	}
	evbuffer_add(out, body, size);
	evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", type);
	evhttp_add_header(
		evhttp_request_get_output_headers(request), "X-Content-Type-Options", "nosniff");
	evhttp_send_reply(request, code, reason, out);
	evbuffer_free(out);
}

static void
metrics(struct evhttp_request *request, void *argument)
{
	struct http *http = argument;
	struct text text = { 0 };

	status_metrics(http->flow, &text);
	if (text.failed)
		evhttp_send_error(request, HTTP_INTERNAL, NULL);
	else
		reply(request, HTTP_OK, "OK", "text/plain; version=0.0.4; charset=utf-8", text.data,
			text.size);
	text_free(&text);
}

/* Healthy means that every sink takes rows; 503 else, with the reason. */
static void
healthz(struct evhttp_request *request, void *argument)
{
	struct http *http = argument;
	struct text text = { 0 };

	for (size_t i = 0; i < http->flow->n_sinks; i++) {
		struct sink_counts c;

		sink_counts(http->flow->sinks[i], &c);
		if (c.fault[0])
			text_printf(&text, "%s: %s\n", sink_name(http->flow->sinks[i]), c.fault);
	}
	bool good = !text.size;

	if (good)
		text_add(&text, "ok\n");
	reply(request, good ? HTTP_OK : HTTP_SERVUNAVAIL, good ? "OK" : "Service Unavailable",
		"text/plain; charset=utf-8", text.data, text.size);
	text_free(&text);
}

static void
not_found(struct evhttp_request *request, void *argument)
{
	(void)argument;
	reply(request, HTTP_NOTFOUND, "Not Found", "text/plain; charset=utf-8",
		"/metrics and /healthz\n", 22);
}

struct http *
http_open(struct flow *f, const char *address, struct weir_err *err)
{
	struct http *http = calloc(1, sizeof(*http));
	const char *colon = strrchr(address, ':');
	char host[256];
	size_t length = colon ? (size_t)(colon - address) : 0;

	if (!http || !colon || length >= sizeof(host)) {
		free(http);
		weir_failx(err, -EINVAL, "http: '%s' is not HOST:PORT", address);
		return NULL;
	}
	/* [::1]:9464 */
	bool brackets = length > 2 && address[0] == '[' && address[length - 1] == ']';

	memcpy(host, address + brackets, length - 2 * brackets);
	host[length - 2 * brackets] = '\0';
	http->flow = f;
	http->server = evhttp_new(f->base);
	if (!http->server ||
		evhttp_bind_socket(http->server, host, (uint16_t)strtoul(colon + 1, NULL, 10))) {
		weir_fail(err, errno ? -errno : -EADDRINUSE, "http: cannot listen on '%s'", address);
		http_close(http);
		return NULL;
	}
	evhttp_set_allowed_methods(http->server, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(http->server, 8 << 10);
	evhttp_set_max_body_size(http->server, 0);
	evhttp_set_timeout(http->server, 10);
	evhttp_set_cb(http->server, "/metrics", metrics, http);
	evhttp_set_cb(http->server, "/healthz", healthz, http);
	evhttp_set_gencb(http->server, not_found, http);
	return http;
}

void
http_close(struct http *http)
{
	if (!http)
		return;
	if (http->server)
		evhttp_free(http->server);
	free(http);
}
