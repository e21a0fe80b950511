#!/bin/bash
# The queue is only a hint: emptied in mid-job, idle workers find the work again, and csvp-admin requeue does at once.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/session.sh
. "$TESTS/session.sh"
setup
csvp-admin up -q
{
	echo 'id,name'
	seq -f '%g,a name that fills the line' 1 20000
} >some.csv
printf 'id,name\n' >empty.csv

state()
{
	sql "SELECT derived FROM csvp.job_status WHERE id = $1"
}

becomes()
{
	[ "$(state "$1")" = "$2" ]
}

loaded_some()
{
	[ "$(sql "SELECT count(*) FROM csvp.chunk WHERE job = $1 AND state = 'loaded'")" -gt 3 ]
}

# crew ROUND: all three stages, whose processes are then in STARTED.
crew()
{
	local stage
	for stage in split load index; do
		start "$stage$1" "csvp-$stage" -q --worker
		members+=("$stage$1")
	done
}

dismiss()
{
	local name
	for name in "${members[@]}"; do
		kill "${STARTED[$name]}"
	done
	finish "${members[@]}"
	is "$CODES" "$(printf '143 %.0s' "${members[@]}" | sed 's/ $//')" "${members[*]}: end"
	sed 's/^/# /' ./*.err
	rm ./*.err
	members=()
}

# The load is held in the middle of its job: chunks are waiting, in flight and done when the table is emptied.
# empty_in_the_middle DATASET FILE: leaves the job in $job, its workers running and the queues without a message.
empty_in_the_middle()
{
	sql "INSERT INTO csvp.throttle (resource, per_second) VALUES ('load', 5000)
		ON CONFLICT (resource) DO UPDATE SET per_second = 5000, changed_at = clock_timestamp()"
	job=$(csvp-upload -q -d "$1" -k id --force --enqueue "$2")
	csvp-split -q --chunk-bytes 8k --enqueue "$job" >chunks
	start "first-$1" csvp-load -q --worker -j2
	members+=("first-$1")
	wait_until loaded_some "$job"
	say held BEGIN "LOCK TABLE $1 IN SHARE MODE"
	wait_until blocked_in 1 'LOCK TABLE'
	sql 'DELETE FROM csvp.message' "UPDATE csvp.throttle SET per_second = NULL, changed_at = clock_timestamp()"
	bye held
}

members=()
empty_in_the_middle swept some.csv
is "$(state "$job")" loading 'the message table is emptied in mid-job'
crew swept
wait_until becomes "$job" 'done' || csvp-status "$job"
is "$(state "$job")" 'done' 'idle workers finish the job'
is "$(sql 'SELECT count(*), count(DISTINCT id) FROM swept')" '20000|20000' 'each record once'
dismiss

# requeue, while workers are busy with other things or have not yet had the time to notice.
sql 'DELETE FROM csvp.message'
empty_in_the_middle asked some.csv
csvp-admin requeue --json >told
matches "$(cat told)" '^\{"queue":"load","sent":[0-9]+\}$' 'csvp-admin requeue tells what it sent'
sent=$(sed -n 's/.*"load","sent":\([0-9]*\).*/\1/p' told)
check "and it is what was undone ($sent)" [ "$sent" -gt 30 ]
loaded()
{
	[ "$(sql "SELECT count(*) FROM csvp.chunk WHERE job = $1 AND state = 'pending'" \
		"SELECT state FROM csvp.dataset WHERE name = 'asked'" | tr '\n' ' ')" = '0 ready ' ]
}
WAIT_SECONDS=5 wait_until loaded "$job" || not_ok 'busy workers go on at once'
# The dataset is ready by now, and all of its job are told to index; those are lost, too.
dismiss
sql 'DELETE FROM csvp.message'
other=$(csvp-upload -q -d asked --force some.csv)
none=$(csvp-upload -q -d none -k id empty.csv)
csvp-split -q "$none" >/dev/null
csvp-admin requeue >told
is "$(sed 's/  */ /g' told | tr '\n' ';')" "QUEUE SENT;split 1;load 1;index $(grep -c '' chunks);" \
	'a job to split, one without chunks, and what is to be indexed'
csvp-admin requeue >again
check 'twice is the same' cmp -s told again
is "$(sql 'SELECT count(*) FROM csvp.message')" "$(($(grep -c '' chunks) + 2))" 'and one message for each'
crew asked
for id in "$job" "$other" "$none"; do
	wait_until becomes "$id" 'done' || csvp-status "$id"
	is "$(state "$id")" 'done' "job $id is done"
done
dismiss
expect_exit 0 'csvp-admin verify' csvp-admin verify
is "$(csvp-admin requeue --json | grep -c '"sent":0}')" 3 'nothing is undone'

# A worker that died between its last chunk and the dataset's key, or between the last document and the end of the job.
job=$(csvp-upload -q -d orphan -k id some.csv)
csvp-split -q --chunk-bytes 50k "$job" >/dev/null
id=$(sql "SELECT id FROM csvp.dataset WHERE name = 'orphan'")
say held BEGIN "SELECT FROM csvp.dataset WHERE id = $id FOR UPDATE"
start load csvp-load -q "$job"
wait_until blocked_in 1 'csvp.dataset'
kill -KILL "${STARTED[load]}"
finish load
sql "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE 'csvp-load %'" >/dev/null
bye held
is "$(sql "SELECT state FROM csvp.dataset WHERE id = $id") $(state "$job")" 'building loading' 'all is loaded, and nobody builds the key'
is "$(csvp-admin requeue --json | sed -n 2p)" '{"queue":"load","sent":1}' 'csvp-admin requeue sees it'
sql 'DELETE FROM csvp.message'
crew orphan
wait_until becomes "$job" 'done' || csvp-status "$job"
is "$(state "$job")" 'done' 'idle workers build it'
finished()
{
	[ "$(sql "SELECT finished_at IS NOT NULL FROM csvp.job WHERE id = $1")" = t ]
}
wait_until finished "$job"
sql "UPDATE csvp.job SET finished_at = NULL WHERE id = $job"
wait_until finished "$job" || not_ok 'idle workers close a job'
dismiss
