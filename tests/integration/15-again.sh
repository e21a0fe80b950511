#!/bin/bash
# The same thing again: a done job costs nothing, a chunk set back is loaded alone, two at the same moment are one, and
# two spellings of one key are one row.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
csvp-admin up -q
navaids=$DATA/navaids.csv

# As somebody would type it; the job's object goes to `uploaded`.
pipeline()
{
	csvp-upload -q --json -d navaids -k id "$navaids" | tee uploaded | sed 's/.*"id":\([0-9]*\).*/\1/' |
		csvp-split -q --chunk-bytes 200k | csvp-load -q -j2 | csvp-index -q -j2
}

# member NAME: of the JSON object in `uploaded`.
member()
{
	python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin)[sys.argv[1]]))' "$1" <uploaded
}

versions()
{
	sql 'SELECT md5(string_agg(t::text, chr(10) ORDER BY id)) FROM navaids t'
}

# As many programs that do nothing but ask the database: what the machine takes for that just now.
floor()
{
	for _ in 1 2 3 4; do
		csvp-status >nothing &
	done
	wait
}

# seconds COMMAND...: that it takes.
seconds()
{
	local start=$EPOCHREALTIME
	"$@"
	awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f", b - a }'
}

expect_exit 0 'a first time' pipeline
job=$(member id)
is "$(member reused)" false 'a first time: a new job'
sort out >first
before=$(versions)
times=()
floors=()
wal=()
for round in 1 2 3; do
	# What the server does on its own account, as a vacuum, is not this job's.
	sql CHECKPOINT
	from=$(sql 'SELECT pg_current_wal_insert_lsn()')
	start=$EPOCHREALTIME
	expect_exit 0 "again, $round" pipeline
	times+=("$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f", b - a }')")
	floors+=("$(seconds floor)")
	wal+=("$(sql "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '$from')")")
	is "$(member id) $(member reused)" "$job true" "again, $round: the same job, reused"
	is "$(sort out)" "$(cat first)" "again, $round: the same references"
done
# median VALUE...
median()
{
	printf '%s\n' "$@" | sort -n | sed -n 2p
}
echo "# again: ${times[*]} s, four programs that ask the database: ${floors[*]} s, ${wal[*]} bytes of WAL"
under_san 'again: under half a second' || check "again: under half a second, or what a busy machine makes of it ($(median "${times[@]}"))" \
	awk -v t="$(median "${times[@]}")" -v floor="$(median "${floors[@]}")" 'BEGIN { exit t >= 0.5 && t >= 4 * floor }'
check "again: less than 1 MB of WAL ($(median "${wal[@]}"))" test "$(median "${wal[@]}")" -lt 1000000
is "$(versions)" "$before" 'again: not a row has changed'
is "$(sql 'SELECT count(*) FROM csvp.job')|$(find home/store/objects -type f | wc -l)" '1|1' 'again: one job, one object'

# A chunk that somebody sets back by hand is loaded again, and only that one.
mark()
{
	sql "SELECT number, loaded_at, indexed_at FROM csvp.chunk WHERE job = $job AND ($1) ORDER BY 1"
}
others=$(mark 'number <> 3')
old=$(mark 'number = 3')
sql "UPDATE csvp.chunk SET state = 'pending' WHERE job = $job AND number = 3"
expect_exit 0 'a chunk set back' pipeline
is "$(mark 'number <> 3')" "$others" 'a chunk set back: the others are left alone'
check 'a chunk set back: it was loaded again' test "$(mark 'number = 3')" != "$old"
is "$(sql "SELECT derived, records = inserted + updated + unchanged + superseded + rejected FROM csvp.job_status
	WHERE id = $job")" 'done|t' 'a chunk set back: done, the books close'
is "$(sql 'SELECT count(*) FROM navaids')" 11008 'a chunk set back: no row is doubled'
expect_exit 0 'a chunk set back: csvp-admin verify agrees' csvp-admin verify

# Without a key, and all rows of the chunk deleted meanwhile: they stay away.
printf 'id\n1\n2\n3\n' >appended.csv
csvp-run -q -d appended appended.csv
sql 'DELETE FROM appended' "UPDATE csvp.chunk c SET state = 'pending' FROM csvp.job_status j WHERE j.id = job AND dataset_name = 'appended'"
expect_exit 0 'a chunk of deleted rows set back' csvp-run -q --resume
is "$(sql 'SELECT count(*) FROM appended') $(sql "SELECT superseded, derived FROM csvp.job_status WHERE dataset_name = 'appended'")" \
	'0 3|done' 'a chunk of deleted rows set back: they do not return'
expect_exit 0 'a chunk of deleted rows set back: csvp-admin verify agrees' csvp-admin verify appended

# Two csvp-run of one file at the same moment, with a dataset that is new to both; three times.
for round in 1 2 3; do
	dataset=both$round
	pids=()
	for who in a b; do
		csvp-run -q --json -d "$dataset" -k id "$navaids" >"$who.out" 2>"$who.err" &
		pids+=($!)
	done
	codes=
	for pid in "${pids[@]}"; do
		got=0
		wait "$pid" || got=$?
		codes="$codes $got"
	done
	is "$codes" ' 0 0' "two at the same moment, $round: both end well"
	is "$(cat a.err b.err)" '' "two at the same moment, $round: both are silent"
	is "$(cut -d, -f1 a.out)" "$(cut -d, -f1 b.out)" "two at the same moment, $round: both name the same job"
	is "$(sql "SELECT count(*), bool_and(derived = 'done'), bool_and(inserted = 11008) FROM csvp.job_status
		WHERE dataset_name = '$dataset'")" '1|t|t' "two at the same moment, $round: it is one job, done"
	is "$(sql "SELECT count(*) FROM $dataset")" 11008 "two at the same moment, $round: each record once"
done

# Keys are compared as their type compares them, in a file, between files, and with the table.
printf 'id,name\n1.0,a\n2.50,b\n1.00,c\n' >numbers.csv
printf 'id,name\n1,d\n2.5,b\n' >more.csv
expect_exit 0 'keys 1.0 and 1.00' csvp-run -q -d numbers -k id numbers.csv
is "$(sql 'SELECT count(*), string_agg(name, chr(44) ORDER BY id) FROM numbers')" '2|c,b' 'keys 1.0 and 1.00 are one: the last wins'
is "$(sql "SELECT inserted, superseded FROM csvp.job_status WHERE dataset_name = 'numbers'")" '2|1' \
	'keys 1.0 and 1.00: the books say superseded'
expect_exit 0 'the key 1 after them' csvp-run -q -d numbers more.csv
is "$(sql 'SELECT count(*), string_agg(name, chr(44) ORDER BY id) FROM numbers')" '2|d,b' 'the key 1 is the same row'
is "$(csvp-search -d numbers --where id=1.000 --count) $(csvp-search -d numbers --count)" '1 2' 'and one document'
expect_exit 0 'keys 1.0 and 1.00: csvp-admin verify agrees' csvp-admin verify numbers

# Another dataset whose table would have the same name.
expect_exit 65 'a name whose table belongs to another dataset' csvp-run -q -d Numbers -k id numbers.csv
matches "$(cat err)" 'dataset Numbers: its table would be public\.numbers, which belongs to dataset numbers; hint: -d' \
	'a name whose table belongs to another dataset: says which'
is "$(sql "SELECT count(*) FROM csvp.dataset WHERE name = 'Numbers'")" 0 'a name whose table belongs to another dataset: is not made'
