"""The requests of 71-api-records.sh: arguments are the port and a name for the cases."""

import csv
import http.client
import io
import json
import os
import subprocess
import sys
import threading
import time
import urllib.parse

PORT, ENGINE = int(sys.argv[1]), sys.argv[2]
failed = False


def check(name, good, what=""):
    global failed
    print(f"{'ok' if good else 'not ok'} - {ENGINE}: {name}", flush=True)
    if not good:
        print(f"#   {what!r}"[:2000], flush=True)
        failed = True


def call(method, path, body=None, headers=None):
    """Status, headers, body (JSON decoded, if it is JSON)."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    headers = dict(headers or {})
    if body is not None and not isinstance(body, (bytes, str)):
        body = json.dumps(body)
        headers.setdefault("Content-Type", "application/json")
    connection.request(method, path, body.encode() if isinstance(body, str) else body, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    kind = answer.headers.get("Content-Type") or ""
    return answer.status, answer.headers, json.loads(text) if text and kind.split(";")[0].endswith(("/json", "+json")) else text.decode()


def is_answer(name, got, status, part=None):
    good = got[0] == status and (part is None or part(got))
    if status >= 400:
        good = good and got[1]["Content-Type"].startswith("application/problem+json") and got[2]["status"] == status
    check(name, good, got[:1] + got[2:])
    return got


def sql(statement):
    return subprocess.run(["csvp-admin", "psql", "-XAtq", "-c", statement], check=True, capture_output=True, text=True).stdout.strip()


def find(dataset, query=""):
    return call("GET", f"/api/datasets/{dataset}/search?{query}")


def keys(dataset, query=""):
    status, _, page = find(dataset, query)
    return [r["id"] for r in page["results"]] if status == 200 else page


def searchable(name, query, expected):
    begun = time.monotonic()
    while keys("things", query) != expected and time.monotonic() < begun + 30:
        time.sleep(0.02)
    seconds = time.monotonic() - begun
    check(f"{name} ({seconds:.2f} s)", keys("things", query) == expected, keys("things", query))
    return seconds


THINGS = "/api/datasets/things/records"

# Reading.
status, headers, record = call("GET", THINGS + "/1")
check("a record is read with every digit", status == 200 and record == {
    "id": 1, "full_name": 'Red "plastic" box', "founded": 1990, "price": 1.50, "active": True, "note": None}, record)
etag = headers["ETag"]
is_answer("known by its ETag it does not come again", call("GET", THINGS + "/1", headers={"If-None-Match": f'"0", {etag}'}), 304)
is_answer("HEAD", call("HEAD", THINGS + "/1"), 200, lambda g: g[2] == "" and g[1]["ETag"] == etag)
is_answer("no such record", call("GET", THINGS + "/99"), 404)
is_answer("no such key", call("GET", THINGS + "/x"), 404)
is_answer("no such dataset", call("GET", "/api/datasets/other/records/1"), 404)

# Making.
new = {"id": 10, "full_name": "green é 名 😀", "price": 0.1, "active": False, "note": "line\nbreak \"quoted\" '; --"}
status, headers, record = is_answer("a record is made", call("POST", THINGS, new), 201)
check("with its place and version", headers["Location"] == THINGS + "/10" and headers["ETag"], dict(headers))
check("and comes back as it is", record == new | {"founded": None}, record)
check("also when it is read", call("GET", headers["Location"])[2] == record)
is_answer("twice is a conflict", call("POST", THINGS, new), 409)
is_answer("digits beyond a double's stay", call("POST", THINGS, '{"id":11,"founded":9007199254740993,"price":123456789012345678901.50}',
    {"Content-Type": "application/json"}), 201,
    lambda g: g[2]["founded"] == "9007199254740993" and g[2]["price"] == "123456789012345678901.50")
is_answer("10 KB of text", call("POST", THINGS, {"id": 12, "note": "x" * 10240}), 201, lambda g: g[2]["note"] == "x" * 10240)

# What is refused, and why.
got = is_answer("wrong fields are named", call("POST", THINGS, {"id": 1.5, "founded": "x", "colour": 1, "note": 3}), 422)
check("each with the reason", {e["name"]: e["pointer"] for e in got[2]["errors"]} == {
    "id": "#/id", "founded": "#/founded", "colour": "#/colour", "note": "#/note"}, got[2])
is_answer("NUL in a value", call("POST", THINGS, {"id": 13, "note": "a\0b"}), 422, lambda g: g[2]["errors"][0]["name"] == "note")
is_answer("no JSON", call("POST", THINGS, "{", {"Content-Type": "application/json"}), 400)
is_answer("no object", call("POST", THINGS, [1]), 400)
is_answer("no body", call("POST", THINGS, headers={"Content-Type": "application/json"}), 400)
is_answer("another type", call("POST", THINGS, "id=1", {"Content-Type": "text/plain"}), 415)
is_answer("too long", call("POST", THINGS, {"id": 14, "note": "x" * (5 << 20)}), 413)
is_answer("a key of its own in the body", call("PUT", THINGS + "/1", {"id": 2}), 422, lambda g: g[2]["errors"][0]["name"] == "id")
is_answer("a tag that is none", call("PATCH", THINGS + "/1", {}, {"If-Match": "x"}), 400)
is_answer("another method", call("POST", THINGS + "/1", {}), 405)
for path in ("/%00", "/%ff", "/%", "/" + "x" * 10000, "/%2e%2e", "/1/2"):
    status, _, problem = call("GET", THINGS + path)
    check(f"the path {path[:20]} is refused", 400 <= status < 500 and problem["status"] == status, (status, problem))

# Lost updates.
status, headers, record = is_answer("a patch", call("PATCH", THINGS + "/1", {"note": "patched"}, {"If-Match": etag}), 200)
check("changes only what it has", record["note"] == "patched" and record["founded"] == 1990, record)
whole = json.dumps(record).replace("1.5", "1.50") # every digit counts, and Python drops one
for what, method, body in [("an empty patch", "PATCH", "{}"), ("PUT of what is there", "PUT", whole),
                           ("a patch with what is there", "PATCH", '{"note": "patched", "founded": 1990, "active": true}')]:
    is_answer(f"{what} changes nothing", call(method, THINGS + "/1", body, {"Content-Type": "application/json"}), 200,
        lambda g: g[1]["ETag"] == headers["ETag"] and g[2] == record)
is_answer("If-Match of an older version", call("PATCH", THINGS + "/1", {"note": "lost"}, {"If-Match": etag}), 412,
    lambda g: g[1]["ETag"] == headers["ETag"])
is_answer("for PUT, too", call("PUT", THINGS + "/1", {"note": "lost"}, {"If-Match": etag}), 412)
is_answer("for DELETE, too", call("DELETE", THINGS + "/1", headers={"If-Match": etag}), 412)
is_answer("a weak tag never matches", call("DELETE", THINGS + "/1", headers={"If-Match": "W/" + headers["ETag"]}), 412)
is_answer("If-None-Match: *", call("PUT", THINGS + "/1", {}, {"If-None-Match": "*"}), 412)
is_answer("If-Match: *", call("PUT", THINGS + "/98", {}, {"If-Match": "*"}), 412)
is_answer("null is no value", call("PATCH", THINGS + "/1", {"note": None}, {"Content-Type": "application/merge-patch+json"}), 200,
    lambda g: g[2]["note"] is None)

# Two at once, many times.
for _ in range(5):
    counts = [0, 0]

    def add(i, column):
        for _ in range(20):
            counts[i] += 1
            assert call("PATCH", THINGS + "/2", {column: counts[i]})[0] == 200

    threads = [threading.Thread(target=add, args=a) for a in ((0, "founded"), (1, "price"))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    record = call("GET", THINGS + "/2")[2]
    if (record["founded"], record["price"]) != (20, 20):
        break
check("two PATCHes at once lose nothing", (record["founded"], record["price"]) == (20, 20), record)
wins = []


def increment():
    while len(wins) < 40:
        _, headers, record = call("GET", THINGS + "/4")
        if call("PATCH", THINGS + "/4", {"founded": record["founded"] + 1}, {"If-Match": headers["ETag"]})[0] == 200:
            wins.append(1)


threads = [threading.Thread(target=increment) for _ in range(3)]
for t in threads:
    t.start()
for t in threads:
    t.join()
check("with If-Match three count together", call("GET", THINGS + "/4")[2]["founded"] == 1990 + len(wins), len(wins))

# Edits in searches.
slow = [searchable("a new record is found", "q=green", [10])]
call("PUT", THINGS + "/10", {"full_name": "violet"})
slow.append(searchable("its new text, after PUT", "q=violet", [10]))
check("not its old one", keys("things", "q=green") == [], keys("things", "q=green"))
is_answer("DELETE", call("DELETE", THINGS + "/10"), 204)
slow.append(searchable("nothing, after DELETE", "q=violet", []))
is_answer("it is gone", call("GET", THINGS + "/10"), 404)
is_answer("twice", call("DELETE", THINGS + "/10"), 404)
# On a busy machine one may take longer.
while min(slow) >= 1 and len(slow) < 13:
    call("PATCH", THINGS + "/1", {"note": f"edit{len(slow)}"})
    slow.append(searchable("an edit", f"q=edit{len(slow)}", [1]))
if "SAN" not in os.environ:
    check("edits are searchable within a second", min(slow) < 1, slow)

# A file that was uploaded before comes late.
with open("late.csv", "w") as late:
    late.write("Id,Full Name,Founded,Price,Active,Note\n3,late,,,,\n2,late,,,,\n")
job = subprocess.run(["csvp-upload", "-q", "-d", "things", "late.csv"], check=True, capture_output=True, text=True).stdout.strip()
is_answer("a delete", call("DELETE", THINGS + "/3"), 204)
is_answer("and an edit", call("PATCH", THINGS + "/2", {"full_name": "edited"}), 200)
subprocess.run(f"echo {job} | csvp-split -q | csvp-load -q | csvp-index -q", shell=True, check=True, stdout=subprocess.DEVNULL)
is_answer("beat an older file that is loaded after them", call("GET", THINGS + "/3"), 404)
check("the table", sql("SELECT count(*) FILTER (WHERE id = 3), max(full_name) FILTER (WHERE id = 2) FROM things") == "0|edited")
searchable("and the index", "q=late", [])
searchable("hold the edit", "q=edited", [2])

# Keys of several columns, and none.
path = "/api/datasets/pairs/records/"
is_answer("a key of two columns", call("GET", path + "x%2Cy,1.5"), 200, lambda g: g[2]["text"] == "one")
is_answer("with a slash", call("GET", path + "%2F,2"), 200, lambda g: g[2]["text"] == "two")
got = is_answer("is made and told", call("POST", path[:-1], {"a": "..", "b": 0}), 201)
check("so that it can be found", got[1]["Location"] == path + "=..,0" and call("GET", got[1]["Location"])[0] == 200, dict(got[1]))
got = is_answer("an empty one", call("POST", path[:-1], {"a": "", "b": 0}), 201)
check("is written with =", got[1]["Location"] == path + "=,0" and call("DELETE", got[1]["Location"])[0] == 204, dict(got[1]))
page = find("log", "sort=n")[2]
ids = [r["_id"] for r in page["results"]]
check("records without a key have ids in searches", len(set(ids)) == 2, page)
path = "/api/datasets/log/records/"
is_answer("by which they are read", call("GET", path + ids[0]), 200, lambda g: g[2] == {"word": "same", "n": 1})
is_answer("and changed", call("PUT", path + ids[0], {"word": "other"}), 200, lambda g: g[2] == {"word": "other", "n": None})
is_answer("but not made", call("PUT", path + "5", {"word": "other"}), 404)
got = is_answer("which gives them one", call("POST", path[:-1], {"word": "more"}), 201)
is_answer("to be deleted by", call("DELETE", got[1]["Location"]), 204)

# Searches.
for extra in ({"id": n, "full_name": f"page {n}", "founded": 1900 + n, "active": n % 2 == 0, "note": "z" if n % 3 else "y"} for n in range(100, 125)):
    assert call("POST", THINGS, extra)[0] == 201
searchable("25 more records", "q=page&page_size=0&founded=2024", [])
searchable("are found", "q=page&founded=2024", [124])
check("COL", keys("things", "q=page&founded=1905") == [] and keys("things", "founded=2024&active=true") == [124])
check("COL_min and COL_max", keys("things", "q=page&founded_min=2003&founded_max=2004") == [103, 104], keys("things", "q=page&founded_min=2003&founded_max=2004"))
check("where", keys("things", "where=founded%3E%3D2022&where=active%3Dtrue&q=page") == [122, 124])
check("sort", keys("things", "q=page&sort=founded:desc&page_size=2") == [124, 123])
check("columns whose names collide", [r["founded"] for r in find("odd", "founded_min=10")[2]["results"]] == [1]
    and [r["founded"] for r in find("odd", "where=q%3Db")[2]["results"]] == [2] and find("odd", "founded_min_min=15")[2]["total"] == 1)
seen, pages, url = [], 0, "/api/datasets/things/search?q=p%61ge&page_size=10&sort=id&where=id%3E0"
while url:
    status, _, page = call("GET", url)
    seen += [r["id"] for r in page["results"]]
    url = page["next"]
    pages += 1
check("pages by their links", seen == list(range(100, 125)) and pages == 3 and page["total"] == 25, (seen, page))
page = find("things", "q=page&facet=note&facet=active&page_size=1&highlight=" + urllib.parse.quote("<i>,</i>"))[2]
check("facets", page["facets"]["note"]["values"] == [{"value": "z", "count": 17}, {"value": "y", "count": 8}]
    and page["facets"]["active"]["values"] == [{"value": True, "count": 13}, {"value": False, "count": 12}], page.get("facets"))
check("highlights", page["results"][0]["_highlight"]["full_name"].startswith("<i>page</i> 1"), page["results"])
status, headers, text = call("GET", "/api/datasets/things/search?q=page&page_size=10&sort=id", headers={"Accept": "application/x-ndjson"})
check("NDJSON", [json.loads(line)["id"] for line in text.splitlines()] == list(range(100, 110)), text)
link = headers["Link"].split(">")[0][1:]
status, headers, text = call("GET", link, headers={"Accept": "text/csv"})
rows = list(csv.DictReader(io.StringIO(text)))
check("CSV of the next page", [row["Id"] for row in rows] == [str(n) for n in range(110, 120)] and "Link" in headers, text)
long = "".join("&where=" + urllib.parse.quote("full_name!=" + "x" * 1500) for _ in range(3))
status, headers, text = call("GET", f"/api/datasets/things/search?q=page&page_size=10&sort=id{long}", headers={"Accept": "application/x-ndjson"})
check("a link to the next page that is long", status == 200 and len(headers["Link"]) > 4096 and len(text.splitlines()) == 10, (status, text[:300]))
key = "ü" * 1000
status, headers, record = call("POST", "/api/datasets/pairs/records", {"a": key, "b": 7, "text": "long"})
check("a record whose address is long", status == 201 and len(headers["Location"]) > 4096, (status, record))
is_answer("is read at it", call("GET", headers["Location"] or "/"), 200, lambda g: g[2]["a"] == key)
for query in ("founded=x", "founded_min=x", "nothing=1", "sort=nothing", "where=x", "where=founded", "cursor=x", "page_size=1001",
              "page_size=x", "facet=nothing", "highlight=x", "sort=id&sort=id", "q=%00", "q=%ff", "name_min"):
    is_answer(f"?{query}", find("things", query), 400)
is_answer("facets as CSV", call("GET", "/api/datasets/things/search?facet=note", headers={"Accept": "text/csv"}), 400)
is_answer("another media type", call("GET", "/api/datasets/things/search", headers={"Accept": "image/png"}), 406)
is_answer("no such dataset to search", find("nothing"), 404)
for odd in ("'", '"', "\\", "%", "a'b*", "<script>", "😀", "x" * 2000, "-", ";--", "{}", "$1"):
    status, _, page = find("things", "q=" + urllib.parse.quote(odd))
    check(f"odd text is no error: {odd[:10]}", status == 200, (status, page))

# Load.
refused = []


def read(i):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    for turn in range(40):
        n, single = turn % 25, (turn + i) % 2
        connection.request("GET", f"{THINGS}/{100 + n}" if single else "/api/datasets/things/search?q=page&page_size=5")
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200 or (json.loads(text)["id"] != 100 + n if single else json.loads(text)["total"] != 25):
            refused.append((answer.status, text))
    connection.close()


threads = [threading.Thread(target=read, args=(i,)) for i in range(16)]
for t in threads:
    t.start()
for t in threads:
    t.join()
check("320 searches and 320 reads by 16 connections, each answered right", not refused, refused[:3])
sys.exit(failed)
