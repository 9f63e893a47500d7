"""The numbers that a step carries, and how one of several things is picked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Param:
    """A number that a step carries.

    Whole numbers from ``low`` to ``high`` are drawn, the simplest first; a person may write anything
    from ``least`` to ``most``, or, if it is ``optional``, nothing. Where only some numbers make a difference,
    ``drawn`` names those.
    """

    name: str
    low: int
    high: int
    least: float
    most: float
    optional: bool = False
    drawn: tuple[int, ...] = ()

    @property
    def numbers(self) -> Sequence[int]:
        """Numbers to draw, the simplest first."""
        return self.drawn or range(self.low, self.high + 1)


class Pick(Protocol):
    """Picks one of some things, of which the first is the simplest.

    Hypothesis does so, or ``random.Random.choice``: an action does not know who draws its steps.
    """

    def __call__(self, some: Sequence[T], /) -> T: ...  # noqa: D102 - told above
