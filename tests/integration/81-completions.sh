#!/bin/bash
# Completions: keys typed into bash, zsh and fish in a terminal, and what each line becomes.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
root=$TESTS/..
WAIT_SECONDS=60
env -u MAKEFLAGS -u MAKELEVEL make -s -C "$root" B="$B" SAN= DESTDIR="$WORK/dest" PREFIX=/usr install
share=$WORK/dest/usr/share
csvp-run -q -d navaids -k id "$DATA/navaids.csv"
printf 'a\n1\n' >notes.csv

# suggested WORD...: the candidates of the last word, without what they are.
suggested()
{
	csvp --complete "$@" | cut -f 1 | tr '\n' ' '
}
is "$(suggested csvp-load '')" '1 ' 'operands: the jobs'
is "$(suggested csvp-load --jobs 3 '')" '1 ' 'behind the value of an option'
is "$(suggested csvp-load -j '')" '' 'where only the user knows, nothing'
is "$(suggested csvp-run '')" '' 'files are for the shell'
is "$(suggested csvp-run --resume '')" '1 ' 'jobs where the option says so'
is "$(suggested csvp-search -d n)" 'navaids ' 'the value of a letter'
is "$(suggested csvp-search --dataset=)" '--dataset=navaids ' 'the value behind ='
is "$(suggested csvp-admin th)" 'throttle ' 'a subcommand'
is "$(suggested csvp-admin throttle '')" 'index load ' 'its words'
is "$(suggested csvp-admin dataset show '')" 'navaids ' 'operands of a subcommand of a subcommand'
is "$(suggested csvp-admin dataset set-type navaids '')" '' 'each in its place'
is "$(suggested csvp-admin verify '')" '1 navaids ' 'alternatives'
is "$(suggested csvp-admin cancel -- '')" '1 ' 'behind --'
is "$(suggested csvp load --ma)" '--max-rejects ' 'the front, like the program'
is "$(suggested csvp sta)" 'status ' 'the verbs of the front'
# Every option and subcommand of every program, as --help has them.
for program in "$B"/bin/csvp-*; do
	name=${program##*/}
	is "$(suggested "$name" --)" "$("$program" --help | grep -oE '^  (-.,|   ) --[a-z-]+' | grep -oE -- '--.*' | sort | tr '\n' ' ')" \
		"$name: every option"
done
csvp-admin down -q
is "$(suggested csvp-load '')" '' 'no server is started for a completion'
check 'nor left running' test ! -e "$CSVP_HOME/postgres/data/postmaster.pid"
csvp-admin up -q

tmux_in()
{
	tmux -S "$WORK/tmux-$shell" -f /dev/null "$@"
}

screen()
{
	tmux_in capture-pane -t t -p -J | sed 's/ *$//'
}

shows()
{
	screen | grep -qE -e "$1"
}

# completes KEYS REGEX NAME: typed, and then Tab until the line is that.
completes()
{
	tmux_in send-keys -t t C-u
	wait_until shows '%$'
	tmux_in send-keys -t t -l "$1"
	wait_until shows "% ${1% }"
	tmux_in send-keys -t t Tab
	if wait_until shows "% $2\$"; then
		ok "$shell: $3"
	else
		not_ok "$shell: $3" "$(screen)"
	fi
}

export TERM=xterm PATH
cat >bashrc <<END
PS1='% '
. '$share/bash-completion/completions/csvp'
END
cat >.zshrc <<END
PS1='%# '
PS1='%% '
fpath=('$share/zsh/site-functions' \$fpath)
autoload -Uz compinit && compinit -u -D
END
mkdir -p .config/fish
cat >.config/fish/config.fish <<END
set -g fish_greeting
set -g fish_autosuggestion_enabled 0
set -p fish_complete_path '$share/fish/vendor_completions.d'
function fish_prompt; printf '%% '; end
END
at_exit 'for shell in bash zsh fish; do tmux_in kill-server 2>/dev/null; done'
for shell in bash zsh fish; do
	command -v "$shell" >/dev/null || { skip "completions of $shell" "no $shell here" && continue; }
	start=$shell
	[ "$shell" != bash ] || start="bash --noprofile --rcfile '$WORK/bashrc'"
	tmux_in new-session -d -s t -x 150 -y 30 "cd '$WORK' && $start"
	wait_until shows '^%$'
	completes 'csvp-load --max-r' 'csvp-load --max-rejects' 'a long option'
	completes 'csvp-search -d nav' 'csvp-search -d navaids' 'a dataset'
	completes 'csvp-search --dataset=nav' 'csvp-search --dataset=navaids' 'a dataset behind ='
	completes 'csvp-status ' 'csvp-status 1' 'a job'
	completes 'csvp-upload not' 'csvp-upload notes.csv' 'a file'
	completes 'csvp-admin thro' 'csvp-admin throttle' 'a subcommand'
	completes 'csvp load --max-r' 'csvp load --max-rejects' 'the front'
done
