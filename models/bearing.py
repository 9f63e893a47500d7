"""What can be done to a connection where a target runs: by a proxy on it, by the kernel, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from models.toxic import REFUSING, SILENCE

PROXIES = frozenset({REFUSING, SILENCE})
"""What any proxy can do, besides the toxics that it knows by name."""


@dataclass(frozen=True, slots=True)
class Bearing:
    """The kinds of toxics that a connection bears.

    Attributes:
        kinds: of ``models.toxic``.
        lacks: for a kind that it does not bear, what is missing, for people; "" stands for any other.
    """

    kinds: frozenset[str] = frozenset()
    lacks: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_proxy(cls, toxics: Set[str]) -> Bearing:
        """A connection with a proxy that knows these toxics."""
        return cls(frozenset(toxics) | PROXIES, {"": "its proxy does not know that"})

    def why_not(self, kinds: Set[str]) -> str:
        """What is missing for these kinds; "" if it bears them all."""
        missing = sorted(kinds - self.kinds)
        return self.lacks.get(missing[0], self.lacks.get("", "")) if missing else ""
