#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# deps.sh - install the packages that building and testing Weir needs, those that are missing
#
# usage: deps.sh [--quiet] [USE...]
#
# USE is one of those in packaging/*-packages.txt; default all. Installs as root, or through sudo when that asks no password.
# With --quiet nothing is said when nothing is missing. Where installing is impossible, this fails if the uses asked for cannot
# do without what is missing; plugins can: the build skips them and says so.
set -u
cd "$(dirname "$0")/.."
quiet=
[ "${1:-}" != --quiet ] || { quiet=yes && shift; }
uses=${*:-build plugins test lint fuzz}

say() { echo "deps: $*"; }
fail() { echo "deps: $*" >&2; exit 1; }

if command -v apt-get >/dev/null; then
	list=packaging/debian-packages.txt
elif command -v dnf >/dev/null; then
	list=packaging/fedora-packages.txt
else
	list=
fi

installed()
{
	case $1 in
	python3-pytest) python3 -m pytest --version >/dev/null 2>&1 || /usr/bin/python3 -m pytest --version >/dev/null 2>&1 ;;
	python3-yaml | python3-pyyaml) /usr/bin/python3 -c 'import yaml' 2>/dev/null ;;
	*)
		case $list in
		*debian*) [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
		*) rpm -q --whatprovides "$1" >/dev/null 2>&1 ;;
		esac
		;;
	esac
}

# The packages of some uses that are not installed. A package of another name may stand for one of ours (pkgconf for pkg-config).
missing_of()
{
	for use; do
		awk -v use="$use" '!/^#/ && $2 == use { print $1 }' "$list"
	done | while read -r package; do
		installed "$package" || echo "$package"
	done
}

# What the uses cannot do without, as programs and libraries, whoever installed them.
essential()
{
	for use; do
		case $use in
		build)
			command -v "${CC:-gcc}" >/dev/null || echo "a C compiler"
			for module in libevent_core yaml-0.1 libxxhash; do
				pkg-config --exists $module 2>/dev/null || echo "$module"
			done
			;;
		test)
			pkg-config --exists cmocka 2>/dev/null || echo cmocka
			installed python3-pytest || echo pytest
			;;
		esac
	done
}

as=
may_install=yes
if [ "$(id -u)" -ne 0 ]; then
	as="sudo -n"
	$as true 2>/dev/null || may_install=
fi

install()
{
	case $list in
	*debian*)
		apt="$as env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 -o Acquire::Retries=1 -o DPkg::Lock::Timeout=300 --no-install-recommends"
		# Without package lists nothing has a candidate; old lists name versions that the mirror no longer has.
		apt-cache show "$@" >/dev/null 2>&1 && $apt install "$@" && return 0
		$apt update || return 1
		# Another release may lack one: the others are wanted all the same.
		for package; do
			shift
			apt-cache show "$package" >/dev/null 2>&1 && set -- "$@" "$package" || echo "no package '$package' here"
		done
		$apt install "$@"
		;;
	*) $as dnf -q -y --setopt=strict=False install "$@" ;;
	esac
}

missing=
[ -z "$list" ] || missing=$(missing_of $uses)
[ -n "$list" ] && [ -z "$missing" ] && { [ -n "$quiet" ] || say "all packages of $list are installed"; exit 0; }

if [ -n "$list" ]; then
	if [ -n "$may_install" ]; then
		say "installing" $missing
		log=$(mktemp)
		if install $missing >"$log" 2>&1; then
			rm -f "$log"
			still=$(missing_of $uses)
			[ -n "$still" ] || exit 0
			missing=$still
		else
			tail -n 5 "$log" >&2
			rm -f "$log"
		fi
	fi
	case $list in
	*debian*) advice="run as root: apt-get install $(echo $missing)" ;;
	*) advice="run as root: dnf install $(echo $missing)" ;;
	esac
	[ -n "$may_install" ] || advice="neither root nor sudo without a password; $advice"
else
	advice="neither apt-get nor dnf here; install what packaging/debian-packages.txt lists by this system's names"
fi
lacking=$(essential $uses)
if [ -z "$lacking" ] && [ -n "$quiet" ]; then
	say "going on without; $advice"
	exit 0
fi
fail "${lacking:+missing: $(echo $lacking); }$advice"
