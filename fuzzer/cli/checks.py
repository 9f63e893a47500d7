"""What ``doctor`` looks at. Each check asks one thing and never raises; what fails is its answer."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from fuzzer.actions.base_link import LinkFault
from fuzzer.actions.catalogue import ACTIONS
from fuzzer.config import RunConfig
from fuzzer.fleets import read_target
from fuzzer.version import version
from models.bearing import Bearing
from models.errors import KnockonError, RuntimeUnavailable, TargetError
from models.target import Target
from models.toxic import SILENCE

COMPOSE_S = 20.0
"""How long compose may take to tell its version."""


class Mark(StrEnum):
    """How it stands. A NOTE is something that only some need."""

    GOOD = "ok"
    BAD = "no"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Check:
    """One answer: what was found, and what to do about it if that is not good."""

    name: str
    mark: Mark
    found: str
    advice: str = ""


def all_checks(config: RunConfig) -> list[Check]:
    """Everything, in the order in which a person would ask."""
    checks = [_knockon()]
    target: Target | None = None
    try:
        target = read_target(config)
        checks.append(_target(target))
    except RuntimeUnavailable as error:
        checks.append(Check("target", Mark.NOTE, f"{config.project} was not read: {error}"))
    except KnockonError as error:
        checks.append(Check("target", Mark.BAD, str(error)))
    return [*checks, *_local(target), *_docker()]


def _knockon() -> Check:
    python = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    return Check("knockon", Mark.GOOD, f"{version()}, {python}")


def _target(target: Target) -> Check:
    count = len(target.services)
    what = f"{target.name}: {count} service{'s' if count != 1 else ''}, {len(target.faultable)} may be harmed"
    found = "\n".join([what, *(f"note: {note}" for note in target.notes)])
    if target.faultable:
        return Check("target", Mark.GOOD, found)
    return Check("target", Mark.BAD, found, "set `enabled: true` under x-knockon in the compose file")


# The local runtime.


def _local(target: Target | None) -> Iterator[Check]:
    if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        yield Check("runtime local", Mark.BAD, f"needs Linux; this is {platform.system()}", "use docker")
        return
    from fuzzer.runtimes.local.preflight import check_ports, local_commands
    from fuzzer.runtimes.local.runtime import LocalRuntime

    yield Check("runtime local", Mark.GOOD, f"supervisord {version('supervisor')}; can {_can(LocalRuntime)}")
    if target is None:
        return
    try:
        local_commands(target)
        check_ports(target)
        yield Check("  the target on it", Mark.GOOD, "every service has a command, and its ports are free")
    except KnockonError as error:
        yield Check("  the target on it", Mark.NOTE, str(error))


def _can(runtime: type) -> str:
    """The actions that need something of a runtime, and that this class can do."""
    return ", ".join(name for name, one in ACTIONS.items() if one.needs and issubclass(runtime, one.needs))


# Docker.


def _docker() -> Iterator[Check]:
    from fuzzer.runtimes.docker.capabilities import capabilities
    from fuzzer.runtimes.docker.clients import endpoint
    from fuzzer.runtimes.docker.runtime import DockerRuntime

    try:
        engine = capabilities()
    except RuntimeUnavailable as error:
        yield Check("runtime docker", Mark.BAD, str(error), _way_in(endpoint(), str(error)))
    else:
        what = f"engine {engine.engine} (API {engine.api}) at {engine.endpoint}; can {_can(DockerRuntime)}"
        yield Check("runtime docker", Mark.GOOD, what)
        if engine.crash:
            yield Check("  crash", Mark.NOTE, engine.crash)
        else:
            yield Check("  crash", Mark.GOOD, "a process can be killed from outside its container")
        yield _without_proxies(engine.links)
        if not engine.projects:
            yield Check("  projects", Mark.NOTE, "none runs", "docker compose up -d")
        for name, count in sorted(engine.projects.items()):
            yield from _project(name, count, engine.links, wired=name in engine.wired)
    yield _compose()


def _way_in(where: str, said: str) -> str:
    path = where.removeprefix("unix://")
    if "denied" in said.lower():
        return f"you may not use {path}: join the group that owns it (often: sudo usermod -aG docker $USER)"
    if where.startswith("unix://") and not os.path.exists(path):
        return f"there is no {path}: install or start an engine, or set DOCKER_HOST"
    return "start the engine; `docker info` has to answer"


def _able(bearing: Bearing) -> str:
    """The faults of connections that can be done."""
    return ", ".join(
        name for name, one in ACTIONS.items() if isinstance(one, LinkFault) and one.kinds <= bearing.kinds
    )


def _without_proxies(bearing: Bearing) -> Check:
    """Each fault of connections, and why it cannot be done by the kernel."""
    title = "  links without proxies"
    if not bearing.kinds:
        return Check(title, Mark.NOTE, f"no faults: {bearing.why_not({SILENCE})}")
    whys: dict[str, list[str]] = {}
    for name, one in ACTIONS.items():
        if isinstance(one, LinkFault) and (why := bearing.why_not(one.kinds)):
            whys.setdefault(why, []).append(name)
    others = "".join(f"; not {', '.join(names)}: {why}" for why, names in whys.items())
    return Check(title, Mark.GOOD, f"the kernel can {_able(bearing)}{others}")


def _project(name: str, count: int, bearing: Bearing, *, wired: bool) -> Iterator[Check]:
    title, containers = f"  project {name}", f"{count} container{'s' if count != 1 else ''}"
    try:
        target = read_target(RunConfig(project=name))
    except TargetError as error:
        first, *more = error.problems
        others = f" (and {len(more)} more)" if more else ""
        yield Check(title, Mark.NOTE, f"{containers}; cannot be discovered: {first}{others}")
    except KnockonError as error:
        yield Check(title, Mark.NOTE, f"{containers}; cannot be discovered: {error}")
    else:
        if not target.faultable:
            yield Check(title, Mark.NOTE, f"{containers}; not opted in, so nothing will touch it")
            return
        yield Check(title, Mark.GOOD, f"{containers}; may be harmed: {', '.join(target.faultable)}")
        if target.edges:
            yield _links(target, bearing, wired)


def _links(target: Target, bearing: Bearing, wired: bool) -> Check:
    """Whether connections can be harmed: by proxies, by the kernel, or not at all."""
    from fuzzer.runtimes.docker.edges import how_to_wire

    count = len(target.edges)
    what = f"{count} connection{'s' if count != 1 else ''}"
    if wired:
        return Check("    its links", Mark.GOOD, f"proxies run between its services; {what} may be harmed")
    how = how_to_wire(target.name, target.files)
    if able := _able(bearing):
        found = f"no proxies: {what} may be harmed by the kernel ({able}), and in every way by proxies"
        return Check("    its links", Mark.GOOD, found, how)
    return Check("    its links", Mark.NOTE, f"no proxies, so that none of its {what} can be harmed", how)


def _compose() -> Check:
    """Not needed by knockon itself: it adopts what runs."""
    for words in (("docker", "compose", "version", "--short"), ("docker-compose", "version", "--short")):
        if shutil.which(words[0]):
            try:
                said = subprocess.run(words, capture_output=True, text=True, timeout=COMPOSE_S, check=False)
            except (OSError, subprocess.TimeoutExpired):
                continue
            if said.returncode == 0:
                return Check("compose", Mark.GOOD, f"{' '.join(words[:-2])} {said.stdout.strip()}")
    return Check("compose", Mark.NOTE, "no compose command", "install it to start projects with docker")
