"""What we leave in somebody's engine: nothing, and after our own death enough to heal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from fuzzer.runtimes.base import ProcessState, Undo
from fuzzer.runtimes.docker.capabilities import capabilities
from fuzzer.runtimes.docker.helper import HELPER, Helper, Victim
from fuzzer.runtimes.docker.owner import LABEL, Owner
from models.errors import RequestError, StepInvalid

pytestmark = pytest.mark.docker

LEAVES_WITHOUT_A_WORD = """
import sys, time
from pathlib import Path
from fuzzer.runtimes.base import Undo
from fuzzer.runtimes.docker.runtime import DockerRuntime
from models.target import Service, Target
from models.topology import Topology

project = sys.argv[1]
target = Target(project, Path(), {"web": Service("web")}, Topology(("web",)))
with DockerRuntime(target, project=project) as runtime:
    runtime.journal.write([Undo("start", ("web",)), Undo("unpause", ("web",))])
    runtime.crash(["web"])
    while runtime.status("web").state != "running":
        time.sleep(0.01)
    runtime.pause(["web"])
    print("paused", flush=True)
    time.sleep(60)
"""


def ours(api, *labels):
    return api.containers(all=True, filters={"label": list(labels)})


def helpers(api):
    me = Owner.me()
    owners = [Owner.from_label(one["Labels"][LABEL]) for one in ours(api, HELPER)]
    return [owner for owner in owners if owner.pid == me.pid and owner.place == me.place]


def of_nobody(found):
    """Ids of what no compose project owns: projects come and go meanwhile, on a machine that others use."""
    owner = "com.docker.compose.project"
    return {one.get("Id") or one["Name"] for one in found if owner not in (one["Labels"] or {})}


def test_nothing_is_left_behind(one, saw):
    networks = of_nobody(one.api.networks())
    volumes = of_nobody(one.api.volumes()["Volumes"] or ())
    with one.runtime() as runtime:
        runtime.watch(saw)
        entry = runtime.journal.write([Undo("start", ("web",))])
        assert [f"/{entry}"] in [found["Names"] for found in ours(one.api, "knockon.journal")]
        runtime.crash(["web"])
        assert len(helpers(one.api)) == 1
        runtime.journal.remove(entry)
        runtime.journal.remove(entry)
    assert helpers(one.api) == []
    assert ours(one.api, f"knockon.project={one.name}") == []
    assert of_nobody(one.api.networks()) <= networks
    assert of_nobody(one.api.volumes()["Volumes"] or ()) <= volumes


def test_what_a_killed_run_did_can_be_undone_by_the_next(one):
    child = subprocess.Popen(
        [sys.executable, "-c", LEAVES_WITHOUT_A_WORD, one.name], stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout.readline() == "paused\n"
        with one.runtime() as runtime:
            assert runtime.journal.pending() == {}, "that run still lives: its faults are its own"
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    left = [json.loads(found["Labels"][LABEL])["pid"] for found in ours(one.api, HELPER)]
    assert child.pid in left
    with one.runtime() as runtime:
        (entry,) = runtime.journal.pending()
        undos = runtime.journal.pending()[entry]
        assert undos == (Undo("start", ("web",)), Undo("unpause", ("web",)))
        assert runtime.status("web").state is ProcessState.PAUSED
        for undo in reversed(undos):
            runtime.undo(undo)
        assert runtime.status("web").state is ProcessState.RUNNING
        runtime.journal.remove(entry)
        assert runtime.journal.pending() == {}
    left = [json.loads(found["Labels"][LABEL])["pid"] for found in ours(one.api, HELPER)]
    assert child.pid not in left, "its helper was swept away"


def test_entries_come_oldest_first_and_a_strange_one_is_shown(one, monkeypatch):
    with one.runtime() as runtime:
        entries = [runtime.journal.write([Undo("start", (name,))]) for name in ("b", "a", "c")]
        monkeypatch.setattr(Owner, "gone", True)
        assert list(runtime.journal.pending()) == entries
        runtime.journal._images = lambda: ()
        with pytest.raises(RequestError, match="no image"):
            runtime.journal.write([])
        one.api.create_container(
            one.api.inspect_container(one.ids["web"][0])["Image"],
            ["true"],
            name=f"{one.name}-strange",
            labels={"knockon.journal": "x", "knockon.project": one.name, "knockon.undo": "[1]"},
        )
        with pytest.raises(RequestError, match=f"docker rm {one.name}-strange"):
            runtime.journal.pending()


def test_a_pid_of_another_container_is_not_hit(project, saw):
    project.add("web")
    project.add("other")
    project.up()
    pid = project.api.inspect_container(project.ids["other"][0])["State"]["Pid"]
    with project.runtime() as runtime:
        runtime.watch(saw)
        with pytest.raises(StepInvalid, match="not of that container"):
            runtime._helper.kill([Victim(pid, project.ids["web"][0])])
        assert project.status("other") == "running"


def test_both_ways_to_kill_work_and_a_lost_helper_is_made_anew(one, monkeypatch):
    from fuzzer.runtimes.docker import helper as module

    for way in module.WAYS:
        monkeypatch.setattr(module, "WAYS", (way,))
        with one.runtime() as runtime:
            runtime.crash(["web"])
            one.api.remove_container(runtime._helper._made[0], force=True)
            while runtime.status("web").state is not ProcessState.RUNNING:
                pass
            runtime.crash(["web"])
            runtime.restart(["web"])


def test_without_a_way_to_kill_it_says_what_it_needs(one, monkeypatch):
    from fuzzer.runtimes.docker import helper as module

    monkeypatch.setattr(module, "WAYS", (module._Way(("no-such-program",), ()),))
    with (
        one.runtime() as runtime,
        pytest.raises(RequestError, match=r"needs sh or python3(.|\n)*no-such-program"),
    ):
        runtime.crash(["web"])
    assert helpers(one.api) == []
    assert isinstance(runtime._helper, Helper)


def test_the_doctor_sees_what_the_engine_offers(one):
    seen = capabilities(project=one.name)
    assert seen.projects[one.name] == 1
    assert seen.crash == ""
    assert seen.engine
    assert "no compose project runs" in capabilities(project="nothing-of-that-name").crash
