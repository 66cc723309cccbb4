/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor of a sampling round: a bare loop that a timer wakes, that reads the six sources with
 * kept descriptors and turns every number into an integer, keeping nothing. No framework can do
 * less and still know the values. At SIGTERM it prints the widest gap between two wakes, in
 * periods: what this machine's timers and other tasks do to anybody.
 *
 * usage: floor PERIOD_MS OFFSET_MS file|netlink
 *
 * "netlink" asks for interface counters as a dump of statistics instead of reading /proc/net/dev.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static const char *const paths[] = { "/proc/stat", "/proc/meminfo", "/proc/vmstat", "/proc/loadavg",
	"/proc/diskstats", "/proc/net/dev" };
enum { FILES = sizeof(paths) / sizeof(*paths), VMSTAT = 2, NETDEV = 5 };

static volatile sig_atomic_t stopped;

static void
stop(int number)
{
	stopped = number;
}

struct loop {
	int timer, epoll, file[FILES], socket; /* socket -1: /proc/net/dev */
	uint64_t sum;                          /* so that no compiler may leave the work out */
	char text[1 << 16];
};

static void
need(int good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "floor: cannot %s: %s\n", what, strerror(errno));
	exit(74);
}

/* Every run of digits. */
static uint64_t
scan_text(const char *at, const char *end)
{
	uint64_t sum = 0;

	while (at < end) {
		unsigned digit = (unsigned)(*at++ - '0');
		if (digit > 9)
			continue;
		uint64_t number = digit;
		for (; at < end && (digit = (unsigned)(*at - '0')) <= 9; at++)
			number = number * 10 + digit;
		sum += number;
	}
	return sum;
}

static uint64_t
read_file(struct loop *loop, int number)
{
	ssize_t size = pread(loop->file[number], loop->text, sizeof(loop->text), 0);
	/* The one file near a page: the kernel hands it out in pieces of at most a page, so only an
	 * empty read is the end. */
	while (number == VMSTAT && size > 0) {
		ssize_t more =
			pread(loop->file[number], loop->text + size, sizeof(loop->text) - (size_t)size, size);
		if (more <= 0)
			break;
		size += more;
	}
	need(size > 0, paths[number]);
	return scan_text(loop->text, loop->text + size);
}

static uint64_t
read_netlink(struct loop *loop)
{
	struct {
		struct nlmsghdr header;
		struct if_stats_msg body;
	} request = { { .nlmsg_len = sizeof(request),
					  .nlmsg_type = RTM_GETSTATS,
					  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		{ .filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64) } };
	uint64_t sum = 0;

	need(send(loop->socket, &request, sizeof(request), 0) == sizeof(request), "ask for interfaces");
	for (;;) {
		ssize_t size = recv(loop->socket, loop->text, sizeof(loop->text), 0);
		need(size > 0, "read interfaces");
		struct nlmsghdr *message = (struct nlmsghdr *)loop->text;
		for (unsigned left = (unsigned)size; NLMSG_OK(message, left);
			 message = NLMSG_NEXT(message, left)) {
			if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
				return sum;
			const char *at = (const char *)message + NLMSG_HDRLEN + sizeof(struct if_stats_msg) +
							 sizeof(struct nlattr);
			for (size_t i = 0; i < sizeof(struct rtnl_link_stats64) / 8; i++) {
				uint64_t value;
				memcpy(&value, at + 8 * i, 8);
				sum += value;
			}
		}
	}
}

/* Not static and of no constant, so that callgrind finds it by its name. */
void do_round(struct loop *);

__attribute__((noinline)) void
do_round(struct loop *loop)
{
	for (int i = 0; i < FILES; i++)
		loop->sum += i == NETDEV && loop->socket >= 0 ? read_netlink(loop) : read_file(loop, i);
}

int
main(int argc, char **argv)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	need(loop && argc == 4, "start: usage: floor PERIOD_MS OFFSET_MS file|netlink");
	long period = atol(argv[1]) * 1000000, offset = atol(argv[2]) * 1000000;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	struct itimerspec when = { .it_interval = { period / 1000000000, period % 1000000000 },
		.it_value = { now.tv_sec + 1, offset } };
	struct epoll_event event = { .events = EPOLLIN };
	loop->socket =
		argv[3][0] == 'n' ? socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE) : -1;
	loop->timer = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < FILES; i++)
		need((loop->file[i] = open(paths[i], O_RDONLY | O_CLOEXEC)) >= 0, paths[i]);
	need(loop->epoll >= 0 && timerfd_settime(loop->timer, TFD_TIMER_ABSTIME, &when, NULL) == 0 &&
			 epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->timer, &event) == 0,
		"set a timer");
	signal(SIGTERM, stop);
	double last = 0, widest = 0;

	for (uint64_t expired; !stopped;) {
		if (epoll_wait(loop->epoll, &event, 1, -1) < 1 ||
			read(loop->timer, &expired, sizeof(expired)) != sizeof(expired))
			continue;
		clock_gettime(CLOCK_REALTIME, &now);
		double time = (double)now.tv_sec + (double)now.tv_nsec / 1e9;

		if (last > 0 && time - last > widest)
			widest = time - last;
		last = time;
		do_round(loop);
	}
	printf("%.4f\n", widest * 1e9 / (double)period);
	return loop->sum == 1;
}
