#!/bin/bash
# csvp-search: what it finds, in which form, and how it ends.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup

cat >things.csv <<'CSV'
Thing Id,Full Name,Made,Price,Weight,In stock,Note
007,"Red ""plastic"" box",1990-05-01,1.50,9007199254740993,true,
a-1,Red rubber/plastic ball,2001-12-31,0.30,12,false,"two
lines"
B-2,"Größe, blau",,-2,7,TRUE,""
CSV
csvp-upload -q -d things -k 'Thing Id' --type 'Thing Id=text' things.csv >job
expect_exit 66 'a dataset that is not split has nothing to search' csvp-search -d things
matches "$(cat err)" 'csvp-split' 'and the message says what to do'
csvp-split <job >refs
expect_exit 66 'a dataset that is not indexed cannot be searched' csvp-search -d things red
matches "$(cat err)" 'csvp-index' 'and the message says what to do'
csvp-load <refs | csvp-index >/dev/null

# found OPTIONS...: the keys that are found.
found()
{
	csvp-search -d things --format csv "$@" | python3 -c 'import csv, sys
print(*(row["Thing Id"] for row in csv.DictReader(sys.stdin)))'
}

is "$(found)" '007 B-2 a-1' 'without a query everything is found, by key'
is "$(found red plastic --sort 'Thing Id')" '007 a-1' 'words in any order'
is "$(found '"red plastic"')" '007' 'a phrase'
is "$(found 'rub*')" 'a-1' 'a prefix'
is "$(found red größe)" '' 'all words must match'
is "$(found GRÖSSE rotter 2>err)" '' 'mistyped ones too'
is "$(found GRÖSSE blua 2>err)" 'B-2' 'each for those near to it'
is "$(cat err)" 'csvp-search: no record has GRÖSSE blua: words near to it are searched for; hint: in double quotes it is taken as it is' \
	'and a note says so'
is "$(found '"GRÖSSE"')" '' 'a phrase is never mistyped'
is "$(found GRÖßE)" 'B-2' 'whatever the case'
is "$(found -- '-red' "'" '(')" '007 a-1' 'signs are no syntax'
is "$(found --where 'Made>=2000-01-01')" 'a-1' 'a filter by header'
is "$(found --where made=1990-05-01 --where 'in_stock=true')" '007' 'two filters by name'
is "$(found --where 'Made is null')" 'B-2' 'no value'
is "$(found --where 'Note=')" 'B-2' 'the empty text is a value'
is "$(found --sort Price:desc)" '007 a-1 B-2' 'a sort by number'
is "$(found --sort Made)" '007 a-1 B-2' 'no value comes last'
is "$(found --limit 1)" '007' 'a limit'
is "$(csvp-search -d things --count red)" 2 'a count'

is "$(csvp-search -d things --where 'Thing Id=007')" \
	'{"thing_id":"007","full_name":"Red \"plastic\" box","made":"1990-05-01","price":1.50,"weight":"9007199254740993","in_stock":true,"note":null}' \
	'NDJSON keeps types, zeros and every digit'
csvp-search -d things --format csv --all >again.csv
is "$(python3 -c 'import csv
def rows(name): return sorted(csv.reader(open(name, newline="")))
print([(a, b) for a, b in zip(rows("things.csv"), rows("again.csv")) if a != b])')" \
	"[(['B-2', 'Größe, blau', '', '-2', '7', 'TRUE', ''], ['B-2', 'Größe, blau', '', '-2', '7', 'true', ''])]" \
	'CSV gives back the file, booleans in one spelling'
is "$(tail -n 1 again.csv)" 'lines"' 'a newline in a value stays'
matches "$(cat again.csv)" '^B-2,"Größe, blau",,-2,7,true,""$' 'CSV tells NULL from the empty text'
is "$(csvp-search -d things --format json red --limit 1 | python3 -c 'import json, sys
page = json.load(sys.stdin)
print(len(page["results"]), type(page["next"]).__name__, page["total"])')" '1 str 2' 'JSON is one page with the total'
is "$(csvp-search -d things --format json nothing | tr -d '\n')" '{"results":[],"next":null,"total":0,"ranked":true}' 'an empty page'
is "$(csvp-search -d things --format table --where Weight=7 | sed 's, *$,,')" \
	'thing_id  full_name    made  price  weight  in_stock  note
B-2       Größe, blau           -2       7  true' 'a table'

is "$(csvp-search -d things --format csv --facet Price --facet 'In stock' --facet Note)" "column,value,count
price,-2,1
price,0.3,1
price,1.5,1
in_stock,true,2
in_stock,false,1
note,\"\",1
note,\"two
lines\",1
note,,1" 'facets: how many records have which value'
is "$(csvp-search -d things --facet in_stock plastic)" '{"column":"in_stock","value":false,"count":1}
{"column":"in_stock","value":true,"count":1}' 'of what matches'
is "$(csvp-search -d things --facet Made --format table | sed 's, *$,,')" 'column  value       count
made    1990-05-01      1
made    2001-12-31      1
made                    1' 'as a table'
is "$(csvp-search -d things --format json --limit 0 --facet made red | tr -d '\n')" \
	'{"results":[],"next":null,"total":2,"ranked":false,"facets":{"made":{"values":[{"value":"1990-05-01","count":1},{"value":"2001-12-31","count":1}],"other":0,"missing":0,"exact":true}}}' \
	'beside the records in JSON'
is "$(csvp-search -d things --highlight plastic --where thing_id=007)" \
	'{"thing_id":"007","full_name":"Red \"plastic\" box","made":"1990-05-01","price":1.50,"weight":"9007199254740993","in_stock":true,"note":null,"_highlight":{"full_name":"Red \"[plastic]\" box"}}' \
	'marks beside the values in JSON'
is "$(csvp-search -d things --highlight='<b>,</b>' --format csv 'plas*' lines | tail -n +2)" \
	'a-1,Red rubber/<b>plastic</b> ball,2001-12-31,0.30,12,false,"two
<b>lines</b>"' 'marks in the values of CSV'

expect_exit 0 'no hit is no failure' csvp-search -d things nothing
is "$(cat out err)" '' 'and says nothing'
expect_exit 1 'unless -e is given' csvp-search -d things -e nothing
expect_exit 0 'a hit with -e' csvp-search -d things -e red
expect_exit 1 'a count of none with -e' csvp-search -d things -e --count nothing

# refused CODE REGEX OPTIONS...
refused()
{
	local code=$1 regex=$2
	shift 2
	expect_exit "$code" "$code: $*" csvp-search "$@"
	matches "$(cat err)" "$regex" "$code: $*: the message"
	is "$(wc -l <err)" 1 "$code: $*: in one line"
}

refused 66 'there is no dataset other' -d other red
refused 64 'did you mean "price"' -d things --where 'prise=1'
refused 64 'did you mean "Full Name"' -d things --sort 'Full Nam'
refused 64 '"1,50" in "Price=1,50"' -d things --where 'Price=1,50'
refused 64 'no operator' -d things --where 'Price'
refused 64 'did you mean "price"' -d things --facet prise
refused 64 '--facet excludes' -d things --facet price --all
refused 64 '--facet excludes' -d things --facet price --count
refused 64 '"x" is not BEGIN,END' -d things --highlight=x red
refused 64 'no format "xml"' -d things --format xml
refused 64 '--all and --limit' -d things --all --limit 5
refused 64 '-d DATASET' red
refused 64 'not UTF-8' -d things $'r\xe9d'
refused 64 'unknown option' -d things --page 2

# A reader that goes, one that does not read, a disk that is full: 200,000 records.
seq 1 200000 | sed '1i number' >numbers.csv
csvp-upload -q -d numbers -k number numbers.csv | csvp-split | csvp-load | csvp-index >/dev/null
reader_goes()
(
	set -o pipefail
	csvp-search -d numbers --all --format "$1" | head -n 1 >/dev/null
)
full_disk() { csvp-search -d numbers --all --format "$1" >/dev/full; }
for format in table ndjson csv json; do
	expect_exit 0 "$format: a reader that goes is a quiet end" reader_goes "$format"
	is "$(cat err)" '' "$format: without a word"
	expect_exit 74 "$format: a full disk" full_disk "$format"
	is "$(wc -l <err)" 1 "$format: is said once"
done
is "$(csvp-search -d numbers --all | wc -l)" 200000 'all of them, not only 100'
is "$(csvp-search -q -d numbers | wc -l)" 100 '100 without --all'
expect_exit 0 'what is cut off' csvp-search -d numbers
matches "$(cat err)" 'first 100' 'is said'
expect_exit 0 'with -q' csvp-search -q -d numbers
is "$(cat err)" '' 'it is not'

mkfifo pipe
exec 9<>pipe
csvp-search -d numbers --all >pipe 2>err &
search=$!
asleep() { [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%t._version%' AND wait_event = 'ClientWrite'")" -gt 0 ]; }
wait_until asleep
kill -TERM "$search"
status=0
wait "$search" || status=$?
is "$status" 143 'SIGTERM ends the wait for a reader that does not read'
is "$(cat err)" 'csvp-search: interrupted by SIGTERM' 'and says so once'
exec 9>&-
if ! under_san 'the memory of --all is bounded'; then
	python3 -c 'import os, resource, sys
if os.system("csvp-search -d numbers --all >/dev/null") != 0: sys.exit("failed")
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' >kilobytes
	check 'the memory of --all is bounded' test "$(cat kilobytes)" -le 32768
fi
