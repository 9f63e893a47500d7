"""Without a soft dependency an endpoint serves as well as with it.

A history that violates it: analytics-service, which checkout-service only tells what happens, was
paused, and orders hung with it.
"""

from __future__ import annotations

from typing import ClassVar

from invariants.base import faults_before
from invariants.base_clients import (
    Clients,
    broken,
    clients,
    excess,
    kinds,
    overlaps,
    share,
    spans_of_harm,
    unjudgeable,
    verdict_of,
)
from models.errors import InvariantViolated
from models.history import History
from models.load import Phase, Request
from models.statistics import SLOW_SHARE_MAX
from models.target import Target
from models.verdict import Outcome, Verdict, Violation


class GracefulDegradationViolated(InvariantViolated):
    """An endpoint failed with something that it can do without."""


class GracefulDegradation:
    """Endpoints while a service is harmed that they only soft-depend on."""

    name: ClassVar[str] = "graceful_degradation"
    promise: ClassVar[str] = "an endpoint keeps its objectives while a soft dependency is harmed"
    error: ClassVar[type[InvariantViolated]] = GracefulDegradationViolated

    def judge(self, history: History, target: Target) -> Verdict:
        """VIOLATED by each endpoint with more failures, or more slow answers, than chance explains."""
        verdict = unjudgeable(history, self.name)
        if verdict:
            return verdict
        violations, doubts, most = [], [], 0
        for group in clients(history, target):
            soft = self._soft(history, group, target)
            harmed = spans_of_harm(history, soft)
            asked = [
                request
                for request in group.counted
                if overlaps(request, harmed) and history.phase_of(request) is Phase.DURING
            ]
            most = max(most, len(asked))
            violation, doubtful = self._judged(history, group, target, soft, asked)
            if violation:
                violations.append(violation)
            elif doubtful:
                doubts.append(group.endpoint.name)
        return verdict_of(self.name, violations, doubts, most)

    def _soft(self, history: History, group: Clients, target: Target) -> tuple[str, ...]:
        """Harmed services and links to which a path leads from the entry, but no hard one."""
        harmed = faults_before(history, history.ended_s)
        topology, entry = target.topology, group.endpoint.entry
        return tuple(n for n in harmed if not topology.matters(n, group.needs) and topology.path(entry, n))

    def _judged(
        self, history: History, group: Clients, target: Target, soft: tuple[str, ...], asked: list[Request]
    ) -> tuple[Violation | None, bool]:
        """What is broken, if anything; and whether that was no better before."""
        limits = target.limits
        limit_ms = limits.latency_p95_ms_max
        bad = [request for request in asked if not request.good]
        good = [request for request in asked if request.good]
        slow = [request for request in good if request.latency_ms > limit_ms]
        slow_before = share([request.latency_ms > limit_ms for request in group.before])
        failing = excess(len(bad), len(asked), 1 - limits.availability_min, group.bad_before)
        slowing = excess(len(slow), len(good), SLOW_SHARE_MAX, slow_before)
        if failing is Outcome.VIOLATED:
            shown, told = bad, f"{len(bad)} of {len(asked)} requests failed: {kinds(bad)}"
        elif slowing is Outcome.VIOLATED:
            shown, told = slow, f"{len(slow)} of {len(good)} answers took longer than {limit_ms:g} ms"
        else:
            return None, Outcome.UNKNOWN in (failing, slowing)
        summary = (
            f"{group.endpoint.entry} did not keep up {group.endpoint.name} without {', '.join(soft)}, "
            "which it can do without"
        )
        return broken(history, self.name, group, shown, summary, told), False
