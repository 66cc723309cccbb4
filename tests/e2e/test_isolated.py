# SPDX-License-Identifier: Apache-2.0
"""Samplers with a thread or a process of their own: how they start, hang, die, come back and end."""
import ctypes
import os
import signal
import sqlite3
import subprocess
import time

import pytest

from agent import SLOW, Agent, build_plugin, faulty

ISOLATED = "WEIR_ISOLATE"
PTRACE_SEIZE, PTRACE_CONT, PTRACE_O_TRACEEXIT, WALL = 0x4206, 7, 0x40, 0x40000000


def rows(path, query):
	with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
		return db.execute(query).fetchall()


def agent_with(tmp_path, options, flags=ISOLATED, environment=None):
	faulty(tmp_path, flags=flags)
	return Agent(tmp_path, f"""
samplers:
  loadavg: {{interval: 200ms}}
  faulty: {{{options}}}
stores:
  db: {{plugin: sqlite, path: {tmp_path}/x.db, flush: 300ms}}
""", environment)


def children(agent):
	pid = agent.process.pid
	with open(f"/proc/{pid}/task/{pid}/children") as file:
		return [int(n) for n in file.read().split()]


def until_running(agent, seconds=30):
	agent.wait(lambda: agent.sampler("faulty")["produced"] > 0 and agent.sampler("faulty")["state"] == "running", seconds, "it to run")


def test_rows_keep_their_schemas_over_restarts(tmp_path):
	extra = tmp_path / "extra"
	extra.write_text("faulty_a 1\nfaulty_b 2\n")
	with agent_with(tmp_path, f"interval: 100ms, extra: {extra}") as agent:
		def restarted():
			before = agent.sampler("faulty")["produced"]
			old, = children(agent)
			os.kill(old, signal.SIGKILL)
			agent.wait(lambda: agent.sampler("faulty")["produced"] >= before + 9, 30, "rows of the next process")
			assert children(agent) != [old]

		until_running(agent)
		restarted()  # the same schemas
		extra.write_text("faulty_b 2\nfaulty_c 3\nfaulty_a 1\n")
		restarted()  # others, in another order
		extra.write_text("faulty_c 3\n")
		restarted()  # fewer
		agent.stop()
	for name, value in (("faulty_a", 1), ("faulty_b", 2), ("faulty_c", 3)):
		assert rows(tmp_path / "x.db", f"select distinct value from {name}") == [(value,)], name
	assert rows(tmp_path / "x.db", "select count(distinct pid) from faulty") == [(4,)]
	many = [rows(tmp_path / "x.db", f"select count(*) from {name}")[0][0] for name in ("faulty_a", "faulty_b", "faulty")]
	assert many[0] == many[1] and many[0] < many[2]


@pytest.mark.parametrize("back", [True, False])
def test_a_process_that_cannot_be_killed_blocks_nothing(tmp_path, back):
	flag = tmp_path / "good"
	with agent_with(tmp_path, f"interval: 100ms, timeout: 300ms, how: hang, from: 2, flag: {flag}") as agent:
		agent.wait(lambda: agent.sampler("faulty")["ticks"] >= 1, 10, "a tick")
		held, = children(agent)
		ptrace = ctypes.CDLL(None, use_errno=True).ptrace
		ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
		# Its exit waits for the tracer, as that of a process which sleeps in the kernel waits for a disk.
		if ptrace(PTRACE_SEIZE, held, None, PTRACE_O_TRACEEXIT):
			pytest.skip("no ptrace here: " + os.strerror(ctypes.get_errno()))
		agent.wait(lambda: agent.sampler("faulty")["state"] == "backing_off", 15, "the hang to be noticed")
		flag.touch()
		before, failures = agent.sampler("loadavg")["ticks"], agent.sampler("faulty")["failures"]
		agent.wait(lambda: agent.sampler("loadavg")["ticks"] >= before + 15, 15, "the others to go on")
		assert children(agent) == [held]
		assert agent.sampler("faulty")["failures"] == failures
		began = time.monotonic()
		if not back:
			agent.stop()
			assert time.monotonic() - began < 3 * SLOW
		os.waitpid(held, WALL)
		ptrace(PTRACE_CONT, held, None, None)
		os.waitpid(held, WALL)
		if back:
			agent.wait(lambda: agent.sampler("faulty")["state"] == "running", 15, "the next process")
			new, = children(agent)
			assert new != held
			agent.stop()


def test_the_first_tick_waits_for_the_process(tmp_path):
	with agent_with(tmp_path, "interval: 1h") as agent:
		agent.wait(lambda: agent.sampler("faulty")["produced"] == 1, 10, "the first tick")
		assert agent.sampler("faulty")["dropped"] == 0
		agent.stop()
	assert rows(tmp_path / "x.db", "select tick from faulty") == [(1,)]


@pytest.mark.parametrize("flags,state", [("WEIR_BLOCKING", "stuck"), (ISOLATED, "backing_off")])
def test_a_timeout_does_not_wait_for_the_next_tick(tmp_path, flags, state):
	with agent_with(tmp_path, "interval: 1h, timeout: 300ms, how: hang", flags) as agent:
		agent.wait(lambda: agent.sampler("faulty")["state"] == state, 10, "the hang to be noticed")
		assert "has not come back" in agent.sampler("faulty")["fault"]
		agent.stop()
	assert rows(tmp_path / "x.db", "select status from capability where source = 'faulty' and item = 'sampler'") == [("failed",)]


def test_a_start_that_hangs_is_ended(tmp_path):
	with agent_with(tmp_path, "interval: 1h, timeout: 300ms, how: hang, where: open") as agent:
		agent.wait(lambda: agent.sampler("faulty")["state"] == "backing_off", 15, "the hang to be noticed")
		assert "has not started in time" in agent.sampler("faulty")["fault"]
		assert agent.sampler("faulty")["dropped"] == 1
		agent.wait(lambda: not children(agent), 5, "its end")


def test_a_stuck_thread_comes_back(tmp_path):
	with agent_with(tmp_path, "interval: 100ms, timeout: 200ms, how: slow, from: 2, to: 2", "WEIR_BLOCKING") as agent:
		agent.wait(lambda: "stuck" in agent.text(), 10, "the slow tick")
		agent.wait(lambda: agent.sampler("faulty")["state"] == "running", 10, "its end")
		assert agent.sampler("faulty")["fault"] == ""
		agent.stop()


def test_close_runs_and_the_last_tick_is_stored(tmp_path):
	closed = tmp_path / "closed"
	with agent_with(tmp_path, f"interval: 1h, how: nap, closed: {closed}") as agent:
		agent.wait(lambda: agent.sampler("faulty")["ticks"] == 1, 10, "the tick to be sent")
		began = time.monotonic()
		agent.stop()
		assert time.monotonic() - began < 3 * SLOW
	assert closed.exists()
	assert rows(tmp_path / "x.db", "select tick from faulty") == [(1,)]


def test_a_stop_of_the_whole_group_is_the_agents(tmp_path):
	closed = tmp_path / "closed"
	with agent_with(tmp_path, f"interval: 100ms, closed: {closed}") as agent:
		until_running(agent)
		for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
			os.kill(children(agent)[0], number)
		ticks = agent.sampler("faulty")["ticks"]
		agent.wait(lambda: agent.sampler("faulty")["ticks"] >= ticks + 3, 10, "further ticks")
		assert agent.sampler("faulty")["failures"] == 0
		agent.stop()
	assert closed.exists()


def test_a_hanging_process_ends_with_the_agent(tmp_path):
	with agent_with(tmp_path, "interval: 1h, how: hang") as agent:
		agent.wait(lambda: agent.sampler("faulty")["ticks"] == 1, 10, "the tick to be sent")
		pid, = children(agent)
		began = time.monotonic()
		agent.stop()
		assert time.monotonic() - began < 3 * SLOW
	assert not os.path.exists(f"/proc/{pid}")


def test_the_reason_of_a_failed_open_is_told(tmp_path):
	with agent_with(tmp_path, "interval: 100ms, how: fail, where: open") as agent:
		agent.wait(lambda: agent.sampler("faulty")["failures"] >= 1, 15, "the failure")
		assert "fails as asked" in agent.sampler("faulty")["fault"]
		assert "ended with status" not in agent.text()
		agent.stop()
	found = rows(tmp_path / "x.db", "select reason from capability where source = 'faulty' and item = 'sampler'")
	assert len(found) == 1 and "fails as asked" in found[0][0]


def test_its_socket_is_closed_on_exec_and_its_rows_bear_their_own_time(tmp_path):
	with agent_with(tmp_path, "interval: 100ms") as agent:
		until_running(agent)
		with open(f"/proc/{children(agent)[0]}/fdinfo/3") as file:
			flags = dict(line.split(":", 1) for line in file)["flags"]
		assert int(flags, 8) & os.O_CLOEXEC
		agent.wait(lambda: agent.sampler("faulty")["ticks"] >= 20, 20, "ticks")
		agent.stop()
	times = [t for t, in rows(tmp_path / "x.db", "select time from faulty")]
	assert len(times) >= 20 and sum(t % 100000 == 0 for t in times) <= 1


def test_a_setup_that_cannot_be_sent_leaves_nothing_behind(tmp_path):
	with agent_with(tmp_path, f"interval: 100ms, extra: {'x' * 700000}") as agent:
		agent.wait(lambda: agent.sampler("faulty")["failures"] >= 2, 15, "a second try")
		assert "more than a socket holds" in agent.sampler("faulty")["fault"]
		descriptors = len(os.listdir(f"/proc/{agent.process.pid}/fd"))
		agent.wait(lambda: agent.sampler("faulty")["failures"] >= 3, 15, "a third try")
		agent.wait(lambda: not children(agent), 5, "its end")
		assert len(os.listdir(f"/proc/{agent.process.pid}/fd")) <= descriptors
		agent.stop()


def without_sanitizer(test):
	"""Sanitizers bring an allocator of their own: under one the test is not there."""
	return None if os.environ.get("SAN") else test


@without_sanitizer
def test_rows_lost_for_want_of_memory_are_counted(tmp_path):
	library = tmp_path / "no_memory.so"
	source = os.path.join(os.path.dirname(__file__), "plugins", "no_memory.c")
	subprocess.run(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-O1", source, "-o", library], check=True)
	with agent_with(tmp_path, "interval: 100ms, how: lose, from: 2, to: 4", "WEIR_BLOCKING", {"LD_PRELOAD": str(library)}) as agent:
		agent.wait(lambda: agent.sampler("faulty")["ticks"] >= 8, 10, "ticks")
		assert agent.status()["sinks"]["db"]["dropped_by"] == {"memory": 3}
		agent.stop()
		assert "dropped 3 rows" in agent.equation() and "EQUATION" not in agent.equation()
	found = [t for t, in rows(tmp_path / "x.db", "select tick from faulty order by tick")]
	assert found[:4] == [1, 5, 6, 7]


@pytest.mark.parametrize("options", ["how: abort, where: open", "how: abort, from: 2"])
def test_a_process_that_dies_again_and_again_is_started_less_and_less(tmp_path, options):
	with agent_with(tmp_path, "interval: 20ms, " + options) as agent:
		agent.wait(lambda: agent.sampler("faulty")["failures"] >= 1, 15, "the first death")
		began = time.monotonic()
		agent.wait(lambda: agent.sampler("faulty")["failures"] >= 3, 15, "the third death")
		# Pauses of one second, two, four.
		assert time.monotonic() - began >= 2.9
		assert "signal 6" in agent.sampler("faulty")["fault"]
		time.sleep(2.5)
		assert agent.sampler("faulty")["failures"] == 3
		agent.stop()
