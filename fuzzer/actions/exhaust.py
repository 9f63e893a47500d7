"""``exhaust a connections=100``: so many connections are held open that others may find none."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base import Stage
from fuzzer.actions.base_process import ProcessFault
from fuzzer.runtimes.able import CanHold
from fuzzer.runtimes.base import Undo
from models.expected import Effect, Expected
from models.param import Param
from models.step import Step
from models.target import Target


class Exhaust(ProcessFault):
    """A crowd that connects and says nothing; whoever limits connections has none left for its callers."""

    name: ClassVar[str] = "exhaust"
    summary: ClassVar[str] = "hold many connections to a service open, so that others may find none"
    example: ClassVar[str] = "exhaust orders-db connections=100"
    needs: ClassVar[type | None] = CanHold
    effect: ClassVar[Effect] = Effect.STARVED
    params: ClassVar[tuple[Param, ...]] = (Param("connections", 20, 200, 1, 10_000, drawn=(20, 100, 200)),)

    def candidates(self, target: Target, expected: Expected) -> tuple[str, ...]:
        """Services with a port that can be reached from here."""
        reachable = self.known_targets(target)
        return tuple(name for name in super().candidates(target, expected) if name in reachable)

    def known_targets(self, target: Target) -> tuple[str, ...]:
        """The same, whatever was done before."""
        ports = {name: service.ports for name, service in target.services.items()}
        return tuple(n for n in super().known_targets(target) if any(p.host is not None for p in ports[n]))

    def undo(self, step: Step) -> tuple[Undo, ...]:
        """Let go."""
        return (Undo("release", step.targets),)

    def inject(self, step: Step, stage: Stage) -> None:
        """Connect, and see that the service took at least one, and still has it."""
        assert isinstance(stage.runtime, CanHold)
        for service in step.targets:
            stage.runtime.hold(service, int(step.number("connections")))
            self.took_effect(service, stage.runtime.clock.now(), stage)

    def harm(self, services: tuple[str, ...], stage: Stage) -> None:
        """Done by ``inject``, which knows how many."""

    def took_effect(self, service: str, since_s: float, stage: Stage) -> None:
        """Some connection is open, and stays so."""
        runtime = stage.runtime
        assert isinstance(runtime, CanHold)
        stage.until(
            lambda: runtime.held(service) > 0, lambda: f"{service} ended every connection that was held"
        )
