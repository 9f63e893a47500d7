"""Calling a neighbour: briefly, over a fresh connection, and not at all while it is known to be out.

*Fresh connections*: a pool saves a third of a millisecond and hands out connections to processes
that died; only the watch keeps one.

*Circuit breaker*: the watch is the half-open probe. While it finds nobody, or after three calls
failed since its last good answer, calls fail at once; its next good answer closes the circuit.
Requests therefore never queue up before a paused neighbour.

*Fragile*: no breaker, long timeouts, and a neighbour that stays away for `FRAGILE_PATIENCE_S` ends
the process (`base.Service` decides that; here it is only a watch that loses patience).
"""

from __future__ import annotations

import http.client
import json
import queue
import threading
import time

from shop.address import Address
from shop.settings import Settings
from shop.watch import GONE, HUNG, SICK, Watch

BEAT_S = 0.25
CALL_TIMEOUT_S = 0.5
FRAGILE_CALL_TIMEOUT_S = 2.0
FRAGILE_PATIENCE_S = 0.7
FAILURES_TO_OPEN = 3
OUTBOX_MAX = 1000


class PeerError(Exception):
    """A call that brought no answer; `status` is what a gateway would say: 502, or 504 for hung."""

    def __init__(self, peer: str, reason: str, status: int) -> None:
        super().__init__(f"{peer}: {reason}")
        self.peer, self.reason, self.status = peer, reason, status


class Peer:
    """One neighbour: its watch, its circuit breaker and how often it was called."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.fragile = settings.fragile
        self.timeout_s = FRAGILE_CALL_TIMEOUT_S if self.fragile else CALL_TIMEOUT_S
        self.address = Address(*settings.address(name))
        if self.fragile:
            timeout_s, patience = 0.35, dict.fromkeys((SICK, HUNG, GONE), FRAGILE_PATIENCE_S)
        else:  # one slow answer on a busy machine is not an outage: hung must be hung twice
            timeout_s, patience = 0.5, {HUNG: 0.9}
        self.watch = Watch(
            name,
            self.address,
            interval_s=BEAT_S,
            timeout_s=timeout_s,
            patience=patience,
            session=self.fragile and name == "orders-db",
        )
        self.calls = 0
        self._failures = 0
        self._failed_s = 0.0
        self._lock = threading.Lock()

    @property
    def open(self) -> bool:
        """Whether the circuit is open: a call now would be refused without being sent."""
        tired = self._failures >= FAILURES_TO_OPEN and self.watch.last_ok_s < self._failed_s
        return not self.fragile and (not self.watch.up or tired)

    def call(self, method: str, path: str, payload: object = None) -> tuple[int, object]:
        """Status and JSON of one call; PeerError when none came, or when the circuit is open."""
        if self.open:
            raise PeerError(self.name, "circuit open", 502)
        try:
            answer = self.attempt(method, path, payload, self.timeout_s)
        except PeerError:
            with self._lock:
                if self.watch.last_ok_s > self._failed_s:
                    self._failures = 0
                self._failures += 1
                self._failed_s = time.monotonic()
            raise
        self._failures = 0
        return answer

    def attempt(self, method: str, path: str, payload: object, timeout_s: float | None) -> tuple[int, object]:
        """One call without a breaker; timeout_s None waits for ever."""
        connection = None
        try:
            connection = self.send(method, path, payload, timeout_s)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"null")
        except TimeoutError as error:
            raise PeerError(self.name, "no answer in time", 504) from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise PeerError(self.name, str(error) or type(error).__name__, 502) from error
        finally:
            if connection is not None:
                connection.close()

    def send(
        self, method: str, path: str, payload: object, timeout_s: float | None
    ) -> http.client.HTTPConnection:
        """Open a connection and send a request; whoever called this reads the answer and closes."""
        with self._lock:
            self.calls += 1
        connection = http.client.HTTPConnection(*self.address.get(), timeout=timeout_s)
        try:
            body = None if payload is None else json.dumps(payload).encode()
            connection.request(method, path, body, {"Connection": "close"})
        except BaseException:
            connection.close()
            raise
        return connection


class Outbox:
    """What a service tells analytics, which it can do without.

    Hardened: into a bounded queue, sent by one thread, dropped while the circuit is open; whoever
    sells something never waits. Fragile: sent on the spot, and no sale without statistics.
    """

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.dropped = 0
        self._queue: queue.SimpleQueue[dict[str, str]] = queue.SimpleQueue()
        if not peer.fragile:
            threading.Thread(target=self._work, name="outbox", daemon=True).start()

    def tell(self, kind: str, subject: str) -> None:
        """Report one event; raises PeerError in the fragile shop only."""
        event = {"kind": kind, "id": subject}
        if self.peer.fragile:
            status, _ = self.peer.call("POST", "/events", event)
            if status >= 500:
                raise PeerError(self.peer.name, f"answered {status}", 502)
        elif self._queue.qsize() < OUTBOX_MAX:
            self._queue.put(event)
        else:
            self.dropped += 1

    def _work(self) -> None:
        while True:
            event = self._queue.get()
            try:
                self.peer.call("POST", "/events", event)
            except PeerError:
                self.dropped += 1
