"""``pause a b``: the processes are frozen; connections are accepted, and then nothing comes."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base import Stage
from fuzzer.actions.base_process import ProcessFault
from fuzzer.runtimes.able import CanPause
from fuzzer.runtimes.base import ProcessState, Undo
from models.expected import Effect
from models.some import services_of
from models.step import Step


class Pause(ProcessFault):
    """A hang, until somebody lets it go on."""

    name: ClassVar[str] = "pause"
    summary: ClassVar[str] = "freeze services: they hang until unpaused"
    example: ClassVar[str] = "pause analytics-service"
    needs: ClassVar[type | None] = CanPause
    most_targets: ClassVar[int] = 100
    effect: ClassVar[Effect] = Effect.HUNG
    replica: ClassVar[bool] = True

    def undo(self, step: Step) -> tuple[Undo, ...]:
        """Let it go on."""
        return (Undo("unpause", services_of(step.targets)),)

    def harm(self, services: tuple[str, ...], stage: Stage) -> None:
        """Freeze."""
        assert isinstance(stage.runtime, CanPause)
        stage.runtime.pause(services)

    def took_effect(self, service: str, since_s: float, stage: Stage) -> None:
        """The runtime says that it is frozen."""
        stage.until_state(service, ProcessState.PAUSED)
