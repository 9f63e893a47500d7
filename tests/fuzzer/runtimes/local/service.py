"""A service for tests: starts fast, and misbehaves as its environment or a request tells it to.

GET /health        200
GET /environment   its environment, folder and arguments as JSON
GET /exit/3        exits with 3 at once

EXIT=3             exits with 3 at once, never listens; so does a file "exit" in its data folder
DEAF=1             ignores SIGTERM
TIDY=1             exits with 0 on SIGTERM
WORKER=1           has a worker process in its process group; its pid is in worker.pid in the data folder
RUNAWAY=1          has a child in a session of its own; its pid is in runaway.pid
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading

NAPPING = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]


def main():
    order = os.path.join(os.environ["KNOCKON_DATA_DIR"], "exit")
    if os.environ.get("EXIT") or os.path.exists(order):
        os._exit(3)
    if os.environ.get("DEAF"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.environ.get("TIDY"):
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    for name, own_session in (("WORKER", False), ("RUNAWAY", True)):
        if os.environ.get(name):
            child = subprocess.Popen(NAPPING, start_new_session=own_session)
            note = os.path.join(os.environ["KNOCKON_DATA_DIR"], f"{name.lower()}.pid")
            with open(note, "w") as file:
                file.write(str(child.pid))
    listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=128)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


def serve(connection):
    seen = b""
    while True:
        try:
            piece = connection.recv(4096)
        except OSError:
            return
        if not piece:
            return
        seen += piece
        while b"\r\n\r\n" in seen:
            head, _, seen = seen.partition(b"\r\n\r\n")
            path = head.split()[1].decode()
            if path.startswith("/exit/"):
                os._exit(int(path.removeprefix("/exit/")))
            facts = {"environment": dict(os.environ), "folder": os.getcwd(), "arguments": sys.argv[1:]}
            body = json.dumps(facts).encode() if path == "/environment" else b"ok"
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            try:
                connection.sendall(answer)
            except OSError:
                return


main()
