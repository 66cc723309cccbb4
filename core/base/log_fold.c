/* SPDX-License-Identifier: Apache-2.0 */
/* Finds repeats of log lines by comparing them with those of the last minute. */
#include "base/log_fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static uint64_t
hash_line(enum log_level level, const char *subject, const char *text)
{
	return hash64(text, strlen(text), hash64(subject, strlen(subject), level));
}

static void
slot_free(struct log_fold_slot *slot)
{
	free(slot->subject);
	*slot = (struct log_fold_slot){ 0 };
}

/* Out of memory the slot stays free: the line is written each time. */
static void
slot_fill(struct log_fold_slot *slot, int64_t now, uint64_t hash, enum log_level level,
	const char *subject, const char *text)
{
	size_t front = strlen(subject) + 1;
	size_t back = strlen(text) + 1;
	char *copy = malloc(front + back);
	if (!copy)
		return;
	memcpy(copy, subject, front);
	memcpy(copy + front, text, back);
	*slot = (struct log_fold_slot){
		.begin = now,
		.hash = hash,
		.level = level,
		.subject = copy,
		.text = copy + front,
	};
}

static bool
slot_is(const struct log_fold_slot *slot, uint64_t hash, enum log_level level, const char *subject,
	const char *text)
{
	return slot->subject && slot->hash == hash && slot->level == level &&
		   strcmp(slot->subject, subject) == 0 && strcmp(slot->text, text) == 0;
}

static void
slot_tell(struct log_fold_slot *slot, log_fold_write *write, void *context)
{
	if (slot->subject && slot->count > 0)
		write(context, slot->level, slot->subject, slot->text, slot->count);
	slot_free(slot);
}

void
log_fold_take(struct log_fold *fold, int64_t now, enum log_level level, const char *subject,
	const char *text, log_fold_write *write, void *context)
{
	uint64_t hash = hash_line(level, subject, text);
	uint64_t count = 0;
	struct log_fold_slot *place = &fold->slot[0];
	for (struct log_fold_slot *slot = fold->slot; slot < fold->slot + LOG_FOLD_SLOTS; slot++) {
		bool same = slot_is(slot, hash, level, subject, text);
		if (same && now - slot->begin < LOG_FOLD_NS) {
			slot->count++;
			return;
		}
		if (same) {
			count = slot->count;
			slot_free(slot);
		} else if (slot->subject && now - slot->begin >= LOG_FOLD_NS) {
			slot_tell(slot, write, context);
		}
		/* A free slot, else the oldest. */
		if (place->subject && (!slot->subject || slot->begin < place->begin))
			place = slot;
	}
	slot_tell(place, write, context);
	write(context, level, subject, text, count);
	slot_fill(place, now, hash, level, subject, text);
}

void
log_fold_end(struct log_fold *fold, log_fold_write *write, void *context)
{
	for (size_t i = 0; i < LOG_FOLD_SLOTS; i++)
		slot_tell(&fold->slot[i], write, context);
}
