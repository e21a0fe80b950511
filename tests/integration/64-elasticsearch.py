"""A search engine that is busy: a proxy on a free port (printed) in front of the one at PORT.

`GET /faults/MODE` sets what happens to bulk requests from then on: `none`; `items`, of each request about half the
documents are not handed on and answered with 429 or 503, one by one; `busy-SECONDS`, the whole request is answered
with 429 for so long, from the first one on; `once`: the next search is answered with 429, and then all is as with
`none`. The answer is the number of documents and requests that were refused so far, and of requests to which the
engine itself has said 429. `GET /faults/expire` ends the points in time that were opened by the proxy; the answer is
how many there were.
"""

import http.client
import http.server
import json
import os
import random
import sys
import threading
import time

PORT = int(sys.argv[1])
chance = random.Random(os.environ["SEED"])
lock = threading.Lock()
BUSY = b'{"error":{"type":"es_rejected_execution_exception","reason":"test"},"status":429}'
points = []  # open points in time
state = {"mode": "none", "seconds": 0.0, "until": None, "items": 0, "requests": 0, "really": 0}


def operations(body):
    """The documents of a bulk request, each with its lines."""
    lines, operation = body.split(b"\n")[:-1], []
    for line in lines:
        if operation and not operation[0].startswith(b'{"delete"'):
            yield operation + [line]
            operation = []
        elif line.startswith(b'{"delete"'):
            yield [line]
        else:
            operation = [line]


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def forward(self, body):
        server = http.client.HTTPConnection("127.0.0.1", PORT, timeout=120)
        headers = {k: v for k, v in self.headers.items() if k.lower() in ("content-type", "authorization")}
        headers.setdefault("Content-Type", "application/json")
        server.request(self.command, self.path, body, headers)
        answer = server.getresponse()
        state["really"] += answer.status == 429
        return answer.status, answer.read()

    def some_items(self, body):
        """Hand on half of it."""
        all_of_it = list(operations(body))
        with lock:
            taken = [chance.random() < 0.5 for _ in all_of_it]
            state["items"] += taken.count(False)
        part = b"".join(b"\n".join(o) + b"\n" for o, take in zip(all_of_it, taken) if take)
        status, answer = self.forward(part) if part else (200, b'{"items":[]}')
        if status != 200:
            return status, answer
        items = iter(json.loads(answer)["items"])
        busy = [{"status": s, "error": {"type": "es_rejected_execution_exception", "reason": "test"}} for s in (429, 503)]
        answers = [next(items) if take else {"index": busy[i % 2]} for i, take in enumerate(taken)]
        return 200, json.dumps({"errors": True, "items": answers}).encode()

    def busy(self):
        if state["mode"] == "busy" and state["until"] is None:
            state["until"] = time.monotonic() + state["seconds"]
        return state["mode"] == "busy" and time.monotonic() < state["until"]

    def expire(self):
        """As the engine does when one was not used for long enough."""
        for path, text in points:
            self.command, self.path = "DELETE", path
            self.forward(text)
        return 200, b"%d\n" % len(points)

    def note_point(self, answer):
        if self.command == "POST" and self.path.split("?")[0].endswith("/_pit"):
            points.append(("/_pit", json.dumps({"id": json.loads(answer)["id"]}).encode()))
        elif self.command == "POST" and self.path.split("?")[0].endswith("/_search/point_in_time"):
            text = json.dumps({"pit_id": [json.loads(answer)["pit_id"]]})
            points.append(("/_search/point_in_time", text.encode()))

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/faults/expire":
            status, answer = self.expire()
            points.clear()
        elif self.path.startswith("/faults/"):
            mode, _, seconds = self.path[len("/faults/") :].partition("-")
            state.update(mode=mode, seconds=float(seconds or 0), until=None)
            status, answer = 200, f"{state['items']} {state['requests']} {state['really']}\n".encode()
        elif "/_bulk" in self.path and state["mode"] == "items":
            status, answer = self.some_items(body)
        elif "/_bulk" in self.path and self.busy():
            state["requests"] += 1
            status, answer = 429, BUSY
        elif "/_search" in self.path and state["mode"] == "once":
            state["mode"] = "none"
            state["requests"] += 1
            status, answer = 429, BUSY
        else:
            try:
                status, answer = self.forward(body)
            except OSError:
                status, answer = 503, b"{}"
            if status == 200:
                self.note_point(answer)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_PUT = do_POST = do_DELETE = answer

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
