"""From what is known of a fleet to the hints that its simulation takes."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from typing import Any

from fuzzer.calibration.facts import Measured
from fuzzer.calibration.knowledge import KnownFleet, KnownReaction, KnownService
from models.behaviour import Away, Behaviour, Call, CallHints, Hints, Reaction, Response, UncleanHints, Until
from models.target import Condition, Target
from models.topology import Strength

PLAIN = (Measured.STOP, Measured.HEALTH)
"""What is called the same in both."""

UNCLEAN_TIMES, UNCLEAN_MORE_S = 2.0, 1.0
"""A start after an unclean death is another matter if it takes so many times, and so much, longer."""

NOTICED_S = 0.02
"""Whoever has a connection open notices at once that the other side is gone."""

AT_ONCE_S = 0.5
"""A reaction that comes sooner than this after it could be noticed is not one of patience."""


def hints_of(fleet: KnownFleet, target: Target) -> dict[str, Hints]:
    """Hints for each service of the target of which anything is known."""
    return {
        name: _hints(name, fleet.services[name], target) for name in target.services if name in fleet.services
    }


def _hints(name: str, known: KnownService, target: Target) -> Hints:
    plain: dict[str, Any] = {
        what.value: round(known.took[what].typical, 4) for what in PLAIN if what in known.took
    }
    notice_s = _notice_s(known)
    if notice_s is not None:
        plain[Measured.NOTICE] = notice_s
    there = [seen for seen in known.reactions if seen.to in target.services]
    start_s, unclean_s = _starts(known)
    if start_s is not None:
        plain[Measured.START] = start_s
    return Hints(
        **plain,
        unclean=_unclean(known, unclean_s),
        needs_at_start=_needs_at_start(name, known, target),
        calls={seen.to: CallHints(reconnects=False) for seen in there if _keeps_its_connection(seen)},
        reactions=[_reaction(name, seen, known, target) for seen in there],
    )


def _notice_s(known: KnownService) -> float | None:
    """How soon it notices. Of one that never errs, and exits, it is not seen: then patience is all."""
    if Measured.NOTICE in known.took:
        return round(known.took[Measured.NOTICE].typical, 4)
    delays_s = [
        one.delay_s
        for seen in known.reactions
        for one in seen.agreeing
        if (seen.away, one.then) == (Away.GONE, Response.EXITS) and one.delay_s is not None
    ]
    return min(NOTICED_S, *delays_s) if delays_s else None


def _starts(known: KnownService) -> tuple[float | None, float | None]:
    """How long a start takes, and one after an unclean death, if that is another matter."""
    clean, unclean = known.took.get(Measured.START), known.took.get(Measured.UNCLEAN_START)
    if clean is None or unclean is None:
        some = clean or unclean
        return (round(some.typical, 4) if some else None), None
    if unclean.typical > max(UNCLEAN_TIMES * clean.typical, clean.typical + UNCLEAN_MORE_S):
        return round(clean.typical, 4), round(unclean.typical, 4)
    return round(median([*clean.recent, *unclean.recent]), 4), None


def _unclean(known: KnownService, start_s: float | None) -> UncleanHints | None:
    exits = known.starts_unclean.usual if known.starts_unclean.samples else "starts"
    if exits == "starts" and start_s is None:
        return None
    code = None if exits == "starts" else int(exits) % 256
    return UncleanHints(start_s=start_s, exit_code=code)


def _needs_at_start(name: str, known: KnownService, target: Target) -> list[str] | None:
    """Whom it exits without; of those it never had to start without, what the others suggest."""
    if not known.starts_without:
        return None
    needed = [
        other
        for other, outcomes in known.starts_without.items()
        if other in target.services and outcomes.usual == "exits"
    ]
    if needed:
        needed += [other for other in _assumed(name, target) if other not in known.starts_without]
    return needed


def _assumed(name: str, target: Target) -> Iterable[str]:
    """Whom it hard-depends on, and whose health nobody waits for before it starts."""
    for edge in target.topology.dependencies:
        waits_for = target.services[name].starts_after.get(edge.dependency)
        if (edge.caller, edge.strength, waits_for) == (name, Strength.HARD, Condition.STARTED):
            yield edge.dependency


def _reaction(name: str, seen: KnownReaction, known: KnownService, target: Target) -> Reaction:
    more: dict[str, Any] = {}
    delays_s = [one.delay_s for one in seen.agreeing if one.delay_s is not None]
    if delays_s and seen.then is not Response.SERVES:
        after_s = median(delays_s) - _noticed_s(name, seen, known, target)
        if after_s >= AT_ONCE_S or seen.then is Response.EXITS:
            more["after_s"] = round(max(after_s, 0.0), 3)
    delays_ms = [one.delay_ms for one in seen.agreeing if one.delay_ms is not None]
    if delays_ms:
        more["delay_ms"] = round(median(delays_ms), 1)
    if _lasts(seen) and not _keeps_its_connection(seen):
        more["until"] = Until.RESTART
    return Reaction(when={seen.to: seen.away}, then=seen.then, **more)


def _lasts(seen: KnownReaction) -> bool:
    """Whether it goes on when the other one is back."""
    ends = [one.until for one in seen.agreeing if one.until is not None]
    return ends.count(Until.RESTART) > len(ends) / 2


def _keeps_its_connection(seen: KnownReaction) -> bool:
    """Who errs for ever once a dependency restarted never opens a second connection to it.

    Said like that, it also holds where nobody could see the dependency go, because he was frozen.
    """
    is_call = seen.declared and seen.away is Away.GONE and seen.then is Response.ERRORS
    return is_call and _lasts(seen)


def _noticed_s(name: str, seen: KnownReaction, known: KnownService, target: Target) -> float:
    """When the simulated service will have noticed: its patience begins there."""
    said = target.services[name].model
    learnt_s = _notice_s(known)
    noticed_s = Behaviour().notice_s if learnt_s is None else learnt_s
    if said.notice_s is not None:
        noticed_s = said.notice_s
    if seen.away is Away.HUNG:
        call = said.calls.get(seen.to)
        noticed_s += call.timeout_s if call and call.timeout_s else Call().timeout_s
    return noticed_s
