/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sampler that counts, and notes each tick in a file of its own with one write: what a store has
 * is compared with what was sampled, also after kill -9. Each tick makes a row for each lane.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <weir/sampler.h>

struct pulse {
	const char *beat;
	int64_t lanes;
	int fd;
	uint64_t run, tick;
};

enum { LANE, TICK, RUN };
static const struct weir_column columns[] = {
	[LANE] = WEIR_KEY_U64("lane", "number of the row within its tick"),
	[TICK] = WEIR_COUNTER_U64("tick", "1", "ticks of this instance"),
	[RUN] = WEIR_GAUGE_U64("run", "1", "random number of this instance"),
};
static const struct weir_schema schema =
	WEIR_SERIES("pulse", columns, "ticks that leave no gap unseen");

static const struct weir_option options[] = {
	WEIR_REQUIRED_TEXT(struct pulse, beat, "file that each tick is noted in"),
	WEIR_INT_OPTION(struct pulse, lanes, "3", 1, 1000, "rows of a tick"),
	WEIR_OPTIONS_END,
};

/* The boot clock: what is done to the others in a test leaves it alone. */
static int64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * WEIR_SECOND + t.tv_nsec;
}

static int
note(const struct pulse *p, struct weir_err *err)
{
	const int64_t record[] = { (int64_t)p->run, (int64_t)p->tick, now() };

	if (write(p->fd - 1, record, sizeof(record)) != sizeof(record))
		return weir_fail(err, -EIO, "cannot note a tick in '%s'", p->beat);
	return 0;
}

static int
pulse_open(void *state, struct weir_ctx *ctx, struct weir_err *err)
{
	struct pulse *p = state;
	int fd = open(p->beat, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

	(void)ctx;
	if (fd < 0 || getrandom(&p->run, sizeof(p->run), 0) != sizeof(p->run))
		return weir_fail(err, -errno, "cannot open '%s'", p->beat);
	p->fd = fd + 1;
	p->run >>= 1;
	return note(p, err);
}

static void
pulse_close(void *state)
{
	struct pulse *p = state;

	if (p->fd)
		close(p->fd - 1);
}

static int
sample(void *state, struct weir_out *out, struct weir_err *err)
{
	struct pulse *p = state;

	p->tick++;
	for (int64_t lane = 0; lane < p->lanes; lane++) {
		struct weir_row *row = weir_row(out, 0);

		weir_set_u64(row, LANE, (uint64_t)lane);
		weir_set_u64(row, TICK, p->tick);
		weir_set_u64(row, RUN, p->run);
	}
	return note(p, err);
}

static const struct weir_schema *const schemas[] = { &schema, NULL };

WEIR_PLUGIN(.kind = WEIR_SAMPLER, .name = "pulse", .summary = "counts, and notes it",
	.state_size = sizeof(struct pulse), .options = options, .schemas = schemas, .open = pulse_open,
	.close = pulse_close, .sampler = { .sample = sample });
