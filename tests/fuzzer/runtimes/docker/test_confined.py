"""What our own containers may do on somebody's machine, as the engine and the kernel tell it."""

from __future__ import annotations

from dataclasses import replace
from secrets import token_hex

import pytest

from fuzzer.runtimes.base import ProcessState, Undo
from fuzzer.runtimes.docker import filling
from fuzzer.runtimes.docker.helper import HELPER
from fuzzer.runtimes.docker.owner import LABEL, Owner

pytestmark = pytest.mark.docker

KILL = 1 << 5
"""CAP_KILL, as in /proc/PID/status."""


def mine(api, label):
    """Containers of this very process with a label, as the engine describes them."""
    found = [one["Id"] for one in api.containers(all=True, filters={"label": [label]})]
    told = [api.inspect_container(one) for one in found]
    me = Owner.me()
    owners = [Owner.from_label(one["Config"]["Labels"].get(LABEL, "")) for one in told]
    return [
        one
        for one, own in zip(told, owners, strict=True)
        if own and (own.pid, own.place) == (me.pid, me.place)
    ]


def assert_confined(told, capabilities):
    held = told["HostConfig"]
    assert held["CapDrop"] == ["ALL"]
    assert [name.removeprefix("CAP_") for name in held["CapAdd"] or ()] == capabilities
    assert "no-new-privileges" in held["SecurityOpt"]
    assert held["ReadonlyRootfs"] is True
    assert held["Privileged"] is False
    assert held["NetworkMode"] == "none"
    assert held["Memory"] == 128 << 20
    assert held["PidsLimit"] == 64
    assert not held["Binds"]
    assert not held["PortBindings"]


def test_the_helper_that_kills_may_do_nothing_else_and_is_gone_at_the_end(one, saw):
    with one.runtime() as runtime:
        runtime.watch(saw)
        runtime.crash(["web"])
        [told] = mine(one.api, HELPER)
        assert_confined(told, ["KILL"])
        made = one.api.exec_create(
            told["Id"], ["sh", "-c", "while read -r l; do echo $l; done < /proc/self/status"]
        )
        status = dict(
            line.split(":", 1) for line in one.api.exec_start(made["Id"]).decode().splitlines() if ":" in line
        )
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == KILL
        assert int(status["NoNewPrivs"]) == 1
    assert mine(one.api, HELPER) == []


def test_an_entry_of_the_journal_never_ran_and_could_do_nothing(one):
    with one.runtime() as runtime:
        entry = runtime.journal.write([Undo("start", ("web",))])
        told = one.api.inspect_container(entry)
        assert told["State"]["Status"] == "created"
        assert_confined(told, [])
        runtime.journal.remove(entry)


def test_what_empties_a_volume_may_only_do_that(project, saw, monkeypatch):
    """A service's data may belong to any user, in a folder that only he may enter."""
    volume = f"{project.name}-{token_hex(3)}"
    seen = []

    def remove(api, container):
        seen.append(api.inspect_container(container))
        before(api, container)

    before = filling.remove
    monkeypatch.setattr(filling, "remove", remove)
    try:
        project.add("web", binds={volume: {"bind": "/data", "mode": "rw"}})
        project.services["web"] = replace(project.services["web"], disk="/data")
        project.up()
        [web] = project.ids["web"]
        fill = "touch /data/.knockon-fill /data/theirs && chown -R 1000 /data && chmod 700 /data"
        made = project.api.exec_create(web, ["sh", "-c", fill])
        project.api.exec_start(made["Id"])
        assert project.api.exec_inspect(made["Id"])["ExitCode"] == 0
        with project.runtime() as runtime:
            runtime.watch(saw)
            project.api.stop(web, timeout=0)
            assert project.status("web") == ProcessState.DOWN
            runtime.undo(Undo("free_disk", ("web",)))
            project.api.start(web)
            project.ready("web")
        [told] = seen
        assert_confined(told, ["DAC_OVERRIDE"])
        made = project.api.exec_create(web, ["ls", "-A", "/data"])
        assert project.api.exec_start(made["Id"]).decode().split() == ["theirs"]
        assert mine(project.api, HELPER) == []
    finally:
        project.down()
        project.api.remove_volume(volume, force=True)
