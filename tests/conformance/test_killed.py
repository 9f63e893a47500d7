"""After the fuzzer was killed in the middle of a fault, and its watchdog healed, everything is as before.

One fuzzer does every fault at once, each to a service or connection of its own, and is killed. What is
compared is seen from outside: by the engine, by the kernel, and by asking over the very connection.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from urllib.parse import urlsplit

import pytest

from benchmarks import heal_fleet
from fuzzer import procfs
from fuzzer.actions.catalogue import ACTIONS
from fuzzer.override import Override
from fuzzer.runtimes.docker.clients import default_client
from fuzzer.runtimes.local.inside import FOLDER
from fuzzer.targets.files import load_target
from models.step import Step
from tests.conformance import harming
from tests.conformance.conftest import BASE, _no_engine
from tests.support.ports import free_ports
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120.0
SOON_S = 1.0

ONLY_IN_CONTAINERS = {"oom", "stress", "clock_skew", "scale"}
STAYS_DOWN = ("crashes", "flaps", "starves")

SERVER = (
    "import sys; from http.server import *; S = type('S', (BaseHTTPRequestHandler,), dict("
    "log_message=lambda *a: None, do_GET=lambda s: (s.send_response(200), s.send_header('Content-Length', "
    "'2000'), s.end_headers(), s.wfile.write(b'x' * 2000)))); "
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "ThreadingHTTPServer(('', int(sys.argv[1])), S).serve_forever()"
)
"""Deaf to SIGTERM, so that stopping it takes its time."""

EVERY = (*harming.SERVICES, "spare", harming.HUB)


def compose(first_port: int) -> str:
    """A fleet in which every service calls the hub."""
    services = {}
    for port, name in enumerate(EVERY, first_port):
        services[name] = {
            "image": BASE,
            "command": ["python3", "-S", "-c", SERVER, "8000"],
            "restart": "no" if name in STAYS_DOWN else "unless-stopped",
            "stop_grace_period": "3s",
            "environment": {} if name == harming.HUB else {"HUB_URL": f"http://{harming.HUB}:8000"},
            "ports": [f"127.0.0.1:{port}:8000"],
            "x-knockon": {
                "health": f"http://127.0.0.1:{port}/",
                "clock": "/etc/faketimerc",
                "disk": "/data",
                "local": {"command": [sys.executable, "-S", "-c", SERVER, str(port)]},
            },
        }
    services["full"]["tmpfs"] = ["/data:size=4m"]
    return json.dumps({"version": "3.8", "x-knockon": {"enabled": True}, "services": services})


def asked(address: tuple[str, int]) -> str:
    """What a caller at this end of a connection sees, up to its end."""
    began_s, seen = time.monotonic(), b""
    try:
        with socket.create_connection(address, timeout=3.0) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while piece := connection.recv(65536):
                seen += piece
    except OSError as error:
        return type(error).__name__
    took = "soon" if time.monotonic() - began_s < SOON_S else "late"
    return f"{seen[9:12].decode()} with {seen.count(b'x')} bytes, {took}"


WELL = "200 with 2000 bytes, soon"
RUNS = "runs, stopped False, limited False, 0 connections"
NOTHING = "nothing runs"


@dataclass
class Killed:
    """What is seen of each target when it is well; what was seen before the fuzzer came, while it was there,
    and after it was killed.
    """

    well: dict[str, str]
    before: dict[str, str]
    able: set[str] = field(default_factory=set)
    during: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    log: str = ""


def kill_in_the_middle(
    runtime: str, folder: Path, facts: Callable[[], dict[str, str]], killed: Killed
) -> Killed:
    """Let the fuzzer do its worst, kill it, wait for the end of its watchdog."""
    words = [runtime, str(folder / "state"), str(folder / "compose.yaml")]
    fuzzer = subprocess.Popen(
        [sys.executable, "-m", "tests.conformance.harming", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert fuzzer.stdout
        for line in fuzzer.stdout:
            if line == "all\n":
                break
            killed.able.add(line.strip())
        else:
            pytest.fail(f"the fuzzer ended by itself after {killed.able}")
        killed.during = facts()
    finally:
        fuzzer.send_signal(signal.SIGKILL)
        fuzzer.communicate()
    until(lambda: not heal_fleet.helpers(folder), "something goes on", PATIENCE_S)
    # Whom a restart policy is bringing back needs a moment.
    deadline_s = time.monotonic() + 20.0
    while (now := facts()) != killed.before and time.monotonic() < deadline_s:
        time.sleep(0.1)
    killed.after = now
    killed.log = (folder / "state" / "watchdog.log").read_text()
    return killed


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    folder = tmp_path_factory.mktemp("killed")
    ports = free_ports(len(EVERY))
    (folder / "compose.yaml").write_text(compose(ports.start))
    port_of = dict(zip(EVERY, ports, strict=True))

    def process(name: str) -> int:
        wanted = [sys.executable, "-S", "-c", SERVER, str(port_of[name])]
        for value in procfs.values(FOLDER):
            if value.startswith(str(folder)):
                for pid in procfs.marked(FOLDER, value):
                    if procfs.command(pid) == " ".join(wanted):
                        return pid
        return 0

    def seen(case: str) -> str:
        target = Step.parse(harming.CASES[case]).targets[0]
        name = target.split(" ->")[0]
        pid = process(name)
        if "->" in target:
            for told in folder.glob("state/fleet-*/programs.json"):
                url = urlsplit(json.loads(told.read_text())[name]["environment"]["HUB_URL"])
                return asked((str(url.hostname), int(url.port or 0)))
            return NOTHING
        if not pid:
            return NOTHING if asked(("127.0.0.1", port_of[name])) == "ConnectionRefusedError" else "?"
        stopped = any(procfs.frozen(pid) or time.sleep(0.011) for _ in range(30))
        with suppress(OSError):
            limits = [resource.prlimit(pid, one)[0] for one in (resource.RLIMIT_AS, resource.RLIMIT_FSIZE)]
            limited = any(limit != resource.RLIM_INFINITY for limit in limits)
            return f"runs, stopped {stopped}, limited {limited}, {crowd(port_of[name])} connections"
        return "it is just ending"

    before = dict.fromkeys(harming.CASES, NOTHING)
    well = {case: WELL if "->" in text else RUNS for case, text in harming.CASES.items()}
    yield kill_in_the_middle("local", folder, lambda: all_seen(seen), Killed(well, before))
    assert not list((folder / "state").glob("fleet-*"))


def crowd(port: int) -> int:
    """How many connections to a port are open on this machine."""
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(row.split()[2].endswith(f":{port:04X}") and row.split()[3] == "01" for row in rows)


def all_seen(seen: Callable[[str], str]) -> dict[str, str]:
    with ThreadPoolExecutor(8) as pool:
        return dict(zip(harming.CASES, pool.map(seen, harming.CASES), strict=True))


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    if reason := _no_engine():
        if os.environ.get("KNOCKON_REQUIRE_DOCKER"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("x") / f"knockonkilled{token_hex(3)}"
    folder.mkdir()
    ports = free_ports(len(EVERY))
    file, edges = folder / "compose.yaml", folder / "edges.yaml"
    file.write_text(compose(ports.start))
    edges.write_text(Override(load_target([file], {}), version="3.8").text())
    port_of = dict(zip(EVERY, ports, strict=True))
    words = ["docker-compose", "-p", folder.name, "-f", str(file), "-f", str(edges)]

    def run(*more: str) -> None:
        done = subprocess.run([*words, *more], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr

    with closing(default_client()) as api:

        def facts() -> dict[str, str]:
            lines = sorted(heal_fleet.engine(api, folder.name))

            def seen(case: str) -> str:
                target = Step.parse(harming.CASES[case]).targets[0]
                name = target.split(" ->")[0]
                if "->" in target:
                    mine = [line for line in lines if line.startswith(f"proxy {name}--")]
                    return "\n".join([*mine, asked(proxy_of(name))])
                mine = [line for line in lines if line.startswith(f"{name}:") and "oom_score" not in line]
                return "\n".join([*mine, f"{crowd(port_of[name])} connections"])

            return all_seen(seen)

        def proxy_of(caller: str) -> tuple[str, int]:
            (entry,) = api.containers(filters={"label": [f"com.docker.compose.project={folder.name}", EDGES]})
            listen = 20_001 + list(EVERY).index(caller)
            (port,) = [one["PublicPort"] for one in entry["Ports"] if one["PrivatePort"] == listen]
            return "127.0.0.1", port

        try:
            run("up", "-d")
            until(
                lambda: all(asked(("127.0.0.1", port)) == WELL for port in ports),
                "not all answer",
                PATIENCE_S,
            )
            before = facts()
            yield kill_in_the_middle("docker", folder, facts, Killed(before, before))
        finally:
            run("down", "-t", "0", "-v")


EDGES = "com.docker.compose.service=knockon-edges"


@pytest.fixture(params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def killed(request: pytest.FixtureRequest) -> Killed:
    made: Killed = request.getfixturevalue(request.param)
    return made


def test_every_fault_is_tried():
    assert harming.CASES.keys() == {name for name, action in ACTIONS.items() if action.harmful}


def test_every_fault_that_the_runtime_has_was_done(killed, request):
    lacking = harming.CASES.keys() - killed.able
    if request.node.callspec.params["killed"] == "docker":
        assert not lacking
    else:
        assert lacking == ONLY_IN_CONTAINERS | ({"pids"} if os.geteuid() == 0 else set())


@pytest.mark.parametrize("name", harming.CASES)
def test_after_the_fuzzer_was_killed_all_is_as_before(killed, name):
    if name not in killed.able:
        pytest.skip("the runtime cannot do it")
    assert killed.during[name] != killed.well[name] or name in harming.TAKE_THEIR_TIME
    assert killed.after[name] == killed.before[name], killed.log


def test_the_watchdog_told_what_it_did(killed):
    assert "healed after" in killed.log
