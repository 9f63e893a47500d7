"""A run as one JSON document, for programs. Its schema is ``docs/schema/report.schema.json``."""

from __future__ import annotations

from typing import Literal

from fuzzer.reports.scorecard import Scorecard, scorecard
from fuzzer.runs.lines import Line, LoggedEnd, LoggedFinding, LoggedRun, LoggedScenario
from fuzzer.runs.reading import Run
from models.verdict import Outcome

VERSION: Literal[1] = 1


class Document(Line):
    """Everything that a run's log holds, and what it says of the target.

    Attributes:
        verdict: of the run as a whole, as its exit code has it.
        reason: why nothing can be said, where the verdict is unknown.
        run: where it took place.
        findings: violations that were made as small as they get.
        scenarios: all that were played, in this order.
        summary: what a search tried; null where nothing was searched, or where it did not come to its end.
        scorecard: what the run showed, aspect by aspect.
        damaged_lines: numbers of lines of the log that could not be read, and are left out.
    """

    version: Literal[1] = VERSION
    verdict: Outcome
    reason: str
    run: LoggedRun
    findings: tuple[LoggedFinding, ...]
    scenarios: tuple[LoggedScenario, ...]
    summary: LoggedEnd | None
    scorecard: Scorecard
    damaged_lines: tuple[int, ...] = ()


def document(run: Run) -> Document:
    """The document of a run."""
    return Document(
        verdict=run.outcome,
        reason=run.reason,
        run=run.head,
        findings=run.findings,
        scenarios=run.scenarios,
        summary=run.end,
        scorecard=scorecard(run),
        damaged_lines=run.damaged,
    )
