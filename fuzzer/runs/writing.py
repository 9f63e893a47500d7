"""Events as lines of a run's log."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from fuzzer.events import Finding, Played, ScenarioEnded, Summary
from fuzzer.runs.lines import (
    LoggedCell,
    LoggedEdge,
    LoggedEnd,
    LoggedFinding,
    LoggedRun,
    LoggedScenario,
    LoggedService,
    LoggedVerdict,
    LoggedViolation,
)
from fuzzer.runs.story import story_of
from fuzzer.version import version
from models.coverage import Cells, Coverage, Dimension
from models.target import Target
from models.verdict import Outcome, Violation


def now() -> str:
    """The wall clock: UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def run_line(id_: str, target: Target, runtime: str, *, modelled: bool, options: str) -> LoggedRun:
    """What is played on, and by what."""
    touched = set(target.faultable)
    return LoggedRun(
        id=id_,
        at=now(),
        knockon=version(),
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        options=options,
        runtime=runtime,
        modelled=modelled,
        target=target.name,
        digest=target.digest,
        files=tuple(map(str, target.files)),
        notes=target.notes,
        services=tuple(
            LoggedService(
                name=name,
                restart=str(service.restart),
                health=str(service.health),
                criticality=service.criticality,
                touched=name in touched,
            )
            for name, service in ((name, target.services[name]) for name in target.topology.services)
        ),
        edges=tuple(
            LoggedEdge(
                caller=edge.caller,
                dependency=edge.dependency,
                strength=edge.strength,
                inferred=edge.inferred,
            )
            for edge in target.topology.dependencies
        ),
        limits={name: float(value) for name, value in target.limits.model_dump().items()},
    )


def scenario_line(
    event: ScenarioEnded, number: int, rests_on: tuple[str, ...] = (), *, told: bool = True
) -> LoggedScenario:
    """One scenario was judged. It has no story unless it is ``told``, and no verdicts if it held as well."""
    played = event.played
    return LoggedScenario(
        at=now(),
        number=number,
        purpose=event.purpose,
        scenario=str(played.scenario),
        outcome=played.outcome,
        reason=played.reason,
        complete=played.complete,
        seconds=round(played.seconds, 3),
        verdicts=tuple(
            LoggedVerdict(
                invariant=one.invariant, outcome=one.outcome, exercised=one.exercised, reason=one.reason
            )
            for one in (played.verdicts if told or played.outcome is not Outcome.HOLDS else ())
        ),
        violations=tuple(_violations(played.violations, played)),
        rests_on=rests_on,
        story=story_of(played.history) if told and played.history else None,
    )


def finding_line(finding: Finding, shown: Played | None) -> LoggedFinding:
    """A finding is as small as it gets; ``shown`` is the play that tells its story best."""
    first, *rest = _violations((finding.violation, *finding.also), None)
    if shown:
        seen = (one for one in shown.violations if one.signature == finding.violation.signature)
        first = next(iter(_violations(tuple(seen)[:1], shown)), first)
    return LoggedFinding(
        at=now(),
        original=tuple(map(str, finding.original)),
        minimal=tuple(map(str, finding.minimal)),
        violation=first,
        also=tuple(rest),
        reproduced=finding.reproduced,
        replays=finding.replays,
        necessary=finding.necessary,
        shrinking=finding.shrinking,
        executions=finding.executions,
        seconds=round(finding.seconds, 3),
        saved=str(finding.saved) if finding.saved else None,
        rests_on=finding.rests_on,
        story=story_of(shown.history) if shown and shown.history else None,
    )


def end_line(summary: Summary, reason: str = "") -> LoggedEnd:
    """The search is over; ``reason`` tells why it proves nothing, "" if it does."""
    return LoggedEnd(
        at=now(),
        scenarios=summary.scenarios,
        executions=summary.executions,
        seconds=round(summary.seconds, 3),
        ended=summary.ended,
        gave_up=summary.gave_up,
        seed=summary.seed,
        requests_sent=summary.requests[0],
        requests_good=summary.requests[1],
        held=dict(summary.held),
        inconclusive=summary.inconclusive,
        reason=reason,
        coverage=_coverage(summary.coverage),
    )


def _violations(violations: Sequence[Violation], played: Played | None) -> Iterator[LoggedViolation]:
    began_s = played.history.began_s if played and played.history else None
    for one in violations:
        yield LoggedViolation(
            invariant=one.invariant,
            service=one.service,
            at_s=None if began_s is None else round(one.at_s - began_s, 3),
            summary=one.summary,
            evidence=one.evidence,
            advice=one.advice,
        )


def _coverage(coverage: Coverage) -> dict[Dimension, tuple[LoggedCell, ...]]:
    return {name: tuple(_cells(cells)) for name, cells in coverage.dimensions.items() if cells.every}


def _cells(cells: Cells) -> Iterator[LoggedCell]:
    for cell in cells.every:
        row, column = cell
        yield LoggedCell(row=row, column=column, mark=cells.mark(cell), count=cells.exercised.get(cell, 0))
