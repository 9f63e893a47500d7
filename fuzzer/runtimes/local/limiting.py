"""Resources of a local fleet, by what an ordinary user may do to processes of their own.

| fault | how |
|---|---|
| cpu | SIGSTOP and SIGCONT in turn, ten times a second (``duty.py``) |
| memory | the soft limit of the address space (``RLIMIT_AS``): what it has now, and so much more |
| pids | the soft limit of the user's processes (``RLIMIT_NPROC``), which root is exempt from |
| disk_fill | the soft limit of a file's size (``RLIMIT_FSIZE``) is 0: each write to a file fails |

A soft limit goes to every process of the service's group, and to the next one when the service is
started again while the fault lasts. Undone, each process has the very limit that it had before.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from fuzzer import procfs
from fuzzer.runtimes.base import Undo
from fuzzer.runtimes.local.deeds import Deeds
from fuzzer.runtimes.local.duty import PERIOD_S, Duty
from models.errors import StepInvalid
from models.observation import Change, ProcessChange

MIB = 1 << 20
LOOKS = 40
"""Over four periods, to see for which share of the time a process is stopped."""

VERBS = {
    "unlimit_memory": resource.RLIMIT_AS,
    "unlimit_pids": resource.RLIMIT_NPROC,
    "free_disk": resource.RLIMIT_FSIZE,
}


@dataclass
class _Limit:
    """A soft limit in force: on a service, and what each of its processes had before."""

    soft: int
    before: dict[procfs.Identity, int] = field(default_factory=dict)


class Limiting(Deeds):
    """Meets ``CanLimitCpu``, ``CanLimitMemory``, ``CanLimitPids`` and ``CanFillDisk``."""

    def __init__(self) -> None:
        super().__init__()
        self._duties: dict[str, Duty] = {}
        self._shares: dict[str, float] = {}
        self._limits: dict[tuple[str, int], _Limit] = {}

    # Processor time.

    def limit_cpu(self, services: Sequence[str], percent: float) -> None:
        """Let each of these run for so many percent of the time, with all of its threads."""
        for name in self._pids(services, "cpu"):
            self._unlimit_cpu(name)
            self._shares[name] = percent / 100
            self._duties[name] = Duty(lambda name=name: self._processes.pid(name), percent / 100)  # type: ignore[misc]

    def doubt_cpu(self, service: str) -> str:
        """It is seen to be stopped for most of the time that it does not get."""
        stopped = 0
        for _ in range(LOOKS):
            stopped += procfs.frozen(self._processes.pid(service))
            time.sleep(4.13 * PERIOD_S / LOOKS)
        wanted = 1 - self._shares.get(service, 1.0)
        if not wanted or stopped / LOOKS < wanted / 2:
            return f"it was stopped {stopped} of {LOOKS} times"
        return ""

    def unlimit_cpu(self, undo: Undo) -> None:
        """Let them run."""
        for name in undo.targets:
            self._unlimit_cpu(name)

    def _unlimit_cpu(self, service: str) -> None:
        self._shares.pop(service, None)
        if duty := self._duties.pop(service, None):
            duty.end()

    # Soft limits.

    def limit_memory(self, services: Sequence[str], more_mib: float) -> None:
        """The address space may grow by so much. A program that only reserves it fails as well."""
        for name, pid in self._pids(services, "memory").items():
            self._limit(name, resource.RLIMIT_AS, procfs.address_space(pid) + round(more_mib * MIB))

    def doubt_memory(self, service: str) -> str:
        """The kernel knows the limit."""
        return self._doubt(service, resource.RLIMIT_AS)

    def limits_pids(self) -> bool:
        """Not for root, whom the kernel holds to no such limit."""
        return os.geteuid() != 0

    def limit_pids(self, services: Sequence[str], more: int) -> None:
        """So many more than the user has now: others of the same user use the limit up, too."""
        for name in self._pids(services, "pids"):
            self._limit(name, resource.RLIMIT_NPROC, procfs.threads_of(os.getuid()) + more)

    def doubt_pids(self, service: str) -> str:
        """The kernel knows the limit."""
        return self._doubt(service, resource.RLIMIT_NPROC)

    def fill_disk(self, services: Sequence[str]) -> None:
        """Each write to a file fails (EFBIG); who does not ignore SIGXFSZ is ended by it."""
        for name in self._pids(services, "disk_fill"):
            self._limit(name, resource.RLIMIT_FSIZE, 0)

    def doubt_disk(self, service: str) -> str:
        """The kernel knows the limit."""
        return self._doubt(service, resource.RLIMIT_FSIZE)

    def unlimit(self, undo: Undo) -> None:
        """Give each process the limit that it had."""
        what = VERBS[undo.verb]
        for name in undo.targets:
            limit = self._limits.pop((name, what), None)
            for process, soft in limit.before.items() if limit else ():
                if process.alive():
                    _set_soft(process.pid, what, soft)

    def started_again(self, change: ProcessChange) -> None:
        """What is started while a fault lasts gets its limits as well."""
        if change.change is Change.STARTED:
            for (name, what), limit in list(self._limits.items()):
                if name == change.service:
                    with suppress(StepInvalid):  # it lowered its own limit: then it has less anyway
                        self._hold(int(change.instance), what, limit)

    def end_duties(self) -> None:
        """Let everything run, before the fleet is ended."""
        for name in list(self._duties):
            self._unlimit_cpu(name)

    # How it is done.

    def _limit(self, service: str, what: int, soft: int) -> None:
        limit = self._limits[service, what] = _Limit(soft)
        self._hold(self._processes.pid(service), what, limit)

    def _hold(self, leader: int, what: int, limit: _Limit) -> None:
        for pid in procfs.group(leader):
            process = procfs.Identity.of(pid)
            if process is None or process in limit.before:
                continue
            with suppress(ProcessLookupError):
                soft, hard = resource.prlimit(pid, what)
                known = resource.RLIM_INFINITY
                if soft != known and soft < limit.soft:
                    raise StepInvalid(f"process {pid} has a lower limit already: {soft}")
                limit.before[process] = soft
                _set_soft(pid, what, limit.soft if hard == known else min(limit.soft, hard))

    def _doubt(self, service: str, what: int) -> str:
        limit, pid = self._limits.get((service, what)), self._processes.pid(service)
        if limit is None or not pid:
            return "no limit was set" if limit is None else "it does not run"
        with suppress(ProcessLookupError):
            soft, _ = resource.prlimit(pid, what)
            return "" if soft == limit.soft else f"the limit of process {pid} is {soft}"
        return "it does not run"


def _set_soft(pid: int, what: int, soft: int) -> None:
    with suppress(ProcessLookupError):
        _, hard = resource.prlimit(pid, what)
        resource.prlimit(pid, what, (soft, hard))
