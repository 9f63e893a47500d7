"""What is played to learn how a fleet behaves: every service harmed alone, in each way, and a few starts."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from models.load import Load
from models.scenario import Scenario
from models.step import Step
from models.target import Target

SHORT_S, STARTED_S = 1.0, 1.5
"""How long a stop lasts, and how long a start is watched."""


def series(target: Target, actions: Container[str], services: Iterable[str] = ()) -> Iterator[Scenario]:
    """The scenarios, for these services or for all; of these actions only.

    Two services are touched where one is started while another that it needs is away: nothing else tells
    whether it can. That is one harm too many where ``max_faults`` is 1.
    """
    wanted = tuple(services) or target.faultable
    for service in wanted:
        for steps in _alone(service, target):
            if all(step.action in actions for step in steps):
                yield Scenario.of(steps)
    for edge in target.topology.dependencies:
        caller, needed = edge.caller, edge.dependency
        both = caller in wanted and {caller, needed} <= set(target.faultable)
        if both and target.safety.max_faults > 1 and "kill" in actions and "restart" in actions:
            yield Scenario.of([Step.of("kill", needed), Step.of("restart", caller), _wait(STARTED_S)])


def _alone(service: str, target: Target) -> Iterator[list[Step]]:
    watched_s = target.limits.observe_s
    load = _load_of(service, target)
    beside = [Step.of("load", load.name, duration_s=_number(watched_s))] if load else []
    yield [Step.of("crash", service)]
    yield [Step.of("restart", service)]
    yield [Step.of("stop", service), _wait(SHORT_S)]
    yield [*beside, Step.of("kill", service), _wait(watched_s)]
    yield [*beside, Step.of("pause", service), _wait(watched_s)]


def _load_of(service: str, target: Target) -> Load | None:
    """A load that comes by this service, else any."""
    for load in target.loads.values():
        if any(service in target.topology.needs(each.entry) for each in load.endpoints):
            return load
    return next(iter(target.loads.values()), None)


def _wait(seconds: float) -> Step:
    return Step.of("wait", duration_s=_number(max(seconds, 0.1)))


def _number(seconds: float) -> int | float:
    """As a person would write it."""
    return int(seconds) if float(seconds).is_integer() else round(seconds, 3)
