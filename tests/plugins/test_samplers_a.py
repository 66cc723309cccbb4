# SPDX-License-Identifier: Apache-2.0
"""The samplers cpu, meminfo, vmstat, loadavg, disk and netdev on saved trees: values, filters, missing cells, damaged files.

Environment: WEIR (default build/weir), WEIR_TEST_DATA (default ../shared/data; without it only the trees of this repository).
"""
import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
WEIR = os.environ.get("WEIR") or str(SOURCE / "build" / "weir")
DATA = Path(os.environ.get("WEIR_TEST_DATA") or SOURCE.parent / "shared" / "data")
SAMPLERS = ("cpu", "meminfo", "vmstat", "loadavg", "disk", "netdev")
FILES = {
	"cpu": "proc/stat", "meminfo": "proc/meminfo", "vmstat": "proc/vmstat", "loadavg": "proc/loadavg",
	"disk": "proc/diskstats", "netdev": "proc/net/dev",
}
KIB = 1024


def tree(name):
	for folder in (DATA / "sysroots" / name, SOURCE / "tests" / "data" / "sysroots" / name):
		if folder.is_dir():
			return folder
	pytest.skip(f"the tree '{name}' is not here")


class Sampled:
	"""What one call of `weir sample` printed: rows by schema."""

	def __init__(self, names, root, *options, count=1, **process):
		command = [WEIR, "sample", *names.split(), "--format", "json", "--count", str(count), "--interval", "10ms"]
		if root is not None:
			command += ["--root", str(root)]
		for option in options:
			command += ["-o", option]
		done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **process)
		self.status, self.errors = done.returncode, done.stderr
		self.rows = [json.loads(line) for line in done.stdout.splitlines()]

	def of(self, schema, **keys):
		return [r for r in self.rows if r["schema"] == schema and all(r[k] == v for k, v in keys.items())]

	def one(self, schema, **keys):
		rows = self.of(schema, **keys)
		assert len(rows) == 1, (schema, keys, rows, self.errors)
		return rows[0]

	def names(self, schema, key):
		return sorted(r[key] for r in self.of(schema))

	def trouble(self, item):
		rows = self.of("capability", item=item)
		return (rows[0]["status"], rows[0]["reason"]) if rows else (None, "")


def expect(row, **values):
	for name, value in values.items():
		assert name in row, f"no column '{name}'"
		if isinstance(value, float):
			assert row[name] == pytest.approx(value, rel=1e-12, abs=0), name
		else:
			assert row[name] == value and isinstance(row[name], bool) == isinstance(value, bool), (name, row[name])


@pytest.fixture
def copy(tmp_path):
	"""A small tree that may be changed: the files of these samplers out of debian12-vm."""
	root = tmp_path / "root"
	source = tree("debian12-vm")
	for name in FILES.values():
		(root / name).parent.mkdir(parents=True, exist_ok=True)
		shutil.copyfile(source / name, root / name)
	return root


# ---- cpu ----


def test_cpu_of_a_virtual_machine():
	s = Sampled("cpu", tree("debian12-vm"))
	assert s.status == 0 and s.errors == ""
	expect(s.one("cpu_total"), user_time=483.77, nice_time=242.0, system_time=314.27, idle_time=2148.29, iowait_time=22.72,
	       softirq_time=9.96, steal_time=3.52, guest_time=0, context_switches=6563178, forks=100495, interrupts=1956190,
	       softirqs=1663259, procs_running=3, procs_blocked=0)
	assert [r["cpu"] for r in s.of("cpu")] == [0, 1]
	expect(s.one("cpu", cpu=1), user_time=253.08, nice_time=122.5, idle_time=1044.22, iowait_time=18.59, softirq_time=6.87,
	       steal_time=1.81, guest_nice_time=0)


def test_cpu_of_eight_with_guests():
	s = Sampled("cpu", tree("node-exporter"))
	assert [r["cpu"] for r in s.of("cpu")] == list(range(8))
	expect(s.one("cpu", cpu=0), user_time=444.9, nice_time=0.19, system_time=210.45, idle_time=10870.69, iowait_time=2.2,
	       irq_time=0.01, softirq_time=34.1, steal_time=0, guest_time=0.02, guest_nice_time=0.01)
	expect(s.one("cpu", cpu=7), guest_time=0.09, guest_nice_time=0.08, idle_time=11392.82)
	expect(s.one("cpu_total"), interrupts=8885917, softirqs=5057579, context_switches=38014093, forks=26442, procs_running=2)


def test_cpu_of_32():
	s = Sampled("cpu", tree("two-socket-128g"))
	assert len(s.of("cpu")) == 32
	expect(s.one("cpu", cpu=31), user_time=261.64, nice_time=1.08, system_time=123.74, idle_time=2262123.59, iowait_time=6.1,
	       softirq_time=0.13, guest_time=84.48, guest_nice_time=0)
	expect(s.one("cpu_total"), user_time=23102.28, idle_time=72493045.04, guest_time=7978.09, interrupts=60503593998,
	       context_switches=9485934380, forks=3934792, procs_running=1, procs_blocked=0, softirqs=510547890)


def test_cpu_of_old_kernels_and_with_holes(copy):
	(copy / "proc/stat").write_text(
		"cpu  10 20 30 40\ncpu0 1 2 3 4\ncpu5 5 6 7 8 9 10 11\nintr 77\nctxt 5\nbtime 1\nprocesses 6\n")
	s = Sampled("cpu", copy)
	expect(s.one("cpu_total"), user_time=0.1, idle_time=0.4, iowait_time=None, steal_time=None, guest_time=None, interrupts=77,
	       context_switches=5, forks=6, procs_running=None, softirqs=None)
	assert [r["cpu"] for r in s.of("cpu")] == [0, 5]
	expect(s.one("cpu", cpu=5), user_time=0.05, softirq_time=0.11, steal_time=None)


def test_cpu_clock_tick_and_more_fields(copy):
	(copy / "proc/stat").write_text("cpu  1024 0 0 3 0 0 0 0 0 0 99 98\ncpu0 1 2 3 4 5 6 7 8 9 10 11 12 13\nnew 5 6\nctxt 5\n")
	s = Sampled("cpu", copy, "cpu.clock_tick=1024")
	expect(s.one("cpu_total"), user_time=1.0, idle_time=0, context_switches=5)  # 3 / 1024 s is cut to whole 1/100 s
	expect(Sampled("cpu", copy).one("cpu", cpu=0), guest_nice_time=0.1)


# ---- meminfo ----


def test_meminfo():
	s = Sampled("meminfo", tree("debian12-vm"))
	expect(s.one("meminfo"), mem_total=25276510208, mem_free=20527456 * KIB, mem_available=23237640 * KIB, active_anon=9228 * KIB,
	       inactive_file=1629244 * KIB, slab_reclaimable=596892 * KIB, committed_as=2814992 * KIB,
	       vmalloc_total=34359738367 * KIB, percpu=976 * KIB, hugepage_size=2048 * KIB, direct_map_1g=25165824 * KIB,
	       file_pmd_mapped=2048 * KIB, huge_pages_total=0, hardware_corrupted=None, cma_total=None, unaccepted=None)
	assert s.trouble("/proc/meminfo") == ("unknown_keys", "no column for: Balloon")


def test_meminfo_of_other_kernels():
	expect(Sampled("meminfo", tree("node-exporter")).one("meminfo"), mem_total=3831959552, mem_available=None, huge_pages_total=0,
	       active_anon=2020004 * KIB, direct_map_2m=3698688 * KIB, direct_map_1g=None, committed_as=7835436 * KIB)
	expect(Sampled("meminfo", tree("two-socket-128g")).one("meminfo"), mem_total=134994997248, mem_available=118425544 * KIB,
	       anon_huge_pages=10280960 * KIB, vmalloc_chunk=34290880168 * KIB, swap_free=4194300 * KIB, unevictable=149708 * KIB,
	       direct_map_4k=351996 * KIB, zswap=None, percpu=None, hugetlb=None)


def test_meminfo_keys(copy):
	(copy / "proc/meminfo").write_text(
		"HugePages_Total:      12\nMemTotal: 1 kB\nHighTotal: 5 kB\nMemFree: x kB\nCached: 18014398509481984 kB\nDirty: 7 kB\n"
		"Dirty: 7 kB\nMemAvailable:-3 kB\nSwapFree: 9\n")
	s = Sampled("meminfo", copy, "meminfo.extra=HighTotal,HugePages_Total,None")
	expect(s.one("meminfo"), huge_pages_total=12, mem_total=KIB, mem_free=None, cached=None, dirty=None, mem_available=None,
	       swap_free=9 * KIB)
	assert [(r["sampler"], r["item"], r["value"]) for r in s.of("keyvalue")] == [
		("meminfo", "HugePages_Total", 12), ("meminfo", "HighTotal", 5)]
	assert s.of("capability") == []
	assert Sampled("meminfo", copy).trouble("/proc/meminfo") == ("unknown_keys", "no column for: HighTotal")


# ---- vmstat ----


def test_vmstat_of_a_new_kernel():
	s = Sampled("vmstat", tree("debian12-vm"), "vmstat.page_size=4KiB")
	raw = dict(line.split() for line in (tree("debian12-vm") / "proc/vmstat").read_text().splitlines())
	row = s.one("vmstat")
	expect(row, page_in=int(raw["pgpgin"]) * KIB, page_out=int(raw["pgpgout"]) * KIB, faults=29458865, major_faults=3226,
	       numa_hit=25016040, numa_interleave=1117, refault_anon=0, refault_file=474812, activated=739381, slabs_scanned=291,
	       drop_pagecache=1, drop_slab=2, dirty_threshold=1140218 * 4096, freed=int(raw["pgfree"]) * 4096, inode_steal=0,
	       allocated=sum(int(v) for k, v in raw.items() if k.startswith("pgalloc_")) * 4096, thp_split_page=0, steal_kswapd=0)
	assert [name for name, value in row.items() if value is None] == []
	assert s.of("capability") == []


def test_vmstat_of_old_kernels():
	"""Keys by zone, added up; alternatives; what the kernel does not have is missing, not 0."""
	row = Sampled("vmstat", tree("node-exporter"), "vmstat.page_size=4KiB").one("vmstat")
	expect(row, allocated=(12 + 611781566 + 2287227526) * 4096, freed=2938719870 * 4096, refill=186367 + 603970,
	       steal_kswapd=78783 + 254128, steal_direct=44 + 6484, scan_kswapd=107656 + 358784, scan_direct=67 + 6796,
	       direct_throttled=0, alloc_stall=83165, inode_steal=412258 + 288891, refault_file=157066, refault_anon=None,
	       swap_in=1476 * 4096, swap_out=35045 * 4096, thp_split_page=69984, oom_kill=0, scan_anon=None, scan_khugepaged=None,
	       thp_swpout=None, swap_readahead=None, page_in=7344136 * KIB, major_faults=507162, dirty_threshold=270390 * 4096)
	row = Sampled("vmstat", tree("two-socket-128g"), "vmstat.page_size=4KiB").one("vmstat")
	expect(row, page_in=6659149824, major_faults=1209, page_out=39010237 * KIB, allocated=(144 + 34623462 + 983753256) * 4096,
	       numa_hit=622686531, thp_split_page=6484, alloc_stall=0, dirty_threshold=11702906 * 4096, oom_kill=None,
	       balloon_inflate=None)


def test_vmstat_pages_and_keys(copy):
	(copy / "proc/vmstat").write_text("pswpin 3\nallocstall_normal 4\nallocstall_movable 5\nbrand_new 1\nnr_any 2\npgfree 7\n")
	s = Sampled("vmstat", copy, "vmstat.page_size=64KiB", "vmstat.extra=nr_any,other")
	expect(s.one("vmstat"), swap_in=3 * 65536, alloc_stall=9, freed=7 * 65536, swap_out=None, allocated=None, faults=None)
	assert [(r["item"], r["value"]) for r in s.of("keyvalue")] == [("nr_any", 2)]
	assert s.trouble("/proc/vmstat") == ("unknown_keys", "no column for: brand_new")


# ---- loadavg ----


@pytest.mark.parametrize("name,values", [
	("debian12-vm", {"load_1": 0.91, "load_5": 1.07, "load_15": 0.96, "runnable": 3, "threads": 369, "last_pid": 3284}),
	("node-exporter", {"load_1": 0.21, "load_5": 0.37, "load_15": 0.39, "runnable": 1, "threads": 719, "last_pid": 19737}),
])
def test_loadavg(name, values):
	expect(Sampled("loadavg", tree(name)).one("loadavg"), **values)


@pytest.mark.parametrize("text,values", [
	("1000.5 2 3.25 4/5 6 7\n", {"load_1": 1000.5, "load_5": 2.0, "load_15": 3.25, "runnable": 4, "threads": 5, "last_pid": 6}),
	("1.00 x 3.00 4/5 6\n", {"load_1": 1.0, "load_5": None, "load_15": None, "runnable": None, "last_pid": None}),
	("1.00 2.00 3.00 4 5\n", {"load_15": 3.0, "runnable": 4, "threads": None, "last_pid": None}),
	("1.00 2.00 3.00\n", {"load_15": 3.0, "runnable": None}),
])
def test_loadavg_forms(copy, text, values):
	(copy / "proc/loadavg").write_text(text)
	expect(Sampled("loadavg", copy).one("loadavg"), **values)


# ---- disk ----


def test_disk_of_a_virtual_machine():
	s = Sampled("disk", tree("debian12-vm"))
	assert s.names("disk", "device") == ["vda"]
	expect(s.one("disk"), reads=131467, reads_merged=16761, read_bytes=6162338 * 512, read_time=179.754, writes=142191,
	       write_bytes=18478736 * 512, in_flight=0, io_time=45.7, weighted_io_time=295.552, discards=20274, discards_merged=73,
	       discard_bytes=2171720 * 512, discard_time=3.469, flushes=37552, flush_time=2.729)
	expect(s.one("disk_info", device="vda"), size=274877906944, rotational=True, model=None, dm_name=None)
	s = Sampled("disk", tree("debian12-vm"), "disk.include=zram*,loop1")
	assert s.names("disk", "device") == ["loop1", "zram0"]
	expect(s.one("disk", device="loop1"), reads=0, write_bytes=0)


def test_disk_of_many_kernels():
	s = Sampled("disk", tree("node-exporter"))
	assert s.names("disk", "device") == [
		"dm-0", "dm-1", "dm-2", "dm-3", "dm-4", "dm-5", "fd0", "mmcblk0", "nvme0n1", "sda", "sdb", "sdc", "vda"]
	expect(s.one("disk", device="sda"), read_bytes=513713216512, write_time=63877.96, reads=25354637, discards=None,
	       discard_bytes=None, flushes=None, weighted_io_time=82621.804)
	expect(s.one("disk", device="sdb"), discard_bytes=985688977408, discards=68851, discard_time=11.13, flushes=None)
	expect(s.one("disk", device="sdc"), flushes=1555, flush_time=1.944)
	expect(s.one("disk", device="dm-0"), write_time=1158557.8, writes=39231014)
	expect(s.one("disk_info", device="dm-5"), dm_name="mpathA", size=104857600 * 512)
	assert s.names("disk_info", "device") == ["dm-5", "sda"]  # the tree's sys/block has no other of them
	s = Sampled("disk", tree("node-exporter"), "disk.include=nvme*")
	assert s.names("disk", "device") == ["nvme0n1", "nvme0n1p1", "nvme0n1p2"]
	expect(s.one("disk", device="nvme0n1p2"), reads=45914, read_bytes=4631243 * 512)


def test_disk_without_sysfs(copy):
	lines = ["8 0 sda 1 2 3 4 5 6 7 8 -1 10 11", "8 1 sda1 1 2 3 4 5 6 7 8 9 10 11", "8 16 sdb 0 0 0 0 0 0 0 0 0 0 0",
	         "259 0 nvme0n1 1 2 3 4 5 6 7 8 9 10 11 12 13 14", "259 1 nvme0n1p1 1 2 3 4 5 6 7 8 9 10 11",
	         "9 0 md0 4294967295 2 3 4294967295 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19", "8 2 sdc 1 2 3 4",
	         "104 0 cciss/c0d0 1 0 0 0 0 0 0 0 0 0 0", "104 1 cciss/c0d0p1 1 0 0 0 0 0 0 0 0 0 0"]
	(copy / "proc/diskstats").write_text("\n".join(lines) + "\n")
	s = Sampled("disk", copy)
	assert s.names("disk", "device") == ["cciss/c0d0", "md0", "nvme0n1", "sda"]
	expect(s.one("disk", device="sda"), reads=1, read_bytes=1536, read_time=0.004, in_flight=None, io_time=0.01, discards=None)
	expect(s.one("disk", device="nvme0n1"), weighted_io_time=0.011, discards=None)
	expect(s.one("disk", device="md0"), reads=4294967295, read_time=4294967.295, discards=12, flushes=16, flush_time=0.017)


def test_disk_information(copy):
	"""Facts as sysfs has them: a SCSI disk with its serial number in a page, an NVMe disk behind its controller, a map on both."""
	(copy / "proc/diskstats").write_text(
		"8 0 sda 1 0 8 1 0 0 0 0 0 1 1\n259 0 nvme0n1 1 0 8 1 0 0 0 0 0 1 1\n253 0 dm-0 1 0 8 1 0 0 0 0 0 1 1\n")
	block = copy / "sys/devices/pci0000:00/ata3/host2/block/sda"
	for folder in (block / "device", block / "queue", copy / "sys/block/dm-0/dm", copy / "sys/block/dm-0/slaves/sda",
	               copy / "sys/block/dm-0/slaves/nvme0n1", copy / "sys/devices/pci0000:00/nvme/nvme0/nvme0n1/device"):
		folder.mkdir(parents=True)
	(block / "device/model").write_text("SAMSUNG MZ7  \n")
	(block / "device/vpd_pg80").write_bytes(b"\x00\x80\x00\x08  S3RIAL ")
	(block / "device/wwid").write_text("naa.5002538\n")
	(block / "queue/rotational").write_text("0\n")
	(block / "size").write_text("1000215216\n")
	(copy / "sys/block/dm-0/dm/name").write_text("vg-root\n")
	(copy / "sys/block/sda").symlink_to("../devices/pci0000:00/ata3/host2/block/sda")
	(copy / "sys/block/nvme0n1").symlink_to("../devices/pci0000:00/nvme/nvme0/nvme0n1")
	(copy / "sys/block/nvme0n1/device/serial").write_text("S5GX\n")
	(copy / "sys/block/nvme0n1/wwid").write_text("eui.0025\n")
	s = Sampled("disk", copy)
	expect(s.one("disk_info", device="sda"), model="SAMSUNG MZ7", serial="S3RIAL", wwid="naa.5002538", rotational=False,
	       size=512110190592, transport="sata", slaves=None, dm_name=None)
	expect(s.one("disk_info", device="nvme0n1"), serial="S5GX", wwid="eui.0025", transport="nvme", size=None, rotational=None)
	expect(s.one("disk_info", device="dm-0"), dm_name="vg-root", slaves="nvme0n1 sda", transport=None)


# ---- netdev ----


def test_netdev_of_a_virtual_machine():
	s = Sampled("netdev", tree("debian12-vm"))
	assert s.names("netdev", "interface") == ["eth0", "ifb0", "ifb1"]
	expect(s.one("netdev", interface="eth0"), rx_bytes=1460049376, tx_bytes=5893187, rx_packets=65837, tx_packets=49017,
	       rx_crc_errors=0, rx_nohandler=0, mtu=1400, up=True, carrier_changes=2, speed=None)
	expect(s.one("netdev", interface="ifb0"), up=False, mtu=1500, tx_window_errors=0)
	s = Sampled("netdev", tree("debian12-vm"), "netdev.include=lo")
	assert s.names("netdev", "interface") == ["lo"]
	expect(s.one("netdev", interface="lo"), rx_bytes=633782111, tx_packets=755752, up=False)
	assert Sampled("netdev", tree("debian12-vm"), "netdev.exclude=ifb*").names("netdev", "interface") == ["eth0", "lo"]


def test_netdev_without_sysfs():
	s = Sampled("netdev", tree("mixed-a"))
	assert s.names("netdev", "interface") == ["enp0s25", "wlp3s0"]
	expect(s.one("netdev", interface="enp0s25"), rx_bytes=18690974820, rx_packets=23296412, rx_multicast=236404,
	       tx_bytes=3777745438, tx_packets=20458657, rx_length_errors=None, rx_nohandler=None, speed=None, mtu=None, up=None)
	assert s.of("netdev_info") == []
	s = Sampled("netdev", tree("mixed-a"), "netdev.include=lo,tun?")
	expect(s.one("netdev", interface="lo"), rx_bytes=4493605264)
	expect(s.one("netdev", interface="tun0"), tx_dropped=46, tx_errors=0)


def test_netdev_from_sysfs_alone():
	s = Sampled("netdev", tree("node-exporter"))
	assert s.names("netdev", "interface") == ["bond0", "dmz", "int"]
	expect(s.one("netdev", interface="dmz"), speed=1000000000, mtu=1500, up=True, carrier_changes=2, rx_bytes=None)
	expect(s.one("netdev", interface="bond0"), speed=None, mtu=1500)
	expect(s.one("netdev_info", interface="int"), address="01:01:01:01:01:01", duplex="full", speed=1000000000, numa_node=None)
	assert s.trouble("/proc/net/dev")[0] == "absent"


def test_netdev_folds_like_the_kernel(copy):
	"""sysfs has the parts, /proc/net/dev the sums: both ways give the same columns."""
	statistics = copy / "sys/class/net/ib0/statistics"
	statistics.mkdir(parents=True)
	names = ("rx_packets tx_packets rx_bytes tx_bytes rx_errors tx_errors rx_dropped tx_dropped multicast collisions "
	         "rx_length_errors rx_over_errors rx_crc_errors rx_frame_errors rx_fifo_errors rx_missed_errors tx_aborted_errors "
	         "tx_carrier_errors tx_fifo_errors tx_heartbeat_errors tx_window_errors rx_compressed tx_compressed rx_nohandler").split()
	value = {name: 10 ** 12 + 2 ** i for i, name in enumerate(names)}
	for name in names:
		(statistics / name).write_text(f"{value[name]}\n")
	for name, text in {"operstate": "up", "speed": "200000", "mtu": "4092", "carrier_changes": "3", "duplex": "unknown"}.items():
		(copy / "sys/class/net/ib0" / name).write_text(text + "\n")
	dropped = value["rx_dropped"] + value["rx_missed_errors"]
	frame = sum(value[n] for n in ("rx_length_errors", "rx_over_errors", "rx_crc_errors", "rx_frame_errors"))
	carrier = sum(value[n] for n in ("tx_carrier_errors", "tx_aborted_errors", "tx_window_errors", "tx_heartbeat_errors"))
	line = [value["rx_bytes"], value["rx_packets"], value["rx_errors"], dropped, value["rx_fifo_errors"], frame,
	        value["rx_compressed"], value["multicast"], value["tx_bytes"], value["tx_packets"], value["tx_errors"],
	        value["tx_dropped"], value["tx_fifo_errors"], value["collisions"], carrier, value["tx_compressed"]]
	(copy / "proc/net/dev").write_text("Inter-|   Receive\n face |bytes\nib0:" + " ".join(map(str, line)) + "\n")
	both = Sampled("netdev", copy)
	(copy / "proc/net/dev").unlink()
	sysfs = Sampled("netdev", copy)
	expect(both.one("netdev"), rx_bytes=value["rx_bytes"], rx_dropped=dropped, rx_frame_errors=frame, tx_carrier_errors=carrier,
	       rx_missed_errors=value["rx_missed_errors"], rx_multicast=value["multicast"], rx_nohandler=value["rx_nohandler"],
	       collisions=value["collisions"], tx_compressed=value["tx_compressed"], speed=200000000000, mtu=4092, up=True)
	ignored = ("time",)
	assert {k: v for k, v in both.one("netdev").items() if k not in ignored} == {
		k: v for k, v in sysfs.one("netdev").items() if k not in ignored}
	(statistics / "rx_missed_errors").unlink()  # half a sum is none
	expect(Sampled("netdev", copy).one("netdev"), rx_dropped=None, rx_missed_errors=None, rx_errors=value["rx_errors"])
	expect(both.one("netdev_info"), speed=200000000000, duplex=None, address=None)


def test_netdev_names_and_information(copy):
	net = copy / "sys/class/net"
	device = copy / "sys/devices/pci0000:3a/0000:3b:00.0"
	(device / "net/eth0.5@x-y").mkdir(parents=True)
	(copy / "sys/bus/pci/drivers/mlx5_core").mkdir(parents=True)
	(net / "bond0/bonding").mkdir(parents=True)
	(device / "driver").symlink_to("../../../bus/pci/drivers/mlx5_core")
	(device / "numa_node").write_text("1\n")
	(net / "eth0.5@x-y").symlink_to("../../devices/pci0000:3a/0000:3b:00.0/net/eth0.5@x-y")
	(net / "eth0.5@x-y/device").symlink_to("../../../0000:3b:00.0")
	(net / "eth0.5@x-y/master").symlink_to("../../../../../class/net/bond0")
	(net / "eth0.5@x-y/address").write_text("aa:bb:cc:dd:ee:ff\n")
	(net / "eth0.5@x-y/speed").write_text("-1\n")
	(net / "eth0.5@x-y/operstate").write_text("dormant\n")
	numbers = " ".join(str(i) for i in range(1, 17))
	(copy / "proc/net/dev").write_text(f"head|\nhead|\neth0.5@x-y:12345{numbers}\n  short: 1 2 3\n more: {numbers} 17 18\n"
	                                   f"odd: x {numbers[2:]}\n../../etc: {numbers}\n")
	s = Sampled("netdev", copy)
	assert s.names("netdev", "interface") == ["eth0.5@x-y", "more", "odd"]
	expect(s.one("netdev", interface="eth0.5@x-y"), rx_bytes=123451, rx_packets=2, tx_compressed=16, up=False, speed=None)
	expect(s.one("netdev", interface="more"), rx_bytes=1, rx_multicast=8, tx_bytes=9, tx_compressed=16, up=None)
	expect(s.one("netdev", interface="odd"), rx_bytes=None, rx_packets=2)
	expect(s.one("netdev_info"), address="aa:bb:cc:dd:ee:ff", driver="mlx5_core", pci="0000:3b:00.0", numa_node=1,
	       bond_master="bond0", speed=None)


# ---- live ----


def test_live():
	"""The same machine by netlink and from files: interfaces, names and what does not grow in between."""
	s = Sampled(" ".join(SAMPLERS), None, "netdev.include=*", count=2)
	assert s.status == 0
	for schema in ("cpu_total", "meminfo", "vmstat", "loadavg"):
		rows = s.of(schema)
		assert len(rows) == 2 and rows[0]["time"] < rows[1]["time"]
	assert s.of("vmstat")[0]["faults"] <= s.of("vmstat")[1]["faults"]
	names = sorted(line.split(":")[0].strip() for line in Path("/proc/net/dev").read_text().splitlines() if ":" in line)
	assert s.names("netdev", "interface") == sorted(names * 2)
	files = Sampled("netdev", "/", "netdev.include=*")
	live = Sampled("netdev", None, "netdev.include=*")
	for row in live.of("netdev"):
		other = files.one("netdev", interface=row["interface"])
		assert row["mtu"] == other["mtu"] and row["up"] == other["up"]
		assert {k for k, v in row.items() if v is None} == {k for k, v in other.items() if v is None}
		for column in ("rx_errors", "rx_frame_errors", "tx_errors", "tx_carrier_errors", "rx_nohandler"):
			assert row[column] >= other[column] and row[column] - other[column] < 1000


# ---- damage ----


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_file_missing(copy, sampler):
	(copy / FILES[sampler]).unlink()
	s = Sampled(sampler, copy)
	assert s.status == 0
	assert [r["schema"] for r in s.rows] == ["capability"]
	assert s.trouble("/" + FILES[sampler])[0] == "absent"
	assert f"sampler '{sampler}'" in s.errors


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("content", [b"", b"\n", b"\0\0\0", b"rubbish\n", b"rubbish"])
def test_file_without_sense(copy, sampler, content):
	(copy / FILES[sampler]).write_bytes(content)
	s = Sampled(sampler, copy)
	assert s.status == 0
	assert [r["schema"] for r in s.rows if r["schema"] != "capability"] == []


def test_file_refused(copy):
	"""Without the right to read; root gives it up by becoming nobody."""
	process = {}
	if os.geteuid() == 0:
		process = {"user": 65534, "group": 65534, "extra_groups": [], "cwd": "/"}
		for folder in [copy, *copy.parents]:
			if folder.stat().st_uid == 0 and folder != Path("/tmp") and folder.is_relative_to("/tmp"):
				folder.chmod(0o755)
	for name in FILES.values():
		(copy / name).chmod(0)
	try:
		s = Sampled(" ".join(SAMPLERS), copy, **process)
	except PermissionError:
		pytest.skip(f"nobody may run '{WEIR}'")
	assert s.status == 0
	assert [r["schema"] for r in s.rows] == ["capability"] * len(SAMPLERS)
	for name in FILES.values():
		status, reason = s.trouble("/" + name)
		assert status == "refused" and "CAP_DAC_READ_SEARCH" in reason


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("kind", ["folder", "pipe", "link"])
def test_file_replaced(copy, sampler, kind):
	path = copy / FILES[sampler]
	path.unlink()
	{"folder": path.mkdir, "pipe": lambda: os.mkfifo(path), "link": lambda: path.symlink_to(path)}[kind]()
	s = Sampled(sampler, copy)  # within its time limit: a pipe without writer must not hold it
	assert s.status == 0
	assert s.trouble("/" + FILES[sampler])[0] == "failed"


KEYS = {"cpu": "cpu", "disk": "device", "disk_info": "device", "netdev": "interface", "netdev_info": "interface"}


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_file_cut(copy, sampler):
	"""Some forty cuts; tests/unit/test_sampler_damage.c makes all of them."""
	path = copy / FILES[sampler]
	data = path.read_bytes()
	whole = {(r["schema"], r.get(KEYS.get(r["schema"]))): r for r in Sampled(sampler, copy).rows}
	generator = random.Random(1)
	for at in sorted(generator.sample(range(len(data)), min(40, len(data)))):
		path.write_bytes(data[:at])
		s = Sampled(sampler, copy)
		assert s.status == 0
		for row in s.rows:
			if row["schema"] == "capability":
				continue
			expected = whole[row["schema"], row.get(KEYS.get(row["schema"]))]
			wrong = [k for k, v in row.items() if v is not None and v != expected[k] and k not in ("time", "version")]
			assert wrong == [], (at, row["schema"], wrong)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_file_random(copy, sampler):
	path = copy / FILES[sampler]
	data = bytearray(path.read_bytes())
	generator = random.Random(2)
	for _ in range(10):
		damaged = bytearray(data)
		for _ in range(generator.randrange(1, 60)):
			damaged[generator.randrange(len(damaged))] = generator.randrange(256)
		path.write_bytes(damaged if generator.random() < 0.7 else generator.randbytes(2000))
		assert Sampled(sampler, copy).status == 0
