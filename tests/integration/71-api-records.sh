#!/bin/bash
# Records and searches by the HTTP API, through nginx and FastCGI with workers beside them: edits and conditions, what
# is refused and how, searches in all forms; with the index in PostgreSQL, then in Elasticsearch. The requests are in
# 71-api-records.py.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
command -v nginx >/dev/null || PATH=$PATH:/usr/sbin
if ! command -v nginx >/dev/null; then
	skip 71-api-records 'no nginx; hint: scripts/packages serve'
	exit 0
fi
serving=
# shellcheck disable=SC2016
at_exit '[ -z "$serving" ] || { kill "$serving" && wait "$serving"; } 2>/dev/null'

answers()
{
	python3 -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1])' "http://127.0.0.1:$1/api/health/live" 2>/dev/null
}

# serve: the port is left in PORT.
serve()
{
	PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	CSVP_API_PORT=$PORT "$TESTS/../scripts/serve" >serve.out 2>serve.err &
	serving=$!
	wait_until answers "$PORT" || { cat serve.err && exit 1; }
}

unserve()
{
	kill "$serving"
	wait "$serving" || :
	serving=
}

cat >things.csv <<'CSV'
Id,Full Name,Founded,Price,Active,Note
1,"Red ""plastic"" box",1990,1.50,true,
2,Red rubber ball,2001,0.30,false,x
3,"Größe, blau",,-2,,"two
lines"
4,blue,1990,,true,x
CSV
printf 'word,n\nsame,1\nsame,2\n' >log.csv
printf 'a,b,text\n"x,y",1.50,one\n/,2,two\n' >pairs.csv
printf 'founded,founded_min,q\n1,10,a\n2,20,b\n' >odd.csv

try()
{
	csvp-run -q -d things -k Id things.csv >/dev/null
	csvp-run -q -d log log.csv >/dev/null
	csvp-run -q -d pairs -k a -k b pairs.csv >/dev/null
	csvp-run -q -d odd -k founded odd.csv >/dev/null
	serve
	python3 "$TESTS/integration/71-api-records.py" "$PORT" "$1" || FAILED=yes
	expect_exit 0 "$1: rows and documents agree after all that" csvp-admin verify
	unserve
	is "$(grep -ciE 'csvp-api: .*(bug|must not)' serve.err || true)" 0 "$1: nothing in the log that must not happen"
}

csvp-admin up -q
try pg
[[ $(csvp-admin psql -Xc '\conninfo') =~ socket\ in\ \"([^\"]+)\" ]]
sql 'CREATE DATABASE other'
with_services elasticsearch
export CSVP_DATABASE_URL="host=${BASH_REMATCH[1]} user=csvp dbname=other"
csvp-admin migrate -q
try elasticsearch
