#!/bin/bash
# Every verb of the shell has a route, or says why not; every documented route is some verb's (tests/api-parity.txt).
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup

# The subcommands of a program, from its --help.
subcommands()
{
	csvp-admin "$@" --help | sed -n '/^subcommands:$/,/^$/s/^  \([a-z][a-z-]*\).*/\1/p'
}

{
	find "$B/bin" -name 'csvp*' ! -name csvp-admin -printf '%f\n'
	for name in $(subcommands); do
		verbs=$([ "$name" = psql ] || subcommands "$name")
		for verb in ${verbs:-''}; do
			echo "csvp-admin $name $verb"
		done
	done
} | sed 's/ $//' | sort >there
grep -v '^#' "$TESTS/api-parity.txt" | sed 's/: .*//' | sort >here
is "$(comm -23 there here | paste -sd ,)" '' 'every verb of the shell is in the table'
is "$(comm -13 there here | paste -sd ,)" '' 'and the table has no other'
GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=GET REQUEST_URI=/api/schema/ csvp-api </dev/null | sed '1,/^\r$/d' >schema.json
python3 -c '
import json
for path, operations in json.load(open("schema.json"))["paths"].items():
    for method in operations:
        print(method.upper(), path)' | sort >routes
grep -v '^#' "$TESTS/api-parity.txt" | grep -v ': shell only: ' | sed 's/^[^:]*: //; s/, /\n/g' | sort -u >named
is "$(comm -23 named routes | paste -sd ,)" '' 'every route that the table names is documented'
is "$(comm -13 named routes | paste -sd ,)" '' 'every documented route is in the table'
is "$(grep -cE ': shell only: .+|: (GET|POST|PUT|PATCH|DELETE) /' "$TESTS/api-parity.txt")" "$(wc -l <here)" 'what is for the shell only says why'
