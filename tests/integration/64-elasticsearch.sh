#!/bin/bash
# The search index on Elasticsearch and on OpenSearch: the whole way, edits, a busy server, points in time that expire
# and a server restarted between pages; and the same answers as PostgreSQL's own index, in the same order. LONG=1: busy
# for a minute, pages of 50,000 records in place of 8,000.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup

# Whatever the caller has ready: these are stopped.
unset CSVP_TEST_SEARCH_URL
proxy=
# shellcheck disable=SC2016
at_exit '[ -z "$proxy" ] || kill "$proxy" 2>/dev/null'
csvp-admin up -q
[[ $(csvp-admin psql -Xc '\conninfo') =~ socket\ in\ \"([^\"]+)\" ]]
server="host=${BASH_REMATCH[1]} user=csvp"
records=$([ -n "${LONG:-}" ] && echo 50000 || echo 8000)
seq "$records" | awk 'BEGIN { print "id,name,part,price" }
	{ printf "%d,word%d and %s,%d,%s\n", $1, $1 % 997, $1 % 2 ? "odd" : "even", $1 % 13, $1 % 5 ? $1 / 4 : "" }' >many.csv
sed 's/ and / or /' many.csv >again.csv

url_of()
{
	if [ "$1" = pg ]; then
		echo pg:
	else
		echo "es+http://127.0.0.1:$(cat proxy.port)"
	fi
}

# on ENGINE COMMAND...: each has a database of its own; `pg` is the truth, with the index in it.
on()
{
	local name=$1
	shift
	CSVP_SEARCH_URL=$(url_of "$name") CSVP_DATABASE_URL="$server dbname=$name" "$@"
}

# Searches of navaids, a line each; @ is a blank inside of a word.
searches=(
	''
	'airport --sort name'
	'vor* --sort frequency_khz:desc'
	'"san@francisco" --sort id'
	'--where elevation_ft>=1000 --sort elevation_ft'
	'--where elevation_ft@is@null --sort name:desc'
	'--where type=NDB --sort longitude_deg'
	'--where iso_country!=US --sort usageType'
	'intrenational --sort id'
)

# ask ENGINE WHEN: the answers to all of them, in ENGINE.WHEN.
ask()
{
	local i words
	mkdir -p "$1.$2"
	for i in "${!searches[@]}"; do
		read -ra words <<<"${searches[i]}"
		on "$1" csvp-search -q -d navaids --all "${words[@]//@/ }" >"$1.$2/$i"
	done
}

# same WHEN: the engine's answers are PostgreSQL's.
same()
{
	local i
	ask "$engine" "$1"
	for i in "${!searches[@]}"; do
		check "$engine: $1, the same records as in PostgreSQL, in the same order: ${searches[i]}" \
			cmp "pg.$1/$i" "$engine.$1/$i"
	done
}

# edit ENGINE: the same for both.
edit()
{
	on "$1" sql "UPDATE navaids SET name = 'Zzyzx beacon', elevation_ft = NULL WHERE id % 1000 = 7" \
		'DELETE FROM navaids WHERE id % 500 = 3' "INSERT INTO navaids (id, name) VALUES (-1, 'made by hand')"
}

# ask_engine METHOD PATH [BODY]: past csvp; its answer.
ask_engine()
{
	python3 -c 'import sys, urllib.request
method, url, *body = sys.argv[1:]
body = body[0].encode() if body else None
request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)
print(urllib.request.urlopen(request).read().decode(), end="")' "$1" "http://127.0.0.1:$(cat proxy.port)/$2" "${@:3}"
}

fault()
{
	ask_engine GET "faults/$1"
}

# Drop what was overwritten: else a restart may, and the scores are others then.
merge()
{
	ask_engine POST '_forcemerge?max_num_segments=1' >nothing
}

nothing_waits()
{
	[ "$(on "$1" sql 'SELECT count(*) FROM csvp.change')" = 0 ]
}

# drained ENGINE: a worker brings the edits there.
drained()
{
	local status=0 worker
	# The worker itself is to be stopped, not a shell that waits for it.
	CSVP_SEARCH_URL=$(url_of "$1") CSVP_DATABASE_URL="$server dbname=$1" csvp-index -q --worker 2>worker.err &
	worker=$!
	wait_until nothing_waits "$1" || status=1
	kill "$worker"
	wait "$worker" || :
	return "$status"
}

next_cursor()
{
	sed -n 's/^next: //p' "$1"
}

restart()
{
	services stop "$engine"
	services start "$engine"
}

check_books()
{
	local dataset
	for dataset; do
		expect_exit 0 "$engine: rows and documents of $dataset agree" on "$engine" csvp-admin verify "$dataset"
	done
}

# alias_of DATASET: what csvp calls its index; the index itself is called ALIAS-1.
alias_of()
{
	echo "csvp-$(on "$engine" sql "SELECT id FROM csvp.dataset WHERE name = '$1'")"
}

# remake DATASET PLACE VALUE: its index is made anew by hand, empty, and otherwise than csvp did in one place.
remake()
{
	local index
	index=$(alias_of "$1")-1
	ask_engine GET "$index" >made
	python3 -c 'import json, sys
((_, index),) = json.load(sys.stdin).items()
for name in ("creation_date", "provided_name", "uuid", "version"):
    index["settings"]["index"].pop(name)
*names, last = sys.argv[1].split(".")
place = index
for name in names:
    place = place[name]
place[last] = json.loads(sys.argv[2])
json.dump(index, sys.stdout)' "$2" "$3" <made >remade
	ask_engine DELETE "$index" >nothing
	ask_engine PUT "$index" "$(cat remade)" >nothing
}

# narrow DATASET: by somebody who takes a text for one word: no engine takes one that long.
narrow()
{
	remake "$1" settings.index.analysis.analyzer.words '{"type": "custom", "tokenizer": "keyword"}'
}

refused()
{
	on "$engine" csvp-admin dataset unindexed few --json | sed 's/,"reason".*//'
}

# job_says JOB: which of its records are in the index, and which the engine refuses.
job_says()
{
	on "$engine" csvp-status --json "$1" | grep -o '"state":"[a-z]*"\|"indexed":[0-9]*,"unindexed":[0-9]*' | paste -sd' '
}

# index_loaded EXIT DATASET FILE STATEMENT N/ALL: a file is indexed of which so many rows are, after the statement, where the load put them.
index_loaded()
{
	local job
	job=$(on "$engine" csvp-upload -q -d "$2" -k id "$3")
	on "$engine" csvp-split -q "$job" >nothing
	on "$engine" csvp-load -q "$job" >nothing
	on "$engine" sql "$4"
	expect_exit "$1" "$engine: $2: records are indexed" on "$engine" csvp-index -v "$job"
	matches "$(cat err)" " ${5%/*} of ${5#*/} records read from where" "$engine: $2: read from their place"
	check_books "$2"
}

# Rows that the engine refuses for good have no document, are known, and are no more when they are changed or taken.
refuse_some()
{
	local job long
	long=$(printf '😀 %.0s' {1..14000})
	printf 'id,name\n1,one\n' >few.csv
	on "$engine" csvp-run -q -d few -k id few.csv >job
	narrow few
	printf 'id,name\n1,uno\n2,%s\n3,three\n4,%s\n' "$long" "$long" >few.csv
	index_loaded 3 few few.csv 'UPDATE csvp.chunk SET first_block = 0, end_block = 1' 4/4
	job=$(on "$engine" sql "SELECT max(id) FROM csvp.job")
	is "$(job_says "$job")" '"state":"done" "indexed":2,"unindexed":2' "$engine: the job has counted them"
	is "$(refused)" "$(printf '{"key":["%s"],"job":%s,"byte":%s\n' 2 "$job" 14 4 "$job" 70025)" \
		"$engine: and they are known by key, job and byte"
	matches "$(on "$engine" csvp-admin dataset unindexed few)" "^2 +$job +14 +.*immense term" "$engine: with the reason"
	matches "$(on "$engine" csvp-status "$job")" "refuses 2 of its records; hint: csvp-admin dataset unindexed few" \
		"$engine: the job says where to look"
	expect_exit 3 "$engine: who waits for it is told" on "$engine" csvp-status -q --wait "$job"
	check_books few

	on "$engine" sql "UPDATE few SET name = '$long' WHERE id = 3" "UPDATE few SET name = 'two' WHERE id = 2"
	check "$engine: a row that is changed" drained "$engine"
	is "$(refused)" "$(printf '{"key":["%s"],"job":%s,"byte":%s\n' 4 "$job" 70025 3 null null)" \
		"$engine: is taken, or refused from then on"
	is "$(on "$engine" csvp-search -q -d few --format csv --sort id | cut -d, -f1 | paste -sd' ')" 'id 1 2' \
		"$engine: nobody finds what it was"
	is "$(job_says "$job")" '"state":"done" "indexed":2,"unindexed":1' "$engine: the job it came from is told"
	check_books few
	on "$engine" sql 'DELETE FROM few WHERE id = 4'
	check "$engine: a row that is deleted" drained "$engine"
	is "$(refused)" '{"key":["3"],"job":null,"byte":null' "$engine: is none any more"
	expect_exit 0 "$engine: then its job has none" on "$engine" csvp-status -q --wait "$job"
	printf 'id,name\n1,ein\n3,drei\n5,%s\n' "$long" >few.csv
	index_loaded 3 few few.csv 'UPDATE csvp.chunk SET first_block = 0, end_block = 1' 3/3
	job=$(on "$engine" sql "SELECT max(id) FROM csvp.job")
	is "$(refused)" "{\"key\":[\"5\"],\"job\":$job,\"byte\":21" "$engine: a record that is taken is none, either"
	is "$(job_says "$job")" '"state":"done" "indexed":2,"unindexed":1' "$engine: another one is"
	ask_engine DELETE "$(alias_of few)-1" >nothing
	expect_exit 0 "$engine: an index made right" on "$engine" csvp-admin create-index
	is "$(refused)" '' "$engine: takes all of them"
	check_books few
}

# What somebody has changed in the engine by hand is mended, or it is said what to do.
changed_by_hand()
{
	local alias asked
	alias=$(alias_of few)
	printf 'id,name\n1,once\n' >few.csv
	ask_engine DELETE "$alias-1/_alias/$alias" >nothing
	expect_exit 66 "$engine: an index without its alias" on "$engine" csvp-search -q -d few once
	expect_exit 0 "$engine: gets it again" on "$engine" csvp-run -d few -k id few.csv
	is "$(grep -c 'index is gone' err)" 0 "$engine: with all that it had"
	check_books few
	remake few mappings.properties.s.properties.name '{"type": "text"}'
	printf 'id,name\n1,twice\n' >few.csv
	expect_exit 78 "$engine: a column of another type" on "$engine" csvp-run -q -d few -k id few.csv
	matches "$(cat err)" "curl -X DELETE http://127.0.0.1:$(cat proxy.port)/$alias-1\), csvp-admin create-index" \
		"$engine: is said to be, and what to do"
	for asked in --sort=name --facet=name; do
		expect_exit 78 "$engine: and cannot be searched with $asked" on "$engine" csvp-search -q -d few "$asked"
		matches "$(cat err)" "curl -X DELETE .*/$alias-1\), csvp-admin create-index" "$engine: $asked: what to do"
	done
	ask_engine DELETE "$alias-1" >nothing
	expect_exit 0 "$engine: that helps" on "$engine" csvp-admin create-index
	is "$(on "$engine" csvp-search -q -d few --format csv twice)" "$(cat few.csv)" "$engine: and what was not indexed is"
	check_books few
}

max_shards()
{
	ask_engine PUT _cluster/settings "{\"persistent\":{\"cluster.max_shards_per_node\":$1}}" >nothing
}

# An engine that takes no more indexes is a matter of its configuration.
full()
{
	max_shards 1
	expect_exit 78 "$engine: no room for an index" on "$engine" csvp-run -q -d late -k id few.csv
	matches "$(cat err)" 'maximum' "$engine: is said in the engine's words"
	expect_exit 78 "$engine: the doctor finds it" on "$engine" csvp-admin doctor
	max_shards null
	expect_exit 0 "$engine: then there is" on "$engine" csvp-run -q -d late -k id few.csv
	check_books late
}

# odd CURSOR|'': a page by relevance, in ranked and ranked.err.
odd()
{
	on "$engine" csvp-search -d many --format csv --limit 4 odd ${1:+--cursor "$1"} >ranked 2>ranked.err
}

# The records as they are, and as they come page by page, with a restart of the server between two of them.
turn_pages()
{
	local pages=0 cursor=''
	: >answer
	while [ "$pages" -eq 0 ] || [ -n "$cursor" ]; do
		on "$engine" csvp-search -d many --format csv --limit $((records / 8 + 1)) --sort price:desc \
			${cursor:+--cursor "$cursor"} >page 2>err
		sed 1d page >>answer
		cursor=$(next_cursor err)
		pages=$((pages + 1))
		[ "$pages" -ne 3 ] || restart
		[ "$pages" -ne 5 ] || fault expire >nothing
	done
	is "$pages" 8 "$engine: $records records have 8 pages"
	check "$engine: the server restarted between them, each record comes once, in order" cmp pg.many answer
}

# goes_on CURSOR WHAT: by relevance, behind the records in `first`.
goes_on()
{
	check "$engine: the order by relevance goes on, if nothing was written, after $2" odd "$1"
	is "$(sed 1d ranked | cat first - | sort -u | wc -l)" 8 "$engine: behind the page before"
}

turn_all_pages()
{
	local cursor
	merge
	odd ''
	sed 1d ranked >first
	cursor=$(next_cursor ranked.err)
	turn_pages
	# An engine may merge as it starts, and what it then holds is not what the order was of: it is said, never guessed.
	if odd "$cursor" || ! grep -q 'begin again' ranked.err; then
		goes_on "$cursor" 'a restart'
	else
		echo "# $engine merged as it started"
	fi
	odd ''
	cursor=$(next_cursor ranked.err)
	check "$engine: points in time are gone" test "$(fault expire)" -ge 1
	goes_on "$cursor" 'its point in time has expired'
	odd ''
	cursor=$(next_cursor ranked.err)
	on "$engine" sql "UPDATE many SET name = 'odd' WHERE id = 1"
	check "$engine: an edit" drained "$engine"
	check "$engine: moves nothing" odd "$cursor"
	fault expire >nothing
	expect_exit 75 "$engine: an order that is lost" on "$engine" csvp-search -d many --limit 4 odd --cursor "$cursor"
	matches "$(cat err)" 'begin again' "$engine: is said to be"
	expect_exit 64 "$engine: a cursor cut short" on "$engine" csvp-search -d many odd --cursor "${cursor%????}"
	expect_exit 64 "$engine: a cursor with another letter" on "$engine" csvp-search -d many odd --cursor "B${cursor#?}"
	expect_exit 64 "$engine: a cursor of another query" on "$engine" csvp-search -d many even --cursor "$cursor"
}

# What PostgreSQL's own index says, before and after the edits.
on_pg()
{
	sql 'CREATE DATABASE pg'
	on pg csvp-admin migrate -q
	on pg csvp-run -q -d navaids -k id "$DATA/navaids.csv" >job
	ask pg loaded
	edit pg
	check 'pg: edits reach the index' drained pg
	ask pg edited
	on pg csvp-run -q -d many -k id again.csv >job
	on pg csvp-search -q -d many --format csv --all --sort price:desc | sed 1d >pg.many
}

try()
{
	local engine=$1
	eval "$(services env "$engine")"
	rm -f proxy.port
	python3 "$TESTS/integration/64-elasticsearch.py" "${CSVP_SEARCH_URL##*:}" >proxy.port 2>proxy.err &
	proxy=$!
	unset CSVP_SEARCH_URL
	wait_until test -s proxy.port

	sql "CREATE DATABASE $engine"
	on "$engine" csvp-admin migrate -q
	expect_exit 0 "$engine: a file is searchable" on "$engine" csvp-run -q -d navaids -k id "$DATA/navaids.csv"
	expect_exit 0 "$engine: create-index has nothing to do" on "$engine" csvp-admin create-index
	check_books navaids
	[ "$engine" = opensearch ] || check "$engine: which was too much at once for it" test "$(fault none | cut -d' ' -f3)" -ge 1
	same loaded
	edit "$engine"
	check "$engine: edits reach the index" drained "$engine"
	check_books navaids
	same edited

	index_loaded 0 there many.csv 'SELECT' "$records/$records"
	index_loaded 0 edited many.csv "UPDATE edited SET name = 'by hand' WHERE id % 4 = 0" $((records * 3 / 4))/"$records"
	index_loaded 0 moved many.csv 'UPDATE csvp.chunk SET first_block = 100000, end_block = 100001 WHERE end_block > 0' \
		"0/$records"

	fault items >nothing
	expect_exit 0 "$engine: half of each request is refused" on "$engine" csvp-run -q -d many -k id many.csv
	check "$engine: so it was" test "$(fault none | cut -d' ' -f1)" -ge $((records * 4 / 5))
	check_books many
	fault "busy-$([ -n "${LONG:-}" ] && echo 60 || echo "$2")" >nothing
	expect_exit 0 "$engine: all is refused for a time" on "$engine" csvp-run -q -d many -k id again.csv
	check "$engine: so it was, too" test "$(fault none | cut -d' ' -f2)" -ge 2
	check_books many
	fault once >before
	expect_exit 0 "$engine: a search that is refused" on "$engine" csvp-search -q -d many --limit 1 odd
	check "$engine: as it was" test "$(fault none | cut -d' ' -f2)" -gt "$(cut -d' ' -f2 before)"
	is "$(wc -l <out) $(cat err)" '1 ' "$engine: is asked again, and nothing is said"

	refuse_some
	changed_by_hand
	full
	turn_all_pages
	services stop "$engine"
	expect_exit 75 "$engine: nobody there" on "$engine" csvp-search -q -d many odd
	is "$(wc -l <err)" 1 "$engine: is said in one line"
	kill "$proxy"
}

# One that has too much to do with a request of some megabytes.
export CSVP_SERVICES_ELASTICSEARCH='indexing_pressure.memory.limit: 1mb'
with_services elasticsearch opensearch
unset CSVP_SEARCH_URL
on_pg
try elasticsearch 10
try opensearch 3
