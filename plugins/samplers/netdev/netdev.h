/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the sampler netdev: counters by netlink (link.c) or from files (file.c), state and
 * nature of interfaces (info.c).
 */
#ifndef NETDEV_H
#define NETDEV_H

#include <weir/sampler.h>

enum column {
	INTERFACE,
	/* what /proc/net/dev has */
	RX_BYTES,
	TX_BYTES,
	RX_PACKETS,
	TX_PACKETS,
	RX_MULTICAST,
	RX_ERRORS,
	RX_DROPPED,
	RX_FIFO_ERRORS,
	RX_FRAME_ERRORS,
	RX_COMPRESSED,
	TX_ERRORS,
	TX_DROPPED,
	TX_FIFO_ERRORS,
	COLLISIONS,
	TX_CARRIER_ERRORS,
	TX_COMPRESSED,
	/* what netlink and sysfs have besides */
	RX_LENGTH_ERRORS,
	RX_OVER_ERRORS,
	RX_CRC_ERRORS,
	RX_MISSED_ERRORS,
	TX_ABORTED_ERRORS,
	TX_HEARTBEAT_ERRORS,
	TX_WINDOW_ERRORS,
	RX_NOHANDLER,
	SPEED,
	MTU,
	UP,
	CARRIER_CHANGES,
	COUNTERS = SPEED, /* columns before are the key and counters */
};

/*
 * The kernel's own counters, in the order of struct rtnl_link_stats64; their names are those of
 * sysfs.
 */
enum { RAW_COUNTERS = 24, RAW_NOHANDLER = 23 }; /* rx_nohandler came with Linux 4.6 */
extern const char *const raw_names[RAW_COUNTERS];

/*
 * Of an interface, as long as it is the same; zeroed before it is filled, so that it can be hashed.
 *
 */
struct info {
	char address[128], driver[64], pci[64], duplex[16], bond_master[64];
	uint64_t speed, numa_node;
	bool has_speed, has_numa_node;
};

struct state {
	uint64_t speed, mtu, carrier_changes;
	bool has_speed, has_mtu, has_carrier_changes, has_up, up;
};

enum { LONGEST_NAME = 63 }; /* the kernel's is 15 */

struct interface {
	char name[LONGEST_NAME + 1];
	int index; /* of netlink; 0: known by name alone */
	bool selected;
	bool seen;        /* in this tick */
	bool known;       /* state is filled */
	bool told;        /* netdev_info has it */
	uint32_t present; /* bits of the columns that value has */
	uint64_t value[COUNTERS];
	struct state state;
	uint64_t info_hash;
};

struct netdev {
	struct weir_list include, exclude;
	struct weir_ctx *ctx;
	struct weir_file *file;
	struct interface *interface;
	size_t n, room;
	size_t next; /* where the next interface is expected */
	int64_t state_due, info_due, socket_due;
	bool changed; /* the kernel says that some interface is not what it was */
	/* netlink */
	int fd, watched; /* 1 + descriptor; 0: none */
	uint32_t sequence;
	bool no_stats; /* RTM_GETSTATS is not there: before Linux 4.7 */
	bool unnamed;  /* an interface came whose name is not known */
	char *buffer;
};

/* The interface of that name, made when it is new; NULL out of memory. `index` 0: any. */
struct interface *interface_named(struct netdev *, const char *name, size_t length, int index);
struct interface *interface_numbered(struct netdev *, int index);
/*
 * Counters as the kernel keeps them into columns, folded as in /proc/net/dev. `present`: bits of
 * raw.
 */
void interface_count(struct interface *, const uint64_t *raw, uint32_t present);

/* All interfaces' counters through the socket. 0 or -errno. */
int link_sample(struct netdev *, struct weir_err *);
/* Ask for news of interfaces; not to be had everywhere. */
void link_watch(struct netdev *);
void link_news(struct netdev *, int fd);
void link_close(struct netdev *);

/* The same from files. */
int file_sample(struct netdev *, struct weir_err *);

bool info_read(const struct netdev *, const struct interface *, struct info *);
void state_read(const struct netdev *, struct interface *);

#endif
