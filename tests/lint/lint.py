#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules of the sources that a compiler does not know.

	tests/lint/lint.py --build DIR [--root DIR] [RULE...]

Each rule is a function that yields findings and counts what it looked at; a rule that looked at nothing fails. The last line is
`N passed, N failed, N skipped`, of rules. tests/lint/test_lint.py plants a violation of each.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

LAYERS = ["base", "data", "config", "plugin", "wire", "flow", "kafka", "cli"]
KINDS = ["samplers", "parsers", "stores"]
COLUMNS = 100
TAB = 4
LOADAVG_LINES = 40
SHOWN = 30
BANNED = ["strcpy", "strcat", "sprintf", "vsprintf", "gets", "atoi", "atol", "strtok", "system", "popen"]
# Headers of the C library and the kernel; all others are of third parties.
SYSTEM_FOLDERS = ("arpa", "asm", "linux", "net", "netinet", "netpacket", "scsi", "sys")
SYSTEM = set("""
assert byteswap complex ctype dirent dlfcn elf endian errno error execinfo fcntl features fenv float fnmatch ftw getopt glob
grp gshadow iconv ifaddrs inttypes iso646 langinfo libgen limits link locale malloc math mntent netdb poll pthread pty pwd
regex sched search semaphore setjmp shadow signal spawn stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib
stdnoreturn string strings sysexits syslog termios tgmath threads time uchar unistd utime utmp utmpx wchar wctype immintrin
cpuid x86intrin nmmintrin arm_neon arm_acle""".split())
# What may be written to at run time although the rule says no: (file, symbol): why.
WRITABLE = {}
# Symbols that the linker adds to a program with --export-dynamic.
LINKER_SYMBOLS = {
	"_IO_stdin_used", "__bss_start", "__data_start", "_edata", "_end", "_fini", "_init", "_start", "data_start", "main",
	"__libc_csu_init", "__libc_csu_fini", "__dso_handle", "__TMC_END__",
}
# Spelled in parts, else this file would break its own rule.
WORKPLACE = ["clau" + "de", "help" + "er-", "sub" + "agent", "/wor" + "k/main", "/wor" + "k/shared", "/wor" + "k/brief"]


class Tree:
	def __init__(self, root, build):
		self.root = root
		self.build = build

	def files(self, folders, suffixes):
		found = []
		for folder in folders:
			found += [path for path in (self.root / folder).rglob("*") if path.suffix in suffixes and path.is_file()]
		return sorted(found)

	def sources(self):
		return self.files(["core", "plugins", "portal"], {".c", ".h"})

	def all_text(self):
		"""Every file that belongs to the project: what git knows or would add, else all but results."""
		listing = subprocess.run(
			["git", "-C", self.root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
			capture_output=True, check=False)
		if listing.returncode == 0 and listing.stdout and (self.root / ".git").exists():
			paths = [self.root / name for name in listing.stdout.decode().split("\0") if name]
		else:
			paths = [
				path for path in self.root.rglob("*")
				if not re.match(r"(build|var|\.git)([-/]|$)", str(path.relative_to(self.root)))]
		for path in sorted(paths):
			if path.is_file() and not path.is_symlink():
				data = path.read_bytes()
				if b"\0" not in data[:8000]:
					yield path, data.decode(errors="replace")

	def name(self, path):
		return str(path.relative_to(self.root))


def blank(match):
	return re.sub(r"[^\n]", " ", match[0])


def without_comments(text):
	"""Code alone; comments become blanks, strings become empty, lines keep their numbers."""
	pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
	return re.sub(pattern, lambda m: blank(m) if m[0][0] == "/" else m[0][0] * 2, text, flags=re.S)


def includes(path):
	# Comments only: the names of quoted headers are strings.
	text = re.sub(r"/\*.*?\*/|//[^\n]*", blank, path.read_text(errors="replace"), flags=re.S)
	for number, line in enumerate(text.split("\n"), 1):
		match = re.match(r"\s*#\s*include\s*([<\"])([^>\"]+)[>\"]", line)
		if match:
			yield number, match[1] == "<", match[2]


def is_third_party(header):
	if "/" in header:
		return header.split("/")[0] not in SYSTEM_FOLDERS + ("weir",)
	return header.removesuffix(".h") not in SYSTEM


def rule_layers(tree, seen):
	"""A file of core includes its own layer and lower ones."""
	for path in tree.files(["core"], {".c", ".h"}):
		parts = path.relative_to(tree.root / "core").parts
		seen()
		if parts[0] == "include":
			for number, angle, header in includes(path):
				if not angle or is_third_party(header):
					yield f"{tree.name(path)}:{number}: the contract includes only <weir/...> and the C library, not '{header}'"
			continue
		if parts[0] not in LAYERS:
			yield f"{tree.name(path)}: '{parts[0]}' is no layer"
			continue
		for number, angle, header in includes(path):
			if angle:
				continue
			layer = header.split("/")[0] if "/" in header else parts[0]
			if layer not in LAYERS or "/../" in header:
				yield f"{tree.name(path)}:{number}: '{header}' is in no layer of core"
			elif LAYERS.index(layer) > LAYERS.index(parts[0]):
				yield f"{tree.name(path)}:{number}: '{parts[0]}' includes the higher layer '{layer}'"


def rule_plugin_includes(tree, seen):
	"""A plugin includes <weir/...>, system, third-party and its own headers, nothing else of core or of another plugin."""
	for path in tree.files(["plugins"], {".c", ".h"}):
		seen()
		for number, angle, header in includes(path):
			if angle:
				if header.startswith(tuple(layer + "/" for layer in LAYERS)):
					yield f"{tree.name(path)}:{number}: '{header}' is internal to core"
				continue
			target = (path.parent / header).resolve()
			kind, own = path.relative_to(tree.root / "plugins").parts[:2]
			allowed = [tree.root / "plugins" / kind / own, tree.root / "plugins" / kind / "common", tree.root / "plugins/common"]
			if not target.exists() or not any(folder in target.parents for folder in allowed):
				yield f"{tree.name(path)}:{number}: '{header}' is not of this plugin"


def rule_third_party(tree, seen):
	"""A third party's headers appear in at most one folder of core."""
	where = {}
	for path in tree.files(["core"], {".c", ".h"}):
		seen()
		folder = path.relative_to(tree.root / "core").parts[0]
		for _, angle, header in includes(path):
			if angle and is_third_party(header):
				where.setdefault(header.split("/")[0], {}).setdefault(folder, tree.name(path))
	for library, folders in sorted(where.items()):
		if len(folders) > 1:
			yield f"<{library}> is included in {len(folders)} folders of core: {', '.join(sorted(folders.values()))}"


def nm(path, *options):
	text = subprocess.run(["nm", *options, path], capture_output=True, text=True, check=True).stdout
	return [line.split() for line in text.splitlines()]


def rule_exports(tree, seen):
	"""A plugin exports weir_plugin alone and needs of the program only what it exports; the program exports weir_* alone."""
	program = tree.build / "weir"
	if not program.exists():
		yield f"{program} is not built"
		return
	# With a version: a variable of the C library that the program has a copy of (stdout).
	exported = {fields[-1] for fields in nm(program, "-D", "--defined-only") if "@" not in fields[-1]}
	for symbol in sorted(exported - LINKER_SYMBOLS):
		if not symbol.startswith("weir_"):
			yield f"the program exports '{symbol}'"
	for plugin in sorted((tree.build / "plugins").glob("*/*.so")):
		seen()
		name = plugin.relative_to(tree.build)
		symbols = sorted(fields[-1] for fields in nm(plugin, "-D", "--defined-only"))
		if symbols != ["weir_plugin"]:
			yield f"{name} exports {' '.join(symbols) or 'nothing'} instead of weir_plugin alone"
		for fields in nm(plugin, "-D", "--undefined-only"):
			if fields[-1].startswith("weir_") and fields[-1] not in exported:
				yield f"{name} needs '{fields[-1]}', which the program does not export"


def rule_state(tree, seen):
	"""No object of core or of a plugin has data that can be written: two instances of anything live in one process."""
	for path in sorted((tree.build / "obj").glob("core/**/*.o")) + sorted((tree.build / "obj").glob("plugins/**/*.o")):
		source = str(path.relative_to(tree.build / "obj").with_suffix(".c"))
		if not (tree.root / source).exists():
			continue
		seen()
		text = subprocess.run(["objdump", "-t", path], capture_output=True, text=True, check=True).stdout
		for line in text.splitlines():
			match = re.match(r"[0-9a-f]+ .{7} (\S+)\s+([0-9a-f]+)\s+(?:\.\w+ )?(\S+)$", line)
			if not match or int(match[2], 16) == 0:
				continue
			section, symbol = match[1], re.sub(r"\.\d+$", "", match[3])
			if re.match(r"(\.data(?!\.rel\.ro)|\.bss|\.tdata|\.tbss|\*COM\*)", section) and (source, symbol) not in WRITABLE:
				yield f"{source}: '{symbol}' is writable static data ({section})"


def rule_banned(tree, seen):
	"""No call that cannot be used safely, and no shell."""
	pattern = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
	for path in tree.sources():
		seen()
		for number, line in enumerate(without_comments(path.read_text(errors="replace")).split("\n"), 1):
			for match in pattern.finditer(line):
				yield f"{tree.name(path)}:{number}: {match[1]} is banned"


def code_files(tree):
	for path, text in tree.all_text():
		if path.suffix in (".c", ".h", ".py", ".sh", ".js", ".css", ".proto") or text.startswith("#!") or path.name == "Makefile":
			if "/corpus/" not in str(path) and "/in/" not in str(path):
				yield path, text


def rule_licence(tree, seen):
	"""The first line (the second behind #!) names the licence."""
	for path, text in code_files(tree):
		seen()
		lines = text.split("\n")
		line = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0]
		if "SPDX-License-Identifier: Apache-2.0" not in line:
			yield f"{tree.name(path)}:1: no SPDX line"


def rule_columns(tree, seen):
	"""Lines of C fit 100 columns, a tab being 4."""
	for path in tree.sources() + tree.files(["tests"], {".c", ".h"}):
		seen()
		for number, line in enumerate(path.read_text(errors="replace").split("\n"), 1):
			width = len(line.expandtabs(TAB))
			if width > COLUMNS:
				yield f"{tree.name(path)}:{number}: {width} columns"


def rule_words(tree, seen):
	"""The project speaks of itself alone, and leaves no work in comments."""
	for path, text in tree.all_text():
		seen()
		low = text.lower()
		for word in WORKPLACE:
			# As a word of its own: debhelper-compat is another.
			match = re.search(r"(?<![a-z])" + word, low)
			if match:
				yield f"{tree.name(path)}:{low[:match.start()].count(chr(10)) + 1}: '{word}'"
	marker = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
	for path, text in code_files(tree):
		for number, line in enumerate(text.split("\n"), 1):
			if marker.search(line):
				yield f"{tree.name(path)}:{number}: a note of unfinished work"


def own_lines(text):
	"""Lines of code apart from #include and what stands inside constant tables and the plugin's own constant."""
	lines, table = [], None
	for line in without_comments(text).split("\n"):
		if table:
			table = None if re.search(table, line) else table
			continue
		if not line.strip() or line.startswith("#include"):
			continue
		lines.append(line)
		if re.match(r"(static )?const .*(=\s*\{|\()\s*$", line):
			table = r"^(\}|\)).*;\s*$"
		elif re.match(r"WEIR_PLUGIN\((.*,)?\s*$", line):
			table = r"\);\s*$"
	return lines


def rule_loadavg(tree, seen):
	"""The model sampler shows what one costs: at most 40 lines of one's own."""
	path = tree.root / "plugins/samplers/loadavg.c"
	if path.exists():
		seen()
		n = len(own_lines(path.read_text()))
		if n > LOADAVG_LINES:
			yield f"{tree.name(path)}: {n} lines of code apart from its tables, at most {LOADAVG_LINES}"


def rule_packages(tree, seen):
	"""A library that a plugin or a test needs is in the list that `make deps` installs."""
	listed = {
		line.split()[0] for line in (tree.root / "packaging/debian-packages.txt").read_text().splitlines()
		if line and line[0] != "#"}
	with tempfile.TemporaryDirectory() as folder:
		# With neither compiler nor pkg-config everything is missing, so all needs are named.
		subprocess.run(
			["scripts/needs.sh", folder, "core", "plugins", "tests"], cwd=tree.root, check=True,
			env={**os.environ, "CC": "false", "PKG_CONFIG": "false", "CORE_NEEDS": "", "CORE_USES": ""})
		named = [line.split("\t") for line in (Path(folder) / "skipped.txt").read_text().splitlines()]
		for line in (Path(folder) / "needs.mk").read_text().splitlines():
			match = re.match(r"\w+_SKIPPED \+= ([^:]+):(.*),$", line)
			if match:
				named.append([match[1], match[2].replace(",", " ")])
	for who, packages in named:
		for package in packages.split():
			seen()
			if package not in listed:
				yield f"'{who}' needs the package '{package}', which packaging/debian-packages.txt does not list"


def rule_scripts(tree, seen):
	"""Shell scripts parse, scripts with #! can be executed."""
	for path, text in code_files(tree):
		if text.startswith("#!"):
			seen()
			if not os.access(path, os.X_OK):
				yield f"{tree.name(path)}: has a #! line but is not executable"
			if re.match(r"#!.*\bsh\b", text) and subprocess.run(["sh", "-n", path], check=False).returncode != 0:
				yield f"{tree.name(path)}: does not parse"


def compile_flags(tree):
	flags = ["-std=gnu11", "-D_GNU_SOURCE", "-I" + str(tree.root / "core/include")]
	return flags, ["-I" + str(tree.root / "core")]


class Skip(Exception):
	pass


def rule_clang_tidy(tree, seen):
	"""clang-tidy with .clang-tidy, where it is installed."""
	tool = shutil.which("clang-tidy")
	if not tool:
		raise Skip("clang-tidy is not installed")
	both, core = compile_flags(tree)
	files = [path for path in tree.sources() if path.suffix == ".c"]
	# A file whose third-party header is not here is not compiled either.
	built = [path for path in files if (tree.build / "obj" / path.relative_to(tree.root)).with_suffix(".o").exists()]

	def check(path):
		seen()
		extra = core if (tree.root / "core") in path.parents else []
		run = subprocess.run(
			[tool, "--quiet", path, "--", *both, *extra], capture_output=True, text=True, check=False, cwd=tree.root)
		lines = [line for line in run.stdout.splitlines() if re.search(r": (warning|error): ", line)]
		if run.returncode != 0 and not lines:
			lines = [f"{tree.name(path)}: clang-tidy failed: {run.stderr.strip()[-300:]}"]
		return sorted(set(line.replace(str(tree.root) + "/", "") for line in lines))

	with concurrent.futures.ThreadPoolExecutor(2) as pool:
		for lines in pool.map(check, built):
			yield from lines


def rule_cppcheck(tree, seen):
	"""cppcheck, where it is installed."""
	tool = shutil.which("cppcheck")
	if not tool:
		raise Skip("cppcheck is not installed")
	files = [path for path in tree.sources() if path.suffix == ".c"]
	for _ in files:
		seen()
	if not files:
		return
	run = subprocess.run(
		# It does not follow ownership through structs, nor conditions over functions.
		[tool, "-q", "-j2", "--suppress=memleak", "--suppress=nullPointerRedundantCheck", "--enable=warning", "--inline-suppr", "--std=c11", "--error-exitcode=1",
			"--suppress=missingInclude", "--suppress=unknownMacro", "--suppress=missingIncludeSystem",
			"--template={file}:{line}: {id}: {message}", "-I" + str(tree.root / "core"), "-I" + str(tree.root / "core/include"),
			*files],
		capture_output=True, text=True, check=False, cwd=tree.root)
	if run.returncode != 0:
		yield from [
			line.replace(str(tree.root) + "/", "") for line in run.stderr.splitlines() if re.match(r"\S+:\d+: \w+: ", line)
		] or [f"cppcheck failed: {run.stderr.strip()[-300:]}"]


RULES = {name.removeprefix("rule_"): rule for name, rule in list(globals().items()) if name.startswith("rule_")}


def main():
	parser = argparse.ArgumentParser(description="check the rules of the sources")
	parser.add_argument("--build", default=os.environ.get("WEIR_BUILD", "build"), type=Path)
	parser.add_argument("--root", default=Path(__file__).resolve().parent.parent.parent, type=Path)
	parser.add_argument("rules", nargs="*", metavar="RULE", help="default: all of " + " ".join(RULES))
	arguments = parser.parse_args()
	root = arguments.root.resolve()
	tree = Tree(root, (root / arguments.build).resolve())

	passed = failed = skipped = 0
	for name in arguments.rules or RULES:
		count = [0]

		def seen():
			count[0] += 1

		try:
			findings = list(RULES[name](tree, seen))
		except Skip as reason:
			print(f"  skip  {name}: {reason}")
			skipped += 1
			continue
		if not findings and not count[0]:
			findings = ["nothing to look at"]
		print(f"  {'FAIL' if findings else 'ok':4}  {name}  ({count[0]} looked at)")
		for finding in findings[:SHOWN]:
			print(f"        {finding}")
		if len(findings) > SHOWN:
			print(f"        and {len(findings) - SHOWN} more")
		failed += bool(findings)
		passed += not findings
		sys.stdout.flush()
	print(f"{passed} passed, {failed} failed, {skipped} skipped")
	no_skips = os.environ.get("WEIR_NO_SKIPS") == "1" or os.environ.get("CI") == "true"
	return 1 if failed or skipped and no_skips else 0


if __name__ == "__main__":
	sys.exit(main())
