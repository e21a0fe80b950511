#!/bin/bash
# install and uninstall, from what is already built; the front; the same source gives the same tarball.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
root=$TESTS/..

# made PREFIX TARGET...
made()
{
	local prefix=$1
	shift
	env -u MAKEFLAGS -u MAKELEVEL make -s -C "$root" B="$B" SAN= DESTDIR="$WORK/dest" PREFIX="$prefix" "$@"
}

mkdir -p dest/usr/bin
touch dest/usr/bin/other
expect_exit 0 'install' made /usr install
is "$(cd dest/usr/bin && echo csvp*)" "$(cd "$B/bin" && echo csvp*)" 'install: every program'
is "$(cd dest/usr/share/man && echo man1/* man5/* man7/*)" \
	"$(cd "$root/man" && printf '%s\n' * | sed 's,.*\.\(.\)$,man\1/&,' | sort | tr '\n' ' ' | sed 's/ $//')" 'install: every page'
is "$(grep -rIl '@[A-Z]*@' dest || true)" '' 'install: every name stands for something'
for unit in dest/usr/lib/systemd/system/*.service; do
	while read -r program; do
		check "install: ${unit##*/} starts $program, which is there" test -x "dest$program"
	done < <(sed -n 's/^Exec[A-Za-z]*=-*\([^ ]*\).*/\1/p' "$unit")
done
printf 'id,name\n1,ann\n' >people.csv
expect_exit 0 'the programs run from where they were put' env PATH="$WORK/dest/usr/bin:/usr/bin:/bin" \
	csvp run -q -d people -k id people.csv
is "$(env PATH="$WORK/dest/usr/bin:/usr/bin:/bin" csvp search -d people --format csv)" $'id,name\n1,ann' \
	'the front hands on what it is given'
expect_exit 0 'uninstall' made /usr uninstall
is "$(find dest -not -type d)" dest/usr/bin/other 'uninstall: nothing is left but what is of others'
rm dest/usr/bin/other
expect_exit 0 'install below another prefix' made /opt/csvp install
is "$(cd dest && echo *)" 'opt usr' 'nothing is put beside the prefix'
rm -r dest/usr
expect_exit 0 'uninstall twice' made /opt/csvp uninstall uninstall
is "$(find dest)" dest 'uninstall: nor a folder'

is "$(csvp help | sed -n 's/^  \([a-z][a-z]*\)  .*/csvp-\1/p')" "$(cd "$B/bin" && printf '%s\n' csvp-*; echo csvp-serve)" 'csvp help: every program'
is "$(csvp help | awk 'length > 79')" '' 'csvp help: for a terminal of 80 columns'
is "$(csvp help load)" "$(csvp-load --help)" 'csvp help VERB: the help of the program'
is "$(csvp --version)" "$(csvp-load --version | sed 's/-load//')" 'csvp --version'
# A sanitizer build is a folder further down.
under_san 'csvp serve: of the source, before it is installed' || {
	expect_exit 64 'csvp serve: of the source, before it is installed' csvp serve nonsense
	matches "$(cat err)" '^serve: takes no operands' 'csvp serve: is scripts/serve'
}
ln -s "$B/bin/csvp" link
is "$(./link status --version)" "$(csvp-status --version)" 'csvp: by a link, too'
expect_exit 64 'csvp: a verb that is none' csvp nonsense
matches "$(cat err)" '^csvp: unknown verb nonsense; hint: csvp help$' 'csvp: says so'
expect_exit 64 'csvp: no program beyond its folder' csvp ../csvp-load
expect_exit 66 "csvp: the program's exit status is its own" csvp status 9999

if git -C "$root" rev-parse -q --verify HEAD >/dev/null 2>&1; then
	for name in one two; do
		mkdir "$name"
		expect_exit 0 "dist: $name" "$root/scripts/dist" "$WORK/$name/csvp-0.tar.gz"
	done
	check 'dist: twice the same bytes' cmp one/csvp-0.tar.gz two/csvp-0.tar.gz
	is "$(tar -tzf one/csvp-0.tar.gz | sed -n 's,^csvp-0/\(.*[^/]\)$,\1,p' | sort)" "$(git -C "$root" ls-tree -r --name-only HEAD | sort)" \
		'dist: holds what is committed'
else
	skip 'dist' 'this is no git repository'
fi
