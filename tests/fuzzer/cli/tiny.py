"""A service of a few lines: answers /health, and exits once the service that it needs is gone.

It holds one connection to whom it needs, for that ends with its holder however busy the machine is. Who
only looked now and then could overlook a short absence, and mistake a late answer for one.
"""

import os
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONNECT_S = 20.0  # a busy machine; where nobody listens it is refused at once


class Health(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def exit_with(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=CONNECT_S) as needed:
            needed.settimeout(None)
            needed.recv(1)
    finally:
        os._exit(1)


port, *needs = map(int, sys.argv[1:])
for needed in needs:
    threading.Thread(target=exit_with, args=(needed,), daemon=True).start()
ThreadingHTTPServer(("127.0.0.1", port), Health).serve_forever()
