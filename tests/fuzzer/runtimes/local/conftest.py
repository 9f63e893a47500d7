"""A fleet of tiny services on ports of its own."""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPException
from pathlib import Path

import pytest

from fuzzer.runtimes.local.runtime import LocalRuntime
from models.target import HealthProbe, LocalCommand, Port, ProbeKind, Restart, RestartPolicy, Service, Target
from models.topology import Dependency, Topology
from tests.conformance.saw import Saw
from tests.support.ports import free_ports
from tests.support.waiting import until

SERVICE = Path(__file__).with_name("service.py")
RUN = (sys.executable, "-S", "-E", str(SERVICE))
ALWAYS = RestartPolicy(Restart.ALWAYS)


def free_port() -> int:
    """A port that nobody listens on."""
    return free_ports(1).start


def service(
    name: str,
    restart: RestartPolicy = ALWAYS,
    command: tuple[str, ...] | None = RUN,
    compose: dict[str, str] | None = None,
    **local: str,
) -> Service:
    """A service on a free port; ``compose`` is its environment there, ``local`` that of the process."""
    port = free_port()
    return Service(
        name,
        restart,
        HealthProbe(ProbeKind.HTTP, f"http://127.0.0.1:{port}/health"),
        (Port(8000, port),),
        compose or {},
        None if command is None else LocalCommand(command, {"PORT": str(port), **local}),
    )


def target(folder: Path, *services: Service, edges: tuple[tuple[str, str], ...] = ()) -> Target:
    names = tuple(one.name for one in services)
    return Target(
        "tiny",
        folder,
        {one.name: one for one in services},
        Topology(names, tuple(Dependency(caller, needed) for caller, needed in edges)),
    )


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some services of a test never become healthy."""
    monkeypatch.setattr("fuzzer.runtimes.local.runtime.START_S", 0.5)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def saw() -> Saw:
    return Saw()


@pytest.fixture
def fleet(tmp_path: Path, state: Path, saw: Saw) -> Iterator[Callable[..., LocalRuntime]]:
    """Start services, and watch them."""
    with ExitStack() as stack:

        def started(*services: Service, **options: object) -> LocalRuntime:
            runtime = LocalRuntime(target(tmp_path, *services, **options), state_dir=state)  # type: ignore[arg-type]
            stack.enter_context(runtime)
            runtime.watch(saw)
            return runtime

        yield started


def get(runtime: LocalRuntime, name: str, path: str) -> bytes:
    """Ask a service something; ``b""`` if it does not answer."""
    with (
        suppress(OSError, HTTPException),
        urllib.request.urlopen(f"{runtime.url(name)}{path}", timeout=5) as answer,
    ):
        return bytes(answer.read())
    return b""


def facts(runtime: LocalRuntime, name: str) -> dict[str, object]:
    """What a service says of itself: environment, folder, arguments."""
    until(lambda: get(runtime, name, "/health"), f"{name} does not answer")
    return json.loads(get(runtime, name, "/environment"))  # type: ignore[no-any-return]


def will_exit_at_once(runtime: LocalRuntime, name: str) -> None:
    """Every later start of this service ends at once, with exit code 3."""
    data = facts(runtime, name)["environment"]["KNOCKON_DATA_DIR"]  # type: ignore[index]
    Path(data, "exit").touch()


def alive(pid: int) -> bool:
    """Whether a process runs; the remains of one do not count."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"


def pid_of(runtime: LocalRuntime, name: str) -> int:
    (pid,) = runtime.status(name).instances
    return int(pid)


def noted_pid(runtime: LocalRuntime, name: str, what: str) -> int:
    """A pid that a service wrote into its data folder."""
    note = Path(str(facts(runtime, name)["environment"]["KNOCKON_DATA_DIR"])) / f"{what}.pid"  # type: ignore[index]
    until(lambda: note.exists() and note.read_text())
    return int(note.read_text())


def processes_in(state: Path) -> list[int]:
    """Every process that was started with this folder in its environment."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with suppress(OSError):
                if f"KNOCKON_FLEET={state}/".encode() in Path(f"/proc/{entry}/environ").read_bytes():
                    found.append(int(entry))
    return found
