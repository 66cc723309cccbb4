/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs: usage, help and manual page come from it. */
#include "cli/cli.h"

const struct verb cli_verbs[] = {
	{ "run", "[CONFIG]", "run in the foreground what the configuration names, until SIGTERM",
		"  CONFIG                   a file, or a folder that holds weir.yaml (/etc/weir); "
		"drop-ins: conf.d/*.yaml beside it\n\n"
		"SIGHUP reloads, SIGTERM and SIGINT store what is queued and end.\n"
		"exit: 0 done, 66 no such file, 73 or 77 a path cannot be had, 75 held by another, 78 the "
		"configuration is wrong\n\n"
		"examples:\n  weir run conf/laptop.yaml\n  weir run /etc/weir",
		cli_run },
	{ "status", "[--control PATH] [--format text|json] [--check]",
		"say how a running instance does: samplers, sinks, every row accounted for",
		"  --control PATH           its control socket; else $WEIR_CONTROL, else "
		"/var/lib/weir/control.sock\n"
		"  --format json            the same for programs\n"
		"  --check                  exit 1 when something is degraded\n\n"
		"exit: 0 answered, 1 degraded (with --check), 69 nobody listens on the socket\n\n"
		"examples:\n  weir status\n  weir status --control var/control.sock --format json",
		cli_status },
	{ "reload", "[--control PATH]", "let a running instance read its configuration again",
		"  --control PATH           its control socket; else $WEIR_CONTROL, else "
		"/var/lib/weir/control.sock\n\n"
		"Only changed instances restart. A faulty configuration changes nothing: exit 78, and the "
		"faults are printed.\n\n"
		"examples:\n  weir reload\n  weir reload --control var/control.sock",
		cli_reload },
	{ "tap", "[SCHEMA...] [--control PATH] [--duration D] [--format table|json|csv]",
		"print rows of a running instance as they come",
		"  SCHEMA                   names or patterns of schemas ('cpu*'), '!x' takes away; "
		"default all\n"
		"  --control PATH           its control socket; else $WEIR_CONTROL, else "
		"/var/lib/weir/control.sock\n"
		"  --duration D             end after this time (10s)\n"
		"  --format F               table, json (an object a line) or csv\n\n"
		"A reader that is too slow loses rows; the instance never waits for it.\n\n"
		"examples:\n  weir tap meminfo 'cpu*'\n  weir tap '!weir_*' --format json --duration 1m",
		cli_tap },
	{ "top", "[--control PATH] [--interval D] [--duration D] [--once]",
		"watch this machine and a running instance on the terminal",
		"  --control PATH           its control socket; else $WEIR_CONTROL, else "
		"/var/lib/weir/control.sock\n"
		"  --interval D             time between two pictures (1s)\n"
		"  --duration D             end after this time; else at Ctrl-C\n"
		"  --once                   one picture after the second tick, then end\n\n"
		"Without a terminal it prints a line each time.\n\n"
		"examples:\n  weir top\n  weir top --control var/control.sock --once",
		cli_top },
	{ "isolated-sampler", "", NULL, NULL, cli_isolated },
	{ "sample",
		"NAME... [--root DIR] [-o NAME.option=value]... [--count N] [--interval D] [--format "
		"table|json|csv] [--host NAME]",
		"run samplers once or a few times and print their rows",
		"  --root DIR               read below DIR: a saved tree of another machine, a container\n"
		"  -o NAME.option=value     an option of a sampler ('weir plugin describe NAME' lists "
		"them); a list: a,b,c\n"
		"  --count N                this many ticks (1)\n"
		"  --interval D             pause between ticks (1s)\n"
		"  --format F               table, json (an object a line) or csv\n"
		"  --host NAME, --cluster NAME   names for the rows\n\n"
		"examples:\n"
		"  weir sample meminfo loadavg\n"
		"  weir sample disk -o disk.include='sd*' --count 3 --interval 1s --format json",
		cli_sample },
	{ "config", "check|show|drop-in [CONFIG] [--host NAME] | init agent|aggregator|laptop",
		"check a configuration, show it whole, begin one",
		"  check                    find every fault of all files; --format human, gcc "
		"(FILE:LINE:COLUMN: text) or json\n"
		"  show                     the set in effect as YAML, defaults included, each value with "
		"its origin; secrets are ***\n"
		"  drop-in                  settings for the systemd unit: what the enabled plugins need "
		"and no more\n"
		"  init KIND                a commented file to start from, on standard output\n"
		"  CONFIG                   a file, or a folder that holds weir.yaml (/etc/weir); "
		"drop-ins: conf.d/*.yaml beside it\n"
		"  --host NAME              as if on that host: 'match' in drop-ins\n\n"
		"exit: 0 good (perhaps with warnings), 66 no such file, 78 the configuration is wrong\n\n"
		"examples:\n"
		"  weir config init agent > weir.yaml\n"
		"  weir config check weir.yaml --host gpu001\n"
		"  weir config show /etc/weir",
		cli_config },
	{ "plugin",
		"list | describe [KIND] NAME|FILE.so | test [KIND] NAME|FILE.so | new KIND NAME DIR",
		"list, describe and test plugins, begin a new one",
		"  list                     all plugins; bad files and their reasons on standard error; "
		"--format text or json\n"
		"  describe NAME            options, rows and needs; --format text, json, markdown or man\n"
		"  test NAME                does it keep the contract? two instances at once, pieces, "
		"marks\n"
		"    -o OPTION=VALUE        an option of the instances under test; a list: a,b,c\n"
		"    --input FILE           what a parser is fed\n"
		"    --root DIR             a sampler reads below DIR\n"
		"    --rows                 print the rows as JSON, an object a line\n"
		"  new KIND NAME DIR        a sampler, parser or store that builds outside this tree, with "
		"a test\n\n"
		"exit: 0 good, 1 the test found faults, 64 no such plugin, 78 the file is no good "
		"plugin\n\n"
		"examples:\n"
		"  weir plugin describe cpu\n"
		"  weir plugin describe store csv --format json\n"
		"  weir plugin test ./mine.so --input tests/log --rows\n"
		"  weir plugin new sampler mine ./mine",
		cli_plugin },
	{ "manual", "", NULL, NULL, cli_manual },
	{ "version", "[--format json]", "print the version and what this program was built with",
		"  --format json            the same for programs\n\nexample:\n  weir version",
		cli_version },
	{ 0 },
};
