"""The local runtime as its user meets it: what it refuses, what services are told, what it can do."""

import json
import os
import select
import signal
import socket
import time
from itertools import pairwise
from pathlib import Path

import pytest

from fuzzer.runtimes.able import CanCrash, CanKill, CanPause, CanRestart, CanStart, CanStop
from fuzzer.runtimes.base import ProcessState, Undo
from fuzzer.runtimes.local.runtime import LocalRuntime
from models.errors import RequestError, RuntimeUnavailable, StepInvalid
from models.observation import Change
from models.target import HealthProbe, LocalCommand, Restart, RestartPolicy, Service
from tests.support.waiting import until

from .conftest import RUN, alive, facts, get, noted_pid, pid_of, processes_in, service, target

NO = RestartPolicy(Restart.NO)


# What it refuses, before anything is started.


def refused(folder, *services):
    runtime = LocalRuntime(target(folder, *services), state_dir=folder / "state")
    with pytest.raises(RequestError) as error, runtime:
        pass
    assert not processes_in(folder / "state")
    assert not list((folder / "state").glob("*"))
    return str(error.value)


def test_all_services_without_a_command_are_named_with_what_to_write(tmp_path):
    text = refused(
        tmp_path,
        service("a", command=None),
        service("b"),
        service("c", command=None),
        service("d", command=()),
    )
    assert "how to run: a, c, d." in text
    assert "services.a.x-knockon.local.command: [python3, -m, my_service]" in text


def test_all_taken_ports_are_named_with_their_service(tmp_path):
    a, b, c = service("a"), service("b"), service("c")
    with (
        socket.create_server(("127.0.0.1", a.ports[0].host)),
        socket.create_server(("0.0.0.0", c.ports[0].host)),
    ):
        text = refused(tmp_path, a, b, c)
    assert f"port {a.ports[0].host} of a is taken" in text
    assert f"port {c.ports[0].host} of c is taken" in text
    assert "of b" not in text
    assert "Stop what listens there" in text


def test_commands_that_name_no_program_are_named(tmp_path):
    (tmp_path / "here").write_text("#!/bin/sh\n")
    text = refused(
        tmp_path,
        service("a", command=("no-such-program",)),
        service("b"),
        service("c", command=("./here", "x")),
    )
    assert "services.a.x-knockon.local.command: found 'no-such-program'" in text
    assert "services.c.x-knockon.local.command: found './here'" in text, "it is there, but cannot be executed"
    assert "services.b" not in text


def test_a_machine_that_cannot_follow_processes_is_told_so(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "pidfd_open")
    assert "needs Linux 5.3" in refused(tmp_path, service("a"))


# What services are told.


def test_a_service_gets_exactly_what_is_written(fleet, tmp_path):
    odd = 'a "quoted" %(here)s 100% ; c # d \' $HOME \\ é\n  second line'
    runtime = fleet(service("web", NO, (*RUN, odd, ""), {"COMPOSE": odd}, LOCAL=odd), service("other"))
    told = facts(runtime, "web")
    assert told["arguments"] == [odd, ""]
    assert told["environment"]["COMPOSE"] == odd
    assert told["environment"]["LOCAL"] == odd
    assert told["folder"] == str(tmp_path)
    assert "PYTHONPATH" not in told["environment"]
    assert told["environment"]["PATH"] == os.environ["PATH"]
    mine = Path(told["environment"]["KNOCKON_DATA_DIR"])
    assert mine != Path(facts(runtime, "other")["environment"]["KNOCKON_DATA_DIR"])
    assert list(mine.iterdir()) == []


def test_data_survives_a_crash_but_not_the_fleet(tmp_path, state):
    one = service("web")
    with LocalRuntime(target(tmp_path, one), state_dir=state) as runtime:
        data = Path(facts(runtime, "web")["environment"]["KNOCKON_DATA_DIR"])
        (data / "orders").write_text("1")
        runtime.crash(["web"])
        until(lambda: get(runtime, "web", "/health"))
        assert (data / "orders").read_text() == "1"
    assert not data.exists()


def test_modules_of_the_targets_folder_do_not_get_into_supervisord(tmp_path, state):
    for name in ("http", "supervisor", "logging", "fuzzer"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported')\n")
    with LocalRuntime(target(tmp_path, service("web")), state_dir=state) as runtime:
        assert get(runtime, "web", "/health") == b"ok"


def test_a_deep_folder_is_no_hindrance(tmp_path):
    deep = tmp_path / "/".join(["a-rather-long-name"] * 8)
    with LocalRuntime(target(tmp_path, service("web")), state_dir=deep) as runtime:
        assert runtime.status("web").state is ProcessState.RUNNING


def test_a_layer_is_healthy_before_the_next_is_started(tmp_path, state):
    services = service("web"), service("api"), service("db")
    edges = (("web", "api"), ("api", "db"))
    with LocalRuntime(target(tmp_path, *services, edges=edges), state_dir=state):
        (record,) = state.glob("fleet-*/record.jsonl")
        starts = [json.loads(line) for line in record.read_text().splitlines()]
    assert [start["service"] for start in starts] == ["db", "api", "web"]
    assert all(b["at_s"] - a["at_s"] > 0.02 for a, b in pairwise(starts))


def test_a_job_that_is_done_keeps_nobody_waiting(fleet, saw):
    job = Service("job", NO, local=LocalCommand(("true",)))
    began = time.monotonic()
    runtime = fleet(service("web"), job, edges=(("web", "job"),))
    assert time.monotonic() - began < 10
    assert runtime.status("job").state is ProcessState.DOWN
    assert runtime.url("job") is None


# What it can do.


def test_it_says_what_it_can_do(tmp_path):
    runtime = LocalRuntime(target(tmp_path, service("web")), state_dir=tmp_path)
    for protocol in (CanKill, CanCrash, CanStop, CanStart, CanRestart, CanPause):
        assert isinstance(runtime, protocol)


def test_before_it_is_entered_it_says_so(tmp_path):
    runtime = LocalRuntime(target(tmp_path, service("web")), state_dir=tmp_path)
    for ask in (lambda: runtime.status("web"), lambda: runtime.kill(["web"]), lambda: runtime.journal):
        with pytest.raises(RuntimeUnavailable, match="does not run"):
            ask()


def test_an_exit_is_seen_at_once_and_its_return_promptly(fleet, saw):
    runtime = fleet(service("web"))
    exits, returns = [], []
    for _ in range(3):
        until(lambda: get(runtime, "web", "/health"))
        began = time.monotonic()
        runtime.crash(["web"])
        exits.append(saw.exits("web")[-1].at_s - began)
        until(lambda began=began: Change.STARTED in saw.changes("web", began))
        returns.append(saw.of("web")[-1].at_s - saw.exits("web")[-1].at_s)
    assert min(exits) < 0.05
    assert returns[0] == pytest.approx(0.1, abs=0.1)  # supervisord by itself: up to 1 s, then 1, 2, 3 s more


def test_times_agree_with_who_waits_for_the_process(fleet, saw):
    runtime = fleet(service("web"))
    handle = os.pidfd_open(pid_of(runtime, "web"))
    before = time.monotonic()
    os.kill(pid_of(runtime, "web"), signal.SIGKILL)
    select.select([handle], [], [], 5)
    after = time.monotonic()
    os.close(handle)
    until(lambda: saw.exits("web"))
    assert before <= saw.exits("web")[0].at_s <= after + 0.05


def test_workers_share_their_services_fate(fleet):
    runtime = fleet(service("web", WORKER="1"))
    for deed in (runtime.crash, runtime.kill, runtime.stop):
        runtime.start(["web"])
        until(lambda: get(runtime, "web", "/health"))
        worker = noted_pid(runtime, "web", "worker")
        assert alive(worker)
        deed(["web"])
        until(lambda worker=worker: not alive(worker))


def test_workers_do_not_outlive_a_service_that_ends_by_itself(fleet, saw):
    runtime = fleet(service("web", NO, WORKER="1"))
    worker = noted_pid(runtime, "web", "worker")
    get(runtime, "web", "/exit/0")
    until(lambda: saw.exits("web"))
    until(lambda: not alive(worker))


def test_a_service_that_ignores_sigterm_can_be_killed_frozen_and_stopped(fleet, saw, monkeypatch):
    monkeypatch.setattr("fuzzer.runtimes.local.supervisord.STOP_S", 1)
    runtime = fleet(service("web", DEAF="1"))
    runtime.pause(["web"])
    runtime.kill(["web"])
    assert saw.changes("web") == [Change.PAUSED, Change.EXITED]
    runtime.start(["web"])
    until(lambda: get(runtime, "web", "/health"))
    began = time.monotonic()
    runtime.stop(["web"])
    assert 0.9 < time.monotonic() - began < 5
    assert saw.exits("web")[-1].exit_code == 137


def test_a_frozen_service_is_stopped_in_good_order(fleet, saw):
    runtime = fleet(service("web", TIDY="1"))
    runtime.pause(["web"])
    runtime.stop(["web"])
    assert saw.changes("web") == [Change.PAUSED, Change.RESUMED, Change.EXITED]
    assert (saw.exits("web")[0].exit_code, saw.exits("web")[0].returns) == (0, False)


def test_a_frozen_service_that_crashes_comes_back_thawed(fleet, saw):
    runtime = fleet(service("web"))
    runtime.pause(["web"])
    runtime.crash(["web"])
    until(lambda: runtime.status("web").state is ProcessState.RUNNING)
    until(lambda: get(runtime, "web", "/health"))


def test_freezing_what_is_frozen_has_no_effect(fleet, saw):
    runtime = fleet(service("web"))
    runtime.pause(["web"])
    with pytest.raises(StepInvalid, match="frozen already"):
        runtime.pause(["web"])
    runtime.unpause(["web"])
    assert saw.changes("web") == [Change.PAUSED, Change.RESUMED]


def test_a_service_without_a_health_url_is_as_healthy_as_its_process(fleet, saw):
    one = service("web")
    runtime = fleet(Service("web", one.restart, HealthProbe(), one.ports, local=one.local))
    until(lambda: saw.healthy_since("web", 0.0))
    runtime.pause(["web"])
    until(lambda: saw.health[-1].detail == "frozen")
    runtime.kill(["web"])
    until(lambda: saw.health[-1].detail == "exited with 137, stays down")
    assert not saw.health[-1].healthy
    assert runtime.url("web") == f"http://127.0.0.1:{one.ports[0].host}"


def test_an_undo_that_nobody_wrote_is_refused(fleet):
    runtime = fleet(service("web"))
    runtime.undo(Undo("start", ("web", "a-service-of-an-older-version")))
    with pytest.raises(RequestError, match="'thaw'"):
        runtime.undo(Undo("thaw", ("web",)))


def test_a_supervisord_that_ends_is_interference_and_no_finding(fleet, saw, state):
    runtime = fleet(service("web"))
    (record,) = state.glob("fleet-*/fleet.json")
    os.kill(json.loads(record.read_text())["supervisord"]["pid"], signal.SIGKILL)
    until(lambda: saw.interference)
    assert "supervisord" in saw.interference[0]
    with pytest.raises(RuntimeUnavailable, match="supervisord does not answer"):
        runtime.kill(["web"])
    assert not saw.exits("web")


def test_the_journal_keeps_its_order_and_forgets_once(fleet):
    journal = fleet(service("web")).journal
    assert journal.pending() == {}
    entries = [journal.write([Undo("start", (str(n),)), Undo("unpause", ("web",))]) for n in range(12)]
    assert list(journal.pending()) == entries
    assert journal.pending()[entries[3]] == (Undo("start", ("3",)), Undo("unpause", ("web",)))
    journal.remove(entries[0])
    journal.remove(entries[0])
    assert list(journal.pending()) == entries[1:]
    assert journal.write([Undo("start", ("web",))]) not in entries[1:]
