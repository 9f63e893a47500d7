"""Counts what a search tried and what held, scenario by scenario."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from fuzzer.actions.catalogue import ACTIONS
from fuzzer.events import Played
from models.histogram import Histogram
from models.history import StepState
from models.verdict import Outcome


@dataclass
class Tally:
    """What a search tried so far.

    Attributes:
        scenarios: scenarios that told something.
        steps: how often each action took effect.
        touched: how often each service was a fault's target.
        held: in how many scenarios each promise held.
        sent, good: requests of loads, and those answered well.
        latency: ms, of the good ones.
        inconclusive: scenarios that told nothing, with why.
    """

    scenarios: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    touched: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    good: int = 0
    latency: Histogram = field(default_factory=Histogram)
    inconclusive: list[str] = field(default_factory=list)

    def add(self, played: Played) -> None:
        """Count one played scenario."""
        if played.outcome is Outcome.UNKNOWN:
            self.inconclusive.append(f"{played.scenario}: {played.reason}")
            return
        self.scenarios += 1
        self.held.update(v.invariant for v in played.verdicts if v.outcome is Outcome.HOLDS)
        if played.history is None:
            return
        done = [played.step for played in played.history.steps if played.state is StepState.DONE]
        self.steps.update(step.action for step in done)
        self.touched.update(name for step in done if ACTIONS[step.action].harmful for name in step.targets)
        self.sent += len(played.history.requests)
        good = [request.latency_ms for request in played.history.requests if request.good]
        self.good += len(good)
        self.latency = self.latency.merged(Histogram(good))

    def held_by(self, promises: Iterable[str]) -> dict[str, int]:
        """In how many scenarios each of these promises held, also where that is none."""
        return {name: self.held[name] for name in promises}
