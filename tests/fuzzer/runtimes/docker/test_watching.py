"""What the watcher tells: when things happened, who did them, and when it could not look."""

from __future__ import annotations

import time

import pytest
from docker import APIClient

from fuzzer.runtimes.base import ProcessState
from models.errors import Interference, StepInvalid
from models.observation import Change
from models.target import HealthProbe, ProbeKind

pytestmark = pytest.mark.docker

SLACK_S = 0.01


def test_times_are_true(one, saw):
    with one.runtime() as runtime:
        runtime.watch(saw)
        spans = []
        for deed in (runtime.pause, runtime.unpause, runtime.kill, runtime.start):
            before_s = time.monotonic()
            deed(["web"])
            spans.append((before_s, time.monotonic()))
        assert [seen.change for seen in saw.processes] == [
            Change.PAUSED,
            Change.RESUMED,
            Change.EXITED,
            Change.STARTED,
        ]
        for (before_s, after_s), seen in zip(spans, saw.processes, strict=True):
            assert before_s - SLACK_S <= seen.at_s <= after_s + SLACK_S


def test_what_a_person_does_is_noticed(project, saw, wait_until):
    api = project.api
    persons = {
        "kill": (api.kill, "signalled"),
        "signal": (lambda one: api.kill(one, signal="WINCH"), "signalled"),
        "stop": (api.stop, "stopped"),
        "restart": (api.restart, "restarted"),
        "pause": (api.pause, "paused"),
        "rename": (lambda one: api.rename(one, f"{project.name}-other"), "renamed"),
        "update": (lambda one: api.update_container(one, cpu_shares=512), "reconfigured"),
        "remove": (lambda one: api.remove_container(one, force=True), "removed"),
    }
    for name in (*persons, "calm"):
        project.add(name, "always")
    project.up()
    with project.runtime() as runtime:
        runtime.watch(saw)
        for name, (deed, words) in persons.items():
            deed(project.ids[name][0])
            what = f"{project.name}-{name}-1 was {words} by somebody else"
            wait_until(lambda what=what: what in saw.interference)
        runtime.restart(["calm"])
        assert not [what for what in saw.interference if "calm" in what]


def test_a_person_who_starts_what_was_killed_is_noticed(one, saw, wait_until):
    with one.runtime() as runtime:
        runtime.watch(saw)
        runtime.kill(["web"])
        one.api.start(one.ids["web"][0])
        wait_until(lambda: saw.interference)
        assert "web-1 was started by somebody else" in saw.interference[0]


def test_a_removed_container_makes_every_step_inconclusive(one, saw):
    with one.runtime() as runtime:
        one.api.remove_container(one.ids["web"][0], force=True)
        with pytest.raises(Interference, match="No such container"):
            runtime.kill(["web"])
    with pytest.raises(Exception, match="no container of web"), one.runtime():
        pass


def test_a_container_made_anew_is_adopted(one, saw, wait_until):
    with one.runtime() as runtime:
        runtime.watch(saw)
        one.add("web", "always", number=2)
        one.up()
        wait_until(lambda: saw.interference)
        assert "web-2 was added to web" in saw.interference[0]
        assert len(runtime.status("web").instances) == 2


@pytest.mark.parametrize("before", [True, False], ids=["before we came", "while we watch"])
def test_a_signal_through_the_engine_makes_a_crash_prove_nothing(one, saw, wait_until, before):
    web = one.ids["web"][0]
    if before:
        one.api.kill(web, signal="WINCH")
    with one.runtime() as runtime:
        runtime.watch(saw)
        if not before:
            one.api.kill(web, signal="WINCH")
        wait_until(lambda: runtime._fleet.of("web")[0].poisoned)
        with pytest.raises(StepInvalid, match="docker restart"):
            runtime.crash(["web"])
        runtime.restart(["web"])
        runtime.crash(["web"])
        assert saw.exits("web")[-1].returns is True


def test_what_happened_while_the_engine_was_out_of_reach_is_told_afterwards(project, wire, saw, wait_until):
    for name, policy in {"gone": "no", "back": "always", "frozen": "no", "calm": "no"}.items():
        project.add(name, policy)
    project.up()
    with project.runtime(client_factory=lambda: APIClient(base_url=wire.url, version="auto")) as runtime:
        runtime.watch(saw)
        lost_s = time.monotonic()
        wire.cut()
        project.dies("gone", "exit 3")
        project.dies("back", "exit 3")
        project.api.pause(project.ids["frozen"][0])
        wait_until(lambda: project.status("gone") == "down" and project.status("back") == "running")
        time.sleep(0.3)
        mended_s = time.monotonic()
        wire.mend()
        wait_until(lambda: saw.exits("gone") and saw.changes("frozen") == [Change.PAUSED])
        assert [(seen.exit_code, seen.returns) for seen in saw.exits("gone")] == [(3, False)]
        assert saw.changes("back") == [Change.EXITED, Change.STARTED]
        assert saw.changes("calm") == []
        assert all(seen.at_s >= lost_s - SLACK_S for seen in saw.processes)
        wait_until(lambda: saw.blind and saw.blind[-1].until_s > saw.exits("gone")[0].at_s)
        assert saw.blind[0].since_s < mended_s, "it began when the engine was lost"
        project.dies("back", "exit 3")
        wait_until(lambda: len(saw.exits("back")) == 2)


def test_health_is_told_by_process_by_engine_and_over_http(project, saw, wait_until):
    server = ["python3", "-m", "http.server", "8000"]
    project.add("process")
    project.add(
        "engine",
        health=HealthProbe(ProbeKind.ENGINE),
        healthcheck={"test": ["CMD", "test", "-e", "/tmp/well"], "interval": 200_000_000},
    )
    project.add(
        "http",
        "always",
        command=server,
        health=HealthProbe(ProbeKind.HTTP, "http://127.0.0.1:8204/"),
        port_bindings={8000: ("127.0.0.1", 8204)},
    )
    for ids in project.ids.values():
        project.api.start(ids[0])

    def last(service):
        mine = [seen for seen in saw.health if seen.service == service]
        return (mine[-1].healthy, mine[-1].detail) if mine else (None, "")

    with project.runtime() as runtime:
        runtime.watch(saw)
        wait_until(lambda: last("process") == (True, "runs") and last("http") == (True, "HTTP 200"))
        wait_until(lambda: last("engine")[1].endswith("-engine-1 is starting"))
        made = project.api.exec_create(project.ids["engine"][0], ["touch", "/tmp/well"])
        project.api.exec_start(made["Id"])
        wait_until(lambda: last("engine") == (True, "healthy"))

        runtime.pause(["process", "engine"])
        wait_until(lambda: last("process") == (False, "frozen"))
        wait_until(lambda: last("engine")[1].endswith("-engine-1 is paused"))
        runtime.kill(["engine"])
        wait_until(lambda: last("engine") == (False, "exited with 137"))

        runtime.crash(["http"])
        wait_until(lambda: last("http")[0] is False)
        wait_until(lambda: last("http") == (True, "HTTP 200"))
        started_s = [seen.at_s for seen in saw.processes if seen.service == "http"][-1]
        first = next(s for s in saw.health if s.service == "http" and s.at_s > started_s and s.healthy)
        assert first.ended_s - started_s < 1.0, "a refused probe beforehand would cost a second more"
        assert runtime.status("http").state is ProcessState.RUNNING
