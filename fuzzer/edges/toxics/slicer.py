"""``slicer``: what was written in one go arrives in small pieces, ``delay`` µs apart.

Pieces have ``average_size`` ± ``size_variation`` bytes. It finds readers that believe that one read is one
message. An ``average_size`` of 0 cuts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from fuzzer.edges.toxics.base import Attribute, Delaying, Item, Mark


class Slicer(Delaying):
    """A knife."""

    kind: ClassVar[str] = "slicer"
    summary: ClassVar[str] = "bytes arrive in small pieces"
    attributes: ClassVar[Mapping[str, Attribute]] = {
        "average_size": Attribute("bytes"),
        "size_variation": Attribute("bytes"),
        "delay": Attribute("µs"),
    }

    _next_s = 0.0

    def feed(self, item: Item) -> None:
        """Cut, and space out."""
        now_s = self.wire.now_s()
        if isinstance(item, Mark):
            self.hold(item, now_s)
            return
        average, variation = int(self.values["average_size"]), int(self.values["size_variation"])
        start = 0
        while start < len(item):
            size = average + self.wire.random.randint(-variation, variation) if average else len(item)
            piece = item[start : start + max(1, size)]
            start += len(piece)
            due_s = max(self._next_s, now_s)
            self.hold(piece, due_s)
            self._next_s = due_s + self.values["delay"] / 1_000_000

    def change(self, values: Mapping[str, float], toxicity: float) -> None:
        """What is held is spaced anew."""
        self._next_s = 0.0
        super().change(values, toxicity)
