"""HTTP for the shop: the standard library's threading server, with what faults teach added.

- A process that was paused wakes up to a backlog full of clients that left long ago. Each is
  noticed when it is accepted (its end of the connection is closed) and dropped without a thread.
- The backlog is long: a SYN that finds it full is retried by the client's kernel after a whole
  second, which looks like a slow recovery.
- Idle connections are never closed from here, so that a neighbour that sees its connection break
  may conclude that somebody died; the kernel's keepalive clears away what a lost network left.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import socketserver
import sys
import threading
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from shop.settings import die

if TYPE_CHECKING:
    from shop.base import Service

BACKLOG = 1024
BODY_MAX = 1 << 20
LEFT = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR


class BadRequest(Exception):
    """The client's own fault; the text is for the client."""


class Request:
    """What a route gets: method, path (no query), tail (what stands after the first segment), body."""

    def __init__(self, method: str, path: str, body: bytes) -> None:
        self.method = method
        self.path = path.partition("?")[0]
        self.body = body
        head, _, self.tail = self.path.lstrip("/").partition("/")
        self.pattern = f"{method} /{head}/*" if self.tail else f"{method} /{head}"

    def json(self) -> dict[str, object]:
        """The body as an object; an absent body is an empty one."""
        try:
            value = json.loads(self.body or b"{}")
        except ValueError as error:
            raise BadRequest(f"the body is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise BadRequest("the body must be a JSON object")
        return value


class Server(ThreadingHTTPServer):
    """One listening socket, one thread for each connection."""

    daemon_threads = True
    request_queue_size = BACKLOG

    def __init__(self, address: tuple[str, int], service: Service) -> None:
        self.service = service
        self.busy = 0
        self._lock = threading.Lock()
        super().__init__(address, Handler)

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Counts what is under way, for who waits before it ends."""
        with self._lock:
            self.busy += 1
        try:
            yield
        finally:
            with self._lock:
                self.busy -= 1

    def server_bind(self) -> None:
        """Bind, and no more: HTTPServer asks the name server for its own name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def verify_request(self, request: object, client_address: object) -> bool:
        """Whether the client is still there."""
        poll = select.poll()
        poll.register(request, LEFT)  # type: ignore[arg-type]
        left = bool(poll.poll(0))
        self.service.abandoned += left
        return not left

    def handle_error(self, request: object, client_address: object) -> None:
        """An error that no route caught: logged, and the end of a fragile service."""
        traceback.print_exc()
        if self.service.settings.fragile:
            error = sys.exc_info()[1]
            die(self.service.name, f"unhandled {type(error).__name__}: {error}")


class Handler(BaseHTTPRequestHandler):
    """One connection: reads requests, asks the service, writes each answer in one piece."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server
    session = ""

    def handle(self) -> None:
        """Serve one connection to its end; that the client dies or leaves is its right."""
        with contextlib.suppress(OSError):
            self._keep_alive()
            super().handle()
        if self.session:
            self.server.service.session_ended(self.session)

    def answer(self) -> None:
        """One request of any method."""
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit() or int(length) > BODY_MAX:
            self.close_connection = True
            self._reply(400, {"error": "bad Content-Length"})
            return
        session = self.headers.get("X-Shop-Session")
        if session and not self.session:
            self.session = session
            self.server.service.session_began(session)
        request = Request(self.command, self.path, self.rfile.read(int(length)))
        if request.pattern == "DELETE /session" and self.session:
            self.server.service.session_goodbye(self.session)
        with self.server.answering():
            self._reply(*self.server.service.respond(request))

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 (names that the library looks for)

    def _reply(self, status: int, payload: object) -> None:
        body = json.dumps(payload).encode()
        reason = self.responses.get(status, ("",))[0]
        close = "Connection: close\r\n" if self.close_connection else ""
        head = (
            f"HTTP/1.1 {status} {reason}\r\nServer: {self.server.service.name}\r\n{close}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.wfile.write(head.encode() + body)

    def _keep_alive(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, seconds in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
            if hasattr(socket, option):
                self.connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)

    def version_string(self) -> str:
        """What stands in the Server header: watches check it."""
        return self.server.service.name

    def log_message(self, format: str, *arguments: object) -> None:
        """Requests are not logged, unless SHOP_LOG_REQUESTS is set."""
        if os.environ.get("SHOP_LOG_REQUESTS"):
            super().log_message(format, *arguments)
