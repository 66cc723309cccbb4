/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls, and what their errors mean for an event and its set. */
#include "perf.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/perf_event.h>

/*
 * A large machine needs more descriptors than the soft limit of 1024; nothing here or in libevent's
 * epoll minds large ones.
 */
static bool
raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= limit.rlim_max)
		return false;
	limit.rlim_cur = limit.rlim_max;
	return !setrlimit(RLIMIT_NOFILE, &limit);
}

static int
live_open(void *closure, const struct perf_event_attr *attr, int cpu, int leader)
{
	(void)closure;
	for (;;) {
		long fd = syscall(SYS_perf_event_open, attr, -1, cpu, leader, PERF_FLAG_FD_CLOEXEC);

		if (fd >= 0)
			return (int)fd;
		if (errno != EMFILE || !raise_limit())
			return -errno;
	}
}

static ssize_t
live_read(void *closure, int fd, void *data, size_t size)
{
	(void)closure;
	ssize_t n = read(fd, data, size);

	return n < 0 ? -errno : n;
}

static int
live_identify(void *closure, int fd, uint64_t *id)
{
	(void)closure;
	return ioctl(fd, PERF_EVENT_IOC_ID, id) ? -errno : 0;
}

static int
live_enable(void *closure, int leader, bool on)
{
	(void)closure;
	unsigned long request = on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE;

	return ioctl(leader, request, PERF_IOC_FLAG_GROUP) ? -errno : 0;
}

static void
live_close(void *closure, int fd)
{
	(void)closure;
	close(fd);
}

const struct perf_system perf_live_system = {
	.open = live_open,
	.read = live_read,
	.identify = live_identify,
	.enable = live_enable,
	.close = live_close,
};

int
perf_event_open_on(struct perf *p, const struct perf_event *event, uint32_t cpu, int leader)
{
	const struct perf_code *code = &event->code;
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = code->type,
		.config = code->config,
		.config1 = code->config1,
		.config2 = code->config2,
		.disabled = leader < 0,
		.exclude_user = code->exclude_user,
		.exclude_kernel = code->exclude_kernel,
		.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_ID | PERF_FORMAT_TOTAL_TIME_ENABLED |
					   PERF_FORMAT_TOTAL_TIME_RUNNING,
	};

	return p->system->open(p->system->closure, &attr, (int)cpu, leader);
}

static const char no_pmu[] =
	"no-pmu: the kernel has no PMU of the cores in '" PERF_DEVICES "', as in most virtual machines";

enum perf_state
perf_judge(
	struct perf *p, const struct perf_set *set, struct perf_event *event, uint32_t cpu, int error)
{
	char paranoid[16] = "unknown";
	struct weir_err err;

	event->reported = true;
	switch (-error) {
	case EACCES:
	case EPERM:
		(void)weir_slurp(
			p->ctx, paranoid, sizeof(paranoid), "/proc/sys/kernel/perf_event_paranoid");
		weir_capability(p->ctx, event->item, WEIR_REFUSED,
			"needs CAP_PERFMON (before Linux 5.8: CAP_SYS_ADMIN), or kernel.perf_event_paranoid at "
			"most 0 (it is %s)",
			paranoid);
		return PERF_REFUSED;
	case EBUSY:
		weir_capability(p->ctx, event->item, WEIR_FAILED,
			"another user of the PMU has the counters of CPU %u", cpu);
		return PERF_BUSY;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		weir_fail(&err, error,
			"cannot open it on CPU %u (it takes a descriptor for each event and CPU: raise "
			"LimitNOFILE)",
			cpu);
		weir_capability(p->ctx, event->item, WEIR_FAILED, "%s", err.text);
		return PERF_FAILED;
	case ENOSYS:
		weir_capability(
			p->ctx, event->item, WEIR_UNSUPPORTED, "this kernel was built without perf events");
		return PERF_DEAD;
	default:
		weir_fail(&err, error, "PMU '%s' cannot count it here", set->pmu);
		weir_capability(p->ctx, event->item, WEIR_UNSUPPORTED, "%s",
			p->no_pmu && !strcmp(set->pmu, "cpu") ? no_pmu : err.text);
		return PERF_DEAD;
	}
}
