"""Every request is answered in good time, if only with an error.

A history that violates it: orders-db was paused, so orders may fail; but instead of an error clients got
nothing for 20 s, and waited. A request to a service that was itself harmed may hang.
"""

from __future__ import annotations

from typing import ClassVar

from invariants.base_clients import (
    Clients,
    broken,
    clients,
    doubtful,
    excess,
    overlaps,
    share,
    spans_of_harm,
    unjudgeable,
    verdict_of,
)
from models.errors import InvariantViolated
from models.history import History
from models.load import Phase, Request
from models.target import Target
from models.verdict import Outcome, Verdict, Violation


class FailFastViolated(InvariantViolated):
    """Clients were left waiting."""


class FailFast:
    """Hanging requests, inside the blast radius and out of it."""

    name: ClassVar[str] = "fail_fast"
    promise: ClassVar[str] = "a service that runs answers within answer_s_max, if only with an error"
    error: ClassVar[type[InvariantViolated]] = FailFastViolated

    def judge(self, history: History, target: Target) -> Verdict:
        """VIOLATED by each endpoint at which more requests hung than chance explains."""
        verdict = unjudgeable(history, self.name)
        if verdict:
            return verdict
        limit_s = target.limits.answer_s_max
        violations, doubts, most = [], [], 0
        for group in clients(history, target):
            asked = [request for request in self._asked(history, group) if not _gave_up(request, limit_s)]
            hung = [request for request in asked if _hung(request, limit_s)]
            most = max(most, len(asked))
            normal = share([_hung(request, limit_s) for request in group.before])
            outcome = excess(len(hung), len(asked), target.limits.error_rate_max, normal)
            if outcome is Outcome.VIOLATED:
                violations.append(self._violation(history, group, hung, len(asked), limit_s))
            elif outcome is Outcome.UNKNOWN:
                doubts.append(group.endpoint.name)
        return verdict_of(self.name, violations, doubts, most)

    def _asked(self, history: History, group: Clients) -> list[Request]:
        """Requests after the first fault, but to a service that was itself harmed."""
        harms = history.expected.harms
        if not harms:
            return []
        since_s = min(harm.since_s for harm in harms)
        own = spans_of_harm(history, [group.endpoint.entry])
        return [
            request
            for request in history.requests
            if (request.load, request.endpoint) == (group.load, group.endpoint.name)
            and request.ended_s >= since_s
            and history.phase_of(request) is not Phase.BEFORE
            and not overlaps(request, own)
            and not doubtful(history, request)
        ]

    def _violation(
        self, history: History, group: Clients, hung: list[Request], total: int, limit_s: float
    ) -> Violation:
        longest_s = max(request.latency_ms for request in hung) / 1000
        summary = (
            f"{group.endpoint.entry} left clients of {group.endpoint.name} waiting, "
            f"up to {longest_s:.1f} s; expected an answer or an error within {limit_s:g} s"
        )
        told = f"{len(hung)} of {total} requests hung for longer"
        return broken(history, self.name, group, hung, summary, told)


def _hung(request: Request, limit_s: float) -> bool:
    return request.latency_ms > limit_s * 1000


def _gave_up(request: Request, limit_s: float) -> bool:
    """Whether the client did not wait for as long as the service may take: that tells nothing."""
    return request.error == "timeout" and not _hung(request, limit_s)
