/* SPDX-License-Identifier: Apache-2.0 */
/* Frames between an agent and its isolated children. */
#include "flow/frame.h"

#include <string.h>

size_t
frame_begin(struct text *out, enum frame_type type, uint16_t schema)
{
	struct frame head = { 0, (uint16_t)type, schema };
	size_t at = out->size;

	text_append(out, (const char *)&head, sizeof(head));
	return at;
}

void
frame_end(struct text *out, size_t at)
{
	uint32_t size = (uint32_t)(out->size - at - sizeof(struct frame));

	if (!out->failed)
		memcpy(out->data + at, &size, sizeof(size));
}

void
frame_string(struct text *out, const char *string)
{
	text_append(out, string ? string : "", strlen(string ? string : "") + 1);
}

const char *
frame_next(const char **at, const char *end)
{
	const char *s = *at;

	if (s >= end)
		return NULL;
	*at = s + strlen(s) + 1;
	return s;
}
