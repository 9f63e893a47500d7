"""``pause a``: the process is frozen; connections are accepted, and then nothing comes."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base import Stage
from fuzzer.actions.base_process import ProcessFault
from fuzzer.runtimes.able import CanPause
from fuzzer.runtimes.base import ProcessState, Undo
from models.expected import Effect
from models.step import Step


class Pause(ProcessFault):
    """A hang, until somebody lets it go on."""

    name: ClassVar[str] = "pause"
    summary: ClassVar[str] = "freeze a service: it hangs until unpaused"
    example: ClassVar[str] = "pause analytics-service"
    needs: ClassVar[type | None] = CanPause
    effect: ClassVar[Effect] = Effect.HUNG

    def undo(self, step: Step) -> tuple[Undo, ...]:
        """Let it go on."""
        return (Undo("unpause", step.targets),)

    def harm(self, services: tuple[str, ...], stage: Stage) -> None:
        """Freeze."""
        assert isinstance(stage.runtime, CanPause)
        stage.runtime.pause(services)

    def took_effect(self, service: str, since_s: float, stage: Stage) -> None:
        """The runtime says that it is frozen."""
        stage.until_state(service, ProcessState.PAUSED)
