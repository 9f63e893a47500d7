"""Each thing that can be done, seen as its user sees it: the state after it, and what it refuses."""

from __future__ import annotations

import pytest
from docker import APIClient

from fuzzer.runtimes.able import CanCrash, CanKill, CanPause, CanRestart, CanStart, CanStop
from fuzzer.runtimes.base import ProcessState, Undo
from models.errors import RequestError, RuntimeUnavailable, StepInvalid
from models.observation import Change
from models.target import Port, Service

pytestmark = pytest.mark.docker


def test_it_says_what_it_can_do(one):
    runtime = one.runtime()
    for protocol in (CanKill, CanCrash, CanStop, CanStart, CanRestart, CanPause):
        assert isinstance(runtime, protocol)


def test_a_frozen_service_stays_so_until_it_is_let_go(one, saw):
    with one.runtime() as runtime:
        runtime.watch(saw)
        runtime.pause(["web"])
        assert runtime.status("web").state is ProcessState.PAUSED
        runtime.start(["web"])  # frozen is not down
        assert runtime.status("web").state is ProcessState.PAUSED
        with pytest.raises(StepInvalid, match="already paused"):
            runtime.pause(["web"])
        with pytest.raises(StepInvalid, match="it is paused"):
            runtime.crash(["web"])
        runtime.unpause(["web"])
        runtime.unpause(["web"])
        assert runtime.status("web").state is ProcessState.RUNNING
        assert saw.changes("web") == [Change.PAUSED, Change.RESUMED]
        assert saw.interference == []


def test_what_is_down_can_only_be_started(one, saw):
    with one.runtime() as runtime:
        runtime.watch(saw)
        runtime.kill(["web"])
        for deed in (runtime.kill, runtime.stop, runtime.crash, runtime.pause):
            with pytest.raises(StepInvalid, match=r"is down already|is not running"):
                deed(["web"])
        runtime.start(["web"])
        runtime.start(["web"])
        assert saw.changes("web") == [Change.EXITED, Change.STARTED]
        assert runtime.status("web").state is ProcessState.RUNNING
        assert saw.interference == []


def test_restarting_what_is_down_starts_it(one, saw):
    with one.runtime() as runtime:
        runtime.watch(saw)
        runtime.kill(["web"])
        runtime.restart(["web"])
        assert saw.changes("web") == [Change.EXITED, Change.STARTED]
        assert saw.interference == []


def test_all_replicas_are_meant(project, saw):
    for number in (1, 2, 3):
        project.add("web", "always", number=number)
    project.add("web", one_off=True)
    project.up()
    with project.runtime() as runtime:
        runtime.watch(saw)
        assert len(runtime.status("web").instances) == 3, "the one-off container is none of them"
        runtime.crash(["web"])
        assert len({seen.instance for seen in saw.exits("web")}) == 3
        died_s = [seen.at_s for seen in saw.exits("web")]
        assert max(died_s) - min(died_s) < 0.5
        runtime.kill(["web"])
        assert runtime.status("web").state is ProcessState.DOWN
        runtime.start(["web"])
        assert len(runtime.status("web").instances) == 3


def test_a_service_is_what_its_worst_replica_is(project):
    project.add("web", number=1)
    second = project.add("web", number=2)
    project.up()
    with project.runtime() as runtime:
        project.api.kill(second)
        assert runtime.status("web").state is ProcessState.DOWN
        assert len(runtime.status("web").instances) == 1


def test_undoing_twice_does_no_harm(one):
    with one.runtime() as runtime:
        runtime.kill(["web"])
        for _ in range(2):
            runtime.undo(Undo("start", ("web", "a-service-of-an-older-version")))
            assert runtime.status("web").state is ProcessState.RUNNING
        runtime.pause(["web"])
        for _ in range(2):
            runtime.undo(Undo("unpause", ("web",)))
            assert runtime.status("web").state is ProcessState.RUNNING
        with pytest.raises(RequestError, match="'thaw'"):
            runtime.undo(Undo("thaw", ("web",)))


def test_it_works_without_anybody_watching(one):
    with one.runtime() as runtime:
        runtime.crash(["web"])
        runtime.restart(["web"])
        one.ready("web")
        runtime.stop(["web"])
        assert runtime.status("web").state is ProcessState.DOWN
        assert "exited with 0" in runtime.status("web").since


def test_a_published_port_is_found(project):
    project.add("web", port_bindings={8000: ("127.0.0.1", None)})
    project.add("fixed")
    project.add("hidden")
    project.up()
    project.services["fixed"] = Service("fixed", ports=(Port(8000, 8203, "0.0.0.0"),))
    with project.runtime() as runtime:
        assert runtime.url("web").startswith("http://127.0.0.1:")
        assert runtime.url("fixed") == "http://127.0.0.1:8203"
        assert runtime.url("hidden") is None


def test_a_project_that_is_not_up_is_named_with_the_way_to_start_it(project):
    project.add("web")
    project.up()
    project.services["db"] = Service("db")
    with pytest.raises(RequestError) as refused, project.runtime():
        pass
    text = str(refused.value)
    assert "no container of db; it has: web" in text
    assert f"docker-compose -p {project.name} -f compose.yaml up -d" in text


def test_without_an_engine_the_endpoint_is_named(project, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/engine.sock")
    with pytest.raises(RuntimeUnavailable, match=r"unix:///nowhere/engine\.sock.*docker info"):
        project.runtime().__enter__()


def test_an_engine_that_goes_away_is_no_finding(one, wire, saw, wait_until):
    with one.runtime(client_factory=lambda: APIClient(base_url=wire.url, version="auto")) as runtime:
        runtime.watch(saw)
        wire.cut()
        wait_until(lambda: not runtime._stream.listening)
        for ask in (runtime.status, lambda name: runtime.kill([name]), lambda name: runtime.crash([name])):
            with pytest.raises(RuntimeUnavailable, match="engine"):
                ask("web")
        with pytest.raises(RuntimeUnavailable):
            runtime.journal.pending()
        assert saw.interference == []
        wire.mend()
