"""Everything that a fault harmed comes back within the limit.

A history that violates it: ``crash checkout-service`` was played under ``restart: "no"``. Nothing
will ever start it again, so that verdict needs no waiting. Another: orders-db was back at once, and
checkout-service still answers 503 when the 30 s are over.
"""

from __future__ import annotations

from typing import ClassVar

from invariants.base import Unexcused, blame, faults_before, offset, unexcused
from models.errors import InvariantViolated
from models.expected import Effect
from models.history import History
from models.observation import ProcessChange
from models.target import Target
from models.verdict import Outcome, Verdict, Violation


class RecoveryViolated(InvariantViolated):
    """A service did not come back in time."""


class Recovery:
    """Services that are overdue, and services that nothing can bring back."""

    name: ClassVar[str] = "recovery"
    promise: ClassVar[str] = "what a fault harmed is healthy again within recovery_s_max"
    error: ClassVar[type[InvariantViolated]] = RecoveryViolated

    def judge(self, history: History, target: Target) -> Verdict:
        """VIOLATED at once for what cannot return, and by whoever is unhealthy past its limit."""
        violations: list[Violation] = []
        doubt = ""
        for service in history.services:
            gone = self._gone(history, service)
            if gone:
                violations.append(self._cannot_return(history, target, gone))
                continue
            for part in unexcused(history, service):
                if not part.overdue or part.seconds <= target.limits.health_timeout_s:
                    continue
                seen_s = part.seconds - history.blind_s(part.span.since_s, part.until_s)
                if seen_s <= target.limits.health_timeout_s:
                    doubt = f"{service} seemed overdue while nobody could tell"
                else:
                    violations.append(self._overdue(history, part))
                    break
        if doubt and not violations:
            return Verdict(self.name, Outcome.UNKNOWN, reason=doubt)
        return Verdict.of(self.name, violations)

    def _gone(self, history: History, service: str) -> ProcessChange | None:
        exited = history.down_for_good(service)
        if exited is None:
            return None
        for harm in history.expected.harms:
            until_s = history.ended_s if harm.ended_s is None else harm.ended_s
            if (
                harm.on == service
                and harm.effect in (Effect.DOWN, Effect.HUNG)
                and harm.since_s <= exited.at_s <= until_s
            ):
                return None  # killed on purpose: whoever heals the fault starts it
        return exited if faults_before(history, exited.at_s) else None

    def _cannot_return(self, history: History, target: Target, exited: ProcessChange) -> Violation:
        service = exited.service
        policy = target.services[service].restart
        code = "" if exited.exit_code is None else f" with code {exited.exit_code}"
        return Violation(
            self.name,
            service,
            exited.at_s,
            f"{service} exited{code} and nothing brings it back: its restart policy is {policy}",
            (
                *blame(history, service, exited.at_s),
                f"{offset(history, exited.at_s)}  {service} exited{code}",
            ),
            (f"fix: give {service} a restart policy that acts here, such as `restart: unless-stopped`",),
        )

    def _overdue(self, history: History, part: Unexcused) -> Violation:
        service = part.span.service
        limit_s = history.expected.allowed_s(service, part.since_s)
        back = part.span.recovered_s
        last = (
            f"{offset(history, back)}  {service} healthy again"
            if back is not None
            else f"{offset(history, part.until_s)}  {service} still unhealthy: {part.span.detail}"
        )
        return Violation(
            self.name,
            service,
            part.since_s,
            f"{service} was not back within {limit_s:g} s after the fault had ended",
            (
                *blame(history, service, part.since_s),
                f"{offset(history, part.span.since_s)}  {service} unhealthy",
                f"{offset(history, part.since_s)}  the limit of {limit_s:g} s was over",
                last,
            ),
            (
                f"fix: let {service} reconnect, or start faster",
                "or declare: raise x-knockon.limits.recovery_s_max, if this is how long it may take",
            ),
        )
