"""The load engine, a process of its own: a busy thread beside it would spoil its timing.

Started as ``python -m fuzzer.loads.engine`` with one line on its input, an ``Order``. It answers
``ready`` and when it begins, then one JSON list a request (in batches, and in the order in which they
ended): endpoint, intended send time (seconds of the system's monotonic clock), lag and latency in ms,
status or null, error, id of what was written. Its last line is ``done``. When its input ends, its
parent is gone, and it ends too.

Open loop: each request is due at a fixed time, whatever became of the earlier ones, and its latency
counts from then; so a stall is seen by every request that was due in it (no coordinated omission, see
Gil Tene, "How NOT to Measure Latency"). Lag is what of that the engine itself may have to answer for:
it sent the request late, or was away when the answer came.
"""

from __future__ import annotations

import gc
import json
import os
import queue
import resource
import sys
import threading
import time
import uuid
from contextlib import suppress

from fuzzer.loads.answers import Answer
from fuzzer.loads.client import Client
from fuzzer.loads.order import Order
from fuzzer.loads.schedule import due_times, turns

UNDER_WAY_MOST = 16_384
"""More requests than this are never under way at once; nor more than there may be open files."""

SPARE_FILES = 64
IN_A_ROW = 16
"""After so many requests it is time to look for answers, however many more are due."""

BATCH_S = 0.05


class Engine:
    """A schedule, and the client that keeps it.

    Args:
        told: where lines for the parent are put, in batches.
    """

    def __init__(self, order: Order, told: queue.SimpleQueue[bytes | None]) -> None:
        self._order = order
        self._told = told
        self._client: Client[tuple[int, float, float]] = Client(order.timeout_s, self._ended)
        self._kinds = [self._client.prepare(target) for target in order.targets]
        self._most = min(UNDER_WAY_MOST, _open_files() - SPARE_FILES)
        self._words = f"{uuid.uuid4().hex[:12]}-"
        self._lines: list[str] = []
        self._tell_s = float("inf")

    def run(self, began_s: float) -> None:
        """Send everything that is due, wait for the last answers, tell each."""
        order, client = self._order, self._client
        due = due_times(order.shape, order.rate_rps, order.duration_s)
        turn = turns([target.weight for target in order.targets])
        number, next_s = 0, began_s + next(due)
        while next_s != float("inf") or client.under_way:
            for _ in range(IN_A_ROW):
                if next_s > time.monotonic() or client.under_way >= self._most:
                    break
                number += 1
                self._send(next(turn), number, next_s)
                next_s = began_s + next(due, float("inf"))
            client.work(min(self._tell_s, next_s if client.under_way < self._most else float("inf")))
            self._tell()
        self._tell(at_once=True)

    def _send(self, endpoint: int, number: int, due_s: float) -> None:
        lag_s = max(0.0, time.monotonic() - due_s)
        ticket = endpoint, due_s, lag_s
        if lag_s > self._order.timeout_s:  # nobody would wait for its answer any more
            self._ended(ticket, Answer(None, "unsent"))
        else:
            self._client.send(self._kinds[endpoint], f"{self._words}{number}", ticket)

    def _ended(self, ticket: tuple[int, float, float], answer: Answer) -> None:
        endpoint, due_s, lag_s = ticket
        now_s = time.monotonic()
        lag_ms = max(lag_s, self._client.away_s) * 1000
        status = "null" if answer.status is None else answer.status
        written = json.dumps(answer.written) if answer.written else '""'
        self._lines.append(
            f"[{endpoint},{due_s:.6f},{lag_ms:.3f},{(now_s - due_s) * 1000:.3f},"
            f'{status},"{answer.error}",{written}]\n'
        )
        if len(self._lines) == 1:
            self._tell_s = now_s + BATCH_S

    def _tell(self, *, at_once: bool = False) -> None:
        """In batches: a write for each request would cost more than the request."""
        if self._lines and (at_once or time.monotonic() >= self._tell_s):
            self._told.put("".join(self._lines).encode())
            self._lines.clear()
            self._tell_s = float("inf")


def _open_files() -> int:
    """How many files may be open, as many as this process may ask for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = UNDER_WAY_MOST + SPARE_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _write(lines: queue.SimpleQueue[bytes | None]) -> None:
    """In a thread: the parent may be slow to listen, and the schedule does not wait for it."""
    while (batch := lines.get()) is not None:
        while batch:
            batch = batch[os.write(1, batch) :]


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    """Read the order, say ``ready``, send, say ``done``."""
    order = Order.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    told: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    telling = threading.Thread(target=_write, args=(told,), daemon=True)
    telling.start()
    engine = Engine(order, told)
    gc.freeze()
    began_s = time.monotonic()
    told.put(b"ready %.6f\n" % began_s)
    engine.run(began_s)
    told.put(b"done\n")
    told.put(None)
    telling.join()
    os._exit(0)


if __name__ == "__main__":
    main()
