/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters of interfaces through netlink: RTM_GETSTATS (Linux 4.7) gives counters by number
 * alone, 1.2 us an interface where sysfs takes 26; names come from RTM_GETLINK when a number is new
 * or the kernel tells of a change.
 */
#include "netdev.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { BUFFER_SIZE = 64 << 10 }; /* the kernel fills at most 32 KiB at once */

static int
open_socket(unsigned groups, int flags)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = groups };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	/* An answer is ready before send returns; should one be lost, the loop must not wait for it. */
	struct timeval patience = { .tv_sec = 1 };

	if (!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) &&
		!bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	int error = -errno;

	close(fd);
	return error;
}

/* An attribute among those behind a header; NULL when it is not there or shorter than `least`. */
static const struct rtattr *
attribute(const struct nlmsghdr *message, size_t header, unsigned short type, size_t least)
{
	size_t offset = NLMSG_LENGTH(NLMSG_ALIGN(header));

	while (offset + sizeof(struct rtattr) <= message->nlmsg_len) {
		const struct rtattr *a = (const struct rtattr *)((const char *)message + offset);

		if (a->rta_len < sizeof(*a) || offset + a->rta_len > message->nlmsg_len)
			break;
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return a->rta_len >= RTA_LENGTH(least) ? a : NULL;
		offset += RTA_ALIGN(a->rta_len);
	}
	return NULL;
}

static void
take_counters(struct interface *interface, const struct rtattr *a)
{
	uint64_t raw[RAW_COUNTERS] = { 0 };
	size_t size = a->rta_len - RTA_LENGTH(0);
	size_t n = size / sizeof(*raw) < RAW_COUNTERS ? size / sizeof(*raw) : RAW_COUNTERS;

	memcpy(raw, (const char *)a + RTA_LENGTH(0), n * sizeof(*raw));
	interface_count(interface, raw, (UINT32_C(1) << n) - 1);
}

static void
take_stats(struct netdev *s, const struct nlmsghdr *message)
{
	const struct rtattr *a = attribute(
		message, sizeof(struct if_stats_msg), IFLA_STATS_LINK_64, RAW_NOHANDLER * sizeof(uint64_t));
	if (!a)
		return;
	const struct if_stats_msg *body = NLMSG_DATA(message);
	struct interface *interface = interface_numbered(s, (int)body->ifindex);

	if (interface)
		take_counters(interface, a);
	else
		s->unnamed = true;
}

static int
take_link(struct netdev *s, const struct nlmsghdr *message)
{
	const struct rtattr *name = attribute(message, sizeof(struct ifinfomsg), IFLA_IFNAME, 2);
	const struct rtattr *counters = attribute(
		message, sizeof(struct ifinfomsg), IFLA_STATS64, RAW_NOHANDLER * sizeof(uint64_t));
	int index = ((const struct ifinfomsg *)NLMSG_DATA(message))->ifi_index;

	if (!name)
		return 0;
	const char *text = (const char *)name + RTA_LENGTH(0);
	size_t length = strnlen(text, name->rta_len - RTA_LENGTH(0));
	struct interface *interface =
		length <= LONGEST_NAME ? interface_named(s, text, length, index) : NULL;

	if (!interface)
		return length <= LONGEST_NAME ? -ENOMEM : 0;
	if (counters)
		take_counters(interface, counters);
	return 0;
}

/* Messages of one receipt. 1: more to come, 0: the end, or -errno. */
static int
take_messages(struct netdev *s, size_t size)
{
	for (size_t at = 0; at + sizeof(struct nlmsghdr) <= size;) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)(s->buffer + at);
		int error = 0;

		if (message->nlmsg_len < sizeof(*message) || message->nlmsg_len > size - at)
			return -EBADMSG;
		at += NLMSG_ALIGN(message->nlmsg_len);
		if (message->nlmsg_seq != s->sequence)
			continue;
		size_t body = message->nlmsg_len - NLMSG_LENGTH(0);

		if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
			if (body >= sizeof(error))
				memcpy(&error, NLMSG_DATA(message), sizeof(error));
			return error < 0 ? error : 0;
		}
		if (message->nlmsg_type == RTM_NEWSTATS && body >= sizeof(struct if_stats_msg))
			take_stats(s, message);
		else if (message->nlmsg_type == RTM_NEWLINK && body >= sizeof(struct ifinfomsg))
			error = take_link(s, message);
		if (error)
			return error;
	}
	return 1;
}

/* Ask, and take all that is answered. */
static int
dump(struct netdev *s, struct nlmsghdr *request)
{
	int more = 1;

	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request->nlmsg_seq = ++s->sequence;
	if (send(s->fd - 1, request, request->nlmsg_len, 0) < 0)
		return -errno;
	while (more > 0) {
		ssize_t size = recv(s->fd - 1, s->buffer, BUFFER_SIZE, MSG_TRUNC);

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return -errno;
		if (size == 0 || size > BUFFER_SIZE)
			return -EBADMSG;
		more = take_messages(s, (size_t)size);
	}
	return more;
}

static int
dump_stats(struct netdev *s)
{
	struct {
		struct nlmsghdr header;
		struct if_stats_msg body;
	} request = {
		.header = { .nlmsg_len = sizeof(request), .nlmsg_type = RTM_GETSTATS },
		.body = { .filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64) },
	};

	return dump(s, &request.header);
}

/* Names; with counters where RTM_GETSTATS is not to be had. */
static int
dump_links(struct netdev *s)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg body;
		struct rtattr mask;
		uint32_t value;
	} request = {
		.header = { .nlmsg_len = sizeof(request), .nlmsg_type = RTM_GETLINK },
		.body = { .ifi_family = AF_UNSPEC },
		.mask = { .rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = IFLA_EXT_MASK },
		.value = s->no_stats ? 0 : RTEXT_FILTER_SKIP_STATS,
	};

	s->next = 0;
	return dump(s, &request.header);
}

static int
sample_all(struct netdev *s)
{
	int error = s->no_stats || s->changed || s->n == 0 ? dump_links(s) : 0;

	if (error || s->no_stats)
		return error;
	s->next = 0;
	s->unnamed = false;
	error = dump_stats(s);
	if (error == -EOPNOTSUPP || error == -EINVAL) {
		s->no_stats = true;
		return dump_links(s);
	}
	if (error || !s->unnamed)
		return error;
	error = dump_links(s);
	if (error)
		return error;
	s->next = 0;
	return dump_stats(s);
}

int
link_sample(struct netdev *s, struct weir_err *err)
{
	int error = 0;

	if (!s->buffer && !(s->buffer = malloc(BUFFER_SIZE)))
		return weir_failx(err, -ENOMEM, "out of memory");
	if (!s->fd) {
		int fd = open_socket(0, 0);

		if (fd < 0)
			return weir_fail(err, fd, "cannot open a netlink socket");
		s->fd = fd + 1;
	}
	error = sample_all(s);
	if (!error)
		return 0;
	close(s->fd - 1); /* whatever is still on its way belongs to no question any more */
	s->fd = 0;
	return weir_fail(err, error, "netlink does not tell of interfaces");
}

void
link_watch(struct netdev *s)
{
	int fd = open_socket(RTMGRP_LINK, SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (weir_watch(s->ctx, fd, NULL))
		close(fd);
	else
		s->watched = fd + 1;
}

/* What is told does not matter: all is read anew at the next tick. */
void
link_news(struct netdev *s, int fd)
{
	char bytes[4096];
	ssize_t size = 0;

	while ((size = recv(fd, bytes, sizeof(bytes), 0)) > 0 ||
		   (size < 0 && (errno == EINTR || errno == ENOBUFS)))
		;
	s->changed = true;
	if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return;
	weir_unwatch(s->ctx, fd);
	close(fd);
	s->watched = 0;
}

void
link_close(struct netdev *s)
{
	if (s->fd)
		close(s->fd - 1);
	if (s->watched) {
		weir_unwatch(s->ctx, s->watched - 1);
		close(s->watched - 1);
	}
	free(s->buffer);
}
