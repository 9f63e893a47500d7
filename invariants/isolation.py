"""No process exits because something else failed.

A history that violates it: ``crash checkout-service`` was played, and api-gateway exited with code
1 a moment later. It does not matter whether api-gateway depends on checkout-service: a caller may
answer with errors, it may not die. Every exit needs a permit of its own, given by a fault that was
aimed at this very service; a process that its restart policy brought back and that dies again has
used its permit up. Only a lack that lasts (of memory, of disk) gives its target leave until it ends.
"""

from __future__ import annotations

from math import inf
from typing import ClassVar

from invariants.base import blame, faults_before, offset, ways_out
from models.errors import InvariantViolated
from models.expected import Effect
from models.history import History, Permit
from models.observation import ProcessChange
from models.target import Target
from models.verdict import Verdict, Violation

DEAF_S = 0.5
"""How near to a moment without observation an exit proves nothing: it may have been anything."""

LINGERS_S = 1.0
"""How long after a lack had ended a process may still exit of it."""


class IsolationViolated(InvariantViolated):
    """A process exited that was no fault's target."""


class Isolation:
    """Exits without a permit."""

    name: ClassVar[str] = "isolation"
    promise: ClassVar[str] = "no process exits unless it was a fault's own target"
    error: ClassVar[type[InvariantViolated]] = IsolationViolated

    def judge(self, history: History, target: Target) -> Verdict:
        """VIOLATED by each service's first exit without a permit.

        UNKNOWN if only exits before any fault, or while nobody listened for them, are in doubt, and if
        nobody listened at the end.
        """
        violations: list[Violation] = []
        doubt = ""
        if history.deaf_s(history.ended_s - DEAF_S, history.ended_s) >= DEAF_S / 2:
            doubt = "nobody could listen for exits at the end"
        for service in history.services:
            for exited in self._unpermitted(history, service):
                if not faults_before(history, exited.at_s):
                    doubt = f"{service} exited at {offset(history, exited.at_s)}, before any fault"
                elif history.deaf_s(exited.at_s - DEAF_S, exited.at_s + DEAF_S) > 0:
                    doubt = f"{service} exited at {offset(history, exited.at_s)}, while nobody could look"
                else:
                    violations.append(self._violation(history, exited))
                    break
        if doubt and not violations:
            return Verdict.unknown(self.name, doubt)
        return Verdict.of(self.name, violations)

    def _unpermitted(self, history: History, service: str) -> list[ProcessChange]:
        exits = history.exits_of(service)
        permits = [permit for permit in history.permits if permit.service == service] if exits else []
        left = []
        for exited in exits:
            permit = next((p for p in permits if _covers(p, exited, history)), None)
            if permit is None:
                left.append(exited)
            elif permit.once:
                permits.remove(permit)
        return left

    def _violation(self, history: History, exited: ProcessChange) -> Violation:
        others = [name for name in faults_before(history, exited.at_s) if name != exited.service]
        code = "" if exited.exit_code is None else f" with code {exited.exit_code}"
        because = f"after harm to {', '.join(others)}" if others else "by itself, after the fault aimed at it"
        count = len(self._unpermitted(history, exited.service))
        evidence = (
            f"{offset(history, exited.at_s)}  {exited.service} exited{code}"
            + (f", {count} times in all" if count > 1 else ""),
        )
        return Violation(
            self.name,
            exited.service,
            exited.at_s,
            f"{exited.service} exited{code} {because}",
            blame(history, exited.service, exited.at_s) + evidence,
            ways_out(history, exited.service, exited.at_s),
        )


def _covers(permit: Permit, exited: ProcessChange, history: History) -> bool:
    """Whether a permit of the service's own gives leave for this exit."""
    if permit.once:
        return permit.since_s <= exited.at_s <= permit.until_s
    lacks = [h for h in history.expected.harms if h.on == permit.service and h.effect is Effect.STARVED]
    ends_s = [
        inf if lack.ended_s is None else lack.ended_s + LINGERS_S
        for lack in lacks
        if lack.since_s <= permit.since_s
    ]
    return permit.since_s <= exited.at_s <= min(permit.until_s, max(ends_s, default=-inf))
