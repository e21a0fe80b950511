#!/bin/bash
# Databases that keep their uploads in one store: what one of them does leaves the objects of the others alone.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
csvp-admin up -q
[[ $(csvp-admin psql -Xc '\conninfo') =~ socket\ in\ \"([^\"]+)\" ]]
server="host=${BASH_REMATCH[1]} user=csvp"
sql 'CREATE DATABASE one' 'CREATE DATABASE two'
printf 'id,name\n1,a\n2,b\n' >a.csv
printf 'id,name\n3,c\n' >b.csv
printf 'id,name\n4,d\n' >c.csv

# at DATABASE COMMAND...: both keep their uploads where the private database does.
at()
{
	local name=$1
	shift
	CSVP_DATABASE_URL="$server dbname=$name" "$@"
}

for name in one two; do
	at "$name" csvp-admin migrate -q
	expect_exit 0 "database $name: a first upload" at "$name" csvp-run -q -d first -k id a.csv
done
expect_exit 0 'the private database, too' csvp-run -q -d first -k id a.csv
expect_exit 0 'database one: dropping its dataset' at one csvp-admin dataset drop first
expect_exit 0 'database two: its object is still there' at two csvp-admin verify
expect_exit 0 'the private database: its object, too' csvp-admin verify
is "$(find home/store/objects -type f | wc -l)" 2 'what the dropped dataset had stored is gone'

# A copy of a database gives its next job the number that the original gives its own.
sql 'CREATE DATABASE copy TEMPLATE two'
expect_exit 0 'database two: a second upload' at two csvp-run -q -d first b.csv
expect_exit 65 'the copy: its upload finds that object' at copy csvp-upload -q -d first c.csv
matches "$(cat err)" 'exists' 'the copy: says so'
expect_exit 0 'database two: its object is still there, and whole' at two csvp-admin verify
expect_exit 0 'the copy: the same again has the next number' at copy csvp-run -q -d first c.csv
is "$(at copy csvp-admin psql -XAtc 'SELECT count(*) FROM first')" 3 'the copy: its rows'
