"""The target and its fleet, as options name them. Beside ``healing`` only this names concrete runtimes."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager

from fuzzer.calibration.files import learnt
from fuzzer.config import RunConfig
from fuzzer.healing import HEALS, heal_local
from fuzzer.runtimes.base import Runtime
from fuzzer.safety.signals import Signals
from fuzzer.shown import note
from fuzzer.targets.files import load_target
from fuzzer.watchdog.guard import Guarded
from models.compose_spec import PROJECT_NAME
from models.errors import Inconclusive, KnockonError, RequestError, RuntimeUnavailable
from models.place import Place
from models.target import Target


def read_target(config: RunConfig, environ: Mapping[str, str] | None = None) -> Target:
    """The target that the options name.

    Raises:
        TargetError: with all its problems.
        RuntimeUnavailable: a project was to be discovered, and no engine answers.
    """
    environ = os.environ if environ is None else environ
    if config.project and not PROJECT_NAME.fullmatch(config.project):  # files are called after it
        raise RequestError(
            f"--project: found {config.project!r}; expected lower-case letters, digits, _ and -"
        )
    if config.files:
        return load_target(config.files, environ)
    from fuzzer.runtimes.docker.clients import Clients
    from fuzzer.targets.project import discover_project

    assert config.project is not None
    with closing(Clients().connect()) as client:
        return discover_project(config.project, client, environ)


def _local(target: Target, config: RunConfig) -> Runtime:
    from fuzzer.runtimes.local.runtime import LocalRuntime
    from fuzzer.runtimes.proxies import DIRECT, proxies_at

    proxies = None if config.edge_proxy == DIRECT else proxies_at(config.edge_proxy, config.state)
    return LocalRuntime(target, state_dir=config.state, proxies=proxies)


def _docker(target: Target, config: RunConfig) -> Runtime:
    from fuzzer.runtimes.docker.runtime import DockerRuntime

    return DockerRuntime(target, project=config.project or target.name)


def _sim(target: Target, config: RunConfig) -> Runtime:
    from fuzzer.runtimes.sim.runtime import SimRuntime

    return SimRuntime(target, learnt(target, config.state))


RUNTIMES: Mapping[str, Callable[[Target, RunConfig], Runtime]] = {
    "local": _local,
    "docker": _docker,
    "sim": _sim,
}


def place_of(config: RunConfig, target: Target) -> Place | None:
    """Where the fleet runs, or would; None where nothing is touched, because all of it is modelled.

    Raises:
        RuntimeUnavailable: no engine answers.
    """
    if config.runtime_name == "sim":
        return None
    if config.runtime_name == "docker":
        from fuzzer.runtimes.docker.whereabouts import whereabouts

        return whereabouts(config.project or target.name, ask=config.allow_remote)
    return Place((("the project", target.name), ("this machine", socket.gethostname())))


@contextmanager
def open_runtime(config: RunConfig, target: Target, signals: Signals | None = None) -> Iterator[Runtime]:
    """Start or adopt the fleet of a target; SIGTERM ends that like Ctrl-C does.

    Raises:
        RequestError: there is no such runtime, or it cannot run this target.
        RuntimeUnavailable: the engine or supervisor does not answer.
    """
    make = RUNTIMES.get(config.runtime_name)
    if make is None:
        raise RequestError(
            f"there is no runtime {config.runtime_name!r}; expected one of: {', '.join(RUNTIMES)}"
        )
    with ExitStack() as stack:
        signals = signals or stack.enter_context(Signals())
        try:
            _heal_the_dead(config)
            made = make(target, config)
            leaves = config.runtime_name in HEALS
            runtime = stack.enter_context(Guarded(made, config.state) if leaves else made)
        except (RequestError, RuntimeUnavailable) as error:
            raise with_what_works(error, target, config) from None
        stack.callback(signals.close)
        yield runtime


def with_what_works(error: KnockonError, target: Target, config: RunConfig) -> KnockonError:
    """An error that says which runtimes would do."""
    error.args = (f"{error}{_what_works(target, config)}",)
    return error


def _what_works(target: Target, config: RunConfig) -> str:
    """The runtimes that this target can be fuzzed on as things are, for somebody who named none."""
    if config.runtime:
        return ""
    works = []
    if config.runtime_name != "local" and all(service.local for service in target.services.values()):
        works.append("--runtime local (its services as plain processes)")
    works.append("--runtime sim (nothing is started: its services are modelled)")
    return f"\nwhat works as it is: {'; '.join(works)}"


def _heal_the_dead(config: RunConfig) -> None:
    """End what runs that died left in our folder of states. A project's journal is read later."""
    try:
        for line in heal_local(config.state) if config.runtime_name == "local" else ():
            note(f"an earlier run died; {line}")
    except Inconclusive as error:
        note(f"of an earlier run that died: {error}")
