#!/bin/bash
# Every service over TLS, with a certificate of one's own: MinIO and Elasticsearch speak it themselves, ElasticMQ has it
# put in front. Elasticsearch wants a password or an API key.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup

unset CSVP_TEST_STORE_URL CSVP_TEST_SEARCH_URL CSVP_TEST_QUEUE_URL
database=$(csvp-admin up)
export CSVP_SERVICES_TLS=$WORK/tls
mkdir tls stranger
for folder in tls stranger; do
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$folder" -addext subjectAltName=IP:127.0.0.1 \
		-keyout "$folder/key.pem" -out "$folder/cert.pem" 2>openssl.err
done
chmod 755 tls
chmod 644 tls/key.pem
with_services minio elasticmq elasticsearch
mkfifo stop
exec 5<>stop
broker=${CSVP_QUEUE_URL#sqs+http://127.0.0.1:}
python3 "$TESTS/tls.py" "${broker%%/*}" tls <stop >port 5>&- &
proxy=$!
at_exit "kill $proxy"
wait_until test -s port
export CSVP_QUEUE_URL CSVP_DATABASE_URL=$database
CSVP_QUEUE_URL=sqs+https://127.0.0.1:$(cat port)/
csvp-admin migrate -q

matches "$AWS_ENDPOINT_URL_S3 $CSVP_SEARCH_URL" '^https://.* es\+https://elastic:.*ca_file=' 'both are asked for by TLS'
expect_exit 0 'csvp-admin doctor' csvp-admin doctor
csvp-run --workers 2>workers.err &
crew=$!
job=$(csvp-upload -q --enqueue -d navaids -k id "$DATA/navaids.csv")
expect_exit 0 'a file stored, handed on, loaded and indexed' csvp-status -q --wait --timeout 120s "$job"
kill "$crew"
wait "$crew" || true
is "$(csvp-search -d navaids --count)" 11008 'and found'
expect_exit 0 'csvp-admin verify' csvp-admin verify

# key ROLES: a new API key, as Elasticsearch wants it in the header.
key()
{
	curl -s --cacert tls/cert.pem -u elastic:csvp-secret -H 'Content-Type: application/json' -d "{\"name\":\"csvp\"$1}" \
		"https://$host/_security/api_key" | sed -n 's/.*"encoded":"\([^"]*\)".*/\1/p'
}
host=${CSVP_SEARCH_URL#*@}
host=${host%%\?*}
as()
{
	echo "es+https://$1@$host?ca_file=$WORK/tls/cert.pem"
}
full=$(key '')
is "$(CSVP_SEARCH_URL=$(as ":${full//=/%3D}") csvp-search -d navaids --count)" 11008 'an API key will do'

# refuses EXIT REGEX NAME COMMAND...
refuses()
{
	local exit=$1 regex=$2 name=$3
	shift 3
	expect_exit "$exit" "$name" "$@" 2>err
	matches "$(cat err)" "$regex" "$name: the message"
	check "$name: without the password" test "$(grep -c 'csvp-secret\|wrong-one' err)" = 0
}
refuses 77 'navaids|127\.0\.0\.1' 'a wrong password' \
	env CSVP_SEARCH_URL="$(as elastic:wrong-one)" csvp-search -d navaids --count
refuses 77 '127\.0\.0\.1' 'a wrong API key' env CSVP_SEARCH_URL="$(as :d3Jvbmctb25l)" csvp-search -d navaids --count
refuses 78 'certificate' 'Elasticsearch with a certificate that is not trusted' \
	env CSVP_SEARCH_URL="es+https://elastic:csvp-secret@$host?ca_file=$WORK/stranger/cert.pem" \
	csvp-search -d navaids --count
refuses 78 'certificate' 'MinIO with a certificate that is not trusted' \
	env AWS_CA_BUNDLE="$WORK/stranger/cert.pem" csvp-upload -d regions "$DATA/regions.csv"
refuses 78 'certificate' 'a queue with a certificate that is not trusted' \
	env AWS_CA_BUNDLE="$WORK/stranger/cert.pem" csvp-admin requeue
