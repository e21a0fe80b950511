#!/bin/bash
# What people see: --help, progress and csvp-status on terminals of 80 and 200 columns, as tmux captures them.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# Screens are asked as `tmux` formats and patterns of this script, not expanded by it.
# shellcheck disable=SC2016
setup
# Much is loaded and indexed here, beside whatever else the machine does.
WAIT_SECONDS=240
export TERM=xterm
unset NO_COLOR
workers=
stop_all()
{
	tmux_in kill-server 2>/dev/null || :
	[ -z "$workers" ] || kill "$workers" 2>/dev/null
}
at_exit stop_all

# A server for each terminal: one that is ending would take the next one's command.
servers=0
tmux_in()
{
	tmux -S "$WORK/tmux$servers" -f /dev/null "$@"
}

# A terminal COLUMNS wide with a shell in it; its raw output goes to WORK/raw.
terminal()
{
	tmux_in kill-server 2>/dev/null || true
	servers=$((servers + 1))
	: >raw
	tmux_in new-session -d -s t -x "$1" -y "${2:-30}" "env PS1='$ ' bash --norc --noprofile"
	tmux_in pipe-pane -t t "cat >>'$WORK/raw'"
	wait_until shows '^\$'
}

# The screen's lines; one that was wrapped is one line.
screen()
{
	tmux_in capture-pane -t t -p -J | sed 's/ *$//'
}

shows()
{
	screen | grep -qE -e "$1"
}

count_on_screen()
{
	screen | grep -cE -e "$1" || true
}

# type_line COMMAND: as a person would; its end is told by a line `EXIT status`, behind the number of the command.
typed=0
type_line()
{
	typed=$((typed + 1))
	tmux_in send-keys -t t "clear; $1; echo $typed EXIT \$?" Enter
}

ended()
{
	shows "^$typed EXIT [0-9]+\$"
}

terminal_is()
{
	[ "$(tmux_in display -t t -p '#{cursor_flag} #{alternate_on}')" = "$1" ]
}

# fits COLUMNS NAME: no line of the screen is wider, in cells.
fits()
{
	check "$2: $(screen | wc -L) cells" test "$(screen | wc -L)" -le "$1"
}

"$B/tests/bench/generate" --rows 220000 >orgs.csv
head -n 1000 orgs.csv >head.csv
"$B/tests/bench/generate" --rows 130000 >half.csv
csvp-run -q -d organizations -k 'Organization Id' head.csv

# --help of every program and subcommand, one below the other on a very high screen.
cat >helps <<'END'
for program in "$B"/bin/csvp-*; do
	"$program" --help
done
for name in $(csvp-admin --help | sed -n '/^subcommands:$/,/^$/s/^  \([a-z][a-z-]*\).*/\1/p'); do
	csvp-admin $name --help
done
END
programs=$(find "$B/bin" -name 'csvp-*' | wc -l)
for columns in 80 200; do
	terminal "$columns" 1400
	type_line '. ./helps'
	wait_until ended
	fits "$columns" "--help fits $columns columns"
	is "$(count_on_screen '^usage: csvp-') $(count_on_screen '^see csvp-')" \
		"$(. ./helps | grep -c '^usage: ') $(. ./helps | grep -c '^see ')" "--help is whole at $columns columns"
	check "all programs are seen at $columns columns" test "$(screen | grep -o '^see [a-z-]*' | sort -u | wc -l)" \
		-eq "$programs"
	# Bold titles are no part of the width.
	matches "$(tmux_in capture-pane -t t -p -e)" $'^\033\\[1moptions:' "titles are bold at $columns columns"
done

# Progress: one line, drawn in place, gone at the end. Slowly, so that a busy machine sees it.
csvp-admin throttle load 40000/s
terminal 80
type_line "csvp-run -d fresh -k 'Organization Id' orgs.csv"
progress=' of 28\.5 MB  [0-9]+%  [0-9]+ records/s  ETA [0-9:]+$'
check 'progress tells bytes, speed and time left' wait_until shows "^[a-z]+  [0-9.]+ [kM]B$progress"
is "$(count_on_screen ' of 28\.5 MB')" 1 'progress is one line'
fits 79 'progress leaves the last cell free'
wait_until ended
is "$(screen | sed '/^$/d')" "csvp-upload: dataset fresh (new)
2
$typed EXIT 0
$" 'nothing of the progress is left at the end'
is "$(tr '\r' '\n' <raw | grep -c 'of 28\.5 MB.*of 28\.5 MB')" 0 'and no two of its lines came without a return between them'

# csvp-status, once: colours on a terminal, unless NO_COLOR says no.
type_line 'csvp-status'
wait_until ended
fits 80 'csvp-status fits 80 columns'
matches "$(tmux_in capture-pane -t t -p -e)" $'\033\\[32mdone' 'a state has its colour on a terminal'
type_line 'NO_COLOR=1 csvp-status'
wait_until ended
is "$(tmux_in capture-pane -t t -p -e | grep -c $'\033\\[[0-9;]*[1-9]m')" 0 'NO_COLOR: none'
is "$(csvp-status | grep -c $'\033')" 0 'no terminal: none'
name=$(printf 'a-name-of-a-file-that-is-%.0slonger-than-a-line-' 1 2 3).csv
cp head.csv "$name"
csvp-upload -q -d a_dataset_whose_name_is_long_too "$name" >/dev/null
type_line 'csvp-status'
wait_until ended
fits 80 'csvp-status fits 80 columns with long names'
matches "$(screen)" '^  3  .*…  waiting' 'what does not fit is cut, and says so'
type_line 'csvp-status 3'
wait_until ended
fits 80 'a job that is explained fits 80 columns'

# csvp-status --watch while workers load: in place, and the terminal as it was afterwards.
sql "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.00005); RETURN NEW; END'"
for columns in 80 200; do
	terminal "$columns"
	# Rows take their time, so that somebody is seen at work on the fastest machine.
	csvp-run -q -d "watched$columns" -k 'Organization Id' head.csv
	sql "CREATE TRIGGER slow BEFORE INSERT ON watched$columns FOR EACH ROW EXECUTE FUNCTION slow()"
	job=$(csvp-upload -q --force --enqueue -d "watched$columns" -k 'Organization Id' half.csv)
	if [ -z "$workers" ]; then
		csvp-run -q --workers -j2 >workers.log 2>&1 &
		workers=$!
	fi
	: >raw
	type_line "csvp-status --watch $job"
	check "--watch shows who is at work, at $columns columns" wait_until shows \
		"^csvp-load [0-9]+@[^ ]+ +[^ ]+ +loading +$job/[0-9]+ +[0-9]+:[0-9]{2}\$"
	check '--watch has the other screen, without a cursor' terminal_is '0 1'
	matches "$(screen | head -n 1)" '^JOB  DATASET .*  SPEED +ETA  FILE$' 'the first line is the header'
	is "$(count_on_screen '^JOB  DATASET')" 1 'there is one header'
	fits "$((columns - 1))" "no line is wider than $columns columns"
	check 'speed and time left are told' wait_until shows "^ +$job  watched$columns +loading +[0-9]+% .* [0-9]+/s +[0-9]+:[0-9]{2}  half.csv"
	tmux_in resize-window -t t -x 60 -y 20
	check 'on a terminal that has become too narrow each field has a line' wait_until shows "^DATASET +watched$columns\$"
	is "$(count_on_screen '^JOB  DATASET')" 0 'and nothing is left of the table'
	tmux_in resize-window -t t -x "$columns" -y 30
	check 'on a wider one the table is back' wait_until shows '^JOB  DATASET .*FILE$'
	is "$(count_on_screen '^DATASET')" 0 'and nothing is left of the lines'
	if [ "$columns" -eq 200 ]; then
		tmux_in send-keys -t t C-c
		wait_until ended
		is "$(count_on_screen '^JOB  DATASET') $(tmux_in display -t t -p '#{cursor_flag} #{alternate_on}')" '1 1 0' \
			'after Ctrl-C the last picture stays, too'
		csvp-admin cancel -q "$job"
		continue
	fi
	wait_until ended
	check 'after --watch the terminal is as before' terminal_is '1 0'
	matches "$(screen | sed '/^$/d' | tr '\n' '|')" \
		"^JOB  DATASET[^|]*\\|[^|]* done +100% [^|]*\\|job $job: 130000 records = [^|]*\\|$typed EXIT 0\\|\\$\\|\$" \
		'the last picture stays, and nothing else'
	draws=$(grep -o $'\033\\[H' raw | wc -l)
	wipes=$(grep -o $'\033\\[2J' raw | wc -l)
	# The beginning and two sizes, each of which the terminal may tell twice.
	check "the screen is not wiped between pictures: $wipes of $draws" test "$draws" -gt 4 -a "$wipes" -le 6
done
kill "$workers"
wait "$workers" 2>/dev/null || true
workers=

# However it ends, the terminal is as before.
terminal 80
watching()
{
	terminal_is '0 1' && shows '^JOB  DATASET'
}
leave_by()
{
	local how=$1 status=$2
	shift 2
	type_line 'csvp-status --watch'
	wait_until watching
	"$@"
	wait_until ended
	matches "$(screen)" "^$typed EXIT $status\$" "--watch ends by $how"
	check "--watch ended by $how leaves the terminal as before" terminal_is '1 0'
}
kill_watch()
{
	kill "-$1" "$(pgrep -P "$(tmux_in display -t t -p '#{pane_pid}')" csvp-status)"
}
leave_by 'Ctrl-C' 130 tmux_in send-keys -t t C-c
leave_by SIGQUIT 131 tmux_in send-keys -t t C-\\
leave_by SIGTERM 143 kill_watch TERM
leave_by SIGHUP 143 kill_watch HUP
tmux_in send-keys -t t 'clear; csvp-status --watch' Enter
wait_until watching
tmux_in send-keys -t t C-z
check 'a stopped --watch gives the terminal back' wait_until terminal_is '1 0'
tmux_in send-keys -t t 'fg' Enter
check 'and takes it again when it goes on' wait_until watching
tmux_in send-keys -t t C-c
wait_until terminal_is '1 0'

# No terminal: what is new, and only that.
blocks()
{
	[ "$(grep -c '^JOB  DATASET' watched || true)" -ge "$1" ]
}
: >watched
csvp-status --watch >watched &
watcher=$!
csvp-status --watch --json >watched.json &
json_watcher=$!
wait_until blocks 1
wait_until test -s watched.json
before=$(wc -l <watched.json)
csvp-upload -q -d quiet head.csv >/dev/null
wait_until blocks 2
is "$(grep -c '^JOB  DATASET' watched)" 2 'not on a terminal: a new block when something has changed'
more_objects()
{
	[ "$(wc -l <watched.json)" -gt "$before" ]
}
wait_until more_objects
is "$(tail -n +$((before + 1)) watched.json | python3 -c 'import json, sys
for line in sys.stdin:
    print(json.loads(line)["dataset"])' | uniq)" quiet '--watch --json: only the jobs that have changed'
kill "$watcher" "$json_watcher"
wait "$watcher" "$json_watcher" 2>/dev/null || true
