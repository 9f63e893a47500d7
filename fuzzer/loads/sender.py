"""The load generator, a process of its own: a busy thread beside it would spoil its timing.

Started as ``python -m fuzzer.loads.sender`` with one JSON line on its input (``url``, ``method``,
``path``, ``body``, ``rate_rps``, ``duration_s``, ``timeout_s``). It answers ``ready``, then one JSON
list a request: intended send time (seconds of the system's monotonic clock), latency in ms from that
time, status or null, error. When its input ends, its parent is gone, and it ends too.

Open loop: request ``n`` is due at ``start + n / rate``, whatever became of the earlier ones, and its
latency counts from then; so a stall is seen by every request that was due in it (no coordinated
omission, see Gil Tene, "How NOT to Measure Latency").
"""

from __future__ import annotations

import http.client
import json
import os
import queue
import sys
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

MOST_WORKERS = 256
ERRORS = {
    ConnectionRefusedError: "refused",
    ConnectionResetError: "reset",
    BrokenPipeError: "reset",
    http.client.RemoteDisconnected: "reset",
    TimeoutError: "timeout",
}
READ_MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class Order:
    """What to send."""

    url: str
    method: str
    path: str
    body: str | None
    rate_rps: float
    duration_s: float
    timeout_s: float


class Sender:
    """A schedule, and as many workers as are needed to keep it."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._due: queue.SimpleQueue[float | None] = queue.SimpleQueue()
        self._workers: list[threading.Thread] = []
        self._idle = threading.Semaphore(0)
        self._out = threading.Lock()

    def run(self) -> None:
        """Send everything that is due, then wait for the last answers."""
        begin_s = time.monotonic()
        for number in range(max(1, int(self._order.rate_rps * self._order.duration_s))):
            due_s = begin_s + number / self._order.rate_rps
            time.sleep(max(0.0, due_s - time.monotonic()))
            if not self._idle.acquire(blocking=False) and len(self._workers) < MOST_WORKERS:
                worker = threading.Thread(target=self._work, daemon=True)
                self._workers.append(worker)
                worker.start()
            self._due.put(due_s)
        for _ in self._workers:
            self._due.put(None)
        deadline_s = time.monotonic() + 2 * self._order.timeout_s
        for worker in self._workers:
            worker.join(max(0.0, deadline_s - time.monotonic()))

    def _work(self) -> None:
        parts = urlsplit(self._order.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "127.0.0.1", parts.port, timeout=self._order.timeout_s)
        while (due_s := self._due.get()) is not None:
            status, error = self._send(connection)
            self._report(due_s, (time.monotonic() - due_s) * 1000, status, error)
            self._idle.release()

    def _send(self, connection: http.client.HTTPConnection) -> tuple[int | None, str]:
        headers = {} if self._order.body is None else {"Content-Type": "application/json"}
        kept = connection.sock is not None
        try:
            try:
                connection.request(self._order.method, self._order.path, self._order.body, headers)
                response = connection.getresponse()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                # A server may close an idle connection at any time; only a request whose repetition
                # does no harm is sent again.
                if not kept or self._order.method not in ("GET", "HEAD"):
                    raise
                connection.close()
                connection.request(self._order.method, self._order.path, self._order.body, headers)
                response = connection.getresponse()
            response.read(READ_MOST_BYTES)
            if not response.isclosed():
                connection.close()
            return response.status, ""
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return None, next((name for kind, name in ERRORS.items() if isinstance(error, kind)), "garbage")

    def _report(self, due_s: float, latency_ms: float, status: int | None, error: str) -> None:
        with self._out:
            print(json.dumps([due_s, round(latency_ms, 3), status, error]), flush=True)  # noqa: T201


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    """Read the order, say ``ready``, send."""
    order = Order(**json.loads(sys.stdin.readline()))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    print("ready", flush=True)  # noqa: T201
    Sender(order).run()
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
