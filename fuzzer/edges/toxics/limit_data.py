"""``limit_data``: after ``bytes`` bytes the connection is closed; what came before arrives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from fuzzer.edges.toxics.base import Attribute, Item, Link, Mark


class LimitData(Link):
    """A connection that breaks off in the middle of a sentence."""

    kind: ClassVar[str] = "limit_data"
    summary: ClassVar[str] = "the connection is closed after so many bytes"
    attributes: ClassVar[Mapping[str, Attribute]] = {"bytes": Attribute("bytes", whole=True)}

    _passed_bytes = 0
    _over = False

    def feed(self, item: Item) -> None:
        """Pass on what fits."""
        if self._over:
            return
        if isinstance(item, Mark):
            self.pass_on(item)
            return
        left = max(0, int(self.values["bytes"]) - self._passed_bytes)
        if piece := item[:left]:
            self._passed_bytes += len(piece)
            self.pass_on(piece)
        if len(item) >= left:
            self._over = True
            self.pass_on(Mark.CLOSE)
