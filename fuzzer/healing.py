"""Undoing what runs that died left behind: for ``knockon heal``, for every run that starts, for the watchdog.

Beside ``session`` only this file names concrete runtimes: what is left behind lies where they put it. Nothing
is read here but that; a compose file may be broken or gone by then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from fuzzer import kin
from fuzzer.runtimes.base import Runtime, Undo
from models.errors import Inconclusive, KnockonError, RequestError, RuntimeUnavailable
from models.target import Service, Target
from models.topology import Topology

if TYPE_CHECKING:
    from fuzzer.runtimes.docker.clients import Clients

ECHO_S = 0.3
"""A request that the dead run had just sent may still be on its way: so everything is undone once more after
this, before it is forgotten."""


class Heal(Protocol):
    """Undoes what dead runs left behind on one kind of runtime."""

    def __call__(self, state: Path, heir_of: int | None = None) -> list[str]:
        """Do it; returns what was done, a sentence each.

        Args:
            state: the folder of states.
            heir_of: the pid of the one dead run that is meant; None for every dead run.

        Raises:
            RuntimeUnavailable: the engine does not answer.
            Inconclusive: something could not be undone. The error says what was done nevertheless.
            RequestError: something in a journal cannot be read, likewise.
        """
        ...


def heal_local(state: Path, heir_of: int | None = None, *, everywhere: bool = False) -> list[str]:
    """End the fleets that dead runs left running. See ``Heal``.

    Args:
        everywhere: also those with another folder of states, and what else any dead run left running on this
            machine; of one dead run it is ended in each case.
    """
    from fuzzer.runtimes.borrowed import give_back
    from fuzzer.runtimes.local.fleets import end_stale_fleets

    done = kin.end_orphans(heir_of) if everywhere or heir_of is not None else []
    done += end_stale_fleets(state, everywhere=everywhere, heir_of=heir_of)
    problems: list[KnockonError] = []
    try:
        done += give_back(state, heir_of)
    except RuntimeUnavailable as error:
        problems.append(error)
    done = [f"local: {line}" for line in done]
    _tell(problems, done)
    return done


def heal_docker(state: Path, heir_of: int | None = None, project: str | None = None) -> list[str]:
    """Undo what the journals on the engine say, of one project or of all. See ``Heal``."""
    from fuzzer.runtimes.docker.clients import Clients
    from fuzzer.runtimes.docker.sweeping import sweep

    done = [f"local: {line}" for line in kin.end_orphans(heir_of)] if heir_of is not None else []
    problems: list[KnockonError] = []
    clients = Clients()
    try:
        sweep(clients)
        for name, services in _journaled(clients, project).items():
            try:
                done += [f"docker: {name}: {line}" for line in _heal_project(name, services, heir_of)]
            except (Inconclusive, RequestError) as error:
                problems.append(error)
        if done:
            sweep(clients)
    finally:
        clients.close()
    _tell(problems, done)
    return done


HEALS: Mapping[str, Heal] = {"local": heal_local, "docker": heal_docker}
"""By the name of the runtime. What is not named here leaves nothing behind."""


def heal_leftovers(runtime: Runtime) -> list[str]:
    """Undo what dead runs left behind in one fleet, the newest first; returns what was undone, as text.

    Raises:
        Inconclusive: something cannot be undone now. Everything else was, and that stays in the journal.
        RequestError: an entry cannot be read.
    """
    if not runtime.journal.pending():
        return []
    with runtime.journal.alone():
        left = runtime.journal.pending()
        _undone(runtime, left)
        runtime.clock.sleep(ECHO_S)
        problems = _undone(runtime, left)
        for entry in left.keys() - problems.keys():
            runtime.journal.remove(entry)
    done = [f"{undo.verb} {' '.join(undo.targets)}" for undo in _order(left)]
    failed = list(dict.fromkeys(map(str, problems.values())))
    if failed:
        raise Inconclusive("\n".join(f"not healed, it stays in the journal: {each}" for each in failed))
    return done


def _order(left: Mapping[str, Sequence[Undo]]) -> list[Undo]:
    return [undo for undos in reversed(list(left.values())) for undo in reversed(undos)]


def _undone(runtime: Runtime, left: Mapping[str, Sequence[Undo]]) -> dict[str, Exception]:
    """Undo all of it; what keeps an entry from being undone, by the entry."""
    problems: dict[str, Exception] = {}
    for entry, undos in reversed(list(left.items())):
        for undo in reversed(undos):
            try:
                runtime.undo(undo)
            except (Inconclusive, RequestError) as error:
                problems.setdefault(entry, error)
    return problems


def _journaled(clients: Clients, project: str | None) -> dict[str, tuple[str, ...]]:
    """The projects that have a journal, each with its services."""
    from fuzzer.runtimes.docker.containers import found
    from fuzzer.runtimes.docker.journal import JOURNAL, PROJECT

    with clients.lent("look for journals") as api:
        listed = api.containers(all=True, filters={"label": [JOURNAL]})
        projects = {str(entry["Labels"].get(PROJECT, "")) for entry in listed} - {""}
        return {
            name: tuple(dict.fromkeys(container.service for container, _ in found(api, name)))
            for name in sorted(projects)
            if project in (None, name)
        }


def _heal_project(name: str, services: tuple[str, ...], heir_of: int | None) -> list[str]:
    from fuzzer.runtimes.docker.runtime import DockerRuntime

    # What is undone needs names only, so a compose file that is broken or gone does not matter.
    target = Target(name, Path(), {one: Service(one) for one in services}, Topology(services))
    with DockerRuntime(target, project=name, heir_of=heir_of) as runtime:
        return heal_leftovers(runtime)


def _tell(problems: Sequence[KnockonError], done: Sequence[str]) -> None:
    if not problems:
        return
    told = "\n".join([*map(str, problems), *(f"(done: {line})" for line in done)])
    raise (RequestError if isinstance(problems[0], RequestError) else Inconclusive)(told)
