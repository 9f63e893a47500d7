"""What the labels and the settings of one container say about its service.

Compose v2 writes ``depends_on`` as ``users:service_healthy:false,catalog:service_started:false``
(service, condition, whether to restart along); v1 writes no dependencies. Both write the service, the
number of the replica and the files, which are relative to the working directory in v1 only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fuzzer.targets.ports import Published
from models.compose_spec import COMPLETED, ENABLE_LABEL
from models.proxied import WIRES_LABEL, Proxied, from_text
from models.target import (
    Condition,
    HealthCheck,
    HealthProbe,
    Port,
    ProbeKind,
    Restart,
    RestartPolicy,
    Service,
)

_COMPOSE = "com.docker.compose."
PROJECT = _COMPOSE + "project"
ONE_OFF = _COMPOSE + "oneoff"


@dataclass(frozen=True)
class Inspected:
    """One container, as the engine's inspect call describes it."""

    data: Mapping[str, Any]

    @property
    def labels(self) -> Mapping[str, str]:
        """All its labels."""
        return self._section("Config").get("Labels") or {}

    @property
    def service_name(self) -> str:
        """The service that it is a replica of; empty when compose did not make it."""
        return self.labels.get(_COMPOSE + "service", "")

    @property
    def number(self) -> int:
        """Which replica of its service this is, counted from 1."""
        text = self.labels.get(_COMPOSE + "container-number", "")
        return int(text) if text.isdecimal() else 1

    @property
    def working_dir(self) -> Path:
        """Where compose was run, on the machine where it was run."""
        return Path(self.labels.get(_COMPOSE + "project.working_dir", ""))

    @property
    def config_files(self) -> tuple[Path, ...]:
        """The compose files that the project was started from, wherever that was."""
        names = self.labels.get(_COMPOSE + "project.config_files", "").split(",")
        return tuple(self.working_dir / name for name in names if name)

    @property
    def dependencies(self) -> dict[str, str]:
        """Services that this one was started after, each with the condition."""
        parts = self.labels.get(_COMPOSE + "depends_on", "").split(",")
        conditions = (part.split(":") for part in parts if part)
        return {name: (rest[0] if rest else "") for name, *rest in conditions}

    @property
    def awaited(self) -> frozenset[str]:
        """Services that this one waits for to end."""
        return frozenset(name for name, how in self.dependencies.items() if how == COMPLETED)

    @property
    def host_names(self) -> frozenset[str]:
        """Every name that it can be called by, in lower case."""
        networks = self._section("NetworkSettings").get("Networks") or {}
        aliases = {alias for network in networks.values() for alias in network.get("Aliases") or ()}
        own = {self.service_name, str(self.data.get("Name", "")).lstrip("/")}
        return frozenset(
            name.lower() for name in own | aliases | {self._section("Config").get("Hostname") or ""}
        )

    @property
    def proxies(self) -> tuple[Proxied, ...]:
        """The proxies that it runs, by what `knockon wire` labelled it with; none if that is damaged."""
        with suppress(ValueError):
            return from_text(self.labels.get(WIRES_LABEL, "[]"))
        return ()

    def service(self) -> Service:
        """The service as far as a container shows it; opted in by its label only."""
        return Service(
            name=self.service_name,
            restart=self._restart(),
            health=HealthProbe(ProbeKind.ENGINE if self._healthcheck() else ProbeKind.RUNNING),
            ports=tuple(self._ports()),
            environment=self._environment(),
            opted_in=self.labels.get(ENABLE_LABEL) == "true",
            healthcheck=self._healthcheck(),
            starts_after={
                name: Condition(how) for name, how in self.dependencies.items() if how in list(Condition)
            },
            memory_limited=bool(self._section("HostConfig").get("Memory")),
        )

    def _section(self, name: str) -> Mapping[str, Any]:
        return self.data.get(name) or {}

    def _restart(self) -> RestartPolicy:
        policy = self._section("HostConfig").get("RestartPolicy") or {}
        name = policy.get("Name") or Restart.NO
        return RestartPolicy(Restart(name), policy.get("MaximumRetryCount") or None)

    def _healthcheck(self) -> HealthCheck | None:
        """The engine's times are nanoseconds, and 0 is its default."""
        check = self._section("Config").get("Healthcheck") or {}
        if (check.get("Test") or ["NONE"])[0] == "NONE":
            return None
        usual = HealthCheck()
        return HealthCheck(
            (check.get("Interval") or 0) / 1e9 or usual.interval_s,
            (check.get("Timeout") or 0) / 1e9 or usual.timeout_s,
            check.get("Retries") or usual.retries,
            (check.get("StartPeriod") or 0) / 1e9,
        )

    def _ports(self) -> Iterable[Port]:
        bindings = self._section("HostConfig").get("PortBindings") or {}
        for port, addresses in bindings.items():
            container, _, protocol = port.partition("/")
            for address in addresses or ():
                ip, host = address.get("HostIp") or "", address.get("HostPort") or ""
                yield from Published(ip, host, container, protocol).ports()

    def _environment(self) -> dict[str, str]:
        pairs = (variable.partition("=") for variable in self._section("Config").get("Env") or ())
        return {name: value for name, _, value in pairs}
