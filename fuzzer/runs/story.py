"""A history made short: what a report draws, and nothing that it does not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import floor

from fuzzer.runs.lines import (
    LoggedBeat,
    LoggedFault,
    LoggedStep,
    LoggedStretch,
    LoggedTotal,
    State,
    Story,
)
from models.history import History
from models.load import Request
from models.observation import Change, ProcessChange
from models.statistics import quantile

BEATS_MOST = 120
"""Of one load; a longer one has longer beats."""

BEAT_S = 0.25
"""The shortest beat; longer ones are this doubled, as often as it takes."""

STRETCHES_MOST = 500
"""Of one service; what comes later is left out."""

DETAIL_MOST = 200
"""Characters of what a probe said."""


def story_of(history: History) -> Story:
    """What happened, in seconds from the first step."""
    began_s = history.began_s

    def since(at_s: float) -> float:
        return round(at_s - began_s, 3)

    return Story(
        ended_s=since(history.ended_s),
        healed_s=None if history.healed_s is None else since(history.healed_s),
        steady_s=None if history.steady_s is None else since(history.steady_s),
        steady=history.steady,
        steps=tuple(
            LoggedStep(
                step=str(played.step),
                began_s=since(played.began_s),
                ended_s=since(played.ended_s),
                state=played.state,
                reason=played.reason,
            )
            for played in history.steps
        ),
        faults=tuple(
            LoggedFault(
                on=harm.on,
                effect=harm.effect,
                since_s=since(harm.since_s),
                ended_s=None if harm.ended_s is None else since(harm.ended_s),
            )
            for harm in history.expected.harms
        ),
        radius=_radius(history),
        lanes={name: tuple(_lane(history, name))[:STRETCHES_MOST] for name in history.services},
        loads={
            name: tuple(_beats([r for r in history.requests if r.load == name], began_s))
            for name in dict.fromkeys(request.load for request in history.requests)
        },
        totals=tuple(
            LoggedTotal(
                load=one.load,
                endpoint=one.endpoint,
                sent=one.sent,
                failed=one.failed,
                p50_ms=round(one.latency.quantile(0.5), 2) if one.latency.count else None,
                p95_ms=round(one.latency.quantile(0.95), 2) if one.latency.count else None,
            )
            for one in history.summaries
        ),
        blind=tuple(
            (since(span.since_s), since(span.until_s), span.reason[:DETAIL_MOST])
            for span in history.blindness
        ),
        interference=tuple(what[:DETAIL_MOST] for what in history.interference),
    )


def _radius(history: History) -> tuple[str, ...]:
    topology = history.expected.topology
    reached = topology.blast_radius(harm.on for harm in history.expected.harms)
    return tuple(name for name in topology.services if name in reached)


def _lane(history: History, service: str) -> Iterator[LoggedStretch]:
    """How a service was, moment by moment; the worst that is known of a moment counts.

    Health is known from one probe to the next; before the first and after the last nothing is.
    """
    probes = history.health_of(service)
    changes = [change for change in history.processes if change.service == service]
    moments = {change.at_s for change in changes}
    for span in history.unhealthy_spans(service):
        moments |= {span.since_s, span.until_s if span.recovered_s is None else span.recovered_s}
    first_s = min([*(probe.at_s for probe in probes[:1]), *moments], default=history.ended_s)
    last_s = max([*(probe.ended_s for probe in probes[-1:]), *moments, first_s])
    edges = sorted({first_s, *moments, max(last_s, history.ended_s) if probes or changes else last_s})
    stretches: list[LoggedStretch] = []
    for since_s, until_s in pairwise(edges):
        state, detail = _state(history, service, changes, since_s)
        begin, end = round(since_s - history.began_s, 3), round(until_s - history.began_s, 3)
        if stretches and (stretches[-1].state, stretches[-1].detail) == (state, detail):
            stretches[-1] = stretches[-1].model_copy(update={"until_s": end})
        else:
            stretches.append(LoggedStretch(state=state, since_s=begin, until_s=end, detail=detail))
    yield from stretches


def _state(
    history: History, service: str, changes: Sequence[ProcessChange], at_s: float
) -> tuple[State, str]:
    """The state that begins at a moment, and what is known of it."""
    down: dict[str, ProcessChange] = {}
    frozen: set[str] = set()
    for change in changes:
        if change.at_s > at_s:
            break
        match change.change:
            case Change.EXITED:
                down[change.instance] = change
                frozen.discard(change.instance)
            case Change.STARTED:
                # A process that comes back may have another name, so that it stands for one that left.
                down.pop(change.instance if change.instance in down else next(iter(down), ""), None)
            case Change.PAUSED:
                frozen.add(change.instance)
            case Change.RESUMED:
                frozen.discard(change.instance)
    if down:
        exit_ = list(down.values())[-1]
        code = "" if exit_.exit_code is None else f"exited with code {exit_.exit_code}"
        return ("restarting" if exit_.returns else "down"), code
    if frozen:
        return "frozen", ""
    for span in history.unhealthy_spans(service):
        end_s = span.until_s if span.recovered_s is None else span.recovered_s
        if span.since_s <= at_s < end_s or (span.recovered_s is None and at_s >= span.since_s):
            return "degraded", span.detail[:DETAIL_MOST]
    return "up", ""


def _beats(requests: Sequence[Request], began_s: float) -> Iterator[LoggedBeat]:
    """Requests by the time they were due."""
    first_s = floor(min(request.intended_s for request in requests) - began_s)
    last_s = max(request.intended_s for request in requests) - began_s
    seconds = BEAT_S
    while (last_s - first_s) / seconds >= BEATS_MOST:
        seconds *= 2
    beats: dict[int, list[Request]] = {}
    for request in requests:
        beats.setdefault(int((request.intended_s - began_s - first_s) // seconds), []).append(request)
    for number in sorted(beats):
        good = [request.latency_ms for request in beats[number] if request.good]
        yield LoggedBeat(
            since_s=first_s + number * seconds,
            seconds=seconds,
            sent=len(beats[number]),
            good=len(good),
            p50_ms=_ms(good, 0.5),
            p95_ms=_ms(good, 0.95),
        )


def _ms(values: Iterable[float], share: float) -> float | None:
    found = list(values)
    return round(quantile(found, share), 2) if found else None
