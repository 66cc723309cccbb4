/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netstat: what Linux counts of TCP and IP beyond the classic MIBs, from /proc/net/netstat. A
 * chosen part of some 150 keys; the rest is to be had by name through `extra`.
 */
#include <errno.h>

#include <weir/records.h>
#include <weir/sampler.h>

struct netstat {
	struct weir_file *file;
	struct weir_keys *keys;
	struct weir_list extra;
};

enum column {
	TCPEXT_SYNCOOKIES_SENT, TCPEXT_SYNCOOKIES_RECV, TCPEXT_SYNCOOKIES_FAILED, TCPEXT_EMBRYONIC_RSTS,
	TCPEXT_PRUNE_CALLED, TCPEXT_RCV_PRUNED, TCPEXT_OFO_PRUNED, TCPEXT_TW, TCPEXT_PAWS_ESTAB,
	TCPEXT_DELAYED_ACKS, TCPEXT_LISTEN_OVERFLOWS, TCPEXT_LISTEN_DROPS, TCPEXT_HP_HITS,
	TCPEXT_PURE_ACKS, TCPEXT_SACK_RECOVERY, TCPEXT_RENO_RECOVERY, TCPEXT_LOST_RETRANSMIT,
	TCPEXT_FAST_RETRANS, TCPEXT_SLOW_START_RETRANS, TCPEXT_TIMEOUTS, TCPEXT_LOSS_PROBES,
	TCPEXT_LOSS_PROBE_RECOVERY, TCPEXT_BACKLOG_DROP, TCPEXT_RCV_COLLAPSED, TCPEXT_ABORT_ON_DATA,
	TCPEXT_ABORT_ON_CLOSE, TCPEXT_ABORT_ON_MEMORY, TCPEXT_ABORT_ON_TIMEOUT, TCPEXT_MEMORY_PRESSURES,
	TCPEXT_MEMORY_PRESSURE_TIME, TCPEXT_RETRANS_FAIL, TCPEXT_SYN_RETRANS, TCPEXT_ORIG_DATA_SENT,
	TCPEXT_RCV_Q_DROP, TCPEXT_OFO_QUEUE, TCPEXT_OFO_DROP, TCPEXT_ZERO_WINDOW_DROP,
	TCPEXT_REQ_QFULL_DROP, TCPEXT_DSACK_RECV, TCPEXT_SPURIOUS_RTOS, IPEXT_IN_OCTETS,
	IPEXT_OUT_OCTETS, IPEXT_IN_MCAST_OCTETS, IPEXT_OUT_MCAST_OCTETS, IPEXT_IN_BCAST_OCTETS,
	IPEXT_OUT_BCAST_OCTETS, IPEXT_IN_NO_ROUTES, IPEXT_IN_TRUNCATED_PKTS, IPEXT_IN_MCAST_PKTS,
	IPEXT_OUT_MCAST_PKTS, IPEXT_IN_BCAST_PKTS, IPEXT_OUT_BCAST_PKTS, IPEXT_IN_CSUM_ERRORS,
	IPEXT_IN_NO_ECT_PKTS, IPEXT_IN_ECT1_PKTS, IPEXT_IN_ECT0_PKTS, IPEXT_IN_CE_PKTS,
	IPEXT_REASM_OVERLAPS,
};

static const struct weir_column columns[] = {
	[TCPEXT_SYNCOOKIES_SENT] = WEIR_COUNTER_U64("tcpext_syncookies_sent", "1", "SYN cookies sent"),
	[TCPEXT_SYNCOOKIES_RECV] =
		WEIR_COUNTER_U64("tcpext_syncookies_recv", "1", "SYN cookies received"),
	[TCPEXT_SYNCOOKIES_FAILED] =
		WEIR_COUNTER_U64("tcpext_syncookies_failed", "1", "SYN cookies received that were invalid"),
	[TCPEXT_EMBRYONIC_RSTS] =
		WEIR_COUNTER_U64("tcpext_embryonic_rsts", "1", "resets received for half-open connections"),
	[TCPEXT_PRUNE_CALLED] = WEIR_COUNTER_U64(
		"tcpext_prune_called", "1", "times a socket's receive queue was pruned for lack of room"),
	[TCPEXT_RCV_PRUNED] =
		WEIR_COUNTER_U64("tcpext_rcv_pruned", "1", "packets pruned from receive queues"),
	[TCPEXT_OFO_PRUNED] =
		WEIR_COUNTER_U64("tcpext_ofo_pruned", "1", "packets pruned from out-of-order queues"),
	[TCPEXT_TW] = WEIR_COUNTER_U64("tcpext_tw", "1", "sockets that left TIME-WAIT on a fast timer"),
	[TCPEXT_PAWS_ESTAB] = WEIR_COUNTER_U64("tcpext_paws_estab", "1",
		"packets of established connections rejected for their timestamp"),
	[TCPEXT_DELAYED_ACKS] =
		WEIR_COUNTER_U64("tcpext_delayed_acks", "1", "delayed acknowledgements sent"),
	[TCPEXT_LISTEN_OVERFLOWS] = WEIR_COUNTER_U64(
		"tcpext_listen_overflows", "1", "times the queue of a listening socket overflowed"),
	[TCPEXT_LISTEN_DROPS] = WEIR_COUNTER_U64(
		"tcpext_listen_drops", "1", "connection requests dropped by listening sockets"),
	[TCPEXT_HP_HITS] =
		WEIR_COUNTER_U64("tcpext_hp_hits", "1", "packets taken by header prediction"),
	[TCPEXT_PURE_ACKS] =
		WEIR_COUNTER_U64("tcpext_pure_acks", "1", "acknowledgements received without data"),
	[TCPEXT_SACK_RECOVERY] = WEIR_COUNTER_U64(
		"tcpext_sack_recovery", "1", "recoveries from loss by selective acknowledgement"),
	[TCPEXT_RENO_RECOVERY] = WEIR_COUNTER_U64(
		"tcpext_reno_recovery", "1", "recoveries from loss without selective acknowledgement"),
	[TCPEXT_LOST_RETRANSMIT] = WEIR_COUNTER_U64(
		"tcpext_lost_retransmit", "1", "retransmitted segments that were lost again"),
	[TCPEXT_FAST_RETRANS] =
		WEIR_COUNTER_U64("tcpext_fast_retrans", "1", "segments sent by fast retransmit"),
	[TCPEXT_SLOW_START_RETRANS] =
		WEIR_COUNTER_U64("tcpext_slow_start_retrans", "1", "segments retransmitted in slow start"),
	[TCPEXT_TIMEOUTS] = WEIR_COUNTER_U64("tcpext_timeouts", "1", "retransmission timeouts"),
	[TCPEXT_LOSS_PROBES] = WEIR_COUNTER_U64("tcpext_loss_probes", "1", "tail loss probes sent"),
	[TCPEXT_LOSS_PROBE_RECOVERY] =
		WEIR_COUNTER_U64("tcpext_loss_probe_recovery", "1", "losses repaired by tail loss probes"),
	[TCPEXT_BACKLOG_DROP] = WEIR_COUNTER_U64(
		"tcpext_backlog_drop", "1", "packets dropped because a socket's backlog was full"),
	[TCPEXT_RCV_COLLAPSED] = WEIR_COUNTER_U64(
		"tcpext_rcv_collapsed", "1", "packets collapsed in receive queues for lack of room"),
	[TCPEXT_ABORT_ON_DATA] = WEIR_COUNTER_U64(
		"tcpext_abort_on_data", "1", "connections reset because data came after close"),
	[TCPEXT_ABORT_ON_CLOSE] = WEIR_COUNTER_U64("tcpext_abort_on_close", "1",
		"connections reset because they were closed with data unread"),
	[TCPEXT_ABORT_ON_MEMORY] =
		WEIR_COUNTER_U64("tcpext_abort_on_memory", "1", "connections reset for lack of memory"),
	[TCPEXT_ABORT_ON_TIMEOUT] =
		WEIR_COUNTER_U64("tcpext_abort_on_timeout", "1", "connections given up after timeouts"),
	[TCPEXT_MEMORY_PRESSURES] = WEIR_COUNTER_U64(
		"tcpext_memory_pressures", "1", "times that TCP came under memory pressure"),
	[TCPEXT_MEMORY_PRESSURE_TIME] = WEIR_COUNTER_REAL("tcpext_memory_pressure_time", "s", 1000,
		"time that TCP was under memory pressure (Linux 4.15)"),
	[TCPEXT_RETRANS_FAIL] =
		WEIR_COUNTER_U64("tcpext_retrans_fail", "1", "retransmissions that could not be sent"),
	[TCPEXT_SYN_RETRANS] =
		WEIR_COUNTER_U64("tcpext_syn_retrans", "1", "SYN and SYN-ACK segments retransmitted"),
	[TCPEXT_ORIG_DATA_SENT] =
		WEIR_COUNTER_U64("tcpext_orig_data_sent", "1", "data segments sent for the first time"),
	[TCPEXT_RCV_Q_DROP] = WEIR_COUNTER_U64(
		"tcpext_rcv_q_drop", "1", "packets dropped because a receive queue was full"),
	[TCPEXT_OFO_QUEUE] =
		WEIR_COUNTER_U64("tcpext_ofo_queue", "1", "packets received out of order and queued"),
	[TCPEXT_OFO_DROP] =
		WEIR_COUNTER_U64("tcpext_ofo_drop", "1", "packets received out of order and dropped"),
	[TCPEXT_ZERO_WINDOW_DROP] = WEIR_COUNTER_U64(
		"tcpext_zero_window_drop", "1", "packets dropped because the receive window was closed"),
	[TCPEXT_REQ_QFULL_DROP] = WEIR_COUNTER_U64(
		"tcpext_req_qfull_drop", "1", "connection requests dropped because the queue was full"),
	[TCPEXT_DSACK_RECV] =
		WEIR_COUNTER_U64("tcpext_dsack_recv", "1", "duplicate selective acknowledgements received"),
	[TCPEXT_SPURIOUS_RTOS] = WEIR_COUNTER_U64(
		"tcpext_spurious_rtos", "1", "retransmission timeouts that turned out to be needless"),
	[IPEXT_IN_OCTETS] = WEIR_COUNTER_U64("ipext_in_octets", "By", "bytes received in IP datagrams"),
	[IPEXT_OUT_OCTETS] = WEIR_COUNTER_U64("ipext_out_octets", "By", "bytes sent in IP datagrams"),
	[IPEXT_IN_MCAST_OCTETS] =
		WEIR_COUNTER_U64("ipext_in_mcast_octets", "By", "bytes received in multicast datagrams"),
	[IPEXT_OUT_MCAST_OCTETS] =
		WEIR_COUNTER_U64("ipext_out_mcast_octets", "By", "bytes sent in multicast datagrams"),
	[IPEXT_IN_BCAST_OCTETS] =
		WEIR_COUNTER_U64("ipext_in_bcast_octets", "By", "bytes received in broadcast datagrams"),
	[IPEXT_OUT_BCAST_OCTETS] =
		WEIR_COUNTER_U64("ipext_out_bcast_octets", "By", "bytes sent in broadcast datagrams"),
	[IPEXT_IN_NO_ROUTES] = WEIR_COUNTER_U64(
		"ipext_in_no_routes", "1", "datagrams received and dropped because no route was found"),
	[IPEXT_IN_TRUNCATED_PKTS] = WEIR_COUNTER_U64("ipext_in_truncated_pkts", "1",
		"datagrams dropped because they were shorter than they said"),
	[IPEXT_IN_MCAST_PKTS] =
		WEIR_COUNTER_U64("ipext_in_mcast_pkts", "1", "multicast datagrams received"),
	[IPEXT_OUT_MCAST_PKTS] =
		WEIR_COUNTER_U64("ipext_out_mcast_pkts", "1", "multicast datagrams sent"),
	[IPEXT_IN_BCAST_PKTS] =
		WEIR_COUNTER_U64("ipext_in_bcast_pkts", "1", "broadcast datagrams received"),
	[IPEXT_OUT_BCAST_PKTS] =
		WEIR_COUNTER_U64("ipext_out_bcast_pkts", "1", "broadcast datagrams sent"),
	[IPEXT_IN_CSUM_ERRORS] =
		WEIR_COUNTER_U64("ipext_in_csum_errors", "1", "datagrams received with a wrong checksum"),
	[IPEXT_IN_NO_ECT_PKTS] = WEIR_COUNTER_U64(
		"ipext_in_no_ect_pkts", "1", "datagrams received without congestion marks"),
	[IPEXT_IN_ECT1_PKTS] = WEIR_COUNTER_U64(
		"ipext_in_ect1_pkts", "1", "datagrams received with congestion mark ECT(1)"),
	[IPEXT_IN_ECT0_PKTS] = WEIR_COUNTER_U64(
		"ipext_in_ect0_pkts", "1", "datagrams received with congestion mark ECT(0)"),
	[IPEXT_IN_CE_PKTS] =
		WEIR_COUNTER_U64("ipext_in_ce_pkts", "1", "datagrams received that met congestion"),
	[IPEXT_REASM_OVERLAPS] =
		WEIR_COUNTER_U64("ipext_reasm_overlaps", "1", "fragments that overlapped others"),
};

enum schema_number { NETSTAT, KEYVALUE };
static const struct weir_schema netstat =
	WEIR_SERIES("netstat", columns, "extended counters of TCP and IP of the host");
static const struct weir_schema *const schemas[] = {
	[NETSTAT] = &netstat, [KEYVALUE] = &weir_schema_keyvalue, NULL
};

static const struct weir_option options[] = {
	WEIR_LIST_OPTION(struct netstat, extra, NULL,
		"further keys of the file, as TcpExt.TCPDelivered, written to the schema keyvalue"),
	WEIR_OPTIONS_END,
};

static const struct weir_keyword keys[] = {
	{ "TcpExt.SyncookiesSent", TCPEXT_SYNCOOKIES_SENT, 0 },
	{ "TcpExt.SyncookiesRecv", TCPEXT_SYNCOOKIES_RECV, 0 },
	{ "TcpExt.SyncookiesFailed", TCPEXT_SYNCOOKIES_FAILED, 0 },
	{ "TcpExt.EmbryonicRsts", TCPEXT_EMBRYONIC_RSTS, 0 },
	{ "TcpExt.PruneCalled", TCPEXT_PRUNE_CALLED, 0 },
	{ "TcpExt.RcvPruned", TCPEXT_RCV_PRUNED, 0 },
	{ "TcpExt.OfoPruned", TCPEXT_OFO_PRUNED, 0 },
	{ "TcpExt.TW", TCPEXT_TW, 0 },
	{ "TcpExt.PAWSEstab", TCPEXT_PAWS_ESTAB, 0 },
	{ "TcpExt.DelayedACKs", TCPEXT_DELAYED_ACKS, 0 },
	{ "TcpExt.ListenOverflows", TCPEXT_LISTEN_OVERFLOWS, 0 },
	{ "TcpExt.ListenDrops", TCPEXT_LISTEN_DROPS, 0 },
	{ "TcpExt.TCPHPHits", TCPEXT_HP_HITS, 0 },
	{ "TcpExt.TCPPureAcks", TCPEXT_PURE_ACKS, 0 },
	{ "TcpExt.TCPSackRecovery", TCPEXT_SACK_RECOVERY, 0 },
	{ "TcpExt.TCPRenoRecovery", TCPEXT_RENO_RECOVERY, 0 },
	{ "TcpExt.TCPLostRetransmit", TCPEXT_LOST_RETRANSMIT, 0 },
	{ "TcpExt.TCPFastRetrans", TCPEXT_FAST_RETRANS, 0 },
	{ "TcpExt.TCPSlowStartRetrans", TCPEXT_SLOW_START_RETRANS, 0 },
	{ "TcpExt.TCPTimeouts", TCPEXT_TIMEOUTS, 0 },
	{ "TcpExt.TCPLossProbes", TCPEXT_LOSS_PROBES, 0 },
	{ "TcpExt.TCPLossProbeRecovery", TCPEXT_LOSS_PROBE_RECOVERY, 0 },
	{ "TcpExt.TCPBacklogDrop", TCPEXT_BACKLOG_DROP, 0 },
	{ "TcpExt.TCPRcvCollapsed", TCPEXT_RCV_COLLAPSED, 0 },
	{ "TcpExt.TCPAbortOnData", TCPEXT_ABORT_ON_DATA, 0 },
	{ "TcpExt.TCPAbortOnClose", TCPEXT_ABORT_ON_CLOSE, 0 },
	{ "TcpExt.TCPAbortOnMemory", TCPEXT_ABORT_ON_MEMORY, 0 },
	{ "TcpExt.TCPAbortOnTimeout", TCPEXT_ABORT_ON_TIMEOUT, 0 },
	{ "TcpExt.TCPMemoryPressures", TCPEXT_MEMORY_PRESSURES, 0 },
	{ "TcpExt.TCPMemoryPressuresChrono", TCPEXT_MEMORY_PRESSURE_TIME, 0 },
	{ "TcpExt.TCPRetransFail", TCPEXT_RETRANS_FAIL, 0 },
	{ "TcpExt.TCPSynRetrans", TCPEXT_SYN_RETRANS, 0 },
	{ "TcpExt.TCPOrigDataSent", TCPEXT_ORIG_DATA_SENT, 0 },
	{ "TcpExt.TCPRcvQDrop", TCPEXT_RCV_Q_DROP, 0 },
	{ "TcpExt.TCPOFOQueue", TCPEXT_OFO_QUEUE, 0 },
	{ "TcpExt.TCPOFODrop", TCPEXT_OFO_DROP, 0 },
	{ "TcpExt.TCPZeroWindowDrop", TCPEXT_ZERO_WINDOW_DROP, 0 },
	{ "TcpExt.TCPReqQFullDrop", TCPEXT_REQ_QFULL_DROP, 0 },
	{ "TcpExt.TCPDSACKRecv", TCPEXT_DSACK_RECV, 0 },
	{ "TcpExt.TCPSpuriousRTOs", TCPEXT_SPURIOUS_RTOS, 0 },
	{ "IpExt.InOctets", IPEXT_IN_OCTETS, 0 },
	{ "IpExt.OutOctets", IPEXT_OUT_OCTETS, 0 },
	{ "IpExt.InMcastOctets", IPEXT_IN_MCAST_OCTETS, 0 },
	{ "IpExt.OutMcastOctets", IPEXT_OUT_MCAST_OCTETS, 0 },
	{ "IpExt.InBcastOctets", IPEXT_IN_BCAST_OCTETS, 0 },
	{ "IpExt.OutBcastOctets", IPEXT_OUT_BCAST_OCTETS, 0 },
	{ "IpExt.InNoRoutes", IPEXT_IN_NO_ROUTES, 0 },
	{ "IpExt.InTruncatedPkts", IPEXT_IN_TRUNCATED_PKTS, 0 },
	{ "IpExt.InMcastPkts", IPEXT_IN_MCAST_PKTS, 0 },
	{ "IpExt.OutMcastPkts", IPEXT_OUT_MCAST_PKTS, 0 },
	{ "IpExt.InBcastPkts", IPEXT_IN_BCAST_PKTS, 0 },
	{ "IpExt.OutBcastPkts", IPEXT_OUT_BCAST_PKTS, 0 },
	{ "IpExt.InCsumErrors", IPEXT_IN_CSUM_ERRORS, 0 },
	{ "IpExt.InNoECTPkts", IPEXT_IN_NO_ECT_PKTS, 0 },
	{ "IpExt.InECT1Pkts", IPEXT_IN_ECT1_PKTS, 0 },
	{ "IpExt.InECT0Pkts", IPEXT_IN_ECT0_PKTS, 0 },
	{ "IpExt.InCEPkts", IPEXT_IN_CE_PKTS, 0 },
	{ "IpExt.ReasmOverlaps", IPEXT_REASM_OVERLAPS, 0 },
	{ "TcpExt.*", WEIR_IGNORED, 0 },
	{ "MPTcpExt.*", WEIR_IGNORED, 0 },
};

static int
open_netstat(void *state, struct weir_ctx *ctx, struct weir_err *err)
{
	struct netstat *s = state;

	s->file = weir_file(ctx, "/proc/net/netstat", WEIR_READ_ONCE);
	s->keys = weir_keys(ctx, "/proc/net/netstat", ':', keys, WEIR_COUNT(keys), &s->extra, KEYVALUE);
	return s->keys ? 0 : weir_fail(err, -ENOMEM, "cannot read '/proc/net/netstat'");
}

static int
sample(void *state, struct weir_out *out, struct weir_err *err)
{
	struct netstat *s = state;
	struct weir_scan text;
	int rc = weir_read(s->file, &text, err);

	if (rc)
		return rc;
	struct weir_row *row = weir_row(out, NETSTAT);

	if (weir_keys_scan_pairs(s->keys, &text, out, row))
		return 0;
	weir_row_drop(row);
	return -ENODATA;
}

static const char description[] =
	"A chosen part of some 150 keys. The option extra names further ones, as "
	"TcpExt.TCPDelivered or MPTcpExt.MPCapableSYNRX, which are written to the schema "
	"keyvalue without conversion.";

WEIR_PLUGIN(.kind = WEIR_SAMPLER, .name = "netstat", .summary = "extended counters of TCP and IP",
	.flags = WEIR_RARE, .description = description, .state_size = sizeof(struct netstat),
	.options = options, .schemas = schemas, .open = open_netstat, .sampler = { .sample = sample });
