"""No cascade beyond the dependency graph.

A history that violates it: ``pause analytics-service`` was played, checkout-service only
soft-depends on it, and checkout-service's health probes failed for longer than the detection grace.
Inside the blast radius of the faults a service may be unhealthy; outside it may not.
"""

from __future__ import annotations

from typing import ClassVar

from invariants.base import Unexcused, blame, faults_before, offset, unexcused, ways_out
from models.errors import InvariantViolated
from models.history import History
from models.target import Target
from models.verdict import Outcome, Verdict, Violation


class ContainmentViolated(InvariantViolated):
    """A service outside the blast radius was unhealthy."""


class Containment:
    """Unhealthy time that no fault excuses."""

    name: ClassVar[str] = "containment"
    promise: ClassVar[str] = "no service outside the blast radius of the faults becomes unhealthy"
    error: ClassVar[type[InvariantViolated]] = ContainmentViolated

    def judge(self, history: History, target: Target) -> Verdict:
        """VIOLATED by a service that was unhealthy for longer than the grace, with nothing to excuse it.

        Time in which the fuzzer itself was blind does not count; UNKNOWN if only that makes the
        difference, or if no fault preceded.
        """
        grace_s = target.limits.detection_grace_s
        violations: list[Violation] = []
        doubt = ""
        for service in history.services:
            for part in unexcused(history, service):
                if part.overdue or part.seconds <= grace_s:
                    continue
                if not faults_before(history, part.until_s):
                    doubt = f"{service} was unhealthy before any fault: {part.span.detail}"
                elif part.seconds - history.blind_s(part.since_s, part.until_s) <= grace_s:
                    doubt = f"{service} seemed unhealthy while nobody could tell"
                else:
                    violations.append(self._violation(history, part, grace_s))
                    break
        if doubt and not violations:
            return Verdict(self.name, Outcome.UNKNOWN, reason=doubt)
        return Verdict.of(self.name, violations)

    def _violation(self, history: History, part: Unexcused, grace_s: float) -> Violation:
        service = part.span.service
        culprits = ", ".join(faults_before(history, part.until_s))
        back = part.span.recovered_s
        evidence = (
            f"{offset(history, part.since_s)}  {service} unhealthy: {part.span.detail}",
            f"{offset(history, back)}  {service} healthy again"
            if back is not None
            else f"{offset(history, part.until_s)}  {service} still unhealthy",
        )
        return Violation(
            self.name,
            service,
            part.since_s + grace_s,
            f"{service} was unhealthy for more than {grace_s:g} s, outside the blast radius of {culprits}",
            blame(history, service, part.until_s) + evidence,
            ways_out(history, service, part.until_s),
        )
