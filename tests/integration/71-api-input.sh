#!/bin/bash
# Every route of the document with every kind of wrong request: the right 4xx as a problem document, never a 5xx, nothing of
# the inside told; as plain CGI and under FastCGI.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api.sh
. "$TESTS/api.sh"
setup
csvp-run -q -d regions -k id "$DATA/regions.csv"
admin=$(csvp-admin token create admin --scope admin)
read=$(csvp-admin token create read --scope read)
for mode in SERVE_CGI=yes SERVE_CGI=; do
	serve "$mode" SERVE_WORKERS=no CSVP_API_ANONYMOUS=none
	python3 "$TESTS/integration/71-api-input.py" "$U" "$MODE" "$admin" "$read" || FAILED=yes
	serve_end
done
is "$(sql 'SELECT name FROM csvp.dataset')" regions 'nothing was made or dropped by any of it'
