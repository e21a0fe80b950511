#!/bin/bash
# A job on real parts while every one of them is killed and started again in its middle, and workers are killed beside:
# it is done all the same, each record once. LONG=1: 20 kills of workers in place of 5, each server thrice.
# What else can go wrong with the queue is in 62-sqs, with the search engine in 64-elasticsearch.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/session.sh
. "$TESTS/session.sh"
# shellcheck source=tests/workers.sh
. "$TESTS/workers.sh"
setup

# Whatever the caller has ready: these are killed.
unset CSVP_TEST_STORE_URL CSVP_TEST_QUEUE_URL CSVP_TEST_SEARCH_URL CSVP_TEST_CACHE_URL
database=$(csvp-admin up -v 2>up.log)
with_services minio elasticmq elasticsearch redis
export CSVP_DATABASE_URL=$database CSVP_VISIBILITY=2s
records=$([ -n "${LONG:-}" ] && echo 100000 || echo 30000)
kills=$([ -n "${LONG:-}" ] && echo 20 || echo 5)
rounds=$([ -n "${LONG:-}" ] && echo 3 || echo 1)

kill_postgres()
{
	local postmaster
	read -r postmaster <"$CSVP_HOME/postgres/data/postmaster.pid"
	kill -KILL "$postmaster"
	# With nothing configured csvp-admin starts its own.
	env -u CSVP_DATABASE_URL -u CSVP_STORE_URL -u CSVP_QUEUE_URL -u CSVP_SEARCH_URL -u CSVP_CACHE_URL \
		csvp-admin up -q 2>>up.log
}

indexed()
{
	sql "SELECT count(*) FROM csvp.chunk WHERE job = $job AND state = 'indexed'"
}

further()
{
	[ "$(indexed)" -gt "$1" ]
}

mark()
{
	echo "# $((SECONDS - ${marked:-0})) s: $1"
	marked=$SECONDS
}

# goes_on NAME: chunks reach the index again.
goes_on()
{
	local before
	before=$(indexed)
	is "$(sql "SELECT derived FROM csvp.job_status WHERE id = $job")" loading "$1: in mid-job"
	WAIT_SECONDS=120 check "$1: it goes on" wait_until further "$before"
	mark "$1"
}

{
	echo 'id,name'
	seq -f '%.0f,a name that fills the line' "$records"
} >some.csv
# A table with its key, so that each chunk goes into the index as soon as it is loaded.
head -n 2 some.csv >first.csv
csvp-run -q -d things -k id first.csv >first.id
csvp-admin throttle -q load 60/s >/dev/null
start one csvp-run --workers -j1
start two csvp-run --workers -j1
job=$(csvp-upload -q -d things -k id some.csv)
csvp-split -q --chunk-bytes 4k --enqueue "$job" >chunks
WAIT_SECONDS=120 wait_until further 2
mark 'started'

for ((round = 1; round <= rounds; round++)); do
	for server in redis minio elasticmq elasticsearch; do
		services kill "$server"
		services start "$server"
		goes_on "a killed $server"
	done
	kill_postgres
	goes_on 'a killed PostgreSQL'
done
for ((done = 0; done < kills; )); do
	read -ra victims <<<"$(pids one) $(pids two)"
	sleep "0.$((RANDOM % 6))"
	kill -KILL "${victims[RANDOM % ${#victims[@]}]}" 2>/dev/null || continue
	done=$((done + 1))
done
goes_on "$kills killed workers"

csvp-admin throttle -q load unlimited >/dev/null
expect_exit 0 'the job is done' csvp-status -q --wait --timeout "$((records / 100))s" "$job"
is "$(sql 'SELECT count(*), count(DISTINCT id) FROM things')" "$records|$records" 'each record is a row, once'
is "$(csvp-search -d things --count)" "$records" 'and a document'
expect_exit 0 'the queue of dead letters' csvp-admin dead list --json
is "$(cat out)" '' 'is empty'
expect_exit 0 'objects, ledger, table and index agree' csvp-admin verify
mark 'done'
term one two
is "$CODES" '143 143' 'csvp-run --workers has lived through it'
