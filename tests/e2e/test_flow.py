# SPDX-License-Identifier: Apache-2.0
"""The agent as a whole: ticks, faulty samplers and stores, reload, stop, the equation."""
import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.request

import pytest

from agent import SLOW, WEIR, Agent, build_plugin, faulty


def rows(path, query):
	with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
		return db.execute(query).fetchall()


def conserved(counts):
	return counts["produced"] == counts["stored"] + counts["queued"] + counts["spooled"] + counts["dropped"]


BASE = """
samplers:
  loadavg: {interval: 200ms}
  meminfo: {interval: 200ms}
stores:
  db: {plugin: sqlite, path: %s/x.db, flush: 300ms}
"""


def test_everything_produced_is_stored(tmp_path):
	with Agent(tmp_path, BASE % tmp_path) as agent:
		agent.wait(lambda: agent.sampler("loadavg")["ticks"] >= 5, 10, "five ticks")
		status = agent.status()
		assert conserved(status) and all(conserved(s) for s in status["sinks"].values())
		assert status["dropped"] == 0 and status["dropped_by"] == {}
		agent.stop()
		final = agent.equation()
	stored = sum(rows(tmp_path / "x.db", f"select count(*) from {t}")[0][0]
				 for t in ("loadavg", "meminfo", "weir_sampler", "weir_sink", "weir_process"))
	produced = int(final.split("produced ")[1].split()[0])
	entities = sum(rows(tmp_path / "x.db", f"select count(*) from {t}")[0][0] for t in ("weir_origin",))
	assert "EQUATION" not in final and "dropped 0" in final
	# The origin is said at start and at the end; capability rows come and go with the machine.
	assert 0 <= produced - stored - entities <= 5


def test_rows_of_one_tick_share_their_slot(tmp_path):
	with Agent(tmp_path, BASE % tmp_path) as agent:
		agent.wait(lambda: agent.sampler("loadavg")["ticks"] >= 8, 15, "ticks")
		agent.stop()
	load = [t for t, in rows(tmp_path / "x.db", "select time from loadavg")]
	memory = [t for t, in rows(tmp_path / "x.db", "select time from meminfo")]
	assert load == memory
	# On a busy machine some are late and carry the time of the wake; most lie on the slots.
	on_slot = [t for t in load[1:] if t % 200000 == 0]
	assert len(on_slot) >= len(load) // 3


def test_first_tick_within_a_second(tmp_path):
	began = time.time()
	with Agent(tmp_path, (BASE % tmp_path).replace("200ms", "1h")) as agent:
		agent.wait(lambda: agent.sampler("loadavg")["ticks"] == 1, 5, "the first tick")
		agent.stop()
	first, = rows(tmp_path / "x.db", "select min(time) from loadavg")
	assert first[0] / 1e6 - began < 1.5 * SLOW


def test_a_failing_sampler_backs_off_and_comes_back(tmp_path):
	faulty(tmp_path)
	flag = tmp_path / "good"
	config = (BASE % tmp_path).replace("samplers:", f"samplers:\n  faulty: {{interval: 50ms, how: fail, flag: {flag}}}")
	with Agent(tmp_path, config) as agent:
		agent.wait(lambda: agent.sampler("faulty")["state"] == "backing_off", 10, "the back-off")
		assert agent.run("status", "--control", str(agent.control)).returncode == 0
		assert agent.run("status", "--check", "--control", str(agent.control)).returncode == 1
		failures = agent.sampler("faulty")["failures"]
		assert failures < 15 and "fails as asked" in agent.sampler("faulty")["fault"]
		flag.touch()
		agent.wait(lambda: agent.sampler("faulty")["state"] == "running", 20, "the recovery")
		agent.wait(lambda: agent.sampler("loadavg")["ticks"] >= 3, 10, "the others")
		agent.stop()
	assert rows(tmp_path / "x.db", "select count(*) from faulty where tick = 999999") == [(0,)]
	assert rows(tmp_path / "x.db", "select count(*) > 0 from faulty") == [(1,)]
	assert rows(tmp_path / "x.db", "select status from capability where source = 'faulty'") == [("ok",)]


def test_a_setter_of_the_wrong_type_names_the_column(tmp_path):
	faulty(tmp_path)
	config = (BASE % tmp_path).replace("samplers:", "samplers:\n  faulty: {interval: 50ms, how: type}")
	with Agent(tmp_path, config) as agent:
		agent.wait(lambda: agent.sampler("faulty")["failures"] > 0, 10, "a failure")
		assert "column 'tick' is u64" in agent.sampler("faulty")["fault"]


@pytest.mark.parametrize("flags,option", [("WEIR_BLOCKING", ""), ("WEIR_ISOLATE", ""), ("0", ", isolate: yes")])
def test_a_hanging_sampler_costs_itself_only(tmp_path, flags, option):
	faulty(tmp_path, flags=flags)
	flag = tmp_path / "good"
	config = (BASE % tmp_path).replace(
		"samplers:", f"samplers:\n  faulty: {{interval: 100ms, timeout: 300ms, how: hang, from: 3, flag: {flag}{option}}}")
	with Agent(tmp_path, config) as agent:
		agent.wait(lambda: agent.sampler("faulty")["state"] != "running", 15, "the hang to be noticed")
		before = agent.sampler("loadavg")["ticks"]
		agent.wait(lambda: agent.sampler("loadavg")["ticks"] >= before + 3, 10, "the others to go on")
		assert agent.sampler("faulty")["ticks"] >= 3
		if flags != "WEIR_BLOCKING":
			flag.touch()
			agent.wait(lambda: agent.sampler("faulty")["state"] == "running", 30, "the restarted process")
		agent.stop(expect=0)
	found = rows(tmp_path / "x.db", "select max(tick) from faulty")
	assert found[0][0] >= 2
	if flags != "WEIR_BLOCKING":
		assert rows(tmp_path / "x.db", "select count(distinct pid) from faulty")[0][0] >= 2


def test_an_aborting_sampler_is_restarted(tmp_path):
	faulty(tmp_path, flags="WEIR_ISOLATE")
	config = (BASE % tmp_path).replace("samplers:", "samplers:\n  faulty: {interval: 100ms, how: abort, from: 3}")
	with Agent(tmp_path, config) as agent:
		agent.wait(lambda: agent.sampler("faulty")["failures"] >= 1, 15, "the crash")
		assert "signal 6" in agent.text()
		agent.wait(lambda: agent.sampler("faulty")["ticks"] >= 5, 30, "ticks of a second process")
		agent.stop()
	assert rows(tmp_path / "x.db", "select count(distinct pid) from faulty")[0][0] >= 2


def test_junk_of_an_isolated_process_is_refused(tmp_path):
	faulty(tmp_path, flags="WEIR_ISOLATE")
	config = (BASE % tmp_path).replace("samplers:", "samplers:\n  faulty: {interval: 100ms, how: junk, from: 2}")
	with Agent(tmp_path, config) as agent:
		agent.wait(lambda: agent.sampler("faulty")["failures"] >= 1, 15, "the junk to be refused")
		agent.wait(lambda: agent.sampler("loadavg")["ticks"] >= 5, 10, "the others")
		agent.stop()


def test_ticks_not_begun_are_dropped_and_counted(tmp_path):
	faulty(tmp_path)
	config = (BASE % tmp_path).replace("samplers:", "samplers:\n  faulty: {interval: 100ms, how: slow, from: 2, to: 3}")
	with Agent(tmp_path, config) as agent:
		agent.wait(lambda: agent.sampler("faulty")["dropped"] >= 4, 15, "dropped ticks")
		agent.stop()


@pytest.fixture
def slow(tmp_path):
	build_plugin("slowstore.c", "slowstore", tmp_path)
	switch = tmp_path / "switch"
	switch.write_text("")
	config = (BASE % tmp_path) + f"  slow: {{plugin: slowstore, path: {tmp_path}/lines, switch_file: {switch}, flush: 200ms, queue: 64KiB}}\n"
	return config, switch


def test_a_store_that_fails_costs_nothing_once_it_works_again(tmp_path, slow):
	config, switch = slow
	with Agent(tmp_path, config) as agent:
		switch.write_text("fail")
		agent.wait(lambda: agent.status()["sinks"]["slow"]["failures"] >= 2, 15, "failures")
		assert agent.status()["status"] == "degraded"
		assert agent.status()["sinks"]["db"]["fault"] == ""
		switch.write_text("")
		agent.wait(lambda: agent.status()["sinks"]["slow"]["fault"] == "", 15, "the recovery")
		agent.stop()
		assert "dropped 0 rows" in agent.equation()
	lines = sum(int(line.split()[1]) for line in (tmp_path / "lines").read_text().splitlines() if line.startswith("loadavg "))
	assert lines == rows(tmp_path / "x.db", "select count(*) from loadavg")[0][0]


def test_a_hanging_store_drops_its_oldest_rows_alone(tmp_path, slow):
	config, switch = slow
	config = config.replace("meminfo: {interval: 200ms}", "meminfo: {interval: 10ms}\n  vmstat: {interval: 10ms}")
	with Agent(tmp_path, config) as agent:
		switch.write_text("hang")
		agent.wait(lambda: agent.status()["sinks"]["slow"]["dropped"] > 0, 30, "the queue to overflow")
		status = agent.status()
		assert status["sinks"]["slow"]["dropped_by"].keys() == {"queue_full"}
		assert status["sinks"]["slow"]["queue_bytes"] <= 2 * 65536
		assert status["sinks"]["db"]["dropped"] == 0 and conserved(status)
		switch.write_text("")
		agent.stop()
	assert "EQUATION" not in agent.text()


def test_a_stop_is_bounded_while_a_store_hangs(tmp_path, slow):
	config, switch = slow
	with Agent(tmp_path, config + "\nstop_timeout: 2s\n") as agent:
		switch.write_text("hang")
		agent.wait(lambda: agent.status()["sinks"]["slow"]["queued"] > 0, 10, "something queued")
		time.sleep(0.5)
		began = time.monotonic()
		agent.stop()
		assert time.monotonic() - began < 8 * SLOW
		assert "given up" in agent.text() and "EQUATION" not in agent.text()


def test_a_poisoned_batch_does_not_stop_the_rest(tmp_path, slow):
	config, switch = slow
	switch.write_text("poison")
	with Agent(tmp_path, config) as agent:
		agent.wait(lambda: agent.status()["sinks"]["slow"]["dropped_by"].get("refused", 0) > 0, 40, "the poison to be found")
		switch.write_text("")
		agent.wait(lambda: agent.status()["sinks"]["slow"]["stored"] > 0, 20, "the rest")
		agent.stop()
	assert "poisoned batch" in agent.text() and "EQUATION" not in agent.text()


def test_a_database_that_is_down_is_waited_for(tmp_path, slow):
	config, switch = slow
	switch.write_text("network")
	with Agent(tmp_path, config) as agent:
		agent.wait(lambda: agent.status()["sinks"]["slow"]["failures"] >= 6, 60, "more failures than a poisoned batch gets")
		assert set(agent.status()["sinks"]["slow"]["dropped_by"]) <= {"queue_full"}
		switch.write_text("")
		agent.wait(lambda: agent.status()["sinks"]["slow"]["fault"] == "", 30, "the recovery")
		assert conserved(agent.status())
		agent.stop()


def test_a_long_flush_with_a_small_queue_drops_nothing(tmp_path):
	config = (BASE % tmp_path).replace("flush: 300ms", "flush: 1h, queue: 64KiB").replace("200ms", "10ms")
	with Agent(tmp_path, config) as agent:
		agent.wait(lambda: agent.sampler("meminfo")["ticks"] >= 400 / SLOW, 60, "ticks")
		agent.stop()
		assert "dropped 0 rows" in agent.equation()


def test_a_store_that_opens_badly_without_a_word_stops_the_start(tmp_path, slow):
	config, _ = slow
	agent = Agent(tmp_path, config.replace("flush: 200ms, queue", "bad_open: yes, queue"), start=False)
	answer = agent.run("run", str(agent.config), timeout=20)
	assert answer.returncode == 73 and "store 'slow': the plugin gives no reason" in answer.stderr


def test_a_failing_event_does_not_spin(tmp_path):
	faulty(tmp_path)
	config = (BASE % tmp_path).replace("samplers:", "samplers:\n  faulty: {interval: 100ms, how: event}")
	with Agent(tmp_path, config) as agent:
		agent.wait(lambda: agent.sampler("faulty")["state"] == "backing_off", 10, "the back-off")
		before = agent.sampler("faulty")["failures"]
		time.sleep(1.5)
		assert agent.sampler("faulty")["failures"] - before < 20
		agent.stop()


def test_a_reload_with_a_hanging_store_stalls_nobody(tmp_path, slow):
	config, switch = slow
	with Agent(tmp_path, config) as agent:
		switch.write_text("hang")
		agent.wait(lambda: agent.status()["sinks"]["slow"]["queued"] > 0, 10, "something queued")
		time.sleep(0.5)
		began = time.monotonic()
		agent.write(config.replace("flush: 200ms, queue", "flush: 250ms, queue"))
		answer = agent.reload()
		assert answer.returncode == 0, answer.stderr
		assert time.monotonic() - began < 2 * SLOW
		before = agent.sampler("loadavg")
		time.sleep(1)
		after = agent.sampler("loadavg")
		assert after["ticks"] > before["ticks"] and conserved(agent.status())
		switch.write_text("")
		agent.stop()
		assert "EQUATION" not in agent.text() and "dropped 0 rows" in agent.equation()


def test_a_reload_that_fails_leaves_every_store_as_it_was(tmp_path, slow):
	config, _ = slow
	with Agent(tmp_path, config) as agent:
		(tmp_path / "file").write_text("in the way")
		agent.write(config.replace("flush: 300ms", "flush: 100ms") + f"  other: {{plugin: csv, path: {tmp_path}/file/csv}}\n")
		answer = agent.reload()
		assert answer.returncode == 78 and "store 'other'" in answer.stderr
		status = agent.status()
		assert set(status["sinks"]) == {"db", "slow"}
		before = status["sinks"]["db"]["stored"]
		agent.wait(lambda: agent.status()["sinks"]["db"]["stored"] > before, 10, "rows in the old store")
		agent.stop()
		assert "dropped 0 rows" in agent.equation()


def test_refused_rows_are_counted(tmp_path, slow):
	config, switch = slow
	switch.write_text("refuse")
	with Agent(tmp_path, config) as agent:
		agent.wait(lambda: agent.status()["sinks"]["slow"]["dropped_by"].get("refused", 0) > 0, 15, "refusals")
		assert conserved(agent.status())
		agent.stop()


def test_routes_select_schemas_and_columns(tmp_path):
	config = (BASE % tmp_path) + f"""
  csv: {{path: {tmp_path}/csv}}
routes:
  - {{from: [meminfo], to: [db], columns: {{meminfo: [mem_total, mem_free]}}}}
  - {{to: [csv], schemas: ["*", "!weir_*", "!meminfo"], hosts: "n[1-9]"}}
"""
	with Agent(tmp_path, config) as agent:
		agent.wait(lambda: agent.sampler("loadavg")["ticks"] >= 3, 10, "ticks")
		agent.stop()
	tables = {name for name, in rows(tmp_path / "x.db", "select name from sqlite_master where type = 'table'")}
	assert "meminfo" in tables and "loadavg" not in tables
	columns = [r[1] for r in rows(tmp_path / "x.db", "pragma table_info(meminfo)")]
	assert columns == ["time", "cluster", "host", "source", "mem_total", "mem_free"]
	folders = {p.name for p in (tmp_path / "csv").iterdir() if p.is_dir()}
	assert "loadavg" in folders and "meminfo" not in folders and not any(f.startswith("weir_") for f in folders)


def test_reload_restarts_what_changed_only(tmp_path):
	config = BASE % tmp_path
	with Agent(tmp_path, config) as agent:
		agent.wait(lambda: agent.sampler("loadavg")["ticks"] >= 3, 10, "ticks")
		agent.write(config.replace("meminfo: {interval: 200ms}", "vmstat: {interval: 200ms}"))
		answer = agent.reload()
		assert answer.returncode == 0, answer.stderr
		status = agent.status()
		assert set(status["samplers"]) == {"loadavg", "vmstat"} and status["samplers"]["loadavg"]["ticks"] >= 3
		agent.write(config.replace("loadavg", "laodavg"))
		answer = agent.reload()
		assert answer.returncode == 78 and "did you mean 'loadavg'" in answer.stderr
		assert set(agent.status()["samplers"]) == {"loadavg", "vmstat"}
		agent.process.send_signal(signal.SIGHUP)
		agent.wait(lambda: agent.status()["reload_failures"] == 2, 10, "the second refusal")
		agent.stop()
	times = [t for t, in rows(tmp_path / "x.db", "select time from loadavg")]
	assert len(times) == len(set(times))


def test_reload_moves_a_store_to_new_options(tmp_path):
	config = BASE % tmp_path
	with Agent(tmp_path, config) as agent:
		agent.wait(lambda: agent.sampler("loadavg")["ticks"] >= 3, 10, "ticks")
		agent.write(config.replace("flush: 300ms", "flush: 100ms"))
		answer = agent.reload()
		assert answer.returncode == 0, answer.stderr
		before = agent.status()["sinks"]["db"]["stored"]
		agent.wait(lambda: agent.status()["sinks"]["db"]["stored"] > before, 10, "rows in the reopened store")
		agent.stop()
		assert "dropped 0 rows" in agent.equation()
	times = [t for t, in rows(tmp_path / "x.db", "select time from loadavg")]
	assert len(times) == len(set(times)) and len(times) >= 4


def test_many_reloads_leak_nothing(tmp_path):
	config = BASE % tmp_path
	with Agent(tmp_path, config) as agent:
		def usage():
			pid = agent.process.pid
			with open(f"/proc/{pid}/status") as file:
				fields = dict(line.split(":", 1) for line in file)
			return int(fields["VmRSS"].split()[0]), len(os.listdir(f"/proc/{pid}/fd")), int(fields["Threads"])

		def one(i):
			agent.write(config.replace("meminfo: {interval: 200ms}", f"meminfo: {{interval: {200 + i % 2}ms}}"))
			with socket.socket(socket.AF_UNIX) as s:
				s.connect(str(agent.control))
				s.sendall(b"reload\n")
				assert s.makefile().readline() == "ok\n"

		for i in range(100):
			one(i)
		time.sleep(1 * SLOW)
		memory, descriptors, threads = usage()
		for i in range(1000 // SLOW):
			one(i)
		# What a reload dismissed ends on its own thread, the last connection when the loop comes by.
		agent.wait(lambda: usage()[1:] == (descriptors, threads), 10, "the descriptors and threads of before")
		after = usage()
		assert after[0] - memory < 1024 * (1 if SLOW == 1 else 64)
		assert agent.status()["reloads"] == 100 + 1000 // SLOW
		agent.stop()


def test_two_agents_on_one_state_folder(tmp_path):
	with Agent(tmp_path, BASE % tmp_path) as agent:
		second = agent.run("run", str(agent.config), timeout=20)
		assert second.returncode == 75 and "n1" in second.stderr
		agent.stop()


def test_a_store_held_by_another_names_the_holder(tmp_path):
	(tmp_path / "b").mkdir()
	with Agent(tmp_path, BASE % tmp_path) as agent:
		other = Agent(tmp_path / "b", BASE % tmp_path, start=False)
		answer = other.run("run", str(other.config), timeout=20)
		assert answer.returncode == 75, answer.stderr
		assert str(agent.process.pid) in answer.stderr
		agent.stop()


def test_without_a_state_folder_it_runs_on(tmp_path):
	(tmp_path / "state").write_text("a file is in the way")
	with Agent(tmp_path, (BASE % tmp_path) + f"control: {tmp_path}/c.sock\n", start=False) as agent:
		agent.control = tmp_path / "c.sock"
		agent.start()
		agent.wait(lambda: agent.sampler("loadavg")["ticks"] >= 3, 10, "ticks")
		agent.stop()
	assert rows(tmp_path / "x.db", "select status from capability where source = 'weir' and item = 'state'") == [("failed",)]


def test_metrics_and_health(tmp_path):
	with socket.socket() as s:
		s.bind(("127.0.0.1", 0))
		port = s.getsockname()[1]
	with Agent(tmp_path, (BASE % tmp_path) + f"http: 127.0.0.1:{port}\n") as agent:
		agent.wait(lambda: agent.sampler("loadavg")["ticks"] >= 2, 10, "ticks")
		text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
		values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
		assert int(values['weir_sampler_ticks_total{sampler="loadavg"}']) >= 2
		assert float(values["weir_cpu_seconds_total"]) > 0
		for line in text.splitlines():
			assert line.startswith(("# HELP weir_", "# TYPE weir_", "weir_"))
		assert urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz").read() == b"ok\n"
		with pytest.raises(urllib.error.HTTPError) as e:
			urllib.request.urlopen(f"http://127.0.0.1:{port}/other")
		assert e.value.code == 404
		agent.stop()


def test_control_socket_is_private_and_refuses_nonsense(tmp_path):
	with Agent(tmp_path, BASE % tmp_path) as agent:
		assert os.stat(agent.control).st_mode & 0o777 == 0o600
		for junk in (b"nonsense\n", b"\n", b"status extra\n", b"tap-json " + b"x " * 40 + b"\n", b"\0\n"):
			with socket.socket(socket.AF_UNIX) as s:
				s.connect(str(agent.control))
				s.sendall(junk)
				assert s.makefile().readline() == "error\n"
		with socket.socket(socket.AF_UNIX) as s:
			s.connect(str(agent.control))
			s.sendall(b"y" * 5000)
			try:
				assert s.recv(10) == b""
			except ConnectionResetError:
				pass  # closed with bytes unread
		many = []
		for _ in range(40):
			s = socket.socket(socket.AF_UNIX)
			s.connect(str(agent.control))
			many.append(s)
		for s in many:
			s.close()
		assert agent.wait(agent.status, 10, "the socket to serve again")["status"] in ("ok", "degraded")
		agent.stop()


def test_tap_shows_live_rows(tmp_path):
	with Agent(tmp_path, BASE % tmp_path) as agent:
		got = agent.tap("loadavg")
		assert len(got) >= 3 and {r["schema"] for r in got} == {"loadavg"} and all(r["host"] == "n1" for r in got)
		agent.stop()


def test_status_without_an_agent(tmp_path):
	answer = subprocess.run([WEIR, "status", "--control", str(tmp_path / "none")], capture_output=True, text=True)
	assert answer.returncode == 69 and "no agent listens" in answer.stderr


def test_systemd_is_told(tmp_path):
	path = tmp_path / "notify"
	with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
		s.bind(str(path))
		s.settimeout(20)
		environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "400000"}
		with Agent(tmp_path, BASE % tmp_path, environment) as agent:
			assert s.recv(500).startswith(b"READY=1\nSTATUS=")
			assert s.recv(500) == b"WATCHDOG=1"
			agent.reload()
			seen = b""
			while b"READY=1" not in seen:
				seen += s.recv(500)
			assert b"RELOADING=1\nMONOTONIC_USEC=" in seen
			agent.stop()
			while b"STOPPING=1" not in seen:
				seen += s.recv(500)


def test_ten_times_a_second_keeps_its_rate(tmp_path):
	with Agent(tmp_path, (BASE % tmp_path).replace("200ms", "100ms")) as agent:
		agent.wait(lambda: agent.sampler("loadavg")["ticks"] >= 40, 30, "forty ticks")
		sampler = agent.sampler("loadavg")
		agent.stop()
	times = sorted(t for t, in rows(tmp_path / "x.db", "select time from loadavg"))
	slots = round((times[-1] - times[0]) / 100000) + 1
	assert len(times) + sampler["dropped"] >= slots - 1


def test_an_unprivileged_user_can_run_it(tmp_path):
	if os.geteuid() != 0:
		pytest.skip("needs root to become nobody")
	os.chmod(tmp_path, 0o777)
	for parent in list(tmp_path.parents)[:3]:
		if str(parent).startswith("/tmp/"):
			os.chmod(parent, 0o755)
	config = (BASE % tmp_path).replace("samplers:", "samplers:\n  host:\n  kernel: {interval: 200ms}\n  perf: {interval: 200ms}")
	if "perf" not in subprocess.run([WEIR, "plugin", "list"], capture_output=True, text=True).stdout:
		config = config.replace("  perf: {interval: 200ms}", "")
	with Agent(tmp_path, config, wrap=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]) as agent:
		agent.wait(lambda: agent.sampler("loadavg")["ticks"] >= 3, 10, "ticks")
		agent.stop()
	assert rows(tmp_path / "x.db", "select count(*) from kernel")[0][0] >= 2
