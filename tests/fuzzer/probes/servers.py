"""Small real servers, most of them bad."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Manners = Callable[[socket.socket, int], None]


class Server:
    """Runs ``manners(connection, number)`` in a thread for each connection."""

    def __init__(self, manners: Manners) -> None:
        self.manners = manners
        self.connections: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/health"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections.append(connection)
                threading.Thread(
                    target=self._serve, args=(connection, len(self.connections)), daemon=True
                ).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with suppress(OSError, StopIteration), connection:
            self.manners(connection, number)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def serving(manners: Manners) -> Iterator[Server]:
    server = Server(manners)
    try:
        yield server
    finally:
        server.close()


def requests(connection: socket.socket) -> Iterator[bytes]:
    """Each request head that comes in on a connection."""
    seen = b""
    while True:
        while b"\r\n\r\n" not in seen:
            piece = connection.recv(4096)
            if not piece:
                return
            seen += piece
        head, _, seen = seen.partition(b"\r\n\r\n")
        yield head


def polite(answer: bytes = OK) -> Manners:
    """Answers every request and keeps the connection."""

    def manners(connection: socket.socket, number: int) -> None:
        for _ in requests(connection):
            connection.sendall(answer)

    return manners


def once(answer: bytes) -> Manners:
    """Answers one request, then closes."""

    def manners(connection: socket.socket, number: int) -> None:
        next(requests(connection))
        connection.sendall(answer)

    return manners
