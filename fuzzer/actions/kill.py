"""``kill a b``: an operator's kill of one or several services at the same moment."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base import Stage
from fuzzer.actions.base_process import ProcessFault
from fuzzer.runtimes.able import CanKill
from fuzzer.runtimes.base import ProcessState, Undo
from models.expected import Effect, Expected
from models.members import room
from models.some import services_of
from models.step import Step
from models.target import Target


class Kill(ProcessFault):
    """SIGKILL by an operator: the restart policy does not act, the service stays down until started."""

    name: ClassVar[str] = "kill"
    summary: ClassVar[str] = "kill services as an operator does; they stay down until started"
    example: ClassVar[str] = "kill checkout-service"
    needs: ClassVar[type | None] = CanKill
    most_targets: ClassVar[int] = 100
    effect: ClassVar[Effect] = Effect.DOWN
    kills: ClassVar[bool] = True
    replica: ClassVar[bool] = True

    def at_once(self, target: Target, expected: Expected) -> int:
        """As many as are allowed beside those that are harmed already."""
        return room(target, expected)

    def undo(self, step: Step) -> tuple[Undo, ...]:
        """Start them."""
        return (Undo("start", services_of(step.targets)),)

    def harm(self, services: tuple[str, ...], stage: Stage) -> None:
        """Kill."""
        assert isinstance(stage.runtime, CanKill)
        stage.runtime.kill(services)

    def took_effect(self, service: str, since_s: float, stage: Stage) -> None:
        """It is down and stays so."""
        stage.until_state(service, ProcessState.DOWN)
