#!/bin/bash
# csvp-status: speed and time left, who is at work, why a job stands, waiting and watching.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/session.sh
. "${0%/*}/../session.sh"
setup

# row JOB: its line of the table, blanks squeezed.
row()
{
	csvp-status "$1" | sed -n '2s/  */ /gp' | sed 's/^ //; s/ $//'
}

# seconds M:SS
seconds()
{
	echo $((10#${1%:*} * 60 + 10#${1#*:}))
}

between()
{
	[ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

# fifteen chunks of the same length, told by their books; the clock goes on while the test looks, so bounds are wide.
seq 1000000 1014999 >numbers.csv
csvp-upload -q -d numbers --no-header numbers.csv | csvp-split --chunk-bytes 8000 >refs
is "$(wc -l <refs)" 15 'the job has 15 chunks'
is "$(row 1)" '1 numbers loading 0% 15000 0 numbers.csv' 'before the first chunk: 0 %, no speed, no time left'
sql "UPDATE csvp.chunk SET state = 'loaded', inserted = records, load_ms = 10000,
	loaded_at = clock_timestamp() - interval '20 s' WHERE number < 5"
read -r _ _ state percent _ _ speed left _ < <(row 1)
is "$state $percent" 'loading 33%' 'loading: the share that is loaded'
check "speed over the time since the minute's first chunk began: $speed" between "${speed%/s}" 83 167
check "time left at that speed: $left" between "$(seconds "$left")" 60 120
sql "UPDATE csvp.chunk SET loaded_at = clock_timestamp() - interval '2 min' WHERE number < 4;
	UPDATE csvp.chunk SET load_ms = 600000 WHERE number = 4"
read -r _ _ state percent _ _ speed left _ < <(row 1)
check "only the last minute counts: $speed" between "${speed%/s}" 16 17
sql "UPDATE csvp.chunk SET loaded_at = clock_timestamp() - interval '2 min' WHERE number = 4"
is "$(row 1)" '1 numbers loading 33% 15000 0 numbers.csv' 'a minute without a chunk: nobody knows'
sql "UPDATE csvp.dataset SET state = 'ready';
	UPDATE csvp.chunk SET state = 'loaded', inserted = records, loaded_at = clock_timestamp();
	UPDATE csvp.chunk SET state = 'indexed', indexed_at = clock_timestamp() - (3 - number) * interval '10 s' WHERE number < 3"
read -r _ _ state percent _ _ speed left _ < <(row 1)
is "$state $percent" 'indexing 20%' 'indexing: the share that is indexed'
check "speed since the minute's first chunk was indexed: $speed" between "${speed%/s}" 33 67
check "time left of the index: $left" between "$(seconds "$left")" 180 360
csvp-admin dataset drop -q numbers

# Who is at work.
printf 'id,n\n1,a\n1,b\n2,x\n3,y\n' >twice.csv
csvp-run -q -d keyed -k id twice.csv
job=$(csvp-upload -q -d keyed --force twice.csv)
csvp-split "$job" >/dev/null
say table 'BEGIN' 'LOCK TABLE public.keyed'
start load csvp-load "$job"
wait_until blocked 1
csvp-status "$job" >status
matches "$(cat status)" "^csvp-load ${STARTED[load]}@$(hostname) +[^ ]+ +loading +$job/0 +0:[0-9]{2}\$" \
	'who holds a chunk: program, process, host, user, which chunk, since when'
matches "$(csvp-status)" "^csvp-load ${STARTED[load]}@" 'without operands all who are at work'
is "$(csvp-status --chunks --json "$job" | python3 -c 'import json, sys
chunk = json.loads(sys.stdin.read())
print(chunk["state"], chunk["worker"].split("@")[0], chunk["loaded_at"])')" "running csvp-load ${STARTED[load]} None" \
	'--chunks --json: the same of the chunk'
matches "$(cat status)" "^job $job: rows that are equal already are rewritten, since a key occurs twice in the file\$" \
	'why equal rows are rewritten: keys'
say table 'COMMIT'
bye table
finish load
is "$CODES" 0 'the load ends'
is "$(csvp-status "$job" | grep -c '^WORKER')" 0 'nobody is at work any more'
csvp-index -q "$job" >/dev/null

# Why a job stands.
why()
{
	csvp-status "$1" | grep -v ' records' | sed -n "s/^job $1: //p"
}
is "$(why "$job")" '' 'a job that is done needs no word'
printf 'id,n\n1,c\n7,9,9\n2,x\n' >bad.csv
printf 'id,n\n1,c\n2,"x\n' >open.csv
printf 'id,n\n1,c\n2,x\n' >good.csv
bad=$(csvp-run -q -d keyed -k id bad.csv 2>/dev/null | tr -dc '0-9 ' | cut -d ' ' -f 1)
is "$(why "$bad")" "1 rejected, and 0 allowed; hint: csvp-status --rejects $bad shows them, csvp-load --max-rejects N $bad allows them" \
	'failed: more rejects than allowed'
open=$(csvp-run -q -d keyed -k id open.csv 2>/dev/null | tr -dc '0-9 ' | cut -d ' ' -f 1)
matches "$(why "$open")" '^the file could not be split: open.csv: line 3, .*quote is still open' 'failed: no CSV'
good=$(csvp-upload -q -d keyed -k id good.csv)
csvp-admin pause -q "$good"
is "$(why "$good")" "paused; hint: csvp-admin resume $good" 'paused'
csvp-admin resume -q "$good"
csvp-split "$good" >/dev/null
is "$(why "$good")" "rows that are equal already are rewritten, since the earlier job $bad is failed" \
	'why equal rows are rewritten: an earlier job'
sql "UPDATE csvp.job SET created_at = created_at - interval '1 hour', started_at = NULL WHERE id = $good"
matches "$(why "$good")" "^nobody has worked on it for 1:00:[0-9]{2}; hint: csvp-run --resume $good\$" 'nobody works on it'
sql "UPDATE csvp.chunk SET state = 'failed', error = 'the server fell over' WHERE job = $good"
is "$(why "$good")" "1 failed chunk, the first $good/0: the server fell over; hint: csvp-load $good" 'failed: a chunk'
csvp-admin cancel -q "$good"
is "$(why "$good")" 'cancelled for good; what was loaded stays' 'cancelled'

# Waiting.
expect_exit 65 '--wait: the worst verdict' csvp-status --wait "$job" "$bad"
expect_exit 0 '--wait: done' csvp-status --wait "$job"
rejects=$(csvp-run -q -d other --max-rejects 1 bad.csv || true)
expect_exit 3 '--wait: done with rejects' csvp-status --wait "$rejects"
waiting=$(csvp-upload -q -d later good.csv)
expect_exit 75 '--wait --timeout' csvp-status --wait --timeout 200ms "$waiting"
is "$(cat err)" "csvp-status: job $waiting is still waiting after 0.2 s; hint: csvp-status $waiting" 'and says what it waited for'
start waiter csvp-status --wait --json "$waiting"
csvp-split "$waiting" | csvp-load | csvp-index >/dev/null
finish waiter
is "$CODES $(cut -d , -f 3 waiter.out)" '0 "state":"done"' '--wait ends with the job'
expect_exit 66 'no such job' csvp-status --chunks 999
expect_exit 64 '--rejects prints CSV only' csvp-status --rejects --json "$bad"
expect_exit 0 '--watch ends when its reader has gone' timeout 30 bash -o pipefail -c 'csvp-status --watch | head -n 1'

# Workers close a job's books a little after its last chunk.
sql "UPDATE csvp.job SET finished_at = NULL WHERE id = $job"
last=$(sql "SELECT to_char(max(indexed_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS') FROM csvp.chunk WHERE job = $job")
matches "$(csvp-status --json "$job")" "\"state\":\"done\",.*\"finished_at\":\"$last" 'a job that is done has an end'
