#!/bin/bash
# The main job on real parts: uploads in MinIO, hand-off by ElasticMQ, answers from Redis, two hosts of workers;
# csvp-upload --enqueue is the only command. LONG=1: 2,000,000 records in place of 200,000.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup

with_services minio elasticmq redis
parts=(CSVP_STORE_URL CSVP_QUEUE_URL CSVP_CACHE_URL)
for part in "${parts[@]}"; do
	declare "saved_$part=${!part}"
	unset "$part"
done
CSVP_DATABASE_URL=$(csvp-admin up -v 2>up.log)
export CSVP_DATABASE_URL
for part in "${parts[@]}"; do
	saved=saved_$part
	export "$part=${!saved}"
done

crews=()
# shellcheck disable=SC2016
at_exit 'kill "${crews[@]}" 2>/dev/null'
csvp-run --workers -j1 2>one.err &
crews+=($!)
# Another host has nothing of this one but the services.
CSVP_HOME=$WORK/two csvp-run --workers -j1 2>two.err &
crews+=($!)

records=200000
[ -z "${LONG:-}" ] || records=2000000
"$B/tests/bench/generate" --rows "$records" >many.csv
few=$(csvp-upload -q --enqueue -d navaids -k id "$DATA/navaids.csv")
many=$(csvp-upload -q --enqueue -d organizations -k 'Organization Id' many.csv)
expect_exit 0 'a shipped file is done' csvp-status -q --wait --timeout 300s "$few"
expect_exit 0 "$records records are done" csvp-status -q --wait --timeout 300s "$many"
is "$(sql 'SELECT count(*) FROM navaids' 'SELECT count(*) FROM organizations' | tr '\n' ' ')" "11008 $records " 'all are rows'
for answer in 'kept' 'from the cache'; do
	is "$(csvp-search -v -d organizations --count 2>err)" "$records" 'as many documents'
	matches "$(cat err)" "$answer" "the answer is $answer"
done
expect_exit 0 'csvp-admin verify' csvp-admin verify
check 'no upload was kept on a host' test ! -e "$CSVP_HOME/store" -a ! -e "$WORK/two/store"
kill "${crews[@]}"
codes=
for crew in "${crews[@]}"; do
	wait "$crew" || codes+="$? "
done
crews=()
is "$codes" '143 143 ' 'the workers end by their signal'
