#!/bin/bash
# Records that a chunk must not cut: quoted line breaks of every kind, doubled quotes, mixed line ends, blank lines.
# Whatever the size of the chunks, the table is the same, and is what Python's csv module reads.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup

# load FILE DATASET CHUNK-BYTES
load()
{
	csvp-upload -q -d "$2" -k id "$1" | csvp-split --chunk-bytes "$3" | csvp-load -j2
}

# cuts FILE ROWS RECORDS CHUNK-BYTES...: the file with each size; all columns of all tables are compared.
cuts()
{
	local file=$1 rows=$2 records=$3 size bytes table first='' sum
	shift 3
	for size; do
		bytes=$(numfmt --from=iec "$size")
		table=${file%.csv}_$bytes
		expect_exit 0 "$records records load in chunks of $size" load "$file" "$table" "$size"
		is "$(sql "SELECT records, inserted, rejected FROM csvp.job_status WHERE dataset_name = '$table'")" \
			"$records|$records|0" "chunks of $size: all records are counted"
		check "chunks of $size: none is far larger" test "$(sql "SELECT max(length) < 2000 + $bytes AND (count(*) > 1 OR
			max(length) < $bytes) FROM csvp.chunk JOIN csvp.job j ON j.id = job JOIN csvp.dataset d ON d.id = dataset
			WHERE name = '$table'")" = t
		# All columns, the version too: it is the record's place in the file.
		sum=$(sql "SELECT count(*), md5(string_agg(t::text, '' ORDER BY id)) FROM $table t")
		is "${sum%|*}" "$records" "chunks of $size: as many rows as Python's csv reads"
		if [ -z "$first" ]; then
			first=$sum
			sql "COPY (SELECT id, first, second, third FROM $table ORDER BY _version) TO STDOUT" >have
			check "chunks of $size: every value, NULL and empty apart" cmp have "$rows"
		else
			is "$sum" "$first" "chunks of $size: the same table"
		fi
	done
}

many=$(python3 "$TESTS/integration/11-records.py" 200000 "$SEED" many.csv many.rows)
cuts many.csv many.rows "$many" 65536 1M 8M
few=$(python3 "$TESTS/integration/11-records.py" 20000 "$SEED" few.csv few.rows)
cuts few.csv few.rows "$few" 1000 4096

# As many columns as a row of numbers can have.
awk 'BEGIN { for (r = 0; r < 3; r++) for (c = 0; c < 1000; c++) printf "%s%d%s", r == 0 ? "c" : "", r == 0 || c == 0 ? c + r : r, c < 999 ? "," : "\n" }' >wide.csv
expect_exit 0 'a thousand columns' csvp-run -q -k c0 wide.csv
sed 's/,2,2$/,2,3/' wide.csv >wider.csv
expect_exit 0 'and again, one value changed' csvp-run -q -d wide -k c0 wider.csv
is "$(sql "SELECT unchanged, updated FROM csvp.job_status WHERE file = 'wider.csv'")" '1|1' 'that is found'
expect_exit 0 'and proved' csvp-admin verify wide
sql 'ALTER TABLE wide DISABLE TRIGGER USER' 'UPDATE wide SET c999 = 7 WHERE c0 = 1' 'ALTER TABLE wide ENABLE TRIGGER USER'
expect_exit 65 'a value behind the back is found' csvp-admin verify wide
matches "$(cat out)" '^wide: chunk .*: 1 rows differ' 'and told'
