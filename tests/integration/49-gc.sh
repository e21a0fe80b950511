#!/bin/bash
# csvp-admin gc: what no job refers to goes, all else stays; jobs that are removed keep their rows, books and hash.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
# Named, so that a copy of this database can be named, too.
CSVP_DATABASE_URL=$(csvp-admin up 2>/dev/null)
export CSVP_DATABASE_URL
site=$(sql 'SELECT id FROM csvp.site')
# shellcheck source=tests/session.sh
. "$TESTS/session.sh"
# shellcheck source=tests/garbage.sh
. "$TESTS/garbage.sh"

stored()
{
	(cd home/store && find objects -type f -printf '%p %s\n' | sort)
}
unfinished()
{
	[ -n "$(find home/store/.tmp -name "$(tr / + <<<"$1")*")" ]
}
put()
{
	mkdir -p "home/store/${1%/*}"
	echo orphan >"home/store/$1"
}
garbage
unfinished_uploads

# --- a copy of the database ---
sql 'CREATE DATABASE copy TEMPLATE template0'
pg_dump -d "$CSVP_DATABASE_URL" | psql -qX -v ON_ERROR_STOP=1 -d "$CSVP_DATABASE_URL dbname=copy" >/dev/null
at_copy()
{
	CSVP_DATABASE_URL="$CSVP_DATABASE_URL dbname=copy" "$@"
}
expect_exit 0 'the original goes on' csvp-run -q -d late -k id "$DATA/navaids.csv"
stored >before
expect_exit 78 'a copy of the database: refused' at_copy csvp-admin gc
matches "$(cat err)" 'is a copy .*hint: .*csvp-admin gc --adopt' 'with the reason and what to say'
expect_exit 78 'its dry run, too' at_copy csvp-admin gc -n
expect_exit 0 'the copy drops a dataset' at_copy csvp-admin dataset drop kept
matches "$(cat err)" 'stays: this database is a copy' 'which leaves the objects alone'
is "$(stored)" "$(cat before)" 'nothing of the original is gone'
expect_exit 0 'the original is as it was' csvp-admin verify -q
expect_exit 0 'the original may collect' csvp-admin gc
expect_exit 64 '--adopt and something else' at_copy csvp-admin gc --adopt -n
expect_exit 0 'the copy is adopted' at_copy csvp-admin gc --adopt
expect_exit 0 'and may collect' at_copy csvp-admin gc -n
check 'what the original has stored under numbers that the copy never gave is none of its garbage' \
	test -z "$(grep "/$(sql 'SELECT max(id) FROM csvp.job'):" out)"

# --- who else is there ---
say other 'SELECT pg_advisory_lock(7::bigint << 60)' >/dev/null
expect_exit 75 'another one is running' csvp-admin gc
bye other
expect_exit 64 'a time that is none' csvp-admin gc --jobs-before soon

# Beside uploads, loads and indexing, killed every now and then.
touch go
while [ -e go ]; do
	timeout -s KILL "0.$((RANDOM % 30 + 5))" csvp-admin gc -q --jobs-before 2100-01-01 >>killed 2>&1 || true
done &
killer=$!
at_exit 'rm -f go'
for round in $(seq "$([ -n "${LONG:-}" ] && echo 40 || echo 8)"); do
	printf 'id,round\n%s,%s\n5,%s\n' "$round" "$round" "$round" >round.csv
	csvp-run -q -d rounds -k id round.csv || not_ok "round $round" "exit $?"
done
rm go
wait "$killer" || true
is "$(sql 'SELECT count(*), max(round) FROM rounds')" "$round|$round" 'beside uploads and loads, killed at any moment: all rows'
expect_exit 0 'and books' csvp-admin verify -q rounds
expect_exit 0 'one that is not killed' csvp-admin gc --jobs-before 2100-01-01
check 'has removed the rest' test -z "$(stored | grep "/$(sql "SELECT id FROM csvp.dataset WHERE name = 'rounds'")/")"
expect_exit 0 'the books are closed' csvp-admin verify -q
