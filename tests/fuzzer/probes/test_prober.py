"""The prober's times are what recovery is measured by, so they are tested like measurements."""

import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from threading import Event, Lock

import pytest

from fuzzer.probes.crowd import Crowd
from fuzzer.probes.http import HttpProbe
from fuzzer.probes.prober import Prober
from fuzzer.probes.running import RunningProbe

from .servers import polite, serving


class Wall:
    now = staticmethod(time.monotonic)


class Heard:
    """A listener that keeps everything."""

    def __init__(self):
        self.health = []
        self.blind = []
        self._lock = Lock()

    def saw_health(self, seen):
        with self._lock:
            self.health.append(seen)

    def was_blind(self, span):
        with self._lock:
            self.blind.append(span)


def until(condition, limit_s=10.0):
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def probing(heard):
    made = []

    def make(**services):
        prober = Prober(Wall, heard, timeout_s=0.3)
        made.append(prober)
        for name, (probe, not_running) in services.items():
            prober.add(name, probe, not_running)
        prober.start()
        return prober

    yield make
    for prober in made:
        prober.stop()


class Scripted:
    """A probe whose health a test sets."""

    def __init__(self, healthy=True):
        self.healthy = healthy
        self.checks = 0

    def check(self, timeout_s):
        self.checks += 1
        return self.healthy, "scripted"

    def close(self):
        pass


def runs():
    return ""


def test_a_healthy_service_is_asked_every_interval_and_a_sick_one_more_often(heard, probing):
    probe = Scripted()
    probing(web=(probe, runs))
    time.sleep(1.0)
    healthy = len(heard.health)
    probe.healthy = False
    time.sleep(1.0)
    assert 5 <= healthy <= 11
    assert 20 <= len(heard.health) - healthy <= 51


def test_times_are_in_order_and_cover_the_answer(heard, probing):
    with serving(polite()) as server:
        probing(web=(HttpProbe(server.url), runs))
        until(lambda: len(heard.health) > 5)
    assert all(seen.at_s <= seen.ended_s for seen in heard.health)
    assert all(a.ended_s <= b.at_s for a, b in pairwise(heard.health))
    assert heard.health[0].detail == "HTTP 200"
    assert 0 < heard.health[1].latency_ms < 200


def test_no_request_is_sent_while_there_is_no_process(heard, probing):
    probe = Scripted()
    probing(web=(probe, lambda: "exited with 137"))
    until(lambda: len(heard.health) > 3)
    assert probe.checks == 0
    assert {(seen.healthy, seen.detail) for seen in heard.health} == {(False, "exited with 137")}


def test_wake_probes_at_once(heard):
    probe = Scripted()
    prober = Prober(Wall, heard, timeout_s=1.0, interval_s=30.0)
    prober.add("web", probe, runs)
    prober.start()
    until(lambda: heard.health)
    time.sleep(0.05)
    for more in range(1, 4):
        began = time.monotonic()
        prober.wake("web")
        until(lambda more=more: len(heard.health) > more)
        assert time.monotonic() - began < 0.5
    prober.wake("nobody")
    prober.stop()


def test_one_that_hangs_does_not_delay_the_others(heard, probing):
    with serving(lambda connection, number: time.sleep(5)) as hung:
        probing(hung=(HttpProbe(hung.url), runs), well=(Scripted(), runs))
        until(lambda: any(s.service == "hung" for s in heard.health))
    well = [seen for seen in heard.health if seen.service == "well"]
    hang = next(seen for seen in heard.health if seen.service == "hung")
    assert len(well) >= 3
    assert (hang.healthy, hang.detail) == (False, "timeout after 0.3 s")
    assert hang.ended_s - hang.at_s == pytest.approx(0.3, abs=0.2)


def test_a_service_can_be_added_while_it_runs(heard, probing):
    prober = probing()
    prober.add("late", Scripted(), runs)
    until(lambda: heard.health)


def test_stop_is_prompt_and_silent_and_may_be_repeated(heard):
    with serving(lambda connection, number: time.sleep(30)) as hung:
        prober = Prober(Wall, heard, timeout_s=30.0)
        prober.add("hung", HttpProbe(hung.url), runs)
        prober.add("well", Scripted(), runs)
        prober.start()
        until(lambda: hung.connections)
        began = time.monotonic()
        prober.stop()
        assert time.monotonic() - began < 10.0  # the hung one is not waited for
        count = len(heard.health)
        time.sleep(0.15)
        assert len(heard.health) == count
        assert all(seen.service == "well" for seen in heard.health)
        prober.stop()


def test_a_prober_that_never_started_can_be_stopped(heard):
    prober = Prober(Wall, heard, timeout_s=1.0)
    prober.add("web", Scripted(), runs)
    prober.stop()


def test_no_blindness_on_an_ordinary_day(heard, probing):
    probing(web=(Scripted(), runs))
    time.sleep(0.6)
    assert all(span.until_s - span.since_s < 2 for span in heard.blind)  # empty but on a very busy machine


FROZEN = """
import sys, time
from fuzzer.probes.crowd import Crowd
from fuzzer.probes.prober import Prober
class Wall:
    now = staticmethod(time.monotonic)
class Heard:
    def saw_health(self, seen): pass
    def was_blind(self, span): print(span.since_s, span.until_s, span.reason, flush=True)
prober = Prober(Wall, Heard(), 1.0, crowd=Crowd(lambda: None))
prober.start()
print("ready", flush=True)
sys.stdin.read()
prober.stop()
"""


def test_a_fuzzer_that_was_frozen_says_for_how_long():
    root = str(Path(__file__).parents[3])
    child = subprocess.Popen(
        [sys.executable, "-c", FROZEN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
    )
    with child:
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.2)
        frozen = time.monotonic()
        child.send_signal(signal.SIGSTOP)
        time.sleep(0.6)
        thawed = time.monotonic()
        child.send_signal(signal.SIGCONT)
        since, until_s, reason = child.stdout.readline().split(" ", 2)
        child.stdin.close()
    assert "the fuzzer itself was not scheduled" in reason
    assert frozen - 0.1 <= float(since) <= frozen + 0.2
    assert thawed - 0.1 <= float(until_s) <= thawed + 0.5


def test_a_crowded_machine_is_told_of(heard):
    prober = Prober(Wall, heard, 1.0, crowd=Crowd(lambda: 1000, 1))
    prober.start()
    until(lambda: len(heard.blind) > 3)
    prober.stop()
    assert "wanted to run on each CPU" in heard.blind[0].reason


def test_a_service_without_an_endpoint_is_as_healthy_as_its_process():
    trouble = Event()
    probe = RunningProbe(lambda: "frozen" if trouble.is_set() else "")
    assert probe.check(1.0) == (True, "runs")
    trouble.set()
    assert probe.check(1.0) == (False, "frozen")
    probe.close()
