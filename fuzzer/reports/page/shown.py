"""What is told whole of a run: each finding, and each scenario that somebody asked to see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fuzzer.actions.catalogue import ACTIONS
from fuzzer.exchange.deeds import by_compose, deeds
from fuzzer.exchange.shell import shell_lines
from fuzzer.reports.page.chart import Chart, chart
from fuzzer.reports.page.graph import Drawing, draw, harmed_services
from fuzzer.reports.text import counted, necessity, pin_command, replay_command, reproduction, seconds
from fuzzer.runs.lines import LoggedFinding, LoggedScenario, LoggedVerdict, LoggedViolation, Story
from fuzzer.runs.reading import Run
from invariants.catalogue import INVARIANTS
from models.errors import ScenarioError
from models.expected import Effect
from models.scenario import Scenario
from models.verdict import Outcome

REPLAYS_MOST = 20
"""Scenarios that are told whole; the log has all."""

PROMISES = {invariant.name: invariant.promise for invariant in INVARIANTS}

DONE = {
    Effect.DOWN: "its process was ended, and nothing was to bring it back",
    Effect.HUNG: "it was frozen",
    Effect.RETURNING: "its process was ended; it is to come back by itself",
    Effect.SLOW: "it was slowed down",
    Effect.SILENT: "what was sent was lost",
    Effect.CUT: "connections were refused or broken off",
    Effect.STARVED: "it was left without memory, disk or the like",
    Effect.RESIZED: "it was given another number of replicas",
    Effect.RESIZING: "replicas of it came or went",
}
"""What a fault does, for those who do not know their names."""


@dataclass(frozen=True)
class Shown:
    """A scenario that is told whole: what broke, if anything, why, when, and how to see it again.

    Attributes:
        short: the whole thing in a few titled lines.
        violations: the gravest first; the others showed in the same scenario.
        commands: what can be done next, and what to type for it.
        without_us: the same for the shell of somebody who has no knockon; none where that can do nothing.
    """

    title: str
    outcome: Outcome
    short: tuple[tuple[str, tuple[str, ...]], ...]
    violations: tuple[LoggedViolation, ...]
    steps: tuple[str, ...]
    remarks: tuple[str, ...]
    commands: tuple[tuple[str, str], ...]
    drawing: Drawing
    chart: Chart | None
    story: Story | None
    rests_on: tuple[str, ...] = ()
    is_finding: bool = False
    without_us: tuple[str, ...] = ()


def findings(run: Run) -> Iterator[Shown]:
    """What a search found, made as small as it gets."""
    options = run.head.options
    for number, finding in enumerate(run.findings, start=1):
        commands = [
            ("replay it", replay_command("; ".join(finding.minimal), finding.violation, options)),
            *([("pin it", pin_command(finding.saved, options))] if finding.saved else []),
        ]
        drawing = draw(run.head, finding)
        yield Shown(
            title=f"Finding {number}: {finding.violation.service} broke {finding.violation.invariant}",
            outcome=Outcome.VIOLATED,
            short=tuple(_short(finding, drawing)),
            violations=(finding.violation, *finding.also),
            steps=finding.minimal,
            remarks=(
                f"{counted(len(finding.minimal), 'step')}, {reproduction(finding)}; found as "
                f"{counted(len(finding.original), 'step')}.",
                f"{necessity(finding).capitalize()}.",
            ),
            commands=tuple(commands),
            drawing=drawing,
            chart=chart(finding.story, finding.violation.at_s) if finding.story else None,
            story=finding.story,
            rests_on=finding.rests_on,
            is_finding=True,
            without_us=_without_us(run, finding.minimal),
        )


def replays(run: Run) -> Iterator[Shown]:
    """Scenarios that a person had played, and guards that broke."""
    asked = [
        one for one in run.scenarios if one.purpose == "replay" or (one.purpose == "guard" and one.violations)
    ]
    for one in asked[-REPLAYS_MOST:]:
        first = one.violations[0] if one.violations else None
        steps = tuple(one.scenario.split("; "))
        as_finding = _as_finding(one, steps)
        drawing = draw(run.head, as_finding)
        yield Shown(
            title=f"Scenario {one.number}: {one.outcome}",
            outcome=one.outcome,
            short=(*_short(as_finding, drawing), *_kept(one)),
            violations=one.violations,
            steps=steps,
            remarks=(
                *([f"Played in {seconds(one.seconds)}."] if one.story else []),
                *([f"Nothing can be said: {one.reason}."] if one.reason else []),
                *_outside(one),
            ),
            commands=(("replay it", replay_command(one.scenario, first, run.head.options)),),
            drawing=drawing,
            chart=chart(one.story, first.at_s if first else None) if one.story else None,
            story=one.story,
            rests_on=one.rests_on,
            without_us=_without_us(run, steps),
        )


def _without_us(run: Run, steps: Sequence[str]) -> tuple[str, ...]:
    """The scenario as commands of the Docker client, if it can be done by them."""
    if run.head.runtime == "local":
        return ()  # there are no containers
    try:
        scenario = Scenario.parse("; ".join(steps))
    except ScenarioError:
        return ()
    if any(step.action not in ACTIONS for step in scenario):
        return ()  # the log is of another version
    every = tuple(deeds(scenario, by_compose(run.head.target)))
    return tuple(shell_lines(every)) if any(deed.words for deed in every) else ()


def _short(finding: LoggedFinding, drawing: Drawing) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Who was harmed, who broke what because of it, and what to do."""
    faults = finding.story.faults if finding.story else ()
    harmed = tuple(dict.fromkeys(f"{fault.on}: {DONE[fault.effect]}" for fault in faults))
    if harmed:
        yield "Harmed on purpose", harmed
    first = finding.violation
    if not first.invariant:
        return
    yield "What broke", (first.summary,)
    promise = PROMISES.get(first.invariant, "")
    if promise:
        yield "The promise", (f"{first.invariant}: {promise}",)
    along = tuple(arrow.words for arrow in drawing.offending) or _missing(finding)
    if along:
        yield "Harm spread along", along
    if first.advice:
        yield "What to do", first.advice


def _missing(finding: LoggedFinding) -> tuple[str, ...]:
    """That no edge explains it, where harm reached somebody who declared none."""
    harmed, broken = harmed_services(finding), finding.violation.service
    if not harmed or not broken or broken in harmed:
        return ()
    return (f"no dependency that is declared: none leads from {broken} to {', '.join(harmed)}",)


def _kept(one: LoggedScenario) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What held, and what was not put to the test."""
    kept = [verdict.invariant for verdict in one.verdicts if verdict.outcome is Outcome.HOLDS]
    if kept and one.complete:
        yield "Kept", (", ".join(kept),)
    untested = tuple(_by_reason(verdict for verdict in one.verdicts if not verdict.exercised))
    if untested and one.complete:
        yield "Not put to the test", untested


def _outside(one: LoggedScenario) -> Iterator[str]:
    """That requests came from a tool which no step names, so that a replay goes without."""
    story, words = one.story or Story(ended_s=0.0), one.scenario.replace(";", " ").split()
    tools = dict.fromkeys([*story.loads, *(total.load for total in story.totals)])
    unnamed = [tool for tool in tools if tool not in words]
    if unnamed:
        yield f"{', '.join(unnamed)} sent requests beside it; a replay goes without."


def _by_reason(verdicts: Iterator[LoggedVerdict]) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for verdict in verdicts:
        reasons.setdefault(verdict.reason, []).append(verdict.invariant)
    return (f"{', '.join(names)} ({reason})" for reason, names in reasons.items())


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
