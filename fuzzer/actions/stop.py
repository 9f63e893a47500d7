"""``stop a b``: an orderly stop by an operator."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base import Stage
from fuzzer.actions.base_process import ProcessFault
from fuzzer.runtimes.able import CanStop
from fuzzer.runtimes.base import ProcessState, Undo
from models.expected import Effect
from models.some import services_of
from models.step import Step


class Stop(ProcessFault):
    """SIGTERM, then SIGKILL; the service stays down until started."""

    name: ClassVar[str] = "stop"
    summary: ClassVar[str] = "stop services in good order; they stay down until started"
    example: ClassVar[str] = "stop checkout-service"
    needs: ClassVar[type | None] = CanStop
    most_targets: ClassVar[int] = 100
    effect: ClassVar[Effect] = Effect.DOWN
    kills: ClassVar[bool] = True
    replica: ClassVar[bool] = True

    def undo(self, step: Step) -> tuple[Undo, ...]:
        """Start it."""
        return (Undo("start", services_of(step.targets)),)

    def harm(self, services: tuple[str, ...], stage: Stage) -> None:
        """Stop."""
        assert isinstance(stage.runtime, CanStop)
        stage.runtime.stop(services)

    def took_effect(self, service: str, since_s: float, stage: Stage) -> None:
        """It is down and stays so."""
        stage.until_state(service, ProcessState.DOWN)
