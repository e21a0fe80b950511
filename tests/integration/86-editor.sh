#!/bin/bash
# The files of the editor: the dev container is a service of compose, every task is run, what fails is found by its line, and
# what a launch starts is there.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
under_san 'editor' && exit 0
root=$(cd "$TESTS/.." && pwd)
needs_python jsonschema==4.23.0 PyYAML==6.0.2

# The source as make sees it, of the same times, so that nothing is built again; where more can be planted. What is built of that
# goes at the end.
mkdir clone
cp -rs "$root"/{Makefile,cmd,compose,lib,man,scripts,tests,.devcontainer,.vscode} clone/
ln -s "$B" clone/build
# shellcheck disable=SC2016 # expanded at the end
at_exit 'rm -f "$B"/tests/unit/planted "$B"/obj/tests/unit/planted.*'
cd clone

editor()
{
	"$PYTHON" "$TESTS/integration/86-editor.py" "$@"
}

# task COMMAND: as the editor's shell would run it; what it prints is left in WORK/said.
task()
{
	env -u MAKEFLAGS -u MAKELEVEL -u B -u SAN -u T -u LONG -u CI bash -c "$1" >"$WORK/said" 2>&1
}

editor config || FAILED=yes

# Of what takes minutes, a part.
part_of()
{
	case $1 in
	'build for debugging') echo "${2/%all tests/build/debug/tests/unit/buf build/debug/bin/csvp-upload}" ;;
	check) echo "$2 T=unit/buf" ;;
	lint) echo "$2 T=layers" ;;
	*) echo "$2" ;;
	esac
}

editor commands tests/unit/num.c >"$WORK/commands"
while IFS=$'\t' read -r label command; do
	expect_exit 0 "$label: runs" task "$(part_of "$label" "$command")"
	is "$(editor found <"$WORK/said")" '' "$label: nothing is found where nothing is wrong"
	case $label in
	check) matches "$(cat "$WORK/said")" '^ok +unit/buf +[1-9]' 'check: runs tests' ;;
	'check the open test') matches "$(cat "$WORK/said")" '^ok +unit/num +[1-9]' 'check the open test: runs that one' ;;
	lint) matches "$(cat "$WORK/said")" '^ok +layers$' 'lint: looks at the source' ;;
	esac
done <"$WORK/commands"
check 'tasks: each was run' test "$(grep -c . "$WORK/commands")" -ge 7

# What launches start is there after that, or would be after the whole of it.
mapfile -t there < <(editor targets tests/unit/buf.c cmd/csvp-upload/main.c)
check 'launch: there are several' test "${#there[@]}" -ge 3
for program in "${there[@]}"; do
	check "launch: $program is there" test -x "$program"
done
mapfile -t others < <(editor targets tests/unit/*.c tests/contract/*.c cmd/csvp-*/main.c | sed 's,^\./,,')
check 'launch: all tests and programs could be' test "${#others[@]}" -gt 80
IFS=$'\t' read -r _ command < <(grep '^build for debugging' "$WORK/commands")
expect_exit 0 'launch: make knows them all' task "${command/%all tests/${others[*]}} -n"

# What clangd is told is what make does.
for source in lib/base/buf.c cmd/csvp-upload/main.c tests/unit/buf.c; do
	expect_exit 0 "compile_commands.json: $source compiles" task "$(editor database "$source") -fsyntax-only"
done
check 'compile_commands.json: is not committed' grep -qxF /compile_commands.json "$root/.gitignore"

# What fails is found: a compiler's error, then a case of each kind of test, each with its line.
planted()
{
	sed -n "s/^$1\t//p" "$WORK/commands"
}
printf '#include "base/buf.h"\n\nint main(void) { return nothing; }\n' >tests/unit/planted.c
expect_exit 2 'an error: make fails' task 'make all tests'
matches "$(editor found <"$WORK/said")" '^tests/unit/planted.c:3 error .*nothing.* undeclared' 'an error: is found'
cat >tests/unit/planted.c <<'END'
#include <check.h>
#include <stdlib.h>

START_TEST(one_is_two)
{
	ck_assert_int_eq(1, 2);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("planted");
	TCase *c = tcase_create("planted");
	SRunner *r;
	int failed;

	tcase_add_test(c, one_is_two);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
END
cat >tests/integration/99-planted.sh <<'END'
. "${0%/*}/../lib.sh"
setup
ok 'one is one'
is 1 2 'one is two'
END
cat >tests/integration/99-planted-too.sh <<'END'
. "${0%/*}/../lib.sh"
setup
dies()
{
	false
}
dies
END
mkdir tests/golden/planted
echo 'echo one' >tests/golden/planted/cmd
echo two >tests/golden/planted/stdout
expect_exit 2 'failing tests: make fails' task "$(planted 'check the open test' | sed 's/num/planted/')"
editor found <"$WORK/said" >"$WORK/found"
matches "$(cat "$WORK/found")" "^tests/unit/planted.c:6 F .*Assertion '1 == 2' failed" 'failing tests: a case in C is found'
matches "$(cat "$WORK/found")" '^tests/integration/99-planted.sh:4 error one is two$' 'failing tests: a case of a script is found'
matches "$(cat "$WORK/found")" '^tests/golden/planted/cmd:1 error planted$' 'failing tests: a recorded case is found'
matches "$(cat "$WORK/found")" '^tests/integration/99-planted-too.sh:7 error died with status 1$' 'failing tests: a script that dies is found'
is "$(wc -l <"$WORK/found")" 4 'failing tests: and nothing else'

# What is wrong in the files is found.
rm .devcontainer/devcontainer.json
for wrong in 's/"service"/"sevice"/' 's/"service": "tests"/"service": "test"/' 's/"compose.yaml"/"composed.yaml"/' \
	's,/workspace,/src,'; do
	sed "$wrong" "$root/.devcontainer/devcontainer.json" >.devcontainer/devcontainer.json
	matches "$(editor config)" '^not ok - devcontainer.json' "a dev container with $wrong is refused"
done
