"""What an invariant says about a history: HOLDS, VIOLATED or UNKNOWN, and on what evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """UNKNOWN is neither of the others: nothing can be said."""

    HOLDS = "holds"
    VIOLATED = "violated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise.

    Attributes:
        invariant: the promise's name.
        service: who broke it.
        at_s: when it was broken, seconds of the runtime's clock.
        summary: one sentence that names the service, what it did and because of what.
        evidence: times and paths that show it.
        advice: the ways out: how to fix it, or how to declare it.
    """

    invariant: str
    service: str
    at_s: float
    summary: str
    evidence: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()

    @property
    def signature(self) -> str:
        """What makes two violations the same finding: the promise and who broke it."""
        return f"{self.invariant}:{self.service}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One invariant's judgement.

    Attributes:
        reason: why the outcome is UNKNOWN.
        exercised: False where the scenario never put the promise to the test. That is UNKNOWN for the
            promise, and no reason to doubt the scenario.
    """

    invariant: str
    outcome: Outcome
    violations: tuple[Violation, ...] = ()
    reason: str = ""
    exercised: bool = True

    @classmethod
    def of(cls, invariant: str, violations: list[Violation]) -> Verdict:
        """HOLDS without violations, VIOLATED with them."""
        outcome = Outcome.VIOLATED if violations else Outcome.HOLDS
        return cls(invariant, outcome, tuple(sorted(violations, key=lambda v: (v.at_s, v.service))))

    @classmethod
    def unknown(cls, invariant: str, reason: str) -> Verdict:
        """Nothing can be said, because of ``reason``."""
        return cls(invariant, Outcome.UNKNOWN, reason=reason)

    @classmethod
    def unexercised(cls, invariant: str, reason: str) -> Verdict:
        """Nothing can be said, because nothing put the promise to the test."""
        return cls(invariant, Outcome.UNKNOWN, reason=reason, exercised=False)
