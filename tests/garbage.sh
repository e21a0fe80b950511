# shellcheck shell=bash disable=SC2154
# What csvp-admin gc does, whatever the store. After lib.sh and session.sh, for tests that have defined:
#
#	site              csvp.site.id
#	stored            what the store says that it holds: lines of key and bytes, in order
#	unfinished KEY    true if it has an unfinished upload of that key
#	put KEY           make an object that nobody refers to, of 7 bytes

# absent KEY: there is nothing unfinished of it.
absent()
{
	! unfinished "$1"
}

# drained: the index has got all edits.
drained()
{
	[ "$(sql 'SELECT count(*) FROM csvp.change')" -eq 0 ]
}

drain()
{
	start drainer csvp-index --worker
	wait_until drained
	kill -TERM "${STARTED[drainer]}"
	finish drainer
}

# dying: begin an upload through a pipe, until the store has some of it; its process is $upload, its key $key, its pipe $feed.
dying()
{
	rm -f pipe
	mkfifo pipe
	csvp-upload -q -d dying - <pipe &
	upload=$!
	exec {feed}>pipe
	{
		echo id,text
		seq -f '%.0f,as many bytes as it takes to send a part' 1 600000
	} >&"$feed"
	key=$(sql "SELECT object FROM csvp.job WHERE state = 'uploading'")
	wait_until unfinished "$key"
}

# unfinished_uploads: those that are alive, those that are dead.
unfinished_uploads()
{
	local upload key feed
	dying
	stored >before
	expect_exit 0 'gc beside an upload' csvp-admin gc
	matches "$(tail -n 1 out)" ' 0 unfinished uploads' 'leaves it alone'
	check 'in the store, too' unfinished "$key"
	kill -KILL "$upload"
	wait "$upload" || true
	exec {feed}>&-
	expect_exit 0 'a dry run after kill -9' csvp-admin gc -n
	mv out dry
	check 'leaves what is unfinished' unfinished "$key"
	is "$(sql "SELECT object FROM csvp.job WHERE state = 'uploading'")" "$key" 'and its job'
	expect_exit 0 'gc after kill -9' csvp-admin gc
	is "$(cat out)" "$(cat dry)" 'prints the same'
	matches "$(head -n 1 out)" "^unfinished upload $key: [0-9]+ bytes$" 'the dead upload'
	check 'of which nothing is left in the store' absent "$key"
	is "$(sql "SELECT count(*) FROM csvp.job WHERE state = 'uploading'")" 0 'nor in the ledger'
	is "$(stored)" "$(cat before)" 'all objects are there'
}

# left_by_gc JOB NAME: asked to remove what has ended, gc leaves this job.
left_by_gc()
{
	csvp-admin gc -q --jobs-before 2100-01-01 >out
	is "$(sql "SELECT removed_at IS NULL FROM csvp.job WHERE id = $1")" t "$2"
}

# Jobs at whose end there is something left to do.
halves()
{
	local job
	csvp-run -q -d halves -k id a.csv
	{
		echo id,name
		seq -f '%.0f,a name' 800
	} >halves.csv
	job=$(csvp-upload -q -d halves -k id halves.csv)
	csvp-split -q --chunk-bytes 4k "$job" >refs
	csvp-load -q "$job/0" | csvp-index -q >log 2>&1 || true
	sql "UPDATE csvp.chunk SET state = 'failed', error = 'by hand' WHERE job = $job AND number > 0"
	expect_exit 65 'the end of a job with failed chunks' csvp-index -q "$job/0"
	is "$(sql "SELECT finished_at IS NOT NULL FROM csvp.job WHERE id = $job")" t 'is one'
	left_by_gc "$job" 'which gc leaves: they can be tried again'
	expect_exit 0 'tried again' csvp-load -q "$job"
	left_by_gc "$job" 'it is left before it is indexed'
	csvp-admin cancel -q "$job"
	left_by_gc "$job" 'also when it was cancelled: rows of it wait for their documents'
	expect_exit 65 'indexed all the same' csvp-index -q "$job"
	say holder "SELECT pg_advisory_lock((3::bigint << 60) | ($job::bigint << 26))" >/dev/null
	left_by_gc "$job" 'it is left while somebody holds a chunk of it'
	bye holder
	csvp-admin gc -q --jobs-before 2100-01-01 >out
	is "$(sql "SELECT removed_at IS NULL FROM csvp.job WHERE id = $job")" f 'it is removed'
	expect_exit 0 'and all of its rows have documents' csvp-admin verify -q halves
}

garbage()
{
	local first second bad appended rows next open
	printf 'id,name\n1,a\n2,b\n3,c\n' >a.csv
	printf 'id,name\n2,B\n3,C\n4,D\n' >b.csv
	printf 'id,n\n1,1\n2,2\nx,3\n4,y\n' >bad.csv
	printf 'name\nuna\nduo\n' >appended.csv
	first=$(csvp-run -d kept -k id a.csv 2>log)
	second=$(csvp-run -d kept -k id b.csv 2>log)
	csvp-admin dataset create -q typed id=bigint n=bigint -k id
	bad=$(csvp-run -d typed -k id --max-rejects 5 bad.csv 2>log || [ $? -eq 3 ])
	appended=$(csvp-run -d appended appended.csv 2>log)

	# --- objects ---
	stored >before
	expect_exit 0 'nothing to do' csvp-admin gc
	is "$(cat out)" '0 jobs, 0 objects, 0 unfinished uploads, 0 tombstones; 0 bytes' 'it says so'
	is "$(stored)" "$(cat before)" 'and removes nothing'
	# A number that was given and is gone; numbers to come; another site's; what is no key of csvp's.
	next=$(sql "SELECT nextval(pg_get_serial_sequence('csvp.job', 'id'))")
	put "objects/$site/1/$next"
	put "objects/$site/1/$((next + 100))"
	put "objects/0123456789ab/1/1"
	put "objects/$site/notes"
	put "objects/$site/1/x$next"
	put "objects/$site/x/$next"
	stored >before
	expect_exit 0 'a dry run' csvp-admin gc --dry-run
	matches "$(cat err)" 'nothing was removed' 'says that it is one'
	mv out dry
	is "$(stored)" "$(cat before)" 'a dry run leaves the store alone'
	expect_exit 0 'the same in earnest' csvp-admin gc
	is "$(cat out)" "$(cat dry)" 'prints the same'
	is "$(head -n 1 out)" "object objects/$site/1/$next: 7 bytes" 'each object with its bytes'
	is "$(tail -n 1 out)" '0 jobs, 1 objects, 0 unfinished uploads, 0 tombstones; 7 bytes' 'and the sums'
	is "$(stored)" "$(grep -v "^objects/$site/1/$next " before)" 'only that one is gone'

	# --- tombstones: the dangerous schedules ---
	sql 'DELETE FROM kept WHERE id = 1'
	drain
	is "$(sql 'SELECT count(*) FROM csvp.tombstone')" 1 'a deleted key has a tombstone'
	expect_exit 0 'gc while its job can be read again' csvp-admin gc
	is "$(sql 'SELECT count(*) FROM csvp.tombstone')" 1 'leaves the tombstone'
	expect_exit 0 'and verify knows why the row is missing' csvp-admin verify -q kept

	# --- jobs ---
	rows=$(sql 'SELECT * FROM kept ORDER BY 1' 'SELECT * FROM typed ORDER BY 1' 'SELECT name FROM appended ORDER BY 1')
	expect_exit 0 'no job is that old' csvp-admin gc --jobs-before 2020-01-01
	is "$(cat out)" '0 jobs, 0 objects, 0 unfinished uploads, 0 tombstones; 0 bytes' 'so none is removed'
	csvp-status --json "$first" "$second" "$bad" "$appended" | sed 's/"chunks":{[^}]*}//' >status
	stored >before
	expect_exit 0 'a dry run with jobs' csvp-admin gc -n --jobs-before 2100-01-01T00:00:00Z
	mv out dry
	is "$(stored)" "$(cat before)" 'a dry run with jobs leaves the store alone'
	is "$(sql 'SELECT count(*), count(removed_at) FROM csvp.job')" '4|0' 'and the ledger'
	is "$(sql 'SELECT count(*) FROM csvp.reject')" 2 'with its rejects'
	is "$(sql 'SELECT count(*) FROM csvp.tombstone')" 1 'and tombstones'
	expect_exit 0 'all jobs' csvp-admin gc --jobs-before 2100-01-01T00:00:00Z
	is "$(cat out)" "$(cat dry)" 'prints the same again'
	matches "$(cat out)" "^job $bad of typed: 1 chunks, 2 rejects; these can no more be listed or replayed" \
		'a removed job, and what is no longer possible'
	matches "$(tail -n 1 out)" '^4 jobs, 4 objects, 0 unfinished uploads, 1 tombstones; ' 'the sums'
	is "$(stored | grep -c "^objects/$site/[0-9]*/[0-9]* ")" 1 'their objects are gone'
	is "$(sql 'SELECT * FROM kept ORDER BY 1' 'SELECT * FROM typed ORDER BY 1' 'SELECT name FROM appended ORDER BY 1')" \
		"$rows" 'their rows are there'
	is "$(csvp-search -d kept --count '')" 3 'and their documents'
	is "$(csvp-status --json "$first" "$second" "$bad" "$appended" | sed 's/"chunks":{[^}]*}//')" "$(cat status)" \
		'their books are as they were'
	is "$(csvp-status --json)" '' 'but the list of jobs is without them'
	expect_exit 0 'verify after that' csvp-admin verify
	matches "$(cat err)" 'kept: 2 jobs were removed by gc; their 3 rows are counted, not compared' 'says what it did'
	expect_exit 66 'their rejects' csvp-status --rejects "$bad"
	matches "$(cat err)" "job $bad was removed by csvp-admin gc" 'cannot be listed'
	expect_exit 0 'their references pass through' sh -c "csvp-split $second | csvp-load | csvp-index"
	is "$(cat out)" "$second/0" 'as those of a job that is done'
	expect_exit 3 'with the verdict they had' sh -c "csvp-split $bad | csvp-load | csvp-index"

	# A row too many in a removed job's name is seen.
	sql "SET csvp.worker = on; INSERT INTO kept (id, name, _version) SELECT 77, 'x', max(_version) + 1 FROM kept"
	expect_exit 65 'a row that no removed job can have' csvp-admin verify kept
	sql 'SET csvp.worker = on; DELETE FROM kept WHERE id = 77'
	expect_exit 0 'without it' csvp-admin verify -q kept

	sql 'DELETE FROM kept WHERE id = 3'
	expect_exit 0 'gc before an edit has reached the index' csvp-admin gc
	is "$(sql 'SELECT key FROM csvp.tombstone')" '{3}' 'leaves its tombstone'
	drain
	expect_exit 0 'gc when it has' csvp-admin gc
	is "$(tail -n 1 out)" '0 jobs, 0 objects, 0 unfinished uploads, 1 tombstones; 0 bytes' 'does not'

	# --- the same bytes again ---
	expect_exit 0 'appended, the same bytes' csvp-run -d appended appended.csv
	matches "$(cat err)" 'nothing to do' 'are known'
	is "$(sql 'SELECT count(*) FROM appended')" 2 'and not appended twice'
	expect_exit 3 'rejects within the limit, the same bytes' csvp-run -q -d typed -k id --max-rejects 5 bad.csv
	is "$(cat out)" "$bad" 'have the job they had'
	expect_exit 65 'the same over the limit now' csvp-run -d typed -k id --max-rejects 0 bad.csv
	matches "$(cat err)" 'gc has removed; hint: --force' 'with a hint that is possible'
	expect_exit 0 'files A, B, A' csvp-run -q -d kept -k id a.csv
	is "$(sql 'SELECT id || name FROM kept ORDER BY id')" $'1a\n2b\n3c\n4D' 'end as A'
	expect_exit 0 'which verify proves' csvp-admin verify -q kept

	# A table of which all jobs are removed is indexed again with another type of a column.
	csvp-admin gc -q --jobs-before 2100-01-01 >out
	expect_exit 0 'another type' csvp-admin dataset set-type -q typed n text
	csvp-index -q "$bad" >log 2>&1 || [ $? -eq 65 ]
	expect_exit 0 'brings the rows of removed jobs to the index, too' csvp-admin verify -q typed
	is "$(csvp-search -d typed --count '2')" 1 'where they are found by their new type'

	# --- what must stay: the dangerous schedules ---
	open=$(csvp-run -d open -k id a.csv 2>log)
	csvp-upload -q -d open -k id b.csv | csvp-split -q >refs
	sql 'DELETE FROM open WHERE id IN (1, 2)'
	drain
	expect_exit 0 'gc while an older chunk is still to come' csvp-admin gc --jobs-before 2100-01-01
	matches "$(tail -n 1 out)" '^1 jobs, 1 objects, 0 unfinished uploads, 0 tombstones;' 'takes the job before it, no tombstone'
	is "$(csvp-status --json "$open" | grep -o '"state":"[a-z]*"')" '"state":"done"' 'whose books are there'
	csvp-load -q <refs >/dev/null
	is "$(sql 'SELECT id FROM open ORDER BY id')" $'3\n4' 'the late chunk does not bring the deleted row back'
	expect_exit 0 'gc when it is loaded, not indexed' csvp-admin gc --jobs-before 2100-01-01
	matches "$(tail -n 1 out)" '^0 jobs, 0 objects, 0 unfinished uploads, 0 tombstones;' 'leaves all'
	csvp-index -q <refs >/dev/null
	expect_exit 0 'which verify proves' csvp-admin verify -q open

	csvp-admin gc -q --jobs-before 2100-01-01 >out
	# A job is given its seq, as intake does it; before it can be seen, a key of it is deleted: that has the higher version.
	say intake BEGIN "SELECT FROM csvp.dataset WHERE name = 'open' FOR NO KEY UPDATE" \
		"UPDATE csvp.dataset SET seq = 3 WHERE name = 'open'" \
		"SELECT setval('csvp.version_' || id, (3::bigint << 39) | (1::bigint << 38)) FROM csvp.dataset WHERE name = 'open'" \
		>/dev/null
	sql 'DELETE FROM open WHERE id = 4'
	drain
	start gc csvp-admin gc
	wait_until blocked 1
	say intake "INSERT INTO csvp.job (dataset, seq, state, file, object, options) SELECT id, 3, 'stored', 'x', 'x', '{}'
		FROM csvp.dataset WHERE name = 'open'" COMMIT
	bye intake
	finish gc
	is "${CODES[*]}" 0 'gc beside a job that is given its seq'
	is "$(sql "SELECT t.key FROM csvp.tombstone t JOIN csvp.dataset d ON d.id = t.dataset WHERE d.name = 'open'")" '{4}' \
		'waits for it, and leaves the tombstone that beats its record, no other'
	sql "DELETE FROM csvp.job WHERE object = 'x'"
	halves
}
