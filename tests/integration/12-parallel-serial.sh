#!/bin/bash
# Parallel = serial: whatever the number of processes and the order of chunks, the table ends as if the files had been
# loaded one record after the other. LONG=1: 300,000 records over 20,000 keys.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
records=60000 keys=4000
[ -z "${LONG:-}" ] || records=300000 keys=20000
python3 "$TESTS/integration/12-parallel-serial.py" $records $keys "$SEED"

# split DATASET FILE...: a job for each, their chunks on stdout.
split()
{
	local dataset=$1
	shift
	csvp-upload -q -d "$dataset" -k key "$@" | csvp-split --chunk-bytes 65536
}

# shuffled PROCESSES: load the references of stdin, in any order, by processes of a few references each.
shuffled()
{
	shuf --random-source=<(yes "$SEED") | xargs -n 3 -P "$1" csvp-load -j1
}

# rows DATASET ROWS NAME: the table is what a dictionary holds that was filled serially.
rows()
{
	sql "COPY (SELECT key, amount, remark FROM $1 ORDER BY key COLLATE \"C\") TO STDOUT" >have
	check "$3" cmp have "$2"
}

# books DATASET NAME
books()
{
	is "$(sql "SELECT bool_and(records = inserted + updated + unchanged + superseded AND rejected = 0 AND pending = 0)
		FROM csvp.job_status WHERE dataset_name = '$1'")" t "$2: every record is counted once"
	is "$(sql "SELECT sum(inserted) FROM csvp.job_status WHERE dataset_name = '$1'")" "$(sql "SELECT count(*) FROM $1")" \
		"$2: as many rows as were inserted"
}

expect_exit 0 'one process, in order' csvp-load -j1 < <(split serial a.csv b.csv c.csv)
rows serial c.rows 'one process: the last record of the last file wins'
books serial 'one process'

split parallel a.csv b.csv c.csv >refs
expect_exit 0 'four processes, three jobs at once, a new dataset' shuffled 4 <refs
is "$(sort out)" "$(sort refs)" 'each reference comes out once'
rows parallel c.rows 'four processes: the same table'
books parallel 'four processes'

# Files with every key once may leave equal rows alone, unless an earlier job has chunks to come.
split parallel d.csv e.csv f.csv >refs
expect_exit 0 'four processes, three more jobs at once' shuffled 4 <refs
rows parallel f.rows 'files with unique keys among them: the last record still wins'
books parallel 'with unique keys'
expect_exit 0 'the same three, one after the other' shuffled 1 < <(split serial d.csv e.csv f.csv)
rows serial f.rows 'one process, any order: the same table'

# The very same rows with the very same versions, but for equal rows that were left alone.
is "$(sql "SELECT count(*) FROM serial s FULL JOIN parallel p USING (key)
	WHERE s._version & 549755813887 <> p._version & 549755813887 AND s._version >> 39 = p._version >> 39")" 0 \
	'a row comes from the same record in both'
