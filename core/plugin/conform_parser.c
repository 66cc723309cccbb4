/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of parsers: the same rows however the input is cut, and from any mark on what a run
 * without interruption gives from there.
 */
#include "plugin/conform.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CUTS_MOST = 2000 };

/* Where a mark may fall: what was used, what the stream saved, how many rows there were. */
struct mark {
	size_t used;
	struct weir_blob blob;
	int saved; /* result of save */
	size_t *rows;
};

/* One stream read by one instance. */
struct run {
	struct conform *t;
	struct weir_ctx *ctx;
	void *stream;
	size_t base; /* of the piece at hand */
	uint64_t accepted, rejected;
	bool backward; /* an accept that lies before the former or beyond the piece */
	size_t last, piece;
	struct mark *marks; /* NULL: not wanted */
	size_t n_marks, every;
};

static void
keep_mark(struct run *run, size_t used)
{
	struct mark *mark = &run->marks[run->n_marks];
	struct weir_ctx *ctx = run->ctx;

	*mark = (struct mark){ .used = used, .rows = calloc(ctx->n_schemas + 1, sizeof(size_t)) };
	if (!mark->rows)
		return;
	for (size_t i = 0; i < ctx->n_schemas; i++)
		mark->rows[i] = builder_rows(ctx->out.builders[i]);
	if (ctx->plugin->parser.save)
		mark->saved = ctx->plugin->parser.save(run->stream, &mark->blob);
	run->n_marks++;
}

static void
accept_record(void *closure, size_t used)
{
	struct run *run = closure;
	size_t at = run->base + used;

	if (used > run->piece || at < run->last)
		run->backward = true;
	run->last = at;
	if (run->marks && run->n_marks < CUTS_MOST && run->accepted % run->every == 0)
		keep_mark(run, at);
	run->accepted++;
}

static void
reject_record(void *closure, const char *data, size_t size, uint64_t offset, const char *reason)
{
	struct run *run = closure;

	(void)data;
	(void)size;
	(void)offset;
	(void)reason;
	run->rejected++;
}

static enum weir_input_form
form_of(const struct weir_plugin *p)
{
	static const enum weir_input_form forms[] = { WEIR_INPUT_STREAM, WEIR_INPUT_FILE,
		WEIR_INPUT_MESSAGE, WEIR_INPUT_DATAGRAM, WEIR_INPUT_TREE };

	for (size_t i = 0; i < WEIR_COUNT(forms); i++)
		if (p->parser.inputs & forms[i])
			return forms[i];
	return 0;
}

/* The instance outlives the run. */
static bool
run_begin(struct run *run, struct conform *t, struct weir_ctx *ctx)
{
	*run = (struct run){ .t = t, .ctx = ctx, .every = 1 };
	run->stream = calloc(1, t->plugin->stream_size ? t->plugin->stream_size : 1);
	instance_begin(ctx, CONFORM_TIME);
	return run->stream;
}

static void
run_end(struct run *run)
{
	if (run->ctx->plugin->parser.end && run->stream)
		run->ctx->plugin->parser.end(run->ctx->state, run->stream);
	free(run->stream);
}

/* Give the bytes from run->base to `to`; the parser may leave some. */
static int
feed(struct run *run, size_t to, bool last, struct weir_err *err)
{
	struct conform *t = run->t;
	struct weir_input input = {
		.form = form_of(t->plugin),
		.data = t->input ? t->input + run->base : NULL,
		.size = to - run->base,
		.end = last,
		.offset = run->base,
		.path = t->input_path,
		.sender = "127.0.0.1",
		.received = CONFORM_TIME,
	};
	size_t used = 0;

	run->ctx->host =
		(struct instance_host){ .accept = accept_record, .reject = reject_record, .closure = run };
	run->piece = input.size;
	int rc =
		t->plugin->parser.parse(run->ctx->state, run->stream, &input, &used, &run->ctx->out, err);

	if (!rc && used > input.size)
		rc = weir_failx(err, -EPROTO, "it used %zu bytes of %zu", used, input.size);
	run->base += rc ? 0 : used;
	return rc;
}

/* A whole buffer is used piece by piece until the parser asks for more or all is used. */
static int
feed_until(struct run *run, size_t to, bool last, struct weir_err *err)
{
	int rc;
	size_t before;

	do {
		before = run->base;
		rc = feed(run, to, last, err);
	} while (!rc && run->base > before && run->base < to);
	if (!rc && last && run->base < to && form_of(run->t->plugin) != WEIR_INPUT_TREE)
		rc = weir_failx(err, -EPROTO, "%zu bytes at the end were left unused", to - run->base);
	return rc;
}

/* The rows of a whole run that is cut at one place; the size is the place of no cut. */
static int
run_cut(struct conform *t, struct weir_ctx *ctx, size_t cut, struct run *run, struct text *rows,
	struct weir_err *err)
{
	if (!run_begin(run, t, ctx))
		return -ENOMEM;
	int rc = cut < t->input_size ? feed_until(run, cut, false, err) : 0;

	if (!rc)
		rc = feed_until(run, t->input_size, true, err);
	rc = instance_end(ctx, rc, err);
	conform_take_rows(ctx, rows);
	run_end(run);
	return rc;
}

static bool
same(const struct text *a, const struct text *b)
{
	return a->size == b->size && (!a->size || !memcmp(a->data, b->data, a->size));
}

static void
test_cuts(struct conform *t, struct weir_ctx *ctx, const struct text *reference, uint64_t rejected)
{
	size_t step = t->input_size / CUTS_MOST + 1, n = 0;

	for (size_t cut = 0; cut < t->input_size; cut += step, n++) {
		struct run run;
		struct text rows = { 0 };
		struct weir_err err = { 0 };
		int rc = run_cut(t, ctx, cut, &run, &rows, &err);
		bool good = !rc && same(&rows, reference) && run.rejected == rejected && !run.backward;

		text_free(&rows);
		if (!good) {
			conform_check(t, false, "cut after byte %zu: %s", cut,
				rc                         ? err.text
				: run.rejected != rejected ? "other records are rejected"
				: run.backward             ? "weir_accept does not move forward within the piece"
										   : "other rows");
			return;
		}
	}
	conform_check(t, true, "the same rows with the input cut at %zu places", n);
}

/* Lines of the rows of each schema stand together; those from `skip[i]` on of schema number i. */
static void
rows_after(struct weir_ctx *ctx, const struct text *all, const size_t *skip, struct text *out)
{
	const char *at = all->size ? all->data : "";

	for (size_t i = 0; i < ctx->n_schemas; i++) {
		char head[120];
		int length = snprintf(head, sizeof(head), "{\"schema\":\"%s\",", ctx->schemas[i]->name);

		for (size_t row = 0; length > 0 && !strncmp(at, head, (size_t)length); row++) {
			size_t line = strcspn(at, "\n") + 1;

			if (row >= skip[i])
				text_append(out, at, line);
			at += line;
		}
	}
}

static bool
test_mark(
	struct conform *t, struct weir_ctx *ctx, const struct mark *mark, const struct text *reference)
{
	struct run run;
	struct text rows = { 0 }, expected = { 0 };
	struct weir_err err = { 0 };
	int rc = mark->saved;

	rows_after(ctx, reference, mark->rows, &expected);
	if (!run_begin(&run, t, ctx))
		rc = -ENOMEM;
	if (!rc && t->plugin->parser.restore)
		rc = t->plugin->parser.restore(ctx->state, run.stream, &mark->blob);
	run.base = mark->used;
	if (!rc && mark->used < t->input_size)
		rc = feed_until(&run, t->input_size, true, &err);
	rc = instance_end(ctx, rc, &err);
	conform_take_rows(ctx, &rows);
	run_end(&run);
	bool good = !rc && same(&rows, &expected);

	if (!good)
		conform_check(t, false, "from the mark at byte %zu on: %s", mark->used,
			err.text[0] ? err.text
			: rc        ? "save or restore failed"
						: "other rows than without a stop");
	text_free(&rows);
	text_free(&expected);
	return good;
}

static void
test_marks(struct conform *t, struct weir_ctx *ctx, const struct text *reference, uint64_t accepted)
{
	struct run run;
	struct weir_err err = { 0 };
	struct text rows = { 0 };
	bool good = run_begin(&run, t, ctx);

	run.marks = calloc(CUTS_MOST, sizeof(*run.marks));
	run.every = accepted / CUTS_MOST + 1;
	if (good && run.marks)
		good = !instance_end(ctx, feed_until(&run, t->input_size, true, &err), &err);
	conform_take_rows(ctx, &rows);
	run_end(&run);
	for (size_t i = 0; good && i < run.n_marks; i++) {
		if (run.marks[i].blob.size > sizeof(run.marks[i].blob.data))
			good = conform_check(t, false, "save gave %zu bytes", run.marks[i].blob.size);
		good = good && test_mark(t, ctx, &run.marks[i], reference);
	}
	if (good)
		conform_check(
			t, true, "the same rows when stopped and taken up again at %zu marks", run.n_marks);
	for (size_t i = 0; i < run.n_marks; i++)
		free(run.marks[i].rows);
	free(run.marks);
	text_free(&rows);
}

/* Both read the same, half of it each in turn. */
static void
test_side_by_side(
	struct conform *t, struct weir_ctx *a, struct weir_ctx *b, const struct text *reference)
{
	struct run of_a = { .ctx = a }, of_b = { .ctx = b };
	struct text rows_a = { 0 }, rows_b = { 0 };
	struct weir_err err = { 0 };
	size_t half = t->input_size / 2;
	bool stream = form_of(t->plugin) == WEIR_INPUT_STREAM;
	int rc = run_begin(&of_a, t, a) && run_begin(&of_b, t, b) ? 0 : -ENOMEM;

	if (!rc && stream)
		rc = feed_until(&of_a, half, false, &err);
	if (!rc && stream)
		rc = feed_until(&of_b, half, false, &err);
	if (!rc)
		rc = feed_until(&of_b, t->input_size, true, &err);
	if (!rc)
		rc = feed_until(&of_a, t->input_size, true, &err);
	rc = instance_end(a, rc, &err);
	rc = instance_end(b, rc, &err);
	conform_take_rows(a, &rows_a);
	conform_take_rows(b, &rows_b);
	run_end(&of_a);
	run_end(&of_b);
	conform_check(t, !rc && same(&rows_a, reference) && same(&rows_b, reference),
		"two instances side by side make the same rows%s%s", err.text[0] ? ": " : "", err.text);
	text_free(&rows_a);
	text_free(&rows_b);
}

static void
test_input(struct conform *t, struct weir_ctx *a, struct weir_ctx *b)
{
	struct run run;
	struct text reference = { 0 };
	struct weir_err err = { 0 };
	int rc = run_cut(t, a, t->input_size, &run, &reference, &err);

	conform_check(t, !rc, "the input in one piece: %llu records, %llu rejected%s%s",
		(unsigned long long)run.accepted, (unsigned long long)run.rejected, rc ? ": " : "",
		rc ? err.text : "");
	if (!rc)
		conform_check(t, !run.backward, "weir_accept moves forward within the piece");
	if (t->rows && reference.size)
		text_append(t->rows, reference.data, reference.size);
	if (!rc)
		test_side_by_side(t, a, b, &reference);
	if (!rc && form_of(t->plugin) == WEIR_INPUT_STREAM) {
		test_cuts(t, a, &reference, run.rejected);
		test_marks(t, a, &reference, run.accepted);
	}
	text_free(&reference);
}

void
conform_parser(struct conform *t)
{
	unsigned before = conform_descriptors();

	conform_unopened(t);
	struct weir_ctx *a = conform_open(t, t->plugin->name, NULL);
	struct weir_ctx *b = a ? conform_open(t, t->plugin->name, NULL) : NULL;

	if (a && b)
		conform_check(t, true, "two instances are open at once");
	if (a && b && t->input_path)
		test_input(t, a, b);
	instance_free(a);
	instance_free(b);
	conform_check(t, conform_descriptors() == before, "no descriptor is left open");
	if (!t->input_path)
		text_add(t->said, "      no --input: nothing was parsed\n");
}
