#!/bin/bash
# SIGTERM, SIGINT, SIGHUP: a program that is at work, or waits, leaves in 2 seconds with 143 or 130; what it had begun is
# rolled back, and the same command finishes it later.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
csvp-admin up -q
coproc psql { csvp-admin psql -XAtq; }

# answer MARK STATEMENT: in the session that is open; returns when it is done.
answer()
{
	local line=
	printf "%s;SELECT '%s';\n" "$2" "$1" >&"${psql[1]}"
	while [ "$line" != "$1" ]; do
		read -r line <&"${psql[0]}"
	done
}

# hold STATEMENT: its locks, until `release`.
hold()
{
	answer held "BEGIN;$1"
}

release()
{
	answer released ROLLBACK
}

# begin COMMAND...: in the background, with the signals a terminal's program has; its process is $pid.
begin()
{
	env --default-signal=INT,HUP,TERM "$@" <&0 >out 2>err &
	pid=$!
}

waits()
{
	[ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '$1 %' AND wait_event_type = 'Lock'")" -gt 0 ]
}

# ends SIGNAL NAME: send it; the exit status is the signal's, in bounded time, and no session stays behind.
ends()
{
	local code=143 start=$EPOCHREALTIME got=0 took
	[ "$1" != INT ] || code=130
	kill "-$1" "$pid"
	wait "$pid" || got=$?
	took=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')
	is "$got" "$code" "$2: exit status"
	under_san "$2: within 2 seconds" || check "$2: within 2 seconds ($took)" awk -v t="$took" 'BEGIN { exit t >= 2 }'
	wait_until nobody || not_ok "$2: no session is left"
}

# The whole process group, as a terminal does.
ends_group()
{
	local got=0 start=$EPOCHREALTIME took
	kill -INT "$pid"
	wait "${pid#-}" || got=$?
	took=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')
	is "$got" 130 'a pipeline that is interrupted: exit status'
	under_san 'a pipeline that is interrupted: within 2 seconds' ||
		check "a pipeline that is interrupted: within 2 seconds ($took)" awk -v t="$took" 'BEGIN { exit t >= 2 }'
	wait_until nobody || not_ok 'a pipeline that is interrupted: no session is left'
	is "$(cat err)" '' 'a pipeline that is interrupted: silent'
}

# The program catches SIGHUP, SIGINT and SIGTERM.
listens()
{
	local caught
	caught=$(sed -n 's/^SigCgt:[^0-9a-f]*//p' "/proc/$pid/status")
	# The shell that becomes the program catches them, too.
	grep -q '^csvp-' "/proc/$pid/comm" && [ $((0x$caught & 0x4003)) -eq $((0x4003)) ]
}

sleeps()
{
	[ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '$1 %' AND wait_event = 'PgSleep'")" -gt 0 ]
}

nobody()
{
	[ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'csvp-%' AND application_name NOT LIKE 'csvp-admin %'
		AND backend_type = 'client backend'")" -eq 0 ]
}

unfinished()
{
	sql "SELECT pending, running FROM csvp.job_status WHERE id = $1"
}

{
	echo 'id,name'
	seq -f '%g,a name that fills the line' 1 30000
} >many.csv
printf 'id,name\n0,first\n' >first.csv
csvp-run -q -d waits -k id first.csv

# csvp-upload, in the middle of stdin, and while it waits for its dataset.
mkfifo input
for signal in TERM INT HUP; do
	exec {writer}<>input
	begin csvp-upload -q -d piped - <input
	head -c 3000000 /dev/zero >&"$writer" &
	feeder=$!
	uploading()
	{
		[ "$(sql "SELECT count(*) FROM csvp.job WHERE state = 'uploading'")" -gt 0 ]
	}
	wait_until uploading
	wait "$feeder" || :
	ends "$signal" "csvp-upload in the middle of its input, SIG$signal"
	exec {writer}>&-
	is "$(sql "SELECT count(*) FROM csvp.job WHERE file = '-'") $(find home/store -type f | wc -l)" '0 1' \
		"csvp-upload in the middle of its input, SIG$signal: nothing is left"
done
hold "SELECT FROM csvp.dataset WHERE name = 'waits' FOR UPDATE"
begin csvp-upload -q -d waits many.csv
wait_until waits csvp-upload
ends TERM 'csvp-upload that waits for its dataset'
release
is "$(sql 'SELECT count(*) FROM csvp.job') $(find home/store -type f | wc -l)" '1 1' \
	'csvp-upload that waits for its dataset: nothing is left'
job=$(csvp-upload -q -d waits many.csv)
matches "$job" '^[0-9]+$' 'csvp-upload again'

# csvp-split, while it waits for its dataset, for its turn, and for its input.
hold "SELECT FROM csvp.dataset WHERE name = 'waits' FOR UPDATE"
begin csvp-split -q --chunk-bytes 20k "$job"
wait_until waits csvp-split
ends TERM 'csvp-split that waits for its dataset'
is "$(cat out)" "!$job 143" 'csvp-split that waits for its dataset: hands the signal on'
begin csvp-split -q --chunk-bytes 20k "$job"
wait_until waits csvp-split
ends INT 'csvp-split that waits for its dataset, SIGINT'
release
hold "SELECT pg_advisory_xact_lock((2::bigint << 60) | ($job::bigint << 26))"
begin csvp-split -q --chunk-bytes 20k "$job"
wait_until waits csvp-split
ends HUP 'csvp-split that waits for its turn, SIGHUP'
release
exec {writer}<>input
begin csvp-split -q <input
wait_until listens
ends TERM 'csvp-split that waits for a reference'
is "$(cat out)" '!- 143' 'csvp-split that waits for a reference: hands the signal on'
expect_exit 0 'csvp-split again' csvp-split -q --chunk-bytes 20k "$job"
chunks=$(grep -c '' out)

# csvp-load, while it waits for a chunk, for the table, and in the middle of writing.
hold "SELECT pg_advisory_xact_lock((3::bigint << 60) | ($job::bigint << 26))"
begin csvp-load -q "$job/0"
wait_until waits csvp-load
ends TERM 'csvp-load that waits for its chunk'
is "$(cat out)" "!$job/0 143" 'csvp-load that waits for its chunk: hands the signal on'
is "$(cat err)" '' 'csvp-load that waits for its chunk: silent'
release
hold 'LOCK TABLE waits IN SHARE MODE'
begin csvp-load -q -j2 "$job"
wait_until waits csvp-load
ends INT 'csvp-load that waits for the table, SIGINT'
release
is "$(unfinished "$job")" "$chunks|0" 'csvp-load that waits for the table: nothing is loaded, nothing runs'
sql "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.1); RETURN NEW; END'" \
	'CREATE TRIGGER slow BEFORE INSERT ON waits FOR EACH ROW EXECUTE FUNCTION slow()'
begin csvp-load -q -j2 "$job"
wait_until sleeps csvp-load
ends TERM 'csvp-load that is writing'
is "$(unfinished "$job")" "$chunks|0" 'csvp-load that is writing: rolled back'
begin csvp-load -q -j2 "$job"
wait_until sleeps csvp-load
ends HUP 'csvp-load that is writing, SIGHUP'
begin csvp-load -q <input
wait_until listens
ends INT 'csvp-load that waits for a reference, SIGINT'
is "$(sql 'SELECT count(*) FROM waits')" 1 'csvp-load, interrupted: no row is left'
sql 'DROP TRIGGER slow ON waits' 'DROP FUNCTION slow'

# A whole pipeline, as Ctrl-C ends it.
hold 'LOCK TABLE waits IN SHARE MODE'
begin setsid sh -c 'csvp-upload -q -d waits many.csv | csvp-split -q | csvp-load -q | csvp-index -q'
wait_until waits csvp-load
pid=-$pid ends_group
release
expect_exit 0 'csvp-load again' csvp-load -q "$job"
is "$(sql 'SELECT count(*) FROM waits')" 30001 'csvp-load again: every record'

# csvp-index, while it waits for a chunk, and in the middle of writing.
hold "SELECT pg_advisory_xact_lock((3::bigint << 60) | ($job::bigint << 26))"
begin csvp-index -q "$job/0"
wait_until waits csvp-index
ends TERM 'csvp-index that waits for its chunk'
release
hold "LOCK TABLE csvp.doc_$(sql "SELECT id FROM csvp.dataset WHERE name = 'waits'") IN SHARE MODE"
begin csvp-index -q -j2 "$job"
wait_until waits csvp-index
ends INT 'csvp-index that is writing, SIGINT'
release
is "$(sql "SELECT loaded, derived FROM csvp.job_status WHERE id = $job")" "$chunks|indexing" 'csvp-index, interrupted: rolled back'
begin csvp-index -q <input
wait_until listens
ends HUP 'csvp-index that waits for a reference, SIGHUP'
expect_exit 0 'csvp-index again' csvp-index -q "$job"
is "$(sql "SELECT derived, indexed FROM csvp.job_status WHERE id = $job")" 'done|30000' 'csvp-index again: done'
exec {writer}>&-

# csvp-run, which starts them all.
hold 'LOCK TABLE waits IN SHARE MODE'
begin csvp-run -q --force -d waits many.csv
wait_until waits csvp-load
ends TERM 'csvp-run'
release
expect_exit 0 'csvp-run again' csvp-run -q -d waits many.csv
expect_exit 0 'csvp-admin verify' csvp-admin verify

# While the private server is being made: the next program makes it.
eval "exec ${psql[1]}>&-"
export CSVP_HOME=$WORK/new
for signal in TERM KILL; do
	begin csvp-upload -q -d made first.csv
	making()
	{
		compgen -G "$CSVP_HOME/postgres/*" >/dev/null
	}
	wait_until making
	got=0
	kill "-$signal" "$pid"
	wait "$pid" || got=$?
	is "$got" "$([ "$signal" = TERM ] && echo 143 || echo 137)" "the first program, making the server, SIG$signal"
done
expect_exit 0 'the next program makes the server' csvp-run -q -d made first.csv
expect_exit 0 'it can be stopped' csvp-admin down -q
CSVP_HOME=$WORK/home
