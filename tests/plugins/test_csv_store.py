# SPDX-License-Identifier: Apache-2.0
"""The CSV store under an agent, read by Python's csv: every row that counts as stored is there once, whole, also after kill -9."""
import csv
import datetime
import gzip
import pathlib
import signal
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import agent

CONFIG = """
samplers:
  meminfo: {interval: 100ms}
  loadavg: {interval: 20ms}
  cpu: {interval: 50ms}
stores:
  files: {plugin: csv, path: %s, flush: 50ms, compress: gz%s}
"""


def tables(folder):
	"""Rows by schema, as dictionaries; each file has a header, and each record as many fields as it."""
	found = {}
	for path in sorted(folder.rglob("*.csv*")):
		assert path.suffix in (".csv", ".gz"), path
		with (gzip.open if path.suffix == ".gz" else open)(path, "rt", newline="") as file:
			text = file.read()
			assert text.endswith("\n"), path
			header, *records = csv.reader(text.splitlines(keepends=True), strict=True)
			assert all(len(record) == len(header) for record in records), path
		found.setdefault(path.relative_to(folder).parts[0], []).extend(dict(zip(header, record)) for record in records)
	return found


@pytest.fixture
def folder(tmp_path):
	return tmp_path / "data"


def test_rows_are_those_counted(tmp_path, folder):
	with agent.Agent(tmp_path, CONFIG % (folder, ", rotate_size: 8KiB")) as a:
		a.wait(lambda: a.status()["stored"] > 300, 20, "rows")
		a.stop()
		equation = a.equation()
	found = tables(folder)
	assert f" stored {sum(map(len, found.values()))} " in equation
	assert list(found["loadavg"][0])[:4] == ["time", "cluster", "host", "source"]
	assert len(list(folder.glob("cpu/*.csv.gz"))) > 0 and len(list(folder.glob("cpu/*.csv"))) <= 1
	for row in found["meminfo"]:
		assert row["host"] == "n1" and row["cluster"] == "test" and row["source"] == "meminfo"
		assert int(row["mem_total"]) > 0
		moment = datetime.datetime.strptime(row["time"], "%Y-%m-%dT%H:%M:%S.%fZ")
		assert abs((datetime.datetime.utcnow() - moment).total_seconds()) < 600
	status = [row for row in found["capability"] if row["item"]]
	assert all(row["deleted"] in ("true", "false") and row["version"] <= row["updated"] for row in status)


def test_kill_loses_no_committed_row(tmp_path, folder):
	acknowledged = 0
	with agent.Agent(tmp_path, CONFIG % (folder, ", rotate_size: 8KiB"), start=False) as a:
		for life in range(4):
			a.start()
			a.wait(lambda: len(list(folder.glob("loadavg/*.csv*"))) > 0 and a.status()["stored"] > 60, 20, "rows")
			time.sleep(0.017 * life)
			acknowledged += a.status()["stored"]
			a.stop(signal.SIGKILL, expect=-signal.SIGKILL)
		a.start()
		a.wait(lambda: a.status()["stored"] > 60, 20, "rows")
		a.stop()
	found = tables(folder)
	# One row a tick: a time that is there twice was written twice.
	times = [row["time"] for row in found["loadavg"]]
	assert len(times) == len(set(times)) > 40
	keys = [(row["time"], row["cpu"]) for row in found["cpu"]]
	assert len(keys) == len(set(keys))
	assert sum(map(len, found.values())) > acknowledged
	assert not list(folder.rglob("*.tmp"))


def test_second_agent_is_told_who_holds_the_folder(tmp_path, folder):
	other = tmp_path / "other"
	other.mkdir()
	with agent.Agent(tmp_path, CONFIG % (folder, "")) as a:
		a.wait(lambda: a.status()["stored"] > 0, 20, "rows")
		with agent.Agent(other, CONFIG % (folder, ""), start=False) as b:
			b.start(ready=False)
			deadline = time.monotonic() + 20 * agent.SLOW
			while f"pid {a.process.pid} (files)" not in b.text():
				assert time.monotonic() < deadline, b.text()
				time.sleep(0.05)
			assert str(folder) in b.text()
		a.stop()
	assert tables(folder)["loadavg"]
