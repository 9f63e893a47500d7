"""The loads of a scenario in virtual time: every request of every client, and what it wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from fuzzer.loads.base import LoadSink
from fuzzer.loads.schedule import due_times, turns
from fuzzer.runtimes.sim.kernel import Kernel, Process
from fuzzer.runtimes.sim.requests import Errand, Reply, Requests, ways_of
from fuzzer.runtimes.sim.service import SimService
from invariants.base_clients import needs
from models.load import Calls, Endpoint, Fate, Load, LoadRun, Phase, ReadBack, Request, Shape, Written
from models.target import Target

COUNTED_EVERY_S = 0.2
"""How often the services' own counters are looked at."""


@dataclass(eq=False)
class _Run:
    """A load under way; ``open`` counts what is not over: its sender, and each request."""

    run: LoadRun
    ends_s: float
    open: int = 1
    stopped: bool = False


class SimClients:
    """Meets ``Loads``: clients who live where the services live.

    Args:
        sink: told of each request.
    """

    def __init__(
        self,
        target: Target,
        kernel: Kernel,
        services: Mapping[str, SimService],
        requests: Requests,
        sink: LoadSink,
    ) -> None:
        self._target = target
        self._kernel = kernel
        self._services = services
        self._requests = requests
        self._sink = sink
        self._runs: list[_Run] = []
        self._sent = 0
        self._counting = 0
        self._ways: dict[tuple[str, str], tuple[frozenset[str], Mapping[str, tuple[str, ...]]]] = {}
        self._counted: dict[tuple[str, str], int] = {}

    @property
    def ends_s(self) -> float:
        """When the last request of all loads is due."""
        return max((one.ends_s for one in self._runs), default=float("-inf"))

    @property
    def quiet(self) -> bool:
        """Whether every load is over, and every answer was told."""
        return not any(one.open for one in self._runs)

    def start(
        self,
        load: Load,
        urls: Mapping[str, str],
        phase: Phase,
        shape: Shape,
        rate_rps: float,
        duration_s: float,
    ) -> None:
        """Start to send."""
        run = _Run(LoadRun(load, phase, rate_rps, self._kernel.now_s), self._kernel.now_s + duration_s)
        self._runs.append(run)
        self._sink.saw_load(run.run)
        self._kernel.spawn(self._send(run, shape, duration_s))

    def _send(self, one: _Run, shape: Shape, duration_s: float) -> Process:
        load, began_s = one.run.load, one.run.began_s
        turn = turns([each.weight for each in load.endpoints])
        for due_s in due_times(shape, one.run.rate_rps, duration_s):
            if began_s + due_s > self._kernel.now_s:
                yield began_s + due_s - self._kernel.now_s
            if one.stopped:
                return
            endpoint = load.endpoints[next(turn)]
            self._sent += 1
            errand = self._errand(load, endpoint, str(self._sent) if endpoint.durable else "")
            one.open += 1
            reply = self._requests.send(endpoint.entry, errand, load.timeout_s)
            reply.wait(partial(self._answered, one, endpoint, errand, self._kernel.now_s))
        self._one_less(one)

    def _errand(self, load: Load, endpoint: Endpoint, written: str) -> Errand:
        known = self._ways.get((load.name, endpoint.name))
        if known is None:
            needed = needs(endpoint, self._target.topology)
            known = needed, ways_of(self._target.topology, needed)
            self._ways[load.name, endpoint.name] = known
        return Errand(written, *known)

    def _answered(self, one: _Run, endpoint: Endpoint, errand: Errand, due_s: float, reply: Reply) -> None:
        if one.stopped:
            return
        latency_ms = (self._kernel.now_s - due_s) * 1000
        status, error = (reply, "") if isinstance(reply, int) else (None, reply)
        acknowledged = errand.id if status is not None and status < 400 else ""
        self._sink.saw_request(
            Request(one.run.load.name, endpoint.name, due_s, latency_ms, status, error, 0.0, acknowledged)
        )
        self._one_less(one)

    def _one_less(self, one: _Run) -> None:
        one.open -= 1
        if not one.open:
            self._sink.saw_load(replace(one.run, ended_s=self._kernel.now_s))

    def check(self) -> None:
        """Nothing here runs away."""

    def stop(self) -> None:
        """Send nothing more, and count nothing more."""
        for one in self._runs:
            one.stopped = True
            if one.open:
                ended = replace(one.run, ended_s=self._kernel.now_s, trouble="the load was stopped")
                self._sink.saw_load(ended)
        self._runs.clear()
        self._counting += 1

    # What was written, and what services say of themselves.

    def read_back(self, written: Sequence[Written], urls: Mapping[str, str]) -> list[ReadBack]:
        """The fate of each, as it stands now."""
        return [ReadBack(one.load, one.endpoint, one.id, one.at_s, *self._fate(one)) for one in written]

    def _fate(self, one: Written) -> tuple[Fate, str]:
        writers = self._requests.writers.get(one.id, {})
        for name in (one.durable.entry, *writers):
            if self._services[name].away:
                return Fate.UNREADABLE, f"{name} is {self._services[name].away}"
        if not writers:
            return Fate.LOST, "nobody was asked to store it"
        lost = [name for name in writers if one.id not in self._services[name].store]
        return (Fate.LOST, f"{lost[0]} does not have it") if lost else (Fate.FOUND, "")

    def count_calls(self) -> None:
        """Look at the counters of every service that has any, until it is stopped."""
        self._kernel.spawn(self._count(self._counting))

    def _count(self, counting: int) -> Process:
        telling = [name for name, service in self._target.services.items() if service.counters]
        pairs = [(edge.caller, edge.dependency) for edge in self._target.topology.dependencies]
        while self._counting == counting:
            for caller, dependency in pairs:
                count = self._requests.calls.get((caller, dependency), 0)
                if caller in telling and self._counted.get((caller, dependency)) != count:
                    self._counted[caller, dependency] = count
                    self._sink.saw_calls(Calls(caller, dependency, self._kernel.now_s, count))
            yield COUNTED_EVERY_S
