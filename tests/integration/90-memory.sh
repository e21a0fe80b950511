#!/bin/bash
# Bounded memory: no program takes more than 64 MB, whatever the file's size. LONG=1: 1 GB; else 68 MB.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
rows=$([ -n "${LONG:-}" ] && echo 7500000 || echo 500000)

# peak COMMAND...: run it; its peak resident memory in MB on stdout, what it printed in WORK/out.
peak()
{
	python3 - "$WORK/out" "$@" <<'END'
import os, subprocess, sys
with open(sys.argv[1], "wb") as out:
    child = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=out)
_, status, usage = os.wait4(child.pid, 0)
print((usage.ru_maxrss + 1023) // 1024 if status == 0 else f"exit {os.waitstatus_to_exitcode(status)}")
END
}

# bounded NAME COMMAND...: at most 64 MB.
bounded()
{
	local name=$1 mb
	shift
	mb=$(peak "$@")
	echo "# $name: $mb MB"
	case $mb in
	exit*) not_ok "$name ends with 0" "$mb" ;;
	*) under_san "$name stays within 64 MB" || check "$name stays within 64 MB ($mb)" test "$mb" -le 64 ;;
	esac
}

database=$(csvp-admin up)
"$B/tests/bench/generate" --rows "$rows" --seed "$SEED" >orgs.csv
bounded csvp-upload csvp-upload -q -d orgs -k 'Organization Id' orgs.csv
job=$(cat out)
bounded csvp-split csvp-split -q "$job"
bounded 'csvp-load -j1' csvp-load -q -j1 "$job"
# shellcheck disable=SC2016 # the inner shell expands them
bounded 'csvp-load -j1, all rows changed' sh -c '"$1" --rows "$2" --seed "$3" >orgs.csv &&
	csvp-upload -q -d orgs orgs.csv | csvp-split -q | csvp-load -q -j1' sh "$B/tests/bench/generate" "$rows" "$((SEED + 1))"
bounded 'csvp-index -j1' csvp-index -q -j1 "$job"
bounded 'csvp-search --all' csvp-search -d orgs --all
is "$(grep -c '' out)" "$rows" 'csvp-search --all gives every record'
bounded csvp-status csvp-status "$job"

with_services elasticsearch
export CSVP_DATABASE_URL=$database
"$B/tests/bench/generate" --rows $((rows / 4)) --seed "$SEED" >few.csv
job=$(csvp-upload -q -d few -k 'Organization Id' few.csv)
csvp-split -q "$job" | csvp-load -q -j2 >loaded
bounded 'csvp-index -j2 into Elasticsearch' csvp-index -q -j2 "$job"
sql "UPDATE csvp.chunk SET state = 'loaded', end_block = first_block WHERE job = $job"
bounded 'csvp-index -j2 into Elasticsearch, each row by its key' csvp-index -q -j2 "$job"
