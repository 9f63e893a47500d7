"""Good answers that no fault excuses come in time: within the limit, and not much later than before.

A history that violates it: analytics-service was away for a second; since then checkout-service takes
900 ms for an order, which it had answered in 20.
"""

from __future__ import annotations

from typing import ClassVar

from invariants.base_clients import (
    Clients,
    broken,
    clients,
    crowded,
    excess,
    share,
    slow_ms,
    unjudgeable,
    verdict_of,
)
from models.errors import InvariantViolated
from models.history import History
from models.limits import Limits
from models.load import Phase, Request
from models.statistics import SAMPLES_LEAST, SLOW_SHARE_MAX, quantile
from models.target import Target
from models.verdict import Outcome, Verdict, Violation


class LatencyViolated(InvariantViolated):
    """An endpoint answered too late."""


class Latency:
    """The 95th percentile of each endpoint, against the limit and against the scenario's own baseline."""

    name: ClassVar[str] = "latency"
    promise: ClassVar[str] = (
        "95 % of good answers come within latency_p95_ms_max, and about as soon as before"
    )
    error: ClassVar[type[InvariantViolated]] = LatencyViolated

    def judge(self, history: History, target: Target) -> Verdict:
        """VIOLATED by each endpoint with more slow answers than chance explains."""
        verdict = unjudgeable(history, self.name)
        if verdict:
            return verdict
        crowd = crowded(history)
        violations, doubts, most = [], [], 0
        for group in clients(history, target):
            most = max(most, len(group.good))
            allowed_ms = _allowed_ms(group, target.limits)
            slow = [request for request in group.good if request.latency_ms > allowed_ms]
            if crowd:  # queueing is no slowness: then only the limit itself counts
                slow = [
                    request
                    for request in slow
                    if history.phase_of(request) is Phase.AFTER
                    or request.latency_ms > target.limits.latency_p95_ms_max
                ]
            normal = share([r.latency_ms > allowed_ms for r in group.before])
            outcome = excess(len(slow), len(group.good), SLOW_SHARE_MAX, normal)
            if outcome is Outcome.VIOLATED:
                violations.append(self._violation(history, group, slow, allowed_ms))
            elif outcome is Outcome.UNKNOWN:
                doubts.append(group.endpoint.name)
        return verdict_of(self.name, violations, doubts, most)

    def _violation(
        self, history: History, group: Clients, slow: list[Request], allowed_ms: float
    ) -> Violation:
        p95_ms = quantile([request.latency_ms for request in group.good], 0.95)
        before = [request.latency_ms for request in group.before if request.good]
        normal = f"{quantile(before, 0.95):.0f} ms" if before else "not measured"
        summary = (
            f"{group.endpoint.entry} answered {group.endpoint.name} slowly although no fault excuses it: "
            f"p95 {p95_ms:.0f} ms; allowed {allowed_ms:.0f} ms"
        )
        told = f"{len(slow)} of {len(group.good)} answers took longer than allowed; p95 before: {normal}"
        return broken(history, self.name, group, slow, summary, told)


def _allowed_ms(group: Clients, limits: Limits) -> float:
    """What 95 % of the answers of an endpoint must not exceed."""
    before = [request for request in group.before if request.good]
    if len(before) < SAMPLES_LEAST:
        return limits.latency_p95_ms_max
    return min(limits.latency_p95_ms_max, slow_ms(before, limits))
