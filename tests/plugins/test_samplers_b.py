# SPDX-License-Identifier: Apache-2.0
"""The samplers filesystem, snmp, netstat, softnet, sockstat, pressure, kernel and host on saved trees of machines.

Values are read from the files by hand. Whatever happens to a file, a sampler tells what it told before or nothing.
"""
import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
WEIR = Path(os.environ.get("WEIR", ROOT / "build/weir"))
DATA = Path(os.environ.get("WEIR_TEST_DATA", ROOT.parent / "shared/data")) / "sysroots"
OWN = ROOT / "tests/data/sysroots"
CPU = "sys/devices/system/cpu"


def tree(name):
	"""A saved tree: of this repository, else of the sample inputs."""
	for folder in (OWN / name, DATA / name):
		if folder.is_dir():
			return folder
	pytest.skip(f"no tree '{name}': WEIR_TEST_DATA names the folder of sample inputs")


def run(sampler, root, *arguments, environment=None):
	"""Rows, all of them; the status is 0 and nothing died on the way."""
	place = ["--root", str(root)] if root else []
	result = subprocess.run(
		[WEIR, "sample", sampler, *place, "--format", "json", "--host", "node1", *arguments], capture_output=True, timeout=60,
		env={**os.environ, **(environment or {})}, check=False)
	assert result.returncode == 0, result.stderr.decode(errors="replace")
	assert b"Sanitizer" not in result.stderr
	return [json.loads(line) for line in result.stdout.splitlines()]


def rows(sampler, root, *arguments, **options):
	"""Rows of the sampler's own schema."""
	return [row for row in run(sampler, root, *arguments, **options) if row["schema"] == sampler]


def one(sampler, root, *arguments, **options):
	found = rows(sampler, root, *arguments, **options)
	assert len(found) == 1
	return found[0]


def capability(sampler, root, *arguments, **options):
	found = run(sampler, root, *arguments, **options)
	return {row["item"]: (row["status"], row["reason"]) for row in found if row["schema"] == "capability"}


def write(root, files):
	for name, text in files.items():
		path = root / name
		path.parent.mkdir(parents=True, exist_ok=True)
		path.write_bytes(text if isinstance(text, bytes) else text.encode())
	return root


def check(row, values):
	for column, value in values.items():
		assert column in row
		if isinstance(value, float):
			assert row[column] == pytest.approx(value, rel=1e-12), column
		else:
			assert row[column] == value and isinstance(row[column], bool) == isinstance(value, bool), column


# ---- values ----
VALUES = [
	("debian12-vm", "snmp", {}, {
		"ip_forwarding": 2, "ip_default_ttl": 64, "ip_in_receives": 821580, "ip_out_requests": 803620, "ip_out_transmits": 803620,
		"icmp_in_msgs": 1, "icmp_in_dest_unreachs": 1, "icmp_out_rate_limit_global": 0, "tcp_rto_algorithm": 1, "tcp_rto_min": 0.2,
		"tcp_rto_max": 120.0, "tcp_max_conn": -1, "tcp_active_opens": 325, "tcp_curr_estab": 18, "tcp_in_segs": 812058,
		"tcp_retrans_segs": 80, "tcp_out_rsts": 162, "udp_in_datagrams": 9521, "udp_out_datagrams": 9522, "udp_mem_errors": 0,
		"udplite_in_datagrams": 0}),
	("mixed-a", "snmp", {}, {
		"ip_forwarding": 1, "ip_in_receives": 55946598, "ip_out_no_routes": 721, "ip_out_transmits": None, "icmp_in_errors": 4310,
		"icmp_out_rate_limit_host": None, "icmp_out_dest_unreachs": 51623, "icmp_out_echos": 11600, "tcp_retrans_segs": 513784,
		"tcp_in_errs": 6442, "udp_no_ports": 1556, "udp_mem_errors": None}),
	("node-exporter", "snmp", {}, {
		"ip_in_addr_errors": 25, "ip_forw_datagrams": 397750, "tcp_attempt_fails": 341, "tcp_out_rsts": 1003,
		"udp_rcvbuf_errors": 9, "udp_sndbuf_errors": 8, "udp_ignored_multi": None}),
	("debian12-vm", "netstat", {}, {
		"tcpext_tw": 190, "tcpext_delayed_acks": 583, "tcpext_hp_hits": 710771, "tcpext_pure_acks": 4903, "tcpext_timeouts": 2,
		"tcpext_loss_probes": 91, "tcpext_abort_on_data": 33, "tcpext_orig_data_sent": 758512, "tcpext_dsack_recv": 79,
		"tcpext_memory_pressure_time": 0.0, "ipext_in_octets": 2092909417, "ipext_out_octets": 638929172,
		"ipext_in_no_ect_pkts": 821580}),
	("node-exporter", "netstat", {}, {
		"tcpext_syncookies_failed": 2, "tcpext_tw": 388812, "tcpext_paws_estab": 6, "tcpext_timeouts": 115,
		"tcpext_loss_probes": None, "tcpext_memory_pressure_time": None, "tcpext_ofo_queue": 42, "tcpext_rcv_q_drop": 131,
		"ipext_in_octets": 6286396970, "ipext_out_octets": 2786264347, "ipext_reasm_overlaps": None}),
	("debian12-vm", "softnet", {"cpu": 0}, {
		"processed": 0x71fba, "dropped": 0, "time_squeeze": 0, "received_rps": 0, "flow_limit": 0, "backlog_length": 0}),
	("debian12-vm", "softnet", {"cpu": 1}, {"processed": 0x5699b, "time_squeeze": 1, "backlog_length": 0}),
	("node-exporter", "softnet", {"cpu": 0}, {"processed": 0x49279, "time_squeeze": 1, "backlog_length": None}),
	("node-exporter", "softnet", {"cpu": 1}, {"processed": 0xdfb82, "dropped": 0x29, "time_squeeze": 10, "flow_limit": 0}),
	("node-exporter", "softnet", {"cpu": 3}, {"processed": 0x2f8339, "time_squeeze": 0x32}),  # its line has no newline
	("mixed-a", "sockstat", {}, {
		"tcp_memory": 53248, "udp_memory": 17 * 4096, "sockets_used": 1866, "tcp_inuse": 74, "tcp_orphan": 9, "tcp_tw": 0,
		"tcp_alloc": 86, "udp_inuse": 15, "tcp6_inuse": 10, "udp6_inuse": 10, "raw6_inuse": 1, "frag6_memory": 0}),
	("debian12-vm", "sockstat", {}, {
		"sockets_used": 71, "tcp_inuse": 22, "tcp_tw": 16, "tcp_alloc": 37, "tcp_memory": 0, "udp_inuse": 8, "frag_memory": 0,
		"tcp6_inuse": 15}),
	("node-exporter", "sockstat", {}, {"sockets_used": 229, "tcp_alloc": 17, "tcp_memory": 4096, "tcp6_inuse": 17, "raw6_inuse": 1}),
	("node-exporter", "pressure", {"resource": "cpu"}, {"some_time": 14.036781, "full_time": 0.0}),
	("node-exporter", "pressure", {"resource": "io"}, {
		"some_time": 159.886802, "full_time": 159.229614, "some_avg10": 0.0018, "full_avg300": 0.001}),
	("node-exporter", "pressure", {"resource": "irq"}, {  # no newline: the last number may be cut off
		"some_time": None, "some_avg10": None, "full_time": None, "full_avg10": 0.0, "full_avg300": 0.0}),
	("mixed-a", "pressure", {"resource": "io"}, {"full_time": 30.048725, "some_avg10": 0.1024, "some_time": 55.963282}),
	("mixed-a", "pressure", {"resource": "cpu"}, {"some_time": 157.656722, "full_time": None, "full_avg10": None}),
	("mixed-a", "pressure", {"resource": "memory"}, {"some_avg60": 0.6852, "full_avg300": 0.6038, "full_time": 3300.487258}),
	("debian12-vm", "pressure", {"resource": "cpu"}, {"some_time": 232.160052, "some_avg10": 0.1351, "some_avg300": 0.1229}),
	("debian12-vm", "pressure", {"resource": "io"}, {"some_time": 21.778969, "full_time": 16.602865, "full_avg60": 0.0046}),
	("mixed-a", "kernel", {}, {
		"files_allocated": 10784, "files_max": 1598938, "inodes_allocated": 90367, "inodes_free": 479, "dentries": 110820,
		"dentries_unused": 88379, "dentries_negative": None, "aio_max": 1048576, "entropy": 3944, "pid_max": 65536,
		"shm_bytes": 70389760, "shm_segments": 16, "sem_arrays": 5, "msg_queues": 4, "uptime": None, "threads_max": None}),
	("debian12-vm", "kernel", {}, {
		"files_allocated": 1570, "files_max": 2466186, "inodes_allocated": 337328, "inodes_free": 0, "dentries": 419572,
		"dentries_negative": 81968, "aio": 0, "aio_max": 65536, "entropy": 256, "conntrack_entries": None, "pid_max": 32768,
		"threads_max": 192730, "uptime": 1626.77, "idle_time": 2148.29, "hung_tasks": 0, "shm_bytes": 56, "shm_segments": 1,
		"sem_arrays": 1, "msg_queues": 0, "oops": 0, "warnings": 0, "tainted": 0, "locks": None, "clock_offset": None,
		"clock_synchronized": None}),
	("node-exporter", "kernel", {}, {
		"files_allocated": 1024, "files_max": 1631329, "entropy": 1337, "conntrack_entries": 123, "conntrack_max": 65536,
		"pid_max": 123, "hung_tasks": 42, "threads_max": None}),
	("debian12-vm", "host", {}, {
		"cluster": "default", "host": "node1", "boot_id": "0d9c3f1e-5a44-4c0b-9a3e-7d2f1b6c8e01", "boot_time": 1795238637,
		"kernel_release": "6.18.44", "kernel_version": "#1 SMP PREEMPT_DYNAMIC @0", "machine": "x86_64", "os_id": "debian",
		"os_version": "12", "os_name": "Debian GNU/Linux 12 (bookworm)", "cpu_vendor": "AuthenticAMD", "cpu_model": "AMD EPYC",
		"cpu_family": 25, "cpu_model_number": 1, "cpu_stepping": 1, "microcode": "0x1000065", "cpus": 2, "cores": 2, "sockets": 1,
		"threads_per_core": 1, "numa_nodes": 1, "cpus_online": "0-1", "cpus_isolated": "", "nominal_frequency": None,
		"l1d": 32768, "l2": 524288, "l3": 33554432, "l3_instances": 1, "memory_total": 25276510208, "page_size": 4096,
		"clock_tick": 100, "hugepage_size": 2097152, "swap_total": 0, "virtualization": "vm-other", "serial": None, "tsc": "tsc",
		"smt": False, "mitigations": "2", "thp": "madvise", "selinux": None, "boot_cmdline": None, "machine_id": None,
		"swappiness": 60, "overcommit_memory": 0, "numa_balancing": 0, "zone_reclaim_mode": 0}),
	("node-exporter", "host", {}, {
		"boot_time": 1418183276, "os_id": "ubuntu", "os_version": "20.04", "os_name": "Ubuntu 20.04.2 LTS",
		"cpu_model": "Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz", "cpu_model_number": 142, "nominal_frequency": 1900000000,
		"cpus": 4, "cores": 4, "sockets": 2, "cpus_isolated": "1,3-5,9", "memory_total": 3831959552, "virtualization": "none",
		"product": "PowerEdge R6515", "vendor": "Dell Inc.", "board": "07PXPY", "bios_version": "2.2.4",
		"bios_date": "04/12/2021", "serial": "7N62AI2", "mitigations": "1", "numa_nodes": 3}),
	("two-socket-128g", "host", {}, {
		"memory_total": 134994997248, "numa_nodes": 2, "nominal_frequency": 2900000000, "cpu_model_number": 45, "cpus": None,
		"boot_id": None}),
	("numa-4-node", "host", {}, {"numa_nodes": 4, "cpus": 8, "cpus_online": "0-7", "cores": None, "boot_time": 1568600709}),
	("laptop-rapl", "host", {}, {"cpus": 4, "sockets": 1, "cores": None}),
	("synth-fabric-node", "filesystem", {"mount": "/data sets"}, {
		"fstype": "nfs4", "device": "srv.example.org:/data", "read_only": True, "size": None, "free": None, "available": None,
		"files": None, "files_free": None}),
	("synth-fabric-node", "filesystem", {"mount": "/scratch"}, {
		"fstype": "lustre", "device": "10.0.0.1@o2ib:/scratch", "read_only": False}),
	("node-exporter", "filesystem", {"mount": "/boot"}, {"fstype": "ext2", "device": "/dev/sda3", "read_only": False}),
	("cgroup-v1-hybrid", "filesystem", {"mount": "/"}, {"fstype": "ext4", "device": "/dev/sda7", "size": None}),
]


@pytest.mark.parametrize("name,sampler,key,values", VALUES, ids=lambda x: x if isinstance(x, str) else None)
def test_values(name, sampler, key, values):
	found = [row for row in rows(sampler, tree(name)) if all(row[column] == value for column, value in key.items())]
	assert len(found) == 1
	check(found[0], values)


def test_rows_that_there_are():
	assert [row["cpu"] for row in rows("softnet", tree("debian12-vm"))] == [0, 1]
	assert [row["cpu"] for row in rows("softnet", tree("node-exporter"))] == [0, 1, 2, 3]
	assert [row["resource"] for row in rows("pressure", tree("node-exporter"))] == ["cpu", "memory", "io", "irq"]
	assert [row["resource"] for row in rows("pressure", tree("debian12-vm"))] == ["cpu", "memory", "io"]
	assert [row["mount"] for row in rows("filesystem", tree("synth-fabric-node"))] == ["/", "/scratch", "/data sets", "/gpfs1"]


# ---- snmp and netstat ----
NETSTAT = """
	syncookies_sent SyncookiesSent, syncookies_recv SyncookiesRecv, syncookies_failed SyncookiesFailed,
	embryonic_rsts EmbryonicRsts, prune_called PruneCalled, rcv_pruned RcvPruned, ofo_pruned OfoPruned, tw TW,
	paws_estab PAWSEstab, delayed_acks DelayedACKs, listen_overflows ListenOverflows, listen_drops ListenDrops,
	hp_hits TCPHPHits, pure_acks TCPPureAcks, sack_recovery TCPSackRecovery, reno_recovery TCPRenoRecovery,
	lost_retransmit TCPLostRetransmit, fast_retrans TCPFastRetrans, slow_start_retrans TCPSlowStartRetrans,
	timeouts TCPTimeouts, loss_probes TCPLossProbes, loss_probe_recovery TCPLossProbeRecovery, backlog_drop TCPBacklogDrop,
	rcv_collapsed TCPRcvCollapsed, abort_on_data TCPAbortOnData, abort_on_close TCPAbortOnClose,
	abort_on_memory TCPAbortOnMemory, abort_on_timeout TCPAbortOnTimeout, memory_pressures TCPMemoryPressures,
	retrans_fail TCPRetransFail, syn_retrans TCPSynRetrans, orig_data_sent TCPOrigDataSent, rcv_q_drop TCPRcvQDrop,
	ofo_queue TCPOFOQueue, ofo_drop TCPOFODrop, zero_window_drop TCPZeroWindowDrop, req_qfull_drop TCPReqQFullDrop,
	dsack_recv TCPDSACKRecv, spurious_rtos TCPSpuriousRTOs"""
IPEXT = """
	in_octets InOctets, out_octets OutOctets, in_mcast_octets InMcastOctets, out_mcast_octets OutMcastOctets,
	in_bcast_octets InBcastOctets, out_bcast_octets OutBcastOctets, in_no_routes InNoRoutes,
	in_truncated_pkts InTruncatedPkts, in_mcast_pkts InMcastPkts, out_mcast_pkts OutMcastPkts, in_bcast_pkts InBcastPkts,
	out_bcast_pkts OutBcastPkts, in_csum_errors InCsumErrors, in_no_ect_pkts InNoECTPkts, in_ect1_pkts InECT1Pkts,
	in_ect0_pkts InECT0Pkts, in_ce_pkts InCEPkts, reasm_overlaps ReasmOverlaps"""


def pairs(path):
	lines = [line.split() for line in path.read_text().splitlines()]
	return {
		f"{names[0]}{name}": int(value) for names, values in zip(lines[::2], lines[1::2])
		for name, value in zip(names[1:], values[1:])}


@pytest.mark.parametrize("name", ["debian12-vm", "mixed-a", "node-exporter"])
def test_netstat_takes_each_key_by_its_name(name):
	file = pairs(tree(name) / "proc/net/netstat")
	row = one("netstat", tree(name))
	words = [("tcpext", "TcpExt", NETSTAT), ("ipext", "IpExt", IPEXT)]
	names = [(f"{head}_{column}", f"{proto}:{key}") for head, proto, text in words for column, key in (
		word.split() for word in text.split(","))]
	assert {column: row[column] for column, _ in names} == {column: file.get(key) for column, key in names}
	chrono = file.get("TcpExt:TCPMemoryPressuresChrono")
	assert row["tcpext_memory_pressure_time"] == (None if chrono is None else chrono / 1000)
	assert len(names) + 1 == len(row) - 5


def test_netstat_extra():
	found = run("netstat", tree("debian12-vm"), "-o", "netstat.extra=TcpExt.TCPDelivered,TcpExt.TCPTimeouts,MPTcpExt.MPCapableSYNRX")
	file = pairs(tree("debian12-vm") / "proc/net/netstat")
	extra = {row["item"]: row["value"] for row in found if row["schema"] == "keyvalue"}
	assert extra == {
		"TcpExt.TCPDelivered": file["TcpExt:TCPDelivered"], "TcpExt.TCPTimeouts": 2, "MPTcpExt.MPCapableSYNRX": 0}
	assert {row["sampler"] for row in found if row["schema"] == "keyvalue"} == {"netstat"}
	assert not [row for row in found if row["schema"] == "capability"]


def test_netstat_value_line_that_is_shorter(tmp_path):
	write(tmp_path, {"proc/net/netstat": "TcpExt: TW ListenDrops TCPTimeouts\nTcpExt: 5 6\nIpExt: InOctets\nIpExt: 7\n"})
	check(one("netstat", tmp_path), {
		"tcpext_tw": 5, "tcpext_listen_drops": 6, "tcpext_timeouts": None, "ipext_in_octets": 7})


def test_snmp_names_what_it_does_not_know(tmp_path):
	write(tmp_path, {"proc/net/snmp": "Udp: InDatagrams NewThing\nUdp: 3 4\nIcmpMsg: InType3\nIcmpMsg: 9\n"})
	check(one("snmp", tmp_path), {"udp_in_datagrams": 3, "udp_no_ports": None})
	status, reason = capability("snmp", tmp_path)["/proc/net/snmp"]
	assert status == "unknown_keys" and "Udp.NewThing" in reason and "IcmpMsg" not in reason


def test_snmp_negative_values(tmp_path):
	write(tmp_path, {"proc/net/snmp": "Tcp: MaxConn ActiveOpens InSegs\nTcp: -1 -5 18446744073709551615\n"})
	check(one("snmp", tmp_path), {"tcp_max_conn": -1, "tcp_active_opens": None, "tcp_in_segs": 18446744073709551615})


# ---- softnet ----
def softnet_line(n, *, cpu=None, fields=11):
	words = [n, 2, 3, 0, 0, 0, 0, 0, 0, 4, 5, 6, cpu or 0, 0, 0][:fields]
	return " ".join(f"{word:08x}" for word in words) + "\n"


def test_softnet_numbers_lines_by_the_cpus_online(tmp_path):
	write(tmp_path, {
		"proc/net/softnet_stat": softnet_line(16) + softnet_line(17) + softnet_line(18) + softnet_line(19),
		CPU + "/online": "0,2-3\n"})
	# The fourth line has no CPU.
	assert {row["cpu"]: row["processed"] for row in rows("softnet", tmp_path)} == {0: 16, 2: 17, 3: 18}
	(tmp_path / CPU / "online").unlink()
	assert {row["cpu"]: row["processed"] for row in rows("softnet", tmp_path)} == {0: 16, 1: 17, 2: 18, 3: 19}


def test_softnet_lines_of_different_length(tmp_path):
	write(tmp_path, {
		"proc/net/softnet_stat": softnet_line(16, fields=9) + softnet_line(17, fields=10) + softnet_line(18, fields=11)
			+ softnet_line(0xffffffff, cpu=40, fields=15)})
	found = {row["cpu"]: row for row in rows("softnet", tmp_path)}
	assert sorted(found) == [0, 1, 2, 40]
	check(found[0], {"processed": 16, "dropped": 2, "time_squeeze": 3, "received_rps": None, "flow_limit": None})
	check(found[1], {"received_rps": 4, "flow_limit": None, "backlog_length": None})
	check(found[2], {"received_rps": 4, "flow_limit": 5, "backlog_length": None})
	check(found[40], {"processed": 0xffffffff, "flow_limit": 5, "backlog_length": 6})


# ---- sockstat, pressure ----
def test_sockstat_page_size():
	root = tree("mixed-a")
	check(one("sockstat", root, "-o", "sockstat.page_size=64KiB"), {
		"tcp_memory": 13 * 65536, "udp_memory": 17 * 65536, "frag_memory": 0})


def test_sockstat_without_ipv6_and_with_a_negative_sum(tmp_path):
	write(tmp_path, {"proc/net/sockstat": "sockets: used 9\nTCP: inuse 1 orphan 2 tw 3 alloc 4 mem -1\nUDP: inuse 5 mem 6\n"})
	check(one("sockstat", tmp_path), {"tcp_alloc": 4, "tcp_memory": None, "udp_memory": 6 * 4096, "tcp6_inuse": None})
	assert not capability("sockstat", tmp_path)


# Makes opening of some files fail, and statfs of one place hang.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>
static int open_it(const char *name, const char *path, int flags, mode_t mode)
{
	const char *refused = getenv("SHIM_REFUSE"), *status = getenv("SHIM_ERRNO");
	if (refused && status && strstr(path, refused)) {
		errno = atoi(status);
		return -1;
	}
	return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, name))(path, flags, mode);
}
int open(const char *path, int flags, ...)
{
	va_list more;
	va_start(more, flags);
	mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
	va_end(more);
	return open_it("open", path, flags, mode);
}
int open64(const char *path, int flags, ...)
{
	va_list more;
	va_start(more, flags);
	mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
	va_end(more);
	return open_it("open64", path, flags, mode);
}
int fstatfs(int fd, struct statfs *answer)
{
	char link[64], path[4096];
	const char *hang = getenv("SHIM_HANG");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	while (hang && !strcmp(path, hang))
		pause();
	return ((int (*)(int, struct statfs *))dlsym(RTLD_NEXT, "fstatfs"))(fd, answer);
}
"""


def preloads(test):
	"""A preloaded library and a sanitizer exclude each other: under one the test is not there."""
	return None if os.environ.get("WEIR_SAN") else test


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
	"""The path of a library to preload."""
	compiler = shutil.which(os.environ.get("CC") or "cc")
	if not compiler:
		pytest.skip("no compiler")
	folder = tmp_path_factory.mktemp("shim")
	(folder / "shim.c").write_text(SHIM)
	subprocess.run([compiler, "-shared", "-fPIC", "-o", folder / "shim.so", folder / "shim.c", "-ldl"], check=True)
	return str(folder / "shim.so")


@preloads
def test_pressure_switched_off(shim):
	environment = {"LD_PRELOAD": shim, "SHIM_REFUSE": "/proc/pressure/", "SHIM_ERRNO": "95"}
	root = tree("debian12-vm")
	assert not rows("pressure", root, environment=environment)
	found = capability("pressure", root, environment=environment)
	assert found == {f"/proc/pressure/{name}": ("unsupported", "boot with psi=1") for name in ("cpu", "memory", "io", "irq")}


# ---- kernel ----
def test_kernel_small_things(tmp_path):
	write(tmp_path, {
		"proc/sys/fs/file-nr": "1000\t100\t9223372036854775807\n",
		"proc/sys/fs/dentry-state": "10\t9\t45\t0\t0\t0\n",
		"proc/sys/kernel/osrelease": "4.18.0-513.el8.x86_64\n",
		"proc/sys/kernel/tainted": "4097\n", "proc/locks": "1: POSIX ADVISORY WRITE 1 08:02:3 0 EOF\n2: FLOCK ADVISORY WRITE 2 08:02:4 0 EOF\n",
		"sys/kernel/oops_count": "3\n", "sys/kernel/warn_count": "18446744073709551615\n", "proc/uptime": "0.05 1234567.80\n"})
	check(one("kernel", tmp_path), {
		"files_allocated": 900, "files_max": 9223372036854775807, "dentries": 10, "dentries_unused": 9, "dentries_negative": None,
		"tainted": 4097, "locks": None, "oops": 3, "warnings": 18446744073709551615, "uptime": 0.05, "idle_time": 1234567.8,
		"shm_segments": None})
	write(tmp_path, {"proc/sys/kernel/osrelease": "6.1.0\n"})
	check(one("kernel", tmp_path, "-o", "kernel.locks=yes"), {"dentries_negative": 0, "locks": 2})


def test_kernel_live():
	row = one("kernel", None)
	assert row["files_max"] > 0 and row["uptime"] > 1 and row["pid_max"] >= 301
	assert abs(row["uptime"] - float(Path("/proc/uptime").read_text().split()[0])) < 60
	refused = "adjtimex" in capability("kernel", None)
	assert refused or (row["clock_synchronized"] in (True, False) and abs(row["clock_offset"]) <= 1)


# ---- host ----
ARM = """processor\t: 0
BogoMIPS\t: 50.00
Features\t: fp asimd
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x3
CPU part\t: 0xd0c
CPU revision\t: 1

processor\t: 1
CPU implementer\t: 0x48
"""


def test_host_arm(tmp_path):
	write(tmp_path, {
		"proc/cpuinfo": ARM, CPU + "/cpu0/acpi_cppc/nominal_freq": "3000\n", CPU + "/cpu0/cpufreq/cpuinfo_max_freq": "3300000\n",
		"sys/class/dmi/id/sys_vendor": "QEMU\n"})
	check(one("host", tmp_path), {
		"cpu_vendor": "ARM", "cpu_model": "Neoverse-N1", "cpu_family": 8, "cpu_model_number": 0xd0c, "cpu_stepping": 0x31,
		"machine": "aarch64", "nominal_frequency": 3000000000, "max_frequency": 3300000000, "virtualization": "qemu",
		"microcode": None})


def topology(cpus):
	"""cpus: number -> (package, die, core)"""
	files = {}
	for cpu, (package, die, core) in cpus.items():
		folder = f"{CPU}/cpu{cpu}/topology"
		files |= {f"{folder}/physical_package_id": f"{package}\n", f"{folder}/die_id": f"{die}\n", f"{folder}/core_id": f"{core}\n"}
	return files


def test_host_topology(tmp_path):
	"""Two packages of two dies of two cores of two threads; core numbers repeat in each die; four processors are offline."""
	cpus = {p * 8 + d * 4 + c * 2 + t: (p, d, c) for p in (0, 1) for d in (0, 1) for c in (0, 1) for t in (0, 1)}
	offline = (1, 3, 5, 7)
	files = topology({cpu: place for cpu, place in cpus.items() if cpu not in offline})
	files |= {CPU + "/online": "0,2,4,6,8-15\n", CPU + "/isolated": "8-11\n", "sys/devices/system/node/online": "0-1,4\n"}
	for index, (level, kind, size) in enumerate([(1, "Data", "48K"), (1, "Instruction", "32K"), (2, "Unified", "2048K"), (3, "Unified", "36M")]):
		folder = f"{CPU}/cpu0/cache/index{index}"
		files |= {f"{folder}/level": f"{level}\n", f"{folder}/type": f"{kind}\n", f"{folder}/size": f"{size}\n"}
	for first in (0, 4, 8, 12):
		files[f"{CPU}/cpu{first}/cache/index3/shared_cpu_list"] = f"{first}-{first + 3}\n"
	write(tmp_path, files)
	check(one("host", tmp_path), {
		"cpus": 12, "cores": 8, "sockets": 2, "threads_per_core": 2, "numa_nodes": 3, "cpus_online": "0,2,4,6,8-15",
		"cpus_isolated": "8-11", "l1d": 48 * 1024, "l2": 2 << 20, "l3": 36 << 20, "l3_instances": 4})
	# A processor that says nothing of itself: counts of the others would be too small.
	(tmp_path / CPU / "cpu15/topology/core_id").unlink()
	check(one("host", tmp_path), {"cpus": 12, "cores": None, "threads_per_core": None, "sockets": 2})


def test_host_settings(tmp_path):
	write(tmp_path, {
		"proc/cpuinfo": "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R) CPU @ 2300.5MHz\nflags\t\t: fpu lm\n\n",
		"sys/class/dmi/id/product_name": "KVM\n",  # bare metal of a cloud: the processor knows of no hypervisor
		"etc/os-release": "NAME=Other\nID='rocky'\nVERSION_ID=\"9.4\"\nPRETTY_NAME=\"Rocky \\\"Linux\\\" 9.4\"\n",
		"usr/lib/os-release": "ID=wrong\n", "proc/cmdline": "ro quiet token=x\n", "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
		"sys/fs/selinux/enforce": "1", "etc/timezone": "Europe/Paris\n", CPU + "/smt/active": "1\n",
		"sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never\n", "proc/sys/kernel/arch": "x86_64\n"})
	check(one("host", tmp_path), {
		"nominal_frequency": 2300500000, "virtualization": "none", "os_id": "rocky", "os_version": "9.4",
		"os_name": "Rocky \"Linux\" 9.4", "boot_cmdline": None, "machine_id": None, "selinux": "enforcing",
		"timezone": "Europe/Paris", "smt": True, "thp": "always", "machine": "x86_64", "product": "KVM"})
	(tmp_path / "etc/localtime").symlink_to("../usr/share/zoneinfo/America/New_York")
	row = one("host", tmp_path, "-o", "host.boot_cmdline=yes", "-o", "host.machine_id=yes", "-o", "host.page_size=64KiB",
		"-o", "host.clock_tick=1000")
	check(row, {"boot_cmdline": "ro quiet token=x", "timezone": "America/New_York", "page_size": 65536, "clock_tick": 1000})
	assert len(row["machine_id"]) == 16 and int(row["machine_id"], 16) and row["machine_id"] not in "0123456789abcdef" * 2


def test_host_is_told_once():
	found = rows("host", tree("debian12-vm"), "--count", "3", "--interval", "20ms")
	assert len(found) == 1


def test_host_nothing(tmp_path):
	assert not rows("host", tmp_path)
	assert capability("host", tmp_path)["/proc/meminfo"][0] == "absent"


@preloads
def test_host_serial_is_for_root(tmp_path, shim):
	write(tmp_path, {"sys/class/dmi/id/product_serial": "S1\n", "sys/class/dmi/id/product_name": "P1\n"})
	environment = {"LD_PRELOAD": shim, "SHIM_REFUSE": "product_serial", "SHIM_ERRNO": "13"}
	check(one("host", tmp_path, environment=environment), {"product": "P1", "serial": None})
	status, reason = capability("host", tmp_path, environment=environment)["/sys/class/dmi/id/product_serial"]
	assert status == "refused" and "CAP_DAC_READ_SEARCH" in reason
	check(one("host", tmp_path), {"serial": "S1"})


def test_host_pci_devices(tmp_path):
	folder = "sys/bus/pci/devices/0000:3b:00.0"
	write(tmp_path, {
		f"{folder}/class": "0x020700\n", f"{folder}/vendor": "0x15b3\n", f"{folder}/device": "0x1021\n",
		f"{folder}/subsystem_vendor": "0x15b3\n", f"{folder}/subsystem_device": "0x0041\n", f"{folder}/numa_node": "1\n",
		f"{folder}/current_link_speed": "2.5 GT/s PCIe\n", f"{folder}/max_link_speed": "32.0 GT/s PCIe\n",
		f"{folder}/current_link_width": "8\n", f"{folder}/max_link_width": "16\n",
		"sys/bus/pci/devices/0000:00:00.0/vendor": "0x8086\n", "sys/bus/pci/devices/0000:00:00.0/numa_node": "-1\n",
		"sys/bus/pci/devices/0000:00:00.0/max_link_width": "255\n",
		"sys/bus/pci/devices/0000:00:00.0/max_link_speed": "Unknown speed\n"})
	(tmp_path / folder / "driver").symlink_to("../../../../bus/pci/drivers/mlx5_core")
	assert not [row for row in run("host", tmp_path) if row["schema"] == "pci_device"]
	found = {row["address"]: row for row in run("host", tmp_path, "-o", "host.pci_devices=yes") if row["schema"] == "pci_device"}
	assert sorted(found) == ["0000:00:00.0", "0000:3b:00.0"]
	check(found["0000:3b:00.0"], {
		"class": "0x020700", "vendor": "0x15b3", "device": "0x1021", "subsystem": "0x15b3:0x0041", "driver": "mlx5_core",
		"numa_node": 1, "link_speed": 2500000000, "link_speed_max": 32000000000, "link_width": 8, "link_width_max": 16})
	check(found["0000:00:00.0"], {
		"vendor": "0x8086", "driver": None, "numa_node": None, "link_speed_max": None, "link_width_max": None, "link_width": None})


def smbios(kind, body, *strings):
	text = b"".join(string.encode() + b"\0" for string in strings) or b"\0"
	return bytes([kind, len(body) + 4, 0x40 + kind, 0]) + body + text + b"\0"


def memory_device(size, extended=0, configured=4800):
	body = bytearray(0x28 - 4)
	for offset, value, width in [
			(0x0c, size, 2), (0x10, 1, 1), (0x11, 2, 1), (0x12, 0x22, 1), (0x15, 5600, 2), (0x17, 3, 1), (0x18, 4, 1), (0x1a, 5, 1),
			(0x1c, extended, 4), (0x20, configured, 2)]:
		body[offset - 4:offset - 4 + width] = value.to_bytes(width, "little")
	return bytes(body)


def test_host_dimms(tmp_path):
	strings = ("DIMM_A1", "BANK 0", "Micron ", "0001", " MTC20F")
	table = smbios(0, bytes(20), "vendor") + smbios(17, memory_device(16384), *strings)
	table += smbios(17, memory_device(0), "DIMM_A2")  # an empty slot
	path = write(tmp_path, {"sys/firmware/dmi/tables/DMI": table + smbios(127, b"")})
	found = [row for row in run("host", path, "-o", "host.dimms=yes") if row["schema"] == "dimm"]
	assert len(found) == 1
	check(found[0], {
		"dimm": "0x0051", "label": "DIMM_A1", "location": "BANK 0", "size": 16 << 30, "type": "DDR5", "speed": 4800000000,
		"manufacturer": "Micron", "part_number": "MTC20F", "serial": "0001"})
	write(tmp_path, {"sys/firmware/dmi/tables/DMI": smbios(17, memory_device(0x7fff, 131072, 0), *strings)})
	check([row for row in run("host", path, "-o", "host.dimms=yes") if row["schema"] == "dimm"][0], {
		"size": 128 << 30, "speed": 5600000000})
	for end in range(0, len(table), 3):
		(tmp_path / "sys/firmware/dmi/tables/DMI").write_bytes(table[:end])
		assert len([row for row in run("host", path, "-o", "host.dimms=yes") if row["schema"] == "dimm"]) <= 1


def test_host_dimms_of_edac(tmp_path):
	folder = "sys/devices/system/edac/mc/mc1/dimm3"
	write(tmp_path, {
		f"{folder}/dimm_label": "CPU_SrcID#1_MC#0_Chan#1_DIMM#1\n", f"{folder}/size": "16384\n",
		f"{folder}/dimm_mem_type": "Registered-DDR4\n", f"{folder}/dimm_location": "channel 1 slot 1\n"})
	found = [row for row in run("host", tmp_path, "-o", "host.dimms=yes") if row["schema"] == "dimm"]
	assert len(found) == 1
	check(found[0], {
		"dimm": "mc1/dimm3", "label": "CPU_SrcID#1_MC#0_Chan#1_DIMM#1", "size": 16 << 30, "type": "Registered-DDR4",
		"location": "channel 1 slot 1", "speed": None})


# ---- filesystem ----
MOUNTS = r"""1 1 0:1 / / rw - rootfs rootfs rw
22 1 8:2 / / rw,relatime shared:1 master:2 propagate_from:3 - ext4 /dev/sda2 rw,errors=remount-ro
23 22 8:2 /srv/a /srv/b rw - ext4 /dev/sda2 rw
24 22 8:3 / /with\040blank\011tab\012line\134backslash\043hash rw - xfs /dev/sda3 ro,attr2
25 22 0:30 / /tmp rw,nosuid - tmpfs tmpfs rw,size=1k
26 22 0:31 / /run/user/0 rw - tmpfs tmpfs rw
27 22 0:32 /@home /home rw - btrfs /dev/sdb1 rw,space_cache=v2,subvolid=256,subvol=/@home
28 22 0:32 /@home/x /mnt/bind rw - btrfs /dev/sdb1 rw,space_cache=v2,subvolid=256,subvol=/@home
29 22 0:33 / /auto rw - autofs /etc/auto.data rw,fd=6
30 22 0:34 / /auto2 rw - autofs /etc/auto.data rw,fd=6
31 30 0:35 / /auto2 rw - nfs4 srv:/data rw,vers=4.2
32 22 0:36 / /snap/core ro - squashfs /dev/loop0 ro
33 22 0:37 / /var/lib/docker/overlay rw - overlay overlay rw,lowerdir=/a:/b
34 22 8:2 / /again rw - ext4 /dev/sda2 rw
35 22 8:5 / /covered rw - ext4 /dev/sda5 rw
36 22 8:6 / /covered rw - ext4 /dev/sda6 rw
37 22 0:38 / /tank rw - zfs tank/home rw
38 22 0:39 / /portal rw - fuse.portal portal rw
39 22 0:40 / /remote ro - fuse.sshfs me@far:/x rw
"""


def mounts(root, *arguments):
	return {row["mount"]: row for row in rows("filesystem", root, *arguments)}


def test_filesystem_choice(tmp_path):
	write(tmp_path, {"proc/self/mountinfo": MOUNTS})
	found = mounts(tmp_path)
	assert {mount: row["device"] for mount, row in found.items()} == {
		"/": "/dev/sda2", "/with blank\ttab\nline\\backslash#hash": "/dev/sda3", "/tmp": "tmpfs", "/home": "/dev/sdb1",
		"/auto2": "srv:/data", "/covered": "/dev/sda6", "/tank": "tank/home", "/remote": "me@far:/x"}
	assert {mount for mount, row in found.items() if row["read_only"]} == {
		"/with blank\ttab\nline\\backslash#hash", "/remote"}


def test_filesystem_include_and_exclude(tmp_path):
	write(tmp_path, {"proc/self/mountinfo": MOUNTS})
	assert set(mounts(tmp_path, "-o", "filesystem.exclude=/t*,/auto2,/remote")) == {
		"/", "/with blank\ttab\nline\\backslash#hash", "/home", "/covered"}
	assert set(mounts(tmp_path, "-o", "filesystem.include=/run/*,/auto*,/var/*,/srv/b")) == {
		"/run/user/0", "/auto2", "/var/lib/docker/overlay", "/srv/b"}


def test_filesystem_sources(tmp_path):
	root = write(tmp_path, {
		"proc/self/mountinfo": "22 1 8:2 / /a rw - ext4 /dev/a rw\n", "proc/1/mountinfo": "22 1 8:2 / /b rw - ext4 /dev/b rw\n",
		"proc/mounts": "/dev/c /c ext4 ro,relatime 0 0\n/dev/c /bind ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\ntmpfs /run tmpfs rw 0 0\n"
			"srv:/x\\040y /d\\040e nfs rw 0 0\n"})
	assert set(mounts(root)) == {"/a"}
	(root / "proc/self/mountinfo").unlink()
	assert set(mounts(root)) == {"/b"}
	(root / "proc/1/mountinfo").unlink()
	found = mounts(root)
	assert {mount: (row["device"], row["read_only"]) for mount, row in found.items()} == {
		"/c": ("/dev/c", True), "/tmp": ("tmpfs", False), "/run": ("tmpfs", False), "/d e": ("srv:/x y", False)}
	(root / "proc/mounts").unlink()
	assert capability("filesystem", root)["/proc/self/mountinfo"][0] == "absent"


def some_mount():
	"""A mount of this machine that has numbers."""
	found = [row for row in rows("filesystem", None) if row["size"]]
	if not found:
		pytest.skip("no file system of this machine is reported")
	return found[0]


def test_filesystem_live():
	row = some_mount()
	numbers = os.statvfs(row["mount"])
	assert row["size"] == numbers.f_blocks * numbers.f_frsize
	assert row["files"] == (numbers.f_files or None)
	assert 0 <= row["available"] <= row["free"] <= row["size"]
	assert row["read_only"] == bool(numbers.f_flag & os.ST_RDONLY)


@preloads
def test_filesystem_hangs(shim):
	mount = some_mount()["mount"]
	environment = {"LD_PRELOAD": shim, "SHIM_HANG": mount}
	arguments = ("-o", "filesystem.deadline=200ms", "--count", "3", "--interval", "10ms")
	found = run("filesystem", None, *arguments, environment=environment)
	stuck = [row for row in found if row["schema"] == "filesystem" and row["mount"] == mount]
	assert [row["size"] for row in stuck] == [None, None, None]
	others = [row for row in found if row["schema"] == "filesystem" and row["mount"] != mount]
	assert all(row["size"] is not None for row in others)
	told = [row for row in found if row["schema"] == "capability"]
	assert [(row["item"], row["status"]) for row in told] == [(mount, "failed")]
	assert told[0]["reason"].startswith("stuck: ") and "60 s" in told[0]["reason"]


# ---- damaged files ----
def inputs(root):
	return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


KERNEL = [
	"proc/uptime", "proc/sysvipc/shm", "proc/sysvipc/sem", "proc/sysvipc/msg", "proc/sys/fs", "proc/sys/kernel", "sys/kernel/oops_count",
	"sys/kernel/warn_count"]
HOST = [
	"etc/os-release", "proc/cpuinfo", "proc/meminfo", "proc/stat", "proc/sys/kernel", "proc/sys/vm", "sys/devices/system",
	"sys/kernel/mm/transparent_hugepage"]
DAMAGED = [
	("snmp", "debian12-vm", ["proc/net/snmp"]), ("netstat", "debian12-vm", ["proc/net/netstat"]),
	("softnet", "debian12-vm", ["proc/net/softnet_stat", CPU + "/online"]),
	("sockstat", "debian12-vm", ["proc/net/sockstat", "proc/net/sockstat6"]),
	("pressure", "debian12-vm", ["proc/pressure"]), ("kernel", "debian12-vm", KERNEL), ("host", "debian12-vm", HOST),
	("filesystem", "synth-fabric-node", ["proc/self/mountinfo"]),
]
KEYS = {"softnet": "cpu", "pressure": "resource", "filesystem": "mount"}
NOT_VALUES = {"time", "version"}


def damages(data):
	"""Beginnings of a text, up to 40 of them."""
	step = max(1, len(data) // 40)
	return [data[:end] for end in range(1, len(data), step)]


def compare(sampler, before, after, text_may_differ):
	key = KEYS.get(sampler)
	known = {row[key] if key else None: row for row in before}
	for row in after:
		old = known[row[key] if key else None]
		for column, value in row.items():
			if column in NOT_VALUES or value is None or (text_may_differ and isinstance(value, str)):
				continue
			assert value == old[column], column


@pytest.mark.parametrize("sampler,name,parts", DAMAGED, ids=[case[0] for case in DAMAGED])
def test_damaged_files(tmp_path, sampler, name, parts):
	source = tree(name)
	files = [path for part in parts for path in (
		[part] if (source / part).is_file() else [f"{part}/{file}" for file in inputs(source / part)])]
	files = [path for path in files if (source / path).stat().st_size < 30000]
	write(tmp_path, {path: (source / path).read_bytes() for path in files})
	before = rows(sampler, tmp_path)
	assert before
	dice = random.Random(4711)
	for path in files:
		if "vulnerabilities/" in path and Path(path).name not in ("mds", "spec_store_bypass", "spectre_v2"):
			continue  # some of many that are alike
		file = tmp_path / path
		data = file.read_bytes()
		sums = "/sysvipc/" in path  # a table cut between two lines is a shorter table
		file.unlink()
		# What the kernel does not know of does not count as a fault.
		compare(sampler, before, [
			{**row, "mitigations": None} if "vulnerabilities" in path else row for row in rows(sampler, tmp_path)], False)
		for text in [b"", *(cut for cut in damages(data) if not (sums and cut.endswith(b"\n")))]:
			file.write_bytes(text)
			compare(sampler, before, rows(sampler, tmp_path), False)
		for size in (3, 100, 5000):
			file.write_bytes(dice.randbytes(size))
			compare(sampler, before, rows(sampler, tmp_path), True)
		file.write_bytes(data)
	compare(sampler, before, rows(sampler, tmp_path), False)
	assert len(rows(sampler, tmp_path)) == len(before)


MISSING = [
	("snmp", "/proc/net/snmp"), ("netstat", "/proc/net/netstat"), ("softnet", "/proc/net/softnet_stat"),
	("sockstat", "/proc/net/sockstat"), ("pressure", "/proc/pressure/cpu"), ("kernel", "/proc/sys/fs/file-nr"),
	("filesystem", "/proc/self/mountinfo"), ("host", "/proc/meminfo"),
]


@pytest.mark.parametrize("sampler,item", MISSING)
def test_nothing_there(tmp_path, sampler, item):
	assert not rows(sampler, tmp_path)
	assert capability(sampler, tmp_path)[item] == ("absent", "there is no such file")
