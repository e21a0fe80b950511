"""A proxy in front of a queue service, for 62-sqs.sh: proxy.py SERVICE-PORT REGION ACCESS-KEY SECRET-KEY

It prints its own port, passes each request on, and answers by itself:
  GET /counts    per queue what the service has confirmed: sent, received, extended, handed back, deleted; and
                 "unsigned": requests whose signature (AWS Signature Version 4) is not the one it works out itself
  GET /depths    per queue visible and in flight, as the service says
  GET /twice/on  from now on each message that is sent is sent once more, two seconds later; /twice/off
"""

import hashlib
import hmac
import http.client
import http.server
import json
import re
import socketserver
import sys
import threading

service, region, access_key, secret_key = int(sys.argv[1]), *sys.argv[2:]
lock = threading.Lock()
counts = {"unsigned": 0}
twice = False
VERBS = {"SendMessageBatch": "sent", "DeleteMessageBatch": "deleted", "ReceiveMessage": "received"}


def forward(target, body):
    connection = http.client.HTTPConnection("127.0.0.1", service, timeout=60)
    connection.request("POST", "/", body, {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def signature(method, path, headers, body):
    """What the Authorization header must be (AWS General Reference, "Signature Version 4")."""
    signed = re.search(r"SignedHeaders=([^,]+)", headers["Authorization"])[1]
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in signed.split(";"))
    request = "\n".join([method, path, "", lines, signed, hashlib.sha256(body).hexdigest()])
    date = headers["X-Amz-Date"]
    scope = f"{date[:8]}/{region}/sqs/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = ("AWS4" + secret_key).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    wanted = {"host", "x-amz-date", "x-amz-target"}
    return (wanted <= set(signed.split(";")) and f"Credential={access_key}/{scope}, SignedHeaders={signed}, "
            f"Signature={hmac.new(key, text.encode(), 'sha256').hexdigest()}")


def count(action, request, status, answer):
    if status != 200:
        return
    queue = request.get("QueueUrl", "").rsplit("/", 1)[-1]
    if action == "ChangeMessageVisibilityBatch":
        visibility = request["Entries"][0]["VisibilityTimeout"]
        verb = "extended" if visibility > 0 else "handed back"
    elif action in VERBS:
        verb = VERBS[action]
    else:
        return
    number = len(answer.get("Messages") or answer.get("Successful") or [])
    with lock:
        books = counts.setdefault(queue, {})
        books[verb] = books.get(verb, 0) + number


def depths():
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
             "ApproximateNumberOfMessagesDelayed"]
    result = {}
    for queue in "csvp-split", "csvp-load", "csvp-index", "csvp-dead":
        url = f"http://127.0.0.1:{service}/000000000000/{queue}"
        status, answer = forward("AmazonSQS.GetQueueAttributes", json.dumps({"QueueUrl": url, "AttributeNames": names}))
        found = json.loads(answer).get("Attributes", {}) if status == 200 else {}
        result[queue] = [int(found.get(names[0], 0)), int(found.get(names[1], 0)) + int(found.get(names[2], 0))]
    return result


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        global twice
        if self.path.startswith("/twice/"):
            twice = self.path == "/twice/on"
        self.reply(200, json.dumps(depths() if self.path == "/depths" else counts).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        target = self.headers["X-Amz-Target"]
        action = target.removeprefix("AmazonSQS.")
        given = self.headers.get("Authorization", "")
        if not given or signature("POST", self.path, self.headers, body) != given.removeprefix("AWS4-HMAC-SHA256 "):
            with lock:
                counts["unsigned"] += 1
        try:
            status, answer = forward(target, body)
        except OSError:
            # As if nobody were there.
            self.close_connection = True
            return
        request = json.loads(body)
        count(action, request, status, json.loads(answer or b"{}"))
        if twice and action == "SendMessageBatch":
            for entry in request["Entries"]:
                entry["DelaySeconds"] = 2
            count(action, request, *(lambda s, a: (s, json.loads(a)))(*forward(target, json.dumps(request))))
        self.reply(status, answer)

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
