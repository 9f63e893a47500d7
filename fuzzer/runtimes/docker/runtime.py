"""All of it together: a compose project that runs, watched and harmed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import datetime
from secrets import token_hex
from threading import Thread
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from fuzzer.probes.base import Probe
from fuzzer.probes.http import HttpProbe
from fuzzer.probes.prober import Prober
from fuzzer.probes.running import RunningProbe
from fuzzer.runtimes.base import ProcessState, ServiceStatus, Sink, Undo, Undoes
from fuzzer.runtimes.docker.claim import Claim
from fuzzer.runtimes.docker.clients import ClientFactory, Clients, default_client
from fuzzer.runtimes.docker.clock import EngineTime, MonotonicClock
from fuzzer.runtimes.docker.connections import Connections
from fuzzer.runtimes.docker.containers import Container, Look, found, images_of, inspected
from fuzzer.runtimes.docker.edges import Edges, how_to_wire
from fuzzer.runtimes.docker.fleet import Fleet
from fuzzer.runtimes.docker.health import EngineHealth
from fuzzer.runtimes.docker.helper import Helper
from fuzzer.runtimes.docker.intents import Intents
from fuzzer.runtimes.docker.journal import DockerJournal
from fuzzer.runtimes.docker.kernel import Kernel
from fuzzer.runtimes.docker.lease import Lease
from fuzzer.runtimes.docker.lives import Event, Life
from fuzzer.runtimes.docker.neighbours import Neighbours, images_to_try
from fuzzer.runtimes.docker.resources import Resources
from fuzzer.runtimes.docker.stream import EventStream
from fuzzer.runtimes.docker.sweeping import sweep
from fuzzer.runtimes.held import Holds
from models.errors import Inconclusive, Interference, RequestError
from models.link import is_link
from models.target import ProbeKind, Target

WORST_FIRST = (ProcessState.DOWN, ProcessState.RETURNING, ProcessState.PAUSED, ProcessState.RUNNING)
"""A service is what the worst of its containers is."""

ASK_EVERY_S = 0.2
"""How often an engine that is away is looked for."""


class DockerRuntime(Resources, Connections, Holds):
    """A compose project that is up. Entering adopts its containers; leaving removes only our own.

    Args:
        target: what is fuzzed.
        project: the compose project.
        client_factory: connects to the engine.
        heir_of: the pid of the one dead run that is to be healed; None for every dead run.
    """

    name = "docker"

    def __init__(
        self,
        target: Target,
        *,
        project: str,
        client_factory: ClientFactory = default_client,
        heir_of: int | None = None,
    ) -> None:
        self.target = target
        self.clock = MonotonicClock()
        self._project = project
        run = token_hex(4)
        clients = Clients(client_factory)
        self._time = EngineTime()
        intents = Intents(self.clock.now)
        fleet = Fleet(target.topology.services, intents, self._inspect, self._time.engine_now_s)

        def images() -> tuple[str, ...]:
            return images_of(life.container for life in fleet.lives)

        super().__init__(clients, fleet, intents, Helper(clients, run, images), self.clock)
        Connections.__init__(self)
        Holds.__init__(self, self._address)
        self._edges = Edges(
            clients, project, target, self._time.engine_now_s, self._link, fleet.saw_interference
        )
        neighbours = Neighbours(clients, run, lambda: images_to_try(images()), fleet.saw_interference)
        self._kernel = Kernel(target, fleet, neighbours, self._looked, fleet.saw_interference)
        self._lease = Lease(clients, run, images, self._time.engine_now_s)
        self._journal = DockerJournal(clients, project, run, self._lease, images, self.remember, heir_of)
        self._claim = Claim(clients, project, run, self._lease, images)
        self._stream: EventStream | None = None
        self._cleanup = ExitStack()
        self._undoes = Undoes(
            start=lambda undo: self.start_again(undo.targets),
            unpause=lambda undo: self.unpause(undo.targets),
            cleanse=self.cleanse,
            release=self.release,
            **self.verbs(),
        )

    @property
    def journal(self) -> DockerJournal:
        """Where undos are kept: in the engine."""
        return self._journal

    def __enter__(self) -> Self:
        """Adopt the project.

        Raises:
            RuntimeUnavailable: no engine answers.
            RequestError: services of the target have no container.
        """
        self._cleanup.callback(self._clients.close)
        try:
            self._adopt()
        except BaseException:
            self._cleanup.close()
            raise
        return self

    def _adopt(self) -> None:
        self._time.measure(self._engine_says_when)
        sweep(self._clients)
        with self._clients.lent("look for the project") as api:
            known_s = self._time.engine_now_s()
            pairs = found(api, self._project)
        self._fleet.adopt(pairs, known_s)
        there = {container.service for container, _ in pairs}
        missing = [name for name in self.target.topology.services if name not in there]
        if missing:
            raise RequestError(self._not_up(missing, there))
        self._cleanup.callback(self._lease.close)
        self._cleanup.callback(self._edges.close)
        self._edges.find()
        self._cleanup.callback(self._kernel.close)
        self._cleanup.callback(self._helper.close)

    def _not_up(self, missing: Sequence[str], there: set[str]) -> str:
        files = "".join(f" -f {path}" for path in self.target.files)
        have = f"it has: {', '.join(sorted(there))}" if there else "it has none at all"
        return (
            f"the compose project {self._project!r} has no container of {', '.join(missing)}; {have}. "
            f"Start it: docker-compose -p {self._project}{files} up -d"
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.close()

    def claim(self) -> None:
        """Have the project for this run alone, until the runtime is left."""
        self._claim.take()
        self._cleanup.callback(self._claim.release)

    def watch(self, sink: Sink) -> None:
        """Start to report health and processes to ``sink``, until the runtime is left."""
        prober = Prober(self.clock, sink, self.target.limits.health_timeout_s)
        self._fleet.report_to(sink, prober.wake)
        stream = EventStream(
            self._clients,
            self._project,
            self._time,
            heard=self._heard,
            reopened=self._reopened,
            was_blind=sink.was_blind,
            clock_was_set=self._fleet.clock_was_set,
        )
        self._cleanup.callback(stream.close)
        # From when the oldest process started: signals that it got since then still matter.
        stream.open(min(life.started_s for life in self._fleet.lives))
        self._fleet.reconcile(self._fleet.lives, self._time.on_our_clock)
        stream.start()
        self._stream = stream
        self._edges.watch()
        self._kernel.watch()
        for service in self.target.topology.services:
            prober.add(service, self._probe(service), self._why_not_running(service))
        self._cleanup.callback(prober.stop)
        prober.start()
        helper = Thread(target=self._prepare, name="knockon-docker-helper", daemon=True)
        helper.start()
        self._cleanup.callback(helper.join)

    def _heard(self, event: Event) -> None:
        self._edges.heard(event)
        self._kernel.heard(event)
        self._fleet.heard(event)

    def _reopened(self) -> None:
        self._edges.missed()
        self._kernel.missed()
        self._fleet.reconcile(self._fleet.lives, self._time.on_our_clock)

    def remember(self, undo: Undo) -> Undo:
        """The undo with all that is needed to do it in another process."""
        return self.remembered(super().remember(undo))

    def how_to_wire(self) -> str:
        """How to put proxies between the services: an override of the compose files."""
        return how_to_wire(self._project, self.target.files)

    def _probe(self, service: str) -> Probe:
        probe = self.target.services[service].health
        if probe.kind is ProbeKind.HTTP and probe.url:
            return HttpProbe(probe.url)
        if probe.kind is ProbeKind.ENGINE:
            return EngineHealth(self._clients, lambda: [one.container for one in self._fleet.of(service)])
        return RunningProbe(lambda: self._fleet.trouble(service))

    def _why_not_running(self, service: str) -> Callable[[], str]:
        return lambda: self._fleet.not_running(service)

    def _prepare(self) -> None:
        # If this fails, the first crash says why; without a crash nobody needs to know.
        with suppress(Inconclusive, RequestError):
            self._lease.take()
            self._helper.prepare()

    def status(self, service: str) -> ServiceStatus:
        """What the service's containers are doing now, by the worst of them.

        While the engine's events are heard they say it. Looking takes 1 ms, but up to a second at a
        container that is just dying: the engine holds on to it until its network is taken down.
        """
        if not (self._stream and self._stream.listening):
            self._fleet.reconcile(self._fleet.of(service), self._time.on_our_clock)
        lives = self._fleet.of(service)
        if not lives:
            return ServiceStatus(service, ProcessState.DOWN, since="its container was removed", gone=True)
        worst = min(lives, key=lambda life: WORST_FIRST.index(life.state))
        return ServiceStatus(
            service,
            worst.state,
            tuple(life.container.id[:12] for life in lives if not life.not_running),
            sum(life.restarts for life in lives),
            _since(worst),
        )

    def _address(self, service: str) -> tuple[str, int] | None:
        """Where it takes connections, as seen from here."""
        parts = urlsplit(self.url(service) or "")
        return (parts.hostname, parts.port) if parts.hostname and parts.port else None

    def url(self, service: str) -> str | None:
        """Where a published port of the service is found from here."""
        host = self._clients.published_host
        for port in self.target.services[service].ports:
            if port.host is not None:
                return _url(port.address, port.host, host)
        wanted = [port.container for port in self.target.services[service].ports]
        for life in self._fleet.of(service):
            for inner, outer, address in self._look(life.container).ports:
                if not wanted or inner in wanted:
                    return _url(address, outer, host)
        return None

    def undo(self, undo: Undo) -> None:
        """Lift a fault. Services that have no container any more have nothing to lift."""
        there = tuple(name for name in undo.targets if is_link(name) or self._fleet.of(name))
        self._undoes(replace(undo, targets=there))

    def answers_within(self, limit_s: float) -> bool:
        """Whether the engine answers, or does so again within a while."""
        until_s = self.clock.now() + limit_s
        while True:
            with suppress(Inconclusive), self._clients.lent("ask the engine") as api:
                api.ping()
                return True
            if self.clock.now() > until_s:
                return False
            self.clock.sleep(ASK_EVERY_S)

    def _engine_says_when(self) -> str:
        with self._clients.lent("ask for the engine's time") as api:
            return str(api.info()["SystemTime"])

    def _inspect(self, container: str) -> tuple[Container, Look] | None:
        with suppress(Interference), self._clients.lent("look at a container") as api:
            return inspected(api, container)
        return None

    def _looked(self, container: str) -> Look | None:
        found = self._inspect(container)
        return found[1] if found else None


def _since(life: Life) -> str:
    moment = datetime.fromtimestamp(life.finished_s if life.not_running else life.started_s)
    return f"{life.not_running or 'since'} {moment:%Y-%m-%d %H:%M:%S}" if life.started_s else life.not_running


def _url(address: str, port: int, host: str) -> str:
    """Bound to every address means: to any that we can reach."""
    if address in ("", "0.0.0.0", "::"):  # noqa: S104
        address = host
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"
