"""How commands print: results on standard output, progress on a terminal only."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from types import TracebackType
from typing import NoReturn, Self

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fuzzer.cli.exit_codes import NobodyReads
from fuzzer.events import EngineAwaited, Event, ScenarioBegan, StepBegan
from models.verdict import Outcome

STYLES = {Outcome.HOLDS: "green", Outcome.VIOLATED: "bold red", Outcome.UNKNOWN: "yellow"}


class Output:
    """Lines on standard output: coloured on a terminal, whole and plain elsewhere."""

    def __init__(self) -> None:
        self.console = _Console(highlight=False)

    def line(self, text: str = "", style: str = "") -> None:
        """Print one line; a terminal may break it, nothing else does."""
        self.console.print(Text(text, style=style), soft_wrap=True)

    def table(
        self, headings: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str] = ()
    ) -> None:
        """Columns: drawn on a terminal; elsewhere aligned and never cut, for grep and awk."""
        if self.console.is_terminal:
            drawn = Table(*headings, box=SIMPLE)
            for row, style in zip_longest(rows, styles, fillvalue=""):
                drawn.add_row(*map(Text, row), style=style)
            self.console.print(drawn)
            return
        widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
        for row in (headings, *rows):
            self.line("  ".join(map(str.ljust, row, widths)).rstrip())


class _Console(Console):
    """Rich would leave with 1 when nobody reads any more, which means that a promise was broken."""

    def on_broken_pipe(self) -> NoReturn:
        self.quiet = True
        raise NobodyReads


class Progress:
    """A listener that tells, on a terminal, what is being done right now; elsewhere it is silent."""

    def __init__(self, doing: str) -> None:
        console = Console(stderr=True, highlight=False)
        self._status = console.status(Text(doing)) if console.is_terminal else None

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case ScenarioBegan():
                self.doing(f"playing {event.scenario}")
            case StepBegan():
                self.doing(str(event.step))
            case EngineAwaited():
                self.doing(f"{event.why}; waiting up to {event.limit_s:.0f} s for it")
            case _:
                pass

    def doing(self, what: str) -> None:
        """Show this from now on."""
        if self._status:
            self._status.update(Text(what))

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status:
            self._status.stop()
