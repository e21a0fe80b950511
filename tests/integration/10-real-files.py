"""The rows of a table, as COPY prints them on stdin, against the CSV file that Python's csv module reads.

python3 10-real-files.py FILE < rows: silent and 0 if they are the same records in the same order.
Types apart means: what the table prints is compared as text. NULL and the empty string are told apart by the quotes,
which the csv module does not report, so a field that is empty there is looked up in the raw text.
"""
import csv
import re
import sys

ESCAPE = {'t': '\t', 'n': '\n', 'r': '\r', 'b': '\b', 'f': '\f', 'v': '\v', '\\': '\\'}


def copied(line):
    """One line of COPY's text format; None for NULL."""
    return [None if field == '\\N' else re.sub(r'\\(.)', lambda m: ESCAPE[m[1]], field)
            for field in line.rstrip('\n').split('\t')]


def with_nulls(row, raw):
    """The record with None for each field that is empty and not quoted; `raw` is its text, without line breaks."""
    fields = re.findall(r'(?:^|,)((?:"(?:[^"]|"")*")|[^,]*)', raw)
    assert len(fields) == len(row), raw
    return [None if field == '' else value for field, value in zip(fields, row)]


def main():
    path = sys.argv[1]
    with open(path, encoding='utf-8', newline='') as file:
        text = file.read()
    lines = text.split('\n')
    reader = csv.reader(lines)
    next(reader)
    expected = []
    for row in filter(None, reader):
        assert '\n' not in ''.join(row), 'these files have no line breaks in fields'
        expected.append(with_nulls(row, lines[reader.line_num - 1]))
    actual = [copied(line) for line in sys.stdin]
    if len(actual) != len(expected):
        sys.exit(f'{len(actual)} rows, but {len(expected)} records')
    for number, (have, want) in enumerate(zip(actual, expected), 1):
        if have != want:
            sys.exit(f'record {number}: {have} in the table, {want} in the file')


main()
