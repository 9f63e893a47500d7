"""``heal all`` or ``heal a``: faults are lifted in mid-scenario."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base import Action, Stage
from models.expected import Expected
from models.link import Link
from models.some import Share
from models.step import Step
from models.target import Target

ALL = "all"


class Heal(Action):
    """Undoes what lasts. Every scenario ends with it anyway."""

    name: ClassVar[str] = "heal"
    summary: ClassVar[str] = "lift all faults, or those of some services and links"
    example: ClassVar[str] = "heal all"
    most_targets: ClassVar[int] = 100
    shares: ClassVar[frozenset[Share]] = frozenset({Share.ALL})

    def candidates(self, target: Target, expected: Expected) -> tuple[str, ...]:
        """All at once, while something lasts; a single service is what ``start`` and ``unpause`` are for."""
        return (ALL,) if expected.lasting() else ()

    def known_targets(self, target: Target) -> tuple[str, ...]:
        """The services that faults may touch, or all."""
        return (ALL, *target.faultable)

    def check_target(self, name: str, step: Step, target: Target) -> None:
        """A link is healed by the name under which it was harmed."""
        link = Link.parse(name)
        if link is None or not any(link.covers(*edge) for edge in target.edges):
            super().check_target(name, step, target)

    def end(self, step: Step, expected: Expected) -> Expected:
        """What was healed is on its way back."""
        return expected.all_relieved() if ALL in step.targets else expected.relieved(step.targets)

    def inject(self, step: Step, stage: Stage) -> None:
        """Lift."""
        stage.lift(None if ALL in step.targets else step.targets)
