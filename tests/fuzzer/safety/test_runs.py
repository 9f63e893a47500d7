import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from threading import Thread

import pytest

from fuzzer.safety.runs import About, Entry, Over, folder, running
from models.errors import RequestError

ROOT = Path(__file__).parents[3]
ABOUT = About(4711, "shop", "local", "/somewhere/.knockon")

OWNER = """
from fuzzer.safety.runs import About, Entry
import sys, os
with Entry(About(os.getpid(), "shop", "local", "/x")):
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def mine(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield tmp_path
    monkeypatch.undo()


def test_a_run_is_found_while_it_goes_on():
    assert list(running()) == []
    with Entry(ABOUT):
        [run] = running()
        assert run.about == ABOUT
    assert list(running()) == []
    assert list(folder().iterdir()) == []


def test_who_asks_is_told_how_it_ended():
    with Entry(ABOUT) as entry:
        [run] = running()
        assert entry.asked() == ""
        run.ask_to_end()
        assert "knockon stop" in entry.asked()
        assert run.until_over(0.1) is None
        told = []
        waiting = Thread(target=lambda: told.append(run.until_over(20)))
        waiting.start()
        entry.tell("every fault is lifted")
    waiting.join()
    assert told == [Over("every fault is lifted")]
    assert list(folder().iterdir()) == []


def test_a_run_that_was_killed_is_over_and_forgotten():
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], env=environ, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout.readline() == "ready\n"
        [run] = running()
        assert run.about.pid == owner.pid
        run.ask_to_end()
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    assert run.until_over(20) == Over(None)
    assert list(running()) == []
    assert list(folder().iterdir()) == []


def test_a_run_removes_the_notes_of_dead_ones(mine):
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], env=environ, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout.readline() == "ready\n"
        owner.send_signal(signal.SIGKILL)
    [dead] = folder().iterdir()
    with Entry(ABOUT):
        [own] = folder().iterdir()
        assert own != dead


def test_a_folder_that_others_can_read_is_refused(mine):
    folder().chmod(0o755)
    with pytest.raises(RequestError, match="not a folder of yours alone"):
        list(running())
