#!/bin/bash
# Real files through the whole pipeline: every value in the table is what Python's csv module reads.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
oracle=$TESTS/integration/10-real-files.py

# pipeline FILE UPLOAD-OPTION...: the four programs; the status of the last one tells of all.
pipeline()
{
	local file=$1
	shift
	csvp-upload "$@" "$file" | csvp-split --chunk-bytes 65536 | csvp-load -j2 | csvp-index
}

# columns TABLE: the names of the table's columns that come from the file, in its order.
columns()
{
	sql "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
		WHERE attrelid = '$1'::regclass AND attnum > 0 AND attname NOT IN ('_id', '_version')"
}

# same_values TABLE FILE: all rows of the table are the file's records, in its order.
same_values()
{
	sql "COPY (SELECT $(columns "$1") FROM $1 ORDER BY _version) TO STDOUT" | python3 "$oracle" "$2"
}

for name in navaids:11008 regions:3987 countries:249; do
	records=${name#*:}
	name=${name%:*}
	file=$DATA/$name.csv
	expect_exit 0 "$name loads" pipeline "$file" -d "$name" -k id
	is "$(sort -u out | wc -l)" "$(sql "SELECT count(*) FROM csvp.chunk JOIN csvp.job ON id = job WHERE file = '$file'")" \
		"$name: each chunk's reference comes out once"
	is "$(sql "SELECT count(*) FROM $name")" "$records" "$name: every record is a row"
	check "$name: every value is what Python reads" same_values "$name" "$file"
	is "$(sql "SELECT string_agg(a.attname, ',') FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid
		AND a.attnum = ANY (i.indkey) WHERE indisprimary AND indrelid = '$name'::regclass")" id "$name: id is its key"

	expect_exit 0 "$name loads without a key" pipeline "$file" -d "$name-appended"
	is "$(sql "SELECT count(*) FROM ${name}_appended")" "$records" "$name without a key: every record is a row"
	check "$name without a key: every value is what Python reads" same_values "${name}_appended" "$file"
	is "$(sql "SELECT count(DISTINCT _id) FROM ${name}_appended WHERE _id = _version")" "$records" \
		"$name without a key: a row is known by its version at birth"
done

is "$(sql "SELECT string_agg(name || ':' || pending || ':' || total || ':' || inserted, ' ' ORDER BY id)
	FROM (SELECT id, dataset_name AS name, pending, total = indexed_chunks AS total, inserted FROM csvp.job_status) s")" \
	"navaids:0:true:11008 navaids-appended:0:true:11008 regions:0:true:3987 regions-appended:0:true:3987 \
countries:0:true:249 countries-appended:0:true:249" 'every chunk is indexed, every record counted as inserted'

is "$(columns navaids)" 'id, filename, ident, name, type, frequency_khz, latitude_deg, longitude_deg, elevation_ft, '\
'iso_country, dme_frequency_khz, dme_channel, dme_latitude_deg, dme_longitude_deg, dme_elevation_ft, '\
'slaved_variation_deg, magnetic_variation_deg, usage_type, power, associated_airport' \
	'headers become names in snake case'
is "$(sql "SELECT header FROM csvp.dataset_column WHERE name = 'usage_type' LIMIT 1")" usageType 'the header itself is kept'
is "$(sql "SELECT pg_typeof(id), pg_typeof(latitude_deg), pg_typeof(name), pg_typeof(elevation_ft) FROM navaids LIMIT 1")" \
	'bigint|numeric|text|bigint' 'types are what the values say'
is "$(sql "SELECT pg_typeof(local_code), local_code FROM regions WHERE code = 'AD-02'")" 'text|02' \
	'a code with a leading zero is a text and keeps it'
is "$(sql "SELECT name, code IS NULL FROM countries WHERE code = 'NA'")" 'Namibia|f' 'NA is a text, not NULL'
is "$(sql "SELECT count(*) FROM regions WHERE iso_country = 'NA'")" \
	"$(python3 -c 'import csv, sys; print(sum(r["iso_country"] == "NA" for r in csv.DictReader(sys.stdin)))' \
		<"$DATA/regions.csv")" 'every region of the country NA'
is "$(sql "SELECT count(*) FROM navaids WHERE associated_airport = ''")" 0 'an empty field without quotes is NULL'
