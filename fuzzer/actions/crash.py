"""``crash a b``: the processes die from outside, and the restart policy acts."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base import Stage
from fuzzer.actions.base_process import ProcessFault
from fuzzer.runtimes.able import CanCrash
from fuzzer.runtimes.base import Undo
from models.expected import Effect, Expected
from models.members import room
from models.some import services_of
from models.step import Step
from models.target import Target

CRASHES_MOST = 3
"""Of one service in one scenario. Engines double the pause before each restart, up to a minute."""


class Crash(ProcessFault):
    """SIGKILL behind the runtime's back. Coming back is the fleet's own duty, so healing leaves it be."""

    name: ClassVar[str] = "crash"
    summary: ClassVar[str] = "kill services' processes from outside; their restart policies act"
    example: ClassVar[str] = "crash checkout-service"
    needs: ClassVar[type | None] = CanCrash
    most_targets: ClassVar[int] = 100
    effect: ClassVar[Effect] = Effect.RETURNING
    kills: ClassVar[bool] = True
    replica: ClassVar[bool] = True

    def candidates(self, target: Target, expected: Expected) -> tuple[str, ...]:
        """Services that were not crashed again and again: an engine waits twice as long each time."""
        crashed = [harm.on for harm in expected.harms if harm.effect is Effect.RETURNING]
        meant_by = expected.topology.meant_by
        return tuple(
            name
            for name in super().candidates(target, expected)
            if sum(crashed.count(on) for on in meant_by(name)) < CRASHES_MOST
        )

    def at_once(self, target: Target, expected: Expected) -> int:
        """As many as are allowed beside those that are harmed already."""
        return room(target, expected)

    def undo(self, step: Step) -> tuple[Undo, ...]:
        """Start it, in case its policy does not; done only once the history is judged."""
        return (Undo("start", services_of(step.targets)),)

    def harm(self, services: tuple[str, ...], stage: Stage) -> None:
        """Crash."""
        assert isinstance(stage.runtime, CanCrash)
        stage.runtime.crash(services)

    def took_effect(self, service: str, since_s: float, stage: Stage) -> None:
        """The exit, which was already seen, is the effect."""
