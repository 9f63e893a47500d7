"""Connections that are opened to a service and held, so that others find none: pool exhaustion from outside.

Nothing is ever sent over them. What the service ends is opened again, until they are let go. They belong to
this process: when it ends, however it ends, so do they.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Thread

from fuzzer.runtimes.base import Undo
from models.errors import StepInvalid

CONNECTED_S = 0.5
"""Who does not take a connection within this has no room for one more."""

AGAIN_S = 0.2
"""How often what was ended is opened again."""


class Held:
    """Connections to one address.

    Args:
        address: where to connect to.
        count: how many connections to hold.
    """

    def __init__(self, address: tuple[str, int], count: int) -> None:
        self._address = address
        self._count = count
        self._open: list[socket.socket] = []
        self._lock = Lock()
        self._released = Event()
        self._fill()
        self._thread = Thread(target=self._hold, name="knockon-held", daemon=True)
        self._thread.start()

    def count(self) -> int:
        """How many are open now."""
        with self._lock:
            self._open = [one for one in self._open if _is_open(one)]
            return len(self._open)

    def release(self) -> None:
        """Let go of all of them."""
        self._released.set()
        self._thread.join()
        with self._lock:
            for one in self._open:
                one.close()
            self._open.clear()

    def _hold(self) -> None:
        while not self._released.wait(AGAIN_S):
            if self.count() < self._count:
                self._fill()

    def _fill(self) -> None:
        """Open what is missing; the first that is not taken ends the attempt."""
        with suppress(OSError):
            while len(self._open) < self._count and not self._released.is_set():
                connection = socket.create_connection(self._address, CONNECTED_S)
                with self._lock:
                    self._open.append(connection)


def _is_open(connection: socket.socket) -> bool:
    """Whether the other side has not ended it; what it may have sent is read away."""
    try:
        while select.select([connection], [], [], 0)[0]:
            if not connection.recv(65536):
                break
        else:
            return True
    except OSError:
        pass
    connection.close()
    return False


class Holds:
    """Meets ``CanHold`` for a runtime.

    Args:
        address: where a service takes connections, as seen from here; None if nowhere.
    """

    def __init__(self, address: Callable[[str], tuple[str, int] | None]) -> None:
        self._address = address
        self._held: dict[str, Held] = {}

    def hold(self, service: str, count: int) -> None:
        """Open so many connections, and hold them until undone.

        Raises:
            StepInvalid: the service cannot be reached from here.
        """
        self._release(service)
        address = self._address(service)
        if address is None:
            raise StepInvalid(f"{service} cannot be reached from here: it publishes no port")
        self._held[service] = Held(address, count)

    def held(self, service: str) -> int:
        """How many connections are held now."""
        return self._held[service].count() if service in self._held else 0

    def release(self, undo: Undo) -> None:
        """Let go. Idempotent."""
        for service in undo.targets:
            self._release(service)

    def _release(self, service: str) -> None:
        if held := self._held.pop(service, None):
            held.release()
