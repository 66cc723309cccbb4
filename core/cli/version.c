/* SPDX-License-Identifier: Apache-2.0 */
/* weir version: what this program is. */
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include <weir/plugin.h>

#include "base/version.h"
#include "cli/cli.h"

int
cli_version(int argc, char **argv)
{
	int major, minor, patch;
	bool json = argc > 2 && !strcmp(argv[1], "--format") && !strcmp(argv[2], "json");

	if (argc > 1 && !json)
		return cli_usage("version", "wrong argument: '%s'", argv[1]);
	yaml_get_version(&major, &minor, &patch);
	if (json)
		printf("{\"version\":\"%s\",\"abi\":%d,\"libevent\":\"%s\",\"libyaml\":\"%d.%d.%d\",\"compiler\":\"%s\"}\n", weir_version,
		       WEIR_ABI, event_get_version(), major, minor, patch, __VERSION__);
	else
		printf("weir %s\nplugin ABI %d, libevent %s, libyaml %d.%d.%d, compiler %s\n", weir_version, WEIR_ABI,
		       event_get_version(), major, minor, patch, __VERSION__);
	return fflush(stdout) ? EXIT_IO : EXIT_DONE;
}
