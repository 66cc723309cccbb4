/* SPDX-License-Identifier: Apache-2.0 */
/* A store that fails, hangs or refuses while a file says so, and appends "schema rows" lines to
 * another file else. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <weir/plugin.h>

struct slowstore {
	const char *path,
		*switch_file; /* the switch holds one word: fail, hang, refuse, poison, network */
	bool bad_open;
	uint64_t rows;
	char pending[1 << 16];
	size_t size;
};

static const struct weir_option options[] = {
	WEIR_REQUIRED_TEXT(struct slowstore, path, "file of lines"),
	WEIR_REQUIRED_TEXT(struct slowstore, switch_file, "file whose word says how to behave"),
	WEIR_BOOL_OPTION(struct slowstore, bad_open, "no", "fail to open and say nothing"),
	WEIR_OPTIONS_END,
};

static int
open_store(void *state, struct weir_ctx *ctx, struct weir_err *err)
{
	struct slowstore *s = state;

	(void)ctx;
	(void)err;
	return s->bad_open ? -EIO : 0;
}

static void
word(const struct slowstore *s, char *out, size_t room)
{
	FILE *file = fopen(s->switch_file, "r");

	if (!file || !fgets(out, (int)room, file))
		*out = '\0';
	if (file)
		fclose(file);
	out[strcspn(out, "\n")] = '\0';
}

static int
claim(void *state, const struct weir_claim *c, uint64_t *epoch, struct weir_marks *marks,
	struct weir_err *err)
{
	(void)state;
	(void)c;
	(void)err;
	*epoch = 1;
	*marks = (struct weir_marks){ 0 };
	return 0;
}

static int
find(void *state, const char *identity, struct weir_marks *marks, struct weir_err *err)
{
	(void)state;
	(void)identity;
	(void)err;
	*marks = (struct weir_marks){ 0 };
	return 0;
}

static int
write_batches(void *state, const struct weir_batch *const *batch, size_t n,
	struct weir_tally *tally, struct weir_err *err)
{
	struct slowstore *s = state;
	char how[16];

	word(s, how, sizeof(how));
	s->size = 0;
	while (!strcmp(how, "hang")) {
		usleep(100000);
		word(s, how, sizeof(how));
	}
	if (!strcmp(how, "fail"))
		return weir_failx(err, -ENOSPC, "no room, as asked");
	if (!strcmp(how, "network"))
		return weir_failx(err, -ECONNREFUSED, "the database is down");
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(how, "poison") && !strcmp(batch[i]->schema->name, "loadavg"))
			return weir_failx(err, -EDOM, "a poisoned batch");
		if (!strcmp(how, "refuse")) {
			tally[i].refused = batch[i]->rows;
			snprintf(tally[i].reason, sizeof(tally[i].reason), "refused as asked");
			continue;
		}
		tally[i].stored = batch[i]->rows;
		if (s->size < sizeof(s->pending) - 100)
			s->size += (size_t)sprintf(
				s->pending + s->size, "%s %zu\n", batch[i]->schema->name, batch[i]->rows);
	}
	return 0;
}

static int
commit(void *state, const struct weir_commit *c, struct weir_err *err)
{
	struct slowstore *s = state;
	int fd = open(s->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	(void)c;
	if (fd < 0 || write(fd, s->pending, s->size) != (ssize_t)s->size) {
		if (fd >= 0)
			close(fd);
		return weir_fail(err, -EIO, "cannot append to '%s'", s->path);
	}
	close(fd);
	s->size = 0;
	return 0;
}

WEIR_PLUGIN(.kind = WEIR_STORE, .name = "slowstore", .summary = "fails as asked",
	.state_size = sizeof(struct slowstore), .options = options, .open = open_store,
	.store = { .claim = claim, .find = find, .write = write_batches, .commit = commit });
