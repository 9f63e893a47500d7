"""``clock_skew a offset_s=3600``: a service's wall clock is an hour ahead of everybody else's."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base import Stage
from fuzzer.actions.base_resource import ResourceFault
from fuzzer.runtimes.able import CanSkewClock
from fuzzer.runtimes.base import Runtime
from models.expected import Effect
from models.param import Param
from models.step import Step


class ClockSkew(ResourceFault):
    """A clock that is off: certificates and tokens seem expired, or not valid yet; what is newest is not."""

    name: ClassVar[str] = "clock_skew"
    summary: ClassVar[str] = "put a service's wall clock ahead, or back (x-knockon.clock)"
    example: ClassVar[str] = "clock_skew checkout-service offset_s=3600"
    needs: ClassVar[type | None] = CanSkewClock
    params: ClassVar[tuple[Param, ...]] = (
        Param("offset_s", -86_400, 86_400, least=-1e9, most=1e9, drawn=(3600, 60, -60, -3600, 86_400)),
    )
    effect: ClassVar[Effect] = Effect.SLOW
    verb: ClassVar[str] = "unskew"
    key: ClassVar[str] = "clock"

    def works_on(self, runtime: Runtime) -> bool:
        """Whether the library that does it is there."""
        return isinstance(runtime, CanSkewClock) and runtime.skews_clocks()

    def take(self, step: Step, stage: Stage) -> None:
        """Skew."""
        assert isinstance(stage.runtime, CanSkewClock)
        stage.runtime.skew_clock(step.targets, step.number("offset_s"))

    def doubt(self, service: str, stage: Stage) -> str:
        """Whether its clock is off by as much."""
        assert isinstance(stage.runtime, CanSkewClock)
        return stage.runtime.doubt_clock(service)
