#!/bin/bash
# Uploads in a store that is spoken to with Signature V2, through libs3: the pipeline over it, and what it refuses.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
CSVP_DATABASE_URL=$(csvp-admin up 2>/dev/null)
export CSVP_DATABASE_URL
with_services minio
export CSVP_STORE_URL=s3+v2://csvp-v2/some/uploads

expect_exit 0 'a file is stored, split, loaded and searchable' csvp-run -q -d navaids -k id "$DATA/navaids.csv"
is "$(sql 'SELECT count(*) FROM navaids')" 11008 'every record is a row'
expect_exit 0 'the books close' csvp-admin verify -q
csvp-upload -q -d piped - <"$DATA/countries.csv" | csvp-split | csvp-load | csvp-index >refs
is "$(sql 'SELECT count(*) FROM piped')" 249 'a pipe of unknown length, too'
expect_exit 0 'csvp-admin doctor' csvp-admin doctor
matches "$(cat out)" '^ok   store: ' 'finds the store well'
CSVP_STORE_URL=s3://csvp-v2/some/uploads expect_exit 0 'by Signature V4 it is the same store' csvp-admin verify -q

# A large one, on its way through a temporary file: without a name, and not in memory.
seq -f '%.0f,a value of some length to fill the disk with' 1 400000 >big.csv
mkdir spill
TMPDIR=$PWD/spill csvp-upload -q -d big --no-header big.csv >big.id &
upload=$!
peak=0
while now=$(sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$upload/status" 2>/dev/null) && [ -n "$now" ]; do
	peak=$now
	sleep 0.02
done
wait "$upload"
under_san 'its memory is bounded' || check "its memory is bounded: $peak kB" [ "$peak" -le 40000 ] && [ "$peak" -gt 0 ]
is "$(ls spill)" '' 'the temporary file has no name'
expect_exit 0 'what was stored loads' sh -c "csvp-split $(cat big.id) | csvp-load | csvp-index"
is "$(sql 'SELECT count(*), count(DISTINCT column_1) FROM big')" '400000|400000' 'as it was'

# Its folder is full: RLIMIT_FSIZE stands in for the disk.
jobs=$(sql 'SELECT count(*) FROM csvp.job')
limited()
{
	(
		trap '' XFSZ
		ulimit -f 4000
		TMPDIR=$PWD/spill csvp-upload -q -d full --no-header big.csv
	)
}
expect_exit 74 'a temporary file that does not fit' limited
matches "$(cat err)" '^csvp-upload: store s3\+v2://csvp-v2/some/uploads: .*: temporary file of .*; hint: set TMPDIR' 'is told'
is "$(sql 'SELECT count(*) FROM csvp.job')" "$jobs" 'and no job is left'
expect_exit 66 'a folder of temporary files that is not there' \
	env TMPDIR=/nowhere csvp-upload -q -d nowhere --no-header big.csv

# refuses CODE REGEX NAME VARIABLE=VALUE...: an upload in that environment.
refuses()
{
	local code=$1 regex=$2 name=$3
	shift 3
	expect_exit "$code" "$name" env "$@" csvp-upload -q -d wrong --force "$DATA/regions.csv"
	matches "$(cat err)" "$regex" "$name: says why"
}
refuses 77 '^csvp-upload: store s3\+v2://csvp-v2/some/uploads: .*SignatureDoesNotMatch|Forbidden' 'a wrong secret' \
	AWS_SECRET_ACCESS_KEY=wrong
refuses 78 'libs3 checks no certificate; hint: \?tls=unverified' 'TLS that nobody checks' \
	AWS_ENDPOINT_URL_S3="https${AWS_ENDPOINT_URL_S3#http}"
refuses 78 'libs3 knows no session tokens; hint: ' 'a session token' AWS_SESSION_TOKEN=token
refuses 78 'no credentials; hint: ' 'no credentials' AWS_ACCESS_KEY_ID=
refuses 78 'no server; hint: ' 'no endpoint' AWS_ENDPOINT_URL_S3=
refuses 78 "prefix '/a b'; hint: " 'a prefix that libs3 would change' CSVP_STORE_URL=s3+v2://csvp-v2/a%20b

# An answer that breaks off is asked for again from there.
mkdir proxy
port=${AWS_ENDPOINT_URL_S3##*:}
exec {hold}> >(exec python3 "$TESTS/proxy.py" "$port" proxy)
wait_until [ -e proxy/port ]
echo 2000000 >proxy/cut
expect_exit 0 'a connection cut in an answer' \
	env AWS_ENDPOINT_URL_S3="http://127.0.0.1:$(cat proxy/port)" csvp-admin verify -q "$(cat big.id)"
check 'which it was' test ! -e proxy/cut
exec {hold}>&-

# A server that does not answer, and somebody who does not want to wait.
read -r minio _ <"$CSVP_SERVICES_DIR/minio/pid"
# shellcheck disable=SC2016
at_exit 'kill -CONT "$minio" 2>/dev/null'
kill -STOP "$minio"
csvp-upload -q -d stopped "$DATA/regions.csv" 2>err &
upload=$!
asks()
{
	[ -n "$(find "/proc/$upload/fd" -lname 'socket:*' 2>/dev/null)" ] && grep -q S "/proc/$upload/stat"
}
wait_until asks
kill -TERM "$upload"
expect_exit 143 'a signal ends the wait' wait "$upload"
kill -CONT "$minio"
expect_exit 0 'and the store is as it was' csvp-admin verify -q
