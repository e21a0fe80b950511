#!/bin/bash
# Workers that are told to leave do so in 2 seconds, hand their message back uncounted and leave nothing half done; a
# second signal is not waited for; killed supervisors leave no workers; a database that is gone for a while is sat out.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/session.sh
. "$TESTS/session.sh"
# shellcheck source=tests/workers.sh
. "$TESTS/workers.sh"
setup
csvp-admin up -q

# gone NAME...: SIGTERM to all that are named; they end within 2 seconds.
gone()
{
	local start=$EPOCHREALTIME what=$1 took
	shift
	term "$@"
	took=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')
	matches "$CODES" '^143( 143)*$' "$what: exit status"
	under_san "$what: within 2 seconds" || check "$what: within 2 seconds ($took)" awk -v t="$took" 'BEGIN { exit t >= 2 }'
	is "$(cat "${@/%/.err}")" '' "$what: silent"
}

# Its one message lies there again, as if nobody had had it.
handed_back()
{
	is "$(sql "SELECT queue, visible_at <= clock_timestamp(), receipt IS NULL FROM csvp.message")" "csvp-$1|t|t" "$2: the message is visible at once"
	is "$(sql "SELECT deliveries FROM $([ "$1" = split ] && echo csvp.job WHERE id || echo csvp.chunk WHERE job) = $job")" 0 "$2: no delivery is counted"
	wait_until nobody_holds || not_ok "$2: nothing is held"
}

nobody_holds()
{
	[ "$(sql "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")" -eq 0 ]
}

# One chunk of 8 MB.
awk 'BEGIN { print "id,name"; for (i = 1; i <= 80000; i++)
	printf "%d,a name that fills the line up to about a hundred bytes so that this is a chunk as they are in real life %d\n", i, i }' >chunk.csv
printf 'id,name\n0,first\n' >first.csv
csvp-run -q -d slow -k id first.csv
sql "CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.001); RETURN NEW; END'" \
	'CREATE TRIGGER slow BEFORE INSERT ON public.slow FOR EACH ROW EXECUTE FUNCTION public.slow()'
job=$(csvp-upload -q --enqueue -d slow -k id chunk.csv)
splitting()
{
	[ "$(sql "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND (classid::bigint << 32 | objid::bigint) >> 60 = 2")" -gt 0 ]
}
say lock 'BEGIN' "SELECT FROM csvp.dataset WHERE name = 'slow' FOR UPDATE" >/dev/null
start split csvp-split -q --worker
wait_until splitting
gone 'csvp-split in the middle of its work' split
bye lock
handed_back split 'csvp-split in the middle of its work'
csvp-split -q --chunk-bytes 9M --worker --once

for ((i = 1; i <= 2; i++)); do
	worker "load$i" load -q -j2
done
wait_until holding "$job"
gone 'csvp-load in the middle of a chunk' load1 load2
handed_back load 'csvp-load in the middle of a chunk'
is "$(sql "SELECT pending, loaded, (SELECT count(*) FROM slow) FROM csvp.job_status WHERE id = $job")" '1|0|1' \
	'csvp-load in the middle of a chunk: nothing is half loaded'

# The supervisor hands the signal on.
crew all -q
wait_until holding "$job"
workers=$(pids all)
is "$(wc -w <<<"$workers")" 3 'csvp-run --workers keeps one worker of each stage'
gone 'csvp-run --workers' all
handed_back load 'csvp-run --workers'
# shellcheck disable=SC2086 # several
check 'csvp-run --workers: its workers are gone' test -z "$(ps -o pid= -p ${workers// /,} 2>/dev/null)"

# As a terminal does it: to the whole group, in which the supervisor hands it on.
start group setsid env --default-signal=INT csvp-run -q --workers
wait_until holding "$job"
kill -INT "-${STARTED[group]}"
finish group
is "$CODES" 130 'a terminal interrupts the whole group: exit status'
handed_back load 'a terminal interrupts the whole group'

# A second signal is not waited for: this server does not answer.
worker stuck load -q -j1
wait_until holding "$job"
session=$(sql "SELECT pid FROM csvp.running WHERE job = $job")
kill -STOP "$session"
kill -TERM "${STARTED[stuck]}"
sleep 0.5
check 'a worker waits for its session' kill -0 "${STARTED[stuck]}"
start=$EPOCHREALTIME
gone 'the second signal' stuck
check 'the second signal: at once' awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { exit b - a > 1 }'
kill -CONT "$session"
wait_until nobody_holds
sql "UPDATE csvp.message SET visible_at = clock_timestamp(), receipt = NULL" 'UPDATE csvp.chunk SET deliveries = 0'

# A supervisor that is killed leaves no workers.
crew killed -q
wait_until holding "$job"
read -ra workers <<<"$(pids killed)"
kill -KILL "${STARTED[killed]}"
finish killed
orphans()
{
	! kill -0 "${workers[@]}" 2>/dev/null
}
WAIT_SECONDS=10 wait_until orphans || not_ok 'a killed supervisor leaves no workers' "$(ps -f -p "${workers[*]}")"
handed_back load 'a killed supervisor'

# The last stage, in the middle of writing its documents.
sql 'DROP FUNCTION public.slow CASCADE' 2>/dev/null
csvp-load -q --worker --once
say lock 'BEGIN' "LOCK TABLE csvp.doc_$(sql "SELECT id FROM csvp.dataset WHERE name = 'slow'") IN SHARE MODE" >/dev/null
worker index index -q -j1
wait_until blocked_in 1 csvp.doc_
gone 'csvp-index in the middle of a chunk' index
bye lock
handed_back index 'csvp-index in the middle of a chunk'
is "$(sql "SELECT state FROM csvp.chunk WHERE job = $job")" loaded 'csvp-index in the middle of a chunk: nothing is half indexed'

# One that is killed is started again; and the database may be stopped meanwhile.
crew again
read -ra workers <<<"$(pids again)"
kill -KILL "${workers[0]}"
again()
{
	[ "$(pids again | wc -w)" -eq 3 ] && [[ " $(pids again) " != *" ${workers[0]} "* ]]
}
wait_until again || not_ok 'a worker that is killed is started again'
matches "$(cat again.err)" 'was killed by signal 9; it is started again in 400 ms' 'a worker that is killed: it is said'
wait_until settled
read -ra workers <<<"$(pids again)"
expect_exit 0 'the private server is stopped under its workers' csvp-admin down -q
said()
{
	grep -q 'trying again' again.err
}
wait_until said
expect_exit 75 'they do not start it again' env CSVP_AUTOSTART=no csvp-status
job=$(csvp-upload -q --enqueue -d slow -k id --force chunk.csv)
expect_exit 0 'the next program does, and they go on' csvp-status -q --wait --timeout 60s "$job"
is "$(pids again)" "${workers[*]} " 'they are the same ones'
term again
is "$CODES" 143 'and leave when they are told'
expect_exit 0 'csvp-admin verify' csvp-admin verify
