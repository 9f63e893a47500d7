"""A member of a few lines: answers every path with its role."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port, leads = int(sys.argv[1]), sys.argv[2] == "True"


class Role(BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"# who leads\nleader {int(leads)}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", port), Role).serve_forever()
