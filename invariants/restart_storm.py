"""No service restarts over and over.

A history that violates it: orders-db was stopped, and until it was started again checkout-service exited
at its start, was started by its policy, and exited, seven times within a minute.
"""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from invariants.base import blame, offset, ways_out
from models.errors import InvariantViolated
from models.expected import Effect, Harm
from models.history import History
from models.observation import Change
from models.target import Target
from models.verdict import Verdict, Violation

WINDOW_S = 60.0


class RestartStormViolated(InvariantViolated):
    """A service restarted again and again."""


class RestartStorm:
    """Restarts within a minute, beyond those that faults caused."""

    name: ClassVar[str] = "restart_storm"
    promise: ClassVar[str] = "by itself no service restarts more than restarts_per_min_max times a minute"
    error: ClassVar[type[InvariantViolated]] = RestartStormViolated

    def judge(self, history: History, target: Target) -> Verdict:
        """VIOLATED as soon as one start too many was seen; a fault excuses those that it makes needed."""
        if not history.expected.harms:
            return Verdict.unexercised(self.name, "nothing was harmed")
        most = target.limits.restarts_per_min_max
        violations = []
        started = Counter(seen.service for seen in history.processes if seen.change is Change.STARTED)
        for service in (name for name in history.services if started[name] > most):
            starts = self._starts(history, service)
            for index in range(most, len(starts)):
                window = starts[index - most : index + 1]
                if window[-1] - window[0] <= WINDOW_S:
                    violations.append(self._violation(history, service, window))
                    break
        return Verdict.of(self.name, violations)

    def _starts(self, history: History, service: str) -> list[float]:
        """Starts since the first fault that no fault on the service itself made needed."""
        harms = sorted(history.expected.harms, key=lambda harm: harm.since_s)
        starts = [
            change.at_s
            for change in history.processes
            if change.service == service
            and change.change is Change.STARTED
            and change.at_s >= harms[0].since_s
        ]
        for harm in harms:
            if harm.on == service:
                since = [at_s for at_s in starts if at_s >= harm.since_s]
                needed = set(since[: _starts_needed(history, harm)])
                starts = [at_s for at_s in starts if at_s not in needed]
        return starts

    def _violation(self, history: History, service: str, window: list[float]) -> Violation:
        return Violation(
            self.name,
            service,
            window[-1],
            f"{service} restarted {len(window)} times in {window[-1] - window[0]:.0f} s by itself",
            (
                *blame(history, service, window[-1]),
                *(f"{offset(history, at_s)}  {service} started" for at_s in window),
            ),
            ways_out(history, service, window[-1]),
        )


def _starts_needed(history: History, harm: Harm) -> int:
    """One for each replica that exited under the fault; one that was only paused needs none."""
    until_s = history.ended_s if harm.ended_s is None else harm.ended_s
    exits = sum(harm.since_s <= e.at_s <= until_s for e in history.exits_of(harm.on))
    return max(1, exits) if harm.effect in (Effect.DOWN, Effect.RETURNING) else exits
