"""The hardened shop, once on each runtime, on ports of its own.

Two policies are changed so that each kind occurs: analytics-service has ``no``, user-service has
``on-failure``, the others ``unless-stopped``.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from fuzzer.override import Override
from fuzzer.runtimes.able import CanPoison
from fuzzer.runtimes.base import Runtime, Undo
from fuzzer.runtimes.docker.clients import default_client
from fuzzer.runtimes.docker.runtime import DockerRuntime
from fuzzer.runtimes.local.runtime import LocalRuntime
from fuzzer.runtimes.proxies import OwnProxies
from fuzzer.runtimes.sim.runtime import SimRuntime
from fuzzer.targets.files import load_target
from models.load import Calls, Endpoint, Load, LoadRun, Phase, Request, Shape
from models.target import Target
from tests.conformance.saw import Saw, until
from tests.support.ports import free_prefix
from tests.support.unwired import unwired

SHOP = Path(__file__).parents[2] / "examples" / "shop"
OUTSIDE = Path(__file__).parents[1] / "support" / "outside.py"
BASE = "python:3.11-slim"
POLICIES = """
services:
  analytics-service:
    restart: "no"
    # Compose reads relative paths from the first file's folder, and this is none of a service.
"""


class Shop:
    """Files and variables: what a user would name on the command line."""

    def __init__(self, folder: Path) -> None:
        policies = folder / "policies.yaml"
        policies.write_text(POLICIES)
        self.files = [SHOP / "compose.yaml", SHOP / "compose.hardened.yaml", policies]
        self.environ = {**os.environ, "SHOP_PORTS": str(free_prefix()), "SHOP_FLAWS": ""}

    @property
    def target(self) -> Target:
        return load_target(self.files, self.environ)


Answers = Callable[[Runtime, str, float], bool]


def over_http(runtime: Runtime, service: str, timeout_s: float) -> bool:
    """Ask over the network for its health."""
    try:
        with urllib.request.urlopen(f"{runtime.url(service)}/health", timeout=timeout_s) as answer:
            return answer.status == 200
    except (urllib.error.URLError, TimeoutError):
        return False


class OneRequest:
    """Sends one request to a simulated service, as a client would, and waits for what becomes of it."""

    def __init__(self, runtime: Runtime, service: str, timeout_s: float) -> None:
        assert isinstance(runtime, SimRuntime)
        self.seen: list[Request] = []
        load = Load("one", (Endpoint("GET /health", service, needs=()),), timeout_s=timeout_s)
        clients = runtime.loads(self)
        clients.start(load, {}, Phase.DURING, Shape.STEADY, 1.0, 1.0)
        until(runtime.clock, lambda: clients.quiet, "the request is not over")

    @classmethod
    def answers(cls, runtime: Runtime, service: str, timeout_s: float) -> bool:
        (request,) = cls(runtime, service, timeout_s).seen
        return request.status == 200

    def saw_request(self, seen: Request) -> None:
        self.seen.append(seen)

    def saw_load(self, run: LoadRun) -> None:
        """One request is all."""

    def saw_calls(self, seen: Calls) -> None:
        """Nobody asks for them."""


@dataclass
class Kind:
    """One kind of runtime: how to make one, and one that is entered already, if entering is dear.

    ``answers`` tells whether a service answers a request within so many seconds.
    """

    make: Callable[[], Runtime]
    entered: Runtime | None = None
    answers: Answers = over_http

    def lent(self) -> AbstractContextManager[Runtime]:
        return nullcontext(self.entered) if self.entered else self.make()


@pytest.fixture(scope="session")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Kind:
    target = Shop(tmp_path_factory.mktemp("sim")).target
    return Kind(lambda: SimRuntime(target), answers=OneRequest.answers)


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kind]:
    folder = tmp_path_factory.mktemp("local")
    shop = Shop(folder)
    with LocalRuntime(shop.target, state_dir=folder / "state") as runtime:
        other = Shop(folder)
        yield Kind(lambda: LocalRuntime(other.target, state_dir=folder / "state"), runtime)


@pytest.fixture(scope="session")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kind]:
    if reason := _no_engine():
        if os.environ.get("KNOCKON_REQUIRE_DOCKER"):
            pytest.fail(reason)
        pytest.skip(reason)
    shop = Shop(tmp_path_factory.mktemp("docker"))
    project = f"knockon-conf{secrets.token_hex(2)}"
    compose = ["docker-compose", "-p", project]
    for file in shop.files:
        compose += ["-f", str(file)]

    def run(*words: str) -> None:
        done = subprocess.run(
            [*compose, *words], env=shop.environ, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr

    try:
        run("up", "-d", "--build")
        yield Kind(lambda: DockerRuntime(shop.target, project=project))
    finally:
        run("down", "-t", "0", "-v")


def _no_engine() -> str:
    if not shutil.which("docker-compose"):
        return "there is no docker-compose: make engine"
    try:
        client = default_client()
        client.inspect_image(BASE)
        client.close()
    except Exception as error:
        return f"no container engine with the image {BASE}: {error}: make engine"
    return ""


@pytest.fixture(params=["sim", "local", pytest.param("docker", marks=pytest.mark.docker)])
def kind(request: pytest.FixtureRequest) -> Kind:
    made: Kind = request.getfixturevalue(request.param)
    return made


# Connections that can be harmed.

VARIABLES = {"product-service": "PRODUCT_URL"}
"""The variable by which every caller finds a service."""

Asked = list[dict[str, Any]]


@dataclass
class Wired:
    """A runtime whose connections can be harmed.

    ``ask(caller, dependency, times, timeout_s)`` asks as the caller would, from outside of the fuzzer.
    """

    name: str
    runtime: Runtime
    ask: Callable[[str, str, int, float], Asked]
    free_ports: int = 0
    patience_s: float = 30.0


def by_a_process(
    words: Sequence[str], url: str, times: int, timeout_s: float, environ: Mapping[str, str] | None = None
) -> Asked:
    """Let ``tests/support/outside.py`` ask, wherever these words run Python."""
    done = subprocess.run(
        [*words, f"{url}/health", str(times), str(timeout_s)],
        env=environ,
        capture_output=True,
        text=True,
        timeout=times * timeout_s + 30,
    )
    assert done.returncode == 0, done.stderr
    asked: Asked = json.loads(done.stdout)
    return asked


@pytest.fixture(scope="session")
def wired_local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wired]:
    folder = tmp_path_factory.mktemp("wired")
    shop, other = Shop(folder), Shop(folder)

    def ask(caller: str, dependency: str, times: int, timeout_s: float) -> Asked:
        (pid,) = runtime.status(caller).instances
        told = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
        url = dict(one.partition("=")[::2] for one in told)[VARIABLES[dependency]]
        return by_a_process([sys.executable, str(OUTSIDE)], url, times, timeout_s)

    with LocalRuntime(shop.target, state_dir=folder / "state", proxies=OwnProxies()) as runtime:
        yield Wired("local", runtime, ask, int(other.environ["SHOP_PORTS"]))


@pytest.fixture(scope="session")
def wired_sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wired]:
    target = Shop(tmp_path_factory.mktemp("wired")).target

    def ask(caller: str, dependency: str, times: int, timeout_s: float) -> Asked:
        assert isinstance(runtime, CanPoison)
        return [asdict(runtime.ask(caller, dependency, timeout_s)) for _ in range(times)]

    with SimRuntime(target) as runtime:
        yield Wired("sim", runtime, ask)


@pytest.fixture(scope="session")
def wired_docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wired]:
    if reason := _no_engine():
        if os.environ.get("KNOCKON_REQUIRE_DOCKER"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("wired")
    shop, project = Shop(folder), f"knockon-wired{secrets.token_hex(2)}"
    override = folder / "edges.yaml"
    override.write_text(Override(shop.target, version="3.8").text())
    compose = ["docker-compose", "-p", project]
    for file in (*shop.files, override):
        compose += ["-f", str(file)]

    def run(*words: str) -> str:
        done = subprocess.run(
            [*compose, *words], env=shop.environ, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(caller: str, dependency: str, times: int, timeout_s: float) -> Asked:
        inside = ["exec", "-T", caller, "python3", "-c"]
        variable = VARIABLES[dependency]
        url = run(*inside, f"import os; print(os.environ['{variable}'])").strip()
        words = [*compose, *inside, OUTSIDE.read_text()]
        return by_a_process(words, url, times, timeout_s, shop.environ)

    try:
        run("up", "-d", "--build")
        with DockerRuntime(shop.target, project=project) as runtime:
            runtime.watch(Saw())
            yield Wired("docker", runtime, ask)
    finally:
        run("down", "-t", "0", "-v")


@pytest.fixture(scope="session")
def by_kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wired]:
    """Tiny containers without any proxy; what needs one is not to be had there."""
    if reason := _no_engine():
        if os.environ.get("KNOCKON_REQUIRE_DOCKER"):
            pytest.fail(reason)
        pytest.skip(reason)
    calls = {
        "product-service": [],
        "checkout-service": ["product-service"],
        "api-gateway": ["product-service"],
    }
    with unwired(tmp_path_factory.mktemp("direct"), calls) as project, project.runtime() as runtime:
        runtime.watch(Saw())
        project.ask("checkout-service", "product-service", 1)
        until(
            runtime.clock,
            lambda: project.ask("checkout-service", "product-service")[0]["status"],
            "no answer",
        )
        yield Wired("kernel", runtime, project.ask, patience_s=3.0)


WIRED = [
    "wired_sim",
    "wired_local",
    *(pytest.param(n, marks=pytest.mark.docker) for n in ("wired_docker", "by_kernel")),
]


@pytest.fixture(params=WIRED)
def wired(request: pytest.FixtureRequest) -> Wired:
    made: Wired = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def saw() -> Saw:
    return Saw()


@pytest.fixture
def runtime(kind: Kind, saw: Saw) -> Iterator[Runtime]:
    """Entered, watched, and all services healthy."""
    with kind.lent() as entered:
        services = entered.target.topology.services
        entered.undo(Undo("unpause", services))
        entered.undo(Undo("start", services))
        entered.watch(saw)
        began_s = entered.clock.now()
        until(
            entered.clock,
            lambda: all(saw.healthy_since(n, began_s) for n in services),
            "not all are healthy",
            60.0,
        )
        saw.processes.clear()
        yield entered


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: object) -> Iterator[None]:
    """A failure on the local runtime comes with what its services said."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    runtime = getattr(item, "funcargs", {}).get("runtime")
    if report.failed and isinstance(runtime, LocalRuntime) and runtime.logs:
        for log in sorted(runtime.logs.glob("*.log")):
            last = log.read_text(errors="replace").splitlines()[-15:]
            report.sections.append((log.name, "\n".join(last)))
