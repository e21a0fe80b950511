#!/bin/bash
# Edits in psql reach the index while workers run: within a second, also when they are busy; many at once; a delete beats
# an older chunk that is loaded after it, in the table and in the index.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/session.sh
. "$TESTS/session.sh"
# shellcheck source=tests/workers.sh
. "$TESTS/workers.sh"
setup
csvp-admin up -q
{
	echo 'id,name'
	seq -f '%.0f,plain' 1 3000
} >edits.csv
csvp-run -q -d edits -k id edits.csv
crew one -q -j1

found()
{
	[ "$(csvp-search -d edits --count "$1")" -eq "$2" ]
}

# seconds STATEMENT WORD COUNT: from the commit until a search finds that.
seconds()
{
	say psql "$1" >/dev/null
	local start=$EPOCHREALTIME
	wait_until found "$2" "$3"
	awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }'
}

# within NAME FILE: the median of the file is at most a second.
within()
{
	local median
	median=$(sort -n "$2" | sed -n "$((($(grep -c '' "$2") + 1) / 2))p")
	under_san "$1" || check "$1 (median $median s)" awk -v t="$median" 'BEGIN { exit t > 1 }'
}

# edit RESULTS WORD: one of each kind.
edit()
{
	seconds "INSERT INTO edits VALUES (1$2, 'new$2')" "new$2" 1 >>"$1"
	seconds "UPDATE edits SET name = 'changed$2' WHERE id = 1$2" "changed$2" 1 >>"$1"
	found "new$2" 0 || not_ok "the old text of $2 is not found"
	seconds "DELETE FROM edits WHERE id = 1$2" "changed$2" 0 >>"$1"
}
for word in 0001 0002 0003; do
	edit idle "$word"
done
within 'INSERT, UPDATE, DELETE in psql are searchable within a second' idle

# Every index thread has a chunk in hand, and waits.
job=$(csvp-upload -q --enqueue -d other -k id edits.csv)
csvp-status -q --wait --timeout 60s "$job" >/dev/null
other=$(sql "SELECT id FROM csvp.dataset WHERE name = 'other'")
say busy 'BEGIN' "LOCK TABLE csvp.doc_$other IN SHARE MODE"
sed 's/plain/other/' edits.csv >other.csv
job=$(csvp-upload -q --enqueue -d other -k id other.csv)
indexing()
{
	[ "$(sql "SELECT count(*) FROM csvp.chunk JOIN csvp.running USING (job) WHERE job = $job AND state = 'loaded'")" -gt 0 ]
}
wait_until indexing
for word in 0004 0005; do
	edit busy "$word"
done
within 'also while all index threads are busy' busy
bye busy
csvp-status -q --wait --timeout 60s "$job" >/dev/null

# Edits that cannot be brought, since their table was dropped, are in nobody's way.
csvp-run -q -d dropped -k id edits.csv >/dev/null
csvp-run -q -d standing -k id edits.csv >/dev/null
sql "BEGIN; UPDATE dropped SET name = 'lost' WHERE id = 1; DROP TABLE dropped; COMMIT"
sql "UPDATE standing SET name = 'unhindered' WHERE id = 1"
unhindered()
{
	[ "$(csvp-search -d standing --count unhindered)" -eq 1 ]
}
WAIT_SECONDS=10 wait_until unhindered || not_ok 'a dropped table is not in the way of edits of another'
is "$(grep -c dropped one.err || true)" 0 'a dropped table is no trouble to a worker'
csvp-admin dataset drop dropped >/dev/null

# Several workers share a large outbox: updates, deletes and inserts of the same keys.
crew two -q -j2
say psql "UPDATE edits SET name = 'often'" "DELETE FROM edits WHERE id % 3 = 0" \
	"INSERT INTO edits SELECT id, 'again' FROM generate_series(3, 3000, 6) id" "UPDATE edits SET id = id + 100000 WHERE id % 10 = 1" >/dev/null
drained()
{
	[ "$(sql 'SELECT count(*) FROM csvp.change')" -eq 0 ]
}
wait_until drained
is "$(csvp-search -d edits --count often) $(csvp-search -d edits --count again)" \
	"$(sql "SELECT count(*) FILTER (WHERE name = 'often') || ' ' || count(*) FILTER (WHERE name = 'again') FROM edits")" \
	'several workers bring a large outbox to the index'
expect_exit 0 'and nothing is left of what was deleted' csvp-admin verify edits
# An older chunk comes after the delete.
seq -f '%.0f,late' 1 10 | sed '1i id,name' >late.csv
csvp-run -q -d edits -k id --force edits.csv
term one two
job=$(csvp-upload -q --enqueue -d edits -k id late.csv)
sql 'DELETE FROM edits WHERE id = 7'
crew three -q
csvp-status -q --wait --timeout 60s "$job" >/dev/null
wait_until drained
is "$(sql 'SELECT count(*) FILTER (WHERE id = 7), count(*) FILTER (WHERE id <= 3000) FROM edits') $(csvp-search -d edits --count late)" '0|2999 9' \
	'a delete beats an older chunk that is loaded after it, in the table and in the index'
expect_exit 0 'csvp-admin verify' csvp-admin verify
term three
