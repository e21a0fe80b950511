"""Files whose records share keys, and what a table holds after they were loaded one record after the other.

python3 12-parallel-serial.py RECORDS KEYS SEED writes a.csv b.csv c.csv (RECORDS in all, any key any number of times)
and d.csv e.csv f.csv (d and f have every key once, many records as they were; e is like the first three), and for
each prefix of the six the rows then expected, ordered by key, as COPY prints them: a.rows ... f.rows.
"""
import random
import sys


def main():
    records, keys, seed = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    rng = random.Random(seed)
    table = {}

    def write(name, rows):
        with open(name + '.csv', 'w', encoding='utf-8', newline='') as file:
            file.write('key,amount,remark\n')
            for key, amount, remark in rows:
                file.write(f'{key},{amount},"{remark}"\n')
                table[key] = (amount, remark)
        with open(name + '.rows', 'w', encoding='utf-8', newline='') as file:
            for key in sorted(table):
                file.write('\t'.join([key, *table[key]]) + '\n')

    def any_record():
        # Few amounts: a record is often equal to the row it meets.
        return f'k{rng.randrange(keys)}', str(rng.randrange(3)), rng.choice(['', 'same', 'a longer remark', 'é'])

    def every_key(change):
        for key in rng.sample(sorted(table), len(table)):
            amount, remark = table[key]
            yield (key, str(rng.randrange(3)), 'changed') if rng.random() < change else (key, amount, remark)

    for name in 'abc':
        write(name, [any_record() for _ in range(records // 3)])
    write('d', list(every_key(0.3)))
    write('e', [any_record() for _ in range(records // 6)])
    write('f', list(every_key(0.1)))


main()
