"""``flap a times=3 gap_s=1``: a service that crashes again as soon as it is back."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base_series import GAP, Series
from fuzzer.runtimes.able import CanCrash
from models.expected import Effect, Expected
from models.param import Param
from models.some import Share
from models.step import Step
from models.target import Target

TIMES = 3
"""How often, if nobody says. Engines double the pause before each restart."""


class Flap(Series):
    """Crashes in a row. Whoever depends on it meets it half started, and counts on it too early."""

    name: ClassVar[str] = "flap"
    summary: ClassVar[str] = "crash a service again and again, as soon as its restart policy brought it back"
    example: ClassVar[str] = "flap checkout-service times=3 gap_s=1"
    needs: ClassVar[type | None] = CanCrash
    params: ClassVar[tuple[Param, ...]] = (
        Param("times", low=2, high=TIMES, least=1, most=10, optional=True),
        GAP,
    )
    shares: ClassVar[frozenset[Share]] = frozenset({Share.ONE})
    single: ClassVar[str] = "crash"
    effect: ClassVar[Effect] = Effect.RETURNING

    def candidates(self, target: Target, expected: Expected) -> tuple[str, ...]:
        """Services that were not crashed yet: an engine waits twice as long each time."""
        crashed = {harm.on for harm in expected.harms if harm.effect is Effect.RETURNING}
        names = super().candidates(target, expected)
        return tuple(n for n in names if not crashed.intersection(expected.topology.meant_by(n)))

    def singles(self, step: Step) -> tuple[Step, ...]:
        """A crash each time; it waits by itself until the service runs again."""
        times = round(step.number_or("times", TIMES))
        return tuple(Step.of(self.single, name) for name in step.targets for _ in range(times))
