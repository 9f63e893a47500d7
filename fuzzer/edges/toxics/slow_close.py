"""``slow_close``: bytes pass at once; the end of the connection is told ``delay`` ms late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from fuzzer.edges.toxics.base import Attribute, Delaying, Item, Mark


class SlowClose(Delaying):
    """A door that closes slowly."""

    kind: ClassVar[str] = "slow_close"
    summary: ClassVar[str] = "the end of a connection is told late"
    attributes: ClassVar[Mapping[str, Attribute]] = {"delay": Attribute("ms")}

    def feed(self, item: Item) -> None:
        """Only marks wait."""
        wait_ms = self.values["delay"] if isinstance(item, Mark) else 0
        self.hold(item, self.wire.now_s() + wait_ms / 1000)
