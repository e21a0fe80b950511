#!/bin/bash
# A chunk that kills its worker each time: it fails for good after 5 deliveries and is a dead letter, the rest of its job
# is done; csvp-admin dead lists, shows, retries and purges. Doubled messages are no deliveries.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/session.sh
. "$TESTS/session.sh"
setup
csvp-admin up -q
"${CC:-cc}" -shared -fPIC -D_GNU_SOURCE -o poison.so "$TESTS/integration/poison.c" -ldl

# The workers of the test, each started again when it ends, as csvp-run --workers does it but without its pauses.
crew()
{
	local stage
	for stage in "$@"; do
		(
			trap 'kill "$worker"; wait "$worker"; exit' TERM
			while :; do
				"csvp-$stage" -q --worker 2>>"$stage.err" &
				worker=$!
				wait "$worker" || :
			done
		) 2>/dev/null &
		crew+=("$!")
	done
}

dismiss()
{
	kill "${crew[@]}"
	wait "${crew[@]}" || :
	crew=()
}

# A load worker in whose hands the poisoned chunk kills.
crew_with_poison()
{
	LD_PRELOAD="$WORK/poison.so" ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" TEST_POISON='a drop of poison' \
		crew load
}

state()
{
	sql "SELECT derived, total, indexed_chunks, failed FROM csvp.job_status WHERE id = $1"
}

becomes()
{
	[ "$(state "$1")" = "$2" ]
}

crew=()
# shellcheck disable=SC2016
at_exit 'kill "${crew[@]}" 2>/dev/null'
{
	echo 'id,name'
	seq -f '%g,a name that fills the line' 1 10000
} >plain.csv
sed '5000s/,.*/,a drop of poison/' plain.csv >poison.csv

# The poisoned chunk is in a new dataset, whose key waits for it.
export CSVP_VISIBILITY=1s
job=$(csvp-upload -q -d poisoned -k id --enqueue poison.csv)
csvp-split -q --chunk-bytes 20k --enqueue "$job" >chunks
total=$(grep -c '' chunks)
chunk=$(sql "SELECT number FROM csvp.chunk WHERE job = $job AND 5000 - 1 BETWEEN line AND line + records - 1")
crew index
crew_with_poison
wait_until becomes "$job" "failed|$total|$((total - 1))|1" || state "$job"
is "$(state "$job")" "failed|$total|$((total - 1))|1" 'the poisoned chunk fails, the rest of the job is done'
is "$(sql "SELECT d.state, c.deliveries FROM csvp.dataset d, csvp.chunk c WHERE job = $job AND number = $chunk")" 'ready|6' \
	'it failed when it came a sixth time'
is "$(sql "SELECT count(*) FROM poisoned")" "$((10000 - $(sql "SELECT records FROM csvp.chunk WHERE job = $job AND number = $chunk")))" \
	'the records of the others are in the table'
finished()
{
	[ "$(sql "SELECT finished_at IS NOT NULL FROM csvp.job WHERE id = $1")" = t ]
}
wait_until finished "$job" || not_ok 'the job has come to its end'
is "$(csvp-admin dead list --json)" \
	"{\"job\":$job,\"chunk\":$chunk,\"stage\":\"load\",\"error\":\"its worker died each of 5 times\"}" 'its dead letter'
matches "$(csvp-admin dead list)" "^$job/$chunk +load +its worker died each of 5 times" 'csvp-admin dead list'
matches "$(csvp-admin dead show "$job/$chunk")" '^file +poison.csv' 'csvp-admin dead show'
expect_exit 66 'csvp-admin dead show of another chunk' csvp-admin dead show "$job/$((chunk + 1))"
expect_exit 65 'csvp-status --wait tells' csvp-status -q --wait "$job"

# A person's command tries at once, whatever the workers said, and tells no lie when it fails.
LD_PRELOAD="$WORK/poison.so" ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" TEST_POISON='a drop of poison' \
	expect_exit 137 'csvp-load JOB tries at once' csvp-load -q "$job" 2>/dev/null
is "$(state "$job")" "failed|$total|$((total - 1))|1" 'and leaves it failed when it dies of it'

# Retried while the poison is still there, it ends as before; with it gone, it is done.
csvp-admin dead retry "$job/$chunk" >retried
is "$(cat retried)" "$job/$chunk" 'csvp-admin dead retry prints what is tried again'
matches "$(sql "SELECT state, error IS NULL FROM csvp.chunk WHERE job = $job AND number = $chunk" 'SELECT finished_at IS NULL FROM csvp.job' | tr '\n' ' ')" \
	'^pending\|t t' 'in the ledger it is pending, and its job not at its end'
is "$(csvp-admin dead list --json)" '' 'its letter is gone'
if [ -n "${LONG:-}" ]; then
	wait_until becomes "$job" "failed|$total|$((total - 1))|1" || state "$job"
else
	# The five deaths again would take ten seconds: one, and the ledger is told that there were more.
	delivered()
	{
		[ "$(sql "SELECT deliveries FROM csvp.chunk WHERE job = $job AND number = $chunk")" -gt 0 ]
	}
	wait_until delivered
	sql "UPDATE csvp.chunk SET deliveries = 5 WHERE job = $job AND number = $chunk"
	wait_until becomes "$job" "failed|$total|$((total - 1))|1" || state "$job"
fi
is "$(csvp-admin dead list --json | grep -c '')" 1 'retried too early, it is a dead letter again'
dismiss
is "$(csvp-admin dead purge)" '1 removed' 'csvp-admin dead purge says how many'
is "$(csvp-admin dead purge --json) $(csvp-admin dead list --json)" '{"removed":0} ' 'and then there is none'
crew load index
is "$(csvp-admin dead retry "$job")" "$job/$chunk" 'csvp-admin dead retry JOB finds it without its letter'
wait_until becomes "$job" "done|$total|$total|0" || state "$job"
is "$(state "$job")" "done|$total|$total|0" 'with the cause gone the job is done'
is "$(sql 'SELECT count(*), count(DISTINCT id) FROM poisoned')" '10000|10000' 'each record once'
expect_exit 0 'csvp-admin verify' csvp-admin verify
expect_exit 0 'csvp-admin dead retry of a job that is done' csvp-admin dead retry -q "$job"
is "$(cat out)" '' 'does nothing'
dismiss

# The same by a person: the letter is no more shown once its work is done.
job=$(csvp-upload -q -d poisoned --force poison.csv)
csvp-split -q --chunk-bytes 20k "$job" >chunks
sql "UPDATE csvp.chunk SET state = 'failed', error = 'it broke', deliveries = 6 WHERE job = $job AND number = 3" \
	"INSERT INTO csvp.message (queue, reference, body)
		VALUES ('csvp-dead', '$job/3', '{\"job\":$job,\"chunk\":3,\"stage\":\"load\",\"error\":\"it broke\"}')"
is "$(csvp-admin dead list --json | grep -c '')" 1 'a chunk that workers gave up'
expect_exit 0 'csvp-load JOB loads it, too' csvp-load -q "$job"
is "$(csvp-admin dead list --json)" '' 'then it is no dead letter'
expect_exit 0 'csvp-index JOB' csvp-index -q "$job"

# A chunk whose index failed is indexed, not loaded again.
sql "UPDATE csvp.chunk SET state = 'failed', error = 'no index' WHERE job = $job AND number = 2"
expect_exit 65 'csvp-load of a chunk whose index failed' csvp-load -q "$job/2"
matches "$(cat err)" "1 chunks have failed for good; hint: csvp-admin dead list $job" 'says what is wrong with the job'
is "$(sql "SELECT state FROM csvp.chunk WHERE job = $job AND number = 2")" failed 'and loads nothing twice'
expect_exit 0 'csvp-index of it' csvp-index -q "$job/2"
is "$(sql "SELECT state, error IS NULL FROM csvp.chunk WHERE job = $job AND number = 2")" 'indexed|t' 'tries at once'

# Each step of a retry may be its last: the same command again finishes it.
sql "UPDATE csvp.chunk SET state = 'failed', error = 'it broke' WHERE job = $job AND number = 1" \
	"UPDATE csvp.chunk SET state = 'pending', loaded_at = NULL WHERE job = $job AND number = 4" \
	'DELETE FROM csvp.message' \
	"INSERT INTO csvp.message (queue, reference, body) SELECT 'csvp-dead', '$job/' || n,
		format('{\"job\":$job,\"chunk\":%s,\"stage\":\"load\",\"error\":\"it broke\"}', n) FROM unnest(ARRAY[1, 4, 99]) n" \
	"INSERT INTO csvp.message (queue, reference, body)
		VALUES ('csvp-dead', '$((job + 7))', '{\"job\":$((job + 7)),\"stage\":\"split\",\"error\":\"it broke\"}')"
is "$(csvp-admin dead list --json | grep -c '')" 1 'letters of what did not fail, or is gone, are not shown'
is "$(csvp-admin dead retry)" "$job/1" 'csvp-admin dead retry of all'
is "$(sql 'SELECT queue, reference FROM csvp.message ORDER BY 1, 2' | tr '\n' ' ')" "csvp-index|$job/1 csvp-load|$job/4 " \
	'the queues are told, no letter is left'

# Jobs.
expect_exit 66 'csvp-admin dead retry of no job' csvp-admin dead retry 999
sql 'DELETE FROM csvp.message'
split=$(csvp-upload -q -d poisoned --force poison.csv)
sql "UPDATE csvp.job SET error = 'its worker died each of 5 times', error_code = 65, deliveries = 6, finished_at = now() WHERE id = $split" \
	"INSERT INTO csvp.message (queue, reference, body)
		VALUES ('csvp-dead', '$split', '{\"job\":$split,\"stage\":\"split\",\"error\":\"its worker died each of 5 times\"}')"
matches "$(csvp-admin dead list)" "^$split +split +its worker" 'a split that failed for good'
is "$(csvp-admin dead retry "$split")" "$split" 'is retried as its job'
is "$(sql "SELECT derived, deliveries FROM csvp.job_status WHERE id = $split" 'SELECT queue, reference FROM csvp.message' | tr '\n' ' ')" \
	"waiting|0 csvp-split|$split " 'and waits to be split'
csvp-admin cancel "$split"
expect_exit 65 'a cancelled job is not retried' csvp-admin dead retry "$split"

# Messages that come twice: while somebody is at the work, and when it is done. None of them counts.
sql 'DELETE FROM csvp.message'
job=$(csvp-upload -q -d poisoned --force plain.csv)
csvp-split -q --enqueue "$job" >chunks
is "$(cat chunks)" "$job/0" 'one chunk'
double()
{
	sql "INSERT INTO csvp.message (queue, reference, body)
		SELECT 'csvp-load', 'double ' || n, '{\"job\":$job,\"chunk\":0}' FROM generate_series(1, 8) n"
}
messages()
{
	[ "$(sql "SELECT count(*) FROM csvp.message WHERE queue = 'csvp-load'")" -eq "$1" ]
}
say held BEGIN 'LOCK TABLE poisoned IN SHARE MODE'
crew load
wait_until blocked_in 1 'LOCK TABLE'
double
crew load
wait_until messages 1 || not_ok 'all doubles are taken'
is "$(sql "SELECT state, deliveries FROM csvp.chunk WHERE job = $job")" 'pending|1' \
	'eight doubles while it is worked on are dropped, and no deliveries'
bye held
wait_until messages 0
double
wait_until messages 0
is "$(sql "SELECT state, deliveries FROM csvp.chunk WHERE job = $job")" 'loaded|0' 'nor are those that come after it'
dismiss
