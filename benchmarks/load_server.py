"""The server that load generators are measured against: it answers every request after exactly 10 ms.

    python -m benchmarks.load_server [--stall-after S --stall S]

Prints its port. When its input ends, it prints what it really did, as one line of JSON: ``delays_ms``,
the time between reading a request and answering it; ``stall_s``, begin and end of the one moment in
which it did nothing at all, on the system's monotonic clock.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import sys
import time
from collections import deque
from contextlib import suppress

DELAY_S = 0.010
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
WAIT_MOST_S = 0.1


class Server:
    """One thread, one epoll. Every answer waits equally long, so the first that came is the first to go."""

    def __init__(self, stall_after_s: float, stall_s: float) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._poll = select.epoll()
        self._poll.register(self._listener, select.EPOLLIN)
        self._poll.register(sys.stdin, select.EPOLLIN)
        self._connections: dict[int, socket.socket] = {}
        self._due: deque[tuple[float, socket.socket]] = deque()
        self._stall_after_s, self._stall_s = stall_after_s, stall_s
        self._stall_at_s = float("inf")
        self.stalled_s: list[float] = []
        self.delays_ms: list[float] = []

    def run(self) -> None:
        """Until the input ends."""
        while True:
            now_s = time.monotonic()
            if now_s >= self._stall_at_s:
                time.sleep(self._stall_s)
                self._stall_at_s = float("inf")
                self.stalled_s = [now_s, time.monotonic()]
            wait_s = min(WAIT_MOST_S, self._due[0][0] - now_s) if self._due else WAIT_MOST_S
            if wait_s > 0:  # an epoll's own timeout is rounded up to milliseconds
                select.select([self._poll], [], [], wait_s)
            for number, _ in self._poll.poll(0):
                if number == self._listener.fileno():
                    self._accept()
                elif number == sys.stdin.fileno():
                    return
                else:
                    self._read(self._connections[number])
            self._answer()

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            while True:
                connection, _ = self._listener.accept()
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._connections[connection.fileno()] = connection
                self._poll.register(connection, select.EPOLLIN)

    def _read(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(4096)
        except OSError:
            data = b""
        if not data:
            self._poll.unregister(connection)
            del self._connections[connection.fileno()]
            connection.close()
        elif data.endswith(b"\r\n\r\n"):
            now_s = time.monotonic()
            if self._stall_after_s and not self.delays_ms and self._stall_at_s == float("inf"):
                self._stall_at_s = now_s + self._stall_after_s
            self._due.append((now_s + DELAY_S, connection))

    def _answer(self) -> None:
        while self._due and self._due[0][0] <= (now_s := time.monotonic()):
            due_s, connection = self._due.popleft()
            with suppress(OSError):
                connection.send(ANSWER)
            self.delays_ms.append((now_s - due_s + DELAY_S) * 1000)


def main() -> None:
    """Serve, then tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stall-after", type=float, default=0.0)
    parser.add_argument("--stall", type=float, default=2.0)
    options = parser.parse_args()
    server = Server(options.stall_after, options.stall)
    print(server.port, flush=True)
    server.run()
    print(json.dumps({"delays_ms": server.delays_ms, "stall_s": server.stalled_s}), flush=True)


if __name__ == "__main__":
    main()
