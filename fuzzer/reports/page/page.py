"""The page of a run: what is on it, in the words that the terminal uses.

Everything that came from outside is escaped by the template engine (Jinja's autoescape); the page's own
policy lets a browser load nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from fuzzer.reports.page.graph import draw
from fuzzer.reports.page.shown import findings, replays
from fuzzer.reports.scorecard import scorecard
from fuzzer.reports.text import counted, seconds
from fuzzer.runs.lines import LoggedCell
from fuzzer.runs.reading import PIN, SEARCH, Run
from models.coverage import Dimension, Mark
from models.verdict import Outcome

HERE = Path(__file__).parent

ROWS_MOST = 500
"""Scenarios in the table; the log has all."""


@dataclass(frozen=True)
class Table:
    """One dimension of the coverage map."""

    name: str
    percent: int
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[LoggedCell | None, ...]], ...]


def page(run: Run) -> str:
    """The whole file."""
    shown = [*findings(run), *replays(run)]
    scenarios = [one for one in run.scenarios if one.purpose == SEARCH] or list(run.scenarios)
    return _template().render(
        run=run,
        verdict=run.outcome,
        sentence=_sentence(run),
        details=_details(run),
        shown=shown,
        card=scorecard(run),
        drawing=None if shown else draw(run.head),
        scenarios=scenarios[-ROWS_MOST:],
        left_out=max(0, len(scenarios) - ROWS_MOST),
        coverage=list(_coverage(run)),
        seconds=seconds,
        Mark=Mark,
        css=(HERE / "page.css").read_text(encoding="utf-8"),
        script=(HERE / "page.js").read_text(encoding="utf-8"),
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html")


def _sentence(run: Run) -> str:
    """The verdict."""
    match run.outcome:
        case Outcome.VIOLATED:
            return run.broken[0].summary
        case Outcome.HOLDS:
            played = counted(sum(one.outcome is Outcome.HOLDS for one in run.scenarios), "scenario")
            return f"no promise was broken in {played}"
        case Outcome.UNKNOWN:
            return f"nothing can be said: {run.reason}"


def _details(run: Run) -> Iterator[str]:
    """What else there is to know before reading on."""
    more = len({(one.invariant, one.service) for one in run.broken}) - 1
    if more > 0:
        yield f"And {counted(more, 'other promise')} broke; each is told below."
    if run.end:
        end = run.end
        yield (
            f"{counted(end.scenarios, 'scenario')} in {seconds(end.seconds)}, {end.executions} played with "
            f"confirmations; {end.ended}; seed {end.seed}."
        )
        if end.requests_sent:
            yield f"{end.requests_sent} requests were sent, {end.requests_good} answered well."
    elif any(one.purpose == SEARCH for one in run.scenarios):
        yield "The search did not come to its end: the log holds no summary."
    known = {one.scenario for one in run.scenarios if one.purpose == PIN and one.violations}
    if known:
        yield f"{counted(len(known), 'pin')} still broke, as is known."
    unknown = sum(one.outcome is Outcome.UNKNOWN for one in run.scenarios)
    if unknown:
        yield f"{counted(unknown, 'scenario')} told nothing."
    if run.head.modelled:
        yield "No service was started or touched: every one was modelled."
    if run.damaged:
        yield f"{counted(len(run.damaged), 'line')} of the log could not be read and are left out."


def _coverage(run: Run) -> Iterator[Table]:
    for name, cells in (run.end.coverage if run.end else {}).items():
        if not cells:
            continue
        columns = tuple(dict.fromkeys(cell.column for cell in cells))
        by_place = {(cell.row, cell.column): cell for cell in cells}
        rows = tuple(
            (row, tuple(by_place.get((row, column)) for column in columns))
            for row in dict.fromkeys(cell.row for cell in cells)
        )
        done = sum(cell.mark is Mark.EXERCISED for cell in cells)
        yield Table(_TITLES[name], 100 * done // len(cells), columns, rows)


_TITLES = {
    Dimension.ACTIONS: "Faults (columns) done to services and connections (rows)",
    Dimension.PAIRS: "A second fault (column) while a first (row) was in force",
    Dimension.PHASES: "Faults (rows), and how far a load was when they came (columns)",
}
