"""Who heals, when, and how that goes well although others do it at the same moment."""

from __future__ import annotations

import time
from contextlib import closing
from threading import Thread

import pytest

from fuzzer.runtimes.base import Undo
from fuzzer.runtimes.docker import alone as module
from fuzzer.runtimes.docker import lease as leases
from fuzzer.runtimes.docker.clients import Clients, default_client
from fuzzer.runtimes.docker.owner import Owner
from models.errors import RuntimeUnavailable
from tests.support.waiting import until

pytestmark = pytest.mark.docker

DEAF = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"]


def named(api, label, value):
    listed = api.containers(all=True, filters={"label": [f"{label}={value}"]})
    return [one["Names"][0] for one in listed]


def test_a_lease_is_renewed_for_as_long_as_its_run_lives(one, monkeypatch):
    monkeypatch.setattr(leases, "BEAT_S", 0.1)
    with one.runtime() as runtime:
        entry = runtime.journal.write([Undo("start", ("web",))])
        run = runtime.journal._run
        (first,) = named(one.api, "knockon.lease", run)
        until(lambda: named(one.api, "knockon.lease", run) not in ([first], []), "it was not renewed")
        one.api.remove_container(named(one.api, "knockon.lease", run)[0])
        until(lambda: named(one.api, "knockon.lease", run), "it was not taken again")
        runtime.journal.remove(entry)
    assert named(one.api, "knockon.lease", run) == []


def test_what_a_run_elsewhere_did_is_healed_once_its_lease_has_run_out(one, monkeypatch):
    me = Owner.me
    with one.runtime() as runtime, monkeypatch.context() as elsewhere:
        elsewhere.setattr(Owner, "me", classmethod(lambda cls: cls("elsewhere", 1, "1", me().written_ns)))
        entry = runtime.journal.write([Undo("start", ("web",))])
        with one.runtime() as other:
            assert other.journal.pending() == {}
            monkeypatch.setattr(leases, "LEASE_S", -1.0)
            assert list(other.journal.pending()) == [entry]
        runtime.journal.remove(entry)


def test_there_is_one_healer_at_a_time(one):
    order = []

    def second():
        with one.runtime() as runtime, runtime.journal.alone():
            order.append("second")

    with one.runtime() as runtime:
        with runtime.journal.alone():
            waiting = Thread(target=second)
            waiting.start()
            time.sleep(1.0)
            order.append("first")
        waiting.join()
    assert order == ["first", "second"]
    assert named(one.api, "knockon.healer", runtime.journal._run) == []


def test_a_healer_that_died_keeps_nobody_waiting_and_one_that_lives_does(one, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE_S", 0.5)
    with one.runtime() as runtime, closing(Clients()) as clients:
        images = [one.api.inspect_container(one.ids["web"][0])["Image"]]
        with (
            runtime.journal.alone(),
            pytest.raises(RuntimeUnavailable, match=f"docker rm knockon-healer-{one.name}"),
            module.alone(clients, one.name, "other", images),
        ):
            pass
        me = Owner.me()
        with monkeypatch.context() as dead:
            dead.setattr(Owner, "me", classmethod(lambda cls: cls(me.place, 2**22 + 1, "1", 0)))
            module._taken(clients, one.name, "dead", images)
        with runtime.journal.alone():
            assert named(one.api, "knockon.healer", "dead") == []


def test_who_is_just_being_stopped_is_started_as_soon_as_it_is_down(project):
    project.add("web", "unless-stopped", command=DEAF)
    project.up()
    began = project.api.inspect_container(project.ids["web"][0])["State"]["StartedAt"]

    def stop():
        with closing(default_client()) as client:
            client.stop(project.ids["web"][0], timeout=2)

    with project.runtime() as runtime:
        stopping = Thread(target=stop)
        stopping.start()
        time.sleep(0.7)
        assert project.status("web") == "running", "it is deaf to SIGTERM"
        runtime.undo(Undo("start", ("web",)))
        stopping.join()
        time.sleep(0.3)
        state = project.api.inspect_container(project.ids["web"][0])["State"]
        assert (state["Status"], state["StartedAt"] > began) == ("running", True)


def test_who_was_to_die_of_too_little_memory_and_did_not_is_no_longer_the_first_to_be_ended(one):
    def readily():
        made = one.api.exec_create(one.ids["web"][0], ["cat", "/proc/1/oom_score_adj"])
        return one.api.exec_start(made["Id"]).strip()

    before = readily()
    with one.runtime() as runtime:
        made = one.api.exec_create(one.ids["web"][0], ["sh", "-c", "echo 1000 > /proc/1/oom_score_adj"])
        one.api.exec_start(made["Id"])
        assert readily() == b"1000"
        runtime.undo(Undo("spare", ("web",)))
        assert readily() == before
