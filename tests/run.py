#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run all tests and count their cases.

	tests/run.py --build DIR [--filter TEXT] [--no-skips] [--timeout SECONDS] [--missing NAME:PACKAGES]...

What is a test:
	tests/unit/test_*.c       cmocka programs, built as DIR/tests/test_*
	tests/fuzz/fuzz_*.c       DIR/tests/replay_* on the files of tests/fuzz/corpus/NAME: one case for each program
	tests/**/test_*.py        pytest, a process for each file
	tests/{crash,e2e,plugins,services}/**/*.sh and *.py with a #! line: exit 0 passed, 77 skipped, other failed

Prints the output of what failed and, as its last line, `N passed, N failed, N skipped`. Fails when something failed, when
nothing was found, and with --no-skips (WEIR_NO_SKIPS=1, CI=true) when something was skipped.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SKIP_STATUS = 77
# Tests of the Makefile and the tools, not of what was built: once is enough, so not with sanitizers.
OF_TOOLS = {"e2e/test_build.py", "e2e/test_run.py", "lint/test_lint.py"}
OUTPUT_LIMIT = 60000


class Outcome:
	"""What one process said: cases by verdict, and its output."""

	def __init__(self, name):
		self.name = name
		self.passed = 0
		self.failed = []  # names of cases, or sentences
		self.skipped = []
		self.output = ""
		self.seconds = 0.0

	def cases(self):
		return self.passed + len(self.failed) + len(self.skipped)


def run_process(command, timeout, environment):
	"""Output, status (None: killed at the time limit). Nothing of its process group outlives the call."""
	with tempfile.TemporaryFile() as output:
		process = subprocess.Popen(
			command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
			start_new_session=True)
		try:
			status = process.wait(timeout)
		except subprocess.TimeoutExpired:
			status = None
		try:
			os.killpg(process.pid, signal.SIGKILL)
		except ProcessLookupError:
			pass
		process.wait()
		output.seek(0)
		return output.read().decode(errors="replace"), status


def say_status(status, timeout):
	if status is None:
		return f"killed at the time limit of {timeout} s"
	if status < 0:
		return f"died of signal {signal.Signals(-status).name}"
	return f"exit status {status}"


def read_cmocka(outcome, status, timeout):
	running = None
	planned = sum(int(n) for n in re.findall(r"^\[=+\] Running (\d+) test\(s\)", outcome.output, re.M))
	for line in outcome.output.splitlines():
		match = re.match(r"\[ *(RUN|OK|FAILED|SKIPPED) *\] (.*)$", line)
		if not match:
			continue
		verdict, case = match[1], match[2].strip()
		if verdict == "RUN":
			running = case
		elif case == running:
			running = None
			if verdict == "OK":
				outcome.passed += 1
			elif verdict == "FAILED":
				outcome.failed.append(case)
			else:
				outcome.skipped.append(f"{case} (says so itself)")
	if running is not None:
		outcome.failed.append(f"{running}: {say_status(status, timeout)}")
	elif status != 0 and not outcome.failed:
		outcome.failed.append(say_status(status, timeout))
	elif not outcome.cases():
		outcome.failed.append("ran no case")
	elif outcome.cases() < planned and not outcome.failed:
		outcome.failed.append(f"ran {outcome.cases()} of {planned} cases")


def read_pytest(outcome, status, timeout, report):
	try:
		cases = list(xml.etree.ElementTree.parse(report).iter("testcase"))
	except (OSError, xml.etree.ElementTree.ParseError):
		cases = []
	for case in cases:
		name = case.get("name")
		skipped = case.find("skipped")
		if case.find("failure") is not None or case.find("error") is not None:
			outcome.failed.append(name)
		elif skipped is not None:
			outcome.skipped.append(f"{name} ({skipped.get('message')})")
		else:
			outcome.passed += 1
	if status != 0 and not outcome.failed:
		outcome.failed.append("no case found" if status == 5 else say_status(status, timeout))


def read_plain(outcome, status, timeout):
	if status == 0:
		outcome.passed = 1
	elif status == SKIP_STATUS:
		lines = outcome.output.strip().splitlines()
		outcome.skipped.append(lines[-1] if lines else "no reason given")
	else:
		outcome.failed.append(say_status(status, timeout))


def find_python():
	"""Debian's own Python where it has pytest, else the one of PATH; None without."""
	for python in ("/usr/bin/python3", "python3"):
		try:
			probe = subprocess.run([python, "-m", "pytest", "--version"], capture_output=True, check=False)
		except OSError:
			continue
		if probe.returncode == 0:
			return python
	return None


def has_interpreter(path):
	with open(path, "rb") as file:
		return file.read(2) == b"#!"


def find_jobs(build, missing):
	"""Triples (name, kind, command); a command of None: cannot run, the kind says why."""
	jobs = []

	def program(name, kind, arguments):
		path = build / "tests" / name
		if name in missing:
			jobs.append((name, f"not built, needs {missing[name]}", None))
		else:
			jobs.append((name, kind, [str(path), *arguments]))

	for source in sorted((ROOT / "tests/unit").glob("test_*.c")):
		program(source.stem, "cmocka", [])
	for source in sorted((ROOT / "tests/fuzz").glob("fuzz_*.c")):
		target = source.stem.removeprefix("fuzz_")
		program(f"replay_{target}", "plain", [f"tests/fuzz/corpus/{target}"])

	files = sorted((ROOT / "tests").rglob("test_*.py"))
	python = find_python() if files else None
	for source in files:
		name = str(source.relative_to(ROOT / "tests"))
		if name in OF_TOOLS and os.environ.get("WEIR_SAN"):
			continue
		if python:
			jobs.append((name, "pytest", [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(source)]))
		else:
			jobs.append((name, "pytest is not installed", None))
	for folder in ("crash", "e2e", "plugins", "services"):
		for source in sorted((ROOT / "tests" / folder).rglob("*")):
			if source.suffix not in (".sh", ".py") or source.name.startswith("test_") and source.suffix == ".py":
				continue
			if source.is_file() and has_interpreter(source):
				interpreter = "sh" if source.suffix == ".sh" else sys.executable
				command = [str(source)] if os.access(source, os.X_OK) else [interpreter, str(source)]
				jobs.append((str(source.relative_to(ROOT / "tests")), "plain", command))
	return jobs


def run_job(job, timeout, scratch):
	name, kind, command = job
	outcome = Outcome(name)
	if command is None:
		outcome.skipped.append(kind)
		return outcome
	# Short names: the path of a Unix socket has room for 107 bytes.
	folder = Path(tempfile.mkdtemp(prefix="", dir=scratch))
	# A test that gives up root's rights must still reach its own folder.
	folder.chmod(0o755)
	report = folder / "report.xml"
	if kind == "pytest":
		command = [*command, f"--junitxml={report}", f"--basetemp={folder}/t"]
	start = time.monotonic()
	try:
		outcome.output, status = run_process(command, timeout, {**os.environ, "TMPDIR": str(folder)})
	except OSError as error:
		outcome.failed.append(f"cannot run {command[0]}: {error.strerror}")
		return outcome
	outcome.seconds = time.monotonic() - start
	if kind == "cmocka":
		read_cmocka(outcome, status, timeout)
	elif kind == "pytest":
		read_pytest(outcome, status, timeout, report)
	else:
		read_plain(outcome, status, timeout)
	shutil.rmtree(folder, ignore_errors=True)
	return outcome


def print_outcome(outcome):
	word = "FAIL" if outcome.failed else "skip" if outcome.skipped and not outcome.passed else "ok"
	print(f"  {word:4}  {outcome.name}  ({outcome.cases()} cases, {outcome.seconds:.1f} s)")
	if outcome.failed:
		text = outcome.output[-OUTPUT_LIMIT:].rstrip()
		print(f"---- output of {outcome.name}\n{text}\n---- failed in {outcome.name}:")
		for case in outcome.failed:
			print(f"  {case}")
	sys.stdout.flush()


def share_program(scratch):
	"""Tests that become nobody must be able to run the program: a clone below /root is copied where all may look."""
	program = Path(os.environ.get("WEIR", ROOT / "build/weir"))
	if os.geteuid() != 0 or not program.exists() or all(parent.stat().st_mode & 0o001 for parent in program.parents):
		return
	copy = Path(scratch) / program.parent.name
	copy.mkdir(mode=0o755)
	shutil.copy2(program, copy)
	shutil.copytree(program.parent / "plugins", copy / "plugins")
	if (program.parent / "skipped.txt").exists():
		shutil.copy2(program.parent / "skipped.txt", copy)
	os.environ["WEIR"] = str(copy / program.name)


def main():
	parser = argparse.ArgumentParser(description="run all tests")
	parser.add_argument("--build", default="build", type=Path)
	parser.add_argument("--filter", default="")
	parser.add_argument("--no-skips", action="store_true")
	parser.add_argument("--timeout", type=int, default=int(os.environ.get("WEIR_TEST_TIMEOUT", "300")))
	parser.add_argument("--missing", action="append", default=[])
	arguments = parser.parse_args()
	no_skips = arguments.no_skips or os.environ.get("WEIR_NO_SKIPS") == "1" or os.environ.get("CI") == "true"
	missing = dict(item.split(":", 1) for item in arguments.missing)

	build = arguments.build if arguments.build.is_absolute() else ROOT / arguments.build
	jobs = [job for job in find_jobs(build, missing) if arguments.filter in job[0]]
	outcomes = []
	scratch = tempfile.mkdtemp(prefix="wt-")
	os.chmod(scratch, 0o755)
	share_program(scratch)
	try:
		with concurrent.futures.ThreadPoolExecutor(2) as pool:
			for done in concurrent.futures.as_completed(
					[pool.submit(run_job, job, arguments.timeout, scratch) for job in jobs]):
				outcomes.append(done.result())
				print_outcome(outcomes[-1])
	finally:
		shutil.rmtree(scratch, ignore_errors=True)

	passed = sum(outcome.passed for outcome in outcomes)
	failed = sum(len(outcome.failed) for outcome in outcomes)
	skipped = sum(len(outcome.skipped) for outcome in outcomes)
	for outcome in sorted(outcomes, key=lambda outcome: outcome.name):
		for reason in outcome.skipped:
			print(f"skipped: {outcome.name}: {reason}")
	for outcome in sorted(outcomes, key=lambda outcome: outcome.name):
		for case in outcome.failed:
			print(f"failed: {outcome.name}: {case}")
	if not outcomes:
		print("no test found" + (f" whose name contains '{arguments.filter}'" if arguments.filter else ""))
	print(f"{passed} passed, {failed} failed, {skipped} skipped")
	return 1 if failed or not outcomes or no_skips and skipped else 0


if __name__ == "__main__":
	sys.exit(main())
