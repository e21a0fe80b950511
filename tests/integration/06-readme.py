"""What the README tells somebody to type, typed; what it says that is printed, compared.

python3 06-readme.py README < /dev/null runs, in the current folder and in one shell,

    ```console   each `$ command`; the lines below it are its output and errors, `...` stands for anything: alone for any
                 lines, in a line for any text. In a block that types `$ make`, what other lines begin with `$ ` is output.
    ```sh        the whole block, in a shell of its own

all of which must exit with 0. Prints a case (ok, not ok) for each. A block that sets CSVP_DATABASE_URL finds the server that
README_PGHOST and README_PGUSER name, and `make check` without T= runs one test, since it is run by one.
"""
import re
import shlex
import socket
import sys

from typed import Command, run


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as server:
        return str(server.getsockname()[1])


def commands_of(kind, lines):
    if kind == 'sh':
        script = 'set -eu\n' + '\n'.join(lines)
        # Others may serve, or test, on the port that is in it.
        for port in re.findall(r'CSVP_API_PORT=(\d+)', script):
            script = script.replace(port, free_port())
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


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        commands = list(blocks(file.read()))
    sys.exit(not run('README', commands))


main()
