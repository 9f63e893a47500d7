"""Plans without Hypothesis: drawn at random, and put right again after they were changed.

Whatever a plan went through, each of its steps could have been drawn where it stands: both kinds of
search play plans of the same kind, and what ``Expected`` rules out is never played.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random

from fuzzer.actions.base import Action
from fuzzer.scenarios import after
from models.expected import Expected
from models.scenario import Scenario
from models.step import Step
from models.target import Target


class Plans:
    """Valid plans for one target.

    Args:
        target: whose services and loads are drawn.
        actions: what the runtime can do, in the fixed order of the catalogue.
        most: steps a plan at most.
        random: draws; nothing else does.
    """

    def __init__(self, target: Target, actions: Mapping[str, Action], most: int, random: Random) -> None:
        self._target = target
        self._actions = actions
        self._most = most
        self._random = random

    def fresh(self, *actions: str) -> Scenario:
        """A plan of nothing but chance, as long as may be; of these actions only, if any are named."""
        steps: list[Step] = []
        expected = self.untouched()
        while len(steps) < self._most and (step := self.step(expected, *actions)):
            steps.append(step)
            expected = after(step, expected)
        return Scenario.of(steps)

    def step(self, expected: Expected, *actions: str) -> Step | None:
        """A step that makes sense now, each action as probable as any other; None if none does."""
        chosen = [self._actions[name] for name in actions or self._actions]
        able = [action for action in chosen if action.candidates(self._target, expected)]
        return self._random.choice(able).draw(self._target, expected, self._random.choice) if able else None

    def repaired(self, steps: Iterable[Step]) -> Scenario:
        """The steps less those that make no sense where they stand now, and less what is too long."""
        kept: list[Step] = []
        expected = self.untouched()
        for step in steps:
            if len(kept) < self._most and self._applies(step, expected):
                kept.append(step)
                expected = after(step, expected)
        return Scenario.of(kept)

    def expected(self, steps: Iterable[Step]) -> Expected:
        """What is expected after these steps."""
        expected = self.untouched()
        for step in steps:
            expected = after(step, expected)
        return expected

    def untouched(self) -> Expected:
        """What is expected before the first step."""
        return Expected(self._target.topology, self._target.limits.recovery_s_max)

    def _applies(self, step: Step, expected: Expected) -> bool:
        action = self._actions.get(step.action)
        return action is not None and action.applies(step, self._target, expected)
