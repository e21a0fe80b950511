# shellcheck shell=bash
# The HTTP API, served by scripts/serve. After lib.sh:
#
#	serve [NAME=VALUE...]   by scripts/serve, on a free port; U is then its address, MODE fastcgi or cgi (SERVE_CGI=yes).
#	                        What served before ends first. Its output is in WORK/serve.log
#	serve_end               end it, and see that it leaves nothing
#	api METHOD PATH [CURL_OPTION...]   the answer is in WORK/body, WORK/head, and its status in STATUS
#	answers STATUS NAME METHOD PATH [CURL_OPTION...]   a case: the status, and of 4xx and 5xx that it is a problem document
#	json EXPRESSION         of WORK/body: a Python expression over `it`
#
# TOKEN, if set, is shown with each request.
U='' STATUS='' MODE='' TOKEN='' SERVE_PID=''

free_port()
{
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

served()
{
	grep -qs 'Ctrl-C ends it' serve.log || ! kill -0 "$SERVE_PID" 2>/dev/null
}

serve()
{
	local port setting
	[ -z "$SERVE_PID" ] || serve_end
	port=$(free_port)
	U=http://127.0.0.1:$port
	MODE=fastcgi
	for setting; do
		[ "$setting" != SERVE_CGI=yes ] || MODE=cgi
	done
	rm -f serve.log
	env CSVP_API_PORT="$port" "$@" "$TESTS/../scripts/serve" >serve.log 2>&1 &
	SERVE_PID=$!
	# shellcheck disable=SC2016 # at the end it is known
	at_exit '[ -z "$SERVE_PID" ] || kill "$SERVE_PID" 2>/dev/null; wait'
	if ! wait_until served || ! kill -0 "$SERVE_PID" 2>/dev/null; then
		not_ok "$MODE: scripts/serve serves" "$(cat serve.log)"
		exit 1
	fi
}

serve_end()
{
	local status=0
	kill -TERM "$SERVE_PID"
	wait "$SERVE_PID" || status=$?
	is "$status" 0 "$MODE: scripts/serve ends with 0 on SIGTERM"
	SERVE_PID=
	check "$MODE: and nothing of it is left" test -z "$(pgrep -f "csvp-[a]pi.*$WORK|(nginx|lighttpd).*$WORK" || :)"
}

api()
{
	local method=$1 path=$2 given=()
	shift 2
	[ -z "$TOKEN" ] || given=(-H "Authorization: Bearer $TOKEN")
	# lighttpd asks for the length of a body that is not there, too.
	[ "$method$MODE" != POSTcgi ] || [ $# -gt 0 ] || given+=(-d '' -H 'Content-Type:')
	STATUS=$(curl -s --path-as-is -X "$method" -o body -D head -w '%{http_code}' "${given[@]}" "$@" "$U$path") || STATUS="curl $?"
}

answers()
{
	local want=$1 name=$2
	shift 2
	rm -f body head
	api "$@"
	if [ "$STATUS" != "$want" ]; then
		not_ok "$MODE: $name" "expected $want, got $STATUS: $*" "$(head -c 500 body 2>/dev/null)"
	elif [ "$want" -ge 400 ] && [ "$(json 'it["status"]')" != "$want" ]; then
		not_ok "$MODE: $name" "not a problem document: $*" "$(head -c 500 body)"
	else
		ok "$MODE: $name"
	fi
}

json()
{
	python3 -c 'import json, sys; it = json.load(open("body", encoding="utf-8")); v = eval(sys.argv[1])
print(v if isinstance(v, str) else json.dumps(v))' "$1" 2>&1 | tail -n 1
}

# api_tools: the independent programs that the API is tested with, in a folder of the cache; their python3 is in TOOLS.
# requirements.txt has each with its digest. Where they cannot be fetched, the test is skipped.
api_tools()
{
	local wanted=$TESTS/api-requirements.txt folder
	folder=$CSVP_CACHE_DIR/api-tools-$(sha256sum "$wanted" | cut -c 1-12)
	export TOOLS="$folder/bin"
	mkdir -p "$CSVP_CACHE_DIR"
	(
		flock 9
		[ -e "$folder/whole" ] || {
			rm -rf "$folder"
			python3 -m venv "$folder" && "$folder/bin/pip" -q install --require-hashes -r "$wanted" && touch "$folder/whole"
		}
	) 9>"$CSVP_CACHE_DIR/api-tools.lock" >tools.log 2>&1 || {
		skip "$(basename "$0" .sh)" "its tools cannot be fetched: $(tail -n 1 tools.log)"
		exit 0
	}
}
