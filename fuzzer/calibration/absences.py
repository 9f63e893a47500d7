"""When each service was away in a history, and how: as another service would have seen it.

Whoever exited is *gone* until its next process answers anything; whoever is frozen, or does not answer
in time, is *hung*; whoever answers that it is not well is *sick*.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf

from models.behaviour import Away
from models.history import History
from models.observation import Change, Health, ProcessChange

NOBODY = ("refused", "reset", "closed ")
"""How the details of probes begin that nobody answered."""


@dataclass(frozen=True, slots=True)
class Absence:
    """``service`` was away from ``since_s`` until ``until_s`` (inf: to the end), without a break."""

    service: str
    how: Away
    since_s: float
    until_s: float = inf

    def covers(self, at_s: float) -> bool:
        """Whether it was away then."""
        return self.since_s <= at_s < self.until_s


@dataclass(frozen=True)
class Absences:
    """Those of every service, each service's in the order of time."""

    of: Mapping[str, tuple[Absence, ...]]

    def at(self, service: str, at_s: float) -> Absence | None:
        """How a service was away at a moment."""
        return next((one for one in self.of[service] if one.covers(at_s)), None)

    def is_well(self, service: str, since_s: float, until_s: float) -> bool:
        """Whether a service was never away in a span."""
        return not any(one.since_s <= until_s and one.until_s > since_s for one in self.of[service])

    def well_again_s(self, service: str, at_s: float) -> float:
        """When a service was no longer away in any way; ``at_s`` if it was not away then."""
        for one in self.of[service]:
            if one.covers(at_s):
                at_s = one.until_s
        return at_s


def absences(history: History) -> Absences:
    """Read them from processes and health answers."""
    changes: dict[str, list[ProcessChange]] = {name: [] for name in history.services}
    for change in history.processes:
        changes[change.service].append(change)
    return Absences(
        {name: tuple(_of(name, changes[name], history.health_of(name))) for name in history.services}
    )


def _of(service: str, changes: list[ProcessChange], probes: tuple[Health, ...]) -> Iterator[Absence]:
    how: Away | None = None
    since_s = 0.0
    for at_s, seen in _states(changes, probes):
        if seen is how:
            continue
        if how is not None:
            yield Absence(service, how, since_s, at_s)
        how, since_s = seen, at_s
    if how is not None:
        yield Absence(service, how, since_s)


def _states(changes: list[ProcessChange], probes: tuple[Health, ...]) -> Iterator[tuple[float, Away | None]]:
    """How the service was from each moment at which that became known."""
    events: list[tuple[float, ProcessChange | Health]] = [(one.at_s, one) for one in changes]
    events += [(one.ended_s, one) for one in probes]
    alive, frozen, fresh_s = True, False, -inf
    for at_s, event in sorted(events, key=lambda one: one[0]):
        if isinstance(event, ProcessChange):
            alive, frozen = event.change is not Change.EXITED, event.change is Change.PAUSED
            if event.change is not Change.RESUMED:
                fresh_s = at_s  # what was asked before says nothing about what is now
            if not alive or frozen:
                yield at_s, Away.GONE if not alive else Away.HUNG
        elif alive and not frozen and event.at_s >= fresh_s:
            yield (event.ended_s, None) if event.healthy else (event.at_s, _how(event.detail))


def _how(detail: str) -> Away:
    """What a failed probe tells; an engine's own health check knows no more than that it is not well."""
    if detail.startswith("timeout"):
        return Away.HUNG
    return Away.GONE if detail.startswith(NOBODY) else Away.SICK
