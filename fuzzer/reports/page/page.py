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

from fuzzer.reports.page.chart import Chart, chart
from fuzzer.reports.page.graph import Drawing, draw
from fuzzer.reports.text import counted, necessity, pin_command, replay_command, reproduction, seconds
from fuzzer.runs.lines import LoggedCell, LoggedFinding, LoggedScenario, LoggedViolation, Story
from fuzzer.runs.reading import Run
from models.coverage import Dimension, Mark
from models.scenario import Scenario
from models.verdict import Outcome

HERE = Path(__file__).parent

ROWS_MOST = 500
"""Scenarios in the table; the log has all."""


@dataclass(frozen=True)
class Shown:
    """A scenario that is told whole: what broke, if anything, why, when, and how to see it again."""

    title: str
    outcome: Outcome
    violations: tuple[LoggedViolation, ...]
    steps: tuple[str, ...]
    remarks: tuple[str, ...]
    commands: tuple[tuple[str, str], ...]
    drawing: Drawing
    chart: Chart | None
    story: Story | None
    rests_on: tuple[str, ...] = ()
    is_finding: bool = False


@dataclass(frozen=True)
class Table:
    """One dimension of the coverage map."""

    name: str
    percent: int
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[LoggedCell | None, ...]], ...]


def page(run: Run) -> str:
    """The whole file."""
    shown = [*_findings(run), *_replays(run)]
    scenarios = [one for one in run.scenarios if one.purpose == "search"] or list(run.scenarios)
    return _template().render(
        run=run,
        verdict=run.outcome,
        sentence=_sentence(run),
        details=_details(run),
        shown=shown,
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
    )
    return environment.get_template("page.html")


def _sentence(run: Run) -> str:
    """The verdict."""
    played = len([one for one in run.scenarios if one.purpose in ("search", "replay")])
    match run.outcome:
        case Outcome.VIOLATED:
            if run.findings:
                first = run.findings[0].violation
            else:
                first = next(one.violations[0] for one in run.scenarios if one.violations)
            return first.summary[:1].upper() + first.summary[1:].rstrip(".") + "."
        case Outcome.HOLDS:
            return f"No promise was broken in {counted(played, 'scenario')}."
        case Outcome.UNKNOWN:
            reason = next((one.reason for one in run.scenarios if one.reason), "nothing was played")
            return f"Nothing can be said: {reason}."


def _details(run: Run) -> Iterator[str]:
    """What else there is to know before reading on."""
    if run.end:
        end = run.end
        yield (
            f"{counted(end.scenarios, 'scenario')} in {seconds(end.seconds)}, {end.executions} played with "
            f"confirmations; {end.ended}; seed {end.seed}."
        )
        if end.requests_sent:
            yield f"{end.requests_sent} requests were sent, {end.requests_good} answered well."
    elif any(one.purpose == "search" for one in run.scenarios):
        yield "This search did not come to its end: its log holds no summary."
    unknown = sum(one.outcome is Outcome.UNKNOWN for one in run.scenarios)
    if unknown:
        yield f"{counted(unknown, 'scenario')} told nothing."
    if run.head.modelled:
        yield "No service was started or touched: every one was modelled."
    if run.damaged:
        yield f"{counted(len(run.damaged), 'line')} of the log could not be read and are left out."


def _findings(run: Run) -> Iterator[Shown]:
    options = run.head.options
    for number, finding in enumerate(run.findings, start=1):
        minimal = "; ".join(finding.minimal)
        commands = [("replay it", replay_command(minimal, finding.violation, options))]
        if finding.saved:
            commands.append(("pin it", pin_command(finding.saved, options)))
        yield Shown(
            title=f"Finding {number}: {finding.violation.invariant} broken by {finding.violation.service}",
            outcome=Outcome.VIOLATED,
            violations=(finding.violation, *finding.also),
            steps=finding.minimal,
            remarks=(
                f"{counted(len(finding.minimal), 'step')}, {reproduction(finding)}; found as "
                f"{counted(len(finding.original), 'step')}.",
                f"{necessity(finding)}.",
            ),
            commands=tuple(commands),
            drawing=draw(run.head, finding),
            chart=chart(finding.story, finding.violation.at_s) if finding.story else None,
            story=finding.story,
            rests_on=finding.rests_on,
            is_finding=True,
        )


def _replays(run: Run) -> Iterator[Shown]:
    replays = [one for one in run.scenarios if one.purpose == "replay" and one.story]
    for number, one in enumerate(replays[-20:], start=1):
        first = one.violations[0] if one.violations else None
        steps = tuple(map(str, Scenario.parse(one.scenario)))
        command = replay_command(one.scenario, first, run.head.options)
        yield Shown(
            title=f"Scenario {number}: {one.outcome}",
            outcome=one.outcome,
            violations=one.violations,
            steps=steps,
            remarks=(f"Played in {seconds(one.seconds)}.", *([f"{one.reason}."] if one.reason else [])),
            commands=(("replay it", command),),
            drawing=draw(run.head, _as_finding(one, steps)),
            chart=chart(one.story, first.at_s if first else None) if one.story else None,
            story=one.story,
        )


def _as_finding(one: LoggedScenario, steps: tuple[str, ...]) -> LoggedFinding:
    """A replay, so that it can be drawn; without a violation nobody broke anything."""
    nothing = LoggedViolation(invariant="", service="", summary="")
    first, *rest = one.violations or (nothing,)
    return LoggedFinding(
        at=one.at,
        original=steps,
        minimal=steps,
        violation=first,
        also=tuple(rest),
        reproduced=1,
        replays=1,
        necessary=None,
        shrinking=0,
        executions=0,
        seconds=one.seconds,
        saved=None,
        story=one.story,
    )


def _coverage(run: Run) -> Iterator[Table]:
    for name, cells in (run.end.coverage if run.end else {}).items():
        columns = tuple(dict.fromkeys(cell.column for cell in cells))
        by_place = {(cell.row, cell.column): cell for cell in cells}
        rows = tuple(
            (row, tuple(by_place.get((row, column)) for column in columns))
            for row in dict.fromkeys(cell.row for cell in cells)
        )
        done = sum(cell.mark is Mark.EXERCISED for cell in cells)
        yield Table(_TITLES[name], 100 * done // len(cells), columns, rows)


_TITLES = {
    Dimension.ACTIONS: "Services and faults",
    Dimension.PAIRS: "A second fault (column) while a first (row) was in force",
    Dimension.PHASES: "Faults and how far a load was",
}
