/* SPDX-License-Identifier: Apache-2.0 */
/* What the process of an isolated sampler sends: schemas, batches, results, each checked. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/self.h"
#include "data/transfer.h"
#include "flow/child.h"
#include "flow/frame.h"
#include "plugin/instance.h"

int
child_make_instance(struct live *s, struct weir_err *err)
{
	struct origin origin = { s->flow->origin.cluster, s->flow->origin.host, s->setting->name,
		s->flow->origin.incarnation };

	live_collect(s);
	builder_free(s->capabilities);
	s->capabilities = NULL;
	instance_free(s->ctx);
	s->ctx = instance_new(
		s->setting->plugin, &origin, s->setting->sampler.root, s->flow->keeper, s->flow->log);
	if (!s->ctx || live_targets(s)) {
		instance_free(s->ctx);
		s->ctx = NULL;
		return weir_fail(err, -ENOMEM, "cannot make sampler '%s'", s->setting->name);
	}
	s->child->n_static = s->ctx->n_schemas;
	return 0;
}

/* Schemas that a former process of this sampler made: are those of the new one the same? */
static bool
same_schemas(const struct live *s, const char *data, const char *end)
{
	size_t i = s->child->n_static;

	for (const char *text; (text = frame_next(&data, end)); i++) {
		char *known = i < s->ctx->n_schemas ? weir_schema_text(s->ctx->schemas[i]) : NULL;
		bool same = known && !strcmp(known, text);

		free(known);
		if (!same)
			return false;
	}
	return i == s->ctx->n_schemas;
}

static int
add_schema(struct live *s, const char *text, struct weir_err *err)
{
	struct weir_schema *schema = weir_schema_parse(text, err);

	if (!schema)
		return -EBADMSG;
	/* Help does not travel, and a schema without is refused. */
	for (size_t i = 0; i < schema->n_columns; i++)
		((struct weir_column *)(uintptr_t)schema->columns)[i].help = "-";
	schema->help = "-";
	s->ctx->opening = true;
	int rc = weir_schema_add(s->ctx, schema, err);

	s->ctx->opening = false;
	free(schema);
	return rc < 0 ? rc : 0;
}

/* Schemas that the plugin made in its open follow in canonical text. */
static int
take_ready(struct live *s, const char *data, size_t size, struct weir_err *err)
{
	struct child *c = s->child;
	const char *end = data + size;
	int rc = 0;

	if (c->phase != CHILD_STARTING || (size && end[-1]))
		return weir_failx(err, -EBADMSG, "its process sends an answer that was not asked for");
	if (s->n_targets != s->ctx->n_schemas || !same_schemas(s, data, end)) {
		rc = s->ctx->n_schemas > c->n_static ? child_make_instance(s, err) : 0;
		for (const char *text; !rc && (text = frame_next(&data, end));)
			rc = add_schema(s, text, err);
		if (!rc && live_targets(s))
			rc = weir_fail(err, -ENOMEM, "cannot make sampler '%s'", s->setting->name);
	}
	if (rc)
		return rc;
	event_del(c->timer);
	c->phase = CHILD_IDLE;
	if (c->pending)
		child_send_tick(s);
	return 0;
}

static int
take_batch(struct live *s, uint16_t number, const char *data, size_t size, struct weir_err *err)
{
	struct builder **b = &s->capabilities;
	const struct weir_schema *schema = &self_capability;

	if (s->child->phase != CHILD_BUSY)
		return weir_failx(err, -EBADMSG, "its process sends an answer that was not asked for");
	if (number != FRAME_CAPABILITY) {
		if (number >= s->ctx->n_schemas)
			return weir_failx(
				err, -EBADMSG, "its process sends a batch of a schema that the sampler has not");
		b = &s->ctx->out.builders[number];
		schema = s->ctx->schemas[number];
	}
	if (!*b)
		*b = builder_new(schema, weir_schema_fingerprint(schema), &s->ctx->origin);
	if (!*b)
		return weir_fail(err, -ENOMEM, "cannot keep a batch");
	size_t before = builder_rows(*b);
	int rc = transfer_unpack(data, size, schema, *b, err);

	if (!rc) {
		flow_opened(s->flow, builder_rows(*b) - before);
		if (number != FRAME_CAPABILITY)
			s->counts.rows += builder_rows(*b) - before;
	}
	return rc;
}

static int
take_done(struct live *s, const char *data, size_t size, struct weir_err *err)
{
	struct child *c = s->child;
	struct frame_done done;

	if (size != sizeof(done))
		return weir_failx(err, -EBADMSG, "its process sends a frame of the wrong size");
	memcpy(&done, data, sizeof(done));
	struct weir_err result = { .code = (int)done.code };

	snprintf(result.text, sizeof(result.text), "%.*s", (int)sizeof(done.text) - 1, done.text);
	if (c->phase == CHILD_STARTING && result.code) {
		/* Its open failed; it ends now, or the timer sees to it. */
		snprintf(c->why, sizeof(c->why), "%.230s",
			result.text[0] ? result.text : strerror(abs(result.code)));
		return 0;
	}
	if (c->phase != CHILD_BUSY)
		return weir_failx(err, -EBADMSG, "its process sends an answer that was not asked for");
	event_del(c->timer);
	c->phase = CHILD_IDLE;
	live_account(s, result.code, &result, done.duration < 0 ? 0 : done.duration, 0);
	return 0;
}

static int
take_frame(struct live *s, const struct frame *head, const char *data, struct weir_err *err)
{
	switch (head->type) {
	case FRAME_READY:
		return take_ready(s, data, head->size, err);
	case FRAME_BATCH:
		return take_batch(s, head->schema, data, head->size, err);
	case FRAME_DONE:
		return take_done(s, data, head->size, err);
	default:
		return weir_failx(err, -EBADMSG, "its process sends a frame of no known kind");
	}
}

/* All whole frames in the buffer. */
static int
take_frames(struct live *s, struct weir_err *err)
{
	struct text *in = &s->child->in;
	size_t at = 0;
	int rc = 0;

	while (!rc && s->child->fd >= 0 && in->size - at >= sizeof(struct frame)) {
		struct frame head;

		memcpy(&head, in->data + at, sizeof(head));
		if (head.size > FRAME_MOST)
			return weir_failx(err, -EBADMSG, "its process sends a frame of %u bytes", head.size);
		if (in->size - at - sizeof(head) < head.size)
			break;
		rc = take_frame(s, &head, in->data + at + sizeof(head), err);
		at += sizeof(head) + head.size;
	}
	if (at && in->data) {
		memmove(in->data, in->data + at, in->size - at);
		in->size -= at;
	}
	return rc;
}

int
child_read(struct live *s, struct weir_err *err)
{
	char buffer[16 << 10];
	ssize_t n = read(s->child->fd, buffer, sizeof(buffer));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 1;
	if (n <= 0)
		return 0;
	text_append(&s->child->in, buffer, (size_t)n);
	int rc = s->child->in.failed ? weir_fail(err, -ENOMEM, "cannot read from its process")
								 : take_frames(s, err);

	return rc ? rc : 1;
}
