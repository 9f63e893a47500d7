"""``bandwidth``: no more than ``rate`` KB/s get through (1 KB is 1,000 bytes), on each connection.

A chunk is cut into what fits into 20 ms, so that a slow line trickles and does not come in gulps. With
a rate of 0 nothing gets through until that changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

from fuzzer.edges.toxics.base import Attribute, Delaying, Item, Mark

TICK_S = 0.020
PIECE_LEAST_BYTES = 64


class Bandwidth(Delaying):
    """A narrow way."""

    kind: ClassVar[str] = "bandwidth"
    summary: ClassVar[str] = "so many KB/s and no more"
    attributes: ClassVar[Mapping[str, Attribute]] = {"rate": Attribute("KB/s")}

    _free_s = 0.0
    """When the last piece that was taken has gone through."""

    def feed(self, item: Item) -> None:
        """Each piece takes its time, one after the other."""
        bytes_per_s = self.values["rate"] * 1000
        if not bytes_per_s:
            self.hold(item, inf)
            return
        now_s = self.wire.now_s()
        if isinstance(item, Mark):
            self.hold(item, now_s)
            return
        piece_bytes = max(PIECE_LEAST_BYTES, int(bytes_per_s * TICK_S))
        for start in range(0, len(item), piece_bytes):
            piece = item[start : start + piece_bytes]
            self._free_s = max(self._free_s, now_s) + len(piece) / bytes_per_s
            self.hold(piece, self._free_s)

    def change(self, values: Mapping[str, float], toxicity: float) -> None:
        """What is held goes at the new rate."""
        self._free_s = 0.0
        super().change(values, toxicity)
