"""What is known of processes must be right, whichever of its two sources comes first."""

import json
import os
import subprocess
import time

import pytest

from fuzzer.runtimes.base import ProcessState
from fuzzer.runtimes.local.clock import MonotonicClock
from fuzzer.runtimes.local.processes import Processes
from models.observation import Change
from tests.support.waiting import until


class Played:
    """A record that a test writes, and what is told of it."""

    def __init__(self, path):
        self.told, self.lost = [], []
        self.path = path
        path.touch()
        self.processes = Processes(
            ["web"], path, MonotonicClock(), self.told.append, lambda: self.lost.append(True)
        )
        self.children = []

    def run(self):
        child = subprocess.Popen(["sleep", "600"])
        self.children.append(child)
        self.write("started", pid=child.pid)
        until(lambda: self.processes.pid("web") == child.pid)
        return child

    def write(self, what, at_s=None, **facts):
        line = {"what": what, "service": "web", "at_s": at_s or time.monotonic(), **facts}
        with self.path.open("ab") as file:
            file.write(json.dumps(line).encode() + b"\n")

    def exited(self, child, code=137, returns=True, at_s=None):
        self.write("exited", at_s, pid=child.pid, code=code, returns=returns)

    def end(self):
        self.processes.stop()
        for child in self.children:
            child.kill()
            child.wait()


@pytest.fixture
def played(tmp_path):
    made = Played(tmp_path / "record.jsonl")
    made.processes.start(os.getpid())
    yield made
    made.end()


def test_a_death_is_known_at_once_and_reported_with_its_exit_code(played):
    child = played.run()
    began_s = time.monotonic()
    child.kill()
    until(lambda: not played.processes.pid("web"))
    died_s = time.monotonic()
    assert played.processes.absence("web") == "exited"
    assert len(played.told) == 1, "how it ended is not known yet"
    time.sleep(0.05)
    played.exited(child)
    until(lambda: len(played.told) == 2)
    exited = played.told[1]
    assert (exited.change, exited.exit_code, exited.returns) == (Change.EXITED, 137, True)
    assert began_s <= exited.at_s <= died_s, "the time is that of the death, not of the record"
    assert played.processes.status("web").state is ProcessState.RETURNING


def test_a_record_that_is_quicker_gives_its_own_time(played):
    child = played.run()
    at_s = time.monotonic()
    child.kill()
    played.exited(child, at_s=at_s)
    until(lambda: len(played.told) == 2)
    assert played.told[1].at_s == at_s


def test_a_late_word_of_a_death_does_not_bury_the_next_process(played):
    """The record may be read, by whoever asks for a status, before the pidfd's event is handled.

    The next process's handle then often has the number of the old one.
    """
    old = played.run()
    old.kill()
    played.exited(old)
    new = played.run()
    played.processes._died("web", time.monotonic())
    assert played.processes.pid("web") == new.pid
    assert played.processes.absence("web") == ""
    assert played.processes.status("web").state is ProcessState.RUNNING
    new.kill()
    until(lambda: not played.processes.pid("web"))


def test_a_process_that_is_long_gone_is_reported_all_the_same(played):
    gone = subprocess.Popen(["true"])
    gone.wait()
    played.write("started", pid=gone.pid)
    played.exited(gone, code=0, returns=False)
    until(lambda: len(played.told) == 2)
    assert [change.change for change in played.told] == [Change.STARTED, Change.EXITED]
    assert played.processes.is_down("web")


def test_half_a_line_waits_for_its_other_half(played):
    line = json.dumps({"what": "started", "service": "web", "at_s": 1.0, "pid": os.getpid()}).encode()
    with played.path.open("ab", buffering=0) as file:
        file.write(line[:20])
        time.sleep(0.1)
        assert not played.told
        file.write(line[20:] + b"\n")
    until(lambda: played.told)


def test_nothing_is_told_after_the_end(played):
    child = played.run()
    played.processes.stop()
    child.kill()
    played.exited(child)
    played.processes.catch_up()
    time.sleep(0.1)
    assert len(played.told) == 1
    played.processes.stop()


def test_the_end_of_supervisord_is_told_once(tmp_path):
    played = Played(tmp_path / "record.jsonl")
    supervisord = subprocess.Popen(["sleep", "600"])
    played.processes.start(supervisord.pid)
    supervisord.kill()
    supervisord.wait()
    until(lambda: played.lost)
    time.sleep(0.1)
    assert played.lost == [True]
    played.end()
