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
from fuzzer.events import EngineAwaited, Event, Noted, ScenarioBegan, StepBegan
from fuzzer.shown import shown
from models.verdict import Outcome

STYLES = {Outcome.HOLDS: "green", Outcome.VIOLATED: "bold red", Outcome.UNKNOWN: "yellow"}


class Output:
    """Lines on standard output: coloured on a terminal, whole and plain elsewhere."""

    def __init__(self) -> None:
        self.console = _Console(highlight=False)

    def line(self, text: str = "", style: str = "") -> None:
        """Print one line; a terminal may break it, nothing else does."""
        self.console.print(Text(shown(text), style=style), soft_wrap=True)

    def table(
        self, headings: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str] = ()
    ) -> None:
        """Columns: drawn on a terminal; elsewhere aligned and never cut, for grep and awk."""
        rows = [tuple(map(shown, row)) for row in rows]
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
    """A listener that tells, on a terminal, what is being done right now; elsewhere only what is noted."""

    def __init__(self, doing: str) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._status = self._console.status(Text(shown(doing))) if self._console.is_terminal else None

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case ScenarioBegan():
                self.doing(f"playing {event.scenario}")
            case StepBegan():
                self.doing(str(event.step))
            case Noted():
                self._console.print(Text(shown(f"note: {event.text}"), style="dim"), soft_wrap=True)
            case EngineAwaited():
                self.doing(f"{event.why}; waiting up to {event.limit_s:.0f} s for it")
            case _:
                pass

    def doing(self, what: str) -> None:
        """Show this from now on."""
        if self._status:
            self._status.update(Text(shown(what)))

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status:
            self._status.stop()
