"""The listener that writes a run's log. What it cannot write changes no verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from fuzzer.events import (
    Event,
    FindingBegan,
    FindingMade,
    Played,
    RunEnded,
    ScenarioEnded,
)
from fuzzer.runs.folder import Runs
from fuzzer.runs.lines import AnyLine, LoggedRun
from fuzzer.runs.writing import end_line, finding_line, scenario_line
from models.verdict import Outcome


@dataclass
class RunLog:
    """Writes a line an event, beginning with the first scenario: a run that never began leaves nothing.

    Args:
        runs: the folder of all runs.
        head: the first line.
        note: tells a person something that changes no verdict.
    """

    runs: Runs
    head: LoggedRun
    note: Callable[[str], None]
    _file: TextIO | None = None
    _broken: bool = False
    _number: int = 0
    _best: Played | None = field(default=None, repr=False)

    @property
    def path(self) -> Path | None:
        """The log, once there is one."""
        return self.runs.path(self.head.id) if self._file and not self._broken else None

    def __call__(self, event: Event) -> None:
        """Write one event."""
        match event:
            case ScenarioEnded():
                self._number += 1
                self._keep(event.played)
                self._write(scenario_line(event, self._number, with_story=self._tells(event)))
            case FindingBegan():
                self._best = event.played
            case FindingMade():
                self._write(finding_line(event.finding, self._shown(event)))
                self._best = None
            case RunEnded():
                self._write(end_line(event.summary))
            case _:
                pass

    def close(self) -> None:
        """Nothing more is written."""
        if self._file:
            self._file.close()

    def _tells(self, event: ScenarioEnded) -> bool:
        """A model plays hundreds in a second; of those only what is played for a person has a story."""
        return not self.head.modelled or event.purpose == "replay"

    def _keep(self, played: Played) -> None:
        """While a finding is made small, the smallest play that shows it; of equals the latest."""
        best = self._best
        if best is None or played.outcome is not Outcome.VIOLATED:
            return
        if played.shows(best.violations[0].signature) and len(played.scenario) <= len(best.scenario):
            self._best = played

    def _shown(self, event: FindingMade) -> Played | None:
        """The story of a finding, if the play that is kept is one of its minimal scenario."""
        best = self._best
        return best if best and best.scenario == event.finding.minimal else None

    def _write(self, line: AnyLine) -> None:
        if self._broken:
            return
        try:
            if self._file is None:
                self._file = self._begin()
            self._file.write(line.model_dump_json() + "\n")
            self._file.flush()
        except OSError as error:
            self._broken = True
            where = self.runs.path(self.head.id)
            self.note(f"{where}: the log of this run cannot be written: {error.strerror}; verdicts stand")

    def _begin(self) -> TextIO:
        path = self.runs.path(self.head.id)
        path.parent.mkdir(parents=True)
        file = path.open("x", encoding="utf-8")
        file.write(self.head.model_dump_json() + "\n")
        self.runs.prune()
        return file
