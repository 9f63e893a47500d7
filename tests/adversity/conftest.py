"""Real runs of the command line, and a small fleet on an engine, to which bad things happen meanwhile."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from threading import Thread
from typing import IO

import pytest
from docker import APIClient
from docker.errors import APIError

from fuzzer.runtimes.docker.clients import Clients
from tests.support.own_engine import OwnEngine, obstacle
from tests.support.ports import free_ports
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "python:3.11-slim"
ENDS_S = 120.0
"""How long any command here may take at most; each takes a few seconds."""

PROGRAM = """
import sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MANNERS = sys.argv[2]

class Health(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        getattr(self, MANNERS)()
    def head(self, status, *headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
    def well(self):
        self.head(200, ("Content-Length", "0"))
    def lies(self):
        self.head(200 if self.path == "/health" else 500, ("Content-Length", "0"))
    def loops(self):
        self.head(302, ("Location", self.path), ("Content-Length", "0"))
    def drips(self):
        self.head(200, ("Content-Length", "1000"))
        while True:
            self.wfile.write(b"x")
            time.sleep(1)
    def streams(self):
        self.head(200)
        while True:
            self.wfile.write(b"x" * 65536)
    def floods(self):
        self.head(200, ("Content-Length", str(100 << 20)))
        for _ in range(1600):
            self.wfile.write(b"x" * 65536)
    def handle_one_request(self):
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True
    def log_message(self, *args):
        pass

server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Health)
server.daemon_threads = True
server.serve_forever()
"""
"""Answers on a port, with manners: well, or in one of many bad ways."""

LIMITS = "{recovery_s_max: %s, observe_s: 0.5, steady_s: 0.3, baseline_s: 1}"

TINY = ROOT / "tests" / "fuzzer" / "cli" / "tiny.py"
"""A program that exits when the one that it needs is gone."""


@dataclass(frozen=True)
class Done:
    """How a command ended: its code, what it printed, and how much memory it had at most."""

    code: int
    output: str
    errors: str
    memory_mib: float

    @property
    def text(self) -> str:
        """Everything that a person saw."""
        return self.output + self.errors


@dataclass
class Running:
    """A command that runs."""

    process: subprocess.Popen[str]
    _lines: dict[str, list[str]] = field(default_factory=dict)
    _readers: list[Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name, stream in (("out", self.process.stdout), ("err", self.process.stderr)):
            self._lines[name] = []
            self._readers.append(Thread(target=self._read, args=(name, stream), daemon=True))
            self._readers[-1].start()

    def _read(self, name: str, stream: IO[str]) -> None:
        for line in stream:
            self._lines[name].append(line)

    def seen(self, name: str) -> list[str]:
        """Its lines so far, of ``out`` or ``err``."""
        return list(self._lines[name])

    def ends(self) -> Done:
        """Wait for its end."""
        pid = self.process.pid
        until(lambda: os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT), "no end", ENDS_S)
        _, status, usage = os.wait4(pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        for reader in self._readers:
            reader.join()
        out, err = ("".join(self._lines[name]) for name in ("out", "err"))
        done = Done(self.process.returncode, out, err, usage.ru_maxrss / 1024)
        assert "Traceback" not in done.text, done.text
        return done


@dataclass
class Desk:
    """A folder in which commands are typed.

    Attributes:
        always: options that every command gets.
        environ: the environment of all of them.
        before: a program that starts each, with its options.
        first: what each does first, in Python.
    """

    folder: Path
    always: tuple[str, ...] = ()
    environ: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    before: tuple[str, ...] = ()
    first: str = ""
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def open(self, *words: str) -> Running:
        """Start ``knockon`` with these words."""
        program = [sys.executable, "-c", f"{self.first}from fuzzer.cli.main import main; main()"]
        process = subprocess.Popen(
            [*self.before, *program, *words[:1], *self.always, *words[1:]],
            cwd=self.folder,
            env={**self.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return Running(process)

    def type(self, *words: str) -> Done:
        """Run ``knockon`` with these words."""
        return self.open(*words).ends()

    def clear(self) -> None:
        """End what still runs."""
        for process in self.started:
            if process.returncode is None:
                process.kill()
                process.wait()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An empty folder."""
    return Desk(tmp_path)


class Pair(Desk):
    """``db`` and ``web`` in containers, as compose labels them; ``web`` depends on ``db``, and needs it not.

    Attributes:
        manners: how each of them answers.
        recovery_s: the limit for recovery, after which a gate gives up, too.
    """

    def __init__(self, folder: Path, api: APIClient, policies: tuple[str, str]) -> None:
        super().__init__(folder)
        self.api = api
        self.name = f"kadv{token_hex(3)}"
        self.ports = dict(zip(("db", "web"), free_ports(2), strict=True))
        self.policies = dict(zip(("db", "web"), policies, strict=True))
        self.manners = {"db": "well", "web": "well"}
        self.recovery_s = 15
        self.file = folder / "compose.yaml"
        self.always = ("--target", str(self.file), "--project", self.name, "--runtime", "docker")

    def write(self) -> None:
        """The compose file."""
        lines = [
            f"name: {self.name}",
            "x-knockon:",
            "  enabled: true",
            f"  limits: {LIMITS % self.recovery_s}",
        ]
        lines += ["services:"]
        for service, port in self.ports.items():
            lines += [f"  {service}:", f"    image: {IMAGE}", f"    restart: '{self.policies[service]}'"]
            lines += ["    network_mode: host"]
            lines += ["    depends_on: [db]"] if service == "web" else []
            lines += [f"    x-knockon: {{health: 'http://127.0.0.1:{port}/health'}}"]
        self.file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def up(self) -> None:
        """Write the file, make and start both."""
        self.write()
        for service in self.ports:
            self.add(service)

    def add(self, service: str, number: int = 1) -> None:
        """Make and start one container of a service."""
        api = self.api
        port = self.ports[service] if number == 1 else free_ports(1)[0]
        labels = {
            "project": self.name,
            "service": service,
            "container-number": str(number),
            "oneoff": "False",
        }
        made: str = api.create_container(
            IMAGE,
            ["python3", "-c", PROGRAM, str(port), self.manners[service]],
            name=f"{self.name}_{service}_{number}",
            labels={f"com.docker.compose.{key}": value for key, value in labels.items()},
            stop_signal="SIGKILL",
            stop_timeout=2,
            host_config=api.create_host_config(
                network_mode="host", restart_policy={"Name": self.policies[service]}
            ),
        )["Id"]
        api.start(made)

    def container(self, service: str) -> str:
        """The name of its first container."""
        return f"{self.name}_{service}_1"

    def state(self, service: str) -> str:
        """What the engine says that it does."""
        return str(self.api.inspect_container(self.container(service))["State"]["Status"])

    def leftovers(self) -> list[str]:
        """What knockon made on the engine and did not remove."""
        found = []
        for label in (f"knockon.project={self.name}", f"knockon.claim={self.name}", "knockon.helper"):
            listed = self.api.containers(all=True, filters={"label": [label]})
            found += [one["Names"][0] for one in listed]
        return found

    def down(self) -> None:
        """Remove everything."""
        for label in (f"com.docker.compose.project={self.name}", f"knockon.project={self.name}"):
            for one in self.api.containers(all=True, filters={"label": [label]}):
                try:
                    self.api.remove_container(one["Id"], force=True, v=True)
                except APIError as error:
                    assert error.status_code in (404, 409), error


@pytest.fixture(scope="session")
def own_engine() -> Iterator[OwnEngine]:
    """An engine that may be harmed."""
    if reason := obstacle():
        pytest.skip(reason)
    made = OwnEngine()
    try:
        made.start()
        with closing(Clients().connect()) as api:
            made.take(IMAGE, api)
        yield made
    finally:
        made.end()


@pytest.fixture
def engine_pair(
    own_engine: OwnEngine, engine: None, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Pair]:
    """The pair on an engine that may be harmed; ``indirect`` gives the restart policies of both."""
    with closing(own_engine.client()) as api:
        made = Pair(tmp_path, api, getattr(request, "param", ("no", "always")))
        made.environ["DOCKER_HOST"] = own_engine.url
        made.before = own_engine.inside
        try:
            yield made
        finally:
            made.clear()
            made.down()


class LocalPair(Desk):
    """The same as processes; but ``web`` exits when ``db`` is gone, unless it has manners of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.ports = dict(zip(("db", "web"), free_ports(2), strict=True))
        self.file, self.state = folder / "compose.yaml", folder / "state"
        self.program = folder / "program.py"
        self.program.write_text(PROGRAM, encoding="utf-8")
        self.write()

    def write(self, **manners: str) -> None:
        """The compose file; those who are named answer with manners."""
        lines = ["name: pair", "x-knockon:", "  enabled: true", f"  limits: {LIMITS % 15}"]
        lines += ["  loads: {visit: {entry: web, path: /page, rate_rps: 20}}", "services:"]
        for service, port in self.ports.items():
            command = [sys.executable, str(TINY), str(port)]
            command += [str(self.ports["db"])] if service == "web" else []
            if service in manners:
                command = [sys.executable, str(self.program), str(port), manners[service]]
            lines += [f"  {service}:", "    image: x", "    restart: unless-stopped"]
            lines += [f"    ports: ['127.0.0.1:{port}:80']"]
            lines += ["    depends_on: [db]"] if service == "web" else []
            lines += [
                f"    x-knockon: {{health: 'http://127.0.0.1:{port}/health', local: {{command: {command}}}}}"
            ]
        self.file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.always = ("--target", str(self.file), "--runtime", "local", "--state", str(self.state))

    def listens(self, service: str) -> bool:
        """Whether somebody takes connections at its port."""
        with socket.socket() as trial:
            return trial.connect_ex(("127.0.0.1", self.ports[service])) == 0


@pytest.fixture
def local_pair(tmp_path: Path) -> Iterator[LocalPair]:
    """Two processes, of which nothing is left afterwards."""
    made = LocalPair(tmp_path)
    yield made
    made.clear()
    assert not any(map(made.listens, made.ports)), "a service was left behind"
