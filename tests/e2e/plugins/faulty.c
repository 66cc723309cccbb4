/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sampler that does what a test asks for: counts, fails, hangs, aborts, writes junk, takes its
 * time, adds schemas when it opens, leaves a file when it closes.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weir/sampler.h>

enum { ADDED_MOST = 8 };

struct faulty {
	int64_t from, to; /* ticks that misbehave, from 1; to 0: for ever */
	int how, where;
	const char *flag; /* a file that ends the trouble when it exists */
	const char *extra, *closed;
	int64_t tick;
	uint64_t value[ADDED_MOST]; /* of the one column of each added schema */
	size_t n_added;
};

enum {
	HOW_NOT,
	HOW_FAIL,
	HOW_HANG,
	HOW_ABORT,
	HOW_SLOW,
	HOW_JUNK,
	HOW_TYPE,
	HOW_EVENT,
	HOW_NAP,
	HOW_LOSE
};
static const char *const ways[] = { "not", "fail", "hang", "abort", "slow", "junk", "type", "event",
	"nap", "lose", NULL };
enum { WHERE_SAMPLE, WHERE_OPEN };
static const char *const places[] = { "sample", "open", NULL };

enum { TICK, PID };
static const struct weir_column columns[] = {
	[TICK] = WEIR_COUNTER_U64("tick", "1", "ticks of this instance"),
	[PID] = WEIR_GAUGE_U64("pid", "1", "process that made the row"),
};
static const struct weir_schema schema =
	WEIR_SERIES("faulty", columns, "what a faulty sampler says");

static const struct weir_option options[] = {
	WEIR_INT_OPTION(struct faulty, from, "1", 0, INT64_MAX, "first tick that misbehaves"),
	WEIR_INT_OPTION(struct faulty, to, "0", 0, INT64_MAX, "last tick that misbehaves"),
	WEIR_CHOICE_OPTION(struct faulty, how, "not", ways, "what it does then"),
	WEIR_CHOICE_OPTION(struct faulty, where, "sample", places, "where it does it"),
	WEIR_TEXT_OPTION(struct faulty, flag, "", "a file that ends the trouble"),
	WEIR_TEXT_OPTION(
		struct faulty, extra, "", "a file of schemas to add: lines of a name and a value"),
	WEIR_TEXT_OPTION(struct faulty, closed, "", "a file to make when it closes"),
	WEIR_OPTIONS_END,
};

static int
misbehave(const struct faulty *f, struct weir_out *out, struct weir_err *err)
{
	char junk[200];
	void (*lose)(void);

	switch (f->how) {
	case HOW_FAIL:
		if (out)
			weir_set_u64(weir_row(out, 0), TICK, 999999); /* must not be seen */
		return weir_failx(err, -EIO, "tick %lld fails as asked", (long long)f->tick);
	case HOW_HANG:
		for (;;)
			pause();
	case HOW_ABORT:
		abort();
	case HOW_SLOW:
		usleep(700000);
		return 0;
	case HOW_JUNK:
		memset(junk, 0xa5, sizeof(junk));
		for (int fd = 3; fd < 20; fd++)
			(void)!write(fd, junk, sizeof(junk));
		return 0;
	case HOW_NAP:
		usleep(300000);
		return 0;
	case HOW_LOSE:
		/* Of no_memory.c, which the test loads before all else. */
		*(void **)&lose = dlsym(RTLD_DEFAULT, "no_memory_once");
		if (lose)
			lose();
		return 0;
	case HOW_TYPE:
		weir_set_i64(weir_row(out, 0), TICK, 1);
		return 0;
	}
	return 0;
}

/* A descriptor that stays readable and whose event always fails. */
static int
watch_pipe(struct weir_ctx *ctx, struct weir_err *err)
{
	int pair[2];

	if (pipe(pair))
		return weir_fail(err, -errno, "cannot make a pipe");
	close(pair[1]);
	return weir_watch(ctx, pair[0], err);
}

static int
event(void *state, int fd, struct weir_out *out, struct weir_err *err)
{
	(void)state;
	(void)out;
	return weir_failx(err, -EIO, "descriptor %d fails as asked", fd);
}

static int
add_schemas(struct faulty *f, struct weir_ctx *ctx, struct weir_err *err)
{
	static const struct weir_column value[] = { WEIR_GAUGE_U64(
		"value", "1", "what the file says") };
	FILE *file = fopen(f->extra, "re");
	char name[40];
	unsigned long long number;

	while (file && f->n_added < ADDED_MOST && fscanf(file, "%39s %llu", name, &number) == 2) {
		const struct weir_schema added = WEIR_SERIES(name, value, "a schema that a file names");
		int rc = weir_schema_add(ctx, &added, err);

		if (rc < 0) {
			fclose(file);
			return rc;
		}
		f->value[f->n_added++] = number;
	}
	if (file)
		fclose(file);
	return 0;
}

static int
open_faulty(void *state, struct weir_ctx *ctx, struct weir_err *err)
{
	struct faulty *f = state;
	int rc = 0;

	if (f->where == WHERE_OPEN && (!*f->flag || access(f->flag, F_OK)))
		rc = misbehave(f, NULL, err);
	if (!rc && f->how == HOW_EVENT)
		rc = watch_pipe(ctx, err);
	return rc ? rc : add_schemas(f, ctx, err);
}

static void
close_faulty(void *state)
{
	const struct faulty *f = state;

	if (!*f->closed)
		return;
	usleep(100000);
	close(open(f->closed, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}

static int
sample(void *state, struct weir_out *out, struct weir_err *err)
{
	struct faulty *f = state;

	f->tick++;
	if (f->where == WHERE_SAMPLE && f->tick >= f->from && (!f->to || f->tick <= f->to) &&
		(!*f->flag || access(f->flag, F_OK))) {
		int rc = misbehave(f, out, err);

		if (rc || f->how == HOW_TYPE)
			return rc;
	}
	struct weir_row *row = weir_row(out, 0);

	weir_set_u64(row, TICK, (uint64_t)f->tick);
	weir_set_u64(row, PID, (uint64_t)getpid());
	for (size_t i = 0; i < f->n_added; i++)
		weir_set_u64(weir_row(out, i + 1), 0, f->value[i]);
	return 0;
}

static const struct weir_schema *const schemas[] = { &schema, NULL };

WEIR_PLUGIN(.kind = WEIR_SAMPLER, .name = FAULTY_NAME, .flags = FAULTY_FLAGS,
	.summary = "misbehaves as asked", .state_size = sizeof(struct faulty), .options = options,
	.schemas = schemas, .open = open_faulty, .close = close_faulty,
	.sampler = { .sample = sample, .event = event });
