#!/bin/bash
# The pages people see, in a browser: Swagger UI at /api/docs/ and the jobs page at /jobs, over a real server with workers.
# TEST_PICTURES=FOLDER keeps the screenshots.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api.sh
. "$TESTS/api.sh"
setup
if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
	skip '73-api-pages' 'no chromium or no chromedriver; hint: scripts/packages test'
	exit 0
fi
{
	echo 'id,name,country,founded'
	for i in $(seq 57); do
		printf '%d,"Company %d, Ltd",%s,%s\n' "$i" "$i" "$([ $((i % 3)) -eq 0 ] && echo Denmark || echo Kenya)" "$((1950 + i))"
	done
} >companies.csv
sed 's/^\(5\|17\),\(.*\),[0-9]*$/\1,\2,unknown/' companies.csv >flawed.csv
serve
python3 "$TESTS/integration/73-api-pages.py" "$U" "$WORK" "${TEST_PICTURES:-}"
token=$(csvp-admin token create page --scope write)
serve CSVP_API_ANONYMOUS=none
python3 "$TESTS/integration/73-api-pages.py" "$U" "$WORK" '' "$token"
