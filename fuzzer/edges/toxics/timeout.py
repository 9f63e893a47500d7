"""``timeout``: data stop; after ``timeout`` ms the connection is closed; with 0 it stays: a black hole.

What comes is kept and not thrown away: where a network swallows packets, TCP sends them again, so bytes
of a connection that outlives the hole arrive after all. Toxiproxy drops them, and therefore has to close
the connection when this toxic is removed; here data flow again. What does not fit into the buffers stays
with its sender, whose writes then block, as in a real black hole.
"""

from __future__ import annotations

from asyncio import TimerHandle
from collections.abc import Mapping
from math import inf
from typing import ClassVar

from fuzzer.edges.toxics.base import Attribute, Delaying, Item


class Timeout(Delaying):
    """A black hole, with or without a bottom."""

    kind: ClassVar[str] = "timeout"
    summary: ClassVar[str] = "data stop; after the timeout the connection is closed (0: it stays open)"
    attributes: ClassVar[Mapping[str, Attribute]] = {"timeout": Attribute("ms")}

    _end: TimerHandle | None = None

    def start(self) -> None:
        """The time runs from here, whether bytes come or not."""
        self._stop_clock()
        if self.values["timeout"]:
            self._end = self.wire.at(self.wire.now_s() + self.values["timeout"] / 1000, self.wire.close)

    def feed(self, item: Item) -> None:
        """Into the hole."""
        self.hold(item, inf)

    def change(self, values: Mapping[str, float], toxicity: float) -> None:
        """The time runs anew."""
        super().change(values, toxicity)
        self.start()

    def leave(self) -> list[Item]:
        """The connection lives on."""
        self._stop_clock()
        return super().leave()

    def _stop_clock(self) -> None:
        if self._end:
            self._end.cancel()
            self._end = None
