"""Nothing of a fleet is left, however its owner goes."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from fuzzer import procfs
from fuzzer.procfs import Identity
from fuzzer.runtimes.local.fleets import FleetRecord, end_stale_fleets, members
from fuzzer.runtimes.local.runtime import LocalRuntime
from models.target import LocalCommand, Port, Service
from tests.support.waiting import until

from .conftest import RUN, alive, noted_pid, pid_of, processes_in, service, target

END_S = 3.5


def hard_to_end():
    """Services of every kind that may want to stay."""
    return (
        service("plain"),
        service("deaf", DEAF="1"),
        service("frozen", DEAF="1"),
        service("parent", WORKER="1"),
        service("runaway", RUNAWAY="1"),
        service("loop", EXIT="3"),
    )


@pytest.mark.parametrize("error", [None, KeyboardInterrupt(), SystemExit(3)], ids=repr)
def test_leaving_ends_every_process_soon_and_removes_the_folder(tmp_path, state, error, impatient):
    runtime = LocalRuntime(target(tmp_path, *hard_to_end()), state_dir=state)
    with suppress(KeyboardInterrupt, SystemExit), runtime:
        runtime.pause(["frozen"])
        pids = [int(pid) for name in ("plain", "deaf", "frozen") for pid in runtime.status(name).instances]
        pids += [noted_pid(runtime, "parent", "worker"), noted_pid(runtime, "runaway", "runaway")]
        assert set(pids) < set(processes_in(state))
        began = time.monotonic()
        if error:
            raise error
    assert time.monotonic() - began < END_S
    assert not any(map(alive, pids))
    assert not processes_in(state)
    assert not list(state.iterdir())


def test_after_an_error_the_logs_are_kept_and_it_says_where(tmp_path, state):
    runtime = LocalRuntime(target(tmp_path, service("web")), state_dir=state)
    with pytest.raises(ZeroDivisionError) as error, runtime:
        raise ZeroDivisionError
    (note,) = error.value.__notes__
    logs = Path(note.rpartition(" ")[2])
    assert {path.name for path in logs.iterdir()} >= {"web.log", "supervisord.log"}
    assert not processes_in(state)
    assert end_stale_fleets(state) == []
    assert logs.exists(), "what is kept for its logs is not taken for a fleet"


def test_a_supervisord_that_does_not_start_says_why(tmp_path, state, monkeypatch):
    monkeypatch.setattr("fuzzer.runtimes.local.supervisord.NO_LIMIT", "a lot")
    with pytest.raises(Exception, match=r"supervisord ended at once[^$]*a lot") as error:
        LocalRuntime(target(tmp_path, service("web")), state_dir=state).__enter__()
    assert "logs of the local fleet" in error.value.__notes__[0]
    assert not processes_in(state)


def test_a_runtime_can_be_entered_again(tmp_path, state):
    runtime = LocalRuntime(target(tmp_path, service("web")), state_dir=state)
    pids = set()
    for _ in range(2):
        with runtime:
            pids.add(pid_of(runtime, "web"))
    assert len(pids) == 2


def test_ctrl_c_does_not_reach_the_fleet(tmp_path, state):
    with LocalRuntime(target(tmp_path, service("web")), state_dir=state):
        for pid in processes_in(state):
            assert os.getsid(pid) != os.getsid(0)
            assert os.getpgid(pid) != os.getpgid(0)


# What dead fuzzers leave behind.

OWNER = """
import sys
from pathlib import Path
from fuzzer.runtimes.local.runtime import LocalRuntime
from models.target import *
from models.topology import Topology
run, folder, port, names = sys.argv[1].split(), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4].split()
services = {
    name: Service(name, RestartPolicy(Restart.ALWAYS),
                  HealthProbe(ProbeKind.HTTP, f"http://127.0.0.1:{port + n}/health"),
                  ports=(Port(80, port + n),),
                  local=LocalCommand(tuple(run), {"PORT": str(port + n), "DEAF": "1", "RUNAWAY": "1"}))
    for n, name in enumerate(names)
}
target = Target("left", folder, services, Topology(tuple(services)))
with LocalRuntime(target, state_dir=folder / "state") as runtime:
    runtime.pause(names[:1])
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def owner(tmp_path):
    """A fuzzer of its own that has a fleet, with one service frozen."""
    port = service("x").ports[0].host
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, " ".join(RUN), str(tmp_path), str(port), "a b"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])},
    )
    with process:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()
        process.wait()
        end_stale_fleets(tmp_path / "state")


def supervisord_of(state):
    (record,) = state.glob("fleet-*/fleet.json")
    return json.loads(record.read_text())["supervisord"]["pid"]


@pytest.mark.parametrize("what", ["owner", "owner and supervisord", "owner, and supervisord is frozen"])
def test_a_fleet_whose_owner_was_killed_is_ended(tmp_path, state, owner, what):
    assert end_stale_fleets(state) == []  # the owner lives
    pids = processes_in(state)
    assert len(pids) == 5, "supervisord, two services, a runaway child of each"
    owner.kill()
    owner.wait()
    time.sleep(0.1)
    assert processes_in(state) == pids
    if what == "owner, and supervisord is frozen":
        os.kill(supervisord_of(state), signal.SIGSTOP)
    elif what == "owner and supervisord":
        os.kill(supervisord_of(state), signal.SIGKILL)
        # That makes orphans of the groups, and the kernel wakes up who is frozen in one, by SIGHUP.
        until(lambda: len(processes_in(state)) == 3)
    began = time.monotonic()
    (sentence,) = end_stale_fleets(state)
    assert time.monotonic() - began < END_S
    assert f"the fleet of left that pid {owner.pid} left behind" in sentence
    assert ("frozen" in sentence) is (what != "owner and supervisord")
    assert not any(map(alive, pids))
    assert end_stale_fleets(state) == []
    assert not list(state.iterdir())


def test_entering_ends_what_was_left_and_gets_its_ports(tmp_path, state, owner):
    (folder,) = state.glob("fleet-*")
    told = [Path(f"/proc/{pid}/environ").read_text().split("\0") for pid in members(folder)]
    mine = next(words for words in told if "SUPERVISOR_PROCESS_NAME=a" in words)  # and all that it started
    ports = next(word.removeprefix("PORT=") for word in mine if word.startswith("PORT="))
    owner.kill()
    owner.wait()
    again = Service("a", ports=(Port(8000, int(ports)),), local=LocalCommand(RUN, {"PORT": ports}))
    with LocalRuntime(target(tmp_path, again), state_dir=state) as runtime:
        assert "left behind" in runtime.ended_stale[0]
        assert not folder.exists()


def test_what_cannot_be_judged_is_left_alone(tmp_path, state):
    me = Identity.of(os.getpid())
    boot, _, space = procfs.here().partition(" ")
    somebody_else = Identity(me.pid, me.started - 1)  # the same pid, given away again

    def leave(name, place, owner):
        folder = state / f"fleet-{name}"
        folder.mkdir(parents=True)
        FleetRecord(name, place, owner, somebody_else, tmp_path / "socket").write(folder)

    leave("mine", procfs.here(), me)
    leave("container", f"{boot} pid:[1]", somebody_else)
    leave("boot", f"another {space}", me)
    leave("dead", procfs.here(), somebody_else)
    (state / "fleet-new").mkdir()
    (state / "fleet-torn").mkdir()
    (state / "fleet-torn" / "fleet.json").write_text('{"owner": {')
    done = end_stale_fleets(state)
    assert [sentence.split(" of ")[-1].split()[0] for sentence in done] == ["boot", "dead"] or len(done) == 2
    assert {path.name for path in state.iterdir()} == {
        "fleet-mine",
        "fleet-container",
        "fleet-new",
        "fleet-torn",
    }
    assert me.alive()


def test_without_any_fleet_there_is_nothing_to_do(tmp_path):
    assert end_stale_fleets(tmp_path / "nowhere") == []


def test_two_may_clean_up_at_the_same_time(tmp_path, state, owner):
    owner.kill()
    owner.wait()
    program = (
        "import sys, pathlib; from fuzzer.runtimes.local.fleets import end_stale_fleets;"
        "print(len(end_stale_fleets(pathlib.Path(sys.argv[1]))))"
    )
    cleaners = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(state)],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])},
        )
        for _ in range(2)
    ]
    assert [cleaner.wait(30) for cleaner in cleaners] == [0, 0]
    assert not processes_in(state)
    assert not list(state.iterdir())
