# SPDX-License-Identifier: Apache-2.0
"""The perf sampler on the machine that runs the tests: with or without a PMU, with or without the right to use one."""
import collections
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEIR = os.environ.get("WEIR", str(ROOT / "build" / "weir"))
DEVICES = Path("/sys/bus/event_source/devices")
USUAL = ["context-switches", "cpu-migrations", "major-faults", "page-faults"]
HARDWARE = ["instructions", "cycles", "branches", "llc_misses"]


def online():
	cpus = []
	for part in Path("/sys/devices/system/cpu/online").read_text().strip().split(","):
		first, _, last = part.partition("-")
		cpus += range(int(first), int(last or first) + 1)
	return cpus


def has_pmu():
	return any(
		path.name in ("cpu", "cpu_core", "cpum_cf") or path.name.startswith(("armv", "apple_", "riscv"))
		for path in DEVICES.iterdir())


def sample(*options, root=None, count=2, interval="200ms", prefix=(), status=0):
	command = [*prefix, WEIR, "sample", "perf", "--format", "json", "--count", str(count), "--interval", interval]
	if root:
		command += ["--root", str(root)]
	for option in options:
		command += ["-o", f"perf.{option}"]
	done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
	assert done.returncode == status, done.stderr
	return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def capabilities(rows):
	return {row["item"]: row for row in rows if row["schema"] == "capability"}


@pytest.fixture(scope="module")
def privileged():
	"""May this user count on whole CPUs? Root without the capability (a container) may not."""
	rows, _ = sample("hardware=no", "flops=no", "uncore=no", count=1)
	if any(row["status"] == "refused" for row in capabilities(rows).values()):
		pytest.skip("needs CAP_PERFMON or kernel.perf_event_paranoid at most 0")


def test_software_events_of_each_cpu(privileged):
	rows, _ = sample()
	events = [row for row in rows if row["schema"] == "perf_event"]
	ticks = sorted({row["time"] for row in events})
	assert len(ticks) == 2
	for tick in ticks:
		keys = sorted((row["cpu"], row["event"]) for row in events if row["time"] == tick)
		assert keys == sorted((cpu, event) for cpu in online() for event in USUAL)
	values = collections.defaultdict(list)
	for row in events:
		assert row["pmu"] == "software"
		values[row["cpu"], row["event"]].append(row["count"])
	for key, (first, second) in values.items():
		assert second >= first, key
	switches = sum(values[cpu, "context-switches"][1] - values[cpu, "context-switches"][0] for cpu in online())
	assert switches > 0


def test_clocks_keep_time(privileged):
	"""An event of known rate: a CPU's clock in nanoseconds."""
	rows, _ = sample(
		"hardware=no", "flops=no", "uncore=no", "software=no", "events=software:cpu-clock,software:cpu-clock", interval="500ms")
	clocks = collections.defaultdict(list)
	for row in rows:
		assert (row["schema"], row["event"]) == ("perf_event", "cpu-clock")
		clocks[row["cpu"]].append(row["count"])
	assert sorted(clocks) == online()
	for first, second in clocks.values():
		assert 0.45e9 < second - first < 10e9


def test_chosen_cpus(privileged):
	rows, _ = sample("hardware=no", "flops=no", "uncore=no", f"cpus={online()[-1]}", count=1)
	assert {row["cpu"] for row in rows} == {online()[-1]}
	_, error = sample("cpus=one", count=1, status=78)
	assert "option 'cpus': 'one'" in error


def test_hardware_counters_grow_or_say_why_not(privileged):
	if has_pmu():
		hardware_counters_grow()
	else:
		each_hardware_event_says_why_it_is_missing()


def each_hardware_event_says_why_it_is_missing():
	rows, _ = sample()
	told = capabilities(rows)
	for item in HARDWARE:
		assert told[item]["status"] == "unsupported"
		assert "no-pmu" in told[item]["reason"]
	assert told["uncore"]["status"] == "unsupported"
	assert not [row for row in rows if row["schema"] in ("perf", "perf_uncore")]
	assert not set(HARDWARE) & set(capabilities(sample("hardware=no", count=1)[0]))
	assert not set(told) & {"context-switches", "software:context-switches"}


def hardware_counters_grow():
	rows, _ = sample("flops=no", "uncore=no")
	cpus = collections.defaultdict(list)
	for row in rows:
		if row["schema"] == "perf" and row["instructions"] is not None:
			cpus[row["cpu"]].append(row)
	assert cpus
	for first, second in cpus.values():
		assert second["instructions"] >= first["instructions"]
		assert second["time_enabled"] > first["time_enabled"]
		assert second["time_running"] <= second["time_enabled"]
		assert second["owner"] == ""
	assert sum(pair[1]["instructions"] - pair[0]["instructions"] for pair in cpus.values()) > 0


def test_unknown_events_are_named(privileged):
	rows, _ = sample(
		"hardware=no", "flops=no", "uncore=no", "software=no", "events=software:nonsense,NO_SUCH:EVENT,nowhere/x=1/,software:page-faults")
	told = capabilities(rows)
	for item in ("software:nonsense", "NO_SUCH:EVENT", "nowhere/x=1/"):
		assert told[item]["status"] == "unsupported"
	assert "nonsense" in told["software:nonsense"]["reason"]
	assert "NO_SUCH:EVENT" in told["NO_SUCH:EVENT"]["reason"]
	assert "nowhere" in told["nowhere/x=1/"]["reason"]
	assert len(told) == 3
	assert {row["event"] for row in rows if row["schema"] == "perf_event"} == {"page-faults"}


def test_without_the_right():
	"""Nobody, with the kernel's usual setting: each event is refused, and the row says what would help."""
	paranoid = Path("/proc/sys/kernel/perf_event_paranoid").read_text().strip()
	if int(paranoid) < 1:
		pytest.skip("everybody may count here")
	prefix = ()
	if os.geteuid() == 0:
		if not shutil.which("setpriv"):
			pytest.skip("needs setpriv to become nobody")
		prefix = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
		if subprocess.run([*prefix, "test", "-x", WEIR], check=False).returncode:
			pytest.skip(f"nobody may not execute {WEIR}")
	rows, error = sample(prefix=prefix, count=1)
	told = capabilities(rows)
	for event in USUAL:
		row = told["software:" + event]
		assert row["status"] == "refused"
		assert "CAP_PERFMON" in row["reason"] and "CAP_SYS_ADMIN" in row["reason"]
		assert f"perf_event_paranoid at most 0 (it is {paranoid})" in row["reason"]
	assert not [row for row in rows if row["schema"] != "capability"]
	assert "no event can be counted" in error


def test_nothing_under_a_root(tmp_path):
	rows, error = sample(root=tmp_path, count=1)
	assert list(capabilities(rows)) == ["perf_event_open"]
	assert len(rows) == 1
	assert f"under the root '{tmp_path}'" in error
