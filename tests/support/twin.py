"""Simulated fleets for tests: made from compose text, and played through the whole corridor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fuzzer.events import Events, Played
from fuzzer.recorder import Recorder
from fuzzer.runner import Runner
from fuzzer.runtimes.sim.runtime import SimRuntime
from fuzzer.targets.files import load_target
from invariants.catalogue import INVARIANTS
from models.scenario import Scenario
from models.target import Target

SHOP = Path(__file__).parents[2] / "examples" / "shop"
FRAGILE = SHOP / "compose.yaml"
HARDENED = SHOP / "compose.hardened.yaml"


def shop(*flaws: str, hardened: bool = True, more: Sequence[Path] = ()) -> Target:
    """The example shop as its twin, with some of its flaws."""
    files = [FRAGILE, *([HARDENED] if hardened else []), *(SHOP / "twin" / f"{flaw}.yaml" for flaw in flaws)]
    return load_target([*files, *more], {})


def play(target: Target, scenario: str | Scenario, seed: int = 0) -> Played:
    """Play a scenario on a fleet that nothing has happened to."""
    with SimRuntime(target, seed=seed) as fleet:
        return play_on(fleet, scenario)


def play_on(fleet: SimRuntime, scenario: str | Scenario) -> Played:
    """Play a scenario on a fleet that was entered."""
    recorder = Recorder(fleet.target.topology.services, fleet.target.limits)
    fleet.watch(recorder)
    runner = Runner(fleet.target, fleet, recorder, INVARIANTS, Events(), fleet.loads(recorder))
    return runner.play(Scenario.parse(scenario) if isinstance(scenario, str) else scenario)


def signatures(played: Played) -> list[str]:
    """What was broken."""
    return [violation.signature for violation in played.violations]
