"""What every runtime promises that can run more and fewer replicas: as many as asked, and the same as before.

On Docker they are counted from outside of the fuzzer: front asks web again and again, and hears who answered.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fuzzer.clients import HttpClients
from fuzzer.events import Events
from fuzzer.recorder import Recorder
from fuzzer.runner import Runner
from fuzzer.runtimes.able import CanScale, CanSend
from fuzzer.runtimes.base import ProcessState, Runtime, Undo
from fuzzer.runtimes.docker.clients import default_client
from fuzzer.runtimes.docker.runtime import DockerRuntime
from fuzzer.runtimes.sim.runtime import SimRuntime
from fuzzer.targets.files import load_target
from invariants.catalogue import INVARIANTS
from models.errors import StepInvalid
from models.observation import Change
from models.scenario import Scenario
from models.target import Target
from models.verdict import Outcome
from tests.conformance.conftest import _no_engine
from tests.conformance.saw import Saw, until
from tests.support.ports import free_prefix
from tests.support.watchdogs import end_watchdog_of

FILE = Path(__file__).parents[1] / "support" / "scaled.yaml"
SEEN_S = 60.0


@dataclass
class Fleet:
    """A fleet with two replicas of web; ``answering`` tells who answers, ``there`` all that exist."""

    target: Target
    make: Callable[[], Runtime]
    answering: Callable[[Runtime], set[str]]
    there: Callable[[Runtime], set[str]]
    environ: Mapping[str, str]


@pytest.fixture(scope="session")
def scaled_sim() -> Fleet:
    target = load_target([FILE], dict(os.environ))

    def instances(runtime: Runtime) -> set[str]:
        return {name.rpartition("-")[0] for name in runtime.status("web").instances}  # whichever life

    return Fleet(target, lambda: SimRuntime(target), instances, instances, {})


@pytest.fixture(scope="session")
def scaled_docker() -> Iterator[Fleet]:
    if reason := _no_engine():
        if os.environ.get("KNOCKON_REQUIRE_DOCKER"):
            pytest.fail(reason)
        pytest.skip(reason)
    project, port = f"knockon-scale{secrets.token_hex(2)}", f"{free_prefix()}1"
    environ = {**os.environ, "FRONT_PORT": port, "COMPOSE_PROJECT_NAME": project}
    target = load_target([FILE], environ)

    def run(*words: str) -> None:
        done = subprocess.run(
            ["docker-compose", "-p", project, "-f", str(FILE), *words],
            env=environ,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def answering(runtime: Runtime) -> set[str]:
        heard = set()
        for _ in range(25):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
                greeting, name = answer.read().decode().split()
                assert greeting == "hello"
                heard.add(name)
        return heard

    def there(runtime: Runtime) -> set[str]:
        with closing(default_client()) as api:
            labels = [f"com.docker.compose.project={project}", "com.docker.compose.service=web"]
            return {one["Id"][:12] for one in api.containers(all=True, filters={"label": labels})}

    try:
        run("up", "-d")
        yield Fleet(target, lambda: DockerRuntime(target, project=project), answering, there, environ)
    finally:
        run("down", "-t", "0", "-v")


@pytest.fixture(params=["scaled_sim", pytest.param("scaled_docker", marks=pytest.mark.docker)])
def fleet(request: pytest.FixtureRequest) -> Fleet:
    made: Fleet = request.getfixturevalue(request.param)
    return made


def scale(runtime: Any, replicas: int) -> None:
    runtime.scale("web", replicas)
    until(runtime.clock, lambda: runtime.serving("web") == replicas, f"{replicas} serve", SEEN_S)


def test_up_down_and_back_are_seen_from_outside(fleet: Fleet, saw: Saw) -> None:
    with fleet.make() as runtime:
        assert isinstance(runtime, CanScale)
        runtime.watch(saw)
        until(runtime.clock, lambda: saw.healthy_since("front", 0), "front is well", SEEN_S)
        before = fleet.there(runtime)
        assert len(before) == 2

        scale(runtime, 4)
        assert runtime.running("web") == 4
        until(runtime.clock, lambda: len(fleet.answering(runtime)) == 4, "four answer", SEEN_S)
        assert before < fleet.answering(runtime)
        assert len(runtime.status("web").instances) == 4

        scale(runtime, 1)
        (left,) = fleet.answering(runtime)
        assert left in before
        assert runtime.running("web") == 1
        assert runtime.status("web").state is ProcessState.RUNNING

        for _ in range(2):
            runtime.undo(Undo("rescale", ("web",)))
        until(runtime.clock, lambda: runtime.serving("web") == 2, "all are back", SEEN_S)
        until(runtime.clock, lambda: fleet.answering(runtime) == before, "the same two answer", SEEN_S)
        assert fleet.there(runtime) == before
        assert set(saw.changes("web")) == {Change.ADDED, Change.REMOVED}, "nobody died of it"
        assert saw.interference == []


def test_none_at_all_is_a_stop_and_undone_as_one(fleet: Fleet, saw: Saw) -> None:
    with fleet.make() as runtime:
        assert isinstance(runtime, CanScale)
        runtime.watch(saw)
        before = fleet.there(runtime)
        runtime.scale("web", 0)
        assert runtime.status("web").state is ProcessState.DOWN
        assert runtime.running("web") == 0
        assert len(saw.exits("web")) == 2
        runtime.undo(Undo("rescale", ("web",)))
        until(runtime.clock, lambda: runtime.serving("web") == 2, "all are back", SEEN_S)
        assert fleet.there(runtime) == before
        assert saw.interference == []


def test_a_scenario_holds_and_leaves_all_as_it_was(fleet: Fleet) -> None:
    with fleet.make() as runtime:
        before = fleet.there(runtime)
        recorder = Recorder(fleet.target.topology.services, fleet.target.limits)
        runtime.watch(recorder)
        if isinstance(runtime, CanSend):
            clients = runtime.loads(recorder)
        else:
            clients = HttpClients(fleet.target, recorder, runtime.clock.now)
        runner = Runner(fleet.target, runtime, recorder, INVARIANTS, Events(), clients)
        played = runner.play(Scenario.parse("load page 10rps 4s; scale web 3; wait 1s; scale web 1"))
        assert played.outcome is Outcome.HOLDS, played
        assert fleet.there(runtime) == before
        assert runtime.journal.pending() == {}


# What only an engine can show.


@pytest.mark.docker
def test_what_a_killed_run_scaled_is_healed(scaled_docker: Fleet) -> None:
    """By the command, as a person would."""
    with scaled_docker.make() as runtime:
        before = scaled_docker.there(runtime)
    folder = Path(sys.executable).parent
    words = ["replay", "scale web 1; scale web 3; wait 60s", "--target", str(FILE), "--runtime", "docker"]
    project = ["--project", scaled_docker.environ["COMPOSE_PROJECT_NAME"]]
    child = subprocess.Popen([folder / "knockon", *words, *project], env=scaled_docker.environ)
    try:
        deadline_s = time.monotonic() + 2 * SEEN_S
        while len(scaled_docker.there(runtime)) != 3:
            assert child.poll() is None
            assert time.monotonic() < deadline_s, "nothing was scaled"
            time.sleep(0.05)
        end_watchdog_of(child.pid)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    healed = subprocess.run(
        [folder / "knockon", "heal", *project], env=scaled_docker.environ, capture_output=True, text=True
    )
    assert "rescale web" in healed.stdout, healed.stderr
    with scaled_docker.make() as runtime:
        assert isinstance(runtime, CanScale)
        assert scaled_docker.there(runtime) == before
        until(runtime.clock, lambda: runtime.serving("web") == 2, "all are back", SEEN_S)
        assert runtime.journal.pending() == {}


@pytest.mark.docker
def test_where_one_alone_can_have_the_port_there_is_no_second(scaled_docker: Fleet) -> None:
    with scaled_docker.make() as runtime:
        assert isinstance(runtime, CanScale)
        with pytest.raises(
            StepInvalid, match=r"there can be no second .*front_1: its port 80/tcp is published"
        ):
            runtime.scale("front", 2)
        assert runtime.running("front") == 1
