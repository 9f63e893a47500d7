"""What histories of real runs teach. Pure functions: the same histories teach the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fuzzer.calibration.absences import absences
from fuzzer.calibration.facts import Fact
from fuzzer.calibration.knowledge import KnownFleet
from fuzzer.calibration.reactions import learn_reactions
from fuzzer.calibration.starts import learn_starts
from fuzzer.events import Played
from models.expected import Effect
from models.history import History
from models.target import Target
from models.verdict import Outcome

NOTHING = KnownFleet()

LEARNT_FROM = (Effect.DOWN, Effect.HUNG, Effect.RETURNING)


def learn(history: History, target: Target, known: KnownFleet = NOTHING) -> tuple[Fact, ...]:
    """Everything that is certain; nothing at all if somebody interfered or the fuzzer did not look.

    Nor from faults of connections and resources: what a service does then tells little about how it takes
    the death of another.

    Args:
        known: what is known already; it tells apart who of several was the cause.
    """
    if history.interference or history.blindness:
        return ()
    if any(harm.effect not in LEARNT_FROM for harm in history.expected.harms):
        return ()
    away = absences(history)
    return (*learn_starts(history, target, away), *learn_reactions(history, target, away, known))


def lessons(played: Played, target: Target, known: KnownFleet = NOTHING) -> tuple[Fact, ...]:
    """What a scenario teaches that was played on a real fleet; UNKNOWN teaches nothing."""
    if played.history is None or played.outcome is Outcome.UNKNOWN:
        return ()
    return learn(played.history, target, known)


def learn_all(played: Sequence[Played], target: Target) -> KnownFleet:
    """What all of them teach together: read twice, since the later ones explain the earlier ones."""
    return _round(played, target, _round(played, target, NOTHING))


def _round(played: Iterable[Played], target: Target, judge: KnownFleet) -> KnownFleet:
    known = KnownFleet()
    for one in played:
        facts = lessons(one, target, judge.over(known))
        known = known.with_facts(facts) if facts else known
    return known
