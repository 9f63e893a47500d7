"""Live progress on a terminal; plain lines where there is none."""

from __future__ import annotations

import time

from rich.console import Console
from rich.text import Text

from fuzzer.events import (
    EngineAwaited,
    Event,
    FindingBegan,
    FindingMade,
    Noted,
    RunBegan,
    RunEnded,
    ScenarioBegan,
    ScenarioEnded,
)
from fuzzer.reports.text import finding_lines, seconds, summary_lines
from fuzzer.shown import shown
from models.verdict import Outcome

PROGRESS_S = 5.0
STYLES = {Outcome.HOLDS: "green", Outcome.VIOLATED: "bold red", Outcome.UNKNOWN: "yellow"}


class Terminal:
    """A listener that prints one line a scenario, then findings and the summary.

    Args:
        console: where to print.
        options: the options that the printed commands need.
    """

    def __init__(self, console: Console, options: str = "") -> None:
        self._console = console
        self._options = options
        self._budget_s: float | None = None
        self._spent_s = 0.0
        self._count = 0
        self._modelled = False
        self._told_s = time.monotonic()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case Noted():
                self._line(f"note: {event.text}", "dim")
            case RunBegan():
                self._budget_s = event.budget_s
                self._line("")
                budget = "" if event.budget_s is None else f", {seconds(event.budget_s)}"
                names = ", ".join(event.target.topology.services)
                self._line(f"fuzzing {event.target.name} on {event.runtime}{budget}: {names}", "bold")
                for note in event.target.notes:
                    self._line(f"  note: {note}", "dim")
                self._modelled = event.modelled
                if event.modelled:
                    self._line("  note: nothing is started or touched: every service is modelled", "dim")
            case ScenarioBegan() if event.purpose == "replay":
                self._line(f"playing: {event.scenario}")
            case EngineAwaited():
                self._line(f"{event.why}; waiting up to {seconds(event.limit_s)} for it", "yellow")
            case ScenarioEnded():
                self._scenario(event)
            case FindingBegan():
                saved = f"saved as {event.saved}" if event.saved else "not saved: is the disk full?"
                self._line(f"violated: {event.played.violations[0].summary}; {saved}", "bold red")
                self._line("confirming and shrinking it:", "bold")
            case FindingMade():
                self._line("")
                for line in finding_lines(event.finding, self._options):
                    self._line(line)
            case RunEnded():
                self._line("")
                for line in summary_lines(event.summary):
                    self._line(line)
            case _:
                pass

    def _scenario(self, event: ScenarioEnded) -> None:
        played = event.played
        self._count += 1
        self._spent_s += played.seconds
        if self._modelled and event.purpose != "replay":
            self._tell_progress()
            return
        mark = Text(f"{played.outcome:>8}", style=STYLES[played.outcome])
        reason = f"  ({played.reason})" if played.reason else ""
        prefix = f"{self._count:4} {seconds(played.seconds):>6} "
        self._console.print(Text(prefix) + mark + Text(shown(f"  {played.scenario}{reason}")), soft_wrap=True)

    def _tell_progress(self) -> None:
        """Where hundreds are played in a second, a line now and then is enough."""
        now_s = time.monotonic()
        if now_s - self._told_s >= PROGRESS_S:
            self._told_s = now_s
            self._line(f"{self._count:7} scenarios, {seconds(self._spent_s)} of virtual time", "dim")

    def _line(self, text: str, style: str = "") -> None:
        self._console.print(Text(shown(text), style=style), soft_wrap=True)
