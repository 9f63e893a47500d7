"""What a run showed of a fleet's resilience, aspect by aspect: pass, fail, or not exercised; and its figures.

An aspect passes when a scenario put one of its promises to the test and none broke it. What no scenario put
to the test is *not exercised*: nothing is known of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from fuzzer.runs.lines import Line, LoggedScenario, LoggedViolation, Story
from fuzzer.runs.reading import PIN, SEARCH, TOLD, Run
from models.expected import Effect
from models.target import Criticality, HealthProbe
from models.verdict import Outcome

HEALTH = "health monitoring"

ASPECTS: Mapping[str, tuple[str, ...]] = {
    "service isolation": ("isolation",),
    "cascade prevention": ("containment",),
    "auto recovery": ("recovery", "steady_state", "restart_storm"),
    "circuit breaking": ("fail_fast", "amplification", "metastability"),
    "graceful degradation": ("graceful_degradation",),
    "service to clients": ("availability", "error_rate", "latency"),
    "durability": ("durability",),
}
"""Each with the promises that show it."""

NAMED = 3
"""So many scenarios, or pieces of advice, are told of one aspect."""


class Grade(StrEnum):
    """What is known of an aspect."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    NOT_EXERCISED = "not exercised"


class Row(Line):
    """One aspect.

    Attributes:
        shown_by: scenarios that broke it; where it passed, how many put it to the test.
        criticality: the highest of the services that broke it, "" if none did.
        advice: what to do about it.
    """

    aspect: str
    grade: Grade
    shown_by: tuple[str, ...] = ()
    criticality: str = ""
    advice: tuple[str, ...] = ()


class Figure(Line):
    """Something that was measured while faults were in force or healed, beside its limit."""

    name: str
    value: float
    unit: str
    limit: float | None = None


class Scorecard(Line):
    """All of it."""

    rows: tuple[Row, ...]
    figures: tuple[Figure, ...]


def scorecard(run: Run) -> Scorecard:
    """What the run showed. A pin that fails as it is known to counts as a failure: it is one."""
    rows = (*(_row(run, aspect, promises) for aspect, promises in ASPECTS.items()), _health(run))
    return Scorecard(rows=rows, figures=tuple(_figures(run)))


def _row(run: Run, aspect: str, promises: tuple[str, ...]) -> Row:
    broken = list(_broken(run, promises))
    if broken:
        services = {service.name: service.criticality for service in run.head.services}
        found = {services.get(violation.service, "") for _, violation in broken}
        order = [*Criticality, ""]
        return Row(
            aspect=aspect,
            grade=Grade.FAIL,
            shown_by=_first(scenario for scenario, _ in broken),
            criticality=min(found, key=order.index),
            advice=_first(line for _, violation in broken for line in violation.advice),
        )
    count = _tested(run, promises)
    told = (f"{count} scenario{'' if count == 1 else 's'}",) if count else ()
    return Row(aspect=aspect, grade=Grade.PASS if count else Grade.NOT_EXERCISED, shown_by=told)


def _first(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lines))[:NAMED]


def _broken(run: Run, promises: tuple[str, ...]) -> Iterator[tuple[str, LoggedViolation]]:
    """The smallest scenarios first."""
    for finding in run.findings:
        for violation in (finding.violation, *finding.also):
            if violation.invariant in promises:
                yield "; ".join(finding.minimal), violation
    for scenario in _counted(run):
        for violation in scenario.violations:
            if violation.invariant in promises:
                yield scenario.scenario, violation


def _counted(run: Run) -> list[LoggedScenario]:
    """Not those that were only played to make another one small."""
    return [one for one in run.scenarios if one.purpose in (SEARCH, PIN, *TOLD)]


def _tested(run: Run, promises: tuple[str, ...]) -> int:
    """How many scenarios put one of these to the test and kept it."""
    told = sum(
        any(one.invariant in promises and one.outcome is Outcome.HOLDS for one in scenario.verdicts)
        for scenario in _counted(run)
    )
    # A simulation logs no verdicts of scenarios that hold.
    return max(told, *(run.end.held.get(name, 0) for name in promises)) if run.end else told


def _health(run: Run) -> Row:
    """Read from the target: whoever only runs cannot be seen to hang."""
    blind = [service.name for service in run.head.services if service.health == str(HealthProbe())]
    if not blind:
        told = (f"all {len(run.head.services)} services tell their health",)
        return Row(aspect=HEALTH, grade=Grade.PASS, shown_by=told)
    advice = tuple(f"fix: give {name} a healthcheck, or x-knockon.health" for name in blind[:NAMED])
    return Row(aspect=HEALTH, grade=Grade.FAIL, shown_by=(f"no health of {', '.join(blind)}",), advice=advice)


def _figures(run: Run) -> Iterator[Figure]:
    stories = [one.story for one in _counted(run) if one.story]
    stories = stories or [finding.story for finding in run.findings if finding.story]
    limits = run.head.limits
    took_s = [seconds for story in stories for seconds in _recoveries(story)]
    if took_s:
        slowest = max(took_s)
        yield Figure(name="slowest recovery", value=slowest, unit="s", limit=limits.get("recovery_s_max"))
    beats = [beat for story in stories for load in story.loads.values() for beat in load]
    beats = [beat for beat in beats if beat.since_s >= 0]
    sent, good = sum(beat.sent for beat in beats), sum(beat.good for beat in beats)
    if sent:
        yield Figure(name="requests answered well from the first fault on", value=100 * good / sent, unit="%")


def _recoveries(story: Story) -> Iterator[float]:
    """How long each service was away that came back, from when nothing held it down any more."""
    ends = [
        fault.ended_s
        for fault in story.faults
        if fault.ended_s is not None and fault.effect is not Effect.RETURNING
    ]
    for lane in story.lanes.values():
        away_s: float | None = None
        for stretch in lane:
            if stretch.state != "up":
                away_s = stretch.since_s if away_s is None else away_s
            elif away_s is not None:
                freed_s = max([away_s, *(end for end in ends if away_s <= end <= stretch.since_s)])
                yield stretch.since_s - freed_s
                away_s = None
