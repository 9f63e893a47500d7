"""A service of a few lines: answers /health, and exits once the port that it needs is closed."""

import os
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Health(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def exit_with(port):
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            os._exit(1)
        time.sleep(0.02)


port, *needs = map(int, sys.argv[1:])
for needed in needs:
    threading.Thread(target=exit_with, args=(needed,), daemon=True).start()
ThreadingHTTPServer(("127.0.0.1", port), Health).serve_forever()
