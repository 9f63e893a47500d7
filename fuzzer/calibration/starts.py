"""What a history teaches about starting, stopping and answering: how long each takes, and what it needs."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from fuzzer.calibration.absences import Absences
from fuzzer.calibration.facts import Fact, Measured, StartedUnclean, StartedWithout, Took
from models.behaviour import Away
from models.expected import Effect
from models.history import History, StepState
from models.observation import Change, ProcessChange
from models.target import ProbeKind, Target

AT_ONCE_S = 2.0
"""Who exits this soon after its start could not start."""

LIVED_S = 1.0
"""Who lives this long while somebody is away can start without him."""

FAILED = 1
"""What an exit is taken for whose code nobody told."""

ORDERLY = (0, 143, -15)
"""Exit codes of a process that was asked to end, and did."""


def learn_starts(history: History, target: Target, away: Absences) -> Iterator[Fact]:
    """Facts about every service on its own."""
    yield from _health(history, target)
    yield from _stops(history)
    for one in history.recoveries():
        if not _was_kept_down(history, one.service, one.died_s):
            yield Took(one.service, Measured.RECOVERY, one.recovery_s)
    for service in history.services:
        for ended, began in _lives(history, service):
            yield from _start(history, target, away, ended, began)


def _was_kept_down(history: History, service: str, at_s: float) -> bool:
    """Whether an exit was meant to last: then the way back tells when it was healed."""
    return any(
        harm.on == service
        and harm.effect is Effect.DOWN
        and harm.since_s <= at_s <= (inf if harm.ended_s is None else harm.ended_s)
        for harm in history.expected.harms
    )


def _health(history: History, target: Target) -> Iterator[Fact]:
    for service, latency_ms in history.baseline_ms.items():
        if target.services[service].health.kind is ProbeKind.HTTP and latency_ms > 0:
            yield Took(service, Measured.HEALTH, latency_ms)


def _stops(history: History) -> Iterator[Fact]:
    for played in history.steps:
        if played.step.action in ("stop", "restart") and played.state is StepState.DONE:
            for service in played.step.targets:
                exits = (e.at_s for e in history.exits_of(service) if e.at_s >= played.began_s)
                exited_s = next(exits, inf)
                if exited_s <= played.ended_s:
                    yield Took(service, Measured.STOP, exited_s - played.began_s)


def _lives(history: History, service: str) -> Iterator[tuple[ProcessChange, ProcessChange]]:
    """Each start, with the exit before it."""
    ended: ProcessChange | None = None
    for change in history.processes:
        if change.service != service:
            continue
        if change.change is Change.EXITED:
            ended = change
        elif change.change is Change.STARTED and ended:
            yield ended, change
            ended = None


def _start(
    history: History, target: Target, away: Absences, ended: ProcessChange, began: ProcessChange
) -> Iterator[Fact]:
    service, at_s = began.service, began.at_s
    needs = history.expected.topology.needs(service) - {service}
    lacking = [e.dependency for e in history.expected.topology.dependencies if e.caller == service]
    lacking = [name for name in lacking if away.at(name, at_s)]
    unclean = ended.exit_code not in ORDERLY
    harmed_s = min(
        (h.since_s for h in history.expected.harms if h.on == service and h.since_s > at_s), default=inf
    )
    exited = next((e for e in history.exits_of(service) if at_s < e.at_s <= at_s + AT_ONCE_S), None)
    if exited and exited.at_s >= harmed_s:
        return  # it may have had help
    if lacking:
        yield from _without(history, away, began, lacking, exited, harmed_s)
        return
    if exited and _fell_meanwhile(history, away, service, at_s, exited.at_s):
        return  # because of that one, perhaps
    if unclean and (exited or history.ended_s > at_s + AT_ONCE_S):
        code = exited.exit_code if exited else None
        yield StartedUnclean(service, FAILED if exited and code is None else code)
    first = next((h for h in history.health_of(service) if h.healthy and h.at_s >= at_s), None)
    if exited or not first or target.services[service].health.kind is not ProbeKind.HTTP:
        return
    if first.ended_s < harmed_s and all(away.is_well(name, at_s, first.ended_s) for name in needs):
        what = Measured.UNCLEAN_START if unclean else Measured.START
        yield Took(service, what, first.ended_s - at_s)


def _fell_meanwhile(history: History, away: Absences, service: str, since_s: float, until_s: float) -> bool:
    """Whether somebody else went away; who only errs may do that because of this very service."""
    needs = history.expected.topology.needs(service)
    return any(
        one.since_s <= until_s and one.until_s > since_s and (name in needs or one.how is not Away.SICK)
        for name in history.services
        if name != service
        for one in away.of[name]
    )


def _without(
    history: History,
    away: Absences,
    began: ProcessChange,
    lacking: list[str],
    exited: ProcessChange | None,
    harmed_s: float,
) -> Iterator[Fact]:
    if exited:
        needed = [e.dependency for e in history.expected.topology.dependencies if e.caller == began.service]
        fallen = [name for name in needed if not away.is_well(name, began.at_s, exited.at_s)]
        if len(fallen) == 1:  # of several nobody knows which one mattered
            yield StartedWithout(began.service, fallen[0], exited=True)
            return
    until_s = began.at_s + LIVED_S
    if min(history.ended_s, harmed_s, exited.at_s if exited else inf) < until_s:
        return
    for name in lacking:
        absence = away.at(name, began.at_s)
        if absence and absence.how is not Away.SICK and absence.until_s >= until_s:
            yield StartedWithout(began.service, name, exited=False)
