/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of samplers: ticks of two instances side by side, closed in either order. */
#include "plugin/conform.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/polled.h"

enum { TICKS = 3 };

/* An instance and the descriptors that it wants watched. */
struct sampled {
	struct weir_ctx *ctx;
	struct polled polled;
	size_t said; /* rows, reasons or sentences */
};

static struct sampled *
begin(struct conform *t, const char *source)
{
	struct sampled *s = calloc(1, sizeof(*s));
	struct weir_err err = { 0 };

	if (s)
		s->ctx = conform_instance(t, source, NULL);
	if (s && s->ctx) {
		s->ctx->host = polled_host(&s->polled);
		if (!instance_open(s->ctx, &err))
			return s;
		conform_check(t, false, "open of instance '%s' failed: %s", source, err.text);
		instance_free(s->ctx);
	}
	free(s);
	return NULL;
}

static void
end(struct sampled *s)
{
	instance_free(s->ctx);
	free(s);
}

/* One tick; its rows to `out`. */
static void
tick(struct conform *t, struct sampled *s, int number, struct text *out)
{
	struct weir_err err = { 0 };
	size_t before = out->size;

	instance_begin(s->ctx, CONFORM_TIME + number * INT64_C(1000000));
	int rc = instance_end(s->ctx, polled_call(&s->polled, s->ctx, &err), &err);

	conform_take_rows(s->ctx, out);
	for (const struct capability *c = s->ctx->capabilities; c; c = c->next)
		s->said++;
	s->said += out->size > before || ((rc == -ENODATA || rc == -EAGAIN) && err.text[0]);
	if (rc && rc != -ENODATA && rc != -EAGAIN)
		conform_check(t, false, "tick %d of '%s' failed: %s", number, s->ctx->origin.source,
			err.text[0] ? err.text : strerror(-rc));
}

/* Under a root nothing changes between two instances but their name. */
static void
compare(struct conform *t, const struct text *a, const struct text *b)
{
	bool same = a->size == b->size && (!a->size || !memcmp(a->data, b->data, a->size));

	if (t->root[0])
		conform_check(t, same, "both instances make the same rows of the same tree");
}

static void
ticks(struct conform *t, struct sampled *a, struct sampled *b)
{
	struct text of_a = { 0 }, of_b = { 0 };
	unsigned faults = t->faults;

	for (int i = 0; i < TICKS; i++) {
		tick(t, a, i, &of_a);
		tick(t, b, i, &of_b);
	}
	conform_check(t, t->faults == faults, "%d ticks of two instances side by side", TICKS);
	conform_check(t, a->said && b->said, "rows, or the reason why there are none");
	compare(t, &of_a, &of_b);
	if (t->rows && of_a.size)
		text_append(t->rows, of_a.data, of_a.size);
	text_free(&of_a);
	text_free(&of_b);
}

/* One goes, the other works on; and the other way round. */
static void
ends(struct conform *t, struct sampled *a, struct sampled *b)
{
	struct text rows = { 0 };
	unsigned faults = t->faults;

	end(a);
	tick(t, b, TICKS, &rows);
	a = begin(t, t->plugin->name);
	end(b);
	if (a) {
		tick(t, a, TICKS + 1, &rows);
		end(a);
	}
	conform_check(t, t->faults == faults, "each works on when the other is closed");
	text_free(&rows);
}

void
conform_sampler(struct conform *t)
{
	unsigned before = conform_descriptors();

	conform_unopened(t);
	struct sampled *a = begin(t, t->plugin->name), *b = a ? begin(t, t->plugin->name) : NULL;

	if (a && b) {
		ticks(t, a, b);
		ends(t, a, b);
	} else if (a) {
		end(a);
	}
	conform_check(t, conform_descriptors() == before, "no descriptor is left open");
}
