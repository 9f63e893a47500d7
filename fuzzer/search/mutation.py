"""Children of plans: one or a few steps other than their parents."""

from __future__ import annotations

from random import Random
from typing import TypeAlias

from fuzzer.search.plans import Plans
from models.scenario import Scenario
from models.step import Step

Steps: TypeAlias = tuple[Step, ...]

ONCE_MORE = 0.3
"""How probable it is that a child is changed once more."""


class Mutation:
    """Makes children. What makes no sense any more after a change is left out.

    Args:
        plans: draws steps and repairs plans.
        most: steps a plan at most.
        random: draws; nothing else does.
    """

    def __init__(self, plans: Plans, most: int, random: Random) -> None:
        self._plans = plans
        self._most = most
        self._random = random
        self._ways = (self._replaced, self._inserted, self._deleted, self._redrawn, self._spliced)

    def child(self, parent: Scenario, other: Scenario) -> Scenario:
        """A child of one parent or, spliced, of both; it may be one of them, or have no steps left."""
        child = parent
        while True:
            child = self._plans.repaired(self._random.choice(self._ways)(child.steps, other.steps))
            if not child.steps or self._random.random() >= ONCE_MORE:
                return child

    def _replaced(self, steps: Steps, other: Steps) -> Steps:
        """Another step in the place of one."""
        place = self._random.randrange(len(steps))
        return self._with_new(steps[:place], steps[place + 1 :])

    def _inserted(self, steps: Steps, other: Steps) -> Steps:
        """One step more; where the plan is as long as may be, one less elsewhere."""
        if len(steps) >= self._most:
            steps = self._deleted(steps, other)
        place = self._random.randrange(len(steps) + 1)
        return self._with_new(steps[:place], steps[place:])

    def _deleted(self, steps: Steps, other: Steps) -> Steps:
        """One step less."""
        place = self._random.randrange(len(steps))
        return steps[:place] + steps[place + 1 :]

    def _redrawn(self, steps: Steps, other: Steps) -> Steps:
        """The same action on others, or with other numbers."""
        place = self._random.randrange(len(steps))
        return self._with_new(steps[:place], steps[place + 1 :], steps[place].action)

    def _spliced(self, steps: Steps, other: Steps) -> Steps:
        """The beginning of one and the end of the other."""
        return steps[: self._random.randint(1, len(steps))] + other[self._random.randrange(len(other)) :]

    def _with_new(self, before: Steps, behind: Steps, *actions: str) -> Steps:
        step = self._plans.step(self._plans.expected(before), *actions)
        return (*before, step, *behind) if step else before + behind
