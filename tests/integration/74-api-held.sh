#!/bin/bash
# What holds a request of the API up: a worker that does not run and keeps its chunk, a table that somebody has locked, one
# that is still being filled. Each is answered in bounded time, and other requests meanwhile.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/session.sh
. "$TESTS/session.sh"
# shellcheck source=tests/api.sh
. "$TESTS/api.sh"
setup
csvp-admin up -q
{ echo 'id,name' && seq -f '%.0f,name' 1 2000; } >two.csv

# upload DATASET: a job of several chunks that nobody works on, in JOB.
upload()
{
	JOB=$(csvp-upload -q -d "$1" -k id two.csv)
	csvp-split -q --chunk-bytes 10000 "$JOB" >refs
}

# hold CHUNK: as a worker that was stopped keeps the lock of its chunk.
hold()
{
	say worker "SELECT pg_advisory_lock((3::bigint << 60) | ($JOB::bigint << 26) | $1)" >held
}

upload held
serve SERVE_WORKERS=no SERVE_THREADS=4
hold 0
answers 202 'pause, and a worker does not let go' POST "/api/jobs/$JOB/pause"
is "$(json '[it["state"], it["chunks"]["running"]]')" '["paused", 1]' 'it is paused, and somebody is at it'
answers 200 'resume does not wait for him' POST "/api/jobs/$JOB/resume"
for i in 1 2 3 4 5 6; do
	curl -s -o "cancel.$i" -w '%{http_code}\n' -X POST -d '' -H 'Content-Type:' "$U/api/jobs/$JOB/cancel" >"status.$i" &
	pids[i]=$!
done
answers 200 'six that wait leave threads to others' GET /api/health/live
answers 200 'also for what needs the database' GET "/api/jobs/$JOB"
wait "${pids[@]}"
is "$(sort -u status.?)" 202 'each of the six is answered'
answers 200 'the job' GET "/api/jobs/$JOB"
is "$(json '[it["state"], it["chunks"]["running"]]')" '["cancelled", 1]' 'is cancelled'
bye worker
answers 200 'once more, when the worker is gone' POST "/api/jobs/$JOB/cancel"
is "$(sql "SELECT state FROM csvp.dataset WHERE name = 'held'")" ready 'its table has a key then'

# A table without a key: what is in it is found, if that does not take too long.
upload filling
csvp-load -q "$JOB/0" >loaded
is "$(sql "SELECT state FROM csvp.dataset WHERE name = 'filling'")" building 'a table that is being filled'
answers 200 'a record of it' GET /api/datasets/filling/records/1
is "$(json 'it["name"]')" name 'is read'
answers 404 'one that is not there yet' GET /api/datasets/filling/records/2000
say other BEGIN 'LOCK TABLE filling' >out
answers 503 'one that cannot be found in time' GET /api/datasets/filling/records/1
matches "$(json 'it["detail"]')" 'still being loaded' 'says why'
matches "$(cat head)" '^Retry-After: [0-9]+' 'and when to come again'
answers 202 'cancel, and the key cannot be built' POST "/api/jobs/$JOB/cancel"
say other COMMIT
answers 200 'and then it can' POST "/api/jobs/$JOB/cancel"
is "$(sql "SELECT state, count(*) FROM csvp.dataset, filling WHERE dataset.name = 'filling' GROUP BY 1" |
	sed 's/|[0-9]*$//')" ready 'what was loaded stays'
answers 200 'a record of it, by its key' GET /api/datasets/filling/records/1
bye other
serve_end

# Without its store: who asks whether all is ready hears it soon, and holds nobody up.
database=$(csvp-admin up -v 2>up.log)
serve CSVP_DATABASE_URL="$database" CSVP_STORE_URL=s3://none/ AWS_ENDPOINT_URL_S3="http://127.0.0.1:$(free_port)" \
	AWS_ACCESS_KEY_ID=one AWS_SECRET_ACCESS_KEY=two SERVE_WORKERS=no SERVE_THREADS=4
for i in 1 2 3 4 5 6; do
	curl -s -o "ready.$i" "$U/api/health/ready" &
	pids[i]=$!
done
answers 200 'others are answered meanwhile' GET /api/health/live
wait "${pids[@]}"
is "$(cat ready.? | grep -o '"status":"[a-z]*"' | sort -u)" '"status":"failed"' 'six that ask at once hear that something is not there'
matches "$(cat ready.?)" '"database":"ok","store":"failed"' 'and what'
matches "$(cat serve.log)" 'not ready: store: .* 2 attempts in ' 'without much patience'
serve_end

# An upload that does not go on leaves a thread to others, and ends when all is told to.
uploading()
{
	[ "$(sql "SELECT count(*) FROM csvp.job WHERE state = 'uploading'")" -eq 1 ]
}

serve SERVE_WORKERS=no SERVE_THREADS=2
mkfifo go
curl -s -o stalled -w '%{http_code}' -X POST -H 'Content-Type: text/csv' -T . "$U/api/datasets/stalled/uploads" <go >stalled.status &
sender=$!
exec {go}>go
seq 100000 >&"$go"
wait_until uploading
answers 503 'one upload more than may be' POST /api/datasets/other/uploads -H 'Content-Type: text/csv' -T two.csv
matches "$(cat head)" '^Retry-After: [0-9]+' 'is to come again'
answers 200 'and others are answered' GET /api/health/live
begin=$SECONDS
serve_end
check 'told to end, nobody waits for it' test $((SECONDS - begin)) -lt 8
wait "$sender"
exec {go}>&-
is "$(cat stalled.status)" 503 'it is to come again, too'
is "$(sql "SELECT count(*) FROM csvp.job WHERE state = 'uploading'") $(find "$CSVP_HOME/store/.tmp" -type f | wc -l)" '0 0' 'and leaves nothing'

# What is configured wrong is said before anybody is told where to go.
not_served()
{
	expect_exit 78 "scripts/serve with $1" env CSVP_DATABASE_URL="$database" CSVP_API_PORT="$(free_port)" SERVE_WORKERS=no "$1" \
		"$TESTS/../scripts/serve"
	matches "$(cat err)" "$2" "$1: is said"
	is "$(cat out)" '' "$1: nothing is served"
}
not_served CSVP_API_MAX_UPLOAD=much "CSVP_API_MAX_UPLOAD 'much' is not a size"
not_served CSVP_QUEUE_URL=gopher://there "no message queue speaks 'gopher:'"
not_served CSVP_API_PORT=65536 "CSVP_API_PORT '65536' is no port"

# The private server dies under the API and its workers: both start it again. Who stops it has it stopped.
ready()
{
	[ "$(curl -s -o ready -w '%{http_code}' "$U/api/health/ready")" = "$1" ]
}

serve
answers 202 'a file' POST "/api/datasets/survives/uploads?key=id" -H 'Content-Type: text/csv' -T two.csv
job=$(json 'it["id"]')
kill -9 "$(head -n 1 "$CSVP_HOME/postgres/data/postmaster.pid")"
check 'killed, the private server is started again' wait_until ready 200
answers 202 'another file' POST "/api/datasets/survives/uploads?key=id&force=true" -H 'Content-Type: text/csv' -T two.csv
for id in "$job" "$(json 'it["id"]')"; do
	answers 200 'its job' GET "/api/jobs/$id?wait=60"
	is "$(json 'it["state"]')" 'done' 'is done'
done
csvp-admin down -q
check 'stopped, it stays so' ready 503
answers 503 'also for those who need it' GET /api/jobs
check 'it is still stopped' test ! -e "$CSVP_HOME/postgres/data/postmaster.pid"
csvp-admin up -q
check 'started, it is there for all' wait_until ready 200
serve_end
