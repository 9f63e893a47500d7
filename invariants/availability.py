"""Requests that no fault excuses are answered well.

A history that violates it: analytics-service was paused, which checkout-service needs only softly, and
31 of 40 orders failed meanwhile. Another: all is healed and steady again, the time to recover is over,
and every tenth order still fails.
"""

from __future__ import annotations

from typing import ClassVar

from invariants.base_clients import Clients, broken, clients, excess, kinds, unjudgeable, verdict_of
from models.errors import InvariantViolated
from models.history import History
from models.target import Target
from models.verdict import Outcome, Verdict, Violation


class AvailabilityViolated(InvariantViolated):
    """An endpoint failed too many requests."""


class Availability:
    """The share of good answers of each endpoint."""

    name: ClassVar[str] = "availability"
    promise: ClassVar[str] = "an endpoint answers availability_min of the requests that no fault excuses"
    error: ClassVar[type[InvariantViolated]] = AvailabilityViolated

    def judge(self, history: History, target: Target) -> Verdict:
        """VIOLATED by each endpoint with more failures than chance explains."""
        verdict = unjudgeable(history, self.name)
        if verdict:
            return verdict
        allowed = 1 - target.limits.availability_min
        violations, doubts, most = [], [], 0
        for group in clients(history, target):
            most = max(most, len(group.counted))
            outcome = excess(len(group.bad), len(group.counted), allowed, group.bad_before)
            if outcome is Outcome.VIOLATED:
                violations.append(self._violation(history, group, target))
            elif outcome is Outcome.UNKNOWN:
                doubts.append(group.endpoint.name)
        return verdict_of(self.name, violations, doubts, most)

    def _violation(self, history: History, group: Clients, target: Target) -> Violation:
        bad, counted = group.bad, group.counted
        share = 1 - len(bad) / len(counted)
        summary = (
            f"{group.endpoint.entry} answered {share:.1%} of {group.endpoint.name} well, outside the blast "
            f"radius of every fault; expected {target.limits.availability_min:.1%}"
        )
        told = f"{len(bad)} of {len(counted)} requests failed: {kinds(bad)}"
        return broken(history, self.name, group, bad, summary, told)
