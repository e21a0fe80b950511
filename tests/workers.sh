# shellcheck shell=bash
# Workers that a script keeps running. After lib.sh and session.sh:
#
#	crew NAME [ARGUMENT...]   csvp-run --workers in the background, all its workers waiting for messages
#	worker NAME STAGE [ARGUMENT...]   one csvp-STAGE --worker, the same way
#	term NAME...              SIGTERM, and wait; the exit statuses are left in CODES
#	pids CREW                 the processes of its workers
#
# Conditions for wait_until:
#
#	settled          all jobs are at their end and no message is left
#	holding JOB      a chunk of it is being worked on
#	idle STAGE N     N sessions of csvp-STAGE wait for a message

# A script that ends early leaves no workers.
# shellcheck disable=SC2016
AT_EXIT+=('kill "${STARTED[@]}" 2>/dev/null')

crew()
{
	local name=$1
	shift
	start "$name" csvp-run --workers "$@"
	wait_until idle split 1
	wait_until idle load 1
	wait_until idle index 1
}

worker()
{
	local name=$1 stage=$2
	shift 2
	start "$name" "csvp-$stage" --worker "$@"
	wait_until idle "$stage" 1
}

term()
{
	local name
	for name; do
		kill -TERM "${STARTED[$name]}" 2>/dev/null || :
	done
	finish "$@"
	for name; do
		unset "STARTED[$name]"
	done
}

pids()
{
	cat "/proc/${STARTED[$1]}/task/${STARTED[$1]}/children" 2>/dev/null || :
}

idle()
{
	[ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'csvp-$1 %' AND query LIKE '%csvp.message%'
		AND state = 'idle'")" -ge "$2" ]
}

settled()
{
	[ "$(sql "SELECT (SELECT count(*) FROM csvp.job_status WHERE derived NOT IN ('done', 'failed', 'cancelled'))
		+ (SELECT count(*) FROM csvp.message WHERE queue <> 'csvp-dead')")" -eq 0 ]
}

holding()
{
	[ "$(sql "SELECT count(*) FROM csvp.running WHERE job = $1")" -gt 0 ]
}
