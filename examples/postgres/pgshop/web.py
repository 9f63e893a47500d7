"""HTTP for both services: the standard library's threading server, with what faults teach added.

A process that was paused wakes up to a backlog full of clients that left long ago: each is noticed
when it is accepted, and dropped without a thread.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import socketserver
import threading
import time
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pgshop.settings import STOP_SIGNALS, Settings, log

BODY_MAX = 1 << 16
DRAIN_S = 0.2
LEFT = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR

Answer = tuple[int, object]


class Unavailable(Exception):
    """Whom this service needs does not answer; with the status to tell the client."""

    def __init__(self, reason: str, status: int = 503) -> None:
        super().__init__(reason)
        self.status = status


class Service:
    """One process. A subclass adds to `routes`, where "GET /orders/*" is one segment below /orders."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.name = settings.service
        self.routes: dict[str, Callable[[str, bytes], Answer]] = {}

    def respond(self, method: str, path: str, body: bytes) -> Answer:
        """Status and JSON for one request; whatever goes wrong becomes an answer too."""
        path = path.partition("?")[0]
        head, _, tail = path.lstrip("/").partition("/")
        route = self.routes.get(f"{method} {path}") or (tail and self.routes.get(f"{method} /{head}/*"))
        try:
            return route(tail, body) if route else (404, {"error": f"no {method} {path}"})
        except Unavailable as error:
            return error.status, {"error": str(error)}
        except Exception as error:
            traceback.print_exc()
            return 500, {"error": f"{type(error).__name__}: {error}"}

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT, which `__main__` has blocked; does not return."""
        server = Server((self.settings.bind, self.settings.port), self)
        threading.Thread(target=server.serve_forever, name="accept", daemon=True).start()
        log(self.name, "listens", port=self.settings.port)
        signal.sigwait(STOP_SIGNALS)
        with contextlib.suppress(OSError):
            server.socket.shutdown(socket.SHUT_RDWR)
        deadline_s = time.monotonic() + DRAIN_S
        while server.busy and time.monotonic() < deadline_s:
            time.sleep(0.005)
        log(self.name, "stopped")
        os._exit(0)


class Server(ThreadingHTTPServer):
    """One listening socket, one thread for each connection."""

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], service: Service) -> None:
        self.service = service
        self.busy = 0
        self.lock = threading.Lock()
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        """Bind, and no more: HTTPServer asks the name server for its own name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def verify_request(self, request: object, client_address: object) -> bool:
        """Whether the client is still there."""
        poll = select.poll()
        poll.register(request, LEFT)  # type: ignore[arg-type]
        return not poll.poll(0)


class Handler(BaseHTTPRequestHandler):
    """One connection: reads requests, asks the service, writes each answer in one piece."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def handle(self) -> None:
        """Serve one connection to its end; that the client dies or leaves is its right."""
        with contextlib.suppress(OSError):
            super().handle()

    def answer(self) -> None:
        """One request."""
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit() or int(length) > BODY_MAX:
            self.close_connection = True
            return self._reply(400, {"error": "bad Content-Length"})
        body = self.rfile.read(int(length))
        with self.server.lock:
            self.server.busy += 1
        try:
            self._reply(*self.server.service.respond(self.command, self.path, body))
        finally:
            with self.server.lock:
                self.server.busy -= 1
        return None

    do_GET = do_POST = answer  # noqa: N815 (names that the library looks for)

    def _reply(self, status: int, payload: object) -> None:
        body = json.dumps(payload).encode()
        close = "Connection: close\r\n" if self.close_connection else ""
        head = (
            f"HTTP/1.1 {status} {self.responses.get(status, ('',))[0]}\r\n{close}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.wfile.write(head.encode() + body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Requests are not logged."""
