#!/bin/bash
# The OpenAPI document under independent programs: a validator; schemathesis, which makes requests of it, right ones and
# wrong ones, and looks whether the answers are what it says; a client that is generated from it.
# 20 examples a route; LONG=1 makes it 200.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api.sh
. "$TESTS/api.sh"
setup
api_tools
csvp-run -q -d regions -k id "$DATA/regions.csv"
printf '"Größe in m",q,sort,page_size,a_min,a,"sel""ect"\n1.5,x,2024-01-01,true,7,8,o''clock\n' >odd.csv
csvp-run -q -d 'odd &% names' -k a odd.csv
admin=$(csvp-admin token create admin --scope admin)
serve SERVE_WORKERS=no CSVP_API_ANONYMOUS=none

curl -s "$U/api/schema/" >plain.json
curl -s -H "Authorization: Bearer $admin" "$U/api/schema/" >whole.json
for document in plain whole; do
	expect_exit 0 "the document is OpenAPI 3.1: $document" "$TOOLS/openapi-spec-validator" --errors all "$document.json"
done
is "$(python3 -c '
import json
d = json.load(open("whole.json"))
print(sorted(n for n in d["components"]["schemas"] if n.startswith("Record_")), d["components"]["schemas"]["Record_regions"]["example"]["code"])')" \
	"['Record_2', 'Record_regions'] AD-02" 'it has a schema and an example for each dataset'

# Some of what a document cannot say is 422: a key that is no column, say. 409 is said.
cat >schemathesis.toml <<'END'
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "410", "412", "415", "422", "503"]

# The column of sort=COL:desc, the cursor of another page, the delimiter that is also the quote: their rules are in words.
[[operations]]
include-path-regex = "/(search|uploads)$"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "409", "410", "422", "503"]

# A file is any bytes: none of them violates a schema.
[[operations]]
include-path-regex = "/uploads$"
checks.negative_data_rejection.enabled = false
END
# walk NAME PHASES OPTION...
walk()
{
	local name=$1 phases=$2 status=0
	shift 2
	"$TOOLS/schemathesis" --config-file schemathesis.toml run "$U/api/schema/" --checks all --phases "$phases" --seed 42 --no-color \
		--max-examples "$([ -n "${LONG:-}" ] && echo 200 || echo 20)" "$@" >st.log 2>&1 || status=$?
	if [ "$status" -eq 0 ]; then
		ok "schemathesis, $name: $(sed -n 's/^  \([0-9]* generated.*\)/\1/p' st.log | head -n 1)"
	else
		not_ok "schemathesis, $name, finds a failure" "$(sed -n '/= FAILURES =/,$p' st.log | head -n 120)"
	fi
}
walk 'one request after the other' examples,coverage,fuzzing -H "Authorization: Bearer $admin"
is "$(grep -c ': request .* 70\|this must not happen' serve.log || :)" 0 'nothing that must not happen has happened'
answers 200 'it answers after that' GET /api/health/live
serve_end

# A client that somebody else's program has written from the document uploads, waits, searches and pages.
serve CSVP_API_ANONYMOUS=write
expect_exit 0 'a client is generated' env PATH="$TOOLS:$PATH" "$TOOLS/openapi-python-client" generate --path plain.json \
	--output-path client --meta none --overwrite
# What it writes encodes paths by a function of the name of one of our parameters (quote), which it forgets.
sed -i '1i from urllib.parse import quote as encoded
s/=quote(str(/=encoded(str(/' client/api/*/*.py
"$TOOLS/python3" "$TESTS/integration/72-api-client.py" "$U" "$DATA/regions.csv" || FAILED=yes
# What an answer names, a job, a record, is asked for next.
walk 'from answer to answer' stateful
serve_end
