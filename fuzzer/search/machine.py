"""Hypothesis writes scenarios: a state machine whose rules only append steps to a plan.

Nothing is played until the plan is complete, and what may be drawn depends on the topology and on
what is *expected* after the steps so far, never on what a fleet really did. A machine that acted at
once on a fleet that is not deterministic would confuse Hypothesis, and lose failures.

There is one rule an action, so that Hypothesis' swarm testing can leave whole actions out of a
scenario: that finds rare combinations many times sooner.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from fuzzer.actions.base import Action
from fuzzer.actions.catalogue import ACTIONS
from fuzzer.scenarios import after
from models.expected import Expected
from models.scenario import Scenario
from models.step import Step
from models.target import Target

T = TypeVar("T")


class PlanMachine(RuleBasedStateMachine):
    """A plan, and what is expected after it. Subclasses made by ``build_machine`` add the rules."""

    target: ClassVar[Target]
    evaluate: ClassVar[Callable[[Scenario], None]]

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self.expected = Expected(self.target.topology, self.target.limits.recovery_s_max)

    def append(self, step: Step) -> None:
        """Add a step, and fold it into what is expected."""
        self.expected = after(step, self.expected)
        self.steps.append(step)

    def teardown(self) -> None:
        """The plan is complete: hand it over, unless Hypothesis gave it up half-way."""
        if sys.exc_info()[0] is None and any(ACTIONS[step.action].harmful for step in self.steps):
            type(self).evaluate(Scenario.of(self.steps))


def build_machine(
    target: Target, actions: Mapping[str, Action], evaluate: Callable[[Scenario], None]
) -> type[PlanMachine]:
    """A machine for this target, with one rule for each action.

    Args:
        target: whose services and loads are drawn.
        actions: what the runtime can do, in the fixed order of the catalogue.
        evaluate: called with each complete plan that does any harm; raises if it fails.
    """
    rules = {name: _rule_for(action, target) for name, action in actions.items()}
    members = {"target": target, "evaluate": staticmethod(evaluate), "__doc__": PlanMachine.__doc__, **rules}
    return type(f"PlanMachine_{target.digest}", (PlanMachine,), members)


def _rule_for(action: Action, target: Target) -> Any:  # Hypothesis has no public type for a rule
    def applies(machine: PlanMachine) -> bool:
        return bool(action.candidates(target, machine.expected))

    def draw(self: PlanMachine, data: st.DataObject) -> None:
        def pick(some: Sequence[T]) -> T:
            return data.draw(st.sampled_from(some))

        self.append(action.draw(target, self.expected, pick))

    draw.__name__ = action.name
    draw.__doc__ = action.summary
    return precondition(applies)(rule(data=st.data())(draw))
