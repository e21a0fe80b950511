#!/bin/bash
# A POSIX shell reports only the last program's exit status: it tells the truth about every stage, whether that failed
# or was killed, and wherever in its work.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
csvp-admin up -q
sh=$(command -v dash || command -v sh)
mkdir shim
printf 'id,name\n1,a\n2,b\n' >good.csv
printf 'id,name\n1,a\n2,"open\n' >bad.csv
printf 'id,name\n1,a\n,b\n' >reject.csv
{
	echo 'id,name'
	seq -f '%g,a name that fills the line' 1 20000
} >many.csv

# pipeline ARGS...: the pipeline of the README under a POSIX shell; its exit status in `status`, what came out in refs.
pipeline()
{
	status=$(PATH="$WORK/shim:$PATH" "$sh" -c 'csvp-upload -q "$@" | csvp-split -q --chunk-bytes 20k | csvp-load -q -j2 |
		csvp-index -q -j2 >refs; echo $?' sh "$@" 2>said)
}

# tells CODE NAME ARGS...: the pipeline's exit status is CODE.
tells()
{
	local code=$1 name=$2
	shift 2
	pipeline "$@"
	is "$status" "$code" "$name"
}

# as STAGE SCRIPT: from now on the stage is this script; $real is the program itself.
as()
{
	printf '#!/bin/bash\nreal=%q\n%s\n' "$B/bin/csvp-$1" "$2" >"shim/csvp-$1"
	chmod +x "shim/csvp-$1"
}

tells 0 'all is well' -d good -k id good.csv
is "$(cat said)" '' 'all is well: silent'
tells 65 'the file is no CSV' bad.csv
tells 65 'rejects over the limit' -d reject -k id reject.csv
tells 65 'the same again' -d reject -k id reject.csv
tells 3 'rejects within the limit' -d reject -k id --max-rejects 1 reject.csv
tells 66 'the file is missing' nowhere.csv
tells 66 'one of two files is missing' -d two nowhere.csv good.csv
is "$(sql 'SELECT count(*) FROM two')" 2 'one of two files is missing: the other one is loaded'
tells 64 'a wrong option' --nonsense good.csv

# A stage that fails, or is killed, before its first line.
number=0
for stage in upload split load index; do
	for end in 'exit 74' 'kill -KILL $$' 'kill -TERM $$'; do
		number=$((number + 1))
		as "$stage" "$end"
		case $stage/$end in
		index/exit*) code=74 ;;
		index/*KILL*) code=137 ;;
		index/*TERM*) code=143 ;;
		*) code=75 ;;
		esac
		tells "$code" "csvp-$stage: $end at once" -d "early$number" -k id good.csv
		rm "shim/csvp-$stage"
		tells 0 "csvp-$stage: $end at once; then again" -d "early$number" -k id good.csv
	done
done

# The program itself, killed in the middle of its work: after some of its lines, before the last one.
for stage in split load index; do
	# Into a table that has its key: else csvp-index waits for the chunks that nobody loads, and says so of each.
	tells 0 "csvp-$stage: a dataset to be killed in" -d "middle_$stage" -k id good.csv
	# shellcheck disable=SC2016
	as "$stage" 'mkfifo lines.$$
		"$real" "$@" <&0 >lines.$$ &
		exec 3<lines.$$
		for i in 1 2 3; do read -r line <&3 && echo "$line"; done
		kill -KILL $!
		wait $!'
	tells "$([ "$stage" = index ] && echo 137 || echo 75)" "csvp-$stage: killed in the middle" -d "middle_$stage" -k id many.csv
	rm "shim/csvp-$stage"
	tells 0 "csvp-$stage: killed in the middle; then again" -d "middle_$stage" -k id many.csv
	is "$(sql "SELECT count(*) FROM middle_$stage")" 20000 "csvp-$stage: killed in the middle; then again: every record"
done

# csvp-load is killed while the server still works for it: its chunk is held, but nobody will load it. csvp-index does not
# take that for somebody's work.
tells 0 'a dataset to be held' -d held -k id good.csv
job=$(csvp-upload -q -d held -k id many.csv)
csvp-split -q --chunk-bytes 20k "$job" >refs
csvp-load -q "$job/0" >refs || :
coproc psql { csvp-admin psql -XAtq; }
# shellcheck disable=SC2154
echo 'BEGIN; LOCK TABLE held IN SHARE MODE; SELECT 1;' >&"${psql[1]}"
read -r _ <&"${psql[0]}"
got=0
{
	echo "$job/0"
	sh -c 'echo $$ >pid.load; exec csvp-load -q -j1 "$1"' sh "$job/1" || :
} | sh -c 'echo $$ >pid.index; exec csvp-index -q' >refs 2>said &
pipe=$!
# One of them waits for the table; where others see it, this is asked in the server.
asked()
{
	[ "$(sql "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1)")" = t ]
}
index_looks()
{
	! kill -0 "$(cat pid.index)" 2>/dev/null || asked "application_name LIKE 'csvp-index %' AND query LIKE '%csvp.job_status%'"
}
wait_until asked "application_name LIKE 'csvp-load %' AND wait_event_type = 'Lock'"
kill -KILL "$(cat pid.load)"
wait_until index_looks
echo 'ROLLBACK;' >&"${psql[1]}"
wait "$pipe" || got=$?
is "$got" 75 'csvp-load: killed while its session waits'
matches "$(cat said)" "job $job: .* not loaded.*csvp-load $job" 'csvp-load: killed while its session waits: says what to do'
tells 0 'csvp-load: killed while its session waits; then again' -d held -k id many.csv
eval "exec ${psql[1]}>&-"

# One stage alone has a wrong option, or does not reach the database.
for stage in split load index; do
	# shellcheck disable=SC2016
	as "$stage" 'exec "$real" --nonsense "$@"'
	tells 64 "csvp-$stage: a wrong option" -d "option_$stage" good.csv
	# shellcheck disable=SC2016
	as "$stage" 'PGHOST=$WORK/nowhere exec "$real" "$@"'
	tells 75 "csvp-$stage: no database" -d "option_$stage" good.csv
	rm "shim/csvp-$stage"
	tells 0 "csvp-$stage: no database; then again" -d "option_$stage" good.csv
	is "$(sql "SELECT count(*) FROM option_$stage")" 2 "csvp-$stage: no database; then again: every record once"
done

# Failure lines of others are passed on as they are, each stage exits with the worst code, and adds none of its own.
for stage in split load index; do
	got=0
	printf '!- 66\n!4711/3 74\n!4711 65\n' | "csvp-$stage" -q >refs 2>said || got=$?
	is "$got" 74 "csvp-$stage: the worst of what it is handed"
	is "$(cat refs)" $'!- 66\n!4711/3 74\n!4711 65' "csvp-$stage: passes failure lines on"
	is "$(cat said)" '' "csvp-$stage: says nothing of what others have told"
	got=0
	"csvp-$stage" -q </dev/null >refs 2>said || got=$?
	is "$got $(cat refs)" '75 !- 75' "csvp-$stage: stdin without any line"
	matches "$(cat said)" 'without any reference' "csvp-$stage: stdin without any line: says so"
	got=0
	printf '%s\n' '!x' | "csvp-$stage" -q >refs 2>said || got=$?
	is "$got $(cat refs)" '64 !- 64' "csvp-$stage: a line that is no reference"
done
expect_exit 65 'csvp-upload: an empty stdin is an empty file' "$sh" -c \
	'csvp-upload -q -d nothing - </dev/null | csvp-split -q | csvp-load -q | csvp-index -q'

# Under cron: no environment, no terminal, no stdin; success is silent, failure is not.
cron()
{
	expect_exit "$1" "$2" env -i PATH="$PATH" CSVP_HOME="$CSVP_HOME" sh -c "$3" </dev/null
}
cron 0 'cron: csvp-run' 'csvp-run -q -d cron -k id good.csv'
is "$(cat out err)" '' 'cron: csvp-run is silent'
is "$(sql 'SELECT count(*) FROM cron')" 2 'cron: the records are there'
cron 0 'cron: csvp-run again' 'csvp-run -q -d cron -k id good.csv'
is "$(cat out err)" '' 'cron: csvp-run again is silent'
cron 0 'cron: csvp-run --resume' 'csvp-run -q --resume'
is "$(cat out err)" '' 'cron: csvp-run --resume is silent'
cron 0 'cron: csvp-run --json' 'csvp-run -q --json -d cron -k id good.csv | cut -d, -f2-3'
is "$(cat out err)" '"dataset":"cron","state":"done"' 'cron: csvp-run --json prints what it was asked for'
cron 65 'cron: a bad file' 'csvp-run -q -d cron_bad bad.csv'
matches "$(cat out)" '^![0-9]+ 65$' 'cron: the job of a bad file is told'
matches "$(cat err)" 'bad\.csv: line 3, byte 14' 'cron: a bad file is told'
cron 0 'cron: the pipeline' 'csvp-upload -q -d pipe good.csv | csvp-split -q | csvp-load -q | csvp-index -q >/dev/null'
is "$(cat out err)" '' 'cron: the pipeline is silent'

# An ordinary user without even HOME: /etc/passwd knows the folder, here one of this test's own, seen by these programs only.
uid=$(id -u)
apart=(unshare -m --map-current-user)
as=()
if [ "$uid" -eq 0 ]; then
	uid=54321
	apart=(unshare -m)
	as=(setpriv --reuid="$uid" --regid="$uid" --clear-groups)
fi
mkdir person
cp good.csv person/
chmod 755 person
[ "$(id -u)" -ne 0 ] || chown -R "$uid:$uid" person
{
	echo "person:x:$uid:$uid::$WORK/person:/bin/sh"
	grep -v "^[^:]*:[^:]*:$uid:" /etc/passwd
} >passwd
# person COMMAND: as that user, with nothing but a PATH.
person()
{
	# shellcheck disable=SC2016
	"${apart[@]}" sh -c 'mount --bind "$1" /etc/passwd && shift && exec "$@"' sh "$WORK/passwd" \
		"${as[@]}" env -i PATH="$PATH" sh -c "cd person && $1" </dev/null
}
if person true 2>/dev/null; then
	at_exit 'person "csvp-admin down -q"'
	expect_exit 0 'no HOME: csvp-run' person 'csvp-run -q -d cron -k id good.csv'
	is "$(cat out err)" '' 'no HOME: csvp-run is silent, although it has made its PostgreSQL'
	check 'no HOME: all of it is where the user lives' test -d person/.local/share/csvp/postgres
	is "$(person 'csvp-search -d cron --count')" 2 'no HOME: the records are there'
	expect_exit 0 'no HOME: csvp-admin down' person 'csvp-admin down -q'
else
	skip 'no HOME: csvp-run' 'this machine lets nobody have a mount of his own'
fi

# What cannot be told has failed: standard output that is full or closed. A closed standard input is no empty file.
# shellcheck disable=SC2016
{
	expect_exit 74 'csvp-run with a full standard output' sh -c 'csvp-run -d streams good.csv >/dev/full'
	matches "$(cat err)" 'standard output: No space left on device' 'csvp-run with a full standard output: says why'
	expect_exit 74 'csvp-run with a closed standard output' sh -c 'csvp-run -d streams good.csv >&-'
	expect_exit 0 'csvp-run with a closed standard input does not need it' sh -c 'csvp-run -d streams good.csv <&-'
	expect_exit 74 'csvp-upload of a closed standard input' sh -c 'csvp-upload -q -d closed - <&-'
	is "$(sql "SELECT count(*) FROM csvp.job_status WHERE dataset_name = 'closed'")" 0 \
		'csvp-upload of a closed standard input: no job'
}

# The server that a program starts holds nothing of its caller: neither the pipe of $(...) nor a lock.
csvp-admin down -q
# shellcheck disable=SC2016
expect_exit 0 'csvp-upload in backquotes returns although PostgreSQL was started' timeout 60 sh -c \
	'id=$(csvp-upload -d dollar good.csv) && echo "$id"'
matches "$(cat err)" 'started the private PostgreSQL' 'csvp-upload in backquotes: PostgreSQL was started'
matches "$(cat out)" '^[0-9]+$' 'csvp-upload in backquotes: prints the job'
csvp-admin down -q
expect_exit 0 'flock returns although PostgreSQL was started' timeout 60 flock lock csvp-upload -d dollar good.csv
matches "$(cat err)" 'started the private PostgreSQL' 'flock: PostgreSQL was started'
expect_exit 0 'flock: the lock is free again' flock -n lock true
