"""``reset_peer``: the connection is reset, at once or after ``timeout`` ms; both ends see RST.

Bytes pass until then. Toxiproxy waits for the first bytes of the stream before the time runs; here a
connection is reset also when nobody says a word on it, as when a firewall loses its table.
"""

from __future__ import annotations

from asyncio import TimerHandle
from collections.abc import Mapping
from typing import ClassVar

from fuzzer.edges.toxics.base import Attribute, Item, Link


class ResetPeer(Link):
    """A connection that breaks."""

    kind: ClassVar[str] = "reset_peer"
    summary: ClassVar[str] = "the connection is reset (RST), at once or after the timeout"
    attributes: ClassVar[Mapping[str, Attribute]] = {"timeout": Attribute("ms")}

    _timer: TimerHandle | None = None

    def start(self) -> None:
        """The time runs from here."""
        due_s = self.wire.now_s() + self.values["timeout"] / 1000
        self._timer = self.wire.at(due_s, self.wire.reset)

    def change(self, values: Mapping[str, float], toxicity: float) -> None:
        """The time runs anew."""
        super().change(values, toxicity)
        self.leave()
        self.start()

    def leave(self) -> list[Item]:
        """Spared."""
        if self._timer:
            self._timer.cancel()
        return []
