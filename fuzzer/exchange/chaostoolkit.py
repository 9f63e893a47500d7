"""Chaos Toolkit experiments: a scenario written as one, and one read as a scenario.

The format is that of https://chaostoolkit.org/reference/api/experiment/ (version 1.0.0). Its ``process``
provider runs the Docker client; a pause after an action is a wait. Its hypothesis asks every service that
tells its health by HTTP, before the method and after it, when all is healed again. What is healed at the end
stands among the rollbacks, too, for experiments that are broken off.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fuzzer.exchange.deeds import Containers, Deed, deeds, harms, lifting
from models.errors import RequestError, ScenarioError
from models.scenario import Scenario
from models.step import Json, Step
from models.target import Target

ACTION_LIMIT_S = 60.0


def experiment(scenario: Scenario, target: Target, containers: Containers) -> dict[str, Json]:
    """The experiment as plain data.

    Raises:
        RequestError: nothing of the scenario can be done by a client of the engine.
    """
    every = list(deeds(scenario, containers))
    method = list(_method(every, target.limits.observe_s))
    if not method:
        raise RequestError(f"nothing of `{scenario}` can be done by the Docker client")
    untold = [f"{deed.step} was left out: {deed.untold}." for deed in every if deed.untold]
    made: dict[str, Json] = {
        "version": "1.0.0",
        "title": f"{target.name}: {scenario}",
        "description": " ".join(["Written by knockon.", *untold]),
        "tags": ["knockon"],
        "extensions": [{"name": "knockon", "scenario": str(scenario)}],
        "steady-state-hypothesis": {
            "title": f"every service of {target.name} is healthy",
            "probes": list(_probes(target)),
        },
        "method": list(method),
        "rollbacks": list(_rollbacks(scenario, containers)),
    }
    return made


def _probes(target: Target) -> Iterator[Json]:
    for name, service in target.services.items():
        if service.health.url:
            yield {
                "type": "probe",
                "name": f"{name} is healthy",
                "tolerance": {"type": "range", "range": [200, 299], "target": "status"},
                "provider": {
                    "type": "http",
                    "url": service.health.url,
                    "timeout": target.limits.health_timeout_s,
                },
            }


def _method(every: Iterable[Deed], settle_s: float) -> Iterator[dict[str, Json]]:
    """Activities; a wait becomes a pause after the one before it."""
    last: dict[str, Json] | None = None
    before_s = after_s = 0.0
    for deed in every:
        if deed.wait_s:
            if last is None:
                before_s += deed.wait_s
            else:
                after_s += deed.wait_s
                last["pauses"] = {**_pauses(last), "after": after_s}
            continue
        if not deed.words:
            continue
        if last is not None:
            yield last
        last = _action(deed)
        if before_s:
            last["pauses"] = {"before": before_s}
        before_s = after_s = 0.0
    if last is not None:
        last["pauses"] = {**_pauses(last), "after": after_s + settle_s}
        yield last


def _rollbacks(scenario: Scenario, containers: Containers) -> Iterator[Json]:
    """What lifts each harm that lasts, whichever of them were done."""
    for step in harms(scenario):
        yield _action(lifting(step, containers))


def _action(deed: Deed) -> dict[str, Json]:
    path, *arguments = deed.words
    return {
        "type": "action",
        "name": deed.step,
        "provider": {"type": "process", "path": path, "arguments": [*arguments], "timeout": ACTION_LIMIT_S},
    }


def _pauses(activity: Mapping[str, Json]) -> dict[str, Json]:
    found = activity.get("pauses")
    return dict(found) if isinstance(found, dict) else {}


class _Pauses(BaseModel):
    model_config = ConfigDict(extra="ignore")
    before: float = 0.0
    after: float = 0.0


class _Provider(BaseModel):
    model_config = ConfigDict(extra="ignore")
    type: Literal["process"]
    path: str
    arguments: str | list[str] | dict[str, str] = []


class _Action(BaseModel):
    model_config = ConfigDict(extra="ignore")
    type: Literal["action"]
    name: str = ""
    provider: _Provider
    pauses: _Pauses = _Pauses()


class _Other(BaseModel):
    """A probe: it harms nobody, and is left out."""

    model_config = ConfigDict(extra="ignore")
    type: Literal["probe"]
    pauses: _Pauses = _Pauses()


class _Experiment(BaseModel):
    model_config = ConfigDict(extra="ignore")
    title: str
    method: list[Annotated[_Action | _Other, Field(discriminator="type")]]


def scenario_of(text: str, target: Target, place: str) -> Scenario:
    """Read an experiment whose actions kill, stop, start, restart, pause or unpause containers.

    Raises:
        RequestError: it is no experiment, or holds an action of another kind; the message says which.
    """
    try:
        read = _Experiment.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise RequestError(
            f"{place}: is no Chaos Toolkit experiment that can be read here: {where}: {first['msg']}"
        ) from None
    steps: list[Step] = []
    for number, activity in enumerate(read.method):
        steps += _wait(activity.pauses.before)
        if isinstance(activity, _Action):
            steps.append(_step(activity, target, f"{place}: method[{number}]"))
        steps += _wait(activity.pauses.after)
    if not steps:
        raise RequestError(f"{place}: its method holds nothing that can be done")
    return Scenario.of(steps)


def _wait(seconds: float) -> list[Step]:
    if not seconds:
        return []
    return [Step.of("wait", duration_s=int(seconds) if float(seconds).is_integer() else seconds)]


_VERBS = ("kill", "stop", "start", "restart", "pause", "unpause")
_CRASH = re.compile(r"kill -(?:9|KILL) \$\(docker inspect .* (\S+)\)")


def _step(action: _Action, target: Target, place: str) -> Step:
    words = [action.provider.path.rpartition("/")[2], *_words(action.provider.arguments)]
    if words[:2] == ["sh", "-c"] and (found := _CRASH.fullmatch(" ".join(words[2:]))):
        return Step("crash", (_service(found[1], target, place),))
    verbs = [word for word in words[:3] if word in _VERBS]
    if words[0] not in ("docker", "docker-compose", "pumba") or not verbs:
        raise RequestError(
            f"{place}: found `{shlex.join(words)}`; expected docker, docker-compose or pumba with one of "
            f"{', '.join(_VERBS)}"
        )
    rest = words[words.index(verbs[0]) + 1 :]
    return Step(verbs[0], tuple(_service(name, target, place) for name in _names(rest)))


def _words(arguments: str | Sequence[str] | Mapping[str, str]) -> list[str]:
    if isinstance(arguments, str):
        return shlex.split(arguments)
    if isinstance(arguments, Mapping):
        return [word for pair in arguments.items() for word in pair if word]
    return list(arguments)


_WITH_VALUE = ("-s", "--signal", "-t", "--time", "--timeout", "-d", "--duration", "-l", "--limit")


def _names(words: Sequence[str]) -> Iterator[str]:
    """What is left when options and their values are taken away."""
    rest = iter(words)
    for word in rest:
        if word in _WITH_VALUE:
            next(rest, None)
        elif not word.startswith("-"):
            yield word


def _service(container: str, target: Target, place: str) -> str:
    """The service that a container belongs to, by the names that compose gives and the patterns of Pumba."""
    name = container.removeprefix("re2:").replace("\\", "").strip("^$/?")
    name = name.replace("[-_]", "-").removesuffix("-[0-9]+")
    for service in sorted(target.services, key=len, reverse=True):
        if re.fullmatch(rf"(?:.*[-_])?{re.escape(service)}(?:[-_]\d+)?", name):
            return service
    known = ", ".join(target.services)
    raise ScenarioError(f"{place}: no service has a container {container!r}; expected one of: {known}")
