#!/bin/bash
# How jobs come to their end although something was in the way: the same command finishes what a kill, failed chunks or
# a cancel left behind, also of jobs that have failed by their rejects; and a dropped table is made anew.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/session.sh
. "$TESTS/session.sh"
setup
csvp-admin up -q

state()
{
	sql "SELECT derived, loaded, indexed_chunks, failed, finished_at IS NOT NULL FROM csvp.job_status WHERE id = $1"
}

# Killed when the last chunk is indexed and the index is not finished yet.
{
	echo id
	seq 300
} >ids.csv
job=$(csvp-upload -q -d late -k id ids.csv)
csvp-split -q "$job" | csvp-load -q >/dev/null
dataset=$(sql "SELECT id FROM csvp.dataset WHERE name = 'late'")
# Else it would wait to make it, before a chunk is indexed.
csvp-admin create-index
say lock "SELECT pg_advisory_lock((4::bigint << 60) | ($dataset::bigint << 26))" >/dev/null
start index csvp-index -q "$job"
wait_until blocked 1
kill -9 "${STARTED[index]}"
finish index
bye lock
is "$(state "$job")" 'done|0|1|0|f' 'csvp-index killed at its very end: nobody has closed the job'
expect_exit 0 'csvp-index killed at its very end: the same command again' csvp-run -q -d late -k id ids.csv
is "$(state "$job") $(sql "SELECT to_regclass('csvp.doc_${dataset}_body') IS NOT NULL")" 'done|0|1|0|t t' \
	'csvp-index killed at its very end: then the job is closed, the index complete'

# Failed by its rejects, but killed before what is good was searchable.
printf 'id,n\n1,2\n' >good.csv
csvp-run -q -d parts -k id good.csv >/dev/null
printf 'id,n\n2,x\n3,4\n' >bad.csv
job=$(csvp-upload -q -d parts bad.csv)
csvp-split -q "$job" | csvp-load -q >/dev/null 2>&1 || true
is "$(state "$job")" 'failed|1|0|0|f' 'over the limit and not indexed'
expect_exit 65 'over the limit and not indexed: the same command again' csvp-run -q -d parts bad.csv
is "$(state "$job") $(csvp-search -d parts --count)" 'failed|0|1|0|t 2' 'over the limit and not indexed: then it is'
expect_exit 65 'over the limit and indexed: the same bytes again' csvp-run -q -d parts bad.csv
matches "$(cat err)" "job $job has these bytes and failed by its rejects" 'over the limit and indexed: nothing is left to do'

# A paused job's rejects can be read.
csvp-admin pause -q "$job"
expect_exit 0 'the rejects of a paused job' csvp-status --rejects "$job"
is "$(sed 1d out)" '2,x,2,5,n,type,not a number: '\''x'\'',"2,x"' 'the rejects of a paused job: as ever'
csvp-admin resume -q "$job"

# Failed chunks are no rejects: with both, the same command tries again.
printf 'id,n\n5,x\n6,4\n7,7\n' >both.csv
job=$(csvp-upload -q -d parts --max-rejects 5 both.csv)
csvp-split -q --chunk-bytes 5 "$job" >refs
csvp-load -q "$job/0" >/dev/null 2>&1 || true
sql "UPDATE csvp.chunk SET state = 'failed', error = 'poison' WHERE job = $job AND number = 1"
expect_exit 3 'a failed chunk beside rejects: the same command again' csvp-run -q -d parts --max-rejects 5 both.csv
is "$(state "$job")" 'done|0|2|0|t' 'a failed chunk beside rejects: it was tried again'

# What a job had loaded when it was cancelled stays, in a table that is complete.
job=$(csvp-upload -q -d part -k id ids.csv)
csvp-split -q --chunk-bytes 200 "$job" >/dev/null
csvp-load -q "$job/0" "$job/2" >/dev/null
csvp-admin cancel -q "$job"
is "$(sql "SELECT state FROM csvp.dataset WHERE name = 'part'")" ready 'cancel of a first job: its table gets its key'
expect_exit 65 'csvp-index of a cancelled job' csvp-index "$job"
matches "$(cat err)" "job $job is cancelled" 'csvp-index of a cancelled job: says so'
is "$(grep -c hint err || true)" 0 'csvp-index of a cancelled job: does not say that it could be loaded'
is "$(state "$job" | cut -d'|' -f1-4) $(sql "SELECT to_regclass(format('csvp.doc_%s_body', id)) IS NOT NULL
	FROM csvp.dataset WHERE name = 'part'")" 'cancelled|0|2|0 t' 'csvp-index of a cancelled job: what was loaded is searchable'

# A cancel that is killed before it has built the key: whoever looks for what was forgotten builds it.
# torn DATASET: such a dataset, with job its job.
torn()
{
	job=$(csvp-upload -q -d "$1" -k id ids.csv)
	csvp-split -q --chunk-bytes 200 "$job" >/dev/null
	csvp-load -q "$job/1" >/dev/null
	say reader "BEGIN; LOCK TABLE $1 IN ACCESS SHARE MODE" >/dev/null
	start cancel csvp-admin cancel -q "$job"
	wait_until blocked 1
	kill -9 "${STARTED[cancel]}"
	finish cancel
	bye reader
	is "$(sql "SELECT derived, dataset_state FROM csvp.job_status WHERE id = $job")" 'cancelled|building' "$1: cancelled, without a key"
}

# ready DATASET: it has its key.
ready()
{
	[ "$(sql "SELECT state FROM csvp.dataset WHERE name = '$1'")" = ready ]
}
torn torn1
expect_exit 0 'a killed cancel: the same command again' csvp-admin cancel "$job"
check 'a killed cancel: the key is built' ready torn1
torn torn2
expect_exit 65 'a killed cancel: csvp-run --resume' csvp-run -q --resume
check 'a killed cancel: csvp-run --resume builds the key' ready torn2
is "$(csvp-search -d torn2 --count)" "$(sql 'SELECT count(*) FROM torn2')" 'a killed cancel: what was loaded is searchable'
torn torn3
start worker csvp-load -q --worker
wait_until ready torn3
kill "${STARTED[worker]}"
finish worker
ok 'a killed cancel: an idle worker builds the key'

# A table that a person has dropped is made anew, with other types and another key, and nothing of the old one is found.
printf 'k,n\nA1,2\nB,3\n' >old.csv
printf 'k,n\n1,2\n' >new.csv
csvp-run -q -d again -k k old.csv >/dev/null
sql "BEGIN; UPDATE again SET n = 5; DELETE FROM again WHERE k = 'B'; DROP TABLE again; COMMIT"
expect_exit 0 'a dropped table: the next upload' csvp-run -q -d again -k n new.csv
is "$(sql 'SELECT k, n FROM again') $(csvp-search -d again --count)" '1|2 1' 'a dropped table: it is made anew, and its index'
sql 'DROP TABLE again'
expect_exit 0 'a dropped table: the same bytes again' csvp-run -q -d again -k n new.csv
is "$(sql 'SELECT k, n FROM again') $(csvp-search -d again --count)" '1|2 1' 'a dropped table: they are loaded again'
expect_exit 0 'csvp-admin verify agrees' csvp-admin verify
