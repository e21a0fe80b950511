#!/bin/bash
# The main job on real parts: uploads in MinIO, hand-off by ElasticMQ, the index in Elasticsearch, answers from Redis,
# two hosts of workers; csvp-upload --enqueue is the only command. Then the same with each other store and engine.
# LONG=1: ten times as many records.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup

database=$(csvp-admin up -v 2>up.log)
with_services minio versitygw elasticmq elasticsearch opensearch redis
crews=()
# shellcheck disable=SC2016
at_exit 'kill "${crews[@]}" 2>/dev/null'

cached()
{
	[ "$(csvp-search -v -d organizations --count 2>err)" = "$1" ] && grep -q 'from the cache' err
}

# job_on NAME RECORDS SERVER...: all of it on these servers, in a database of its own. STORE: another URL of the store.
job_on()
{
	local name=$1 records=$2 few many crew limit codes=
	shift 2
	eval "$(services env "$@")"
	CSVP_STORE_URL=${STORE:-$CSVP_STORE_URL}
	# Its indexes are its own, too.
	CSVP_SEARCH_URL+=/$name
	CSVP_DATABASE_URL=$database sql "CREATE DATABASE \"$name\""
	export CSVP_DATABASE_URL="$database dbname=$name"
	csvp-admin migrate -q

	csvp-run --workers -j1 2>"$name.one.err" &
	crews+=($!)
	# Another host has nothing of this one but the services.
	CSVP_HOME=$WORK/two csvp-run --workers -j1 2>"$name.two.err" &
	crews+=($!)
	[ -z "${LONG:-}" ] || records=${records}0
	limit=$((300 + records / 500))s
	"$B/tests/bench/generate" --rows "$records" >many.csv
	few=$(csvp-upload -q --enqueue -d navaids -k id "$DATA/navaids.csv")
	many=$(csvp-upload -q --enqueue -d organizations -k 'Organization Id' many.csv)
	expect_exit 0 "$name: a shipped file is done" csvp-status -q --wait --timeout "$limit" "$few"
	expect_exit 0 "$name: $records records are done" csvp-status -q --wait --timeout "$limit" "$many"
	is "$(sql 'SELECT count(*) FROM navaids' 'SELECT count(*) FROM organizations' | tr '\n' ' ')" "11008 $records " \
		"$name: all are rows"
	is "$(csvp-search -d organizations --count)" "$records" "$name: as many documents"
	# Until the last worker is through, the index is still said to be new.
	check "$name: the same answer comes from the cache" wait_until cached "$records"
	expect_exit 0 "$name: csvp-admin verify" csvp-admin verify
	check "$name: no upload was kept on a host" test ! -e "$CSVP_HOME/store" -a ! -e "$WORK/two/store"
	kill "${crews[@]}"
	for crew in "${crews[@]}"; do
		wait "$crew" || codes+="$? "
	done
	crews=()
	is "$codes" '143 143 ' "$name: the workers end by their signal"
}

job_on elasticsearch 200000 minio elasticmq elasticsearch redis
job_on opensearch 20000 minio elasticmq opensearch redis
job_on versitygw 20000 versitygw elasticmq elasticsearch redis
STORE=s3+v2://csvp-v2/uploads job_on signature-v2 20000 minio elasticmq elasticsearch redis
