"""What was played on real fleets: one line of JSON a scenario, the latest two thousand."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from fuzzer.calibration.knowledge import Plain
from fuzzer.events import Played
from fuzzer.files import append, read_limited, write_atomically
from models.errors import RequestError, ScenarioError
from models.scenario import Scenario
from models.target import Target
from models.verdict import Outcome

LINES_MOST = 2000
SLACK = 200
"""So many lines more may stand there before the oldest are removed."""

SIZE_MOST = 64 * 2**20
"""Bytes; a larger file was not written by knockon."""


class PlayedLine(Plain):
    """One line. ``signatures`` are those of all violations, the gravest first."""

    fleet: str
    scenario: str
    outcome: Outcome
    signatures: tuple[str, ...] = ()
    runtime: str
    seconds: float

    @classmethod
    def of(cls, played: Played, fleet: str, runtime: str) -> PlayedLine:
        """What became of a scenario."""
        return cls(
            fleet=fleet,
            scenario=str(played.scenario),
            outcome=played.outcome,
            signatures=tuple(violation.signature for violation in played.violations),
            runtime=runtime,
            seconds=round(played.seconds, 2),
        )

    @property
    def steps(self) -> Scenario:
        """What was played."""
        return Scenario.parse(self.scenario)


def record_path(state: Path, target: Target) -> Path:
    """Where a target's scenarios are recorded."""
    return state / f"played-{target.name}.ndjson"


class Record:
    """One file, to which lines are added."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: int | None = None

    def add(self, line: PlayedLine) -> None:
        """Add a line; now and then the oldest are removed.

        Raises:
            OSError: it cannot be written.
        """
        append(self._path, line.model_dump_json())
        if self._lines is None:
            with self._path.open(encoding="utf-8", errors="replace") as file:
                self._lines = sum(1 for _ in file)
        else:
            self._lines += 1
        if self._lines > LINES_MOST + SLACK:
            with self._path.open(encoding="utf-8", errors="replace") as file:
                latest = deque(file, maxlen=LINES_MOST)
            write_atomically(self._path, "".join(latest))
            self._lines = len(latest)


def read_record(path: Path) -> list[PlayedLine]:
    """Every line, the oldest first; a last line that was cut short by a death is left out.

    Raises:
        RequestError: it is missing, or a line is damaged; the message says which.
    """
    try:
        text = read_limited(path, SIZE_MOST)
    except OSError as error:
        raise RequestError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise RequestError(f"{path}: is damaged: it is no text; remove it") from None
    return list(_lines(path, text))


def _lines(path: Path, text: str) -> Iterator[PlayedLine]:
    whole = text[: text.rfind("\n") + 1]
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            read = PlayedLine.model_validate(json.loads(line))
            Scenario.parse(read.scenario)
        except (ValueError, ValidationError, RecursionError, ScenarioError):
            raise RequestError(
                f"{path}: line {number} is damaged; expected what `knockon` writes there; remove that line"
            ) from None
        yield read
