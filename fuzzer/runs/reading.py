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
    LoggedViolation,
)
from models.errors import RequestError
from models.verdict import Outcome

SIZE_MOST = 1 << 30
"""Bytes; a larger file was not written by knockon."""

UNKNOWN = Outcome.UNKNOWN
SEARCH, PIN = "search", "pin"
TOLD = ("replay", "guard")
"""Purposes of scenarios whose own verdicts count; a search tries again, and judges as a whole."""


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
    def broken(self) -> tuple[LoggedViolation, ...]:
        """The gravest violation of each finding; without a finding, of each scenario that is to hold."""
        if self.findings:
            return tuple(finding.violation for finding in self.findings)
        return tuple(one.violations[0] for one in self.scenarios if one.violations and one.purpose != PIN)

    @property
    def reason(self) -> str:
        """Why nothing can be said, although nothing broke; "" if something can."""
        if self.broken:
            return ""
        silent = [one.reason for one in self.scenarios if one.purpose in TOLD and one.outcome is UNKNOWN]
        if self.end or silent:
            return self.end.reason if self.end and self.end.reason else next(iter(silent), "")
        if any(one.purpose == SEARCH for one in self.scenarios):
            return "the search did not come to its end"
        if any(one.outcome is Outcome.HOLDS for one in self.scenarios):
            return ""
        return "only known failures were played" if self.scenarios else "nothing was played"

    @property
    def outcome(self) -> Outcome:
        """What the run says of its target; a pin that fails as it is known to says nothing."""
        if self.broken:
            return Outcome.VIOLATED
        return UNKNOWN if self.reason else Outcome.HOLDS


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
    first, *rest = text[: text.rfind("\n") + 1].split("\n")[:-1] or [""]  # a string may hold U+2028
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
