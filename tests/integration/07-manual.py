"""The EXAMPLES of manual pages, typed.

python3 07-manual.py PAGE runs in the current folder, and in one shell, what the blocks (.Bd -literal) of that section say:

    $ command         continued by lines that begin with `> `; must exit with 0
    other lines       what it prints, on both outputs; a command without them may print anything

A block without a command, or with a macro or an escape that shows as something else, is a failure. Prints a case (ok, not ok) for each command.
"""
import os
import re
import sys

from typed import Command, run


def plain(text):
    """A line of mdoc as it is printed."""
    return text.replace('\\e', '\\').replace('\\&', '').replace('\\-', '-')


def commands_of(page, text):
    section = re.search(r'^\.Sh EXAMPLES\n(.*?)(?=^\.Sh |\Z)', text, re.M | re.S)
    commands = []
    for block in re.findall(r'^\.Bd -literal[^\n]*\n(.*?)^\.Ed$', section.group(1) if section else '', re.M | re.S):
        lines = [plain(line) for line in block.splitlines()]
        # Of two backslashes a page shows one.
        if not lines or not lines[0].startswith('$ ') or any(line.startswith('.') for line in lines) or '\\\\' in block:
            sys.exit(f'not ok - {page}: a block of EXAMPLES that nobody can type:\n#   ' + '\n#   '.join(lines))
        for line in lines:
            if line.startswith('$ '):
                commands.append(Command(line[2:], line[2:], None))
            elif line.startswith('> ') and commands[-1].expected is None:
                commands[-1].script += '\n' + line[2:]
            else:
                commands[-1].expected = (commands[-1].expected or []) + [line]
    return commands


def main():
    page = os.path.basename(sys.argv[1])
    with open(sys.argv[1], encoding='utf-8') as file:
        commands = commands_of(page, file.read())
    sys.exit(not run(page, commands))


main()
