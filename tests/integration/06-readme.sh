#!/bin/bash
# The README: what it tells somebody to type works and prints what it says; what it names exists.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
root=$(cd "$TESTS/.." && pwd)
readme=$root/README.md

# A clone, as far as its commands can tell: what they write beside the source stays in WORK.
mkdir clone
ln -s "$root"/* clone/
rm -f clone/build
ln -s "$B" clone/build
cd clone
csvp-admin up -q
conninfo=$(csvp-admin psql -Xc '\conninfo')
[[ $conninfo =~ socket\ in\ \"([^\"]+)\" ]]
env -u MAKEFLAGS -u MAKELEVEL -u T -u LONG B=build SAN= README_PGHOST="${BASH_REMATCH[1]}" README_PGUSER=csvp \
	python3 "$TESTS/integration/06-readme.py" "$readme" || FAILED=yes

# The words of one kind in the README's tables and sentences, against what there is.
named()
{
	grep -oE "$1" "$readme" | sort -u
}

is "$(named '\bcsvp-[a-z]+\b' | tr '\n' ' ')" "$(cd "$B/bin" && printf '%s\n' csvp-* | sort | tr '\n' ' ')" \
	'README: names every program, and no other'
for target in $(named '`make [a-z]+' | cut -c 7-); do
	check "README: make $target exists" grep -qE "^$target:" "$root/Makefile"
done
# shellcheck disable=SC2016 # the backtick is one of Markdown
for folder in $(named '^\| `[a-z]+/`' | tr -d '|` /'); do
	check "README: $folder/ exists" test -d "$root/$folder"
done
is "$(named '\bCSVP_[A-Z_]+\b' | grep -vxF "$(csvp-admin config | awk '{ print $1 }')")" '' 'README: names no setting that is none'
codes=$(csvp-admin --help | sed -n '/^exit codes:/,/^$/p' | grep -oE '\b[0-9]+\b' | sort -n | uniq | tr '\n' ' ')
is "$(sed -n '/^## Exit codes/,/^A stage/s/|/\n/gp' "$readme" | grep -oE '\b[0-9]+\b' | sort -n | tr '\n' ' ')" "$codes" \
	'README: the exit codes are those of --help'
