"""``cascade a b c gap_s=1``: one service after the other goes, as when one failure takes the next along."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base_series import Series
from fuzzer.runtimes.able import CanKill
from models.expected import Effect, Expected
from models.members import room
from models.target import Target


class Cascade(Series):
    """Kills in a row. Whoever comes later has to live without the earlier ones until his own turn."""

    name: ClassVar[str] = "cascade"
    summary: ClassVar[str] = "kill services one after the other; they stay down until started"
    example: ClassVar[str] = "cascade orders-db checkout-service gap_s=1"
    needs: ClassVar[type | None] = CanKill
    single: ClassVar[str] = "kill"
    least_targets: ClassVar[int] = 2
    most_targets: ClassVar[int] = 100
    effect: ClassVar[Effect] = Effect.DOWN

    def candidates(self, target: Target, expected: Expected) -> tuple[str, ...]:
        """Services without lasting harm, while two more may be harmed."""
        names = super().candidates(target, expected)
        return names if min(len(names), room(target, expected)) >= self.least_targets else ()

    def at_once(self, target: Target, expected: Expected) -> int:
        """As many as are allowed beside those that are harmed already."""
        return room(target, expected)
