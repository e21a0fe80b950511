#!/bin/bash
# Bad input, and input that only looks bad: each case has its exit code at the end of the pipeline and one line that
# names the file, line, byte or option.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
csvp-admin up -q

# pipeline ARGS...: quiet, so that what is on stderr is an error; exit status of the last program.
pipeline()
{
	csvp-upload -q "$@" 2>>said </dev/null | csvp-split -q --chunk-bytes "${CHUNK:-8M}" 2>>said |
		csvp-load -q -j2 2>>said | csvp-index -q -j2 2>>said
}

# ends CODE WORDS NAME ARGS...: the pipeline's exit status, and its only message (none if WORDS is empty).
ends()
{
	local code=$1 words=$2 name=$3 got=0
	shift 3
	: >said
	pipeline "$@" >refs || got=$?
	is "$got" "$code" "$name: exit status"
	if [ -z "$words" ]; then
		is "$(cat said)" '' "$name: silent"
	else
		matches "$(cat said)" "$words" "$name: says what and where"
		is "$(grep -c '' said)" 1 "$name: in one line"
	fi
}

# rows DATASET [ORDER]: the table's values, one row a line.
rows()
{
	sql "SELECT * FROM (SELECT * FROM $1) t ORDER BY ${2:-1}" | sed 's/|[0-9]*$//'
}

# state FILE: the newest job of this file.
state()
{
	sql "SELECT derived FROM csvp.job_status WHERE file = '$1' ORDER BY id DESC LIMIT 1"
}

# No CSV.
: >empty.csv
ends 65 'empty\.csv: .*empty' 'an empty file' empty.csv
is "$(state empty.csv)" failed 'an empty file: its job has failed'
python3 -c 'import sys; sys.stdout.buffer.write(bytes(range(256)) * 40)' >binary.csv
ends 65 'binary\.csv: line 1, byte [0-9]+: .*NUL' 'a binary file' binary.csv
printf '\300\200,b\n1,2\n' >notutf.csv
ends 65 'notutf\.csv: line 1, byte 0: .*UTF-8.*--encoding' 'no UTF-8 in the header' notutf.csv
{
	echo 'id,name'
	seq -f '%g,good' 1 2000
	echo '2001,"open'
	seq -f '%g,swallowed' 2002 4000
} >open.csv
ends 65 "open\\.csv: line 2002, byte $(head -n 2001 open.csv | wc -c | awk '{ print $1 + 5 }'): quote.*open" \
	'a quote open to the end' --max-rejects 100% open.csv
is "$(sql "SELECT count(*) FROM pg_class WHERE relname = 'open'")" 0 'a quote open to the end: no table'
{
	echo 'id,name'
	echo '1,short'
	echo "2,$(head -c 2000 /dev/zero | tr '\0' x)"
} >long.csv
ends 65 'long\.csv: line 3, byte 16: .*--max-record' 'a record that is too long' --max-record 1000 --max-rejects 100% long.csv
echo 'id,id' >twice.csv
ends 65 'twice\.csv: columns 1 and 2 .*"id"' 'identical headers' twice.csv
printf 'Id,id,ID,\n1,2,3,4\n' >collide.csv
ends 0 '' 'headers that collide' collide.csv
is "$(sql "SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'collide'::regclass
	AND attnum > 0 AND NOT attisdropped")" 'id,id_2,id_3,column_4,_id,_version' 'headers that collide: are numbered'
printf 'id,name\n1,a\n2,b\n' >good.csv
ends 65 "good\\.csv: .*key column 'nope'" 'an unknown key column' -d unknown_key -k nope good.csv
is "$(sql "SELECT count(*) FROM csvp.job_status WHERE dataset_name = 'unknown_key' AND derived = 'failed'")" 1 \
	'an unknown key column: the job has failed'
ends 0 '' 'the same dataset with a right key' -d unknown_key -k id good.csv
ends 65 'unknown_key is id, not name' 'another key than that of the dataset' -d unknown_key -k name good.csv
printf 'id,name\n' >header.csv
ends 0 '' 'only a header' header.csv
is "$(sql 'SELECT count(*) FROM header')" 0 'only a header: a dataset without rows'
is "$(state header.csv)" 'done' 'only a header: done'
is "$(cat refs)" "$(sql "SELECT id FROM csvp.job WHERE file = 'header.csv'")" 'only a header: travels as its job'
printf '\357\273\277id,name\n' >bom.csv
ends 0 '' 'a header behind a byte order mark' bom.csv
is "$(sql 'SELECT id FROM bom')" '' 'a header behind a byte order mark: the mark is not in the name'

# No file.
ends 66 'missing\.csv: No such file' 'a missing file' missing.csv
ends 66 "$WORK: Is a directory" 'a directory' "$WORK"
ends 66 'no dataset nowhere.*--existing' 'a dataset that has to be there' --existing -d nowhere good.csv
is "$(sql "SELECT count(*) FROM csvp.dataset WHERE name IN ('missing', 'nowhere')")" 0 'what is not there makes no dataset'
cp good.csv $'line\nbreak.csv'
ends 64 'name of a dataset has a control character, its byte 5' 'a line break in the name of the file, which is that of the dataset' $'line\nbreak.csv'
ends 64 'control character, its byte 2' 'a control character of C1 in the name of a dataset' -d $'a\u0085b' good.csv
expect_exit 64 'also in a dry run' csvp-upload -n -d $'\u0085' good.csv
ends 64 'longer than 200 bytes' 'a name of a dataset that is too long' -d "$(printf %0201d 1)" good.csv
ends 64 'empty' 'an empty one' -d '' good.csv
expect_exit 64 'csvp-admin dataset create takes none of them' csvp-admin dataset create $'a\tb' a=bigint
ends 0 '' 'one of 200 bytes' -d "$(printf %0200d 1)" good.csv

# Names that the ledger cannot keep, or that are none.
cp good.csv $'caf\351.csv'
ends 65 'caf\\xe9\.csv: the file.s name is not UTF-8; hint: ' 'a name that is not UTF-8' -d latin_name $'caf\351.csv'
ends 64 'name of file 2 is empty' 'an empty name' -d latin_name good.csv ''
expect_exit 64 'an empty name given to csvp-run' csvp-run ''
is "$(sql "SELECT count(*) FROM csvp.dataset WHERE name = 'latin_name'")" 0 'they make no dataset'
head -c 4000 /dev/urandom | base64 | gzip >whole.csv.gz
head -c 2000 whole.csv.gz >cut.csv.gz
ends 65 'cut\.csv\.gz: the gzip data ends early' 'a compressed file that was cut' cut.csv.gz
is "$(sql "SELECT count(*) FROM csvp.dataset WHERE name = 'cut'") $(sql "SELECT count(*) FROM pg_class WHERE relname
	= 'version_' || (SELECT max(id) + 1 FROM csvp.dataset)")" '0 0' 'a compressed file that was cut: makes no dataset'

# Another delimiter: loaded as it is read, and doubted.
printf 'id;name\n1;a\n' >semicolon.csv
printf 'id\tname\n1\ta\n' >tab.csv
expect_exit 0 'a file with semicolons' csvp-run semicolon.csv
matches "$(cat err)" "semicolon\.csv: it has one column, 'id;name'; hint: --delimiter ';'" 'a file with semicolons: is doubted'
expect_exit 0 'a file with tabs' csvp-upload -n tab.csv
matches "$(cat err)" "hint: --delimiter tab" 'a file with tabs: is doubted'
expect_exit 0 'with the delimiter' csvp-run -d semicolon2 --delimiter ';' semicolon.csv
is "$(grep -c delimiter err)" 0 'with the delimiter: no word'
ends 65 "key column 'id' .*hint: --delimiter ';'" 'a key behind semicolons' -d semicolon3 -k id semicolon.csv
ends 65 "hint: --delimiter ';'" 'semicolons for a dataset that has columns' -d semicolon2 semicolon.csv

# Bad records: known by line, byte and column; the limit gives the verdict.
printf 'id,name\n1,a\n,b\n3,c\n' >nokey.csv
ends 65 "nokey\\.csv: 1 of 3 .*limit of 0.* line 3, byte 12, column 'id'" 'an empty key' -d nokey -k id nokey.csv
ends 65 'has these bytes and failed.*--rejects [0-9]+' 'an empty key, again' -d nokey -k id nokey.csv
matches "$(cat refs)" '^![0-9]+ 65$' 'an empty key, again: names the job'
is "$(rows nokey)" $'1|a\n3|c' 'an empty key: the good records are there'
printf 'id,name\n1,a\n2\n3,c,d\n4,d\n' >ragged.csv
ends 65 'ragged\.csv: 2 of 4 .*limit of 1; .* line 3, byte 12: ' 'two ragged records, one allowed' -d r1 --max-rejects 1 ragged.csv
ends 3 '' 'two ragged records, two allowed' -d r2 --max-rejects 2 ragged.csv
ends 65 'limit of 49%' 'half of the records ragged, 49% allowed' -d r3 --max-rejects 49% ragged.csv
ends 3 '' 'half of the records ragged, 50% allowed' -d r4 --max-rejects 50% ragged.csv
is "$(sql "SELECT string_agg(line || ':' || byte || ':' || length || ':' || code, ' ' ORDER BY byte) FROM csvp.reject
	JOIN csvp.job_status j ON j.id = job WHERE dataset_name = 'r4'")" '3:12:2:fields 4:14:6:fields' 'ragged records: where they are'
is "$(rows r4)" $'1|a|'"$(sql 'SELECT _id FROM r4 WHERE id = 1')"$'\n4|d|'"$(sql 'SELECT _id FROM r4 WHERE id = 4')" \
	'ragged records: the good ones are there'
job=$(sql "SELECT id FROM csvp.job_status WHERE dataset_name = 'r1'")
expect_exit 3 'another limit changes the verdict' csvp-load -q --max-rejects 2 "$job"
expect_exit 3 'another limit changes the verdict of csvp-index' csvp-index -q "$job"
expect_exit 65 'and back' csvp-load -q --max-rejects 25% "$job"
expect_exit 64 'a limit that is none' csvp-load --max-rejects many "$job"
matches "$(cat err)" "max-rejects.*'many'" 'a limit that is none: names the option'
expect_exit 66 'a limit of no job' csvp-load --max-rejects 2 9999
printf 'id,name\n7,x\nseven,y\n8,z\n007,z\n' >types.csv
ends 65 "types\\.csv: 2 of 4 .* line 3, byte 12, column 'id': .*seven" 'a wrong type in an existing dataset' -d unknown_key types.csv
is "$(rows unknown_key)" $'1|a\n2|b\n7|x\n8|z' 'a wrong type: the good records are there'
printf 'id,name\n1,a\0b\n2,caf\351\n3,ok\n' >bytes.csv
ends 65 'bytes\.csv: 2 of 3 .* line 2, byte 8' 'NUL bytes and bad UTF-8' bytes.csv
printf 'id,name\n2,caf\351\n3,th\351\n' >latin.csv
ends 65 'line 2, byte 8: not UTF-8 .*--encoding LATIN1' 'Latin-1' latin.csv
csvp-status --rejects "$(sql "SELECT max(id) FROM csvp.job WHERE file = 'latin.csv'")" >rejects
is "$(grep -c 'encoding,not UTF-8' rejects),$(grep -c 'or is it --encoding LATIN1?' rejects)" 2,1 'Latin-1: the rejects say it, too, once'
is "$(sql "SELECT string_agg(line || ':' || code, ' ' ORDER BY byte) FROM csvp.reject JOIN csvp.job j ON j.id = job
	WHERE file = 'bytes.csv'")" '2:nul 3:encoding' 'NUL bytes and bad UTF-8: are told apart'
{
	echo 'id,name'
	seq -f '%g' 1 1000
} >allbad.csv
CHUNK=500 ends 65 'allbad\.csv: 1000 of 1000 .*over the limit of 10' 'every record bad' -d allbad --max-rejects 10 allbad.csv
is "$(sql "SELECT records || ' ' || rejected || ' ' || pending FROM csvp.job_status WHERE dataset_name = 'allbad'")" '1000 1000 0' \
	'every record bad: all are kept'
got=0
csvp-upload -q -d fast --max-rejects 10 --fail-fast allbad.csv | csvp-split -q --chunk-bytes 500 | csvp-load -q -j1 2>said >refs || got=$?
is "$got" 65 '--fail-fast: exit status'
is "$(sql "SELECT pending > 1, rejected > 10 FROM csvp.job_status WHERE dataset_name = 'fast'")" 't|t' \
	'--fail-fast: chunks are left alone'
is "$(state allbad.csv)" failed '--fail-fast: the job has failed'

# Columns that do not fit.
printf 'id,name,more\n9,a,b\n' >more.csv
printf 'name\na\n' >less.csv
printf 'id\n1\n' >ids.csv
ends 65 "more\\.csv: column 'more' .*--add-columns" 'an unknown column' -d unknown_key more.csv
ends 65 "ids\\.csv: column 'name' .*--missing=null" 'a missing column' -d unknown_key ids.csv
ends 65 "less\\.csv: .*key column 'id'" 'a missing key column' -d unknown_key --missing=null less.csv
ends 0 '' 'an unknown column that is added' -d unknown_key --add-columns more.csv
ends 0 '' 'a missing column that becomes NULL' -d unknown_key --missing=null ids.csv
is "$(sql 'SELECT * FROM (SELECT id, name, more FROM unknown_key) t WHERE id IN (1, 9) ORDER BY 1')" $'1||\n9|a|b' \
	'columns added and missing: the values'
sql 'ALTER TABLE unknown_key ADD COLUMN by_hand int'
printf 'id,name,more,By hand\n10,a,b,c\n' >hand.csv
ends 65 "hand\\.csv: column 'By hand' cannot be added: table public\.unknown_key has another column by_hand; hint: " \
	'a column that a person has added' -d unknown_key --add-columns hand.csv
sql 'CREATE TABLE mine (id int)'
ends 65 'public\.mine' 'a table that csvp did not make' -d mine good.csv
is "$(sql 'SELECT count(*) FROM mine')" 0 'a table that csvp did not make: is left alone'
sql 'CREATE TABLE theirs (id int)'
expect_exit 65 'nor is one taken by csvp-admin dataset create' csvp-admin dataset create theirs a=bigint
is "$(sql "SELECT count(*) FROM csvp.dataset WHERE name = 'theirs'")" 0 'which leaves no dataset of its name behind'
csvp-upload -q -d waits -k id good.csv >job
expect_exit 65 'a dataset whose first file waits for its split' csvp-admin dataset create waits a=bigint
csvp-split -q <job | csvp-load -q | csvp-index -q >refs
is "$(sql "SELECT key FROM csvp.dataset WHERE name = 'waits'")" '{id}' 'keeps the key that came with the file'

# Usage: the option is named, and the code travels to the end of the pipeline.
ends 64 'unknown option --nonsense' 'an unknown option' --nonsense good.csv
ends 64 'max-rejects.*5x' 'a bad limit' --max-rejects 5x good.csv
ends 64 '--type id=thing' 'an unknown type' --type id=thing good.csv
ends 64 "--type 'id'" 'a type without a type' --type id good.csv
ends 64 '--delimiter.*";;"' 'a delimiter of two characters' --delimiter ';;' good.csv
ends 64 '--missing.*zero' 'an unknown word' --missing=zero good.csv
ends 64 "encoding 'NOSUCH'" 'an unknown encoding' --encoding NOSUCH good.csv
ends 64 'needs -d' 'two files without a dataset' good.csv more.csv
ends 64 'needs -d' 'stdin without a dataset' -
ends 65 "--type nope=text: .*'nope'" 'the type of an unknown column' -d usage --type nope=text good.csv
ends 0 '' 'the dataset is not blocked by what failed' -d usage good.csv
for stage in split load index; do
	expect_exit 64 "csvp-$stage: an unknown option" "csvp-$stage" --nonsense 1
	is "$(cat out)" '!- 64' "csvp-$stage: an unknown option is handed on"
	expect_exit 64 "csvp-$stage: no reference" "csvp-$stage" 1/x
	matches "$(cat err)" '"1/x"' "csvp-$stage: no reference: quotes it"
	expect_exit 66 "csvp-$stage: an unknown job" "csvp-$stage" 9999
	is "$(cat out)" '!9999 66' "csvp-$stage: an unknown job is handed on"
done

# Dialects and encodings: the same two records in many clothes.
python3 - <<'END'
import gzip, io
plain = 'id,name,note\n1,Zoë,"a, b"\n2,"two\nlines",\n'
def write(name, text, encoding="utf-8"):
    open(name, "wb").write(text.encode(encoding))
write("utf8.csv", plain)
write("utf16.csv", plain, "utf-16")
write("utf16be.csv", plain, "utf-16-be")
write("latin1.csv", plain, "latin-1")
write("tab.csv", 'id\tname\tnote\n1\tZoë\ta, b\n2\t"two\nlines"\t\n')
write("quote.csv", "id;name;note\n1;Zoë;'a, b'\n2;'two\nlines';\n")
write("escape.csv", 'id,name,note\n1,Zoë,"a, b"\n2,"two\nlines",\n3,"say \\"hi\\"",x\n')
write("comment.csv", '# made by hand\nid,name,note\n1,Zoë,"a, b"\n# 9,no,no\n2,"two\nlines",\n')
write("skip.csv", 'a title\n"and more,\n' + plain)
write("bare.csv", plain.split("\n", 1)[1])
write("pad.csv", 'id,name,note\n1,Zoë,"a, b"\n2,"two\nlines"\n')
write("truncate.csv", 'id,name,note\n1,Zoë,"a, b",what\n2,"two\nlines",,,\n')
write("crlf.csv", plain.replace("\n", "\r\n").replace("two\r\n", "two\n"))
write("cr.csv", plain.replace("\n", "\r").replace("two\r", "two\n"))
write("nolast.csv", 'id,name,note\n1,Zoë,"a, b"\n2,"two\nlines",""', "utf-8")
write("null.csv", 'id,name,note\n1,Zoë,"a, b"\n2,"two\nlines",NULL\n')
write("blank.csv", '\n' + plain.replace('2,"', '\n\n2,"') + '\n\n')
gzip.open("gz.csv.gz", "wb").write(plain.encode())
open("cut.csv.gz", "wb").write(gzip.compress(plain.encode() * 50)[:-20])
END
zstd -q utf8.csv -o zst.csv.zst
head -c -5 zst.csv.zst >cut.csv.zst

expected=$'1|Zoë|a, b\n2|two\nlines|'
# reads NAME ARGS...: loads without a message, and the table holds the two records.
reads()
{
	local name=$1
	shift
	ends 0 '' "$name" -d reads --force -k id "$@"
	is "$(rows reads)" "$expected" "$name: the records"
	csvp-admin psql -Xqc 'DELETE FROM reads'
}
reads UTF-8 utf8.csv
reads --encoding=UTF-16 --encoding UTF-16 utf16.csv
reads --encoding=UTF-16BE --encoding UTF-16BE utf16be.csv
reads --encoding=LATIN1 --encoding LATIN1 latin1.csv
reads gzip gz.csv.gz
reads zstd zst.csv.zst
reads --delimiter=tab --delimiter tab tab.csv
reads --quote --delimiter ';' --quote "'" quote.csv
reads --comment --comment '#' comment.csv
reads --skip-lines --skip-lines 2 skip.csv
reads --pad --pad pad.csv
reads --truncate --truncate truncate.csv
reads CRLF crlf.csv
reads CR cr.csv
reads 'no newline at the end' nolast.csv
reads --null --null NULL null.csv
reads --null-in --null-in note=NULL null.csv
reads 'blank lines' blank.csv
is "$(sql "SELECT blank_lines FROM csvp.job WHERE file = 'blank.csv'")" 5 'blank lines: counted'
ends 0 '' --no-header -d bare --no-header bare.csv
is "$(sql 'SELECT column_1, column_2 FROM bare WHERE column_1 = 1')" '1|Zoë' '--no-header: columns by their place'
ends 0 '' --escape -d escape --escape "\\" escape.csv
is "$(sql 'SELECT name FROM escape WHERE id = 3')" 'say "hi"' '--escape: the quotes'
expect_exit 0 'stdin' csvp-upload -q -d stdin - <utf8.csv
ends 65 'utf16\.csv: .*UTF-16.*--encoding' 'UTF-16 without --encoding' utf16.csv
ends 65 'latin1\.csv: 1 of 2 .* line 2, byte 13: .*' 'LATIN1 without --encoding' latin1.csv
ends 65 'utf8\.csv: 1 of 2 .* could not be decoded' 'what cannot be decoded' -d ascii --encoding ASCII utf8.csv
ends 65 'cut\.csv\.gz: .*ends early' 'a gzip file that was cut' -d cut cut.csv.gz
ends 65 'cut\.csv\.zst: .*ends early' 'a zstd file that was cut' -d cut cut.csv.zst
is "$(sql "SELECT count(*) FROM csvp.job_status WHERE dataset_name = 'cut'")" 0 'a file that was cut: no job'

# --dry-run tells, and stores nothing.
before=$(find home/store | sort | cksum)
jobs=$(sql 'SELECT count(*) FROM csvp.job')
expect_exit 0 '--dry-run' csvp-upload -n -d dry -k id utf8.csv
matches "$(cat out)" 'dry \(new\): 2 records' '--dry-run: dataset and records'
matches "$(cat out)" '^id +id +bigint +key' '--dry-run: columns'
expect_exit 65 '--dry-run of no CSV' csvp-upload -n -d dry open.csv
expect_exit 66 '--dry-run of no file' csvp-upload -n -d dry missing.csv
printf 'id,name\n1,one\n2\n3,\351\n4,\0\n,five\n6,six\n' >flawed.csv
expect_exit 65 '--dry-run of rejects' csvp-upload -n -d dry -k id flawed.csv
matches "$(cat out)" 'dry \(new\): 6 records, 4 rejected' '--dry-run: how many are rejected'
matches "$(cat out)" '^ *3 +14 +fields +1 field instead of 2$' '--dry-run: line, byte and reason of a ragged record'
matches "$(cat out)" '^ *4 +16 +encoding +not UTF-8 at byte 18' '--dry-run: of bytes that are not UTF-8'
matches "$(cat out)" '^ *5 +20 +nul +a NUL byte at byte 22' '--dry-run: of a NUL byte'
matches "$(cat out)" '^ *6 +24 +id +key +the key is empty' '--dry-run: of an empty key'
dry=$(grep -o 'flawed.*' err)
ends 65 "^csvp-load: job [0-9]+: ${dry//[()]/.}; hint:" 'the real run says the same' --max-rejects 0 -d undry -k id flawed.csv
matches "$dry" 'flawed.csv: 4 of 6 records rejected, over the limit of 0; the first in line 3, byte 14: 1 field instead' \
	'--dry-run: the verdict'
expect_exit 3 '--dry-run of rejects within the limit' csvp-upload -n -d dry -k id --max-rejects 67% flawed.csv
matches "$(cat err)" 'within the limit of 67%' '--dry-run: the limit'
expect_exit 65 '--dry-run of rejects over a percentage' csvp-upload -n -d dry -k id --max-rejects 66% flawed.csv
expect_exit 65 '--dry-run by csvp-run, of stdin' csvp-run -n -d dry --no-header --type column_1=bigint - <flawed.csv
matches "$(cat out)" '1 +0 +column_1 +type ' '--dry-run: a type that was given'
printf 'id,name,when\nx,1,2024-02-29\n' >typed.csv
expect_exit 65 '--dry-run for a dataset that is there' csvp-upload -n -d undry --add-columns typed.csv
matches "$(cat out)" '^ *2 +13 +id +type ' '--dry-run: the type of a column that is there'
matches "$(cat out)" '^when +when_ +date' '--dry-run: a column that would be added'
seq -f '%g,a,b' 1 30 | sed '1i id,name' >many.csv
expect_exit 65 '--dry-run of many rejects' csvp-upload -n -d dry many.csv
is "$(grep -c ' fields ' out)$(tail -n 1 out)" '10... and 20 more' '--dry-run: shows the first ten'
jobs=$((jobs + 1))
before=$(find home/store | sort | cksum)
expect_exit 0 '--dry-run again' csvp-upload -n -d dry -k id utf8.csv
is "$(find home/store | sort | cksum)" "$before" '--dry-run: stores nothing'
is "$(sql "SELECT (SELECT count(*) FROM csvp.job), (SELECT count(*) FROM csvp.dataset WHERE name = 'dry')")" "$jobs|0" \
	'--dry-run: makes no job and no dataset'

# Configuration and services.
conninfo=$(csvp-admin psql -Xc '\conninfo')
[[ $conninfo =~ socket\ in\ \"([^\"]+)\"\ at\ port\ \"([0-9]+)\" ]]
server="host=${BASH_REMATCH[1]} port=${BASH_REMATCH[2]} user=csvp"
# refuses CODE WORDS NAME SETTING...: every program ends with CODE under these settings, and says why in one line.
refuses()
{
	local code=$1 words=$2 name=$3 program
	shift 3
	for program in 'upload -q -d refused good.csv' 'split 1' 'load 1' 'index 1' 'run -q -d refused good.csv' 'run --resume 1'; do
		# shellcheck disable=SC2086
		expect_exit "$code" "$name: csvp-${program%% *}" env "$@" csvp-$program
		matches "$(cat err)" "$words" "$name: csvp-${program%% *} says why"
		is "$(grep -c '' err)" 1 "$name: csvp-${program%% *} says it in one line"
		is "$(cat out)" "!- $code" "$name: csvp-${program%% *} hands it on"
	done
}
refuses 78 'CSVP_STORE_URL.*CSVP_DATABASE_URL' 'a store but no database' "CSVP_STORE_URL=file://$WORK/elsewhere"
is "$(ls -d elsewhere 2>&1)" "ls: cannot access 'elsewhere': No such file or directory" 'a store but no database: nothing is made'
refuses 78 'nonsense' 'a database URL that is none' CSVP_DATABASE_URL=nonsense
refuses 78 'database "nosuch" does not exist' 'a database that is not there' "CSVP_DATABASE_URL=$server dbname=nosuch"
sql 'CREATE DATABASE fresh'
refuses 78 'not migrated.*csvp-admin migrate' 'a database that is not migrated' "CSVP_DATABASE_URL=$server dbname=fresh"
refuses 78 "CSVP_HOME $WORK/good\\.csv: Not a directory" 'a home that is a file' "CSVP_HOME=$WORK/good.csv"
refuses 78 "CSVP_HOME 'home'.*absolute" 'a relative home' CSVP_HOME=home
refuses 75 "$WORK/nowhere" 'a database that is down and not ours' "PGHOST=$WORK/nowhere"
refuses 75 'does not run.*CSVP_AUTOSTART.*csvp-admin up' 'a private server that may not be started' CSVP_AUTOSTART=no \
	"CSVP_HOME=$WORK/other"
is "$(compgen -G 'other*')" '' 'a private server that may not be started: nothing is made'
mkdir readonly
chmod 555 readonly
user=()
if [ "$(id -u)" -eq 0 ]; then
	# Root may write anywhere: as somebody else, who may not see this folder's programs either.
	user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	mkdir bin
	cp "$B"/bin/csvp-* bin/
fi
PATH="$WORK/bin:$PATH" expect_exit 77 'a home that cannot be written' \
	"${user[@]}" env "CSVP_HOME=$WORK/readonly/home" csvp-upload -q -d refused good.csv
matches "$(cat err)" "$WORK/readonly/home.*Permission denied" 'a home that cannot be written: says which'
if [ "$(id -u)" -eq 0 ]; then
	PATH="$WORK/bin:$PATH" expect_exit 77 "a home of somebody else's" "${user[@]}" csvp-upload -q -d refused good.csv
	matches "$(cat err)" 'belongs to root.*CSVP_HOME' "a home of somebody else's: says whose"
fi
is "$(sql "SELECT count(*) FROM csvp.dataset WHERE name = 'refused'")" 0 'what was refused has left nothing'

# A file that grows while it is read.
yes 'row,row' | head -n 3000000 >growing.csv
(while :; do echo more,more >>growing.csv; done) &
writer=$!
ends 75 'growing\.csv: changed while' 'a file that grows' -d growing growing.csv
kill "$writer"
wait "$writer" || :
head -n 100 growing.csv >short.csv
mv short.csv growing.csv
ends 65 'growing\.csv: columns 1 and 2' 'a file that has stopped growing is read' -d growing growing.csv

# A full disk under the store: nothing half-written is visible, and with room the same command goes through.
seq -f '%g,a value of some length to fill the disk with' 1 40000 >big.csv
cat >full.sh <<'END'
mkdir -p small
mount -t tmpfs -o size=400k tmpfs small || exit 99
got=0
CSVP_STORE_URL=file://$PWD/small/store csvp-upload -q -d filled --no-header big.csv || got=$?
find small -type f >left
exit "$got"
END
# RLIMIT_FSIZE stands in for the full disk where nothing can be mounted.
cat >limit.sh <<'END'
trap '' XFSZ
ulimit -f 500
got=0
CSVP_STORE_URL=file://$PWD/small/store csvp-upload -q -d filled --no-header big.csv || got=$?
find small -type f >left
exit "$got"
END
export CSVP_DATABASE_URL="$server dbname=postgres"
jobs=$(sql 'SELECT count(*) FROM csvp.job')
if unshare -m true 2>/dev/null && unshare -m mount -t tmpfs tmpfs "$WORK/readonly" 2>/dev/null; then
	expect_exit 74 'a full disk under the store' unshare -m sh full.sh
	matches "$(cat err)" "file://$WORK/small/store: .*No space left on device.*hint" 'a full disk: says where, and what to do'
else
	expect_exit 74 'a full disk under the store' bash limit.sh
	matches "$(cat err)" "file://$WORK/small/store: .*File too large" 'a full disk: says where'
fi
is "$(grep -c '' err)" 1 'a full disk: in one line'
is "$(cat out)" '!- 74' 'a full disk: is handed on'
is "$(cat left)" '' 'a full disk: nothing half-written is left'
is "$(sql 'SELECT count(*) FROM csvp.job')" "$jobs" 'a full disk: no job is left'
unset CSVP_DATABASE_URL
ends 0 '' 'a disk with room again' -d filled --no-header big.csv
is "$(sql 'SELECT count(*) FROM filled')" 40000 'a disk with room again: the rows'

# A reader that leaves: quiet, and what was committed stays.
job=$(csvp-upload -q -d closed --no-header --force big.csv)
csvp-split -q --chunk-bytes 20k "$job" 2>said | head -n 1 >refs
is "$(cat refs said)" "$job/0" 'csvp-split | head -1: quiet'
is "$(sql "SELECT derived FROM csvp.job_status WHERE id = $job")" loading 'csvp-split | head -1: the split is committed'
csvp-load -q -j1 "$job" 2>said | head -n 1 >refs
is "$(cat refs said)" "$job/0" 'csvp-load | head -1: quiet'
is "$(sql "SELECT loaded > 0, pending > 0, running FROM csvp.job_status WHERE id = $job")" 't|t|0' \
	'csvp-load | head -1: what was committed stays, the rest waits'
is "$(sql 'SELECT count(*) FROM closed')" "$(sql "SELECT sum(inserted) FROM csvp.chunk WHERE job = $job")" \
	'csvp-load | head -1: rows and books agree'
expect_exit 0 'csvp-load again' csvp-load -q "$job"
is "$(sql 'SELECT count(*) FROM closed')" 40000 'csvp-load again: every record once'
csvp-index -q -j1 "$job" 2>said | head -n 1 >refs
is "$(cat refs said)" "$job/0" 'csvp-index | head -1: quiet'
expect_exit 0 'csvp-index again' csvp-index -q "$job"
is "$(sql "SELECT derived FROM csvp.job_status WHERE id = $job")" 'done' 'csvp-index again: done'
csvp-upload -q -d closed2 utf8.csv bare.csv blank.csv 2>said | head -n 1 >refs
is "$(cat said)" '' 'csvp-upload | head -1: quiet'
matches "$(cat refs)" '^[0-9]+$' 'csvp-upload | head -1: the job'
if [ -w /dev/full ]; then
	for program in 'upload -q -d closed2 good.csv' "split $job" "load $job" "index $job"; do
		got=0
		# shellcheck disable=SC2086
		csvp-$program >/dev/full 2>said || got=$?
		is "$got $(grep -c 'cannot write standard output: No space' said)" '74 1' "csvp-${program%% *} >/dev/full says so"
	done
fi
