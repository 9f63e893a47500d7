"""The listener that writes a run's log. What it cannot write changes no verdict."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
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
    Summary,
)
from fuzzer.files import PRIVATE, PRIVATE_FOLDER
from fuzzer.runs.folder import Runs
from fuzzer.runs.lines import AnyLine, LoggedRun, LoggedScenario
from fuzzer.runs.writing import end_line, finding_line, scenario_line
from fuzzer.shown import without_secrets
from models.scenario import Scenario
from models.verdict import Outcome, Violation


@dataclass
class RunLog:
    """Writes a line an event, beginning with the first scenario: a run that never began leaves nothing.

    Args:
        runs: the folder of all runs.
        head: the first line.
        note: tells a person something that changes no verdict.
        doubt: why a search in which nothing broke proves nothing; "" if it does.
        rests_on: what is only assumed, where a violation of a scenario is one of modelled services.
    """

    runs: Runs
    head: LoggedRun
    note: Callable[[str], None]
    doubt: Callable[[Summary], str] = lambda summary: ""
    rests_on: Callable[[Scenario, Violation], tuple[str, ...]] = lambda scenario, violation: ()
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
        if self._broken:
            return
        try:
            line = self._line(event)
            if line:
                self._write(line)
        except (OSError, ValueError) as error:  # what was seen may be no JSON, such as an infinite number
            self._broken = True
            where, why = self.runs.path(self.head.id), getattr(error, "strerror", None) or error
            self.note(f"{where}: the log of this run cannot be written: {why}; verdicts stand")

    def _line(self, event: Event) -> AnyLine | None:
        match event:
            case ScenarioEnded():
                self._number += 1
                self._keep(event.played)
                return self._scenario(event)
            case FindingBegan():
                self._best = event.played
            case FindingMade():
                shown, self._best = self._shown(event), None
                return finding_line(event.finding, shown)
            case RunEnded():
                return end_line(event.summary, self.doubt(event.summary))
            case _:
                pass
        return None

    def close(self) -> None:
        """Nothing more is written."""
        if self._file:
            with suppress(OSError):  # what could not be written was told
                self._file.close()

    def _scenario(self, event: ScenarioEnded) -> LoggedScenario:
        """A model plays hundreds in a second; of those only what is played for a person is told whole."""
        played, told = event.played, not self.head.modelled or event.purpose == "replay"
        rests_on = self.rests_on(played.scenario, played.violations[0]) if told and played.violations else ()
        return scenario_line(event, self._number, rests_on, told=told)

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
        if self._file is None:
            self._file = self._begin()
        self._file.write(_told(line) + "\n")
        self._file.flush()

    def _begin(self) -> TextIO:
        path = self.runs.path(self.head.id)
        self.runs.folder.mkdir(PRIVATE_FOLDER, exist_ok=True)
        path.parent.mkdir(PRIVATE_FOLDER)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE)
        file = os.fdopen(handle, "w", encoding="utf-8")
        file.write(_told(self.head) + "\n")
        self.runs.prune()
        return file


def _told(line: AnyLine) -> str:
    return json.dumps(without_secrets(line.model_dump(mode="json")), ensure_ascii=False, allow_nan=False)
