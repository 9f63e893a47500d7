"""``pids a count=0``: a service cannot start any process or thread more than it has."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base import Stage
from fuzzer.actions.base_resource import ResourceFault
from fuzzer.runtimes.able import CanLimitPids
from fuzzer.runtimes.base import Runtime
from models.expected import Effect
from models.param import Param
from models.step import Step


class Pids(ResourceFault):
    """No more processes and threads: whoever starts one for each request fails."""

    name: ClassVar[str] = "pids"
    summary: ClassVar[str] = "leave a service so many processes and threads beyond those it has"
    example: ClassVar[str] = "pids checkout-service count=0"
    needs: ClassVar[type | None] = CanLimitPids
    params: ClassVar[tuple[Param, ...]] = (Param("count", 0, 16, least=0, most=10_000, drawn=(0, 1, 4, 16)),)
    effect: ClassVar[Effect] = Effect.STARVED
    verb: ClassVar[str] = "unlimit_pids"

    def works_on(self, runtime: Runtime) -> bool:
        """Whether the kernel would hold these services to it, too."""
        return isinstance(runtime, CanLimitPids) and runtime.limits_pids()

    def take(self, step: Step, stage: Stage) -> None:
        """Limit."""
        assert isinstance(stage.runtime, CanLimitPids)
        stage.runtime.limit_pids(step.targets, int(step.number("count")))

    def doubt(self, service: str, stage: Stage) -> str:
        """Whether the kernel knows the limit."""
        assert isinstance(stage.runtime, CanLimitPids)
        return stage.runtime.doubt_pids(service)
