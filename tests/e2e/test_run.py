# SPDX-License-Identifier: Apache-2.0
"""The runner counts what passed, failed and was skipped, and no way of dying looks like passing."""
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BEGIN = "echo '[==========] Running 2 test(s).'\necho '[ RUN      ] a'\n"
GOOD = BEGIN + "echo '[       OK ] a'\necho '[ RUN      ] b'\necho '[       OK ] b'\n"


@pytest.fixture
def tree(tmp_path):
	for folder in ("tests/unit", "tests/e2e", "tests/fuzz", "build/tests"):
		(tmp_path / folder).mkdir(parents=True)
	shutil.copy(ROOT / "tests/run.py", tmp_path / "tests")
	return tmp_path


def unit(tree, name, script):
	"""A test program that is a script: the runner only reads what it prints."""
	(tree / f"tests/unit/{name}.c").write_text("")
	program = tree / "build/tests" / name
	program.write_text("#!/bin/sh\n" + script)
	program.chmod(0o755)


def run(tree, *arguments, **environment):
	clean = {key: value for key, value in os.environ.items() if key not in ("CI", "WEIR_NO_SKIPS", "WEIR_TEST_TIMEOUT")}
	result = subprocess.run(
		[sys.executable, "tests/run.py", *arguments], cwd=tree, env={**clean, **environment}, capture_output=True, text=True,
		check=False)
	return result.returncode, result.stdout.splitlines()[-1], result.stdout


@pytest.mark.parametrize("script,passed,failed,said", [
	(GOOD, 2, 0, "ok"),
	(GOOD + "exit 1\n", 2, 1, "exit status 1"),
	(GOOD + "kill -SEGV $$\n", 2, 1, "died of signal SIGSEGV"),
	(BEGIN + "kill -ABRT $$\n", 0, 1, "failed: test_x: a: died of signal SIGABRT"),
	(BEGIN + "exit 0\n", 0, 1, "failed: test_x: a: exit status 0"),
	(BEGIN + "echo '[       OK ] a'\nexit 0\n", 1, 1, "ran 1 of 2 cases"),
	(BEGIN + "echo the reason\necho '[  FAILED  ] a'\necho '[  FAILED  ] 1 test(s), listed below:'\necho '[  FAILED  ] a'\nexit 1\n",
		0, 1, "the reason"),
	("exit 0\n", 0, 1, "ran no case"),
	(BEGIN + "sleep 60\n", 0, 1, "killed at the time limit of 1 s"),
])
def test_cmocka_programs(tree, script, passed, failed, said):
	unit(tree, "test_x", script)
	status, last, output = run(tree, "--timeout", "1")
	assert last == f"{passed} passed, {failed} failed, 0 skipped"
	assert status == (1 if failed else 0)
	assert said in output


def test_missing_program_fails(tree):
	(tree / "tests/unit/test_x.c").write_text("")
	status, last, _ = run(tree)
	assert (status, last) == (1, "0 passed, 1 failed, 0 skipped")


def test_nothing_found_fails(tree):
	unit(tree, "test_x", GOOD)
	assert run(tree, "--filter", "test_x")[:2] == (0, "2 passed, 0 failed, 0 skipped")
	assert run(tree, "--filter", "nothing")[:2] == (1, "0 passed, 0 failed, 0 skipped")


def test_skips_fail_where_forbidden(tree):
	unit(tree, "test_x", "echo '[ RUN      ] a'\necho '[  SKIPPED ] a'\n")
	assert run(tree)[:2] == (0, "0 passed, 0 failed, 1 skipped")
	assert run(tree, "--no-skips")[:2] == (1, "0 passed, 0 failed, 1 skipped")
	assert run(tree, WEIR_NO_SKIPS="1")[0] == 1
	assert run(tree, CI="true")[0] == 1


def test_scripts_and_python_files(tree):
	(tree / "tests/e2e/good.sh").write_text("#!/bin/sh\nexit 0\n")
	(tree / "tests/e2e/bad.sh").write_text("#!/bin/sh\necho why\nexit 3\n")
	(tree / "tests/e2e/skip.sh").write_text("#!/bin/sh\necho no server\nexit 77\n")
	(tree / "tests/e2e/library.sh").write_text("exit 1\n")
	(tree / "tests/e2e/test_p.py").write_text(
		"import pytest\ndef test_a(): pass\ndef test_b(): assert 1 == 2\n@pytest.mark.skip(reason='because')\ndef test_c(): pass\n")
	(tree / "tests/e2e/test_broken.py").write_text("import no_such_module\n")
	(tree / "tests/e2e/test_empty.py").write_text("")
	status, last, output = run(tree)
	assert (status, last) == (1, "2 passed, 4 failed, 2 skipped")
	for said in ("exit status 3", "why", "skip.sh: no server", "test_c", "because", "no_such_module", "no case found"):
		assert said in output


def test_replay_is_one_case(tree):
	(tree / "tests/fuzz/fuzz_x.c").write_text("")
	program = tree / "build/tests/replay_x"
	program.write_text('#!/bin/sh\n[ "$1" = tests/fuzz/corpus/x ]\n')
	program.chmod(0o755)
	assert run(tree)[:2] == (0, "1 passed, 0 failed, 0 skipped")


def test_children_die_with_their_test(tree):
	marker = tree / "alive"
	unit(tree, "test_x", f"(sleep 3; touch {marker}) &\n" + GOOD)
	assert run(tree)[:2] == (0, "2 passed, 0 failed, 0 skipped")
	time.sleep(3.5)
	assert not marker.exists()
