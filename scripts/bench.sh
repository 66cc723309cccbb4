#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# bench.sh - run the benchmarks one after the other (programs built from tests/bench/bench_*.c, then tests/bench/bench_*.{sh,py})
# and print their rows as one table; docs/benchmarks.md tells how to read it
#
# usage: [BENCH_QUICK=1] bench.sh PROGRAM...
#
# BENCH_QUICK: shorter windows, under a minute; BENCH=PATTERN: only benchmarks whose name contains it.
set -u
cd "$(dirname "$0")/.."
status=0 n=0
rows=$(mktemp "${TMPDIR:-/tmp}/weir-bench-rows-XXXXXX") || exit 1
trap 'rm -f "$rows"' EXIT
trap 'exit 1' HUP INT TERM
for bench in tests/bench/bench_*.py tests/bench/bench_*.sh "$@"; do
	[ -e "$bench" ] || continue
	case ${bench##*/} in *"${BENCH:-}"*) ;; *) continue ;; esac
	n=$((n + 1))
	echo "---- ${bench##*/}"
	case $bench in
	*.py) python3 "$bench" ;;
	*.sh) sh "$bench" ;;
	*) "$bench" ;;
	esac >"$rows.one" || { echo "failed: ${bench##*/}" && status=1; }
	grep -v '^row	' "$rows.one"
	cat "$rows.one" >>"$rows"
	rm -f "$rows.one"
done
[ $n -gt 0 ] || { echo "no benchmark found" >&2 && exit 1; }
echo
echo "$(uname -sr), $(nproc) CPUs, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), load $(cut -d' ' -f1-3 /proc/loadavg)"
echo
python3 tests/bench/table.py "$rows"
exit $status
