"""The coverage map as text: a line a dimension, what is missing for a threshold, and the whole table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from fuzzer.events import Event, RunEnded
from fuzzer.shown import shown
from models.coverage import Cell, Cells, Coverage, Dimension, Mark

NAMED = 3
"""So many cells, whole rows or whole columns are named in a line; what is left is counted."""

LEGEND = "how often each was exercised; - never, ! tried without effect"


def coverage_lines(coverage: Coverage) -> Iterator[str]:
    """One line a dimension: its share, and what is missing."""
    for name, cells in coverage.dimensions.items():
        if cells.every:
            yield "; ".join([_figure(name, cells), *_missing(name, cells)])


def shortfall(coverage: Coverage, least: Mapping[Dimension, float]) -> str:
    """What keeps a search from the coverage that is asked for; "" if nothing does."""
    told = []
    for name in coverage.below(least):
        cells = coverage.dimensions.get(name, Cells(()))
        figure = (
            f"coverage of {name} is {cells.percent} %, "
            f"below the {100 * least[name]:.10g} % that --min-coverage asks for"
        )
        told.append("; ".join([figure, *_missing(name, cells)]))
    return "\n".join(told) + "; give it more time (--budget)" if told else ""


def table_lines(coverage: Coverage) -> Iterator[str]:
    """Every cell."""
    yield f"coverage map: {LEGEND}"
    for name, cells in coverage.dimensions.items():
        yield ""
        if cells.every:
            yield f"{_figure(name, cells)}{_HOW_TO_READ.get(name, '')}"
            yield from _table(cells)
        else:
            yield f"{name}: none; {cells.undefined}"


_HOW_TO_READ = {Dimension.PAIRS: ": the row was harmed already when a fault was done to the column"}


class CoverageTable:
    """A listener that prints the whole map once the search is over."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, event: Event) -> None:
        """Show it."""
        if isinstance(event, RunEnded):
            for line in ("", *table_lines(event.summary.coverage)):
                self._console.print(Text(shown(line)), soft_wrap=True)


def _figure(name: Dimension, cells: Cells) -> str:
    return f"{name} {len(cells.marked(Mark.EXERCISED))}/{len(cells.every)} ({cells.percent} %)"


def _missing(name: Dimension, cells: Cells) -> Iterator[str]:
    for mark in (Mark.NO_EFFECT, Mark.NEVER):
        if found := cells.marked(mark):
            groups = _grouped(name, cells.every, found)
            rest = len(found) - len({cell for group in groups[:NAMED] for cell in group.cells})
            more = f" and {rest} more" if rest else ""
            yield f"{mark}: {', '.join(group.told for group in groups[:NAMED])}{more}"


@dataclass(frozen=True)
class _Group:
    """Cells that a few words tell."""

    told: str
    cells: tuple[Cell, ...]


def _grouped(name: Dimension, every: Sequence[Cell], found: Sequence[Cell]) -> list[_Group]:
    """Whole rows and columns first, since they tell most; then single cells."""
    if len(found) == len(every):
        return [_Group("all", tuple(found))]
    groups: list[_Group] = []
    left = dict.fromkeys(found)
    for axis in (0, 1):
        for word in dict.fromkeys(cell[axis] for cell in found):
            whole = tuple(cell for cell in every if cell[axis] == word)
            if len(whole) > 1 and set(whole) <= set(found) and not left.keys().isdisjoint(whole):
                line = (word, _ANY[name][1]) if axis == 0 else (_ANY[name][0], word)
                groups.append(_Group(name.told(line), whole))
                left = dict.fromkeys(cell for cell in left if cell not in whole)
    return groups + [_Group(name.told(cell), (cell,)) for cell in left]


_ANY: Mapping[Dimension, Cell] = {
    Dimension.ACTIONS: ("any service", "any fault on"),
    Dimension.PAIRS: ("any other", "any other"),
    Dimension.PHASES: ("any fault", "in any phase"),
}
"""What stands for a whole column, and for a whole row."""


def _table(cells: Cells) -> Iterator[str]:
    """Rows and columns by name; where both are the same, columns by the numbers of the rows."""
    rows = list(dict.fromkeys(row for row, _ in cells.every))
    columns = list(dict.fromkeys(column for _, column in cells.every))
    labels, heads = rows, columns
    if set(rows) == set(columns):
        columns = rows
        heads = [str(number) for number in range(1, len(rows) + 1)]
        labels = [f"{head:>{len(heads[-1])}} {row}" for head, row in zip(heads, rows, strict=True)]
    shown = {cell: _shown(cell, cells) for cell in cells.every}
    table = [["", *heads]]
    for label, row in zip(labels, rows, strict=True):
        table.append([label, *(shown.get((row, column), "") for column in columns)])
    yield from _aligned(table)


def _shown(cell: Cell, cells: Cells) -> str:
    match cells.mark(cell):
        case Mark.EXERCISED:
            return str(cells.exercised[cell])
        case Mark.NO_EFFECT:
            return "!"
        case Mark.NEVER:
            return "-"


def _aligned(table: Sequence[Sequence[str]]) -> Iterator[str]:
    first, *rest = [max(map(len, column)) for column in zip(*table, strict=True)]
    for label, *cells in table:
        yield "  ".join([f"  {label:{first}}", *map(str.rjust, cells, rest)]).rstrip()
