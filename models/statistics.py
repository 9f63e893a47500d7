"""Honest statistics on few samples: when a share is too large to be chance, and quantiles.

A promise about a share ("at most 0.1 % fail") says little about ten requests. It counts as broken only
if so many failures, or more, would come about by chance in less than one of a million runs of a
service that just keeps it: the exact one-sided binomial test (Clopper and Pearson, "The use of
confidence or fiducial limits illustrated in the case of the binomial", Biometrika 26, 1934).

Why a million: many questions are asked. A night of 5000 scenarios with 20 questions each (endpoints times
promises) asks 100 000; at one of a thousand a service that just keeps all its promises would be accused
a hundred times, at one of a million once in ten nights (Bonferroni). It costs little, for what is really
broken fails by the dozen: of 100 requests under a promise of 99.9 % five failures accuse instead of three.
The test takes failures for independent. Those of one hiccup are not; replaying tells that apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, exp, lgamma, log, log1p

CHANCE_MOST = 1e-6
"""A share counts as exceeded if chance explains it in fewer runs than this."""

BAD_LEAST = 3
"""One stray failure, or a second beside it, accuses nobody, however strict the promise is."""

SAMPLES_LEAST = 20
"""Fewer samples than this keep no promise either."""

SLOW_SHARE_MAX = 0.05
"""A 95th percentile within a limit is the same as no more than this share beyond it."""

ROUNDING = 1e-9
"""``0.07 * 100`` is a little more than 7, and still means the 7th."""


def exceeds(bad: int, total: int, share_max: float) -> bool:
    """Whether ``bad`` of ``total`` is more than a share of at most ``share_max`` explains."""
    if bad < BAD_LEAST or bad <= share_max * total:
        return False
    return chance_of(bad, total, share_max) < CHANCE_MOST


def chance_of(bad: int, total: int, share: float) -> float:
    """The probability of ``bad`` or more of ``total``, each with the probability ``share``."""
    if bad <= 0 or share >= 1:
        return 1.0
    if share <= 0:
        return 0.0
    chance = 0.0
    for count in range(bad, total + 1):
        term = _exactly(count, total, share)
        chance += term
        if count > share * total and term < chance * 1e-12:
            break  # beyond the mean each is smaller than the last
    return min(1.0, chance)


def _exactly(count: int, total: int, share: float) -> float:
    ways = lgamma(total + 1) - lgamma(count + 1) - lgamma(total - count + 1)
    return exp(ways + count * log(share) + (total - count) * log1p(-share))


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of all do not exceed (nearest rank).

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values")
    return sorted(values)[rank(share, len(values)) - 1]


def rank(share: float, count: int) -> int:
    """Which of ``count`` values, the smallest being the first, at least ``share`` of all do not exceed."""
    return max(1, ceil(share * count - ROUNDING))
