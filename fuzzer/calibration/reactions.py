"""What a history teaches about how services react to one another's absence, where the cause is certain.

As long as exactly one service was harmed, whoever else changes does it because of that one: directly,
or because of a dependency of its own that went away meanwhile. Once a second service is harmed, nothing
more is learnt until everything is well again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from statistics import median

from fuzzer.calibration.absences import Absence, Absences
from fuzzer.calibration.facts import Fact, Measured, Reacted, Took
from fuzzer.calibration.knowledge import KnownFleet, KnownService
from models.behaviour import Away, Response, Until
from models.history import History
from models.observation import Change
from models.target import ProbeKind, Target
from models.topology import Strength

CALM_S = 0.5
"""For how long everybody has to be well before an episode."""

SERVED_S = 2.0
"""Who goes on for this long while somebody is away does without him."""

RETURNS_S = 3.0
"""Who is still not well so long after everything that it needs is waits for its own restart."""

NOTICED_S = 1.0
"""A reaction that comes later than this is one of patience."""

ORDER_S = 0.02
"""Of two things that were seen within this time either may have come first."""

NEAR_S = 0.15
"""Who is not known to need somebody and falls so soon after him fell because of him."""

JUST_S = 1.0
"""How long after his return somebody may still be the cause."""

SLOW_MS, SLOW_TIMES, SLOW_ANSWERS = 200.0, 5, 3
"""So much, and so many times slower than before, so many times in a row, is slow."""


@dataclass(frozen=True, slots=True)
class Episode:
    """From the first harm to a fleet that was well until a second service was harmed, or all was over."""

    harmed: str
    since_s: float
    until_s: float


@dataclass(frozen=True, slots=True)
class Onset:
    """What a service did first, and when; ``ends_s`` is when it was over."""

    then: Response
    at_s: float
    ends_s: float = inf
    delay_ms: float | None = None


def learn_reactions(history: History, target: Target, away: Absences, known: KnownFleet) -> Iterator[Fact]:
    """Facts about every service and those that it needs.

    Args:
        known: tells apart who of several may have been the cause.
    """
    for episode in episodes(history, away):
        for service in history.services:
            if service != episode.harmed and away.at(service, episode.since_s - ORDER_S) is None:
                so_far = known.services.get(service, KnownService())
                yield from _Witness(history, target, away, episode, service, so_far).facts()


def episodes(history: History, away: Absences) -> Iterator[Episode]:
    """Spans in which only one service was harmed."""
    harms = sorted(history.expected.harms, key=lambda harm: harm.since_s)
    for number, harm in enumerate(harms):
        if number and not _was_all_well(history, away, harms[number - 1].since_s, harm.since_s):
            continue
        others = (h.since_s for h in harms if h.since_s >= harm.since_s and h.on != harm.on)
        yield Episode(harm.on, harm.since_s, min(others, default=history.ended_s))


def _was_all_well(history: History, away: Absences, since_s: float, at_s: float) -> bool:
    """Whether nothing of an earlier harm was left."""
    quiet_s = max(since_s, at_s - CALM_S)
    lasts = any(h.since_s < at_s and (h.ended_s is None or h.ended_s > at_s) for h in history.expected.harms)
    return not lasts and quiet_s < at_s and all(away.is_well(n, quiet_s, at_s) for n in history.services)


class _Witness:
    """One service in one episode."""

    def __init__(
        self,
        history: History,
        target: Target,
        away: Absences,
        episode: Episode,
        service: str,
        known: KnownService,
    ) -> None:
        self._history = history
        self._target = target
        self._away = away
        self._episode = episode
        self._service = service
        self._known = known
        self._edges = {
            edge.dependency: edge.strength
            for edge in history.expected.topology.dependencies
            if edge.caller == service
        }
        self._prompt = target.services[service].health.kind is ProbeKind.HTTP

    def facts(self) -> Iterator[Fact]:
        """What it did, or that it went on."""
        onset = self._onset()
        if onset is None:
            yield from self._served()
        elif cause := self._cause(onset):
            yield from self._reacted(onset, cause)

    def _onset(self) -> Onset | None:
        """The gravest thing that it did."""
        begin_s, end_s = self._episode.since_s, self._episode.until_s
        for exited in self._history.exits_of(self._service):
            if begin_s <= exited.at_s < end_s:
                return Onset(Response.EXITS, exited.at_s)
        for one in self._away.of[self._service]:
            if begin_s < one.since_s < end_s and one.how is not Away.GONE:
                then = Response.ERRORS if one.how is Away.SICK else Response.HANGS
                return Onset(then, one.since_s, one.until_s)
        return self._slow() if self._prompt else None

    def _slow(self) -> Onset | None:
        before_ms = self._history.baseline_ms.get(self._service, 0.0)
        limit_ms = max(SLOW_MS, SLOW_TIMES * before_ms)
        run: list[float] = []
        began_s = 0.0
        for seen in self._history.health_of(self._service):
            if seen.at_s < self._episode.since_s or seen.at_s >= self._episode.until_s:
                continue
            if seen.healthy and seen.latency_ms > limit_ms:
                began_s = began_s if run else seen.at_s
                run.append(seen.latency_ms)
            elif len(run) >= SLOW_ANSWERS:
                return Onset(Response.SLOWS, began_s, seen.at_s, median(run) - before_ms)
            else:
                run = []
        if len(run) < SLOW_ANSWERS:
            return None
        return Onset(Response.SLOWS, began_s, inf, median(run) - before_ms)

    # Whose absence it was.

    def _cause(self, onset: Onset) -> Absence | None:
        away = [c for name in self._edges if (c := self._lately(name, onset.at_s))]
        if not away:
            return self._stranger(onset)
        there = [one for one in away if self._may_explain(one, onset)] or away
        hard = [one for one in there if self._edges[one.service] is Strength.HARD]
        prime = [one for one in there if one.service == self._episode.harmed]
        if prime and (len(there) == 1 or prime[0] in hard or not hard):
            return prime[0]  # it went first, and the others because of it
        if len(there) == 1:
            return there[0]
        if len(hard) != 1 or (prime and hard[0].since_s >= onset.at_s - NEAR_S):
            return None  # or both fell because of the same
        return hard[0]

    def _may_explain(self, absence: Absence, onset: Onset) -> bool:
        """Whether nothing that is known speaks against it."""
        seen = self._known.reaction(absence.service, absence.how)
        if seen is None or not seen.recent:
            return True
        delays_s = [one.delay_s for one in seen.agreeing if one.delay_s is not None]
        too_soon = delays_s and onset.at_s - absence.since_s < min(delays_s) / 2 - ORDER_S
        return seen.then is onset.then and not too_soon

    def _stranger(self, onset: Onset) -> Absence | None:
        """Somebody whom it is not known to need: whoever went away just before, else who was harmed."""
        others = (name for name in self._history.services if name != self._service)
        seen = [c for name in others if (c := self._lately(name, onset.at_s))]
        seen = [one for one in seen if self._may_explain(one, onset)] or seen
        just = [one for one in seen if one.since_s >= onset.at_s - NEAR_S] or seen
        prime = next((one for one in just if one.service == self._episode.harmed), None)
        return prime or (just[0] if len(just) == 1 else None)

    def _lately(self, name: str, at_s: float) -> Absence | None:
        """How somebody was away at a moment, or just before it; not before the episode."""
        found = [
            one
            for one in self._away.of[name]
            if self._episode.since_s - ORDER_S <= one.since_s <= at_s + ORDER_S
            and at_s <= one.until_s + JUST_S
        ]
        return found[-1] if found else None

    def _reacted(self, onset: Onset, cause: Absence) -> Iterator[Fact]:
        delay_s = onset.at_s - cause.since_s if self._prompt or onset.then is Response.EXITS else None
        knot = self._history.expected.topology.needs(cause.service)
        if cause.how is Away.SICK and self._service in knot:
            return  # of services that need one another nobody knows who began
        yield Reacted(
            self._service,
            cause.service,
            cause.how,
            onset.then,
            cause.service in self._edges,
            None if delay_s is None else max(delay_s, 0.0),
            onset.delay_ms,
            None if onset.then is Response.EXITS else self._until(onset),
        )
        errs_at_once = onset.then is Response.ERRORS and cause.how is Away.GONE
        if errs_at_once and delay_s is not None and delay_s <= NOTICED_S:
            yield Took(self._service, Measured.NOTICE, max(delay_s, 0.0))

    def _until(self, onset: Onset) -> Until | None:
        """Whether it ended by itself once everybody was back; None if the record does not tell."""
        back_s = onset.at_s
        for name in (*self._edges, self._episode.harmed):
            back_s = max(back_s, self._away.well_again_s(name, back_s))
        looked_s = min(onset.ends_s, self._episode.until_s, self._history.ended_s)
        if onset.ends_s <= min(back_s + RETURNS_S, self._episode.until_s):
            return Until.BACK
        restarted = any(
            change.service == self._service and change.change is Change.STARTED and change.at_s > onset.at_s
            for change in self._history.processes
        )
        if looked_s - back_s < RETURNS_S:
            return None
        return Until.RESTART if restarted or onset.ends_s == inf else Until.BACK

    # That it went on.

    def _served(self) -> Iterator[Fact]:
        for name in {*self._edges, self._episode.harmed}:
            for one in self._away.of[name]:
                end_s = min(one.until_s, self._episode.until_s, self._history.ended_s)
                begun = one.since_s >= self._episode.since_s - ORDER_S
                if begun and end_s - one.since_s >= SERVED_S:
                    yield Reacted(self._service, name, one.how, Response.SERVES, declared=name in self._edges)
