"""What is fuzzed: services with their restart policies and health probes, limits, loads, safety.

Read from compose files or from a running project; from here on nothing knows YAML or labels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from models.behaviour import Hints
from models.limits import Limits
from models.link import ONE_WAY, Link, is_link
from models.load import Load
from models.topology import Topology
from models.windows import Window
from models.wire import Wire

PRODUCTION = ("*prod*", "*prd*", "live", "live[-_.]*", "*[-_.]live", "*[-_.]live[-_.]*")
"""Names that look like production, unless the target says otherwise."""


class Restart(StrEnum):
    """The restart policies of compose."""

    NO = "no"
    ON_FAILURE = "on-failure"
    ALWAYS = "always"
    UNLESS_STOPPED = "unless-stopped"


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """When a dead process comes back by itself. ``max_retries`` is None for no limit."""

    name: Restart = Restart.NO
    max_retries: int | None = None

    def revives(self, exit_code: int) -> bool:
        """Whether a process that ended with ``exit_code`` by itself is started again.

        An operator's kill or stop is never undone by a policy, whichever it is.
        """
        if self.name is Restart.ON_FAILURE:
            return exit_code != 0
        return self.name is not Restart.NO

    def __str__(self) -> str:
        return self.name if self.max_retries is None else f"{self.name}:{self.max_retries}"


class ProbeKind(StrEnum):
    """How a service's health is told, best first."""

    HTTP = "http"
    ENGINE = "engine"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class HealthProbe:
    """``url`` is set for HTTP only; a 2xx answer is healthy."""

    kind: ProbeKind = ProbeKind.RUNNING
    url: str | None = None

    def __str__(self) -> str:
        return (
            f"GET {self.url}"
            if self.url
            else {"engine": "the container's health check"}.get(self.kind, "runs")
        )


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """The container's own health check: how often it looks, and how many failures make it unhealthy."""

    interval_s: float = 30.0
    timeout_s: float = 30.0
    retries: int = 3
    start_period_s: float = 0.0


class Condition(StrEnum):
    """What compose waits for before it starts a service after another."""

    STARTED = "service_started"
    HEALTHY = "service_healthy"


class Criticality(StrEnum):
    """How much the service matters to its owners."""

    CRITICAL = "critical"
    NORMAL = "normal"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class LocalCommand:
    """How to run a service as a plain process, in the folder of the compose file."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Port:
    """A container's port published on the host; ``host`` is None while the engine chooses it."""

    container: int
    host: int | None
    address: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the target. ``opted_in`` services are the only ones that faults may touch.

    Attributes:
        healthcheck: what the container itself does about its health; None without one.
        starts_after: what compose waits for before it starts the service.
        model: how it behaves in a simulation, as far as its file says so.
        disk: the bounded folder that may be filled up; None for nowhere.
        clock: the file from which its libfaketime reads how far its clock is off; None without one.
        replicas_max: how many replicas the search may give it; None if it says nothing about that.
        direct: variables whose addresses are never led through a proxy.
        memory_limited: whether its container may only take so much memory.
        networks: those of compose that it is attached to; none where it has a network of another kind.
    """

    name: str
    restart: RestartPolicy = RestartPolicy()
    health: HealthProbe = HealthProbe()
    ports: tuple[Port, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    local: LocalCommand | None = None
    counters: Counters | None = None
    role: Role | None = None
    criticality: Criticality = Criticality.NORMAL
    opted_in: bool = True
    healthcheck: HealthCheck | None = None
    starts_after: Mapping[str, Condition] = field(default_factory=dict)
    model: Hints = field(default_factory=Hints)
    disk: str | None = None
    clock: str | None = None
    replicas_max: int | None = None
    direct: tuple[str, ...] = ()
    memory_limited: bool = False
    networks: tuple[str, ...] = ("default",)

    @property
    def replicas(self) -> int:
        """How many replicas its file asks for."""
        return self.model.replicas or 1


@dataclass(frozen=True, slots=True)
class Counters:
    """Where a service tells how many requests it has sent to each dependency since its start.

    ``url`` answers JSON; ``calls`` is the key, dotted if it lies deeper, of a mapping from a
    dependency's name to a number.
    """

    url: str
    calls: str = "calls"


@dataclass(frozen=True, slots=True)
class Role:
    """Where a service tells its role: ``primary`` is a regular expression that its answer then holds."""

    url: str
    primary: str


@dataclass(frozen=True, slots=True)
class Safety:
    """What the fuzzer may not do.

    Attributes:
        max_faults: faults in force at once, at most.
        protect: services that are never touched.
        max_blast_radius: the share of the fleet that may be inside the blast radius of what is in force.
        excluded_windows: when nothing is touched.
        production: patterns of names that have to be typed before anything so named is touched.
        breaker: gates in a row that may fail before a run is ended.
    """

    max_faults: int = 2
    protect: frozenset[str] = frozenset()
    max_blast_radius: float = 1.0
    excluded_windows: tuple[Window, ...] = ()
    production: tuple[str, ...] = PRODUCTION
    breaker: int = 3


@dataclass(frozen=True)
class Target:
    """The whole of what is fuzzed.

    Attributes:
        name: the compose project.
        directory: where pins and local commands belong: the folder of the first compose file.
        load_command: an outside load tool, run by `knockon load-chaos`.
        wires: connections that the services' variables name; faults of links are done to these.
        files: the compose files, empty when a running project was discovered.
        notes: remarks for the reader, such as edges that were only inferred.
    """

    name: str
    directory: Path
    services: Mapping[str, Service]
    topology: Topology
    limits: Limits = field(default_factory=Limits)
    loads: Mapping[str, Load] = field(default_factory=dict)
    load_command: tuple[str, ...] = ()
    safety: Safety = Safety()
    wires: tuple[Wire, ...] = ()
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def faultable(self) -> tuple[str, ...]:
        """Services that faults may touch, in the order of the topology."""
        return tuple(
            name
            for name in self.topology.services
            if self.services[name].opted_in and name not in self.safety.protect
        )

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """Caller and dependency of each connection that faults may touch: both have to allow it."""
        mine = set(self.faultable)
        return tuple(dict.fromkeys(wire.edge for wire in self.wires if mine.issuperset(wire.edge)))

    def places(self, name: str) -> tuple[str, ...]:
        """What a step's target stands for: a service for itself, a link for each connection it covers."""
        link = Link.parse(name) if is_link(name) else None
        if link is None:
            return (name,)
        return tuple(f"{a} {ONE_WAY} {b}" for a, b in self.edges if link.covers(a, b))

    @property
    def digest(self) -> str:
        """A short hash of what a finding depends on: services, policies, edges and limits."""
        parts = [f"{s.name} {s.restart} {s.health.kind}" for s in self.services.values()]
        parts += sorted(str(edge) for edge in self.topology.dependencies)
        parts.append(self.limits.model_dump_json())
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
