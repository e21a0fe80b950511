#!/bin/bash
# The house's own tools: what lint must catch, what the runner must count, what install leaves.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
root=$TESTS/..

# A small house with one file in each wrong place.
mkdir -p tree/lib/base tree/lib/db tree/cmd/csvp-x tree/build/obj/lib/base tree/build/obj/cmd/csvp-x
cat >tree/Makefile <<'END'
#   layer: base
#   layer: db net
#   layer: cmd
#   within: net -> db   because
END
touch tree/lib/base/good.h

# layers FILE LINE: what lint-layers says about FILE when it holds LINE.
layers()
{
	mkdir -p "tree/${1%/*}"
	printf '%s\n' "$2" >"tree/$1"
	"$root/scripts/lint-layers" tree || true
	rm "tree/$1"
}

is "$(layers lib/db/a.c '#include "base/good.h"')" '' 'layers: downwards is fine'
is "$(layers lib/net/a.c '#include "db/a.h"')" '' 'layers: within a row where the Makefile says so'
matches "$(layers lib/base/a.c '#include "db/a.h"')" 'lib/base/a.c:1: .*base may not include db' 'layers: upwards'
matches "$(layers lib/db/a.c '#include "net/a.h"')" 'db may not include net' 'layers: sideways'
matches "$(layers cmd/csvp-x/a.c '#include "b.c"')" 'not included' 'layers: a .c file'
matches "$(layers lib/base/a.c '#include <libpq-fe.h>')" 'another folder' 'layers: a third-party header'
is "$(layers lib/db/a.c '#include <libpq-fe.h>')" '' 'layers: the same where it belongs'
matches "$(layers lib/other/a.c '')" 'no layer' 'layers: an unknown folder'

# names FILE C: what lint-names says about FILE with this source.
names()
{
	printf '%s\n' "$2" >"tree/$1"
	cc -c -o "tree/build/obj/${1%.c}.o" "tree/$1"
	(cd tree && "$root/scripts/lint-names" build) || true
	rm "tree/$1"
}

is "$(names lib/base/good.c 'int good_x(void) { return 0; } static int y; int good(void) { return y; }')" '' \
	'names: after the file'
is "$(names lib/base/good_part.c 'int good_x(void) { return 0; }')" '' 'names: a module in several files'
matches "$(names lib/base/part_good.c 'int good_x(void) { return 0; }')" 'exports good_x' 'names: after another file'
matches "$(names lib/base/good.c 'int good_x;')" 'exports the variable good_x' 'names: a variable'
is "$(names lib/base/good.c 'const char *const good_x[] = { "a" };')" '' 'names: a constant table'
matches "$(names cmd/csvp-x/main.c 'int main(void) { return 0; } void help(void) {}')" 'exports help' 'names: beside main'

# What lint-man says of the source as it is, and of one in which everything that it looks at is wrong.
mkdir manual
cp -r "$root/scripts" "$root/man" "$root/lib" "$root/cmd" manual/
is "$(manual/scripts/lint-man || true)" '' 'manual: tells what --help and the source tell'
sed -i 's/^\.It Fl j , .*/.It Fl x , Fl Fl jobs/; /^\.It Ev CSVP_QUEUE_URL/d; s/^\.It 77$/.It 7/' manual/man/csvp-load.1
sed -i '/^\.It 69$/d; s/^\.Xr csvp-load 1 ,$/.Xr csvp-lode 1 ,/' manual/man/csvp.7
sed -i 's/getenv("XDG_DATA_HOME")/getenv("CSVP_NEW")/' manual/lib/db/private_home.c
manual/scripts/lint-man >manual/said || true
for line in 'csvp-load.1: does not tell of option -j' 'csvp-load.1: tells of what is not there: option -x' \
	'csvp-load.1: does not tell of environment CSVP_QUEUE_URL' 'csvp-load.1: no program exits with 7' \
	'csvp.7: does not tell of environment CSVP_NEW' 'csvp.7: tells of what is not there: environment XDG_DATA_HOME' \
	'csvp.7: does not tell of exit code 69' 'refers to what is not here: csvp-lode(1)'; do
	matches "$(cat manual/said)" "${line//[()]/.}\$" "manual: $line"
done

# The runner, over tests that fail in every way a test can.
mkdir -p t/tests/unit t/tests/contract t/tests/integration t/tests/golden/good t/tests/golden/bad \
	t/build/tests/unit t/build/tests/contract t/build/bin
cp "$root/tests/run" "$root/tests/lib.sh" "$root/tests/golden.sh" t/tests/
printf '#!/bin/sh\n' | tee t/build/bin/csvp-admin >t/build/tests/unit/silent
printf '#!/bin/sh\necho "60%%: Checks: 5, Failures: 1, Errors: 1"\nexit 1\n' >t/build/tests/unit/fails
printf '#!/bin/sh\necho "100%%: Checks: 4, Failures: 0, Errors: 0"\n' >t/build/tests/unit/passes
printf '#!/bin/sh\nexec tail -f /dev/null\n' >t/build/tests/unit/hangs
cat >t/build/tests/contract/leaks <<'END'
#!/bin/sh
echo "100%: Checks: 1, Failures: 0, Errors: 0"
report=${ASAN_OPTIONS#log_path=}
echo 'a leak' >"${report%%:*}.1"
END
chmod +x t/build/bin/* t/build/tests/*/*
touch t/tests/unit/silent.c t/tests/unit/fails.c t/tests/unit/passes.c t/tests/unit/hangs.c t/tests/contract/leaks.c
echo 'cat; echo oops >&2; exit 3' | tee t/tests/golden/good/cmd >t/tests/golden/bad/cmd
echo in | tee t/tests/golden/good/stdin >t/tests/golden/good/stdout
echo oops >t/tests/golden/good/stderr
echo 3 >t/tests/golden/good/status
cat >t/tests/integration/mixed.sh <<'END'
. "${0%/*}/../lib.sh"
setup
ok one
skip two 'no service'
under_san three || ok three
is a b four
END
cat >t/tests/integration/dies.sh <<'END'
. "${0%/*}/../lib.sh"
setup
false
ok never
END
cat >t/tests/integration/ends.sh <<'END'
. "${0%/*}/../lib.sh"
setup
at_exit 'echo "ok - at its end: $PWD"; false'
at_exit 'touch "$OUT/ended"'
false
ok never
END

# counts PATTERN [NAME=VALUE...]: the last line of the runner.
counts()
{
	local pattern=$1
	shift
	env -u B -u CI -u SAN -u TEST_TMP UNIT_SECONDS=1 "$@" t/tests/run "$pattern" 2>&1 | tail -n 1
}

is "$(counts unit/passes)" '4 passed, 0 failed, 0 skipped' 'runner: passed'
is "$(counts unit/fails)" '3 passed, 2 failed, 0 skipped' 'runner: failures and errors'
is "$(counts unit/silent)" '0 passed, 1 failed, 0 skipped' 'runner: a test without a case is a failure'
is "$(counts unit/hangs)" '0 passed, 1 failed, 0 skipped' 'runner: the time limit'
is "$(counts contract)" '1 passed, 1 failed, 0 skipped' "runner: a sanitizer's report is a failure"
is "$(counts golden)" '1 passed, 1 failed, 0 skipped' 'runner: golden cases'
is "$(counts golden/good)" '1 passed, 0 failed, 0 skipped' 'runner: one golden case'
is "$(counts mixed)" '2 passed, 1 failed, 1 skipped' 'runner: lines of a script'
is "$(counts mixed CI=true SAN=1)" '1 passed, 2 failed, 1 skipped' 'runner: in CI only sanitizers may skip'
is "$(counts dies)" '0 passed, 1 failed, 0 skipped' 'runner: a script that dies'
is "$(counts ends OUT="$WORK")" '1 passed, 1 failed, 0 skipped' 'runner: a script that dies, and has something to do at its end'
check 'runner: all that was to be done at its end is done' test -e ended
is "$(grep -lE '^[^#]*trap .*EXIT' "$TESTS"/integration/*.sh "$TESTS"/*.sh)" "$TESTS/lib.sh" \
	'tests: none has an EXIT trap of its own, which would hide that it died'
is "$(counts '' OUT="$WORK")" '12 passed, 9 failed, 1 skipped' 'runner: everything together'
expect_exit 1 'runner: a failure is its exit status' env -u B t/tests/run unit/fails
expect_exit 0 'runner: without one it is 0' env -u B t/tests/run unit/passes
expect_exit 1 'runner: no test is a failure' env -u B t/tests/run nothing-like-this

expect_exit 64 'packages: an unknown set' "$root/scripts/packages" nonsense
expect_exit 0 'packages: silent when nothing is missing' "$root/scripts/packages" build run
is "$(cat out err)" '' 'packages: says nothing then'
