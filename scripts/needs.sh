#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# needs.sh - find plugins and tests, and what they need; print a make fragment
#
# usage: CC=... CORE_NEEDS=... CORE_USES=... needs.sh OUTPUT-FOLDER [core] [plugins] [tests] [fuzz] [bench]
#
# Read by the Makefile at each start, so it must be quick and work without compiler and pkg-config (then all that has needs
# counts as missing). Lines in the first comment of a file say what it needs:
#
#	 * needs: libpq zlib                        names that pkg-config knows
#	 * needs: <perfmon/pfmlib.h> -lpfm (package libpfm4-dev)    a library without a pkg-config file
#	 * with: plugins/samplers/perf tests/unit/rows.c            more sources; of a folder all *.c
#
# A folder below plugins/KIND in which no file has WEIR_PLUGIN( holds shared code, not a plugin.
set -u
LC_ALL=C
export LC_ALL
out=$1
shift
newline='
'

# Debian package of a pkg-config name.
package_of()
{
	case $1 in
	cmocka) echo libcmocka-dev ;;
	jansson) echo libjansson-dev ;;
	libbz2 | bzip2) echo libbz2-dev ;;
	libcrypto | libssl | openssl) echo libssl-dev ;;
	libevent*) echo libevent-dev ;;
	liblz4) echo liblz4-dev ;;
	liblzma) echo liblzma-dev ;;
	libmicrohttpd) echo libmicrohttpd-dev ;;
	libpcre2-8) echo libpcre2-dev ;;
	libpq) echo libpq-dev ;;
	libprotobuf-c) echo libprotobuf-c-dev ;;
	rdkafka) echo librdkafka-dev ;;
	sqlite3) echo libsqlite3-dev ;;
	yaml-0.1) echo libyaml-dev ;;
	zlib) echo zlib1g-dev ;;
	*-dev) echo "$1" ;;
	*) echo "$1-dev" ;;
	esac
}

# Few files have such lines; awk reads only those.
speaking=" $(grep -lEr --include='*.c' '^ \* (needs|with):' plugins tests 2>/dev/null | tr '\n' ' ')"

# The values of `WORD:` lines in the first comments of the files. The comment ends at the first line that is neither.
lines_of()
{
	word=$1
	shift
	for file; do
		shift
		case $speaking in *" $file "*) set -- "$@" "$file" ;; esac
	done
	[ $# -gt 0 ] || return 0
	awk -v word="$word" '
		FNR == 1 { head = 1 }
		head && !/^(\/\*| \*|\/\/|$)/ { head = 0 }
		head && $2 == word ":" && $1 == "*" { sub(/^[^:]*:[ \t]*/, ""); sub(/[ \t]*\*\/$/, ""); print }
	' "$@"
}

# Flags of names, each asked once per run.
known=" "
try_module()
{
	key=$(printf '%s' "$1" | tr -c 'A-Za-z0-9' _)
	case $known in
	*" $key "*) ;;
	*)
		known="$known$key "
		if found=$(${PKG_CONFIG:-pkg-config} --cflags --libs "$1" 2>/dev/null); then
			eval "flags_$key=\$found have_$key=1"
		else
			eval "flags_$key= have_$key=0"
		fi
		;;
	esac
	eval "found=\$flags_$key; [ \$have_$key = 1 ]"
}

add_flags()
{
	for flag; do
		case $flag in
		-I* | -D* | -pthread) compile="$compile $flag" ;;
		*) link="$link $flag" ;;
		esac
	done
}

# A header and libraries: they must compile and link. Slow, so the answer is kept too.
try_header()
{
	key=$(printf '%s' "$1$2" | tr -c 'A-Za-z0-9' _)
	case $known in
	*" $key "*) ;;
	*)
		known="$known$key "
		printf '#include %s\nint main(void) { return 0; }\n' "$1" |
			${CC:-cc} -Wl,--no-as-needed -x c - -o /dev/null $2 2>/dev/null
		eval "have_$key=$?"
		;;
	esac
	eval "[ \$have_$key = 0 ]"
}

# Sets compile, link, missing (Debian packages) from the modules that all of a kind need ($1) and the needs lines of the files.
examine()
{
	compile= link= missing=
	needs="$1"
	shift
	needs="$needs$newline$(lines_of needs "$@")"
	saved=$IFS
	IFS=$newline
	for line in $needs; do
		IFS=$saved
		case $line in
		\<*)
			header=${line%%>*}\>
			rest=${line#*>}
			libraries=${rest%%(*}
			package=
			case $rest in *'(package '*) package=${rest#*(package }; package=${package%%)*} ;; esac
			if try_header "$header" "$libraries"; then
				link="$link $libraries"
			else
				missing="$missing ${package:-$header}"
			fi
			;;
		*)
			for module in ${line%%(*}; do
				try_module "$module" && add_flags $found || missing="$missing $(package_of "$module")"
			done
			;;
		esac
	done
	IFS=$saved
}

extra_of()
{
	for path in $(lines_of with "$@"); do
		if [ -d "$path" ]; then
			echo "${path%/}"/*.c
		else
			echo "$path"
		fi
	done
}

# What must be linked anew when a file of it goes away: folders, and those of more sources.
folders_of()
{
	[ ! -d "$1" ] || echo "$1"
	shift
	[ $# -eq 0 ] || for path; do dirname "$path"; done | sort -u
}

objects_of()
{
	for source; do printf ' $(O)/obj/%s.o' "${source%.c}"; done
}

# The core's own: all of CORE_NEEDS, and of CORE_USES what is here (-DHAVE_NAME).
core()
{
	compile= link= missing=
	command -v ${CC:-cc} >/dev/null || missing=" gcc"
	command -v ${PKG_CONFIG:-pkg-config} >/dev/null || missing="$missing pkg-config"
	for module in $CORE_NEEDS; do
		try_module "$module" && add_flags $found || missing="$missing $(package_of "$module")"
	done
	for module in $CORE_USES; do
		try_module "$module" && add_flags $found "-DHAVE_$(printf '%s' "${module#lib}" | tr 'a-z-' 'A-Z_')"
	done
	echo "CORE_CFLAGS =$compile"
	echo "CORE_LIBS =$link"
	echo "CORE_MISSING =$missing"
}

plugins()
{
	plugin_folders=" $(grep -l '^WEIR_PLUGIN(' plugins/*/*/*.c 2>/dev/null | sed 's,/[^/]*$,,' | tr '\n' ' ')"
	: >"$out/skipped.new"
	for kind in samplers parsers stores; do
		for path in plugins/$kind/*; do
			name=${path##*/}
			case $path in
			*.c) name=${name%.c} sources=$path ;;
			*)
				case $plugin_folders in *" $path "*) ;; *) continue ;; esac
				set -- "$path"/*.c
				sources=$*
				;;
			esac
			[ -e "${sources%% *}" ] || continue
			examine '' $sources
			if [ -n "$missing" ]; then
				missing=$(printf '%s\n' $missing | sort -u | paste -sd' ' -)
				printf '%s/%s\t%s\n' "$kind" "$name" "$missing" >>"$out/skipped.new"
				continue
			fi
			extra=$(extra_of $sources)
			so="\$(O)/plugins/$kind/$name.so"
			echo "PLUGINS += $so"
			echo "PLUGIN_OBJECTS +=$(objects_of $sources $extra)"
			echo "$so:$(objects_of $sources $extra) $(echo $(folders_of "$path" $extra))"
			echo "$so: PLUGIN_LIBS =$link"
			[ -z "$compile" ] || echo "$(objects_of $sources $extra): NEEDS_CFLAGS += $compile"
		done
	done
	cmp -s "$out/skipped.new" "$out/skipped.txt" && rm "$out/skipped.new" || mv "$out/skipped.new" "$out/skipped.txt"
}

# One program per file: $1 variable, $2 folder of results, $3 prefix of the results' names, $4 modules that all need, rest the files.
programs()
{
	variable=$1 folder=$2 prefix=$3 modules=$4
	shift 4
	for source; do
		[ -e "$source" ] || continue
		name=${source##*/}
		name=${name%.c}
		[ -z "$prefix" ] || name=$prefix${name#*_}
		examine "$modules" "$source"
		if [ -n "$missing" ]; then
			echo "${variable}_SKIPPED += $name:$(printf '%s,' $missing)"
			continue
		fi
		extra=$(extra_of "$source")
		program="\$(O)/$folder/$name"
		echo "$variable += $program"
		echo "TEST_OBJECTS +=$(objects_of "$source" $extra)"
		echo "$program:$(objects_of "$source" $extra) $(echo $(folders_of "$source" $extra))"
		echo "$program: TEST_LIBS =$link"
		[ -z "$compile" ] || echo "$(objects_of "$source" $extra): NEEDS_CFLAGS += $compile"
	done
}

mkdir -p "$out" || exit 1
{
	for part; do
		case $part in
		core) core ;;
		plugins) plugins ;;
		tests)
			programs TESTS tests '' cmocka tests/unit/test_*.c
			programs REPLAYS tests replay_ '' tests/fuzz/fuzz_*.c
			;;
		fuzz) programs FUZZERS fuzz '' '' tests/fuzz/fuzz_*.c ;;
		bench) programs BENCHES bench '' '' tests/bench/bench_*.c ;;
		esac
	done
} >"$out/needs.new"
cmp -s "$out/needs.new" "$out/needs.mk" && rm "$out/needs.new" || mv "$out/needs.new" "$out/needs.mk"
