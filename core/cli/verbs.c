/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs: usage, help and manual page come from it. */
#include "cli/cli.h"

const struct verb cli_verbs[] = {
	{ "run", "[CONFIG]", "run in the foreground what the configuration names, until SIGTERM",
	  "  CONFIG                   a file, or a folder that holds weir.yaml (/etc/weir); drop-ins: conf.d/*.yaml beside it\n\n"
	  "SIGHUP reloads, SIGTERM and SIGINT store what is queued and end.\n"
	  "exit: 0 done, 66 no such file, 73 or 77 a path cannot be had, 75 held by another, 78 the configuration is wrong\n\n"
	  "examples:\n  weir run conf/laptop.yaml\n  weir run /etc/weir",
	  cli_run },
	{ "isolated-sampler", "", NULL, NULL, cli_isolated },
	{ "sample", "NAME... [--root DIR] [-o NAME.option=value]... [--count N] [--interval D] [--format table|json|csv] [--host NAME]",
	  "run samplers once or a few times and print their rows",
	  "  --root DIR               read below DIR: a saved tree of another machine, a container\n"
	  "  -o NAME.option=value     an option of a sampler ('weir plugin describe NAME' lists them); a list: a,b,c\n"
	  "  --count N                this many ticks (1)\n"
	  "  --interval D             pause between ticks (1s)\n"
	  "  --format F               table, json (an object a line) or csv\n"
	  "  --host NAME, --cluster NAME   names for the rows\n\n"
	  "examples:\n"
	  "  weir sample meminfo loadavg\n"
	  "  weir sample disk -o disk.include='sd*' --count 3 --interval 1s --format json",
	  cli_sample },
	{ "version", "[--format json]", "print the version and what this program was built with",
	  "  --format json            the same for programs\n\nexample:\n  weir version", cli_version },
	{ 0 },
};
