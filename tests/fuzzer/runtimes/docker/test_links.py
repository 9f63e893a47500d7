"""Connections of a project that `knockon wire` wired: harmed, and whole again, as its caller sees them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

import pytest

from fuzzer.actions.catalogue import available
from fuzzer.override import Override
from fuzzer.runtimes.base import Undo
from fuzzer.runtimes.docker.runtime import DockerRuntime
from fuzzer.scenarios import check_scenario
from fuzzer.targets.files import load_target
from fuzzer.targets.project import discover_project
from models.errors import ScenarioError
from models.scenario import Scenario
from models.toxic import REFUSING, Toxic
from tests.support.watchdogs import end_watchdog_of

pytestmark = pytest.mark.docker

ROOT = Path(__file__).parents[4]

PAIR = """\
version: "3.8"
x-knockon: {enabled: true, limits: {recovery_s_max: 10, observe_s: 0.3, steady_s: 0.2}}
services:
  a:
    image: python:3.11-slim
    command: [sleep, "3600"]
    stop_grace_period: 0s
    environment: {B_URL: "http://b:8000"}
  b:
    image: python:3.11-slim
    command: [python3, -m, http.server, "8000"]
    working_dir: /usr/share
    stop_grace_period: 0s
"""

ASK = """
import os, time, urllib.request
began_s = time.monotonic()
try:
    said = urllib.request.urlopen(os.environ["B_URL"], timeout=2).status
except OSError as error:
    said = str(getattr(error, "reason", error))
print(time.monotonic() - began_s, said)
"""
"""What the caller does, in its own container, with its own variable."""


class Pair:
    """``a`` calls ``b``; with ``wired``, over a proxy."""

    def __init__(self, folder: Path, wired: bool) -> None:
        self.name = f"klinks{token_hex(3)}"
        self.files = [folder / "compose.yaml"]
        self.files[0].write_text(PAIR)
        if wired:
            override = folder / "edges.yaml"
            override.write_text(Override(self.target, version="3.8").text())
            self.files.append(override)

    @property
    def target(self):
        return load_target(self.files[:1], {"COMPOSE_PROJECT_NAME": self.name})

    def runtime(self):
        return DockerRuntime(self.target, project=self.name)

    def compose(self, *words: str) -> None:
        files = [word for file in self.files for word in ("-f", str(file))]
        done = subprocess.run(
            ["docker-compose", "-p", self.name, *files, *words], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def ask(self, url: str = "") -> tuple[float, str]:
        """How long an answer takes the caller, and what it is; nothing while the caller is down."""
        instead = ["-e", f"B_URL={url}"] if url else []
        words = ["docker", "exec", *instead, f"{self.name}_a_1", "python3", "-c", ASK]
        done = subprocess.run(words, capture_output=True, text=True, timeout=30)
        seconds, _, said = done.stdout.strip().partition(" ")
        return (0.0, "") if done.returncode else (float(seconds), said)

    def open(self, *words: str) -> subprocess.Popen[str]:
        """The console script, as a process of its own."""
        program = "from fuzzer.cli.main import main; main()"
        target = ["--target", str(self.files[0]), "--project", self.name, "--runtime", "docker"]
        return subprocess.Popen(
            [sys.executable, "-c", program, *words[:1], *target, *words[1:]],
            cwd=self.files[0].parent,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def up(folder, wired):
    if not shutil.which("docker-compose"):
        pytest.skip("there is no docker-compose: make engine")
    made = Pair(folder, wired)
    try:
        made.compose("up", "-d")
        yield made
    finally:
        with suppress(AssertionError):
            made.compose("down", "-t", "0", "-v")


@pytest.fixture(scope="module")
def wired(api, tmp_path_factory):
    yield from up(tmp_path_factory.mktemp("wired"), wired=True)


@pytest.fixture(scope="module")
def plain(api, tmp_path_factory):
    yield from up(tmp_path_factory.mktemp("plain"), wired=False)


@pytest.fixture
def runtime(wired, wait_until):
    wait_until(lambda: wired.ask()[1] == "200", 20)
    with wired.runtime() as entered:
        yield entered
        entered.undo(Undo("cleanse", ("a -> b",)))


def test_a_late_answer_is_late_for_the_caller_until_it_is_cleansed(wired, runtime):
    assert runtime.edges() == [("a", "b")]
    runtime.poison("a -> b", [Toxic("latency", {"latency": 400.0})])
    seconds, said = wired.ask()
    assert (said, seconds > 0.4) == ("200", True)
    assert runtime.ask("a", "b", 3.0).first_ms > 400, "and is seen to be late from here"
    runtime.undo(Undo("cleanse", ("a -> b",)))
    seconds, said = wired.ask()
    assert (said, seconds < 0.3) == ("200", True)


def test_a_refusal_is_refused_for_the_caller_and_ends_without_an_answer_here(wired, runtime):
    runtime.poison("a -> b", [Toxic(REFUSING)])
    assert "refused" in wired.ask()[1]
    answer = runtime.ask("a", "b", 2.0)
    assert answer.first_ms is None
    assert answer.ended or answer.error
    runtime.undo(Undo("cleanse", ("a -> b",)))
    assert wired.ask()[1] == "200"


def test_the_proxies_are_nobodys_service(wired, api, runtime, saw):
    assert list(discover_project(wired.name, api, {}).services) == ["a", "b"]
    runtime.watch(saw)
    assert "knockon-edges" not in {seen.service for seen in saw.health + saw.processes}


def test_the_proxies_may_do_nothing_but_pass_bytes_on(wired, api):
    """As the engine and the kernel tell it; their API is for this machine only."""
    told = api.inspect_container(f"{wired.name}_knockon-edges_1")
    held = told["HostConfig"]
    assert (held["CapDrop"], held["CapAdd"], held["Privileged"]) == (["ALL"], None, False)
    assert held["SecurityOpt"] == ["no-new-privileges:true"]
    assert held["ReadonlyRootfs"] is True
    assert (held["Memory"], held["PidsLimit"]) == (512 << 20, 128)
    assert all(not mount["RW"] for mount in told["Mounts"])
    ports = told["NetworkSettings"]["Ports"].values()
    assert {one["HostIp"] for some in ports for one in some} == {"127.0.0.1"}
    status = Path(f"/proc/{told['State']['Pid']}/status").read_text()
    assert "CapEff:\t0000000000000000" in status


def is_silent(wired):
    """Only over the proxy."""
    return wired.ask("http://b:8000")[1] == "200" and wired.ask()[1] == "timed out"


def test_a_fault_outlives_a_fuzzer_that_was_killed_until_somebody_heals(wired, wait_until):
    wait_until(lambda: wired.ask()[1] == "200", 20)
    fuzzer = wired.open("replay", "blackhole a -> b; wait 60s")
    try:
        # A replay starts its fleet anew, and then nobody is answered for a while, whichever way he asks.
        wait_until(lambda: fuzzer.poll() is not None or is_silent(wired), 90)
        assert fuzzer.poll() is None, fuzzer.stdout.read()
        end_watchdog_of(fuzzer.pid)
    finally:
        fuzzer.send_signal(signal.SIGKILL)
        fuzzer.wait()
    assert wired.ask()[1] == "timed out"
    healer = wired.open("heal")
    said, _ = healer.communicate(timeout=60)
    assert "cleanse a -> b" in said
    assert wired.ask()[1] == "200"


def test_when_the_proxies_go_away_nobody_is_accused_and_when_they_return_they_are_found(
    wired, api, saw, wait_until
):
    with wired.runtime() as runtime:
        runtime.watch(saw)
        time.sleep(0.2)
        api.restart(f"{wired.name}_knockon-edges_1", timeout=1)
        wait_until(lambda: saw.interference)
        assert "the proxies between the services" in saw.interference[0]
        # Their published ports are others now.
        wait_until(lambda: runtime.edges() and runtime.ask("a", "b", 1.0).first_ms is not None, 20)
        runtime.poison("a -> b", [Toxic("latency", {"latency": 300.0})])
        assert wired.ask()[0] > 0.3
        runtime.undo(Undo("cleanse", ("a -> b",)))


def test_without_proxies_a_fault_that_takes_one_is_not_drawn_and_it_is_told_how(plain):
    with plain.runtime() as runtime:
        assert "http_error" not in available(runtime)
        runtime.undo(Undo("cleanse", ("a -> b",)))
        with pytest.raises(ScenarioError, match=r"packets and not answers; that takes a proxy.*knockon wire"):
            check_scenario(Scenario.parse("http_error a -> b"), plain.target, runtime)


def test_a_caller_that_was_started_anew_without_the_override_counts_as_not_wired(wired):
    override = wired.files.pop()
    try:
        wired.compose("up", "-d")
        with wired.runtime() as runtime:
            assert "http_error" not in runtime.bears("a", "b").kinds
            # The proxies run, and nobody calls over them: what can be done is done where a does call.
            runtime.poison("a -> b", [Toxic(REFUSING)])
            assert "refused" in wired.ask()[1]
            runtime.undo(Undo("cleanse", ("a -> b",)))
            assert wired.ask()[1] == "200"
    finally:
        wired.files.append(override)
