"""What is to be done to packets in one network namespace, as plain data that goes over a pipe."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

DROP, REFUSE, RESET, LOSE, SLOW = "drop", "refuse", "reset", "lose", "slow"
"""Vanish; answered as by nobody; broken once it is open; a share vanishes; squeezed through, or late."""

DEEDS = (DROP, REFUSE, RESET, LOSE, SLOW)


@dataclass(frozen=True)
class Rule:
    """One way of packets, and what becomes of them.

    Attributes:
        deed: one of ``DEEDS``.
        peer: the address of the other end.
        port: where the dependency listens.
        calls: whether the other end is the dependency; else it is the caller, and answers are meant.
        percent: of ``lose``: the share.
        kbps: of ``slow``: thousand bits a second; 0 for any number.
        late_ms, jitter_ms: of ``slow``: how much later they leave, more or less the jitter.
    """

    deed: str
    peer: str
    port: int
    calls: bool = True
    percent: float = 0.0
    kbps: float = 0.0
    late_ms: float = 0.0
    jitter_ms: float = 0.0


def to_text(rules: Iterable[Rule]) -> str:
    """A JSON list."""
    return json.dumps([asdict(rule) for rule in rules])


def from_text(text: str) -> list[Rule]:
    """Read what ``to_text`` wrote."""
    return [Rule(**one) for one in json.loads(text)]
