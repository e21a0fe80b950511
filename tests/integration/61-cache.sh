#!/bin/bash
# Answers from Redis: found while the index is the same, never stale, and never missed when Redis is.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup

# Whatever the caller has ready: this one is stopped and killed.
unset CSVP_TEST_CACHE_URL
with_services redis
cache=$CSVP_CACHE_URL
port=${cache##*:}
unset CSVP_CACHE_URL
read -r redis _ <"$CSVP_SERVICES_DIR/redis/pid"

database=$(csvp-admin up)
csvp-run -q -d navaids -k id "$DATA/navaids.csv"

# found OPTIONS...: records on stdout; in the file `said`, what was said of the cache.
found()
{
	CSVP_DATABASE_URL=$database CSVP_CACHE_URL=$cache csvp-search -v -d navaids "$@" 2>err
	sed -n 's/^csvp-search: //; /cache/p' err >said
}

says()
{
	is "$(cat said)" "$1" "$2"
}

kept='not in the cache; kept'
hit='answered from the cache'

csvp-search -d navaids --where 'name>=M' --sort name:desc --limit 50 >truth 2>next.truth
found --where 'name>=M' --sort name:desc --limit 50 >first
says "$kept" 'the first time the engine is asked'
found --where 'name>=M' --sort name:desc --limit 50 >second
says "$hit" 'the second time it is not'
check 'the answer is the same' cmp truth first
check 'and so is the one from the cache' cmp truth second
is "$(grep '^next: ' err)" "$(grep '^next: ' next.truth)" 'its cursor, too'
found --limit 50 --sort name:desc --where 'name>=M' --cursor "$(sed -n 's/^next: //p' err)" >page
says "$kept" 'the next page is another answer'
found --where 'name>=M' --sort name:desc --limit 51 >page
says "$kept" 'another limit is another answer'
csvp-search -d navaids --format json vor >truth
for round in "$kept" "$hit"; do
	found --format json vor >page
	says "$round" 'a page with its total'
	check 'is the same' cmp truth page
done
found --count >page
says "$kept" 'a count is an answer'
found --count >page
says "$hit" 'that is found again'
is "$(cat page)" 11008 'and right'
found --all >page
says '' 'all of a dataset is never kept'
is "$(wc -l <page)" 11008 'and whole'

# No stale answer: after each refresh of the index nothing of before is found.
row=$(sql 'SELECT id FROM navaids ORDER BY id LIMIT 1')
found --where "id=$row" >page
found --where "id=$row" >page
says "$hit" 'a record is found in the cache'
drained()
{
	[ "$(sql 'SELECT count(*) FROM csvp.change')" = 0 ]
}
csvp-index -q --worker >worker.log 2>&1 &
worker=$!
sql "UPDATE navaids SET name = 'Edited by hand' WHERE id = $row"
check 'an edit reaches the index' wait_until drained
found --where "id=$row" >page
says "$kept" 'the answer of before is not found then'
matches "$(cat page)" 'Edited by hand' 'the new value is found'
found --count >page
printf '%s\n' "$(head -n 1 "$DATA/navaids.csv")" "$(sed -n 2p "$DATA/navaids.csv" | sed 's/^[^,]*/99999999/')" >more.csv
csvp-upload -q -d navaids more.csv | csvp-split | csvp-load >refs
found --count >page
csvp-index <refs >indexed
found --count >page
says "$kept" 'nor after a load'
is "$(cat page)" 11009 'the new record is counted'
sql 'DELETE FROM navaids WHERE id = 99999999'
check 'a deletion reaches the index' wait_until drained
found --count >page
is "$(cat page)" 11008 'the deleted record is counted no more'
kill "$worker"
wait "$worker" || true

# A second database that shares the Redis, with the same ids: its answers are its own.
other="$database dbname=other"
sql 'CREATE DATABASE other' >/dev/null
CSVP_DATABASE_URL=$other csvp-admin migrate -q
printf 'id,name\n1,one\n' >other.csv
CSVP_DATABASE_URL=$other CSVP_STORE_URL=file://$WORK/other csvp-run -q -d navaids -k id other.csv
is "$(CSVP_DATABASE_URL=$other CSVP_CACHE_URL=$cache csvp-search -d navaids --count)" 1 \
	'another database with the same Redis gets its own answers'

# Something else stands where an answer was kept.
found --count >page
for broken in 'SET' 'LPUSH'; do
	python3 - "$port" "$broken" <<'PY'
import socket, sys
port, command = int(sys.argv[1]), sys.argv[2]
s = socket.create_connection(("127.0.0.1", port))
f = s.makefile("rwb")
def say(*words):
    f.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
    f.flush()
    line = f.readline()
    if line[:1] == b"*":
        return [f.read(int(f.readline()[1:]) + 2)[:-2] for _ in range(int(line[1:]))]
    return line
for key in say(b"KEYS", b"csvp:*"):
    say(b"DEL", key)
    say(command.encode(), key, b"nonsense")
PY
	found --count >page
	is "$(cat page)" 11008 "an answer overwritten by $broken is asked for again"
done

# Outages: the answer is right, at the cost of one time-out at most, with one notice.
outage()
{
	local name=$1 start took
	start=$EPOCHREALTIME
	found --count >page
	took=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { print int((b - a) * 1000) }')
	is "$(cat page)" 11008 "$name: the answer is right"
	is "$(grep -c 'going on without it' err)" 1 "$name: one notice"
	under_san "$name: time" || check "$name: it takes no longer ($took ms)" test "$took" -lt 1500
	expect_exit 0 "$name: quietly with -q" env CSVP_DATABASE_URL="$database" \
		CSVP_CACHE_URL="$cache" csvp-search -q -d navaids --count
	is "$(cat err)" '' "$name: nothing is said then"
}
# doctor GRADE REGEX NAME: what csvp-admin doctor says of it, which is no failure.
doctor()
{
	expect_exit 0 "csvp-admin doctor, $3" env CSVP_DATABASE_URL="$database" CSVP_CACHE_URL="$cache" csvp-admin doctor
	matches "$(cat out)" "^$1 +cache: .*$2" "says so"
}
doctor ok 'found again' 'a Redis that is well'
kill -STOP "$redis"
doctor warn "no answer in 200 ms; hint: " 'a stopped Redis'
outage 'a stopped Redis'
services kill redis
doctor warn 'Connection refused' 'a killed Redis'
outage 'a killed Redis'
services start redis
found --count >page
says "$kept" 'a new Redis is used again'
found --count >page
says "$hit" 'and answers'

# A crowd asks while the index changes: who asks after csvp-index has said a chunk is done sees its records.
stale=0
for round in 1 2 3 4 5; do
	{ head -n 1 "$DATA/navaids.csv" && sed -n 2p "$DATA/navaids.csv" | sed "s/^[^,]*/9999000$round/"; } >"round.csv"
	touch asking
	while [ -e asking ]; do
		CSVP_DATABASE_URL=$database CSVP_CACHE_URL=$cache csvp-search -q -d navaids --count
	done >crowd &
	csvp-upload -q -d navaids round.csv | csvp-split | csvp-load | csvp-index >indexed
	found --count >page
	[ "$(cat page)" = $((11008 + round)) ] || stale=$((stale + 1))
	rm asking
	wait $!
done
is "$stale" 0 'no answer is older than what csvp-index has said'

expect_exit 78 'a cache that is none is refused' env CSVP_DATABASE_URL="$database" CSVP_CACHE_URL=rediss://127.0.0.1 \
	csvp-search -d navaids
matches "$(cat err)" 'rediss: is not offered' 'and the message says why'
