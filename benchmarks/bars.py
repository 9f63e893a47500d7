"""Figures against bars, and how a benchmark ends."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from rich.console import Console
from rich.table import Table

from models.errors import KnockonError, RuntimeUnavailable

EXIT_SHORT, EXIT_NO_ENGINE = 1, 3
COMPARE: dict[str, Callable[[float, float], bool]] = {"<=": operator.le, ">=": operator.ge, "==": operator.eq}


@dataclass
class Bars:
    """Collects figures, prints them, and tells whether all bars are met."""

    console: Console = field(default_factory=lambda: Console(highlight=False, width=140))
    met: bool = True

    def hold(self, name: str, figure: float, relation: str, bar: float, unit: str = "") -> None:
        """Print a figure beside its bar."""
        good = COMPARE[relation](figure, bar)
        self.met &= good
        self.console.print(
            f"{name}: {figure:.3g}{unit} (bar: {relation} {bar:g}{unit}) {'met' if good else 'NOT MET'}"
        )

    def table(self, title: str, columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
        """Print a table."""
        table = Table(*columns, title=title, title_justify="left")
        for row in rows:
            table.add_row(*map(str, row))
        self.console.print(table)

    def end(self) -> NoReturn:
        """Exit 0 or 1."""
        sys.exit(0 if self.met else EXIT_SHORT)


def run(benchmark: Callable[[Bars], None]) -> NoReturn:
    """Run a benchmark; no engine is exit 3 and says so."""
    bars = Bars()
    try:
        benchmark(bars)
    except RuntimeUnavailable as error:
        bars.console.print(f"not measured: {error}")
        sys.exit(EXIT_NO_ENGINE)
    except KnockonError as error:
        bars.console.print(f"not measured: {error}")
        sys.exit(EXIT_SHORT)
    bars.end()
