#!/bin/bash
# Orders of events that lose or double records if a rule of the design is left out, each forced by locks.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/session.sh
. "${0%/*}/../session.sh"
setup

# csv FILE LINE...
csv()
{
	local file=$1
	shift
	printf '%s\n' "$@" >"$file"
}

# job DATASET FILE OPTION...: upload, and split to one record a chunk; the job's id.
job()
{
	local dataset=$1 file=$2 id
	shift 2
	id=$(csvp-upload -q -d "$dataset" "$@" "$file")
	csvp-split --chunk-bytes 1 "$id" >"$WORK/refs"
	echo "$id"
}

# rows TABLE: its rows without the version, in the order of the key.
rows()
{
	sql "SELECT string_agg(k || '=' || coalesce(v::text, 'NULL'), ' ' ORDER BY k COLLATE \"C\") FROM $1"
}

state()
{
	sql "SELECT derived FROM csvp.job_status WHERE id = $1"
}

chunks_loaded()
{
	[ "$(sql "SELECT count(*) FROM csvp.chunk WHERE job = $1 AND state = 'loaded'")" = "$2" ]
}

csv kx.csv k,v K,X L,1
csv ky.csv k,v K,Y
csv kz.csv k,v K,Z
csv yx.csv k,v K,Y L,2 K,X

# A record that is equal to its row must not be left alone while one that lies between them is still to come.
csvp-load -q "$(job trap kx.csv -k k)" >out
id=$(job trap yx.csv)
expect_exit 0 'the late chunk first' csvp-load "$id/2"
expect_exit 0 'the early chunks after it' csvp-load "$id/0" "$id/1"
is "$(rows trap)" 'K=X L=2' 'an equal row takes the version of a later record: the early one loses'
is "$(sql "SELECT updated, unchanged, superseded FROM csvp.job_status WHERE id = $id")" '1|1|1' \
	'it is counted as unchanged, the early one as superseded'

# The same between two jobs: the later one, whose keys are unique, comes first.
first=$(job trap ky.csv)
second=$(job trap kx.csv --force)
expect_exit 0 'a later job first' csvp-load "$second"
is "$(sql "SELECT seal FROM csvp.dataset WHERE name = 'trap'")" 0 'it does not settle what an earlier job may change'
expect_exit 0 'the earlier job after it' csvp-load "$first"
is "$(rows trap)" 'K=X L=1' 'the later job wins'

# A job with unique keys settles what is older; what is older can only come by a job that was cancelled.
first=$(job trap ky.csv --force)
sql "UPDATE csvp.job SET cancelled = true WHERE id = $first"
second=$(job trap kx.csv --force)
expect_exit 0 'a job after a cancelled one' csvp-load "$second"
is "$(sql "SELECT unchanged, seal = seq FROM csvp.job_status JOIN csvp.dataset d USING (seq) WHERE d.name = 'trap'")" '2|t' \
	'a cancelled job is no obstacle: equal rows are left alone'
is "$(sql 'SELECT count(DISTINCT _version >> 39) FROM trap')|$(sql "SELECT max(_version >> 39) < max(seq) FROM trap, csvp.dataset
	WHERE name = 'trap'")" '1|t' 'they keep their version'
sql "UPDATE csvp.job SET cancelled = false WHERE id = $first"
expect_exit 65 'the cancelled job, brought back by hand' csvp-load "$first"
matches "$(cat err)" 'older than .*hint: .*--force' 'is refused with the way out'
is "$(rows trap)" 'K=X L=1' 'and changes nothing'

# Files A, B, A.
for file in ky.csv kz.csv ky.csv; do
	expect_exit 0 "files A, B, A: $file" sh -c "csvp-upload -q -d aba -k k $file | csvp-split | csvp-load | csvp-index"
done
is "$(rows aba)" 'K=Y' 'files A, B, A end as A'
is "$(sql "SELECT count(*) FROM csvp.job_status WHERE dataset_name = 'aba'")" 3 'the third is a job of its own'
expect_exit 0 'A once more' csvp-upload -d aba -k k ky.csv
matches "$(cat err)" 'nothing to do' 'and then there is nothing to do'

# Two workers commit the last two chunks of a first job at once: both wait for the job's row, their last statement.
id=$(job last yx.csv -k k)
csvp-load -q "$id/0" >out
say hold BEGIN "UPDATE csvp.job SET max_rejects = '0' WHERE id = $id" >out
start one csvp-load -j1 "$id/1"
start two csvp-load -j1 "$id/2"
wait_until blocked 2
say hold COMMIT
finish one two
is "$CODES" '0 0' 'two workers commit the last two chunks at once'
is "$(sql "SELECT state FROM csvp.dataset WHERE name = 'last'") $(rows last)" 'ready K=X L=2' 'the key is built'
is "$(sql "SELECT inserted, superseded FROM csvp.job_status WHERE id = $id")" '2|1' \
	'what the key threw out is counted as superseded'

# One worker ends while another one, with the last chunk, is still building the key.
id=$(job closing yx.csv -k k)
csvp-load -q "$id/0" >out
say hold BEGIN 'LOCK TABLE closing IN ROW EXCLUSIVE MODE' >out
mkfifo feed
start one sh -c 'exec csvp-load -j1 <feed'
exec 7>feed
echo "$id/1" >&7
wait_until chunks_loaded "$id" 2
start two csvp-load -j1 "$id/2" 7>&-
wait_until blocked_in 1 'LOCK TABLE'
exec 7>&-
wait_until blocked_in 2 'LOCK TABLE'
say hold COMMIT
finish one two
is "$CODES" '0 0' 'a worker that ends while the key is being built ends well'

# kill -9 between the last chunk and the key.
id=$(job killed yx.csv -k k)
csvp-load -q "$id/0" "$id/1" >out
say hold BEGIN 'LOCK TABLE killed IN ROW EXCLUSIVE MODE' >out
start one csvp-load "$id"
wait_until blocked_in 1 'LOCK TABLE'
is "$(sql "SELECT pending + running FROM csvp.job_status WHERE id = $id") $(state "$id")" '0 loading' \
	'all chunks are in, the key is not: the job is not done'
kill -KILL "${STARTED[one]}"
finish one
say hold COMMIT
expect_exit 0 'the index finds the key missing and builds it' sh -c "echo $id | csvp-index"
is "$(sql "SELECT state FROM csvp.dataset WHERE name = 'killed'") $(rows killed)" 'ready K=X L=2' 'nothing is lost or doubled'
is "$(state "$id")" 'done' 'and the job is done'

# Another job finds the first one half loaded: it builds the key at once, and the rest of the first one upserts.
first=$(job early yx.csv -k k)
csvp-load -q "$first/1" "$first/2" >out
second=$(job early kz.csv)
expect_exit 0 'a job that meets a table without key builds it' csvp-load "$second"
is "$(sql "SELECT state FROM csvp.dataset WHERE name = 'early'") $(rows early)" 'ready K=Z L=2' 'and goes on'
expect_exit 0 'what is left of the first job' csvp-load "$first"
is "$(rows early)" 'K=Z L=2' 'is superseded'

# A chunk may wait for a transaction that deletes its row; the delete came after the upload, so the row stays away.
csvp-load -q "$(job deleted yx.csv -k k)" >out
id=$(job deleted <(printf 'k,v\nK,1\nL,3\nL,4\n'))
say person BEGIN "DELETE FROM deleted WHERE k = 'K'" >out
start one csvp-load "$id/0"
wait_until blocked_in 1 'INSERT INTO'
say person COMMIT
finish one
is "$CODES" 0 'a chunk waits for a person who deletes its row'
is "$(rows deleted)" 'L=2' 'the delete was later than the upload, and wins'
is "$(sql "SELECT superseded FROM csvp.chunk WHERE job = $id AND number = 0")" 1 'the record is counted as superseded'
# The same with a delete that was earlier than the upload.
say person BEGIN "DELETE FROM deleted WHERE k = 'L'" >out
id=$(job deleted <(printf 'k,v\nL,5\nL,6\n'))
start one csvp-load -j1 "$id"
wait_until blocked_in 1 'INSERT INTO'
say person COMMIT
finish one
is "$CODES" 0 'a chunk waits for a delete from before its upload'
is "$(rows deleted)" 'L=6' 'the upload was later, and wins'
# And where equal rows are left alone: the first chunk settles that, the delete comes before the second.
id=$(job deleted <(printf 'k,v\nM,1\nL,7\n'))
expect_exit 0 'a chunk of unique keys' csvp-load "$id/0"
say person BEGIN "DELETE FROM deleted WHERE k = 'L'" >out
start one csvp-load "$id/1"
wait_until blocked_in 1 'INSERT INTO'
say person COMMIT
finish one
is "$CODES $(rows deleted)" '0 M=1' 'a chunk of unique keys waits, too, and its row stays away'

# A server whose default is repeatable read: a worker that waited must not see the past.
sql "ALTER DATABASE $(sql 'SELECT current_database()') SET default_transaction_isolation = 'repeatable read'"
is "$(sql 'SHOW default_transaction_isolation')" 'repeatable read' 'the default is repeatable read'
id=$(job repeated yx.csv)
say hold BEGIN "UPDATE csvp.job SET max_rejects = '0' WHERE id = $id" >out
start one csvp-load -j1 "$id/0"
wait_until blocked 1
start two csvp-load -j1 "$id/0"
wait_until blocked 2
say hold COMMIT
finish one two
is "$CODES $(sql 'SELECT count(*) FROM repeated')" '0 0 1' 'two workers, one chunk: it is loaded once'
id=$(job isolated <(printf 'k,v\nK,1\nK,2\nK,3\n') -k k)
csvp-load -q "$id" >out
id=$(job isolated <(printf 'k,v\nK,4\nK,5\nK,6\n') -k k)
say hold BEGIN "UPDATE isolated SET v = v WHERE k = 'K'" >out
start one csvp-load -j3 "$id"
wait_until blocked 3
say hold ROLLBACK
finish one
is "$CODES $(rows isolated)" '0 K=6' 'three workers, one key: the last record wins'
sql "ALTER DATABASE $(sql 'SELECT current_database()') RESET default_transaction_isolation"
bye hold
bye person

# Two jobs race to create one dataset: their uploads meet, then their splits.
csv r1.csv k,v K,1 L,1
csv r2.csv v,k 2,K 2,M
say hold BEGIN 'LOCK TABLE csvp.dataset IN SHARE MODE' >out
start one csvp-upload -q -d race -k k r1.csv
start two csvp-upload -q -d race -k k r2.csv
wait_until blocked_in 2 csvp.dataset
say hold COMMIT
finish one two
is "$CODES" '0 0' 'two uploads create one dataset'
first=$(cat one.out) second=$(cat two.out)
say hold BEGIN "SELECT FROM csvp.dataset WHERE name = 'race' FOR UPDATE" >out
start one csvp-split "$first"
start two csvp-split "$second"
wait_until blocked 2
say hold COMMIT
finish one two
is "$CODES" '0 0' 'two splits, one of which makes the table'
start one csvp-load -j1 "$first"
start two csvp-load -j1 "$second"
finish one two
is "$CODES" '0 0' 'two loads'
last=$(sql "SELECT file FROM csvp.job_status WHERE dataset_name = 'race' ORDER BY seq DESC LIMIT 1")
is "$(rows race)" "K=$([ "$last" = r1.csv ] && echo 1 || echo 2) L=1 M=2" 'the later of the two wins'
is "$(sql "SELECT bool_and(derived = 'indexing' AND records = 2) FROM csvp.job_status WHERE dataset_name = 'race'")" t \
	'both jobs are whole'

# An upload that fails after it has raised the sequence of edits: what is edited then is older than the next job.
csvp-load -q "$(job raised kx.csv -k k)" >out
number=$(sql "SELECT id FROM csvp.dataset WHERE name = 'raised'")
sql "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END'" \
	"CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON csvp.job DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
		EXECUTE FUNCTION refuse()"
expect_exit 65 'an upload fails in its commit' csvp-upload -q -d raised ky.csv
sql 'DROP TRIGGER refuse ON csvp.job' "UPDATE raised SET v = 'edited' WHERE k = 'K'"
is "$(sql "SELECT last_value > 2::bigint << 39 FROM csvp.version_$number")" t 'it had raised the sequence already'
expect_exit 0 'the upload again' csvp-load "$(job raised ky.csv)"
is "$(rows raised)" 'K=Y L=1' 'an edit from before the upload does not beat its records'
