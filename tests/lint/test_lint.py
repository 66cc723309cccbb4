# SPDX-License-Identifier: Apache-2.0
"""Each rule of lint.py passes a small clean tree and fails it with one violation planted."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LINT = ROOT / "tests/lint/lint.py"
SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"
EXPORT = '__attribute__((visibility("default"))) '
# Spelled in parts, as in lint.py.
WORD = "clau" + "de"
NOTE = "TO" + "DO"

CLEAN = {
	"core/include/weir/x.h": EXPORT + "int weir_x(int value);\n",
	"core/base/one.h": "int one(void);\n",
	"core/base/one.c": '#include "base/one.h"\n\n#include <zlib.h>\n#include <weir/x.h>\n\nint\none(void)\n{\n\treturn weir_x(0);\n}\n\n'
		"int\nweir_x(int value)\n{\n\tstatic const char *const names[] = { \"a\", \"b\" };\n\n\treturn names[value & 1][0];\n}\n",
	"core/data/two.h": "int two(void);\n",
	"core/cli/main.c": '#include "base/one.h"\n\nint\nmain(void)\n{\n\treturn one() == 0;\n}\n',
	"plugins/samplers/loadavg.c": "/*\n * needs: zlib\n */\n#include <weir/x.h>\n\n" + EXPORT +
		"int weir_plugin(void);\n\n#define WEIR_PLUGIN(value) int weir_plugin(void) { return weir_x(value); }\nWEIR_PLUGIN(1)\n",
}

# rule, file, old text ("" appends), new text, part of the finding
VIOLATIONS = [
	("layers", "core/base/one.c", '#include "base/one.h"', '#include "base/one.h"\n#include "data/two.h"', "higher layer 'data'"),
	("layers", "core/base/one.c", '#include "base/one.h"', '#include "../data/two.h"', "is in no layer"),
	("layers", "core/include/weir/x.h", "", '#include "base/one.h"\n', "the contract includes only"),
	("layers", "core/include/weir/x.h", "", "#include <zlib.h>\n", "the contract includes only"),
	("layers", "core/else/a.c", "", "int a;\n", "'else' is no layer"),
	("plugin_includes", "plugins/samplers/loadavg.c", "#include <weir/x.h>", '#include "../../core/base/one.h"', "not of this plugin"),
	("plugin_includes", "plugins/samplers/loadavg.c", "#include <weir/x.h>", "#include <base/one.h>", "internal to core"),
	("third_party", "core/cli/main.c", '#include "base/one.h"', '#include "base/one.h"\n#include <zlib.h>', "2 folders of core"),
	("banned", "core/base/one.c", "return weir_x(0);", "char a[9];\n\n\tstrcpy(a, \"b\");\n\treturn a[0];", "strcpy is banned"),
	("banned", "plugins/samplers/loadavg.c", "return weir_x(value);", "return system(\"x\");", "system is banned"),
	("licence", "core/base/one.h", SPDX, "", "no SPDX line"),
	("licence", "scripts/a.sh", "", "#!/bin/sh\ntrue\n", "no SPDX line"),
	("columns", "core/base/one.h", "", "/* " + "\t" * 24 + " x */\n", "columns"),
	("words", "core/base/one.h", "", f"/* made by {WORD.capitalize()} */\n", f"'{WORD}'"),
	("words", "README.md", "", f"Ask {WORD}.\n", f"'{WORD}'"),
	("words", "core/base/one.h", "", f"/* {NOTE}: more */\n", "unfinished"),
	("loadavg", "plugins/samplers/loadavg.c", "", "int a;\n" * 41, "at most 40"),
	("packages", "plugins/samplers/loadavg.c", "needs: zlib", "needs: zlib libnothere", "libnothere-dev"),
	("packages", "plugins/samplers/loadavg.c", "needs: zlib", "needs: <a.h> -la (package liba-dev)", "liba-dev"),
	("scripts", "scripts/a.sh", "", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\nif\n", "does not parse"),
	("scripts", "scripts/a.sh", "", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n", "not executable"),
]
# The same for rules that look at what was compiled.
BUILT_VIOLATIONS = [
	("exports", "plugins/samplers/loadavg.c", "", EXPORT + "int other(void);\nint other(void) { return 1; }\n",
		"exports other weir_plugin instead of weir_plugin alone"),
	("exports", "plugins/samplers/loadavg.c", "return weir_x(value);", "int weir_y(int); return weir_y(value);", "needs 'weir_y'"),
	("exports", "core/base/one.c", "", EXPORT + "int other(void);\nint other(void) { return 1; }\n", "the program exports 'other'"),
	("state", "core/base/one.c", "return weir_x(0);", "static int n;\n\n\treturn ++n;", "'n' is writable static data (.bss)"),
	("state", "core/base/one.c", "return weir_x(0);", "static int n = 3;\n\n\treturn ++n;", "'n' is writable static data (.data)"),
	("state", "core/base/one.c", "return weir_x(0);", "static _Thread_local int n;\n\n\treturn ++n;", "'n' is writable static data (.tbss)"),
	("state", "plugins/samplers/loadavg.c", "", "int counter;\n", "'counter' is writable static data"),
]


def write_tree(root):
	for name, text in CLEAN.items():
		path = root / name
		path.parent.mkdir(parents=True, exist_ok=True)
		path.write_text(SPDX + text)
	(root / "scripts").mkdir()
	for script in (ROOT / "scripts").glob("*.sh"):
		shutil.copy(script, root / "scripts")
	(root / "packaging").mkdir()
	shutil.copy(ROOT / "packaging/debian-packages.txt", root / "packaging")
	shutil.copy(ROOT / ".clang-tidy", root)
	shutil.copy(ROOT / "Makefile", root)
	shutil.copy(ROOT / "VERSION", root)


def build(root):
	environment = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MFLAGS", "O", "SAN", "CC", "CI", "WERROR")}
	subprocess.run(["make", "-s", "O=build"], cwd=root, env=environment, check=True, capture_output=True)


def lint(root, rule):
	run = subprocess.run(
		[sys.executable, LINT, "--root", root, "--build", root / "build", rule], capture_output=True, text=True, check=False)
	return run.returncode, run.stdout


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
	root = tmp_path_factory.mktemp("clean")
	write_tree(root)
	build(root)
	return root


def plant(root, name, old, new):
	path = root / name
	text = path.read_text() if path.exists() else ""
	assert old in text
	path.parent.mkdir(parents=True, exist_ok=True)
	path.write_text(text.replace(old, new, 1) if old else text + new)


def all_rules():
	out = subprocess.run([sys.executable, LINT, "--help"], capture_output=True, text=True, check=True).stdout
	return out.split("all of ")[1].split("\n\n")[0].split("\noptions")[0].split()


@pytest.mark.parametrize("rule", all_rules())
def test_clean_tree_passes(clean, rule):
	status, output = lint(clean, rule)
	if " skip " in output:
		pytest.skip(output.splitlines()[0].strip())
	assert status == 0, output
	assert output.splitlines()[-1] == "1 passed, 0 failed, 0 skipped"


@pytest.mark.parametrize("rule,name,old,new,finding", VIOLATIONS)
def test_violation_is_found(tmp_path, rule, name, old, new, finding):
	write_tree(tmp_path)
	plant(tmp_path, name, old, new)
	status, output = lint(tmp_path, rule)
	assert status == 1
	assert finding in output
	assert output.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"


@pytest.mark.parametrize("rule,name,old,new,finding", BUILT_VIOLATIONS)
def test_violation_in_objects_is_found(clean, tmp_path, rule, name, old, new, finding):
	root = tmp_path / "tree"
	shutil.copytree(clean, root)
	plant(root, name, old, new)
	build(root)
	status, output = lint(root, rule)
	assert status == 1
	assert finding in output


@pytest.mark.parametrize("rule,tool", [("clang_tidy", "clang-tidy"), ("cppcheck", "cppcheck")])
def test_tool_finds_a_bug(clean, tmp_path, rule, tool):
	if not shutil.which(tool):
		pytest.skip(f"{tool} is not installed")
	root = tmp_path / "tree"
	shutil.copytree(clean, root)
	bug = "char a[4] = \"\";\n\tint b = a[8];\n\n\tif (b);\n\treturn b + weir_x(0);"
	plant(root, "core/base/one.c", "return weir_x(0);", bug)
	status, output = lint(root, rule)
	assert status == 1, output
	assert "core/base/one.c:" in output


def test_every_rule_has_a_violation():
	planted = {case[0] for case in VIOLATIONS + BUILT_VIOLATIONS} | {"clang_tidy", "cppcheck"}
	assert planted == set(all_rules())


@pytest.mark.parametrize("rule", [rule for rule in all_rules() if rule not in ("clang_tidy", "cppcheck")])
def test_nothing_to_look_at_fails(tmp_path, rule):
	(tmp_path / "packaging").mkdir()
	(tmp_path / "packaging/debian-packages.txt").write_text("")
	(tmp_path / "scripts").mkdir()
	shutil.copy(ROOT / "scripts/needs.sh", tmp_path / "scripts")
	if rule in ("words", "licence", "scripts"):
		shutil.rmtree(tmp_path / "scripts")
		(tmp_path / "packaging/debian-packages.txt").unlink()
	status, output = lint(tmp_path, rule)
	assert status == 1, output


def test_lines_of_ones_own_leave_tables_out():
	sys.path.insert(0, str(LINT.parent))
	import lint as rules
	text = (SPDX + "#include <weir/x.h>\n/* A\n * comment. */\nstruct a {\n\tint b;\n};\n\nstatic const struct c table[] = {\n"
		"\t[0] = { 1, \"x\" },\n\t[1] = { 2 },\n};\n\nstatic int\nf(void)\n{\n\treturn 1; /* why */\n}\n\n"
		"WEIR_PLUGIN(\n\t.kind = 1,\n\t.open = f);\nint after;\n")
	assert [line.rstrip() for line in rules.own_lines(text)] == [
		"struct a {", "\tint b;", "};", "static const struct c table[] = {", "static int", "f(void)", "{",
		"\treturn 1;", "}", "WEIR_PLUGIN(", "int after;"]
