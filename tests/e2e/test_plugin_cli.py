# SPDX-License-Identifier: Apache-2.0
"""weir plugin: what is there, what a bad file is called, the contract's own test, and plugins that begin outside this tree."""
import json
import os
import platform
import re
import shlex
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("WEIR_BUILD", ROOT / "build"))
WEIR = os.environ.get("WEIR", str(BUILD / "weir"))
CC = shlex.split(os.environ.get("CC") or "gcc")
FROZEN = ROOT / "tests/plugins/abi1/frozen.so"
x86_64_only = pytest.mark.skipif(platform.machine() != "x86_64", reason="frozen.so is for x86-64")

SAMPLER = """
#include <weir/sampler.h>
static int open_file(void *state, struct weir_ctx *ctx, struct weir_err *err)
{ (void)err; *(struct weir_file **)state = weir_file(ctx, "/proc/loadavg", WEIR_READ_ONCE); return 0; }
static int sample(void *state, struct weir_out *out, struct weir_err *err)
{ struct weir_scan text; int64_t load; int rc = weir_read(*(struct weir_file **)state, &text, err);
  if (!rc && weir_scan_decimal(&text, 100, &load)) weir_set_count(weir_row(out, 0), 0, load); return rc; }
static const struct weir_column columns[] = { COLUMN };
static const struct weir_schema schema = WEIR_SERIES("mine", columns, "help");
static const struct weir_schema *const schemas[] = { &schema, NULL };
struct state { struct weir_file *file; bool flag; };
static const struct weir_option options[] = { OPTION, WEIR_OPTIONS_END };
WEIR_PLUGIN(.kind = WEIR_SAMPLER, .name = NAME, .summary = "s", .state_size = sizeof(struct state), .schemas = schemas,
            .options = options, .open = open_file, .sampler.sample = sample EXTRA);
"""
PARTS = {
	"NAME": '"mine"', "COLUMN": 'WEIR_GAUGE_REAL("load", "1", 100, "help")',
	"OPTION": 'WEIR_BOOL_OPTION(struct state, flag, "no", "help")', "EXTRA": ""}


def weir(*arguments, path=None, cwd=None):
	environment = {key: value for key, value in os.environ.items() if key != "WEIR_PLUGIN_PATH"}
	if path:
		environment["WEIR_PLUGIN_PATH"] = str(path)
	return subprocess.run(
		[WEIR, *map(str, arguments)], capture_output=True, text=True, check=False, env=environment, cwd=cwd, timeout=120)


def compile_plugin(target, source=None, flags=(), **parts):
	text = source or SAMPLER
	for word, replacement in {**PARTS, **parts}.items():
		text = re.sub(rf"\b{word}\b", lambda _, r=replacement: r, text)
	file = target.with_suffix(".c")
	file.write_text(text)
	subprocess.run(
		[*CC, "-std=gnu11", "-Wall", "-fPIC", "-fvisibility=hidden", "-shared", f"-I{ROOT}/core/include", "-o", target, file, *flags],
		check=True)
	file.unlink()
	target.chmod(0o755)
	return target


@pytest.fixture(scope="module")
def good(tmp_path_factory):
	return compile_plugin(tmp_path_factory.mktemp("good") / "mine.so")


def plugins():
	return [json.loads(line) for line in weir("plugin", "list", "--format", "json").stdout.splitlines()]


# ---- list and describe ----

def test_list_names_every_built_plugin():
	listed = {(f"{p['kind']}s", p["name"]) for p in plugins() if p["path"]}
	assert listed == {(path.parent.name, path.stem) for path in (BUILD / "plugins").glob("*/*.so")}
	run = weir("plugin", "list")
	assert (run.returncode, run.stderr) == (0, "")
	for p in plugins():
		assert re.search(rf"^{p['kind']} +{p['name']} ", run.stdout, re.M)


def test_list_names_what_the_build_left_out(tmp_path):
	(tmp_path / "plugins/samplers").mkdir(parents=True)
	shutil.copy(WEIR, tmp_path / "weir")
	shutil.copy(BUILD / "plugins/samplers/loadavg.so", tmp_path / "plugins/samplers")
	(tmp_path / "skipped.txt").write_text("samplers/perf\tlibpfm4-dev\nsamplers/loadavg\tnothing\n")
	run = subprocess.run([tmp_path / "weir", "plugin", "list"], capture_output=True, text=True, check=False)
	assert re.search(r"^sampler +perf +left out of this build: needs the package libpfm4-dev$", run.stdout, re.M)
	assert "nothing" not in run.stdout
	run = subprocess.run([tmp_path / "weir", "plugin", "list", "--format", "json"], capture_output=True, text=True, check=False)
	assert {p["name"]: p["needs_package"] for p in map(json.loads, run.stdout.splitlines())} == {"loadavg": None, "perf": "libpfm4-dev"}
	run = subprocess.run([tmp_path / "weir", "plugin", "describe", "perf"], capture_output=True, text=True, check=False)
	assert run.returncode == 64 and "left out of this build: it needs libpfm4-dev" in run.stderr


def test_describe_json():
	cpu = json.loads(weir("plugin", "describe", "cpu", "--format", "json").stdout)
	assert (cpu["kind"], cpu["name"], cpu["abi"]) == ("sampler", "cpu", 1)
	options = {option["name"]: option for option in cpu["options"]}
	assert options["clock_tick"] == {
		"name": "clock_tick", "type": "integer", "required": False, "common": False, "default": "100", "range": "1 to 1000000",
		"min": 1, "max": 1000000, "choices": [], "help": options["clock_tick"]["help"]}
	assert options["interval"]["common"] and options["interval"]["default"] == "10s" and options["interval"]["min"] == 10000000
	schema = next(s for s in cpu["schemas"] if s["name"] == "cpu")
	assert (schema["kind"], schema["keys"]) == ("series", ["cpu"])
	user = next(c for c in schema["columns"] if c["name"] == "user_time")
	assert (user["type"], user["kind"], user["unit"], user["divisor"]) == ("f64", "counter", "s", 100)
	csv = json.loads(weir("plugin", "describe", "store", "csv", "--format", "json").stdout)
	options = {option["name"]: option for option in csv["options"]}
	assert options["path"]["required"] and options["path"]["default"] is None
	assert options["compress"]["choices"] == ["none", "zstd", "gz"]
	assert {"flush", "sync", "queue"} <= set(options)


def test_describe_own_interval_of_a_sampler():
	for p in plugins():
		if p["kind"] != "sampler" or not p["path"]:
			continue
		d = json.loads(weir("plugin", "describe", p["name"], "--format", "json").stdout)
		expected = "1h" if "events" in d["flags"] else "60s" if "slow" in d["flags"] else "30s" if "rare" in d["flags"] else "10s"
		assert next(o["default"] for o in d["options"] if o["name"] == "interval") == expected


def test_all_forms_name_every_option_and_column():
	for p in plugins():
		if not p["path"]:
			continue
		d = json.loads(weir("plugin", "describe", p["kind"], p["name"], "--format", "json").stdout)
		for form in ("text", "markdown", "man"):
			run = weir("plugin", "describe", p["kind"], p["name"], "--format", form)
			assert run.returncode == 0
			text = re.sub(r"\\f[BR]", "", run.stdout)
			for option in d["options"]:
				assert re.search(rf"\b{option['name']}\b", text), (p["name"], form, option["name"])
			for schema in d["schemas"]:
				for column in schema["columns"]:
					assert re.search(rf"\b{column['name']}\b", text), (p["name"], form, column["name"])


def test_one_name_of_two_kinds(tmp_path):
	source = SAMPLER.replace("WEIR_SAMPLER", "WEIR_PARSER").replace(".sampler.sample = sample", ".parser = { .inputs = 1, .parse = parse }") + ""
	source = source.replace("static const struct weir_column", "static int parse(void *a, void *b, const struct weir_input *c, size_t *d,"
		" struct weir_out *e, struct weir_err *f) { (void)a; (void)b; (void)c; (void)d; (void)e; (void)f; return 0; }\n"
		"static const struct weir_column", 1).replace("static int sample", "__attribute__((unused)) static int sample")
	(tmp_path / "samplers").mkdir()
	(tmp_path / "parsers").mkdir()
	compile_plugin(tmp_path / "samplers/mine.so")
	compile_plugin(tmp_path / "parsers/mine.so", source)
	run = weir("plugin", "describe", "mine", path=tmp_path)
	assert run.returncode == 64 and "'mine' is a sampler and a parser" in run.stderr
	for kind in ("sampler", "parser"):
		assert json.loads(weir("plugin", "describe", kind, "mine", "--format", "json", path=tmp_path).stdout)["kind"] == kind


@pytest.mark.parametrize("arguments,said", [
	(["describe", "cpuu"], "did you mean 'cpu'?"),
	(["describe", "xyzzy"], "no such plugin: 'xyzzy'"),
	(["describe", "store", "cpu"], "'cpu' is a sampler"),
	(["describe"], "name one plugin"),
	(["describe", "cpu", "--format", "xml"], "describe --format is"),
	(["lst"], "did you mean 'list'?"),
	([], "say what"),
	(["list", "cpu"], "list takes no 'cpu'"),
	(["test", "cpu", "--wrong"], "wrong options"),
])
def test_usage(arguments, said):
	run = weir("plugin", *arguments)
	assert run.returncode == 64
	assert said in run.stderr
	assert run.stdout == ""


# ---- bad files ----

def bad_column(name):
	return f'WEIR_GAUGE_REAL("{name}", "1", 100, "help")'


BAD = {
	"abi": ({"source": SAMPLER.replace("#include <weir/sampler.h>", "#include <weir/sampler.h>\n#undef WEIR_ABI\n#define WEIR_ABI 2")},
		"was built for plugin ABI 2, this weir has 1: build it again"),
	"large": ({"EXTRA": ", .size = sizeof(struct weir_plugin) + 8"}, "was built against a newer weir"),
	"small": ({"EXTRA": ", .size = 64"}, "too small to be one"),
	"unresolved": ({"source": SAMPLER.replace("int rc = weir_read", "extern int weir_nothing(void); int rc = weir_nothing() + weir_read")},
		"undefined symbol: weir_nothing"),
	"other_name": ({"NAME": '"yours"'}, "calls itself 'yours': name the file like the plugin"),
	"weir_own": ({"NAME": '"weir_own"'}, "'weir_own' is no name for a plugin"),
	"capital": ({"NAME": '"Mine"'}, "'Mine' is no name for a plugin"),
	"reserved": ({"COLUMN": bad_column("user")}, "user"),
	"implied": ({"COLUMN": bad_column("host")}, "host"),
	"no_unit": ({"COLUMN": '{ .name = "load", .type = WEIR_F64, .role = WEIR_GAUGE, .divisor = 100, .help = "h" }'}, "unit"),
	"no_help": ({"OPTION": 'WEIR_BOOL_OPTION(struct state, flag, "no", "")'}, "option 'flag' has no help"),
	"core_option": ({"OPTION": '{ .name = "interval", .type = WEIR_OPTION_BOOL, .help = "h" }'}, "option 'interval' is the core's own"),
	"outside": ({"OPTION": '{ .name = "flag", .type = WEIR_OPTION_BOOL, .offset = 4096, .help = "h" }'}, "lies outside the state"),
	"no_sample": ({"source": SAMPLER.replace(", .sampler.sample = sample", "").replace("static int sample", "__attribute__((unused)) static int sample")},
		"lacks 'sample'"),
	"no_summary": ({"source": SAMPLER.replace('.summary = "s"', '.summary = ""')}, "has no summary"),
	"no_constant": ({"source": "int nothing;\n"}, "exports no 'weir_plugin'"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_file(tmp_path, good, name):
	how, said = BAD[name]
	parts = dict(how)
	parts.setdefault("NAME", f'"{name}"')
	bad = compile_plugin(tmp_path / f"{name}.so", **parts)
	shutil.copy(good, tmp_path)
	check_bad(tmp_path, bad, said)


def check_bad(folder, bad, said):
	"""Listed with its reason, refused by each verb, and the good one beside it works."""
	run = weir("plugin", "list", path=folder)
	assert run.returncode == 0
	lines = run.stderr.splitlines()
	assert len(lines) == 1, run.stderr
	assert str(bad) in lines[0]
	assert said in lines[0]
	assert re.search(r"^sampler +mine ", run.stdout, re.M)
	assert not re.search(rf"^\w+ +{bad.stem} ", run.stdout, re.M)
	for verb in ("describe", "test"):
		run = weir("plugin", verb, bad)
		assert run.returncode == 78, run.stderr
		assert said in run.stderr
	run = weir("plugin", "describe", bad.stem, path=folder)
	assert run.returncode == 78 and said in run.stderr
	(folder / "weir.yaml").write_text(
		f"plugins: [{folder}]\nsamplers:\n  mine:\n  other: {{plugin: {bad.stem}}}\nstores:\n  x: {{plugin: csv, path: /nonexistent/x}}\n")
	run = weir("config", "check", folder / "weir.yaml")
	assert run.returncode == 78
	assert "weir.yaml:4:19: error: samplers.other: " in run.stderr and said in run.stderr


def test_missing_library(tmp_path, good):
	shutil.copy(good, tmp_path)
	(tmp_path / "lib").mkdir()
	library = compile_plugin(tmp_path / "lib/libgone.so", '__attribute__((visibility("default"))) int gone(void); int gone(void) { return 0; }\n')
	source = SAMPLER.replace("int rc = weir_read", "extern int gone(void); int rc = gone() + weir_read")
	bad = compile_plugin(tmp_path / "lacking.so", source, [library, "-Wl,-rpath," + str(tmp_path / "lib")], NAME='"lacking"')
	library.unlink()
	check_bad(tmp_path, bad, "libgone.so: cannot open shared object file")


@pytest.mark.parametrize("part", [*range(1, 16), "last"])
def test_truncated(tmp_path, good, part):
	"""dlopen of such a file dies of SIGBUS."""
	data = good.read_bytes()
	shutil.copy(good, tmp_path)
	bad = tmp_path / "cut.so"
	bad.write_bytes(data[:-1] if part == "last" else data[:len(data) * part // 16])
	check_bad(tmp_path, bad, "is truncated: build it again")


@pytest.mark.parametrize("size", [1, 15, 16, 20, 63])
def test_cut_in_the_header(tmp_path, good, size):
	shutil.copy(good, tmp_path)
	bad = tmp_path / "cut.so"
	bad.write_bytes(good.read_bytes()[:size])
	check_bad(tmp_path, bad, "is no shared object")


@pytest.mark.parametrize("content,said", [
	(b"", "is empty"),
	(b"#!/bin/sh\nexit 0\n" * 20, "is no shared object"),
	(b"\x7fELF" + b"\xff" * 200, "is no shared object"),
	(b"\0" * 4096, "is no shared object"),
])
def test_no_shared_object(tmp_path, good, content, said):
	shutil.copy(good, tmp_path)
	bad = tmp_path / "odd.so"
	bad.write_bytes(content)
	check_bad(tmp_path, bad, said)


def test_scribbled_header(tmp_path, good):
	"""Whatever the header of the file says: a sentence or a plugin, never a crash."""
	bad = tmp_path / "mine.so"
	for offset in range(4, 64):
		for value in (0, 1, 0x7f, 0xff):
			data = bytearray(good.read_bytes())
			data[offset] = value
			bad.write_bytes(data)
			run = weir("plugin", "describe", bad)
			assert run.returncode in (0, 78), (offset, value, run.returncode)
			assert run.returncode == 0 or str(bad) in run.stderr


def test_world_writable(tmp_path, good):
	shutil.copy(good, tmp_path)
	bad = compile_plugin(tmp_path / "open.so", NAME='"open"')
	bad.chmod(0o757)
	check_bad(tmp_path, bad, "can be written by others: chmod o-w it")


def test_in_a_world_writable_folder(tmp_path):
	folder = tmp_path / "open"
	folder.mkdir()
	bad = compile_plugin(folder / "mine.so")
	folder.chmod(0o777)
	run = weir("plugin", "describe", bad)
	assert run.returncode == 78 and "lies in a folder that others can write" in run.stderr


def test_no_regular_file(tmp_path, good):
	shutil.copy(good, tmp_path)
	os.mkfifo(tmp_path / "pipe.so")
	check_bad(tmp_path, tmp_path / "pipe.so", "is no regular file")


def test_wrong_folder_of_a_kind(tmp_path):
	(tmp_path / "stores").mkdir()
	bad = compile_plugin(tmp_path / "stores/mine.so")
	run = weir("plugin", "list", path=tmp_path)
	assert run.returncode == 0
	assert f"'{bad}' is a sampler: it belongs into 'samplers/'" in run.stderr


def test_no_such_file(tmp_path):
	run = weir("plugin", "describe", tmp_path / "none.so")
	assert run.returncode == 64 and "none.so" in run.stderr


# ---- the contract's own test ----

def test_every_plugin_keeps_the_contract():
	for p in plugins():
		if p["path"] and p["kind"] != "parser":
			run = weir("plugin", "test", p["kind"], p["name"])
			assert run.returncode == 0, run.stdout + run.stderr
			assert re.search(rf"^{p['kind']} '{p['name']}': \d+ checks, 0 faults$", run.stdout, re.M)
			assert run.stdout.count("\nok ") + 1 >= (20 if p["kind"] == "store" else 5)


FAULTY = {
	"static": ("sampler", "static int ticks; struct weir_scan text; if (ticks++ % 2) weir_row(out, 0);", "same rows of the same tree"),
	"leak": ("sampler", "struct weir_scan text; (void)!dup(2);", "no descriptor is left open"),
	"fails": ("sampler", "struct weir_scan text; if (out) return weir_failx(err, -5, \"a fault\");", "failed: a fault"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_faulty_sampler_is_found(tmp_path, name):
	_, code, said = FAULTY[name]
	source = SAMPLER.replace("struct weir_scan text;", code, 1).replace("#include <weir", "#include <unistd.h>\n#include <weir", 1)
	bad = compile_plugin(tmp_path / "mine.so", source)
	(tmp_path / "root/proc").mkdir(parents=True)
	(tmp_path / "root/proc/loadavg").write_text("0.5 1 1 1/2 3\n")
	run = weir("plugin", "test", bad, "--root", tmp_path / "root")
	assert run.returncode == 1
	assert re.search(rf"^FAIL .*{said}", run.stdout, re.M), run.stdout
	assert re.search(r" checks, [1-9]\d* faults$", run.stdout.splitlines()[-1])


def test_closing_what_was_never_opened(tmp_path):
	source = SAMPLER.replace("static const struct weir_column", "static void end(void *state) { (void)state; close(0); }\nstatic const struct weir_column", 1)
	source = source.replace("#include <weir", "#include <unistd.h>\n#include <weir", 1)
	bad = compile_plugin(tmp_path / "mine.so", source, EXTRA=", .close = end")
	run = weir("plugin", "test", bad)
	assert run.returncode == 1
	assert "FAIL  close of a state that open never touched" in run.stdout


@pytest.mark.parametrize("old,new,said", [
	("input->end ? weir_scan_line(&text, &line) : weir_scan_whole_line(&text, &line)", "weir_scan_line(&text, &line)", "cut after byte"),
	("	memcpy(blob->data, stream, sizeof(struct stream));\n	blob->size = sizeof(struct stream);\n", "	(void)stream;\n	blob->size = 0;\n",
		"from the mark at byte"),
	("	struct weir_scan text = weir_scan(input->data, input->size), line;\n",
		"	static int calls; struct weir_scan text = weir_scan(input->data, input->size), line; if (calls++ == 1) weir_row(out, 0);\n", "side by side"),
	("*used = (size_t)(text.at - input->data);", "*used = input->size;", "cut after byte"),
	("		weir_accept(out, *used);\n", "		weir_accept(out, *used + 1);\n", "weir_accept"),
	("		if (!parse_line", "		if (input->size % 7 && !parse_line", "cut after byte|side by side"),
])
def test_faulty_parser_is_found(tmp_path, old, new, said):
	assert weir("plugin", "new", "parser", "mine", tmp_path).returncode == 0
	source = (tmp_path / "mine.c").read_text()
	assert old in source
	bad = compile_plugin(tmp_path / "mine.so", re.sub(r"\bNAME\b", "NAME_", source.replace(old, new)))
	run = weir("plugin", "test", bad, "--input", tmp_path / "tests/input")
	assert run.returncode == 1, run.stdout
	assert re.search(rf"^FAIL .*({said})", run.stdout, re.M), run.stdout


STORE_FAULTS = [
	("commit->hold[i].epoch < claim->epoch", "0", "-ESTALE"),
	("*epoch = ++claim->epoch;", "*epoch = claim->epoch;", "raises the epoch"),
	("LOCK_EX | LOCK_NB", "LOCK_SH | LOCK_NB", "-EBUSY"),
	("	int rc = read_journal(s, err);\n", "	int rc = 0;\n", "raises the epoch"),
	("	if (made) {\n		if (mark->size)", "	if (made) {\n		made->size = 0; if (mark->size)", "gives the marks back"),
	("weir_tally_stored(&tally[i], batches[i]->rows);", "tally[i].stored = 0;", "are accounted for"),
	("weir_tally_stored(&tally[i], batches[i]->rows);", "tally[i] = (struct weir_tally){ .stored = batches[i]->rows };", "has no verdict"),
	("weir_tally_stored(&tally[i], batches[i]->rows);",
		"for (size_t r = 0; r < batches[i]->rows; r++) weir_tally_row(&tally[i], r ? r - 1 : 0, WEIR_ROW_STORED, NULL);", "has no verdict"),
	("weir_tally_stored(&tally[i], batches[i]->rows);",
		"tally[i].stored = batches[i]->rows; memset(tally[i].verdict, WEIR_ROW_UNCHANGED, batches[i]->rows);", "are not what the sums say"),
	("weir_tally_stored(&tally[i], batches[i]->rows);",
		"weir_tally_stored(&tally[i], batches[i]->rows); tally[i].verdict[0] = WEIR_ROW_REFUSED; tally[i].stored--; tally[i].refused++;",
		"refuse and the verdict of row 0"),
	("	if (!claim || !holder) {",
		"	if (claim && claim->holder && *claim->holder && strcmp(claim->holder, holder)) { free(holder); return -EBUSY; }\n	if (!claim || !holder) {",
		"a source given back is free"),
	("		if (marks_put(&next, &commit->marks.mark[i]))",
		"		if (!(commit->marks.mark[i].forget && strcmp(commit->marks.mark[i].source, commit->hold->source)) &&\n"
		"		    marks_put(&next, &commit->marks.mark[i]))", "a source that is not held is forgotten"),
	("	return rc ? weir_fail(err, rc, \"cannot look for a mark\") : 0;", "	marks->n = 0; return rc;", "find gives the mark"),
	("		if (marks_put(&next, &commit->marks.mark[i]))", "		if (!commit->marks.mark[i].forget && marks_put(&next, &commit->marks.mark[i]))",
		"a mark is forgotten"),
	("		close(s->rows - 1);\n", "		s->rows = 0;\n", "no descriptor is left open"),
]


@pytest.mark.parametrize("old,new,said", STORE_FAULTS)
def test_faulty_store_is_found(tmp_path, old, new, said):
	assert weir("plugin", "new", "store", "mine", tmp_path).returncode == 0
	(tmp_path / "mine.c").rename(tmp_path / "main-part.c")
	sources = [tmp_path / name for name in ("main-part.c", "rows-json.c", "marks-list.c")]
	assert sum(source.read_text().count(old) for source in sources) == 1
	for source in sources:
		source.write_text(source.read_text().replace(old, new))
	bad = compile_plugin(tmp_path / "mine.so", "int nothing;\n", [f"-I{tmp_path}", *sources])
	run = weir("plugin", "test", bad)
	assert run.returncode == 1, run.stdout
	assert re.search(rf"^FAIL .*{said}", run.stdout, re.M), run.stdout


def test_options_of_the_test(good):
	assert weir("plugin", "test", good, "-o", "flag=yes").returncode == 0
	for option, said in (("flag=maybe", "maybe"), ("flg=yes", "did you mean 'flag'?"), ("flag", "'flag' is not OPTION=VALUE")):
		run = weir("plugin", "test", good, "-o", option)
		assert run.returncode == 1 and said in run.stdout


def test_rows_of_the_test(tmp_path, good):
	(tmp_path / "proc").mkdir()
	(tmp_path / "proc/loadavg").write_text("0.5 1 1 1/2 3\n")
	run = weir("plugin", "test", good, "--root", tmp_path, "--rows")
	rows = [json.loads(line) for line in run.stdout.splitlines()]
	assert [row["load"] for row in rows] == [0.5] * 3
	assert rows[0]["time"] == "2026-01-01T00:00:00.000000Z"
	assert "0 faults" in run.stderr


# ---- new plugins ----

@pytest.fixture(scope="module")
def installed(tmp_path_factory):
	prefix = tmp_path_factory.mktemp("install") / "weir"
	built = sorted(str(path) for path in (BUILD / "plugins").glob("*/*.so"))
	subprocess.run(
		["scripts/install.sh", "install", BUILD, *built], cwd=ROOT, check=True, capture_output=True,
		env={"PATH": os.environ["PATH"], "PREFIX": str(prefix), "VERSION": "0"})
	environment = {key: value for key, value in os.environ.items() if not key.startswith("WEIR") and key not in ("CFLAGS", "MAKEFLAGS")}
	return prefix, {**environment, "PKG_CONFIG_PATH": f"{prefix}/lib/pkgconfig", "PATH": f"{prefix}/bin:{environment['PATH']}"}


@pytest.mark.parametrize("kind", ["sampler", "parser", "store"])
def test_new_plugin_builds_and_passes(tmp_path, installed, kind):
	prefix, environment = installed

	def call(*command):
		run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120)
		assert run.returncode == 0, run.stdout + run.stderr
		return run.stdout

	made = call("weir", "plugin", "new", kind, "my_plugin", "deep/folder")
	for path in made.splitlines()[:-1]:
		assert (tmp_path / path).is_file()
	assert {"deep/folder/Makefile", "deep/folder/README.md", "deep/folder/my_plugin.c", "deep/folder/tests/test.sh"} <= set(made.splitlines())
	folder = tmp_path / "deep/folder"
	assert not re.search(r"@[A-Z]+@", "".join(path.read_text() for path in folder.rglob("*") if path.is_file()))
	call("make", "-C", folder, "CFLAGS=-O2 -Werror -Wshadow -Wstrict-prototypes")
	assert "0 faults" in call("make", "-C", folder, "test")
	call("make", "-C", folder, "install")
	assert (prefix / f"lib/weir/{kind}s/my_plugin.so").is_file()
	assert re.search(rf"^{kind} +my_plugin ", call("weir", "plugin", "list"), re.M)
	call("make", "-C", folder, "uninstall")
	assert not (prefix / f"lib/weir/{kind}s/my_plugin.so").exists()


def test_new_sampler_test_can_fail(tmp_path, installed):
	_, environment = installed
	subprocess.run(["weir", "plugin", "new", "sampler", "mine", tmp_path], env=environment, check=True, capture_output=True)
	(tmp_path / "tests/root/proc/uptime").write_text("1.5 2.5\n")
	run = subprocess.run(["make", "-C", tmp_path, "test"], env=environment, capture_output=True, text=True, check=False)
	assert run.returncode == 2 and "wrong rows" in run.stderr


def test_new_overwrites_nothing(tmp_path):
	(tmp_path / "README.md").write_text("mine\n")
	run = weir("plugin", "new", "store", "mine", tmp_path)
	assert run.returncode == 73 and "README.md' is there already" in run.stderr
	assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
	assert (tmp_path / "README.md").read_text() == "mine\n"


@pytest.mark.parametrize("arguments,said", [
	(["sampler", "Mine"], "is no name for a plugin"),
	(["sampler", "1st"], "is no name for a plugin"),
	(["sampler", "a/b"], "is no name for a plugin"),
	(["sampler", "../x"], "is no name for a plugin"),
	(["sampler", "x" * 64], "is no name for a plugin"),
	(["sampler", "weir_mine"], "Weir's own"),
	(["sampler", "table"], "reserved word"),
	(["reader", "mine"], "is not sampler, parser or store"),
	(["sampler"], "new sampler|parser|store NAME DIR"),
])
def test_new_refuses(tmp_path, arguments, said):
	run = weir("plugin", "new", *arguments, tmp_path / "new")
	assert run.returncode == 64
	assert said in run.stderr
	assert not (tmp_path / "new").exists()


# ---- the promise of the ABI number ----

def frozen_tree(folder):
	(folder / "proc").mkdir(parents=True)
	(folder / "sys/frozen").mkdir(parents=True)
	(folder / "proc/frozen").write_text("First: 3 kB\nSecond: -4\nFold: 50\nFolded: 25\nKnownThing: 1\nNew: 9\nMore: 8\n")
	(folder / "sys/frozen/a").write_text("42\n")
	return folder


def frozen_rows(plugin, tree):
	run = weir("sample", plugin, "--root", tree, "--format", "json", "-o", "frozen.extra=More", "-o", "frozen.number=3")
	assert run.returncode == 0, run.stderr
	rows = {}
	for row in map(json.loads, run.stdout.splitlines()):
		rows.setdefault(row["schema"], []).append({k: v for k, v in row.items() if k not in ("schema", "time", "cluster", "host", "source")})
	return rows


def check_frozen(rows):
	assert rows["frozen_keys"] == [{"first": 3072, "second": -4, "folded_time": 0.75}]
	common = {
		"flag": True, "number": 3, "real": 0.5, "count": -0.001, "size": 65536, "wait_time": 0.25, "words": "some text",
		"since": "2026-01-01T00:00:00.000000Z", "raw": "AAE="}
	assert rows["frozen"] == [
		{"name": "a", "port": 0, "lane": 0, **common, "slurped": 42, "due": True},
		{"name": "b", "port": 1, "lane": -1, **common, "slurped": None, "due": False}]
	assert rows["keyvalue"] == [{"sampler": "frozen", "item": "More", "value": 8}]
	reasons = {(row["item"], row["status"]) for row in rows["capability"]}
	assert reasons == {("frozen", "unsupported"), ("/proc/frozen", "unknown_keys")}


def with_size(folder, change):
	"""frozen.so with another number in the size field of its constant."""
	data = FROZEN.read_bytes()
	run = subprocess.run(["nm", "-D", "-S", FROZEN], capture_output=True, text=True, check=True)
	size = int(re.search(r"^[0-9a-f]+ ([0-9a-f]+) \w weir_plugin$", run.stdout, re.M)[1], 16)
	head = struct.pack("<IIII", 1, size, 1, 32)
	assert data.count(head) == 1
	plugin = folder / "frozen.so"
	plugin.write_bytes(data.replace(head, struct.pack("<IIII", 1, size + change, 1, 32)))
	return plugin


@x86_64_only
def test_frozen_plugin(tmp_path):
	check_frozen(frozen_rows(FROZEN, frozen_tree(tmp_path)))
	described = json.loads(weir("plugin", "describe", FROZEN, "--format", "json").stdout)
	assert described["needs"]["capabilities"] == ["CAP_SYS_PTRACE"] and described["needs"]["address_families"] == ["AF_NETLINK"]
	assert len([option for option in described["options"] if not option["common"]]) == 11
	assert weir("plugin", "test", FROZEN, "--root", tmp_path).returncode == 0


@x86_64_only
@pytest.mark.parametrize("change", [-8, -64, -112])
def test_frozen_plugin_of_an_older_release(tmp_path, change):
	"""A shorter constant gets a tail of zeros."""
	check_frozen(frozen_rows(with_size(tmp_path, change), frozen_tree(tmp_path)))


@x86_64_only
def test_frozen_plugin_of_a_newer_release(tmp_path):
	plugin = with_size(tmp_path, 8)
	size = len(plugin.read_bytes())
	assert size
	run = weir("sample", plugin)
	described = weir("plugin", "describe", plugin)
	# Refused once the constant is larger than this weir's own.
	assert (run.returncode, described.returncode) == (78, 78)
	assert "was built against a newer weir" in run.stderr
