"""A compose project of a few tiny containers, made by the SDK with the labels that compose sets."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from threading import Thread

import pytest
from docker import APIClient
from docker.errors import APIError, NotFound

from fuzzer.runtimes.docker.clients import TROUBLE, default_client
from fuzzer.runtimes.docker.clock import epoch_s
from fuzzer.runtimes.docker.containers import look
from fuzzer.runtimes.docker.runtime import DockerRuntime
from models.observation import Blindness, Change, Health, ProcessChange
from models.target import HealthProbe, Restart, RestartPolicy, Service, Target
from models.topology import Topology

IMAGE = "python:3.11-slim"

# Process 1 ignores every signal that it does not handle, so each death has a signal of its own.
PROGRAM = """
trap 'exit 0' TERM USR1
trap 'exit 3' USR2
trap 'exec python3 -c "b\\"x\\" * (1 << 29)"' HUP
echo ready
while :; do sleep 3600 & wait $!; done
"""
BY_ITSELF = {"exit 0": "USR1", "exit 3": "USR2", "out of memory": "HUP"}


def until(condition: Callable[[], object], limit_s: float = 10.0) -> None:
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen in time"
        time.sleep(0.005)


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., None]:
    return until


@pytest.fixture(scope="session")
def api() -> Iterator[APIClient]:
    try:
        client = default_client()
        client.inspect_image(IMAGE)
    except NotFound:
        reason = f"the engine has no image {IMAGE}: make engine"
    except TROUBLE as error:
        reason = f"no container engine answers: {error}"
    else:
        yield client
        client.close()
        return
    if os.environ.get("KNOCKON_REQUIRE_DOCKER"):
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass
class Saw:
    """A sink that keeps everything."""

    health: list[Health] = field(default_factory=list)
    processes: list[ProcessChange] = field(default_factory=list)
    blind: list[Blindness] = field(default_factory=list)
    interference: list[str] = field(default_factory=list)

    def saw_health(self, seen: Health) -> None:
        self.health.append(seen)

    def saw_process(self, seen: ProcessChange) -> None:
        self.processes.append(seen)

    def was_blind(self, span: Blindness) -> None:
        self.blind.append(span)

    def saw_interference(self, what: str) -> None:
        self.interference.append(what)

    def changes(self, service: str) -> list[Change]:
        return [seen.change for seen in self.processes if seen.service == service]

    def exits(self, service: str) -> list[ProcessChange]:
        return [p for p in self.processes if p.service == service and p.change is Change.EXITED]


@dataclass
class Project:
    """Containers that look like those of compose; everything of it is removed at the end."""

    api: APIClient
    name: str
    ids: dict[str, list[str]] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)

    def add(
        self,
        service: str,
        policy: str = "no",
        *,
        retries: int = 0,
        number: int = 1,
        command: list[str] | None = None,
        health: HealthProbe | None = None,
        one_off: bool = False,
        **host: object,
    ) -> str:
        """Create one container of a service, not started; returns its id."""
        made = self.api.create_container(
            IMAGE,
            command or ["sh", "-c", PROGRAM],
            name=f"{self.name}-{service}-{'run' if one_off else number}",
            labels={
                "com.docker.compose.project": self.name,
                "com.docker.compose.service": service,
                "com.docker.compose.container-number": str(number),
                "com.docker.compose.oneoff": str(one_off),
            },
            stop_timeout=2,
            ports=list(host.get("port_bindings", {})),  # type: ignore[call-overload]
            healthcheck=host.pop("healthcheck", None),  # type: ignore[arg-type]
            host_config=self.api.create_host_config(
                restart_policy={"Name": policy, "MaximumRetryCount": retries}, **host
            ),
        )
        container: str = made["Id"]
        if not one_off:
            self.ids.setdefault(service, []).append(container)
            self.services[service] = Service(
                service,
                RestartPolicy(Restart(policy), retries or None),
                health or HealthProbe(),
            )
        return container

    def up(self) -> None:
        """Start everything, and wait until each program is ready to be signalled."""
        every = [one for ids in self.ids.values() for one in ids]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(start, every))
        for service in self.ids:
            self.ready(service)

    def ready(self, service: str) -> None:
        """Wait until the program as it was started last is ready to be signalled."""
        for one in self.ids[service]:
            # Not when it started: the engine notes that after the program's first words.
            ended_s = max(1.0, epoch_s(self.api.inspect_container(one)["State"]["FinishedAt"]))
            until(lambda one=one, since=ended_s: self.api.logs(one, since=since))  # type: ignore[misc]

    @property
    def target(self) -> Target:
        names = tuple(self.services)
        return Target(self.name, Path(), self.services, Topology(names), files=(Path("compose.yaml"),))

    def runtime(self, **options: object) -> DockerRuntime:
        return DockerRuntime(self.target, project=self.name, **options)  # type: ignore[arg-type]

    def dies(self, service: str, how: str) -> None:
        """Let every process of a service die by itself."""
        for one in self.ids[service]:
            made = self.api.exec_create(one, ["sh", "-c", f"kill -{BY_ITSELF[how]} 1"])
            with suppress(APIError):  # it may take this very command along
                self.api.exec_start(made["Id"])

    def status(self, service: str) -> str:
        return str(look(self.api, self.ids[service][0]).state)

    def down(self) -> None:
        labels = (f"com.docker.compose.project={self.name}", f"knockon.project={self.name}")
        left = [self.api.containers(all=True, filters={"label": label}) for label in labels]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(remove, [one["Id"] for found in left for one in found]))


def start(container: str) -> None:
    with closing(default_client()) as client:
        client.start(container)


def remove(container: str) -> None:
    with closing(default_client()) as client, suppress(APIError):
        client.remove_container(container, force=True, v=True)


@pytest.fixture
def project(api: APIClient) -> Iterator[Project]:
    made = Project(api, f"kdocker{token_hex(3)}")
    try:
        yield made
    finally:
        made.down()


@pytest.fixture
def policies(project: Project) -> Project:
    """One service for each restart policy, running."""
    for service, policy in {
        "none": "no",
        "failure": "on-failure",
        "unless": "unless-stopped",
        "always": "always",
    }.items():
        project.add(service, policy)
    project.up()
    return project


@pytest.fixture
def one(project: Project) -> Project:
    """One service ``web`` that comes back by itself, running."""
    project.add("web", "unless-stopped")
    project.up()
    return project


@pytest.fixture
def saw() -> Saw:
    return Saw()


class Wire:
    """A unix socket that leads to the engine, and can be cut."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"unix://{path}"
        self._open: list[socket.socket] = []
        self.mend()

    def mend(self) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        self.path.unlink()
        for one in [self._listener, *self._open]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, far = listener.accept()[0], socket.socket(socket.AF_UNIX)
                far.connect("/var/run/docker.sock")
                self._open += [near, far]
                for pair in ((near, far), (far, near)):
                    Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def wire(tmp_path: Path, api: APIClient) -> Iterator[Wire]:
    if not Path("/var/run/docker.sock").exists():
        pytest.skip("the engine is not at /var/run/docker.sock")
    made = Wire(tmp_path / "engine.sock")
    yield made
    with suppress(OSError):
        made.cut()
