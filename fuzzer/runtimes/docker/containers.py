"""What the engine says about a container, as values. Nothing beyond this file reads its JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from docker import APIClient

from fuzzer.runtimes.base import ProcessState
from fuzzer.runtimes.docker.clock import epoch_s
from models.proxied import EDGES_LABEL
from models.target import Restart, RestartPolicy

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
NUMBER = "com.docker.compose.container-number"
ONE_OFF = "com.docker.compose.oneoff"
REPLICA = "knockon.replica"
"""On containers of services that we made ourselves, as further replicas."""

STOP_S = 10
"""How long ``docker stop`` waits for a container that does not say."""


@dataclass(frozen=True, slots=True)
class Look:
    """A container at one moment.

    Attributes:
        state: what its process is doing.
        pid: on the engine's machine; 0 without a process.
        started_s: when its last process started, by the engine's wall clock; 0 if none ever did.
        finished_s: when its last process ended, likewise.
        restarts: how often its policy started it again since somebody last started it.
        health: ``healthy``, ``unhealthy``, ``starting``; empty without a health check.
        ports: published TCP ports: of the container, on the host, the host's address.
        addresses: its own, in all of its networks; none while it does not run, or shares somebody's network.
    """

    state: ProcessState
    pid: int
    exit_code: int
    started_s: float
    finished_s: float
    restarts: int
    health: str
    policy: RestartPolicy
    ports: tuple[tuple[int, int, str], ...]
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Container:
    """One instance of a service; what of it never changes. ``ours`` is one that we made."""

    id: str
    name: str
    service: str
    number: int
    image: str
    stop_s: int
    ours: bool = False


def found(api: APIClient, project: str) -> list[tuple[Container, Look]]:
    """Every container of a compose project's fleet: those of ``compose run`` and the proxies' left out."""
    listed = api.containers(all=True, filters={"label": [f"{PROJECT}={project}"]})
    ids = [str(entry["Id"]) for entry in listed if is_of_fleet(entry["Labels"])]
    both = [inspected(api, container) for container in ids]
    return sorted(both, key=lambda pair: (pair[0].service, pair[0].number))


def is_one_off(labels: Mapping[str, str]) -> bool:
    """Whether compose made it for a single command."""
    return labels.get(ONE_OFF, "").lower() == "true"


def is_of_fleet(labels: Mapping[str, str]) -> bool:
    """Whether a container of a project is one of its services, and not one that stands beside them."""
    return not is_one_off(labels) and EDGES_LABEL not in labels


def inspected(api: APIClient, container: str) -> tuple[Container, Look]:
    """What a container is, and what it is doing."""
    data: dict[str, Any] = api.inspect_container(container)
    labels = data["Config"].get("Labels") or {}
    stop_s = data["Config"].get("StopTimeout")
    return (
        Container(
            id=data["Id"],
            name=data["Name"].lstrip("/"),
            service=labels.get(SERVICE, ""),
            number=int(labels.get(NUMBER) or 1),
            image=data["Image"],
            stop_s=STOP_S if stop_s is None else int(stop_s),
            ours=REPLICA in labels,
        ),
        _look(data),
    )


def look(api: APIClient, container: str) -> Look:
    """What a container is doing now: 1 ms on a local engine."""
    return _look(api.inspect_container(container))


def _look(data: dict[str, Any]) -> Look:
    state = data["State"]
    policy = data["HostConfig"].get("RestartPolicy") or {}
    ports: Mapping[str, list[dict[str, str]] | None] = data["NetworkSettings"].get("Ports") or {}
    return Look(
        state=_STATES.get(state["Status"], ProcessState.DOWN),
        pid=state["Pid"],
        exit_code=state["ExitCode"],
        started_s=epoch_s(state["StartedAt"]),
        finished_s=epoch_s(state["FinishedAt"]),
        restarts=data.get("RestartCount", 0),
        health=(state.get("Health") or {}).get("Status", "").replace("none", ""),
        # The name is empty for a container that was made without a policy.
        policy=RestartPolicy(Restart(policy.get("Name") or "no"), policy.get("MaximumRetryCount") or None),
        ports=tuple(
            (int(inner.split("/")[0]), int(published["HostPort"]), published["HostIp"])
            for inner, bindings in ports.items()
            if inner.endswith("/tcp")
            for published in bindings or ()
        ),
        addresses=tuple(
            address
            for network in (data["NetworkSettings"].get("Networks") or {}).values()
            for address in (network.get("IPAddress"), network.get("GlobalIPv6Address"))
            if address
        ),
    )


# By Status, not by the flags: while a policy waits to start it again, Running is true.
_STATES = {
    "running": ProcessState.RUNNING,
    "paused": ProcessState.PAUSED,
    "restarting": ProcessState.RETURNING,
}


def images_of(containers: Iterable[Container]) -> tuple[str, ...]:
    """The images of these containers, each once: what is surely on the engine without a registry."""
    return tuple(dict.fromkeys(container.image for container in containers))
