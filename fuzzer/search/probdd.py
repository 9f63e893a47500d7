"""Probabilistic delta debugging: the smallest subset of items that still fails, in few tests.

Each item has a probability of being needed. Every round leaves out the set whose removal promises
most: the most items, times the probability that none of them is needed. If the rest still fails,
they are gone for good; if not, at least one of them is needed, and by Bayes' rule each becomes more
probable. It ends when every item that is left was shown to be needed.

Source: Wang, Shen, Chen, Xiong, Zhang: "Probabilistic Delta Debugging", ESEC/FSE 2021.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import TypeVar

T = TypeVar("T")

CERTAIN = 1 - 1e-9


def probdd(
    items: Sequence[T],
    prior: Sequence[float],
    still_fails: Callable[[list[T]], bool],
) -> list[T]:
    """The items that are needed, in their order.

    Args:
        items: everything, which fails together.
        prior: for each item how probable it is that it is needed, between 0 and 1, both excluded.
        still_fails: whether a subset, in its order, fails in the same way.

    Returns:
        A subset that fails, from which no single item can be left out (if ``still_fails`` is
        deterministic).

    Raises:
        ValueError: a prior is not between 0 and 1, or there is not one for each item.
    """
    if len(items) != len(prior) or not all(0 < p < 1 for p in prior):
        raise ValueError("prior must hold one probability between 0 and 1, both excluded, for each item")
    needed = dict(enumerate(prior))
    while any(p < CERTAIN for p in needed.values()):
        out = _best_removal(needed)
        kept = [index for index in needed if index not in out]
        if still_fails([items[index] for index in kept]):
            needed = {index: needed[index] for index in kept}
        elif len(out) == 1:
            needed[out[0]] = 1.0
        else:
            some_needed = 1 - prod(1 - needed[index] for index in out)
            for index in out:
                needed[index] = min(needed[index] / some_needed, CERTAIN - 1e-9)
    return [items[index] for index in needed]


def _best_removal(needed: dict[int, float]) -> list[int]:
    """The least probable items, as many as promise most; later ones first among equals."""
    by_probability = sorted((i for i, p in needed.items() if p < CERTAIN), key=lambda i: (needed[i], -i))
    gain, none_needed, best, size = 0.0, 1.0, 0.0, 1
    for count, index in enumerate(by_probability, start=1):
        none_needed *= 1 - needed[index]
        gain = count * none_needed
        if gain > best:
            best, size = gain, count
    return by_probability[:size]
