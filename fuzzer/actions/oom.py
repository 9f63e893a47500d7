"""``oom a``: the kernel ends the process because it is out of memory, and the restart policy acts."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base import Stage
from fuzzer.actions.base_process import ProcessFault
from fuzzer.runtimes.able import CanRunOutOfMemory
from fuzzer.runtimes.base import Undo
from models.expected import Effect
from models.step import Step


class Oom(ProcessFault):
    """Once, like ``crash``; but an engine knows why, and says so."""

    name: ClassVar[str] = "oom"
    summary: ClassVar[str] = "let the kernel kill a service for want of memory; its restart policy acts"
    example: ClassVar[str] = "oom checkout-service"
    needs: ClassVar[type | None] = CanRunOutOfMemory
    effect: ClassVar[Effect] = Effect.RETURNING
    kills: ClassVar[bool] = True

    def undo(self, step: Step) -> tuple[Undo, ...]:
        """Give the memory back, which is done at once anyway, and start it, in case its policy does not."""
        return (
            Undo("start", step.targets),
            Undo("spare", step.targets),
            Undo("unlimit_memory", step.targets),
        )

    def harm(self, services: tuple[str, ...], stage: Stage) -> None:
        """Use the memory up."""
        assert isinstance(stage.runtime, CanRunOutOfMemory)
        stage.runtime.run_out_of_memory(services)

    def took_effect(self, service: str, since_s: float, stage: Stage) -> None:
        """The runtime has seen that it was the kernel."""
