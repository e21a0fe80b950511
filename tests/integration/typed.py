"""Commands as a page tells somebody to type them, typed; what it says that is printed, compared."""
import os
import re
import subprocess

MARK = '@@ end of a command:'


class Command:
    """`expected`: the lines it prints, `...` stands for anything (alone for any lines, in a line for any text); None: any."""

    def __init__(self, name, script, expected):
        self.name, self.script, self.expected = name, script, expected


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


def run(page, commands):
    """Run them in the current folder and in one shell; all must exit with 0. Prints a case for each; true: all is well."""
    script = ''.join(f'{{ {c.script}\n}} </dev/null 2>&1\nprintf "\\n{MARK} %s\\n" $?\n' for c in commands)
    shell = subprocess.run(['bash', '-c', script], env=os.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           text=True, encoding='utf-8', errors='replace', check=False)
    results = re.findall(rf'(.*?)^{MARK} (\d+)\n', shell.stdout, re.M | re.S)
    good = len(results) == len(commands) and bool(commands)
    if not good:
        print(f'not ok - {page}: {len(commands)} commands, {len(results)} of them ended')
    for command, (output, status) in zip(commands, results):
        same = command.expected is None or re.fullmatch(
            pattern([line.rstrip() for line in command.expected if line.strip()]), lines_of(output))
        if status == '0' and same:
            print(f'ok - {page}: {command.name}')
            continue
        good = False
        print(f'not ok - {page}: {command.name}\n#   exit status {status}; output:')
        print(''.join(f'#   {line}\n' for line in output.splitlines()), end='')
        if not same:
            print('#   expected:\n' + ''.join(f'#   {line}\n' for line in command.expected), end='')
    return good
