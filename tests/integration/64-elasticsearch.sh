#!/bin/bash
# The search index on Elasticsearch: the whole way, edits, a busy server, a server restarted between
# pages; and the same answers as PostgreSQL's own index, in the same order. LONG=1: busy for a minute.
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
seq 50000 | awk 'BEGIN { print "id,name,part,price" }
	{ printf "%d,word%d and %s,%d,%s\n", $1, $1 % 997, $1 % 2 ? "odd" : "even", $1 % 13, $1 % 5 ? $1 / 4 : "" }' >fifty.csv
sed 's/ and / or /' fifty.csv >again.csv

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

# same ARGUMENTS...: a search of navaids.
same()
{
	on pg csvp-search -q -d navaids --all "$@" >truth
	on "$engine" csvp-search -q -d navaids --all "$@" >answer
	check "$engine: the same records as in PostgreSQL, in the same order: $*" cmp truth answer
}

all_the_same()
{
	same
	same airport --sort name
	same 'vor*' --sort frequency_khz:desc
	same '"san francisco"' --sort id
	same --where 'elevation_ft>=1000' --sort elevation_ft
	same --where 'elevation_ft is null' --sort name:desc
	same --where type=NDB --sort longitude_deg
	same --where 'iso_country!=US' --sort usageType
	same intrenational --sort id
}

# edit ENGINE: the same for both.
edit()
{
	on "$1" sql "UPDATE navaids SET name = 'Zzyzx beacon', elevation_ft = NULL WHERE id % 1000 = 7" \
		'DELETE FROM navaids WHERE id % 500 = 3' "INSERT INTO navaids (id, name) VALUES (-1, 'made by hand')"
}

fault()
{
	python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode(), end="")' \
		"http://127.0.0.1:$(cat proxy.port)/faults/$1"
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

# lose DATASET: its index, in the engine.
lose()
{
	python3 -c 'import sys, urllib.request
urllib.request.urlopen(urllib.request.Request(sys.argv[1], method="DELETE"))' \
		"http://127.0.0.1:$(cat proxy.port)/csvp-$(on "$engine" sql "SELECT id FROM csvp.dataset WHERE name = '$1'")-1"
}

# odd CURSOR|'': a page by relevance, in ranked and ranked.err.
odd()
{
	on "$engine" csvp-search -d fifty --format csv --limit 4 odd ${1:+--cursor "$1"} >ranked 2>ranked.err
}

# The records as they are, and as they come page by page, with a restart of the server between two of them.
turn_pages()
{
	local pages=0 cursor=''
	: >answer
	while [ "$pages" -eq 0 ] || [ -n "$cursor" ]; do
		on "$engine" csvp-search -d fifty --format csv --limit 7000 --sort price:desc ${cursor:+--cursor "$cursor"} \
			>page 2>err
		sed 1d page >>answer
		cursor=$(next_cursor err)
		pages=$((pages + 1))
		[ "$pages" -ne 3 ] || restart
	done
	on pg csvp-search -q -d fifty --format csv --all --sort price:desc | sed 1d >truth
	is "$pages" 8 "$engine: 50,000 records have 8 pages"
	check "$engine: the server restarted between them, each record comes once, in order" cmp truth answer
}

turn_ranked_pages()
{
	local cursor
	odd ''
	sed 1d ranked >first
	restart
	check "$engine: the order by relevance goes on after a restart, if nothing was written" odd "$(next_cursor ranked.err)"
	is "$(sed 1d ranked | cat first - | sort -u | wc -l)" 8 "$engine: behind the page before"
	odd ''
	cursor=$(next_cursor ranked.err)
	on "$engine" sql "UPDATE fifty SET name = 'odd' WHERE id = 1"
	check "$engine: an edit" drained "$engine"
	check "$engine: moves nothing" odd "$cursor"
	restart
	on "$engine" sql "UPDATE fifty SET name = 'odd odd' WHERE id = 1"
	check "$engine: another edit" drained "$engine"
	expect_exit 75 "$engine: an order that is lost" on "$engine" csvp-search -d fifty --limit 4 odd --cursor "$cursor"
	matches "$(cat err)" 'begin again' "$engine: is said to be"
	expect_exit 64 "$engine: a cursor cut short" on "$engine" csvp-search -d fifty odd --cursor "${cursor%????}"
	expect_exit 64 "$engine: a cursor of another query" on "$engine" csvp-search -d fifty even --cursor "$cursor"
}

try()
{
	local engine=$1
	with_services "$engine"
	rm -f proxy.port
	python3 "$TESTS/integration/64-elasticsearch.py" "${CSVP_SEARCH_URL##*:}" >proxy.port 2>proxy.err &
	proxy=$!
	unset CSVP_SEARCH_URL
	wait_until test -s proxy.port

	sql 'DROP DATABASE IF EXISTS pg' 'CREATE DATABASE pg' "CREATE DATABASE $engine"
	on pg csvp-admin migrate -q
	on "$engine" csvp-admin migrate -q
	on pg csvp-run -q -d navaids -k id "$DATA/navaids.csv" >job
	expect_exit 0 "$engine: a file is searchable" on "$engine" csvp-run -q -d navaids -k id "$DATA/navaids.csv"
	expect_exit 0 "$engine: create-index has nothing to do" on "$engine" csvp-admin create-index
	check_books navaids
	all_the_same
	edit "$engine"
	edit pg
	check "$engine: edits reach the index" drained "$engine"
	check "$engine: and the one in PostgreSQL" drained pg
	check_books navaids
	all_the_same

	lose navaids
	expect_exit 66 "$engine: a search without an index" on "$engine" csvp-search -q -d navaids vor
	matches "$(cat err)" 'create-index' "$engine: says what to do"
	expect_exit 0 "$engine: an index that was lost" on "$engine" csvp-admin create-index
	matches "$(cat err)" 'search index is gone; 1 chunks and .* edits' "$engine: is filled anew"
	check_books navaids
	same airport --sort name

	fault items >nothing
	expect_exit 0 "$engine: half of each request is refused" on "$engine" csvp-run -q -d fifty -k id fifty.csv
	check "$engine: so it was" test "$(fault none | cut -d' ' -f1)" -ge 40000
	check_books fifty
	fault "busy-$([ -n "${LONG:-}" ] && echo 60 || echo 10)" >nothing
	expect_exit 0 "$engine: all is refused for a time" on "$engine" csvp-run -q -d fifty -k id again.csv
	check "$engine: so it was, too" test "$(fault none | cut -d' ' -f2)" -ge 3
	check_books fifty
	on pg csvp-run -q -d fifty -k id again.csv >job

	turn_pages
	turn_ranked_pages
	services stop "$engine"
	expect_exit 75 "$engine: nobody there" on "$engine" csvp-search -q -d fifty odd
	is "$(wc -l <err)" 1 "$engine: is said in one line"
	kill "$proxy"
}

try elasticsearch
