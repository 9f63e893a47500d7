"""After healing, everything is as it was before: healthy without a break, and as prompt.

A history that violates it: analytics-service was paused for two seconds and let go on; since then
checkout-service is healthy but takes 900 ms for each answer. Another: user-service answers, fails,
answers and fails again.
"""

from __future__ import annotations

from statistics import median
from typing import ClassVar

from invariants.base import blame, offset
from models.errors import InvariantViolated
from models.history import History
from models.target import Target
from models.verdict import Outcome, Verdict, Violation

SLOWER_THAN_BEFORE = 5
"""A median this many times the one before the first fault is allowed, if above the limit."""

MEASURED_AT_LEAST = 3
"""Fewer answers than this say nothing about a median."""

LOOKED_BACK_S = 5.0
"""The last seconds of a history are what it ended in."""


class SteadyStateViolated(InvariantViolated):
    """The fleet did not return to what it was."""


class SteadyState:
    """Slow or flapping services at the end of a history."""

    name: ClassVar[str] = "steady_state"
    promise: ClassVar[str] = "after healing, every service is as healthy and prompt as before"
    error: ClassVar[type[InvariantViolated]] = SteadyStateViolated

    def judge(self, history: History, target: Target) -> Verdict:
        """UNKNOWN until the fleet was given its time to settle."""
        if history.steady is None or history.healed_s is None:
            return Verdict.unknown(self.name, "the fleet was not given the time to settle")
        if history.steady:
            return Verdict.of(self.name, [])
        if history.blind_s(history.ended_s - LOOKED_BACK_S, history.ended_s) > 0:
            return Verdict.unknown(self.name, "nobody could tell at the end")
        violations = [
            violation
            for service in history.services
            if (violation := self._slow(history, target, service) or self._flapping(history, service))
        ]
        if not violations:
            return Verdict(self.name, Outcome.UNKNOWN, reason="the fleet did not settle; nothing tells why")
        return Verdict.of(self.name, violations)

    def _slow(self, history: History, target: Target, service: str) -> Violation | None:
        since_s = history.ended_s - LOOKED_BACK_S
        answers = [
            seen.latency_ms for seen in history.health_of(service) if seen.healthy and seen.at_s >= since_s
        ]
        if len(answers) < MEASURED_AT_LEAST:
            return None
        before_ms = history.baseline_ms.get(service, 0.0)
        limit_ms = max(target.limits.health_latency_ms_max, SLOWER_THAN_BEFORE * before_ms)
        now_ms = median(answers)
        if now_ms <= limit_ms:
            return None
        return Violation(
            self.name,
            service,
            history.ended_s,
            f"{service} stays slow after the faults are gone: {now_ms:.0f} ms for a health answer",
            (
                *blame(history, service, history.ended_s),
                f"median before: {before_ms:.0f} ms; after: {now_ms:.0f} ms of {len(answers)} answers; "
                f"allowed: {limit_ms:.0f} ms",
            ),
            (f"fix: find what {service} keeps from the outage (a queue, a retry, a fallback that stays on)",),
        )

    def _flapping(self, history: History, service: str) -> Violation | None:
        assert history.healed_s is not None
        excused_s = max([history.healed_s, *(until_s for _, until_s in history.expected.excuses(service))])
        spans = [
            span
            for span in history.unhealthy_spans(service)
            if span.since_s > excused_s and not history.blind_s(span.since_s, span.until_s)
        ]
        last = history.health_of(service)[-1:]
        if len(spans) < 2 or not last or not last[0].healthy:
            return None
        return Violation(
            self.name,
            service,
            spans[-1].since_s,
            f"{service} does not stay healthy: unhealthy {len(spans)} times after it should have recovered",
            (
                *blame(history, service, history.ended_s),
                *(f"{offset(history, s.since_s)}  {service} unhealthy: {s.detail}" for s in spans[:5]),
            ),
            (f"fix: find what makes {service} fail again and again after the outage",),
        )
