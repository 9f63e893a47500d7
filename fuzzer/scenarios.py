"""What a whole scenario means: what is expected after each step, and whether it may be played."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from fuzzer.actions.base import Action
from fuzzer.actions.catalogue import ACTIONS, available
from fuzzer.runtimes.able import HasReplicas
from fuzzer.runtimes.base import Runtime, Undo
from models.errors import ScenarioError
from models.expected import Expected
from models.link import is_link
from models.members import is_within
from models.scenario import Scenario
from models.some import is_some, replica_of, service_of
from models.step import Step
from models.target import Target


def after(step: Step, expected: Expected) -> Expected:
    """What is expected after one more step, with nominal times; of several turns, after each in its order."""
    action = ACTIONS[step.action]
    turns = action.turns(step)
    if turns:
        for turn in turns:
            expected = after(turn, expected)
        return expected
    begun = action.begin(step, expected)
    return action.end(step, begun.passed(action.nominal_s(step)))


def during(step: Step, before: Expected, ended_s: float) -> Expected:
    """What is expected after a step that was played; when its turns were is taken from the plan."""
    action = ACTIONS[step.action]
    if action.turns(step):
        return after(step, before)
    return action.end(step, action.begin(step, before).at(ended_s))


def fold(steps: Iterable[Step], expected: Expected) -> Iterator[tuple[Step, Expected, Expected]]:
    """Each step, with what is expected before and after it."""
    for step in steps:
        before, expected = expected, after(step, expected)
        yield step, before, expected


def is_harmful(scenario: Scenario) -> bool:
    """Whether a scenario holds any fault at all."""
    return any(ACTIONS[step.action].harmful for step in scenario)


def resolved(scenario: Scenario, target: Target) -> Scenario:
    """The scenario with services in the place of parts of groups, as far as these are known beforehand.

    The same scenario comes out each time, and of that one the same again; a part that depends on who is
    primary stays, for that is asked when it is played.

    Raises:
        ScenarioError: a step makes no sense for this target.
    """
    if not any(map(_is_open, scenario)):
        return scenario
    steps: list[Step] = []
    expected = _untouched(target)
    for written in scenario:
        action = _action_of(written)
        step = action.resolved(written, target, expected)
        action.check(step, target)
        steps.append(step)
        expected = after(step, expected)
    return Scenario.of(steps)


def undos(scenario: Scenario, target: Target) -> list[Undo]:
    """What lifts everything that a scenario will do; each member where any of them may be harmed.

    Whoever faults may not touch is not started or woken either: somebody may want it down.
    """
    found: list[Undo] = []
    for step in scenario:
        meant = (one for name in step.targets for one in target.topology.may_mean(name))
        names = dict.fromkeys(n for n in meant if is_link(n) or service_of(n) in target.faultable)
        found += ACTIONS[step.action].undo(Step(step.action, tuple(names), step.params))
    return found


def _is_open(step: Step) -> bool:
    """Whether something of it may still be resolved; most scenarios are looked at thousands of times."""
    return not step.targets or any(map(is_some, step.targets))


def check_scenario(scenario: Scenario, target: Target, runtime: Runtime | None = None) -> None:
    """Refuse a scenario that cannot or may not be played here; without a runtime, nowhere.

    Raises:
        ScenarioError: at the first step that makes no sense for this target or this runtime, or that
            would harm more services at once than the target allows.
    """
    scenario = resolved(scenario, target)
    able = ACTIONS if runtime is None else available(runtime)
    for step in scenario:
        _check_step(step, target, able, runtime)
    for step, before, then in fold(scenario, _untouched(target)):
        if ACTIONS[step.action].harmful:
            _check_safety(step, before, then, target)


def _check_step(step: Step, target: Target, able: Collection[str], runtime: Runtime | None) -> None:
    action = _action_of(step)
    if runtime is not None and step.action not in able:
        raise ScenarioError(f"`{step}`: {action.refusal(runtime)}")
    action.check(step, target)
    if runtime is not None:
        for name in step.targets:
            _check_replica(name, step, runtime)


def _action_of(step: Step) -> Action:
    if step.action not in ACTIONS:
        raise ScenarioError(
            f"`{step}`: there is no action {step.action!r}; expected one of: {', '.join(ACTIONS)}"
        )
    return ACTIONS[step.action]


def _check_replica(name: str, step: Step, runtime: Runtime) -> None:
    number = replica_of(name)
    if number is None:
        return
    if not isinstance(runtime, HasReplicas):
        raise ScenarioError(f"`{step}`: the runtime {runtime.name} does not tell replicas apart")
    known = runtime.replicas(service_of(name))
    if number not in known:
        have = ", ".join(f"{service_of(name)}#{one}" for one in known)
        raise ScenarioError(f"`{step}`: there is no {name} here; expected one of: {have or 'none'}")


def _check_safety(step: Step, before: Expected, then: Expected, target: Target) -> None:
    if obstacle := ACTIONS[step.action].obstacle(step, target, before):
        raise ScenarioError(f"`{step}`: {obstacle}")
    for now in _moments(step, before, then):
        together, most = now.active(), target.safety.max_faults
        if len(together) > most:
            raise ScenarioError(
                f"`{step}`: would harm {len(together)} services at once ({', '.join(together)}); "
                f"x-knockon.safety.max_faults allows {most}"
            )
        if not is_within(target, now):
            raise ScenarioError(f"`{step}`: {_too_wide(target, together)}")


def _moments(step: Step, before: Expected, then: Expected) -> Iterator[Expected]:
    """What is expected after each turn of a step, for in the middle more may be in force than at its end."""
    for _, _, now in fold(ACTIONS[step.action].turns(step), before):
        yield now
    yield then


def _too_wide(target: Target, together: Collection[str]) -> str:
    reached, services = target.topology.reach(together), target.topology.services
    names = [name for name in services if name in reached]
    return (
        f"with it {len(names)} of {len(services)} services ({len(names) / len(services):.0%}) are inside the "
        f"blast radius of what is in force ({', '.join(together)}): {', '.join(names)}; "
        f"x-knockon.safety.max_blast_radius allows {target.safety.max_blast_radius:g}"
    )


def _untouched(target: Target) -> Expected:
    return Expected(target.topology, target.limits.recovery_s_max)
