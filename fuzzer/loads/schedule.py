"""When each request of a load is due, and which endpoint is its turn. Nothing here is random."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import floor, sqrt

from models.load import Shape


def due_count(rate_rps: float, duration_s: float) -> int:
    """How many requests a load has; at least one."""
    return max(1, floor(rate_rps * duration_s + 1e-9))


def due_times(shape: Shape, rate_rps: float, duration_s: float) -> Iterator[float]:
    """Seconds from the begin of the load, in order; every shape has the same number of requests."""
    for number in range(due_count(rate_rps, duration_s)):
        match shape:
            case Shape.STEADY:
                yield number / rate_rps
            case Shape.RAMP:  # the rate grows to twice its mean: requests until t are rate * t² / duration
                yield sqrt(number * duration_s / rate_rps)
            case Shape.BURST:
                yield float(floor(number / rate_rps + 1e-9))


def turns(weights: Sequence[float]) -> Iterator[int]:
    """Indices in proportion to their weights, as evenly mixed as they can be, without end.

    Smooth weighted round-robin, as nginx chooses its upstreams.
    """
    credit = [0.0] * len(weights)
    total = sum(weights)
    while True:
        credit = [have + weight for have, weight in zip(credit, weights, strict=True)]
        best = max(range(len(credit)), key=credit.__getitem__)
        credit[best] -= total
        yield best
