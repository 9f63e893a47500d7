"""What a search exercised and what it never did: how much its calm is worth.

Each dimension is a table of cells that a fault fills in. A cell is *exercised* by a fault that took
effect in a scenario that told something. It *had no effect* if it was tried and never took effect.
All others were *never exercised*: of those a search that found nothing says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

Cell: TypeAlias = tuple[str, str]
"""Its row and its column."""


class Dimension(StrEnum):
    """What is mapped."""

    ACTIONS = "actions"
    """Service and fault: the fault was done to the service."""
    PAIRS = "pairs"
    """Two services, in this order: the second was harmed while a fault on the first was in force."""
    PHASES = "phases"
    """Fault and load phase: the fault was done to any service at that point of a load."""

    def told(self, cell: Cell) -> str:
        """A cell in words: ``crash db``, ``db then gateway``, ``crash late in load``."""
        row, column = cell
        match self:
            case Dimension.ACTIONS:
                return f"{column} {row}"
            case Dimension.PAIRS:
                return f"{row} then {column}"
            case Dimension.PHASES:
                return f"{row} {column}"


class LoadPhase(StrEnum):
    """How far a load was when a fault came: in its first, second or last third."""

    WITHOUT = "without load"
    EARLY = "early in load"
    MIDWAY = "midway in load"
    LATE = "late in load"

    @classmethod
    def at(cls, share: float) -> LoadPhase:
        """The phase at a share of a load's duration, from 0 up to, but not including, 1."""
        return (cls.EARLY, cls.MIDWAY, cls.LATE)[int(share * 3)]


class Mark(StrEnum):
    """What is known of a cell."""

    EXERCISED = "exercised"
    NO_EFFECT = "had no effect"
    NEVER = "never exercised"


@dataclass(frozen=True)
class Cells:
    """The table of one dimension.

    Attributes:
        every: all cells that the target and its runtime allow, in the order in which they are told.
        exercised: how often each was, of those that were.
        in_vain: how often each was tried without effect, of those that were.
        undefined: why there is no cell at all; "" if there is one.
    """

    every: tuple[Cell, ...]
    exercised: Mapping[Cell, int] = field(default_factory=dict)
    in_vain: Mapping[Cell, int] = field(default_factory=dict)
    undefined: str = ""

    def mark(self, cell: Cell) -> Mark:
        """What is known of a cell. Having been exercised once outweighs every vain try."""
        if self.exercised.get(cell):
            return Mark.EXERCISED
        return Mark.NO_EFFECT if self.in_vain.get(cell) else Mark.NEVER

    def marked(self, mark: Mark) -> tuple[Cell, ...]:
        """The cells of which this is known."""
        return tuple(cell for cell in self.every if self.mark(cell) is mark)

    @property
    def share(self) -> float:
        """How much was exercised, from 0 to 1; 0 where there is nothing to exercise."""
        return len(self.marked(Mark.EXERCISED)) / len(self.every) if self.every else 0.0

    @property
    def percent(self) -> int:
        """The share in whole percent, rounded down: 100 means all."""
        return 100 * len(self.marked(Mark.EXERCISED)) // len(self.every) if self.every else 0


@dataclass(frozen=True)
class Coverage:
    """The map of one search; empty where nobody drew one."""

    dimensions: Mapping[Dimension, Cells] = field(default_factory=dict)

    @property
    def tried(self) -> bool:
        """Whether any fault was tried at all."""
        return any(cells.exercised or cells.in_vain for cells in self.dimensions.values())

    def below(self, least: Mapping[Dimension, float]) -> tuple[Dimension, ...]:
        """The dimensions that stay below their least share. One that was not mapped does."""
        unmapped = Cells(())
        return tuple(
            name for name, share in least.items() if self.dimensions.get(name, unmapped).share < share
        )
