#!/bin/bash
# Page by page while records come, change and go: every record that was left alone comes exactly once.
# LONG=1 takes 50,000 records instead of 10,000.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup

count=${LONG:+50000}
count=${count:-10000}
awk -v count="$count" 'BEGIN {
	print "id,tie,hole,label,note,price,flag,day,seen"
	for (i = 1; i <= count; i++) {
		# A third of the records say it once, the others up to four times.
		words = "common"
		for (k = 0; k < i % 4; k++)
			words = words " common"
		print i "," i % 7 "," (i % 5 ? i % 11 : "") ",label " i % 50 "," (i <= 6000 ? words : "other") \
			"," (i % 4 ? i % 90 / 8 : "") "," (i % 3 ? (i % 2 ? "true" : "false") : "") \
			"," (i % 6 ? "20" 10 + i % 13 "-0" 1 + i % 9 "-1" i % 10 : "") \
			"," (i % 9 ? "2024-02-" 10 + i % 17 "T1" i % 8 ":00:00.5+02:00" : "")
	}
}' >things.csv
csvp-upload -q -d things -k id things.csv | csvp-split | csvp-load | csvp-index >/dev/null
is "$(sql "SELECT string_agg(format_type(atttypid, NULL), ', ' ORDER BY attnum) FROM pg_attribute
	WHERE attrelid = 'things'::regclass AND attname IN ('hole', 'label', 'price', 'flag', 'day', 'seen')")" \
	'bigint, text, numeric, boolean, date, timestamp with time zone' 'a column of each type to sort by'

# The editor: what a person does in psql, brought to the index by the small job behind it.
edit()
{
	local round=0
	while [ ! -e enough ]; do
		round=$((round + 1))
		sql "UPDATE things SET tie = 6 - tie, hole = nullif(round(random() * 11), 11), label = 'label ' || id % 7,
				price = nullif(price, 1.5) + 1, flag = NOT flag, day = day - 30, seen = seen + interval '1 day',
				note = note || ' common' WHERE id % 3 = 0 AND id % 17 = $round % 17;
			DELETE FROM things WHERE id % 3 = 0 AND id % 101 = $round % 101;
			INSERT INTO things (id, tie, label, note, price) SELECT i, i % 7, 'label new', 'common', 1
				FROM generate_series(3, $count * 2, 3) i WHERE i % 89 = $round % 89
				ON CONFLICT (id) DO UPDATE SET hole = 1"
		echo "id,tie,hole,label,note,price,flag,day,seen
$((count * 3 + 3 * round)),3,,new,common,,,," >more.csv
		csvp-upload -q -d things more.csv | csvp-split | csvp-load | csvp-index >/dev/null
		echo "$round" >rounds.new && mv rounds.new rounds
	done
}
edit >edit.log 2>&1 &
editor=$!
wait_until test -e rounds

# pages NAME EXPECTED ARGUMENTS...
pages()
{
	local name=$1 before
	shift
	before=$(cat rounds)
	is "$(python3 "$TESTS/integration/33-paging.py" "$@")" 'missing 0, twice 0, foreign 0' "$name"
	check "$name: with edits meanwhile" test "$(cat rounds)" -gt "$before"
}

pages 'by key' "$count"
pages 'by a number with ties' "$count" --sort tie
pages 'by a number with ties and NULLs, down' "$count" --sort hole:desc
pages 'by a text' "$count" --sort label
pages 'by a text, down, with a condition' "$count" --sort label:desc --where 'tie<7'
# Each type, with ties and NULLs; both ways if there is time.
for column in price flag day seen; do
	[ -z "${LONG:-}" ] || pages "by $column" "$count" --sort "$column"
	pages "by $column, down" "$count" --sort "$column:desc"
done
pages 'by relevance' 6000 common
pages 'by relevance, if it is not too many' "$count" label
touch enough
wait "$editor" || true
is "$(cat edit.log)" '' 'the editor had no trouble'

# Every page tells how to go on, and the last one that it is the last.
csvp-search -d things --sort id --limit 3 >page 2>next
matches "$(cat next)" '^next: [A-Za-z0-9_-]+$' 'a page says how to go on'
cursor=$(sed 's/next: //' next)
is "$(csvp-search -q -d things --sort id --limit 2 --cursor "$cursor" --format csv | cut -d, -f1 | tail -n +2 | paste -sd ' ')" \
	"$(sql 'SELECT id FROM things ORDER BY id OFFSET 3 LIMIT 2' | paste -sd ' ')" 'and the next one begins there'
is "$(csvp-search -d things --sort id --all --cursor "$cursor" 2>err | wc -l)" "$(sql 'SELECT count(*) - 3 FROM things')" \
	'--all gives what is left'
is "$(cat err)" '' 'and has no next'
is "$(csvp-search -d things --sort id --limit 3 --format json | python3 -c 'import json, sys
page = json.load(sys.stdin)
print(page["next"], page["total"], page["ranked"])')" "$cursor $(sql 'SELECT count(*) FROM things') False" 'JSON holds it'
matches "$(csvp-search -d things --format json '"label 11"' --limit 1)" '"ranked":true' 'and whether the order is that of relevance'

refused()
{
	expect_exit 64 "$1" csvp-search -d things "${@:3}"
	matches "$(cat err)" "$2" "$1: the message"
}
refused 'a cursor of another sort' 'another query' --cursor "$cursor"
refused 'a cursor of another query' 'another query' --sort id --cursor "$cursor" common
refused 'a cursor cut short' 'damaged' --sort id --cursor "${cursor%?}"
refused 'no cursor at all' 'damaged' --sort id --cursor 'x y'
refused 'a cursor and a count' 'exclude each other' --sort id --count --cursor "$cursor"
echo 'id,tie,hole,label,note' >other.csv
echo '1,1,1,a,b' >>other.csv
csvp-upload -q -d others -k id other.csv | csvp-split | csvp-load | csvp-index >/dev/null
expect_exit 64 'a cursor of another dataset' csvp-search -d others --sort id --cursor "$cursor"
matches "$(cat err)" 'another query' 'a cursor of another dataset: the message'
