"""Which of the plans that Hypothesis writes is worth the seconds that it takes to play.

Writing a plan costs a few milliseconds, playing it some seconds. So of every handful of plans only one
part is played, the one that promises most: what it would exercise for the first time, for each second
that it takes. Of a long plan that is often a small part, since soon every service is excused by one
fault or another. What counts:

* a fault on a service;
* what such a fault does to each service outside its blast radius, which shows only while it lasts long
  enough, and while no other fault excuses that service;
* a fault on a service while another fault is in force on another: order matters, since systems break
  on "B was already hanging when A crashed", and not the other way round.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from fuzzer.actions.catalogue import ACTIONS
from fuzzer.scenarios import fold, is_harmful
from models.expected import Effect, Expected
from models.scenario import Scenario
from models.target import Target

ALONE, BYSTANDER, TOGETHER, RELATED = 3.0, 1.0, 0.5, 2.0
"""What is a first fault on a service worth, its first look at a bystander, a first pair of services, and
a first pair of which one needs the other."""

PASSIVE = frozenset({"wait", "heal", "start", "unpause"})
"""Nothing begins with these: there is nothing yet to wait for or to lift."""

LOOKED_AT = 32
"""How many plans are looked at for each that is played."""


class Novelty:
    """Remembers what was exercised, and picks the plans that exercise more.

    Args:
        target: its limits say how long a fault must last, and what playing costs beside the steps.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._exercised: set[Hashable] = set()
        self._looked_at = 0
        self._most = -1.0
        self._best = Scenario()

    def pick(self, plan: Scenario) -> Scenario | None:
        """Look at one more plan; after a handful, the part to play of those that were looked at."""
        for part in _parts(plan):
            worth = self._worth(part)
            if worth > self._most:
                self._most, self._best = worth, part
        self._looked_at += 1
        if self._looked_at < LOOKED_AT or not self._best.steps:
            return None
        picked = self._best
        self._looked_at, self._most, self._best = 0, -1.0, Scenario()
        return picked

    def played(self, scenario: Scenario) -> None:
        """Remember what a scenario exercised."""
        self._exercised |= {feature for feature, _ in self._features(scenario)}

    def _worth(self, scenario: Scenario) -> float:
        new = {f: value for f, value in self._features(scenario) if f not in self._exercised}
        seconds = self._target.limits.observe_s + sum(ACTIONS[s.action].nominal_s(s) for s in scenario)
        return sum(new.values()) / max(seconds, 1.0)

    def _features(self, scenario: Scenario) -> Iterator[tuple[Hashable, float]]:
        start = Expected(self._target.topology, self._target.limits.recovery_s_max)
        done: list[tuple[str, int]] = []  # each fault's action, and its harm's place among all harms
        expected = start
        for step, _, expected in fold(scenario, start):
            done += [(step.action, index) for index in range(len(done), len(expected.harms))]
        for action, index in done:
            harm = expected.harms[index]
            yield (action, harm.service), ALONE
            for bystander in self._judged(index, expected):
                yield (action, harm.service, bystander), BYSTANDER
            for earlier, place in done:
                other = expected.harms[place]
                before = place != index and other.since_s <= harm.since_s
                if before and other.service != harm.service and other.active_at(harm.since_s):
                    pair = (earlier, other.service, action, harm.service)
                    yield pair, RELATED if self._related(other.service, harm.service) else TOGETHER

    def _related(self, one: str, other: str) -> bool:
        edge = self._target.topology.edge
        return edge(one, other) is not None or edge(other, one) is not None

    def _judged(self, index: int, expected: Expected) -> Iterator[str]:
        """Services that would be caught if this harm made them unhealthy: nothing else excuses them."""
        limits = self._target.limits
        harm = expected.harms[index]
        end_s = expected.now_s + limits.observe_s if harm.ended_s is None else harm.ended_s
        long_enough = end_s - harm.since_s >= limits.detection_grace_s + limits.health_timeout_s
        if not long_enough and harm.effect is not Effect.RETURNING:
            return
        radius = expected.topology.blast_radius
        harms = enumerate(expected.harms)
        others = {other.service for place, other in harms if place != index and other.since_s <= end_s}
        excused = radius(others) | radius([harm.service])
        yield from (name for name in expected.topology.services if name not in excused)


def _parts(plan: Scenario) -> Iterator[Scenario]:
    """Every run of steps that begins with a fault or a load and holds a fault, the shortest first."""
    for length in range(1, len(plan) + 1):
        for begin in range(len(plan) - length + 1):
            part = plan[begin : begin + length]
            if part[0].action not in PASSIVE and is_harmful(part):
                yield part
