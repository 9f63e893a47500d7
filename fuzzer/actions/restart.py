"""``restart a b``: an operator's restart."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base import Stage
from fuzzer.actions.base_process import ProcessFault
from fuzzer.runtimes.able import CanRestart
from fuzzer.runtimes.base import Undo
from models.expected import Effect
from models.some import service_of, services_of
from models.step import Step


class Restart(ProcessFault):
    """Stop, then start: what a deployment does."""

    name: ClassVar[str] = "restart"
    summary: ClassVar[str] = "stop and start services, as a deployment does"
    example: ClassVar[str] = "restart checkout-service"
    needs: ClassVar[type | None] = CanRestart
    most_targets: ClassVar[int] = 100
    effect: ClassVar[Effect] = Effect.RETURNING
    kills: ClassVar[bool] = True
    replica: ClassVar[bool] = True

    def undo(self, step: Step) -> tuple[Undo, ...]:
        """Start it, in case the fuzzer died between stop and start."""
        return (Undo("start", services_of(step.targets)),)

    def harm(self, services: tuple[str, ...], stage: Stage) -> None:
        """Restart."""
        assert isinstance(stage.runtime, CanRestart)
        stage.runtime.restart(services)

    def took_effect(self, service: str, since_s: float, stage: Stage) -> None:
        """A new process was seen."""
        stage.until(
            lambda: stage.recorder.starts_since(service_of(service), since_s) > 0,
            lambda: f"no new process of {service} was seen after its restart",
        )
