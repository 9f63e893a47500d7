"""``latency``: everything arrives later, by ``latency`` ± ``jitter`` ms.

A pipeline, not a queue at a counter: what is sent meanwhile is under way at the same time, so only the
waiting grows and the throughput stays (as long as no more than ``HELD_MOST_BYTES`` is under way). Order is
kept: with jitter, what was lucky waits for what was not, as TCP's receiver makes it wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from fuzzer.edges.toxics.base import Attribute, Delaying, Item


class Latency(Delaying):
    """A longer way."""

    kind: ClassVar[str] = "latency"
    summary: ClassVar[str] = "everything arrives later"
    attributes: ClassVar[Mapping[str, Attribute]] = {"latency": Attribute("ms"), "jitter": Attribute("ms")}

    def feed(self, item: Item) -> None:
        """Due after the latency."""
        delay_ms, jitter_ms = self.values["latency"], self.values["jitter"]
        if jitter_ms:
            delay_ms += self.wire.random.uniform(-jitter_ms, jitter_ms)
        self.hold(item, self.wire.now_s() + max(0.0, delay_ms) / 1000)
