"""A toxic as it was asked for: plain data, shown by the API and put to work on connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fuzzer.edges.toxics.base import Link, Wire
from fuzzer.edges.toxics.catalogue import TOXICS

UPSTREAM, DOWNSTREAM = "upstream", "downstream"
STREAMS = (UPSTREAM, DOWNSTREAM)


@dataclass(frozen=True, slots=True)
class Setting:
    """One toxic of a proxy. ``toxicity`` is the share (0..1) of connections that it is put to work on."""

    name: str
    kind: str
    stream: str
    toxicity: float
    values: Mapping[str, float]

    @property
    def stands_in(self) -> str:
        """The direction whose pipe it stands in."""
        return TOXICS[self.kind].stands_in or self.stream

    def link(self, wire: Wire) -> Link:
        """Put it to work."""
        return TOXICS[self.kind](wire, self.values, self.toxicity)

    def spares(self, wire: Wire) -> bool:
        """Whether a connection is lucky. Rolls the dice, so ask once."""
        return not TOXICS[self.kind].per_request and wire.random.random() >= self.toxicity

    def shown(self) -> dict[str, object]:
        """As the API shows it."""
        return {
            "attributes": dict(self.values),
            "name": self.name,
            "type": self.kind,
            "stream": self.stream,
            "toxicity": self.toxicity,
        }
