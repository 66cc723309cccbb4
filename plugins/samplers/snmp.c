/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snmp: the classic counters of IP, ICMP, TCP and UDP from /proc/net/snmp, one row for the host's
 * network namespace.
 */
#include <errno.h>

#include <weir/sampler.h>

struct snmp {
	struct weir_file *file;
	struct weir_keys *keys;
};

enum column {
	IP_FORWARDING, IP_DEFAULT_TTL, IP_IN_RECEIVES, IP_IN_HDR_ERRORS, IP_IN_ADDR_ERRORS,
	IP_FORW_DATAGRAMS, IP_IN_UNKNOWN_PROTOS, IP_IN_DISCARDS, IP_IN_DELIVERS, IP_OUT_REQUESTS,
	IP_OUT_DISCARDS, IP_OUT_NO_ROUTES, IP_REASM_TIMEOUT, IP_REASM_REQDS, IP_REASM_OKS,
	IP_REASM_FAILS, IP_FRAG_OKS, IP_FRAG_FAILS, IP_FRAG_CREATES, IP_OUT_TRANSMITS, ICMP_IN_MSGS,
	ICMP_IN_ERRORS, ICMP_IN_CSUM_ERRORS, ICMP_IN_DEST_UNREACHS, ICMP_IN_TIME_EXCDS, ICMP_IN_ECHOS,
	ICMP_IN_ECHO_REPS, ICMP_OUT_MSGS, ICMP_OUT_ERRORS, ICMP_OUT_RATE_LIMIT_GLOBAL,
	ICMP_OUT_RATE_LIMIT_HOST, ICMP_OUT_DEST_UNREACHS, ICMP_OUT_TIME_EXCDS, ICMP_OUT_ECHOS,
	ICMP_OUT_ECHO_REPS, TCP_RTO_ALGORITHM, TCP_RTO_MIN, TCP_RTO_MAX, TCP_MAX_CONN, TCP_ACTIVE_OPENS,
	TCP_PASSIVE_OPENS, TCP_ATTEMPT_FAILS, TCP_ESTAB_RESETS, TCP_CURR_ESTAB, TCP_IN_SEGS,
	TCP_OUT_SEGS, TCP_RETRANS_SEGS, TCP_IN_ERRS, TCP_OUT_RSTS, TCP_IN_CSUM_ERRORS, UDP_IN_DATAGRAMS,
	UDP_NO_PORTS, UDP_IN_ERRORS, UDP_OUT_DATAGRAMS, UDP_RCVBUF_ERRORS, UDP_SNDBUF_ERRORS,
	UDP_IN_CSUM_ERRORS, UDP_IGNORED_MULTI, UDP_MEM_ERRORS, UDPLITE_IN_DATAGRAMS, UDPLITE_NO_PORTS,
	UDPLITE_IN_ERRORS, UDPLITE_OUT_DATAGRAMS, UDPLITE_RCVBUF_ERRORS, UDPLITE_SNDBUF_ERRORS,
	UDPLITE_IN_CSUM_ERRORS, UDPLITE_IGNORED_MULTI, UDPLITE_MEM_ERRORS,
};

static const struct weir_column columns[] = {
	[IP_FORWARDING] =
		WEIR_GAUGE_I64("ip_forwarding", "1", "whether this host forwards datagrams: 1 yes, 2 no"),
	[IP_DEFAULT_TTL] =
		WEIR_GAUGE_U64("ip_default_ttl", "1", "time to live of datagrams that say nothing else"),
	[IP_IN_RECEIVES] =
		WEIR_COUNTER_U64("ip_in_receives", "1", "datagrams received, those with errors too"),
	[IP_IN_HDR_ERRORS] =
		WEIR_COUNTER_U64("ip_in_hdr_errors", "1", "datagrams dropped for errors in their header"),
	[IP_IN_ADDR_ERRORS] = WEIR_COUNTER_U64(
		"ip_in_addr_errors", "1", "datagrams dropped for a wrong destination address"),
	[IP_FORW_DATAGRAMS] = WEIR_COUNTER_U64("ip_forw_datagrams", "1", "datagrams forwarded"),
	[IP_IN_UNKNOWN_PROTOS] =
		WEIR_COUNTER_U64("ip_in_unknown_protos", "1", "datagrams dropped for an unknown protocol"),
	[IP_IN_DISCARDS] = WEIR_COUNTER_U64(
		"ip_in_discards", "1", "datagrams received and dropped without an error of their own"),
	[IP_IN_DELIVERS] = WEIR_COUNTER_U64("ip_in_delivers", "1", "datagrams delivered to a protocol"),
	[IP_OUT_REQUESTS] =
		WEIR_COUNTER_U64("ip_out_requests", "1", "datagrams that local protocols asked to send"),
	[IP_OUT_DISCARDS] = WEIR_COUNTER_U64(
		"ip_out_discards", "1", "datagrams to be sent and dropped without an error of their own"),
	[IP_OUT_NO_ROUTES] =
		WEIR_COUNTER_U64("ip_out_no_routes", "1", "datagrams dropped because no route was found"),
	[IP_REASM_TIMEOUT] = WEIR_COUNTER_U64(
		"ip_reasm_timeout", "1", "reassemblies given up because fragments did not come in time"),
	[IP_REASM_REQDS] =
		WEIR_COUNTER_U64("ip_reasm_reqds", "1", "fragments received that needed reassembly"),
	[IP_REASM_OKS] = WEIR_COUNTER_U64("ip_reasm_oks", "1", "datagrams reassembled"),
	[IP_REASM_FAILS] = WEIR_COUNTER_U64("ip_reasm_fails", "1", "failures of reassembly"),
	[IP_FRAG_OKS] = WEIR_COUNTER_U64("ip_frag_oks", "1", "datagrams fragmented"),
	[IP_FRAG_FAILS] = WEIR_COUNTER_U64(
		"ip_frag_fails", "1", "datagrams dropped because they needed fragmenting and must not be"),
	[IP_FRAG_CREATES] = WEIR_COUNTER_U64("ip_frag_creates", "1", "fragments made"),
	[IP_OUT_TRANSMITS] =
		WEIR_COUNTER_U64("ip_out_transmits", "1", "datagrams handed to the link layer (Linux 6.8)"),
	[ICMP_IN_MSGS] = WEIR_COUNTER_U64("icmp_in_msgs", "1", "messages received"),
	[ICMP_IN_ERRORS] = WEIR_COUNTER_U64("icmp_in_errors", "1", "messages received with errors"),
	[ICMP_IN_CSUM_ERRORS] =
		WEIR_COUNTER_U64("icmp_in_csum_errors", "1", "messages received with a wrong checksum"),
	[ICMP_IN_DEST_UNREACHS] =
		WEIR_COUNTER_U64("icmp_in_dest_unreachs", "1", "destination unreachable messages received"),
	[ICMP_IN_TIME_EXCDS] =
		WEIR_COUNTER_U64("icmp_in_time_excds", "1", "time exceeded messages received"),
	[ICMP_IN_ECHOS] = WEIR_COUNTER_U64("icmp_in_echos", "1", "echo requests received"),
	[ICMP_IN_ECHO_REPS] = WEIR_COUNTER_U64("icmp_in_echo_reps", "1", "echo replies received"),
	[ICMP_OUT_MSGS] = WEIR_COUNTER_U64("icmp_out_msgs", "1", "messages sent"),
	[ICMP_OUT_ERRORS] =
		WEIR_COUNTER_U64("icmp_out_errors", "1", "messages not sent for errors within ICMP"),
	[ICMP_OUT_RATE_LIMIT_GLOBAL] = WEIR_COUNTER_U64("icmp_out_rate_limit_global", "1",
		"messages not sent because of the limit of all (Linux 6.9)"),
	[ICMP_OUT_RATE_LIMIT_HOST] = WEIR_COUNTER_U64("icmp_out_rate_limit_host", "1",
		"messages not sent because of the limit of one destination (Linux 6.9)"),
	[ICMP_OUT_DEST_UNREACHS] =
		WEIR_COUNTER_U64("icmp_out_dest_unreachs", "1", "destination unreachable messages sent"),
	[ICMP_OUT_TIME_EXCDS] =
		WEIR_COUNTER_U64("icmp_out_time_excds", "1", "time exceeded messages sent"),
	[ICMP_OUT_ECHOS] = WEIR_COUNTER_U64("icmp_out_echos", "1", "echo requests sent"),
	[ICMP_OUT_ECHO_REPS] = WEIR_COUNTER_U64("icmp_out_echo_reps", "1", "echo replies sent"),
	[TCP_RTO_ALGORITHM] =
		WEIR_GAUGE_U64("tcp_rto_algorithm", "1", "algorithm of the retransmission timeout"),
	[TCP_RTO_MIN] = WEIR_GAUGE_REAL("tcp_rto_min", "s", 1000, "least retransmission timeout"),
	[TCP_RTO_MAX] = WEIR_GAUGE_REAL("tcp_rto_max", "s", 1000, "greatest retransmission timeout"),
	[TCP_MAX_CONN] =
		WEIR_GAUGE_I64("tcp_max_conn", "1", "most connections possible, -1 without a limit"),
	[TCP_ACTIVE_OPENS] = WEIR_COUNTER_U64("tcp_active_opens", "1", "connections opened from here"),
	[TCP_PASSIVE_OPENS] = WEIR_COUNTER_U64("tcp_passive_opens", "1", "connections accepted"),
	[TCP_ATTEMPT_FAILS] =
		WEIR_COUNTER_U64("tcp_attempt_fails", "1", "attempts to connect that failed"),
	[TCP_ESTAB_RESETS] =
		WEIR_COUNTER_U64("tcp_estab_resets", "1", "established connections that were reset"),
	[TCP_CURR_ESTAB] = WEIR_GAUGE_U64("tcp_curr_estab", "1", "connections established now"),
	[TCP_IN_SEGS] =
		WEIR_COUNTER_U64("tcp_in_segs", "1", "segments received, those with errors too"),
	[TCP_OUT_SEGS] =
		WEIR_COUNTER_U64("tcp_out_segs", "1", "segments sent, without retransmitted ones"),
	[TCP_RETRANS_SEGS] = WEIR_COUNTER_U64("tcp_retrans_segs", "1", "segments retransmitted"),
	[TCP_IN_ERRS] = WEIR_COUNTER_U64("tcp_in_errs", "1", "segments received with errors"),
	[TCP_OUT_RSTS] = WEIR_COUNTER_U64("tcp_out_rsts", "1", "segments sent with the reset flag"),
	[TCP_IN_CSUM_ERRORS] =
		WEIR_COUNTER_U64("tcp_in_csum_errors", "1", "segments received with a wrong checksum"),
	[UDP_IN_DATAGRAMS] = WEIR_COUNTER_U64("udp_in_datagrams", "1", "datagrams delivered"),
	[UDP_NO_PORTS] =
		WEIR_COUNTER_U64("udp_no_ports", "1", "datagrams received for a port without a listener"),
	[UDP_IN_ERRORS] = WEIR_COUNTER_U64(
		"udp_in_errors", "1", "datagrams that could not be delivered for other reasons"),
	[UDP_OUT_DATAGRAMS] = WEIR_COUNTER_U64("udp_out_datagrams", "1", "datagrams sent"),
	[UDP_RCVBUF_ERRORS] = WEIR_COUNTER_U64(
		"udp_rcvbuf_errors", "1", "datagrams dropped because the receive buffer was full"),
	[UDP_SNDBUF_ERRORS] = WEIR_COUNTER_U64(
		"udp_sndbuf_errors", "1", "datagrams dropped because the send buffer was full"),
	[UDP_IN_CSUM_ERRORS] =
		WEIR_COUNTER_U64("udp_in_csum_errors", "1", "datagrams received with a wrong checksum"),
	[UDP_IGNORED_MULTI] =
		WEIR_COUNTER_U64("udp_ignored_multi", "1", "multicast datagrams that nobody listened to"),
	[UDP_MEM_ERRORS] = WEIR_COUNTER_U64(
		"udp_mem_errors", "1", "datagrams dropped because protocol memory was short (Linux 5.11)"),
	[UDPLITE_IN_DATAGRAMS] =
		WEIR_COUNTER_U64("udplite_in_datagrams", "1", "datagrams of UDP-Lite delivered"),
	[UDPLITE_NO_PORTS] = WEIR_COUNTER_U64(
		"udplite_no_ports", "1", "datagrams of UDP-Lite received for a port without a listener"),
	[UDPLITE_IN_ERRORS] = WEIR_COUNTER_U64("udplite_in_errors", "1",
		"datagrams of UDP-Lite that could not be delivered for other reasons"),
	[UDPLITE_OUT_DATAGRAMS] =
		WEIR_COUNTER_U64("udplite_out_datagrams", "1", "datagrams of UDP-Lite sent"),
	[UDPLITE_RCVBUF_ERRORS] = WEIR_COUNTER_U64("udplite_rcvbuf_errors", "1",
		"datagrams of UDP-Lite dropped because the receive buffer was full"),
	[UDPLITE_SNDBUF_ERRORS] = WEIR_COUNTER_U64("udplite_sndbuf_errors", "1",
		"datagrams of UDP-Lite dropped because the send buffer was full"),
	[UDPLITE_IN_CSUM_ERRORS] = WEIR_COUNTER_U64(
		"udplite_in_csum_errors", "1", "datagrams of UDP-Lite received with a wrong checksum"),
	[UDPLITE_IGNORED_MULTI] = WEIR_COUNTER_U64(
		"udplite_ignored_multi", "1", "multicast datagrams of UDP-Lite that nobody listened to"),
	[UDPLITE_MEM_ERRORS] = WEIR_COUNTER_U64("udplite_mem_errors", "1",
		"datagrams of UDP-Lite dropped because protocol memory was short (Linux 5.11)"),
};

static const struct weir_schema snmp =
	WEIR_SERIES("snmp", columns, "counters of IP, ICMP, TCP and UDP of the host");
static const struct weir_schema *const schemas[] = { &snmp, NULL };

static const struct weir_keyword keys[] = {
	{ "Ip.Forwarding", IP_FORWARDING, 0 },
	{ "Ip.DefaultTTL", IP_DEFAULT_TTL, 0 },
	{ "Ip.InReceives", IP_IN_RECEIVES, 0 },
	{ "Ip.InHdrErrors", IP_IN_HDR_ERRORS, 0 },
	{ "Ip.InAddrErrors", IP_IN_ADDR_ERRORS, 0 },
	{ "Ip.ForwDatagrams", IP_FORW_DATAGRAMS, 0 },
	{ "Ip.InUnknownProtos", IP_IN_UNKNOWN_PROTOS, 0 },
	{ "Ip.InDiscards", IP_IN_DISCARDS, 0 },
	{ "Ip.InDelivers", IP_IN_DELIVERS, 0 },
	{ "Ip.OutRequests", IP_OUT_REQUESTS, 0 },
	{ "Ip.OutDiscards", IP_OUT_DISCARDS, 0 },
	{ "Ip.OutNoRoutes", IP_OUT_NO_ROUTES, 0 },
	{ "Ip.ReasmTimeout", IP_REASM_TIMEOUT, 0 },
	{ "Ip.ReasmReqds", IP_REASM_REQDS, 0 },
	{ "Ip.ReasmOKs", IP_REASM_OKS, 0 },
	{ "Ip.ReasmFails", IP_REASM_FAILS, 0 },
	{ "Ip.FragOKs", IP_FRAG_OKS, 0 },
	{ "Ip.FragFails", IP_FRAG_FAILS, 0 },
	{ "Ip.FragCreates", IP_FRAG_CREATES, 0 },
	{ "Ip.OutTransmits", IP_OUT_TRANSMITS, 0 },
	{ "Icmp.InMsgs", ICMP_IN_MSGS, 0 },
	{ "Icmp.InErrors", ICMP_IN_ERRORS, 0 },
	{ "Icmp.InCsumErrors", ICMP_IN_CSUM_ERRORS, 0 },
	{ "Icmp.InDestUnreachs", ICMP_IN_DEST_UNREACHS, 0 },
	{ "Icmp.InTimeExcds", ICMP_IN_TIME_EXCDS, 0 },
	{ "Icmp.InEchos", ICMP_IN_ECHOS, 0 },
	{ "Icmp.InEchoReps", ICMP_IN_ECHO_REPS, 0 },
	{ "Icmp.OutMsgs", ICMP_OUT_MSGS, 0 },
	{ "Icmp.OutErrors", ICMP_OUT_ERRORS, 0 },
	{ "Icmp.OutRateLimitGlobal", ICMP_OUT_RATE_LIMIT_GLOBAL, 0 },
	{ "Icmp.OutRateLimitHost", ICMP_OUT_RATE_LIMIT_HOST, 0 },
	{ "Icmp.OutDestUnreachs", ICMP_OUT_DEST_UNREACHS, 0 },
	{ "Icmp.OutTimeExcds", ICMP_OUT_TIME_EXCDS, 0 },
	{ "Icmp.OutEchos", ICMP_OUT_ECHOS, 0 },
	{ "Icmp.OutEchoReps", ICMP_OUT_ECHO_REPS, 0 },
	{ "Tcp.RtoAlgorithm", TCP_RTO_ALGORITHM, 0 },
	{ "Tcp.RtoMin", TCP_RTO_MIN, 0 },
	{ "Tcp.RtoMax", TCP_RTO_MAX, 0 },
	{ "Tcp.MaxConn", TCP_MAX_CONN, 0 },
	{ "Tcp.ActiveOpens", TCP_ACTIVE_OPENS, 0 },
	{ "Tcp.PassiveOpens", TCP_PASSIVE_OPENS, 0 },
	{ "Tcp.AttemptFails", TCP_ATTEMPT_FAILS, 0 },
	{ "Tcp.EstabResets", TCP_ESTAB_RESETS, 0 },
	{ "Tcp.CurrEstab", TCP_CURR_ESTAB, 0 },
	{ "Tcp.InSegs", TCP_IN_SEGS, 0 },
	{ "Tcp.OutSegs", TCP_OUT_SEGS, 0 },
	{ "Tcp.RetransSegs", TCP_RETRANS_SEGS, 0 },
	{ "Tcp.InErrs", TCP_IN_ERRS, 0 },
	{ "Tcp.OutRsts", TCP_OUT_RSTS, 0 },
	{ "Tcp.InCsumErrors", TCP_IN_CSUM_ERRORS, 0 },
	{ "Udp.InDatagrams", UDP_IN_DATAGRAMS, 0 },
	{ "Udp.NoPorts", UDP_NO_PORTS, 0 },
	{ "Udp.InErrors", UDP_IN_ERRORS, 0 },
	{ "Udp.OutDatagrams", UDP_OUT_DATAGRAMS, 0 },
	{ "Udp.RcvbufErrors", UDP_RCVBUF_ERRORS, 0 },
	{ "Udp.SndbufErrors", UDP_SNDBUF_ERRORS, 0 },
	{ "Udp.InCsumErrors", UDP_IN_CSUM_ERRORS, 0 },
	{ "Udp.IgnoredMulti", UDP_IGNORED_MULTI, 0 },
	{ "Udp.MemErrors", UDP_MEM_ERRORS, 0 },
	{ "UdpLite.InDatagrams", UDPLITE_IN_DATAGRAMS, 0 },
	{ "UdpLite.NoPorts", UDPLITE_NO_PORTS, 0 },
	{ "UdpLite.InErrors", UDPLITE_IN_ERRORS, 0 },
	{ "UdpLite.OutDatagrams", UDPLITE_OUT_DATAGRAMS, 0 },
	{ "UdpLite.RcvbufErrors", UDPLITE_RCVBUF_ERRORS, 0 },
	{ "UdpLite.SndbufErrors", UDPLITE_SNDBUF_ERRORS, 0 },
	{ "UdpLite.InCsumErrors", UDPLITE_IN_CSUM_ERRORS, 0 },
	{ "UdpLite.IgnoredMulti", UDPLITE_IGNORED_MULTI, 0 },
	{ "UdpLite.MemErrors", UDPLITE_MEM_ERRORS, 0 },
	{ "Icmp.*", WEIR_IGNORED, 0 },
	{ "IcmpMsg.*", WEIR_IGNORED, 0 },
};

static int
open_snmp(void *state, struct weir_ctx *ctx, struct weir_err *err)
{
	struct snmp *s = state;

	s->file = weir_file(ctx, "/proc/net/snmp", WEIR_READ_ONCE);
	s->keys = weir_keys(ctx, "/proc/net/snmp", ':', keys, WEIR_COUNT(keys), NULL, 0);
	return s->keys ? 0 : weir_fail(err, -ENOMEM, "cannot read '/proc/net/snmp'");
}

static int
sample(void *state, struct weir_out *out, struct weir_err *err)
{
	struct snmp *s = state;
	struct weir_scan text;
	int rc = weir_read(s->file, &text, err);

	if (rc)
		return rc;
	struct weir_row *row = weir_row(out, 0);

	if (weir_keys_scan_pairs(s->keys, &text, out, row))
		return 0;
	weir_row_drop(row);
	return -ENODATA;
}

static const char description[] = "Of ICMP the counters of rare messages are left out.";

WEIR_PLUGIN(.kind = WEIR_SAMPLER, .name = "snmp", .summary = "counters of IP, ICMP, TCP and UDP",
	.description = description, .state_size = sizeof(struct snmp), .schemas = schemas,
	.open = open_snmp, .sampler = { .sample = sample });
