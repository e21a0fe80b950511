#!/bin/bash
# csvp-api behind nginx and Apache, each with what csvp-api(1) tells to write, by port and by socket; and how scripts/serve ends.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api.sh
. "$TESTS/api.sh"
setup
PATH=$PATH:/usr/sbin
WAIT_SECONDS=120
modules=/usr/lib/apache2/modules
page=$(cd "$TESTS/../man" && pwd)/csvp-api.1

# told SERVER: the example of the page for it.
told()
{
	sed -n "/^$1 /,/^\\.Ed/p" "$page" | sed '1,/^\.Bd/d; /^\.Ed/d'
}

nginx_configuration()
{
	cp /etc/nginx/fastcgi_params .
	cat <<-END
		daemon off;
		pid $WORK/nginx.pid;
		error_log stderr;
		events {}
		http {
		    access_log off;
		    client_body_temp_path $WORK/spool;
		    fastcgi_temp_path $WORK/temp;
		    proxy_temp_path $WORK/temp;
		    uwsgi_temp_path $WORK/temp;
		    scgi_temp_path $WORK/temp;
		    server {
		        listen 127.0.0.1:$port;
		        $(told nginx | sed "s,127.0.0.1:9000,$(if [ "$by" = socket ]; then echo "unix:$address"; else echo "$address"; fi),")
		    }
		}
	END
}

Apache_configuration()
{
	local module
	cat <<-END
		ServerRoot $WORK
		ServerName localhost
		DefaultRuntimeDir $WORK
		PidFile $WORK/apache.pid
		ErrorLog /dev/stderr
		User www-data
		Group www-data
		Listen 127.0.0.1:$port
	END
	for module in mpm_event authz_core proxy proxy_fcgi; do
		echo "LoadModule ${module}_module $modules/mod_$module.so"
	done
	echo "<VirtualHost 127.0.0.1:$port>"
	if [ "$by" = socket ]; then
		told Apache | sed "s,fcgi://127.0.0.1:9000/,unix:$address|fcgi://localhost/,"
	else
		told Apache | sed "s,127.0.0.1:9000,$address,"
	fi
	echo '</VirtualHost>'
}

answered()
{
	[ "$(curl -s -o body -w '%{http_code}' "$U/api/health/ready")" = 200 ]
}

# start_behind COMMAND...: csvp-api, and the web server in front of it.
start_behind()
{
	(umask 0 && exec csvp-api --listen "$address") 2>api.log &
	BEHIND=($!)
	"$@" >server.log 2>&1 &
	BEHIND+=($!)
	# shellcheck disable=SC2016
	at_exit 'kill "${BEHIND[@]}" 2>/dev/null; wait'
	wait_until answered
}

uploading()
{
	[ "$(sql "SELECT count(*) FROM csvp.job WHERE state = 'uploading'")" -eq 1 ]
}

# halves PORT PATH TOKEN: an upload of which the second half comes after a line from standard input; prints the status.
halves()
{
	python3 -c 'import http.client, sys
half = b"a line of text\n" * 100000
client = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
client.putrequest("POST", sys.argv[2])
client.putheader("Authorization", "Bearer " + sys.argv[3])
client.putheader("Content-Type", "text/csv")
client.putheader("Content-Length", str(2 * len(half)))
client.endheaders()
client.send(half)
sys.stdin.readline()
client.send(half)
print(client.getresponse().status)' "$@"
}

# passes_on STATUS [COMMAND...]: an upload of which half has come is under way: the web server does not keep it until it is whole.
# The command is run then; the upload is answered with that status.
passes_on()
{
	local want=$1 sender
	shift
	mkfifo go
	halves "$port" "/api/datasets/slow_$name/uploads" "$TOKEN" <go >status &
	sender=$!
	exec {go}>go
	check "$MODE: an upload goes on before it is whole" wait_until uploading
	"$@"
	echo >&"$go"
	exec {go}>&-
	wait "$sender" || :
	is "$(cat status)" "$want" "$MODE: and is answered"
	rm go
}

for server in nginx Apache; do
	if ! command -v nginx >/dev/null && [ "$server" = nginx ] || [ ! -e "$modules/mod_proxy_fcgi.so" ] && [ "$server" = Apache ]; then
		skip "$server" 'it is not here; hint: scripts/packages test'
		continue
	fi
	check "$server: there is an example in the page" test -n "$(told "$server")"
	for by in port socket; do
		MODE=$server-$by
		name=${by}_${server,,}
		port=$(free_port)
		U=http://127.0.0.1:$port
		address=$WORK/$MODE.sock
		[ "$by" = socket ] || address=127.0.0.1:$(free_port)
		"${server}_configuration" >"$server.conf"
		command=(nginx -c "$WORK/nginx.conf")
		[ "$server" = nginx ] || command=(apache2 -DFOREGROUND -f "$WORK/Apache.conf")
		if ! start_behind "${command[@]}"; then
			not_ok "$MODE: it serves" "$(cat server.log api.log)"
			continue
		fi
		TOKEN=
		answers 401 'nobody comes in without a token' GET /api/datasets
		TOKEN=$(csvp-admin token create "$MODE" --scope write)
		answers 202 'a form' POST "/api/datasets/form_$name/uploads" -F key=name -F file=@"$DATA/countries.csv"
		csvp-run -q --resume
		answers 201 'a record whose key has a slash' POST "/api/datasets/form_$name/records" -H 'Content-Type: application/json' \
			-d '{"name":"a/b c","code":"ZZ"}'
		answers 200 'is found by it' GET "/api/datasets/form_$name/records/a%2Fb%20c"
		passes_on 202
		csvp-run -q --resume
		answers 404 'what is not there is told by the API' GET /nothing
		kill "${BEHIND[@]}"
		wait "${BEHIND[@]}" || :
	done
done

# Its client is to come again: told by its supervisor, and as a terminal tells the whole group on Ctrl-C.
name=served
TOKEN=$(csvp-admin token create served --scope write)
for signal in TERM INT; do
	set -m
	serve CSVP_API_ANONYMOUS=none SERVE_WORKERS=no
	set +m
	MODE=$signal
	port=${U##*:}
	group=$SERVE_PID
	[ "$signal" = TERM ] || group=-$SERVE_PID
	passes_on 503 kill "-$signal" -- "$group"
	status=0
	wait "$SERVE_PID" || status=$?
	SERVE_PID=
	is "$status" 0 "$signal: scripts/serve answers what is under way first"
done
