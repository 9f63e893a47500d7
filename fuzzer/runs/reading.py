"""A run's log as values. A last line that a death cut short is left out; anything else is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from fuzzer.runs.lines import (
    LINE,
    AnyLine,
    LoggedEnd,
    LoggedFinding,
    LoggedRun,
    LoggedScenario,
)
from models.errors import RequestError
from models.verdict import Outcome

SIZE_MOST = 1 << 30
"""Bytes; a larger file was not written by knockon."""


@dataclass(frozen=True)
class Run:
    """Everything that is known about a run.

    Attributes:
        head: where it took place.
        end: None for a run that searched nothing, or did not come to its end.
        damaged: numbers of lines that could not be read.
    """

    head: LoggedRun
    scenarios: tuple[LoggedScenario, ...]
    findings: tuple[LoggedFinding, ...]
    end: LoggedEnd | None
    damaged: tuple[int, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """VIOLATED if anything was, else HOLDS if anything held, else UNKNOWN."""
        seen = {scenario.outcome for scenario in self.scenarios}
        if self.findings or Outcome.VIOLATED in seen:
            return Outcome.VIOLATED
        return Outcome.HOLDS if Outcome.HOLDS in seen else Outcome.UNKNOWN


def read_run(path: Path) -> Run:
    """Read a log.

    Raises:
        RequestError: it is missing, no log, or of a newer version; the message says which.
    """
    try:
        if path.stat().st_size > SIZE_MOST:
            raise RequestError(f"{path}: is larger than {SIZE_MOST // 2**30} GiB, so it is no log of a run")
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise RequestError(f"{path}: cannot be read: {error.strerror}") from None
    first, *rest = text[: text.rfind("\n") + 1].splitlines() or [""]
    head = _head(path, first)
    scenarios, findings = list[LoggedScenario](), list[LoggedFinding]()
    end: LoggedEnd | None = None
    damaged = []
    for number, line in enumerate(rest, start=2):
        match _line(line):
            case LoggedScenario() as scenario:
                scenarios.append(scenario)
            case LoggedFinding() as finding:
                findings.append(finding)
            case LoggedEnd() as end:
                pass
            case _:
                damaged.append(number)
    return Run(head, tuple(scenarios), tuple(findings), end, tuple(damaged))


def _head(path: Path, line: str) -> LoggedRun:
    try:
        return LoggedRun.model_validate_json(line)
    except ValidationError as error:
        if any(mistake["loc"] == ("version",) for mistake in error.errors()):
            raise RequestError(f"{path}: was written by a newer knockon; upgrade this one") from None
        raise RequestError(
            f"{path}: is no log of a run: its first line does not say what was played on; "
            "expected a file that knockon wrote"
        ) from None


def _line(text: str) -> AnyLine | None:
    try:
        return LINE.validate_json(text)
    except ValidationError:
        return None
