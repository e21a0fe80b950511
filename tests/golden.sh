#!/bin/bash
# golden.sh [CASE...]: programs against recorded output. A case is a folder tests/golden/CASE:
#
#	cmd      shell lines, run by sh in a temporary folder that holds a copy of the case's files and tests/data's
#	         names under data/
#	stdin    optional; else empty
#	stdout   exactly what is expected; absent: nothing
#	stderr   the same
#	status   the exit status; absent: 0
#
# All cases share one CSVP_HOME, whose server is up, and run in the order of their names.
# ACCEPT=1 records what the programs say now: read the difference before it is committed.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
setup
if [ $# -gt 0 ]; then
	cases=("$@")
else
	mapfile -t cases < <(ls "$TESTS/golden")
fi
export NO_COLOR=1

# differs CASE FILE: print how WORK/got/FILE is not what the case says; false if it is.
differs()
{
	local want=$TESTS/golden/$1/$2
	[ -e "$want" ] || want=/dev/null
	! diff -u --label "$1/$2 (expected)" --label "$1/$2 (actual)" "$want" "$WORK/got/$2"
}

# record CASE: an empty stream and status 0 need no file.
record()
{
	local file
	for file in stdout stderr status; do
		rm -f "$TESTS/golden/$1/$file"
		[ ! -s "$WORK/got/$file" ] || cp "$WORK/got/$file" "$TESTS/golden/$1/$file"
	done
}

run_case()
{
	local case=$TESTS/golden/$1 stdin=/dev/null status=0 file bad=
	rm -rf "$WORK/case" "$WORK/got"
	cp -r "$case" "$WORK/case"
	mkdir "$WORK/got"
	ln -s "$DATA" "$WORK/case/data"
	[ ! -e "$case/stdin" ] || stdin=$case/stdin
	(cd "$WORK/case" && exec sh ./cmd) <"$stdin" >"$WORK/got/stdout" 2>"$WORK/got/stderr" || status=$?
	: >"$WORK/got/status"
	[ "$status" -eq 0 ] || echo "$status" >"$WORK/got/status"
	if [ -n "${ACCEPT:-}" ]; then
		record "$1"
	fi
	for file in status stdout stderr; do
		if differs "$1" "$file"; then
			bad=yes
		fi
	done
	if [ -z "$bad" ]; then
		ok "$1"
	else
		AT=tests/golden/$1/cmd:1 not_ok "$1"
	fi
}

csvp-admin up -q
for name in "${cases[@]}"; do
	run_case "$name"
done
