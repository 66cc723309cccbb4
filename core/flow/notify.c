/* SPDX-License-Identifier: Apache-2.0 */
/* systemd's notification protocol (sd_notify(3)): one datagram. libsystemd would cost more memory
 * than the rest of the agent. */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "flow/flow.h"

void
notify_send(const char *format, ...)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char message[512];
	va_list arguments;

	if (!path || (*path != '/' && *path != '@') || strlen(path) >= sizeof(address.sun_path))
		return;
	va_start(arguments, format);
	int length = vsnprintf(message, sizeof(message), format, arguments);

	va_end(arguments);
	memcpy(address.sun_path, path, strlen(path));
	if (*path == '@')
		address.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	/* Nobody to tell when this fails. */
	(void)sendto(fd, message, length < (int)sizeof(message) ? (size_t)length : sizeof(message) - 1,
		MSG_NOSIGNAL, (struct sockaddr *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
	close(fd);
}

int64_t
notify_watchdog(void)
{
	const char *microseconds = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	int64_t us;

	if (!microseconds || parse_i64(microseconds, &us, NULL) || us <= 0)
		return 0;
	if (pid && strtol(pid, NULL, 10) != getpid())
		return 0;
	return us * 1000 / 2;
}
