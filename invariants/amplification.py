"""A service in trouble does not multiply its calls.

A history that violates it: orders-db was killed, and checkout-service asked it 51 times for each order,
where it had asked once before.

Calls are compared while loads are sent, for services call each other without clients, too: a health
check asks the database. How much of what was normal came with the time, and how much with which load,
nobody knows; so whatever explains most of it is taken to explain all of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import ClassVar

from invariants.base import blame
from invariants.base_clients import unjudgeable
from models.errors import InvariantViolated
from models.expected import united
from models.history import History
from models.load import Calls, Phase, Request
from models.statistics import SAMPLES_LEAST
from models.target import Target
from models.topology import Topology
from models.verdict import Verdict, Violation


class AmplificationViolated(InvariantViolated):
    """A service sent far more requests than it was asked."""


class Amplification:
    """Calls for each request of a client, now and before, as callers themselves count them."""

    name: ClassVar[str] = "amplification"
    promise: ClassVar[str] = "calls per client request stay within amplification_max times the normal"
    error: ClassVar[type[InvariantViolated]] = AmplificationViolated

    def judge(self, history: History, target: Target) -> Verdict:
        """VIOLATED by each caller that sent too many calls; counts are never too high."""
        verdict = unjudgeable(history, self.name)
        if verdict:
            return verdict
        violations, tested = [], False
        windows = _windows(history)
        for (caller, dependency), counts in _by_edge(history.calls).items():
            entries = _entries(history, target.topology, caller)
            asked = [r for r in history.requests if history.endpoint_of(r).entry in entries]
            looked_s = min(seen.at_s for seen in history.calls if seen.caller == caller)
            before = [r for r in asked if looked_s <= r.intended_s < history.began_s]
            since = [r for r in asked if history.phase_of(r) is Phase.DURING]
            factor = _grown(before, since)
            if factor is None:
                continue
            tested = True
            calls = sum(_calls_between(counts, *window) for window in windows)
            sending_s = sum(until_s - since_s for since_s, until_s in windows)
            time_factor = sending_s / (history.began_s - looked_s)
            explained = _count_at(counts, history.began_s) * max(factor, time_factor)
            normal = max(1.0, explained / len(since))
            if calls > target.limits.amplification_max * normal * len(since):
                violations.append(
                    self._violation(history, target, caller, dependency, calls / len(since), normal)
                )
        if not violations and not tested:
            return Verdict.unexercised(self.name, "no service that counts its calls was asked often enough")
        return Verdict.of(self.name, violations)

    def _violation(
        self, history: History, target: Target, caller: str, dependency: str, now: float, normal: float
    ) -> Violation:
        return Violation(
            self.name,
            caller,
            history.ended_s,
            f"{caller} sent {now:.1f} requests to {dependency} for each request of a client; "
            f"expected at most {target.limits.amplification_max * normal:g}",
            (
                *blame(history, caller, history.ended_s),
                f"requests to {dependency} for each of a client's: {normal:.1f} explained, {now:.1f} seen",
            ),
            (
                f"fix: let {caller} retry fewer times, later each time, and not at all while "
                f"{dependency} is known to be away (backoff, retry budget, circuit breaker)",
            ),
        )


def _by_edge(calls: Iterable[Calls]) -> dict[tuple[str, str], list[Calls]]:
    edges: dict[tuple[str, str], list[Calls]] = {}
    for seen in calls:
        edges.setdefault((seen.caller, seen.dependency), []).append(seen)
    return edges


def _count_at(counts: list[Calls], at_s: float) -> int:
    return max((seen.count for seen in counts if seen.at_s <= at_s), default=0)


def _windows(history: History) -> list[tuple[float, float]]:
    """When the scenario's own loads were sent, each moment once."""
    return united(
        (run.began_s, history.ended_s if run.ended_s is None else run.ended_s)
        for run in history.loads
        if run.phase is Phase.DURING
    )


def _entries(history: History, topology: Topology, caller: str) -> set[str]:
    """Services by which a client's request may reach the caller, softly too."""
    entries = {endpoint.entry for run in history.loads for endpoint in run.load.endpoints}
    return {entry for entry in entries if entry == caller or topology.path(entry, caller)}


def _grown(before: list[Request], since: list[Request]) -> float | None:
    """How many times as much as before was sent of the load that grew most; None if that is unknown."""
    then, now = Counter(r.load for r in before), Counter(r.load for r in since)
    if min(len(before), len(since)) < SAMPLES_LEAST or not now.keys() <= then.keys():
        return None
    return max(now[load] / then[load] for load in now)


def _calls_between(counts: list[Calls], since_s: float, until_s: float) -> int:
    """Calls that were certainly sent within a span: from the first look within it to the last."""
    within = [seen.count for seen in counts if since_s <= seen.at_s <= until_s]
    return max(within) - min(within) if within else 0
