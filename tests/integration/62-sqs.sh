#!/bin/bash
# Workers on an ElasticMQ: done without another command, every message sent is deleted, and none is needed: killed,
# emptied, late or doubled, the queue changes nothing. LONG=1: more kills.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/session.sh
. "$TESTS/session.sh"
setup

# Whatever the caller has ready: this one is killed and emptied.
unset CSVP_TEST_QUEUE_URL
with_services elasticmq
port=${CSVP_QUEUE_URL%/}
port=${port##*:}
unset CSVP_QUEUE_URL
CSVP_DATABASE_URL=$(csvp-admin up -v 2>up.log)
export CSVP_DATABASE_URL

# What is counted is what the service confirms to a proxy in front of it, which also checks each signature.
python3 "$TESTS/integration/62-sqs.py" "$port" "$AWS_REGION" "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" \
	>proxy.port 2>proxy.err &
# shellcheck disable=SC2034 # at_exit uses it
proxy=$!
members=()
# shellcheck disable=SC2016
at_exit 'kill "$proxy" "${members[@]}" 2>/dev/null'
wait_until test -s proxy.port
proxy_at=127.0.0.1:$(cat proxy.port)
export CSVP_QUEUE_URL=sqs+http://$proxy_at/

# ask PATH EXPRESSION: a value of what the proxy answers, as a Python expression over `o`.
ask()
{
	python3 -c 'import json, sys, urllib.request
o = json.load(urllib.request.urlopen("http://" + sys.argv[1], timeout=30))
print(eval(sys.argv[2]))' "$proxy_at/$1" "$2"
}

counted()
{
	ask counts "o.get('csvp-$1', {}).get('$2', 0)"
}

# Nothing is left but dead letters.
empty()
{
	[ "$(ask depths "sum(sum(d) for q, d in o.items() if q != 'csvp-dead')")" = 0 ]
}

state()
{
	sql "SELECT derived FROM csvp.job_status WHERE id = $1"
}

becomes()
{
	[ "$(state "$1")" = "$2" ]
}

# hire NAME STAGE OPTION...: a worker.
hire()
{
	local name=$1 stage=$2
	shift 2
	start "$name" "csvp-$stage" -q --worker "$@"
	members+=("${STARTED[$name]}")
}

dismiss()
{
	local name
	for name; do
		kill "${STARTED[$name]}"
	done
	finish "$@"
	is "$CODES" "$(printf '143 %.0s' "$@" | sed 's/ $//')" "workers end by their signal: $*"
}

mark()
{
	echo "# $((SECONDS - ${marked:-0})) s: $1"
	marked=$SECONDS
}

# is_done JOB DATASET NAME: in time, with each of the 20,000 records once, and the books closed.
is_done()
{
	WAIT_SECONDS=120 wait_until becomes "$1" 'done' || csvp-status "$1"
	is "$(state "$1") $(sql "SELECT count(*), count(DISTINCT id) FROM $2")" 'done 20000|20000' "$3"
	expect_exit 0 "$3: the books close" csvp-admin verify "$1"
	mark "$3"
}

{
	echo 'id,name'
	seq -f '%.0f,a name that fills the line' 20000
} >some.csv

expect_exit 0 'dead letters of a queue that is not there yet' csvp-admin dead list --json
is "$(cat out)" '' 'there are none'

# Two hosts, one command.
start one csvp-run --workers -j1
start two csvp-run --workers -j1
members=("${STARTED[one]}" "${STARTED[two]}")
job=$(csvp-upload -q --enqueue -d plain -k id some.csv)
expect_exit 0 'done without another command' csvp-status -q --wait --timeout 120s "$job"
is "$(csvp-search -d plain --count name)" 20000 'and searchable'
wait_until empty
for stage in split load index; do
	sent=$(counted "$stage" sent)
	check "csvp-$stage: something was sent" [ "$sent" -gt 0 ]
	is "$(counted "$stage" deleted)" "$sent" "csvp-$stage: what was sent is deleted, and nothing else"
done
is "$(ask counts "o['unsigned']")" 0 'every request is signed as AWS wants it'
dismiss one two

# A plain pipeline tells nobody.
before=$(ask counts "{q: b for q, b in o.items() if q != 'unsigned'}")
csvp-run -q -d plain -k id --force some.csv
is "$(ask counts "{q: b for q, b in o.items() if q != 'unsigned'}")" "$before" 'a plain pipeline sends and deletes nothing'
check 'and leaves the queues empty' empty

# A long chunk is kept by its heartbeat, and handed back by a signal.
CSVP_VISIBILITY=1s hire split split --chunk-bytes 1M
job=$(csvp-upload -q --enqueue -d plain -k id --force some.csv)
is_split()
{
	[ "$(state "$1")" = loading ]
}
wait_until is_split "$job"
say lock BEGIN 'LOCK TABLE plain IN SHARE MODE'
export CSVP_VISIBILITY=1s
received=$(counted load received)
hire load load -j1
hire rival load -j1
beaten()
{
	[ "$(counted load extended)" -ge 12 ]
}
wait_until beaten
is "$(($(counted load received) - received))" 1 'while the chunk is worked on, its message is hidden longer than its visibility'
unset CSVP_VISIBILITY
dismiss rival load
handed_back()
{
	[ "$(ask depths "o['csvp-load']")" = '[1, 0]' ]
}
WAIT_SECONDS=10 wait_until handed_back
is "$(ask depths "o['csvp-load']")" '[1, 0]' 'a worker that is told to end hands its message back'
# Twice if the rival was still waiting: what it was given then must not be lost either.
check 'at once' [ "$(counted load 'handed back')" -ge 1 ]
is "$(sql "SELECT deliveries FROM csvp.chunk WHERE job = $job")" 0 'and that is no failed delivery'
bye lock
dismiss split
hire load load
hire index index
is_done "$job" plain 'handed back, it is done by others'
dismiss load index

# in_the_middle DATASET: a job of many chunks, some loaded and some waiting, slowly; its id in $job.
in_the_middle()
{
	csvp-admin throttle -q load 4000/s >/dev/null
	job=$(csvp-upload -q --enqueue -d "$1" -k id --force some.csv)
	some_loaded()
	{
		[ "$(sql "SELECT count(*) FROM csvp.chunk WHERE job = $job AND state <> 'pending'")" -gt "${1:-2}" ]
	}
	wait_until some_loaded
}

# A message waits through a restart.
job=$(csvp-upload -q --enqueue -d plain -k id --force some.csv)
csvp-admin doctor >findings
matches "$(cat findings)" '^ok +queue: split: 1 messages wait, 0 are worked on$' 'csvp-admin doctor sees it'
services stop elasticmq
services start elasticmq
waits()
{
	[ "$(ask depths "o['csvp-split']")" = '[1, 0]' ]
}
WAIT_SECONDS=20 wait_until waits || :
is "$(ask depths "o['csvp-split']")" '[1, 0]' 'a message outlives a restart of ElasticMQ'

hire split split --chunk-bytes 8k
hire load load -j2
hire index index -j2
wait_until becomes "$job" 'done'
in_the_middle killed
for ((round = 1; round <= ${LONG:+5}0 + 1; round += 10)); do
	services kill elasticmq
	services start elasticmq
	wait_until some_loaded $((2 + round))
done
is "$(state "$job")" loading 'ElasticMQ is killed and started in mid-job'
csvp-admin throttle -q load unlimited >/dev/null
is_done "$job" killed 'a killed ElasticMQ'
wait_until empty || ask depths o
check 'its queues end empty' empty

in_the_middle emptied
services kill elasticmq
rm -rf "$CSVP_SERVICES_DIR"/elasticmq/data/*
services start elasticmq
is "$(state "$job")" loading "ElasticMQ's data are deleted in mid-job"
csvp-admin throttle -q load unlimited >/dev/null
expect_exit 0 'csvp-admin requeue' csvp-admin requeue --json
matches "$(cat out)" '"queue":"load","sent":[0-9]+' 'says what it has sent'
is_done "$job" emptied 'an emptied ElasticMQ'
dismiss split load index

# Every message comes twice, the second time late; and each is given out again after a second.
export CSVP_VISIBILITY=1s
ask twice/on 'o' >twice
hire split split --chunk-bytes 8k
hire load load -j2
hire index index -j2
job=$(csvp-upload -q --enqueue -d twice -k id some.csv)
is_done "$job" twice 'every message twice and late'
wait_until empty || ask depths o
check 'its queues end empty' empty
is "$(sql "SELECT max(deliveries) FROM csvp.chunk WHERE job = $job")" 1 'no chunk was delivered to work twice'
dismiss split load index
ask twice/off 'o' >twice

# Poison: five deliveries convict the chunk, by the ledger's count, not the broker's.
"${CC:-cc}" -shared -fPIC -D_GNU_SOURCE -o poison.so "$TESTS/integration/poison.c" -ldl
sed '5000s/,.*/,a drop of poison/' some.csv >poison.csv
csvp-upload -q -d poisoned -k id poison.csv | csvp-split -q --chunk-bytes 100k --enqueue >chunks
job=$(sed 's,/.*,,;q' chunks)
(
	trap 'kill "$worker"; wait "$worker"; exit' TERM
	while :; do
		LD_PRELOAD="$WORK/poison.so" ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" \
			TEST_POISON='a drop of poison' csvp-load -q --worker 2>>poison.err &
		worker=$!
		wait "$worker" || :
	done
) 2>/dev/null &
poisoned=$!
members+=("$poisoned")
hire index index
WAIT_SECONDS=120 wait_until becomes "$job" failed || csvp-status "$job"
is "$(state "$job") $(sql "SELECT count(*) FROM csvp.chunk WHERE job = $job AND state = 'failed'")" 'failed 1' \
	'the poisoned chunk fails, the job ends'
letter()
{
	[ "$(ask depths "sum(o['csvp-dead'])")" = 1 ]
}
wait_until letter
chunk=$(sql "SELECT number FROM csvp.chunk WHERE job = $job AND state = 'failed'")
is "$(csvp-admin dead list --json)" \
	"{\"job\":$job,\"chunk\":$chunk,\"stage\":\"load\",\"error\":\"its worker died each of 5 times\"}" 'its dead letter'
kill "$poisoned"
wait "$poisoned" || :
hire load load
is "$(csvp-admin dead retry "$job/$chunk")" "$job/$chunk" 'csvp-admin dead retry'
is_done "$job" poisoned 'with the poison gone'
is "$(csvp-admin dead list --json)" '' 'no dead letter is left'
dismiss load index

CSVP_QUEUE_URL=sqs+http://127.0.0.1:1/ expect_exit 75 'a queue that is away' csvp-upload -q --enqueue -d away -k id some.csv
matches "$(cat err)" 'job [0-9]+ is stored, but the workers are not told: ' 'the job is stored, which is said'
