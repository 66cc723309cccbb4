/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of `capability` out of what an instance filed. */
#include "plugin/capability.h"

#include <stdlib.h>
#include <string.h>

#include "data/self.h"

const char *
capability_status_name(enum weir_status status)
{
	static const char *const names[] = {
		[WEIR_OK] = "ok", [WEIR_ABSENT] = "absent", [WEIR_REFUSED] = "refused", [WEIR_UNSUPPORTED] = "unsupported",
		[WEIR_UNKNOWN_KEYS] = "unknown_keys", [WEIR_FAILED] = "failed",
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
