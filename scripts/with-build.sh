#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# with-build.sh - run a command with the environment in which tests and checks find the build
#
# usage: O=FOLDER CC=... SAN=... with-build.sh COMMAND [ARGUMENT...]
#
# WEIR_SOURCE: top of the sources; WEIR_BUILD: folder of the build; WEIR: the program; WEIR_TEST_DATA: sample inputs.
cd "$(dirname "$0")/.." || exit 1
export CC O SAN
export WEIR_SOURCE="$PWD" WEIR_BUILD="$O" WEIR="$O/weir" WEIR_SAN="$SAN"
export WEIR_TEST_DATA="${WEIR_TEST_DATA:-$PWD/../shared/data}"
# A fault ends the process at once with a status that no test expects; cmocka's own handler would hide where it was.
export ASAN_OPTIONS="${ASAN_OPTIONS:-exitcode=99:detect_leaks=1:handle_segv=2:handle_sigbus=2:handle_sigfpe=2}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1:exitcode=99}"
export TSAN_OPTIONS="${TSAN_OPTIONS:-exitcode=99:halt_on_error=1}"
export PYTHONDONTWRITEBYTECODE=1
# What a user's shell may say to weir is not for tests.
unset WEIR_PLUGIN_PATH WEIR_CONTROL
exec "$@"
