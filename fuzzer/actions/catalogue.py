"""Every action. New ones go to the end: the order is part of how Hypothesis shrinks."""

from __future__ import annotations

from collections.abc import Mapping

from fuzzer.actions.base import Action
from fuzzer.actions.crash import Crash
from fuzzer.actions.heal import Heal
from fuzzer.actions.kill import Kill
from fuzzer.actions.load import Load
from fuzzer.actions.pause import Pause
from fuzzer.actions.restart import Restart
from fuzzer.actions.start import Start
from fuzzer.actions.stop import Stop
from fuzzer.actions.unpause import Unpause
from fuzzer.actions.wait import Wait
from fuzzer.runtimes.base import Runtime
from models.errors import ScenarioError
from models.scenario import Scenario
from models.target import Target

ACTIONS: Mapping[str, Action] = {
    action.name: action
    for action in (Crash(), Kill(), Stop(), Pause(), Restart(), Wait(), Load(), Start(), Unpause(), Heal())
}


def available(runtime: Runtime) -> dict[str, Action]:
    """The actions that a runtime can do."""
    return {
        name: action
        for name, action in ACTIONS.items()
        if action.needs is None or isinstance(runtime, action.needs)
    }


def check_scenario(scenario: Scenario, target: Target, runtime: Runtime | None = None) -> None:
    """Refuse a scenario that cannot be played here; without a runtime, one that can be played nowhere.

    Raises:
        ScenarioError: at the first step that makes no sense for this target or this runtime.
    """
    can_do = ACTIONS if runtime is None else available(runtime)
    for step in scenario:
        if step.action not in ACTIONS:
            raise ScenarioError(
                f"`{step}`: there is no action {step.action!r}; expected one of: {', '.join(ACTIONS)}"
            )
        if runtime is not None and step.action not in can_do:
            raise ScenarioError(f"`{step}`: the runtime {runtime.name} cannot {step.action}")
        can_do[step.action].check(step, target)
