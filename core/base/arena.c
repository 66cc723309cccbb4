/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is freed together: a chain of blocks, filled from the front. */
#include "base/text.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_ROOM ((size_t)4096 - sizeof(struct arena_block))

struct arena_block {
	struct arena_block *next;
	size_t used, room;
	alignas(max_align_t) char data[];
};

static struct arena_block *
block_new(size_t room)
{
	if (room > SIZE_MAX / 2)
		return NULL;
	/* A block is handed out once, so calloc's zeros hold for every piece of it. */
	struct arena_block *block = calloc(1, sizeof(*block) + room);
	if (block)
		block->room = room;
	return block;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = alignof(max_align_t);
	if (size > SIZE_MAX / 4)
		return NULL;
	size = size > 0 ? (size + align - 1) & ~(align - 1) : align;
	struct arena_block *first = arena->first;
	if (first && first->room - first->used >= size) {
		void *piece = first->data + first->used;
		first->used += size;
		return piece;
	}
	/* What is large gets a block of its own, behind the first, which then goes on being filled. */
	bool alone = size > BLOCK_ROOM / 4;
	struct arena_block *block = block_new(alone ? size : BLOCK_ROOM);
	if (!block)
		return NULL;
	block->used = size;
	if (alone && first) {
		block->next = first->next;
		first->next = block;
	} else {
		block->next = first;
		arena->first = block;
	}
	return block->data;
}

char *
arena_copy(struct arena *arena, const char *data, size_t size)
{
	if (size == SIZE_MAX)
		return NULL;
	char *copy = arena_alloc(arena, size + 1);
	if (copy && size > 0)
		memcpy(copy, data, size);
	return copy;
}

char *
arena_string(struct arena *arena, const char *string)
{
	return arena_copy(arena, string, strlen(string));
}

char *
arena_printf(struct arena *arena, const char *format, ...)
{
	va_list arguments, again;
	va_start(arguments, format);
	va_copy(again, arguments);
	int size = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	char *text = size < 0 ? NULL : arena_alloc(arena, (size_t)size + 1);
	if (text)
		vsnprintf(text, (size_t)size + 1, format, again);
	va_end(again);
	return text;
}

void
arena_free(struct arena *arena)
{
	struct arena_block *block = arena->first;
	while (block) {
		struct arena_block *next = block->next;
		free(block);
		block = next;
	}
	arena->first = NULL;
}
