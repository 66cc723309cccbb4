/* SPDX-License-Identifier: Apache-2.0 */
/* A reader of RFC 4180 and a printf of every type, both unlike the store's own code. */
#include "csv_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "plugin/option.h"

#define CHECK(condition) \
	((condition) ? (void)0 \
				 : (fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, \
						strerror(errno)), \
					   abort()))

/* ---- folders and files ---- */

char *
scratch_new(void)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm"
					   : getenv("TMPDIR")            ? getenv("TMPDIR")
													 : "/tmp";
	char *path = NULL;
	CHECK(asprintf(&path, "%s/weir-csv-XXXXXX", base) > 0);
	CHECK(mkdtemp(path));
	return path;
}

static int
remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

void
scratch_free(char *folder)
{
	nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(folder);
}

static char *
read_whole(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		return NULL;
	struct stat st;
	CHECK(fstat(fileno(file), &st) == 0);
	char *text = malloc((size_t)st.st_size + 1);
	CHECK(text);
	*size = fread(text, 1, (size_t)st.st_size, file);
	CHECK(*size == (size_t)st.st_size);
	text[*size] = '\0';
	fclose(file);
	return text;
}

static char *
read_gz(const char *path, size_t *size)
{
	gzFile file = gzopen(path, "rb");
	CHECK(file);
	char *text = malloc(1 << 24);
	CHECK(text);
	int n = gzread(file, text, (1 << 24) - 1);
	CHECK(n >= 0 && gzclose(file) == Z_OK);
	text[n] = '\0';
	*size = (size_t)n;
	return text;
}

static char *
unzstd(char *packed, size_t *size)
{
	unsigned long long plain = ZSTD_getFrameContentSize(packed, *size);
	CHECK(plain < 1 << 30);
	char *text = malloc((size_t)plain + 1);
	CHECK(text);
	*size = ZSTD_decompress(text, (size_t)plain, packed, *size);
	CHECK(*size == plain);
	text[plain] = '\0';
	free(packed);
	return text;
}

static bool
ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), size = strlen(end);
	return length >= size && strcmp(text + length - size, end) == 0;
}

char *
file_text(const char *path, size_t *size)
{
	size_t ignored = 0;
	size = size ? size : &ignored;
	if (access(path, F_OK) < 0)
		return NULL;
	if (ends_with(path, ".gz"))
		return read_gz(path, size);
	char *text = read_whole(path, size);
	return ends_with(path, ".zst") ? unzstd(text, size) : text;
}

void
file_copy(const char *from, const char *to)
{
	size_t size = 0;
	char *text = read_whole(from, &size);
	CHECK(text);
	FILE *file = fopen(to, "wb");
	CHECK(file && fwrite(text, 1, size, file) == size && fclose(file) == 0);
	free(text);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
add_row(struct rows *rows, char *row)
{
	if (rows->n == rows->room) {
		rows->room = rows->room ? 2 * rows->room : 64;
		rows->row = realloc(rows->row, rows->room * sizeof(*rows->row));
		CHECK(rows->row);
	}
	rows->row[rows->n++] = row;
}

static void
list_below(struct rows *files, const char *folder, const char *name)
{
	char path[1024];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	DIR *dir = opendir(path);
	CHECK(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		char sub[512];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(sub, sizeof(sub), "%.200s%s%s", name, *name ? "/" : "", entry->d_name);
		if (entry->d_type == DT_DIR)
			list_below(files, folder, sub);
		else if (entry->d_type == DT_REG)
			add_row(files, strdup(sub));
	}
	closedir(dir);
}

static void
list_files(struct rows *files, const char *folder)
{
	list_below(files, folder, "");
	if (files->n)
		qsort(files->row, files->n, sizeof(*files->row), by_name);
}

char *
file_list(const char *folder)
{
	struct rows files = { 0 };
	list_files(&files, folder);
	char *text = calloc(1, files.n * 512 + 1);
	CHECK(text);
	char *at = text;
	for (size_t i = 0; i < files.n; i++)
		at += sprintf(at, "%s\n", files.row[i]);
	rows_free(&files);
	return text;
}

void
folder_copy(const char *from, const char *to)
{
	nftw(to, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	CHECK(mkdir(to, 0777) == 0);
	struct rows files = { 0 };
	list_files(&files, from);
	for (size_t i = 0; i < files.n; i++) {
		char source[1024], target[1024];
		snprintf(source, sizeof(source), "%s/%s", from, files.row[i]);
		snprintf(target, sizeof(target), "%s/%s", to, files.row[i]);
		for (char *at = target + strlen(to) + 1; (at = strchr(at, '/')); *at++ = '/') {
			*at = '\0';
			CHECK(mkdir(target, 0777) == 0 || errno == EEXIST);
		}
		file_copy(source, target);
	}
	rows_free(&files);
}

/* ---- the store ---- */

struct store *
store_new(const char *path)
{
	struct store *store = calloc(1, sizeof(*store));
	CHECK(store);
	CHECK(option_defaults(weir_plugin.options, &store->csv, &store->arena, &store->err) == 0);
	store->ctx.plugin = &weir_plugin;
	store->ctx.root = "";
	store->ctx.origin = (struct origin){ .cluster = "hydra", .host = "n001", .source = "disk" };
	store->csv.path = arena_string(&store->arena, path);
	return store;
}

int
store_open(struct store *store)
{
	return weir_plugin.open(&store->csv, &store->ctx, &store->err);
}

void
store_free(struct store *store)
{
	weir_plugin.close(&store->csv);
	arena_free(&store->arena);
	free(store);
}

int
store_write(struct store *store, const struct weir_batch *const *batch, size_t n)
{
	struct weir_tally tally[64];
	struct witness witness[64];
	CHECK(n <= 64);
	for (size_t i = 0; i < n; i++)
		tally[i] = witness_tally(&witness[i], batch[i]->rows);
	int result = weir_plugin.store.write(&store->csv, batch, n, tally, &store->err);
	for (size_t i = 0; i < n; i++) {
		CHECK(result < 0 ||
			  (witness_look(&witness[i], &tally[i]) && tally[i].stored == batch[i]->rows));
		witness_free(&witness[i]);
	}
	return result;
}

int
store_commit(struct store *store, bool sync)
{
	return weir_plugin.store.commit(
		&store->csv, &(struct weir_commit){ .sync = sync }, &store->err);
}

void
store_put(struct store *store, struct weir_batch *batch)
{
	const struct weir_batch *one = batch;
	CHECK(store_write(store, &one, 1) == 0);
	CHECK(store_commit(store, false) == 0);
	maker_free_batch(batch);
}

/* ---- rows that should be ---- */

struct cell {
	char *name, *value;
};

static int
by_cell(const void *a, const void *b)
{
	return strcmp(((const struct cell *)a)->name, ((const struct cell *)b)->name);
}

static char *
join(const char *head, struct cell *cell, size_t n)
{
	qsort(cell, n, sizeof(*cell), by_cell);
	size_t size = strlen(head) + 1;
	for (size_t i = 0; i < n; i++)
		size += strlen(cell[i].name) + strlen(cell[i].value) + 2;
	char *row = malloc(size);
	CHECK(row);
	char *at = stpcpy(row, head);
	for (size_t i = 0; i < n; i++) {
		at = stpcpy(stpcpy(stpcpy(stpcpy(at, "|"), cell[i].name), "="), cell[i].value);
		free(cell[i].name);
		free(cell[i].value);
	}
	return row;
}

static char *print(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *
print(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *text = NULL;
	CHECK(vasprintf(&text, format, arguments) >= 0);
	va_end(arguments);
	return text;
}

/* Reals are compared by value: any text that reads back the same is right here. */
static char *
canonical_real(double value)
{
	return isnan(value) ? print("nan") : print("%a", value);
}

static char *
print_time(int64_t time)
{
	int64_t micros = time % 1000000;
	time_t second = (time_t)(time / 1000000);
	if (micros < 0) {
		micros += 1000000;
		second--;
	}
	struct tm tm;
	CHECK(gmtime_r(&second, &tm));
	return print("%04d-%02d-%02dT%02d:%02d:%02d.%06" PRId64 "Z", tm.tm_year + 1900, tm.tm_mon + 1,
		tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, micros);
}

static char *
print_decimal(int64_t count, int64_t divisor)
{
	int digits = 0;
	for (int64_t rest = divisor; rest > 1; rest /= 10)
		digits++;
	unsigned __int128 magnitude =
		count < 0 ? (unsigned __int128)(-(__int128)count) : (unsigned __int128)count;
	char *text = print("%s%" PRIu64 ".%0*" PRIu64, count < 0 ? "-" : "",
		(uint64_t)(magnitude / (unsigned __int128)divisor), digits,
		(uint64_t)(magnitude % (unsigned __int128)divisor));
	size_t size = strlen(text);
	while (text[size - 1] == '0')
		text[--size] = '\0';
	if (text[size - 1] == '.')
		text[size - 1] = '\0';
	return text;
}

static char *
print_base64(const unsigned char *data, size_t size)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *text = calloc(1, size * 2 + 8);
	CHECK(text);
	size_t bits = 0, n = 0;
	/* Bit by bit: slow and plain. */
	for (; bits < size * 8; bits += 6) {
		unsigned letter = 0;
		for (size_t i = bits; i < bits + 6; i++)
			letter = letter << 1 | (i < size * 8 ? (unsigned)data[i / 8] >> (7 - i % 8) & 1 : 0);
		text[n++] = letters[letter];
	}
	while (n % 4)
		text[n++] = '=';
	return text;
}

static char *
print_cell(const struct weir_batch *batch, size_t column, size_t row)
{
	const struct weir_column *c = &batch->schema->columns[column];
	union weir_cell cell = batch->column[column].cell[row];
	switch (c->type) {
	case WEIR_U64:
		return print("%" PRIu64, cell.u64);
	case WEIR_I64:
		return print("%" PRId64, cell.i64);
	case WEIR_F64:
		return c->divisor > 1 ? print_decimal(cell.i64, c->divisor) : canonical_real(cell.f64);
	case WEIR_BOOL:
		return print("%s", cell.u64 ? "true" : "false");
	case WEIR_TIME:
		return print_time(cell.i64);
	case WEIR_STR:
		return print(
			"%.*s", (int)weir_text(batch, column, row).length, weir_text(batch, column, row).text);
	case WEIR_BYTES:
		break;
	}
	struct weir_symbol symbol = weir_text(batch, column, row);
	return print_base64((const unsigned char *)symbol.text, symbol.length);
}

static char *
print_symbol(struct weir_symbol symbol)
{
	return print("%.*s", (int)symbol.length, symbol.text);
}

static size_t
common_cells(struct cell *cell, const struct weir_batch *batch, size_t row)
{
	size_t n = 0;
	bool entity = batch->schema->flags & WEIR_ENTITY;
	if (!entity || batch->schema->flags & WEIR_HOST_KEYS) {
		cell[n++] =
			(struct cell){ print("cluster"), print_symbol(weir_row_cluster_of(batch, row)) };
		cell[n++] = (struct cell){ print("host"), print_symbol(weir_row_host_of(batch, row)) };
	}
	if (!entity) {
		cell[n++] = (struct cell){ print("source"), print("%s", batch->source) };
		cell[n++] = (struct cell){ print("time"), print_time(batch->time[row]) };
		return n;
	}
	cell[n++] = (struct cell){ print("version"), print_time(batch->time[row]) };
	cell[n++] = (struct cell){ print("deleted"),
		print("%s", weir_row_deleted(batch, row) ? "true" : "false") };
	return n;
}

void
rows_expect(struct rows *rows, const struct weir_batch *batch, unsigned revision)
{
	struct cell *cell = calloc(batch->schema->n_columns + 4, sizeof(*cell));
	CHECK(cell);
	char head[128];
	snprintf(head, sizeof(head), "%s/%u", batch->schema->name, revision);
	for (size_t row = 0; row < batch->rows; row++) {
		size_t n = common_cells(cell, batch, row);
		for (size_t i = 0; i < batch->schema->n_columns; i++)
			if (weir_present(batch, i, row))
				cell[n++] = (struct cell){ print("%s", batch->schema->columns[i].name),
					print_cell(batch, i, row) };
		add_row(rows, join(head, cell, n));
	}
	free(cell);
}

/* ---- rows that are ---- */

#define FIELDS 256

struct record {
	char *field[FIELDS]; /* NULL: missing */
	size_t n;
};

/* One field; where the next begins: at the comma or newline. Quotes may stand only where RFC 4180
 * has them. */
static const char *
read_field(const char *at, const char *end, char **field)
{
	/* A text ends at the latest at the first quote that no quote follows. */
	const char *stop = at + 1;
	while (
		stop < end && (*at == '"' ? *stop != '"' || stop[1] == '"' : *stop != ',' && *stop != '\n'))
		stop += *at == '"' && *stop == '"' ? 2 : 1;
	char *text = malloc((size_t)(stop - at) + 2), *out = text;
	CHECK(text);
	if (*at == '"') {
		for (at++; *at != '"' || at[1] == '"'; at++) {
			CHECK(at < end);
			at += *at == '"';
			*out++ = *at;
		}
		at++;
	} else {
		for (; at < end && *at != ',' && *at != '\n'; at++) {
			CHECK(*at != '"' && *at != '\r');
			*out++ = *at;
		}
		if (out == text) {
			free(text);
			*field = NULL;
			return at;
		}
	}
	*out = '\0';
	*field = text;
	return at;
}

static const char *
read_record(const char *at, const char *end, struct record *record)
{
	record->n = 0;
	for (;;) {
		CHECK(record->n < FIELDS);
		at = read_field(at, end, &record->field[record->n++]);
		/* A torn row ends without newline. */
		CHECK(at < end && (*at == ',' || *at == '\n'));
		if (*at++ == '\n')
			return at;
	}
}

static char *
record_row(const char *head, const struct record *header, struct record *record)
{
	struct cell cell[FIELDS];
	size_t n = 0;
	CHECK(record->n == header->n);
	for (size_t i = 0; i < record->n; i++) {
		const char *name = header->field[i];
		if (!record->field[i])
			continue;
		if (strcmp(name, "updated") == 0) {
			free(record->field[i]);
			continue;
		}
		if (strncmp(name, "col_double_", 11) == 0) {
			char *real = canonical_real(strtod(record->field[i], NULL));
			free(record->field[i]);
			record->field[i] = real;
		}
		cell[n++] = (struct cell){ print("%s", name), record->field[i] };
	}
	return join(head, cell, n);
}

static void
read_part(struct rows *rows, const char *path, const char *name)
{
	unsigned revision = 1;
	char schema[64] = "", head[128];
	CHECK(sscanf(name, "%63[a-z0-9_]/r%u/", schema, &revision) >= 1);
	snprintf(head, sizeof(head), "%s/%u", schema, revision);
	size_t size = 0;
	char *text = file_text(path, &size);
	CHECK(text);
	struct record header, record;
	const char *at = read_record(text, text + size, &header);
	while (at < text + size) {
		at = read_record(at, text + size, &record);
		add_row(rows, record_row(head, &header, &record));
	}
	for (size_t i = 0; i < header.n; i++)
		free(header.field[i]);
	free(text);
}

void
rows_read(struct rows *rows, const char *path)
{
	struct rows files = { 0 };
	list_files(&files, path);
	for (size_t i = 0; i < files.n; i++) {
		const char *name = files.row[i];
		if (!ends_with(name, ".csv") && !ends_with(name, ".csv.gz") && !ends_with(name, ".csv.zst"))
			continue;
		char *whole = print("%s/%s", path, name);
		read_part(rows, whole, name);
		free(whole);
	}
	rows_free(&files);
}

bool
rows_within(struct rows *few, struct rows *many)
{
	if (few->n)
		qsort(few->row, few->n, sizeof(*few->row), by_name);
	if (many->n)
		qsort(many->row, many->n, sizeof(*many->row), by_name);
	size_t i = 0;
	for (size_t j = 0; i < few->n && j < many->n; j++)
		i += strcmp(few->row[i], many->row[j]) == 0;
	return i == few->n;
}

bool
rows_equal(struct rows *one, struct rows *other)
{
	if (one->n)
		qsort(one->row, one->n, sizeof(*one->row), by_name);
	if (other->n)
		qsort(other->row, other->n, sizeof(*other->row), by_name);
	for (size_t i = 0; i < one->n || i < other->n; i++) {
		const char *a = i < one->n ? one->row[i] : "(none)",
				   *b = i < other->n ? other->row[i] : "(none)";
		if (strcmp(a, b) == 0)
			continue;
		fprintf(stderr, "%zu and %zu rows, the first different:\n%.500s\n%.500s\n", one->n,
			other->n, a, b);
		return false;
	}
	return true;
}

void
rows_free(struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		free(rows->row[i]);
	free(rows->row);
	*rows = (struct rows){ 0 };
}
