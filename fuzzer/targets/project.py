"""A running compose project, found by the labels of its containers.

Where the project's compose files can be read here, they say what it is, ``x-knockon`` keys included.
Elsewhere (a remote engine, a deleted checkout) it is put together from labels and settings; then only
the label ``knockon.enable=true`` opts a service in, and everything else has its default.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import docker
from docker.errors import DockerException, NotFound
from requests.exceptions import RequestException

from fuzzer.secrecy import SECRETS
from fuzzer.targets.base import nearest
from fuzzer.targets.files import load_target
from fuzzer.targets.hosts import inferred_edges
from fuzzer.targets.labels import ONE_OFF, PROJECT, Inspected
from fuzzer.targets.proxied import led_directly
from fuzzer.wiring import wires
from models.errors import Problem, RuntimeUnavailable, TargetError
from models.proxied import EDGES_LABEL
from models.target import Port, Service, Target
from models.topology import Dependency, Source, Strength, Topology


def discover_project(name: str, client: docker.APIClient, environ: Mapping[str, str]) -> Target:
    """The target that a compose project is, running or stopped.

    ``environ`` gives the variables of its compose files, which the engine does not remember.

    Raises:
        TargetError: there is no such project, or its compose files have problems.
        RuntimeUnavailable: the engine does not answer.
    """
    try:
        containers = _containers(name, client)
        if not containers:
            raise TargetError([_no_such_project(name, client)])
    except (DockerException, RequestException) as error:
        raise RuntimeUnavailable(f"the Docker engine does not answer: {error}") from error
    files = containers[0].config_files
    if files and all(file.is_file() and os.access(file, os.R_OK) for file in files):
        # Its containers tell which profiles were active.
        known = {**environ, "COMPOSE_PROJECT_NAME": name, "COMPOSE_PROFILES": "*"}
        target = load_target(files, known)
        _refuse_drift(target, containers)
        return _present(target, {c.service_name for c in containers if EDGES_LABEL not in c.labels})
    return _from_labels(name, containers)


def _containers(name: str, client: docker.APIClient) -> list[Inspected]:
    """One container of each service, the first replica, sorted by service."""
    found: dict[str, Inspected] = {}
    for listed in client.containers(all=True, filters={"label": f"{PROJECT}={name}"}):
        try:
            container = Inspected(client.inspect_container(listed["Id"]))
        except NotFound:
            continue  # removed since it was listed
        first = found.get(container.service_name, container)
        if container.labels.get(ONE_OFF) != "True" and container.number <= first.number:
            found[container.service_name] = container
    return [found[service] for service in sorted(found) if service]


def _no_such_project(name: str, client: docker.APIClient) -> Problem:
    listed = client.containers(filters={"label": PROJECT})
    running = sorted({container["Labels"][PROJECT] for container in listed})
    expected = f"one of those that run: {', '.join(running)}" if running else "a compose project; none runs"
    return Problem(f"project {name}", "", "no container of it", expected + nearest(name, running))


def _refuse_drift(target: Target, containers: Sequence[Inspected]) -> None:
    """Refuse files that publish other ports than the containers do.

    The usual reason is a variable that was set when the project was started and is not now. Health
    URLs would then lead to another stack.
    """
    problems = []
    for container in containers:
        service = target.services.get(container.service_name)
        if service is not None:
            written, real = _fixed_ports(service), _fixed_ports(container.service())
            if written != real:
                problems.append(
                    Problem(
                        f"project {target.name}",
                        f"services.{service.name}.ports",
                        f"{_shown(written)} in its files but {_shown(real)} at its container",
                        "the files and variables that it was started with",
                    )
                )
    if problems:
        raise TargetError(problems)


def _fixed_ports(service: Service) -> set[Port]:
    return {port for port in service.ports if port.host is not None}


def _shown(ports: set[Port]) -> str:
    return ", ".join(sorted(f"{port.host}:{port.container}" for port in ports)) or "none"


def _present(target: Target, present: set[str]) -> Target:
    """The target without services that have no container."""
    services = {name: service for name, service in target.services.items() if name in present}
    if not services:
        expected = f"one of {', '.join(sorted(present))}"
        raise TargetError(
            [Problem(f"project {target.name}", "services", "none that has a container", expected)]
        )
    kept = [e for e in target.topology.dependencies if {e.caller, e.dependency} <= services.keys()]
    notes = [f"{name} is left out: it has no container" for name in target.services if name not in present]
    notes += [
        f"{name} is left alone: it has a container, but is no part of this target"
        for name in sorted(present - services.keys())
    ]
    return replace(
        target,
        services=services,
        topology=Topology(tuple(services), tuple(kept)),
        wires=tuple(wire for wire in target.wires if services.keys() >= set(wire.edge)),
        loads={name: load for name, load in target.loads.items() if services.keys() >= set(load.services)},
        notes=(*target.notes, *notes),
    )


def _from_labels(name: str, containers: Sequence[Inspected]) -> Target:
    ended = frozenset().union(*(container.awaited for container in containers))
    proxies = {c.service_name: c.proxies for c in containers if EDGES_LABEL in c.labels}
    fleet = {c.service_name: c for c in containers if c.service_name not in {*ended, *proxies}}
    services = led_directly({service: c.service() for service, c in fleet.items()}, proxies)
    for one in services.values():
        SECRETS.learn(one.environment)
    SECRETS.never_hide([name, *services])
    hosts = {host: service for service, c in fleet.items() for host in c.host_names if host}
    edges: list[Dependency] = []
    notes = [
        "read from labels, because its compose files cannot be read here: limits have their defaults, and "
        "only services with the label knockon.enable=true are opted in"
    ]
    notes += [f"{service} is left out: it runs once and ends" for service in sorted(ended)]
    for service, container in fleet.items():
        declared = [d for d in container.dependencies if d in fleet]
        edges += [Dependency(service, d, Strength.HARD, Source.DEPENDS_ON) for d in declared]
        for edge, note in inferred_edges(service, services[service].environment, hosts, declared):
            edges.append(edge)
            notes.append(note)
    directory = containers[0].working_dir
    return Target(
        name=name,
        directory=directory if directory.is_absolute() and directory.is_dir() else Path.cwd(),
        services=services,
        topology=Topology(tuple(fleet), tuple(edges)),
        wires=wires(services),
        notes=tuple(notes),
    )
