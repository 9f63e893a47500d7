"""What toxics do to a call, as one number or another: how late, how soon over, with which answer.

A call is a question and an answer on a connection of its own. What a toxic does to it depends on dice, and
a service that looks at another does not roll them: what half of all its looks would meet is what it sees::

    loss of 30 %            most looks are not late, so it sees nothing; three of ten calls are 200 ms late
    http_error, 100 %       it sees somebody who answers that it cannot
    http_error, 30 %        it sees nothing; three of ten calls fail

The attributes, their units and what a real proxy does about them: ``docs/edge-proxy.md``. An end of a
connection that comes late (``slow_close``) is felt by nobody who knows how long an answer is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import inf
from random import Random
from typing import TypeAlias

from fuzzer.edges.toxics.loss import ATTEMPTS, FIRST_S, MOST_S, wait_s
from models.bearing import Bearing
from models.toxic import REFUSING, Toxic

SIZE_BYTES = 200
"""How long a question is assumed to be, and an answer."""

STATUS = 503
"""What ``http_error`` answers unless it says otherwise."""


class Dice:
    """What is left to chance; without a stream, what happens in half of all cases."""

    def __init__(self, random: Random | None = None) -> None:
        self._random = random

    def hits(self, share: float) -> bool:
        """Whether something happens that does in so many cases of one."""
        if self._random is None or share >= 1:
            return share >= 0.5
        return self._random.random() < share

    def about(self, middle: float, more_or_less: float) -> float:
        """A number around another one, not below zero."""
        if self._random is None or not more_or_less:
            return middle
        return max(0.0, middle + self._random.uniform(-more_or_less, more_or_less))

    def lost_s(self, percent: float) -> float:
        """How much later comes what may be lost; infinite if it never does."""
        if self._random is not None:
            return wait_s(self._random, percent)
        later_s, timer_s, lost = 0.0, FIRST_S, 1.0
        for _ in range(ATTEMPTS):
            lost *= percent / 100
            if lost <= 0.5:
                return later_s
            later_s, timer_s = later_s + timer_s, min(2 * timer_s, MOST_S)
        return inf


USUAL = Dice()

_Late: TypeAlias = Callable[[Mapping[str, float], Dice], float]


def _bandwidth(values: Mapping[str, float], dice: Dice) -> float:
    rate = values.get("rate", 0.0)
    return SIZE_BYTES / (rate * 1000) if rate else inf


def _slicer(values: Mapping[str, float], dice: Dice) -> float:
    size = values.get("average_size", 0.0)
    cuts = (SIZE_BYTES - 1) // size if size else 0
    return cuts * values.get("delay", 0.0) / 1_000_000


LATE: Mapping[str, _Late] = {
    "latency": lambda values, dice: dice.about(values.get("latency", 0.0), values.get("jitter", 0.0)) / 1000,
    "bandwidth": _bandwidth,
    "loss": lambda values, dice: dice.lost_s(values.get("percent", 0.0)),
    "slicer": _slicer,
    "timeout": lambda values, dice: inf,
}
"""How much later a question or an answer comes, in seconds, on the stream that a toxic is added to."""

ENDS: Mapping[str, Callable[[Mapping[str, float]], float]] = {
    REFUSING: lambda values: 0.0,
    "reset_peer": lambda values: values.get("timeout", 0.0) / 1000,
    "timeout": lambda values: values.get("timeout", 0.0) / 1000 or inf,
}
"""After how long a connection is over, in seconds, counted from its beginning or from the toxic's."""

BEARING = Bearing.of_proxy({*LATE, *ENDS, "http_error", "limit_data", "slow_close"})
"""All that there is."""


def late_s(toxics: Iterable[Toxic], dice: Dice) -> float:
    """How much later something comes that all of these act on."""
    acting = [one for one in toxics if one.kind in LATE and dice.hits(one.toxicity)]
    return sum((LATE[one.kind](one.attributes, dice) for one in acting), 0.0)


def ends_s(toxics: Iterable[Toxic], dice: Dice) -> float:
    """After how long a connection is over that all of these act on; infinite if none ends it."""
    acting = [one for one in toxics if one.kind in ENDS and dice.hits(one.toxicity)]
    return min((ENDS[one.kind](one.attributes) for one in acting), default=inf)


def status(toxics: Iterable[Toxic], dice: Dice) -> int | None:
    """With what a question is answered instead of by whom it was meant for; None if it gets there."""
    acting = (one for one in toxics if one.kind == "http_error" and dice.hits(one.toxicity))
    return next((int(one.attributes.get("status", STATUS)) for one in acting), None)


def cut_bytes(toxics: Iterable[Toxic], dice: Dice) -> float:
    """After how many bytes an answer is cut off; infinite if it is not."""
    acting = [one for one in toxics if one.kind == "limit_data" and dice.hits(one.toxicity)]
    return min((one.attributes.get("bytes", 0.0) for one in acting), default=inf)


@dataclass(frozen=True, slots=True)
class Usual:
    """What half of all calls meet, at least; the fields are what the functions above answer."""

    late_s: float
    ends_s: float
    status: int | None
    cut: bool

    @classmethod
    def of(cls, toxics: Iterable[Toxic]) -> Usual:
        """Question and answer together."""
        acting = tuple(toxics)
        late = late_s(acting, USUAL)
        cut = cut_bytes(acting, USUAL) < SIZE_BYTES
        return cls(late, ends_s(acting, USUAL), status(acting, USUAL), cut)
