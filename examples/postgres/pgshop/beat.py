"""A heartbeat: asks a neighbour again and again, so that `/health` can answer without asking anybody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pgshop.settings import log

EVERY_S = 0.15


class Beat:
    """`up` is what the last question found; `ask` raises where the neighbour is not well."""

    def __init__(self, service: str, peer: str, ask: Callable[[], object]) -> None:
        self.up = False
        self._service, self._peer, self._ask = service, peer, ask

    def start(self) -> None:
        """Ask from now on."""
        threading.Thread(target=self._work, name="beat", daemon=True).start()

    def health(self, tail: str, body: bytes) -> tuple[int, object]:
        """The route of `GET /health`."""
        return (200, {"status": "ok"}) if self.up else (503, {"status": "unavailable", "missing": self._peer})

    def _work(self) -> None:
        while True:
            try:
                self._ask()
                well, why = True, ""
            except Exception as error:
                well, why = False, f"{type(error).__name__}: {error}".partition("\n")[0]
            if well != self.up:
                self.up = well
                log(self._service, "found" if well else "lost", peer=self._peer, why=repr(why))
            time.sleep(EVERY_S)
