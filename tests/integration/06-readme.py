"""What the README tells somebody to type, typed; what it says that is printed, compared.

python3 06-readme.py README < /dev/null runs, in the current folder and in one shell,

    ```console   each `$ command`; the lines below it are its output and errors, `...` stands for anything: alone for any
                 lines, in a line for any text. In a block that types `$ make`, what other lines begin with `$ ` is output.
    ```sh        the whole block, in a shell of its own

all of which must exit with 0. Prints a case (ok, not ok) for each. A block that sets CSVP_DATABASE_URL finds the server that
README_PGHOST and README_PGUSER name, and `make check` without T= runs one test, since it is run by one.
"""
import os
import re
import shlex
import subprocess
import sys

MARK = '@@ end of a command:'


class Command:
    def __init__(self, name, script, expected):
        self.name, self.script, self.expected = name, script, expected


def commands_of(kind, lines):
    if kind == 'sh':
        script = 'set -eu\n' + '\n'.join(lines)
        if 'CSVP_DATABASE_URL' in script:
            script = 'export PGHOST="$README_PGHOST" PGUSER="$README_PGUSER"\n' + script
        return [Command(next(filter(None, lines)), 'bash -c ' + shlex.quote(script), None)]
    prompt = '$ make' if any(line.startswith('$ make') for line in lines) else '$ '
    commands = []
    for line in lines:
        if line.startswith(prompt):
            script = line[2:] + (' T=unit/num' if line == '$ make check' else '')
            commands.append(Command(line[2:], script, []))
        else:
            commands[-1].expected.append(line)
    return commands


def blocks(text):
    for kind, body in re.findall(r'^```(\w*)\n(.*?)^```$', text, re.M | re.S):
        if kind in ('console', 'sh'):
            yield from commands_of(kind, body.splitlines())


def pattern(expected):
    """The expected lines as a regular expression over lines that each end with a newline."""
    parts = []
    for line in expected:
        if line == '...':
            parts.append(r'(?:.*\n)*?')
        else:
            parts.append('.*'.join(map(re.escape, line.split('...'))) + '\n')
    return ''.join(parts)


def lines_of(output):
    """The output without blank lines and blanks at the end of lines."""
    return ''.join(line.rstrip() + '\n' for line in output.splitlines() if line.strip())


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        commands = list(blocks(file.read()))
    script = ''.join(f'{{ {c.script}\n}} </dev/null 2>&1\nprintf "\\n{MARK} %s\\n" $?\n' for c in commands)
    shell = subprocess.run(['bash', '-c', script], env=os.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           text=True, encoding='utf-8', errors='replace', check=False)
    results = re.findall(rf'(.*?)^{MARK} (\d+)\n', shell.stdout, re.M | re.S)
    bad = len(results) != len(commands) or not commands
    if bad:
        print(f'not ok - README: {len(commands)} commands, {len(results)} of them ended')
    for command, (output, status) in zip(commands, results):
        same = command.expected is None or re.fullmatch(
            pattern([line.rstrip() for line in command.expected if line.strip()]), lines_of(output))
        if status == '0' and same:
            print(f'ok - README: {command.name}')
            continue
        bad = True
        print(f'not ok - README: {command.name}\n#   exit status {status}; output:')
        print(''.join(f'#   {line}\n' for line in output.splitlines()), end='')
        if not same:
            print('#   expected:\n' + ''.join(f'#   {line}\n' for line in command.expected), end='')
    sys.exit(bad)


main()
