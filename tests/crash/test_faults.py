# SPDX-License-Identifier: Apache-2.0
"""
What goes wrong around an agent: disks, locks, descriptors, clocks, signals, files of the wrong kind. In each case the equation
holds, what is committed stays and stands once, nothing spins or grows, and when the cause goes away it goes on by itself.
"""
import contextlib
import ctypes
import errno
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

import pytest

from crash import (FDATASYNC, FSYNC, FTRUNCATE, OPEN, PWRITE, RENAME, ROOT, SLOW, UNLINK, WEIR, WRITE, Agent, Shim, beats, csv_tables,
				   keys_of, pulse, sqlite_tables, ticks, unique, usage)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts, names of namespaces")

CONFIG = """
samplers:
  pulse: {{interval: 20ms, lanes: {lanes}, beat: {folder}/beat}}
  loadavg: {{interval: 50ms}}
stores:
  csv: {{path: {data}/csv, rotate_size: 4KiB, compress: gz, flush: 100ms, sync: 200ms, queue: {queue}}}
  sqlite: {{path: {data}/x.db, flush: 100ms, sync: 200ms, queue: {queue}, busy_timeout: 100ms}}
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
	folder = tmp_path_factory.mktemp("built")
	pulse(folder)
	return Shim(folder)


@pytest.fixture
def trial(tmp_path, built):
	with Trial(tmp_path, built) as t:
		yield t


def conserved(counts):
	return counts["produced"] == counts["stored"] + counts["queued"] + counts["spooled"] + counts["dropped"]


class Trial:
	"""An agent with both stores below `data`, and what must hold for it."""

	def __init__(self, folder, shim, data=None, wrap=(), lanes=3, queue="16MiB", config=CONFIG):
		self.folder, self.shim, self.lanes = folder, shim, lanes
		self.data = data or folder / "data"
		self.data.mkdir(exist_ok=True)
		shim.heal()
		shim.clocks()
		self.text = config.format(folder=folder, data=self.data, lanes=lanes, queue=queue)
		self.agent = Agent(folder, self.text, {**shim.environment(), "WEIR_PLUGIN_PATH": str(shim.library.parent)}, wrap, start=False)

	def __enter__(self):
		return self

	def __exit__(self, *unused):
		self.shim.heal()
		self.agent.kill()

	def start(self):
		self.agent.start()
		self.flowing()
		return self.agent

	def refused(self, *words, codes=(73, 75, 77)):
		"""A start that ends soon, by itself, with a sentence."""
		answer = self.agent.run("run", str(self.agent.config), timeout=20 * SLOW)
		assert answer.returncode in codes, (answer.returncode, answer.stderr)
		for word in words:
			assert str(word) in answer.stderr, answer.stderr
		return answer.stderr

	def sink(self, name):
		return self.agent.status()["sinks"][name]

	def flowing(self):
		"""Both stores take rows, and nothing is wrong any more."""
		before = {name: sink["stored"] for name, sink in self.agent.status()["sinks"].items()}

		def well():
			status = self.agent.status()
			assert conserved(status) and all(conserved(s) for s in status["sinks"].values())
			return all(s["stored"] > before[n] and not s["fault"] for n, s in status["sinks"].items())
		self.agent.wait(well, 30, "rows to flow")

	def housekeeping(self):
		"""A minute later, as the agent sees it: what waits for the next look around is done."""
		self.shim.clocks(mono=61)
		self.flowing()
		self.flowing()

	def failing(self, name, *words):
		self.agent.wait(lambda: self.sink(name)["fault"], 15, f"'{name}' to fail")
		text = self.sink(name)["fault"]
		for word in words:
			assert str(word) in text, text
		return text

	@contextlib.contextmanager
	def bounded(self, seconds, memory=24 << 20, cpu=0.4):
		"""`seconds` of trouble: no busy loop, no growth."""
		before, began = usage(self.agent.process.pid), time.monotonic()
		yield
		time.sleep(max(0.0, began + seconds - time.monotonic()))
		after, took = usage(self.agent.process.pid), time.monotonic() - began
		assert self.agent.process.poll() is None
		status = self.agent.status()
		if status:
			assert conserved(status)
		if SLOW == 1:
			assert after[0] - before[0] < cpu * took + 0.1, f"{after[0] - before[0]:.2f} s of CPU in {took:.2f} s"
			assert after[1] - before[1] < memory, f"{before[1]} bytes grew to {after[1]}"

	def stop(self, lost=False, code=0):
		"""An orderly end; each tick is in both stores, once."""
		self.agent.stop(expect=code)
		assert "EQUATION" not in self.agent.text()
		if not lost:
			assert "dropped 0 rows" in self.agent.equation()
		return self.check(lost)

	def check(self, lost=False):
		tables = csv_tables(self.data / "csv"), sqlite_tables(self.data / "x.db")
		keys = keys_of(self.data / "x.db")
		for store in tables:
			for name, table in store.items():
				unique(name, table, keys.get(name, []))
		if not lost:
			made = {run: list_[-1][0] for run, list_ in beats(self.folder / "beat").items() if list_[-1][0]}
			for store in tables:
				assert ticks(store["pulse"], self.lanes) == made
		return tables


# ---- calls that fail ----

CALLS = [
	("no space for writes", PWRITE | WRITE, errno.ENOSPC, 1, ("csv", "sqlite")),
	("no space now and then", PWRITE | WRITE, errno.ENOSPC, 3, ()),
	("input/output error of writes", PWRITE | WRITE, errno.EIO, 1, ("csv", "sqlite")),
	("input/output error of syncs", FSYNC | FDATASYNC, errno.EIO, 1, ("csv",)),
	("quota", PWRITE | WRITE | OPEN, errno.EDQUOT, 1, ("csv",)),
	("files cannot be opened", OPEN, errno.EIO, 1, ("csv",)),
	("names cannot be changed", RENAME, errno.ENOSPC, 1, ()),
	("files cannot be cut", FTRUNCATE | PWRITE, errno.EIO, 1, ("csv",)),
	("files cannot be removed", UNLINK, errno.EPERM, 1, ()),
	("read-only", OPEN | PWRITE | WRITE | FTRUNCATE | RENAME, errno.EROFS, 1, ("csv", "sqlite")),
	("interrupted", PWRITE | WRITE, errno.EINTR, 2, ()),
	("short by all but a byte", PWRITE | WRITE, 0, 1, ()),
	("short", PWRITE | WRITE, 0, 2, ()),
]


@pytest.mark.parametrize("what,operations,error,every,sinks", CALLS, ids=[c[0].replace(" ", "-") for c in CALLS])
def test_calls_fail(trial, what, operations, error, every, sinks):
	trial.start()
	with trial.bounded(1.2 * SLOW, cpu=0.8 if error in (0, errno.EINTR) else 0.4):
		trial.shim.fail(operations, error, trial.data, every, shortest=1 if every == 1 else 100)
		for sink in sinks:
			trial.failing(sink, trial.data)
	assert trial.shim.hits() > 0
	trial.shim.heal()
	trial.flowing()
	trial.housekeeping()
	trial.stop()


def test_a_dead_disk_drops_the_oldest_rows(tmp_path, built):
	with Trial(tmp_path, built, lanes=500, queue="256KiB") as t:
		t.start()
		with t.bounded(3 * SLOW, memory=16 << 20, cpu=0.6):
			t.shim.fail(PWRITE | WRITE, errno.EIO, t.data)
			for sink in ("csv", "sqlite"):
				t.agent.wait(lambda: t.sink(sink)["dropped"] > 0, 20, "the queue to overflow")
				assert t.sink(sink)["dropped_by"].keys() == {"queue_full"}
				assert t.sink(sink)["queue_bytes"] <= 2 * 256 * 1024
		t.shim.heal()
		t.flowing()
		assert "queue full" in t.agent.text()
		t.stop(lost=True)


def test_kill_while_the_disk_fails(trial):
	"""What was committed before the trouble is there after a kill in it."""
	trial.start()
	trial.shim.fail(PWRITE | WRITE, errno.ENOSPC, trial.data, 2)
	trial.failing("csv")
	stored = trial.sink("csv")["stored"]
	trial.agent.kill()
	trial.shim.heal()
	tables = csv_tables_after_restart(trial)
	assert stored <= sum(len(rows) for _, rows in tables.values())


def csv_tables_after_restart(trial):
	trial.start()
	trial.agent.stop()
	tables = trial.check(lost=True)
	for store in tables:
		ticks(store["pulse"])
	return tables[0]


# ---- real file systems ----

@pytest.fixture(scope="module")
def private():
	"""Mounts of this process and its children alone."""
	libc = ctypes.CDLL(None, use_errno=True)
	if libc.unshare(0x00020000):
		raise OSError(ctypes.get_errno(), "cannot unshare the mounts")
	subprocess.run(["mount", "--make-rprivate", "/"], check=True)


@contextlib.contextmanager
def tmpfs(path, options):
	path.mkdir(exist_ok=True)
	subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], check=True)
	try:
		yield path
	finally:
		subprocess.run(["umount", "-l", str(path)], check=True)


def fill(path):
	with open(path / "filler", "ab", buffering=0) as file:
		for size in (65536, 4096, 1):
			with contextlib.suppress(OSError):
				while file.write(bytes(size)) == size:
					pass


@needs_root
def test_disk_full(tmp_path, built, private):
	with tmpfs(tmp_path / "small", "size=6m") as small, Trial(tmp_path, built, small / "data") as t:
		t.start()
		with t.bounded(2 * SLOW):
			fill(small)
			assert "No space left" in t.failing("csv", small)
			t.failing("sqlite", "the disk is full")
		(small / "filler").unlink()
		t.flowing()
		t.stop()


@needs_root
def test_kill_and_start_on_a_full_disk(tmp_path, built, private):
	with tmpfs(tmp_path / "small", "size=6m") as small, Trial(tmp_path, built, small / "data") as t:
		t.start()
		fill(small)
		t.failing("csv")
		t.agent.kill()
		fill(small)
		# Whether it can open its files without room or not: nothing breaks, and with room it goes on.
		t.agent.start(ready=False)
		time.sleep(1.5 * SLOW)
		code = t.agent.process.poll()
		assert code in (None, 73), t.agent.text()
		if code == 73:
			assert "No space left" in t.agent.text() or "disk is full" in t.agent.text()
		t.agent.kill()
		(small / "filler").unlink()
		csv_tables_after_restart(t)


@needs_root
def test_read_only_disk_at_start(tmp_path, built, private):
	with tmpfs(tmp_path / "disk", "size=6m") as disk, Trial(tmp_path, built, disk / "data") as t:
		t.start()
		t.stop()
		subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
		t.refused(disk, "Read-only file system")
		subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
		t.start()
		t.stop()


@needs_root
def test_folder_without_rights(built):
	"""chmod of the folders under an agent that is not root."""
	folder = tempfile.mkdtemp()
	os.chmod(folder, 0o777)
	path = type(ROOT)(folder)
	plugins = path / "plugins"
	shutil.copytree(built.library.parent, plugins)
	os.chmod(plugins, 0o755)
	shim = Shim(plugins)
	os.chmod(shim.path, 0o666)
	try:
		with Trial(path, shim, wrap=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]) as t:
			os.chown(t.data, 65534, 65534)
			os.chmod(t.data, 0o755)
			t.start()
			folders = [p for p in (t.data, t.data / "csv", *(t.data / "csv").iterdir()) if p.is_dir()]
			with t.bounded(1 * SLOW):
				for p in folders:
					os.chmod(p, 0o555)
				t.failing("csv", t.data, "Permission denied")
			for p in folders:
				os.chmod(p, 0o755)
			t.flowing()
			t.stop()
	finally:
		shutil.rmtree(folder)


@needs_root
@pytest.mark.parametrize("options", ["size=8k", "size=1m,nr_inodes=1"], ids=["no-room", "no-inodes"])
def test_state_folder_full(tmp_path, built, private, options):
	with tmpfs(tmp_path / "state", options) as state, Trial(tmp_path, built) as t:
		fill_ = contextlib.suppress(OSError)
		with fill_:
			fill(state)
		t.agent.start(ready=False)
		time.sleep(1.5 * SLOW)
		assert t.agent.process.poll() is None, t.agent.text()
		if "nr_inodes" in options:
			assert "running without a state folder" in t.agent.text()
			assert "no control socket" in t.agent.text() or t.agent.status() is None
		t.stop()


# ---- locks, descriptors, kinds of files ----

def test_database_locked_by_another(trial):
	trial.start()
	other = sqlite3.connect(trial.data / "x.db", isolation_level=None)
	other.execute("begin exclusive")
	with trial.bounded(5):
		trial.failing("sqlite", "another program writes to it")
		before = trial.sink("csv")["stored"]
		trial.agent.wait(lambda: trial.sink("csv")["stored"] > before, 10, "the other store to go on")
	other.execute("rollback")
	other.close()
	trial.flowing()
	trial.stop()


def test_descriptors_used_up(trial):
	agent = trial.start()
	# The control socket needs one to answer; status is asked for when there are some again.
	most = max(int(fd) for fd in os.listdir(f"/proc/{agent.process.pid}/fd"))
	with trial.bounded(0.1):
		pass
	before, began = usage(agent.process.pid), time.monotonic()
	subprocess.run(["prlimit", f"--nofile={3}:", "--pid", str(agent.process.pid)], check=True)
	time.sleep(2 * SLOW)
	after = usage(agent.process.pid)
	assert agent.process.poll() is None
	assert SLOW > 1 or after[0] - before[0] < 0.4 * (time.monotonic() - began) + 0.1
	subprocess.run(["prlimit", f"--nofile={most + 512}:", "--pid", str(agent.process.pid)], check=True)
	trial.flowing()
	assert "Too many open files" in agent.text()
	trial.stop()


def obstruct(path, kind):
	if kind == "pipe":
		os.mkfifo(path)
	else:
		path.mkdir()


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_something_else_where_a_file_was(trial, kind):
	trial.start()
	trial.stop()
	journal, base = trial.data / "csv/journal.weir", trial.data / "x.db"
	part = max((p for p in (trial.data / "csv/loadavg").iterdir() if p.suffix == ".csv"), key=lambda p: p.name)
	for path in (journal, base, part):
		kept = path.with_name("kept")
		path.rename(kept)
		obstruct(path, kind)
		began = time.monotonic()
		trial.refused(path.parent if path == part else path)
		assert time.monotonic() - began < 5 * SLOW
		path.unlink() if kind == "pipe" else path.rmdir()
		kept.rename(path)
	trial.start()
	trial.stop()


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_something_else_where_a_samplers_file_was(tmp_path, built, kind):
	root = tmp_path / "root"
	(root / "proc").mkdir(parents=True)
	file = root / "proc/loadavg"
	file.write_text("0.10 0.20 0.30 1/100 4242\n")
	config = CONFIG.replace("loadavg: {{interval: 50ms}}", f"loadavg: {{{{interval: 50ms, root: {root}}}}}")
	with Trial(tmp_path, built, config=config) as t:
		t.start()
		file.unlink()
		obstruct(file, kind)
		t.agent.write(t.text.replace("interval: 50ms", "interval: 60ms"))
		assert t.agent.reload().returncode == 0
		with t.bounded(1 * SLOW):
			before = t.agent.sampler("pulse")["ticks"]
			t.agent.wait(lambda: t.agent.sampler("pulse")["ticks"] > before + 10, 10, "the others to go on")
		t.stop()
	with sqlite3.connect(tmp_path / "data/x.db") as db:
		found = db.execute("select status from capability where source = 'loadavg'").fetchall()
	assert found and all(status != "ok" for status, in found)


def test_a_file_where_a_schemas_folder_shall_be(tmp_path, built):
	"""The other store is not held up, and the rows are kept for the time after."""
	with Trial(tmp_path, built) as t:
		(t.data / "csv").mkdir()
		(t.data / "csv/pulse").write_text("in the way")
		t.agent.start()
		with t.bounded(1 * SLOW):
			t.failing("csv", t.data / "csv/pulse")
			t.agent.wait(lambda: t.sink("sqlite")["stored"] > 0, 10, "the other store")
		(t.data / "csv/pulse").unlink()
		t.flowing()
		t.stop()


# ---- clocks ----

@pytest.mark.parametrize("step", [86400, -86400])
def test_clock_step_of_a_day(trial, step):
	agent = trial.start()
	before = agent.sampler("pulse")
	with trial.bounded(1 * SLOW):
		trial.shim.clocks(wall=step)
		agent.wait(lambda: "the clock stepped" in agent.text(), 5, "the step to be seen")
	assert f"the clock stepped by {step}.0 s" in agent.text()
	after = agent.sampler("pulse")
	assert after["ticks"] - before["ticks"] < 300 * SLOW and after["dropped"] - before["dropped"] < 50 * SLOW
	agent.wait(lambda: agent.sampler("pulse")["ticks"] > after["ticks"] + 10, 10, "ticks on the new clock")
	trial.shim.clocks()
	agent.wait(lambda: agent.text().count("the clock stepped") >= 2, 5, "the step back")
	trial.flowing()
	header, rows = trial.stop()[1]["pulse"]
	times = [row[header.index("time")] / 1e6 - time.time() for row in rows]
	assert sum(abs(t - step) < 600 for t in times) >= 30 and sum(abs(t) < 600 for t in times) >= 30


# ---- logs, plugins, configuration ----

@pytest.mark.parametrize("target", ["/dev/full", "{folder}/none/log", "{folder}"], ids=["full", "absent", "folder"])
def test_log_target_not_writable(tmp_path, built, target):
	with Trial(tmp_path, built, config=CONFIG + "log: {{target: " + target + "}}\n") as t:
		t.start()
		t.agent.stop()
		t.check()
		if target != "/dev/full":
			assert "logging on standard error" in t.agent.text()


def test_plugin_replaced_while_it_runs(tmp_path, built):
	plugins = tmp_path / "plugins"
	shutil.copytree(built.library.parent, plugins)
	good = (plugins / "pulse.so").read_bytes()
	with Trial(tmp_path, built) as t:
		t.agent.environment["WEIR_PLUGIN_PATH"] = str(plugins)
		t.start()
		for junk in (b"", good[:len(good) // 2], b"\x7fELF" + bytes(5000)):
			(plugins / "new").write_bytes(junk)
			os.chmod(plugins / "new", 0o755)
			(plugins / "new").rename(plugins / "pulse.so")
			t.agent.reload()
			t.flowing()
			copy = Agent(tmp_path / "plugins", t.text, t.agent.environment, start=False)
			answer = copy.run("run", str(copy.config), timeout=20 * SLOW)
			assert answer.returncode == 78 and "pulse.so" in answer.stderr, (answer.returncode, answer.stderr)
		t.stop()


def test_truncated_configuration_at_reload(trial):
	agent = trial.start()
	whole = agent.config.read_text()
	refused = 0
	for size in sorted(random.sample(range(len(whole) - 1), 25)) + [0]:
		agent.config.write_text(whole[:size])
		refused += agent.reload().returncode != 0
		assert agent.process.poll() is None
		if "stores:" in whole[:size]:
			continue
		assert conserved(agent.status())
	assert refused > 10
	agent.config.write_text(whole)
	assert agent.reload().returncode == 0
	trial.flowing()
	trial.agent.stop()
	assert "EQUATION" not in agent.text()
	trial.check(lost=True)


@needs_root
def test_no_host_name_yet(tmp_path, built):
	wrap = ["unshare", "-u", "sh", "-c", 'hostname localhost; exec "$@"', "sh"]
	with Trial(tmp_path, built, wrap=wrap) as t:
		t.agent.config.write_text(t.agent.config.read_text().replace("host: n1\n", ""))
		t.agent.start(ready=False)
		t.agent.wait(lambda: t.agent.log.exists() and "no host name yet" in t.agent.text(), 10, "the wait for a name")
		with t.bounded(2):
			assert t.agent.status() is None
		subprocess.run(["nsenter", "-u", "-t", str(t.agent.process.pid), "hostname", "n77"], check=True)
		t.agent.wait(lambda: t.agent.status() is not None, 10, "the start")
		t.flowing()
		assert "running as 'n77'" in t.agent.text()
		header, rows = t.stop()[1]["pulse"]
		assert {row[header.index("host")] for row in rows} == {"n77"}


# ---- signals ----

def test_sigterm_while_it_starts(trial):
	for _ in range(50 if SLOW == 1 else 8):
		trial.agent.start(ready=False)
		time.sleep(random.uniform(0, 0.3 * SLOW))
		trial.agent.process.send_signal(signal.SIGTERM)
		code = trial.agent.process.wait(20 * SLOW)
		trial.agent.process = None
		assert code in (0, -signal.SIGTERM), trial.agent.text()
	trial.start()
	trial.stop(lost=True)
	for store in trial.check(lost=True):
		ticks(store["pulse"])


def test_sigterm_twice(trial):
	agent = trial.start()
	agent.process.send_signal(signal.SIGTERM)
	agent.process.send_signal(signal.SIGTERM)
	trial.stop()
	for delay in (0.001, 0.01, 0.05):
		trial.start()
		agent.process.send_signal(signal.SIGTERM)
		time.sleep(delay)
		trial.stop()


def test_sigterm_while_the_disk_fails(trial):
	agent = trial.start()
	trial.shim.fail(PWRITE | WRITE, errno.EIO, trial.data)
	trial.failing("csv")
	began = time.monotonic()
	trial.agent.stop()
	assert time.monotonic() - began < 12 * SLOW
	assert "could not be stored before the stop" in agent.text() and "EQUATION" not in agent.text()
	trial.shim.heal()
	trial.start()
	trial.stop(lost=True)


def test_sighup_storm(trial):
	agent = trial.start()
	with trial.bounded(2 * SLOW, cpu=1.5):
		end = time.monotonic() + 2
		sent = 0
		while time.monotonic() < end:
			agent.process.send_signal(signal.SIGHUP)
			sent += 1
			time.sleep(0.001)
	assert sent > 500
	trial.flowing()
	status = agent.status()
	assert 1 <= status["reloads"] <= sent and status["reload_failures"] == 0
	trial.stop()
