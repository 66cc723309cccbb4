/* SPDX-License-Identifier: Apache-2.0 */
/* A sampler where no event loop runs. */
#include "plugin/polled.h"

#include <errno.h>

static int
watch(void *closure, int fd, struct weir_err *err)
{
	struct polled *p = closure;

	if (p->n == POLLED_MOST)
		return weir_failx(err, -EMFILE, "too many descriptors to watch");
	p->watched[p->n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	return 0;
}

static void
unwatch(void *closure, int fd)
{
	struct polled *p = closure;

	for (nfds_t i = 0; i < p->n; i++)
		if (p->watched[i].fd == fd)
			p->watched[i--] = p->watched[--p->n];
}

struct instance_host
polled_host(struct polled *p)
{
	return (struct instance_host){ .watch = watch, .unwatch = unwatch, .closure = p };
}

int
polled_call(struct polled *p, struct weir_ctx *ctx, struct weir_err *err)
{
	const struct weir_plugin *plugin = ctx->plugin;
	int rc = 0;

	if (plugin->sampler.sample)
		rc = plugin->sampler.sample(ctx->state, &ctx->out, err);
	for (nfds_t i = 0; !rc && i < p->n; i++)
		if (plugin->sampler.event && poll(&p->watched[i], 1, 0) > 0)
			rc = plugin->sampler.event(ctx->state, p->watched[i].fd, &ctx->out, err);
	return rc;
}
