# SPDX-License-Identifier: Apache-2.0
"""What the crash and fault tests share: the shim, plugins built for them, and what stores hold in the end."""
import contextlib
import csv
import ctypes
import ctypes.util
import datetime
import gzip
import io
import mmap
import os
import pathlib
import sqlite3
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from agent import SLOW, WEIR, Agent  # noqa: E402, F401

WRITE, PWRITE, FSYNC, FDATASYNC, OPEN, RENAME, FTRUNCATE, UNLINK = (1 << i for i in range(8))
FORMAT = "=qqIiIIQQ256s"


def compile_shared(out, sources, *flags, sanitize=True):
	san = ["-fsanitize=" + os.environ["SAN"]] if sanitize and os.environ.get("SAN") else []
	subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-shared", "-fPIC",
					"-fvisibility=hidden", f"-I{ROOT}/core/include", *san, *map(str, sources), "-o", str(out), *flags], check=True)
	return out


def pulse(folder):
	return compile_shared(pathlib.Path(folder) / "pulse.so", [ROOT / "tests/crash/pulse.c"])


class Shim:
	"""Faults and clocks of a process that runs with environment()."""

	def __init__(self, folder):
		self.library = compile_shared(pathlib.Path(folder) / "libshim", [ROOT / "tests/crash/shim.c"], "-fvisibility=default",
									  sanitize=False)
		self.path = pathlib.Path(folder) / "shim"
		self.path.write_bytes(bytes(4096))
		with open(self.path, "r+b") as file:
			self.map = mmap.mmap(file.fileno(), 4096)

	def environment(self):
		asan = os.environ.get("ASAN_OPTIONS", "")
		return {"LD_PRELOAD": str(self.library), "WEIR_SHIM": str(self.path),
				"ASAN_OPTIONS": asan + (":" if asan else "") + "verify_asan_link_order=0"}

	def get(self):
		return struct.unpack_from(FORMAT, self.map)

	def clocks(self, wall=0.0, mono=0.0):
		struct.pack_into("=qq", self.map, 0, int(wall * 1e9), int(mono * 1e9))

	def fail(self, operations, error, folder, every=1, shortest=0):
		"""error 0: writes fall short."""
		struct.pack_into("=I", self.map, 16, 0)
		struct.pack_into("=256s", self.map, 48, str(folder).encode())
		struct.pack_into("=iIIQQ", self.map, 20, error, every, shortest, 0, 0)
		struct.pack_into("=I", self.map, 16, operations)

	def heal(self):
		struct.pack_into("=I", self.map, 16, 0)

	def hits(self):
		return self.get()[7]


def unpack(path):
	data = path.read_bytes()
	if path.suffix == ".gz":
		return gzip.decompress(data)
	if path.suffix != ".zst":
		return data
	zstd = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
	size_t = ctypes.c_size_t
	zstd.ZSTD_getFrameContentSize.restype = ctypes.c_ulonglong
	zstd.ZSTD_getFrameContentSize.argtypes = [ctypes.c_char_p, size_t]
	zstd.ZSTD_decompress.restype = size_t
	zstd.ZSTD_decompress.argtypes = [ctypes.c_char_p, size_t, ctypes.c_char_p, size_t]
	size = zstd.ZSTD_getFrameContentSize(data, len(data))
	assert size < 1 << 30, f"{path} is no whole frame"
	out = ctypes.create_string_buffer(max(1, size))
	assert zstd.ZSTD_decompress(out, size, data, len(data)) == size, f"{path} is damaged"
	return out.raw[:size]


def microseconds(text):
	day = datetime.datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=datetime.timezone.utc)
	assert text[19] == "." and text[26:] == "Z", text
	return int(day.timestamp()) * 1000000 + int(text[20:26])


def csv_tables(folder):
	"""{schema: (header, rows)}, every file checked: whole lines, a header, equal field counts."""
	tables = {}
	for path in sorted(pathlib.Path(folder).glob("*/*.csv*")):
		text = unpack(path).decode()
		assert path.suffix != ".tmp", path
		assert text.endswith("\n"), f"{path} ends in a torn row: {text[-80:]!r}"
		rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
		header, rows = rows[0], rows[1:]
		assert header[0] in ("time", "cluster"), f"{path} has no header: {header}"
		assert all(len(row) == len(header) for row in rows), f"{path} has rows of other lengths than {len(header)}"
		known, all_rows = tables.setdefault(path.parent.name, (header, []))
		assert known == header, f"{path} has another header"
		all_rows += rows
	return tables


def sqlite_tables(path):
	"""{schema: (header, rows)} as the views and tables of that name show it; the file is whole."""
	tables = {}
	with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
		assert db.execute("pragma integrity_check").fetchall() == [("ok",)]
		for name, in db.execute("select schema from weir_table").fetchall():
			cursor = db.execute(f'select * from "{name}"')
			tables[name] = ([d[0] for d in cursor.description], cursor.fetchall())
	return tables


def keys_of(path):
	with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
		found = {}
		for schema, column in db.execute("select schema, column_name from weir_schema where kind = 'key' order by rowid"):
			found.setdefault(schema, []).append(column)
		return found


def beats(path):
	"""{run: [(tick, nanoseconds)]}: what was sampled; tick 0 is the start."""
	found = {}
	data = pathlib.Path(path).read_bytes()
	for run, tick, when in struct.iter_unpack("=qqq", data[:len(data) // 24 * 24]):
		found.setdefault(run, []).append((tick, when))
	return found


def ticks(table, lanes=3):
	"""{run: ticks stored}: no gap from 1, each tick whole, none twice."""
	header, rows = table
	lane, tick, run = (header.index(name) for name in ("lane", "tick", "run"))
	seen = {}
	for row in rows:
		cell = int(row[tick]), int(row[lane])
		cells = seen.setdefault(int(row[run]), set())
		assert cell not in cells, f"tick and lane {cell} of run {row[run]} twice"
		cells.add(cell)
	last = {}
	for number, cells in seen.items():
		most = max(t for t, _ in cells)
		assert cells == {(t, n) for t in range(1, most + 1) for n in range(lanes)}, f"a gap in run {number}"
		last[number] = most
	return last


def unique(name, table, keys):
	"""No row twice: by time, source and keys. A schema of Weir's own or an entity has its own rules."""
	header, rows = table
	if header[0] != "time":
		return
	columns = [header.index(c) for c in ("time", "host", "source", *keys)]
	seen = [tuple(row[c] for c in columns) for row in rows]
	assert len(seen) == len(set(seen)), f"a row of '{name}' stands twice"


def usage(pid):
	"""CPU seconds, resident bytes, descriptors."""
	stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
	pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
	return ((int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGESIZE"),
			len(os.listdir(f"/proc/{pid}/fd")))
