"""proxy.py PORT FOLDER: a loopback proxy that counts.

Listens on a free port, written to FOLDER/port; passes connections on to PORT. FOLDER/sent holds the bytes that clients
have sent so far. While that is at least the number in FOLDER/limit, no more is passed on. A FOLDER/cut cuts the first
connection that the server has sent so many bytes over, and is then removed. FOLDER/hidden holds the name of a header
that clients do not see in answers. Ends with its standard input.
"""

import os
import pathlib
import re
import socket
import sys
import threading
import time

target, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
lock = threading.Lock()
sent = 0


def write(name, value):
    (folder / (name + ".new")).write_text(f"{value}\n")
    os.replace(folder / (name + ".new"), folder / name)


def held():
    try:
        return sent >= int((folder / "limit").read_text())
    except (FileNotFoundError, ValueError):
        return False


def cut(given):
    try:
        if given < int((folder / "cut").read_text()):
            return False
        (folder / "cut").unlink()
        return True
    except (FileNotFoundError, ValueError):
        return False


def hide(data):
    try:
        name = (folder / "hidden").read_text().strip()
    except FileNotFoundError:
        return data
    return re.sub(re.escape(name.encode()), b"x" * len(name), data, flags=re.IGNORECASE)


def forward(source, sink, counted):
    global sent
    given = 0
    try:
        while data := source.recv(65536):
            given += len(data)
            if not counted and cut(given):
                break
            while counted and held():
                time.sleep(0.02)
            sink.sendall(data if counted else hide(data))
            if counted:
                with lock:
                    sent += len(data)
                    write("sent", sent)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def end_with_input():
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=end_with_input, daemon=True).start()
listener = socket.create_server(("127.0.0.1", 0))
write("sent", 0)
write("port", listener.getsockname()[1])
while True:
    client, _ = listener.accept()
    server = socket.create_connection(("127.0.0.1", target))
    threading.Thread(target=forward, args=(client, server, True), daemon=True).start()
    threading.Thread(target=forward, args=(server, client, False), daemon=True).start()
