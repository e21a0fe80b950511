#!/bin/bash
# The EXAMPLES of every manual page: each can be typed as it stands, and prints what the page says.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
pages=$(cd "$TESTS/../man" && pwd)
csvp-admin up -q
conninfo=$(csvp-admin psql -Xc '\conninfo')
[[ $conninfo =~ socket\ in\ \"([^\"]+)\" ]]
socket=${BASH_REMATCH[1]}
"$B/tests/bench/generate" --rows 2000 >orgs.csv

# Each page has a database, a home and a folder of its own, so that its jobs count from 1.
for page in "$pages"/*; do
	name=${page##*/}
	database=${name//[.-]/_}
	sql "CREATE DATABASE $database"
	mkdir "$name"
	cp "$DATA"/*.csv orgs.csv "$name/"
	(
		cd "$name"
		export CSVP_DATABASE_URL="host='$socket' user=csvp dbname=$database" CSVP_HOME="$WORK/$name/home" HOME="$WORK/$name"
		csvp-admin migrate -q
		python3 "$TESTS/integration/07-manual.py" "$page"
	) || FAILED=yes
done
