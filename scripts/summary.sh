#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# summary.sh - the last lines of a build: what was built, what was skipped and which package brings it
#
# usage: EXPECT="NAME..." summary.sh OUTPUT-FOLDER KIND/NAME...
#
# EXPECT names plugins (perf, or samplers/perf) without which the build fails.
set -eu
out=$1
shift
echo "built $out/weir and $# plugins: $*"
if [ -s "$out/skipped.txt" ]; then
	echo "skipped $(wc -l <"$out/skipped.txt"):"
	awk -F '\t' '{ printf "  %s (needs the package %s)\n", $1, $2 }' "$out/skipped.txt"
fi
status=0
for wanted in $EXPECT; do
	case " $* " in
	*" $wanted "* | *"/$wanted "*) ;;
	*) echo "expected plugin '$wanted' was not built" >&2 && status=1 ;;
	esac
done
exit $status
