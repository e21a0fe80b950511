#!/bin/bash
# The HTTP API by curl alone, as plain CGI and then, the same cases, under FastCGI: datasets, jobs, limits, health, metrics;
# who may do what; what a request may depend on.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api.sh
. "$TESTS/api.sh"
setup
json_type='Content-Type: application/json'

# What anybody may see, and how routes are found.
routes()
{
	answers 200 'health/live' GET /api/health/live
	is "$(json 'it["status"]')" ok "$MODE: it lives"
	answers 200 'health/ready' GET /api/health/ready
	is "$(json 'sorted(it["services"].items())')" \
		'[["cache", "ok"], ["database", "ok"], ["queue", "ok"], ["search", "ok"], ["store", "ok"]]' "$MODE: each service answers"
	answers 404 'a path that is not there' GET /api/nothing
	answers 404 'a path below a route' GET /api/jobs/1/chunks/2
	answers 405 'a method that is not there' PUT /api/jobs
	matches "$(cat head)" '^Allow: GET, HEAD, OPTIONS' "$MODE: 405 tells which are"
	answers 204 'OPTIONS' OPTIONS /api/datasets
	matches "$(cat head)" '^Allow: GET, HEAD, POST, OPTIONS' "$MODE: OPTIONS tells the methods"
	is "$(curl -sI "$U/api/jobs?page_size=1" | tr -d '\r' | sed -n '1p; /^Content-Type/p')" \
		"$(printf 'HTTP/1.1 200 OK\nContent-Type: application/json')" "$MODE: HEAD has the headers of GET"
	answers 200 'a slash at the end means nothing' GET /api/jobs/
	answers 406 'a type that is not given' GET /api/jobs -H 'Accept: text/html'
	answers 200 'a range of types' GET /api/jobs -H 'Accept: text/html, application/*;q=0.5'
	answers 400 'an unknown query parameter' GET '/api/jobs?pagesize=3'
	answers 400 'one that is given twice' GET '/api/jobs?page_size=3&page_size=4'
	answers 400 'one that is no number' GET '/api/jobs?page_size=x'
	answers 400 'one that is out of range' GET '/api/jobs?page_size=0'
	answers 400 'one that is none of its words' GET '/api/jobs?state=lost'
	api GET /api/nothing -H 'X-Request-Id: my-own.id_1'
	matches "$(cat head)" '^X-Request-Id: my-own.id_1' "$MODE: the request's own id comes back"
	is "$(json 'it["request_id"]')" my-own.id_1 "$MODE: in the problem, too"
	api GET /api/nothing -H 'X-Request-Id: a b<script>'
	matches "$(cat head)" '^X-Request-Id: [0-9a-f]{16}.?$' "$MODE: one that is no id does not"
	for header in 'X-Content-Type-Options: nosniff' 'X-Frame-Options: DENY' "Content-Security-Policy: default-src 'none'" \
		'Cache-Control: no-store' 'Content-Type: application/problem\+json'; do
		matches "$(cat head)" "^$header" "$MODE: $header"
	done
	is "$(grep -ci '^access-control' head || :)" 0 "$MODE: no other origin is told anything"
}

datasets()
{
	answers 201 'a dataset is defined' POST /api/datasets -H "$json_type" \
		-d '{"name":"Größen & more","columns":[{"header":"Id","type":"bigint"},{"header":"Wert","type":"text"}],"key":["Id"]}'
	matches "$(cat head)" '^Location: /api/datasets/Gr%C3%B6%C3%9Fen%20%26%20more' "$MODE: it says where"
	answers 200 'and is there' GET /api/datasets/Gr%C3%B6%C3%9Fen%20%26%20more
	is "$(json '[c["name"] + ":" + c["type"] for c in it["columns"]], it["key"], it["state"]')" \
		'[["id:bigint", "wert:text"], ["id"], "ready"]' "$MODE: with its columns and key"
	answers 409 'another of its name' POST /api/datasets -H "$json_type" \
		-d '{"name":"Größen & more","columns":[{"header":"a","type":"text"}]}'
	answers 422 'what is wrong with one is told field by field' POST /api/datasets -H "$json_type" \
		-d '{"name":"","columns":[{"header":"a","type":"txt"}],"key":"a","owner":"me"}'
	is "$(json '[f["name"] for f in it["errors"]]')" '["name", "a", "key", "owner"]' "$MODE: all of it"
	answers 422 'a control character in its name' POST /api/datasets -H "$json_type" -d '{"name":"a\u0085","columns":[{"header":"a","type":"text"}]}'
	answers 422 'a name of more than 200 bytes' POST /api/datasets -H "$json_type" -d "{\"name\":\"$(printf 'é%.0s' {1..101})\",\"columns\":[{\"header\":\"a\",\"type\":\"text\"}]}"
	answers 400 'a control character in the name of one that is to be made by an upload' POST /api/datasets/%C2%85/uploads -H 'Content-Type: text/csv' -d 'a'
	answers 422 'a key that is no column' POST /api/datasets -H "$json_type" \
		-d '{"name":"k","columns":[{"header":"a","type":"text"}],"key":["b"]}'
	answers 404 'which defines nothing' GET /api/datasets/k
	answers 415 'another type of body' POST /api/datasets -H 'Content-Type: text/csv' -d '{}'
	answers 400 'a body that is no JSON' POST /api/datasets -H "$json_type" -d '{"name":'
	answers 400 'a body that is no object' POST /api/datasets -H "$json_type" -d '[]'
	answers 400 'no body' POST /api/datasets -H "$json_type" -d ''
	answers 400 'NUL in its text' POST /api/datasets -H "$json_type" -d '{"name":"a\u0000b","columns":[]}'
	answers 200 'the datasets' GET /api/datasets
	check "$MODE: are those of the shell" \
		test "$(json '" ".join(d["name"] for d in it["results"])')" = "$(sql 'SELECT name FROM csvp.dataset ORDER BY name' | paste -sd ' ')"
	sql 'ALTER TABLE people RENAME name TO called'
	answers 200 'one whose table was altered does not hide the others' GET /api/datasets
	matches "$(json '[d["problem"] for d in it["results"] if d["name"] == "people"]')" 'has no column .*name.* any more' "$MODE: it tells why"
	is "$(json 'sorted({d["problem"] for d in it["results"] if d["name"] != "people"}, key=str)')" '[null]' "$MODE: they have none"
	answers 200 'nor from the document' GET /api/schema/
	is "$(json '[name in it["components"]["schemas"] for name in ("Record_navaids", "Record_people")]')" '[true, false]' "$MODE: they are in it"
	answers 200 'verify of it' POST /api/datasets/people/verify
	is "$(json 'it["agrees"], "has no column" in it["findings"][0], "hint" in it["findings"][0]')" '[false, true, false]' \
		"$MODE: disagrees, and says why"
	sql 'ALTER TABLE people RENAME called TO name'
	answers 200 'verify' POST /api/datasets/navaids/verify
	is "$(json 'it["agrees"], it["records"], it["rows"], it["documents"]')" '[true, 11008, 11008, 11008]' "$MODE: it is proven"
	answers 404 'verify of none' POST /api/datasets/none/verify
}

jobs()
{
	answers 200 'the jobs' GET /api/jobs
	is "$(json '[j["id"] for j in it["results"]], it["next"]')" '[[3, 2, 1], null]' "$MODE: the newest first"
	answers 200 'a page of them' GET '/api/jobs?page_size=2'
	is "$(json 'it["next"]')" '/api/jobs?page_size=2&cursor=2' "$MODE: has a link to the next"
	answers 200 'the next page' GET "$(json 'it["next"]')"
	is "$(json '[j["id"] for j in it["results"]], it["next"]')" '[[1], null]' "$MODE: goes on there"
	answers 200 'those of a dataset' GET '/api/jobs?dataset=people&state=failed'
	is "$(json '[j["id"] for j in it["results"]]')" '[3]' "$MODE: in a state"
	answers 200 'a job' GET /api/jobs/1
	is "$(cat body)" "$(csvp-status --json 1)" "$MODE: is what csvp-status --json prints"
	answers 200 'its chunks' GET /api/jobs/1/chunks
	is "$(json 'it[0]["records"]')" 11008 "$MODE: with their records"
	answers 200 'rejects' GET /api/jobs/3/rejects -H 'Accept: text/csv'
	check "$MODE: are what csvp-status --rejects prints" cmp body <(csvp-status --rejects 3)
	matches "$(cat head)" '^Content-Type: text/csv; charset=utf-8' "$MODE: as CSV"
	answers 400 'a page that is too long' GET '/api/jobs?page_size=1001'
	is "$(json 'it["detail"]')" 'query parameter page_size is not a number from 1 to 1000' "$MODE: tells the longest"
	answers 400 'a state that is none' GET '/api/jobs?state=ready'
	matches "$(json 'it["detail"]')" 'is none of uploading, waiting, .*, paused$' "$MODE: tells those there are"
	answers 404 'a job that is not there' GET /api/jobs/99
	answers 404 'one that is no number' GET /api/jobs/x
	answers 409 'cancel of a job that is done' POST /api/jobs/1/cancel
	answers 200 'pause' POST /api/jobs/2/pause
	is "$(json 'it["state"]')" paused "$MODE: it is paused"
	answers 200 'to wait for a job that is paused is no wait' GET '/api/jobs/2?wait=30'
	answers 200 'resume' POST /api/jobs/2/resume
	is "$(json 'it["state"]')" waiting "$MODE: it is not any more"
	answers 200 'retry of a job without dead letters' POST /api/jobs/2/retry
	SECONDS=0
	answers 200 'a wait ends with its time' GET '/api/jobs/2?wait=1'
	matches "$(cat head)" '^Retry-After: 1' "$MODE: and says to come again"
	check "$MODE: not sooner" test "$SECONDS" -ge 1
}

# The dead, the limits, the measures.
rest()
{
	answers 200 'throttle' GET /api/throttle
	is "$(cat body)" '{"load":"unlimited","index":"unlimited"}' "$MODE: both rates"
	TOKEN=$admin answers 200 'a rate is set' PUT /api/throttle -H "$json_type" -d '{"load":"5000/s"}'
	is "$(csvp-admin throttle --json)" "$(printf '%s\n' '{"stage":"load","rate":"5000/s"}' '{"stage":"index","rate":"unlimited"}')" \
		"$MODE: csvp-admin throttle has it"
	TOKEN=$admin answers 422 'what is no rate' PUT /api/throttle -H "$json_type" -d '{"load":"unlimited","index":"5/h","x":1}'
	is "$(json '[f["name"] for f in it["errors"]]')" '["index", "x"]' "$MODE: is named"
	is "$(csvp-admin throttle --json | head -n 1)" '{"stage":"load","rate":"5000/s"}' "$MODE: and then nothing is set"
	csvp-admin throttle load unlimited
	answers 200 'metrics' GET /metrics
	is "$(grep -E '^csvp_(chunks\{state="indexed"\}|rejects_open|records\{outcome="inserted"\}) ' body | paste -sd ' ')" \
		'csvp_chunks{state="indexed"} 2 csvp_records{outcome="inserted"} 11010 csvp_rejects_open 1' "$MODE: of the ledger"
	check "$MODE: of requests with FastCGI alone" \
		test "$(grep -c '^csvp_api_requests_total{route="getJob",status="2xx"}' body)" -eq "$([ "$MODE" = cgi ] && echo 0 || echo 1)"
	is "$(grep -vcE '^(# (HELP|TYPE) .*|[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+)$' body || :)" 0 \
		"$MODE: each line is Prometheus'"
}

# Who may do what: each route's scope against each kind of caller.
tokens()
{
	local drop=/api/datasets/Gr%C3%B6%C3%9Fen%20%26%20more
	answers 401 'nobody reads' GET /api/jobs
	matches "$(cat head)" '^WWW-Authenticate: Bearer realm="csvp"' "$MODE: 401 says how"
	answers 401 'nobody sees metrics' GET /metrics
	answers 200 'anybody sees health' GET /api/health/live
	answers 200 'and the document' GET /api/schema/
	is "$(json 'sorted(n for n in it["components"]["schemas"] if n.startswith("Record_"))')" '[]' "$MODE: without datasets"
	TOKEN=$read answers 200 'who may read sees them in it' GET /api/schema/
	matches "$(json 'it["components"]["schemas"]["Record_navaids"]["properties"]["elevation_ft"]["type"]')" integer "$MODE: their columns"
	TOKEN=$read answers 200 'read reads' GET /api/jobs
	TOKEN=$read answers 403 'read does not write' POST /api/jobs/1/cancel
	TOKEN=$read answers 403 'whether it is there or not' POST /api/jobs/99/cancel
	TOKEN=$write answers 404 'write does' POST /api/jobs/99/cancel
	TOKEN=$write answers 403 'write does not drop' DELETE "$drop"
	TOKEN=$admin answers 204 'admin does' DELETE "$drop"
	TOKEN=$admin answers 404 'once' DELETE "$drop"
	TOKEN=${admin}x answers 401 'a token with a letter more' GET /api/jobs
	TOKEN=csvp_1_ answers 401 'a token without its secret' GET /api/jobs
	TOKEN=csvp_99999999999999999999_x answers 401 'a token with a number that is none' GET /api/jobs
	answers 401 'another scheme' GET /api/jobs -H 'Authorization: Basic Og=='
	TOKEN=$late answers 401 'an expired token' GET /api/jobs
	csvp-admin token revoke read
	TOKEN=$read answers 401 'a revoked token' GET /api/jobs
	read=$(csvp-admin token create read --scope read)
}

csvp-run -q -d navaids -k id "$DATA/navaids.csv"
printf 'id,name\n1,ann\n2\n3,cyd\n' >people.csv
waiting=$(csvp-upload -q -d people -k id people.csv)
csvp-run -q -d people -k id --force people.csv 2>/dev/null || :
sql "UPDATE csvp.job SET state = 'stored' WHERE id = $waiting" "DELETE FROM csvp.chunk WHERE job = $waiting"
admin=$(csvp-admin token create admin --scope admin)
write=$(csvp-admin token create write --scope write)
read=$(csvp-admin token create read --scope read)
late=$(csvp-admin token create late --scope admin --expires 1ms)
is "$(csvp-admin token list | awk '{ print $1, $2, $4 }' | sed 's/ $//' | paste -sd ,)" \
	'TOKEN SCOPE EXPIRES,admin admin,late admin expired,read read,write write' 'the tokens'
is "$(sql "SELECT count(*) FROM csvp.api_token t WHERE strpos(t::text, '${admin#csvp_*_}') > 0")" 0 'their secrets are not kept'
expect_exit 65 'a name is given once' csvp-admin token create admin --scope read
expect_exit 64 'a scope is needed' csvp-admin token create other
expect_exit 64 'one that is never good' csvp-admin token create never --scope read --expires 0s
expect_exit 66 'none to revoke' csvp-admin token revoke nobody

for mode in SERVE_CGI=yes SERVE_CGI=; do
	serve "$mode" SERVE_WORKERS=no CSVP_API_ANONYMOUS=write
	routes
	datasets
	jobs
	rest
	answers 403 'a page of another origin does not write' POST /api/jobs/1/cancel -H 'Origin: http://evil.example' -d ''
	answers 403 'nor one that has given its name to this address' POST /api/jobs/1/cancel -H 'Host: evil.example' -H 'Origin: http://evil.example' -d ''
	answers 409 'a page of localhost does' POST /api/jobs/1/cancel -H "Host: localhost:${U##*:}" -H "Origin: http://localhost:${U##*:}" -d ''
	answers 409 'a page of this one does' POST /api/jobs/1/cancel -H "Origin: $U" -d ''
	serve "$mode" SERVE_WORKERS=no CSVP_API_ANONYMOUS=none CSVP_API_ORIGIN=https://app.example
	tokens
	api OPTIONS /api/jobs -H 'Origin: https://app.example'
	matches "$(cat head)" '^Access-Control-Allow-Origin: https://app.example' "$MODE: the origin that is set may call"
	api GET /api/health/live -H 'Origin: https://evil.example'
	is "$(grep -ci '^access-control' head || :)" 0 "$MODE: no other"
	serve_end
done

# Only FastCGI: what threads share.
serve SERVE_WORKERS=no SERVE_THREADS=4 CSVP_API_ANONYMOUS=write
for _ in 1 2 3 4 5 6; do
	curl -s "$U/api/jobs/$waiting?wait=20" >/dev/null &
done
SECONDS=0
answers 200 'those who wait leave room for others' GET /api/jobs/1
check 'at once' test "$SECONDS" -le 3
sessions()
{
	sql "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'csvp-api %'"
}
for _ in $(seq 20); do
	api GET /api/jobs/1
done
check 'sessions are kept, not opened for each request' test "$(sessions)" -le 8
csvp-run -q -d long -k id <(printf 'id,text,word\n1,%s,short\n' "$(printf '%0200000d' 0)")
answers 200 'the document of a dataset with a long value' GET /api/schema/
is "$(json 'it["components"]["schemas"]["Record_long"]["example"]')" '{"id": 1, "word": "short"}' 'does without it as an example'
check 'and stays short' test "$(wc -c <body)" -lt 200000
csvp-run -q -d control -k id <(printf 'id,na\302\205me\n1,x\n')
answers 200 'the document of a header with a C1 control' GET /api/schema/
check 'has it as an escape, since YAML has no place for it' grep -q '"title":"na\\u0085me"' body
is "$(LC_ALL=C grep -c $'\302[\200-\237]' body || :)" 0 'and nowhere as it is'
SECONDS=0
serve_end
check 'a signal ends the waits' test "$SECONDS" -le 10
serve SERVE_WORKERS=no CSVP_API_ANONYMOUS=write
api GET /api/jobs/1
csvp-admin down -q
csvp-admin up -q >/dev/null
answers 200 'a database that was started anew costs no error' GET /api/jobs/1
csvp-admin down -q
answers 503 'a database that is not there' GET /api/jobs/1
matches "$(cat head)" '^Retry-After: ' 'says to come again'
is "$(grep -ciE 'postgres|socket|/' body || :)" 0 'and nothing of the inside'
answers 200 'it lives all the same' GET /api/health/live
api GET /api/health/ready
is "$STATUS $(json 'it["status"], it["services"]["database"], it["services"]["store"]')" '503 ["failed", "failed", "ok"]' \
	'but is not ready, and says which service is not'
csvp-admin up -q >/dev/null
serve_end
for setting in CSVP_QUEUE_URL=foo: CSVP_QUEUE_URL=pg:x CSVP_QUEUE_URL=sqs+ftp://h CSVP_STORE_URL=file://here CSVP_STORE_URL=s3: CSVP_STORE_URL=s3+v2://b \
	CSVP_SEARCH_URL=es:h CSVP_SEARCH_URL=es+http:; do
	expect_exit 78 "FastCGI does not begin with $setting" timeout 60 env CSVP_DATABASE_URL=postgresql://127.0.0.1:1/none "$setting" csvp-api -l "$WORK/socket"
	check 'and says why' grep -qF "${setting#*=}" err
done
