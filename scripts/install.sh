#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# install.sh - put a build where it is used, or take exactly that away again
#
# usage: PREFIX=... [DESTDIR BINDIR LIBDIR INCLUDEDIR MANDIR DATADIR UNITDIR VERSION] install.sh install|uninstall|list BUILD PLUGIN.so...
#
# The program finds its plugins from where it lies (../lib/weir), weir.pc its prefix likewise, so a tree can be moved as a whole.
set -eu
action=$1 build=$2
shift 2
cd "$(dirname "$0")/.."
prefix=$PREFIX
bin=${BINDIR:-$prefix/bin}
lib=${LIBDIR:-$prefix/lib}
include=${INCLUDEDIR:-$prefix/include}
man=${MANDIR:-$prefix/share/man}
data=${DATADIR:-$prefix/share}
unit=${UNITDIR:-$prefix/lib/systemd/system}
case $prefix in
/*) ;;
*) echo "install: PREFIX '$prefix' is no absolute path" >&2 && exit 1 ;;
esac

# Lines MODE SOURCE DESTINATION, DESTINATION without DESTDIR.
files()
{
	echo "755 $build/weir $bin/weir"
	for plugin; do
		kind=$(basename "$(dirname "$plugin")")
		echo "755 $plugin $lib/weir/$kind/$(basename "$plugin")"
	done
	echo "644 $build/skipped.txt $lib/weir/skipped.txt"
	for header in core/include/weir/*.h; do
		echo "644 $header $include/weir/$(basename "$header")"
	done
	echo "644 - $lib/pkgconfig/weir.pc"
	find docs/man docs/plugins -name '*.[1-8]' 2>/dev/null | sort | while read -r page; do
		echo "644 $page $man/man${page##*.}/$(basename "$page")"
	done
	[ ! -f conf/systemd/sysusers.conf ] || echo "644 conf/systemd/sysusers.conf $prefix/lib/sysusers.d/weir.conf"
	find conf -type f ! -path 'conf/systemd/*' | sort | while read -r file; do
		echo "644 $file $data/weir/${file#conf/}"
	done
	find conf/systemd -name '*.service' 2>/dev/null | sort | while read -r file; do
		echo "644 $file $unit/$(basename "$file")"
	done
	# What ships with a plugin: rules, hooks.
	find plugins -mindepth 3 -type f ! -name '*.[cho]' ! -name '*.pyc' | sort | while read -r file; do
		case $file in
		*.py | *.sh) [ -x "$file" ] && mode=755 || mode=644 ;;
		*) mode=644 ;;
		esac
		echo "$mode $file $data/weir/${file#plugins/}"
	done
}

# The way from weir.pc up to the prefix; an absolute path when LIBDIR is elsewhere.
pkgconfig()
{
	case $lib in
	"$prefix"/*)
		up=$(printf '%s/pkgconfig' "${lib#"$prefix"/}" | sed 's,[^/][^/]*,..,g')
		echo "prefix=\${pcfiledir}/$up"
		;;
	*) echo "prefix=$prefix" ;;
	esac
	cat <<END
includedir=$(printf '%s' "$include" | sed "s,^$prefix/,\${prefix}/,")
libdir=$(printf '%s' "$lib" | sed "s,^$prefix/,\${prefix}/,")
plugindir=\${libdir}/weir
bindir=$(printf '%s' "$bin" | sed "s,^$prefix/,\${prefix}/,")

Name: weir
Description: plugins for Weir, a monitoring framework for clusters
Version: $VERSION
Cflags: -I\${includedir}
END
}

DESTDIR=${DESTDIR:-}
case $action in
list) files "$@" | awk '{ print $3 }' ;;
install)
	files "$@" | while read -r mode source destination; do
		mkdir -p "$DESTDIR${destination%/*}"
		# Written beside and renamed: a running program keeps its file.
		new=$DESTDIR$destination.new
		case $destination in
		*/weir.pc) pkgconfig >"$new" ;;
		*.service) sed "s,@bindir@,$bin,g; s,/usr/bin/weir,$bin/weir,g" "$source" >"$new" ;;
		*) cp "$source" "$new" ;;
		esac
		chmod "$mode" "$new"
		mv -f "$new" "$DESTDIR$destination"
	done
	echo "installed below $DESTDIR$prefix"
	;;
uninstall)
	files "$@" | while read -r _ _ destination; do
		rm -f "$DESTDIR$destination"
		echo "$DESTDIR${destination%/*}"
	done | sort -ru | while read -r folder; do
		# Folders that only Weir fills, and those above them that are empty now.
		while [ "${folder#"$DESTDIR$prefix"}" != "$folder" ] && [ "$folder" != "$DESTDIR$prefix" ]; do
			rmdir "$folder" 2>/dev/null || break
			folder=${folder%/*}
		done
	done
	;;
*) echo "usage: install.sh install|uninstall|list BUILD PLUGIN..." >&2 && exit 64 ;;
esac
