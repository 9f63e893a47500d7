"""Asks every invariant about a history, and makes one outcome of their verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from invariants.base import Invariant
from models.history import History
from models.target import Target
from models.verdict import Outcome, Verdict, Violation

BLIND_SHARE_MOST = 0.5
"""Of a scenario that was seen less, nothing is known."""


def judge(invariants: Sequence[Invariant], history: History, target: Target) -> tuple[Verdict, ...]:
    """One verdict an invariant. An invariant that fails itself is UNKNOWN, not a violation."""
    verdicts = []
    for invariant in invariants:
        try:
            verdicts.append(invariant.judge(history, target))
        except Exception as error:  # a bug in a law must not accuse the fleet
            verdicts.append(Verdict.unknown(invariant.name, f"the invariant itself failed: {error!r}"))
    return tuple(verdicts)


def unite(earlier: Sequence[Verdict], later: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The later verdicts, with every violation that was seen earlier: healing takes nothing back."""
    seen = {verdict.invariant: verdict.violations for verdict in earlier}
    united = []
    for verdict in later:
        known = {violation.signature for violation in verdict.violations}
        lost = [v for v in seen.get(verdict.invariant, ()) if v.signature not in known]
        united.append(Verdict.of(verdict.invariant, [*verdict.violations, *lost]) if lost else verdict)
    return tuple(united)


def violations(verdicts: Sequence[Verdict]) -> tuple[Violation, ...]:
    """All violations, in the order of the invariants, then of time."""
    return tuple(v for verdict in verdicts for v in verdict.violations)


def outcome(verdicts: Sequence[Verdict], doubt: str) -> tuple[Outcome, str]:
    """The outcome of a scenario, and why if it is UNKNOWN.

    ``doubt`` is what kept the scenario itself from being played as written: a violation that was
    seen all the same counts, a promise that was kept does not.
    """
    if any(verdict.outcome is Outcome.VIOLATED for verdict in verdicts):
        return Outcome.VIOLATED, ""
    reasons = [doubt, *(v.reason for v in verdicts if v.outcome is Outcome.UNKNOWN and v.exercised)]
    reason = next((reason for reason in reasons if reason), "")
    return (Outcome.UNKNOWN, reason) if reason else (Outcome.HOLDS, "")


def unseen(history: History) -> str:
    """Why a promise that was kept tells nothing, if for most of the time nobody could look."""
    seconds = history.ended_s - history.began_s
    if history.blind_s(history.began_s, history.ended_s) <= BLIND_SHARE_MOST * seconds:
        return ""
    longest = max(history.blindness, key=lambda span: span.until_s - span.since_s)
    return f"for most of the time nobody could tell: {longest.reason}"
