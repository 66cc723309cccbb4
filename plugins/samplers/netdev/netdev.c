/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netdev: traffic, errors and state of network interfaces. Live through netlink, of a saved tree
 * from /proc/net/dev and sysfs. Both give the same numbers: what /proc/net/dev folds together (see
 * the columns' help) is folded here too. A bond and its members both count what passes: netdev_info
 * tells them apart.
 */
#include "netdev.h"

#include <errno.h>
#include <stdlib.h>

#define COUNT(n, h) WEIR_COUNTER_U64(n, "1", h)

static const struct weir_column columns[] = {
	[INTERFACE] = WEIR_KEY_STR("interface", "name of the interface"),
	[RX_BYTES] = WEIR_COUNTER_U64("rx_bytes", "By", "bytes received"),
	[TX_BYTES] = WEIR_COUNTER_U64("tx_bytes", "By", "bytes sent"),
	[RX_PACKETS] = WEIR_COUNTER_U64("rx_packets", "{packet}", "packets received"),
	[TX_PACKETS] = WEIR_COUNTER_U64("tx_packets", "{packet}", "packets sent"),
	[RX_MULTICAST] = WEIR_COUNTER_U64("rx_multicast", "{packet}", "multicast packets received"),
	[RX_ERRORS] = COUNT("rx_errors", "packets received with an error"),
	[RX_DROPPED] = COUNT("rx_dropped", "packets received and dropped, for want of room or of a "
									   "protocol, rx_missed_errors included"),
	[RX_FIFO_ERRORS] = COUNT("rx_fifo_errors", "overruns of the receiver's queue"),
	[RX_FRAME_ERRORS] = COUNT("rx_frame_errors",
		"frames received that were malformed: rx_length, rx_over, rx_crc and alignment errors"),
	[RX_COMPRESSED] = COUNT("rx_compressed", "compressed packets received"),
	[TX_ERRORS] = COUNT("tx_errors", "packets that could not be sent"),
	[TX_DROPPED] = COUNT("tx_dropped", "packets dropped on their way out"),
	[TX_FIFO_ERRORS] = COUNT("tx_fifo_errors", "underruns of the sender's queue"),
	[COLLISIONS] = COUNT("collisions", "collisions on the wire"),
	[TX_CARRIER_ERRORS] = COUNT("tx_carrier_errors",
		"losses of carrier while sending; tx_aborted, tx_window and tx_heartbeat errors included"),
	[TX_COMPRESSED] = COUNT("tx_compressed", "compressed packets sent"),
	[RX_LENGTH_ERRORS] = COUNT("rx_length_errors", "frames received with a wrong length"),
	[RX_OVER_ERRORS] = COUNT("rx_over_errors", "overruns of the receiver's ring"),
	[RX_CRC_ERRORS] = COUNT("rx_crc_errors", "frames received with a wrong checksum"),
	[RX_MISSED_ERRORS] = COUNT("rx_missed_errors", "packets that the receiver had no buffer for"),
	[TX_ABORTED_ERRORS] = COUNT("tx_aborted_errors", "sendings given up"),
	[TX_HEARTBEAT_ERRORS] = COUNT("tx_heartbeat_errors", "heartbeat errors of old Ethernet"),
	[TX_WINDOW_ERRORS] = COUNT("tx_window_errors", "late collisions"),
	[RX_NOHANDLER] =
		COUNT("rx_nohandler", "packets received on an inactive member of a bond (Linux 4.6)"),
	[SPEED] =
		WEIR_GAUGE_U64("speed", "bit/s", "speed of the link; missing when it is down or has none"),
	[MTU] = WEIR_GAUGE_U64("mtu", "By", "largest packet"),
	[UP] = WEIR_GAUGE_BOOL("up", "can packets pass?"),
	[CARRIER_CHANGES] =
		WEIR_COUNTER_U64("carrier_changes", "1", "times that the link went up or down"),
};

enum { INFO_INTERFACE, ADDRESS, DRIVER, NUMA_NODE, PCI, INFO_SPEED, DUPLEX, BOND_MASTER };
static const struct weir_column info_columns[] = {
	[INFO_INTERFACE] = WEIR_KEY_STR("interface", "name of the interface"),
	[ADDRESS] = WEIR_LABEL_STR("address", "hardware address"),
	[DRIVER] = WEIR_LABEL_STR("driver", "driver"),
	[NUMA_NODE] = WEIR_GAUGE_U64("numa_node", "1", "NUMA node that the device is at"),
	[PCI] = WEIR_LABEL_STR("pci", "PCI address"),
	[INFO_SPEED] = WEIR_GAUGE_U64("speed", "bit/s", "speed of the link"),
	[DUPLEX] = WEIR_LABEL_STR("duplex", "full or half"),
	[BOND_MASTER] = WEIR_LABEL_STR("bond_master", "bond that it is a member of"),
};

enum { SCHEMA_NETDEV, SCHEMA_INFO };
static const struct weir_schema netdev_schema =
	WEIR_SERIES("netdev", columns, "traffic, errors and state of network interfaces");
static const struct weir_schema info_schema =
	WEIR_HOST_ENTITY("netdev_info", info_columns, "what the network interfaces are");
static const struct weir_schema *const schemas[] = {
	[SCHEMA_NETDEV] = &netdev_schema,
	[SCHEMA_INFO] = &info_schema,
	NULL,
};

static const struct weir_option options[] = {
	WEIR_LIST_OPTION(struct netdev, include, NULL,
		"names of interfaces to send, with * and ?; without it all but those of exclude"),
	WEIR_LIST_OPTION(struct netdev, exclude, "lo veth* docker* cali* virbr* cni* tun* tap*",
		"names of interfaces to leave out, with * and ?"),
	WEIR_OPTIONS_END,
};

/* ---- the interfaces ---- */

static void
make_room(struct netdev *s)
{
	size_t room = s->room ? s->room * 2 : 16;
	struct interface *grown =
		s->n < s->room ? s->interface : realloc(s->interface, room * sizeof(*grown));

	if (!grown || s->n < s->room)
		return;
	s->interface = grown;
	s->room = room;
}

/*
 * A number that comes with another name than it had: the interface was renamed, the old name is
 * seen no more.
 */
static void
forget_number(struct netdev *s, int index)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->interface[i].index == index)
			s->interface[i].index = 0;
}

struct interface *
interface_named(struct netdev *s, const char *name, size_t length, int index)
{
	for (size_t i = 0; i < s->n; i++) {
		struct interface *known = &s->interface[(s->next + i) % s->n];

		if (memcmp(known->name, name, length) || known->name[length])
			continue;
		s->next = (size_t)(known - s->interface) + 1;
		if (index && known->index != index) {
			forget_number(s, index);
			known->index = index;
		}
		return known;
	}
	if (index)
		forget_number(s, index);
	make_room(s);
	if (s->n == s->room)
		return NULL;
	struct interface *fresh = &s->interface[s->n++];

	*fresh = (struct interface){ .index = index };
	memcpy(fresh->name, name, length);
	fresh->selected = weir_selected(&s->include, &s->exclude, name, length);
	s->next = s->n;
	return fresh;
}

struct interface *
interface_numbered(struct netdev *s, int index)
{
	for (size_t i = 0; i < s->n; i++) {
		struct interface *known = &s->interface[(s->next + i) % s->n];

		if (known->index != index)
			continue;
		s->next = (size_t)(known - s->interface) + 1;
		return known;
	}
	return NULL;
}

/* The raw counters (places in raw_names) that a column is the sum of; -1 ends them. */
static const signed char parts[COUNTERS][5] = {
	[INTERFACE] = { -1 },
	[RX_PACKETS] = { 0, -1 },
	[TX_PACKETS] = { 1, -1 },
	[RX_BYTES] = { 2, -1 },
	[TX_BYTES] = { 3, -1 },
	[RX_ERRORS] = { 4, -1 },
	[TX_ERRORS] = { 5, -1 },
	[RX_DROPPED] = { 6, 15, -1 },
	[TX_DROPPED] = { 7, -1 },
	[RX_MULTICAST] = { 8, -1 },
	[COLLISIONS] = { 9, -1 },
	[RX_LENGTH_ERRORS] = { 10, -1 },
	[RX_OVER_ERRORS] = { 11, -1 },
	[RX_CRC_ERRORS] = { 12, -1 },
	[RX_FRAME_ERRORS] = { 10, 11, 12, 13, -1 },
	[RX_FIFO_ERRORS] = { 14, -1 },
	[RX_MISSED_ERRORS] = { 15, -1 },
	[TX_ABORTED_ERRORS] = { 16, -1 },
	[TX_CARRIER_ERRORS] = { 16, 17, 19, 20, -1 },
	[TX_FIFO_ERRORS] = { 18, -1 },
	[TX_HEARTBEAT_ERRORS] = { 19, -1 },
	[TX_WINDOW_ERRORS] = { 20, -1 },
	[RX_COMPRESSED] = { 21, -1 },
	[TX_COMPRESSED] = { 22, -1 },
	[RX_NOHANDLER] = { RAW_NOHANDLER, -1 },
};

void
interface_count(struct interface *interface, const uint64_t *raw, uint32_t present)
{
	interface->seen = true;
	interface->present = 0;
	for (size_t column = RX_BYTES; column < COUNTERS; column++) {
		uint64_t sum = 0;
		bool whole = true;

		for (const signed char *part = parts[column]; *part >= 0; part++) {
			sum += raw[*part];
			whole = whole && present >> *part & 1;
		}
		interface->value[column] = sum;
		interface->present |= (uint32_t)whole << column;
	}
}

/* ---- rows ---- */

static void
set_state(struct weir_row *row, const struct state *state)
{
	if (state->has_speed)
		weir_set_u64(row, SPEED, state->speed);
	if (state->has_mtu)
		weir_set_u64(row, MTU, state->mtu);
	if (state->has_up)
		weir_set_bool(row, UP, state->up);
	if (state->has_carrier_changes)
		weir_set_u64(row, CARRIER_CHANGES, state->carrier_changes);
}

static void
make_row(const struct interface *interface, struct weir_out *out)
{
	struct weir_row *row = weir_row(out, SCHEMA_NETDEV);

	weir_set_text(row, INTERFACE, interface->name);
	for (size_t column = RX_BYTES; column < COUNTERS; column++)
		if (interface->present >> column & 1)
			weir_set_u64(row, column, interface->value[column]);
	set_state(row, &interface->state);
}

static void
set_some(struct weir_row *row, size_t column, const char *text)
{
	if (*text)
		weir_set_text(row, column, text);
}

/* When it is new or has changed, and once an hour. */
static void
make_info(const struct netdev *s, struct interface *interface, bool again, struct weir_out *out)
{
	struct info info;

	if (!info_read(s, interface, &info))
		return;
	uint64_t hash = weir_hash64(&info, sizeof(info), 0);

	if (interface->told && interface->info_hash == hash && !again)
		return;
	struct weir_row *row = weir_row(out, SCHEMA_INFO);

	weir_set_text(row, INFO_INTERFACE, interface->name);
	set_some(row, ADDRESS, info.address);
	set_some(row, DRIVER, info.driver);
	set_some(row, PCI, info.pci);
	set_some(row, DUPLEX, info.duplex);
	set_some(row, BOND_MASTER, info.bond_master);
	if (info.has_numa_node)
		weir_set_u64(row, NUMA_NODE, info.numa_node);
	if (info.has_speed)
		weir_set_u64(row, INFO_SPEED, info.speed);
	interface->told = true;
	interface->info_hash = hash;
}

/* Interfaces that this tick did not have are forgotten. Number of rows that say so. */
static size_t
forget(struct netdev *s, struct weir_out *out)
{
	size_t kept = 0, rows = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->interface[i].seen) {
			if (kept < i)
				s->interface[kept] = s->interface[i];
			kept++;
		} else if (s->interface[i].told) {
			struct weir_row *row = weir_row(out, SCHEMA_INFO);

			weir_set_text(row, INFO_INTERFACE, s->interface[i].name);
			weir_row_delete(row);
			rows++;
		}
	}
	s->n = kept;
	return rows;
}

static size_t
make_rows(struct netdev *s, bool look, bool again, struct weir_out *out)
{
	size_t rows = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct interface *interface = &s->interface[i];

		if (!interface->seen || !interface->selected)
			continue;
		bool look_at = look || again || !interface->known;

		if (look_at)
			state_read(s, interface);
		make_row(interface, out);
		if (look_at)
			make_info(s, interface, again, out);
		rows++;
	}
	return rows;
}

/* ---- the plugin ---- */

static int
open_netdev(void *state, struct weir_ctx *ctx, struct weir_err *err)
{
	struct netdev *s = state;

	(void)err;
	s->ctx = ctx;
	s->file = weir_file(ctx, "/proc/net/dev", WEIR_READ_LINES);
	return 0;
}

static void
close_netdev(void *state)
{
	struct netdev *s = state;

	link_close(s);
	free(s->interface);
}

static void
see_none(struct netdev *s)
{
	for (size_t i = 0; i < s->n; i++)
		s->interface[i].seen = false;
}

/*
 * A socket that failed is opened anew at once; where a sandbox forbids it, it is tried each minute
 * and the files serve meanwhile.
 */
static int
count(struct netdev *s, struct weir_err *err)
{
	see_none(s);
	if (!weir_live(s->ctx) ||
		(s->socket_due && !weir_due(s->ctx, &s->socket_due, 60 * WEIR_SECOND)))
		return file_sample(s, err);
	bool was_open = s->fd;
	int error = link_sample(s, err);

	if (error && was_open)
		error = link_sample(s, err);
	if (error == -ENOMEM)
		return error;
	if (!error && s->socket_due) {
		s->socket_due = 0;
		weir_capability(s->ctx, "netlink", WEIR_OK, "%s", "answers");
	}
	if (!error)
		return 0;
	bool refused = error == -EPERM || error == -EACCES || error == -EAFNOSUPPORT;

	weir_capability(s->ctx, "netlink", refused ? WEIR_REFUSED : WEIR_FAILED,
		"/proc/net/dev is read instead: %s%s", err ? err->text : "no answer",
		refused ? " (needs AF_NETLINK in RestrictAddressFamilies=)" : "");
	s->socket_due = 0;
	(void)weir_due(s->ctx, &s->socket_due, 60 * WEIR_SECOND);
	see_none(s);
	return file_sample(s, err);
}

static int
sample(void *state, struct weir_out *out, struct weir_err *err)
{
	struct netdev *s = state;
	bool look = weir_due(s->ctx, &s->state_due, 60 * WEIR_SECOND) || s->changed;
	bool again = weir_due(s->ctx, &s->info_due, WEIR_HOUR);

	if (look && !s->watched && weir_live(s->ctx)) {
		link_watch(s);
		s->changed = true; /* names may have changed unheard */
	}
	int error = count(s, err);

	if (error)
		return error;
	size_t rows = make_rows(s, look, again, out);

	rows += forget(s, out);
	s->changed = false;
	return rows ? 0 : weir_failx(err, -ENODATA, "there is no interface that is asked for");
}

static int
event(void *state, int fd, struct weir_out *out, struct weir_err *err)
{
	(void)out;
	(void)err;
	link_news(state, fd);
	return 0;
}

static const char description[] =
	"rx_dropped, rx_frame_errors and tx_carrier_errors are the sums that /proc/net/dev shows, "
	"their parts have columns of their own. A bond and its members both count: bond_master in "
	"netdev_info tells them apart. State is read each minute and when the kernel tells of a "
	"change. "
	"Only the network namespace of the agent is seen. Old drivers with 32-bit counters wrap at 4 "
	"GiB.";

WEIR_PLUGIN(.kind = WEIR_SAMPLER, .name = "netdev",
	.summary = "traffic, errors and state of network interfaces", .description = description,
	.state_size = sizeof(struct netdev), .options = options, .schemas = schemas,
	.needs = WEIR_NEEDS_NETLINK, .open = open_netdev, .close = close_netdev,
	.sampler.sample = sample, .sampler.event = event);
