"""Which of the plans that Hypothesis writes is worth the seconds that it takes to play.

Writing a plan costs a few milliseconds, playing it some seconds. So of every handful of plans only one
part is played, the one that promises most: what it would exercise for the first time, for each second
that it takes. Of a long plan that is often a small part, since soon every service is excused by one
fault or another. What counts:

* a fault on a service or a connection, first of each kind: down, hung, slow, and so on; one on all
  connections to a service counts for each of them;
* what such a fault does to each service outside its blast radius, which shows only while it lasts long
  enough, and while no other fault excuses that service;
* a fault on a service while a load runs, which is what clients see of it;
* a fault on a service while another fault is in force on another: order matters, since systems break
  on "B was already hanging when A crashed", and not the other way round.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import chain, combinations

from fuzzer.actions.base import Sending
from fuzzer.actions.catalogue import ACTIONS
from fuzzer.scenarios import check_scenario, fold, is_harmful
from invariants.base_clients import needs
from models.errors import ScenarioError
from models.expected import Effect, Expected, Harm
from models.link import is_link
from models.scenario import Scenario
from models.statistics import SAMPLES_LEAST
from models.step import Step
from models.target import Target

ALONE, OTHERWISE, BYSTANDER, PAIR, ORDERED, DETAIL = 3.0, 1.0, 1.0, 3.0, 1.5, 0.25
"""What each is worth the first time: a service down, hung or returning; the same by another fault; its look
at a bystander; two services harmed at once; the same in this order with one hanging or gone; any of these by
other faults."""

FELT = 6.0
"""What it is worth the first time that clients feel a fault, on what they need or on what they do not."""

LINKED = 0.4
"""What all this is worth on a connection: there are more of them than services, and often several are harmed;
without this a short search would hardly kill anybody."""

PASSIVE = frozenset({"wait", "heal", "start", "unpause"})
"""Nothing begins with these: there is nothing yet to wait for or to lift."""

LOOKED_AT = 48
"""How many plans are looked at for each that is played."""

PICKED = 8
"""How many parts are picked, for whoever has a better idea than the most novel one."""

FEW = 3
"""So many steps are taken out of a plan in every combination; more only as they stand together."""


class Novelty:
    """Remembers what was exercised, and picks the plans that exercise more.

    Args:
        target: its limits say how long a fault must last, and what playing costs beside the steps.
        under_load: pick only what sends a load.
    """

    def __init__(self, target: Target, *, under_load: bool = False) -> None:
        self._target = target
        self._under_load = under_load
        self._exercised: set[Hashable] = set()
        self._looked_at = 0
        self._best: dict[Scenario, float] = {}

    def pick(self, plan: Scenario) -> tuple[Scenario, ...]:
        """Look at one more plan; after a handful, the parts of those plans that promise most, best first."""
        for part in _parts(plan):
            if part in self._best or (self._under_load and not any(map(self._sends, part))):
                continue
            worth = self._worth(part)
            if worth > self._least() and self._may_be_played(part):
                self._best[part] = worth
                if len(self._best) > PICKED:
                    del self._best[min(self._best, key=self._best.__getitem__)]
        self._looked_at += 1
        if self._looked_at < LOOKED_AT or not self._best:
            return ()
        picked = sorted(self._best, key=lambda part: -self._best[part])
        self._looked_at, self._best = 0, {}
        return tuple(picked)

    def _least(self) -> float:
        """What a part has to promise more than."""
        return min(self._best.values()) if len(self._best) == PICKED else -1.0

    def played(self, scenario: Scenario) -> None:
        """Remember what a scenario exercised."""
        self._exercised |= {feature for feature, _ in self._features(scenario)}

    def _may_be_played(self, part: Scenario) -> bool:
        """What was left out may have been a heal, or the end of a load, that the rest needs."""
        start = Expected(self._target.topology, self._target.limits.recovery_s_max)
        for step, before, _ in fold(part, start):
            if self._sends(step) and before.now_s < before.loaded_until_s:
                return False  # two loads at once are more than the target promised to bear
        try:
            check_scenario(part, self._target)
        except ScenarioError:
            return False
        return True

    def _worth(self, scenario: Scenario) -> float:
        new = {f: value for f, value in self._features(scenario) if f not in self._exercised}
        return sum(new.values()) / max(self._seconds(scenario), 1.0)

    def _seconds(self, scenario: Scenario) -> float:
        """What playing it costs, about."""
        limits = self._target.limits
        steps_s = sum(ACTIONS[step.action].nominal_s(step) for step in scenario)
        loads = [sending for sending in map(self._sends, scenario) if sending]
        if not loads:
            return steps_s + limits.observe_s
        longest_s = max(sending.duration_s for sending in loads)
        return max(steps_s + limits.observe_s, longest_s) + 2 * limits.baseline_s

    def _sends(self, step: Step) -> Sending | None:
        return ACTIONS[step.action].sends(step, self._target)

    def _features(self, scenario: Scenario) -> Iterator[tuple[Hashable, float]]:
        start = Expected(self._target.topology, self._target.limits.recovery_s_max)
        done: list[tuple[str, int]] = []  # each fault's action, and its harm's place among all harms
        loads: list[tuple[Sending, float]] = []  # and when it began
        expected = start
        for step, before, expected in fold(scenario, start):
            done += [(step.action, index) for index in range(len(done), len(expected.harms))]
            sending = self._sends(step)
            loads += [(sending, before.now_s)] if sending else []
        for action, index in done:
            harm = expected.harms[index]
            weight = LINKED if is_link(harm.on) else 1.0
            for where in self._target.places(harm.on):
                yield (harm.effect, where), weight * ALONE
                yield (action, where), weight * OTHERWISE
            for sending, since_s in loads:
                for needed, share in self._clients(sending).items():
                    if self._felt(index, expected, sending, since_s, needed, share):
                        for where in self._target.places(harm.on):
                            yield (sending.load.name, needed, harm.effect, where), weight * FELT
                        yield (sending.load.name, action, harm.on), DETAIL
                        yield (sending.load.name, sending.shape, harm.on), DETAIL
            for bystander in self._judged(index, expected):
                for where in self._target.places(harm.on):
                    yield (harm.effect, where, bystander), weight * BYSTANDER
                yield (action, harm.on, bystander), DETAIL
            for earlier, place in done:
                other = expected.harms[place]
                is_earlier = place != index and other.since_s <= harm.since_s
                if is_earlier and other.on != harm.on and other.active_at(harm.since_s):
                    yield frozenset({other.on, harm.on}), PAIR
                    yield (other.on, _hangs(other), harm.on, _hangs(harm)), ORDERED
                    yield (earlier, other.on, action, harm.on), DETAIL

    def _clients(self, sending: Sending) -> dict[frozenset[str], float]:
        """What clients of a load need, each with its share of the requests."""
        shares: dict[frozenset[str], float] = {}
        total = sum(endpoint.weight for endpoint in sending.load.endpoints)
        for endpoint in sending.load.endpoints:
            needed = needs(endpoint, self._target.topology)
            shares[needed] = shares.get(needed, 0.0) + endpoint.weight / total
        return shares

    def _felt(
        self,
        index: int,
        expected: Expected,
        sending: Sending,
        since_s: float,
        needed: frozenset[str],
        share: float,
    ) -> bool:
        """Whether clients are about when this harm is done, and enough of them to tell something.

        What they need may be harmed together with other things: afterwards all has to be as before. But
        of what they do not need nothing shows while something else excuses every answer.
        """
        harm, until_s = expected.harms[index], since_s + sending.duration_s
        if not since_s <= harm.since_s < until_s:
            return False
        matters = self._target.topology.matters
        if matters(harm.on, needed):
            return True
        end_s = until_s
        if harm.effect is not Effect.RETURNING and harm.ended_s is not None:
            end_s = min(until_s, harm.ended_s)
        asked = (end_s - harm.since_s) * sending.rate_rps * share
        return asked >= SAMPLES_LEAST and not any(
            matters(other.on, needed) and other.since_s < end_s for other in expected.harms
        )

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
        others = {other.on for place, other in harms if place != index and other.since_s <= end_s}
        excused = radius(others) | radius([harm.on])
        yield from (name for name in expected.topology.services if name not in excused)


def _hangs(harm: Harm) -> bool:
    return harm.effect in (Effect.HUNG, Effect.SILENT)


def _parts(plan: Scenario) -> Iterator[Scenario]:
    """Parts that begin with a fault or a load and hold a fault: every two or three steps, every run.

    A few steps tell most: in a long run soon everything is excused by something.
    """
    steps = plan.steps
    few = (Scenario(some) for count in (1, 2, FEW) for some in combinations(steps, count))
    runs = (
        plan[begin : begin + length]
        for length in range(FEW + 1, len(steps) + 1)
        for begin in range(len(steps) - length + 1)
    )
    for part in chain(few, runs):
        if part[0].action not in PASSIVE and is_harmful(part):
            yield part
