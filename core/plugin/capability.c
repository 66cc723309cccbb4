/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of `capability` out of what an instance filed. */
#include "plugin/capability.h"

#include <stdlib.h>
#include <string.h>

#include "data/self.h"

#define EVERYTHING_EVERY (3600 * WEIR_SECOND)

const char *
capability_status_name(enum weir_status status)
{
	static const char *const names[] = {
		[WEIR_OK] = "ok",
		[WEIR_ABSENT] = "absent",
		[WEIR_REFUSED] = "refused",
		[WEIR_UNSUPPORTED] = "unsupported",
		[WEIR_UNKNOWN_KEYS] = "unknown_keys",
		[WEIR_FAILED] = "failed",
	};

	return status <= WEIR_FAILED ? names[status] : "failed";
}

bool
capability_changed(const struct weir_ctx *ctx)
{
	for (const struct capability *c = ctx->capabilities; c; c = c->next)
		if (c->changed)
			return true;
	return false;
}

void
capability_rows(struct weir_ctx *ctx, struct builder *b, int64_t time, bool all)
{
	for (struct capability **at = &ctx->capabilities, *c; (c = *at);) {
		if (c->changed || all) {
			struct weir_row *row = builder_row(b, time);

			weir_set_text(row, CAPABILITY_SOURCE, ctx->origin.source);
			weir_set_text(row, CAPABILITY_ITEM, c->item);
			weir_set_text(row, CAPABILITY_STATUS, capability_status_name(c->status));
			weir_set_text(row, CAPABILITY_REASON, c->reason ? c->reason : "");
			c->changed = false;
		}
		if (c->status == WEIR_OK) {
			*at = c->next;
			free(c->item);
			free(c->reason);
			free(c);
		} else {
			at = &c->next;
		}
	}
}

size_t
capability_collect(struct weir_ctx *ctx, struct builder **b, int64_t *due)
{
	if (!ctx->capabilities)
		return 0;
	bool all = weir_due(ctx, due, EVERYTHING_EVERY);

	if (!all && !capability_changed(ctx))
		return 0;
	if (!*b)
		*b = builder_new(&self_capability, weir_schema_fingerprint(&self_capability), &ctx->origin);
	if (!*b) {
		*due = 0; /* out of memory: all of it with the next tick */
		return 0;
	}
	size_t before = builder_rows(*b);

	capability_rows(ctx, *b, ctx->now, all);
	return builder_rows(*b) - before;
}
