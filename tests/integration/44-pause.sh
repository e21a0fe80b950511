#!/bin/bash
# Cancel and pause in the middle of what workers do: within a second it is rolled back; resume tells the workers, and the
# books close; --resume beside workers.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/session.sh
. "$TESTS/session.sh"
# shellcheck source=tests/workers.sh
. "$TESTS/workers.sh"
setup
csvp-admin up -q
awk 'BEGIN { print "id,name"; for (i = 1; i <= 80000; i++)
	printf "%d,a name that fills the line up to about a hundred bytes so that this is a chunk as they are in real life %d\n", i, i }' >chunk.csv
printf 'id,name\n0,first\n' >first.csv
csvp-run -q -d slow -k id first.csv

# Rows take their time.
slow()
{
	sql "CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.001); RETURN NEW; END'" \
		'CREATE TRIGGER slow BEFORE INSERT ON public.slow FOR EACH ROW EXECUTE FUNCTION public.slow()'
}

fast()
{
	sql 'DROP FUNCTION public.slow CASCADE' 2>/dev/null
}

# soon NAME COMMAND...: it is true within a second; a program that only starts and connects is measured beside it.
soon()
{
	local name=$1 start=$EPOCHREALTIME plain
	sql SELECT
	plain=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')
	shift
	start=$EPOCHREALTIME
	expect_exit 0 "$name" "$@"
	under_san "$name: within a second" || check "$name: within a second" \
		awk -v a="$start" -v b="$EPOCHREALTIME" -v p="$plain" 'BEGIN { exit b - a - p > 1 }'
}

state()
{
	sql "SELECT derived, pending, running, loaded, (SELECT sum(deliveries) FROM csvp.chunk WHERE job = j.id) FROM csvp.job_status j WHERE id = $1"
}

no_message()
{
	[ "$(sql 'SELECT count(*) FROM csvp.message')" -eq 0 ]
}

# A split, held up where it writes its chunks: nothing of it stays, it goes on after resume, and no cancelled file is called bad.
split_stops()
{
	local verb=$1 job
	job=$(csvp-upload -q --force -d unsplit -k id first.csv)
	say hold BEGIN 'LOCK TABLE csvp.chunk IN SHARE MODE' >out
	start split csvp-split "$job"
	wait_until blocked_in 1 csvp.chunk
	soon "csvp-admin $verb in a split" csvp-admin "$verb" "$job"
	say hold COMMIT
	finish split
	JOB=$job
}
split_stops pause
is "$CODES $(cat split.out) $(sql "SELECT derived, state, total FROM csvp.job_status WHERE id = $JOB")" "75 !$JOB 75 paused|stored|0" 'pause: the split leaves nothing'
matches "$(cat split.err)" "job $JOB was paused" 'pause: the split says so'
expect_exit 75 'pause: csvp-run --resume says so' csvp-run --resume "$JOB"
is "$(grep -c 'is paused; hint: csvp-admin resume' err) $(grep -c 'trying again' err)" '1 0' 'pause: once, and does not try again'
csvp-admin resume "$JOB"
expect_exit 0 'resume: it is split' csvp-split -q "$JOB"
split_stops cancel
is "$CODES $(sql "SELECT derived, state, total, error FROM csvp.job_status WHERE id = $JOB")" '65 cancelled|stored|0|' 'cancel: the split leaves nothing'
csvp-run -q --resume >/dev/null || true
bye hold

slow
crew w -j2
job=$(csvp-upload -q --enqueue -d slow -k id chunk.csv)
wait_until holding "$job"
soon 'csvp-admin pause in the middle of a chunk' csvp-admin pause "$job"
is "$(state "$job") $(sql 'SELECT count(*) FROM slow')" 'paused|2|0|0|0 1' 'pause: rolled back, and no delivery counted'
wait_until no_message || not_ok 'pause: its messages are dropped'
fast
soon 'csvp-admin resume' csvp-admin resume "$job"
is "$(sql "SELECT 'told' FROM csvp.message UNION SELECT 'told' FROM csvp.chunk WHERE job = $job AND state <> 'pending'")" told \
	'resume: the workers are told at once'
expect_exit 0 'resume: it completes' csvp-status -q --wait --timeout 60s "$job"
is "$(sql "SELECT records = inserted + updated + unchanged + superseded + rejected FROM csvp.job_status WHERE id = $job")" t \
	'resume: the books close'

# For good.
slow
sed 's/a name/another name/' chunk.csv >other.csv
job=$(csvp-upload -q --enqueue -d slow -k id other.csv)
wait_until holding "$job"
soon 'csvp-admin cancel in the middle of a chunk' csvp-admin cancel "$job"
is "$(state "$job" | cut -d'|' -f1-4) $(sql "SELECT count(*) FROM slow WHERE name LIKE 'another%'")" 'cancelled|2|0|0 0' 'cancel: rolled back'
wait_until no_message || not_ok 'cancel: its messages are dropped'
fast

# What is loaded when a job is cancelled stays, and becomes searchable.
term w
job=$(csvp-upload -q --enqueue -d kept -k id first.csv)
csvp-split -q --worker --once
csvp-load -q --worker --once
csvp-admin cancel "$job"
crew v -q -j2
wait_until no_message || not_ok 'a cancelled job leaves no message'
agrees()
{
	csvp-admin verify kept >verified 2>&1
}
WAIT_SECONDS=20 wait_until agrees || not_ok 'what was loaded before is indexed' "$(cat verified)"

# A job that was to fail fast: over its limit, the rest of it is left alone, and that is nobody's fault.
{ echo 'id,name' && seq -f '%g' 1 2000; } >bad.csv
job=$(csvp-upload -q -d fast -k id --max-rejects 5 --fail-fast bad.csv)
csvp-split -q --chunk-bytes 500 --enqueue "$job" >refs
expect_exit 65 'a job that fails fast' csvp-status -q --wait --timeout 60s "$job"
wait_until no_message || not_ok 'a job that fails fast leaves no message' "$(sql 'SELECT queue, body FROM csvp.message')"
closed()
{
	[ "$(sql "SELECT finished_at IS NOT NULL FROM csvp.job WHERE id = $job")" = t ]
}
wait_until closed || not_ok 'a job that fails fast is closed'
is "$(sql "SELECT derived, pending > 0, running, loaded, failed, (SELECT max(deliveries) FROM csvp.chunk WHERE job = $job AND state = 'pending')
	FROM csvp.job_status WHERE id = $job")" 'failed|t|0|0|0|0' 'a job that fails fast: chunks are left alone, and convicted of nothing'
is "$(csvp-admin dead list --json)" '' 'a job that fails fast: no dead letter'
is "$(csvp-admin requeue --json | grep -c '"sent":0}')" 3 'a job that fails fast: nothing of it is to be done'
expect_exit 0 'another limit' csvp-admin psql -qc "UPDATE csvp.job SET max_rejects = '100%' WHERE id = $job"
csvp-admin requeue -q >/dev/null
expect_exit 3 'with another limit it goes on' csvp-status -q --wait --timeout 60s "$job"

# A person's command and the workers do not get in each other's way.
csvp-upload -q -d slow -k id --force first.csv >/dev/null
expect_exit 0 'csvp-run --resume beside workers' csvp-run -q --resume
wait_until settled
expect_exit 0 'csvp-admin verify' csvp-admin verify
term v
is "$(cat v.err)" '' 'and nobody has anything to say'
