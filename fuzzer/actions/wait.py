"""``wait 2s``: time passes while the fleet is watched."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base import Action, Stage
from models.expected import Expected
from models.param import Param
from models.step import Step
from models.target import Target

QUIET_S = 3.0
"""After this long without any deed, more waiting tells nothing new."""


class Wait(Action):
    """Lets consequences show, or lets the fleet recover between two faults."""

    name: ClassVar[str] = "wait"
    summary: ClassVar[str] = "let time pass"
    example: ClassVar[str] = "wait 2s"
    params: ClassVar[tuple[Param, ...]] = (Param("duration_s", low=1, high=3, least=0, most=600),)
    most_targets: ClassVar[int] = 0

    def candidates(self, target: Target, expected: Expected) -> tuple[str, ...]:
        """Waiting makes sense while consequences of something may still come."""
        return ("",) if expected.harms and expected.quiet_s < QUIET_S else ()

    def nominal_s(self, step: Step) -> float:
        """As long as it says."""
        return step.number("duration_s")

    def inject(self, step: Step, stage: Stage) -> None:
        """Wait."""
        stage.pass_time(step.number("duration_s"))
