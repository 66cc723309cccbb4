/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration from several files: which are read, in which order, how they are laid over each
 * other, and for which hosts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/yaml.h"

/* A folder with configuration in it, and what came of reading it. */
struct site {
	char folder[64];
	struct arena arena;
	struct report *report;
	struct node *root;
	struct text shown, printed;
	struct weir_err err;
};

static int
set_up(void **state)
{
	struct site *site = calloc(1, sizeof(*site));

	strcpy(site->folder, "/tmp/weir-test-merge-XXXXXX");
	assert_non_null(mkdtemp(site->folder));
	char path[128];
	snprintf(path, sizeof(path), "%s/conf.d", site->folder);
	assert_int_equal(mkdir(path, 0755), 0);
	*state = site;
	return 0;
}

static void
forget(struct site *site)
{
	report_free(site->report);
	site->report = NULL;
	arena_free(&site->arena);
	site->arena = (struct arena){ 0 };
	text_free(&site->shown);
	text_free(&site->printed);
}

static int
tear_down(void **state)
{
	struct site *site = *state;
	char command[128];

	forget(site);
	snprintf(command, sizeof(command), "rm -rf '%s'", site->folder);
	assert_int_equal(system(command), 0);
	free(site);
	return 0;
}

static void
put(struct site *site, const char *name, const char *content)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", site->folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int
load_path(struct site *site, const char *path, const char *host)
{
	forget(site);
	site->report = report_new();
	site->err = (struct weir_err){ 0 };
	int error = config_load(path, host, &site->arena, site->report, &site->root, &site->err);
	text_add(&site->shown, "");
	text_add(&site->printed, "");
	if (!error)
		node_show(site->root, &site->shown, false);
	report_print(site->report, &site->printed);
	return error;
}

static void
load(struct site *site, const char *host)
{
	assert_int_equal(load_path(site, site->folder, host), 0);
}

/* Both texts are looked for with FOLDER standing for the site's. */
static void
check_contains(const struct site *site, const char *printed, const char *wanted)
{
	char text[1024];
	const char *mark = strstr(wanted, "FOLDER");

	if (mark)
		snprintf(
			text, sizeof(text), "%.*s%s%s", (int)(mark - wanted), wanted, site->folder, mark + 6);
	else
		snprintf(text, sizeof(text), "%s", wanted);
	if (!strstr(printed, text))
		fail_msg("wanted '%s' in:\n%s", text, printed);
}

static void
check_clean(const struct site *site, const char *shown)
{
	assert_string_equal(site->printed.data, "");
	assert_string_equal(site->shown.data, shown);
}

/* --- which files --- */

static void
folder_and_file(void **state)
{
	struct site *site = *state;
	char path[128];

	put(site, "weir.yaml", "a: main\n");
	put(site, "other.yaml", "a: other\n");
	put(site, "conf.d/x.yaml", "b: drop-in\n");
	load(site, "n1");
	check_clean(site, "a: main\nb: drop-in\n");
	snprintf(path, sizeof(path), "%s/", site->folder);
	assert_int_equal(load_path(site, path, "n1"), 0);
	check_clean(site, "a: main\nb: drop-in\n");
	snprintf(path, sizeof(path), "%s/other.yaml", site->folder);
	assert_int_equal(load_path(site, path, "n1"), 0);
	check_clean(site, "a: other\nb: drop-in\n");
}

static void
missing_files(void **state)
{
	struct site *site = *state;
	char path[128];

	assert_int_equal(load_path(site, site->folder, NULL), -ENOENT);
	check_contains(site, site->err.text, "the folder 'FOLDER' holds no readable weir.yaml");
	snprintf(path, sizeof(path), "%s/nope.yaml", site->folder);
	assert_int_equal(load_path(site, path, NULL), -ENOENT);
	check_contains(site, site->err.text, "cannot open 'FOLDER/nope.yaml': No such file");
	put(site, "weir.yaml", "a: 1\n");
	snprintf(path, sizeof(path), "%s/weir.yaml/x", site->folder);
	assert_int_equal(load_path(site, path, NULL), -ENOENT);
	assert_null(site->root);
	assert_int_equal(report_errors(site->report), 0);
}

static void
no_regular_files(void **state)
{
	struct site *site = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/weir.yaml", site->folder);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_int_equal(load_path(site, site->folder, NULL), -EINVAL);
	assert_int_equal(unlink(path), 0);
	put(site, "weir.yaml", "a: 1\n");
	snprintf(path, sizeof(path), "%s/conf.d/pipe.yaml", site->folder);
	assert_int_equal(mkfifo(path, 0644), 0);
	snprintf(path, sizeof(path), "%s/conf.d/folder.yaml", site->folder);
	assert_int_equal(mkdir(path, 0755), 0);
	load(site, "n1");
	assert_int_equal(report_errors(site->report), 2);
	check_contains(site, site->printed.data, "FOLDER/conf.d/pipe.yaml:1:1: error: ");
	check_contains(site, site->printed.data, "FOLDER/conf.d/folder.yaml:1:1: error: ");
	assert_string_equal(site->shown.data, "a: 1\n");
	assert_true(report_incomplete(site->report));
}

static void
without_folder_of_drop_ins(void **state)
{
	struct site *site = *state;
	char path[128];

	put(site, "weir.yaml", "a: 1\n");
	snprintf(path, sizeof(path), "%s/conf.d", site->folder);
	assert_int_equal(rmdir(path), 0);
	load(site, "n1");
	check_clean(site, "a: 1\n");
	put(site, "conf.d", "no folder\n");
	load(site, "n1");
	check_contains(
		site, site->printed.data, "FOLDER/conf.d: error: cannot read the folder of drop-ins: ");
}

static void
order_and_ignored_names(void **state)
{
	struct site *site = *state;

	put(site, "weir.yaml", "a: main\nb: main\nc: main\n");
	put(site, "conf.d/20.yaml", "a: 20\nb: 20\n");
	put(site, "conf.d/10.yaml", "a: 10\nb: 10\nc: 10\n");
	put(site, "conf.d/B.yaml", "a: B\n");
	put(site, "conf.d/a.yaml", "a: a\n");
	put(site, "conf.d/\xc3\xa9.yaml", "a: last\n");
	put(site, "conf.d/.hidden.yaml", "a: [\n");
	put(site, "conf.d/.#z.yaml", "a: [\n");
	put(site, "conf.d/z.yaml~", "a: [\n");
	put(site, "conf.d/z.yaml.bak", "a: [\n");
	put(site, "conf.d/z.yml", "a: [\n");
	put(site, "conf.d/README", "a: [\n");
	put(site, "conf.d/.yaml", "a: [\n");
	load(site, "n1");
	check_clean(site, "a: last\nb: 20\nc: 10\n");
	assert_string_equal(node_get(site->root, "a")->place.source->name + strlen(site->folder),
		"/conf.d/\xc3\xa9.yaml");
	assert_string_equal(
		node_get(site->root, "c")->place.source->name + strlen(site->folder), "/conf.d/10.yaml");
}

static void
number_of_files_is_bounded(void **state)
{
	struct site *site = *state;

	put(site, "weir.yaml", "a: 1\n");
	for (unsigned i = 0; i < 256; i++) {
		char name[64];
		snprintf(name, sizeof(name), "conf.d/%03u.yaml", i);
		put(site, name, "a: 2\n");
		if (i == 254) {
			load(site, "n1");
			check_clean(site, "a: 2\n");
		}
	}
	load(site, "n1");
	check_contains(site, site->printed.data,
		"FOLDER/conf.d: error: more than 256 files of configuration\n1 error in 256 files\n");
	assert_int_equal(report_errors(site->report), 1);
}

static void
large_files(void **state)
{
	struct site *site = *state;
	size_t size = (4u << 20) + 1;
	char *text = malloc(size + 1);

	assert_non_null(text);
	memset(text, '\n', size);
	text[size] = '\0';
	put(site, "weir.yaml", "a: 1\n");
	put(site, "conf.d/x.yaml", text);
	load(site, "n1");
	check_contains(site, site->printed.data,
		"FOLDER/conf.d/x.yaml:1:1: error: the file is larger than 4 MiB\n1 error in 2 files\n");
	put(site, "weir.yaml", text);
	put(site, "conf.d/x.yaml", "b: 2\n");
	load(site, "n1");
	check_contains(
		site, site->printed.data, "FOLDER/weir.yaml:1:1: error: the file is larger than 4 MiB\n");
	assert_string_equal(site->shown.data, "b: 2\n");
	free(text);
}

/* --- how they are merged --- */

static void
mappings_merge_all_else_is_replaced(void **state)
{
	struct site *site = *state;

	put(site, "weir.yaml",
		"cluster: hydra\nsamplers:\n  cpu: {interval: 10s, offset: 1s}\n  meminfo: {interval: "
		"10s}\nroutes:\n  - {from: [a]}\n  - {from: [b]}\nlist: x\n");
	put(site, "conf.d/1.yaml",
		"samplers:\n  cpu: {interval: 1s}\n  disk: {interval: 5s}\nroutes: [{from: [c]}]\nlist: "
		"[y]\n");
	put(site, "conf.d/2.yaml", "samplers: {disk: {offset: 2s}}\nlist: z\n");
	load(site, "n1");
	check_clean(site,
		"cluster: hydra\nsamplers:\n  cpu:\n    interval: 1s\n    offset: 1s\n  meminfo:\n    "
		"interval: 10s\n"
		"  disk:\n    interval: 5s\n    offset: 2s\nroutes:\n  - from:\n      - c\nlist: z\n");
}

static void
aliases_are_merged_apart(void **state)
{
	struct site *site = *state;

	put(site, "weir.yaml", "a: &x {i: 1}\nb: *x\n");
	put(site, "conf.d/1.yaml", "a: {i: 2, j: 3}\n");
	load(site, "n1");
	check_clean(site, "a:\n  i: 2\n  j: 3\nb:\n  i: 1\n");
}

static void
nulls(void **state)
{
	struct site *site = *state;

	put(site, "weir.yaml", "map: {a: 1}\nnothing:\ntext: x\n");
	put(site, "conf.d/1.yaml", "map:\nnothing: {b: 2}\ntext: ~\n");
	put(site, "conf.d/2.yaml", "# all of it commented out\n");
	load(site, "n1");
	check_clean(site, "map:\n  a: 1\nnothing:\n  b: 2\ntext: ~\n");
}

static void
conflicts_of_kind(void **state)
{
	struct site *site = *state;

	put(site, "weir.yaml", "samplers:\n  cpu: {interval: 1s}\ncluster: hydra\nroutes: []\n");
	put(site, "conf.d/1.yaml", "samplers:\n  cpu: interval:2s\ncluster: {a: b}\nroutes: {c: d}\n");
	put(site, "conf.d/2.yaml", "samplers: [cpu]\n");
	load(site, "n1");
	assert_int_equal(report_errors(site->report), 4);
	check_contains(site, site->printed.data,
		"FOLDER/conf.d/1.yaml:2:8: error: samplers.cpu: text here, but a mapping in ");
	check_contains(site, site->printed.data, "write 'interval: 2s', with a blank after the colon");
	check_contains(site, site->printed.data,
		"FOLDER/conf.d/1.yaml:3:10: error: cluster: a mapping here, but text in ");
	check_contains(site, site->printed.data,
		"FOLDER/conf.d/1.yaml:4:9: error: routes: a mapping here, but a list in ");
	check_contains(site, site->printed.data,
		"FOLDER/conf.d/2.yaml:1:11: error: samplers: a list here, but a mapping in ");
	check_contains(site, site->printed.data, "/weir.yaml:2\n");
	assert_string_equal(node_get(site->root, "cluster")->value, "hydra");
}

static void
errors_of_all_files(void **state)
{
	struct site *site = *state;

	put(site, "weir.yaml", "a: 1\na: 2\n");
	put(site, "conf.d/1.yaml", "b: 1\nc: [\n");
	put(site, "conf.d/2.yaml", "d: 1\nd: 2\n");
	put(site, "conf.d/3.yaml", "match: {host: other}\ne: \"\n");
	load(site, "n1");
	assert_int_equal(report_errors(site->report), 4);
	const char *one = strstr(site->printed.data, "/weir.yaml:2:1: error: a: duplicate");
	const char *two =
		strstr(site->printed.data, "/conf.d/1.yaml:2:4: error: c: this '[' is never closed");
	const char *three = strstr(site->printed.data, "/conf.d/2.yaml:2:1: error: d: duplicate");
	const char *four = strstr(site->printed.data, "/conf.d/3.yaml:2:4: error: e: this quote");
	assert_true(one && two > one && three > two && four > three);
	check_contains(site, site->printed.data, "4 errors in 4 files\n");
	assert_true(report_incomplete(site->report));
	assert_string_equal(node_get(site->root, "a")->value, "1");
	assert_string_equal(node_get(site->root, "b")->value, "1");
	assert_string_equal(node_get(site->root, "d")->value, "1");
	assert_true(node_get(site->root, "c")->partial);
	assert_null(node_get(site->root, "e"));
}

static void
origins(void **state)
{
	struct site *site = *state;
	struct text shown = { 0 };

	put(site, "weir.yaml", "s:\n  cpu: {i: 1, j: 2}\n");
	put(site, "conf.d/1.yaml", "\ns: {cpu: {j: 3}}\n");
	load(site, "n1");
	node_show(site->root, &shown, true);
	check_contains(site, shown.data, "s:\n  cpu:\n    i: 1 # FOLDER/weir.yaml:2\n");
	check_contains(site, shown.data, "    j: 3 # FOLDER/conf.d/1.yaml:2\n");
	const struct node *samplers = node_get(site->root, "s");
	assert_int_equal(node_member(node_get(samplers, "cpu"), "j")->place.line, 2);
	text_free(&shown);
}

/* --- match --- */

static void
check_match(struct site *site, const char *match, const char *host, bool holds)
{
	char text[512];

	snprintf(text, sizeof(text), "%sa: matched\n", match);
	put(site, "weir.yaml", "a: main\n");
	put(site, "conf.d/1.yaml", text);
	load(site, host);
	if (site->printed.size)
		fail_msg("%s: %s", match, site->printed.data);
	if (strcmp(site->shown.data, holds ? "a: matched\n" : "a: main\n") != 0)
		fail_msg("'%s' on '%s': %s", match, host, site->shown.data);
}

static void
matching_hosts(void **state)
{
	struct site *site = *state;
	const char *gpu = "match: {host: \"gpu[001-128]\"}\n";

	check_match(site, gpu, "gpu001", true);
	check_match(site, gpu, "gpu128", true);
	check_match(site, gpu, "gpu129", false);
	check_match(site, gpu, "gpu1", false);
	check_match(site, gpu, "gpu001.site.example", true);
	check_match(site, "match: {host: gpu001.site.example}\n", "gpu001.site.example", true);
	check_match(site, "match: {host: gpu001.site.example}\n", "gpu001", false);
	check_match(site, "match: {host: [login1, \"n[1-3]\"]}\n", "n2", true);
	check_match(site, "match: {host: [login1, \"n[1-3]\"]}\n", "n4", false);
	check_match(site, "match: {}\n", "any", true);
	check_match(site, "match: {exists: /}\n", "any", true);
	check_match(site, "match: {exists: /nonexistent/weir}\n", "any", false);
	check_match(site, "match: {exists: [/, /tmp]}\n", "any", true);
	check_match(site, "match: {exists: [/, /nonexistent/weir]}\n", "any", false);
	check_match(site, "match: {host: n1, exists: /}\n", "n1", true);
	check_match(site, "match: {host: n1, exists: /}\n", "n2", false);
	check_match(site, "match: {host: n1, exists: /nonexistent/weir}\n", "n1", false);
	check_match(site, "match: {host: \"${env:NO_SUCH_VARIABLE:-n7}\"}\n", "n7", true);
	check_match(site, "# not at the start\nb: {}\nmatch: {host: n1}\n", "n2", false);
}

static void
own_host(void **state)
{
	struct site *site = *state;
	char own[256] = "", match[512];

	assert_int_equal(gethostname(own, sizeof(own) - 1), 0);
	own[strcspn(own, ".")] = '\0';
	snprintf(match, sizeof(match), "match: {host: '%s'}\n", own);
	check_match(site, match, NULL, true);
	check_match(site, "match: {host: no-host-has-this-name}\n", NULL, false);
}

static void
check_refused(struct site *site, const char *match, const char *wanted)
{
	char text[512];

	snprintf(text, sizeof(text), "%sa: matched\n", match);
	put(site, "weir.yaml", "a: main\n");
	put(site, "conf.d/1.yaml", text);
	load(site, "n1");
	check_contains(site, site->printed.data, wanted);
	assert_int_equal(report_errors(site->report), 1);
	assert_true(report_incomplete(site->report));
	assert_string_equal(site->shown.data, "a: main\n");
}

static void
faults_of_match(void **state)
{
	struct site *site = *state;

	check_refused(site, "match: {hots: n1}\n",
		"FOLDER/conf.d/1.yaml:1:9: error: match: no such condition 'hots'");
	check_contains(site, site->printed.data, "      | did you mean 'host'?\n");
	check_refused(site, "match: {exist: /}\n", "did you mean 'exists'?");
	check_refused(
		site, "match: {host: 'n[1-'}\n", "FOLDER/conf.d/1.yaml:1:15: error: match.host: ");
	check_refused(
		site, "match: {host: [n1, 'n[1-']}\n", "FOLDER/conf.d/1.yaml:1:20: error: match.host: ");
	check_refused(site, "match: {host: {a: b}}\n",
		"1.yaml:1:15: error: match.host: expected a single value, found a mapping");
	check_refused(site, "match: {host: }\n", "error: match.host: nothing is given");
	check_refused(site, "match: {exists: dev/null}\n",
		"1.yaml:1:17: error: match.exists: 'dev/null' is no absolute path");
	check_refused(site, "match: host:n1\n",
		"1.yaml:1:8: error: match: expected 'key: value' pairs, found 'host:n1'");
	check_refused(
		site, "match:\n", "1.yaml:1:7: error: match: expected 'key: value' pairs, found nothing");
	check_refused(site, "match: [host]\n",
		"1.yaml:1:8: error: match: expected 'key: value' pairs, found a list");
	check_refused(site, "match: {host: \"${env:NO_SUCH_VARIABLE}\"}\n",
		"1.yaml:1:15: error: match.host: the environment has no variable");
	put(site, "weir.yaml", "a: main\nmatch: {host: n1}\n");
	put(site, "conf.d/1.yaml", "");
	load(site, "n1");
	check_contains(site, site->printed.data,
		"FOLDER/weir.yaml:2:1: error: match: stands in drop-ins (conf.d), not in the main file");
	assert_string_equal(site->shown.data, "a: main\n");
}

/* What is left out need not find its secrets, but must be written well. */
static void
drop_ins_left_out(void **state)
{
	struct site *site = *state;

	put(site, "weir.yaml", "a: main\nb: \"${env:NO_SUCH_VARIABLE}\"\n");
	put(site, "conf.d/1.yaml", "match: {host: other}\nc: \"${file:/nonexistent/weir}\"\n");
	put(site, "conf.d/2.yaml", "b: replaced\n");
	load(site, "n1");
	check_clean(site, "a: main\nb: replaced\n");
	put(site, "conf.d/1.yaml", "match: {host: other}\nc: \"${fil:/x}\"\nc: 2\n");
	load(site, "n1");
	assert_int_equal(report_errors(site->report), 2);
	check_contains(
		site, site->printed.data, "FOLDER/conf.d/1.yaml:2:4: error: c: '${fil:/x}' is none of");
	check_contains(site, site->printed.data, "FOLDER/conf.d/1.yaml:3:1: error: c: duplicate key");
}

#define WITH_SITE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SITE(folder_and_file),
		WITH_SITE(missing_files),
		WITH_SITE(no_regular_files),
		WITH_SITE(without_folder_of_drop_ins),
		WITH_SITE(order_and_ignored_names),
		WITH_SITE(number_of_files_is_bounded),
		WITH_SITE(large_files),
		WITH_SITE(mappings_merge_all_else_is_replaced),
		WITH_SITE(aliases_are_merged_apart),
		WITH_SITE(nulls),
		WITH_SITE(conflicts_of_kind),
		WITH_SITE(errors_of_all_files),
		WITH_SITE(origins),
		WITH_SITE(matching_hosts),
		WITH_SITE(own_host),
		WITH_SITE(faults_of_match),
		WITH_SITE(drop_ins_left_out),
	};
	return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
