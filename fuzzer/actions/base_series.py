"""What faults share that are done to one service after the other: each is harmed when its turn comes.

A series names the steps of other actions that it is made of. In a plan it counts for what these would
count for if they were written out; the runner plays them within it, so that nobody is excused before his
turn, every exit has its permit, and each recovery counts from its own moment.

To add one: a file with a class derived from ``Series``; the smallest example is ``cascade.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fuzzer.actions.base import QUICK_S, ServiceFault, Stage
from fuzzer.runtimes.base import Undo
from models.errors import ScenarioError
from models.expected import Expected
from models.param import Param, Pick
from models.some import Share
from models.step import Step
from models.target import Target

GAP = Param("gap_s", low=1, high=3, least=0, most=60, optional=True)
"""Seconds between two turns."""

GAP_S = 1.0
"""What it is if nobody says."""


class Series(ServiceFault):
    """Faults one after the other, each of the action ``single``."""

    single: ClassVar[str]
    shares: ClassVar[frozenset[Share]] = frozenset(Share) - {Share.PRIMARIES}
    params: ClassVar[tuple[Param, ...]] = (GAP,)

    def draw_targets(self, target: Target, expected: Expected, pick: Pick) -> tuple[str, ...]:
        """In the order in which they were picked, for it matters who is first."""
        left = list(self.candidates(target, expected))
        most = min(len(left), self.at_once(target, expected))
        picked: list[str] = []
        for _ in range(pick(range(self.least_targets, most + 1))):
            left = [name for name in left if self.fits((*picked, name), target, expected)]
            if left:
                picked.append(left.pop(left.index(pick(left))))
        return tuple(picked)

    def check(self, step: Step, target: Target) -> None:
        """Refuse what makes no sense here, and to do it to the same service twice.

        Raises:
            ScenarioError: with what was found and what is expected.
        """
        super().check(step, target)
        for name in step.targets:
            if step.targets.count(name) > 1:
                raise ScenarioError(f"`{step}`: names {name} twice; expected each service once")

    def singles(self, step: Step) -> tuple[Step, ...]:
        """The single faults."""
        return tuple(Step.of(self.single, name) for name in step.targets)

    def pause_s(self, step: Step) -> float:
        """For how long nothing is done between two of them; where that is not known, what a plan counts."""
        return step.number_or("gap_s", GAP_S)

    def turns(self, step: Step) -> tuple[Step, ...]:
        """The single faults, with waits between them."""
        wait = Step.of("wait", duration_s=self.pause_s(step))
        return tuple(turn for single in self.singles(step) for turn in (wait, single))[1:]

    def nominal_s(self, step: Step) -> float:
        """All of it."""
        count = len(self.singles(step))
        return count * QUICK_S + (count - 1) * self.pause_s(step)

    def ready(self, step: Step, stage: Stage) -> None:
        """Each is waited for when its turn comes."""

    def undo(self, step: Step) -> tuple[Undo, ...]:
        """Start them."""
        return (Undo("start", step.targets),)

    def simpler(self, step: Step) -> Iterator[Step]:
        """A single fault alone; one target less; then smaller numbers."""
        yield from dict.fromkeys(self.singles(step))
        if len(step.targets) > 2:
            for name in step.targets:
                yield Step(step.action, tuple(one for one in step.targets if one != name), step.params)
        yield from (one for one in super().simpler(step) if len(one.targets) == len(step.targets))

    def inject(self, step: Step, stage: Stage) -> None:
        """One after the other."""
        for turn in self.turns(step):
            stage.play(turn)
