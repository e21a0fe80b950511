"""pages FILE: the ids of a query's records, page by page, as `csvp-search ARGUMENTS --limit N` and its cursors give them.

Records whose id is not divisible by 3 are left alone by the editor beside it: each must come exactly once.
"""

import csv
import io
import os
import random
import re
import subprocess
import sys

chance = random.Random(os.environ["SEED"])


def page(arguments, cursor):
    argv = ["csvp-search", "-d", "things", "--format", "csv", "--limit", str(chance.randrange(50, 400)), *arguments]
    run = subprocess.run(argv + (["--cursor", cursor] if cursor else []), capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise SystemExit(f"exit {run.returncode}: {run.stderr}")
    following = re.search("^next: (.*)$", run.stderr, re.MULTILINE)
    return [int(row["id"]) for row in csv.DictReader(io.StringIO(run.stdout))], following and following.group(1)


def main():
    expected, *arguments = sys.argv[1:]
    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        ids, cursor = page(arguments, cursor)
        seen += [number for number in ids if number % 3 != 0]
        pages += 1
    wanted = {number for number in range(1, int(expected) + 1) if number % 3 != 0}
    missing, twice = wanted - set(seen), len(seen) - len(set(seen))
    print(f"missing {len(missing)}, twice {twice}, foreign {len(set(seen) - wanted)}")


main()
