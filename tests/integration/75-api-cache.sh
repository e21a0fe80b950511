#!/bin/bash
# Answers from Redis by the API: found while the index is the same, right after an edit, and not missed when Redis is.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api.sh
. "$TESTS/api.sh"
setup

# Whatever the caller has ready: this one is stopped and killed.
unset CSVP_TEST_CACHE_URL
with_services redis
read -r redis _ <"$CSVP_SERVICES_DIR/redis/pid"
# shellcheck disable=SC2016 # at the end it is known
at_exit 'kill -CONT "$redis" 2>/dev/null'
cache=$CSVP_CACHE_URL
unset CSVP_CACHE_URL
database=$(csvp-admin up)
csvp-run -q -d navaids -k id "$DATA/navaids.csv"
id=$(sql 'SELECT id FROM navaids ORDER BY id LIMIT 1')
search="/api/datasets/navaids/search?q=vor&sort=id&page_size=5"
edited="/api/datasets/navaids/search?id=$id"

hits()
{
	redis-cli -u "$cache" INFO stats | sed -n 's/^keyspace_hits:\([0-9]*\).*/\1/p'
}

# On a busy machine Redis may answer too late, and is left alone for half a minute then.
found_in_redis()
{
	local before
	before=$(hits)
	api GET "$search"
	[ "$(hits)" -gt "$before" ]
}

notices()
{
	grep -c 'going on without it' serve.log || :
}

# edit_is_found: what the search says is what was written last.
edit_is_found()
{
	api GET "$edited"
	[ "$(json 'it["results"][0]["name"]')" = "$1" ]
}

serve CSVP_DATABASE_URL="$database" CSVP_CACHE_URL="$cache"
answers 200 'a search' GET "$search"
mv body first
check 'the same search is answered from Redis' wait_until found_in_redis
check 'with the same answer' cmp first body
answers 200 'a search of one record' GET "$edited"
for name in once twice; do
	answers 200 'an edit' PATCH "/api/datasets/navaids/records/$id" -H 'Content-Type: application/json' -d "{\"name\":\"$name\"}"
	wait_until edit_is_found "$name" || not_ok "an edit is found although the answer of before is in Redis" "$(cat body)"
	answers 200 'once it was found' GET "$edited"
	is "$(json 'it["results"][0]["name"]')" "$name" 'it stays so'
done

# Redis does not answer: one request notices, and the others leave it alone.
before=$(notices)
kill -STOP "$redis"
for _ in 1 2 3 4 5 6; do
	answers 200 'a search while Redis does not answer' GET "$search"
done
is "$(json '[r["id"] for r in it["results"]]')" "$(python3 -c 'import json; print(json.dumps([r["id"] for r in json.load(open("first"))["results"]]))')" \
	'is answered all the same'
check 'and one request at most has waited for it' test "$(notices)" -le "$((before + 1))"
kill -CONT "$redis"
serve_end
serve CSVP_DATABASE_URL="$database" CSVP_CACHE_URL="$cache"
answers 200 'a search' GET "$search"
kill -KILL "$redis"
for _ in 1 2 3; do
	answers 200 'a search when Redis was killed' GET "$search"
	check 'is answered all the same' cmp first body
done
serve_end
