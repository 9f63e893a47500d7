"""What a run started beside its fleet ends with it, whoever started what."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fuzzer import kin, procfs
from tests.support.waiting import until

LEAVES_A_TOOL = """
import subprocess, sys, time
from fuzzer import kin
nap = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]
tool = "import subprocess, sys, time; subprocess.Popen(sys.argv[1:], start_new_session=True); time.sleep(600)"
subprocess.Popen([sys.executable, "-S", "-c", tool, *nap], env=kin.environment(), start_new_session=True)
time.sleep(600)
"""


@pytest.fixture
def run():
    """A run with a tool that has started a process of its own, each in a session of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", LEAVES_A_TOOL],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    yield process
    process.kill()
    process.wait()
    kin.end_orphans(process.pid)


def of(run):
    marks = [mark for mark in procfs.values(kin.RUN) if mark.startswith(f"{run.pid} ")]
    return [pid for mark in marks for pid in procfs.marked(kin.RUN, mark)]


def test_what_a_dead_run_left_running_is_ended_and_that_of_a_living_one_is_not(run):
    until(lambda: len(of(run)) == 2, "no tool")
    assert kin.end_orphans(run.pid) == []
    assert len(of(run)) == 2
    run.kill()
    run.wait()
    assert kin.end_orphans(heir_of=os.getpid()) == [], "that is another run"
    (sentence,) = kin.end_orphans(run.pid)
    assert sentence.startswith(f"ended what pid {run.pid} left running: ")
    assert sentence.count("time.sleep(600)") == 3, "the tool and its child, whom it names as well"
    assert of(run) == []
    assert kin.end_orphans(run.pid) == []


def test_a_mark_that_is_none_of_ours_ends_nobody(monkeypatch):
    nap = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]
    for mark in ("", "1", "x 1 here", f"{2**22 + 1} 5 another machine"):
        stranger = subprocess.Popen(nap, env={**os.environ, kin.RUN: mark})
        try:
            kin.end_orphans(2**22 + 1)
            assert stranger.poll() is None
        finally:
            stranger.kill()
            stranger.wait()


def test_a_watchdog_carries_no_mark_of_a_run_that_started_ours(monkeypatch):
    monkeypatch.setenv(kin.RUN, "1 2 here")
    assert kin.RUN not in kin.without_mark()
    assert kin.environment()[kin.RUN].startswith(f"{os.getpid()} ")
