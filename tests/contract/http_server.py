"""http_server.py FOLDER: the server of tests/contract/http.c, on two free loopback ports, plain and TLS.

Prints both ports. Ends with its standard input. FOLDER holds its certificate, cert.pem and key.pem.
"""

import http.server
import ssl
import sys
import threading

connections = 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        global connections
        connections += 1
        super().setup()

    def answer(self, status, body, headers=()):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def echo(self, body):
        """The request as it came: its line, its headers, a blank line, its body."""
        lines = [f"{self.command} {self.path}"] + [f"{name}: {value}" for name, value in self.headers.items()]
        self.answer(200, ("\n".join(lines) + "\n\n").encode() + body, [("X-Seen", "  yes"), ("ETag", '"a:b"')])

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        what, _, argument = self.path[1:].partition("/")
        if what == "status":
            self.answer(int(argument), b"first\n  second\n")
        elif what == "silent":
            self.rfile.read(1)  # until the client has gone
        elif what == "drop":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"x" * 10)
            self.close_connection = True
        elif what == "bytes":
            self.answer(200, bytes(range(256)) * (int(argument) // 256))
        elif what == "connections":
            self.answer(200, str(connections).encode())
        elif what == "close":
            self.answer(200, b"once")
            self.close_connection = True  # without saying so: the next request meets a dead connection
        else:
            self.echo(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any

    def log_message(self, *_):
        pass


def serve(context):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # clients that leave are part of the test
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(f"{sys.argv[1]}/cert.pem", f"{sys.argv[1]}/key.pem")
print(serve(None), serve(tls), flush=True)
sys.stdin.read()
