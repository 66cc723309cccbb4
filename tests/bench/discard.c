/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discard: a store for benchmarks alone. It counts what it is given and forgets it; at its end it
 * writes one line to `report`: rows, cells that are present, ticks (rows of schema meminfo), all of
 * samplers, not of the agent itself.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <weir/plugin.h>

struct discard {
	const char *report;
	uint64_t rows, cells, ticks;
};

static const struct weir_option options[] = {
	WEIR_REQUIRED_TEXT(struct discard, report, "file that the counts are written to at the end"),
	WEIR_OPTIONS_END,
};

/* Nothing is remembered, so every claim is the first. */
static int
claim_nothing(void *state, const struct weir_claim *claim, uint64_t *epoch,
	struct weir_marks *marks, struct weir_err *err)
{
	(void)state;
	(void)claim;
	(void)err;
	*epoch = 1;
	*marks = (struct weir_marks){ 0 };
	return 0;
}

static int
find_nothing(void *state, const char *identity, struct weir_marks *marks, struct weir_err *err)
{
	(void)state;
	(void)identity;
	(void)err;
	*marks = (struct weir_marks){ 0 };
	return 0;
}

static int
write_nothing(void *state, const struct weir_batch *const *batch, size_t n,
	struct weir_tally *tally, struct weir_err *err)
{
	struct discard *s = state;

	(void)err;
	for (size_t i = 0; i < n; i++) {
		tally[i].stored = batch[i]->rows;
		if (!strcmp(batch[i]->source, "weir"))
			continue;
		s->rows += batch[i]->rows;
		if (!strcmp(batch[i]->schema->name, "meminfo"))
			s->ticks += batch[i]->rows;
		for (size_t c = 0; c < batch[i]->schema->n_columns; c++)
			for (size_t r = 0; r < batch[i]->rows; r++)
				s->cells += weir_present(batch[i], c, r);
	}
	return 0;
}

static int
commit_nothing(void *state, const struct weir_commit *commit, struct weir_err *err)
{
	(void)state;
	(void)commit;
	(void)err;
	return 0;
}

static void
close_discard(void *state)
{
	struct discard *s = state;
	FILE *file = s->report ? fopen(s->report, "w") : NULL;

	if (!file)
		return;
	fprintf(file, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", s->rows, s->cells, s->ticks);
	fclose(file);
}

WEIR_PLUGIN(.kind = WEIR_STORE, .name = "discard", .summary = "counts rows and forgets them",
	.state_size = sizeof(struct discard), .options = options, .close = close_discard,
	.store = { .claim = claim_nothing,
		.find = find_nothing,
		.write = write_nothing,
		.commit = commit_nothing });
