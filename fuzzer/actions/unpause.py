"""``unpause a``: a frozen process goes on."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base import Action, Stage
from fuzzer.runtimes.able import CanPause
from fuzzer.runtimes.base import ProcessState
from models.expected import Effect, Expected
from models.some import Share
from models.step import Step
from models.target import Target


class Unpause(Action):
    """Ends a ``pause``; a service that is not frozen is left alone."""

    name: ClassVar[str] = "unpause"
    summary: ClassVar[str] = "let a frozen service go on"
    example: ClassVar[str] = "unpause analytics-service"
    needs: ClassVar[type | None] = CanPause
    most_targets: ClassVar[int] = 100
    shares: ClassVar[frozenset[Share]] = frozenset({Share.ALL})

    def candidates(self, target: Target, expected: Expected) -> tuple[str, ...]:
        """What is frozen."""
        return expected.lasting(Effect.HUNG)

    def known_targets(self, target: Target) -> tuple[str, ...]:
        """Only what faults may touch."""
        return target.faultable

    def end(self, step: Step, expected: Expected) -> Expected:
        """They answer again."""
        return expected.relieved(step.targets, Effect.HUNG)

    def inject(self, step: Step, stage: Stage) -> None:
        """Let go on, and see it."""
        assert isinstance(stage.runtime, CanPause)
        stage.runtime.unpause(step.targets)
        for service in step.targets:
            stage.until_state(service, ProcessState.RUNNING)
