"""``heal all`` or ``heal a``: faults are lifted in mid-scenario."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base import Action, Stage
from models.expected import Expected
from models.step import Step
from models.target import Target

ALL = "all"


class Heal(Action):
    """Starts what is down and lets go on what is frozen. Every scenario ends with it anyway."""

    name: ClassVar[str] = "heal"
    summary: ClassVar[str] = "lift the faults of all services, or of some"
    example: ClassVar[str] = "heal all"
    most_targets: ClassVar[int] = 100

    def candidates(self, target: Target, expected: Expected) -> tuple[str, ...]:
        """All at once, while something lasts; a single service is what ``start`` and ``unpause`` are for."""
        return (ALL,) if expected.lasting() else ()

    def known_targets(self, target: Target) -> tuple[str, ...]:
        """The services that faults may touch, or all."""
        return (ALL, *target.faultable)

    def end(self, step: Step, expected: Expected) -> Expected:
        """What was healed is on its way back."""
        return expected.all_relieved() if ALL in step.targets else expected.relieved(step.targets)

    def inject(self, step: Step, stage: Stage) -> None:
        """Lift."""
        stage.lift(None if ALL in step.targets else step.targets)
