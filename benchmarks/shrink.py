"""What it takes to make a failure small, in executions on the fleet.

    python -m benchmarks.shrink [--seeds 5]

The fleet is a simulated shop that shows its flaw only as often as told; what is counted are plays on it,
from the first failure until the smallest scenario is confirmed. The twin is the same shop, always honest.
Hypothesis' own shrinker cannot be told that a failure does not show each time, so it is counted at a rate
of 1 only. ddmin asks as often as ProbDD does before it believes that a part does not fail.

Sources: Zeller, Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 2002 (ddmin);
Wang et al., "Probabilistic Delta Debugging", ESEC/FSE 2021.

Bar: with the twin first a minimum takes at most 5 executions (median, at a rate of 1), and is always
minimal.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median

from benchmarks.bars import Bars, run
from benchmarks.shop import HARDENED
from fuzzer.config import RunConfig
from fuzzer.events import Played
from fuzzer.player import Player
from fuzzer.search.minimize import CONFIRMATIONS, minimize
from fuzzer.search.plans import Plans
from fuzzer.search.replays import SHRINKING_MISS, Replays
from fuzzer.search.written import write_plans
from fuzzer.session import Session, open_session
from models.errors import InvariantViolated, ScenarioError
from models.scenario import Scenario
from models.step import Step
from models.verdict import Outcome

RATES = (1.0, 0.6, 0.3)
STEPS = 8
EXECUTIONS_MOST = 2000
WRITTEN_MOST = 400
"""How many plans Hypothesis may write until one fails; what it does not find it cannot shrink."""
BUGS = {
    1: {"checkout-service": [{"when": {"analytics-service": "hung"}, "then": "exits"}]},
    2: {
        "analytics-service": [
            {"when": {"product-service": "hung", "orders-db": "gone"}, "then": "exits", "in_order": True}
        ]
    },
    3: {
        "analytics-service": [
            {
                "when": {"product-service": "hung", "orders-db": "gone", "user-service": "hung"},
                "then": "exits",
                "in_order": True,
            }
        ]
    },
}
"""What exits, by how many steps it takes."""

NEEDED = {
    1: "pause analytics-service",
    2: "pause product-service; kill orders-db",
    3: "pause product-service; kill orders-db; pause user-service",
}


class Flaky:
    """A fleet that shows its flaw only now and then, and counts what is played on it."""

    def __init__(self, fleet: Player, rate: float, seed: int) -> None:
        self._fleet = fleet
        self._rate = rate
        self._random = Random(seed)
        self.executions = 0

    def play(self, scenario: Scenario, stop_at: str | None) -> Played:
        """Play it once."""
        self.executions += 1
        played = self._fleet.play(scenario, "shrink", stop_at=stop_at)
        if played.violations and self._random.random() >= self._rate:
            held = tuple(replace(v, outcome=Outcome.HOLDS, violations=()) for v in played.verdicts)
            return replace(played, outcome=Outcome.HOLDS, violations=(), verdicts=held, complete=True)
        return played


Shrinker = Callable[[Session, Played, Flaky], "tuple[int, Scenario] | None"]
"""Executions until confirmed, and what came out; None where nothing did."""


def _replays(first: Played, fleet: Flaky) -> Replays:
    return Replays(
        fleet.play, first.violations[0].signature, lambda: fleet.executions < 2000, untested_holds=True
    )


def twin_first(session: Session, first: Played, fleet: Flaky) -> tuple[int, Scenario]:
    """Ask the twin, then confirm."""
    small = minimize(first, first.violations[0], _replays(first, fleet), session.runner)
    return small.settled, small.scenario


def prob_dd(session: Session, first: Played, fleet: Flaky) -> tuple[int, Scenario]:
    """Without a twin."""
    small = minimize(first, first.violations[0], _replays(first, fleet))
    return small.settled, small.scenario


def dd_min(session: Session, first: Played, fleet: Flaky) -> tuple[int, Scenario]:
    """Zeller's, with the same confirmations."""
    replays = _replays(first, fleet)
    replays.confirm(first.scenario, CONFIRMATIONS)

    def fails(steps: Sequence[Step]) -> bool:
        try:
            return bool(steps) and replays.shows(Scenario.of(steps), SHRINKING_MISS)
        except ScenarioError:
            return False

    steps, parts = list(first.scenario), 2
    while len(steps) >= 2:
        size = -(-len(steps) // parts)
        subsets = [steps[at : at + size] for at in range(0, len(steps), size)]
        rests = [[s for other in subsets if other is not subset for s in other] for subset in subsets]
        for candidates, then in ((subsets, 2), (rests, max(parts - 1, 2))):
            smaller = next((some for some in candidates if len(some) < len(steps) and fails(some)), None)
            if smaller:
                steps, parts = smaller, then
                break
        else:
            if parts >= len(steps):
                break
            parts = min(len(steps), 2 * parts)
    replays.confirm(Scenario.of(steps), max(0, CONFIRMATIONS - replays.counts(Scenario.of(steps))[1]))
    return fleet.executions, Scenario.of(steps)


def hypothesis(session: Session, first: Played, fleet: Flaky, seed: int = 0) -> tuple[int, Scenario] | None:
    """Its own shrinker, from whatever it finds first; only what is played after that is counted."""
    shown: list[Scenario] = []
    memo: dict[Scenario, bool] = {}
    signature = first.violations[0].signature

    def evaluate(plan: Scenario) -> None:
        if plan not in memo:
            memo[plan] = fleet.play(plan, signature).shows(signature)
            fleet.executions = fleet.executions if shown else 0
        if memo[plan]:
            shown.append(plan)
            raise InvariantViolated(signature)

    with tempfile.TemporaryDirectory() as folder:
        try:
            write_plans(
                session.target,
                session.actions,
                evaluate,
                number=seed,
                steps=STEPS,
                plans=WRITTEN_MOST,
                shrink_with=Path(folder),
            )
        except InvariantViolated:
            return fleet.executions, shown[-1]
    return None


def failing(session: Session, needed: str, seed: int) -> Played:
    """A scenario that fails, of as many steps as are played on a real fleet: what is needed among others."""
    random = Random(seed)
    plans = Plans(session.target, session.actions, STEPS, random)
    wanted = Scenario.parse(needed).steps
    while True:
        steps = list(plans.fresh().steps[: STEPS - len(wanted)])
        for step, place in zip(wanted, sorted(random.sample(range(STEPS), len(wanted))), strict=True):
            steps.insert(place, step)
        played = session.runner.play(plans.repaired(steps))
        if played.violations and played.violations[0].invariant == "isolation":
            return played


def is_minimal(session: Session, first: Played, scenario: Scenario) -> bool:
    """Whether it shows, and no step can be left out, on a fleet that is honest each time."""
    signature = first.violations[0].signature

    def shows(some: Scenario) -> bool:
        try:
            return session.runner.play(some, stop_at=signature).shows(signature)
        except ScenarioError:
            return False

    fewer = [scenario.without(index) for index in range(len(scenario))] if len(scenario) > 1 else []
    return shows(scenario) and not any(map(shows, fewer))


def main(bars: Bars) -> None:
    """One-, two- and three-step bugs at three rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    ways: dict[str, Shrinker] = {
        "Hypothesis": hypothesis,
        "ddmin": dd_min,
        "ProbDD": prob_dd,
        "twin first": twin_first,
    }
    rows: list[tuple[object, ...]] = []
    honest, minimal = [], []
    for steps, reactions in BUGS.items():
        with tempfile.TemporaryDirectory() as folder, _shop(reactions, Path(folder)) as session:
            firsts = [failing(session, NEEDED[steps], seed) for seed in range(options.seeds)]
            for rate in RATES:
                for name, shrink in ways.items():
                    if name == "Hypothesis" and rate < 1:
                        continue
                    results = [
                        shrink(session, first, Flaky(session.runner, rate, seed))
                        for seed, first in enumerate(firsts)
                    ]
                    counts = [result[0] for result in results if result]
                    small = [
                        is_minimal(session, first, result[1])
                        for first, result in zip(firsts, results, strict=True)
                        if result
                    ]
                    figures = (f"{median(counts):g}", max(counts)) if counts else ("not found", "")
                    rows.append((steps, rate, name, *figures, f"{sum(small)}/{len(small)}"))
                    bars.console.print(*rows[-1])
                    if name == "twin first":
                        minimal += small if rate == 1 else []
                        honest += counts if rate == 1 else []
    bars.table(
        "executions from the first failure to the confirmed minimum",
        ("steps", "rate", "shrinker", "median", "most", "minimal"),
        rows,
    )
    bars.hold("twin first, at a rate of 1, median", median(honest), "<=", 5)
    bars.hold("twin first, at a rate of 1, minimal", sum(minimal) / len(minimal), "==", 1)


def _shop(reactions: dict[str, list], folder: Path):
    """The hardened shop with one of these bugs, simulated."""
    override = folder / "bug.yaml"
    services = {name: {"x-knockon": {"model": {"reactions": some}}} for name, some in reactions.items()}
    override.write_text(json.dumps({"x-knockon": {"safety": {"max_faults": 3}}, "services": services}))
    return open_session(RunConfig((*HARDENED, override), runtime="sim", state=folder))


if __name__ == "__main__":
    run(main)
