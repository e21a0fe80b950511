#!/bin/bash
# kill -9 of each program, and of its PostgreSQL session in two ways, at random moments of the pipeline; the same
# command again ends with the table a serial load gives, closed books and nothing left running. 12 moments, LONG=1: 60.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
moments=$([ -n "${LONG:-}" ] && echo 60 || echo 12)
csvp-admin up -q

# oracle.py make FILE SEED: a file of 5,000 records over 2,500 keys, some of them ragged.
# oracle.py table KEYED FILE...: the rows a serial load gives; how many records are rejects comes last.
cat >oracle.py <<'END'
import csv, random, sys
if sys.argv[1] == "make":
    rng = random.Random(sys.argv[3])
    with open(sys.argv[2], "w") as out:
        out.write("id,name,amount,note\n")
        for i in range(5000):
            key = rng.randrange(2500)
            if rng.random() < 0.003:
                out.write(f"{key},ragged\n")
            else:
                out.write(f'{key},"name {rng.randrange(1000)}, {i}",{rng.randrange(10**6) / 100},{rng.choice(["", "a note"])}\n')
else:
    table, rejects = {}, 0
    for name in sys.argv[3:]:
        for record in list(csv.reader(open(name)))[1:]:
            if len(record) != 4:
                rejects += 1
            else:
                table[int(record[0]) if sys.argv[2] == "yes" else len(table)] = record
    for key in sorted(table):
        print("|".join(table[key]))
    print(rejects)
END

# pipeline: of $file into $dataset. Each stage leaves its process in pid.STAGE and, at its end, the time in end.STAGE.
pipeline()
{
	local key=()
	[ "$keyed" = no ] || key=(-k id)
	{ stage upload -d "$dataset" "${key[@]}" --max-rejects 100% "$file"; } 2>>said | { stage split --chunk-bytes 8k; } 2>>said |
		{ stage load -j2; } 2>>said | { stage index -j2; } >refs 2>>said
}

stage()
{
	local name=$1 status=0
	shift
	(
		echo "$BASHPID" >"pid.$name"
		exec "csvp-$name" -q "$@"
	) || status=$?
	echo "$EPOCHREALTIME" >"end.$name"
	return "$status"
}

# A session that is open already: to connect takes longer than some stages live.
open_psql()
{
	coproc psql { csvp-admin psql -XAtq 2>/dev/null; }
	psql_pid=$!
}

close_psql()
{
	eval "exec ${psql[1]}>&-"
	wait "$psql_pid" || :
}

# The process of one session of the stage, if it has one.
session()
{
	local pid
	printf '%s\n' "SELECT coalesce((SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'csvp-$1 %'
		ORDER BY random() LIMIT 1), 0);" >&"${psql[1]}"
	read -r pid <&"${psql[0]}"
	echo "$pid"
}

# strike: kill the $victim, $how, as soon as it can be; false if it has come to its end before.
strike()
{
	local pid=0
	while [ "$how" = process ] && [ ! -s "end.$victim" ] && [ ! -s "pid.$victim" ]; do :; done
	while [ "$how" != process ] && [ ! -s "end.$victim" ] && [ "$pid" -eq 0 ]; do
		pid=$(session "$victim")
	done
	[ ! -s "end.$victim" ] || return 1
	case $how in
	process) kill -KILL "$(cat "pid.$victim")" 2>/dev/null ;;
	session)
		printf '%s\n' "SELECT pg_terminate_backend($pid);" >&"${psql[1]}"
		read -r pid <&"${psql[0]}"
		[ "$pid" = t ]
		;;
	crash) kill -KILL "$pid" 2>/dev/null ;;
	esac
}

# moment STAGE...: a random moment in the time from the end of the first stage to that of the second; after each miss
# in half of that time.
moment()
{
	awk -v from="${end[$1]}" -v to="${end[$2]}" -v r="$RANDOM" -v misses="$misses" \
		'BEGIN { printf "%.3f", (to - from) * r / 32768 / 2 ^ misses }'
}

# pause SECONDS, without a process.
pause()
{
	read -rt "$1" <>"$WORK/never" || :
}

done_jobs()
{
	sql "SELECT count(*) FROM csvp.job_status WHERE dataset_name = '$dataset' AND derived = 'done'"
}

# Everything that must hold once the pipeline has gone through.
check_books()
{
	is "$(sql "SELECT count(*), bool_and(derived = 'done'), bool_and(pending + running + loaded = 0),
		bool_and(records = inserted + updated + unchanged + superseded + rejected), bool_and(finished_at IS NOT NULL),
		(SELECT count(*) FROM csvp.running), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')
		FROM csvp.job_status WHERE dataset_name = '$dataset'")" "${#files[@]}|t|t|t|t|0|0" "$1: jobs done, books closed, nothing running"
	is "$({
		sql "SELECT id, name, amount, note FROM $dataset ORDER BY $([ "$keyed" = yes ] && echo id || echo _version)"
		sql "SELECT count(*) FROM csvp.reject JOIN csvp.job_status j ON j.id = job WHERE dataset_name = '$dataset'"
	} | cksum)" "$(python3 oracle.py table "$keyed" "${files[@]}" | cksum)" "$1: rows and rejects are those of a serial load"
}

# What a killed upload left is gone: as many objects as jobs, no temporary file.
check_store()
{
	is "$(find home/store/objects -type f | wc -l) $(find home/store/.tmp -type f | wc -l)" \
		"$(sql 'SELECT count(*) FROM csvp.job') 0" 'the store holds the objects of the jobs, and nothing else'
}

next_dataset()
{
	dataset=d$((${dataset#d} + 1))
	keyed=$([ $((${dataset#d} % 3)) -eq 0 ] && echo no || echo yes)
	files=()
}

next_file()
{
	file=$dataset.${#files[@]}.csv
	python3 oracle.py make "$file" "$SEED.$file"
	files+=("$file")
}

# When each stage ends if nothing happens, in seconds after the start.
dataset=d0
next_dataset
next_file
declare -A end=([start]=0)
start=$EPOCHREALTIME
got=0
pipeline || got=$?
is "$got" 3 'without a kill the pipeline ends, with rejects'
for name in upload split load index; do
	end[$name]=$(awk -v a="$start" -v b="$(cat "end.$name")" 'BEGIN { print b - a }')
done
echo "# the stages end after: upload ${end[upload]}, split ${end[split]}, load ${end[load]}, index ${end[index]} s"
check_books 'without a kill'

# Every stage in every way, until all have hit; what came too late is put back.
wanted=()
for ((i = 0; i < moments / 12; i++)); do
	for name in upload split load index; do
		wanted+=("$name process" "$name session" "$name crash")
	done
done
declare -A before=([upload]=start [split]=upload [load]=split [index]=split)
mkfifo never
hits=0
misses=0
open_psql
for ((round = 1; ${#wanted[@]} > 0 && round <= 5 * moments; round++)); do
	# A new dataset now and then: its first load is another one than those that follow.
	[ "${#files[@]}" -lt 4 ] || next_dataset
	next_file
	[ "$misses" -gt 0 ] || i=$((RANDOM % ${#wanted[@]}))
	read -r victim how <<<"${wanted[i]}"
	delay=$(moment "${before[$victim]}" "$victim")
	what="$dataset/${#files[@]}, $how of $victim after $delay s"
	: >said
	rm -f pid.* end.*
	echo start >end.start
	pipeline &
	pipe=$!
	# The stage has its input: a random part of the time that it took without a kill.
	until [ -s "end.${before[$victim]}" ]; do :; done
	pause "$delay"
	if ! strike; then
		misses=$((misses + 1))
		wait "$pipe" || :
		continue
	fi
	hits=$((hits + 1))
	misses=0
	unset "wanted[i]"
	wanted=("${wanted[@]}")
	got=0
	wait "$pipe" || got=$?
	if [ "$how" = crash ]; then
		close_psql
		wait_until sql SELECT 2>/dev/null || not_ok "$what: the server comes back"
		open_psql
	fi
	# It tells the truth: all is done, or it says that it is not.
	case $got in
	0 | 3) is "$(done_jobs)" "${#files[@]}" "$what: exit $got is true" ;;
	esac
	got=0
	: >said
	pipeline || got=$?
	[ "$got" -eq 3 ] || sed 's/^/# /' said
	is "$got" 3 "$what: the same command again ends done"
	check_books "$what"
done
close_psql
is "$hits" "$moments" "$moments kills have hit"
check_store
expect_exit 0 'csvp-admin verify: objects, ledger, tables and index agree' csvp-admin verify
[ ! -s err ] || sed 's/^/# /' err
