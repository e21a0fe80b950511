#!/bin/bash
# Records that only PostgreSQL refuses, by a constraint or a trigger that people put on the table: each is a reject, all
# others are loaded, an earlier record of the same key takes the place of a refused one, and many cost what they weigh.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
csvp-admin up -q

# records COUNT WORD: keys 1 to COUNT; every seventh record is one that the constraint refuses.
records()
{
	seq 1 "$1" | awk -v word="$2" 'BEGIN { print "id,name" } { print $1 "," ($1 % 7 == 3 ? "bad" : word) }'
}

# milliseconds FILE: of the loading of its job.
milliseconds()
{
	csvp-status --chunks --json "$(sql "SELECT id FROM csvp.job WHERE file = '$1'")" | grep -o '"milliseconds":[0-9]*' |
		cut -d : -f 2
}

records 5000 good | sed 's/bad/good/' >first.csv
records 5000 new >many.csv
records 500 newer >few.csv
expect_exit 0 'before the constraint' csvp-run -q -d refused -k id first.csv
sql "ALTER TABLE refused ADD CHECK (name <> 'bad')"
expect_exit 3 'many are refused' csvp-run -q -d refused -k id --max-rejects 100% many.csv
is "$(sql "SELECT name, count(*) FROM refused GROUP BY 1 ORDER BY 1")" $'good|714\nnew|4286' 'the others are loaded'
is "$(sql "SELECT updated, rejected FROM csvp.job_status WHERE file = 'many.csv'")" '4286|714' 'and counted'
expect_exit 3 'few are refused' csvp-run -q -d refused -k id --max-rejects 100% few.csv
# In proportion it is 10 times, and 40 when each part scanned what the parts before it had left.
under_san 'many refused records cost no more each than few' ||
	check 'many refused records cost no more each than few' \
		test "$(milliseconds many.csv)" -lt $((22 * $(milliseconds few.csv)))
printf 'id,name\n1,older\n1,bad\n2,bad\n3,other\n' >twice.csv
expect_exit 3 'a refused record of a key that comes twice' csvp-run -q -d refused -k id --max-rejects 2 twice.csv
is "$(sql 'SELECT id, name FROM refused WHERE id < 4 ORDER BY 1')" $'1|older\n2|newer\n3|other' \
	'the earlier record of its key takes its place'
expect_exit 0 'csvp-admin verify' csvp-admin verify
