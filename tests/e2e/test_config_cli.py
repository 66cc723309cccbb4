# SPDX-License-Identifier: Apache-2.0
"""weir config: every fault of every file is found in one run, at its place; what is shown means the same; nothing is touched."""
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
WEIR = os.environ.get("WEIR", str(ROOT / "build/weir"))
STORES = "stores:\n  files: {plugin: csv, path: /nonexistent/weir/csv}\n"
SAMPLERS = "samplers:\n  loadavg:\n"
BOTH = SAMPLERS + STORES
FAULT = re.compile(r"^(?P<file>[^\n]*?):(?P<line>\d+):(?P<column>\d+): (?P<severity>error|warning): (?P<text>.*)$", re.M)


def weir(*arguments, cwd=None, **environment):
	return subprocess.run(
		[WEIR, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=cwd, env={**os.environ, **environment},
		timeout=30)


def faults(output, severity="error"):
	return [(int(m["line"]), int(m["column"]), m["text"]) for m in FAULT.finditer(output) if m["severity"] == severity]


def marked(text):
	"""The text without its marks, and where they stood: line and column from 1, in characters."""
	places, clean = [], ""
	for part in text.split("§"):
		clean += part
		places.append((clean.count("\n") + 1, len(clean) - clean.rfind("\n")))
	return clean, places[:-1]


# A § stands before each place where an error must be reported; then, in this order, a part of each message (after "|": of a hint).
BROKEN = [
	# keys
	("§clustr: x\n" + BOTH, ["no such key|did you mean 'cluster'?"]),
	("§sampler:\n  cpu:\n" + BOTH, ["no such key|did you mean 'samplers'?"]),
	("§xyzzy: 1\n" + BOTH, ["no such key|keys here:"]),
	("cluster: a\n§cluster: b\n" + BOTH, ["cluster"]),
	("samplers:\n  loadavg:\n  §loadavg:\n" + STORES, ["loadavg"]),
	("samplers:\n  loadavg: {interval: 1s, §interval: 2s}\n" + STORES, ["interval"]),
	("samplers:\n  loadavg: {§intervall: 10s}\n" + STORES, ["no such option of sampler 'loadavg'|did you mean 'interval'?"]),
	("samplers:\n  loadavg:\n    §flush: 1s\n" + STORES, ["no such option of sampler 'loadavg'|'flush' is an option of stores"]),
	(SAMPLERS + "stores:\n  files: {plugin: csv, path: /x, §interval: 1s}\n", ["no such option of store 'csv'|'interval' is an option of samplers"]),
	("log: {§levl: info}\n" + BOTH, ["no such option of log|did you mean 'level'?"]),
	(BOTH + "routes:\n  - {to: [files], §form: [loadavg]}\n", ["no such key of a route|did you mean 'from'?"]),
	(BOTH + "routes:\n  - {to: [files], §every: 60s}\n", ["no such key of a route|keys of a route:"]),
	# durations and sizes
	("samplers:\n  loadavg: {interval: §500}\n" + STORES, ["'500' needs a unit"]),
	("samplers:\n  loadavg:\n    interval: §500\n" + STORES, ["'500' needs a unit (500ms? 500s?)"]),
	("samplers:\n  loadavg: {interval: §1h30m}\n" + STORES, ["1h30m"]),
	("samplers:\n  loadavg: {interval: §-1s}\n" + STORES, ["-1s"]),
	("samplers:\n  loadavg: {interval: §5ms}\n" + STORES, ["out of range: 10ms to 7d"]),
	("samplers:\n  loadavg: {interval: §8d}\n" + STORES, ["out of range: 10ms to 7d"]),
	("samplers:\n  loadavg: {interval: §ten}\n" + STORES, ["'ten' is no duration"]),
	("samplers:\n  loadavg: {interval: §10 sec}\n" + STORES, ["10 sec"]),
	("samplers:\n  loadavg: {interval: §[1s]}\n" + STORES, ["expected a single value, found a list"]),
	("samplers:\n  loadavg: {interval: §{a: 1s}}\n" + STORES, ["expected a single value, found a mapping"]),
	("samplers:\n  loadavg: {interval: 1s, offset: §1s}\n" + STORES, ["the offset must be less than the interval"]),
	("samplers:\n  loadavg: {interval: 1s, timeout: §1ms}\n" + STORES, ["out of range"]),
	(SAMPLERS + "stores:\n  files: {plugin: csv, path: /x, rotate_size: §500}\n", ["'500' needs a unit (500MiB? 500MB?)"]),
	(SAMPLERS + "stores:\n  files: {plugin: csv, path: /x, rotate_size: §1B}\n", ["out of range"]),
	(SAMPLERS + "stores:\n  files: {plugin: csv, path: /x, queue: §1KiB}\n", ["out of range"]),
	(SAMPLERS + "stores:\n  files: {plugin: csv, path: /x, flush: §1}\n", ["'1' needs a unit"]),
	(SAMPLERS + "stores:\n  files: {plugin: csv, path: /x, sync: §often}\n", ["'often' is not always, never or a duration"]),
	("stop_timeout: §1ms\n" + BOTH, ["out of range"]),
	# words and numbers
	("samplers:\n  loadavg: {isolate: §maybe}\n" + STORES, ["maybe"]),
	("samplers:\n  cpu: {clock_tick: §many}\n" + STORES, ["many"]),
	("samplers:\n  cpu: {clock_tick: §0}\n" + STORES, ["out of range: 1 to 1000000"]),
	("samplers:\n  cpu: {clock_tick: §1.5}\n" + STORES, ["1.5"]),
	("samplers:\n  cpu: {clock_tick: §99999999999999999999}\n" + STORES, ["99999999999999999999"]),
	("samplers:\n  kernel: {locks: §1}\n" + STORES, ["'1'"]),
	(SAMPLERS + "stores:\n  files: {plugin: csv, path: /x, compress: §zstdd}\n", ["'zstdd' is not one of: none, zstd, gz (did you mean 'zstd'?)"]),
	("log: {level: §loud}\n" + BOTH, ["'loud' is not one of"]),
	("host_name: §long\n" + BOTH, ["'long' is not one of: short, full"]),
	("http: §8080\n" + BOTH, ["'8080' is not HOST:PORT"]),
	("http: §127.0.0.1:99999\n" + BOTH, ["is not HOST:PORT"]),
	("expect: §\"n[001-\"\n" + BOTH, ["n[001-"]),
	("cluster: §[a, b]\n" + BOTH, ["expected a single value, found a list"]),
	("cluster: §{a: b}\n" + BOTH, ["expected a single value, found a mapping"]),
	# instances
	("samplers:\n  §lodavg:\n" + STORES, ["no such sampler: 'lodavg' (did you mean 'loadavg'?)"]),
	("samplers:\n  fast: {plugin: §cpuu, interval: 1s}\n" + STORES, ["no such sampler: 'cpuu' (did you mean 'cpu'?)"]),
	("samplers:\n  §csv:\n" + STORES, ["no such sampler: 'csv' is a store"]),
	(SAMPLERS + "stores:\n  §loadavgs: {path: /x}\n", ["no such store: 'loadavgs'"]),
	(SAMPLERS + "stores:\n  §csv:\n", ["store 'csv' needs the option 'path'"]),
	(SAMPLERS + "stores:\n  §files: {plugin: csv}\n", ["store 'csv' needs the option 'path'"]),
	(SAMPLERS + "stores:\n  §db:\n    plugin: sqlite\n    flush: 1s\n", ["store 'sqlite' needs the option 'path'"]),
	("samplers:\n  cpu:\nstores:\n  §cpu: {plugin: csv, path: /x}\n", ["'cpu' is the name of a sampler already|"]),
	("samplers:\n  §Loadavg:\n" + STORES, ["is no name for an instance"]),
	("samplers:\n  §weir_x: {plugin: cpu}\n" + STORES, ["Weir's own"]),
	("samplers:\n  §my-cpu: {plugin: cpu}\n" + STORES, ["is no name for an instance"]),
	("samplers:\n  loadavg: §10s\n" + STORES, ["expected 'key: value' pairs, found '10s'"]),
	("samplers: §[loadavg]\n" + STORES, ["expected 'key: value' pairs, found a list"]),
	("samplers:\n  loadavg: {plugin: §[cpu]}\n" + STORES, ["expected a single value"]),
	("§" + SAMPLERS, ["nothing to run: no sink"]),
	("§" + STORES, ["nothing to run: no source"]),
	("§kafka: {out: {brokers: b}}\n" + BOTH, ["comes with a later one"]),
	("§parsers: {sge: {from: {files: /x}}}\n" + BOTH, ["comes with a later one"]),
	("§match: {host: a}\n" + BOTH, ["match"]),
	# routes
	(BOTH + "routes:\n  - {from: [§loadav], to: [files]}\n", ["no source is named 'loadav'|did you mean 'loadavg'?"]),
	(BOTH + "routes:\n  - {from: [loadavg], to: [§fils]}\n", ["no sink is named 'fils'|did you mean 'files'?"]),
	(BOTH + "routes:\n  - {from: [§files], to: [files]}\n", ["no source is named 'files'|'files' is a store"]),
	(BOTH + "routes:\n  - {from: [loadavg], to: [§loadavg]}\n", ["no sink is named 'loadavg'|'loadavg' is a sampler"]),
	(BOTH + "routes:\n  - §{from: [loadavg]}\n", ["a route needs 'to'"]),
	(BOTH + "routes: §{to: files}\n", ["expected a list, found a mapping"]),
	(BOTH + "routes:\n  - §files\n", ["expected 'key: value' pairs"]),
	(BOTH + "routes:\n  - {to: files, hosts: §\"n[1-\"}\n", ["n[1-"]),
	(BOTH + "routes:\n  - {to: files, hosts: §[a]}\n", ["expected a single value"]),
	(BOTH + "routes:\n  - {to: files, columns: {loadavg: [§load_2]}}\n", ["schema 'loadavg' has no column 'load_2'|did you mean 'load_"]),
	# syntax
	("cluster: §'open\n" + BOTH, ["this quote (') is never closed"]),
	("cluster: §\"open\n" + BOTH, ["this quote (\") is never closed"]),
	(BOTH + "plugins: §[a, b\n", ["this '[' is never closed"]),
	(BOTH + "log: §{level: info\n", ["this '{' is never closed"]),
	("samplers:\n§\tloadavg:\n" + STORES, ["tab"]),
	("samplers:\n  loadavg: {interval: §!!int 10}\n" + STORES, ["tag"]),
	(BOTH + "§---\ncluster: b\n", ["document"]),
	("samplers:\n  loadavg: §interval:10s\n" + STORES, ["|write 'interval: 10s', with a blank after the colon"]),
	("cluster: §*nothing\n" + BOTH, ["nothing"]),
	("cluster: §${env:WEIR_NOT_SET}\n" + BOTH, ["WEIR_NOT_SET"]),
	("cluster: §'${env:X'\n" + BOTH, ["'${env:X' is not closed"]),
	("cluster: §${what:x}\n" + BOTH, ["what"]),
	("cluster: §${file:/nonexistent/secret}\n" + BOTH, ["/nonexistent/secret"]),
	("cluster: größe§\u0007\n" + BOTH, ["control character 0x07 is not allowed"]),
	# characters count, not bytes
	("cluster: größe # gruß\nsamplers: {\"loadavg\": {root: \"/größe\", interval: §5}}\n" + STORES, ["'5' needs a unit"]),
	# several at once, in the order of lines
	("§clustr: x\nsamplers:\n  loadavg: {interval: §5}\n  §cpuu:\nstores:\n  §csv:\nhttp: §1\n",
		["no such key", "needs a unit", "no such sampler", "needs the option 'path'", "is not HOST:PORT"]),
]


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_fault_at_its_place(tmp_path, number):
	text, messages = BROKEN[number]
	clean, places = marked(text)
	(tmp_path / "weir.yaml").write_text(clean)
	run = weir("config", "check", "weir.yaml", cwd=tmp_path)
	found = faults(run.stderr)
	assert [fault[:2] for fault in found] == places, run.stderr
	for (_, _, said), expected in zip(found, messages):
		message, _, hint = expected.partition("|")
		assert message in said, run.stderr
		assert hint in run.stderr, run.stderr
	assert run.returncode == 78
	assert run.stdout == ""
	# The line and a caret below it.
	line, column = places[0]
	printed = f"{line:5} | {clean.splitlines()[line - 1]}".replace("\t", " ").replace("\u0007", "?")
	assert printed in run.stderr.splitlines(), run.stderr
	caret = run.stderr.splitlines()[run.stderr.splitlines().index(printed) + 1]
	assert caret.index("^") == 8 + column - 1


def test_enough_broken_files():
	assert len(BROKEN) >= 70


GOOD = [
	BOTH,
	"\ufeff" + BOTH,
	BOTH.replace("\n", "\r\n"),
	"cluster: no\n" + BOTH,
	"samplers:\n  loadavg: {isolate: on}\n" + STORES,
	"samplers:\n  a: &x {plugin: cpu, interval: 1s}\n  b: *x\n" + STORES,
	"samplers:\n  a: &x {plugin: cpu, interval: 1s}\n  b: {<<: *x, interval: 2s}\n" + STORES,
	BOTH + "routes:\n  - {from: [loadavg, weir], to: files}\n",
	"cluster: ${env:WEIR_NOT_SET:-text}\n" + BOTH,
	"samplers:\n  disk: {include: sda}\n" + STORES,
	"samplers:\n  disk: {include: [sda, 'nvme*']}\n" + STORES,
]


@pytest.mark.parametrize("number", range(len(GOOD)))
def test_good(tmp_path, number):
	(tmp_path / "weir.yaml").write_bytes(GOOD[number].encode())
	run = weir("config", "check", tmp_path)
	assert (run.returncode, run.stderr) == (0, "")
	assert re.fullmatch(r"OK: \d+ samplers?, 1 store, (no routes: every source to every store|1 route) \(1 file read\)\n", run.stdout)


def plugins():
	lines = weir("plugin", "list", "--format", "json").stdout.splitlines()
	return [(p["kind"], p["name"]) for p in map(json.loads, lines) if p["path"]]


def misspelt(word):
	"""One slip of the hand."""
	middle = len(word) // 2
	return word[:middle] + word[middle + 1:] if len(word) > 3 else word + word[-1]


def test_every_option_misspelt(tmp_path):
	"""By machine: each option of each plugin once."""
	tried = right = 0
	for kind, name in plugins():
		options = json.loads(weir("plugin", "describe", kind, name, "--format", "json").stdout)["options"]
		names = {option["name"] for option in options}
		wrong = {misspelt(option): option for option in sorted(names) if misspelt(option) not in names}
		lines = "".join(f"    {word}: x\n" for word in wrong)
		section = {"sampler": "samplers", "store": "stores", "parser": "parsers"}[kind]
		other = STORES if kind == "sampler" else SAMPLERS
		(tmp_path / "weir.yaml").write_text(f"{section}:\n  x:\n    plugin: {name}\n{lines}{other}")
		run = weir("config", "check", tmp_path / "weir.yaml")
		assert run.returncode == 78
		for number, (word, option) in enumerate(wrong.items()):
			place = f"{tmp_path}/weir.yaml:{4 + number}:5: error: {section}.x.{word}: no such option of {kind} '{name}'"
			assert place in run.stderr, run.stderr
			block = run.stderr.split(place)[1].split("error:")[0]
			tried += 1
			right += f"did you mean '{option}'?" in block
	assert tried > 100
	assert right >= 0.9 * tried, f"{right} of {tried}"


def test_all_faults_of_all_files(tmp_path):
	(tmp_path / "conf.d").mkdir()
	(tmp_path / "weir.yaml").write_text("clustr: x\n" + BOTH)
	(tmp_path / "conf.d/10-a.yaml").write_text("samplers:\n  loadavg: {interval: 5}\n")
	(tmp_path / "conf.d/20-b.yaml").write_text("samplers:\n  cpuu:\nstores:\n  files: {compress: lz}\n")
	(tmp_path / "conf.d/ignored.yaml~").write_text("clustr: x\n")
	run = weir("config", "check", tmp_path)
	assert run.returncode == 78
	names = [Path(m["file"]).name + f":{m['line']}:{m['column']}" for m in FAULT.finditer(run.stderr)]
	assert names == ["weir.yaml:1:1", "10-a.yaml:2:23", "20-b.yaml:2:3", "20-b.yaml:4:21"]
	assert run.stderr.splitlines()[-1] == "4 errors in 3 files"
	assert f"{tmp_path}/conf.d/10-a.yaml:2:23: error: samplers.loadavg.interval: " in run.stderr


def test_drop_ins_merge_in_order(tmp_path):
	(tmp_path / "conf.d").mkdir()
	(tmp_path / "weir.yaml").write_text("samplers:\n  loadavg: {interval: 1s, offset: 10ms}\n" + STORES)
	(tmp_path / "conf.d/20.yaml").write_text("samplers: {loadavg: {interval: 20s}}\n")
	(tmp_path / "conf.d/10.yaml").write_text("samplers: {loadavg: {interval: 10s}, cpu: }\n")
	shown = weir("config", "show", tmp_path / "weir.yaml")
	assert shown.returncode == 0
	assert re.search(r"^    interval: 20s # .*/conf\.d/20\.yaml:1$", shown.stdout, re.M)
	assert re.search(r"^    offset: 10ms # .*/weir\.yaml:2$", shown.stdout, re.M)
	assert weir("config", "check", tmp_path).stdout == "OK: 2 samplers, 1 store, no routes: every source to every store (3 files read)\n"


@pytest.mark.parametrize("host,interval,status", [("gpu007", "1s", 0), ("gpu129", "10s", 0), ("bad1", None, 78)])
def test_match_as_if_on_a_host(tmp_path, host, interval, status):
	(tmp_path / "conf.d").mkdir()
	(tmp_path / "weir.yaml").write_text(BOTH)
	(tmp_path / "conf.d/gpu.yaml").write_text("match: {host: \"gpu[001-128]\"}\nsamplers: {loadavg: {interval: 1s}}\n")
	(tmp_path / "conf.d/bad.yaml").write_text("match: {host: bad1}\nsamplers: {loadavg: {interval: 1}}\n")
	(tmp_path / "conf.d/never.yaml").write_text("match: {host: \"gpu[001-999]\", exists: /nonexistent}\nsamplers: {cpuu: }\n")
	assert weir("config", "check", tmp_path, "--host", host).returncode == status
	shown = weir("config", "show", tmp_path, "--host", host)
	assert shown.returncode == status
	if interval:
		assert f"\n    interval: {interval} # " in shown.stdout
		assert f"\nhost: {host} # --host\n" in shown.stdout
	else:
		assert shown.stdout == ""


def test_source_in_no_route_is_a_warning(tmp_path):
	(tmp_path / "weir.yaml").write_text("samplers:\n  loadavg:\n  cpu:\n" + STORES + "routes:\n  - {from: [cpu], to: [files]}\n")
	run = weir("config", "check", tmp_path / "weir.yaml")
	assert run.returncode == 0
	assert faults(run.stderr) == []
	assert [w[:2] for w in faults(run.stderr, "warning")] == [(2, 3)]
	assert "no route" in run.stderr
	assert run.stdout.startswith("OK: 2 samplers, 1 store, 1 route (1 file")


def test_formats(tmp_path):
	(tmp_path / "weir.yaml").write_text("clustr: \"ü\"\nsamplers:\n  loadavg: {interval: 5}\n" + STORES)
	run = weir("config", "check", "weir.yaml", "--format", "gcc", cwd=tmp_path)
	assert run.returncode == 78
	assert run.stderr.splitlines() == [
		"weir.yaml:1:1: error: clustr: no such key",
		"weir.yaml:3:23: error: samplers.loadavg.interval: '5' needs a unit (5ms? 5s?)"]
	run = weir("config", "check", "--format=json", "weir.yaml", cwd=tmp_path)
	assert (run.returncode, run.stderr) == (78, "")
	first, second, summary = map(json.loads, run.stdout.splitlines())
	assert first == {
		"file": "weir.yaml", "line": 1, "column": 1, "severity": "error", "where": "clustr", "text": "no such key",
		"hints": ["did you mean 'cluster'?"]}
	assert (second["line"], second["column"], second["where"]) == (3, 23, "samplers.loadavg.interval")
	assert summary == {"errors": 2, "warnings": 0, "files": 1, "samplers": 1, "stores": 1, "routes": 0}


def test_missing_file(tmp_path):
	for action in ("check", "show", "drop-in"):
		for path in (tmp_path / "nothing.yaml", tmp_path):
			run = weir("config", action, path)
			assert run.returncode == 66
			assert str(path) in run.stderr
			assert run.stdout == ""


def test_usage():
	for arguments in ([], ["chek"], ["check", "a", "b"], ["check", "--format", "xml"], ["show", "--format", "json"], ["init"],
		["init", "server"], ["check", "--nothing"]):
		run = weir("config", *arguments)
		assert run.returncode == 64, arguments
		assert "usage: weir config" in run.stderr
	assert "did you mean 'check'?" in weir("config", "chek").stderr


def test_secrets_are_masked(tmp_path):
	secret = tmp_path / "secret"
	secret.write_text("planted-secret\n")
	secret.chmod(0o600)
	(tmp_path / "cred").mkdir(mode=0o700)
	(tmp_path / "cred/one").write_text("planted-credential")
	(tmp_path / "weir.yaml").write_text(
		f"cluster: \"${{file:{secret}}}\"\nhost: \"${{cred:one}}\"\nstate: \"${{env:WEIR_STATE}}\"\n" + BOTH)
	run = weir("config", "show", tmp_path, CREDENTIALS_DIRECTORY=str(tmp_path / "cred"), WEIR_STATE="/from/environment")
	assert run.returncode == 0, run.stderr
	assert "planted" not in run.stdout + run.stderr
	assert re.search(r"^cluster: '\*\*\*' # .*weir\.yaml:1$", run.stdout, re.M)
	assert re.search(r"^host: '\*\*\*' # .*weir\.yaml:2$", run.stdout, re.M)
	assert "\ncontrol: /from/environment/control.sock # default\n" in run.stdout
	(tmp_path / "weir.yaml").write_text(f"state: \"${{file:{secret}}}\"\n" + BOTH)
	assert "planted" not in weir("config", "show", tmp_path).stdout
	assert re.search(r"^state: '?/from/environment'? # .*weir\.yaml:3$", run.stdout, re.M)


def without_origins(text):
	return re.sub(r" # (default|\S+:\d+)$", "", text, flags=re.M)


def test_show_keeps_spelling_and_meaning(tmp_path):
	(tmp_path / "weir.yaml").write_text(
		"cluster: no\nsamplers:\n  fast: {plugin: cpu, interval: 0.5s}\n  netdev: {exclude: [lo, 'a b', '*x']}\n  disk: {include: }\n"
		"  kernel: {locks: off}\nstores:\n  files: {plugin: csv, path: '/x y/#z', rotate_size: 1GiB}\n"
		"routes:\n  - {from: [fast], to: [files], schemas: ['cpu*', '!cpu']}\n  - {from: [netdev, disk, kernel], to: files, hosts: 'n[1-2]'}\n")
	shown = weir("config", "show", tmp_path / "weir.yaml")
	assert shown.returncode == 0
	for line in ("cluster: no # ", "    interval: 0.5s # ", "    locks: off # ", "    rotate_size: 1GiB # ", "    rotate_every: 1d # default",
		"    plugin: netdev # default", "    interval: 10s # default", "stop_timeout: 10s # default"):
		assert f"\n{line}" in f"\n{shown.stdout}", line
	again = tmp_path / "again.yaml"
	again.write_text(shown.stdout)
	assert weir("config", "check", again).returncode == 0
	assert without_origins(weir("config", "show", again).stdout) == without_origins(shown.stdout)
	# Every option of every plugin has a line, or no default.
	for kind, name in (("sampler", "cpu"), ("sampler", "netdev"), ("store", "csv")):
		for option in json.loads(weir("plugin", "describe", kind, name, "--format", "json").stdout)["options"]:
			assert f"    {option['name']}:" in shown.stdout or option["default"] is None


@pytest.mark.parametrize("kind", ["agent", "aggregator", "laptop"])
def test_init_is_accepted(tmp_path, kind):
	run = weir("config", "init", kind)
	assert run.returncode == 0
	(tmp_path / "weir.yaml").write_text(run.stdout)
	check = weir("config", "check", tmp_path / "weir.yaml")
	assert (check.returncode, check.stderr) == (0, "")
	# Every option is there, and what is commented out may be taken in as it stands.
	for plugin in ("cpu", "filesystem", "host"):
		for option in json.loads(weir("plugin", "describe", plugin, "--format", "json").stdout)["options"]:
			assert re.search(rf"^ *#?{option['name']}: ", run.stdout, re.M), option
	lines = run.stdout.splitlines()
	taken = 0
	for number, line in enumerate(lines):
		if re.match(r"#[a-z_]+: ", line) or (number > lines.index("samplers:") and re.match(r" +#[a-z_]+: ", line)):
			taken += 1
			(tmp_path / "taken.yaml").write_text("\n".join([*lines[:number], line.replace("#", "", 1), *lines[number + 1:]]) + "\n")
			check = weir("config", "check", tmp_path / "taken.yaml")
			assert check.returncode == 0, check.stderr
	assert taken > 20


def test_laptop_and_agent():
	laptop = weir("config", "init", "laptop").stdout
	for line in ("state: ./var", "control: ./var/control.sock", "    path: ./var/weir.db", "    interval: 1s"):
		assert f"\n{line}\n" in laptop
	agent = weir("config", "init", "agent").stdout
	for line in ("    path: /var/lib/weir/csv", "    interval: 10s"):
		assert f"\n{line}\n" in agent
	assert "Kafka" in weir("config", "init", "aggregator").stdout


def test_drop_in(tmp_path):
	(tmp_path / "weir.yaml").write_text(
		"state: /srv/state\nhttp: 127.0.0.1:9464\nsamplers:\n  netdev:\n  loadavg:\nstores:\n"
		"  files: {plugin: csv, path: /srv/csv/}\n  db: {plugin: sqlite, path: /srv/db/weir.db}\n")
	run = weir("config", "drop-in", tmp_path / "weir.yaml")
	assert run.returncode == 0
	lines = run.stdout.splitlines()
	assert "[Service]" in lines
	assert "RestrictAddressFamilies=AF_UNIX AF_NETLINK AF_INET AF_INET6" in lines
	assert "ReadWritePaths=-/srv/state -/srv/csv -/srv/db" in lines
	assert "CapabilityBoundingSet=" in lines and "AmbientCapabilities=" in lines
	(tmp_path / "weir.yaml").write_text("samplers:\n  loadavg:\nstores:\n  files: {plugin: csv, path: /srv/csv}\n")
	assert "RestrictAddressFamilies=AF_UNIX\n" in weir("config", "drop-in", tmp_path / "weir.yaml").stdout
	if ("sampler", "perf") in plugins():
		(tmp_path / "weir.yaml").write_text("samplers:\n  perf:\nstores:\n  files: {plugin: csv, path: /srv/csv}\n")
		lines = weir("config", "drop-in", tmp_path / "weir.yaml").stdout.splitlines()
		assert "AmbientCapabilities=CAP_PERFMON" in lines and "CapabilityBoundingSet=CAP_PERFMON" in lines


def entries(folder):
	return sorted((str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in folder.rglob("*"))


def test_nothing_is_written(tmp_path):
	for name in ("absent-store", "absent-state"):
		assert not (tmp_path / name).exists()
	(tmp_path / "weir.yaml").write_text(
		f"state: {tmp_path}/absent-state\nlog: {{target: {tmp_path}/absent.log}}\n{SAMPLERS}stores:\n"
		f"  files: {{plugin: csv, path: {tmp_path}/absent-store}}\n  db: {{plugin: sqlite, path: {tmp_path}/absent.db}}\n")
	before = entries(tmp_path)
	for arguments in (["check"], ["show"], ["drop-in"]):
		assert weir("config", *arguments, tmp_path / "weir.yaml", cwd=tmp_path).returncode == 0
	assert entries(tmp_path) == before
