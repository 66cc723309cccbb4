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
	{ "status", "[--control PATH] [--format text|json]", "say how a running instance does: samplers, sinks, every row accounted for",
	  "  --control PATH           its control socket; else $WEIR_CONTROL, else /var/lib/weir/control.sock\n"
	  "  --format json            the same for programs\n\n"
	  "exit: 0 all is well, 2 something is degraded, 69 nobody listens on the socket\n\n"
	  "examples:\n  weir status\n  weir status --control var/control.sock --format json",
	  cli_status },
	{ "reload", "[--control PATH]", "let a running instance read its configuration again",
	  "  --control PATH           its control socket; else $WEIR_CONTROL, else /var/lib/weir/control.sock\n\n"
	  "Only changed instances restart. A faulty configuration changes nothing: exit 78, and the faults are printed.\n\n"
	  "examples:\n  weir reload\n  weir reload --control var/control.sock",
	  cli_reload },
	{ "tap", "[SCHEMA...] [--control PATH] [--duration D] [--format table|json|csv]", "print rows of a running instance as they come",
	  "  SCHEMA                   names or patterns of schemas ('cpu*'), '!x' takes away; default all\n"
	  "  --control PATH           its control socket; else $WEIR_CONTROL, else /var/lib/weir/control.sock\n"
	  "  --duration D             end after this time (10s)\n"
	  "  --format F               table, json (an object a line) or csv\n\n"
	  "A reader that is too slow loses rows; the instance never waits for it.\n\n"
	  "examples:\n  weir tap meminfo 'cpu*'\n  weir tap '!weir_*' --format json --duration 1m",
	  cli_tap },
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
