#!/bin/bash
# `make demo` after its packages and its build: what a newcomer sees first, and sees again.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
demo=$TESTS/../scripts/demo

# Settings that point elsewhere: the demo must keep out of somebody's database.
expect_exit 0 'the demo runs' env PGHOST="$WORK/nowhere" CSVP_STORE_URL=file:///nowhere "$demo"
cp out first
matches "$(cat first)" 'Williams Harbour' 'the text search finds Williams Harbour'
matches "$(cat first)" 'elevation_ft' 'the filters answer with records'
matches "$(cat first)" 'csvp-admin down' 'it says how to stop the server'
is "$(sql 'SELECT count(*) FROM navaids')" 11008 'every record is a row'
job=$(sql 'SELECT id FROM csvp.job')
is "$(csvp-status --json "$job" | python3 -c '
import json, sys
job = json.load(sys.stdin)
ways = ["inserted", "updated", "unchanged", "superseded", "rejected"]
print(job["state"], job["records"], sum(job[way] for way in ways), job["indexed"])')" 'done 11008 11008 11008' \
	'its books close'

start=$SECONDS
expect_exit 0 'the demo runs again' "$demo"
seconds=$((SECONDS - start))
under_san 'the second time is done in seconds' || check 'the second time is done in seconds' test "$seconds" -le 5
is "$(sql 'SELECT count(*) FROM navaids')" 11008 'no row is doubled'
is "$(sql 'SELECT count(*) FROM csvp.job')" 1 'no job is doubled'
is "$(sed -n '/csvp-search/,$p' out)" "$(sed -n '/csvp-search/,$p' first)" 'the answers are the same'
