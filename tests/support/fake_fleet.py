"""A fleet in memory and virtual time, for tests of what stands above a runtime.

Real runtimes stand beside it in ``tests/conformance`` and in the end-to-end tests; this one makes a
30 s recovery take a millisecond, and misbehaves as a test tells it to.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Self

from fuzzer.runtimes.base import ProcessState, ServiceStatus, Sink, Undo
from models.limits import Limits
from models.load import Endpoint, Load
from models.observation import Change, Health, ProcessChange
from models.target import HealthCheck, Port, Restart, RestartPolicy, Safety, Service, Target
from models.topology import Dependency, Strength, Topology
from models.wire import Wire

PROBE_S = 0.1
RESTART_S = 0.4


def target_of(
    *edges: str,
    services: Sequence[str] = ("gateway", "checkout", "db", "analytics"),
    restart: Restart = Restart.UNLESS_STOPPED,
    max_faults: int = 2,
    protect: Sequence[str] = (),
    max_blast_radius: float = 1.0,
    published: Sequence[str] = (),
    **limits: float,
) -> Target:
    """A target with edges such as ``"gateway -> checkout"`` (hard) or ``"a ~> b"`` (soft)."""
    dependencies = []
    for edge in edges:
        strength = Strength.SOFT if "~>" in edge else Strength.HARD
        caller, dependency = edge.replace("~>", "->").split(" -> ")
        dependencies.append(Dependency(caller, dependency, strength))
    return Target(
        name="fake",
        directory=Path("."),
        services={
            name: Service(
                name, RestartPolicy(restart), ports=(Port(8000, 8000),) if name in published else ()
            )
            for name in services
        },
        topology=Topology(tuple(services), tuple(dependencies)),
        limits=Limits(**limits),
        loads={"checkout": Load("checkout", (Endpoint("GET /", "checkout"),))}
        if "checkout" in services
        else {},
        safety=Safety(max_faults, frozenset(protect), max_blast_radius),
        wires=tuple(Wire(edge.caller, edge.dependency, 8000, "http") for edge in dependencies),
    )


def opted(target: Target) -> Target:
    """The same target, whose services allow more: a full disk, another time, further replicas."""
    allowed = {"disk": "/data", "clock": "/clock", "replicas_max": 3, "healthcheck": HealthCheck()}
    services = {name: replace(service, **allowed) for name, service in target.services.items()}
    return replace(target, services=services)


SHOP = ("gateway -> checkout", "checkout -> db", "checkout ~> analytics")


class VirtualClock:
    """Time that passes only when somebody sleeps; due callbacks run on the way."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def now(self) -> float:
        return self._now

    def at(self, when_s: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._due, (when_s, next(self._numbers), do))

    def sleep(self, seconds: float) -> None:
        until_s = self._now + seconds
        while self._due and self._due[0][0] <= until_s:
            self._now, _, do = heapq.heappop(self._due)
            do()
        self._now = until_s


class MemoryJournal:
    """A journal that a test can look into."""

    def __init__(self) -> None:
        self.entries: dict[str, tuple[Undo, ...]] = {}
        self.written: list[tuple[Undo, ...]] = []

    def write(self, undos: Sequence[Undo]) -> str:
        self.written.append(tuple(undos))
        self.entries[str(len(self.written))] = tuple(undos)
        return str(len(self.written))

    def remove(self, entry: str) -> None:
        self.entries.pop(entry, None)

    def pending(self) -> dict[str, tuple[Undo, ...]]:
        return dict(self.entries)

    def alone(self) -> AbstractContextManager[None]:
        return nullcontext()

    unsettled = False


class FakeFleet:
    """Meets ``Runtime`` and every ``Can…`` protocol.

    ``misbehave`` is called after each change and with each tick: it may call ``exit`` and set
    ``sick`` (service to detail) or ``slow_ms``.
    """

    name = "fake"

    def __init__(self, target: Target, misbehave: Callable[[FakeFleet], None] = lambda fleet: None) -> None:
        self.target = target
        self.clock = VirtualClock()
        self.journal = MemoryJournal()
        self.state = dict.fromkeys(target.topology.services, ProcessState.RUNNING)
        self.sick: dict[str, str] = {}
        self.slow_ms: dict[str, float] = {}
        self.calls: list[str] = []
        self.dead_to_orders: set[str] = set()
        self._misbehave = misbehave
        self._sink: Sink | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.calls.append("left")

    def watch(self, sink: Sink) -> None:
        self._sink = sink
        for service in self.state:
            self._probe(service)

    def _probe(self, service: str) -> None:
        self._misbehave(self)
        state, began_s = self.state[service], self.clock.now()
        latency_s = self.slow_ms.get(service, 2.0) / 1000
        if state is ProcessState.PAUSED:
            latency_s, healthy, detail = 1.0, False, "timeout"
        elif state is not ProcessState.RUNNING:
            latency_s, healthy, detail = 0.0, False, "not running"
        else:
            healthy, detail = service not in self.sick, self.sick.get(service, "")

        def answered() -> None:
            assert self._sink
            self._sink.saw_health(Health(service, began_s, self.clock.now(), healthy, detail))
            self.clock.at(max(self.clock.now(), began_s + PROBE_S), lambda: self._probe(service))

        self.clock.at(began_s + latency_s, answered)

    def _saw(
        self, service: str, change: Change, code: int | None = None, returns: bool | None = None
    ) -> None:
        if self._sink:
            seen = ProcessChange(service, self.clock.now(), change, "1", code, returns)
            self._sink.saw_process(seen)

    # What happens to services by themselves.

    def exit(self, service: str, code: int = 1) -> None:
        """The process of a service ends by itself; its policy acts."""
        if self.state[service] is not ProcessState.RUNNING:
            return
        returns = self.target.services[service].restart.revives(code)
        self.state[service] = ProcessState.RETURNING if returns else ProcessState.DOWN
        self._saw(service, Change.EXITED, code, returns)
        if returns:
            self.clock.at(self.clock.now() + RESTART_S, lambda: self._come_back(service))

    def _come_back(self, service: str) -> None:
        if self.state[service] is ProcessState.RETURNING:
            self.state[service] = ProcessState.RUNNING
            self._saw(service, Change.STARTED)

    def is_up(self, service: str) -> bool:
        return self.state[service] is ProcessState.RUNNING

    # What is done to them.

    def _order(self, verb: str, services: Sequence[str]) -> list[str]:
        self.calls.append(f"{verb} {' '.join(services)}")
        return [name for name in services if name not in self.dead_to_orders]

    def kill(self, services: Sequence[str]) -> None:
        self._end("kill", services, 137)

    def stop(self, services: Sequence[str]) -> None:
        self._end("stop", services, 143)

    def _end(self, verb: str, services: Sequence[str], code: int) -> None:
        for service in self._order(verb, services):
            self.state[service] = ProcessState.DOWN
            self._saw(service, Change.EXITED, code, False)
        self._misbehave(self)

    def crash(self, services: Sequence[str]) -> None:
        for service in self._order("crash", services):
            self.exit(service, 137)
        self._misbehave(self)

    def restart(self, services: Sequence[str]) -> None:
        for service in self._order("restart", services):
            self._saw(service, Change.EXITED, 143, False)
            self.state[service] = ProcessState.RUNNING
            self.sick.pop(service, None)
            self.slow_ms.pop(service, None)
            self._saw(service, Change.STARTED)

    def start(self, services: Sequence[str]) -> None:
        for service in self._order("start", services):
            if self.state[service] in (ProcessState.DOWN, ProcessState.RETURNING):
                self.state[service] = ProcessState.RUNNING
                self.sick.pop(service, None)
                self.slow_ms.pop(service, None)
                self._saw(service, Change.STARTED)

    def pause(self, services: Sequence[str]) -> None:
        for service in self._order("pause", services):
            self.state[service] = ProcessState.PAUSED
            self._saw(service, Change.PAUSED)

    def unpause(self, services: Sequence[str]) -> None:
        for service in self._order("unpause", services):
            if self.state[service] is ProcessState.PAUSED:
                self.state[service] = ProcessState.RUNNING
                self._saw(service, Change.RESUMED)

    def undo(self, undo: Undo) -> None:
        {"start": self.start, "unpause": self.unpause}[undo.verb](undo.targets)

    def status(self, service: str) -> ServiceStatus:
        return ServiceStatus(service, self.state[service], ("1",))

    def url(self, service: str) -> str | None:
        return None
