"""A fleet that breaks on three faults in one order, and shows no more of it than a fleet would.

Twelve services that need nobody, and five faults: sixty things to do. Three of them, on three services,
are the flaw: done in their order, with anything before, between and after them, they break a promise.
What is seen on the way is a state that changed: from the first on a fourth service is unhealthy, from
the second after the first on a fifth, until the scenario ends. All this is in the history, and nowhere
else; of everything else the history shows what a fleet shows, too: who is down or hangs, and since when.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random

from fuzzer.actions.base import Action
from fuzzer.actions.catalogue import ACTIONS
from fuzzer.actions.kill import Kill
from fuzzer.events import Played
from models.expected import Expected
from models.history import History, PlayedStep
from models.observation import Health
from models.scenario import Scenario
from models.step import Step
from models.target import Safety, Service, Target
from models.topology import Topology
from models.verdict import Outcome

SERVICES = tuple(f"service-{number:02}" for number in range(1, 13))
STEP_S, PROBE_S = 0.1, 0.5


class KillOne(Kill):
    """``kill`` of one service at a time, so that there are sixty things to do and not thousands."""

    def at_once(self, target: Target, expected: Expected) -> int:
        """One."""
        return 1


DEEDS: Mapping[str, Action] = {name: ACTIONS[name] for name in ("crash", "stop", "pause", "restart")} | {
    "kill": KillOne()
}

FLEET = Target(
    name="hidden",
    directory=Path("."),
    services={name: Service(name) for name in SERVICES},
    topology=Topology(SERVICES),
    safety=Safety(max_faults=len(SERVICES)),
)


class HiddenTriple:
    """Plays scenarios on a fleet with one such flaw; another seed hides another."""

    def __init__(self, seed: int) -> None:
        random = Random(f"hidden {seed}")  # not the numbers that a search of the same seed draws
        *victims, first, second = random.sample(SERVICES, 5)
        self.flaw = tuple(Step.of(random.choice(tuple(DEEDS)), name) for name in victims)
        self._witnesses = (first, second)

    def __call__(self, scenario: Scenario) -> Played:
        """Play it, a step a second; VIOLATED once the flaw was met."""
        expected, reached = Expected(FLEET.topology, FLEET.limits.recovery_s_max), 0
        steps: list[PlayedStep] = []
        health: list[Health] = []
        for second, step in enumerate(scenario):
            reached += reached < len(self.flaw) and step == self.flaw[reached]
            begun = DEEDS[step.action].begin(step, expected.at(second))
            expected = DEEDS[step.action].end(step, begun.passed(STEP_S))
            steps.append(PlayedStep(step, second, second + STEP_S))
            health += _probes(
                second + PROBE_S, {*expected.lasting(), *step.targets, *self._witnesses[:reached]}
            )
        healed_s = float(len(scenario))
        history = History(
            scenario=scenario,
            expected=expected.at(healed_s).all_relieved(),
            began_s=0.0,
            healed_s=healed_s,
            ended_s=healed_s + 1,
            steady=True,
            steps=tuple(steps),
            health=(*health, *_probes(healed_s + PROBE_S, set())),
        )
        found = reached == len(self.flaw)
        return Played(scenario, Outcome.VIOLATED if found else Outcome.HOLDS, history=history)


def _probes(at_s: float, unhealthy: set[str]) -> list[Health]:
    """One probe of each service."""
    return [Health(name, at_s, at_s + 0.002, name not in unhealthy) for name in SERVICES]
