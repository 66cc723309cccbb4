#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The agent on this machine: cost of a sampling round against a bare loop and against peers, calls, wakes, memory, rate kept.

CPU time is the process's CPU clock (all threads, nanoseconds), read from outside. What is compared runs at the same time, at the
same rate, each at its own place in the second, so that noise meets all; figures are medians over windows.
"""
import collections
import contextlib
import datetime
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
WEIR = os.environ.get("WEIR", str(ROOT / "build/weir"))
QUICK = bool(os.environ.get("BENCH_QUICK"))
SIX = ("cpu", "meminfo", "vmstat", "loadavg", "disk", "netdev")
PERIOD = 0.1


def row(name, unit, ours, against="", theirs=None, target=""):
	text = "-" if ours is None else repr(float(ours))
	print("row", name, unit, text, against, "" if theirs is None else repr(float(theirs)), target, sep="\t", flush=True)


def note(text):
	print(text, file=sys.stderr, flush=True)


# ---- processes ----

def compile_helpers(folder):
	compiler = os.environ.get("CC", "gcc").split()
	flags = ["-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g", f"-I{ROOT}/core/include"]
	here = ROOT / "tests/bench"
	subprocess.run([*compiler, *flags, str(here / "floor.c"), "-o", str(folder / "floor")], check=True)
	subprocess.run([*compiler, *flags, "-fPIC", "-fvisibility=hidden", "-shared", str(here / "discard.c"), "-o", str(folder / "discard.so")],
				   check=True)


class Process:
	"""Something that runs until it is stopped; its CPU time and switches from outside."""

	def __init__(self, name, command, environment=None):
		self.name = name
		self.log = open(f"{FOLDER}/{name}.log", "wb")
		self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, env={**os.environ, **(environment or {})})
		self.pid = self.process.pid

	def cpu(self):
		"""Nanoseconds of all threads; /proc/PID/stat counts in steps of 10 ms."""
		return round(time.clock_gettime(~self.pid << 3 | 2) * 1e9)

	def switches(self):
		"""Voluntary switches by thread: the first is the loop's."""
		found = {}
		for task in sorted(os.listdir(f"/proc/{self.pid}/task"), key=int):
			text = pathlib.Path(f"/proc/{self.pid}/task/{task}/status").read_text()
			found[int(task)] = int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M).group(1))
		return found

	def memory(self, field):
		text = pathlib.Path(f"/proc/{self.pid}/smaps_rollup").read_text()
		return int(re.search(rf"^{field}:\s+(\d+) kB", text, re.M).group(1)) / 1024

	def text(self):
		return pathlib.Path(self.log.name).read_text(errors="replace")

	def alive(self):
		return self.process.poll() is None

	def stop(self):
		if self.alive():
			self.process.send_signal(signal.SIGTERM)
		try:
			self.process.wait(30)
		except subprocess.TimeoutExpired:
			self.process.kill()
			self.process.wait()
		self.log.close()


def agent(name, samplers, store, period=PERIOD, offset=0.0, wrap=()):
	"""weir on samplers (name, or name: further options), with one store."""
	lines = [f"  {s}: {{interval: {round(period * 1000)}ms, offset: {round(offset * 1000)}ms{options}}}" for s, options in samplers.items()]
	config = f"{FOLDER}/{name}.yaml"
	pathlib.Path(config).write_text("\n".join([f"state: {FOLDER}/{name}.state", "host: n001", "cluster: bench", "samplers:", *lines,
												"stores:", f"  out: {{{store}}}", ""]))
	return Process(name, [*wrap, WEIR, "run", config], {"WEIR_PLUGIN_PATH": str(FOLDER)})


def discard(name, flush="1s"):
	return f"plugin: discard, report: {FOLDER}/{name}.counts, flush: {flush}"


def csv(name, flush="1s"):
	return f"plugin: csv, path: {FOLDER}/{name}, flush: {flush}"


def bare(name, form, period=PERIOD, offset=0.0):
	return Process(name, [f"{FOLDER}/floor", str(round(period * 1000)), str(round(offset * 1000)), form])


SIX_PLAIN = {s: "" for s in SIX}


def counts(name):
	return [int(n) for n in pathlib.Path(f"{FOLDER}/{name}.counts").read_text().split()]


def sleep_to(moment):
	time.sleep(max(0.0, moment - time.time()))


@contextlib.contextmanager
def running(*processes):
	try:
		yield processes
	finally:
		for p in processes:
			p.stop()


def windows(processes, n, seconds, period):
	"""CPU microseconds per round of each process, in n windows; windows begin where nobody works."""
	start = int(time.time()) + 2 + 0.95 * period
	costs = collections.defaultdict(list)
	switched = [p.switches() for p in processes]
	before = None
	for i in range(n + 1):
		sleep_to(start + i * seconds)
		for p in processes:
			if not p.alive():
				sys.exit(f"{p.name} ended: {p.text()}")
		after = [p.cpu() for p in processes]
		if before is None:
			switched = [p.switches() for p in processes]
		else:
			for p, b, a in zip(processes, before, after):
				costs[p.name].append((a - b) / 1000 / (seconds / period))
		before = after
	wakes = {}
	for p, b in zip(processes, switched):
		a = p.switches()
		wakes[p.name] = [(a[t] - b.get(t, 0)) / (n * seconds / period) for t in sorted(a)]
	return costs, wakes


# ---- rows ----

def cost_of_round():
	n, seconds = (3, 2) if QUICK else (7, 4)
	step = PERIOD / 5
	processes = (bare("floor", "file"), bare("floor_netlink", "netlink", offset=step),
				 agent("sample", SIX_PLAIN, discard("sample"), offset=2 * step),
				 agent("store", SIX_PLAIN, csv("store_csv"), offset=3 * step))
	with running(*processes):
		costs, wakes = windows(processes, n, seconds, PERIOD)
	rows, cells, ticks = counts("sample")
	values = cells / ticks
	note(f"10 Hz, {n} windows of {seconds} s, us a round: " +
		 "; ".join(f"{k} {min(v):.0f}-{statistics.median(v):.0f}-{max(v):.0f}" for k, v in costs.items()) +
		 f"; {values:.0f} values in {rows / ticks:.1f} rows a round")
	median = {name: statistics.median(cost) for name, cost in costs.items()}
	for form, floor in (("/proc/net/dev", median["floor"]), ("netlink", median["floor_netlink"])):
		row("sample six sources, CPU", "us/round", median["sample"], f"bare loop, {form}", floor, "ratio<=1.3")
	row("sample six sources, CPU of a value", "us/value", median["sample"] / values, "LDMS elsewhere", 0.59)
	row("sample and store CSV, flush 1 s, CPU", "us/round", median["store"], "bare loop, /proc/net/dev", median["floor"], "ratio<=3")
	row("sample and store CSV, flush 1 s, CPU", "us/round", median["store"], "LDMS elsewhere", 961, "ours<=480")
	row("sample and store CSV, CPU of a value", "us/value", median["store"] / values, "LDMS elsewhere", 1.55)
	row("wakes of the loop", "/round", wakes["sample"][0], "bare loop", wakes["floor"][0], "ours<=1.05")
	flushes = PERIOD  # a round, at one flush a second
	row("wakes of a flush, all threads", "/flush", (sum(wakes["store"]) - wakes["sample"][0]) / flushes, "", None, "ours<=1.2")
	return values


def calls():
	if not shutil.which("strace"):
		row("system calls", "/round", None)
		return
	p = agent("traced", SIX_PLAIN, csv("traced_csv"))
	trace = f"{FOLDER}/traced.strace"
	with running(p):
		time.sleep(3)
		tracer = subprocess.Popen(["strace", "-f", "-q", "-o", trace, "-p", str(p.pid)], stderr=subprocess.DEVNULL)
		time.sleep(3 if QUICK else 6)
		tracer.send_signal(signal.SIGINT)
		tracer.wait()
		tables = sum(1 for t in os.listdir(f"{FOLDER}/traced_csv") if t in ("cpu", "cpu_total", "meminfo", "vmstat", "loadavg", "disk", "netdev"))
	rounds, worker, current = [], collections.Counter(), None
	for line in open(trace, errors="replace"):
		found = re.match(r"(\d+) +(?:(\w+)\(|<\.\.\. \w+ resumed>)", line)
		if not found or not found.group(2):
			continue
		thread, call = int(found.group(1)), found.group(2)
		if thread != p.pid:
			worker[call] += 1
		elif current is None:
			current = [] if call == "epoll_wait" else None
		else:
			current.append(call)
			if call == "epoll_wait":
				rounds.append(current)
				current = []
	plain = [r for r in rounds if "futex" not in r]
	flushed = [r for r in rounds if "futex" in r]
	usual = statistics.median(len(r) for r in plain)
	row("system calls without a flush", "/round", usual, "", None, "ours<=12")
	if flushed:
		signal_calls = sum(r.count("futex") for r in flushed) / len(flushed)
		row("system calls that a flush adds", "/flush/schema", (sum(worker.values()) / len(flushed) + signal_calls) / tables, "", None, "ours<=2")
		note(f"flush: {len(flushed)} of {len(rounds)} rounds, {tables} schemas, worker: {dict(worker)}")


def memory_and_rate():
	seconds = 8 if QUICK else 30
	p = agent("rate", SIX_PLAIN, csv("rate_csv"))
	loop = bare("floor_rate", "file", offset=PERIOD / 2)
	load = pathlib.Path("/proc/loadavg").read_text().split()[0]
	with running(p, loop):
		sleep_to(int(time.time()) + 1 + seconds + 0.5)
		resident, proportional = p.memory("Rss"), p.memory("Pss")
	times = []
	for part in pathlib.Path(f"{FOLDER}/rate_csv/meminfo").glob("*.csv"):
		for line in part.read_text().splitlines()[1:]:
			stamp = datetime.datetime.fromisoformat(line.split(",", 1)[0].replace("Z", "+00:00"))
			times.append(stamp.timestamp())
	times = sorted(times)[5:]  # the start loads plugins
	gaps = [b - a for a, b in zip(times, times[1:])]
	off_slot = sum(abs(t / PERIOD - round(t / PERIOD)) > 1e-4 for t in times)
	row("memory, sampling to CSV, resident", "MB", resident, "collectd elsewhere", 3.1, "ours<=3.5")
	row("memory, sampling to CSV, proportional", "MB", proportional, "collectd elsewhere", 1.6, "")
	row("rate kept at 10 Hz", "of it", len(gaps) / round((times[-1] - times[0]) / PERIOD), "", None, "ours>=0.9995")
	row("widest gap at 10 Hz", "periods", max(gaps) / PERIOD, "bare loop", float(loop.text().split()[-1]), "ours<=1.02")
	note(f"10 Hz for {seconds} s at load {load}: {len(times)} rows, {off_slot} woken more than 1 ms late and stamped so")


def peers():
	sadc = next((p for p in ("/usr/lib/sysstat/sadc", "/usr/lib64/sa/sadc", "/usr/lib/sa/sadc") if os.access(p, os.X_OK)), None)
	collectd = shutil.which("collectd", path=os.environ.get("PATH", "") + ":/usr/sbin")
	if not sadc:
		row("peer: sadc, 1 Hz, CPU", "us/sample", None)
	if not collectd:
		row("peer: collectd to CSV, 1 Hz, CPU", "us/sample", None)
	others = []
	if sadc:
		others.append(Process("sadc", [sadc, "-S", "DISK", "1", f"{FOLDER}/sadc.sa"]))
	if collectd:
		plugins = ("cpu", "memory", "vmem", "load", "disk", "interface", "swap", "csv")
		pathlib.Path(f"{FOLDER}/collectd.conf").write_text("\n".join([
			f'BaseDir "{FOLDER}"', f'PIDFile "{FOLDER}/collectd.pid"', "Hostname n001", "FQDNLookup false", "Interval 1",
			*[f"LoadPlugin {p}" for p in plugins], f'<Plugin csv>\n  DataDir "{FOLDER}/collectd_csv"\n</Plugin>', ""]))
		others.append(Process("collectd", [collectd, "-f", "-C", f"{FOLDER}/collectd.conf"]))
	processes = (bare("floor_1", "file", 1, 0.2), agent("sample_1", SIX_PLAIN, discard("sample_1"), 1, 0.4),
				 agent("store_1", SIX_PLAIN, csv("store_1_csv"), 1, 0.6), *others)
	n, seconds = (2, 3) if QUICK else (3, 7)
	with running(*processes):
		time.sleep(1)
		dead = [p for p in processes if not p.alive()]
		for p in dead:
			note(f"{p.name} ended at once: {p.text().strip()[-300:]}")
		alive = [p for p in processes if p not in dead]
		costs, _ = windows(alive, n, seconds, 1)
		# Stopped by a signal sadc closes its file and says nothing.
	note("1 Hz, us a sample: " + "; ".join(f"{k} {min(v):.0f}-{statistics.median(v):.0f}-{max(v):.0f}" for k, v in costs.items()))
	median = {k: statistics.median(v) for k, v in costs.items()}
	row("at 1 Hz: sample", "us/round", median["sample_1"], "bare loop, /proc/net/dev", median["floor_1"])
	row("at 1 Hz: sample and store CSV", "us/round", median["store_1"], "bare loop, /proc/net/dev", median["floor_1"])
	for name in ("sadc", "collectd"):
		if name in median:
			row("at 1 Hz: sample and store CSV", "us/round", median["store_1"], {"sadc": "sadc to its file", "collectd": "collectd to CSV"}[name],
				median[name], "ratio<=1")


# ---- instructions ----

def callgrind(name, function):
	"""Collects in one function alone, and writes what each of its calls took to a file of its own."""
	return ["valgrind", "--tool=callgrind", f"--toggle-collect={function}", f"--dump-after={function}",
			f"--callgrind-out-file={FOLDER}/{name}.callgrind"]


def instructions_of_rounds(processes, seconds):
	"""Median of the rounds after the first five, which open files and learn layouts."""
	with running(*processes):
		for _ in range(100):
			time.sleep(0.2)
			if all(os.path.exists(f"{FOLDER}/{p.name}.callgrind.6") for p in processes):
				break
		time.sleep(seconds)
	found = {}
	for p in processes:
		rounds = {}
		for part in pathlib.Path(FOLDER).glob(f"{p.name}.callgrind.*"):
			total = re.search(r"^(?:totals|summary): (\d+)", part.read_text(errors="replace"), re.M)
			rounds[int(part.suffix[1:])] = int(total.group(1)) if total else 0
		# The last one is of the end of the process.
		settled = [rounds[k] for k in sorted(rounds)[5:-1] if rounds[k]]
		found[p.name] = statistics.median(settled) if settled else None
	return found


def instructions(values):
	if not shutil.which("valgrind"):
		row("instructions", "/round", None)
		return
	def watch(name, samplers):
		return agent(name, samplers, discard(name), wrap=callgrind(name, "wake"))
	seconds = 2 if QUICK else 4
	found = instructions_of_rounds(
		[watch("cg_six", SIX_PLAIN), Process("cg_floor", [*callgrind("cg_floor", "do_round"), f"{FOLDER}/floor", "100", "0", "file"])],
		seconds)
	six, floor = found["cg_six"], found["cg_floor"]
	row("sample six sources, instructions", "/round", six, "bare loop, /proc/net/dev", floor)
	if six:
		row("sample, instructions of a value", "/value", six / values, "LDMS elsewhere", 1800, "")
	unknown = {"netstat": (", extra: [NoSuchKey]", ""), "perf": (", events: [nosuch]", "")}
	if QUICK:
		del unknown["perf"]
	for name, (with_option, without) in unknown.items():
		found = instructions_of_rounds([watch(f"cg_{name}", {name: without}), watch(f"cg_{name}_odd", {name: with_option})], seconds)
		plain, odd = found[f"cg_{name}"], found[f"cg_{name}_odd"]
		row(f"{name} asked for what is not there", "instr/round", odd, f"{name} as it is", plain, "ratio<=1.02")


def main():
	compile_helpers(FOLDER)
	steps = sys.argv[1:] or ["cost_of_round", "calls", "memory_and_rate", "peers", "instructions"]
	values = 450.0
	for step in steps:
		began = time.monotonic()
		if step == "instructions":
			instructions(values)
		else:
			result = globals()[step]()
			values = result or values
		note(f"({step}: {time.monotonic() - began:.0f} s)")


base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
with contextlib.nullcontext(os.environ.get("BENCH_KEEP")) if os.environ.get("BENCH_KEEP") else tempfile.TemporaryDirectory(prefix="weir-bench-", dir=base) as made:
	FOLDER = pathlib.Path(made)
	main()
