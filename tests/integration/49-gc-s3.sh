#!/bin/bash
# csvp-admin gc on MinIO: what the server itself lists, and its unfinished multipart uploads.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
CSVP_DATABASE_URL=$(csvp-admin up 2>/dev/null)
export CSVP_DATABASE_URL
with_services minio
site=$(sql 'SELECT id FROM csvp.site')
# shellcheck source=tests/session.sh
. "$TESTS/session.sh"
# shellcheck source=tests/garbage.sh
. "$TESTS/garbage.sh"

# s3 PATH [ARGUMENT...]: ask the server, past csvp.
s3()
{
	local path=$1
	shift
	curl -sSf --aws-sigv4 "aws:amz:$AWS_REGION:s3" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
		-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "$@" "$AWS_ENDPOINT_URL_S3/$path"
}
bucket=${CSVP_STORE_URL#s3://}
folder=${bucket#*/}
bucket=${bucket%%/*}
stored()
{
	s3 "$bucket?list-type=2&prefix=$folder%2Fobjects%2F" | grep -o '<Key>[^<]*</Key>\|<Size>[0-9]*</Size>' |
		sed "s,<Key>$folder/\(.*\)</Key>,\1,; s,<Size>\(.*\)</Size>,\1," | paste -d ' ' - - | sort
}
unfinished()
{
	s3 "$bucket?prefix=$folder%2F${1//\//%2F}&uploads=" | grep -q '<UploadId>'
}
put()
{
	echo orphan >orphan
	s3 "$bucket/$folder/$1" -T orphan
}
garbage
unfinished_uploads

# An upload of a file can go on; after a day nobody wants it any more.
head -c 25000000 /dev/zero | tr '\0' x | fold -w 999 >parts.csv
mkdir proxy
port=${AWS_ENDPOINT_URL_S3##*:}
echo 18000000 >proxy/limit
exec {hold}> >(exec python3 "$TESTS/proxy.py" "$port" proxy)
wait_until [ -e proxy/port ]
AWS_ENDPOINT_URL_S3=http://127.0.0.1:$(cat proxy/port) csvp-upload -q -d parts parts.csv &
upload=$!
held()
{
	[ "$(cat proxy/sent)" -ge 18000000 ] && [ "$(sql 'SELECT count(*) FROM csvp.upload_part')" -ge 1 ]
}
wait_until held
kill -KILL "$upload"
wait "$upload" || true
exec {hold}>&-
rm proxy/limit proxy/port
key=$(sql "SELECT object FROM csvp.job WHERE state = 'uploading'")
expect_exit 0 'gc after an upload of a file was killed' csvp-admin gc
matches "$(cat out)" ' 0 unfinished uploads' 'leaves it for a day'
check 'in the store, too' unfinished "$key"
sql "UPDATE csvp.upload SET begun_at = begun_at - interval '1 day'"
bytes=$(sql 'SELECT sum(length) FROM csvp.upload_part')
expect_exit 0 'gc a day later' csvp-admin gc
is "$(head -n 1 out)" "unfinished upload $key: $bytes bytes" 'names it, and the bytes of its parts'
check 'and has removed it' absent "$key"
is "$(sql 'SELECT count(*) FROM csvp.upload_part' 'SELECT count(*) FROM csvp.upload')" $'0\n0' 'with its parts'

# An upload through a pipe ends while S3 is away: what S3 has of it is not forgotten.
exec {hold}> >(exec python3 "$TESTS/proxy.py" "$port" proxy)
proxy=$!
wait_until [ -s proxy/port ]
AWS_ENDPOINT_URL_S3=http://127.0.0.1:$(cat proxy/port) dying
kill "$proxy"
wait "$proxy" || true
kill -TERM "$upload"
status=0
wait "$upload" || status=$?
exec {feed}>&- {hold}>&-
is "$status" 143 'an upload whose store has gone away ends by its signal'
check 'parts of it are in the store' unfinished "$key"
is "$(sql "SELECT object FROM csvp.job WHERE state = 'uploading'")" "$key" 'and the ledger knows of them'
expect_exit 0 'gc when the store is back' csvp-admin gc
matches "$(head -n 1 out)" "^unfinished upload $key: [0-9]+ bytes$" 'names them'
check 'and has removed them' absent "$key"
is "$(sql "SELECT count(*) FROM csvp.job WHERE state = 'uploading'")" 0 'with their job'
expect_exit 0 'all else is as it was' csvp-admin verify -q
