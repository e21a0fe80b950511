#!/bin/bash
# Uploads by the HTTP API, as plain CGI and under FastCGI: forms and raw bodies, the options of csvp-upload, names that make
# them safe to send again, clients that go away, what is refused; in bounded memory, and about as fast as csvp-upload.
# LONG=1: 1 GB instead of 100 MB.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api.sh
. "$TESTS/api.sh"
setup
csv='Content-Type: text/csv'

# location: of the last answer, as an id.
location()
{
	sed -n 's|^Location: /api/jobs/\([0-9]*\).*|\1|p' ./head
}

# stored: objects in the store, whole or not.
stored()
{
	find "$CSVP_HOME/store" -type f | wc -l
}

no_upload_under_way()
{
	[ "$(sql "SELECT count(*) FROM csvp.job WHERE state = 'uploading'")" -eq 0 ]
}

kinds()
{
	answers 202 'a form' POST "/api/datasets/form_$MODE/uploads" -F key=id -F "file=@$DATA/navaids.csv;filename=\"näv \\\"1\\\".csv\""
	matches "$(cat head)" '^Retry-After: [0-9]' "$MODE: a form: when to ask again"
	is "$(location)" "$(json 'it["id"]')" "$MODE: a form: where its job is"
	is "$(json 'it["file"]')" 'näv "1".csv' "$MODE: a form: the file's name is what the user calls it"
	answers 200 'a form: its job' GET "/api/jobs/$(location)?wait=60"
	is "$(json '[it["state"], it["records"], it["inserted"], it["indexed"]]')" '["done", 11008, 11008, 11008]' "$MODE: a form: the workers do the rest"
	answers 202 'a raw body' POST "/api/datasets/raw_$MODE/uploads?key=id&file=n.csv" -H "$csv" --data-binary "@$DATA/navaids.csv"
	is "$(json '[it["file"], it["bytes"]]')" "[\"n.csv\", $(wc -c <"$DATA/navaids.csv")]" "$MODE: a raw body: its name and length"
	is "$(json 'it["sha256"]')" "$(sha256sum "$DATA/navaids.csv" | cut -d' ' -f1)" "$MODE: a raw body: its digest"
	answers 202 'gzip as a type' POST "/api/datasets/gz_$MODE/uploads?key=id" -H 'Content-Type: application/gzip' --data-binary @n.csv.gz
	answers 202 'zstd as a type' POST "/api/datasets/zst_$MODE/uploads?key=id" -H 'Content-Type: application/zstd' --data-binary @n.csv.zst
	answers 202 'gzip as a coding' POST "/api/datasets/coded_$MODE/uploads?key=id" -H "$csv" -H 'Content-Encoding: gzip' --data-binary @n.csv.gz
	answers 202 'gzip in a form' POST "/api/datasets/formgz_$MODE/uploads?key=id" -F file=@n.csv.gz
	if [ "$MODE" = cgi ]; then
		answers 411 'without a length: lighttpd, which streams, wants one' POST "/api/datasets/chunked_$MODE/uploads?key=id" -H "$csv" \
			-H 'Transfer-Encoding: chunked' --data-binary "@$DATA/navaids.csv"
		matches "$(json 'it["detail"]')" 'Content-Length' "$MODE: and says so"
	else
		answers 202 'without a length, from a pipe' POST "/api/datasets/chunked_$MODE/uploads?key=id" -H "$csv" -T - <"$DATA/navaids.csv"
		is "$(json 'it["bytes"]')" "$(wc -c <"$DATA/navaids.csv")" "$MODE: is whole"
	fi
	answers 202 'options in the query' POST "/api/datasets/opt_$MODE/uploads?key=id&delimiter=%3B&type=founded%3Dtext&null=-&no-header=false&skip-lines=1&pad=true" \
		-H "$csv" --data-binary @options.csv
	for id in $(sql "SELECT id FROM csvp.job WHERE error IS NULL"); do
		api GET "/api/jobs/$id?wait=60"
		[ "$(json 'it["state"]')" = 'done' ] || not_ok "$MODE: job $id is done" "$(cat body)"
	done
	is "$(sql "SELECT * FROM opt_$MODE ORDER BY id")" "$(printf '1|1999||%d\n2||b|%d' "$(sql "SELECT _version FROM opt_$MODE WHERE id = 1")" \
		"$(sql "SELECT _version FROM opt_$MODE WHERE id = 2")")" "$MODE: options are those of csvp-upload"
	is "$(sql "SELECT pg_typeof(founded) FROM opt_$MODE LIMIT 1")" text "$MODE: the type of a column, too"
	is "$(sql "SELECT count(*) FROM gz_$MODE" "SELECT count(*) FROM zst_$MODE" "SELECT count(*) FROM coded_$MODE" \
		"SELECT count(*) FROM formgz_$MODE" | sort -u)" 11008 "$MODE: each is loaded whole"
	expect_exit 0 "$MODE: csvp-admin verify agrees" csvp-admin verify
}

names()
{
	local i pids=()
	answers 202 'a name' POST "/api/datasets/named_$MODE/uploads?key=id" -H "$csv" -H 'Idempotency-Key: "first"' --data-binary @options.csv
	first=$(location)
	answers 202 'the same name again' POST "/api/datasets/named_$MODE/uploads?key=id" -H "$csv" -H 'Idempotency-Key: "first"' --data-binary @options.csv
	is "$(location)" "$first" "$MODE: the same name again: the same job"
	answers 422 'the same name with another file' POST "/api/datasets/named_$MODE/uploads?key=id" -H "$csv" -H 'Idempotency-Key: "first"' --data-binary @other.csv
	answers 422 'the same name with other options' POST "/api/datasets/named_$MODE/uploads?key=id&pad=true" -H "$csv" -H 'Idempotency-Key: "first"' --data-binary @options.csv
	answers 400 'a name that is too long' POST "/api/datasets/named_$MODE/uploads" -H "$csv" -H "Idempotency-Key: $(printf %0300d 1)" --data-binary @options.csv
	for i in 1 2 3 4 5 6; do
		curl -s -o "once.$i" -H "$csv" -H 'Idempotency-Key: once' --data-binary "@$DATA/navaids.csv" "$U/api/datasets/once_$MODE/uploads?key=id&force=true" &
		pids+=($!)
	done
	wait "${pids[@]}"
	is "$(cat once.? | grep -o '"id":[0-9]*' | sort | uniq -c | tr -s ' ' | sed 's/"id":.*/id/')" ' 6 id' "$MODE: six at once with one name: one job"
	is "$(sql "SELECT count(*) FROM csvp.job j JOIN csvp.dataset d ON d.id = j.dataset WHERE d.name = 'once_$MODE'")" 1 "$MODE: and no other"
	wait_until no_upload_under_way
}

refused()
{
	local objects jobs datasets u=/api/datasets/refused_$MODE/uploads
	objects=$(stored) jobs=$(sql 'SELECT count(*) FROM csvp.job') datasets=$(sql 'SELECT count(*) FROM csvp.dataset')
	answers 400 'no body' POST "$u" -H "$csv" -d ''
	answers 400 'an empty file in a form' POST "$u" -F file=@empty
	answers 400 'a form without a file' POST "$u" -F key=id
	answers 400 'an option behind the file' POST "$u" -F file=@options.csv -F key=id
	answers 400 'two files' POST "$u" -F file=@options.csv -F file=@other.csv
	answers 400 'an unknown field' POST "$u" -F keys=id -F file=@options.csv
	answers 400 'a form that breaks off' POST "$u" -H 'Content-Type: multipart/form-data; boundary=B' --data-binary @broken.form
	answers 400 'a form without a boundary' POST "$u" -H 'Content-Type: multipart/form-data' --data-binary @broken.form
	answers 400 'an unknown option' POST "$u?keys=id" -H "$csv" --data-binary @options.csv
	answers 400 'a delimiter of two bytes' POST "$u?delimiter=%3B%3B" -H "$csv" --data-binary @options.csv
	matches "$(json 'it["detail"]')" '(^|[^-])delimiter' "$MODE: named as the query has it"
	check "$MODE: and not as the programs do" test "$(json '"--" in it["detail"]')" = false
	answers 400 'a flag that is neither' POST "$u?pad=1" -H "$csv" --data-binary @options.csv
	answers 400 'an unknown type' POST "$u?type=a%3Dnothing" -H "$csv" --data-binary @options.csv
	answers 400 'an encoding that iconv does not know' POST "$u?encoding=nothing" -H "$csv" --data-binary @options.csv
	answers 404 'a dataset that is to exist' POST "$u?existing=true" -H "$csv" --data-binary @options.csv
	answers 415 'JSON' POST "$u" -H 'Content-Type: application/json' -d '{}'
	answers 415 'a form of the other kind' POST "$u" -d key=id
	answers 415 'an unknown coding' POST "$u" -H "$csv" -H 'Content-Encoding: br' --data-binary @options.csv
	answers 422 'a zip' POST "$u" -H "$csv" --data-binary @zip
	answers 422 'gzip that breaks off' POST "$u" -H 'Content-Type: application/gzip' --data-binary @cut.gz
	answers 422 'UTF-16 that nobody has named' POST "$u" -H "$csv" --data-binary @utf16
	answers 422 'another key' POST "/api/datasets/form_$MODE/uploads?key=name" -H "$csv" --data-binary "@$DATA/navaids.csv"
	# The answer is there before the body is sent, and is looked at all the same.
	for _ in 1 2 3 4 5; do
		answers 400 'an unknown option of a long file' POST "$u?keys=id" -H "$csv" -T large.csv
		answers 400 'an unknown field before a long file' POST "$u" -F keys=id -F file=@large.csv
		answers 404 'a long file for a dataset that is to exist' POST "$u?existing=true" -H "$csv" -T large.csv
	done
	is "$(stored) $(sql 'SELECT count(*) FROM csvp.job' 'SELECT count(*) FROM csvp.dataset' | paste -sd' ')" "$objects $jobs $datasets" "$MODE: of all that nothing is left"
	TOKEN=csvp_nothing
	answers 401 'a token that is none' POST "$u" -H "$csv" --data-binary @options.csv
	answers 401 'a token that is none, with a long file' POST "$u" -H "$csv" -T large.csv
	TOKEN=
}

# A client that goes away in the middle of its body: of 50 MB it sends 5.
gone()
{
	local objects
	wait_until no_upload_under_way
	objects=$(stored)
	for body in raw form; do
		python3 - "$U" "$body" <<-'END'
			import socket, sys, urllib.parse
			at = urllib.parse.urlsplit(sys.argv[1])
			form = sys.argv[2] == 'form'
			s = socket.create_connection((at.hostname, at.port))
			s.sendall(b'POST /api/datasets/cut/uploads?key=id HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\nContent-Type: '
				+ (b'multipart/form-data; boundary=B' if form else b'text/csv') + b'\r\n\r\n'
				+ (b'--B\r\nContent-Disposition: form-data; name=file; filename=x\r\n\r\n' if form else b'') + b'id,name\r\n')
			s.sendall(b''.join(b'%d,name %d\r\n' % (n, n) for n in range(250000)))
			s.close()
		END
		wait_until gone_again "$objects"
		is "$(stored) $(sql "SELECT count(*) FROM csvp.dataset WHERE name = 'cut'" \
			"SELECT count(*) FROM csvp.job WHERE state = 'uploading'" | paste -sd' ')" "$objects 0 0" "$MODE: a client that has gone ($body) leaves nothing"
	done
}

gone_again()
{
	no_upload_under_way && [ "$(stored)" -eq "$1" ] && [ "$(sql "SELECT count(*) FROM csvp.dataset WHERE name = 'cut'")" -eq 0 ]
}

# peak: of the FastCGI process, MB.
peak()
{
	awk '/^VmHWM/ { print int(($2 + 1023) / 1024) }' "/proc/$(pgrep -P "$SERVE_PID" csvp-api)/status"
}

crowd()
{
	local i pids=()
	for i in $(seq 20); do
		curl -s -o "crowd.$i" -H "$csv" --data-binary @large.csv "$U/api/datasets/crowd_$i/uploads?key=id" &
		pids+=($!)
	done
	wait "${pids[@]}"
	is "$(cat crowd.* | grep -o '"id":[0-9]*' | sort -u | wc -l)" 20 "$MODE: twenty uploads at once"
	is "$(sql "SELECT count(DISTINCT dataset), sum(bytes) FROM csvp.job WHERE file = '-' AND id >= $(cat crowd.* | grep -o '"id":[0-9]*' | cut -d: -f2 | sort -n | head -1)")" \
		"20|$((20 * $(wc -c <large.csv)))" "$MODE: each of them whole"
	under_san 'memory of twenty uploads' || check "$MODE: in $(peak) MB, at most 64" test "$(peak)" -le 64
}

# seconds COMMAND...
seconds()
{
	local begin=$EPOCHREALTIME
	"$@" >/dev/null
	awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }'
}

# The speed is that of the best of ten pairs, or of the first that is good enough: others may be busy on this machine.
large()
{
	local mb=100 best=0 pairs=0 alone by_api whole
	[ -z "${LONG:-}" ] || mb=1000
	awk -v n=$((mb * 16000)) 'BEGIN { print "id,name,note"; for (i = 0; i < n; i++) printf "%d,\"name of %d, and so on\",%s\n", i, i, "0123456789012345678901234" }' >huge.csv
	whole=$(wc -c <huge.csv)
	until [ $((pairs += 1)) -gt 10 ] || awk -v r="$best" 'BEGIN { exit r < .8 }'; do
		alone=$(seconds csvp-upload -q -d alone -k id huge.csv)
		by_api=$(seconds curl -sf -H "$csv" -X POST "$U/api/datasets/huge/uploads?key=id" -T huge.csv)
		echo "# $mb MB: csvp-upload $alone s, the API $by_api s"
		is "$(sql "SELECT bytes FROM csvp.job j JOIN csvp.dataset d ON d.id = j.dataset WHERE d.name = 'huge'")" "$whole" "$MODE: $mb MB"
		csvp-admin dataset drop alone
		csvp-admin dataset drop huge
		best=$(awk -v r="$best" -v a="$alone" -v b="$by_api" 'BEGIN { print (a / b > r ? a / b : r) }')
	done
	# A quiet machine shows 0.8 and more.
	under_san 'the speed of uploads' || check "$MODE: at $best of csvp-upload's speed, at least 0.5" awk -v r="$best" 'BEGIN { exit r < .5 }'
	under_san 'memory of uploads' || check "$MODE: in $(peak) MB, at most 64" test "$(peak)" -le 64
	rm huge.csv
}

limit()
{
	answers 413 'a body that is too long' POST /api/datasets/limit/uploads -H "$csv" --data-binary @large.csv
	answers 413 'a form that is too long' POST /api/datasets/limit/uploads -F file=@large.csv
	answers 202 'one that is not' POST "/api/datasets/limit/uploads?key=id" -H "$csv" --data-binary @options.csv
	is "$(sql "SELECT count(*) FROM csvp.job j JOIN csvp.dataset d ON d.id = j.dataset WHERE d.name = 'limit'")" 1 "$MODE: that one is all there is"
}

# A web server that knows no length says none: the body ends where it ends.
without_length()
{
	local status
	status=$(env GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST REQUEST_URI="/api/datasets/$1/uploads?key=id" CONTENT_TYPE=text/csv \
		HTTP_TRANSFER_ENCODING=chunked CSVP_API_ANONYMOUS=write CSVP_API_MAX_UPLOAD="$2" csvp-api -q <"$3" 2>/dev/null | sed -n '1s/Status: //p')
	is "${status:0:3}" "$4" "$5"
}

gzip -c "$DATA/navaids.csv" >n.csv.gz
zstd -q -c "$DATA/navaids.csv" >n.csv.zst
head -c 20000 n.csv.gz >cut.gz
printf 'a line that is passed over\nid;founded;note\n1;1999;-\n2;-;b\n' >options.csv
printf 'id\n1\n' >other.csv
: >empty
printf 'PK\003\004 and so on' >zip
printf 'id,a\n1,2\n' | iconv -f UTF-8 -t UTF-16 >utf16
printf -- '--B\r\nContent-Disposition: form-data; name=file; filename=x\r\n\r\nid\n1\n' >broken.form
{
	echo id,name
	seq -f '%.0f,a name that is long enough' 150000
} >large.csv

for gateway in '' yes; do
	serve ${gateway:+SERVE_CGI=yes}
	kinds
	names
	refused
	serve_end
	serve ${gateway:+SERVE_CGI=yes} SERVE_WORKERS=no
	gone
	serve_end
done
serve SERVE_WORKERS=no
crowd
large
serve_end
serve SERVE_WORKERS=no CSVP_API_MAX_UPLOAD=1M
limit
serve_end
without_length endless 1G large.csv 202 'a body that says no length'
without_length endless 1M large.csv 413 'one that turns out to be too long'
is "$(sql "SELECT count(*), max(bytes) FROM csvp.job j JOIN csvp.dataset d ON d.id = j.dataset WHERE d.name = 'endless'")" \
	"1|$(wc -c <large.csv)" 'the first of them is whole, the other gone'
