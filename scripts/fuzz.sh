#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# fuzz.sh - run each libFuzzer program for some seconds, two at a time, from the seeds in tests/fuzz/corpus/NAME
#
# usage: O=FOLDER fuzz.sh SECONDS PROGRAM...
#
# New inputs stay in O/corpus/NAME, crashers in O/crashes; copy a crasher into tests/fuzz/corpus/NAME and it is a test. The last
# line is `N passed, N failed, N skipped`.
set -u
seconds=$1
shift
cd "$(dirname "$0")/.."
if [ "$1" = --one ]; then
	program=$2
	target=${program##*/fuzz_}
	mkdir -p "$O/corpus/$target" "$O/crashes"
	seeds=tests/fuzz/corpus/$target
	[ -d "$seeds" ] || seeds=
	dictionary=tests/fuzz/$target.dict
	[ -e "$dictionary" ] || dictionary=
	if "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 ${dictionary:+-dict="$dictionary"} \
		-artifact_prefix="$O/crashes/$target-" "$O/corpus/$target" $seeds >"$O/$target.log" 2>&1; then
		runs=$(awk '/number_of_executed_units/ { print $2 }' "$O/$target.log")
		echo "  ok    $target  ($runs runs)"
		echo ok >"$O/$target.verdict"
	else
		echo "  FAIL  $target"
		tail -n 60 "$O/$target.log"
		echo failed >"$O/$target.verdict"
	fi
	exit 0
fi
[ $# -gt 0 ] || { echo "no fuzz target found"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
rm -f "$O"/*.verdict
printf '%s\n' "$@" | xargs -P 2 -n 1 "$0" "$seconds" --one
passed=$(cat "$O"/*.verdict 2>/dev/null | grep -c '^ok$')
echo "$passed passed, $(($# - passed)) failed, 0 skipped"
[ "$passed" -eq $# ]
