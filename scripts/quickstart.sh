#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# quickstart.sh - build Weir, run it on this machine and watch it; nothing outside ./build and ./var is touched
#
# usage: [DURATION=8s] [O=build] quickstart.sh
#
# Exit 0 when the agent ran and ended well, whether the time was over or Ctrl-C came.
set -u
cd "$(dirname "$0")/.."
out=${O:-build}
weir=$out/weir

scripts/deps.sh --quiet build plugins || exit 1
# A make of its own: this one may have been called by another, whose job server does not reach here.
unset MAKEFLAGS MFLAGS MAKELEVEL
make --no-print-directory -j"$(nproc)" O="$out" all || exit 1

# At a terminal this shell becomes the foreground group by itself, so that Ctrl-C ends the show and not make as well.
# Either way the programs have groups of their own: the agent drains at SIGTERM, it must not see the Ctrl-C.
group=setsid
[ ! -t 0 ] || { set -m && group=; }

mkdir -p var
agent= view=
interrupted=
stop()
{
	trap '' INT TERM
	[ -z "$view" ] || kill -TERM "$view" 2>/dev/null
	[ -z "$agent" ] || kill -TERM "$agent" 2>/dev/null
}
trap 'interrupted=yes; [ -z "$view" ] || kill -TERM "$view" 2>/dev/null' INT TERM
trap stop EXIT

$group "$weir" run conf/laptop.yaml </dev/null >var/weir.log 2>&1 &
agent=$!

# The socket appears when the agent is ready.
waited=0
until [ -S var/control.sock ] || [ -n "$interrupted" ]; do
	if ! kill -0 "$agent" 2>/dev/null || [ $waited -ge 100 ]; then
		echo "quickstart: the agent did not start; var/weir.log says:" >&2
		tail -n 20 var/weir.log >&2
		exit 1
	fi
	sleep 0.1
	waited=$((waited + 1))
done

status=0
# With job control the shell tells of every job that ends; nobody asked.
exec 3>&2 2>/dev/null
if [ -z "$interrupted" ]; then
	$group "$weir" top --control var/control.sock ${DURATION:+--duration "$DURATION"} </dev/null 2>&3 &
	view=$!
	wait "$view"
	status=$?
	[ -z "$interrupted" ] || status=0
	view=
fi
trap - EXIT
trap '' INT TERM
if ! kill -TERM "$agent" 2>/dev/null; then
	echo "quickstart: the agent ended by itself; var/weir.log says:" >&3
	tail -n 20 var/weir.log >&3
	status=1
fi
wait "$agent" || { echo "quickstart: the agent failed; see var/weir.log" >&3; status=1; }
[ $status -eq 0 ] || exit $status

database=$(ls var/*.db 2>/dev/null | head -n 1)
[ -n "$database" ] || { echo "quickstart: no database in var; see var/weir.log" >&3; exit 1; }
cat <<END

The data is in $database, the log in var/weir.log. Next:
  sqlite3 $database "select datetime(time/1e6, 'unixepoch') as utc, * from loadavg order by time desc limit 3"
  $weir plugin list                                              what else can be measured
  edit conf/laptop.yaml, then: $weir config check conf/laptop.yaml    measure it
END
