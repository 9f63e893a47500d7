"""What an invariant is, and what the invariants share: blame, and time that nothing excuses.

An invariant is one promise over a history. It is asked again and again while a scenario plays, so
it must be sound on a prefix: once VIOLATED, later records never take that back. Whatever it cannot
tell is UNKNOWN.

To add one: a file with a class that meets ``Invariant``, and one line in ``catalogue.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol

from models.errors import InvariantViolated
from models.history import History, Span
from models.link import is_link
from models.target import Target
from models.topology import Strength
from models.verdict import Verdict


class Invariant(Protocol):
    """One promise. ``error`` is raised to Hypothesis for its violations."""

    name: ClassVar[str]
    promise: ClassVar[str]
    error: ClassVar[type[InvariantViolated]]

    def judge(self, history: History, target: Target) -> Verdict:
        """Say whether the promise was kept, on what evidence."""
        ...


@dataclass(frozen=True, slots=True)
class Unexcused:
    """A part of an unhealthy span that no fault excuses.

    ``overdue`` tells that an excuse ended within the same span: the service should have been back.
    """

    span: Span
    since_s: float
    until_s: float
    overdue: bool

    @property
    def seconds(self) -> float:
        """How long it is known to have lasted."""
        return self.until_s - self.since_s


def unexcused(history: History, service: str) -> Iterator[Unexcused]:
    """The parts of a service's unhealthy spans that lie outside all its excuses."""
    spans = history.unhealthy_spans(service)
    excuses = history.expected.excuses(service) if spans else ()
    for span in spans:
        cursor, overdue = span.since_s, False
        for since_s, until_s in excuses:
            if until_s < cursor or since_s > span.until_s:
                continue
            if since_s > cursor:
                yield Unexcused(span, cursor, since_s, overdue)
            cursor, overdue = max(cursor, until_s), True
        if cursor < span.until_s:
            yield Unexcused(span, cursor, span.until_s, overdue)


def offset(history: History, at_s: float) -> str:
    """A moment as people read it: seconds since the scenario began."""
    return f"{at_s - history.began_s:+.2f} s"


def faults_before(history: History, at_s: float) -> tuple[str, ...]:
    """Services and links that a fault had harmed by then, in the order of the topology."""
    return history.expected.harmed_by(at_s)


def blame(history: History, service: str, at_s: float) -> tuple[str, ...]:
    """Evidence: what had been done by then, and by which path it reached ``service``, if by any."""
    lines = [
        f"{offset(history, played.began_s)}  {played.step}"
        for played in history.steps
        if played.began_s <= at_s and (played.step.targets or played.step.action == "heal")
    ]
    for culprit in faults_before(history, at_s):
        if culprit == service:
            continue
        path = history.expected.topology.path(service, culprit)
        if path:
            lines.append("path: " + ", ".join(map(str, path)))
        else:
            lines.append(f"missing edge: no declared dependency leads from {service} to {culprit}")
    return tuple(lines)


def ways_out(history: History, service: str, at_s: float) -> tuple[str, ...]:
    """Advice: fix it, or declare the dependency that was seen at work."""
    advice = []
    for culprit in faults_before(history, at_s):
        if culprit == service:
            continue
        advice.append(f"fix: let {service} go on without {culprit} (timeout, fallback, reconnect)")
        path = history.expected.topology.path(service, culprit)
        soft = next((edge for edge in path if edge.strength is Strength.SOFT), None)
        if soft:
            advice.append(
                f"or declare: if {soft.caller} may fail with {soft.dependency}, "
                f"take {soft.dependency} out of its x-knockon.soft"
            )
        elif not path and not is_link(culprit):
            advice.append(
                f"or declare: add {culprit} to depends_on or x-knockon.hard of {service}, "
                "if it really may fail with it"
            )
    return tuple(advice)
