"""How fast the simulation is: in scenarios, against SimPy, and beside Hypothesis' own work.

    python -m benchmarks.sim [--times 5] [--only speed kernel machine]

Three figures. What the shop's twin plays in a second of this machine, at 20 requests a second and through
the whole corridor (gate, baseline, steps, watch, heal, settle, read back, judge): at least 500 virtual
seconds. Events a second against SimPy, in turn and on the same model, ten services of two replicas with
bounded workers, timeouts and calls three deep: at least 3 times as many. And steps a second of the machine
that writes plans of 30 steps, against an empty ``RuleBasedStateMachine`` with as many rules and draws: at
least 0.3 of that where every plan is played on a simulated fleet, at least 0.8 where none is.

Ratios are the median of several rounds, in each of which both sides take their turn; the machine's are of
the processor's time, since other programs are none of its business.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from random import Random
from statistics import median

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from benchmarks.bars import Bars, run
from benchmarks.kernels import on_ours, on_simpy
from benchmarks.shop import HARDENED
from fuzzer.actions.base import Action
from fuzzer.actions.catalogue import available
from fuzzer.events import Events, Played
from fuzzer.recorder import Recorder
from fuzzer.runner import Runner
from fuzzer.runtimes.sim.runtime import SimRuntime
from fuzzer.search.machine import build_machine
from fuzzer.search.plans import Plans
from fuzzer.targets.files import load_target
from invariants.catalogue import INVARIANTS
from models.scenario import Scenario
from models.step import Step
from models.target import Target

VIRTUAL_TIMES, SIMPY_TIMES, PLAYED_SHARE, IDLE_SHARE = 500.0, 3.0, 0.3, 0.8
PLAN_STEPS, PLANS = 30, 30

UNDER_LOAD = (
    "load checkout 30s 20rps; wait 5s; crash orders-db; wait 10s",
    "load checkout 30s 20rps; wait 5s; pause product-service; wait 2s; unpause product-service; wait 8s",
    "load browse 30s 20rps; wait 5s; restart checkout-service; wait 10s; kill analytics-service; wait 5s",
)


class Twin:
    """Plays scenarios, each on a fleet of its own, as a session does."""

    def __init__(self) -> None:
        self.target: Target = load_target(HARDENED, {})
        self.first = SimRuntime(self.target)
        self.virtual_s = 0.0

    def play(self, scenario: Scenario) -> Played:
        """Play it, and add up how much time passed in it."""
        with self.first.anew() as fleet:
            recorder = Recorder(self.target.topology.services, self.target.limits)
            fleet.watch(recorder)
            loads = fleet.loads(recorder)
            played = Runner(self.target, fleet, recorder, INVARIANTS, Events(), loads).play(scenario)
        self.virtual_s += played.seconds
        return played


def wall_s(do: Callable[[], object]) -> float:
    """Seconds that something takes."""
    began_s = time.perf_counter()
    do()
    return time.perf_counter() - began_s


def speed(bars: Bars, times: int) -> None:
    """Scenarios and virtual seconds a second."""
    twin = Twin()
    plans = Plans(twin.target, available(twin.first), PLAN_STEPS, Random(1))
    loadless = [name for name in available(twin.first) if name not in ("load", "ramp", "burst")]
    kinds: Mapping[str, Sequence[Scenario]] = {
        "one fault": [Scenario.parse(f"crash {name}") for name in twin.target.faultable] * 10,
        "8 steps without load": [plans.fresh(*loadless)[:8] for _ in range(30)],
        "30 steps without load": [plans.fresh(*loadless) for _ in range(20)],
        "30 steps": [plans.fresh() for _ in range(20)],
        "30 s at 20 rps": [Scenario.parse(text) for text in UNDER_LOAD] * 3,
    }
    rows = []
    for name, scenarios in kinds.items():
        spent_s, twin.virtual_s = [], 0.0
        for _ in range(times):
            spent_s.append(wall_s(lambda scenarios=scenarios: [twin.play(each) for each in scenarios]))
        ratio = twin.virtual_s / times / median(spent_s)
        rows.append((name, f"{len(scenarios) / median(spent_s):.0f}", f"{ratio:.0f}"))
    bars.table("the shop", ("scenarios", "a second", "virtual seconds a second"), rows)
    bars.hold("virtual seconds a second at 20 rps", ratio, ">=", VIRTUAL_TIMES)


def kernels(bars: Bars, times: int) -> None:
    """The same model, played by both in turn."""
    ratios = []
    for number in range(times):
        ours, theirs = on_ours(number), on_simpy(number)
        assert ours.answered == theirs.answered
        ratios.append(theirs.wall_s / ours.wall_s)
        rate = f"{ours.events / ours.wall_s:,.0f} events a second"
        bars.console.print(
            f"{ours.answered} requests: {ours.wall_s:.2f} s ({rate}); SimPy {theirs.wall_s:.2f} s"
        )
    bars.hold("times as fast as SimPy", median(ratios), ">=", SIMPY_TIMES)


# The machine.


def steps_per_s(machine: type[RuleBasedStateMachine]) -> float:
    """Steps a second of a machine that calls ``append`` for each."""
    wanted = settings(
        max_examples=PLANS,
        stateful_step_count=PLAN_STEPS,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    steps = 0

    class Counting(machine):  # type: ignore[misc, valid-type]
        def append(self, *step: Step) -> None:
            nonlocal steps
            steps += 1
            super().append(*step)

    began_s = time.process_time()
    run_state_machine_as_test(seed(1)(Counting), settings=wanted)
    return steps / (time.process_time() - began_s)


class EmptyMachine(RuleBasedStateMachine):
    """Does nothing."""

    def append(self) -> None:
        """A step that is none."""


def empty_machine(actions: Mapping[str, Action]) -> type[RuleBasedStateMachine]:
    """A machine with a rule for each action that draws as much, and does nothing."""

    def rule_for(action: Action) -> object:
        draws = 2 * bool(action.most_targets) + len(action.params)

        def draw(self: EmptyMachine, data: st.DataObject) -> None:
            for _ in range(draws):
                data.draw(st.sampled_from(range(6)))
            self.append()

        draw.__name__ = action.name
        return precondition(lambda machine: True)(rule(data=st.data())(draw))

    return type("Empty", (EmptyMachine,), {name: rule_for(action) for name, action in actions.items()})


def machine(bars: Bars, times: int) -> None:
    """The machine that writes plans, with and without a fleet, against an empty one."""
    twin, played = Twin(), 0
    actions = available(twin.first)

    def play(scenario: Scenario) -> None:
        nonlocal played
        played += len(scenario)
        twin.play(scenario)

    shares: dict[str, list[float]] = {"played": [], "only written": []}
    for _ in range(times):
        empty = steps_per_s(empty_machine(actions))
        told = [f"{empty:.0f} steps a second of an empty machine"]
        for name, evaluate in (("played", play), ("only written", lambda scenario: None)):
            rate = steps_per_s(build_machine(twin.target, actions, evaluate))
            shares[name].append(rate / empty)
            told.append(f"{rate:.0f} {name}")
        bars.console.print(", ".join(told))
    bars.console.print(f"{played / times:.0f} steps a round were of plans that do harm, and played")
    bars.hold("share of an empty machine's steps, played", median(shares["played"]), ">=", PLAYED_SHARE)
    bars.hold("share, only written", median(shares["only written"]), ">=", IDLE_SHARE)


PARTS = {"speed": speed, "kernel": kernels, "machine": machine}


def main(bars: Bars) -> None:
    """All three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    options = parser.parse_args()
    for name in options.only:
        PARTS[name](bars, options.times)


if __name__ == "__main__":
    run(main)
