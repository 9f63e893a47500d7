"""Busy loops beside a service, and a death for want of memory: programs run in the container's own group.

What they use up is therefore the service's, and ends at the limits of the service. Each ends by itself
after a while, too, in case nobody is left to end it; and none outlives the container's first process.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from fuzzer.runtimes.base import Clock, ProcessState, Undo, at_once
from fuzzer.runtimes.docker.clients import Clients
from fuzzer.runtimes.docker.containers import Container
from fuzzer.runtimes.docker.execs import Program
from fuzzer.runtimes.docker.fleet import Fleet
from fuzzer.runtimes.docker.helper import Helper, Victim
from fuzzer.runtimes.docker.intents import Intents
from fuzzer.runtimes.docker.limiting import Limiting
from fuzzer.runtimes.docker.limits import LEAST_MEMORY, MIB
from models.errors import Inconclusive, StepInvalid

MARK = "knockon-stress"
STRESSED_S = 900
"""After this a loop ends by itself."""

_LOOP = Program(
    f"end=$(($(date +%s)+{STRESSED_S})); while [ $(date +%s) -lt $end ]; do "
    "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; done",
    f"import time; end = time.monotonic() + {STRESSED_S}\nwhile time.monotonic() < end: pass",
)

OOM_MIB = 16
"""How far above its use a container's limit is set before its memory is used up."""

_FIRST = Program(
    'echo "$1" > /proc/1/oom_score_adj',
    "import sys; open('/proc/1/oom_score_adj', 'w').write(sys.argv[1])",
)
"""How readily the kernel chooses the service, and not the program that uses the memory up."""
MOST_READILY = "1000"
_HOG = Program(
    'for n in 1 2 3 4; do head -c "$1" /dev/zero | tail -c "$1" > /dev/null & done; wait',
    "import os, sys, time; os.fork(), os.fork(); "
    "x = [b'x' * (1 << 20) for _ in range(int(sys.argv[1]) >> 20)]; time.sleep(1)",
)
"""Four processes, so that none is large enough to be chosen instead: the kernel rounds what it was told to
thousandths of the limit, in whole pages."""
TRIES = 5


class Straining(Limiting):
    """Meets ``CanStress`` and ``CanRunOutOfMemory``."""

    def __init__(
        self, clients: Clients, fleet: Fleet, intents: Intents, helper: Helper, clock: Clock
    ) -> None:
        super().__init__(clients, fleet, intents, helper, clock)
        self._loops: dict[str, int] = {}

    # Busy loops.

    def stress(self, services: Sequence[str], workers: int) -> None:
        """Begin so many loops in each container. A restart of the container ends them."""
        self._helper.prepare()  # without it nobody could end them
        for one, _ in self._limited(services, "stress"):
            runs = self._execs.can(one)
            if not runs:
                raise StepInvalid(f"stress {one.name}: its image has neither sh nor python3")
            for _ in range(workers):
                self._execs.begin(one, _LOOP.words(runs == "python3", [], MARK))
            self._loops[one.id] = workers

    def doubt_stress(self, service: str) -> str:
        """As many loops run as were begun."""
        for one in self._adopted([service]):
            found, begun = len(self._looping(one)), self._loops.get(one.id, 0)
            if found < max(1, begun):
                return f"{found} of {begun} loops run in {one.name}"
        return ""

    def calm(self, undo: Undo) -> None:
        """End every loop, by its pid; those of a dead fuzzer as well.

        Raises:
            StepInvalid: one goes on.
        """
        for one in self._adopted(undo.targets):
            for left in reversed(range(TRIES)):
                if self._look(one).state is not ProcessState.RUNNING or not (pids := self._looping(one)):
                    break
                try:
                    self._helper.kill([Victim(pid, one.id) for pid in pids])
                except StepInvalid:  # one had ended by itself in between
                    if not left:
                        raise
            self._loops.pop(one.id, None)

    def _looping(self, one: Container) -> list[int]:
        with self._clients.lent(f"look for processes of {one.name}") as api:
            found = api.top(one.id, ps_args="-eo pid,args")
        rows: list[list[str]] = found["Processes"] or []
        return [int(row[0]) for row in rows if MARK in " ".join(row[1:])]

    # Out of memory.

    def run_out_of_memory(self, services: Sequence[str]) -> None:
        """A limit, a program that goes beyond it, and the kernel, which is told whom to end."""
        every = {one.id: one for one, _ in self._limited(services, "oom")}
        began_s = self._now()
        at_once(lambda container: self._exhaust(every[container], began_s), list(every))

    def _exhaust(self, one: Container, began_s: float) -> None:
        if said := self._chosen(one, MOST_READILY):
            raise StepInvalid(f"oom {one.name}: the kernel cannot be told to end it first: {said}")
        before = self.before(one)
        try:
            most = max(LEAST_MEMORY, self._usage(one).memory + OOM_MIB * MIB)
            if not before.memory or most < before.memory:
                self._change("oom", one, {"Memory": most, "MemorySwap": most})
            with suppress(Inconclusive):  # its connection ends with the container
                self._execs.run(one, _HOG, str(OOM_MIB * MIB))
            died = self._await("die", [one], began_s)
        finally:
            self._give_back("unlimit_memory", one, before)
        if not died:
            self.spare(Undo("spare", (one.service,)))
        self._refuse_other_death(one, died, began_s)

    def spare(self, undo: Undo) -> None:
        """Who did not die of it is no longer the first to be ended. Who is started again is not, anyway."""
        for one in self._adopted(undo.targets):
            if self._look(one).state is ProcessState.RUNNING:
                with self._clients.lent(f"look at {one.name}") as api:
                    made = api.inspect_container(one.id)["HostConfig"].get("OomScoreAdj") or 0
                if said := self._chosen(one, str(made)):
                    raise StepInvalid(f"the kernel still ends {one.name} first: {said}")

    def _chosen(self, one: Container, readily: str) -> str:
        """Tell the kernel how readily to choose it; what it says if it does not listen."""
        if not self._execs.run(one, _FIRST, readily, user="0")[0]:
            return ""
        code, said = self._execs.run(one, _FIRST, readily)
        return (said or f"exit code {code}") if code else ""

    def _refuse_other_death(self, one: Container, died: bool, began_s: float) -> None:
        codes = [life.exit_code for life in self._fleet.of(one.service) if life.container.id == one.id]
        if not died or codes != [137]:
            raise StepInvalid(f"oom {one.name}: its memory was used up, and it did not die of that")
        if not self._await("oom", [one], began_s):
            raise StepInvalid(f"oom {one.name}: it died, but the engine does not say that it lacked memory")
