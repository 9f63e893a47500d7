"""Who is primary now: each member of a group is asked, as its ``x-knockon.role`` says.

A member that was not asked is not primary: it is down, frozen or under a fault already. Right after an
election nobody may know yet, and one who was frozen still believes what was true before; so they are asked
again until the answers make sense, for as long as the group may take to elect somebody.

In a simulation nobody leads anything. There it is the first member that runs, which is as good as any.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from fuzzer.actions.base import EFFECT_SEEN_S, Stage
from fuzzer.probes.ask import FAILURES, ask
from fuzzer.runtimes.able import Modelled, TellsRoles
from fuzzer.runtimes.base import ProcessState
from models.errors import StepInvalid
from models.expected import Expected
from models.members import group_of, room
from models.some import Some
from models.step import Step

ASK_EVERY_S = 0.2

PRIMARY = "is primary"


def aimed(step: Step, stage: Stage, expected: Expected) -> Step:
    """The step with the services that are primary now, where it names those of a group.

    Args:
        step: what the scenario says.
        stage: where it is about to play.
        expected: what was done so far, and until now.

    Raises:
        StepInvalid: nobody is primary, or more than may be harmed, or somebody that faults may not touch.
    """
    names: dict[str, None] = {}
    for name in step.targets:
        some = Some.parse(name)
        names |= dict.fromkeys(_primaries(some, stage, expected) if some else (name,))
    return replace(step, targets=tuple(names)) if step.targets else step


def _primaries(some: Some, stage: Stage, expected: Expected) -> tuple[str, ...]:
    members = group_of(some, stage.target).members
    harmed, most = expected.lasting(), room(stage.target, expected)
    clock = stage.runtime.clock
    until_s = clock.now() + group_of(some, stage.target).failover_s + EFFECT_SEEN_S
    while True:
        with ThreadPoolExecutor(len(members)) as pool:
            told = dict(zip(members, pool.map(lambda name: _role(name, stage, harmed), members), strict=True))
        found = tuple(name for name, role in told.items() if role == PRIMARY)
        if found and set(found) <= {*stage.target.faultable} and len(found) <= most:
            return found
        if clock.now() > until_s:
            raise StepInvalid(f"{some}: {_problem(found, told, stage, most)}")
        stage.pass_time(ASK_EVERY_S)


def _problem(found: tuple[str, ...], told: dict[str, str], stage: Stage, most: int) -> str:
    if not found:
        return "nobody says that it is primary: " + ", ".join(f"{name} {role}" for name, role in told.items())
    closed = [name for name in found if name not in stage.target.faultable]
    if closed:
        return f"{', '.join(closed)} is primary, and faults may not touch it"
    return f"{', '.join(found)} say that they are primary; x-knockon.safety.max_faults leaves room for {most}"


def _role(service: str, stage: Stage, harmed: tuple[str, ...]) -> str:
    """What it says, for people."""
    runtime, role = stage.runtime, stage.target.services[service].role
    state = runtime.status(service).state
    if service in harmed:
        return "is under a fault already"
    if state is not ProcessState.RUNNING:
        return f"is {state}"
    if isinstance(runtime, TellsRoles):
        return PRIMARY if runtime.is_primary(service) else "says that it is not"
    if isinstance(runtime, Modelled):
        return PRIMARY if service == _first_running(service, stage, harmed) else "follows"
    if role is None:
        return "has no x-knockon.role"
    try:
        status, body = ask(role.url, stage.target.limits.health_timeout_s)
    except FAILURES as error:
        return f"does not answer ({error})"
    if not 200 <= status < 300:
        return f"answers with HTTP {status}"
    is_primary = re.search(role.primary, body.decode("utf-8", "replace"), re.MULTILINE)
    return PRIMARY if is_primary else "says that it is not"


def _first_running(service: str, stage: Stage, harmed: tuple[str, ...]) -> str:
    group = stage.target.topology.group_of(service)
    runs = (
        name
        for name in (group.members if group else ())
        if name not in harmed and stage.runtime.status(name).state is ProcessState.RUNNING
    )
    return next(runs, "")
