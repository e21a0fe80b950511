# shellcheck shell=bash
# Sessions of psql that stay open, so that a script holds locks and transactions while programs run. After lib.sh:
#
#	say NAME STATEMENT...    run statements in session NAME (opened when first named); their rows on stdout
#	tell NAME STATEMENT      the same without waiting for the end: it is going to wait for a lock
#	hear NAME                the end of what was told; its rows, or ERROR, on stdout
#	bye NAME                 end the session, and with it its transaction
#	blocked N                are N statements of this database waiting for a lock?
#	blocked_in N TEXT        the same, of those whose text has TEXT
#
# Programs that are to meet such a lock run in the background: `start NAME COMMAND...`; later `finish NAME...` waits for
# them and leaves their exit statuses in CODES. Their output is in WORK/NAME.out and WORK/NAME.err.
declare -A SESSION_FD SESSION_PID SESSION_SAID STARTED

session_open()
{
	[ -z "${SESSION_FD[$1]:-}" ] || return 0
	local fd
	mkfifo "$WORK/$1.session"
	csvp-admin psql -XAtq <"$WORK/$1.session" >"$WORK/$1.heard" 2>&1 &
	SESSION_PID[$1]=$!
	exec {fd}>"$WORK/$1.session"
	SESSION_FD[$1]=$fd
	SESSION_SAID[$1]=0
	rm "$WORK/$1.session"
}

tell()
{
	session_open "$1"
	SESSION_SAID[$1]=$((SESSION_SAID[$1] + 1))
	printf '%s;\n\\echo said-%s\n' "$2" "${SESSION_SAID[$1]}" >&"${SESSION_FD[$1]}"
}

heard()
{
	grep -q "^said-$2\$" "$WORK/$1.heard"
}

hear()
{
	wait_until heard "$1" "${SESSION_SAID[$1]}"
	{ echo said-0 && cat "$WORK/$1.heard"; } | sed "0,/^said-$((SESSION_SAID[$1] - 1))\$/d; /^said-/d"
}

say()
{
	local name=$1 statement
	shift
	for statement; do
		tell "$name" "$statement"
		hear "$name"
	done
}

bye()
{
	# Not by closing its input: what was started meanwhile holds the other end, too.
	echo '\q' >&"${SESSION_FD[$1]}"
	wait "${SESSION_PID[$1]}" || true
	eval "exec ${SESSION_FD[$1]}>&-"
	rm "$WORK/$1.heard"
	unset "SESSION_FD[$1]" "SESSION_PID[$1]"
}

blocked_in()
{
	[ "$(sql "SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
		WHERE NOT l.granted AND a.datname = current_database() AND position('$2' IN a.query) > 0")" -ge "$1" ]
}

blocked()
{
	blocked_in "$1" ''
}

start()
{
	local name=$1
	shift
	"$@" >"$WORK/$name.out" 2>"$WORK/$name.err" &
	STARTED[$name]=$!
}

finish()
{
	local name status
	CODES=''
	# What bash says of a job that was killed is no news here.
	exec 3>&2 2>/dev/null
	for name; do
		status=0
		wait "${STARTED[$name]}" || status=$?
		CODES+=${CODES:+ }$status
	done
	exec 2>&3 3>&-
}
