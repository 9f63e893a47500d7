"""Runs that die, on two real processes: whatever they did is undone soon, and nothing of them is left."""

import os
import signal
import time

import pytest

from benchmarks.heal_fleet import helpers
from fuzzer import procfs
from tests.support.waiting import until

SOON_S = 60.0
"""The benchmark tells how soon it is; here the machine may be busy."""


@pytest.fixture(autouse=True)
def marked(pair, monkeypatch):
    """Whatever is started knows this folder, and is found by that."""
    monkeypatch.setenv("KNOCKON_TEST", str(pair.folder))


def watchdogs(folder):
    return [one for one in helpers(folder) if "fuzzer.watchdog" in one]


def begun(pair, *words):
    """A run that has frozen ``db``, with what it told until then."""
    run = pair.open("replay", "load visit 60s; wait 1s; pause db; wait 60s", "--times", "1", *words)
    until(lambda: run.poll() is not None or "frozen" in states(pair), "nothing was frozen", SOON_S)
    assert run.poll() is None, run.communicate()
    return run


def states(pair):
    """What the fleet's processes are doing."""
    pids = [int(one.split()[1].rstrip(":")) for one in helpers(pair.folder)]
    return {"frozen" if procfs.frozen(pid) else "runs" for pid in pids}


def log(pair):
    path = pair.folder / "state" / "watchdog.log"
    return path.read_text() if path.exists() else ""


def all_gone(pair):
    until(lambda: not helpers(pair.folder), "something goes on", SOON_S)
    assert pair.is_gone()
    assert not list((pair.folder / "state").glob("fleet-*"))


DEATHS = {
    "killed": lambda run: run.kill(),
    "killed with its whole group": lambda run: os.killpg(run.pid, signal.SIGKILL),
    "its terminal is closed": lambda run: os.killpg(run.pid, signal.SIGHUP),
}


@pytest.mark.parametrize("death", DEATHS)
def test_a_run_that_dies_is_healed_and_leaves_nothing(pair, death):
    run = begun(pair)
    assert any("fuzzer.loads.engine" in one for one in helpers(pair.folder))
    DEATHS[death](run)
    run.communicate(timeout=SOON_S)
    all_gone(pair)
    if "killed" in death:
        assert f"run {run.pid} on local healed after" in log(pair)
        assert "1 of them frozen" in log(pair)


def test_ctrl_c_reaches_no_watchdog_and_the_run_heals_by_itself(pair):
    run = begun(pair)
    os.killpg(run.pid, signal.SIGINT)
    assert run.wait(SOON_S) == 130
    run.communicate()
    all_gone(pair)
    assert log(pair) == ""


def test_a_watchdog_ends_with_a_run_that_ends(pair):
    run = pair.open("kill", "db", "--wait", "0.3s")
    until(lambda: run.poll() is not None or watchdogs(pair.folder), "no watchdog", SOON_S)
    run.communicate(timeout=SOON_S)
    assert helpers(pair.folder) == set()
    assert log(pair) == ""


def test_pytest_that_is_killed_is_healed_as_well(pair):
    run = pair.open("fuzz", "--budget", "60s")
    until(lambda: run.poll() is not None or "tiny.py" in str(helpers(pair.folder)), "no fleet", SOON_S)
    run.kill()
    run.communicate(timeout=SOON_S)
    all_gone(pair)
    assert "healed after" in log(pair)


def test_without_a_watchdog_heal_does_it_once_and_never_to_a_run_that_lives(pair):
    run = begun(pair)
    assert pair("heal").stdout == "nothing to heal\n", "it lives: its faults are its own"
    assert states(pair) == {"frozen", "runs"}
    (watchdog,) = watchdogs(pair.folder)
    os.kill(int(watchdog.split()[1].rstrip(":")), signal.SIGKILL)
    run.kill()
    run.communicate(timeout=SOON_S)
    assert "ended the fleet of pair" in pair("heal").stdout
    assert pair("heal").stdout == "nothing to heal\n"
    all_gone(pair)
    assert log(pair) == ""


def test_a_watchdog_that_was_told_to_stop_does_not(pair):
    run = begun(pair)
    (watchdog,) = watchdogs(pair.folder)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(int(watchdog.split()[1].rstrip(":")), number)
    time.sleep(0.2)
    assert watchdogs(pair.folder) == [watchdog]
    run.kill()
    run.communicate(timeout=SOON_S)
    all_gone(pair)
