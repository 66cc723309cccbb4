/* SPDX-License-Identifier: Apache-2.0 */
/* A new sampler: a small file of /proc, read anew each tick. */
#include "plugin/scaffold.h"

#include <stddef.h>

/* clang-format off */
static const char source_c[] =
	"/* @NAME@: how long this machine is up, from /proc/uptime (\"350735.47 234388.90\"). */\n"
	"#include <errno.h>\n"
	"\n"
	"#include <weir/sampler.h>\n"
	"\n"
	"struct state {\n"
	"\tstruct weir_file *file;\n"
	"};\n"
	"\n"
	"enum { UP_TIME, IDLE_TIME };\n"
	"\n"
	"static const struct weir_column columns[] = {\n"
	"\t[UP_TIME] = WEIR_GAUGE_REAL(\"up_time\", \"s\", 100, \"time since the machine was "
	"booted\"),\n"
	"\t[IDLE_TIME] = WEIR_COUNTER_REAL(\"idle_time\", \"s\", 100, \"time that CPUs were idle, "
	"summed over all\"),\n"
	"};\n"
	"\n"
	"static const struct weir_schema schema = WEIR_SERIES(\"@NAME@\", columns, \"how long the "
	"machine is up\");\n"
	"static const struct weir_schema *const schemas[] = { &schema, NULL };\n"
	"\n"
	"static int\n"
	"open_file(void *state, struct weir_ctx *ctx, struct weir_err *err)\n"
	"{\n"
	"\tstruct state *s = state;\n"
	"\n"
	"\t(void)err;\n"
	"\ts->file = weir_file(ctx, \"/proc/uptime\", WEIR_READ_ONCE);\n"
	"\treturn 0;\n"
	"}\n"
	"\n"
	"static int\n"
	"sample(void *state, struct weir_out *out, struct weir_err *err)\n"
	"{\n"
	"\tstruct state *s = state;\n"
	"\tstruct weir_scan text;\n"
	"\tint64_t hundredths;\n"
	"\tint error = weir_read(s->file, &text, err);\n"
	"\n"
	"\tif (error)\n"
	"\t\treturn error;\n"
	"\tif (!weir_scan_decimal(&text, 100, &hundredths))\n"
	"\t\treturn weir_failx(err, -ENODATA, \"'/proc/uptime' does not begin with a number\");\n"
	"\tstruct weir_row *row = weir_row(out, 0);\n"
	"\n"
	"\tweir_set_count(row, UP_TIME, hundredths);\n"
	"\tif (weir_scan_decimal(&text, 100, &hundredths))\n"
	"\t\tweir_set_count(row, IDLE_TIME, hundredths);\n"
	"\treturn 0;\n"
	"}\n"
	"\n"
	"WEIR_PLUGIN(\n"
	"\t.kind = WEIR_SAMPLER,\n"
	"\t.name = \"@NAME@\",\n"
	"\t.summary = \"how long the machine is up\",\n"
	"\t.state_size = sizeof(struct state),\n"
	"\t.schemas = schemas,\n"
	"\t.open = open_file,\n"
	"\t.sampler.sample = sample);\n";

static const char readme_md[] =
	"# @NAME@: a sampler for Weir\n"
	"\n"
	"    make            builds @NAME@.so; pkg-config must find Weir\n"
	"    make test       runs it on the saved tree below tests/root, and the test of the "
	"contract\n"
	"    make install    puts it among Weir's plugins\n"
	"\n"
	"Without installing it: `weir sample ./@NAME@.so`, or in the configuration `plugins: "
	"[FOLDER]`.\n"
	"\n"
	"    samplers:\n"
	"      @NAME@: {interval: 10s}\n"
	"\n"
	"To make it yours: change the path and the columns table in @NAME@.c, put a copy of the "
	"real file below\n"
	"tests/root, and write down in tests/test.sh what must come out. weir-plugin(7) is the "
	"contract,\n"
	"`weir plugin describe ./@NAME@.so` shows what the tables say.\n";

static const char tests_test_sh[] =
	"#!/bin/sh\n"
	"# The values of a saved tree; what is missing is missing; then the test of the contract.\n"
	"set -eu\n"
	"cd \"$(dirname \"$0\")/..\"\n"
	"rows=$(\"$WEIR\" sample ./@NAME@.so --root tests/root --format json)\n"
	"case $rows in\n"
	"*'\"schema\":\"@NAME@\"'*'\"up_time\":350735.47,\"idle_time\":234388.9}'*) ;;\n"
	"*) echo \"wrong rows: $rows\" >&2 && exit 1 ;;\n"
	"esac\n"
	"rows=$(\"$WEIR\" sample ./@NAME@.so --root tests --format json)\n"
	"case $rows in\n"
	"*'\"item\":\"/proc/uptime\",\"status\":\"absent\"'*) ;;\n"
	"*) echo \"nothing is said of the missing file: $rows\" >&2 && exit 1 ;;\n"
	"esac\n"
	"\"$WEIR\" plugin test ./@NAME@.so --root tests/root\n";

static const char tests_root_proc_uptime[] =
	"350735.47 234388.90\n";

/* clang-format on */

const struct scaffold_file scaffold_sampler[] = {
	{ "@NAME@.c", source_c },
	{ "README.md", readme_md },
	{ "tests/test.sh", tests_test_sh },
	{ "tests/root/proc/uptime", tests_root_proc_uptime },
	{ NULL, NULL },
};
