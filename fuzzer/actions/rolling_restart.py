"""``rolling_restart a b c``: an operator restarts one after the other, each well again before the next."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base import Stage
from fuzzer.actions.base_series import Series
from fuzzer.runtimes.able import CanRestart
from models.expected import Effect, Expected
from models.members import spared
from models.param import Param
from models.step import Step
from models.target import Target

DRAWN_MOST = 3
"""Of more it would tell little more, and take the time of several scenarios."""

WELL_S = 3.0
"""How long a service is taken to need until it is well again; plans only."""

LOOK_S = 0.05


class RollingRestart(Series):
    """What a deployment does to a whole fleet: at any moment at most one of the services is away."""

    name: ClassVar[str] = "rolling_restart"
    summary: ClassVar[str] = "restart services one after the other, each well again before the next"
    example: ClassVar[str] = "rolling_restart checkout-service product-service"
    needs: ClassVar[type | None] = CanRestart
    params: ClassVar[tuple[Param, ...]] = ()
    single: ClassVar[str] = "restart"
    least_targets: ClassVar[int] = 2
    most_targets: ClassVar[int] = 100
    effect: ClassVar[Effect] = Effect.RETURNING

    def candidates(self, target: Target, expected: Expected) -> tuple[str, ...]:
        """Services without lasting harm, while there is room for one more fault."""
        names = super().candidates(target, expected)
        return names if len(names) >= self.least_targets else ()

    def at_once(self, target: Target, expected: Expected) -> int:
        """Any number: they are harmed one at a time."""
        return DRAWN_MOST

    def resolved(self, step: Step, target: Target, expected: Expected) -> Step:
        """Without targets, all that may be restarted now."""
        if not step.targets:
            return Step(step.action, spared(target, expected), step.params)
        return super().resolved(step, target, expected)

    def pause_s(self, step: Step) -> float:
        """Until the one before is well again."""
        return WELL_S

    def inject(self, step: Step, stage: Stage) -> None:
        """One after the other; nobody is waited for beyond the recovery limit."""
        clock = stage.runtime.clock
        for single in self.singles(step):
            stage.play(single)
            began_s = clock.now()
            until_s = began_s + stage.target.limits.recovery_s_max
            while clock.now() < until_s and not stage.recorder.healthy_since(single.targets[0], began_s):
                stage.pass_time(LOOK_S)
