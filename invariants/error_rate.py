"""A load as a whole, all its endpoints together, fails no more than its share.

A history that violates it: each of ten endpoints failed twice, too few to accuse any one of them, and
together they are twenty of a thousand.
"""

from __future__ import annotations

from typing import ClassVar

from invariants.base_clients import Clients, broken, clients, excess, kinds, unjudgeable, verdict_of
from models.errors import InvariantViolated
from models.history import History
from models.load import Request
from models.target import Target
from models.verdict import Outcome, Verdict, Violation


class ErrorRateViolated(InvariantViolated):
    """A load failed too often."""


class ErrorRate:
    """The share of failures of each load."""

    name: ClassVar[str] = "error_rate"
    promise: ClassVar[str] = "of a load's requests that no fault excuses, error_rate_max fail"
    error: ClassVar[type[InvariantViolated]] = ErrorRateViolated

    def judge(self, history: History, target: Target) -> Verdict:
        """VIOLATED by each load with more failures than chance explains."""
        verdict = unjudgeable(history, self.name)
        if verdict:
            return verdict
        loads: dict[str, list[Clients]] = {}
        for group in clients(history, target):
            loads.setdefault(group.load, []).append(group)
        violations, doubts, most = [], [], 0
        for load, groups in loads.items():
            total = sum(len(group.counted) for group in groups)
            bad = [request for group in groups for request in group.bad]
            most = max(most, total)
            normal = sum(group.bad_before * len(group.counted) for group in groups) / max(1, total)
            outcome = excess(len(bad), total, target.limits.error_rate_max, normal)
            if outcome is Outcome.VIOLATED:
                violations.append(self._violation(history, load, groups, bad, total))
            elif outcome is Outcome.UNKNOWN:
                doubts.append(f"load {load}")
        return verdict_of(self.name, violations, doubts, most)

    def _violation(
        self, history: History, load: str, groups: list[Clients], bad: list[Request], total: int
    ) -> Violation:
        worst = max(groups, key=lambda group: len(group.bad))
        summary = f"{len(bad) / total:.1%} of load {load} failed although no fault excuses it: {kinds(bad)}"
        told = f"{len(bad)} of {total} requests failed, most of them {worst.endpoint.name}"
        return broken(history, self.name, worst, bad, summary, told)
