#!/bin/bash
# A search index that is gone is made and filled anew, by whatever meets it first; until then searches say so.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/session.sh
. "$TESTS/session.sh"
# shellcheck source=tests/workers.sh
. "$TESTS/workers.sh"
setup
csvp-admin up -q
seq -f '%.0f,early bird' 1 3000 | sed '1i id,name' >early.csv
seq -f '%.0f,late bird' 2001 4000 | sed '1i id,name' >late.csv
printf 'id,name\n7001,equal\n7001,equal\n' >equal.csv
printf 'id,name\n9001,next\n' >next.csv

# several JOB: cut into several chunks.
several()
{
	csvp-split -q --chunk-bytes 8k "$1" >/dev/null
}

early=$(csvp-upload -q -d birds -k id early.csv)
several "$early"
csvp-run -q --resume "$early"
late=$(csvp-upload -q -d birds late.csv)
several "$late"
csvp-run -q --resume "$late"
sql "INSERT INTO birds VALUES (5001, 'edited'), (7001, 'equal')" "UPDATE birds SET name = 'edited' WHERE id = 1" \
	'DELETE FROM birds WHERE id = 2'
# A job that finds the row of an edit as it should be, and takes it over.
csvp-run -q -d birds equal.csv
csvp-run -q -d plain late.csv
birds=$(sql "SELECT id FROM csvp.dataset WHERE name = 'birds'")
plain=$(sql "SELECT id FROM csvp.dataset WHERE name = 'plain'")

chunks()
{
	sql "SELECT count(*) FROM csvp.chunk c JOIN csvp.job j ON j.id = c.job WHERE dataset = $birds AND $1"
}

# lose TABLE...: by hand.
lose()
{
	local table
	for table; do
		sql "DROP TABLE csvp.$table"
	done
}

# whole NAME: all rows are found, and the ledger is at rest.
whole()
{
	expect_exit 0 "$1: rows and documents agree" csvp-admin verify birds
	is "$(csvp-search -d birds --count) $(csvp-search -d birds --count edited) $(csvp-search -d birds --count equal)" \
		"$(sql 'SELECT count(*) FROM birds') 2 1" "$1: everything is found"
	is "$(csvp-search -d birds --count brid 2>/dev/null)" "$(sql "SELECT count(*) FROM birds WHERE name LIKE '%bird'")" \
		"$1: mistyped, too"
	is "$(sql "SELECT DISTINCT derived, finished_at IS NOT NULL FROM csvp.job_status WHERE dataset_name = 'birds'")" 'done|t' \
		"$1: all jobs are done"
}

lost_search()
{
	expect_exit 66 "$1: a search fails" csvp-search -d birds bird
	matches "$(cat err)" 'birds has no search index; hint: .*csvp-admin create-index' "$1: and says what to do"
	is "$(cat out)" '' "$1: without an answer"
}

whole 'at first'
lose "doc_$birds" "word_$birds"
lost_search 'all of it'
expect_exit 0 'create-index' csvp-admin create-index
is "$(cat err)" "csvp-admin create-index: dataset birds: its search index is gone; $(chunks true) chunks and 2 edits are indexed again" \
	'says once what it does'
whole 'create-index'
expect_exit 0 'create-index again' csvp-admin create-index
is "$(cat err)" '' 'finds nothing to do'
# As one leaves it that has died when the index was made and nothing yet was in it.
sql "UPDATE birds SET name = 'edited' WHERE id = 1"
expect_exit 0 'with edits on their way' csvp-admin create-index
is "$(sql 'SELECT count(*) FROM csvp.change')" 0 'takes them along'

lose "word_$birds"
expect_exit 0 'csvp-index of a job that is done' csvp-index "$early"
matches "$(cat err)" 'its search index is gone' 'says that it was lost'
is "$(wc -l <err)" 1 'once'
is "$(grep -c . out)" "$(chunks "job = $early")" 'and prints its references'
whole 'csvp-index'

lose "doc_$birds"
lost_search 'the documents'
expect_exit 0 'the next job' csvp-run -d birds next.csv
is "$(grep -c 'is gone' err)" 1 'says it, too'
whole 'the next job'

# Killed between what the ledger says and the end: the same command goes on.
lose "doc_$birds" "word_$birds"
last=$(sql "SELECT max(id) FROM csvp.job WHERE dataset = $birds")
say hold BEGIN "SELECT FROM csvp.chunk WHERE job = $late AND number = 2 FOR UPDATE" >/dev/null
start one csvp-index -j1 "$last"
wait_until blocked_in 1 'UPDATE csvp.chunk'
kill -KILL "${STARTED[one]}"
finish one
bye hold
expect_exit 0 'killed, and run again' csvp-index "$last"
whole 'killed, and run again'

# A job of the dataset that is paused meanwhile is not waited for; its resume goes on.
lose "doc_$birds" "word_$birds"
csvp-admin throttle index 1/s
start one csvp-index -j1 "$last"
refilling()
{
	[ "$(chunks "c.state = 'indexed' AND job = $last") $(chunks "c.state = 'loaded' AND job <> $last")" = "1 $others" ]
}
others=$(chunks "job <> $last")
wait_until refilling
expect_exit 0 'a job of the dataset is paused' csvp-admin pause "$late"
csvp-admin throttle index unlimited
finish one
is "$CODES" 0 'csvp-index of another one ends well'
matches "$(cat one.err)" "not all records are searchable, since job $late is paused; hint: csvp-admin resume $late" 'and says what is missing'
csvp-admin resume -q "$late"
expect_exit 0 'resumed, it is indexed' csvp-index "$late"
whole 'a job was paused meanwhile'

# Workers: by the next job, or by an edit.
crew one -q -j2
lose "doc_$birds" "word_$birds"
sed 's/next/after/' next.csv >after.csv
job=$(csvp-upload -q --enqueue -d birds after.csv)
csvp-status -q --wait --timeout 60s "$job" >/dev/null
all_done()
{
	[ "$(sql "SELECT (SELECT count(*) FROM csvp.job WHERE dataset = $birds AND finished_at IS NULL)
		+ (SELECT count(*) FROM csvp.change)")" = 0 ]
}
wait_until all_done
whole 'workers, the next job'
lose "doc_$birds"
sql "UPDATE birds SET name = 'after' WHERE id = 10"
wait_until all_done
whole 'workers, an edit'
term one

# Without a key, and with nothing but edits.
csvp-admin dataset create notes -k id id=bigint text=text
sql "INSERT INTO notes VALUES (1, 'first'), (2, 'second')"
notes=$(sql "SELECT id FROM csvp.dataset WHERE name = 'notes'")
crew two -q -j1
drained()
{
	[ "$(sql 'SELECT count(*) FROM csvp.change')" = 0 ]
}
wait_until drained
term two
is "$(csvp-search -d notes --count)" 2 'a dataset that has no file'
lose "doc_$plain" "doc_$notes"
# Of a table that was dropped no index is asked for.
csvp-run -q -d gone late.csv
sql 'DROP TABLE gone'
expect_exit 0 'several at once' csvp-admin create-index
is "$(grep -c 'is gone' err)" 2 'each is told'
is "$(csvp-search -d plain --count) $(csvp-search -d notes --count second)" '2000 1' 'also one without a key, and one without a file'
csvp-run -q -d notes <(printf 'id,text\n2,third\n')
expect_exit 0 'and their books close' csvp-admin verify plain notes

# Tables as older versions made them.
sql "ALTER TABLE csvp.doc_$birds DROP COLUMN _numbers" "DROP TABLE csvp.word_$plain"
sql "ALTER TABLE csvp.dataset DROP since" "ALTER TABLE csvp.chunk DROP again"
csvp-admin psql -Xq -v ON_ERROR_STOP=1 -f "$TESTS/../lib/ledger/migration_7.sql" 2>log
lost_search 'an index of an older shape'
expect_exit 0 'is made anew' csvp-admin create-index
is "$(grep -c 'is gone' err)" 2 'both are'
whole 'an index of an older shape'
