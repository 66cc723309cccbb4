# SPDX-License-Identifier: Apache-2.0
"""The systemd units: they load, they are hardened, and what they forbid is nothing that Weir does."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from agent import Agent, ROOT, WEIR

UNITS = {"weir.service": "weir.service", "weir@.service": "weir@node.service"}
EXPOSURE = 2.5

pytestmark = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


def settings(unit):
	"""Key -> values of [Service], in order."""
	found = {}
	for line in (ROOT / "conf/systemd" / unit).read_text().splitlines():
		if re.match(r"[A-Z]\w*=", line):
			key, value = line.split("=", 1)
			found.setdefault(key, []).append(value)
	return found


@pytest.fixture
def installed(tmp_path):
	"""A tree as `make install` leaves it; the plugins do not matter here."""
	environment = {**os.environ, "PREFIX": str(tmp_path / "p"), "DESTDIR": "", "VERSION": "0"}
	subprocess.run([ROOT / "scripts/install.sh", "install", pathlib.Path(WEIR).parent], env=environment, check=True, capture_output=True)
	return tmp_path / "p"


@pytest.mark.parametrize("unit", UNITS)
def test_an_installed_unit_loads(installed, unit):
	folder = installed / "lib/systemd/system"
	assert f"ExecStart={installed}/bin/weir run " in (folder / unit).read_text()
	answer = subprocess.run(
		["systemd-analyze", "verify", "--man=no", UNITS[unit]], env={**os.environ, "SYSTEMD_UNIT_PATH": f"{folder}:"},
		capture_output=True, text=True)
	# Of other units of this machine it may complain too.
	assert unit.split(".")[0] not in answer.stderr and answer.returncode == 0, answer.stderr


def test_a_faulty_unit_is_found(installed):
	unit = installed / "lib/systemd/system/weir.service"
	unit.write_text(unit.read_text().replace("/bin/weir run", "/bin/wier run"))
	answer = subprocess.run(
		["systemd-analyze", "verify", "--man=no", "weir.service"], env={**os.environ, "SYSTEMD_UNIT_PATH": f"{unit.parent}:"},
		capture_output=True, text=True)
	assert "wier is not executable" in answer.stderr


def test_the_generated_drop_in_fits_the_unit(installed, tmp_path):
	folder = installed / "lib/systemd/system"
	config = tmp_path / "weir.yaml"
	config.write_text(f"state: {tmp_path}/s\nsamplers:\n  netdev:\nstores:\n  csv: {{path: {tmp_path}/c}}\n")
	answer = subprocess.run([WEIR, "config", "drop-in", config], capture_output=True, text=True, check=True)
	(folder / "weir.service.d").mkdir()
	(folder / "weir.service.d/plugins.conf").write_text(answer.stdout)
	assert "AF_NETLINK" in answer.stdout and f"{tmp_path}/c" in answer.stdout
	answer = subprocess.run(
		["systemd-analyze", "verify", "--man=no", "weir.service"], env={**os.environ, "SYSTEMD_UNIT_PATH": f"{folder}:"},
		capture_output=True, text=True)
	assert "weir" not in answer.stderr and answer.returncode == 0, answer.stderr


def test_the_user_of_the_units_is_made(installed):
	assert re.search(r"^u weir - ", (installed / "lib/sysusers.d/weir.conf").read_text(), re.M)
	assert {settings(unit)["User"][0] for unit in UNITS} == {"weir"}


@pytest.mark.parametrize("unit", UNITS)
def test_exposure_is_low(unit):
	answer = subprocess.run(
		["systemd-analyze", "security", "--offline=true", "--no-pager", ROOT / "conf/systemd" / unit], capture_output=True, text=True)
	found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", answer.stdout)
	if not found and "offline" in answer.stderr:
		pytest.skip("this systemd-analyze judges running units only")
	assert float(found[1]) <= EXPOSURE, answer.stdout


def test_both_units_differ_in_names_only():
	one, other = ({key: " ".join(values) for key, values in settings(unit).items()} for unit in UNITS)
	differing = {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}
	assert differing == {"Description", "ExecStart", "ExecReload", "StateDirectory"}


@pytest.mark.parametrize("key,value", [
	("Type", "notify"), ("Restart", "on-failure"), ("RestartPreventExitStatus", "64 66 77 78"), ("WatchdogSec", "30"),
	("StateDirectory", "weir"), ("MemoryMax", "64M"), ("OOMScoreAdjust", "500"), ("LimitNOFILE", "65536"), ("Nice", "10")])
def test_what_operations_rely_on(key, value):
	assert settings("weir.service")[key] == [value]


def test_nothing_changes_what_is_measured():
	keys = settings("weir.service").keys()
	assert not keys & {"ProtectSystem", "ProtectHome", "PrivateTmp", "DynamicUser", "ReadOnlyPaths", "InaccessiblePaths",
					   "TemporaryFileSystem", "RootDirectory", "PrivateNetwork", "ProtectHostname", "ProtectClock"}
	assert settings("weir.service")["ProcSubset"] == ["all"]


def filter_sets():
	answer = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], capture_output=True, text=True, check=True)
	sets, current = {}, None
	for line in re.sub(r"\x1b\[[0-9;]*m", "", answer.stdout).splitlines():
		if line.startswith("@"):
			current = sets.setdefault(line.strip(), set())
		elif line.startswith("#"):
			current = None
		elif current is not None and line.strip() and not line.strip().startswith("#"):
			current.add(line.strip())
	return sets


def expand(sets, name):
	if not name.startswith("@"):
		return {name}
	return set().union(*(expand(sets, part) for part in sets[name]))


def permitted():
	"""The system calls that the unit allows: line by line, a ~ takes away."""
	sets = filter_sets()
	calls = expand(sets, "@default")
	for line in settings("weir.service")["SystemCallFilter"]:
		words = set().union(*(expand(sets, word) for word in line.lstrip("~").split()))
		calls = calls - words if line.startswith("~") else calls | words
	return calls


def without_sanitizer(test):
	"""Sanitizers make system calls of their own: under one the test is not there."""
	return None if os.environ.get("SAN") else test


@without_sanitizer
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_every_system_call_of_a_run_is_permitted(tmp_path):
	names = sorted(path.stem for path in (pathlib.Path(WEIR).parent / "plugins/samplers").glob("*.so"))
	config = "samplers:\n" + "".join(f"  {name}: {{interval: 200ms}}\n" for name in names)
	config += f"  apart: {{plugin: loadavg, interval: 200ms, isolate: yes}}\nstores:\n  csv: {{path: {tmp_path}/csv, sync: always}}\n"
	if (pathlib.Path(WEIR).parent / "plugins/stores/sqlite.so").exists():
		config += f"  db: {{plugin: sqlite, path: {tmp_path}/x.db, sync: always}}\n"
	trace = tmp_path / "trace"
	with Agent(tmp_path, config, wrap=["strace", "-f", "-qq", "-o", str(trace)]) as agent:
		agent.wait(lambda: agent.sampler("apart")["ticks"] >= 3, 20, "ticks of the isolated sampler")
		assert agent.reload().returncode == 0
		children = pathlib.Path(f"/proc/{agent.process.pid}/task/{agent.process.pid}/children").read_text().split()
		for child in children:
			os.kill(int(child), 15)
		assert agent.process.wait(20) == 0
		agent.process = None
	called = set(re.findall(r"^\d+ +(?:<\.\.\. )?([a-z_0-9]+)(?:\(| resumed)", trace.read_text(), re.M))
	assert {"epoll_wait", "fdatasync", "sendto"} & called and len(called) > 20
	# SQLite gives files to the owner of the database, when it is root.
	assert called - permitted() <= {"fchown"}
