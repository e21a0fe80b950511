# shellcheck shell=bash
# What every integration test begins with:
#
#	#!/bin/bash
#	# shellcheck source=tests/lib.sh
#	. "${0%/*}/../lib.sh"
#	setup
#	expect_exit 0 'a file loads' csvp-run -q -d navaids -k id "$DATA/navaids.csv"
#	is "$(sql 'SELECT count(*) FROM navaids')" 11008 'every record is a row'
#
# A case is one line: `ok - NAME`, `not ok - NAME` or `skip - NAME: WHY`; tests/run counts them. `set -eu` is on:
# a command that fails outside a check ends the script, and that too is a failure. After setup:
#
#	WORK   a new folder, the current one; removed at the end, its server stopped
#	DATA   tests/data
#	B      the build folder (an absolute path); B/bin comes first in PATH
#	SEED   the seed of this run, from the environment or new; $RANDOM starts from it
#
# No CSVP_* or PG* setting of the caller is seen: CSVP_HOME is WORK/home, HOME is WORK, CSVP_CONFIG an empty file.
# Waits are for conditions (wait_until), never for seconds. Servers beside PostgreSQL: with_services. What a script has
# started itself it ends by at_exit, never by an EXIT trap of its own: that would hide the status it died with.
set -eu

TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
DATA=$TESTS/data
B=$(cd "${B:-$TESTS/../build}" && pwd)
FAILED=
AT=
DIED=
AT_EXIT=()
export DATA B

# A private world: see the top. Call it once, before anything else.
setup()
{
	local name home=~ cache
	cache=${CSVP_CACHE_DIR:-${XDG_CACHE_HOME:-$home/.cache}/csvp}
	for name in $(compgen -e | grep -E '^(CSVP_|PG|AWS_|XDG_)' | grep -v '^CSVP_TEST_'); do
		unset "$name"
	done
	# The path is short (sockets) and open for others: as root, the server runs as `postgres`.
	WORK=$(mktemp -d "${TEST_TMP:-${TMPDIR:-/tmp}}/csvp.XXXXXX")
	chmod 755 "$WORK"
	trap teardown EXIT
	# The script's own line, also where a function of it was called.
	set -E
	trap 'DIED=$((${#BASH_LINENO[@]} > 1 ? BASH_LINENO[-2] : LINENO))' ERR
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	cd "$WORK"
	: >"$WORK/csvp.conf"
	export WORK HOME="$WORK" CSVP_HOME="$WORK/home" CSVP_CONFIG="$WORK/csvp.conf"
	export CSVP_CACHE_DIR="$cache" CSVP_SERVICES_DIR="$WORK/services"
	export PATH="$B/bin:$PATH" LC_ALL=C.UTF-8 TZ=UTC
	SEED=${SEED:-$(($(od -An -N3 -tu4 /dev/urandom)))}
	RANDOM=$SEED
	export SEED
	echo "# SEED=$SEED"
}

# at_exit COMMAND: run it (as eval does) when the script ends in any way, before the server stops; once, if given again.
at_exit()
{
	local known
	for known in "${AT_EXIT[@]}"; do
		[ "$known" != "$1" ] || return 0
	done
	AT_EXIT+=("$1")
}

teardown()
{
	local status=$? command
	trap - EXIT ERR
	# From here on everything is tried.
	set +eu
	for command in "${AT_EXIT[@]}"; do
		eval "$command"
	done
	cd /
	if [ -d "$CSVP_HOME" ] && ! csvp-admin down -q >"$WORK/down.log" 2>&1; then
		not_ok 'the private server stops' "$(cat "$WORK/down.log")"
	fi
	[ ! -d "$CSVP_SERVICES_DIR" ] || services stop >"$WORK/down.log" 2>&1 ||
		not_ok 'the services stop' "$(cat "$WORK/down.log")"
	rm -rf "$WORK"
	[ "$status" -eq 0 ] || [ -n "$FAILED" ] || [ -z "$DIED" ] || echo "#   $0:$DIED: died with status $status"
	[ "$status" -ne 0 ] || [ -z "$FAILED" ] || status=1
	exit "$status"
}

ok()
{
	echo "ok - $1"
}

# not_ok NAME [WHY...]: the case failed; the script goes on, its exit status will be 1. Where it stands is printed as compilers
# do, for editors: the script's line, or AT.
not_ok()
{
	FAILED=yes
	echo "not ok - $1"
	echo "#   ${AT:-$0:${BASH_LINENO[-2]}}: $1"
	shift
	[ $# -eq 0 ] || printf '%s\n' "$@" | sed 's/^/#   /'
}

skip()
{
	echo "skip - $1: $2"
}

# under_san NAME: in a sanitizer build, skip a case about memory or time (they mean nothing there) and say true.
under_san()
{
	[ -n "${SAN:-}" ] || return 1
	skip "$1" 'not measured under sanitizers'
}

# services ARGUMENT...: those of this test, see scripts/services.
services()
{
	"$TESTS/../scripts/services" "$@"
}

# with_services NAME...: start these servers (or take the ready-made ones) and export where they are. Where one is not
# installed, the test is skipped.
with_services()
{
	local status=0
	services start "$@" 2>"$WORK/services.err" || status=$?
	if [ "$status" -eq 66 ]; then
		skip "$(basename "$0" .sh)" "$(tail -n 1 "$WORK/services.err")"
		exit 0
	elif [ "$status" -ne 0 ]; then
		not_ok "the services start: $*" "$(cat "$WORK/services.err")"
		exit 1
	fi
	eval "$(services env "$@")"
}

# needs_python PACKAGE==VERSION...: PYTHON is an interpreter that has these packages of PyPI, in a folder of the cache. Where
# they cannot be had, the test is skipped.
needs_python()
{
	local folder
	folder=$CSVP_CACHE_DIR/python-$(printf '%s\n' "$@" | sha256sum | cut -c 1-12)
	export PYTHON=$folder/bin/python3
	[ ! -e "$folder/whole" ] || return 0
	if python3 -m venv "$folder" >"$WORK/python.log" 2>&1 && "$folder/bin/pip" install -q "$@" >>"$WORK/python.log" 2>&1; then
		touch "$folder/whole"
	else
		rm -rf "$folder"
		skip "$(basename "$0" .sh)" "no $*: $(tail -n 1 "$WORK/python.log")"
		exit 0
	fi
}

# is ACTUAL EXPECTED NAME
is()
{
	if [ "$1" = "$2" ]; then
		ok "$3"
	else
		not_ok "$3" "expected: $2" "actual:   $1"
	fi
}

# matches ACTUAL REGEX NAME: an extended regular expression, anywhere in the text.
matches()
{
	if printf '%s\n' "$1" | grep -qE -e "$2"; then
		ok "$3"
	else
		not_ok "$3" "expected: /$2/" "actual:   $1"
	fi
}

# check NAME COMMAND...: the command is true.
check()
{
	local name=$1
	shift
	if "$@"; then
		ok "$name"
	else
		not_ok "$name" "false: $*"
	fi
}

# expect_exit CODE NAME COMMAND...: its exit status; stdout and stderr are left in WORK/out and WORK/err.
expect_exit()
{
	local want=$1 name=$2 got=0
	shift 2
	"$@" >"$WORK/out" 2>"$WORK/err" || got=$?
	if [ "$got" -eq "$want" ]; then
		ok "$name"
	else
		not_ok "$name" "expected exit $want, got $got: $*" "$(tail -n 20 "$WORK/err")"
	fi
}

# sql STATEMENT...: unaligned rows on stdout, values separated by |.
sql()
{
	local statement
	for statement; do
		csvp-admin psql -XAtq -v ON_ERROR_STOP=1 -c "$statement"
	done
}

# wait_until COMMAND...: until it is true; after WAIT_SECONDS (60) false, naming it.
wait_until()
{
	local end=$((SECONDS + ${WAIT_SECONDS:-60}))
	until "$@"; do
		if [ "$SECONDS" -ge "$end" ]; then
			echo "# waited ${WAIT_SECONDS:-60} s in vain for: $*"
			return 1
		fi
		sleep 0.05
	done
}
