"""``memory a 16mib``: a service may take 16 MiB more than it has, and not a byte beyond."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base import Stage
from fuzzer.actions.base_resource import ResourceFault
from fuzzer.runtimes.able import CanLimitMemory
from models.expected import Effect
from models.param import Param
from models.step import Step


class Memory(ResourceFault):
    """Too little memory: an allocation fails, or the kernel ends the process. Both are its own affair."""

    name: ClassVar[str] = "memory"
    summary: ClassVar[str] = "leave a service so much memory beyond what it has"
    example: ClassVar[str] = "memory checkout-service 16mib"
    needs: ClassVar[type | None] = CanLimitMemory
    params: ClassVar[tuple[Param, ...]] = (
        Param("size_mib", 0, 64, least=0, most=1_000_000, drawn=(4, 0, 16, 64)),
    )
    effect: ClassVar[Effect] = Effect.STARVED
    verb: ClassVar[str] = "unlimit_memory"

    def take(self, step: Step, stage: Stage) -> None:
        """Limit."""
        assert isinstance(stage.runtime, CanLimitMemory)
        stage.runtime.limit_memory(step.targets, step.number("size_mib"))

    def doubt(self, service: str, stage: Stage) -> str:
        """Whether the kernel knows the limit."""
        assert isinstance(stage.runtime, CanLimitMemory)
        return stage.runtime.doubt_memory(service)
