#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# bench.sh - run the benchmarks one after the other: programs built from tests/bench/bench_*.c, then tests/bench/bench_*.{sh,py}
#
# usage: bench.sh PROGRAM...
set -u
cd "$(dirname "$0")/.."
status=0 n=0
for bench in "$@" tests/bench/bench_*.sh tests/bench/bench_*.py; do
	[ -e "$bench" ] || continue
	n=$((n + 1))
	echo "---- ${bench##*/}"
	case $bench in
	*.py) python3 "$bench" ;;
	*.sh) sh "$bench" ;;
	*) "$bench" ;;
	esac || { echo "failed: ${bench##*/}" && status=1; }
done
[ $n -gt 0 ] || { echo "no benchmark found" >&2 && status=1; }
exit $status
