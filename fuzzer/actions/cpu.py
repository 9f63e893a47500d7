"""``cpu a 10%``: a service gets a tenth of one processor, and everything it does takes longer."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base import Stage
from fuzzer.actions.base_resource import ResourceFault
from fuzzer.runtimes.able import CanLimitCpu
from models.expected import Effect
from models.param import Param
from models.step import Step


class Cpu(ResourceFault):
    """Too little processor time, spent in bursts: it works for some milliseconds, then it has to wait."""

    name: ClassVar[str] = "cpu"
    summary: ClassVar[str] = "leave a service a part of one processor"
    example: ClassVar[str] = "cpu checkout-service 10%"
    needs: ClassVar[type | None] = CanLimitCpu
    params: ClassVar[tuple[Param, ...]] = (
        Param("percent", 1, 50, least=1, most=100, drawn=(5, 1, 10, 25, 50)),
    )
    effect: ClassVar[Effect] = Effect.SLOW
    verb: ClassVar[str] = "unlimit_cpu"

    def take(self, step: Step, stage: Stage) -> None:
        """Limit."""
        assert isinstance(stage.runtime, CanLimitCpu)
        stage.runtime.limit_cpu(step.targets, step.number("percent"))

    def doubt(self, service: str, stage: Stage) -> str:
        """Whether the limit is in force, and holds somebody up."""
        assert isinstance(stage.runtime, CanLimitCpu)
        return stage.runtime.doubt_cpu(service)
