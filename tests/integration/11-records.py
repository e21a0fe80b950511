"""A CSV file of awkward records, and what its table must hold.

python3 11-records.py COUNT SEED FILE ROWS writes FILE, and into ROWS its records as COPY prints them (NULL and the
empty string apart), in the file's order; prints how many records Python's csv module reads in FILE, after making
sure that it reads the very values.
"""
import csv
import random
import sys

PIECES = ['a', 'plain words', ',', '"', '""', '\n', '\r\n', '\r', '\t', '\\', '\\N', '\\.', 'é', '日本', '\U0001f600', ' ', ';', "'",
          'NULL', 'NA', '\u2028', '\x0b', '\x1f']
ENDS = ['\n', '\n', '\n', '\r\n', '\r\n', '\r', '\n\n', '\r\n\r\n']


def value(rng):
    """One field: its text in the file, and its value (None is NULL)."""
    kind = rng.random()
    if kind < 0.15:
        return '', None
    if kind < 0.3:
        return '""', ''
    if kind < 0.6:
        word = rng.choice(['x', 'word', '12', '007', 'a\\b', 'it is "quoted"', 'NULL', 'é'])
        return word, word
    text = ''.join(rng.choice(PIECES) for _ in range(rng.randrange(1, 6)))
    return '"' + text.replace('"', '""') + '"', text


def copied(value):
    if value is None:
        return '\\N'
    for plain, escaped in (('\\', '\\\\'), ('\t', '\\t'), ('\n', '\\n'), ('\r', '\\r'), ('\b', '\\b'), ('\f', '\\f'),
                           ('\v', '\\v')):
        value = value.replace(plain, escaped)
    return value


def main():
    count, seed, path, rows = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
    rng = random.Random(seed)
    expected = []
    with open(path, 'w', encoding='utf-8', newline='') as file, open(rows, 'w', encoding='utf-8', newline='') as out:
        file.write('\ufeffid,first,second,third\n')
        for number in range(count):
            fields = [(str(number), str(number))] + [value(rng) for _ in range(3)]
            file.write(','.join(text for text, _ in fields))
            file.write(rng.choice(ENDS) if number < count - 1 else '')
            out.write('\t'.join(copied(value) for _, value in fields) + '\n')
            expected.append([value or '' for _, value in fields])
    with open(path, encoding='utf-8-sig', newline='') as file:
        records = [record for record in csv.reader(file) if record]
    assert records[1:] == expected, 'the generator and the csv module disagree'
    print(len(records) - 1)


main()
