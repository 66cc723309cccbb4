# SPDX-License-Identifier: Apache-2.0
"""`make quickstart`: how it ends, with a stand-in for the program; and what it leaves, with the program itself."""
import os
import pty
import re
import select
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
# Makes a socket, a database and, at the end, a mark that it drained.
STAND_IN = """#!/usr/bin/python3
import signal, socket, sys, time
verb = sys.argv[1]
if verb == "run":
	assert sys.argv[2] == "conf/laptop.yaml"
	if open(sys.argv[2]).read() == "broken":
		sys.exit("weir: no good")
	open("var/laptop.db", "w").close()
	listener = socket.socket(socket.AF_UNIX)
	listener.bind("var/control.sock")
	signal.signal(signal.SIGTERM, lambda *_: (open("drained", "w").close(), sys.exit(0)))
	time.sleep(100)
elif verb == "top":
	print("tapping", *sys.argv[2:], flush=True)
	assert sys.argv[2:4] == ["--control", "var/control.sock"]
	time.sleep(float(sys.argv[5].rstrip("s")) if len(sys.argv) > 5 else 100)
"""


def tree_of(tmp_path, build, laptop):
	shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
	shutil.copytree(ROOT / "packaging", tmp_path / "packaging")
	(tmp_path / "conf").mkdir()
	(tmp_path / "conf/laptop.yaml").write_text(laptop)
	recipe = (ROOT / "Makefile").read_text().split("\nquickstart:\n")[1].split("\n")[0]
	(tmp_path / "Makefile").write_text(f"O = {build}\nall:\nquickstart:\n{recipe}\n")
	return tmp_path


def environment(**more):
	dropped = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "O", "DURATION")
	return {**{key: value for key, value in os.environ.items() if key not in dropped}, **more}


def make(tree, *arguments, **more):
	return subprocess.run(
		["make", *arguments], cwd=tree, env=environment(**more), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
		stderr=subprocess.STDOUT, text=True, timeout=120, check=False)


@pytest.fixture
def stand_in(tmp_path):
	tree = tree_of(tmp_path, "build", "")
	(tree / "build").mkdir()
	(tree / "build/weir").write_text(STAND_IN)
	(tree / "build/weir").chmod(0o755)
	return tree


def test_duration_from_both_sides(stand_in):
	for arguments, more in ((["quickstart", "DURATION=0.5s"], {}), (["quickstart"], {"DURATION": "0.5s"})):
		(stand_in / "drained").unlink(missing_ok=True)
		(stand_in / "var/control.sock").unlink(missing_ok=True)
		run = make(stand_in, *arguments, **more)
		assert run.returncode == 0, run.stdout
		assert "tapping --control var/control.sock --duration 0.5s" in run.stdout
		assert "The data is in var/laptop.db" in run.stdout
		assert (stand_in / "drained").exists()


def test_agent_that_does_not_start_is_said(stand_in):
	(stand_in / "conf/laptop.yaml").write_text("broken")
	run = make(stand_in, "quickstart", "DURATION=0.5s")
	assert run.returncode != 0
	assert "weir: no good" in run.stdout


def test_control_c_ends_well(stand_in):
	pid, terminal = pty.fork()
	if pid == 0:
		os.chdir(stand_in)
		os.execvpe("make", ["make", "quickstart"], environment())
	output = b""
	deadline = time.monotonic() + 60
	sent = False
	while time.monotonic() < deadline:
		if select.select([terminal], [], [], 0.2)[0]:
			try:
				output += os.read(terminal, 4096)
			except OSError:
				break
		if b"tapping" in output and not sent:
			os.write(terminal, b"\x03")
			sent = True
	_, status = os.waitpid(pid, 0)
	assert sent, output
	assert (stand_in / "drained").exists(), output
	assert b"The data is in var/laptop.db" in output
	assert os.waitstatus_to_exitcode(status) == 0, output


def test_quickstart_of_the_build(tmp_path):
	"""Eight seconds of this machine: rows of several samplers in the only database, and nothing left running."""
	build = os.environ.get("WEIR_BUILD", ROOT / "build")
	tree = tree_of(tmp_path, build, (ROOT / "conf/laptop.yaml").read_text())
	run = make(tree, "quickstart", "DURATION=8s")
	assert run.returncode == 0, run.stdout
	databases = list((tree / "var").glob("*.db"))
	assert len(databases) == 1
	with sqlite3.connect(f"file:{databases[0]}?mode=ro", uri=True) as database:
		assert database.execute("select count(*) from meminfo").fetchone()[0] >= 1
		tables = {row[0] for row in database.execute("select distinct schema from weir_schema")}
	assert len(tables) >= 3, tables
	for argument in re.findall(r"^  sqlite3 (\S+) '(.*)'", run.stdout, re.M):
		with sqlite3.connect(tree / argument[0]) as database:
			assert database.execute(argument[1]).fetchall()
	# The agent's lock on its state folder is free again.
	assert make(tree, "quickstart", "DURATION=1s").returncode == 0
