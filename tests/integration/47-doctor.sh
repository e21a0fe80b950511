#!/bin/bash
# csvp-admin doctor: a line for each thing that is well, will hurt, or stands in the way; 0, 69 or 78.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
csvp-admin up -q

# finds REGEX NAME: a line of the last examination.
finds()
{
	matches "$(cat out)" "$1" "$2"
}

# A home that is well: every line says ok, and says it as JSON, too.
expect_exit 0 'all is well' csvp-admin doctor
is "$(grep -vc '^ok   [a-z]*: ' out || :)" 0 'every finding is ok'
for service in home database store queue search cache work; do
	finds "^ok   $service: " "$service is examined"
done
is "$(find home/store -type f | wc -l)" 0 'nothing stays in the store'
expect_exit 0 'csvp-admin doctor -q' csvp-admin doctor -q
is "$(cat out err)" '' 'is silent when all is well'
csvp-admin doctor --json >json
is "$(head -n 1 json | sed 's/"what":"[^"]*"/"what":"..."/')" '{"grade":"ok","service":"home","what":"...","hint":null}' \
	'--json'

# A setting that a typing mistake has lost.
expect_exit 0 'an unknown name is a warning' env CSVP_STOER_URL=file:///tmp CSVP_ENTIRELY_OWN=1 csvp-admin doctor -q
is "$(sort out)" "warn configuration: unknown name CSVP_ENTIRELY_OWN in the environment; hint: csvp-admin config lists the names
warn configuration: unknown name CSVP_STOER_URL in the environment; hint: did you mean CSVP_STORE_URL" 'of which the nearest is named'
expect_exit 0 'csvp-admin config' env CSVP_STOER_URL=file:///tmp csvp-admin config
is "$(cat err)" 'csvp-admin config: unknown name CSVP_STOER_URL in the environment; hint: did you mean CSVP_STORE_URL' \
	'says it, too'

expect_exit 78 'a rate that is none' env CSVP_INDEX_RATE=fast csvp-admin doctor
matches "$(cat out)" "^FAIL configuration: CSVP_INDEX_RATE: .*'fast'" 'is named'

# Settings.
sql "ALTER DATABASE postgres SET default_transaction_isolation = 'repeatable read'" "ALTER SYSTEM SET fsync = off" \
	"ALTER SYSTEM SET autovacuum = off" 'SELECT pg_reload_conf()' >/dev/null
reloaded()
{
	[ "$(sql 'SHOW fsync' 'SHOW autovacuum' | tr '\n' ' ')" = 'off off ' ]
}
wait_until reloaded
expect_exit 0 'settings that will hurt are warnings' csvp-admin doctor
finds '^warn database: fsync is off: .*; hint: fsync = on$' 'fsync'
finds '^warn database: autovacuum is off: ' 'autovacuum'
finds '^warn database: default_transaction_isolation is repeatable read: ' 'isolation'
sql 'ALTER DATABASE postgres RESET ALL' 'ALTER SYSTEM RESET ALL' 'SELECT pg_reload_conf()' >/dev/null
sql 'ALTER DATABASE postgres CONNECTION LIMIT 5'
expect_exit 0 'few connections are a warning' csvp-admin doctor
finds '^warn database: 5 sessions more may be opened, the workers of this machine open [0-9]+; hint: ' 'how many there are'
sql 'ALTER DATABASE postgres CONNECTION LIMIT -1'

# Work that is forgotten, waits too long, or has failed.
printf 'id,name\n1,one\n2,two\n' >two.csv
csvp-run -q -d closed -k id two.csv
sql 'UPDATE csvp.job SET finished_at = NULL'
expect_exit 0 'a job whose last worker died before it closed it' csvp-admin doctor -q
finds '^warn work: 1 chunks are not indexed, and nobody is at them; hint: csvp-run --resume does it now' 'is a warning'
csvp-run -q --resume
expect_exit 0 'after what the hint says' csvp-admin doctor -q
is "$(cat out err)" '' 'it is none'
job=$(csvp-upload -q -d two -k id two.csv)
expect_exit 0 'forgotten work is a warning' csvp-admin doctor
finds '^warn work: 1 jobs are not split, and nobody is at them; hint: csvp-run --resume' 'a job that nobody splits'
csvp-admin requeue >/dev/null
expect_exit 0 'a message that waits' csvp-admin doctor
finds '^ok   queue: split: 1 messages wait, 0 are worked on$' 'is well for a while'
sql "UPDATE csvp.message SET visible_at = now() - interval '1 hour'"
expect_exit 0 'a message that waits for an hour' csvp-admin doctor
finds '^warn queue: split: 1 messages wait, the oldest for 60 minutes: nobody takes them; hint: csvp-run --workers' 'is not'
csvp-split -q --enqueue "$job" >/dev/null
sql "UPDATE csvp.chunk SET state = 'failed', error = 'it broke'" \
	"INSERT INTO csvp.message (queue, reference, body) VALUES ('csvp-dead', '$job/0', '{\"job\":$job,\"chunk\":0}')"
expect_exit 0 'a dead letter is a warning' csvp-admin doctor
finds '^warn queue: 1 dead letters; hint: csvp-admin dead list$' 'with what to do'

# A database of the user's: not there, not migrated, without rights.
conninfo=$(csvp-admin up)
export CSVP_HOME="$WORK/other"
as()
{
	local url=$1
	shift
	CSVP_DATABASE_URL=$url expect_exit "$@" csvp-admin doctor
}
as 'host=/nowhere' 69 'a server that is not there'
finds '^FAIL database: cannot connect' 'is said'
finds '^ok   store: ' 'and what can be examined is'
as 'postgresql://%zz' 78 'a URL that is none'
CSVP_STORE_URL=file:///tmp expect_exit 78 'half a configuration' csvp-admin doctor
finds '^FAIL database: CSVP_STORE_URL is set .*; hint: set CSVP_DATABASE_URL, too' 'is said'
CSVP_HOME="$WORK/home" sql 'CREATE DATABASE fresh'
as "$conninfo dbname=fresh" 78 'a database that is not migrated'
finds '^FAIL database: [0-9]+ migrations are to be done; hint: csvp-admin migrate$' 'is said'
CSVP_HOME="$WORK/home" sql 'CREATE ROLE poor LOGIN' 'REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC' \
	'REVOKE CREATE ON SCHEMA public FROM PUBLIC'
as "$conninfo user=poor" 78 'a user without rights'
finds '^FAIL database: the user may not load \(temporary tables\); hint: GRANT TEMPORARY ON DATABASE postgres TO poor$' \
	'TEMPORARY'
finds '^FAIL database: the user may not create tables in schema public; hint: GRANT CREATE, USAGE ON SCHEMA public TO poor$' \
	'CREATE'

# A store that is none, or cannot be written to.
: >file
CSVP_DATABASE_URL=$conninfo CSVP_STORE_URL=file://$WORK/file expect_exit 78 'a store that is a file' csvp-admin doctor
finds '^FAIL store: ' 'is said'
CSVP_DATABASE_URL=$conninfo CSVP_STORE_URL=file:///proc/store expect_exit 69 'a store that cannot be made' csvp-admin doctor
CSVP_DATABASE_URL=$conninfo CSVP_STORE_URL=gopher://there/store expect_exit 78 'a store that nobody knows' csvp-admin doctor

# Poolers: with a session for a session all is well; one that gives them away between transactions loses the locks.
pool()
{
	mkdir -p pool
	printf '[databases]\npostgres = %s\n[pgbouncer]\nunix_socket_dir = %s\nlisten_port = 6432\nauth_type = any\npool_mode = %s\n' \
		"$(printf '%s' "$conninfo" | sed 's/ *user=[^ ]*//') user=csvp" "$WORK/pool" "$1" >pool.ini
	echo 'ignore_startup_parameters = extra_float_digits,search_path' >>pool.ini
	chown "$owner" pool
	"${setpriv[@]}" pgbouncer -q "$WORK/pool.ini" >pool.log 2>&1 &
	pooler=$!
	wait_until test -S pool/.s.PGSQL.6432
}
unpool()
{
	kill "$pooler"
	wait "$pooler" || :
	rm -rf pool
}
PATH=$PATH:/usr/sbin
if ! command -v pgbouncer >/dev/null; then
	skip 'a pooler' 'pgbouncer is not installed'
else
	owner=$(stat -c %u home/postgres/data)
	setpriv=(env)
	[ "$(id -u)" -ne 0 ] || setpriv=(setpriv --reuid="$owner" --regid="$(stat -c %g home/postgres/data)" --clear-groups)
	pool session
	as "host=$WORK/pool port=6432 dbname=postgres user=csvp" 0 'a pooler of sessions'
	unpool
	pool transaction
	as "host=$WORK/pool port=6432 dbname=postgres user=csvp" 78 'a pooler of transactions'
	finds '^FAIL database: a pooler gives its sessions away between transactions: .*pool_mode = session' 'is said'
	unpool
fi
export CSVP_HOME="$WORK/home"
