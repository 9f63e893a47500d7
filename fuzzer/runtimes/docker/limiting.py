"""Less processor time, less memory, no more processes: limits of the engine, and their exact return.

What stood before is read once for each container and run, before the first fault. It is kept here, and
in each undo that the journal writes, so that whoever heals after our death has it as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from docker import APIClient

from fuzzer.runtimes.base import Clock, ProcessState, Undo
from fuzzer.runtimes.docker.clients import Clients
from fuzzer.runtimes.docker.containers import Container
from fuzzer.runtimes.docker.deeds import Deeds
from fuzzer.runtimes.docker.execs import BURN, WITHOUT, Execs
from fuzzer.runtimes.docker.fleet import Fleet
from fuzzer.runtimes.docker.helper import Helper
from fuzzer.runtimes.docker.intents import Intents
from fuzzer.runtimes.docker.limits import (
    LEAST_MEMORY,
    MIB,
    NO_MEMORY_LIMIT,
    Limits,
    Usage,
    change,
    cpu_again,
    memory_again,
    pids_again,
    quota,
    usage,
)
from models.errors import RequestError, StepInvalid

Again: TypeAlias = Callable[[Limits], list[dict[str, int]]]

TRIES = 20
"""How often a limit is given back to a container that is just being started again, 50 ms apart."""


class Limiting(Deeds):
    """Meets ``CanLimitCpu``, ``CanLimitMemory`` and ``CanLimitPids``."""

    def __init__(
        self, clients: Clients, fleet: Fleet, intents: Intents, helper: Helper, clock: Clock
    ) -> None:
        super().__init__(clients, fleet, intents, helper, clock)
        self._execs = Execs(clients)
        self._originals: dict[str, Limits] = {}

    def limit_cpu(self, services: Sequence[str], percent: float) -> None:
        """A quota of one processor, so many percent of it. Percents of less than it has, that is."""
        for one, before in self._limited(services, "cpu"):
            if before.processors and before.processors <= percent / 100:
                raise StepInvalid(f"cpu {one.name}: it has no more than {before.processors:g} processors")
            self._change("cpu", one, quota(percent / 100, before))

    def limit_memory(self, services: Sequence[str], more_mib: float) -> None:
        """A limit so far above what it uses now, and no swap."""
        for one, before in self._limited(services, "memory"):
            bytes_most = max(LEAST_MEMORY, self._usage(one).memory + round(more_mib * MIB))
            if before.memory and before.memory <= bytes_most:
                raise StepInvalid(f"memory {one.name}: it has no more than {before.memory // MIB} MiB anyway")
            self._change("memory", one, {"Memory": bytes_most, "MemorySwap": bytes_most})

    def limits_pids(self) -> bool:
        """Always: a control group counts."""
        return True

    def limit_pids(self, services: Sequence[str], more: int) -> None:
        """A limit so far above what it has now. A health check inside the container needs some, too."""
        for one, before in self._limited(services, "pids"):
            most = max(1, self._usage(one).pids + more)
            if before.pids and before.pids <= most:
                raise StepInvalid(f"pids {one.name}: it has no more than {before.pids} anyway")
            self._change("pids", one, {"PidsLimit": most})

    # What is seen.

    def doubt_cpu(self, service: str) -> str:
        """The engine knows a quota, and the kernel makes a program inside wait that works without a break.

        Where the image has no program that could work, the engine's word has to do.
        """
        for one in self._adopted([service]):
            now, before = self._limits(one), self.before(one)
            if not 0 < now.processors < (before.processors or float("inf")):
                return f"{one.name} may keep {now.processors or 'all'} processors busy"
            was, work_ms = self._usage(one).throttled, 20 + 250 * now.processors
            code, _ = self._execs.run(one, BURN, f"{work_ms:.0f}")
            if code not in WITHOUT and self._usage(one).throttled <= was:
                return f"{one.name} never had to wait for its processor"
        return ""

    def doubt_memory(self, service: str) -> str:
        """The kernel knows the limit that the engine was told."""
        for one in self._adopted([service]):
            told, seen = self._limits(one).memory, self._usage(one).memory_limit
            if told in (0, NO_MEMORY_LIMIT) or seen != told:
                return f"{one.name} may use {seen // MIB} MiB"
        return ""

    def doubt_pids(self, service: str) -> str:
        """The kernel knows the limit that the engine was told."""
        for one in self._adopted([service]):
            told, seen = self._limits(one).pids, self._usage(one).pids_limit
            if not told or seen != told:
                return f"{one.name} may have {seen or 'any number of'} processes"
        return ""

    # What comes back.

    def unlimit(self, undo: Undo) -> None:
        """Give back what was there before, wherever that is not there already.

        Raises:
            RequestError: the detail is none of ours.
        """
        told = detail_of(undo)
        for one in self._adopted(undo.targets):
            before = self._originals.get(one.id)
            if one.id in told:
                before = Limits.from_json(told[one.id])
            if before is not None:
                self._give_back(undo.verb, one, before)

    def _give_back(self, verb: str, one: Container, before: Limits) -> None:
        changes = _AGAIN[verb](before)
        if changes == _AGAIN[verb](self._limits(one)):
            return
        for each in changes:
            for left in reversed(range(TRIES)):
                try:
                    self._change(verb, one, each)
                    break
                except StepInvalid:
                    # Between its death and its return a container can be neither changed nor asked.
                    if not left or self._look(one).state is ProcessState.DOWN:
                        raise
                    self._sleep(0.05)

    # How it is done.

    def before(self, one: Container) -> Limits:
        """What stood before the first fault of this run."""
        if one.id not in self._originals:
            self._originals[one.id] = self._limits(one)
        return self._originals[one.id]

    def _limited(self, services: Sequence[str], verb: str) -> list[tuple[Container, Limits]]:
        """The containers to limit, which have to run, each with what stood before."""
        every = self._adopted(services)
        for one in every:
            if (state := self._look(one).state) is not ProcessState.RUNNING:
                raise StepInvalid(f"{verb} {one.name}: it is {state}")
        return [(one, self.before(one)) for one in every]

    def _limits(self, one: Container) -> Limits:
        with self._clients.lent(f"look at {one.name}") as api:
            return Limits.of(api.inspect_container(one.id))

    def _usage(self, one: Container) -> Usage:
        with self._clients.lent(f"measure {one.name}") as api:
            return usage(api, one.id)

    def _change(self, verb: str, one: Container, what: Mapping[str, int]) -> None:
        def ask(api: APIClient, one: Container) -> None:
            try:
                change(api, one.id, what)
            except StepInvalid as error:
                raise StepInvalid(f"{verb} {one.name}: {error}") from error

        self._do("update", [one], ask)


_AGAIN: dict[str, Again] = {
    "unlimit_cpu": cpu_again,
    "unlimit_memory": memory_again,
    "unlimit_pids": pids_again,
}


def detail_of(undo: Undo) -> dict[str, Any]:
    """What the journal added to an undo, by the containers' ids.

    Raises:
        RequestError: it is none of ours.
    """
    try:
        detail = json.loads(undo.detail or "{}")
    except ValueError:
        detail = None
    if not isinstance(detail, dict):
        raise RequestError(
            f"the undo {undo.verb} was written by another version: found {undo.detail!r}; expected what "
            "stood before, by the containers' ids"
        )
    return detail
