"""The register over HTTP.

| ask | for |
|---|---|
| `POST /entries` | 201 `{"id": …}` once etcd acknowledged the body as an entry; 503: it may be kept or not |
| `GET /entries/ID` | 200 `{"id": …, "entry": …}`, or 404; 503: nobody can tell at the moment |
| `GET /entries` | 200 `{"count": …}`, or 503 |
| `GET /health` | 200 while a member can be reached that has a leader, else 503 |
"""

from __future__ import annotations

import contextlib
import json
import select
import socketserver
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from register.members import Cluster, Unavailable

BODY_MAX = 64 * 1024
PREFIX = "entries/"
LEFT = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR

Reply = tuple[int, dict[str, str | int]]


class Server(ThreadingHTTPServer):
    """One listening socket, one thread for each connection."""

    daemon_threads = True
    # A client that finds the backlog full is delayed for a second by its own kernel.
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], cluster: Cluster) -> None:
        self.cluster = cluster
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        """Bind, and no more: HTTPServer asks the name server for its own name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def verify_request(self, request: object, client_address: object) -> bool:
        """Whether the client is still there: after a pause the backlog is full of those who left."""
        poll = select.poll()
        poll.register(request, LEFT)  # type: ignore[arg-type]
        return not poll.poll(0)


class Handler(BaseHTTPRequestHandler):
    """One connection: reads requests, asks etcd, writes each answer in one piece."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def handle(self) -> None:
        """Serve one connection to its end; that the client leaves is its right."""
        with contextlib.suppress(OSError):
            super().handle()

    def do_GET(self) -> None:
        """Health, how many entries there are, or one of them."""
        path = self.path.partition("?")[0]
        if path == "/health":
            self._answer(self._health)
        elif path == "/entries":
            self._answer(self._count)
        elif path.startswith("/entries/") and path.isascii():
            self._answer(lambda: self._read(path.removeprefix("/entries/")))
        else:
            self._reply(404, {"error": f"no {path}"})

    def do_POST(self) -> None:
        """A new entry."""
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit() or int(length) > BODY_MAX:
            self.close_connection = True  # the body stays unread
            self._reply(413, {"error": f"Content-Length has to be at most {BODY_MAX}"})
            return
        body = self.rfile.read(int(length))
        if self.path.partition("?")[0] == "/entries":
            self._answer(lambda: self._write(body))
        else:
            self._reply(404, {"error": f"no {self.path}"})

    def _health(self) -> Reply:
        self.server.cluster.check()
        return 200, {"status": "ok"}

    def _count(self) -> Reply:
        return 200, {"count": self.server.cluster.count(PREFIX)}

    def _read(self, entry_id: str) -> Reply:
        entry = self.server.cluster.get(PREFIX + entry_id)
        if entry is None:
            return 404, {"error": "no such entry"}
        return 200, {"id": entry_id, "entry": entry.decode(errors="replace")}

    def _write(self, body: bytes) -> Reply:
        entry_id = uuid.uuid4().hex
        self.server.cluster.put(PREFIX + entry_id, body)
        return 201, {"id": entry_id}

    def _answer(self, work: Callable[[], Reply]) -> None:
        try:
            status, content = work()
        except Unavailable as error:
            status, content = 503, {"error": f"no member has a good answer: {error}"}
        self._reply(status, content)

    def _reply(self, status: int, content: dict[str, str | int]) -> None:
        body = json.dumps(content).encode()
        reason = self.responses.get(status, ("",))[0]
        close = "Connection: close\r\n" if self.close_connection else ""
        head = (
            f"HTTP/1.1 {status} {reason}\r\n{close}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.wfile.write(head.encode() + body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Requests are not logged."""
