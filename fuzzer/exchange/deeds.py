"""A scenario as commands of the Docker client, so that it can be done without knockon.

What a client of the engine can do is translated; what it cannot (loads, faults of connections and resources)
is told in words and left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from fuzzer.actions.catalogue import ACTIONS
from models.scenario import Scenario
from models.some import replica_of, service_of
from models.step import Step

Containers: TypeAlias = Callable[[str], Sequence[str]]
"""The names of a service's containers, in the order of their numbers."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing to do. Exactly one of the three is set.

    Attributes:
        words: a command, word by word.
        wait_s: time to let pass.
        untold: a step that has no equivalent.
    """

    step: str
    words: tuple[str, ...] = ()
    wait_s: float = 0.0
    untold: str = ""


_VERBS = {
    "kill": ("kill",),
    "stop": ("stop",),
    "start": ("start",),
    "restart": ("restart", "--time", "0"),
    "pause": ("pause",),
    "unpause": ("unpause",),
}
_UNDO = {"kill": "start", "stop": "start", "pause": "unpause"}
_LIFTED_BY = {"start": ("kill", "stop"), "unpause": ("pause",), "restart": ("kill", "stop")}


def deeds(scenario: Scenario, containers: Containers) -> Iterator[Deed]:
    """Everything that the scenario does, in its order, and at its end what lifts it."""
    harmed: dict[str, str] = {}
    for step in _flat(scenario):
        yield from _deeds(step, containers, harmed)
    yield from _heal("heal all", list(harmed), containers, harmed)


def harms(scenario: Scenario) -> Iterator[Step]:
    """Each harm that lasts until it is lifted, once, as a step on one target."""
    yield from dict.fromkeys(
        Step(step.action, (name,))
        for step in _flat(scenario)
        if step.action in _UNDO
        for name in step.targets
    )


def lifting(harm: Step, containers: Containers) -> Deed:
    """What lifts it."""
    verb = _UNDO[harm.action]
    return Deed(f"{verb} {harm.targets[0]}", ("docker", verb, *_of(harm.targets[0], containers)))


def _flat(scenario: Scenario) -> Iterator[Step]:
    """Each step, and in the place of a series its turns."""
    for step in scenario:
        yield from ACTIONS[step.action].turns(step) or (step,)


def _deeds(step: Step, containers: Containers, harmed: dict[str, str]) -> Iterator[Deed]:
    match step.action:
        case "wait":
            yield Deed(str(step), wait_s=step.number("duration_s"))
        case "heal":
            names = list(harmed) if "all" in step.targets else [n for n in step.targets if n in harmed]
            yield from _heal(str(step), names, containers, harmed)
        case "crash":
            for name in step.targets:
                for container in _of(name, containers):
                    yield Deed(str(step), ("sh", "-c", _CRASH.format(container)))
        case verb if verb in _VERBS:
            for name in step.targets:
                yield Deed(str(step), ("docker", *_VERBS[verb], *_of(name, containers)))
                if verb in _UNDO:
                    harmed[name] = verb
                elif harmed.get(name) in _LIFTED_BY[verb]:
                    del harmed[name]
        case _:
            yield Deed(str(step), untold=f"{step.action} has no equivalent in the Docker client")


_CRASH = "kill -9 $(docker inspect --format '{{{{.State.Pid}}}}' {})"
"""The engine's own kill would call the restart policy off; this needs root on the engine's machine."""


def _heal(step: str, names: Sequence[str], containers: Containers, harmed: dict[str, str]) -> Iterator[Deed]:
    for name in names:
        yield Deed(step, ("docker", _UNDO[harmed.pop(name)], *_of(name, containers)))


def _of(name: str, containers: Containers) -> Sequence[str]:
    """The containers that a target means: those of a service, or one replica."""
    every = containers(service_of(name))
    number = replica_of(name)
    return every if number is None else every[number - 1 : number] or (f"{service_of(name)}-{number}",)


def by_compose(project: str) -> Containers:
    """Names as compose gives them to a service with one container."""
    return lambda service: (f"{project}-{service}-1",)
