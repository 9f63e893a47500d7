"""What a whole scenario means: what is expected after each step, and whether it may be played."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from fuzzer.actions.catalogue import ACTIONS, available
from fuzzer.runtimes.base import Runtime
from models.errors import ScenarioError
from models.expected import Expected
from models.scenario import Scenario
from models.step import Step
from models.target import Target


def after(step: Step, expected: Expected) -> Expected:
    """What is expected after one more step, with nominal times."""
    action = ACTIONS[step.action]
    begun = action.begin(step, expected)
    return action.end(step, begun.passed(action.nominal_s(step)))


def fold(steps: Iterable[Step], expected: Expected) -> Iterator[tuple[Step, Expected, Expected]]:
    """Each step, with what is expected before and after it."""
    for step in steps:
        before, expected = expected, after(step, expected)
        yield step, before, expected


def is_harmful(scenario: Scenario) -> bool:
    """Whether a scenario holds any fault at all."""
    return any(ACTIONS[step.action].harmful for step in scenario)


def check_scenario(scenario: Scenario, target: Target, runtime: Runtime | None = None) -> None:
    """Refuse a scenario that cannot or may not be played here; without a runtime, nowhere.

    Raises:
        ScenarioError: at the first step that makes no sense for this target or this runtime, or that
            would harm more services at once than the target allows.
    """
    able = ACTIONS if runtime is None else available(runtime)
    for step in scenario:
        _check_step(step, target, able, runtime)
    for step, before, then in fold(scenario, Expected(target.topology, target.limits.recovery_s_max)):
        if ACTIONS[step.action].harmful:
            _check_safety(step, before, then, target)


def _check_step(step: Step, target: Target, able: Collection[str], runtime: Runtime | None) -> None:
    if step.action not in ACTIONS:
        raise ScenarioError(
            f"`{step}`: there is no action {step.action!r}; expected one of: {', '.join(ACTIONS)}"
        )
    if runtime is not None and step.action not in able:
        raise ScenarioError(f"`{step}`: the runtime {runtime.name} cannot {step.action}")
    ACTIONS[step.action].check(step, target)


def _check_safety(step: Step, before: Expected, then: Expected, target: Target) -> None:
    if obstacle := ACTIONS[step.action].obstacle(step, target, before):
        raise ScenarioError(f"`{step}`: {obstacle}")
    together, most = then.active(), target.safety.max_faults
    if len(together) > most:
        raise ScenarioError(
            f"`{step}`: would harm {len(together)} services at once ({', '.join(together)}); "
            f"x-knockon.safety.max_faults allows {most}"
        )
