"""Latencies in little space: counts in buckets whose width grows with the value.

Each power of two is divided into ``SUB`` buckets of equal width, so a value is off by at most
``1 / (2 * SUB)`` of itself. Two histograms are merged by adding their counts, in any order.
The idea is that of HDR histograms (Gil Tene, http://hdrhistogram.org).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import frexp, ldexp

from models.statistics import rank

SUB = 1024


class Histogram:
    """A multiset of positive numbers; zero and less count as the smallest bucket."""

    def __init__(self, values: Iterable[float] = ()) -> None:
        self._counts: Counter[int] = Counter()
        for value in values:
            self.add(value)

    def add(self, value: float, count: int = 1) -> None:
        """Count a value."""
        self._counts[_index(value)] += count

    def merged(self, other: Histogram) -> Histogram:
        """Everything that either holds."""
        both = Histogram()
        both._counts = self._counts + other._counts
        return both

    @property
    def count(self) -> int:
        """How many values there are."""
        return self._counts.total()

    def quantile(self, share: float) -> float:
        """The value that at least ``share`` of all do not exceed (nearest rank), within 0.05 %.

        Raises:
            ValueError: it is empty.
        """
        left = rank(share, self.count)
        for index in sorted(self._counts):
            left -= self._counts[index]
            if left <= 0:
                return _middle(index)
        raise ValueError("no values")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self._counts == other._counts

    __hash__ = None  # type: ignore[assignment]  # it changes


_LOWEST = -30 * SUB


def _index(value: float) -> int:
    if value <= 0:
        return _LOWEST
    mantissa, exponent = frexp(value)  # value = mantissa * 2 ** exponent, 0.5 <= mantissa < 1
    return max(_LOWEST, exponent * SUB + int((mantissa - 0.5) * 2 * SUB))


def _middle(index: int) -> float:
    if index == _LOWEST:
        return 0.0
    exponent, sub = divmod(index, SUB)
    return ldexp(0.5 + (sub + 0.5) / (2 * SUB), exponent)
