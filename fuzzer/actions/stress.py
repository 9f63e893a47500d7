"""``stress a workers=2``: two busy loops compete with a service for its own processors."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base import Stage
from fuzzer.actions.base_resource import ResourceFault
from fuzzer.runtimes.able import CanStress
from models.expected import Effect
from models.param import Param
from models.step import Step


class Stress(ResourceFault):
    """A noisy neighbour inside the service's own limits."""

    name: ClassVar[str] = "stress"
    summary: ClassVar[str] = "let busy loops compete with a service for its processors"
    example: ClassVar[str] = "stress checkout-service workers=2"
    needs: ClassVar[type | None] = CanStress
    params: ClassVar[tuple[Param, ...]] = (Param("workers", 1, 8, least=1, most=64, drawn=(2, 1, 4, 8)),)
    effect: ClassVar[Effect] = Effect.SLOW
    verb: ClassVar[str] = "calm"

    def take(self, step: Step, stage: Stage) -> None:
        """Begin."""
        assert isinstance(stage.runtime, CanStress)
        stage.runtime.stress(step.targets, int(step.number("workers")))

    def doubt(self, service: str, stage: Stage) -> str:
        """Whether as many run."""
        assert isinstance(stage.runtime, CanStress)
        return stage.runtime.doubt_stress(service)
