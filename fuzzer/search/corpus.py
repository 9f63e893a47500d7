"""A corpus evolves plans: the children of plans that showed something rare show rarer things.

Chance alone rarely does three things in the one order that matters. But on the way a fleet shows that its
state changed, and whoever goes on from there needs one step more, and not three. So the best plans that were
played are kept, and new ones are made from them:

    propose   mostly a child: a step replaced, inserted, deleted or drawn anew, or two plans spliced
              (``mutation.py``); at first, and now and then, a plan of nothing but chance
    learn     what the plan showed (``worth.py``) is counted; of all that were played the best are kept

A plan is good if what it showed is rare: each feature is shared among the plans that showed it, so it is
worth 1 the first time, 1/2 the second. That is what keeps the search moving: what every child of a good plan
shows, too, soon counts for little. AFL keeps an input that showed something new; Böhme, Pham and Roychoudhury
("Coverage-based Greybox Fuzzing as Markov Chain", CCS 2016) found that most inputs then do what most others
do, and that more is found by turning to what few of them do. Among plans that are about as rare the one that
did more harm is better (``Worth.harm``), then the shorter one.

The algorithm is ours and simpler than either; what it finds is measured in ``benchmarks/search.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import frexp
from random import Random
from typing import TypeAlias

from fuzzer.actions.base import Action
from fuzzer.scenarios import is_harmful
from fuzzer.search.latest import Latest
from fuzzer.search.mutation import Mutation
from fuzzer.search.plans import Plans
from fuzzer.search.worth import Feature, Worth
from models.scenario import Scenario
from models.target import Target

KEPT = 32
"""How many plans are kept."""

CHANCE = 0.1
"""The share of plans that owe nothing to what is kept."""

REMEMBERED = 20_000
"""How many proposals are remembered, so as not to be made again."""

TRIES = 20
"""How many children are made until one is new, before chance takes over."""

Rank: TypeAlias = tuple[int, tuple[int, int, float], int]


@dataclass(frozen=True, slots=True)
class _Kept:
    plan: Scenario
    worth: Worth


class Corpus:
    """Proposes plans, and learns from what they showed.

    The same random numbers and the same lessons give the same proposals.

    Args:
        target: whose services and loads are drawn.
        actions: what the runtime can do, in the fixed order of the catalogue.
        steps: steps a plan at most.
        random: draws; nothing else does.
    """

    def __init__(self, target: Target, actions: Mapping[str, Action], *, steps: int, random: Random) -> None:
        self._random = random
        self._plans = Plans(target, actions, steps, random)
        self._mutation = Mutation(self._plans, steps, random)
        self._showed: Counter[Feature] = Counter()
        self._kept: list[_Kept] = []  # the best first
        self._proposed: Latest[int, None] = Latest(REMEMBERED)  # their hashes: plans are large

    def propose(self) -> Scenario:
        """A plan that does some harm, and as far as can be one that was not proposed before.

        It need not be played: only what is learnt counts.
        """
        is_full = len(self._kept) == KEPT
        plan = (self._child() if is_full and self._random.random() >= CHANCE else None) or self._fresh()
        self._proposed.put(hash(plan), None)
        return plan

    def learn(self, plan: Scenario, worth: Worth) -> None:
        """What a plan showed, whoever proposed it. One that showed nothing is not kept."""
        if not worth.features:
            return
        self._showed.update(worth.features)
        self._kept.append(_Kept(plan, worth))
        self._kept.sort(key=self._rank, reverse=True)
        del self._kept[KEPT:]

    def _child(self) -> Scenario | None:
        for _ in range(TRIES):
            child = self._mutation.child(self._parent(), self._parent())
            if is_harmful(child) and hash(child) not in self._proposed:
                return child
        return None

    def _fresh(self) -> Scenario:
        while not is_harmful(plan := self._plans.fresh()):
            pass
        return plan

    def _parent(self) -> Scenario:
        """The better of two, so that the best have most children and the worst some."""
        place = min(self._random.randrange(len(self._kept)) for _ in range(2))
        return self._kept[place].plan

    def _rank(self, kept: _Kept) -> Rank:
        # Rarity in classes, by powers of two: else no two would be equal, and harm would never count.
        rarity = sum(1 / self._showed[feature] for feature in kept.worth.features)
        return frexp(rarity)[1], kept.worth.harm, -len(kept.plan)
