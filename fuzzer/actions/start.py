"""``start a``: an operator starts what was killed or stopped."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base import Action, Stage
from fuzzer.runtimes.able import CanStart
from fuzzer.runtimes.base import ProcessState
from models.expected import Effect, Expected
from models.some import Share
from models.step import Step
from models.target import Target


class Start(Action):
    """Ends a ``kill`` or a ``stop``; a service that runs is left alone."""

    name: ClassVar[str] = "start"
    summary: ClassVar[str] = "start a service that was killed or stopped"
    example: ClassVar[str] = "start checkout-service"
    needs: ClassVar[type | None] = CanStart
    most_targets: ClassVar[int] = 100
    shares: ClassVar[frozenset[Share]] = frozenset({Share.ALL})

    def candidates(self, target: Target, expected: Expected) -> tuple[str, ...]:
        """What is down on purpose."""
        return expected.lasting(Effect.DOWN)

    def known_targets(self, target: Target) -> tuple[str, ...]:
        """Only what faults may touch."""
        return target.faultable

    def end(self, step: Step, expected: Expected) -> Expected:
        """They are on their way back."""
        return expected.relieved(step.targets, Effect.DOWN)

    def inject(self, step: Step, stage: Stage) -> None:
        """Start, and see that they run."""
        assert isinstance(stage.runtime, CanStart)
        stage.runtime.start(step.targets)
        for service in step.targets:
            stage.until_state(service, ProcessState.RUNNING)
