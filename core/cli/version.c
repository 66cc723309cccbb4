/* SPDX-License-Identifier: Apache-2.0 */
/* weir version: what this program is. */
#include <stdio.h>
#include <string.h>

#include <weir/plugin.h>

#include "base/version.h"
#include "cli/cli.h"
#include "config/yaml.h"
#include "flow/flow.h"

int
cli_version(int argc, char **argv)
{
	bool json = argc > 2 && !strcmp(argv[1], "--format") && !strcmp(argv[2], "json");

	if (argc > 1 && !json)
		return cli_usage("version", "wrong argument: '%s'", argv[1]);
	if (json)
		printf("{\"version\":\"%s\",\"abi\":%d,\"libevent\":\"%s\",\"libyaml\":\"%s\",\"compiler\":"
			   "\"%s\"}\n",
			weir_version, WEIR_ABI, flow_library(), yaml_library(), __VERSION__);
	else
		printf("weir %s\nplugin ABI %d, libevent %s, libyaml %s, compiler %s\n", weir_version,
			WEIR_ABI, flow_library(), yaml_library(), __VERSION__);
	return fflush(stdout) ? EXIT_IO : EXIT_DONE;
}
