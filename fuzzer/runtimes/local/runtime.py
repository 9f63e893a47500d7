"""The local runtime: it starts the whole fleet itself, watches it, harms it with signals, and ends it.

Its fleet is fresh each time (ports have to be free, data folders are empty) and belongs to this process
alone. For faults of the network between services, or of their resources, containers are needed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from fuzzer.probes.base import Probe
from fuzzer.probes.http import HttpProbe
from fuzzer.probes.prober import Prober
from fuzzer.probes.running import RunningProbe
from fuzzer.runtimes.base import ServiceStatus, Sink, Undo, Undoes
from fuzzer.runtimes.held import Holds
from fuzzer.runtimes.links import Linked, Links
from fuzzer.runtimes.local import preflight
from fuzzer.runtimes.local.clock import MonotonicClock
from fuzzer.runtimes.local.environment import published
from fuzzer.runtimes.local.fleet import Fleet
from fuzzer.runtimes.local.fleets import end_stale_fleets
from fuzzer.runtimes.local.journal import FileJournal
from fuzzer.runtimes.local.limiting import VERBS, Limiting
from fuzzer.runtimes.local.processes import Processes
from fuzzer.runtimes.local.sinks import Sinks
from fuzzer.runtimes.proxies import Listening, Proxies
from fuzzer.wiring import Address
from fuzzer.wiring import wires as wires_of
from models.errors import RuntimeUnavailable
from models.link import is_link
from models.observation import ProcessChange
from models.target import ProbeKind, Target

START_S = 30.0
"""For how long the first start waits for health in all; who is not healthy then is the gate's affair."""


class LocalRuntime(Limiting, Linked, Holds):
    """Services as processes under a supervisord of their own.

    Entering ends fleets that dead fuzzers left behind, checks commands and ports, and starts all
    services, each layer of dependencies healthy before the next. Leaving ends everything.

    Args:
        target: every service needs ``x-knockon.local``.
        state_dir: where fleets have their folders; may be shared by several fuzzers.
        proxies: lends proxies to put on connections; None, and every connection is direct.

    Attributes:
        ended_stale: what entering found and ended, a sentence each.
    """

    name = "local"

    def __init__(self, target: Target, *, state_dir: Path, proxies: Proxies | None = None) -> None:
        super().__init__()
        Linked.__init__(self)
        Holds.__init__(self, self._address)
        self.target = target
        self.clock = MonotonicClock()
        self.ended_stale: tuple[str, ...] = ()
        self._state_dir = state_dir
        self._proxies = proxies
        self._undoes = Undoes(
            start=lambda undo: self.start(undo.targets),
            unpause=lambda undo: self.unpause(undo.targets),
            cleanse=self.cleanse,
            unlimit_cpu=self.unlimit_cpu,
            **dict.fromkeys(VERBS, self.unlimit),
            release=self.release,
        )
        self._sinks = Sinks()
        self._fleet: Fleet | None = None
        self._listening: Listening | None = None
        self._prober: Prober | None = None
        self._cleanup = ExitStack()

    # Its life.

    def __enter__(self) -> Self:
        """Start the fleet.

        Raises:
            RequestError: a service has no local command, a command no program, or a port is taken.
            RuntimeUnavailable: supervisord does not start, or cannot start a service.
        """
        preflight.check_machine()
        self.ended_stale = tuple(end_stale_fleets(self._state_dir))
        try:
            self._wire()
            self._fleet = fleet = Fleet(self.target, self._state_dir, self._addresses())
            processes = Processes(
                self.target.topology.services,
                fleet.record_of_processes,
                self.clock,
                self._changed,
                self._lost,
            )
            self._cleanup.callback(processes.stop)
            self._cleanup.callback(self.end_duties)
            processes.start(fleet.supervisord.pid)
            self._live = fleet.supervisord, processes
            self._start_all()
        except BaseException as error:
            self._leave(error)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave(error)

    def _leave(self, error: BaseException | None) -> None:
        fleet, self._fleet, self._prober = self._fleet, None, None
        try:
            self._cleanup.close()
        finally:
            self._live = self._links = self._listening = None
            self._sinks = Sinks()
            if fleet:
                fleet.end(error)

    def _wire(self) -> None:
        """Put a proxy on each connection that faults may touch, before anybody is told an address."""
        wires = [w for w in wires_of(self.target.services, local=True) if w.edge in self.target.edges]
        if self._proxies is None or not wires:
            return
        place = published(self.target.services)
        upstream = {w: place(Address(w.dependency, w.port, True, w.scheme)) for w in wires}
        self._listening = self._cleanup.enter_context(self._proxies.lent(upstream))
        self._links = Links(self._listening.client, self._listening.wires, self.target.services)

    def _addresses(self) -> dict[tuple[str, str, int], str]:
        """Where the proxy on each connection listens."""
        if self._listening is None:
            return {}
        listening = self._listening.wires.items()
        return {(w.caller, w.dependency, w.port): f"{host}:{port}" for w, (host, port) in listening}

    def _start_all(self) -> None:
        deadline_s = self.clock.now() + START_S
        for layer in self.target.topology.start_layers():
            self.start(layer)
            waiting = {name: self._probe(name) for name in layer}
            while waiting and self.clock.now() < deadline_s:
                for name, probe in list(waiting.items()):
                    # Who is down for good (a job that is done, perhaps) keeps nobody waiting.
                    well, _ = probe.check(self.target.limits.health_timeout_s)
                    if well or self._processes.is_down(name):
                        waiting.pop(name).close()
                self.clock.sleep(0.005)

    # What is seen.

    @property
    def journal(self) -> FileJournal:
        """Where undos are kept, as long as the fleet runs."""
        if self._fleet is None:
            raise RuntimeUnavailable("the local fleet does not run: enter the runtime first")
        return self._fleet.journal

    @property
    def logs(self) -> Path | None:
        """The folder with a log of each service and of supervisord; None while no fleet runs."""
        return self._fleet.logs if self._fleet else None

    def watch(self, sink: Sink) -> None:
        """Report health and processes to ``sink`` too, until the runtime is left."""
        self._sinks.add(sink)
        if self._prober is None:
            self._prober = Prober(self.clock, self._sinks, self.target.limits.health_timeout_s)
            for name in self.target.topology.services:
                self._prober.add(name, self._probe(name), self._absence(name))
            self._cleanup.callback(self._prober.stop)
            self._prober.start()

    def status(self, service: str) -> ServiceStatus:
        """What the service's process is doing now."""
        return self._processes.status(service)

    def url(self, service: str) -> str | None:
        """The origin of its health URL, else its first published port."""
        mine = self.target.services[service]
        if mine.health.url:
            parts = urlsplit(mine.health.url)
            return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        published = [port.host for port in mine.ports if port.host is not None]
        return f"http://127.0.0.1:{published[0]}" if published else None

    def _address(self, service: str) -> tuple[str, int] | None:
        """Its first published port."""
        published = [port.host for port in self.target.services[service].ports if port.host is not None]
        return ("127.0.0.1", published[0]) if published else None

    def undo(self, undo: Undo) -> None:
        """Lift a fault. Services that the target no longer has have nothing to lift."""
        there = tuple(name for name in undo.targets if is_link(name) or name in self.target.services)
        self._undoes(replace(undo, targets=there))

    def _changed(self, change: ProcessChange) -> None:
        self.started_again(change)
        self._sinks.saw_process(change)
        if self._prober:
            self._prober.wake(change.service)

    def _lost(self) -> None:
        full = self._fleet is not None and shutil.disk_usage(self._fleet.folder).free == 0
        why = "ended itself: its disk is full" if full else "was ended by somebody else"
        self._sinks.saw_interference(f"supervisord of the local fleet {why}")

    def _probe(self, service: str) -> Probe:
        health = self.target.services[service].health
        if health.kind is ProbeKind.HTTP and health.url:
            return HttpProbe(health.url)
        return RunningProbe(lambda: self._processes.trouble(service))

    def _absence(self, service: str) -> Callable[[], str]:
        return lambda: self._processes.absence(service)
